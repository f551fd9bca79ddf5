"""Many sign-ins: one after another with random names and passwords, and concurrently through one flow."""

from __future__ import annotations

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from cognito_flow import SignedIn, UserSrpAuth
from cognito_flow.testing import LocalCognito, Pool

ALPHABET = "abcXYZ019 :;,._-+!@#$%^&*()[]{}'\"\\/äöüßéñ中文日本語한국어🙂🔑"


@pytest.mark.slow
def test_five_hundred_random_sign_ins_are_accepted(cognito_pool: Pool) -> None:
    """Wrong padding of a number in SRP shows as one refusal in some hundreds."""
    chance, flow = random.Random(20260101), cognito_pool.flow()  # noqa: S311  # reproducible, and not a secret
    for number in range(500):
        password = "".join(chance.choices(ALPHABET, k=chance.randint(1, 40)))
        username = f"{number}-{''.join(chance.choices('abcdé中:', k=chance.randint(1, 20)))}"
        cognito_pool.add_user(username, password)

        done = flow.start(UserSrpAuth(username, password))

        assert isinstance(done, SignedIn), (username, password)


def users(pool: Pool) -> list[UserSrpAuth]:
    """Fifty users, each with a different password."""
    everyone = [UserSrpAuth(f"user-{number}", f"password {number}") for number in range(50)]
    for each in everyone:
        pool.add_user(each.username, each.password)
    return everyone


def test_fifty_threads_sharing_a_flow_get_their_own_tokens(cognito: LocalCognito) -> None:
    pool = cognito.create_pool()
    flow, everyone = pool.flow(), users(pool)
    with ThreadPoolExecutor(50) as threads:
        done = list(threads.map(flow.start, everyone))

    assert [each.username for each in everyone] == [step.username for step in done]


def test_fifty_tasks_sharing_a_flow_get_their_own_tokens(cognito: LocalCognito) -> None:
    pool = cognito.create_pool()
    flow, everyone = pool.async_flow(), users(pool)

    async def everybody() -> list[str]:
        steps = await asyncio.gather(*(flow.start(each) for each in everyone))
        return [step.username for step in steps]

    assert [each.username for each in everyone] == asyncio.run(everybody())
