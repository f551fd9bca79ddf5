"""Lists that Cognito answers in pages."""

from __future__ import annotations

from collections.abc import Mapping

from cognito_flow._exchange import Exchange
from cognito_flow._turn import Turn
from cognito_flow.account._members import objects, text, unreadable

# A user has at most 20 passkeys; Cognito documents no limit of devices. 100 pages are 6,000 of them.
_MOST_PAGES = 100


def all_pages(
    turn: Turn, operation: str, listed: str, token: str, members: Mapping[str, object]
) -> Exchange[list[Mapping[str, object]]]:
    """All items that an operation lists, page after page. An empty page need not be the last one.

    Args:
        turn: The turn that makes the calls.
        operation: The operation.
        listed: The output member that holds the items of a page.
        token: The member that asks for the next page.
        members: The other members of its input.

    Raises:
        UnexpectedResponse: The list does not end.
    """
    found: list[Mapping[str, object]] = []
    seen: set[str] = set()
    request = dict(members)
    for _ in range(_MOST_PAGES):
        data = (yield from turn.call(operation, request)).data
        found += objects(data.get(listed))
        following = text(data, token)
        if following is None:
            return found
        if following in seen:
            raise unreadable(f"Cognito repeated a {token}, so its list would never end", operation)
        seen.add(following)
        request = {**request, token: following}
    raise unreadable(f"Cognito listed more than {_MOST_PAGES} pages", operation)
