"""A WSGI application that signs users in, and has done so once before the server forks its workers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from cognito_flow import AppClient, AuthFlow, SignedIn, UserSrpAuth

PARENT = os.getpid()
PASSWORD = os.environ["TEST_PASSWORD"]
flow = AuthFlow(
    AppClient(os.environ["TEST_POOL"], os.environ["TEST_CLIENT"], endpoint_url=os.environ["TEST_URL"])
)
source = flow.token_source(flow.sign_in(UserSrpAuth("parent", PASSWORD)).tokens, leeway=24 * 3600)
source.access_token()  # refreshed at once, because the leeway is longer than the token is valid


def application(
    environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    """Sign a user in, and refresh the tokens of the parent's own user."""
    username = parse_qs(environ["QUERY_STRING"])["username"][0]
    step = flow.start(UserSrpAuth(username, PASSWORD))
    found = {
        "username": step.username if isinstance(step, SignedIn) else step.name,
        "refreshed": bool(source.access_token()),
        "is_worker": os.getpid() != PARENT,
        "pid": os.getpid(),
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(found).encode()]
