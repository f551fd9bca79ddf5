"""The in-process transport: botocore serializes and parses each call as for AWS, and a handler answers it
instead of sending it.

Rule of this file: only this file knows botocore's ``before-send`` event. Only ``cognito-idp`` is answered;
calls to other services are sent as usual, or answered by moto if that is active.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import threading
from collections.abc import Callable, Iterator
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import urlsplit

import attrs
import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from cognito_flow._transport import service_models
from cognito_flow.testing._service import Reply, Service
from cognito_flow.testing._state import Members
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
    """Handles ``before-send``: botocore takes what it returns as the answer of the service."""

    cognito: Service

    def __call__(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        return _response(AWSResponse, request, self.answer(request))

    def answer(self, request: AWSPreparedRequest) -> Reply:
        url = request.url
        # botocore also calls the other handlers. Moto goes by the URL, so this keeps it from answering, too.
        request.url = _ANSWERED
        headers = {"host": urlsplit(str(url)).netloc, **_lower(request.headers)}
        try:
            return self.cognito.handle(headers, _bytes(request.body))
        except AnswerLost:
            raise ReadTimeoutError(endpoint_url=url) from None


@attrs.frozen(eq=False)
class _AsyncHandler:
    """The same for aiobotocore, which awaits what its handlers return."""

    handler: _Handler

    async def __call__(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        kind: Any = importlib.import_module("aiobotocore.awsrequest")
        # In a thread, so that the arithmetic does not block the event loop.
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
        TypeError: It is not such a session.
    """
    get_component: object = getattr(session, "get_component", None)
    events: object = getattr(session, "events", None)
    if events is None and callable(get_component):
        events = get_component("event_emitter")
    if events is None:
        raise TypeError(f"{type(session).__name__} is not a session of boto3, botocore or aiobotocore")
    handler = _Handler(cognito)
    is_async = any(kind.__module__.startswith("aiobotocore.") for kind in type(session).__mro__)
    registry = cast("_Events", events)
    registry.unregister(_EVENT, unique_id=_UNIQUE_ID)
    registry.register_first(_EVENT, _AsyncHandler(handler) if is_async else handler, unique_id=_UNIQUE_ID)


_making_a_client = threading.Lock()  # a boto3 session makes one client at a time


def call(cognito: Service, operation: str, parameters: Members, *, region: str | None = None) -> Members:
    """Call an operation without a client: to create one takes longer than most calls.

    Args:
        cognito: The service.
        operation: The operation.
        parameters: Its input.
        region: The region to call; None reaches the pools of every region, and creates pools in the default
            one.

    Raises:
        TypeError: A parameter cannot be written as JSON.
        botocore.exceptions.ClientError: The service refuses the call.
    """
    headers = {
        "x-amz-target": f"AWSCognitoIdentityProviderService.{operation}",
        "authorization": "a signature that is not verified",
        "host": "" if region is None else f"cognito-idp.{region}.amazonaws.com",
    }
    try:
        reply = cognito.handle(headers, json.dumps(parameters).encode())
    except AnswerLost:
        raise ReadTimeoutError(endpoint_url=_ANSWERED) from None
    answer: Members = json.loads(reply.body)
    if reply.status != HTTPStatus.OK:
        raise ClientError({"Error": {"Code": answer["__type"], "Message": answer["message"]}}, operation)
    return answer


@cache
def _session() -> Any:  # the overloads of its `client` name every service
    """The session of all clients: it keeps the service models, which take long to load."""
    # Ignore AWS_PROFILE: if it names a profile that does not exist, no client could be made.
    core = service_models.session({"profile": (None, None, None, None)})
    return boto3.session.Session(
        aws_access_key_id="local", aws_secret_access_key="local", botocore_session=core
    )


def make_client(cognito: Service, region: str) -> object:
    """Create a client of a region that is answered in process. Its credentials are placeholders: signatures
    are not verified."""
    # No retries of its own, so that each fault reaches the caller. botocore would build the User-Agent anew
    # for each call, a third of its work.
    config = Config(retries={"mode": "standard", "total_max_attempts": 1}, user_agent="LocalCognito")
    with _making_a_client:
        session: Any = _session()  # its overloads name every service there is
        client: Any = session.client("cognito-idp", region, config=config)
    client.meta.events.register_first(_EVENT, _Handler(cognito), unique_id=_UNIQUE_ID)
    made: object = client
    return made
