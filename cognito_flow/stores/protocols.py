"""What a store has to do: the protocols that an application's own stores follow, too.

Rule of this file: protocols only. A store need not inherit from them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from cognito_flow.models import AppClient, Device, Tokens

__all__ = ["DeviceStore", "LockingTokenStore", "TokenStore"]


class DeviceStore(Protocol):
    """Keeps the device of each user of each app client.

    A device belongs to Cognito's own name of the user. People type aliases, too, so a store also keeps which
    alias led to which user, and `get` takes either.
    """

    def get(self, app: AppClient, username: str) -> Device | None:
        """The device of the user with this name or alias, or None.

        Args:
            app: The app client.
            username: Cognito's own name of the user, or an alias that `put` was told.
        """
        ...

    def put(self, app: AppClient, username: str, device: Device, *, alias: str | None = None) -> None:
        """Keep the device, in place of any other of this user.

        Args:
            app: The app client.
            username: Cognito's own name of the user.
            device: The device.
            alias: What the person typed, when that was another name.
        """
        ...

    def delete(self, app: AppClient, username: str) -> None:
        """Drop the device of the user with this name or alias, if there is one."""
        ...


class TokenStore(Protocol):
    """Keeps the tokens of each user of each app client, under Cognito's own name of the user."""

    def get(self, app: AppClient, username: str) -> Tokens | None:
        """The tokens of the user, or None.

        Args:
            app: The app client.
            username: Cognito's own name of the user: `Tokens.username`.
        """
        ...

    def put(self, app: AppClient, username: str, tokens: Tokens) -> None:
        """Keep the tokens, in place of any others of this user.

        What is kept when this returns outlives the process, if the store is one that does: a rotated refresh
        token cannot be fetched twice.

        Args:
            app: The app client.
            username: Cognito's own name of the user: `Tokens.username`.
            tokens: The tokens.
        """
        ...

    def delete(self, app: AppClient, username: str) -> None:
        """Drop the tokens of the user, if there are any."""
        ...


@runtime_checkable
class LockingTokenStore(TokenStore, Protocol):
    """A `TokenStore` that can also let one process at a time refresh the tokens of a user."""

    def lock(self, app: AppClient, username: str) -> AbstractContextManager[None]:
        """Wait until nobody else holds the lock of this user's tokens, then hold it until the block ends.

        The lock is free again when its holder dies. It does not nest: a holder that asks for it once more
        waits for itself. It may be entered in one thread and left in another. `get`, `put` and `delete` do
        not take it, so that its holder can call them.

        Args:
            app: The app client.
            username: Cognito's own name of the user.
        """
        ...
