"""The page about moto: each row of its table is accepted by moto, and refused by LocalCognito as it says."""

from __future__ import annotations

import re
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from cognito_flow.testing import LocalCognito
from tests.migration.lax_set_ups import LAX, SetUp
from tests.support.documentation import DOCS

PAGE = DOCS / "how-to" / "migrate" / "from-moto.md"


def rows() -> dict[str, str]:
    """The table: what a set-up does, and the refusal, without the back-ticks around it."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.split(" | ")] for line in lines if line.startswith("| ")]
    return {row[0].removeprefix("| "): row[1].strip("`") for row in cells if "Exception: " in row[1]}


def test_table_has_a_row_for_each_lax_set_up() -> None:
    assert sorted(rows()) == sorted(LAX)


@pytest.mark.parametrize("name", LAX)
def test_local_cognito_refuses_as_the_page_says(name: str, cognito: LocalCognito) -> None:
    given = SetUp(cognito.client())
    with pytest.raises(ClientError) as raised:
        LAX[name](given)

    said: Any = raised.value.response.get("Error")
    text = re.sub(r"\bClient \w{26}\b", "Client …", said["Message"])  # the id is a new one each time
    assert f"{said['Code']}: {text}" == rows()[name]


@pytest.mark.slow  # moto takes long to import and to make a pool
@pytest.mark.parametrize("name", LAX)
def test_moto_accepts_what_the_page_calls_lax(name: str) -> None:
    with mock_aws():
        client: Any = cast(Any, boto3).client("cognito-idp", region_name="eu-west-1")
        LAX[name](SetUp(client))
