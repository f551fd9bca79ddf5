"""The engine by hand: next, send and throw, with no driver and no service."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import attrs
import pytest

from cognito_flow import (
    Answer,
    CognitoFlowError,
    CustomAuth,
    CustomChallenge,
    EmailOtp,
    Event,
    InvalidInput,
    MemoryStore,
    MfaSetup,
    Pending,
    RefreshTokenAuth,
    SelectChallenge,
    SignedIn,
    SmsMfa,
    Throttled,
    Tokens,
    TotpSetup,
    UnexpectedResponse,
    UsageError,
    UserAuth,
    UserContext,
    UserPasswordAuth,
    UserSrpAuth,
    WrongCode,
)
from cognito_flow import _engine as engine
from cognito_flow._exchange import Call
from cognito_flow._srp import timestamp
from tests.support.conversation import (
    APP,
    DEVICE,
    DONE,
    NOW,
    RESULT,
    SESSION,
    VERIFIER,
    Conversation,
    ask,
    start,
    turn,
)


def b64(octets: bytes) -> str:
    """base64url without padding, as in a JWT."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def test_typed_name_begins_and_cognitos_username_continues() -> None:
    """SECRET_HASH is over the USERNAME of the same call."""
    talk = start(UserSrpAuth("al@example.com", "pw"))
    assert talk.sent["AuthParameters"]["USERNAME"] == "al@example.com"
    assert talk.sent["AuthParameters"]["SECRET_HASH"] == APP.secret_hash("al@example.com")

    talk.answer(ask("PASSWORD_VERIFIER", None, **VERIFIER))

    assert "Session" not in talk.sent
    assert (talk.responses["USERNAME"], talk.responses["SECRET_HASH"]) == ("alice", APP.secret_hash("alice"))
    assert talk.responses["TIMESTAMP"] == "Tue Jan 1 12:00:00 UTC 2030"

    result = talk.answer(ask("SMS_MFA")).result
    assert isinstance(result, SmsMfa)
    assert (result.username, result.pending.alias, result.pending.session) == (
        "alice",
        "al@example.com",
        SESSION,
    )


def test_newest_session_is_sent() -> None:
    challenge = SmsMfa(pending=Pending(name="SMS_MFA", username="alice", session=SESSION))

    talk = Conversation(engine.send(turn(), challenge.answer("1")))

    assert talk.sent["Session"] == SESSION
    assert talk.responses["SMS_MFA_CODE"] == "1"
    assert isinstance(talk.answer(DONE).result, SignedIn)


def test_expires_in_counts_from_our_clock() -> None:
    result = start(UserPasswordAuth("alice", "pw")).answer(DONE).result

    assert isinstance(result, SignedIn)
    assert result.tokens == Tokens(
        "not-a-jwt", "id", "refresh", expires_at=NOW + timedelta(hours=1), username="alice"
    )


@pytest.mark.parametrize("missing", ["AccessToken", "ExpiresIn"])
def test_incomplete_tokens_raise_unexpected_response(missing: str) -> None:
    broken = {name: value for name, value in RESULT.items() if name != missing}
    with pytest.raises(UnexpectedResponse, match=missing):
        start(UserPasswordAuth("alice", "pw")).answer({"AuthenticationResult": broken})


def test_missing_expires_in_is_replaced_by_the_end_of_the_access_token() -> None:
    ends = NOW + timedelta(minutes=7)
    claims = json.dumps({"username": "alice", "exp": int(ends.timestamp())}).encode()
    token = f"{b64(b'{}')}.{b64(claims)}.{b64(b'x')}"

    result = (
        start(UserPasswordAuth("alice", "pw")).answer({"AuthenticationResult": {"AccessToken": token}}).result
    )

    assert isinstance(result, SignedIn)
    assert result.tokens.expires_at == ends


def test_expires_in_beyond_the_calendar_raises_unexpected_response() -> None:
    with pytest.raises(UnexpectedResponse, match="ExpiresIn"):
        start(UserPasswordAuth("alice", "pw")).answer(
            {"AuthenticationResult": {**RESULT, "ExpiresIn": 10**14}}
        )


