"""Tags of user pools.

Rule of this file: a pool's tags are its member UserPoolTags, which CreateUserPool and UpdateUserPool set as
well.
"""

from __future__ import annotations

from cognito_flow.testing._operations.request import Operation, Request
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import UserPool
from cognito_flow.testing._state.refusal import Refusal, invalid_parameter

_MOST = 50  # "Quotas in Amazon Cognito"


def _tagged(request: Request) -> UserPool:
    arn = request.parameters["ResourceArn"]
    for pool in request.pools.values():
        if arn == pool.arn:
            return pool
    raise Refusal("ResourceNotFoundException", f"Resource {arn} does not exist.")


def tag_resource(request: Request) -> Members:
    """TagResource."""
    pool = _tagged(request)
    tags = {**pool.members.get("UserPoolTags", {}), **request.parameters["Tags"]}
    if len(tags) > _MOST:
        raise invalid_parameter(f"A user pool can have at most {_MOST} tags.")
    pool.members["UserPoolTags"] = tags
    return {}


def untag_resource(request: Request) -> Members:
    """UntagResource."""
    pool = _tagged(request)
    tags, gone = pool.members.get("UserPoolTags", {}), request.parameters["TagKeys"]
    pool.members["UserPoolTags"] = {key: value for key, value in tags.items() if key not in gone}
    return {}


def list_tags_for_resource(request: Request) -> Members:
    """ListTagsForResource."""
    return {"Tags": dict(_tagged(request).members.get("UserPoolTags", {}))}


OPERATIONS: dict[str, Operation] = {
    "ListTagsForResource": list_tags_for_resource,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
}
