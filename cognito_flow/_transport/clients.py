"""The boto clients of a flow: the caller's, or one that the flows of this process share."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeAlias
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import attrs
import botocore
import botocore.exceptions
from botocore import UNSIGNED, xform_name
from botocore.config import Config
from botocore.session import Session

from cognito_flow._checks import is_asynchronous
from cognito_flow._process_lock import ProcessLock
from cognito_flow._transport import service_models
from cognito_flow._transport.attempts import watch
from cognito_flow._transport.sockets import end_at_deadlines
from cognito_flow.errors import UsageError
from cognito_flow.models import AppClient

_KNOWS_ALL = "1.44.5"
"""A version of botocore that knows every operation and member that this library uses."""

BotoMethod: TypeAlias = Callable[..., object]

# A client costs 10 MiB and 80 ms, and a backend may have a flow for each of a thousand app clients. A client
# that no flow uses any more is freed.
_shared: WeakValueDictionary[tuple[object, ...], Any] = WeakValueDictionary()
_lock = ProcessLock()

_MAX_CONNECTIONS = 256  # kept open for the next call, so that as many threads need not connect anew

# Where botocore finds the profile and its files, for an unsigned client that can do without them.
_NO_PROFILE = {"profile": (None, None, None, None)}
_NO_FILES = {
    **_NO_PROFILE,
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


@attrs.define
class Clients:
    """The boto clients of one flow. Without a client of the caller's, one is made at the first call.

    Args:
        app: The app client.
        given: A client of the caller's, which is then used for every call.
        admin: Whether Admin operations are called, which are signed.
        service: The service, as botocore names it.
        region: Its region; None is the app client's.
    """

    app: AppClient
    given: object | None
    admin: bool
    service: str = "cognito-idp"
    region: str | None = None
    _watched: object | None = attrs.field(default=None, init=False, repr=False)
    _made: object | None = attrs.field(default=None, init=False, repr=False)
    _made_in: int | None = attrs.field(default=None, init=False)

    @property
    def are_asynchronous(self) -> bool:
        """Whether the caller's client is one of aiobotocore."""
        return is_asynchronous(self.given, "_make_api_call")

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
        if self.service == "cognito-idp" and callable(getattr(client, "initiate_auth", None)):
            raise UsageError(too_old(operation))
        raise UsageError(
            f"the client cannot call {operation}: it is for another service, or not a client of boto"
        )

    def _client(self) -> object:
        if self.given is not None:
            return self._watched_client(self.given)
        # The connections of a parent process are not for its forked children: they would read each other's
        # responses.
        if self._made is None or self._made_in != os.getpid():
            make = _signed_client if self.admin else unsigned_client
            endpoint_url = self.app.endpoint_url if self.service == "cognito-idp" else None
            self._made = make(self.service, self.region or self.app.region, endpoint_url)
            self._made_in = os.getpid()
        return self._made

    def _watched_client(self, client: object) -> object:
        if self._watched is not client:
            with _lock.of_this_process:
                watch(client)
            end_at_deadlines(client)
            self._watched = client
        return client


def too_old(what: str) -> str:
    """The message for an operation or a member that the installed botocore does not know.

    Args:
        what: The operation, or the operation and its member.
    """
    installed = botocore.__version__
    return f"the installed botocore {installed} does not know {what}: install botocore {_KNOWS_ALL} or newer"


def unsigned_client(service: str, region: str, endpoint_url: str | None = None) -> object:
    """Return the shared client that looks for no credentials, whatever the process has configured.

    Args:
        service: The service, as botocore names it.
        region: The region.
        endpoint_url: Where it is, if not at the region's public endpoint.

    Raises:
        UsageError: botocore cannot make it.
    """
    return _shared_client(_make_unsigned, service, region, endpoint_url)


def _signed_client(service: str, region: str, endpoint_url: str | None) -> object:
    return _shared_client(_make_signed, service, region, endpoint_url)


def _shared_client(
    make: Callable[..., object], service: str, region: str, endpoint_url: str | None
) -> object:
    configuration = tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))
    key = (os.getpid(), make, service, region, endpoint_url, configuration)
    with _lock.of_this_process:
        client = _shared.get(key)
        if client is None:
            with _making_a_client():
                _ = urlsplit(endpoint_url or "").port  # raises ValueError, and botocore accepts any
                client = make(service, region_name=region, endpoint_url=endpoint_url)
            watch(client)
            end_at_deadlines(client)
            _shared[key] = client
        return client


def _make_unsigned(service: str, **options: Any) -> object:
    try:
        session = service_models.session()
    except botocore.exceptions.ProfileNotFound:
        # AWS_PROFILE names a profile that this machine does not have. An unsigned client does not need it.
        session = service_models.session(_NO_PROFILE)
    except botocore.exceptions.ConfigParseError:  # nor a file that cannot be read
        session = service_models.session(_NO_FILES)
    config = _config(signature_version=UNSIGNED, user_agent=_user_agent(session))
    return session.create_client(service, config=config, **options)


def _user_agent(session: Session) -> str:
    """The User-Agent of all calls. botocore would build it twice for each, in a third of the CPU time."""
    app_id: str | None = session.get_config_variable("user_agent_appid")
    user_agent = session.user_agent() + (f" app/{app_id}" if app_id else "")
    # Parts of it come from environment variables, and a header may hold no line end.
    return re.sub(r"[^ -~]", "-", user_agent)


def _make_signed(service: str, **options: Any) -> object:
    import boto3

    # Its overloads name every service there is.
    session: Any = boto3.session.Session(botocore_session=service_models.session())
    client: object = session.client(service, config=_config(), **options)
    return client


@contextmanager
def _making_a_client() -> Generator[None]:
    try:
        yield
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise UsageError(f"botocore cannot make a client: {error}") from error


def _config(**options: Any) -> Config:
    return Config(
        **options,
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=5,
        read_timeout=30,
        max_pool_connections=_MAX_CONNECTIONS,
        user_agent_extra="cognito-flow",
    )