def test_response_without_tokens_or_challenge_raises_unexpected_response() -> None:
    with pytest.raises(UnexpectedResponse, match="neither"):
        start(UserPasswordAuth("alice", "pw")).answer({})


CONTEXT = UserContext("192.0.2.1", "encoded", (("Host", "a"),), "server", "/login")


def test_public_calls_carry_metadata_context_and_analytics() -> None:
    public = turn(metadata={"a": "1"}, context=CONTEXT, analytics_endpoint_id="e")

    sent = start(UserPasswordAuth("alice", "pw"), public).sent

    assert sent["ClientMetadata"] == {"a": "1"}
    assert sent["UserContextData"] == {"IpAddress": "192.0.2.1", "EncodedData": "encoded"}
    assert sent["AnalyticsMetadata"] == {"AnalyticsEndpointId": "e"}
    assert "ContextData" not in sent


@pytest.mark.parametrize("encoded", ["encoded", None])
def test_admin_calls_carry_the_whole_context(encoded: str | None) -> None:
    context = attrs.evolve(CONTEXT, encoded_data=encoded)
    talk = start(UserPasswordAuth("alice", "pw"), turn(admin=True, context=context, metadata={"a": "1"}))

    assert talk.call is not None
    assert talk.call.operation == "AdminInitiateAuth"
    assert talk.sent["UserPoolId"] == APP.pool_id
    data = talk.sent["ContextData"]
    assert data["HttpHeaders"] == [{"headerName": "Host", "headerValue": "a"}]
    assert data.get("EncodedData") == encoded
    assert (data["IpAddress"], data["ServerName"], data["ServerPath"]) == ("192.0.2.1", "server", "/login")


def test_admin_call_with_half_a_context_raises_usage_error() -> None:
    """botocore's own error would not name the setting."""
    with pytest.raises(UsageError, match="server_name"):
        start(UserPasswordAuth("alice", "pw"), turn(admin=True, context=UserContext("192.0.2.1")))


@pytest.mark.parametrize("session", ["", "s" * 19])
@pytest.mark.parametrize("name", ["SMS_MFA", "PASSWORD_VERIFIER"])
def test_challenge_whose_session_is_too_short_to_be_sent_raises_unexpected_response(
    name: str, session: str
) -> None:
    """botocore would call it a mistake of the program."""
    with pytest.raises(UnexpectedResponse, match="too short"):
        start(UserSrpAuth("alice", "pw")).answer(ask(name, session, **VERIFIER))


def test_user_name_with_a_lone_surrogate_in_the_access_token_raises_unexpected_response() -> None:
    claims = b'{"username":"al\\ud800ice","exp":1}'
    result = {**RESULT, "AccessToken": f"{b64(b'{}')}.{b64(claims)}.x"}
    with pytest.raises(UnexpectedResponse, match="lone surrogate"):
        start(UserPasswordAuth("alice", "pw")).answer({"AuthenticationResult": result})


@pytest.mark.parametrize("metadata", [None, {}])
def test_no_metadata_sends_no_client_metadata(metadata: dict[str, str] | None) -> None:
    assert "ClientMetadata" not in start(UserPasswordAuth("a", "p"), turn(metadata=metadata)).sent


@pytest.mark.parametrize("off", [timedelta(hours=1), timedelta(minutes=-7)])
def test_proof_is_signed_with_cognitos_time_if_the_local_clock_is_off(off: timedelta) -> None:
    talk = start(UserSrpAuth("alice", "pw"))
    talk.answer(ask("PASSWORD_VERIFIER", None, **VERIFIER), NOW + off)

    assert talk.responses["TIMESTAMP"] == timestamp(NOW + off)


@pytest.mark.parametrize("off", [timedelta(0), timedelta(seconds=29)])
def test_proof_is_signed_with_the_local_time_if_the_clocks_agree(off: timedelta) -> None:
    talk = start(UserSrpAuth("alice", "pw"))
    talk.answer(ask("PASSWORD_VERIFIER", None, **VERIFIER), NOW + off)

    assert talk.responses["TIMESTAMP"] == timestamp(NOW)


