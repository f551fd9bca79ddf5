"""The engine by hand: next, send and throw, with no driver and no service."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import attrs
import pytest

from cognito_flow import (
    CognitoFlowError,
    CustomAuth,
    CustomChallenge,
    EmailOtp,
    InvalidInput,
    MfaSetup,
    Pending,
    RefreshTokenAuth,
    SignedIn,
    SmsMfa,
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


def test_what_was_typed_begins_and_the_real_name_goes_on() -> None:
    """SECRET_HASH is over the USERNAME that the same call sends."""
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


def test_the_newest_session_is_sent() -> None:
    """Each answer brings a new one."""
    challenge = SmsMfa(pending=Pending(name="SMS_MFA", username="alice", session=SESSION))

    talk = Conversation(engine.send(turn(), challenge.answer("1")))

    assert talk.sent["Session"] == SESSION
    assert talk.responses["SMS_MFA_CODE"] == "1"
    assert isinstance(talk.answer(DONE).result, SignedIn)


def test_tokens_are_read_with_their_end() -> None:
    """ExpiresIn counts from our own clock."""
    result = start(UserPasswordAuth("alice", "pw")).answer(DONE).result

    assert isinstance(result, SignedIn)
    assert result.tokens == Tokens(
        "not-a-jwt", "id", "refresh", expires_at=NOW + timedelta(hours=1), username="alice"
    )


@pytest.mark.parametrize("missing", ["AccessToken", "ExpiresIn"])
def test_tokens_that_lack_something_are_told(missing: str) -> None:
    """Never a KeyError."""
    broken = {name: value for name, value in RESULT.items() if name != missing}
    with pytest.raises(UnexpectedResponse, match=missing):
        start(UserPasswordAuth("alice", "pw")).answer({"AuthenticationResult": broken})


def test_tokens_that_would_never_end_are_told() -> None:
    """There is no date so far away."""
    with pytest.raises(UnexpectedResponse, match="ExpiresIn"):
        start(UserPasswordAuth("alice", "pw")).answer(
            {"AuthenticationResult": {**RESULT, "ExpiresIn": 10**14}}
        )


def test_an_answer_that_is_nothing_is_told() -> None:
    """Neither tokens nor a challenge: the KeyError of other libraries."""
    with pytest.raises(UnexpectedResponse, match="neither"):
        start(UserPasswordAuth("alice", "pw")).answer({})


CONTEXT = UserContext("192.0.2.1", "encoded", (("Host", "a"),), "server", "/login")


def test_public_calls_carry_metadata_context_and_analytics() -> None:
    """Each in its own member."""
    public = turn(metadata={"a": "1"}, context=CONTEXT, analytics_endpoint_id="e")

    sent = start(UserPasswordAuth("alice", "pw"), public).sent

    assert sent["ClientMetadata"] == {"a": "1"}
    assert sent["UserContextData"] == {"IpAddress": "192.0.2.1", "EncodedData": "encoded"}
    assert sent["AnalyticsMetadata"] == {"AnalyticsEndpointId": "e"}
    assert "ContextData" not in sent


@pytest.mark.parametrize("encoded", ["encoded", None])
def test_admin_calls_carry_the_whole_context(encoded: str | None) -> None:
    """With the pool, and the request's headers."""
    context = attrs.evolve(CONTEXT, encoded_data=encoded)
    talk = start(UserPasswordAuth("alice", "pw"), turn(admin=True, context=context, metadata={"a": "1"}))

    assert talk.call is not None
    assert talk.call.operation == "AdminInitiateAuth"
    assert talk.sent["UserPoolId"] == APP.pool_id
    data = talk.sent["ContextData"]
    assert data["HttpHeaders"] == [{"headerName": "Host", "headerValue": "a"}]
    assert data.get("EncodedData") == encoded
    assert (data["IpAddress"], data["ServerName"], data["ServerPath"]) == ("192.0.2.1", "server", "/login")


def test_admin_calls_refuse_half_a_context() -> None:
    """botocore's own error would not say where it came from."""
    with pytest.raises(UsageError, match="server_name"):
        start(UserPasswordAuth("alice", "pw"), turn(admin=True, context=UserContext("192.0.2.1")))


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


