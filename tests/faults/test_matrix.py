"""Each operation, spoilt in each way, through each kind of client.

What must hold in every cell: Cognito never processes the same answer twice, what goes wrong is a typed error, `maybe_processed` is
true where Cognito processed the call, and nothing takes longer than the flow's timeout.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from cognito_flow import (
    AppClient,
    AsyncAuthFlow,
    AuthFlow,
    CognitoFlowError,
    SmsMfa,
    UserSrpAuth,
)
from cognito_flow.models import System
from cognito_flow.testing import LocalCognito, Pool
from tests.support.planted import Place, Planted, searches
from tests.support.spoiling_proxy import SPOILT, SpoilingProxy, spoiling

# What ends by itself has more time than a busy machine needs: a turn whose time is over is another outcome.
TIMEOUT, TIMEOUT_OF_A_WAIT = 30.0, 3.0
PASSWORD = "Correct-horse-1"
SMS: Any = {"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}}

# No connection is opened.
UNREACHABLE = ("name not resolved", "refused")
FAULTS = (*UNREACHABLE, *SPOILT)
# Cognito is not reached.
NOT_PROCESSED = frozenset(
    {*UNREACHABLE, "500 before", "throttled", "429 of a proxy", "503 of a proxy", "reset before"}
)
# The client cannot know that it was not processed.
UNCERTAIN = frozenset({"500 before", "503 of a proxy", "reset before"})
# Only the deadline ends these; without one, the proxy would take 20 seconds or more.
ENDED_BY_THE_DEADLINE = frozenset({"silence", "drip", "endless"})
# What a client can do any number of times.
SAFE = frozenset(
    {"GetTokensFromRefreshToken", "RevokeToken", "GetUser", "SetUserMFAPreference", "InitiateAuth"}
)


@attrs.frozen
class World:
    """A served pool behind the proxy, and flows through it."""

    proxy: SpoilingProxy
    cognito: LocalCognito
    pool: Pool
    app: AppClient
    closed_port: int

    def app_for(self, fault: str) -> AppClient:
        """The app client, at an endpoint with which the fault happens."""
        if fault == "name not resolved":
            return attrs.evolve(self.app, endpoint_url="http://cognito.invalid")
        if fault == "refused":
            return attrs.evolve(self.app, endpoint_url=f"http://127.0.0.1:{self.closed_port}")
        return self.app


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    cognito = LocalCognito()
    resolve = socket.getaddrinfo

    def without_network(host: Any, *args: Any, **kwargs: Any) -> Any:
        """What each resolver answers for a name below .invalid (RFC 6761); some take seconds for it."""
        if str(host).endswith("invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *args, **kwargs)

    with (
        cognito.serve() as url,
        spoiling(url) as proxy,
        socket.socket() as unheard,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(socket, "getaddrinfo", without_network)
        unheard.bind(("127.0.0.1", 0))  # and never listens
        pool = cognito.create_pool(
            auto_verified_attributes=["email"], mfa_configuration="OPTIONAL", sms_mfa_configuration=SMS
        )
        app = attrs.evolve(pool.app_client(), endpoint_url=proxy.url)
        yield World(proxy, cognito, pool, app, unheard.getsockname()[1])


# -- clients: each runs a coroutine function that is given a flow, whose methods it awaits --

Conversation = Callable[[Any], Coroutine[Any, Any, object]]


def _options() -> dict[str, Any]:
    return {"system": System(sleep=lambda _seconds: None)}


def _boto3(mode: str) -> Callable[[AppClient], object]:
    @cache
    def make(app: AppClient) -> object:
        retries: Any = {"mode": mode, "max_attempts": 4}
        config = Config(signature_version=UNSIGNED, retries=retries, read_timeout=120)
        return boto3.client("cognito-idp", app.region, endpoint_url=app.endpoint_url, config=config)

    return make


@cache
def _flow(make: Callable[[AppClient], object] | None, app: AppClient) -> AuthFlow:
    return AuthFlow(app, make and make(app), **_options())


def _sync(make: Callable[[AppClient], object] | None) -> Callable[[AppClient, Conversation], object]:
    def run(app: AppClient, conversation: Conversation) -> object:
        return asyncio.run(conversation(Awaitable(_flow(make, app))))

    return run


def _threads(app: AppClient, conversation: Conversation) -> object:
    return asyncio.run(conversation(AsyncAuthFlow(app, **_options())))


def _aiobotocore(app: AppClient, conversation: Conversation) -> object:
    aiobotocore: Any = pytest.importorskip("aiobotocore.session", reason="it holds the newest botocore back")
    session = aiobotocore.get_session()

    async def run() -> object:
        config: Any = Config(signature_version=UNSIGNED, retries={"mode": "standard"}, read_timeout=120)
        async with session.create_client(
            "cognito-idp", region_name=app.region, endpoint_url=app.endpoint_url, config=config
        ) as client:
            return await conversation(AsyncAuthFlow(app, client, **_options()))

    return asyncio.run(run())


class Awaitable:
    """A blocking flow, or what it returned, with awaitable methods."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            return getattr(self._inner, name)(*args, **kwargs)

        if name in ("account", "bind"):
            return lambda *args, **kwargs: Awaitable(getattr(self._inner, name)(*args, **kwargs))
        return call


