"""The servers that the scenarios run against, and how a run reaches each of them."""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import attrs
import boto3
from botocore.config import Config

from cognito_flow.testing import LocalCognito
from tests.support.environments import programs_folder
from tests.support.ministack import running_ministack

REGION = "eu-west-1"
ADDRESS = "alice@example.com"


class Interrupted(Exception):
    """The run was interrupted while a scenario waited."""


@attrs.frozen
class Server:
    """A server as a run meets it.

    Attributes:
        name: The folder of its recordings.
        client: A boto3 client with the right to manage pools.
        wait: Lets seconds pass.
        now: Its time.
        address: The e-mail address that it may send messages to; None if it may send none.
        read_code: Returns the code of the last message to that address.
        workers: How many scenarios run at once.
        is_instant: Whether waiting takes no time.
        one_call_at_a_time: Held during each call.
    """

    name: str
    client: Any
    wait: Callable[[float], None]
    now: Callable[[], datetime]
    address: str | None = None
    read_code: Callable[[], str] = lambda: "123456"
    workers: int = 8
    is_instant: bool = False
    one_call_at_a_time: AbstractContextManager[object] = attrs.field(factory=nullcontext)

    def knows(self, operation: str | None) -> bool:
        """Whether the installed botocore can call an operation."""
        return operation is None or operation in self.client.meta.service_model.operation_names


@contextmanager
def local(stop: threading.Event) -> Generator[Server]:
    """LocalCognito over HTTP; its clock is advanced instead of waiting."""
    cognito = LocalCognito()

    def read_code() -> str:
        return cognito.outbox[-1].code

    with cognito.serve() as url:
        yield Server(
            "local",
            _client_of_an_emulator(url),
            cognito.clock.advance,
            cognito.clock,
            ADDRESS,
            read_code,
            workers=1,  # all pools share one clock
            is_instant=True,
        )


@contextmanager
def ministack(stop: threading.Event) -> Generator[Server]:
    """ministack, installed and started for this run. It takes any code of a sign-up."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_ministack(programs_folder(), Path(folder)) as url,
    ):
        yield Server("ministack", _client_of_an_emulator(url), waiting(stop), _real_time, ADDRESS)


@contextmanager
def moto(stop: threading.Event) -> Generator[Server]:
    """moto, in this process. It takes any code of a sign-up."""
    from moto import mock_aws

    with mock_aws():
        yield Server(
            "moto",
            _client_of_an_emulator(None),
            waiting(stop),
            _real_time,
            ADDRESS,
            one_call_at_a_time=threading.Lock(),  # its state is not made for threads
        )


@contextmanager
def at_url(stop: threading.Event, url: str, address: str | None) -> Generator[Server]:
    """Any other server, with the credentials ``test`` and ``test``."""
    name = re.sub(r"\W+", "-", urlsplit(url).netloc)
    yield Server(name, _client_of_an_emulator(url), waiting(stop), _real_time, address, _typed_code)


@contextmanager
def aws(stop: threading.Event, session: Any, address: str | None) -> Generator[Server]:
    """The real service, with the caller's credentials."""
    config = Config(parameter_validation=False, retries={"mode": "standard", "total_max_attempts": 8})
    client = session.client("cognito-idp", config=config)
    yield Server("aws", client, waiting(stop), _real_time, address, _typed_code, workers=4)


def open_server(
    name: str, stop: threading.Event, session: Any, address: str | None
) -> AbstractContextManager[Server]:
    """The server that ``--against`` names.

    Raises:
        ValueError: There is no such server.
    """
    if name == "aws":
        return aws(stop, session, address)
    if name in _EMULATORS:
        return _EMULATORS[name](stop)
    if urlsplit(name).scheme in {"http", "https"} and urlsplit(name).netloc:
        return at_url(stop, name, address)
    raise ValueError(f"{name!r} must be {', '.join(_EMULATORS)}, aws or an http(s) URL")


_EMULATORS = {"local": local, "ministack": ministack, "moto": moto}


def waiting(stop: threading.Event) -> Callable[[float], None]:
    """A function that really waits, until the run is interrupted."""

    def wait(seconds: float) -> None:
        if stop.wait(seconds):
            raise Interrupted

    return wait


def _real_time() -> datetime:
    return datetime.now(UTC)


def _typed_code() -> str:
    return input("The code of the message that was just sent: ").strip()


def _client_of_an_emulator(url: str | None) -> Any:
    """A client that repeats nothing: an emulator that fails is recorded as it is."""
    return cast(Any, boto3).client(
        "cognito-idp",
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(parameter_validation=False, retries={"mode": "standard", "total_max_attempts": 1}),
    )
