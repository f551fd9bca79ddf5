"""docs/explanation/conformance.md explains every difference between the committed recordings, and no other."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, cast

import attrs
import boto3
import pytest

from tests.conformance.comparison import Difference, differences
from tests.conformance.recording import RECORDINGS, is_management, read

PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "conformance.md").read_text(encoding="utf-8")
SERVERS = ("ministack", "moto")


@attrs.frozen
class Explanation:
    """A row of the table. ``*`` stands for any text."""

    server: str
    call: str
    what: str
    left: str
    right: str
    verdict: str
    evidence: str

    def explains(self, difference: Difference) -> bool:
        pairs = zip((self.call, self.what, self.left, self.right), attrs.astuple(difference), strict=True)
        return all(_matches(pattern, text) for pattern, text in pairs)


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) is not None


def explanations(page: str = PAGE) -> list[Explanation]:
    """The rows of the table."""
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| m")]
    return [Explanation(*(cell.strip("`") for cell in row)) for row in rows]


@pytest.mark.parametrize("server", SERVERS)
def test_every_difference_is_explained(server: str) -> None:
    found = differences(read(RECORDINGS / "local"), read(RECORDINGS / server))
    rows = [row for row in explanations() if row.server == server]

    assert found != {}
    assert [each for each in found if not any(row.explains(each) for row in rows)] == []


def test_no_explanation_is_of_a_difference_that_does_not_exist() -> None:
    found = {server: differences(read(RECORDINGS / "local"), read(RECORDINGS / server)) for server in SERVERS}

    assert [row for row in explanations() if not any(map(row.explains, found[row.server]))] == []


def test_every_explanation_says_who_is_right_and_why() -> None:
    rows = explanations()

    assert {row.verdict for row in rows} <= {"LocalCognito", "the server", "open"}
    assert [row for row in rows if not row.evidence] == []
    assert Counter(rows).most_common(1)[0][1] == 1


def test_unexplained_difference_is_found() -> None:
    """The two tests above can fail."""
    new = Difference("GetUser", "accepted", "accepted", "SomethingElseException: text")

    assert not any(row.explains(new) for row in explanations() if row.server == "ministack")


def test_page_begins_with_the_missing_recording_of_the_real_service() -> None:
    first_lines = " ".join(PAGE.splitlines()[:4])

    assert ("No recording of the real service exists yet" in first_lines) != (RECORDINGS / "aws").exists()


def test_permissions_are_those_that_a_run_needs() -> None:
    called = {
        exchange["operation"]
        for recording in read(RECORDINGS / "local").values()
        for exchange in recording.exchanges
    }
    sweeping = {"ListUserPools", "DescribeUserPool", "DeleteUserPool", "TagResource"}

    (policy,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    allowed = json.loads(policy)["Statement"][0]["Action"]

    assert sorted(f"cognito-idp:{name}" for name in {*filter(is_management, called), *sweeping}) == allowed


def test_management_operations_are_those_that_the_model_signs() -> None:
    client: Any = cast(Any, boto3).client("cognito-idp", region_name="eu-west-1")
    model = client.meta.service_model
    signed = {name for name in model.operation_names if model.operation_model(name).auth_type != "none"}
    called = {
        exchange["operation"]
        for recording in read(RECORDINGS / "local").values()
        for exchange in recording.exchanges
    }

    # The service takes these without a signature; older models do not say so, and the newest not of all.
    wrongly_signed = {"GetClientToken", "GetDerivedToken", "GetTokensFromRefreshToken"}
    assert {*filter(is_management, called)} == (called & signed) - wrongly_signed
