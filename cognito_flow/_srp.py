"""SRP-6a as Cognito uses it: the client's half, for users and for devices. Arithmetic for experts.

Rules of this file:

- No I/O: random bytes and times are passed in.
- A value that depends on a secret is a `Crypto.Math.Numbers.Integer`, never a Python int: its arithmetic is
  constant-time, in C, and lets other threads run.
- `pad` is the only place where an integer becomes bytes to be hashed.

Sources: RFC 5054 for the protocol, RFC 3526 group 15 for the prime, RFC 5869 for HKDF, and "Working with user
devices in your user pool" in the Amazon Cognito developer guide, which writes the calculation out. Cognito
departs from RFC 5054 in three ways: the generator is 2, k hashes the generator as one byte, and the key is
`HKDF(S)` with 16 bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

import attrs
from Crypto.Math import Numbers

from cognito_flow._integers import integer_class
from cognito_flow.errors import UnexpectedResponse

if TYPE_CHECKING:
    from Crypto.Math.Numbers import Integer
else:
    Integer = integer_class(Numbers.Integer, os.environ)

_N_HEX = (
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"
)
_HKDF_INFO = b"Caldera Derived Key"
_KEY_LENGTH = 16  # bytes
_EXPONENT_LENGTH = 32  # bytes: RFC 5054 section 3.1 asks for at least 256 bits

# English names whatever the locale is: strftime would translate them, and pad the day.
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# Twice the length of N is more than any number of the protocol has.
_HEX = re.compile(r"-?([0-9a-fA-F]{1,1536})")

RandomBytes: TypeAlias = Callable[[int], bytes]


def pad(number: Integer) -> bytes:
    """Return the bytes that Cognito hashes for an integer: the shortest big-endian two's complement form.

    It begins with a zero byte exactly if the top bit of the first byte would otherwise be set. This is Java's
    ``BigInteger.toByteArray``; nothing is padded to the length of N.

    Args:
        number: A natural number.

    >>> pad(Integer(127)).hex(), pad(Integer(128)).hex(), pad(Integer(0)).hex()
    ('7f', '0080', '00')
    """
    return number.to_bytes(number.size_in_bits() // 8 + 1)


def timestamp(moment: datetime) -> str:
    """Return the TIMESTAMP of a claim, such as ``Sat Jan 1 00:00:00 UTC 2022``.

    The names are English whatever the locale is, and the day has no leading zero.

    Args:
        moment: An aware datetime.

    >>> timestamp(datetime(2022, 1, 1, tzinfo=UTC))
    'Sat Jan 1 00:00:00 UTC 2022'
    """
    utc = moment.astimezone(UTC)
    return (
        f"{_WEEKDAYS[utc.weekday()]} {_MONTHS[utc.month - 1]} {utc.day} "
        f"{utc.hour:02}:{utc.minute:02}:{utc.second:02} UTC {utc.year:04}"
    )


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _hash_to_integer(data: bytes) -> Integer:
    return Integer.from_bytes(_hash(data))


_N = Integer(int(_N_HEX, 16))
_G = Integer(2)
_K = _hash_to_integer(pad(_N) + pad(_G))


def _natural(name: str, text: str) -> Integer:
    """Read a hexadecimal number that Cognito sent. It may have an odd number of digits.

    A minus sign is ignored: Cognito has sent negative salts for users that do not exist. No signature is
    right for those, so any value will do, as long as the result is the ordinary refusal.
    """
    found = _HEX.fullmatch(text)
    if found is None:
        raise UnexpectedResponse(f"{name} is not a hexadecimal number of the expected size")
    return Integer(int(found[1], 16))


def _nonzero(name: str, number: Integer) -> Integer:
    """Raise for a zero, which would make the key independent of the password (RFC 5054 section 2.5)."""
    if number == 0:
        raise UnexpectedResponse(f"invalid {name}: it is 0 modulo N; possible attack, aborted before signing")
    return number


@attrs.frozen
class Identity:
    """A user of a pool, or a device of a device group, with the password to prove.

    Args:
        group: The pool's name (the part of its id after the underscore), or the DeviceGroupKey.
        name: USER_ID_FOR_SRP, never the alias that was typed, or the DeviceKey.
        password: The password, or the device secret.
    """

    group: str
    name: str
    password: str = attrs.field(repr=False)

    def private_key(self, salt: Integer) -> Integer:
        """Return SRP's x: the hash of the salt and the hashed password (RFC 5054 section 2.4)."""
        inner = _hash(f"{self.group}{self.name}:{self.password}".encode())
        return _hash_to_integer(pad(salt) + inner)


def _public_number(ephemeral: Ephemeral) -> Integer:
    return _nonzero("SRP_A", pow(_G, Integer.from_bytes(ephemeral.exponent), _N))


