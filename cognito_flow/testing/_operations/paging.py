"""Pagination.

Rule of this file: a page begins after the last key of the page before, so that no item is repeated or skipped
when the list changes meanwhile. A token is valid only for a request with the same parameters.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from cryptography.fernet import Fernet

from cognito_flow.testing._operations.request import Request
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.refusal import invalid_parameter
from cognito_flow.testing._state.sessions import decrypt

_LARGEST_PAGE = 60
_SEALER = Fernet(Fernet.generate_key())


def page(
    request: Request, listed: Mapping[str, Members], limit: str = "Limit", token: str = "NextToken"
) -> tuple[list[Members], Members]:
    """One page of a list, in the order of the keys.

    Args:
        request: The request.
        listed: The whole list, by a key that stays the same.
        limit: The parameter with the length of a page; 0 or none means 60.
        token: The member with the token of the next page.

    Returns:
        The page, and the token as a member of the answer if there is more.

    Raises:
        Refusal: The token is not from such a request.
    """
    parameters = request.parameters
    same = {name: value for name, value in parameters.items() if name not in (limit, token)}
    question = json.dumps([request.operation, same], sort_keys=True)
    after = _open(parameters.get(token), question)
    keys = sorted(key for key in listed if key > after)
    shown = keys[: parameters.get(limit) or _LARGEST_PAGE]
    answer = [listed[key] for key in shown]
    return answer, {token: _seal(question, shown[-1])} if len(shown) < len(keys) else {}


def _seal(question: str, last: str) -> str:
    return _SEALER.encrypt(json.dumps([question, last]).encode()).decode()


def _open(text: str | None, question: str) -> str:
    """The key in a token; without a token the empty key, which precedes all others."""
    if text is None:
        return ""
    opened = decrypt(_SEALER, text)
    asked, last = (None, None) if opened is None else json.loads(opened)
    if asked != question:
        raise invalid_parameter("Invalid pagination token given.")
    return str(last)
