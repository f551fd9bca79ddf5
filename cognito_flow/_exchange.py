"""What the core and its drivers pass to each other: calls, responses, and the generator that exchanges them.

The contract between an exchange and its driver: the driver runs the generator to its next `Call`, makes the
call, and sends the `Response` back, or throws the typed error that the call failed with. A `Wait` is awaited,
and nothing is sent back. When the generator returns, its value is the result. Exchanges do no I/O, so tests
drive them by hand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator, Mapping
from datetime import datetime
from typing import Generic, TypeAlias, TypeVar, cast

import attrs

T = TypeVar("T")


@attrs.frozen
class Call:
    """One API call that the core asks its driver to make.

    Args:
        operation: The API operation's name, for example ``InitiateAuth``.
        parameters: Its input, as boto3 takes it.
    """

    operation: str
    parameters: Mapping[str, object] = attrs.field(repr=False)


@attrs.frozen
class Response:
    """The response to a `Call`.

    Args:
        data: The operation's output, as boto3 returns it.
        date: When the service answered, by its own clock (the Date header), if it sent one.
    """

    data: Mapping[str, object] = attrs.field(repr=False)
    date: datetime | None = None


@attrs.define(eq=False)
class Wait(Generic[T]):
    """An awaitable of the application's that the core asks its driver to await.

    It keeps its own result, as a future does, so that an exchange is sent nothing but responses.

    Args:
        awaitable: For example what an asynchronous store's method returned.
    """

    awaitable: Awaitable[T] = attrs.field(repr=False)
    _result: T | None = attrs.field(default=None, init=False, repr=False)
    _error: Exception | None = attrs.field(default=None, init=False)

    async def run(self) -> None:
        """Await it, and keep the result or the exception."""
        try:
            self._result = await self.awaitable
        except Exception as error:  # noqa: BLE001 - the exchange decides what an application's error means
            self._error = error

    def result(self) -> T:
        """Return the result, or raise the exception."""
        if self._error is not None:
            raise self._error
        return cast("T", self._result)


Exchange: TypeAlias = Generator[Call | Wait[object], Response, T]
"""A generator that yields calls, is sent responses or thrown typed errors, and returns its result. A `Wait`
is sent nothing: it is resumed when its awaitable is done."""


def settled(value: T | Awaitable[T]) -> Exchange[T]:
    """Return what an application's method returned, awaited if it is an awaitable.

    Args:
        value: What the method returned: a value, or an awaitable if the method is asynchronous.
    """
    if not isinstance(value, Awaitable):
        return value
    wait = Wait(cast("Awaitable[T]", value))
    yield cast("Wait[object]", wait)
    return wait.result()
