"""Only pools that a run made are deleted."""

from __future__ import annotations

import pytest

from cognito_flow.testing import LocalCognito
from tests.conformance.pools import PREFIX, TAGS, is_made_by_a_run, name_of, sweep


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        pytest.param("production", TAGS, id="another name with the tag"),
        pytest.param(f"{PREFIX}0123abcd-rotation", {}, id="the name without the tag"),
        pytest.param(f"{PREFIX}0123abcd-rotation", {**TAGS, "team": "a"}, id="more tags"),
        pytest.param(f"{PREFIX}production", TAGS, id="the prefix without the id of a run"),
        pytest.param(f"my-{PREFIX}0123abcd-rotation", TAGS, id="the prefix elsewhere"),
        pytest.param(f"{PREFIX}0123abcd-rotation\n", TAGS, id="a newline at the end"),
    ],
)
def test_pool_that_no_run_made_is_left(name: str, tags: dict[str, str]) -> None:
    assert not is_made_by_a_run(name, tags)


def test_sweep_deletes_the_pools_of_all_runs_and_no_other() -> None:
    cognito = LocalCognito()
    others = {
        cognito.create_pool(name, user_pool_tags=tags).id
        for name, tags in ((f"{PREFIX}production", TAGS), (name_of("0123abcd", "mine"), {}), ("pool", TAGS))
    }
    made = [name_of(run, "a_scenario") for run in ("0123abcd", "89abcdef")]
    for name in made:
        cognito.create_pool(name, user_pool_tags=TAGS)

    assert sorted(sweep(cognito.client())) == made
    assert set(cognito.pool_ids()) == others


def test_run_sweeps_only_its_own_pools_and_more_than_one_page_of_them() -> None:
    cognito = LocalCognito()
    other = cognito.create_pool(name_of("89abcdef", "scenario"), user_pool_tags=TAGS)
    for number in range(70):
        cognito.create_pool(name_of("0123abcd", f"scenario_{number}"))

    assert len(sweep(cognito.client(), "0123abcd")) == 70
    assert cognito.pool_ids() == [other.id]
