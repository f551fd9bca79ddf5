"""JSON that comes from outside is parsed without errors that a caller does not expect."""

import pytest

from cognito_flow._json import parse_json


def test_json_text_and_json_bytes_are_parsed() -> None:
    assert parse_json('{"a": [1.5, null]}') == parse_json(b'{"a": [1.5, null]}') == {"a": [1.5, None]}


@pytest.mark.parametrize(
    "text",
    ["", "{", b"\xff", "[" * 100_000, "NaN", "[-Infinity]", "1" * 5_000, "-1e999"],
    ids=[
        "empty",
        "cut short",
        "not UTF-8",
        "nested too deeply",
        "NaN",
        "Infinity",
        "too many digits",
        "too large",
    ],
)
def test_what_is_not_json_raises_value_error_that_does_not_quote_it(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"^not valid JSON$") as raised:
        parse_json(text)

    assert raised.value.__cause__ is None
