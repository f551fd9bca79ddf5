"""How the adapters of web frameworks answer what a verifier raises."""

from __future__ import annotations

import pytest

from cognito_flow import StepUpRequired, UnexpectedResponse, UsageError
from cognito_flow.integrations._bearer import bearer_token, refusal_of


@pytest.mark.parametrize(
    ("acr_values", "max_age", "challenge"),
    [
        ((), None, 'Bearer error="insufficient_user_authentication"'),
        ((), 0, 'Bearer error="insufficient_user_authentication", max_age="0"'),
        (("a", "b"), None, 'Bearer error="insufficient_user_authentication", acr_values="a b"'),
    ],
)
def test_challenge_of_a_step_up_names_what_is_required(
    acr_values: tuple[str, ...], max_age: float | None, challenge: str
) -> None:
    error = StepUpRequired("too weak")
    error.acr_values, error.max_age = acr_values, max_age

    assert (refusal_of(error).status, refusal_of(error).challenge) == (401, challenge)


def test_unexpected_response_gets_503() -> None:
    assert refusal_of(UnexpectedResponse("an essay")).status == 503


def test_mistake_in_the_program_is_raised() -> None:
    error = UsageError("scopes must be a list")

    with pytest.raises(UsageError) as raised:
        refusal_of(error)
    assert raised.value is error


@pytest.mark.parametrize(
    ("authorization", "token"),
    [
        ("Bearer x", "x"),
        ("bearer x", "x"),
        ("BEARER  x ", "x"),
        ("Bearer", None),
        ("Digest x", None),
        (None, None),
    ],
)
def test_token_is_read_whatever_the_case_of_the_scheme(authorization: str | None, token: str | None) -> None:
    assert bearer_token(authorization) == token
