"""A passwordless login as an AWS Lambda function behind an HTTP API of API Gateway, for a front end that speaks JSON.

POST /start with a name sends a code by e-mail and returns a sealed state. POST /answer with the state and the code returns the
tokens. The function keeps nothing in between, so that any instance can answer. It sets no cookie: another web site cannot make a
browser sign in.
"""

import json
import os
import sys
from functools import cache
from typing import Any

from cognito_flow import (
    AnswerRejected,
    AppClient,
    AuthFlow,
    CodeChallenge,
    CognitoFlowError,
    FirstFactor,
    InvalidInput,
    NotAuthorized,
    SealError,
    SignedIn,
    StartOver,
    Step,
    TryLater,
    UserAuth,
)

# The status for each class of error; the nearest class wins.
STATUSES: dict[type[CognitoFlowError], int] = {
    InvalidInput: 400,
    AnswerRejected: 401,
    NotAuthorized: 401,
    StartOver: 410,
    TryLater: 503,
    CognitoFlowError: 500,
}


def shown(flow: AuthFlow, step: Step) -> dict[str, Any]:
    match step:
        case SignedIn(tokens=tokens):
            return {
                "access_token": tokens.access_token,
                "id_token": tokens.id_token,
                "refresh_token": tokens.refresh_token,
            }
        case CodeChallenge():
            return {"asks": step.name, "sent_to": step.sent_to, "state": flow.seal(step)}
        case _:  # the front end has no form for it: it can only say so
            return {"asks": step.name}


def start(flow: AuthFlow, given: dict[str, str]) -> Step:
    return flow.start(UserAuth(given.get("username", ""), preferred=FirstFactor.EMAIL_OTP))


def answer(flow: AuthFlow, given: dict[str, str]) -> Step:
    challenge = flow.unseal(given.get("state", ""))
    if not isinstance(challenge, CodeChallenge):
        raise SealError("this function seals only challenges that ask for a code")
    return flow.send(challenge.answer(given.get("code", "")))


def handle(flow: AuthFlow, event: dict[str, Any]) -> dict[str, Any]:
    """Answer an event of the payload format 2.0. The flow is an argument, so that a test can pass one of a local pool."""
    act = {"/start": start, "/answer": answer}.get(event["rawPath"])
    try:
        given = json.loads(event.get("body") or "{}")
    except ValueError:
        given = None
    if (
        act is None
        or not isinstance(given, dict)
        or not all(isinstance(value, str) for value in given.values())
    ):
        return response(400, {"error": "BadRequest"})
    try:
        return response(200, shown(flow, act(flow, given)))
    except CognitoFlowError as error:
        kind = next(kind for kind in type(error).__mro__ if kind in STATUSES)
        return response(STATUSES[kind], {"error": kind.__name__})


def response(status: int, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}


@cache  # instances of the function answer many events
def flow_from_environment() -> AuthFlow:
    return AuthFlow(AppClient.from_env(), seal_keys=[os.environ["LOGIN_SECRET"]])


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return handle(flow_from_environment(), event)


if __name__ == "__main__":
    print(json.dumps(lambda_handler(json.load(sys.stdin), None), indent=2))
