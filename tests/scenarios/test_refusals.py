"""The second table: what LocalCognito checks, by the items of section 15 of docs/explanation/protocol.md.

Each row is a sign-in with one defect, put into the call on the wire after the client has built it. Without the defect it is accepted;
with it, it is refused in Cognito's words, which arrive as a typed error.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest

from cognito_flow import (
    Answer,
    Challenge,
    CodeAlreadyUsed,
    CodeChallenge,
    CognitoFlowError,
    Credentials,
    FlowExpired,
    IncorrectPassword,
    InputRejected,
    Misconfigured,
    NewPasswordRequired,
    NotAuthorized,
    PasswordRejected,
    RefreshTokenAuth,
    RefreshTokenInvalid,
    SecretHashMismatch,
    SignedIn,
    SoftwareTokenMfa,
    UserAuth,
    UserPasswordAuth,
    UserSrpAuth,
    WebAuthn,
    WrongCode,
)
from cognito_flow.errors import ServiceError
from cognito_flow.flow import AuthFlow
from cognito_flow.models import System
from cognito_flow.testing import LocalCognito, Pool, SoftAuthenticator
from tests.scenarios.choices import PASSKEYS
from tests.scenarios.devices import ALWAYS
from tests.scenarios.second_factors import ON, SMS, TOTP
from tests.scenarios.table import OTHER_PASSWORD, PASSWORD
from tests.support import srp_peer

Spoil = Callable[["Party", dict[str, Any]], object]
SRP, CLEAR = UserSrpAuth("alice", PASSWORD), UserPasswordAuth("alice", PASSWORD)


@attrs.frozen
class Row:
    """A sign-in, and what spoils it.

    Args:
        item: The item of the check list.
        name: What is wrong.
        step: The operation, or the challenge that is answered.
        spoil: Changes the call's parameters.
        error: What arrives at the caller.
        text: What Cognito says, or the beginning of it.
        pool: Settings of the pool.
        user: Settings of the user.
        credentials: What the sign-in begins with.
    """

    item: int
    name: str
    step: str
    spoil: Spoil
    error: type[CognitoFlowError]
    text: str
    pool: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    user: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    credentials: Credentials = SRP


class Party:
    """A pool, and a client whose calls can be spoilt."""

    def __init__(self, cognito: LocalCognito, row: Row) -> None:
        self.cognito, self.row = cognito, row
        self.pool: Pool = cognito.create_pool(**row.pool)
        self.app = self.pool.app_client(secret=True)
        self.pool.add_user("alice", PASSWORD, **row.user)
        self.pool.add_user("bob", PASSWORD, **row.user)
        self.device = SoftAuthenticator()
        self.is_spoilt = False
        client: Any = cognito.client()
        client.meta.events.register("provide-client-params.cognito-idp", self.on_call)
        self.flow = AuthFlow(self.app, client, system=System(now=cognito.clock))
        if "web_authn_configuration" in row.pool:
            self.register_passkey()

    def on_call(self, params: dict[str, Any], model: Any, **_: object) -> dict[str, Any]:
        """Spoil the call that the row names."""
        step = params.get("ChallengeName", model.name)
        if self.is_spoilt and step == self.row.step:
            params = json.loads(json.dumps(params))
            self.row.spoil(self, params)
        return params

    def register_passkey(self) -> None:
        """Let alice register a passkey."""
        done = self.pool.flow().start(SRP)
        assert isinstance(done, SignedIn)
        api: Any = self.cognito.client()
        token = done.tokens.access_token
        options = api.start_web_authn_registration(AccessToken=token)["CredentialCreationOptions"]
        api.complete_web_authn_registration(AccessToken=token, Credential=self.device.create(options))

    def ask(self, challenge: Challenge) -> Answer:
        """Answer rightly."""
        if isinstance(challenge, SoftwareTokenMfa):
            return challenge.answer(self.pool.totp("alice"))
        if isinstance(challenge, CodeChallenge):
            return challenge.answer(self.pool.last_code("alice"))
        if isinstance(challenge, NewPasswordRequired):
            return challenge.answer(OTHER_PASSWORD, dict.fromkeys(challenge.missing_attributes, "x"))
        assert isinstance(challenge, WebAuthn)
        return challenge.answer(self.device.get(challenge.options))

    def sign_in(self) -> SignedIn:
        """Sign in, and refresh if the row is about that."""
        done = self.flow.sign_in(self.row.credentials, ask=self.ask)
        if self.row.step == "REFRESH":
            again = self.flow.start(RefreshTokenAuth(attrs.evolve(done.tokens, **self.spoilt_tokens())))
            assert isinstance(again, SignedIn)
        return done

    def spoilt_tokens(self) -> dict[str, Any]:
        """What a refresh is spoilt with."""
        spoilt: dict[str, Any] = {}
        if self.is_spoilt:
            self.row.spoil(self, spoilt)
        return spoilt


def responses(**changed: str | None) -> Spoil:
    """Change ChallengeResponses or AuthParameters; None takes one out."""

    def spoil(_: Party, params: dict[str, Any]) -> None:
        values = params["ChallengeResponses" if "ChallengeResponses" in params else "AuthParameters"]
        for name, value in changed.items():
            values.pop(name, None)
            if value is not None:
                values[name] = value

    return spoil


def member(name: str, value: str | None) -> Spoil:
    """Change a member of the request."""

    def spoil(_: Party, params: dict[str, Any]) -> None:
        params.pop(name, None)
        if value is not None:
            params[name] = value

    return spoil


def foreign_session(party: Party, params: dict[str, Any]) -> None:
    """The Session of the same challenge, asked through another app client."""
    step = party.pool.flow(party.pool.app_client()).start(party.row.credentials)
    assert not isinstance(step, SignedIn)
    params["Session"] = step.pending.session


def session_of_bob(party: Party, params: dict[str, Any]) -> None:
    """The Session of the same challenge, asked of another user."""
    step = party.pool.flow(party.app).start(UserSrpAuth("bob", PASSWORD))
    assert not isinstance(step, SignedIn)
    params["Session"] = step.pending.session


def expired_session(party: Party, _: dict[str, Any]) -> None:
    """Let the time of the Session pass."""
    party.cognito.clock.advance(181)


def used_session(party: Party, params: dict[str, Any]) -> None:
    """Answer it first from elsewhere, rightly."""
    api: Any = party.cognito.client()
    api.respond_to_auth_challenge(**params)


def proof_of_another(party: Party, params: dict[str, Any]) -> None:
    """The same proof, sent for another user, with the hash that goes with that name."""
    params["ChallengeResponses"] |= {"USERNAME": "bob", "SECRET_HASH": party.app.secret_hash("bob")}


def wrong_app_code(party: Party, params: dict[str, Any]) -> None:
    """Six digits, but not those."""
    right = params["ChallengeResponses"]["SOFTWARE_TOKEN_MFA_CODE"]
    params["ChallengeResponses"]["SOFTWARE_TOKEN_MFA_CODE"] = other_digits(right)


def wrong_sms_code(party: Party, params: dict[str, Any]) -> None:
    """Six digits, but not those."""
    params["ChallengeResponses"]["SMS_MFA_CODE"] = other_digits(party.pool.last_code("alice"))


def other_digits(code: str) -> str:
    """A code of the same form that differs in its last digit."""
    return f"{code[:-1]}{(int(code[-1]) + 1) % 10}"


def altered_block(_: Party, params: dict[str, Any]) -> None:
    """One bit of the SECRET_BLOCK."""
    values = params["ChallengeResponses"]
    block = bytearray(base64.b64decode(values["PASSWORD_CLAIM_SECRET_BLOCK"]))
    block[40] ^= 1
    values["PASSWORD_CLAIM_SECRET_BLOCK"] = base64.b64encode(bytes(block)).decode()


def replayed_code(party: Party, params: dict[str, Any]) -> None:
    """A code that has served before."""
    user = party.pool.user("alice")
    user.totp_used_step = int(party.cognito.clock.timestamp()) // 30 + 1
    assert params


def forged_assertion(_: Party, params: dict[str, Any]) -> None:
    """Another signature in the credential."""
    credential = json.loads(params["ChallengeResponses"]["CREDENTIAL"])
    credential["response"]["signature"] = base64.urlsafe_b64encode(b"x" * 70).decode().rstrip("=")
    params["ChallengeResponses"]["CREDENTIAL"] = json.dumps(credential)


def no_device(_: Party, tokens: dict[str, Any]) -> None:
    """A refresh without the device of the sign-in."""
    tokens["device_key"] = None


def another_token(_: Party, tokens: dict[str, Any]) -> None:
    """A refresh token that was never issued."""
    tokens["refresh_token"] = "eyJjdHki" + "x" * 100


WRONG = "Incorrect username or password."
INVALID, EXPIRED, USED = (
    "Invalid session for the user.",
    "Invalid session for the user, session is expired.",
    "Invalid session for the user, session can only be used once.",
)
NO_HASH, BAD_HASH = "Client ", "Unable to verify secret hash for client "
TIME = "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english."
STRICT, APP = {**ON, **TOTP}, {"totp": True}
PROOF, CODE = "PASSWORD_VERIFIER", "SOFTWARE_TOKEN_MFA"
SIGNATURE = base64.b64encode(b"s" * 32).decode()
SCHEMA = {"schema": [{"Name": "nickname", "Required": True}]}
MAIL = {"email": "alice@example.com"}


ROWS = [
    Row(1, "no user name", "InitiateAuth", responses(USERNAME=None), ServiceError, "Missing required parameter USERNAME"),
    Row(1, "an empty password", "InitiateAuth", responses(PASSWORD=""), ServiceError, "Missing required parameter PASSWORD", credentials=CLEAR),
    Row(1, "no such flow", "InitiateAuth", member("AuthFlow", "NEW_AUTH"), ServiceError, "1 validation error detected"),
    Row(1, "a flow for the other side", "InitiateAuth", member("AuthFlow", "ADMIN_NO_SRP_AUTH"), Misconfigured, "Initiate Auth method not supported."),
    Row(2, "a random signature", PROOF, responses(PASSWORD_CLAIM_SIGNATURE=SIGNATURE), IncorrectPassword, WRONG),
    Row(2, "a signature for another time", PROOF, responses(TIMESTAMP="Sat Jan 1 00:00:00 UTC 2022"), IncorrectPassword, WRONG),
    Row(2, "a time in another language", PROOF, responses(TIMESTAMP="Sam Jan 1 00:00:00 UTC 2022"), ServiceError, TIME),
    Row(2, "an altered secret block", PROOF, altered_block, IncorrectPassword, WRONG),
    Row(2, "a secret block of nothing", PROOF, responses(PASSWORD_CLAIM_SECRET_BLOCK="QUJD"), IncorrectPassword, WRONG),
    Row(2, "no signature", PROOF, responses(PASSWORD_CLAIM_SIGNATURE=None), ServiceError, "Missing required parameter PASSWORD_CLAIM_SIGNATURE"),
    Row(2, "a public number that is zero", "InitiateAuth", responses(SRP_A="0"), ServiceError, "SRP_A"),
    Row(2, "a public number that is N", "InitiateAuth", responses(SRP_A=f"{srp_peer.N:x}"), ServiceError, "SRP_A"),
    Row(2, "a public number that is not hexadecimal", "InitiateAuth", responses(SRP_A="xyz"), ServiceError, "SRP_A"),
    Row(2, "a public number without end", "InitiateAuth", responses(SRP_A="f" * 5000), ServiceError, "SRP_A"),
    Row(2, "another public number than was signed", "InitiateAuth", responses(SRP_A="2"), IncorrectPassword, WRONG),
    Row(2, "the proof of another user", PROOF, proof_of_another, IncorrectPassword, WRONG),
    Row(3, "no hash at the start", "InitiateAuth", responses(SECRET_HASH=None), SecretHashMismatch, NO_HASH),
    Row(3, "a wrong hash at the start", "InitiateAuth", responses(SECRET_HASH="eA=="), SecretHashMismatch, BAD_HASH),
    Row(3, "no hash at the proof", PROOF, responses(SECRET_HASH=None), SecretHashMismatch, NO_HASH),
    Row(3, "a wrong hash at the proof", PROOF, responses(SECRET_HASH="eA=="), SecretHashMismatch, BAD_HASH),
    Row(3, "no hash at the code", CODE, responses(SECRET_HASH=None), SecretHashMismatch, NO_HASH, STRICT, APP),
    Row(3, "a wrong hash at the code", CODE, responses(SECRET_HASH="eA=="), SecretHashMismatch, BAD_HASH, STRICT, APP),
    Row(4, "a session that was made up", CODE, member("Session", "s" * 40), FlowExpired, INVALID, STRICT, APP),
    Row(4, "no session", CODE, member("Session", None), ServiceError, "Missing required parameter Session", STRICT, APP),
    Row(4, "a session of another client", CODE, foreign_session, FlowExpired, INVALID, STRICT, APP),
    Row(4, "a session of another user", CODE, session_of_bob, FlowExpired, INVALID, STRICT, APP),
    Row(4, "a session that expired", CODE, expired_session, FlowExpired, EXPIRED, STRICT, APP),
    Row(4, "a session that was used", CODE, used_session, FlowExpired, USED, STRICT, APP),
    Row(5, "a wrong code of an app", CODE, wrong_app_code, WrongCode, "Invalid code received for user", STRICT, APP),
    Row(5, "a code that was used", CODE, replayed_code, CodeAlreadyUsed, "Your software token has already been used once.", STRICT, APP),
    Row(6, "a wrong code by SMS", "SMS_MFA", wrong_sms_code, WrongCode, "Invalid code or auth state for the user.", {**ON, **SMS}, {"phone_number": "+31612345678"}),
    Row(7, "a weak password", "NEW_PASSWORD_REQUIRED", responses(NEW_PASSWORD="weak"), PasswordRejected, "Password does not conform to policy", {}, {"temporary": True}),
    Row(7, "an attribute that is missing", "NEW_PASSWORD_REQUIRED", responses(**{"userAttributes.nickname": None}), InputRejected, "Invalid attributes given, nickname is missing", SCHEMA, {"temporary": True}),
    Row(7, "an attribute that is there", "NEW_PASSWORD_REQUIRED", responses(**{"userAttributes.email": "x@y.z"}), NotAuthorized, "Cannot modify an already provided email", {}, {**MAIL, "temporary": True}),
    Row(8, "a refresh without the device", "REFRESH", no_device, RefreshTokenInvalid, "Invalid Refresh Token.", ALWAYS),
    Row(9, "a forged assertion", "WEB_AUTHN", forged_assertion, NotAuthorized, "The passkey could not be verified.", PASSKEYS, credentials=UserAuth("alice", None, "WEB_AUTHN")),
    Row(10, "a refresh token that was made up", "REFRESH", another_token, RefreshTokenInvalid, "Invalid Refresh Token."),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.item}-{row.name}".replace(" ", "_"))
def test_sign_in_without_the_defect_is_accepted(cognito: LocalCognito, row: Row) -> None:
    assert Party(cognito, row).sign_in().username == "alice"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.item}-{row.name}".replace(" ", "_"))
def test_sign_in_with_the_defect_raises_the_typed_error_with_cognitos_message(
    cognito: LocalCognito, row: Row
) -> None:
    party = Party(cognito, row)
    party.is_spoilt = True

    with pytest.raises(CognitoFlowError) as refused:
        party.sign_in()

    assert type(refused.value) is row.error or (
        row.error is NotAuthorized and isinstance(refused.value, NotAuthorized)
    )
    assert refused.value.args[0].startswith(row.text)
    assert refused.value.code is not None
