"""The in-process door: botocore makes and parses each call as for AWS, and just before it would be sent, it
is answered here.

Rule of this file: the only one that knows botocore's ``before-send`` event. Only ``cognito-idp`` is answered;
every other service goes its way, to moto if that is active.
"""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast

import attrs
import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from cognito_flow.testing._service import Reply, Service
from cognito_flow.testing.faults import AnswerLost

if TYPE_CHECKING:
    from botocore.compat import HTTPHeaders


_EVENT = "before-send.cognito-identity-provider"
_UNIQUE_ID = "cognito-flow"
_ANSWERED = "https://local-cognito.invalid/"


class _Events(Protocol):
    def register_first(self, event_name: str, handler: Callable[..., object], unique_id: str) -> object: ...

    def unregister(self, event_name: str, *, unique_id: str) -> object: ...


@attrs.frozen
class _Body:
    """The body of an answer, as botocore and aiobotocore read it."""

    body: bytes

    def stream(self) -> Iterator[bytes]:
        yield self.body

    async def read(self) -> bytes:
        return self.body


@attrs.frozen(eq=False)
class _Handler:
    """Handles ``before-send``: what it returns is taken for the answer of the service."""

    cognito: Service

    def __call__(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        return _response(AWSResponse, request, self.answer(request))

    def answer(self, request: AWSPreparedRequest) -> Reply:
        url = request.url
        # botocore asks the other handlers, too: by its URL, this call is none of theirs any more.
        request.url = _ANSWERED
        try:
            return self.cognito.handle(_lower(request.headers), _bytes(request.body))
        except AnswerLost:
            raise ReadTimeoutError(endpoint_url=url) from None


@attrs.frozen(eq=False)
class _AsyncHandler:
    """The same for aiobotocore, which awaits what its handlers return."""

    handler: _Handler

    async def __call__(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        kind: Any = importlib.import_module("aiobotocore.awsrequest")
        # In a thread, as the real service: the arithmetic must not hold up the event loop.
        reply = await asyncio.to_thread(self.handler.answer, request)
        return _response(kind.AioAWSResponse, request, reply)


def _response(kind: type[AWSResponse], request: AWSPreparedRequest, reply: Reply) -> AWSResponse:
    return kind(
        str(request.url), reply.status, cast("HTTPHeaders", HeadersDict(reply.headers)), _Body(reply.body)
    )


def _lower(headers: HTTPHeaders) -> dict[str, str]:
    return {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in headers.items()
    }


def _bytes(body: object) -> bytes:
    return body if isinstance(body, bytes) else str(body).encode()


def install(cognito: Service, session: object) -> None:
    """Answer the clients that a session will make. First of all handlers, so that moto does not answer for
    this service; and in place of who was installed before, who would process each call, too.

    Raises:
        TypeError: It is no session.
    """
    get_component: object = getattr(session, "get_component", None)
    events: object = getattr(session, "events", None)
    if events is None and callable(get_component):
        events = get_component("event_emitter")
    if events is None:
        raise TypeError(f"{type(session).__name__} is no session of boto3, botocore or aiobotocore")
    handler = _Handler(cognito)
    is_async = any(kind.__module__.startswith("aiobotocore.") for kind in type(session).__mro__)
    registry = cast("_Events", events)
    registry.unregister(_EVENT, unique_id=_UNIQUE_ID)
    registry.register_first(_EVENT, _AsyncHandler(handler) if is_async else handler, unique_id=_UNIQUE_ID)


_making_a_client = threading.Lock()  # a boto3 session makes one client at a time


@cache
def _session() -> Any:  # the overloads of its `client` name every service
    """The session of all clients: it keeps the service models, which take long to load."""
    # Ignore AWS_PROFILE: if it names a profile that does not exist, no client could be made.
    core = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    return boto3.session.Session(
        aws_access_key_id="local", aws_secret_access_key="local", botocore_session=core
    )


def make_client(cognito: Service) -> object:
    """A client that is answered in process. Its credentials mean nothing: nobody checks the signature."""
    # No retries of its own, so that each fault reaches the caller.
    config = Config(retries={"mode": "standard", "total_max_attempts": 1})
    with _making_a_client:
        client: Any = _session().client("cognito-idp", cognito.region, config=config)
    client.meta.events.register_first(_EVENT, _Handler(cognito), unique_id=_UNIQUE_ID)
    made: object = client
    return made
