"""The server's half of SRP, and the checks that go with it.

Rule of this file: it shares no code with the client's half, so that each can find the other's mistakes. Only
modular exponentiation comes from the same library; vectors and an independent computation in the tests check
both halves.

Sources: RFC 5054, RFC 3526 group 15, RFC 5869, and "Working with user devices in your user pool" in the
Amazon Cognito developer guide.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

import attrs
from Crypto.Math.Numbers import Integer

from cognito_flow.testing._state.refusal import Refusal, invalid_parameter

# RFC 3526 section 4: 2^3072 - 2^3008 - 1 + 2^64 * ([2^2942 pi] + 1690314).
_PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"
    "020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
    "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05"
    "98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB"
    "9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
    "3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33"
    "A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864"
    "D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E2"
    "08E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
_GENERATOR = 2
_MODULUS = Integer(_PRIME)
_HEX = re.compile(r"[0-9a-fA-F]{1,800}")  # A has at most 768 digits; a longer number would only cost time
_WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_TIMESTAMP = re.compile(
    r"([A-Za-z]{3}) ([A-Za-z]{3}) ([0-9]{1,2}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) (UTC|GMT) ([0-9]{4})"
)


def _two_complement(number: int) -> bytes:
    """The shortest big-endian bytes whose top bit is 0, so that no reader takes it for a sign."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _power(base: int, exponent: int) -> int:
    """base^exponent mod N, five times as fast as Python's `pow`."""
    return int(pow(Integer(base), Integer(exponent), _MODULUS))


def _digest(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


_MULTIPLIER = _digest(_two_complement(_PRIME), _two_complement(_GENERATOR))


@attrs.frozen
class Verifier:
    """What is stored of a password.

    Args:
        salt: The salt.
        verifier: v = g^x mod N.
    """

    salt: int = attrs.field(repr=False)
    verifier: int = attrs.field(repr=False)


def _x(salt: int, group: str, name: str, password: str) -> int:
    credentials = hashlib.sha256(f"{group}{name}:{password}".encode("utf-8", "surrogatepass")).digest()
    return _digest(_two_complement(salt), credentials)


@lru_cache(maxsize=4096)
def _raised(x: int) -> int:
    """v = g^x mod N. It is remembered, because tests sign the users that they create in with their passwords,
    and the exponentiation takes longer than the rest of a sign-in."""
    return _power(_GENERATOR, x)


def make_verifier(group: str, name: str, password: str, random_bytes: Callable[[int], bytes]) -> Verifier:
    """The verifier of a new password.

    Args:
        group: The pool's name.
        name: The user's name.
        password: The password.
        random_bytes: Draws that many bytes.
    """
    salt = 0
    while salt >> 120 == 0:  # no leading zero byte: existing clients hash such a salt in different ways
        salt = int.from_bytes(random_bytes(16), "big")
    return Verifier(salt, _raised(_x(salt, group, name, password)))


def matches(verifier: Verifier, group: str, name: str, password: str) -> bool:
    """Whether this is the password."""
    tried = _raised(_x(verifier.salt, group, name, password))
    return hmac.compare_digest(tried.to_bytes(384, "big"), verifier.verifier.to_bytes(384, "big"))


@attrs.frozen
class Handshake:
    """The two public numbers of one SRP proof, and the server's secret one."""

    a_public: int = attrs.field(repr=False)
    b_secret: int = attrs.field(repr=False)
    b_public: int = attrs.field(repr=False)


def answer_srp_a(verifier: Verifier, srp_a: str, random_bytes: Callable[[int], bytes]) -> Handshake:
    """Answer SRP_A.

    Args:
        verifier: The user's or the device's.
        srp_a: SRP_A, hexadecimal.
        random_bytes: Draws that many bytes.

    Raises:
        Refusal: SRP_A is malformed, or 0 modulo N, which would bypass the password (RFC 5054, 2.5.4).
    """
    if not _HEX.fullmatch(srp_a):
        raise invalid_parameter("SRP_A is not a hexadecimal number.")
    a_public = int(srp_a, 16)
    if a_public % _PRIME == 0:
        raise invalid_parameter("SRP_A is not a valid public value.")
    b_secret = int.from_bytes(random_bytes(32), "big")
    b_public = (_MULTIPLIER * verifier.verifier + _power(_GENERATOR, b_secret)) % _PRIME
    return Handshake(a_public, b_secret, b_public)


def _session_key(handshake: Handshake, verifier: Verifier) -> bytes:
    scramble = _digest(_two_complement(handshake.a_public), _two_complement(handshake.b_public))
    shared = _power(handshake.a_public * _power(verifier.verifier, scramble) % _PRIME, handshake.b_secret)
    extracted = hmac.digest(_two_complement(scramble), _two_complement(shared), "sha256")
    return hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]


