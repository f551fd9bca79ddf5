"""Sealing: a challenge as text that only its application and its browser can use."""

from __future__ import annotations

import base64
import json
import string
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_flow import (
    AppClient,
    AuthFlow,
    Challenge,
    CustomChallenge,
    Device,
    FirstFactor,
    InvalidInput,
    Pending,
    SealError,
    SelectChallenge,
    SignedIn,
    SignedUp,
    SmsMfa,
    Tokens,
    UnknownChallenge,
    UsageError,
)
from cognito_flow.handlers import HANDLERS, NamedHandler
from cognito_flow.models import System
from cognito_flow.testing import Clock
from tests.support.planted import Place, searches

APP = AppClient("eu-west-1_abc", "id")
KEY, OTHER_KEY = "k" * 32, "o" * 32
START = datetime(2030, 1, 1, tzinfo=UTC)


def flow(
    *keys: str | bytes, app: AppClient = APP, clock: Clock | None = None, max_age: int | None = None
) -> AuthFlow:
    """A flow with these keys."""
    clock = clock or Clock(lambda: START)
    return AuthFlow(app, seal_keys=keys or (KEY,), seal_max_age=max_age, system=System(now=clock))


def challenge(**members: object) -> SmsMfa:
    """A challenge."""
    given: dict[str, object] = {"name": "SMS_MFA", "username": "alice", "session": "SESSION", **members}
    return SmsMfa(pending=Pending(**given))  # type: ignore[arg-type]  # what is given is what Pending takes


PARAMETERS = {
    "MFAS_CAN_CHOOSE": '["SMS_MFA"]',
    "CREDENTIAL_REQUEST_OPTIONS": "{}",
    "SECRET_CODE": "JBSWY3DP",
}


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
def test_every_challenge_is_opened_as_it_was_sealed(handler: type[NamedHandler]) -> None:
    name = getattr(handler, "name", "NEW_ONE")
    parameters = PARAMETERS if handler.__name__ != "MfaSetup" else {}
    device = Device("key", "group", "secret")
    pending = Pending(
        name=name,
        username="alice",
        parameters=parameters,
        session="S" * 20,
        available=("PASSWORD",),
        pool_id=APP.pool_id,
        client_id=APP.client_id,
        alias="a@example.com",
        device=device,
        attempt=3,
        is_repeat=True,
        received_at=START,
    )
    sealed = handler.parse(pending)

    assert sealed == flow().unseal(flow().seal(cast("Challenge", sealed)))


@given(st.text(), st.dictionaries(st.text(), st.text()), st.none() | st.text())
def test_any_text_in_a_challenge_is_opened_as_it_was_sealed(
    username: str, parameters: dict[str, str], session: str | None
) -> None:
    sealed = CustomChallenge(
        pending=Pending(name="CUSTOM_CHALLENGE", username=username, parameters=parameters, session=session)
    )

    assert sealed == flow().unseal(flow().seal(cast("Challenge", sealed)))


def test_unknown_challenge_can_be_answered_after_opening() -> None:
    unknown = UnknownChallenge(pending=Pending(name="NEW", username="alice"))

    assert unknown == flow().unseal(flow().seal(unknown))


@searches(Place.SEALED)
def test_sealed_text_shows_no_value() -> None:
    text = flow().seal(challenge(parameters={"question": "VISIBLE"}, device=Device("DKEY", "g", "DSECRET")))
    raw = base64.urlsafe_b64decode(text)

    for word in (b"SESSION", b"VISIBLE", b"alice", b"DSECRET", b"DKEY"):
        assert word not in raw


def test_newest_key_seals_and_older_keys_open() -> None:
    old = flow(OTHER_KEY).seal(challenge())

    assert flow(KEY, OTHER_KEY).unseal(old) == challenge()
    with pytest.raises(SealError):
        flow(OTHER_KEY).unseal(flow(KEY, OTHER_KEY).seal(challenge()))


