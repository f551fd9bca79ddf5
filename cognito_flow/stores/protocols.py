"""Protocols for stores, which an application's own stores follow, too.

Rule of this file: protocols only. A store need not inherit from them. One object may follow several: then it
keeps tokens and devices.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol, runtime_checkable

from cognito_flow.models import AppClient, Device, Tokens


@runtime_checkable
class TokenStore(Protocol):
    """Keeps the tokens of each user of each app client, under Cognito's own name of the user."""

    def get_tokens(self, app: AppClient, username: str) -> Tokens | None:
        """Return the user's tokens, or None.

        Args:
            app: The app client.
            username: Cognito's own name of the user: `Tokens.username`.
        """
        ...

    def put_tokens(self, app: AppClient, username: str, tokens: Tokens) -> None:
        """Keep the tokens, replacing any others of this user.

        A store that outlives the process must have saved them when this returns: a rotated refresh token
        cannot be fetched twice.

        Args:
            app: The app client.
            username: Cognito's own name of the user: `Tokens.username`.
            tokens: The tokens.
        """
        ...

    def delete_tokens(self, app: AppClient, username: str) -> None:
        """Delete the user's tokens, if there are any.

        Args:
            app: The app client.
            username: Cognito's own name of the user: `Tokens.username`.
        """
        ...


@runtime_checkable
class LockingTokenStore(TokenStore, Protocol):
    """A `TokenStore` that also lets only one process at a time refresh a user's tokens."""

    def lock(self, app: AppClient, username: str) -> AbstractContextManager[None]:
        """Return a context manager that holds the lock of this user's tokens, waiting for it if need be.

        The lock is released if its holder dies. It is not reentrant: a holder that enters it again waits for
        itself. It may be entered in one thread and left in another. `get_tokens`, `put_tokens` and
        `delete_tokens` do not take it, so that its holder can call them.

        Args:
            app: The app client.
            username: Cognito's own name of the user.
        """
        ...


@runtime_checkable
class DeviceStore(Protocol):
    """Keeps the remembered device of each user of each app client.

    A device belongs to Cognito's own name of the user. People also type aliases, so a store remembers which
    alias led to which user, and `get_device` takes either. A user may give up an alias that later becomes
    the name of another user: so a name comes before the same text as an alias.
    """

    def get_device(self, app: AppClient, username: str) -> Device | None:
        """Return the device of the user with this name or alias, or None.

        Args:
            app: The app client.
            username: Cognito's own name of the user, or an alias that was given to `put_device`.
        """
        ...

    def put_device(self, app: AppClient, username: str, device: Device, *, alias: str | None = None) -> None:
        """Keep the device, replacing any other of this user.

        The user's name is no longer an alias of another user.

        Args:
            app: The app client.
            username: Cognito's own name of the user.
            device: The device.
            alias: The name that the user typed, if it was another one.
        """
        ...

    def delete_device(self, app: AppClient, username: str) -> None:
        """Delete the device of the user with this name or alias, if there is one.

        Args:
            app: The app client.
            username: Cognito's own name of the user, or an alias.
        """
        ...


class AsyncTokenStore(Protocol):
    """`TokenStore` for asyncio: the same methods, as coroutine functions. For `AsyncAuthFlow` only."""

    def get_tokens(self, app: AppClient, username: str) -> Awaitable[Tokens | None]:
        """Return the user's tokens, or None. See `TokenStore.get_tokens`."""
        ...

    def put_tokens(self, app: AppClient, username: str, tokens: Tokens) -> Awaitable[None]:
        """Keep the tokens. See `TokenStore.put_tokens`."""
        ...

    def delete_tokens(self, app: AppClient, username: str) -> Awaitable[None]:
        """Delete the user's tokens, if there are any. See `TokenStore.delete_tokens`."""
        ...


class AsyncLockingTokenStore(AsyncTokenStore, Protocol):
    """`LockingTokenStore` for asyncio."""

    def lock(self, app: AppClient, username: str) -> AbstractAsyncContextManager[None]:
        """Return an asynchronous context manager that holds the lock. See `LockingTokenStore.lock`."""
        ...


class AsyncDeviceStore(Protocol):
    """`DeviceStore` for asyncio: the same methods, as coroutine functions. For `AsyncAuthFlow` only."""

    def get_device(self, app: AppClient, username: str) -> Awaitable[Device | None]:
        """Return the user's device, or None. See `DeviceStore.get_device`."""
        ...

    def put_device(
        self, app: AppClient, username: str, device: Device, *, alias: str | None = None
    ) -> Awaitable[None]:
        """Keep the device. See `DeviceStore.put_device`."""
        ...

    def delete_device(self, app: AppClient, username: str) -> Awaitable[None]:
        """Delete the user's device, if there is one. See `DeviceStore.delete_device`."""
        ...