CLIENTS: dict[str, Callable[[AppClient, Conversation], object]] = {
    "own": _sync(None),
    "legacy": _sync(_boto3("legacy")),
    "standard": _sync(_boto3("standard")),
    "adaptive": _sync(_boto3("adaptive")),
    "threads": _threads,
    "aiobotocore": _aiobotocore,
}


# -- operations: what leads to the call, then the call --


async def _answer(world: World, flow: Any, name: str) -> Callable[[Any], Any]:
    world.pool.add_user(name, PASSWORD, phone_number="+4915112345678")
    client: Any = world.cognito.client()
    client.admin_set_user_mfa_preference(
        UserPoolId=world.pool.id, Username=name, SMSMfaSettings={"Enabled": True, "PreferredMfa": True}
    )
    challenge = await flow.start(UserSrpAuth(name, PASSWORD))
    assert isinstance(challenge, SmsMfa)
    return lambda hurried: hurried.send(challenge.answer(world.pool.last_code(name)))


async def _begin(world: World, flow: Any, name: str) -> Callable[[Any], Any]:
    world.pool.add_user(name, PASSWORD)
    return lambda hurried: hurried.start(UserSrpAuth(name, PASSWORD))


def _signed_in(act: Callable[[Any, Any], Any]) -> Callable[[World, Any, str], Any]:
    async def lead(world: World, flow: Any, name: str) -> Callable[[Any], Any]:
        world.pool.add_user(name, PASSWORD)
        done = await flow.start(UserSrpAuth(name, PASSWORD))
        return lambda hurried: act(hurried, done.tokens)

    return lead


async def _sign_up(world: World, flow: Any, name: str) -> Callable[[Any], Any]:
    return lambda hurried: hurried.sign_up(name, PASSWORD, attributes={"email": f"{name}@example.com"})


async def _confirm(world: World, flow: Any, name: str) -> Callable[[Any], Any]:
    signed_up = await flow.sign_up(name, PASSWORD, attributes={"email": f"{name}@example.com"})
    return lambda hurried: hurried.confirm_sign_up(signed_up, world.pool.last_code(name))


OPERATIONS: dict[str, Callable[[World, Any, str], Coroutine[Any, Any, Callable[[Any], Any]]]] = {
    "RespondToAuthChallenge": _answer,
    "InitiateAuth": _begin,
    "GetTokensFromRefreshToken": _signed_in(lambda flow, tokens: flow.refresh(tokens)),
    "RevokeToken": _signed_in(lambda flow, tokens: flow.revoke(tokens)),
    "SignUp": _sign_up,
    "ConfirmSignUp": _confirm,
    "GetUser": _signed_in(lambda flow, tokens: flow.account(tokens).user()),
    "ChangePassword": _signed_in(
        lambda flow, tokens: flow.account(tokens).change_password(PASSWORD, "Another-horse-1")
    ),
    "GlobalSignOut": _signed_in(lambda flow, tokens: flow.account(tokens).sign_out_everywhere()),
    "DeleteUser": _signed_in(lambda flow, tokens: flow.account(tokens).delete_user()),
}