@pytest.mark.parametrize(
    "app", [AppClient("eu-west-1_abc", "other"), AppClient("eu-west-1_other", "id")], ids=["client", "pool"]
)
def test_sealed_text_of_another_app_client_raises_seal_error(app: AppClient) -> None:
    with pytest.raises(SealError, match="another app client"):
        flow(app=app).unseal(flow().seal(challenge()))


def test_sealed_challenge_older_than_fifteen_minutes_raises_seal_error() -> None:
    clock = Clock(lambda: START)
    text = flow(clock=clock).seal(challenge())
    clock.advance(15 * 60)
    assert flow(clock=clock).unseal(text) == challenge()
    clock.advance(2)
    with pytest.raises(SealError, match="900 seconds"):
        flow(clock=clock).unseal(text)


def test_seal_max_age_is_in_seconds() -> None:
    clock = Clock(lambda: START)
    text = flow(clock=clock).seal(challenge())
    clock.advance(12)
    with pytest.raises(SealError, match="10 seconds"):
        flow(clock=clock, max_age=10).unseal(text)


@given(st.text() | st.binary())
def test_any_other_text_raises_seal_error(text: str | bytes) -> None:
    with pytest.raises(SealError):
        flow().unseal(text)  # type: ignore[arg-type]  # bytes are what a framework may hand over


def test_changed_sealed_text_raises_seal_error() -> None:
    text = flow().seal(challenge())
    changed = text[:50] + ("A" if text[50] != "A" else "B") + text[51:]

    with pytest.raises(SealError, match="damaged"):
        flow().unseal(changed)


def spellings(text: str) -> list[str]:
    """Texts that a lenient decoder of base64 reads as this one."""
    filled = text.rstrip("=")
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    last = alphabet.index(filled[-1])
    return [
        *(
            filled[:-1] + alphabet[last ^ bits] + text[len(filled) :]
            for bits in (1, 2, 4, 8)[: 2 * text.count("=")]
        ),
        text + "=",
        text + "AAAA",
        text + "\n",
        " " + text,
        text[:60] + "!" + text[60:],
        text[:60] + "\r\n" + text[60:],
    ]


@pytest.mark.parametrize("length", range(3, 50, 16))
def test_sealed_text_opens_only_as_it_was_written(length: int) -> None:
    """RFC 4648, section 3.5: unused bits; section 3.3: other characters."""
    text = flow().seal(challenge(session="s" * length))

    assert flow().unseal(text)
    for spelling in spellings(text):
        for given_as in (spelling, spelling.encode()):
            with pytest.raises(SealError, match="damaged"):
                flow().unseal(given_as)  # type: ignore[arg-type]  # bytes are what a framework may hand over


def test_two_sealed_texts_spliced_together_raise_seal_error() -> None:
    """Neither the Session of another user nor another binding can be put into a text."""
    mine, other = (
        base64.urlsafe_b64decode(flow().seal(challenge(username=name), bound_to=name))
        for name in ("alice", "mallo")
    )
    assert len(mine) == len(other)
    for place in range(16, len(mine), 16):
        spliced = base64.urlsafe_b64encode(mine[:place] + other[place:]).decode()
        with pytest.raises(SealError):
            flow().unseal(spliced, bound_to="mallo")


def test_sealed_text_of_another_version_raises_seal_error() -> None:
    sealer = flow()._sealer
    assert sealer is not None
    text = sealer.fernet.encrypt_at_time(b'{"version": 0}', int(START.timestamp())).decode()

    with pytest.raises(SealError, match="version"):
        flow().unseal(text)


def test_short_key_raises_usage_error() -> None:
    with pytest.raises(UsageError, match="32"):
        flow("short")


def test_key_that_is_not_in_a_list_raises_usage_error() -> None:
    """A string is a sequence of strings: each letter would be a key."""
    with pytest.raises(UsageError, match="list"):
        AuthFlow(APP, seal_keys="k" * 40)


@pytest.mark.parametrize("age", [0, -1])
def test_maximum_age_that_is_not_positive_raises_usage_error(age: int) -> None:
    with pytest.raises(UsageError, match="positive"):
        flow(max_age=age)


