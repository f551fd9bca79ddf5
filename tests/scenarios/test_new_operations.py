"""Every documented error of the newer operations has a case that ends with it, or a reason why it has none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from cognito_flow import CognitoFlowError
from tests.account.world import World
from tests.scenarios.new_operations import ADMIN_CASES, CASES, REASONS, Case, Scene, documented, knows
from tests.support.aiobotocore_client import aiobotocore_client

ALL = [*CASES, *ADMIN_CASES]
OPERATIONS = sorted({each.operation for each in ALL})
COVERED = {(each.operation, each.error) for each in ALL}


def known(cases: Sequence[Case]) -> list[Any]:
    """The cases, without those that this botocore is too old for."""
    return [pytest.param(each, id=each.id) for each in cases if each.is_known]


@cache
def shared_world(is_async: bool) -> tuple[World, Callable[[], None]]:
    """A service for all cases, because a boto3 client takes longer to create than a case to run."""
    world = World(is_async)
    return world, world.cognito.snapshot()


@pytest.fixture(scope="module")
def world_of_aiobotocore() -> Iterator[World]:
    """A service over HTTP, which a client of aiobotocore calls."""
    pytest.importorskip("aiobotocore")
    world = World(is_async=True)
    with world.cognito.serve() as url, asyncio.Runner() as loop:
        made = aiobotocore_client(url)
        world.client, world.run = loop.run(made.__aenter__()), loop.run
        yield world
        loop.run(made.__aexit__(None, None, None))


@pytest.fixture(autouse=True)
def _empty_service() -> Iterator[None]:
    yield
    for is_async in (False, True):
        shared_world(is_async)[1]()


def play(case: Case, is_async: bool, secret: bool) -> None:
    """Run a case, which must end as it says."""
    play_in(shared_world(is_async)[0], case, secret)


def play_in(world: World, case: Case, secret: bool) -> None:
    """Run a case with this driver."""
    scene = Scene(world, secret, world.cognito.create_pool(**case.pool))
    if case.error is None:
        case.script(scene)
        return
    with pytest.raises((CognitoFlowError, ClientError)) as refused:
        case.script(scene)
    assert code_of(refused.value) == case.error
    assert world.cognito.calls[-1].operation == case.operation


def code_of(error: BaseException) -> str | None:
    """Cognito's error code in an error of the library or of boto3."""
    if isinstance(error, ClientError):
        refusal: Any = error.response
        return str(refusal["Error"]["Code"])
    return cast("CognitoFlowError", error).code


@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
@pytest.mark.parametrize("case", known(CASES))
def test_new_operation_ends_as_documented(case: Case, is_async: bool) -> None:
    play(case, is_async, secret=False)


@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
@pytest.mark.parametrize("case", known([each for each in CASES if each.takes_secret]))
def test_new_operation_with_a_client_secret_ends_as_documented(case: Case, is_async: bool) -> None:
    play(case, is_async, secret=True)


@pytest.mark.slow
@pytest.mark.parametrize("case", known(CASES))
def test_new_operation_ends_as_documented_with_aiobotocore(case: Case, world_of_aiobotocore: World) -> None:
    for secret in {False, case.takes_secret}:
        play_in(world_of_aiobotocore, case, secret)


@pytest.mark.parametrize("case", known(ADMIN_CASES))
def test_new_operation_for_administrators_ends_as_documented(case: Case) -> None:
    play(case, is_async=False, secret=False)


def reason_for(operation: str, error: str) -> str | None:
    """Why an error has no case."""
    return REASONS.get((operation, error)) or REASONS.get(("*", error))


@pytest.mark.contract
@pytest.mark.parametrize("operation", OPERATIONS)
def test_documented_error_has_a_case_or_a_reason(operation: str) -> None:
    """If botocore documents another one, write a case, or why there is none."""
    without = {error for error in documented(operation) if (operation, error) not in COVERED}

    assert {error for error in without if reason_for(operation, error) is None} == set()


@pytest.mark.contract
def test_no_case_is_of_an_undocumented_error() -> None:
    wrong = {
        (operation, error)
        for operation, error in COVERED
        if knows(operation) and error is not None and error not in documented(operation)
    }

    # Older versions of botocore do not mention it.
    assert wrong <= {("InitiateAuth", "FeatureUnavailableInTierException")}


def test_every_new_operation_has_a_case_that_succeeds() -> None:
    assert {operation for operation in OPERATIONS if (operation, None) not in COVERED} == set()


def test_no_reason_is_given_for_an_error_that_has_a_case() -> None:
    assert {key for key in REASONS if key in COVERED} == set()
