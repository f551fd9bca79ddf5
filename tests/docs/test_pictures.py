"""The pictures of the documentation are what the code draws."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from cognito_flow.handlers import HANDLERS
from docs.pictures.__main__ import FOLDER, PICTURES
from docs.pictures.follows import FOLLOWS, RARELY_FOLLOWS
from tests.support.documentation import DOCS


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_what_the_code_draws(name: str) -> None:
    """Run ``python -m docs.pictures`` when this fails."""
    assert PICTURES[name]() == (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PICTURES)
def test_picture_has_a_title_and_colours_for_a_dark_theme(name: str) -> None:
    picture = ET.parse(FOLDER / name)  # noqa: S314 - our own file

    assert picture.findtext("{http://www.w3.org/2000/svg}title")
    assert "prefers-color-scheme: dark" in str(picture.findtext("{http://www.w3.org/2000/svg}style"))


def test_no_picture_is_left_over_and_each_is_shown() -> None:
    pages = "\n".join(
        page.read_text(encoding="utf-8") for page in (*DOCS.rglob("*.md"), DOCS.parent / "README.md")
    )

    assert {path.name for path in FOLDER.glob("*.svg")} == set(PICTURES)
    assert [name for name in PICTURES if name not in pages] == []


def test_map_has_a_row_for_each_handler_and_for_each_auth_flow() -> None:
    names = {handler.name for handler in HANDLERS}
    flows = {"CUSTOM_AUTH", "REFRESH_TOKEN_AUTH", "USER_AUTH", "USER_PASSWORD_AUTH", "USER_SRP_AUTH"}

    assert FOLLOWS.keys() | RARELY_FOLLOWS.keys() == names | flows
