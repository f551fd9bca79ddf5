"""Answers that a server of another kind sends over HTTP, as each kind of client takes them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from cognito_flow import (
    AppClient,
    AsyncAuthFlow,
    AuthFlow,
    InputRejected,
    Tokens,
    UnexpectedResponse,
)
from tests.support.aiobotocore_client import aiobotocore_client
from tests.support.http_server import Handler, running
from tests.support.planted import Place, Planted, searches

SENTINEL = "S3cret-sentinel-9"
TOKENS = Tokens("a.b.c", refresh_token="r" * 20, expires_at=datetime(2040, 1, 1, tzinfo=UTC), username="a")
CLIENTS = pytest.mark.parametrize("client", ["own", "boto3", "aiobotocore"])

Answer = Callable[[Handler, dict[str, Any]], None]


@contextmanager
def answering(answer: Answer) -> Generator[AppClient]:
    """An app client at an endpoint that gives this answer to each call."""

    class Answering(Handler):
        def do_POST(self) -> None:
            answer(self, json.loads(self.rfile.read(int(self.headers["content-length"]))))

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Answering)) as url:
        yield AppClient("eu-west-1_abc", "client", endpoint_url=url)


def call(client: str, app: AppClient, act: Callable[[Any], Any]) -> Any:
    """Call a method of a flow that has a client of this kind."""
    if client == "own":
        return act(AuthFlow(app))
    if client == "boto3":
        config = Config(signature_version=UNSIGNED)
        given = boto3.client("cognito-idp", app.region, endpoint_url=app.endpoint_url, config=config)
        return act(AuthFlow(app, given))
    pytest.importorskip("aiobotocore")

    async def run() -> Any:
        async with aiobotocore_client(app.endpoint_url) as given:
            return await act(AsyncAuthFlow(app, given))

    return asyncio.run(run())


WITHOUT_A_RESULT: dict[str, Callable[[Any], Any]] = {
    "revoke": lambda flow: flow.revoke(TOKENS),
    "change_password": lambda flow: flow.account(TOKENS).change_password("Old-passw0rd", "New-passw0rd"),
    "delete_user": lambda flow: flow.account(TOKENS).delete_user(),
    "confirm_sign_up": lambda flow: flow.confirm_sign_up("alice", "123456"),
}


@CLIENTS
@pytest.mark.parametrize("kind", ["text/html", "application/json"])
@pytest.mark.parametrize("method", WITHOUT_A_RESULT)
def test_page_of_a_guest_network_is_not_taken_for_success(client: str, kind: str, method: str) -> None:
    def answer(handler: Handler, _: object) -> None:
        handler.answer(200, b'{"status": "error", "reason": "log in first"}', {"Content-Type": kind})

    with answering(answer) as app, pytest.raises(UnexpectedResponse, match="does not have the form") as error:
        call(client, app, WITHOUT_A_RESULT[method])

    assert error.value.maybe_processed


@CLIENTS
def test_success_of_an_emulator_without_request_ids_is_taken(client: str) -> None:
    """As cognito-local writes it."""

    def answer(handler: Handler, _: object) -> None:
        body = b'{"UserConfirmed": false, "UserSub": "sub"}'
        handler.answer(200, body, {"Content-Type": "application/json; charset=utf-8"})

    with answering(answer) as app:
        assert call(client, app, lambda flow: flow.sign_up("alice", "New-passw0rd")).user_sub == "sub"


@CLIENTS
@searches(Place.ERRORS, Place.FRAMES, Place.PICKLES)
def test_refusal_that_repeats_a_password_in_its_headers_is_not_kept(client: str) -> None:
    def answer(handler: Handler, parameters: dict[str, Any]) -> None:
        text = f"1 validation error detected: Value '{parameters['Password']}' at 'password' failed"
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "Date": "Sun, 22 Nov 2026 12:30:32 GMT",
            "x-amzn-requestid": "id",
            "x-amzn-errortype": "InvalidParameterException:",
            "x-amzn-errormessage": text,
        }
        body = {"__type": "InvalidParameterException", "message": text}
        handler.answer(400, json.dumps(body).encode(), headers)

    with answering(answer) as app, pytest.raises(InputRejected) as refused:
        call(client, app, lambda flow: flow.sign_up("alice", SENTINEL))

    planted = Planted({SENTINEL})
    planted.raised(refused.value)
    assert planted.found() == []
    cause: Any = refused.value.__cause__
    assert cause.response["ResponseMetadata"] == {
        "RequestId": "id",
        "HTTPStatusCode": 400,
        "HTTPHeaders": {"date": "Sun, 22 Nov 2026 12:30:32 GMT"},
    }
