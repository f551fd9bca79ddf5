"""Lambda triggers as Python functions.

Rule of this file: the events have Lambda's shapes, and a trigger that fails is reported with Cognito's code
and text. What a trigger returns passes through JSON, as at Lambda, and its members have the documented types.

Sources: "Customizing user pool workflows with Lambda triggers" and its pages on each trigger in the Amazon
Cognito developer guide.
"""

from __future__ import annotations

import copy
import json
from collections import UserDict
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeAlias

from cognito_flow._json import as_list, as_object, member, parse_json
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.refusal import Refusal

Trigger: TypeAlias = Callable[[Members], Members]
"""A Lambda trigger: takes the event and returns it."""

_RESPONSES: dict[str, Members] = {
    "DefineAuthChallenge": {"challengeName": None, "issueTokens": None, "failAuthentication": None},
    "CreateAuthChallenge": {
        "publicChallengeParameters": None,
        "privateChallengeParameters": None,
        "challengeMetadata": None,
    },
    "VerifyAuthChallengeResponse": {"answerCorrect": None},
    "PreAuthentication": {},
    "PostAuthentication": {},
    "PreTokenGeneration": {"claimsOverrideDetails": None},
    "UserMigration": {
        "userAttributes": None,
        "finalUserStatus": None,
        "messageAction": None,
        "desiredDeliveryMediums": None,
        "forceAliasCreation": None,
    },
    "PreSignUp": {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False},
    "PostConfirmation": {},
    "CustomMessage": {"smsMessage": None, "emailMessage": None, "emailSubject": None},
}

# Those of events of a later version.
_LATER_RESPONSES: dict[str, Members] = {"PreTokenGeneration": {"claimsAndScopeOverrideDetails": None}}


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_list_of_texts(value: object) -> bool:
    items = as_list(value)
    return items is not None and all(map(_is_text, items))


def _is_map_of_texts(value: object) -> bool:
    members = as_object(value)
    return members is not None and all(
        isinstance(each, str | int | float | None) for each in members.values()
    )


def _texts(values: object) -> dict[str, str]:
    given = as_object(values) or {}
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in given.items()
        if value is not None
    }


def _is_final_status(value: object) -> bool:
    return value in ("CONFIRMED", "RESET_REQUIRED")


_Form: TypeAlias = "Callable[[object], bool] | Mapping[str, _Form]"

_GROUPS: Mapping[str, _Form] = {
    "groupsToOverride": _is_list_of_texts,
    "iamRolesToOverride": _is_list_of_texts,
    "preferredRole": _is_text,
}
_CLAIMS: Mapping[str, _Form] = {"claimsToAddOrOverride": {}, "claimsToSuppress": _is_list_of_texts}
_SCOPES: Mapping[str, _Form] = {"scopesToAdd": _is_list_of_texts, "scopesToSuppress": _is_list_of_texts}

# Maps of texts. Whether the real service refuses numbers and booleans in them is not known; here they become
# texts, and null counts as absent.
_TEXTS = ("privateChallengeParameters", "publicChallengeParameters", "userAttributes")

# The documented types of responses: a check, or an object with these members. Every member may be absent or
# null. The values of claims may be anything that JSON has.
_FORMS: dict[str, Mapping[str, _Form]] = {
    "DefineAuthChallenge": {
        "challengeName": _is_text,
        "issueTokens": _is_flag,
        "failAuthentication": _is_flag,
    },
    "CreateAuthChallenge": {
        "publicChallengeParameters": _is_map_of_texts,
        "privateChallengeParameters": _is_map_of_texts,
        "challengeMetadata": _is_text,
    },
    "VerifyAuthChallengeResponse": {"answerCorrect": _is_flag},
    "PreTokenGeneration": {
        "claimsOverrideDetails": {**_CLAIMS, "groupOverrideDetails": _GROUPS},
        "claimsAndScopeOverrideDetails": {
            "idTokenGeneration": _CLAIMS,
            "accessTokenGeneration": {**_CLAIMS, **_SCOPES},
            "groupOverrideDetails": _GROUPS,
        },
    },
    "UserMigration": {
        "userAttributes": _is_map_of_texts,
        "finalUserStatus": _is_final_status,
        "messageAction": _is_text,
        "desiredDeliveryMediums": _is_list_of_texts,
        "forceAliasCreation": _is_flag,
    },
    "PreSignUp": {"autoConfirmUser": _is_flag, "autoVerifyEmail": _is_flag, "autoVerifyPhone": _is_flag},
    "CustomMessage": {"smsMessage": _is_text, "emailMessage": _is_text, "emailSubject": _is_text},
}


def _has_form(value: object, form: _Form) -> bool:
    if value is None:
        return True
    if callable(form):
        return form(value)
    members = as_object(value)
    return members is not None and all(_has_form(members.get(name), form[name]) for name in form)


def _through_json(name: str, returned: object) -> object:
    """What a trigger returned, as Lambda passes it on.

    Raises:
        Refusal: It has no form in JSON. Lambda reports a value that it cannot write; what it writes although
            it is not JSON, such as NaN, is refused by Cognito.
    """
    try:
        text = json.dumps(returned, default=_as_number)
    except (TypeError, ValueError, RecursionError) as error:
        text = f"{name} failed with error Unable to marshal response: {error}."
        raise Refusal("UserLambdaValidationException", text) from error
    try:
        return parse_json(text)
    except ValueError:
        text = "Invalid lambda function output : Invalid JSON"
        raise Refusal("InvalidLambdaResponseException", text) from None


def _as_number(value: object) -> float:
    """The numbers that boto3 reads from DynamoDB, which Lambda writes, too."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


class Triggers(UserDict[str, Trigger]):
    """The triggers of a pool, by name.

    >>> triggers = Triggers(PreAuthentication=lambda event: event)
    >>> list(triggers)
    ['PreAuthentication']
    """

    def __setitem__(self, name: str, trigger: Trigger) -> None:
        """Set a trigger.

        Raises:
            ValueError: LocalCognito never runs a trigger of this name, so a test that sets it would show
                nothing.
        """
        if name not in _RESPONSES:
            raise ValueError(f"LocalCognito has no trigger {name!r}; it runs {', '.join(sorted(_RESPONSES))}")
        super().__setitem__(name, trigger)

    def run(self, name: str, event: Members) -> Members:
        """Run a trigger.

        Args:
            name: The trigger's name, for example ``DefineAuthChallenge``. It must be set.
            event: The event, without its response.

        Returns:
            The event's response.

        Raises:
            Refusal: The trigger raised, did not return an event, or a member of the response does not have
                its documented type.
        """
        responses = _RESPONSES if event["version"] == "1" else _LATER_RESPONSES
        event = {**copy.deepcopy(event), "response": copy.deepcopy(responses[name])}
        try:
            returned: object = self[name](event)
        except Exception as error:  # whatever a trigger raises, Lambda reports by its text
            if not str(error):
                text = f"{name} invocation failed due to error."
                raise Refusal("UnexpectedLambdaException", text) from error
            raise Refusal("UserLambdaValidationException", f"{name} failed with error {error}.") from error
        response = as_object(member(_through_json(name, returned), "response"))
        if response is None or not _has_form(response, _FORMS.get(name, {})):
            raise Refusal("InvalidLambdaResponseException", "Unrecognizable lambda output")
        return {**response, **{each: _texts(response[each]) for each in _TEXTS if response.get(each)}}
