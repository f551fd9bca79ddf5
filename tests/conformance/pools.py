"""Which pools a run made, and how they are deleted.

Rule of this file: a pool is deleted only if its name has the random id of this run, or if its name and its tag
both say that a run made it.
"""

from __future__ import annotations

import re
from typing import Any

PREFIX = "cognito-flow-conformance-"
TAGS = {"made-by": "cognito-flow-conformance"}
_NAME = re.compile(rf"{PREFIX}[0-9a-f]{{8}}-[a-z0-9-]+")


def name_of(run: str, scenario: str) -> str:
    """The name of the pool of a scenario."""
    return f"{PREFIX}{run}-{scenario.replace('_', '-')}"


def is_made_by_a_run(name: str, tags: object) -> bool:
    """Whether the name and the UserPoolTags of a pool say that a run made it."""
    return bool(_NAME.fullmatch(name)) and tags == TAGS


def sweep(client: Any, run: str | None = None) -> list[str]:
    """Delete the pools of a run, or of all runs, and return their names.

    The pools are found by listing, not by what a run remembers: a run that was interrupted may not know of
    its last one.

    Args:
        client: A boto3 client.
        run: The id of the run, which is random: no other pool has it in its name.
    """
    pages = client.get_paginator("list_user_pools").paginate(MaxResults=60)
    prefix = PREFIX if run is None else name_of(run, "")
    listed = [pool for page in pages for pool in page["UserPools"] if pool["Name"].startswith(prefix)]
    deleted: list[str] = []
    for each in listed:
        pool = client.describe_user_pool(UserPoolId=each["Id"])["UserPool"]
        if run is not None or is_made_by_a_run(pool["Name"], pool.get("UserPoolTags")):
            client.delete_user_pool(UserPoolId=each["Id"])
            deleted.append(pool["Name"])
    return deleted
