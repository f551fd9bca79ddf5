"""A user pool as a test holds it.

Rule of this file: pools and app clients are made through the wire, as on AWS. Users are put in place
directly, as an import would, so that a test may give them any state and any password.
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import attrs
from botocore import xform_name

from cognito_flow.models import AppClient, System
from cognito_flow.testing._operations import validation
from cognito_flow.testing._reachable import ReachableService
from cognito_flow.testing._state.attributes import claim_aliases
from cognito_flow.testing._state.passwords import set_password
from cognito_flow.testing._state.records import User, UserPool
from cognito_flow.testing._state.refusal import Refusal
from cognito_flow.testing._state.totp import PERIOD, new_secret, totp_code
from cognito_flow.testing._state.triggers import Triggers

if TYPE_CHECKING:
    from cognito_flow.flow import AsyncAuthFlow, AuthFlow
    from cognito_flow.handlers import NamedHandler
    from cognito_flow.models import Event, UserContext
    from cognito_flow.stores import AsyncDeviceStore, AsyncTokenStore, DeviceStore, TokenStore
    from cognito_flow.tokens.keys import Fetch
    from cognito_flow.tokens.verifier import AsyncCheck, AsyncTokenVerifier, Check, TokenVerifier

ALL_FLOWS = (
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_CUSTOM_AUTH",
    "ALLOW_USER_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
)
"""ExplicitAuthFlows that allow everything."""


def _members_of(operation: str, given: Mapping[str, object]) -> dict[str, object]:
    """Those of the keywords that are members of an operation, spelled as there."""
    names = {xform_name(name): name for name in validation.members(operation)}
    return {names[key]: value for key, value in given.items() if key in names}


def _check_known(given: Mapping[str, object], *found: Mapping[str, object]) -> None:
    known = {xform_name(name) for members in found for name in members}
    if unknown := sorted(set(given) - known):
        raise TypeError(f"Cognito has no such setting: {', '.join(unknown)}")


class _SharedFlowOptions(TypedDict, total=False):
    """The keywords that `AuthFlow` and `AsyncAuthFlow` share."""

    admin: bool
    handlers: Sequence[type[NamedHandler]]
    seal_keys: Sequence[str | bytes]
    seal_max_age: int | None
    device_name: str | None
    remember_devices: bool
    metadata: Mapping[str, str] | None
    context: UserContext | None
    analytics_endpoint_id: str | None
    on_event: Callable[[Event], object] | None
    timeout: float
    system: System | None


class FlowOptions(_SharedFlowOptions, total=False):
    """The keywords of `AuthFlow`, for type checkers."""

    store: TokenStore | None
    devices: DeviceStore | None


class AsyncFlowOptions(_SharedFlowOptions, total=False):
    """The keywords of `AsyncAuthFlow`, for type checkers."""

    store: TokenStore | AsyncTokenStore | None
    devices: DeviceStore | AsyncDeviceStore | None


class _VerifierOptions(TypedDict, total=False):
    leeway: float
    fetch: Fetch | None
    timeout: float
    system: System | None


class VerifierOptions(_VerifierOptions, total=False):
    """The keywords of `TokenVerifier`, for type checkers."""

    check: Check | None


class AsyncVerifierOptions(_VerifierOptions, total=False):
    """The keywords of `AsyncTokenVerifier`, for type checkers."""

    check: AsyncCheck | None


@attrs.define
class Pool:
    """A user pool of a `LocalCognito`, made by `LocalCognito.create_pool`.

    Args:
        cognito: The `LocalCognito` that the pool is in.
        id: The pool id.
    """

    cognito: ReachableService = attrs.field(repr=False)
    id: str
    _default_app: AppClient | None = attrs.field(default=None, init=False, repr=False)

    @classmethod
    def create(cls, cognito: ReachableService, pool_name: str, members: Mapping[str, object]) -> Pool:
        """See `LocalCognito.create_pool`."""
        create, configure = (
            _members_of("CreateUserPool", members),
            _members_of("SetUserPoolMfaConfig", members),
        )
        _check_known(members, create, configure)
        # SetUserPoolMfaConfig brings the factors that make MfaConfiguration possible.
        create.pop("MfaConfiguration", None)
        api: Any = cognito.shared_client
        pool_id: str = api.create_user_pool(PoolName=pool_name, **create)["UserPool"]["Id"]
        if configure:
            api.set_user_pool_mfa_config(UserPoolId=pool_id, **configure)
        return cls(cognito, pool_id)

    @property
    def _state(self) -> UserPool:
        return self.cognito.state(self.id)

    @property
    def triggers(self) -> Triggers:
        """The pool's Lambda triggers, by name: ``pool.triggers["PreAuthentication"] =
        function_of_an_event``."""
        return self._state.triggers

    def configure(
        self,
        *,
        skew: float | None = None,
        totp_retry: bool | None = None,
        device_session_required: bool | None = None,
        confirmation_session: bool | None = None,
        admin_no_srp_auth: bool | None = None,
        issuer: str | None = None,
    ) -> None:
        """Choose how the pool behaves where reports about the real service differ.

        Args:
            skew: By how many seconds TIMESTAMP may differ from the clock; default 300.
            totp_retry: Whether a Session survives a wrong TOTP code; default True.
            device_session_required: Whether DEVICE_SRP_AUTH and DEVICE_PASSWORD_VERIFIER must be answered
                with their Session; default False.
            confirmation_session: Whether ConfirmSignUp answers with a Session even if it was sent none;
                default False.
            admin_no_srp_auth: Whether AdminInitiateAuth answers USER_SRP_AUTH with ADMIN_NO_SRP_AUTH;
                default False.
            issuer: The `iss` claim of the tokens; by default the one of AWS. Some programs expect the URL
                that they were given with the pool id: ``f"{url}/{pool.id}"``.
        """
        given = {
            "skew": skew,
            "totp_retry": totp_retry,
            "device_session_required": device_session_required,
            "confirmation_session": confirmation_session,
            "admin_no_srp_auth": admin_no_srp_auth,
            "issuer": issuer,
        }
        self._state.configure({name: value for name, value in given.items() if value is not None})

    def app_client(
        self,
        secret: bool | str = False,
        flows: Sequence[str] = ALL_FLOWS,
        client_name: str = "app",
        *,
        client_id: str | None = None,
        **members: object,
    ) -> AppClient:
        """Make an app client.

        Args:
            secret: With a client secret; or the secret itself, for programs whose settings name one.
            flows: ExplicitAuthFlows.
            client_name: ClientName.
            client_id: The id that it is to have, for programs whose settings name one; drawn if None.
            members: Further members of CreateUserPoolClient, in snake case:
                ``prevent_user_existence_errors="ENABLED"``.

        Raises:
            TypeError: There is no such member.
            ValueError: The id is in use, or Cognito has none of its form.
            botocore.exceptions.ClientError: The service refuses them.
        """
        found = _members_of("CreateUserPoolClient", members)
        _check_known(members, found)
        api: Any = self.cognito.shared_client
        made = api.create_user_pool_client(
            UserPoolId=self.id,
            ClientName=client_name,
            GenerateSecret=bool(secret),
            ExplicitAuthFlows=list(flows),
            **found,
        )["UserPoolClient"]
        record = self._state.clients[made["ClientId"]]
        if client_id is not None:
            self._rename_client(record.id, client_id)
        if isinstance(secret, str):
            record.members["ClientSecret"] = secret
        return AppClient(self.id, record.id, record.secret)

    def _rename_client(self, drawn: str, wanted: str) -> None:
        if any(wanted in self.cognito.state(pool_id).clients for pool_id in self.cognito.pool_ids()):
            raise ValueError(f"there is an app client {wanted} already")
        try:
            validation.check("DescribeUserPoolClient", {"UserPoolId": self.id, "ClientId": wanted})
        except Refusal as refusal:
            raise ValueError(f"{wanted!r} is no id of an app client: {refusal.text}") from refusal
        record = self._state.clients.pop(drawn)
        record.members["ClientId"] = wanted
        self._state.clients[wanted] = record

    def add_user(
        self,
        username: str,
        password: str | None = None,
        *,
        email: str | None = None,
        phone_number: str | None = None,
        attributes: Mapping[str, str] | None = None,
        temporary: bool = False,
        totp: bool = False,
        confirmed: bool = True,
    ) -> User:
        """Put a user in the pool. The password policy is not asked: it is for people who choose.

        Args:
            username: The user name; in pools with UsernameAttributes, the e-mail address or phone number.
            password: The password; None for a user without one.
            email: A verified e-mail address.
            phone_number: A verified phone number.
            attributes: Further attributes.
            temporary: The password must be changed at the first sign-in.
            totp: An authenticator app is enrolled and preferred; `totp` tells its codes.
            confirmed: False: the sign-up was not confirmed.

        Raises:
            ValueError: There is such a user already, by name or by an alias.
        """
        pool, now = self._state, self.cognito.clock()
        given = dict(attributes or {})
        sub = str(uuid.uuid4())
        name = pool.fold(username)
        if named := pool.members.get("UsernameAttributes"):
            name = sub
            given.setdefault("email" if "@" in username and "email" in named else "phone_number", username)
        for key, value in (("email", email), ("phone_number", phone_number)):
            if value is not None:
                given |= {key: value}
            if key in given:
                given.setdefault(f"{key}_verified", "true")
        user = User(name, sub, now, given)
        self._check_free(user)
        if password is not None:
            set_password(pool, user, password, now)
        if temporary or not confirmed:
            user.status = "FORCE_CHANGE_PASSWORD" if temporary else "UNCONFIRMED"
        pool.users[name] = user
        if totp:
            self.enrol_totp(name)
        return user

    def _check_free(self, user: User) -> None:
        if user.username in self._state.users:
            raise ValueError(f"there is a user {user.username} already")
        try:
            claim_aliases(self._state, user, by_force=False)
        except Refusal as refusal:
            raise ValueError(f"{user.username} cannot be added: {refusal.text}") from refusal

    def user(self, username: str) -> User:
        """The user with this name or alias.

        Raises:
            KeyError: There is none.
        """
        user = self._state.find(username)
        if user is None:
            raise KeyError(username)
        return user

    def enrol_totp(self, username: str, secret: str | None = None) -> str:
        """Enrol an authenticator app for a user, and prefer it.

        Args:
            username: The user.
            secret: The app's secret, base32; drawn if None.

        Returns:
            Its secret, base32.

        Raises:
            ValueError: The secret is not base32.
        """
        user, secret = self.user(username), secret or new_secret(secrets.token_bytes)
        totp_code(secret, self.cognito.clock())
        user.totp_secret, user.totp_used_step = secret, -1
        user.mfa_preferred = "SOFTWARE_TOKEN_MFA"
        user.enable_factor("SOFTWARE_TOKEN_MFA")
        return secret

    def totp(self, username: str) -> str:
        """A code of the user's authenticator app that is good now.

        Each code is good once, so where the current one was used, the clock is advanced to the next one.
        """
        user, clock = self.user(username), self.cognito.clock
        if user.totp_secret is None:
            raise KeyError(f"{username} has no authenticator app")
        step = int(clock.timestamp()) // PERIOD
        if step <= user.totp_used_step:
            clock.advance((user.totp_used_step + 1) * PERIOD - clock.timestamp())
        return totp_code(user.totp_secret, clock())

    def last_code(self, username: str) -> str:
        """The code of the newest message to a user.

        Raises:
            KeyError: There was no message.
        """
        name = self.user(username).username
        for message in reversed(self.cognito.outbox):
            if (message.pool_id, message.username) == (self.id, name):
                return message.code
        raise KeyError(f"no message was sent to {username}")

    def jwks(self) -> dict[str, object]:
        """The public keys of the pool's tokens, as ``/.well-known/jwks.json`` would show them."""
        return self._state.keys.jwks()

    @property
    def app(self) -> AppClient:
        """An app client without secret that may do everything, made when it is first asked for; and made anew
        when it is gone, deleted or put back to before it was made."""
        if self._default_app is None or self._default_app.client_id not in self._state.clients:
            self._default_app = self.app_client()
        return self._default_app

    def _system(self) -> System:
        clock = self.cognito.clock

        def pass_time(seconds: float) -> None:
            clock.advance(seconds)

        return System(now=clock, sleep=pass_time)

    def flow(self, app: AppClient | None = None, **options: Unpack[FlowOptions]) -> AuthFlow:
        """An `AuthFlow` to this pool, with the pool's clock.

        Args:
            app: The app client; `app` if None.
            options: What `AuthFlow` takes.
        """
        from cognito_flow.flow import AuthFlow

        options.setdefault("system", self._system())
        return AuthFlow(app or self.app, self.cognito.shared_client, **options)

    def async_flow(self, app: AppClient | None = None, **options: Unpack[AsyncFlowOptions]) -> AsyncAuthFlow:
        """The same for asyncio."""
        from cognito_flow.flow import AsyncAuthFlow

        options.setdefault("system", self._system())
        return AsyncAuthFlow(app or self.app, self.cognito.shared_client, **options)

    def verifier(self, app: AppClient | None = None, **options: Unpack[VerifierOptions]) -> TokenVerifier:
        """A `TokenVerifier` of this pool's tokens, with the pool's keys and clock.

        Args:
            app: The app client; `app` if None.
            options: What `TokenVerifier` takes.
        """
        from cognito_flow.tokens.verifier import TokenVerifier

        merged: VerifierOptions = {**self._verifier_options(), **options}
        return TokenVerifier(app or self.app, **merged)

    def async_verifier(
        self, app: AppClient | None = None, **options: Unpack[AsyncVerifierOptions]
    ) -> AsyncTokenVerifier:
        """The same for asyncio."""
        from cognito_flow.tokens.verifier import AsyncTokenVerifier

        merged: AsyncVerifierOptions = {**self._verifier_options(), **options}
        return AsyncTokenVerifier(app or self.app, **merged)

    def _verifier_options(self) -> _VerifierOptions:
        return {"fetch": self._fetch_keys, "system": System(now=self.cognito.clock)}

    def _fetch_keys(self, _url: str) -> bytes:
        return json.dumps(self.jwks()).encode()
