"""Tracebacks keep their lines and lose the values of local variables."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cognito_flow import (
    AppClient,
    AuthFlow,
    CodeExpired,
    CognitoFlowError,
    CustomAuth,
    CustomChallenge,
    IncorrectPassword,
    NewPasswordRequired,
    Password,
    SmsMfa,
    Tokens,
    TotpSetup,
    UnexpectedResponse,
    UserAuth,
    UserPasswordAuth,
    UserSrpAuth,
    WebAuthn,
)
from cognito_flow._tracebacks import without_locals
from cognito_flow.handlers import Pending
from cognito_flow.testing import LocalCognito, Pool
from tests.support.planted import Place, searches

SECRET = "Sentinel-7f3a"
BAD = f"{SECRET}\ud800"  # every check of typed text refuses what cannot be encoded
APP = AppClient("eu-west-1_abc", "client")


def links(error: BaseException | None) -> Iterator[BaseException]:
    """The error and all errors behind it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def frames_with_the_secret(error: BaseException) -> list[str]:
    """The functions whose locals show the secret, but for those of this file."""
    frames = [frame for link in links(error) for frame, _ in traceback.walk_tb(link.__traceback__)]
    assert frames
    return [
        frame.f_code.co_name
        for frame in frames
        if frame.f_code.co_filename != __file__ and SECRET in repr(frame.f_locals)
    ]


def challenge(handler: type[Any], **parameters: str) -> Any:
    """A challenge of this class."""
    return handler.parse(Pending(name="X", username="alice", parameters=parameters))


def totp_setup() -> TotpSetup:
    return TotpSetup(pending=Pending(name="MFA_SETUP", username="alice"), secret_code="A" * 16)


BEFORE_A_TURN: dict[str, Callable[[], object]] = {
    "UserSrpAuth": lambda: UserSrpAuth("alice", BAD),
    "UserPasswordAuth": lambda: UserPasswordAuth("alice", BAD),
    "CustomAuth": lambda: CustomAuth("alice", BAD),
    "UserAuth": lambda: UserAuth("alice", SECRET, "EMAIL_OTP"),
    "one argument too many": lambda: UserSrpAuth("alice", SECRET, "x"),  # type: ignore[call-arg]  # a mistake
    "AppClient": lambda: AppClient("no pool", "client", SECRET),
    "Tokens.from_dict": lambda: Tokens.from_dict({"access_token": SECRET, "expires_at": 1}),
    "seal_keys": lambda: AuthFlow(APP, seal_keys=[SECRET]),
    "code": lambda: challenge(SmsMfa).answer(BAD),
    "password": lambda: challenge(Password).answer(BAD),
    "new password": lambda: challenge(NewPasswordRequired).answer(BAD),
    "passkey": lambda: challenge(WebAuthn, CREDENTIAL_REQUEST_OPTIONS="{}").answer(SECRET),
    "custom answer": lambda: challenge(CustomChallenge).answer(BAD),
    "first code of an app": lambda: totp_setup().answer(BAD),
}


@searches(Place.FRAMES)
@pytest.mark.parametrize("attempt", BEFORE_A_TURN.values(), ids=BEFORE_A_TURN)
def test_error_before_a_turn_leaves_no_secret_in_a_frame(attempt: Callable[[], object]) -> None:
    with pytest.raises((CognitoFlowError, TypeError)) as refused:
        attempt()

    assert frames_with_the_secret(refused.value) == []


@searches(Place.FRAMES)
def test_error_of_a_verifier_leaves_no_token_in_a_frame(cognito_pool: Pool) -> None:
    with pytest.raises(CognitoFlowError) as refused:
        cognito_pool.verifier().verify_access(SECRET)

    assert frames_with_the_secret(refused.value) == []


def test_error_of_a_turn_leaves_no_secret_in_a_frame_of_ours_or_botocore(cognito_pool: Pool) -> None:
    cognito_pool.add_user("alice", "correct horse")
    app = cognito_pool.app_client(flows=["ALLOW_USER_PASSWORD_AUTH"])
    with pytest.raises(IncorrectPassword) as refused:
        cognito_pool.flow(app).start(UserPasswordAuth("alice", SECRET))

    assert frames_with_the_secret(refused.value) == []


@pytest.mark.parametrize(
    "sign_in",
    [
        lambda pool, options: pool.flow(**options).start(CustomAuth("alice")),
        lambda pool, options: asyncio.run(pool.async_flow(**options).start(CustomAuth("alice"))),
    ],
    ids=["sync", "async"],
)
def test_traceback_of_a_turn_shows_the_lines_it_came_through(
    cognito: LocalCognito, sign_in: Callable[[Pool, Any], object]
) -> None:
    class Failing(CustomChallenge):
        def auto(self) -> Any:
            raise CodeExpired("no line is lost")

    define = {"challengeName": "CUSTOM_CHALLENGE", "issueTokens": False, "failAuthentication": False}
    pool = cognito.create_pool()
    pool.triggers["DefineAuthChallenge"] = lambda event: {**event, "response": define}
    pool.triggers["CreateAuthChallenge"] = lambda event: event
    pool.add_user("alice", "correct horse")
    options: Any = {"handlers": [Failing]}
    with pytest.raises(CodeExpired) as raised:
        sign_in(pool, options)

    shown = "".join(traceback.format_exception(raised.value))
    assert "_engine.py" in shown
    assert 'raise CodeExpired("no line is lost")' in shown


def test_error_that_the_caller_is_handling_keeps_its_locals() -> None:
    def fail() -> None:
        kept = "a value of the caller"
        raise KeyError(kept)

    try:
        fail()
    except KeyError as own:
        with pytest.raises(CognitoFlowError):
            UserSrpAuth("alice", "")
        frames = [frame for frame, _ in traceback.walk_tb(own.__traceback__)]
        assert frames[-1].f_locals == {"kept": "a value of the caller"}


def test_document_that_a_parser_refused_is_not_kept_behind_the_error() -> None:
    @without_locals
    def parse() -> None:
        try:
            json.loads(SECRET)
        except ValueError:
            raise UnexpectedResponse("not JSON") from None

    with pytest.raises(UnexpectedResponse) as refused:
        parse()

    assert refused.value.__context__ is None


def test_task_that_handles_the_same_error_is_not_ended() -> None:
    """Two tasks wait for one future; one of them awaits in its handler while the error leaves the other."""

    async def run() -> list[str]:
        loop, done = asyncio.get_running_loop(), list[str]()
        shared, go = loop.create_future(), asyncio.Event()

        async def handle() -> None:
            try:
                await shared
            except CognitoFlowError:
                await go.wait()
                done.append("handled")

        @without_locals
        async def leave() -> None:
            await shared

        task = asyncio.create_task(handle())
        await asyncio.sleep(0)
        shared.set_exception(CodeExpired("x"))
        await asyncio.sleep(0)
        with pytest.raises(CodeExpired):
            await leave()
        go.set()
        await task
        return done

    assert asyncio.run(run()) == ["handled"]
