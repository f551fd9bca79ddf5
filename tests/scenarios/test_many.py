"""Many sign-ins: in a row with random names and passwords, and at once through one flow."""

from __future__ import annotations

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from cognito_flow import SignedIn, UserSrpAuth
from cognito_flow.testing import LocalCognito, Pool

ALPHABET = "abcXYZ019 :;,._-+!@#$%^&*()[]{}'\"\\/äöüßéñ中文日本語한국어🙂🔑"


@pytest.mark.slow
def test_five_hundred_sign_ins_in_a_row_are_never_refused(cognito_pool: Pool) -> None:
    """Random users, passwords and salts: one refusal in some hundreds is what wrong padding looks like."""
    dice, flow = random.Random(20260101), cognito_pool.flow()  # noqa: S311  # reproducible, and no secret
    for number in range(500):
        password = "".join(dice.choices(ALPHABET, k=dice.randint(1, 40)))
        username = f"{number}-{''.join(dice.choices('abcdé中:', k=dice.randint(1, 20)))}"
        cognito_pool.add_user(username, password)

        done = flow.start(UserSrpAuth(username, password))

        assert isinstance(done, SignedIn), (username, password)


def users(pool: Pool) -> list[UserSrpAuth]:
    """Fifty people, each with a password of their own."""
    people = [UserSrpAuth(f"user-{number}", f"password {number}") for number in range(50)]
    for person in people:
        pool.add_user(person.username, person.password)
    return people


def test_fifty_threads_share_one_flow(cognito: LocalCognito) -> None:
    """None is crossed with another."""
    pool = cognito.create_pool()
    flow, people = pool.flow(), users(pool)
    with ThreadPoolExecutor(50) as threads:
        done = list(threads.map(flow.start, people))

    assert [person.username for person in people] == [step.username for step in done]


def test_fifty_tasks_share_one_flow(cognito: LocalCognito) -> None:
    """None is crossed with another."""
    pool = cognito.create_pool()
    flow, people = pool.async_flow(), users(pool)

    async def everybody() -> list[str]:
        steps = await asyncio.gather(*(flow.start(person) for person in people))
        return [step.username for step in steps]

    assert [person.username for person in people] == asyncio.run(everybody())
