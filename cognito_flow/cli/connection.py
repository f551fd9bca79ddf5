"""Which app client a subcommand is for, and how long it waits for Cognito.

Rule of this file: an option wins over its environment variable, and both win over the profile.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.utils import is_valid_endpoint_url

from cognito_flow._transport import service_models
from cognito_flow.cli import profiles
from cognito_flow.cli.profiles import Profile
from cognito_flow.errors import TransportError, UsageError
from cognito_flow.flow import AuthFlow
from cognito_flow.models import AppClient, System
from cognito_flow.stores import FileStore
from cognito_flow.terminal import say

SECRET_VARIABLE = "COGNITO_CLIENT_SECRET"

_SHORTEST, _LONGEST = 0.1, 86_400  # seconds of --timeout: sockets and threads cannot wait much longer
_SILENCE = 2  # seconds without a line: most calls take less


@attrs.define
class Connection:
    """An app client, and the way to it.

    Args:
        app: The app client.
        settings: The options and the profile that it was made from.
        timeout: How long to wait for Cognito in each step, in seconds.
        secret_origin: Where the client secret comes from, if there is one.
    """

    app: AppClient
    settings: Profile
    timeout: float
    secret_origin: str = SECRET_VARIABLE
    _started: float = attrs.field(default=0.0, init=False)

    def client(self, *, is_signed: bool = False) -> Any:
        """Return a client of botocore that waits no longer than the timeout.

        Args:
            is_signed: Whether calls are signed with AWS credentials.

        Raises:
            UsageError: botocore cannot make a client for this region and endpoint.
        """
        config = Config(
            signature_version=None if is_signed else UNSIGNED,
            connect_timeout=self.timeout,
            read_timeout=self.timeout,
            retries={"mode": "standard", "total_max_attempts": 1},
            user_agent_extra="cognito-flow",
        )
        try:
            return service_models.session().create_client(
                "cognito-idp",
                region_name=self.app.region,
                endpoint_url=self.app.endpoint_url,
                config=config,
            )
        except (BotoCoreError, ValueError) as error:
            raise UsageError(f"cannot call Cognito: {error}") from error

    def system(self) -> System:
        """Return a clock whose pauses between repeated calls end at the timeout."""
        return System(sleep=self._sleep)

    def flow(self, store: FileStore | None = None) -> AuthFlow:
        """Return a flow to the app client.

        Args:
            store: Where remembered devices are kept.
        """
        return AuthFlow(self.app, self.client(), store=store, timeout=self.timeout, system=self.system())

    @contextmanager
    def waiting(self) -> Generator[None]:
        """Wait for Cognito while the block runs, and say so if it takes more than a moment."""
        where = self.app.endpoint_url or f"Cognito in {self.app.region}"
        line = f"waiting for {where} (up to {self.timeout:g} s, Ctrl-C stops)"
        timer = threading.Timer(_SILENCE, say, (line,))
        timer.daemon = True
        self._started = time.monotonic()
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def seconds_left(self, needed: float = 0) -> float:
        """Return how much of the timeout is left while waiting.

        Args:
            needed: How much must be left, in seconds.

        Raises:
            TransportError: Less is left.
        """
        left = self._started + self.timeout - time.monotonic()
        if left <= needed:
            raise TransportError(f"Cognito did not answer within {self.timeout:g} s", retryable=True)
        return left

    def _sleep(self, seconds: float) -> None:
        self.seconds_left(seconds)
        time.sleep(seconds)


def connect(
    given: Profile, *, profile: str | None, stack: str | None, amplify_outputs: Path | None, timeout: float
) -> Connection:
    """Find the app client.

    Args:
        given: What options and environment variables say.
        profile: The name of a profile; None: ``default``.
        stack: The name of a CloudFormation stack to read the app client from.
        amplify_outputs: The ``amplify_outputs.json`` to read it from.
        timeout: How long to wait for Cognito in each step, in seconds.

    Raises:
        UsageError: No app client is given, it cannot be used, or the timeout is out of range.
        TransportError: AWS could not be reached to read the stack.
    """
    if not _SHORTEST <= timeout <= _LONGEST:
        raise UsageError(f"--timeout must be a number of seconds from {_SHORTEST} to {_LONGEST}")
    found, secret = deployed(stack, amplify_outputs)
    settings = _over_profile(given.over(found), profile)
    if settings.pool_id is None or settings.client_id is None:
        raise UsageError(
            "which app client? Pass --pool and --client, set COGNITO_POOL_ID and COGNITO_CLIENT_ID, "
            "or run `cognito-flow configure`"
        )
    variable = settings.client_secret_env or SECRET_VARIABLE
    of_environment = _secret(settings.client_secret_env)
    app = AppClient(
        settings.pool_id,
        settings.client_id,
        of_environment or secret,
        region=settings.region,
        endpoint_url=_endpoint(settings.endpoint_url),
    )
    return Connection(app, settings, timeout, variable if of_environment else f"the stack {stack}")


def _over_profile(given: Profile, name: str | None) -> Profile:
    """Return what is given, and what a profile says besides.

    The settings of a profile belong together: its secret and endpoint must not get to another app client, nor
    a password of that one's users to its endpoint.

    Raises:
        UsageError: There is no profile of this name.
    """
    if name is None:
        return given if given.pool_id or given.client_id else given.over(profiles.read(None))
    profile = profiles.read(name)
    if given.pool_id in {None, profile.pool_id} and given.client_id in {None, profile.client_id}:
        return given.over(profile)
    say(f"the profile {name} is not used: it belongs to another app client")
    return given


def deployed(stack: str | None, amplify_outputs: Path | None) -> tuple[Profile, str | None]:
    """Return the settings of a stack or of Amplify's outputs, if one of them is given, and the client secret.

    Args:
        stack: The name of a CloudFormation stack.
        amplify_outputs: The path of an ``amplify_outputs.json``.

    Raises:
        UsageError: Both are given, or the one that is given cannot be read.
        TransportError: AWS could not be reached.
    """
    if stack is not None and amplify_outputs is not None:
        raise UsageError("--stack and --amplify-outputs cannot be combined")
    if stack is not None:
        app = AppClient.from_stack(stack)
    elif amplify_outputs is not None:
        app = AppClient.from_amplify_outputs(amplify_outputs)
    else:
        return Profile(), None
    region = None if app.pool_id.startswith(f"{app.region}_") else app.region
    return Profile(app.pool_id, app.client_id, region=region), app.client_secret


def _secret(variable: str | None) -> str | None:
    if variable is None:
        return os.environ.get(SECRET_VARIABLE) or None
    value = os.environ.get(variable)
    if not value:
        raise UsageError(f"the environment variable {variable} holds no client secret (--client-secret-env)")
    return value


def _endpoint(url: str | None) -> str | None:
    try:
        valid = url is None or (url.startswith(("http://", "https://")) and is_valid_endpoint_url(url))
    except ValueError:  # a bracket that is not closed
        valid = False
    if not valid:
        raise UsageError("--endpoint must be an http:// or https:// URL")
    return url