def test_sealing_without_keys_raises_usage_error() -> None:
    bare = AuthFlow(APP)

    with pytest.raises(UsageError, match="seal_keys"):
        bare.seal(challenge())
    with pytest.raises(UsageError, match="seal_keys"):
        bare.unseal("text")


def test_challenge_bound_to_a_browser_opens_with_the_same_value() -> None:
    sealed = flow().seal(challenge(), bound_to="cookie value")

    assert flow().unseal(sealed, bound_to="cookie value") == challenge()


@pytest.mark.parametrize(
    ("sealed_with", "opened_with"),
    [("a", "b"), ("a", None), (None, "a"), (None, ""), ("a", "\udcff"), ("\udcff", "\udcfe")],
)
def test_challenge_bound_to_another_browser_raises_seal_error(
    sealed_with: str | None, opened_with: str | None
) -> None:
    sealed = flow().seal(challenge(), bound_to=sealed_with)

    with pytest.raises(SealError, match="another browser"):
        flow().unseal(sealed, bound_to=opened_with)


@pytest.mark.parametrize("wrong", [None, 5])
def test_unsealing_something_else_than_text_raises_usage_error(wrong: Any) -> None:
    with pytest.raises(UsageError, match="must be a str"):
        flow().unseal(wrong)


def test_sealing_something_else_than_a_challenge_raises_usage_error() -> None:
    signed_in: Any = SignedIn("alice", Tokens("a", expires_at=START, username="alice"))

    with pytest.raises(UsageError, match="only a challenge or a sign-up can be sealed, not SignedIn"):
        flow().seal(signed_in)


def test_resumed_challenge_is_the_one_that_was_sent() -> None:
    sent = challenge(parameters={"CODE_DELIVERY_DELIVERY_MEDIUM": "SMS"})

    resumed = flow().resume(**sent.to_dict())  # type: ignore[arg-type]  # as JSON, its values have no types

    assert isinstance(resumed, SmsMfa)
    assert (resumed.name, resumed.username, resumed.medium) == ("SMS_MFA", "alice", "SMS")
    assert resumed.pending.session == "SESSION"


def test_resumed_choice_offers_what_cognito_offered() -> None:
    sent = challenge(name="SELECT_CHALLENGE", available=("PASSWORD", "EMAIL_OTP"))

    resumed = flow().resume(**json.loads(json.dumps(sent.to_dict())))

    assert isinstance(resumed, SelectChallenge)
    assert resumed.choices == (FirstFactor.PASSWORD, FirstFactor.EMAIL_OTP)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"username": ""}, "the user name is empty"), ({"session": ""}, "the session is empty")],
)
def test_resuming_with_an_empty_value_raises_invalid_input(wrong: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        flow().resume(**challenge().to_dict() | wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"session": 1}, "the session must be a str"),
        ({"parameters": "x"}, "parameters must be a mapping of str to str"),
        ({"parameters": {"x": 1}}, "parameters must be a mapping of str to str"),
        ({"available": "PASSWORD"}, "available must be a list of str"),
        ({"available": [1]}, "available must be a list of str"),
    ],
)
def test_resuming_with_a_value_of_another_type_raises_usage_error(wrong: Any, message: str) -> None:
    """A front end may send any JSON."""
    with pytest.raises(UsageError, match=message):
        flow().resume(**challenge().to_dict() | wrong)


