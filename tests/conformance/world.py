"""What a scenario works with: a pool of its own on a server, and a way to call it that records each exchange.

Rule of this file: every request leaves through `World.call`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeAlias

import attrs
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from tests.conformance.pools import TAGS, name_of
from tests.conformance.proofs import STEP, Proof, app_code
from tests.conformance.recording import Outcome, Recorder, Recording
from tests.conformance.servers import Server
from tests.support.srp_peer import secret_hash

PASSWORD, OTHER_PASSWORD = "Correct-horse-1", "Battery-staple-2"
FLOWS = ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]

# These members of a pool belong to SetUserPoolMfaConfig.
_MFA = {"mfa_configuration", "software_token_mfa_configuration", "web_authn_configuration"}


_BASE32 = re.compile("[A-Z2-7]+=*")


# What AWS answers in place of Cognito. (Source: "Common Error Types" in the API reference.)
_OF_AWS = {
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidSignatureException",
    "NotAuthorized",
    "OptInRequired",
    "UnrecognizedClientException",
}


class CannotContinue(Exception):
    """The server did not answer what the rest of a scenario is about."""


class NotPermitted(Exception):
    """The caller's credentials have expired, or lack a permission: no answer of Cognito, so nothing to record."""


@attrs.define
class World:
    """A scenario's pool, app client and recorder.

    Attributes:
        server: The server.
        scenario: The name of the scenario.
        recorder: What was exchanged.
        answers: The answers to an open question, by the case they are about.
    """

    server: Server
    scenario: str
    recorder: Recorder = attrs.field(factory=Recorder)
    answers: dict[str, str] = attrs.field(factory=dict[str, str])
    pool_id: str = ""
    client_id: str = ""
    client_secret: str | None = attrs.field(default=None, repr=False)
    _used_codes: set[str] = attrs.field(factory=set[str], repr=False)

    # -- calls --

    def call(self, operation: str, **members: Any) -> Outcome:
        """Call an operation and record the exchange. A refusal of Cognito is an outcome, not an exception.

        Raises:
            NotPermitted: AWS refused the call before it came to Cognito.
            CannotContinue: There was no answer.
        """
        self.server.wait(0)  # raises if the run was interrupted
        method = getattr(self.server.client, xform_name(operation))
        try:
            with self.server.one_call_at_a_time:
                answer = method(**members)
        except ClientError as error:
            found: Any = error.response
            status = int(found.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            code, text = found["Error"].get("Code", "Unknown"), found["Error"].get("Message", "")
            if code in _OF_AWS:
                raise NotPermitted(f"{operation}: {code}: {text}") from None
            outcome = Outcome(status, code=str(code), text=str(text))
        except BotoCoreError as error:  # the connection failed, or it is not an answer of Cognito's form
            raise CannotContinue(f"{operation}: {type(error).__name__}") from None
        except NotImplementedError:  # moto, in process
            outcome = Outcome(501, code="NotImplementedError", text="")
        else:
            status = answer.pop("ResponseMetadata")["HTTPStatusCode"]
            outcome = Outcome(status, answer)
        self.recorder.add(operation, members, outcome)
        return outcome

    def need(self, operation: str, **members: Any) -> dict[str, Any]:
        """Call an operation that must succeed, or the scenario ends here."""
        outcome = self.call(operation, **members)
        if not outcome.accepted:
            raise CannotContinue(f"{operation}: {described(outcome)}")
        return dict(outcome.answer)

    def initiate(
        self, flow: str, username: str = "alice", session: str | None = None, **more: str
    ) -> Outcome:
        """InitiateAuth, with USERNAME and, if the app client has a secret, SECRET_HASH."""
        given = {"Session": session} if session else {}
        return self.call(
            "InitiateAuth",
            AuthFlow=flow,
            ClientId=self.client_id,
            AuthParameters=self._signed(username, more),
            **given,
        )

    def respond(
        self, challenge: str, session: str | None, username: str = "alice", **responses: str
    ) -> Outcome:
        """RespondToAuthChallenge, with USERNAME and, if the app client has a secret, SECRET_HASH."""
        given = {"Session": session} if session else {}
        return self.call(
            "RespondToAuthChallenge",
            ClientId=self.client_id,
            ChallengeName=challenge,
            ChallengeResponses=self._signed(username, responses),
            **given,
        )

    def _signed(self, username: str, members: Mapping[str, str]) -> dict[str, str]:
        return {"USERNAME": username, **self.hash_of(username), **members}

    def hash_of(self, username: str) -> dict[str, str]:
        """SECRET_HASH, if the app client has a secret."""
        if self.client_secret is None:
            return {}
        return {"SECRET_HASH": secret_hash(username, self.client_id, self.client_secret)}

    # -- what a scenario begins with --

    def make(self, run: str, pool: Mapping[str, Any], client: Mapping[str, Any]) -> None:
        """Make the pool and its app client."""
        made = self.need(
            "CreateUserPool",
            PoolName=name_of(run, self.scenario),
            UserPoolTags=TAGS,
            **{_pascal(name): value for name, value in pool.items() if name not in _MFA},
        )
        self.pool_id = made["UserPool"]["Id"]
        if mfa := {_pascal(name): value for name, value in pool.items() if name in _MFA}:
            self.need("SetUserPoolMfaConfig", UserPoolId=self.pool_id, **mfa)
        self.client_id, self.client_secret = self.add_client(**client)

    def add_client(self, flows: list[str] = FLOWS, **members: Any) -> tuple[str, str | None]:
        """Make an app client, and return its id and its secret."""
        named = {_pascal(name): value for name, value in members.items()}
        made = self.need(
            "CreateUserPoolClient",
            UserPoolId=self.pool_id,
            ClientName="conformance",
            ExplicitAuthFlows=flows,
            **named,
        )["UserPoolClient"]
        return made["ClientId"], made.get("ClientSecret")

    def add_user(self, username: str = "alice", *, temporary: bool = False, **attributes: str) -> None:
        """Make a user with `PASSWORD`. No message is sent."""
        self.need(
            "AdminCreateUser",
            UserPoolId=self.pool_id,
            Username=username,
            MessageAction="SUPPRESS",
            TemporaryPassword=PASSWORD,
            UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
        )
        if not temporary:
            self.need("AdminSetUserPassword", **self.user(username), Password=PASSWORD, Permanent=True)

    def user(self, username: str = "alice") -> dict[str, str]:
        """The members that name a user in an Admin operation."""
        return {"UserPoolId": self.pool_id, "Username": username}

    # -- steps that several scenarios have in common --

    def begin_srp(self, proof: Proof, flow: str = "USER_SRP_AUTH", **more: str) -> Outcome:
        """The first half of SRP."""
        return self.initiate(flow, SRP_A=proof.srp_a, **more)

    def prove(
        self,
        proof: Proof,
        begun: Outcome,
        password: str = PASSWORD,
        *,
        seconds_off: float = 0,
        more: Mapping[str, str] | None = None,
    ) -> Outcome:
        """The second half of SRP: PASSWORD_VERIFIER.

        Args:
            proof: The proof.
            begun: The outcome of `begin_srp`.
            password: The password to prove.
            seconds_off: How far the clock of the client is ahead.
            more: Further responses.
        """
        challenge = challenge_of(begun, "PASSWORD_VERIFIER")
        name, group = challenge["USER_ID_FOR_SRP"], self.pool_id.partition("_")[2]
        moment = self.server.now() + timedelta(seconds=seconds_off)
        signed = proof.sign(group, name, password, challenge, moment)
        return self.respond("PASSWORD_VERIFIER", begun.answer.get("Session"), **{**signed, **(more or {})})

    def srp(self, password: str = PASSWORD, **more: str) -> Outcome:
        """SRP from beginning to end."""
        proof = Proof()
        return self.prove(proof, self.begin_srp(proof, **more), password, more=more)

    def password(self, password: str = PASSWORD, username: str = "alice", **more: str) -> Outcome:
        """USER_PASSWORD_AUTH."""
        return self.initiate("USER_PASSWORD_AUTH", username, PASSWORD=password, **more)

    def tokens(self, outcome: Outcome) -> dict[str, Any]:
        """The AuthenticationResult, without which the scenario cannot continue."""
        if "AuthenticationResult" not in outcome.answer:
            raise CannotContinue(f"tokens were expected, not {described(outcome)}")
        return dict(outcome.answer["AuthenticationResult"])

    def fresh_code(self, secret_code: str) -> str:
        """The code of an authenticator app, after waiting for one that was not used yet."""
        if not _BASE32.fullmatch(secret_code):
            raise CannotContinue("SecretCode is not base32")
        code = app_code(secret_code, self.server.now())
        if code in self._used_codes:
            self.server.wait(STEP - self.server.now().timestamp() % STEP + 1)
            code = app_code(secret_code, self.server.now())
        self._used_codes.add(code)
        return code

    def enrol(self) -> tuple[str, str]:
        """Register and prefer an authenticator app for alice; return its secret and the code that was used."""
        token = {"AccessToken": self.tokens(self.password())["AccessToken"]}
        secret_code = self.need("AssociateSoftwareToken", **token)["SecretCode"]
        code = self.fresh_code(secret_code)
        self.need("VerifySoftwareToken", **token, UserCode=code)
        self.need(
            "SetUserMFAPreference",
            **token,
            SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True},
        )
        return secret_code, code

    def answer(self, case: str, outcome: Outcome) -> None:
        """Note what the run prints about this case of an open question."""
        self.answers[case] = self.recorder.clean(described(outcome))