def test_a_proof_without_a_password_is_told() -> None:
    """The password of an earlier turn is gone."""
    with pytest.raises(UnexpectedResponse, match="start again"):
        start(UserPasswordAuth("alice", "pw")).answer(ask("PASSWORD_VERIFIER", **VERIFIER))


def test_the_session_of_a_sign_up_is_sent() -> None:
    """As a member of its own."""
    sent = start(UserAuth("alice", session=SESSION)).sent
    assert (sent["AuthFlow"], sent["Session"]) == ("USER_AUTH", SESSION)


def test_custom_auth_with_a_password_says_that_srp_comes_first() -> None:
    """The key is CHALLENGE_NAME."""
    parameters = start(CustomAuth("alice", "pw")).sent["AuthParameters"]
    assert parameters["CHALLENGE_NAME"] == "SRP_A"
    assert parameters["SRP_A"]


def test_a_refresh_keeps_the_token_that_it_was_made_with() -> None:
    """The hash is over the real name, and the device is that of the sign-in."""
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


def test_an_access_token_that_only_looks_like_one_is_kept_as_it_is() -> None:
    """An emulator's; a long number in it is more than Python turns into an int."""
    claims = b'{"n":%s}' % (b"1" * 5000)
    token = f"{b64(b'{}')}.{b64(claims)}.x"
    result = (
        start(UserPasswordAuth("alice", "pw"))
        .answer({"AuthenticationResult": {**RESULT, "AccessToken": token}})
        .result
    )
    assert isinstance(result, SignedIn)
    assert (result.tokens.access_token, result.username) == (token, "alice")


def test_a_refresh_without_a_token_is_refused() -> None:
    """There is nothing to refresh with."""
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
def test_credentials_that_cannot_be_right_are_refused(make: Any, kind: type[CognitoFlowError]) -> None:
    """An empty password must not turn into another flow."""
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


def test_setting_an_app_up_is_one_line_of_sessions() -> None:
    """Each call's Session is that of the answer before."""
    setup = setup_totp()
    talk = Conversation(engine.send(turn(), setup.answer("123 456", "phone")))
    assert talk.sent == {"Session": "t" * 20, "UserCode": "123456", "FriendlyDeviceName": "phone"}
    talk.answer({"Status": "SUCCESS", "Session": "u" * 20})
    assert talk.call is not None
    assert talk.call.operation == "RespondToAuthChallenge"
    assert (talk.sent["Session"], talk.sent["ChallengeName"]) == ("u" * 20, "MFA_SETUP")
    assert isinstance(talk.answer(DONE).result, SignedIn)


@pytest.mark.parametrize("data", [{}, {"SecretCode": "x"}, {"Session": "x"}])
def test_a_secret_that_does_not_come_is_told(data: Mapping[str, object]) -> None:
    """Both are needed to go on."""
    challenge = MfaSetup.parse(Pending(name="MFA_SETUP", username="alice", session=SESSION))
    with pytest.raises(UnexpectedResponse, match="AssociateSoftwareToken"):
        Conversation(engine.send(turn(), challenge.answer_totp())).answer(data)


def test_a_code_that_cannot_be_verified_is_wrong() -> None:
    """Status may be ERROR."""
    with pytest.raises(WrongCode):
        Conversation(engine.send(turn(), setup_totp().answer("123456"))).answer({"Status": "ERROR"})


def test_a_verified_code_without_a_session_is_told() -> None:
    """The sign-in cannot go on without it."""
    with pytest.raises(UnexpectedResponse, match="VerifySoftwareToken"):
        Conversation(engine.send(turn(), setup_totp().answer("123456"))).answer({"Status": "SUCCESS"})


def test_an_address_is_set_up_by_an_answer() -> None:
    """The key is EMAIL."""
    pending = Pending(
        name="MFA_SETUP", username="a", session=SESSION, parameters={"MFAS_CAN_SETUP": '["EMAIL_OTP"]'}
    )
    talk = Conversation(engine.send(turn(), MfaSetup.parse(pending).answer_email("a@b.c")))
    assert talk.responses["EMAIL"] == "a@b.c"
    assert isinstance(talk.answer(ask("EMAIL_OTP")).result, EmailOtp)


def test_a_repeat_is_noticed_by_its_parameters() -> None:
    """USERNAME may come and go."""
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
