"""What stays of a botocore error that becomes the cause of ours: its class, its text and its lines.

Rule of this file: what hangs on an error outlives the call, in logs, in tools that report errors and in
memory. Requests hold passwords and tokens, responses hold tokens, and Cognito's texts quote what was typed.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, cast

from botocore.exceptions import ClientError

from cognito_flow._json import as_object, member
from cognito_flow._tracebacks import clear_locals, drop_other_coroutines

# Attributes of errors of botocore, requests, urllib3, http.client, json, aiohttp and httpx that hold a
# request, a response or a part of one.
_CONTENTS = ("_request", "_response", "doc", "history", "partial", "request", "request_info", "response")

# What stays of a refusal's metadata. Cognito repeats its text in the header x-amzn-errormessage.
_METADATA = frozenset({"RequestId", "HTTPStatusCode", "HTTPHeaders"})
_HEADERS = frozenset({"date"})


def without_contents(error: Exception, until: BaseException | None) -> Exception:
    """The error, after requests, responses and local variables were removed from it and from all errors
    behind it. The response of a `ClientError` stays: `quote_nothing` decides about it.

    Args:
        error: What botocore raised.
        until: An error of the caller's, which stays unchanged.
    """
    clear_locals(error, until=until)
    for link in _links(error, until):
        drop_other_coroutines(link)
        for name in _CONTENTS:
            held = vars(link)
            if held.get(name) is not None and not isinstance(link, ClientError):
                held[name] = None
        link.args = tuple(value for value in link.args if not isinstance(value, bytes))
    return error


def quote_nothing(error: ClientError, text: str) -> None:
    """Put the text of our error, which quotes nothing that was sent, in place of Cognito's.

    Args:
        error: The error of botocore.
        text: The text that it may show.
    """
    response: Any = error.response
    code = str(member(response, "Error", "Code") or "")
    metadata = _only(_METADATA, member(response, "ResponseMetadata"))
    if "HTTPHeaders" in metadata:
        metadata["HTTPHeaders"] = _only(_HEADERS, metadata["HTTPHeaders"])
    shown: Any = {"Error": {"Code": code, "Message": text}, "ResponseMetadata": metadata}
    error.response = shown
    error.args = ClientError(error.response, error.operation_name).args


def _only(names: frozenset[str], values: object) -> dict[str, object]:
    return {name: value for name, value in (as_object(values) or {}).items() if name in names}


def _links(error: BaseException, until: BaseException | None) -> Iterator[BaseException]:
    """The error and all errors that can be reached from it."""
    found: list[BaseException] = [error]
    for link in found:  # grows during the loop
        yield link
        named = cast("MutableMapping[str, object]", getattr(link, "kwargs", {}))
        behind = (*vars(link).values(), *named.values(), *link.args, link.__cause__, link.__context__)
        found += [
            item
            for item in behind
            if isinstance(item, BaseException) and item is not until and item not in found
        ]