def described(outcome: Outcome) -> str:
    """In a few words, what the server did."""
    if not outcome.accepted:
        return f"refused with {outcome.code}: {outcome.text}"
    if outcome.answer.get("ChallengeName"):
        return f"asked for {outcome.answer['ChallengeName']}"
    return "tokens" if "AuthenticationResult" in outcome.answer else "accepted"


def challenge_of(outcome: Outcome, name: str) -> dict[str, str]:
    """ChallengeParameters of this challenge, without which the scenario cannot continue."""
    if outcome.answer.get("ChallengeName") != name:
        raise CannotContinue(f"{name} was expected, not {described(outcome)}")
    return dict(outcome.answer.get("ChallengeParameters") or {})


def _pascal(name: str) -> str:
    return "".join(part.title() for part in name.split("_"))


Script: TypeAlias = Callable[[World], None]


@attrs.frozen
class Scenario:
    """A row of the table: what is done, with which pool, and what question it answers, if one is open.

    Attributes:
        waits: How many seconds it waits, at least, on a server whose clock cannot be advanced.
        sends: Whether the server sends a message, which needs an address.
        needs: An operation that older versions of botocore do not know.
    """

    name: str
    section: str
    script: Script
    pool: Mapping[str, Any]
    client: Mapping[str, Any]
    question: str | None
    waits: int
    sends: bool
    needs: str | None

    def run(self, server: Server, run: str) -> Recording:
        """Run it, up to where the server does not let it continue."""
        world = World(server, self.name)
        stopped: str | None = None
        try:
            world.make(run, self.pool, self.client)
            self.script(world)
        except CannotContinue as reason:
            stopped = world.recorder.clean(str(reason))
        except KeyError as missing:
            stopped = f"the answer has no {missing}"
        return Recording(self.name, self.section, world.recorder.exchanges, world.answers, stopped)


SCENARIOS: list[Scenario] = []


def scenario(
    section: str,
    *,
    pool: Mapping[str, Any] | None = None,
    client: Mapping[str, Any] | None = None,
    question: str | None = None,
    waits: int = 0,
    sends: bool = False,
    needs: str | None = None,
) -> Callable[[Script], Script]:
    """Put a scenario into the table. Its pool and its app client are made beforehand, from members in snake case."""

    def add(script: Script) -> Script:
        SCENARIOS.append(
            Scenario(
                script.__name__, section, script, pool or {}, client or {}, question, waits, sends, needs
            )
        )
        return script

    return add
