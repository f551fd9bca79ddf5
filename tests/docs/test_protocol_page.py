"""The page of protocol facts has every section that the scenarios cite, numbered once and in order."""

from __future__ import annotations

import re
from pathlib import Path

from tests.scenarios import table, test_refusals

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "protocol.md"
# A section is a heading, "### 4.1 USER_SRP_AUTH", or a row of a numbered table, "| 14.35 | ... |".
SECTION = re.compile(r"^(?:#{2,3} (\d+)\. |### (\d+\.\d+) |\| (\d+\.\d+) \|)", re.MULTILINE)
CHECK_LIST = 15  # the items of test_refusals are rows of this section


def sections() -> list[str]:
    """The number of each section of the page, in order."""
    return [
        next(filter(None, found.groups())) for found in SECTION.finditer(PAGE.read_text(encoding="utf-8"))
    ]


def test_every_section_that_a_scenario_cites_is_on_the_page() -> None:
    cited = {row.section for row in table.ROWS}

    assert cited - set(sections()) == set()


def test_every_item_that_a_refusal_cites_is_on_the_check_list() -> None:
    cited = {f"{CHECK_LIST}.{row.item}" for row in test_refusals.ROWS}

    assert cited - set(sections()) == set()


def test_sections_are_numbered_once_and_in_order() -> None:
    numbers = [tuple(map(int, section.split("."))) for section in sections()]

    assert numbers == sorted(set(numbers))


def test_every_section_that_the_page_points_to_in_brackets_exists() -> None:
    referred = set(re.findall(r"\((\d+\.\d+)\)", PAGE.read_text(encoding="utf-8")))

    assert referred != set()
    assert referred - set(sections()) == set()