_names = iter(range(10**6))


@attrs.define
class Cell:
    """What came of one cell."""

    error: Exception | None = None
    seconds: float = 0.0


def run_cell(world: World, operation: str, fault: str, client: str) -> Cell:
    cell = Cell()
    timeout = TIMEOUT_OF_A_WAIT if fault in ENDED_BY_THE_DEADLINE else TIMEOUT

    async def lead(flow: Any) -> Callable[[Any], Any]:
        return await OPERATIONS[operation](world, flow, f"user{next(_names)}")

    act: Any = CLIENTS[client](world.app, lead)

    async def conversation(flow: Any) -> None:
        started = time.monotonic()
        try:
            await act(flow.bind(timeout=timeout))
        except Exception as error:  # noqa: BLE001 - that it is typed is what the test looks at
            cell.error = error
        cell.seconds = time.monotonic() - started

    world.proxy.spoil(operation, fault)
    CLIENTS[client](world.app_for(fault), conversation)
    world.proxy.times = 0
    return cell


def check_cell(world: World, operation: str, fault: str, client: str) -> None:
    cell = run_cell(world, operation, fault, client)
    arrived, processed = world.proxy.arrived[operation], world.proxy.processed[operation]
    _record(operation, fault, client, cell, processed)

    assert cell.seconds < (TIMEOUT_OF_A_WAIT + 12 if fault in ENDED_BY_THE_DEADLINE else TIMEOUT)
    if operation not in SAFE:
        assert processed <= 1
        assert arrived == (fault not in UNREACHABLE) or fault in ("throttled", "429 of a proxy")
    if cell.error is None:
        is_its_form = operation == "DeleteUser" and fault == "empty"  # an operation without output
        assert operation in SAFE or fault in ("throttled", "429 of a proxy") or is_its_form
        return
    assert isinstance(cell.error, CognitoFlowError), repr(cell.error)
    assert cell.error.maybe_processed is (fault in UNCERTAIN or fault not in NOT_PROCESSED)
    planted = Planted(
        {PASSWORD, "Another-horse-1", *(message.code for message in list(world.cognito.outbox)[-3:])}
    )
    planted.raised(cell.error)
    assert planted.found() == []


def _record(operation: str, fault: str, client: str, cell: Cell, processed: int) -> None:
    """Append what came of a cell to the file that `tests.faults.page` makes the table of."""
    if (path := os.environ.get("COGNITO_FLOW_MATRIX")) is None:
        return
    error = cell.error
    outcome = {
        "operation": operation,
        "fault": fault,
        "client": client,
        "outcome": "a result" if error is None else type(error).__name__,
        "is_typed": error is None or isinstance(error, CognitoFlowError),
        "maybe_processed": getattr(error, "maybe_processed", None),
        "processed": processed,
        "is_safe": operation in SAFE,
        "seconds": round(cell.seconds, 2),
    }
    with Path(path).open("a", encoding="utf-8") as results:
        results.write(json.dumps(outcome) + "\n")


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("fault", ["500 after", "throttled", "reset in the answer", "cut", "endless"])
def test_spoilt_answer_is_processed_at_most_once(world: World, fault: str, client: str) -> None:
    check_cell(world, "RespondToAuthChallenge", fault, client)


@searches(Place.ERRORS, Place.FRAMES, Place.PICKLES)
@pytest.mark.slow
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_spoilt_call_is_typed_and_processed_once(
    world: World, operation: str, fault: str, client: str
) -> None:
    check_cell(world, operation, fault, client)
