"""A user pool as a test uses it.

Rule of this file: pools and app clients are created by calls in the wire format, as on AWS. Users are stored
directly, as by an import, so that a test can give them any state and any password.
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
from cognito_flow.testing._doors.in_process import call
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
    from cognito_flow.testing._members import AppClientMembers
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
"""ExplicitAuthFlows that allow every flow of users."""


def _members_of(operation: str, given: Mapping[str, object]) -> dict[str, object]:
    """The keywords that are members of an operation, spelled as there."""
    names = {xform_name(name): name for name in validation.members(operation)}
    return {names[key]: value for key, value in given.items() if key in names}


def _check_known(given: Mapping[str, object], *found: Mapping[str, object]) -> None:
    known = {xform_name(name) for members in found for name in members}
    if unknown := sorted(set(given) - known):
        raise TypeError(f"unknown setting of Cognito: {', '.join(unknown)}")


def _check_secret(secret: str) -> None:
    """Refuse a client secret that operations which take one would refuse.

    Not by CreateUserPoolClient: in older service models it does not take one.
    """
    try:
        validation.check("RevokeToken", {"Token": "any", "ClientId": "any", "ClientSecret": secret})
    except Refusal as refusal:
        raise ValueError(f"the client secret is not valid: {refusal.text}") from refusal


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

    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse", email="alice@example.com")
    >>> app = pool.app_client(secret=True, prevent_user_existence_errors="ENABLED")
    >>> pool.flow(app).start(UserSrpAuth("alice", "correct horse")).username
    'alice'
    """

    cognito: ReachableService = attrs.field(repr=False)
    id: str
    _default_app: AppClient | None = attrs.field(default=None, init=False, repr=False)

    @classmethod
    def create(
        cls, cognito: ReachableService, pool_name: str, region: str, members: Mapping[str, object]
    ) -> Pool:
        """See `LocalCognito.create_pool`."""
        create, configure = (
            _members_of("CreateUserPool", members),
            _members_of("SetUserPoolMfaConfig", members),
        )
        _check_known(members, create, configure)
        # SetUserPoolMfaConfig brings the factors that make MfaConfiguration possible.
        create.pop("MfaConfiguration", None)
        made = call(cognito, "CreateUserPool", {"PoolName": pool_name, **create}, region=region)
        pool_id: str = made["UserPool"]["Id"]
        if configure:
            call(cognito, "SetUserPoolMfaConfig", {"UserPoolId": pool_id, **configure})
        return cls(cognito, pool_id)

    @property
    def _state(self) -> UserPool:
        return self.cognito.state(self.id)

    @property
    def triggers(self) -> Triggers:
        """The pool's Lambda triggers by name: ``pool.triggers["PreAuthentication"] = function``, which takes
        the event and returns it."""
        return self._state.triggers

    def configure(
        self,
        *,
        skew: float | None = None,
        totp_retry: bool | None = None,
        device_session_required: bool | None = None,
        confirmation_session: bool | None = None,
        admin_no_srp_auth: bool | None = None,
        exchange_trigger: str | None = None,
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
            exchange_trigger: The triggerSource of the pre token generation trigger at a token exchange, which
                is not published; default ``TokenGeneration_TokenExchange``. An empty one keeps the trigger
                from running.
            issuer: The `iss` claim of the tokens; by default the one of AWS. Some programs expect the URL
                that they were given with the pool id: ``f"{url}/{pool.id}"``.
        """
        given = {
            "skew": skew,
            "totp_retry": totp_retry,
            "device_session_required": device_session_required,
            "confirmation_session": confirmation_session,
            "admin_no_srp_auth": admin_no_srp_auth,
            "exchange_trigger": exchange_trigger,
            "issuer": issuer,
        }
        self._state.configure({name: value for name, value in given.items() if value is not None})

    def trust_provider(self, name: str, jwks: Mapping[str, object]) -> None:
        """Accept tokens of an OIDC provider in token exchanges (GetDerivedToken).

        The token's `iss` must be the provider's ``oidc_issuer``, and its `aud`, `azp` or `client_id` the
        provider's ``client_id``. Its user is the one with the user name ``<provider>_<sub>``.

        Args:
            name: The ProviderName of CreateIdentityProvider.
            jwks: The public keys of the provider, as a JSON Web Key Set: nothing is fetched.

        Raises:
            KeyError: The pool has no such provider.
        """
        if name not in self._state.identity_providers:
            raise KeyError(name)
        self._state.provider_keys[name] = dict(jwks)

    def app_client(
        self,
        secret: bool | str = False,
        flows: Sequence[str] = ALL_FLOWS,
        client_name: str = "app",
        *,
        client_id: str | None = None,
        **members: Unpack[AppClientMembers],
    ) -> AppClient:
        """Create an app client.

        Args:
            secret: Whether it has a client secret; or the secret itself, for programs whose settings name
                one: 24 to 64 letters, digits, ``_`` and ``+``, as Cognito requires.
            flows: ExplicitAuthFlows.
            client_name: ClientName.
            client_id: The client id, for programs whose settings name one; random if None.
            members: Further members of CreateUserPoolClient, in snake case:
                ``prevent_user_existence_errors="ENABLED"``.

        Raises:
            TypeError: There is no such member.
            ValueError: The id is in use, or is not a valid client id; or the secret is not a valid one.
            botocore.exceptions.ClientError: The service refuses the members.
        """
        found = _members_of("CreateUserPoolClient", members)
        _check_known(members, found)
        if isinstance(secret, str):
            _check_secret(secret)
        request = {
            "UserPoolId": self.id,
            "ClientName": client_name,
            "GenerateSecret": bool(secret),
            "ExplicitAuthFlows": list(flows),
            **found,
        }
        made = call(self.cognito, "CreateUserPoolClient", request)["UserPoolClient"]
        record = self._state.clients[made["ClientId"]]
        if client_id is not None:
            self._rename_client(record.id, client_id)
        if isinstance(secret, str):
            record.members["ClientSecret"] = secret
        return AppClient(self.id, record.id, record.secret)

    def _rename_client(self, drawn: str, wanted: str) -> None:
        if any(wanted in self.cognito.state(pool_id).clients for pool_id in self.cognito.pool_ids()):
            raise ValueError(f"an app client {wanted} exists already")
        try:
            validation.check("DescribeUserPoolClient", {"UserPoolId": self.id, "ClientId": wanted})
        except Refusal as refusal:
            raise ValueError(f"{wanted!r} is not a valid client id: {refusal.text}") from refusal
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
        """Add a user to the pool. The password policy does not apply: it is for passwords that users choose.

        Args:
            username: The user name; in pools with UsernameAttributes, the e-mail address or phone number.
            password: The password; None for a user without one.
            email: A verified e-mail address.
            phone_number: A verified phone number.
            attributes: Further attributes.
            temporary: Whether the password must be changed at the first sign-in.
            totp: Whether an authenticator app is enrolled and preferred; `Pool.totp` returns its codes.
            confirmed: Whether the sign-up was confirmed.

        Raises:
            ValueError: A user with this name or alias exists already.
        """
        pool, now = self._state, self.cognito.clock()
        given = dict(attributes or {})
        sub = str(uuid.uuid4())
        name = pool.normalize(username)
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
            raise ValueError(f"a user {user.username} exists already")
        try:
            claim_aliases(self._state, user, by_force=False)
        except Refusal as refusal:
            raise ValueError(f"{user.username} cannot be added: {refusal.text}") from refusal

    def user(self, username: str) -> User:
        """The user with this name or alias.

        Raises:
            KeyError: There is no such user.
        """
        user = self._state.find(username)
        if user is None:
            raise KeyError(username)
        return user

    def enrol_totp(self, username: str, secret: str | None = None) -> str:
        """Enrol an authenticator app for a user and prefer it.

        Args:
            username: The user.
            secret: The app's secret, base32; random if None.

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
        """Return a code of the user's authenticator app that is valid now.

        Each code is valid once: if the current one was used, the clock is advanced to the next one.

        Raises:
            KeyError: The user has no authenticator app.
        """
        user, clock = self.user(username), self.cognito.clock
        if user.totp_secret is None:
            raise KeyError(f"{username} has no authenticator app")
        step = int(clock.timestamp()) // PERIOD
        if step <= user.totp_used_step:
            clock.advance((user.totp_used_step + 1) * PERIOD - clock.timestamp())
        return totp_code(user.totp_secret, clock())

    def last_code(self, username: str) -> str:
        """Return the code of the newest message to a user.

        Raises:
            KeyError: No message was sent to the user.
        """
        name = self.user(username).username
        for message in reversed(self.cognito.outbox):
            if (message.pool_id, message.username) == (self.id, name):
                return message.code
        raise KeyError(f"no message was sent to {username}")

    def jwks(self) -> dict[str, object]:
        """Return the public keys of the pool's tokens, as ``/.well-known/jwks.json`` shows them."""
        return self._state.keys.jwks()

    @property
    def app(self) -> AppClient:
        """An app client without secret and with all flows. It is created when it is first used, and again if
        it was deleted or a snapshot without it was restored."""
        if self._default_app is None or self._default_app.client_id not in self._state.clients:
            self._default_app = self.app_client()
        return self._default_app

    def _system(self) -> System:
        clock = self.cognito.clock

        def pass_time(seconds: float) -> None:
            clock.advance(seconds)

        return System(now=clock, sleep=pass_time)

    def flow(self, app: AppClient | None = None, **options: Unpack[FlowOptions]) -> AuthFlow:
        """Return an `AuthFlow` for this pool, with the pool's clock.

        Args:
            app: The app client; `app` if None.
            options: The keywords of `AuthFlow`.
        """
        from cognito_flow.flow import AuthFlow

        options.setdefault("system", self._system())
        return AuthFlow(app or self.app, self.cognito.shared_client(self._state.region), **_checked(options))

    def async_flow(self, app: AppClient | None = None, **options: Unpack[AsyncFlowOptions]) -> AsyncAuthFlow:
        """Return the same for asyncio."""
        from cognito_flow.flow import AsyncAuthFlow

        options.setdefault("system", self._system())
        return AsyncAuthFlow(
            app or self.app, self.cognito.shared_client(self._state.region), **_checked(options)
        )

    def verifier(self, app: AppClient | None = None, **options: Unpack[VerifierOptions]) -> TokenVerifier:
        """Return a `TokenVerifier` for this pool's tokens, with the pool's keys and clock.

        Args:
            app: The app client; `app` if None.
            options: The keywords of `TokenVerifier`.
        """
        from cognito_flow.tokens.verifier import TokenVerifier

        merged: VerifierOptions = {**self._verifier_options(), **options}
        return TokenVerifier(app or self.app, **merged)

    def async_verifier(
        self, app: AppClient | None = None, **options: Unpack[AsyncVerifierOptions]
    ) -> AsyncTokenVerifier:
        """Return the same for asyncio."""
        from cognito_flow.tokens.verifier import AsyncTokenVerifier

        merged: AsyncVerifierOptions = {**self._verifier_options(), **options}
        return AsyncTokenVerifier(app or self.app, **merged)

    def _verifier_options(self) -> _VerifierOptions:
        return {"fetch": self._fetch_keys, "system": System(now=self.cognito.clock)}

    def _fetch_keys(self, _url: str) -> bytes:
        return json.dumps(self.jwks()).encode()


def _checked(options: FlowOptions | AsyncFlowOptions) -> dict[str, Any]:
    """Return options whose types were checked, for a flow that refuses unknown ones by their type."""
    return {**options}
