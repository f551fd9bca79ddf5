"""The table: rows are scenarios, columns are the ways to run them.

A scenario is a generator. It yields `Start` and `Send`, is sent the step that follows, and is thrown the
typed error if one is raised. So it is written once, and runs through both drivers. The tokens of every
sign-in are verified as soon as they arrive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeAlias, TypeVar

import attrs
import pytest

from cognito_flow import (
    Answer,
    AppClient,
    AsyncAuthFlow,
    AuthFlow,
    Challenge,
    CognitoFlowError,
    Credentials,
    Device,
    Event,
    SignedIn,
    Step,
    TokenVerifier,
    UserPasswordAuth,
    UserSrpAuth,
)
from cognito_flow.testing import Clock, LocalCognito, Pool
from tests.support.planted import Planted

C = TypeVar("C")

NOW = datetime(2026, 11, 5, 9, 30, tzinfo=UTC)
PASSWORD = "Correct horse 1"
OTHER_PASSWORD = "Battery staple 2"


@attrs.frozen(kw_only=True)
class Start:
    """Begin a sign-in."""

    credentials: Credentials
    device: Device | None = None
    metadata: Mapping[str, str] | None = None


@attrs.frozen
class Send:
    """Answer a challenge."""

    answer: Answer
    metadata: Mapping[str, str] | None = None


Moves: TypeAlias = Generator[Start | Send, Step, None]


@attrs.frozen
class Column:
    """One way to run a scenario."""

    is_async: bool
    admin: bool
    secret: bool

    def __str__(self) -> str:
        driver, side = "async" if self.is_async else "sync", "admin" if self.admin else "public"
        return f"{driver}-{side}-{'secret' if self.secret else 'no_secret'}"


# Every pair of sync or async, public or admin, with or without a secret. No known defect needed three of them.
COLUMNS = [
    Column(is_async=False, admin=False, secret=False),
    Column(is_async=False, admin=True, secret=True),
    Column(is_async=True, admin=False, secret=True),
    Column(is_async=True, admin=True, secret=False),
]


@attrs.define
class World:
    """What a scenario finds: a pool, an app client, and the events of the flow."""

    cognito: LocalCognito
    pool: Pool
    app: AppClient
    column: Column
    events: list[Event] = attrs.field(factory=list[Event])
    planted: Planted = attrs.field(factory=Planted)

    @property
    def client(self) -> Any:
        """A boto3 client of the service."""
        return self.cognito.client()

    def srp(self, username: str = "alice", password: str = PASSWORD) -> Start:
        """Begin with SRP."""
        return Start(credentials=UserSrpAuth(username, password))

    def password(self, username: str = "alice", password: str = PASSWORD) -> Start:
        """Begin with the password in clear."""
        return Start(credentials=UserPasswordAuth(username, password))

    def kinds(self) -> list[str]:
        """The kinds of the events, without calls and challenges."""
        return [event.kind for event in self.events if event.kind not in ("call", "challenge")]

    def calls(self, operation: str) -> int:
        """How often an operation was called, public or Admin."""
        return sum(call.operation.removeprefix("Admin") == operation for call in self.cognito.calls)


Script: TypeAlias = Callable[[World], Moves]


@attrs.frozen
class Row:
    """A scenario: where the protocol describes it, what it shows, and what it needs."""

    section: str
    name: str
    script: Script
    pool: Mapping[str, Any]
    client: Mapping[str, Any]
    flow: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.section}-{self.name}"


ROWS: list[Row] = []


def row(
    section: str,
    *,
    pool: Mapping[str, Any] | None = None,
    client: Mapping[str, Any] | None = None,
    flow: Mapping[str, Any] | None = None,
) -> Callable[[Script], Script]:
    """Put a scenario into the table.

    Args:
        section: The section of docs/explanation/protocol.md that describes it.
        pool: Members for the pool.
        client: Members for the app client.
        flow: Options for the flow.
    """

    def add(script: Script) -> Script:
        ROWS.append(Row(section, script.__name__, script, pool or {}, client or {}, flow or {}))
        return script

    return add


def expect(kind: type[C], step: Step) -> C:
    """The step, which must be of this kind."""
    assert isinstance(step, kind), f"{type(step).__name__} instead of {kind.__name__}"
    return step


def signed_in(step: Step, username: str = "alice") -> SignedIn:
    """The step, which must be this user's `SignedIn`."""
    done = expect(SignedIn, step)
    assert username == done.username == done.tokens.username
    return done