def test_password_verifier_in_a_later_call_raises_unexpected_response() -> None:
    """The password is not kept after the call that it was given to."""
    with pytest.raises(UnexpectedResponse, match="start again"):
        start(UserPasswordAuth("alice", "pw")).answer(ask("PASSWORD_VERIFIER", **VERIFIER))


def test_session_of_a_sign_up_is_sent_as_a_member() -> None:
    sent = start(UserAuth("alice", session=SESSION)).sent
    assert (sent["AuthFlow"], sent["Session"]) == ("USER_AUTH", SESSION)


def test_custom_auth_with_a_password_sends_challenge_name_srp_a() -> None:
    parameters = start(CustomAuth("alice", "pw")).sent["AuthParameters"]
    assert parameters["CHALLENGE_NAME"] == "SRP_A"
    assert parameters["SRP_A"]


def test_refresh_without_rotation_keeps_the_refresh_token() -> None:
    """The hash is over the username, and the device is that of the sign-in."""
    tokens = Tokens("a", "i", "kept", expires_at=NOW, username="alice", device_key=DEVICE.key)
    talk = start(RefreshTokenAuth(tokens))
    assert talk.sent["AuthParameters"] == {
        "REFRESH_TOKEN": "kept",
        "DEVICE_KEY": DEVICE.key,
        "SECRET_HASH": APP.secret_hash("alice"),
    }
    result = talk.answer({"AuthenticationResult": {**RESULT, "RefreshToken": None}}).result
    assert isinstance(result, SignedIn)
    assert result.tokens.refresh_token == "kept"


def test_access_token_that_is_not_a_jwt_is_kept() -> None:
    """An emulator may send one; a number in it may be longer than Python converts to an int."""
    claims = b'{"n":%s}' % (b"1" * 5000)
    token = f"{b64(b'{}')}.{b64(claims)}.x"
    result = (
        start(UserPasswordAuth("alice", "pw"))
        .answer({"AuthenticationResult": {**RESULT, "AccessToken": token}})
        .result
    )
    assert isinstance(result, SignedIn)
    assert (result.tokens.access_token, result.username) == (token, "alice")


def test_refresh_without_a_refresh_token_raises_usage_error() -> None:
    with pytest.raises(UsageError, match="sign in again"):
        RefreshTokenAuth(Tokens("a", "i", None, expires_at=NOW, username="alice"))


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: UserSrpAuth("", "pw"), InvalidInput),
        (lambda: UserSrpAuth("alice", ""), InvalidInput),
        (lambda: CustomAuth("alice", ""), InvalidInput),
        (lambda: UserAuth("alice", ""), InvalidInput),
        (lambda: UserAuth("alice", "pw", "EMAIL_OTP"), UsageError),
    ],
    ids=["no name", "no password", "empty custom", "empty choice", "password for a code"],
)
def test_invalid_credentials_raise_before_a_call(make: Any, kind: type[CognitoFlowError]) -> None:
    """An empty password must not lead to another AuthFlow."""
    with pytest.raises(kind):
        make()


def setup_totp() -> TotpSetup:
    """The set-up of an authenticator app, after AssociateSoftwareToken."""
    challenge = MfaSetup.parse(Pending(name="MFA_SETUP", username="alice", session=SESSION))
    talk = Conversation(engine.send(turn(), challenge.answer_totp()))
    assert talk.call == Call("AssociateSoftwareToken", {"Session": SESSION})
    step = talk.answer({"SecretCode": "JBSWY3DPEHPK3PXP", "Session": "t" * 20}).result
    assert isinstance(step, TotpSetup)
    return step


