"""Lambda triggers as Python functions.

Rule of this file: the events have Lambda's shapes, and a trigger that fails is reported with Cognito's code
and text.

Sources: "Customizing user pool workflows with Lambda triggers" and its pages on each trigger in the Amazon
Cognito developer guide.
"""

from __future__ import annotations

import copy
from collections import UserDict
from collections.abc import Callable
from typing import TypeAlias

from cognito_flow._json import as_object
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
            Refusal: The trigger raised, or did not return an event.
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
        response = as_object((as_object(returned) or {}).get("response"))
        if response is None:
            raise Refusal("InvalidLambdaResponseException", "Unrecognizable lambda output")
        return dict(response)
