"""What triggers return: it passes through JSON, as at Lambda, and has the documented types."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.local_cognito.wire import Wire, refusal

UNRECOGNIZABLE = ("InvalidLambdaResponseException", "Unrecognizable lambda output")
NOT_JSON = ("InvalidLambdaResponseException", "Invalid lambda function output : Invalid JSON")


def answering(wire: Wire, name: str, response: object) -> None:
    """Set a trigger that returns this response."""
    wire.pool.triggers[name] = lambda event: {**event, "response": response}


def use_version_2(wire: Wire) -> None:
    """Let the pre token generation trigger change access tokens, too."""
    config = {"LambdaVersion": "V2_0", "LambdaArn": "arn:aws:lambda:eu-west-1:123456789012:function:f"}
    wire.api.update_user_pool(UserPoolId=wire.pool.id, LambdaConfig={"PreTokenGenerationConfig": config})


def id_claims(wire: Wire) -> Any:
    """The claims of an ID token."""
    payload = wire.password()["AuthenticationResult"]["IdToken"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=="))


def custom(wire: Wire) -> Any:
    """Begin a sign-in that the custom triggers decide."""
    return wire.start("CUSTOM_AUTH", USERNAME="alice")


@pytest.mark.parametrize(
    "response",
    [
        {"userAttributes": {"nickname": ["Eve"]}},
        {"userAttributes": {"nickname": {}}},
        {"userAttributes": ["nickname"]},
        {"userAttributes": []},
        {"userAttributes": {"nickname": "Eve"}, "finalUserStatus": "BOGUS"},
        {"userAttributes": {"nickname": "Eve"}, "finalUserStatus": ["CONFIRMED"]},
        {"userAttributes": {"nickname": "Eve"}, "forceAliasCreation": "yes"},
    ],
)
def test_migration_with_a_wrong_type_is_refused_and_creates_no_user(wire: Wire, response: Any) -> None:
    answering(wire, "UserMigration", response)

    assert refusal(lambda: wire.password("eve")) == UNRECOGNIZABLE
    with pytest.raises(KeyError):
        wire.pool.user("eve")


def test_numbers_and_flags_in_maps_of_texts_become_texts_and_null_is_absent(wire: Wire) -> None:
    attributes = {"email": "eve@example.com", "email_verified": True, "nickname": 5, "name": None}
    answering(wire, "UserMigration", {"userAttributes": attributes, "finalUserStatus": "CONFIRMED"})
    wire.password("eve")
    found = wire.pool.user("eve").attributes
    assert (found["email_verified"], found["nickname"], "name" in found) == ("true", "5", False)

    answering(wire, "DefineAuthChallenge", {"challengeName": "CUSTOM_CHALLENGE"})
    answering(wire, "CreateAuthChallenge", {"publicChallengeParameters": {"sum": 4.5, "hint": None}})
    assert custom(wire)["ChallengeParameters"] == {"USERNAME": "alice", "sum": "4.5"}


@pytest.mark.parametrize(
    "details",
    [
        "plan",
        {"claimsToAddOrOverride": ["plan"]},
        {"claimsToAddOrOverride": "plan"},
        {"claimsToSuppress": "email"},
        {"claimsToSuppress": [1]},
        {"groupOverrideDetails": ["staff"]},
        {"groupOverrideDetails": {"groupsToOverride": "staff"}},
        {"groupOverrideDetails": {"iamRolesToOverride": [None]}},
        {"groupOverrideDetails": {"preferredRole": 1}},
    ],
)
def test_claims_of_a_wrong_type_are_refused(wire: Wire, details: Any) -> None:
    answering(wire, "PreTokenGeneration", {"claimsOverrideDetails": details})

    assert refusal(wire.password) == UNRECOGNIZABLE


@pytest.mark.parametrize(
    "details",
    [
        {"idTokenGeneration": {"claimsToAddOrOverride": ["plan"]}},
        {"accessTokenGeneration": {"claimsToSuppress": {"email": True}}},
        {"accessTokenGeneration": {"scopesToAdd": [1]}},
        {"accessTokenGeneration": {"scopesToSuppress": "api/read"}},
        {"groupOverrideDetails": "staff"},
    ],
)
def test_later_claims_and_scopes_of_a_wrong_type_are_refused(wire: Wire, details: Any) -> None:
    use_version_2(wire)
    answering(wire, "PreTokenGeneration", {"claimsAndScopeOverrideDetails": details})

    assert refusal(wire.password) == UNRECOGNIZABLE


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("CreateAuthChallenge", {"publicChallengeParameters": "question"}),
        ("CreateAuthChallenge", {"publicChallengeParameters": ["question"]}),
        ("CreateAuthChallenge", {"publicChallengeParameters": {"a": [1]}}),
        ("CreateAuthChallenge", {"privateChallengeParameters": "answer"}),
        ("CreateAuthChallenge", {"privateChallengeParameters": ["answer"]}),
        ("CreateAuthChallenge", {"challengeMetadata": ["SUM"]}),
        ("DefineAuthChallenge", {"challengeName": ["CUSTOM_CHALLENGE"]}),
        ("DefineAuthChallenge", {"issueTokens": "true"}),
        ("VerifyAuthChallengeResponse", {"answerCorrect": "true"}),
    ],
)
def test_custom_trigger_that_returns_a_wrong_type_is_refused(wire: Wire, name: str, wrong: Any) -> None:
    answering(wire, "DefineAuthChallenge", {"challengeName": "CUSTOM_CHALLENGE"})
    answering(wire, "CreateAuthChallenge", {})
    answering(wire, name, wrong)

    assert refusal(lambda: wire.answer(custom(wire), ANSWER="4")) == UNRECOGNIZABLE


@pytest.mark.parametrize("name", ["autoConfirmUser", "autoVerifyEmail", "autoVerifyPhone"])
def test_sign_up_trigger_that_returns_a_wrong_type_is_refused(wire: Wire, name: str) -> None:
    answering(wire, "PreSignUp", {name: "yes"})
    person = {"Username": "eve", "Password": "Battery-staple-2"}

    assert refusal(lambda: wire.api.sign_up(ClientId=wire.client_id, **person)) == UNRECOGNIZABLE


def test_absent_and_null_members_leave_everything_as_it_was(wire: Wire) -> None:
    before = set(id_claims(wire))
    answering(wire, "PreTokenGeneration", {"claimsOverrideDetails": {"claimsToSuppress": None}})

    assert set(id_claims(wire)) == before


def _endless() -> object:
    endless: list[object] = []
    endless.append(endless)
    return endless


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (datetime(2030, 1, 1, tzinfo=UTC), "Object of type datetime is not JSON serializable"),
        (b"gold", "Object of type bytes is not JSON serializable"),
        ({"gold"}, "Object of type set is not JSON serializable"),
        (_endless(), "Circular reference detected"),
    ],
    ids=["datetime", "bytes", "set", "circular"],
)
def test_value_that_lambda_cannot_write_as_json_is_reported(wire: Wire, value: object, reason: str) -> None:
    answering(wire, "PreTokenGeneration", {"claimsOverrideDetails": {"claimsToAddOrOverride": {"a": value}}})
    text = f"PreTokenGeneration failed with error Unable to marshal response: {reason}."

    assert refusal(wire.password) == ("UserLambdaValidationException", text)


def test_number_that_json_does_not_have_is_refused(wire: Wire) -> None:
    details = {"claimsToAddOrOverride": {"a": float("nan")}}
    answering(wire, "PreTokenGeneration", {"claimsOverrideDetails": details})

    assert refusal(wire.password) == NOT_JSON


def test_claims_are_what_json_makes_of_them(wire: Wire) -> None:
    """Decimal is what boto3 reads from DynamoDB."""
    added = {"level": Decimal("1.5"), "tenants": ("a", "b"), 7: True}
    answering(wire, "PreTokenGeneration", {"claimsOverrideDetails": {"claimsToAddOrOverride": added}})

    shown = id_claims(wire)

    assert (shown["level"], shown["tenants"], shown["7"]) == (1.5, ["a", "b"], True)
