"""The boto clients of a flow, and how they are configured."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeAlias

import attrs
import boto3
import botocore
import botocore.exceptions
import botocore.session
from botocore import UNSIGNED, xform_name
from botocore.config import Config

from cognito_flow.errors import UsageError
from cognito_flow.models import AppClient

_KNOWS_ALL = "1.44.5"
"""A version of botocore that knows every operation and member that this library uses."""

BotoMethod: TypeAlias = Callable[..., object]


@attrs.define
class Clients:
    """The boto clients of one flow. Those that nobody handed in are made when they are first needed.

    Args:
        app: The app client.
        given: A client of the caller's, which is then used for every call.
        admin: Whether Admin operations are called, which are signed.
    """

    app: AppClient
    given: object | None
    admin: bool
    _made: object | None = attrs.field(default=None, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def method(self, operation: str) -> BotoMethod:
        """The client's method for an operation.

        Raises:
            UsageError: The caller's client has no such method, botocore is too old for it, or no client can
                be made.
        """
        client = self._client()
        method: object = getattr(client, xform_name(operation), None)
        if callable(method):
            return method
        # A client of boto has a method for each user pool operation that its botocore knows.
        if callable(getattr(client, "initiate_auth", None)):
            raise UsageError(too_old(operation))
        raise UsageError(
            f"the client cannot call {operation}: it is for another service, or not a client of boto"
        )

    def _client(self) -> object:
        if self.given is not None:
            return self.given
        with self._lock:
            if self._made is None:
                make = _signed_client if self.admin else unsigned_client
                self._made = make("cognito-idp", self.app.region, self.app.endpoint_url)
            return self._made


def too_old(what: str) -> str:
    """The message for an operation or a member that the installed botocore does not know.

    Args:
        what: The operation, or the operation and its member.
    """
    installed = botocore.__version__
    return f"the installed botocore {installed} does not know {what}: install botocore {_KNOWS_ALL} or newer"


def unsigned_client(service: str, region: str, endpoint_url: str | None = None) -> object:
    """A client that looks for no credentials, whatever the process has set up.

    Args:
        service: The service, as botocore names it.
        region: The region.
        endpoint_url: Where it is, if not at the region's public endpoint.

    Raises:
        UsageError: botocore cannot make it.
    """
    with _making_a_client():
        return botocore.session.Session().create_client(
            service, region_name=region, endpoint_url=endpoint_url, config=_config(is_signed=False)
        )


def _signed_client(service: str, region: str, endpoint_url: str | None) -> object:
    with _making_a_client():
        session: Any = boto3.session.Session()  # its overloads name every service there is
        client: object = session.client(
            service, region_name=region, endpoint_url=endpoint_url, config=_config(is_signed=True)
        )
        return client


@contextmanager
def _making_a_client() -> Generator[None]:
    try:
        yield
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise UsageError(f"botocore cannot make a client: {error}") from error


def _config(*, is_signed: bool) -> Config:
    """No retries of its own: botocore would repeat answers to challenges, and refusals that ask for
    patience."""
    return Config(
        signature_version=None if is_signed else UNSIGNED,
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=5,
        read_timeout=30,
        user_agent_extra="cognito-flow",
    )