@attrs.frozen
class Ephemeral:
    """A pair of SRP numbers for one sign-in: the secret exponent a, and A = g^a mod N.

    Args:
        exponent: a, as 32 big-endian bytes.
    """

    exponent: bytes = attrs.field(repr=False)
    public: Integer = attrs.field(
        init=False, repr=False, default=attrs.Factory(_public_number, takes_self=True)
    )

    @classmethod
    def draw(cls, random_bytes: RandomBytes) -> Ephemeral:
        """Draw a pair.

        Args:
            random_bytes: Returns that many random bytes.
        """
        exponent = random_bytes(_EXPONENT_LENGTH)
        while not any(exponent):  # a = 0 would send A = 1
            exponent = random_bytes(_EXPONENT_LENGTH)
        return cls(exponent)

    @property
    def srp_a(self) -> str:
        """SRP_A: A in hexadecimal, as it is sent."""
        return f"{int(self.public):x}"  # public value: no constant time needed


@attrs.frozen
class Claim:
    """The proof of a password, ready to send.

    Args:
        secret_block: PASSWORD_CLAIM_SECRET_BLOCK, base64, exactly as Cognito sent it.
        signature: PASSWORD_CLAIM_SIGNATURE, base64.
        timestamp: TIMESTAMP, exactly as it was signed.
    """

    secret_block: str = attrs.field(repr=False)
    signature: str = attrs.field(repr=False)
    timestamp: str

    def responses(self) -> dict[str, str]:
        """Return the claim as ChallengeResponses."""
        return {
            "PASSWORD_CLAIM_SECRET_BLOCK": self.secret_block,
            "PASSWORD_CLAIM_SIGNATURE": self.signature,
            "TIMESTAMP": self.timestamp,
        }


def sign_claim(
    identity: Identity, ephemeral: Ephemeral, *, salt: str, srp_b: str, secret_block: str, moment: datetime
) -> Claim:
    """Make the proof for PASSWORD_VERIFIER or DEVICE_PASSWORD_VERIFIER.

    Args:
        identity: Whose password is proved.
        ephemeral: The pair whose A was sent as SRP_A.
        salt: SALT, hexadecimal.
        srp_b: SRP_B, hexadecimal.
        secret_block: SECRET_BLOCK, base64.
        moment: The time to sign, an aware datetime.

    Raises:
        UnexpectedResponse: A value is malformed, or RFC 5054 section 2.5 requires a client to abort because
            of it. SECRET_BLOCK must be base64: the signature covers its bytes.
    """
    block = _decode_block(secret_block)
    key = _session_key(identity, ephemeral, _natural("SALT", salt), _natural("SRP_B", srp_b))
    when = timestamp(moment)
    message = identity.group.encode() + identity.name.encode() + block + when.encode()
    signature = base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()
    return Claim(secret_block, signature, when)


def _decode_block(secret_block: str) -> bytes:
    try:
        return base64.b64decode(secret_block, validate=True)
    except (binascii.Error, ValueError):
        raise UnexpectedResponse("SECRET_BLOCK is not base64") from None


def _session_key(identity: Identity, ephemeral: Ephemeral, salt: Integer, srp_b: Integer) -> bytes:
    """K of the client: HKDF of S = (B - k·g^x)^(a + u·x) mod N."""
    b_reduced = _nonzero("SRP_B", srp_b % _N)
    u = _scramble(ephemeral.public, srp_b)
    x = identity.private_key(salt)
    base = (b_reduced + _N - _K * pow(_G, x, _N) % _N) % _N
    shared = pow(base, Integer.from_bytes(ephemeral.exponent) + u * x, _N)
    return _derive(u, shared)


def _scramble(a: Integer, b: Integer) -> Integer:
    """SRP's u: the hash of A and B."""
    return _nonzero("u", _hash_to_integer(pad(a) + pad(b)))


def _derive(u: Integer, shared: Integer) -> bytes:
    """HKDF, of whose output the first block is enough. cryptography's would cost 20 ms of a cold start."""
    pseudorandom_key = hmac.digest(pad(u), pad(shared), hashlib.sha256)
    return hmac.digest(pseudorandom_key, _HKDF_INFO + b"\x01", hashlib.sha256)[:_KEY_LENGTH]


@attrs.frozen
class DeviceVerifier:
    """The verifier of a device, which ConfirmDevice stores at Cognito.

    Args:
        password_verifier: v = g^x mod N, padded, base64.
        salt: The salt, padded, base64. Unpadded, Cognito would read a set top bit as a minus sign.
    """

    password_verifier: str = attrs.field(repr=False)
    salt: str = attrs.field(repr=False)


def device_verifier(identity: Identity, random_bytes: RandomBytes) -> DeviceVerifier:
    """Make the verifier of a new device.

    Args:
        identity: The device: its group key, its key and its new secret.
        random_bytes: Returns that many random bytes.

    >>> import secrets
    >>> verifier = device_verifier(Identity("-group", "eu-west-1_key", "secret"), secrets.token_bytes)
    >>> len(base64.b64decode(verifier.salt)) in (16, 17)
    True
    """
    salt = Integer.from_bytes(random_bytes(16))
    verifier = pow(_G, identity.private_key(salt), _N)
    return DeviceVerifier(*(base64.b64encode(pad(number)).decode() for number in (verifier, salt)))