def proof_is_right(
    handshake: Handshake,
    verifier: Verifier,
    *,
    group: str,
    name: str,
    secret_block: bytes,
    timestamp: str,
    signature: str,
) -> bool:
    """Whether PASSWORD_CLAIM_SIGNATURE proves the password.

    Args:
        handshake: The numbers of the proof.
        verifier: The verifier that it was opened with.
        group: The pool's name, or the DeviceGroupKey.
        name: The user's name, or the DeviceKey.
        secret_block: SECRET_BLOCK, decoded.
        timestamp: TIMESTAMP in its canonical form.
        signature: PASSWORD_CLAIM_SIGNATURE, base64.
    """
    message = group.encode() + name.encode() + secret_block + timestamp.encode()
    expected = hmac.digest(_session_key(handshake, verifier), message, "sha256")
    try:
        given = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(expected, given)


def parse_timestamp(text: str) -> tuple[datetime, str]:
    """TIMESTAMP, and its canonical form, over which the signature is checked.

    Names may be in any case, and the day may have one digit or two; the zone is UTC or GMT.

    Raises:
        Refusal: It is not a date of this form.
    """
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        raise _bad_timestamp()
    try:
        weekday, month, day, hour, minute, second, zone, year = found.groups()
        _WEEKDAYS.index(weekday.capitalize())
        numbers = (
            int(year),
            _MONTHS.index(month.capitalize()) + 1,
            int(day),
            int(hour),
            int(minute),
            int(second),
        )
        moment = datetime(*numbers, tzinfo=UTC)
    except ValueError:
        raise _bad_timestamp() from None
    # The weekday is computed from the date, so that a wrong one in the text fails the proof.
    canonical = (
        f"{_WEEKDAYS[moment.weekday()]} {_MONTHS[moment.month - 1]} {moment.day} "
        f"{moment:%H:%M:%S} {zone} {moment.year:04}"
    )
    return moment, canonical


def _bad_timestamp() -> Refusal:
    return invalid_parameter("TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.")


def device_verifier(password_verifier: str, salt: str) -> Verifier:
    """Read the verifier that ConfirmDevice sends.

    Args:
        password_verifier: PasswordVerifier, base64 of a signed big-endian number.
        salt: Salt, the same.

    Raises:
        Refusal: One of them is not a positive number. An unpadded number with its top bit set is read as
            negative.
    """
    numbers = [_signed(text) for text in (salt, password_verifier)]
    if not 0 < numbers[1] < _PRIME or numbers[0] <= 0:
        raise _bad_verifier()
    return Verifier(numbers[0], numbers[1])


def _bad_verifier() -> Refusal:
    return invalid_parameter("Invalid device secret verifier config.")


def _signed(text: str) -> int:
    try:
        return int.from_bytes(base64.b64decode(text, validate=True), "big", signed=True)
    except (binascii.Error, ValueError):
        raise _bad_verifier() from None


def secret_hash(client_secret: str, username: str, client_id: str) -> str:
    """The right SECRET_HASH, in base64."""
    mac = hmac.new(client_secret.encode(), digestmod="sha256")
    mac.update(username.encode("utf-8", "surrogatepass"))
    mac.update(client_id.encode())
    return base64.b64encode(mac.digest()).decode()
