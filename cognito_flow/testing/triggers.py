"""Lambda triggers as Python functions.

Rule of this file: the events have Lambda's shapes, and a trigger that fails is told to the client in
Cognito's words.

Sources: "Customizing user pool workflows with Lambda triggers" and its pages on each trigger in the Amazon
Cognito developer guide.
"""

from __future__ import annotations

import copy
from collections import UserDict
from typing import TYPE_CHECKING

from cognito_flow._json import as_object
from cognito_flow.testing.refusal import Refusal

if TYPE_CHECKING:
    from cognito_flow.testing.state import Members, Trigger, User, UserPool

__all__ = ["Triggers", "run", "run_if_set"]

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
}


class Triggers(UserDict[str, "Trigger"]):
    """The triggers of a pool, by name.

    >>> triggers = Triggers(PreAuthentication=lambda event: event)
    >>> list(triggers)
    ['PreAuthentication']
    """

    def __setitem__(self, name: str, trigger: Trigger) -> None:
        """Set a trigger. One that is never run would let a test pass that shows nothing.

        Raises:
            ValueError: There is none of this name.
        """
        if name not in _RESPONSES:
            raise ValueError(f"LocalCognito runs no trigger {name!r}, but {', '.join(sorted(_RESPONSES))}")
        super().__setitem__(name, trigger)


def run_if_set(
    pool: UserPool, name: str, source: str, client_id: str, user: User | str, request: Members
) -> Members | None:
    """The trigger's response, or None if the pool has no such trigger."""
    return run(pool, name, source, client_id, user, request) if name in pool.triggers else None


def run(
    pool: UserPool, name: str, source: str, client_id: str, user: User | str, request: Members
) -> Members:
    """Run a trigger.

    Args:
        pool: The pool.
        name: The trigger's name, for example ``DefineAuthChallenge``.
        source: The triggerSource.
        client_id: The app client.
        user: The user, or the name of one that does not exist.
        request: The event's request, without userAttributes.

    Returns:
        The event's response.

    Raises:
        Refusal: The trigger raised, or what it returned is no event.
    """
    event: Members = {
        "version": "1",
        "region": pool.region,
        "userPoolId": pool.id,
        "userName": user if isinstance(user, str) else user.username,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client_id},
        "triggerSource": source,
        "request": {"userAttributes": _user_attributes(user), **copy.deepcopy(request)},
        "response": copy.deepcopy(_RESPONSES[name]),
    }
    try:
        returned: object = pool.triggers[name](event)
    except Exception as error:  # whatever a trigger raises, Lambda reports by its text
        if not str(error):
            raise Refusal("UnexpectedLambdaException", f"{name} invocation failed due to error.") from error
        raise Refusal("UserLambdaValidationException", f"{name} failed with error {error}.") from error
    response = as_object((as_object(returned) or {}).get("response"))
    if response is None:
        raise Refusal("InvalidLambdaResponseException", "Unrecognizable lambda output")
    return dict(response)


def _user_attributes(user: User | str) -> dict[str, str]:
    if isinstance(user, str):
        return {}
    status = {"cognito:user_status": user.status}
    return {"sub": user.sub, **status, **user.attributes}
