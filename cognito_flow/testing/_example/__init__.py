"""The built-in seed: Lambda triggers of a custom sign-in with one question.

Rule of this file: functions of an event, as in Lambda. They keep no state: everything is in the session.

Source: "Custom authentication challenge Lambda triggers" in the Amazon Cognito developer guide.
"""

from __future__ import annotations

from typing import Any

_ANSWERS = 3
"""How many wrong answers end the sign-in."""


def define(event: dict[str, Any]) -> dict[str, Any]:
    """DefineAuthChallenge: first the password, if the sign-in began with SRP_A; then the question, up to
    three times."""
    rounds = event["request"]["session"]
    response = event["response"]
    questions = [past for past in rounds if past["challengeName"] == "CUSTOM_CHALLENGE"]
    response["issueTokens"] = bool(questions) and questions[-1]["challengeResult"] is True
    response["failAuthentication"] = len(questions) >= _ANSWERS and not response["issueTokens"]
    if not (response["issueTokens"] or response["failAuthentication"]):
        began_with_srp = [past["challengeName"] for past in rounds] == ["SRP_A"]
        response["challengeName"] = "PASSWORD_VERIFIER" if began_with_srp else "CUSTOM_CHALLENGE"
    return event


def create(event: dict[str, Any]) -> dict[str, Any]:
    """CreateAuthChallenge: the question is public, its answer private."""
    event["response"]["publicChallengeParameters"] = {"question": "2+2"}
    event["response"]["privateChallengeParameters"] = {"answer": "4"}
    return event


def verify(event: dict[str, Any]) -> dict[str, Any]:
    """VerifyAuthChallengeResponse: compare with the private answer."""
    request = event["request"]
    event["response"]["answerCorrect"] = (
        request["challengeAnswer"] == request["privateChallengeParameters"]["answer"]
    )
    return event