@cache
def empty_service() -> tuple[LocalCognito, Callable[[], None]]:
    """One service for the whole table, and what empties it: making one anew takes longer than a sign-in.

    Its clock stops: nothing expires while a busy machine runs a scenario.
    """
    cognito = LocalCognito(clock=Clock(lambda: NOW))
    return cognito, cognito.snapshot()


def run(row: Row, column: Column) -> None:
    """Run one cell of the table."""
    cognito, restore = empty_service()
    restore()
    pool = cognito.create_pool(**row.pool)
    app = pool.app_client(secret=column.secret, **row.client)
    world = World(cognito, pool, app, column)
    moves = watched(verified(row.script(world), pool.verifier(app)), world)
    options: dict[str, Any] = {"admin": column.admin, "on_event": world.events.append, **row.flow}
    if column.is_async:
        asyncio.run(_run_async(moves, pool.async_flow(app, **options)))
    else:
        _run_sync(moves, pool.flow(app, **options))
    world.planted.plant(PASSWORD, OTHER_PASSWORD, app.client_secret, *(sent.code for sent in cognito.outbox))
    world.planted.plant(*(user.totp_secret for user in cognito.state(pool.id).users.values()))
    world.planted.shown("an event", *world.events)
    assert world.planted.found() == []


def watched(moves: Moves, world: World) -> Moves:
    """The same moves; what the flow is given, returns and raises is searched for secrets afterwards."""
    planted = world.planted
    move = next(moves, None)
    while move is not None:
        if isinstance(move, Send):
            planted.plant(move.answer.password, *_typed(move.answer))
            planted.shown("an answer", move.answer)
        else:
            planted.shown("credentials", move.credentials)
        try:
            step = yield move
        except CognitoFlowError as error:
            planted.raised(error)
            move = _throw(moves, error)
            continue
        planted.shown("a step", step)
        if isinstance(step, SignedIn):
            tokens = step.tokens
            planted.plant(tokens.access_token, tokens.id_token, tokens.refresh_token)
            planted.plant(step.device.secret if step.device else None)
        else:
            planted.plant(step.pending.session)
        move = _next(moves, step)


def _typed(answer: Answer) -> list[str]:
    """What a user typed into an answer: a code, a password, the answer to a question of the application's."""
    secret = ("_CODE", "PASSWORD", "ANSWER", "CREDENTIAL")
    return [
        value
        for name, value in answer.responses.items()
        if name.endswith(secret)
        and answer.challenge.pending.name not in ("SELECT_CHALLENGE", "SELECT_MFA_TYPE")
    ]


def verified(moves: Moves, verifier: TokenVerifier) -> Moves:
    """The same moves, with the tokens of each sign-in verified at once: the scenario may advance the clock."""
    move = next(moves, None)
    while move is not None:
        try:
            step = yield move
        except CognitoFlowError as error:
            move = _throw(moves, error)
            continue
        if isinstance(step, SignedIn):
            assert verifier.verify_access(step.tokens.access_token).username == step.username
            assert verifier.verify_id(str(step.tokens.id_token)).username == step.username
        move = _next(moves, step)


def _run_sync(moves: Moves, flow: AuthFlow) -> None:
    move = next(moves, None)
    while move is not None:
        try:
            if isinstance(move, Start):
                step = flow.bind(metadata=move.metadata).start(move.credentials, device=move.device)
            else:
                step = flow.bind(metadata=move.metadata).send(move.answer)
        except CognitoFlowError as error:
            move = _throw(moves, error)
        else:
            move = _next(moves, step)


async def _run_async(moves: Moves, flow: AsyncAuthFlow) -> None:
    move = next(moves, None)
    while move is not None:
        try:
            if isinstance(move, Start):
                step = await flow.bind(metadata=move.metadata).start(move.credentials, device=move.device)
            else:
                step = await flow.bind(metadata=move.metadata).send(move.answer)
        except CognitoFlowError as error:
            move = _throw(moves, error)
        else:
            move = _next(moves, step)


def _next(moves: Moves, step: Step) -> Start | Send | None:
    try:
        return moves.send(step)
    except StopIteration:
        return None


def _throw(moves: Moves, error: CognitoFlowError) -> Start | Send | None:
    try:
        return moves.throw(error)
    except StopIteration:
        return None


def cells() -> list[Any]:
    """Every cell of the table, for parametrize. The quick gate has the two columns with a client secret: both
    drivers and both kinds of operations."""
    return [
        pytest.param(row, column, id=f"{row}-{column}", marks=() if column.secret else (pytest.mark.slow,))
        for row in ROWS
        for column in COLUMNS
    ]


def ask_again(challenge: Challenge, code: str) -> Send:
    """Answer a challenge that takes a code."""
    answer: Any = challenge
    return Send(answer.answer(code))