def test_each_call_of_a_totp_set_up_sends_the_session_of_the_response_before() -> None:
    setup = setup_totp()
    talk = Conversation(engine.send(turn(), setup.answer("123 456", "phone")))
    assert talk.sent == {"Session": "t" * 20, "UserCode": "123456", "FriendlyDeviceName": "phone"}
    talk.answer({"Status": "SUCCESS", "Session": "u" * 20})
    assert talk.call is not None
    assert talk.call.operation == "RespondToAuthChallenge"
    assert (talk.sent["Session"], talk.sent["ChallengeName"]) == ("u" * 20, "MFA_SETUP")
    assert isinstance(talk.answer(DONE).result, SignedIn)


@pytest.mark.parametrize("data", [{}, {"SecretCode": "x"}, {"Session": SESSION}])
def test_missing_secret_or_session_of_a_totp_set_up_raises_unexpected_response(
    data: Mapping[str, object],
) -> None:
    challenge = MfaSetup.parse(Pending(name="MFA_SETUP", username="alice", session=SESSION))
    with pytest.raises(UnexpectedResponse, match="AssociateSoftwareToken"):
        Conversation(engine.send(turn(), challenge.answer_totp())).answer(data)


def test_status_error_of_a_totp_set_up_raises_wrong_code() -> None:
    with pytest.raises(WrongCode):
        Conversation(engine.send(turn(), setup_totp().answer("123456"))).answer({"Status": "ERROR"})


def test_verified_code_without_a_session_raises_unexpected_response() -> None:
    with pytest.raises(UnexpectedResponse, match="VerifySoftwareToken"):
        Conversation(engine.send(turn(), setup_totp().answer("123456"))).answer({"Status": "SUCCESS"})


@pytest.mark.parametrize("session", ["", "s" * 19])
def test_session_of_a_totp_set_up_that_is_too_short_to_be_sent_raises_unexpected_response(
    session: str,
) -> None:
    challenge = MfaSetup.parse(Pending(name="MFA_SETUP", username="alice", session=SESSION))
    with pytest.raises(UnexpectedResponse, match="too short"):
        Conversation(engine.send(turn(), challenge.answer_totp())).answer(
            {"SecretCode": "JBSWY3DP", "Session": session}
        )
    with pytest.raises(UnexpectedResponse, match="too short"):
        Conversation(engine.send(turn(), setup_totp().answer("123456"))).answer(
            {"Status": "SUCCESS", "Session": session}
        )


def test_email_set_up_sends_the_address_as_email() -> None:
    pending = Pending(
        name="MFA_SETUP", username="a", session=SESSION, parameters={"MFAS_CAN_SETUP": '["EMAIL_OTP"]'}
    )
    talk = Conversation(engine.send(turn(), MfaSetup.parse(pending).answer_email("a@b.c")))
    assert talk.responses["EMAIL"] == "a@b.c"
    assert isinstance(talk.answer(ask("EMAIL_OTP")).result, EmailOtp)


def test_custom_challenge_with_equal_parameters_is_a_repeat() -> None:
    """USERNAME is ignored, because Cognito sends it inconsistently."""
    first = CustomChallenge(
        pending=Pending(name="CUSTOM_CHALLENGE", username="a", parameters={"q": "1"}, session=SESSION)
    )
    again = Conversation(engine.send(turn(), first.answer("x"))).answer(
        ask("CUSTOM_CHALLENGE", q="1", USERNAME="a")
    )
    other = Conversation(engine.send(turn(), first.answer("x"))).answer(ask("CUSTOM_CHALLENGE", q="2"))
    assert isinstance(again.result, CustomChallenge)
    assert isinstance(other.result, CustomChallenge)
    assert (again.result.attempt, again.result.is_repeat) == (2, True)
    assert (other.result.attempt, other.result.is_repeat) == (2, False)


def test_challenge_event_names_the_challenge() -> None:
    events: list[Event] = []
    start(UserPasswordAuth("alice", "pw"), turn(on_event=events.append)).answer(ask("SMS_MFA"))

    assert [(event.kind, event.challenge) for event in events] == [("challenge", "SMS_MFA")]


