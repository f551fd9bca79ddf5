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
    MfaType,
    SignedIn,
    SmsMfa,
    UserSrpAuth,
)
from cognito_flow.models import System
from cognito_flow.testing import LocalCognito, Pool, SoftAuthenticator, totp_code
from tests.support.aiobotocore_client import aiobotocore_client
from tests.support.planted import Place, Planted, searches
from tests.support.spoiling_proxy import SPOILT, SpoilingProxy, spoiling
from tests.transport.test_offered_operations import called_operations

# What ends by itself has more time than a busy machine needs: a turn whose time is over is another outcome.
TIMEOUT, TIMEOUT_OF_A_WAIT = 30.0, 3.0
PASSWORD = "Correct-horse-1"
SMS: Any = {"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}}

WITH_DEVICES: Any = {
    "device_configuration": {"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": False},
    "policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}},
    "web_authn_configuration": {"RelyingPartyId": "app.example"},
}

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
# Those of the operations that only one client calls. What ends without a response ends alike for all of them.
ENDING_AFTER_A_RESPONSE = (
    "500 before",
    "500 after",
    "throttled",
    "lost",
    "reset before",
    "reset in the answer",
    "truncated",
    "cut",
    "empty",
    "not JSON",
    "wrong type",
)
# What a client can do any number of times.
SAFE = frozenset(
    {
        "GetDevice",
        "GetTokensFromRefreshToken",
        "GetUser",
        "GetUserAuthFactors",
        "InitiateAuth",
        "ListDevices",
        "ListWebAuthnCredentials",
        "RevokeToken",
        "SetUserMFAPreference",
        "StartWebAuthnRegistration",
        "UpdateDeviceStatus",
    }
)
WITHOUT_OUTPUT = frozenset({"DeleteUser", "ForgetDevice"})


@attrs.frozen
class World:
    """A served pool behind the proxy, and flows through it."""

    proxy: SpoilingProxy
    cognito: LocalCognito
    pool: Pool
    app: AppClient
    closed_port: int

    @classmethod
    def of(cls, cognito: LocalCognito, proxy: SpoilingProxy, closed_port: int, **members: Any) -> World:
        """A world with a new pool."""
        pool = cognito.create_pool(
            auto_verified_attributes=["email"],
            mfa_configuration="OPTIONAL",
            sms_mfa_configuration=SMS,
            software_token_mfa_configuration={"Enabled": True},
            **members,
        )
        app = attrs.evolve(pool.app_client(), endpoint_url=proxy.url)
        return cls(proxy, cognito, pool, app, closed_port)

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
        yield World.of(cognito, proxy, unheard.getsockname()[1])


@pytest.fixture(scope="module")
def world_with_devices(world: World) -> World:
    """Another pool behind the same proxy, which remembers devices and knows passkeys."""
    return World.of(world.cognito, world.proxy, world.closed_port, **WITH_DEVICES)


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
    pytest.importorskip("aiobotocore", reason="it holds the newest botocore back")

    async def run() -> object:
        config = Config(signature_version=UNSIGNED, retries={"mode": "standard"}, read_timeout=120)
        async with aiobotocore_client(app.endpoint_url, config) as client:
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


def _prepared(
    prepare: Callable[[World, Any, str], Coroutine[Any, Any, Any]], act: Callable[[Any, Any], Any]
) -> Callable[[World, Any, str], Any]:
    """A call of a signed-in user that needs what `prepare` returns: it is given the account and the name."""

    async def lead(world: World, flow: Any, name: str) -> Callable[[Any], Any]:
        world.pool.add_user(name, PASSWORD, email=f"{name}@example.com", phone_number="+4915112345678")
        tokens = (await flow.start(UserSrpAuth(name, PASSWORD))).tokens
        prepared = await prepare(world, flow.account(tokens), name)
        return lambda hurried: act(hurried.account(tokens), prepared)

    return lead


async def _nothing(world: World, account: Any, name: str) -> None: ...


async def _attribute_code(world: World, account: Any, name: str) -> object:
    await account.send_attribute_code("email")
    return world.pool.last_code(name)


async def _totp(world: World, account: Any, name: str) -> str:
    secret = await account.enrol_totp()
    return totp_code(secret.secret_code, world.cognito.clock())


async def _attestation(world: World, account: Any, name: str) -> object:
    return SoftAuthenticator().create((await account.start_passkey()).options)


async def _passkey(world: World, account: Any, name: str) -> str:
    await account.finish_passkey(await _attestation(world, account, name))
    (passkey,) = await account.passkeys()
    return str(passkey.credential_id)


async def _forgot(world: World, flow: Any, name: str) -> Callable[[Any], Any]:
    world.pool.add_user(name, PASSWORD, email=f"{name}@example.com")
    return lambda hurried: hurried.forgot_password(name)


async def _forgotten(world: World, flow: Any, name: str) -> Callable[[Any], Any]:
    await (await _forgot(world, flow, name))(flow)
    code = world.pool.last_code(name)
    return lambda hurried: hurried.confirm_forgot_password(name, code, "Another-horse-1")


async def _resend(world: World, flow: Any, name: str) -> Callable[[Any], Any]:
    signed_up = await flow.sign_up(name, PASSWORD, attributes={"email": f"{name}@example.com"})
    return lambda hurried: hurried.resend_code(signed_up)


OTHER_OPERATIONS: dict[str, Callable[[World, Any, str], Coroutine[Any, Any, Callable[[Any], Any]]]] = {
    "AssociateSoftwareToken": _prepared(_nothing, lambda account, _: account.enrol_totp()),
    "CompleteWebAuthnRegistration": _prepared(
        _attestation, lambda account, made: account.finish_passkey(made)
    ),
    "ConfirmForgotPassword": _forgotten,
    "DeleteUserAttributes": _prepared(_nothing, lambda account, _: account.delete_attributes(["email"])),
    "DeleteWebAuthnCredential": _prepared(_passkey, lambda account, made: account.delete_passkey(made)),
    "ForgetDevice": _prepared(_nothing, lambda account, _: account.forget_device()),
    "ForgotPassword": _forgot,
    "GetDevice": _prepared(_nothing, lambda account, _: account.device()),
    "GetUserAttributeVerificationCode": _prepared(
        _nothing, lambda account, _: account.send_attribute_code("email")
    ),
    "GetUserAuthFactors": _prepared(_nothing, lambda account, _: account.auth_factors()),
    "ListDevices": _prepared(_nothing, lambda account, _: account.devices()),
    "ListWebAuthnCredentials": _prepared(_nothing, lambda account, _: account.passkeys()),
    "ResendConfirmationCode": _resend,
    "SetUserMFAPreference": _prepared(_nothing, lambda account, _: account.set_mfa(MfaType.SMS_MFA)),
    "StartWebAuthnRegistration": _prepared(_nothing, lambda account, _: account.start_passkey()),
    "UpdateDeviceStatus": _prepared(_nothing, lambda account, _: account.remember_device()),
    "UpdateUserAttributes": _prepared(
        _nothing, lambda account, _: account.update_attributes({"name": "Alice"})
    ),
    "VerifySoftwareToken": _prepared(_totp, lambda account, code: account.confirm_totp(code)),
    "VerifyUserAttribute": _prepared(
        _attribute_code, lambda account, code: account.verify_attribute("email", code)
    ),
}


ALL_OPERATIONS = {**OPERATIONS, **OTHER_OPERATIONS}


@attrs.define
class Cell:
    """What came of one cell."""

    error: Exception | None = None
    seconds: float = 0.0


def run_cell(world: World, operation: str, fault: str, client: str) -> Cell:
    cell = Cell()
    timeout = TIMEOUT_OF_A_WAIT if fault in ENDED_BY_THE_DEADLINE else TIMEOUT

    async def lead(flow: Any) -> Callable[[Any], Any]:
        return await ALL_OPERATIONS[operation](world, flow, f"user{next(_names)}")

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
        is_its_form = operation in WITHOUT_OUTPUT and fault == "empty"
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


NOT_HERE = {
    "ConfirmDevice": "a failure costs no sign-in: the next test",
    **dict.fromkeys(("DescribeUserPool", "DescribeUserPoolClient", "GetUserPoolMfaConfig"), "of the doctor"),
    "GetClientToken": "tests/tokens/test_client_credentials.py",
    "GetDerivedToken": "tests/tokens/test_token_exchange.py",
    **dict.fromkeys(("ListUserSessions", "RevokeUserSession"), "unknown to older versions of botocore"),
    "ListUsers": "signed, as all Admin operations: tests/admin",
}


@pytest.mark.contract
def test_each_operation_that_is_called_is_in_the_matrix_or_left_out_for_a_reason() -> None:
    called = {name for name in called_operations() if not name.startswith("Admin")}

    assert called - set(ALL_OPERATIONS) <= set(NOT_HERE)
    assert set(ALL_OPERATIONS).isdisjoint(NOT_HERE)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [*ENDING_AFTER_A_RESPONSE])
@pytest.mark.parametrize("operation", OTHER_OPERATIONS)
def test_spoilt_call_of_another_operation_is_typed_and_processed_once(
    world_with_devices: World, operation: str, fault: str
) -> None:
    check_cell(world_with_devices, operation, fault, "own")


@pytest.mark.slow
@pytest.mark.parametrize("fault", [*ENDING_AFTER_A_RESPONSE])
def test_device_whose_confirmation_is_spoilt_is_not_taken_for_confirmed(
    world_with_devices: World, fault: str
) -> None:
    """The sign-in itself is complete."""
    proxy, name = world_with_devices.proxy, f"user{next(_names)}"
    world_with_devices.pool.add_user(name, PASSWORD)
    proxy.spoil("ConfirmDevice", fault)
    signed_in = AuthFlow(world_with_devices.app, **_options()).start(UserSrpAuth(name, PASSWORD))

    assert isinstance(signed_in, SignedIn)
    assert (signed_in.device is not None) == (fault == "throttled")
    assert proxy.arrived["ConfirmDevice"] == 1 + (fault == "throttled")
