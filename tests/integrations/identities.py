"""An identity pool on this machine, and AWS STS beside it: they record the calls and who signed them."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from typing import Any, cast

import attrs

from cognito_flow import AppClient, TokenExpired
from cognito_flow.testing import Pool
from tests.support.http_server import Handler, running

POOL_ID = "eu-west-1:11111111-2222-3333-4444-555555555555"
IDENTITY_ID = "eu-west-1:66666666-7777-8888-9999-000000000000"

_CALLER = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:sts::123456789012:assumed-role/people/me</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"""


@attrs.frozen
class Asked:
    """One call, and what its signature names: the access key and the session token."""

    operation: str
    parameters: dict[str, Any]
    access_key: str | None
    session_token: str | None


@attrs.define
class Identities:
    """The service.

    Args:
        pool: Whose ID tokens are good.
        app: For which app client.
        url: Where it is.
        lifetime: How long credentials last.
        refusals: Status, code and text for the next calls, in place of an answer.
        answers: What operations answer, in place of what there is to answer.
        asked: The calls.
    """

    pool: Pool
    app: AppClient
    url: str
    lifetime: timedelta = timedelta(hours=1)
    refusals: list[tuple[int, str, str]] = attrs.field(factory=list)
    answers: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    asked: list[Asked] = attrs.field(factory=list)

    def operations(self) -> list[str]:
        """What was called."""
        return [asked.operation for asked in self.asked]

    def refusal(self, logins: dict[str, str] | None) -> tuple[int, str, str] | None:
        """The reason to refuse a call with these logins. Guests have none."""
        if self.refusals:
            return self.refusals.pop(0)
        if logins is None:
            return None
        (token,) = logins.values()
        verifier = self.pool.verifier(self.app, leeway=0)
        try:
            verifier.verify_id(token)
        except TokenExpired:
            return (
                400,
                "NotAuthorizedException",
                "Invalid login token. Token expired: 1589092400 >= 1589092129",
            )
        return None

    def answer(self, operation: str) -> dict[str, Any]:
        """What GetId and GetCredentialsForIdentity answer; each set of credentials has a number."""
        if operation in self.answers:
            return self.answers[operation]
        if operation == "GetId":
            return {"IdentityId": IDENTITY_ID}
        number = self.operations().count(operation)
        credentials = {
            "AccessKeyId": f"ASIAKEYOFTHEUSER{number:04}",
            "SecretKey": "secret-key-of-the-user",
            "SessionToken": f"session-{number}",
            "Expiration": (datetime.now(UTC) + self.lifetime).timestamp(),
        }
        return {"IdentityId": IDENTITY_ID, "Credentials": credentials}


class _Server(ThreadingHTTPServer):
    identities: Identities


class _Handler(Handler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "X-Amz-Target" in self.headers:
            self._answer_identities(self.headers["X-Amz-Target"].rpartition(".")[2], json.loads(body))
        else:
            self._note("GetCallerIdentity", {})
            self.answer(200, _CALLER.encode(), {"Content-Type": "text/xml"})

    def _answer_identities(self, operation: str, parameters: dict[str, Any]) -> None:
        identities = cast("_Server", self.server).identities
        self._note(operation, parameters)
        status, answer = 200, identities.answer(operation)
        if (refusal := identities.refusal(parameters.get("Logins"))) is not None:
            status, code, text = refusal
            answer = {"__type": code, "message": text}
        self.answer(status, json.dumps(answer).encode(), {"Content-Type": "application/x-amz-json-1.1"})

    def _note(self, operation: str, parameters: dict[str, Any]) -> None:
        signed_by = re.search(r"Credential=(\w+)/", self.headers.get("Authorization", ""))
        asked = Asked(
            operation, parameters, signed_by and signed_by[1], self.headers.get("X-Amz-Security-Token")
        )
        cast("_Server", self.server).identities.asked.append(asked)


@contextmanager
def serve(pool: Pool, app: AppClient) -> Generator[Identities]:
    """Serve it on a port of its own."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.identities = Identities(pool, app, f"http://127.0.0.1:{server.server_port}")
    with running(server):
        yield server.identities
