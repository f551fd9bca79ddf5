"""A client of LocalCognito that shares no code with the library: plain boto3 calls, and SRP from srp_peer."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs
from botocore.exceptions import ClientError

from cognito_flow.testing import LocalCognito, Pool
from tests.support import srp_peer

PASSWORD = "Correct horse 1"


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    """The error code and text of a call that must be refused."""
    try:
        answer = call()
    except ClientError as error:
        shown: Any = error.response
        return shown["Error"]["Code"], shown["Error"]["Message"]
    raise AssertionError(f"not refused: {answer}")


@attrs.frozen
class Exponent:
    """The client's secret number of an SRP exchange."""

    a: int = int.from_bytes(bytes(range(1, 33)))

    @property
    def srp_a(self) -> str:
        return f"{pow(srp_peer.G, self.a, srp_peer.N):x}"

    def claim(
        self,
        challenge: Any,
        group: str,
        name: str,
        password: str,
        moment: datetime,
        timestamp: str | None = None,
    ) -> dict[str, str]:
        """The responses to PASSWORD_VERIFIER or DEVICE_PASSWORD_VERIFIER, without USERNAME."""
        parameters = challenge["ChallengeParameters"]
        b_public, block = int(parameters["SRP_B"], 16), base64.b64decode(parameters["SECRET_BLOCK"])
        x = srp_peer.private_key(group, name, password, int(parameters["SALT"], 16))
        a_public = pow(srp_peer.G, self.a, srp_peer.N)
        u = srp_peer._hash(srp_peer.pad(a_public) + srp_peer.pad(b_public))
        base = b_public - srp_peer.K * pow(srp_peer.G, x, srp_peer.N)
        shared = pow(base, self.a + u * x, srp_peer.N)
        extracted = hmac.digest(srp_peer.pad(u), srp_peer.pad(shared), "sha256")
        key = hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]
        when = timestamp or srp_peer.timestamp(moment)
        message = (group + name).encode() + block + when.encode()
        return {
            "TIMESTAMP": when,
            "PASSWORD_CLAIM_SECRET_BLOCK": parameters["SECRET_BLOCK"],
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(hmac.digest(key, message, "sha256")).decode(),
        }


@attrs.define
class Wire:
    """A client that uses one app client of a pool."""

    pool: Pool
    client_id: str = ""
    exponent: Exponent = attrs.field(factory=Exponent)
    api: Any = None

    def __attrs_post_init__(self) -> None:
        self.client_id = self.client_id or self.pool.app.client_id
        self.api = self.pool.cognito.client()

    @property
    def cognito(self) -> LocalCognito:
        assert isinstance(self.pool.cognito, LocalCognito)
        return self.pool.cognito

    @property
    def group(self) -> str:
        return self.pool.id.partition("_")[2]

    def start(self, flow: str, **parameters: str) -> Any:
        return self.api.initiate_auth(AuthFlow=flow, ClientId=self.client_id, AuthParameters=parameters)

    def password(self, username: str = "alice", password: str = PASSWORD, **more: str) -> Any:
        return self.start("USER_PASSWORD_AUTH", USERNAME=username, PASSWORD=password, **more)

    def answer(self, step: Any, username: str = "alice", **responses: str) -> Any:
        """Answer the challenge of a step, with its Session."""
        return self.respond(step["ChallengeName"], step.get("Session"), {"USERNAME": username, **responses})

    def respond(self, challenge: str, session: str | None, responses: dict[str, str]) -> Any:
        more = {} if session is None else {"Session": session}
        return self.api.respond_to_auth_challenge(
            ClientId=self.client_id, ChallengeName=challenge, ChallengeResponses=responses, **more
        )

    def start_srp(self, username: str = "alice", **more: str) -> Any:
        return self.start("USER_SRP_AUTH", USERNAME=username, SRP_A=self.exponent.srp_a, **more)

    def claim(self, challenge: Any, password: str = PASSWORD, timestamp: str | None = None) -> dict[str, str]:
        """The proof of a password for an open PASSWORD_VERIFIER."""
        name = challenge["ChallengeParameters"]["USER_ID_FOR_SRP"]
        moment = self.cognito.clock()
        proof = self.exponent.claim(challenge, self.group, name, password, moment, timestamp)
        return {"USERNAME": name, **proof}

    def prove(self, challenge: Any, claim: dict[str, str]) -> Any:
        return self.respond("PASSWORD_VERIFIER", challenge.get("Session"), claim)

    def srp(self, username: str = "alice", password: str = PASSWORD) -> Any:
        challenge = self.start_srp(username)
        return self.prove(challenge, self.claim(challenge, password))
