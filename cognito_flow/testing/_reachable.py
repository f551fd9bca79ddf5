"""The service with the ways to reach it: boto3 clients in this process, and HTTP.

Rule of this file: it knows all doors and no `Pool`, so that a `Pool` can hold it.
"""

from __future__ import annotations

from collections.abc import Collection

import attrs

from cognito_flow.testing._doors.http import Serving
from cognito_flow.testing._doors.in_process import install, make_client
from cognito_flow.testing._service import Service


@attrs.define(eq=False)
class ReachableService(Service):
    """A service that clients can call. `LocalCognito` adds pools."""

    _shared_clients: dict[str, object] = attrs.field(factory=dict[str, object], init=False, repr=False)

    def client(self, region: str | None = None) -> object:
        """A new boto3 client for ``cognito-idp`` that is answered in this process. Its AWS credentials are
        placeholders, and it retries nothing by itself.

        Args:
            region: The region to call; None is `region`, the default one.
        """
        return make_client(self, region or self.region)

    def shared_client(self, region: str) -> object:
        """One such client for all pools of a region and the flows that they make: creating a client takes
        longer than most sign-ins.

        Args:
            region: The region to call.
        """
        with self._lock:
            if region not in self._shared_clients:
                self._shared_clients[region] = make_client(self, region)
            return self._shared_clients[region]

    def install(self, session: object) -> None:
        """Answer every ``cognito-idp`` client that this boto3, botocore or aiobotocore session creates from
        now on. This replaces a service that was installed on it before.

        Raises:
            TypeError: It is not such a session.
        """
        install(self, session)

    def serve(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        patience: float = 30,
        origins: Collection[str] = (),
    ) -> Serving:
        """Serve everything over HTTP, for other programs and other languages.

        >>> from cognito_flow.testing import LocalCognito
        >>> with LocalCognito().serve() as url:
        ...     print(url.startswith("http://127.0.0.1:"))
        True

        Args:
            port: The port; 0 takes any free one.
            host: The address to bind; only programs on this machine can reach the default one.
            patience: How long a client may take between two bytes, and between two requests, in seconds.
            origins: Web pages that may use ``/_local/...``, for example ``["http://localhost:3000"]``. The
                API itself is open to pages of all origins.

        Returns:
            A context manager whose value is the URL; the URL is also its attribute `url`. The paths are
            listed in "LocalCognito over HTTP" in the documentation.

        Raises:
            OSError: The port is in use; raised when the context is entered.
        """
        return Serving(self, host, port, patience, origins)
