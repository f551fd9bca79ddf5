"""The client's arithmetic agrees with an independent computation, and stops where it has to.

The known answers of other people's clients are in test_srp_vectors.py; here the numbers are drawn, and what
the service sends may be anything.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from Crypto.Math.Numbers import Integer
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cognito_flow import _srp
from cognito_flow.errors import UnexpectedResponse
from tests.support import srp_peer

MOMENT = datetime(2026, 11, 2, 3, 4, 5, tzinfo=UTC)
SECRET = "a secret that must not be seen"
IDENTITY = _srp.Identity("Ab1Cd2Ef3", "alice", SECRET)
EXPONENTS = st.integers(1, 2**256 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
# At each length in bytes: the shortest, the longest without a zero byte in front, and the longest with one.
EDGES = st.integers(1, 400).flatmap(
    lambda length: st.sampled_from([2 ** (8 * length - 8), 2 ** (8 * length - 1) - 1, 2 ** (8 * length) - 1])
)
NUMBERS = st.integers(0, 2**3200) | EDGES
SALTS = st.integers(1, 2**128 - 1) | EDGES.filter(lambda number: number < 2**512)


def identity(expected: srp_peer.SignIn) -> _srp.Identity:
    return _srp.Identity(expected.group, expected.name, expected.password)


def claim(
    expected: srp_peer.SignIn,
    *,
    who: _srp.Identity | None = None,
    salt: str | None = None,
    srp_b: str | None = None,
) -> _srp.Claim:
    """What the client answers in a sign-in, where the service may also have sent something else."""
    return _srp.sign_claim(
        who or identity(expected),
        _srp.Ephemeral(expected.a.to_bytes(32)),
        salt=f"{expected.salt:x}" if salt is None else salt,
        srp_b=f"{expected.public_b:x}" if srp_b is None else srp_b,
        secret_block=base64.b64encode(expected.secret_block).decode(),
        moment=expected.moment,
    )


SIGN_INS = st.builds(
    srp_peer.SignIn,
    group=TEXTS,
    name=TEXTS,
    password=TEXTS,
    salt=SALTS,
    a=EXPONENTS,
    b=EXPONENTS,
    secret_block=st.binary(),
    moment=st.datetimes(timezones=st.just(UTC), min_value=datetime(1000, 1, 1)),  # noqa: DTZ001 - as asked
)
ORDINARY = srp_peer.SignIn("Ab1Cd2Ef3", "alice", SECRET, 2**127 + 1, 2**200, 2**201, b"block", MOMENT)


# Agreement.


@given(number=NUMBERS)
@example(number=0)
def test_pad_gives_the_shortest_twos_complement_form(number: int) -> None:
    padded = _srp.pad(Integer(number))

    assert srp_peer.pad(number) == padded
    assert number == int.from_bytes(padded, signed=True)


@given(moment=SIGN_INS.map(lambda each: each.moment), hours=st.integers(-12, 14))
@example(moment=datetime(2026, 11, 9, 23, 59, 59, tzinfo=UTC), hours=1)
def test_timestamp_is_written_in_utc_for_any_zone(moment: datetime, hours: int) -> None:
    utc = max(moment, datetime(1000, 1, 2, tzinfo=UTC))
    utc = min(utc, datetime(9999, 12, 30, tzinfo=UTC))

    assert srp_peer.timestamp(utc) == _srp.timestamp(utc.astimezone(timezone(timedelta(hours=hours))))


@pytest.mark.skipif(
    not hasattr(time, "tzset"), reason="this system sets the zone of a process in another way"
)
def test_timestamp_does_not_depend_on_the_zone_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 11, 2, 3, 4, 5, tzinfo=UTC)
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "XXX+5")
        time.tzset()
        shown = _srp.timestamp(moment)
    time.tzset()

    assert "Mon Nov 2 03:04:05 UTC 2026" == shown


class WithoutLocale(datetime):
    """A moment that refuses to be written as the locale would have it."""

    def strftime(self, format: str) -> str:  # noqa: A002 - the name of datetime
        raise AssertionError(f"strftime({format!r}) depends on the locale")


def test_timestamp_does_not_depend_on_the_locale() -> None:
    """strftime would translate the names of days and months."""
    moment = WithoutLocale(2026, 11, 2, 3, 4, 5, tzinfo=UTC)

    assert "Mon Nov 2 03:04:05 UTC 2026" == _srp.timestamp(moment)


@given(expected=SIGN_INS)
def test_claim_agrees_with_the_server(expected: srp_peer.SignIn) -> None:
    """The server half of srp_peer knows the verifier and computes S in its own way."""
    assert expected.s == expected.s_of_client
    assert expected.signature == claim(expected).signature


@given(expected=SIGN_INS)
def test_srp_a_is_g_to_the_a_without_leading_zeros(expected: srp_peer.SignIn) -> None:
    assert f"{expected.public_a:x}" == _srp.Ephemeral(expected.a.to_bytes(32)).srp_a


@given(expected=SIGN_INS)
def test_claim_carries_the_block_and_the_timestamp_that_were_signed(expected: srp_peer.SignIn) -> None:
    assert {
        "PASSWORD_CLAIM_SECRET_BLOCK": base64.b64encode(expected.secret_block).decode(),
        "PASSWORD_CLAIM_SIGNATURE": expected.signature,
        "TIMESTAMP": srp_peer.timestamp(expected.moment),
    } == claim(expected).responses()


@given(expected=SIGN_INS, other=TEXTS)
def test_another_password_gives_another_signature(expected: srp_peer.SignIn, other: str) -> None:
    who = _srp.Identity(expected.group, expected.name, expected.password + "x" + other)

    assert not hmac.compare_digest(expected.signature, claim(expected, who=who).signature)


# Forced shapes. By chance a number of full size has one of them once in 2 to 512 times.

SHAPES: dict[str, Callable[[int, int], bool]] = {
    "top bit": lambda bits, full: bits == full,
    "no top bit": lambda bits, full: full - 8 < bits < full,
    "odd digits": lambda bits, full: full - 8 < bits <= full - 4,
    "short": lambda bits, full: bits <= full - 8,
    "short with top bit": lambda bits, full: bits == full - 8,
}


def exponent_for(start: int, fits: Callable[[int], bool]) -> int:
    """The next exponent whose power of g fits. g is 2, so each power is twice the one before."""
    power = pow(srp_peer.G, start, srp_peer.N)
    while not fits(power):
        start, power = start + 1, power * srp_peer.G % srp_peer.N
    return start


@pytest.mark.parametrize("start", [2**255, 2**255 // 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_claim_agrees_with_the_server_for_every_shape_of_a(shape: str, start: int) -> None:
    a = exponent_for(start, lambda power: SHAPES[shape](power.bit_length(), 3072))
    expected = replace(ORDINARY, a=a)

    assert expected.signature == claim(expected).signature


@pytest.mark.parametrize("start", [2**255, 2**255 // 3])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("number", "full"), [("public_b", 3072), ("u", 256)])
def test_claim_agrees_with_the_server_for_every_shape_of_b_and_u(
    number: str, full: int, shape: str, start: int
) -> None:
    masked_verifier = srp_peer.K * ORDINARY.verifier
    front = srp_peer.pad(ORDINARY.public_a)

    def fits(power: int) -> bool:
        public_b = (masked_verifier + power) % srp_peer.N
        hashed = hashlib.sha256(front + srp_peer.pad(public_b)).digest()
        forced = public_b if number == "public_b" else int.from_bytes(hashed)
        return SHAPES[shape](forced.bit_length(), full)

    expected = replace(ORDINARY, b=exponent_for(start, fits))

    assert SHAPES[shape](getattr(expected, number).bit_length(), full)
    assert expected.signature == claim(expected).signature


@pytest.mark.parametrize("shape", ["top bit", "no top bit", "odd digits"])
def test_claim_agrees_with_the_server_for_every_shape_of_s(shape: str) -> None:
    """A short S is among the known answers, and below."""
    candidates = (replace(ORDINARY, b=b) for b in itertools.count(1))
    expected = next(each for each in candidates if SHAPES[shape](each.s.bit_length(), 3072))

    assert expected.signature == claim(expected).signature


@pytest.mark.parametrize("shared", [0, 1, srp_peer.N - 1], ids=["0", "1", "N - 1"])
def test_shared_number_of_zero_one_or_minus_one_is_hashed_in_its_shortest_form(shared: int) -> None:
    """A service can choose B so that S is 0, 1 or -1."""
    candidates = (dishonest(a, shared) for a in itertools.count(ORDINARY.a))
    expected = next(each for each in candidates if each.s_of_client == shared)  # -1 needs an odd exponent

    assert expected.signature == claim(expected).signature


def dishonest(a: int, shared: int) -> srp_peer.SignIn:
    """A sign-in whose B is k v + S, which makes S a power of itself."""
    each = replace(ORDINARY, a=a)
    # Where cached properties keep their values.
    each.__dict__.update(public_b=(srp_peer.K * each.verifier + shared) % srp_peer.N, s=shared)
    return each


def test_srp_b_beyond_n_is_hashed_as_it_was_sent() -> None:
    """Only the base of the power is reduced modulo N."""
    expected = replace(ORDINARY)
    expected.__dict__["public_b"] = ORDINARY.public_b + srp_peer.N
    expected.__dict__["s"] = expected.s_of_client

    assert expected.signature == claim(expected).signature


@given(expected=SIGN_INS, zeros=st.integers(0, 3), upper_case=st.booleans())
def test_leading_zeros_and_case_of_salt_and_srp_b_change_nothing(
    expected: srp_peer.SignIn, zeros: int, upper_case: bool
) -> None:
    salt, srp_b = (f"{'0' * zeros}{number:x}" for number in (expected.salt, expected.public_b))
    written = claim(
        expected,
        salt=salt.upper() if upper_case else salt,
        srp_b=srp_b.upper() if upper_case else srp_b,
    )

    assert expected.signature == written.signature


# What the service should not have sent.


@given(salt=SALTS)
def test_negative_salt_gives_a_claim(salt: int) -> None:
    """Cognito sends SALT with a minus sign for some users that do not exist; it then rejects the proof like any other."""
    signature = claim(ORDINARY, salt=f"-{salt:x}").signature

    assert 32 == len(base64.b64decode(signature, validate=True))
    assert ORDINARY.signature != signature


@pytest.mark.parametrize("multiple", [0, 1, 2], ids=["0", "N", "2 N"])
def test_srp_b_of_zero_modulo_n_is_refused(multiple: int) -> None:
    """The proof would reveal the password."""
    with pytest.raises(UnexpectedResponse, match="invalid SRP_B: it is 0 modulo N"):
        claim(ORDINARY, srp_b=f"{multiple * srp_peer.N:x}")


@pytest.mark.parametrize("name", ["SRP_A", "SRP_B", "u"])
def test_refused_zero_is_named(name: str) -> None:
    with pytest.raises(UnexpectedResponse, match=f"^invalid {name}: it is 0"):
        _srp._nonzero(name, Integer(0))


HEXADECIMAL = st.text("0123456789abcdefABCDEF", max_size=1600)
GARBAGE = (
    st.text() | HEXADECIMAL | HEXADECIMAL.map(lambda text: f"-{text}") | TEXTS.map(lambda text: text * 99)
)
BASE64 = st.binary().map(lambda data: base64.b64encode(data).decode())


@settings(max_examples=300)
@given(salt=GARBAGE, srp_b=GARBAGE, secret_block=GARBAGE | BASE64)
@example(salt="1", srp_b="2", secret_block="\ud800")
@example(salt="\u0661", srp_b="2", secret_block="")  # a digit, but none of hexadecimal
@example(salt="1\n", srp_b="2", secret_block="")
@example(salt="0x1", srp_b="2", secret_block="")
@example(salt="1_0", srp_b="2", secret_block="")
@example(salt="1", srp_b="f" * 1537, secret_block="")
def test_any_text_from_the_service_is_read_or_refused_as_unreadable(
    salt: str, srp_b: str, secret_block: str
) -> None:
    readable = all(
        0 < len(text.removeprefix("-")) <= 1536
        and set(text.removeprefix("-")) <= set("0123456789abcdefABCDEF")
        for text in (salt, srp_b)
    )
    said = ""
    try:
        made = _srp.sign_claim(
            IDENTITY,
            _srp.Ephemeral(b"\1" * 32),
            salt=salt,
            srp_b=srp_b,
            secret_block=secret_block,
            moment=MOMENT,
        )
    except UnexpectedResponse as refused:
        said = str(refused)
    else:
        assert readable
        assert secret_block == made.secret_block
    assert SECRET not in said


@pytest.mark.parametrize(
    "text",
    ["", "xyz", "12 34", "--1", "1\n", "0x1", "1" * 1537],
    ids=["empty", "letters", "space", "two signs", "line end", "prefix", "more digits than two N have"],
)
def test_unreadable_number_is_named(text: str) -> None:
    with pytest.raises(UnexpectedResponse, match="SALT is not a hexadecimal number"):
        claim(ORDINARY, salt=text)
    with pytest.raises(UnexpectedResponse, match="SRP_B is not a hexadecimal number"):
        claim(ORDINARY, srp_b=text)


@pytest.mark.parametrize("block", ["a", "====", "YQ", "YQ==\n", "Y Q==", "YQ-_", "\u00e4"])
def test_unreadable_secret_block_is_refused(block: str) -> None:
    """SECRET_BLOCK must be strict base64: the decoder does not skip other characters."""
    with pytest.raises(UnexpectedResponse, match="SECRET_BLOCK is not base64"):
        _srp.sign_claim(
            IDENTITY,
            _srp.Ephemeral(b"\1" * 32),
            salt="1",
            srp_b="2",
            secret_block=block,
            moment=MOMENT,
        )


# Randomness.


def test_exponent_is_32_random_bytes() -> None:
    asked: list[int] = []

    def throw(length: int) -> bytes:
        asked.append(length)
        return bytes(range(length))

    assert bytes(range(32)) == _srp.Ephemeral.draw(throw).exponent
    assert [32] == asked


def test_exponent_of_zero_is_drawn_again() -> None:
    """With a = 0, A is 1 and S is known to everybody."""
    throws = [b"\0" * 32, b"\0" * 32, b"\0" * 31 + b"\1"]
    asked: list[int] = []

    def throw(length: int) -> bytes:
        asked.append(length)
        return throws.pop(0)

    assert "2" == _srp.Ephemeral.draw(throw).srp_a
    assert [32, 32, 32] == asked


def test_salt_of_a_device_is_16_random_bytes() -> None:
    asked: list[int] = []

    def throw(length: int) -> bytes:
        asked.append(length)
        return b"\1" * length

    _srp.device_verifier(IDENTITY, throw)

    assert 16 == asked[-1]


# Devices.


@given(group=TEXTS, name=TEXTS, secret=TEXTS, salt=st.binary(min_size=16, max_size=16))
@example(group="-group", name="eu-west-1_key", secret="secret", salt=b"\xff" * 16)
@example(group="-group", name="eu-west-1_key", secret="secret", salt=b"\0" * 15 + b"\x80")
@example(group="-group", name="eu-west-1_key", secret="secret", salt=b"\0" * 16)
def test_device_verifier_agrees_with_an_independent_computation(
    group: str, name: str, secret: str, salt: bytes
) -> None:
    """The salt and the verifier keep their sign byte."""
    throws = [salt]
    made = _srp.device_verifier(
        _srp.Identity(group, name, secret),
        lambda length: throws.pop() if throws else secrets.token_bytes(length),
    )
    number = int.from_bytes(salt)
    verifier = pow(srp_peer.G, srp_peer.private_key(group, name, secret, number), srp_peer.N)

    assert number == int.from_bytes(base64.b64decode(made.salt), signed=True)
    assert verifier == int.from_bytes(base64.b64decode(made.password_verifier), signed=True)


# Secrets.


def test_repr_shows_no_secret() -> None:
    ephemeral = _srp.Ephemeral(b"exponent that must not be seen..")
    made = claim(ORDINARY)
    verifier = _srp.device_verifier(IDENTITY, secrets.token_bytes)
    kept = [SECRET, "exponent that", made.secret_block, made.signature, verifier.salt]
    kept += [verifier.password_verifier, ephemeral.srp_a, str(int(ephemeral.public))]
    shown = f"{IDENTITY!r} {ephemeral!r} {made!r} {verifier!r}"

    assert [] == [secret for secret in kept if secret in shown]
    assert IDENTITY.name in shown