@pytest.mark.parametrize(
    ("parameters", "username"),
    [
        ({"USERNAME": "sub-1", "USER_ID_FOR_SRP": "sub-2"}, "sub-1"),
        ({"USER_ID_FOR_SRP": "sub-2"}, "sub-2"),
        ({}, "al@example.com"),
    ],
)
def test_most_recent_name_that_cognito_sent_is_used(parameters: dict[str, str], username: str) -> None:
    challenge = start(UserPasswordAuth("al@example.com", "pw")).answer(ask("SMS_MFA", **parameters)).result

    assert isinstance(challenge, SmsMfa)
    assert challenge.username == username


def test_attempts_are_counted_for_each_challenge_apart() -> None:
    first = start(UserPasswordAuth("alice", "pw")).answer(ask("SMS_MFA")).result
    second = Conversation(engine.send(turn(), first.answer("1"))).answer(ask("SMS_MFA")).result
    other = Conversation(engine.send(turn(), second.answer("1"))).answer(ask("EMAIL_OTP")).result

    assert [each.pending.attempt for each in (first, second, other)] == [1, 2, 1]


def test_challenge_keeps_everything_that_a_later_turn_needs() -> None:
    asked = {**ask("EMAIL_OTP", USERNAME="sub-1", x="y"), "AvailableChallenges": ["PASSWORD", "EMAIL_OTP"]}
    challenge = start(UserAuth("al@example.com")).answer(asked).result

    assert challenge.pending == Pending(
        name="EMAIL_OTP",
        username="sub-1",
        parameters={"USERNAME": "sub-1", "x": "y"},
        session=SESSION,
        available=("PASSWORD", "EMAIL_OTP"),
        pool_id=APP.pool_id,
        client_id=APP.client_id,
        alias="al@example.com",
        received_at=NOW,
    )


def choose(answer: Callable[[SelectChallenge], Answer], *offered: str) -> Conversation:
    """Answer the choice between these factors, which Cognito sends once."""
    asked = {**ask("SELECT_CHALLENGE"), "AvailableChallenges": list(offered)}
    challenge = start(UserAuth("alice")).answer(asked).result
    assert isinstance(challenge, SelectChallenge)
    return Conversation(engine.send(turn(), answer(challenge)))


def test_chosen_first_factor_keeps_the_other_factors() -> None:
    chosen = choose(lambda select: select.answer("EMAIL_OTP"), "EMAIL_OTP", "SMS_OTP").answer(
        ask("EMAIL_OTP")
    )
    assert chosen.result.pending.available == ("EMAIL_OTP", "SMS_OTP")
    assert chosen.result.other_factors == ("SMS_OTP",)
    assert chosen.result.to_dict()["available"] == ["EMAIL_OTP", "SMS_OTP"]

    back = Conversation(engine.send(turn(), chosen.result.answer_with("SMS_OTP"))).answer(ask("SMS_OTP"))

    assert back.result.other_factors == ("EMAIL_OTP",)


def test_factors_that_cognito_sends_with_the_chosen_one_replace_the_choice() -> None:
    talk = choose(lambda select: select.answer("EMAIL_OTP"), "EMAIL_OTP", "SMS_OTP")

    talk.answer({**ask("EMAIL_OTP"), "AvailableChallenges": ["EMAIL_OTP", "WEB_AUTHN"]})

    assert talk.result.other_factors == ("WEB_AUTHN",)


def test_second_factor_after_a_chosen_password_has_no_other_factors() -> None:
    sent = choose(lambda select: select.answer_password("pw"), "EMAIL_OTP", "PASSWORD")
    proved = choose(lambda select: select.answer_srp("pw"), "EMAIL_OTP", "PASSWORD_SRP")
    proved.answer(ask("PASSWORD_VERIFIER", **VERIFIER))

    for talk in (sent, proved):
        assert talk.answer(ask("EMAIL_OTP")).result.other_factors == ()


@pytest.mark.parametrize(
    ("sent", "choices"), [([None, "EMAIL_OTP", 1], ("EMAIL_OTP",)), ("PASSWORD", ()), (None, ())]
)
def test_only_the_texts_of_a_list_are_offered(sent: object, choices: tuple[str, ...]) -> None:
    asked = {**ask("SELECT_CHALLENGE"), "AvailableChallenges": sent}

    assert start(UserAuth("alice")).answer(asked).result.choices == choices


