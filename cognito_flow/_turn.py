"""One turn of a sign-in in motion: the flow's settings, what is in hand, and what every call carries.

Rule of this file: it is the one place that adds USERNAME, SECRET_HASH, DEVICE_KEY, the Session and the
metadata to a call, and the one place that drops a device. It does no I/O: it yields calls, and asks the store
and the clock that it was given.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import attrs

from cognito_flow import _srp
from cognito_flow._events import notify
from cognito_flow._exchange import Call, Exchange, Response, settled
from cognito_flow.errors import DeviceForgotten, IncorrectPassword, UnexpectedResponse, UsageError
from cognito_flow.handlers.base import check_text
from cognito_flow.handlers.pending import Pending
from cognito_flow.models import AppClient, Device, Event, System, UserContext
from cognito_flow.stores import AsyncDeviceStore, AsyncTokenStore, DeviceStore, TokenStore

if TYPE_CHECKING:
    from cognito_flow.handlers import Challenge

__all__ = ["Settings", "Turn"]

T = TypeVar("T")

# Cognito's own tolerance is about five minutes; what comes near it is worth a word.
_SKEW_WORTH_TELLING = timedelta(minutes=4)


@attrs.frozen(kw_only=True)
class Settings:
    """What is the same for every sign-in through one flow. The arguments are those of `AuthFlow`."""

    app: AppClient
    admin: bool = False
    handlers: tuple[type[Challenge], ...] = ()
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
    """What one call of `start` or `send` has in hand. It ends with the turn, and the secrets with it.

    Args:
        settings: The flow's settings.
        device: The device to sign in with.
        username: The name to send as USERNAME.
        alias: What the person typed.
        refresh_token: The one to keep if Cognito gives none.
    """

    settings: Settings
    device: Device | None = None
    username: str = ""
    alias: str | None = None
    refresh_token: str | None = attrs.field(default=None, repr=False)
    _password: str | None = attrs.field(default=None, init=False, repr=False)
    _ephemeral: _srp.Ephemeral | None = attrs.field(default=None, init=False, repr=False)
    _device_is_dropped: bool = attrs.field(default=False, init=False)
    _skew: timedelta = attrs.field(default=timedelta(0), init=False)

    # -- calls --

    def call(self, operation: str, parameters: Mapping[str, object]) -> Exchange[Response]:
        """Make one call, and notice how far the service's clock is from ours."""
        response = yield Call(operation, parameters)
        if response.date is not None:
            self._skew = response.date - self.settings.system.now()
        return response

    def initiate(
        self, auth_flow: str, parameters: Mapping[str, str], *, session: str | None = None
    ) -> Exchange[Response]:
        """InitiateAuth, or AdminInitiateAuth.

        Args:
            auth_flow: The AuthFlow.
            parameters: AuthParameters, without SECRET_HASH and DEVICE_KEY.
            session: The Session of a confirmed sign-up.
        """
        request: dict[str, object] = {
            "AuthFlow": auth_flow,
            "AuthParameters": {**self._common(), **parameters},
        }
        if session is not None:
            request["Session"] = session
        return (yield from self.call(*self._authentication_call("InitiateAuth", request)))

    def respond(
        self, pending: Pending, responses: Mapping[str, str], *, session: str | None = None
    ) -> Exchange[Response]:
        """RespondToAuthChallenge, or AdminRespondToAuthChallenge.

        A device that Cognito forgot is dropped, and the answer sent once more without it.

        Args:
            pending: What is answered.
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
        """The same, for an answer that cannot do without the device."""
        request: dict[str, object] = {
            "ChallengeName": pending.name,
            "ChallengeResponses": {"USERNAME": self.username, **self._common(), **responses},
        }
        if (newest := session or pending.session) is not None:
            request["Session"] = newest
        return (yield from self.call(*self._authentication_call("RespondToAuthChallenge", request)))

    def call_for_client(self, operation: str, parameters: Mapping[str, object]) -> Exchange[Response]:
        """An operation for people who are not signed in, such as SignUp. It has no Admin form.

        Args:
            operation: The operation.
            parameters: Its input, without Username, SecretHash and what the settings add.

        Raises:
            UsageError: The user name is empty.
        """
        request: dict[str, object] = {"Username": check_text("the user name", self.username), **parameters}
        if (secret_hash := self.settings.app.secret_hash(self.username)) is not None:
            request["SecretHash"] = secret_hash
        request |= self._client_members()
        if (context := self.settings.context) is not None:
            request["UserContextData"] = _user_context_data(context)
        return (yield from self.call(operation, request))

    def client_metadata(self) -> dict[str, object]:
        """The member ClientMetadata, if there is anything to put into it."""
        metadata = self.settings.metadata
        return {"ClientMetadata": dict(metadata)} if metadata else {}

    def _client_members(self) -> dict[str, object]:
        """What every operation that names the app client carries."""
        members = {"ClientId": self.settings.app.client_id, **self.client_metadata()}
        if self.settings.analytics_endpoint_id is not None:
            members["AnalyticsMetadata"] = {"AnalyticsEndpointId": self.settings.analytics_endpoint_id}
        return members

    def _common(self) -> dict[str, str]:
        """What all AuthParameters and ChallengeResponses carry. The hash is over the USERNAME beside it."""
        common: dict[str, str] = {}
        if (secret_hash := self.settings.app.secret_hash(self.username)) is not None:
            common["SECRET_HASH"] = secret_hash
        if self.device is not None:
            common["DEVICE_KEY"] = self.device.key
        return common

    def _authentication_call(
        self, operation: str, request: dict[str, object]
    ) -> tuple[str, dict[str, object]]:
        settings = self.settings
        request |= self._client_members()
        context = settings.context
        if not settings.admin:
            if context is not None:
                request["UserContextData"] = _user_context_data(context)
            return operation, request
        request["UserPoolId"] = settings.app.pool_id
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
        """
        self._password = password
        self._ephemeral = _srp.Ephemeral.draw(self.settings.system.random_bytes)
        return self._ephemeral.srp_a

    def prove_password(self, pending: Pending) -> Exchange[Response]:
        """Answer PASSWORD_VERIFIER with the password of this turn.

        Raises:
            UnexpectedResponse: Cognito asks for a proof although no SRP_A was sent in this turn.
            IncorrectPassword: With a hint if the clocks differ so much that this may be the reason.
        """
        if self._password is None:
            raise UnexpectedResponse(
                f"{pending.name} came, but no password is in hand: start again with a password"
            )
        identity = _srp.Identity(self.settings.app.pool_name, pending.need("USER_ID_FOR_SRP"), self._password)
        try:
            return (yield from self.respond(pending, self._claim(identity, pending)))
        except IncorrectPassword as error:
            error.hint = self._skew_hint()
            raise

    def prove_device(self, pending: Pending) -> Exchange[Response]:
        """Answer DEVICE_PASSWORD_VERIFIER with the device's secret.

        Raises:
            DeviceForgotten: Cognito does not know the device, or refused its secret. It has been dropped.
        """
        device = self.need_device(pending)
        identity = _srp.Identity(device.group_key, device.key, device.secret)
        try:
            return (yield from self.respond_once(pending, self._claim(identity, pending)))
        except IncorrectPassword as error:
            raise DeviceForgotten(
                "Cognito refused the secret of this device: start again without the device",
                code=error.code,
                operation=error.operation,
                request_id=error.request_id,
            ) from error

    def _claim(self, identity: _srp.Identity, pending: Pending) -> dict[str, str]:
        if self._ephemeral is None:
            raise UnexpectedResponse(f"{pending.name} came, but no SRP_A was sent in this turn")
        claim = _srp.sign_claim(
            identity,
            self._ephemeral,
            salt=pending.need("SALT"),
            srp_b=pending.need("SRP_B"),
            secret_block=pending.need("SECRET_BLOCK"),
            moment=self.settings.system.now(),
        )
        return claim.responses()

    def _skew_hint(self) -> str | None:
        if abs(self._skew) < _SKEW_WORTH_TELLING:
            return None
        minutes = round(abs(self._skew).total_seconds() / 60)
        direction = "behind" if self._skew > timedelta(0) else "ahead of"
        clock = f"this machine's clock is {minutes} minutes {direction} Cognito's"
        return f"{clock}, and SRP signs the time: set the clock"

    # -- devices and events --

    def find_device(self, username: str) -> Exchange[None]:
        """Load this user's device from the store, unless this turn has one or has dropped it."""
        if self.device is None and not self._device_is_dropped:
            self.device = yield from self._stored(
                "device_not_loaded", lambda devices: devices.get_device(self.settings.app, username)
            )

    def store_device(self, device: Device) -> Exchange[None]:
        """Keep the device under the user's name and the alias that was typed."""
        yield from self._stored(
            "device_not_stored",
            lambda devices: devices.put_device(self.settings.app, self.username, device, alias=self.alias),
        )

    def store_alias(self, device: Device) -> Exchange[None]:
        """Let the store find the device by the alias that was typed, too."""
        if (alias := self.alias) is None:
            return
        found = yield from self._stored(
            "device_not_loaded", lambda devices: devices.get_device(self.settings.app, alias)
        )
        if found is None:
            yield from self.store_device(device)

    def _stored(
        self,
        failure: str,
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

    def need_device(self, pending: Pending) -> Device:
        """The device of this turn.

        Raises:
            UnexpectedResponse: There is none, so Cognito was never told of one.
        """
        if self.device is None:
            raise UnexpectedResponse(f"{pending.name} came, but this sign-in has no device")
        return self.device

    def drop_device(self) -> Exchange[None]:
        """Forget the device here, because Cognito has forgotten it."""
        self.device = None
        if self._device_is_dropped:
            return
        self._device_is_dropped = True
        yield from self._stored(
            "device_not_deleted",
            lambda devices: devices.delete_device(self.settings.app, self.username),
        )
        self.emit(Event(kind="device_forgotten"))

    def emit(self, event: Event) -> None:
        """Tell the flow's listener."""
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
