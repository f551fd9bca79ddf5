"""Read the members of an `AppClient` from where it was deployed: the environment, a CloudFormation stack, or
the outputs of Amplify.

Rule of this file: it returns keyword arguments of `AppClient`. It checks that they are there; `AppClient`
checks what they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypedDict

from cognito_flow._json import as_text, member, parse_json
from cognito_flow.errors import TransportError, UsageError

POOL, CLIENT = "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient"
_OUTPUTS = {POOL: "userpoolid", CLIENT: "clientid"}  # the ends of their names, without regard to case


class Members(TypedDict, total=False):
    """Keyword arguments of `AppClient`."""

    pool_id: str
    client_id: str
    client_secret: str | None
    region: str | None
    endpoint_url: str | None


def from_environment(prefix: str) -> Members:
    """Read environment variables. An empty one counts as not set.

    Args:
        prefix: What all their names begin with.

    Raises:
        UsageError: The pool id or the client id is not set.
    """
    missing = [
        f"{prefix}{name}" for name in ("POOL_ID", "CLIENT_ID") if not os.environ.get(f"{prefix}{name}")
    ]
    if missing:
        raise UsageError(f"not set in the environment: {', '.join(missing)}")
    return {
        "pool_id": os.environ[f"{prefix}POOL_ID"],
        "client_id": os.environ[f"{prefix}CLIENT_ID"],
        "client_secret": os.environ.get(f"{prefix}CLIENT_SECRET") or None,
        "region": os.environ.get(f"{prefix}REGION") or None,
        "endpoint_url": os.environ.get(f"{prefix}ENDPOINT_URL") or None,
    }


def from_amplify_outputs(path: str | os.PathLike[str]) -> Members:
    """Read ``amplify_outputs.json``.

    Args:
        path: The file.

    Raises:
        UsageError: The file cannot be read, or names no user pool.

    Source: the schema of amplify_outputs.json in the documentation of AWS Amplify Gen 2.
    """
    try:
        outputs = parse_json(Path(path).read_bytes())
    except OSError as error:
        raise UsageError(f"{os.fspath(path)} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{os.fspath(path)}: {error}") from None
    auth = member(outputs, "auth")
    pool_id, client_id = as_text(member(auth, "user_pool_id")), as_text(member(auth, "user_pool_client_id"))
    if pool_id is None or client_id is None:
        raise UsageError(f"{os.fspath(path)} has no auth.user_pool_id and auth.user_pool_client_id")
    return {"pool_id": pool_id, "client_id": client_id, "region": as_text(member(auth, "aws_region"))}


def from_stack(name: str, session: object | None) -> Members:
    """Read a CloudFormation stack, with the caller's AWS credentials.

    Args:
        name: The name or id of the stack.
        session: A boto3 session; None: a new one, which finds AWS credentials and region as boto3 does.

    Raises:
        UsageError: The stack cannot be read, or does not say which pool and app client it is.
        TransportError: AWS could not be reached.
    """
    import boto3.session
    import botocore.exceptions

    aws: Any = boto3.session.Session() if session is None else session
    try:
        ids = _ids(aws.client("cloudformation"), name)
        region = ids[POOL].partition("_")[0]
        secret = _secret(aws.client("cognito-idp", region_name=region), ids)
    except (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError) as error:
        raise TransportError(f"AWS could not be reached: {error}", retryable=True) from error
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise UsageError(f"the stack {name} cannot be read: {error}") from error
    return {"pool_id": ids[POOL], "client_id": ids[CLIENT], "client_secret": secret}


def _ids(cloudformation: Any, name: str) -> dict[str, str]:
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())}
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    resources = [each for page in pages for each in page["StackResourceSummaries"]]
    return {kind: _only(name, kind, _named(outputs, kind) or _of_kind(resources, kind)) for kind in _OUTPUTS}


def _named(outputs: Mapping[str, str], kind: str) -> set[str]:
    return {value for key, value in outputs.items() if key.lower().endswith(_OUTPUTS[kind])}


def _of_kind(resources: Iterable[Mapping[str, str]], kind: str) -> set[str]:
    return {
        each["PhysicalResourceId"]
        for each in resources
        if each["ResourceType"] == kind and "PhysicalResourceId" in each
    }


def _only(name: str, kind: str, found: set[str]) -> str:
    if len(found) == 1:
        return found.pop()
    what = ", ".join(sorted(found)) if found else "none"
    output = "UserPoolId" if kind == POOL else "UserPoolClientId"
    raise UsageError(
        f"the stack {name} must have exactly one {kind} (it has: {what}), or name it in an output {output}"
    )


def _secret(cognito: Any, ids: Mapping[str, str]) -> str | None:
    """The client secret, if there is one and the AWS credentials may read it."""
    try:
        described = cognito.describe_user_pool_client(UserPoolId=ids[POOL], ClientId=ids[CLIENT])
    except cognito.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return None
    return as_text(described["UserPoolClient"].get("ClientSecret"))
