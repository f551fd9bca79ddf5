"""One turn of a sign-in: the flow's settings, the state that lives for one call of `start` or `send`, and
what every call carries.

Rule of this file: it is the one place that adds USERNAME, SECRET_HASH, DEVICE_KEY, the Session and the
metadata to a call, and the one place that finds and drops a device. It does no I/O of its own: it yields
calls, and uses the store and the clock that were passed in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import attrs

from cognito_flow._checks import check_text
from cognito_flow._events import notify
from cognito_flow._exchange import Call, Exchange, Response, settled
from cognito_flow.errors import DeviceForgotten, ServiceError, UsageError, device_forgotten
from cognito_flow.handlers.base import NamedHandler
from cognito_flow.handlers.pending import Pending
from cognito_flow.models import AppClient, Device, Event, EventKind, System, UserContext, need_pool_id

if TYPE_CHECKING:  # they load arithmetic and encryption, which are slow to import
    from cognito_flow._srp import Ephemeral
    from cognito_flow.stores import AsyncDeviceStore, AsyncTokenStore, DeviceStore, TokenStore

T = TypeVar("T")

TIMEOUT = 30.0
"""How long a turn may take, in seconds, unless the flow says otherwise."""

# The Date header has a resolution of a second and may be that old; below this, the local clock is the better
# one. Cognito itself tolerates about five minutes.
_SKEW_TO_CORRECT = timedelta(seconds=30)


@attrs.frozen(kw_only=True)
class Settings:
    """The arguments of `AuthFlow` that are the same for every sign-in through one flow."""

    app: AppClient
    admin: bool = False
    handlers: tuple[type[NamedHandler], ...] = ()
    store: TokenStore | AsyncTokenStore | None = None
    devices: DeviceStore | AsyncDeviceStore | None = None
    device_name: str | None = None
    remember_devices: bool = False
    metadata: Mapping[str, str] | None = attrs.field(default=None, repr=False)
    context: UserContext | None = None
    analytics_endpoint_id: str | None = None
    on_event: Callable[[Event], object] | None = None
    system: System = System()


@attrs.define(kw_only=True)
class Turn:
    """The state of one call of `start` or `send`. It ends with the turn, and the secrets with it.

    Args:
        settings: The flow's settings.
        device: The device to sign in with.
        username: The name to send as USERNAME.
        alias: The name that the user typed.
        refresh_token: The refresh token to keep if Cognito returns none.
        password: The password to prove by SRP.
        ephemeral: The secret number behind the SRP_A that was sent.
        is_answered: Whether a call of this turn has succeeded, so that the answer it began with is used up.
    """

    settings: Settings
    device: Device | None = None
    username: str = ""
    alias: str | None = None
    refresh_token: str | None = attrs.field(default=None, repr=False)
    password: str | None = attrs.field(default=None, init=False, repr=False)
    ephemeral: Ephemeral | None = attrs.field(default=None, init=False, repr=False)
    is_answered: bool = attrs.field(default=False, init=False)
    _device_is_dropped: bool = attrs.field(default=False, init=False)
    _skew: timedelta = attrs.field(default=timedelta(0), init=False)

    @property
    def app(self) -> AppClient:
        """The app client that the user signs in to."""
        return self.settings.app

    # -- calls --

    def call(self, operation: str, parameters: Mapping[str, object]) -> Exchange[Response]:
        """Make one call, and measure how far the service's clock is from the local one."""
        response = yield Call(operation, parameters)
        self.is_answered = True
        if response.date is not None:
            self._skew = response.date - self.settings.system.now()
        return response

    def initiate(
        self,
        auth_flow: str,
        username: str,
        parameters: Mapping[str, str],
        *,
        session: str | None = None,
        with_device: bool = True,
    ) -> Exchange[Response]:
        """Call InitiateAuth, or AdminInitiateAuth.

        Args:
            auth_flow: The AuthFlow.
            username: The name that the user typed.
            parameters: AuthParameters, without SECRET_HASH and DEVICE_KEY.
            session: The Session of a confirmed sign-up.
            with_device: Whether to look up the user's remembered device.
        """
        self.username = self.alias = username
        if with_device:
            yield from self.find_device(username)
        request: dict[str, object] = {
            "AuthFlow": auth_flow,
            "AuthParameters": {**self._common(), **parameters},
        }
        if session is not None:
            request["Session"] = session
        return (yield from self._authenticate("InitiateAuth", request))

    def respond(
        self, pending: Pending, responses: Mapping[str, str], *, session: str | None = None
    ) -> Exchange[Response]:
        """Call RespondToAuthChallenge, or AdminRespondToAuthChallenge.

        If Cognito has forgotten the device, it is dropped, and the answer is sent once more without it.

        Args:
            pending: The challenge that is answered.
            responses: ChallengeResponses, without USERNAME, SECRET_HASH and DEVICE_KEY.
            session: A newer Session than the pending one.
        """
        try:
            return (yield from self.respond_once(pending, responses, session=session))
        except DeviceForgotten:
            if self.device is None:
                raise
            yield from self.drop_device()
            return (yield from self.respond_once(pending, responses, session=session))

    def respond_once(
        self, pending: Pending, responses: Mapping[str, str], *, session: str | None = None
    ) -> Exchange[Response]:
        """Call RespondToAuthChallenge, as `respond` does, with an answer that needs the device."""
        request: dict[str, object] = {
            "ChallengeName": pending.name,
            "ChallengeResponses": {"USERNAME": self.username, **self._common(), **responses},
        }
        if (newest := session or pending.session) is not None:
            request["Session"] = newest
        return (yield from self._authenticate("RespondToAuthChallenge", request))

    def call_for_client(self, operation: str, parameters: Mapping[str, object]) -> Exchange[Response]:
        """Call an operation for users who are not signed in, such as SignUp. It has no Admin form.

        Args:
            operation: The operation.
            parameters: Its input, without Username, SecretHash and what the settings add.

        Raises:
            InvalidInput: The user name is empty.
        """
        request: dict[str, object] = {"Username": check_text("the user name", self.username), **parameters}
        if (secret_hash := self.app.secret_hash(self.username)) is not None:
            request["SecretHash"] = secret_hash
        request |= self._client_members()
        if (context := self.settings.context) is not None:
            request["UserContextData"] = _user_context_data(context)
        return (yield from self.call(operation, request))

    def client_metadata(self) -> dict[str, object]:
        """Return the member ClientMetadata, if there is anything to put into it."""
        metadata = self.settings.metadata
        return {"ClientMetadata": dict(metadata)} if metadata else {}

    def authenticated_client(self) -> dict[str, object]:
        """Return the app client for the operations that take the client secret itself."""
        secret = self.app.client_secret
        return {"ClientId": self.app.client_id, **({} if secret is None else {"ClientSecret": secret})}

    def _client_members(self) -> dict[str, object]:
        """Return what every operation that names the app client carries."""
        members = {"ClientId": self.app.client_id, **self.client_metadata()}
        if self.settings.analytics_endpoint_id is not None:
            members["AnalyticsMetadata"] = {"AnalyticsEndpointId": self.settings.analytics_endpoint_id}
        return members

    def _common(self) -> dict[str, str]:
        """Return what all AuthParameters and ChallengeResponses carry. The hash is over the USERNAME beside
        it."""
        common: dict[str, str] = {}
        if (secret_hash := self.app.secret_hash(self.username)) is not None:
            common["SECRET_HASH"] = secret_hash
        if self.device is not None:
            common["DEVICE_KEY"] = self.device.key
        return common

    def _authenticate(self, operation: str, request: dict[str, object]) -> Exchange[Response]:
        """Call InitiateAuth or RespondToAuthChallenge.

        Raises:
            DeviceForgotten: A device was sent, and Cognito does not say what is missing. Amazon's own clients
                for Android, iOS and Flutter drop the device then.
        """
        try:
            return (yield from self.call(*self._authentication_call(operation, request)))
        except ServiceError as error:
            is_unnamed = type(error) is ServiceError and error.code == "ResourceNotFoundException"
            if self.device is None or not is_unnamed:
                raise
            raise device_forgotten(error) from error

    def _authentication_call(
        self, operation: str, request: dict[str, object]
    ) -> tuple[str, dict[str, object]]:
        request |= self._client_members()
        context = self.settings.context
        if not self.settings.admin:
            if context is not None:
                request["UserContextData"] = _user_context_data(context)
            return operation, request
        request["UserPoolId"] = need_pool_id(self.app)
        if context is not None:
            request["ContextData"] = _context_data(context)
        return f"Admin{operation}", request

    # -- SRP --

    def begin_srp(self, password: str | None) -> str:
        """Draw the numbers of an SRP exchange, and keep what its second half needs.

        Args:
            password: The user's password; None for the device's own exchange.

        Returns:
            SRP_A, in hexadecimal.

        Raises:
            UsageError: The password's proof needs the pool's id, and the app client has none.
        """
        from cognito_flow._srp import Ephemeral

        if password is not None:
            need_pool_id(self.app)  # the proof contains it: refused before anything is sent
        self.password = password
        self.ephemeral = Ephemeral.draw(self.settings.system.random_bytes)
        return self.ephemeral.srp_a

    def service_time(self) -> datetime:
        """Return the time by Cognito's clock if it is known to differ from the local one, else the local
        time."""
        now = self.settings.system.now()
        return now if abs(self._skew) < _SKEW_TO_CORRECT else now + self._skew

    # -- devices and events --

    def find_device(self, username: str) -> Exchange[None]:
        """Load this user's device from the store, unless this turn has one or has dropped it."""
        if self.device is None and not self._device_is_dropped:
            self.device = yield from self._stored(
                "device_not_loaded", lambda devices: devices.get_device(self.app, username)
            )

    def store_device(self, device: Device) -> Exchange[None]:
        """Keep the device under the user's name and the alias that was typed."""
        yield from self._stored(
            "device_not_stored",
            lambda devices: devices.put_device(self.app, self.username, device, alias=self.alias),
        )

    def store_alias(self, device: Device) -> Exchange[None]:
        """Let the store find the device by the alias that was typed, too."""
        if (alias := self.alias) is None:
            return
        found = yield from self._stored(
            "device_not_loaded", lambda devices: devices.get_device(self.app, alias)
        )
        if found is None:
            yield from self.store_device(device)

    def _stored(
        self,
        failure: EventKind,
        operation: Callable[[DeviceStore | AsyncDeviceStore], T | Awaitable[T]],
    ) -> Exchange[T | None]:
        """Call the store of devices, if there is one. A failure must not cost the sign-in, so it is only
        reported as an event."""
        if self.settings.devices is None:
            return None
        try:
            return (yield from settled(operation(self.settings.devices)))
        except Exception as error:  # noqa: BLE001 - an application's store may raise anything
            self.emit(Event(kind=failure, error=type(error).__name__))
            return None

    def drop_device(self) -> Exchange[None]:
        """Forget the device of this turn, because Cognito has forgotten it."""
        dropped, self.device = self.device, None
        if dropped is None or self._device_is_dropped:
            return
        self._device_is_dropped = True
        yield from self.delete_device(dropped.key)
        self.emit(Event(kind="device_forgotten"))

    def delete_device(self, key: str | None) -> Exchange[bool]:
        """Delete the user's device from the store if it has this key; None: whatever its key is.

        The store may hold another device than the one that Cognito has forgotten: `start` takes one, and
        another process may have signed in since.

        Returns:
            Whether the store had it.
        """
        found = yield from self._stored(
            "device_not_deleted", lambda devices: devices.get_device(self.app, self.username)
        )
        if found is None or key not in (None, found.key):
            return False
        yield from self._stored(
            "device_not_deleted", lambda devices: devices.delete_device(self.app, self.username)
        )
        return True

    def emit(self, event: Event) -> None:
        """Notify the flow's listener."""
        notify(self.settings.on_event, event)


def _user_context_data(context: UserContext) -> dict[str, str]:
    data = {"IpAddress": context.ip, "EncodedData": context.encoded_data}
    return {name: value for name, value in data.items() if value is not None}


def _context_data(context: UserContext) -> dict[str, object]:
    if context.ip is None or context.server_name is None or context.server_path is None:
        raise UsageError("Admin operations need a UserContext with ip, server_name and server_path")
    data: dict[str, object] = {
        "IpAddress": context.ip,
        "ServerName": context.server_name,
        "ServerPath": context.server_path,
        "HttpHeaders": [{"headerName": name, "headerValue": value} for name, value in context.headers],
    }
    if context.encoded_data is not None:
        data["EncodedData"] = context.encoded_data
    return data