def throttled() -> Throttled:
    """A call that Cognito refused and that may be repeated."""
    return Throttled("Rate exceeded", retryable=True)


def test_failure_after_an_accepted_choice_is_maybe_processed_and_not_retryable() -> None:
    talk = choose(lambda select: select.answer_srp("pw"), "PASSWORD_SRP")
    talk.answer(ask("PASSWORD_VERIFIER", **VERIFIER))
    with pytest.raises(Throttled) as failed:
        talk.refuse(throttled())

    assert (failed.value.maybe_processed, failed.value.retryable) == (True, False)


def test_failure_after_a_verified_code_is_maybe_processed_and_not_retryable() -> None:
    talk = Conversation(engine.send(turn(), setup_totp().answer("123456")))
    talk.answer({"Status": "SUCCESS", "Session": "u" * 20})
    with pytest.raises(Throttled) as failed:
        talk.refuse(throttled())

    assert (failed.value.maybe_processed, failed.value.retryable) == (True, False)


def test_failure_of_the_first_call_of_an_answer_stays_as_it_is() -> None:
    with pytest.raises(Throttled) as failed:
        choose(lambda select: select.answer_srp("pw"), "PASSWORD_SRP").refuse(throttled())

    assert (failed.value.maybe_processed, failed.value.retryable) == (False, True)


def test_wrong_code_in_a_successful_response_does_not_use_up_the_answer() -> None:
    moment = turn()
    with pytest.raises(WrongCode) as wrong:
        Conversation(engine.send(moment, setup_totp().answer("123456"))).answer({"Status": "ERROR"})

    assert not wrong.value.maybe_processed
    assert not moment.is_answered


def test_failed_proof_of_a_sign_in_that_begins_stays_retryable() -> None:
    """The sign-in can be started again."""
    talk = start(UserSrpAuth("alice", "pw")).answer(ask("PASSWORD_VERIFIER", None, **VERIFIER))
    with pytest.raises(Throttled) as failed:
        talk.refuse(throttled())

    assert (failed.value.maybe_processed, failed.value.retryable) == (False, True)


def test_device_of_the_name_that_cognito_sent_belongs_to_the_challenge() -> None:
    store = MemoryStore()
    store.put_device(APP, "sub-1", DEVICE)
    talk = start(UserPasswordAuth("al@example.com", "pw"), turn(devices=store))

    assert talk.answer(ask("SMS_MFA", USERNAME="sub-1")).result.pending.device == DEVICE


@attrs.frozen(kw_only=True)
class Automatic(CustomChallenge):
    """A handler of an application that answers without the user, but for its third challenge."""

    def auto(self) -> Answer | None:
        return None if self.attempt == 3 else self.answer(f"{self.attempt}")


def test_attempts_of_challenges_that_are_answered_automatically_are_counted() -> None:
    talk = start(CustomAuth("alice"), turn(handlers=(Automatic,)))
    for attempt in ("1", "2"):
        talk.answer(ask("CUSTOM_CHALLENGE", q=attempt))
        assert talk.responses["ANSWER"] == attempt

    challenge = talk.answer(ask("CUSTOM_CHALLENGE", q="2")).result

    assert isinstance(challenge, Automatic)
    assert (challenge.attempt, challenge.is_repeat) == (3, True)


@attrs.frozen(kw_only=True)
class Tireless(CustomChallenge):
    """A handler of an application that answers whatever it is asked."""

    def auto(self) -> Answer:
        return self.answer("x")


def test_17th_challenge_in_one_turn_is_not_answered_automatically() -> None:
    talk = start(CustomAuth("alice"), turn(handlers=(Tireless,)))
    for _ in range(15):
        talk.answer(ask("CUSTOM_CHALLENGE"))
    with pytest.raises(UnexpectedResponse, match="answered 16 challenges by itself"):
        talk.answer(ask("CUSTOM_CHALLENGE")).answer(ask("CUSTOM_CHALLENGE"))