# Written by this version. If they cannot be opened any more, every sign-in that is under way during an upgrade ends.
SEALED = (
    "gAAAAABw29iA2wTpNM_uQjU2H2T3R4280YQQABB729A6XQVImqm6Junnpvx9r7qIVMJ-YAMXfHoYh4ipHJ6D_bE8sLiuaF66"
    "Xqj5clWjQodtEGeEJaj_k402IDPRutNuFiKewdD5k72WqRYWBL2I0gfuGMMPYtE28uDDjxkd3ZBXvfy22bT6aeY1yAxdOh2A"
    "FBe8clB7x2Rger5T108vsxYg29h4idMLoYzBt1A4yhUBGTYtjOJKINCdTHOpenZs_00k31WZuPvp1BvvZ88z0ZWdYV-2QcDg"
    "SFCWlVaM-OjzPjODxN7T1pJX2-zmPxQ7Yjf0Bp6OkkbzkWpZFKInRobSzxhlAz6z75TmUY75UokotCM9t_f8YOAaZ1ROnppE"
    "-1lXXfv9pdFoYYw80Ivm0lAruFjteztDVw=="
)
SEALED_FOR_A_BROWSER = (
    "gAAAAABw29iAZGXM93sgPX5WRB6qfuzYJ4dB7AMxwBoz67rtb4_vSAKEx77M_OTjwJ4w8xSiPSfz9EG0YAduW2gzpAcU-ZkD"
    "4JuM5Q8z6XWKUzgJEzH2ZgrEfrpj2QUHPbUa60UV803DKbljnunaktkhS4ZtdErO6c6nvxRVJTJeoqeMpJ8yggop1NreAnRI"
    "FShyj2dnT43Fc_Z0lcRmhJpJyeLSKNnRpYPlRBOjPlWHs_kif-bvu2xJGH9D3f5nvuvGABryINh7zVpLUW3f-829cqCgpjpD"
    "gnWOwxRBrT1ZVtLFa2dfZM0MhRLTMnZU9PkicTGXLaPbW2dumSFsxLSqrgoa3S7iN3hSaoidEvQmbvVK1wJ4DVw2GE2gklJX"
    "S_JVjmE6_lFiXWXXSCFd1YNJGFTRl0u8CAAxLRisyXPjd1W_6Fohwug4BkXTEZ6bCift150ewb0bx_pjK5CP7IkvmBh3vg_H"
    "KbfxyydJM5Zb9Ysb6IE3Q7s="
)


def test_text_that_an_earlier_release_sealed_is_opened() -> None:
    expected = challenge(parameters={"A": "1"})

    assert flow().unseal(SEALED) == expected
    assert flow().unseal(SEALED_FOR_A_BROWSER, bound_to="cookie") == expected


def test_sealed_text_is_about_as_short_as_its_content() -> None:
    """A hidden form field holds it."""
    empty, full = (len(flow().seal(challenge(session="s" * length))) for length in (0, 3000))

    assert empty < 640
    assert full - empty <= 4000 + 32


def test_keys_that_are_not_a_list_are_named_in_the_error() -> None:
    with pytest.raises(UsageError, match=r"^seal_keys"):
        AuthFlow(APP, seal_keys=KEY)


@pytest.mark.parametrize(("max_age", "seconds"), [(1, 1), (None, 15 * 60)])
def test_sealed_text_is_opened_until_its_age_is_reached(max_age: int | None, seconds: int) -> None:
    clock = Clock(lambda: START)
    sealing = flow(clock=clock, max_age=max_age)
    sealed = sealing.seal(challenge())
    clock.advance(seconds)

    assert isinstance(sealing.unseal(sealed), SmsMfa)
    clock.advance(1)
    with pytest.raises(SealError, match=f"over {seconds} seconds ago"):
        sealing.unseal(sealed)


def test_text_of_another_type_is_named_in_the_error() -> None:
    with pytest.raises(UsageError, match="not int"):
        flow().unseal(cast("Any", 7))


def test_sealed_sign_up_is_opened_for_a_day() -> None:
    clock = Clock(lambda: START)
    sealing = flow(clock=clock)
    sealed = sealing.seal(
        SignedUp(username="alice", user_sub="s", confirmed=False, delivery=None, session=None)
    )
    clock.advance(24 * 60 * 60)

    assert isinstance(sealing.unseal(sealed), SignedUp)
    clock.advance(1)
    with pytest.raises(SealError, match="over 86400 seconds ago"):
        sealing.unseal(sealed)
