"""AuthFlow and AsyncAuthFlow: an application creates one of them and signs all its users in with it.

Rule of this file: a public method is one line over a shared exchange. Code that both classes share is in
`_Flow`. No class of a challenge is named.
"""

from __future__ import annotations

import copy
import difflib
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, Never, Self, TypeAlias, TypeVar, cast

import attrs

from cognito_flow import _engine, _refresh
from cognito_flow._answered import AnsweredSessions
from cognito_flow._checks import check_mapping, check_names, check_text, check_timeout
from cognito_flow._derive import DerivedToken, IssuedTokenType, ProviderToken, derive
from cognito_flow._engine import Step
from cognito_flow._exchange import Exchange, settled
from cognito_flow._seal import Sealer, pending_from_json, pending_to_json
from cognito_flow._tracebacks import without_locals
from cognito_flow._turn import TIMEOUT, Settings, Turn
from cognito_flow.account import Account, AsyncAccount, _sign_up
from cognito_flow.account._authorization import async_authorization, authorization
from cognito_flow.account._exchanges import AccountExchanges
from cognito_flow.account._records import CodeDelivery, Confirmed, SignedUp
from cognito_flow.credentials import Credentials
from cognito_flow.errors import Unanswered, UsageError
from cognito_flow.handlers import Answer, Challenge, Handler, NamedHandler, Pending, read_challenge
from cognito_flow.models import AppClient, Device, Event, SignedIn, System, Tokens, UserContext
from cognito_flow.stores import AsyncDeviceStore, AsyncTokenStore, DeviceStore, TokenStore
from cognito_flow.tokens.source import AsyncTokenSource, TokenSource, TokenState, begin_with

if TYPE_CHECKING:
    from cognito_flow._transport.drivers import AsyncDriver, Driver

__all__ = ["Ask", "AsyncAsk", "AsyncAuthFlow", "AuthFlow", "Step"]

Ask: TypeAlias = Callable[[Challenge], Answer | None]
"""Returns the answer to a challenge for `AuthFlow.sign_in`, or None."""

AsyncAsk: TypeAlias = Callable[[Challenge], Awaitable[Answer | None] | Answer | None]
"""Returns the answer to a challenge for `AsyncAuthFlow.sign_in`, or None; may be a coroutine function."""

T = TypeVar("T")
_TokenStore = TypeVar("_TokenStore", bound=TokenStore | AsyncTokenStore)
_DeviceStore = TypeVar("_DeviceStore", bound=DeviceStore | AsyncDeviceStore)


@without_locals
class _Flow(Generic[_TokenStore, _DeviceStore]):
    """The shared part of both flows: the settings, and the exchanges that the public methods run."""

    def __init__(
        self,
        app: AppClient,
        client: object | None = None,
        *,
        admin: bool = False,
        handlers: Sequence[type[NamedHandler]] = (),
        seal_keys: Sequence[str | bytes] = (),
        seal_max_age: int | None = None,
        store: _TokenStore | None = None,
        devices: _DeviceStore | None = None,
        device_name: str | None = None,
        remember_devices: bool = False,
        metadata: Mapping[str, str] | None = None,
        context: UserContext | None = None,
        analytics_endpoint_id: str | None = None,
        on_event: Callable[[Event], object] | None = None,
        timeout: float = TIMEOUT,
        system: System | None = None,
        **unknown: Never,
    ) -> None:
        # Here, because these load botocore: a program that imports this class may need no flow.
        from cognito_flow._transport.clients import Clients
        from cognito_flow._transport.drivers import Transport

        _check_arguments(app, client, unknown, type(self))
        _check_methods("store", store, TokenStore)
        _check_methods("devices", devices, DeviceStore)
        _check_class("context", context, UserContext)
        system = System() if system is None else system
        self._settings = Settings(
            app=app,
            admin=admin,
            handlers=_check_handlers(handlers),
            store=store,
            devices=_devices(store, devices),
            device_name=device_name,
            remember_devices=remember_devices,
            metadata=None if metadata is None else check_mapping("metadata", metadata),
            context=context,
            analytics_endpoint_id=analytics_endpoint_id,
            on_event=on_event,
            system=system,
        )
        self._sealer = Sealer.of(app, seal_keys, seal_max_age, system.now)
        self._answered = AnsweredSessions(system.now)
        self._transport = Transport(Clients(app, client, admin), system, on_event, check_timeout(timeout))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._settings.app!r})"

    @property
    def app(self) -> AppClient:
        """The app client that users sign in to."""
        return self._settings.app

    def bind(
        self,
        *,
        metadata: Mapping[str, str] | None = None,
        context: UserContext | None = None,
        timeout: float | None = None,
    ) -> Self:
        """Return a flow for one request, which shares everything else with this one.

        Args:
            metadata: ClientMetadata for the pool's Lambda triggers, in place of the flow's; None keeps the
                flow's.
            context: What threat protection may know about the request, in place of the flow's; None keeps the
                flow's.
            timeout: How long a call of a method may take in all, in seconds; None keeps the flow's.

        Raises:
            UsageError: The timeout is not a positive number, or another argument has the wrong type.

        >>> from cognito_flow import AppClient, AuthFlow, UserContext
        >>> flow = AuthFlow(AppClient("eu-west-1_AbC123", "client-id"))
        >>> request_flow = flow.bind(context=UserContext(ip="192.0.2.1"))
        """
        _check_class("context", context, UserContext)
        settings, bound = self._settings, copy.copy(self)
        bound._settings = attrs.evolve(  # noqa: SLF001 - a copy of this very object
            settings,
            metadata=settings.metadata if metadata is None else check_mapping("metadata", metadata),
            context=settings.context if context is None else context,
        )
        if timeout is not None:
            bound._transport = attrs.evolve(self._transport, timeout=check_timeout(timeout))  # noqa: SLF001 - as above
        return bound

    def seal(self, step: Challenge | SignedUp, *, bound_to: str | None = None) -> str:
        """Encrypt a challenge or a sign-up as text for a browser or a store, until the next request.

        Only a flow with one of the same keys and the same app client can open it. Everybody who has the text
        can continue the sign-in, so bind it to the browser.

        Args:
            step: The challenge to answer later, or the sign-up to confirm later.
            bound_to: What the application knows of the browser, such as the random value of a cookie.
                `unseal` needs the same value.

        Returns:
            Text in the base64url alphabet, about 4 to 6 kB with a Session of Cognito: it fits into a hidden
            form field or a store; a cookie holds only 4 kB.

        Raises:
            UsageError: The flow has no `seal_keys`, the argument is not a challenge, or `bound_to` is empty.
        """
        _check_class("bound_to", bound_to, str)
        if bound_to == "":
            raise UsageError("bound_to is empty: give the browser a random value first")
        sealer = self._need_sealer()
        if isinstance(step, SignedUp):
            return sealer.seal("sign_up", _sign_up.signed_up_to_json(step), bound_to)
        if not isinstance(step, Handler):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
            raise UsageError(f"only a challenge or a sign-up can be sealed, not {type(step).__name__}")
        return sealer.seal("challenge", pending_to_json(step.pending), bound_to)

    def unseal(self, text: str, *, bound_to: str | None = None) -> Challenge | SignedUp:
        """Return the challenge or the sign-up that was sealed, in this or any other process.

        Args:
            text: What `seal` returned.
            bound_to: The value that it was sealed with.

        Raises:
            SealError: It is damaged, too old, or was sealed with another key, for another app client or for
                another browser.
            UsageError: The flow has no `seal_keys`, or an argument is not a str.
        """
        _check_class("bound_to", bound_to, str)
        kind, values = self._need_sealer().open(text, bound_to)
        if kind == "sign_up":
            return _sign_up.signed_up_from_json(values)
        return self._read(pending_from_json(values))

    def resume(
        self,
        name: str,
        session: str | None,
        username: str,
        parameters: Mapping[str, str] | None = None,
        available: Sequence[str] = (),
    ) -> Challenge:
        """Return the challenge that a front end kept as JSON: see `Handler.to_dict`.

        Prefer `seal`: what a front end sends back in clear text may have been changed or copied.

        Args:
            name: The ChallengeName.
            session: The Session.
            username: The user name that Cognito sent with the challenge.
            parameters: ChallengeParameters.
            available: AvailableChallenges: the first factors that Cognito offers.

        Raises:
            InvalidInput: The name, the Session or the user name is empty.
            UsageError: A value has the wrong type.
        """
        pending = Pending(
            name=check_text("the challenge name", name),
            username=check_text("the user name", username),
            session=None if session is None else check_text("the session", session),
            parameters={} if parameters is None else check_mapping("parameters", parameters),
            available=check_names("available", available),
            pool_id=self.app.pool_id,
            client_id=self.app.client_id,
            alias=username,
        )
        return self._read(pending)

    def _read(self, pending: Pending) -> Challenge:
        return cast("Challenge", read_challenge(pending, self._settings.handlers))

    def _need_sealer(self) -> Sealer:
        if self._sealer is None:
            raise UsageError(
                "this flow has no seal_keys: pass a list of secrets, for example from your settings"
            )
        return self._sealer

    def _turn(self, device: Device | None = None) -> Turn:
        return Turn(settings=self._settings, device=device)

    def _start(self, credentials: Credentials, device: Device | None) -> Exchange[Step]:
        if not isinstance(credentials, Credentials):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
            raise UsageError("pass credentials, for example UserSrpAuth(username, password)")
        _check_class("device", device, Device)
        return _engine.start(self._turn(device), credentials)

    def _token_state(
        self,
        tokens: Tokens | str,
        store: TokenStore | AsyncTokenStore | None,
        leeway: float,
        on_tokens: Callable[[Tokens], object] | None,
    ) -> TokenState:
        _check_methods("store", store, TokenStore)
        store = self._settings.store if store is None else store
        return TokenState(self._settings, begin_with(tokens), store, leeway, on_tokens)

    def _load_tokens(self, username: str) -> Exchange[Tokens | None]:
        if self._settings.store is None:
            raise UsageError("this flow has no store to restore tokens from: pass store= to the flow")
        return settled(self._settings.store.get_tokens(self.app, username))

    def _signing_up(self, signed_up: SignedUp | str) -> Turn:
        """A turn of a user who is not signed in."""
        return Turn(settings=self._settings, username=_sign_up.username_of(signed_up))

    def _confirm_sign_up(
        self, signed_up: SignedUp | str, code: str, force_alias_creation: bool
    ) -> Exchange[Step | Confirmed]:
        session = signed_up.session if isinstance(signed_up, SignedUp) else None
        return _sign_up.confirm_sign_up(self._signing_up(signed_up), code, session, force_alias_creation)

    def _check(self, answer: Answer) -> Answer:
        if not isinstance(answer, Answer):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
            raise UsageError("pass an answer, which challenge.answer(...) returns")
        pending = answer.challenge.pending
        if (pending.pool_id, pending.client_id) != (self.app.pool_id, self.app.client_id):
            raise UsageError(
                "this challenge came from another pool or app client: use the flow that returned it"
            )
        return answer


@without_locals
class AuthFlow(_Flow[TokenStore, DeviceStore]):
    """Signs users in to one app client. It keeps no per-user state: create one and share it across threads.

    Args:
        app: The app client.
        client: A boto3 client for ``cognito-idp``, used for every call. If None, public operations use an
            unsigned client for the pool's region, which needs no AWS credentials and searches for none.
        admin: Use the Admin operations, which are signed with AWS credentials and bypass some client-side
            rules.
        handlers: Your own handler classes, usually subclasses of `CustomChallenge`.
        seal_keys: Secrets of at least 32 bytes for `seal` and `unseal`, newest first. The older ones only
            open what was sealed with them.
        seal_max_age: Maximum age of a sealed text in seconds. None is 900 for a challenge, the longest
            lifetime of a Cognito Session, and a day for a sign-up, the lifetime of its code.
        store: Keeps the tokens of token sources and, if it is a `DeviceStore` too, remembered devices.
            Signing in alone does not store the tokens; `token_source` does.
        devices: Keeps remembered devices, instead of `store`.
        device_name: The name of a new device of this application.
        remember_devices: If the pool lets users decide, remember a new device at once. Otherwise ask the
            user, and remember it later.
        metadata: ClientMetadata for the pool's Lambda triggers, sent with every call that takes it.
        context: What threat protection may know, sent with every call that takes it.
        analytics_endpoint_id: The Amazon Pinpoint endpoint, sent with every call that takes it.
        on_event: Called with an `Event` for each call and step, in the thread that does the work. Events
            carry names, never values. Exceptions that it raises are logged and ignored.
        timeout: How long a call of a method may take in all, in seconds: connecting, every request of the
            turn, the pauses between them, and reading. Then `TransportError` is raised. Connections that a
            client of yours opened before are not ended by it, but by the client's own timeouts.
        system: Clock, randomness and sleep, for tests.

    Raises:
        UsageError: A handler is not a handler class, a store lacks methods, a seal key is too short, or
            another argument has the wrong type.

    >>> from cognito_flow import SignedIn, UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> flow = pool.flow()  # for your own pool: AuthFlow(AppClient("eu-west-1_AbC123", "client-id"))
    >>> step = flow.start(UserSrpAuth("alice", "correct horse"))
    >>> isinstance(step, SignedIn)  # else it is a challenge: flow.send(step.answer(...))
    True
    """

    def _driver(self) -> Driver:
        from cognito_flow._transport.drivers import Driver

        return Driver(self._transport)

    def _run(self, exchange: Exchange[T]) -> T:
        return self._driver().run(exchange)

    def start(
        self,
        credentials: Credentials,
        *,
        device: Device | None = None,
    ) -> Step:
        """Begin a sign-in.

        Args:
            credentials: `UserSrpAuth`, `UserPasswordAuth`, `CustomAuth`, `UserAuth` or `RefreshTokenAuth`.
            device: The user's remembered device, if you keep it yourself.

        Returns:
            `SignedIn`, or the challenge that Cognito sent.

        Raises:
            NotAuthorized: The name, the password or another proof is wrong. Show one message for all of its
                subclasses.
            TryLater: Cognito could not be reached, or accepts no calls now.
            ServiceError: Cognito refused for another reason; the subclass says why.
            UnexpectedResponse: The response cannot be read.
            UsageError: The credentials do not fit this flow.
        """
        return self._run(self._start(credentials, device))

    def send(self, answer: Answer) -> Step:
        """Continue a sign-in with the answer to a challenge.

        Args:
            answer: The result of ``challenge.answer(...)``.

        Returns:
            `SignedIn`, or the next challenge.

        Raises:
            AnswerRejected: Answer the same challenge again.
            StartOver: This sign-in is over: begin a new one.
            CognitoFlowError: As with `start`. If `maybe_processed`, Cognito may have used the answer up, also
                if a later call of this step failed. Unless it is `retryable`, begin a new sign-in.
        """
        turn = self._turn()
        with self._answered.once(self._check(answer), turn) as leads_to:
            leads_to(step := self._run(_engine.send(turn, answer)))
            return step

    def sign_in(
        self,
        credentials: Credentials,
        *,
        ask: Ask | None = None,
        device: Device | None = None,
        max_steps: int = 16,
    ) -> SignedIn:
        """Run a complete sign-in, for scripts and other programs that can ask their user.

        Args:
            credentials: As for `start`.
            ask: Called with each challenge; returns its answer, or None. `cognito_flow.terminal.ask` asks in
                the terminal.
            device: As for `start`.
            max_steps: The largest number of challenges to answer.

        Raises:
            Unanswered: A challenge was not answered; the error holds it.
            CognitoFlowError: As with `start` and `send`.
        """
        step = self.start(credentials, device=device)
        for _ in range(max_steps):
            if isinstance(step, SignedIn):
                return step
            step = self.send(_answered(step, None if ask is None else ask(step)))
        return _signed_in(step, max_steps)

    def refresh(self, tokens: Tokens | str) -> Tokens:
        """Return new tokens for a signed-in user, with and without rotation of refresh tokens.

        Args:
            tokens: The tokens of the sign-in or of the last refresh, or a refresh token as a str.

        Returns:
            The new tokens. With rotation, they contain a new refresh token, and the old one expires: store
            the new tokens before you use them, or let `token_source` do it.

        Raises:
            SignedOut: The user must sign in again; `hint` names other possible causes. After
                `RefreshTokenReused`, read your store first: another process may have stored newer tokens.
            UsageError: The tokens have no refresh token.
            CognitoFlowError: As with `start`.

        Source: GetTokensFromRefreshToken in the Amazon Cognito API reference.
        """
        return self._run(_refresh.refresh(self._turn(), tokens))

    def revoke(self, tokens: Tokens | str, *, linked: bool = False) -> None:
        """End this sign-in: the refresh token stops working, and Cognito refuses the access tokens.

        Your own APIs accept the access token until it expires. To end all sign-ins of the user, call
        ``account(tokens).sign_out_everywhere()``.

        Args:
            tokens: The tokens of the sign-in or of the last refresh, or a refresh token as a str. Revoking
                twice does not raise.
            linked: Also revoke the SSO session that the sign-in came through, in pools that track sessions.

        Raises:
            UsageError: The tokens have no refresh token, or the installed botocore is too old for `linked`.
            ServiceError: The app client does not allow it.
            CognitoFlowError: As with `start`.

        Source: RevokeToken in the Amazon Cognito API reference.
        """
        self._run(_refresh.revoke(self._turn(), tokens, linked))

    def exchange(
        self,
        subject: Tokens | ProviderToken | str,
        actor: Tokens | ProviderToken | str | None = None,
        *,
        scopes: Iterable[str] = (),
        resources: Iterable[str] = (),
        audiences: Iterable[str] = (),
        requested: IssuedTokenType | None = None,
    ) -> DerivedToken:
        """Exchange a user's token for a new one, for the next service that is called on the user's behalf.

        Needs the flow ALLOW_TOKEN_EXCHANGE_IMPERSONATION of the app client, or with an actor
        ALLOW_TOKEN_EXCHANGE_DELEGATION.

        Args:
            subject: The token of the user: `Tokens`, an access or ID token as a str, or a `ProviderToken`.
            actor: The token of the service or agent that acts for the user, such as one of a
                `ClientCredentialsSource`. The new token names it: `AccessClaims.actor`. Without an actor, it
                looks as if the user called directly.
            scopes: The scopes to request for the new token. It gets those of them that the subject's token
                has and the app client may have. Without any, it keeps those of the subject's token.
            resources: The resource server that the new token is for: one identifier.
            audiences: The logical name of the service that the new token is for, in place of `resources`.
            requested: The kind of token to issue; None is Cognito's default.

        Raises:
            TokenExpired: The subject or the actor must refresh their token.
            SignedOut: The subject's sign-in was revoked.
            Misconfigured: The app client does not allow the exchange.
            NotAuthorized: Cognito refused a token, or the client secret.
            UsageError: An argument is malformed, or the installed botocore is too old.
            CognitoFlowError: As with `start`.

        Source: GetDerivedToken in the Amazon Cognito API reference; RFC 8693.
        """
        return self._run(derive(self._turn(), subject, actor, scopes, resources, audiences, requested))

    def token_source(
        self,
        tokens: Tokens | str,
        *,
        store: TokenStore | None = None,
        leeway: float = 60,
        on_tokens: Callable[[Tokens], object] | None = None,
    ) -> TokenSource:
        """Return a source of always-fresh tokens for one user. It makes no call until you use it.

        Args:
            tokens: The tokens of a sign-in, or those that you kept; or a refresh token alone.
            store: Where to keep the tokens when they change, instead of in the flow's store. Newer tokens in
                the store are used.
            leeway: How long before they expire the tokens are refreshed, in seconds, up to a day. The source
                refreshes up to twice as early, so that processes do not all refresh at once.
            on_tokens: Called with the new `Tokens` each time they change, before the source returns them. If
                it raises, the caller of the source gets the exception, and the next call calls it again.

        Raises:
            UsageError: leeway is negative or longer than a day, or the refresh token is empty.
        """
        return TokenSource(self._driver(), self._token_state(tokens, store, leeway, on_tokens))

    def restore(
        self, username: str, *, leeway: float = 60, on_tokens: Callable[[Tokens], object] | None = None
    ) -> TokenSource | None:
        """Return a source of the tokens that the flow's store kept for a user, or None if it has none.

        Args:
            username: Cognito's own name for the user: `Tokens.username`, not an alias that they typed.
            leeway: As for `token_source`.
            on_tokens: As for `token_source`.

        Raises:
            UsageError: The flow has no store.
            StoreError: The store failed. A store of your own may raise other exceptions.
        """
        tokens = self._run(self._load_tokens(username))
        if tokens is None:
            return None
        return self.token_source(tokens, leeway=leeway, on_tokens=on_tokens)

    # -- accounts --

    def account(self, tokens: Tokens | TokenSource | str) -> Account:
        """Return the account of a signed-in user: see `Account`. This makes no call.

        Args:
            tokens: Tokens of this app client, a token source, or an access token. With a source, the account
                takes a fresh access token for each call.

        Raises:
            UsageError: The argument is something else.
        """
        given = authorization(tokens)
        return Account(AccountExchanges(self._settings, given), given, self._driver())

    # -- sign-up and forgotten passwords --

    def sign_up(
        self,
        username: str,
        password: str | None = None,
        *,
        attributes: Mapping[str, str] | None = None,
        validation_data: Mapping[str, str] | None = None,
    ) -> SignedUp:
        """Create a user. This is a public operation, also with ``admin=True``.

        Args:
            username: The user name; in pools that sign in by address, the e-mail address or phone number.
            password: The password; None in pools that need none.
            attributes: The user's attributes, by name; custom attributes as ``custom:...``.
            validation_data: Values for the PreSignUp trigger only.

        Returns:
            The sign-up, to be confirmed with `confirm_sign_up` and the code that Cognito sent.

        Raises:
            UserExists: The user name is taken.
            AnswerRejected: The password breaks the pool's policy, or an attribute is invalid.
            TriggerRefused: The pool's Lambda trigger refused.
            ServiceError: Cognito refused for another reason, such as a missing attribute.
            CognitoFlowError: As with `start`.
        """
        exchange = _sign_up.sign_up(self._signing_up(username), password, attributes, validation_data)
        return self._run(exchange)

    def confirm_sign_up(
        self, signed_up: SignedUp | str, code: str, *, force_alias_creation: bool = False
    ) -> Step | Confirmed:
        """Confirm a sign-up with the code that was sent, and sign the user in if the sign-up has a session.

        Args:
            signed_up: What `sign_up` returned, or the user name alone, which confirms without a sign-in.
            code: The code; whitespace is ignored.
            force_alias_creation: Take the address away from the user who has it as an alias.

        Returns:
            The step of the sign-in, usually `SignedIn`. `Confirmed` if the user must still sign in: the
            sign-up has no session, the session expired, or Cognito refused to sign in with it.

        Raises:
            WrongCode: Ask again.
            CodeExpired: Send a new code with `resend_code`.
            AliasExists: The address belongs to another user: ask before you set `force_alias_creation`.
            NotAuthorized: The user is confirmed already.
            LimitExceeded: Too many codes were tried.
            CognitoFlowError: As with `start`.
        """
        return self._run(self._confirm_sign_up(signed_up, code, force_alias_creation))

    def resend_code(self, signed_up: SignedUp | str) -> CodeDelivery:
        """Send the code for a sign-up again.

        Args:
            signed_up: What `sign_up` returned, or the user name.

        Raises:
            LimitExceeded: It was sent too often.
            CognitoFlowError: As with `start`.
        """
        return self._run(_sign_up.resend_code(self._signing_up(signed_up)))

    def forgot_password(self, username: str) -> CodeDelivery:
        """Send a code with which a user who forgot their password can set a new one.

        Args:
            username: The user name, or an alias.

        Raises:
            LimitExceeded: It was sent too often.
            UserNotFound: The user does not exist, and the app client does not hide it.
            NotAuthorized: The user still has the temporary password: an administrator must set a new one.
            ServiceError: The user has no verified address.
            CognitoFlowError: As with `start`.
        """
        return self._run(_sign_up.forgot_password(self._signing_up(username)))

    def confirm_forgot_password(self, username: str, code: str, new_password: str) -> None:
        """Set a new password with the code that `forgot_password` sent. Then sign in with it.

        Args:
            username: The name that was given to `forgot_password`.
            code: The code; whitespace is ignored.
            new_password: The new password.

        Raises:
            WrongCode: Ask again.
            CodeExpired: Send a new code.
            PasswordRejected: The password breaks the pool's policy or history rule. The code can be used
                again.
            LimitExceeded: Too many codes were tried.
            CognitoFlowError: As with `start`.
        """
        self._run(_sign_up.confirm_forgot_password(self._signing_up(username), code, new_password))


@without_locals
class AsyncAuthFlow(_Flow[TokenStore | AsyncTokenStore, DeviceStore | AsyncDeviceStore]):
    """`AuthFlow` for asyncio: the same arguments and names. Methods that call Cognito are awaitable.

    Args:
        client: A boto3 client, which is called in worker threads, or an aiobotocore client.

    SRP arithmetic and blocking stores also run in worker threads. The other arguments are those of
    `AuthFlow`.

    >>> import asyncio
    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> flow = pool.async_flow()
    >>> asyncio.run(flow.start(UserSrpAuth("alice", "correct horse"))).username
    'alice'
    """

    def _driver(self) -> AsyncDriver:
        from cognito_flow._transport.drivers import AsyncDriver

        return AsyncDriver(self._transport)

    async def _run(self, exchange: Exchange[T]) -> T:
        return await self._driver().run(exchange)

    async def start(
        self,
        credentials: Credentials,
        *,
        device: Device | None = None,
    ) -> Step:
        """Begin a sign-in.

        Args:
            credentials: `UserSrpAuth`, `UserPasswordAuth`, `CustomAuth`, `UserAuth` or `RefreshTokenAuth`.
            device: The user's remembered device, if you keep it yourself.

        Returns:
            `SignedIn`, or the challenge that Cognito sent.

        Raises:
            NotAuthorized: The name, the password or another proof is wrong. Show one message for all of its
                subclasses.
            TryLater: Cognito could not be reached, or accepts no calls now.
            ServiceError: Cognito refused for another reason; the subclass says why.
            UnexpectedResponse: The response cannot be read.
            UsageError: The credentials do not fit this flow.
        """
        return await self._run(self._start(credentials, device))

    async def send(self, answer: Answer) -> Step:
        """Continue a sign-in.

        Args:
            answer: The result of ``challenge.answer(...)``.

        Returns:
            `SignedIn`, or the next challenge.

        Raises:
            AnswerRejected: Answer the same challenge again.
            StartOver: This sign-in is over: begin a new one.
            CognitoFlowError: As with `start`. If `maybe_processed`, Cognito may have used the answer up, also
                if a later call of this step failed. Unless it is `retryable`, begin a new sign-in.
        """
        turn = self._turn()
        with self._answered.once(self._check(answer), turn) as leads_to:
            leads_to(step := await self._run(_engine.send(turn, answer)))
            return step

    async def sign_in(
        self,
        credentials: Credentials,
        *,
        ask: AsyncAsk | None = None,
        device: Device | None = None,
        max_steps: int = 16,
    ) -> SignedIn:
        """Run a complete sign-in. `ask` may be a coroutine function.

        Args:
            credentials: As for `start`.
            ask: Called with each challenge; returns its answer, or None. `cognito_flow.terminal.ask` asks in
                the terminal.
            device: As for `start`.
            max_steps: The largest number of challenges to answer.

        Raises:
            Unanswered: A challenge was not answered; the error holds it.
            CognitoFlowError: As with `start` and `send`.
        """
        step = await self.start(credentials, device=device)
        for _ in range(max_steps):
            if isinstance(step, SignedIn):
                return step
            answer = None if ask is None else ask(step)
            step = await self.send(_answered(step, await answer if isinstance(answer, Awaitable) else answer))
        return _signed_in(step, max_steps)

    async def refresh(self, tokens: Tokens | str) -> Tokens:
        """Return new tokens for a signed-in user.

        Args:
            tokens: The tokens of the sign-in or of the last refresh, or a refresh token as a str.

        Returns:
            The new tokens. With rotation, they contain a new refresh token, and the old one expires: store
            the new tokens before you use them, or let `token_source` do it.

        Raises:
            SignedOut: The user must sign in again; `hint` names other possible causes. After
                `RefreshTokenReused`, read your store first: another process may have stored newer tokens.
            UsageError: The tokens have no refresh token.
            CognitoFlowError: As with `start`.
        """
        return await self._run(_refresh.refresh(self._turn(), tokens))

    async def revoke(self, tokens: Tokens | str, *, linked: bool = False) -> None:
        """End this sign-in.

        Args:
            tokens: The tokens of the sign-in or of the last refresh, or a refresh token as a str. Revoking
                twice does not raise.
            linked: Also revoke the SSO session that the sign-in came through, in pools that track sessions.

        Raises:
            UsageError: The tokens have no refresh token, or the installed botocore is too old for `linked`.
            ServiceError: The app client does not allow it.
            CognitoFlowError: As with `start`.
        """
        await self._run(_refresh.revoke(self._turn(), tokens, linked))

    async def exchange(
        self,
        subject: Tokens | ProviderToken | str,
        actor: Tokens | ProviderToken | str | None = None,
        *,
        scopes: Iterable[str] = (),
        resources: Iterable[str] = (),
        audiences: Iterable[str] = (),
        requested: IssuedTokenType | None = None,
    ) -> DerivedToken:
        """Exchange a user's token for a new one.

        Args:
            subject: The token of the user: `Tokens`, an access or ID token as a str, or a `ProviderToken`.
            actor: The token of the service or agent that acts for the user, such as one of a
                `ClientCredentialsSource`. The new token names it: `AccessClaims.actor`. Without an actor, it
                looks as if the user called directly.
            scopes: The scopes to request for the new token. It gets those of them that the subject's token
                has and the app client may have. Without any, it keeps those of the subject's token.
            resources: The resource server that the new token is for: one identifier.
            audiences: The logical name of the service that the new token is for, in place of `resources`.
            requested: The kind of token to issue; None is Cognito's default.

        Raises:
            TokenExpired: The subject or the actor must refresh their token.
            SignedOut: The subject's sign-in was revoked.
            Misconfigured: The app client does not allow the exchange.
            NotAuthorized: Cognito refused a token, or the client secret.
            UsageError: An argument is malformed, or the installed botocore is too old.
            CognitoFlowError: As with `start`.
        """
        return await self._run(derive(self._turn(), subject, actor, scopes, resources, audiences, requested))

    def token_source(
        self,
        tokens: Tokens | str,
        *,
        store: TokenStore | AsyncTokenStore | None = None,
        leeway: float = 60,
        on_tokens: Callable[[Tokens], object] | None = None,
    ) -> AsyncTokenSource:
        """Return a source of always-fresh tokens. `on_tokens` may be a coroutine function. See
        `AuthFlow.token_source`.

        Args:
            tokens: The tokens of a sign-in, or those that you kept; or a refresh token alone.
            store: Where to keep the tokens when they change, instead of in the flow's store. Newer tokens in
                the store are used.
            leeway: How long before they expire the tokens are refreshed, in seconds, up to a day. The source
                refreshes up to twice as early, so that processes do not all refresh at once.
            on_tokens: Called with the new `Tokens` each time they change, before the source returns them. If
                it raises, the caller of the source gets the exception, and the next call calls it again.

        Raises:
            UsageError: leeway is negative or longer than a day, or the refresh token is empty.
        """
        return AsyncTokenSource(self._driver(), self._token_state(tokens, store, leeway, on_tokens))

    async def restore(
        self, username: str, *, leeway: float = 60, on_tokens: Callable[[Tokens], object] | None = None
    ) -> AsyncTokenSource | None:
        """Return a source of the tokens that the flow's store kept, or None.

        Args:
            username: Cognito's own name for the user: `Tokens.username`, not an alias that they typed.
            leeway: As for `token_source`.
            on_tokens: As for `token_source`.

        Raises:
            UsageError: The flow has no store.
            StoreError: The store failed. A store of your own may raise other exceptions.
        """
        tokens = await self._run(self._load_tokens(username))
        if tokens is None:
            return None
        return self.token_source(tokens, leeway=leeway, on_tokens=on_tokens)

    # -- accounts --

    def account(self, tokens: Tokens | AsyncTokenSource | str) -> AsyncAccount:
        """Return the account of a signed-in user: see `AuthFlow.account`.

        Args:
            tokens: Tokens of this app client, a token source, or an access token. With a source, the account
                takes a fresh access token for each call.

        Raises:
            UsageError: The argument is something else.
        """
        given = async_authorization(tokens)
        return AsyncAccount(AccountExchanges(self._settings, given), given, self._driver())

    # -- sign-up and forgotten passwords --

    async def sign_up(
        self,
        username: str,
        password: str | None = None,
        *,
        attributes: Mapping[str, str] | None = None,
        validation_data: Mapping[str, str] | None = None,
    ) -> SignedUp:
        """Create a user. This is a public operation, also with ``admin=True``.

        Args:
            username: The user name; in pools that sign in by address, the e-mail address or phone number.
            password: The password; None in pools that need none.
            attributes: The user's attributes, by name; custom attributes as ``custom:...``.
            validation_data: Values for the PreSignUp trigger only.

        Returns:
            The sign-up, to be confirmed with `confirm_sign_up` and the code that Cognito sent.

        Raises:
            UserExists: The user name is taken.
            AnswerRejected: The password breaks the pool's policy, or an attribute is invalid.
            TriggerRefused: The pool's Lambda trigger refused.
            ServiceError: Cognito refused for another reason, such as a missing attribute.
            CognitoFlowError: As with `start`.
        """
        exchange = _sign_up.sign_up(self._signing_up(username), password, attributes, validation_data)
        return await self._run(exchange)

    async def confirm_sign_up(
        self, signed_up: SignedUp | str, code: str, *, force_alias_creation: bool = False
    ) -> Step | Confirmed:
        """Confirm a sign-up, and sign the user in if it has a session.

        Args:
            signed_up: What `sign_up` returned, or the user name alone, which confirms without a sign-in.
            code: The code; whitespace is ignored.
            force_alias_creation: Take the address away from the user who has it as an alias.

        Returns:
            The step of the sign-in, usually `SignedIn`. `Confirmed` if the user must still sign in: the
            sign-up has no session, the session expired, or Cognito refused to sign in with it.

        Raises:
            WrongCode: Ask again.
            CodeExpired: Send a new code with `resend_code`.
            AliasExists: The address belongs to another user: ask before you set `force_alias_creation`.
            NotAuthorized: The user is confirmed already.
            LimitExceeded: Too many codes were tried.
            CognitoFlowError: As with `start`.
        """
        return await self._run(self._confirm_sign_up(signed_up, code, force_alias_creation))

    async def resend_code(self, signed_up: SignedUp | str) -> CodeDelivery:
        """Send the code for a sign-up again.

        Args:
            signed_up: What `sign_up` returned, or the user name.

        Raises:
            LimitExceeded: It was sent too often.
            CognitoFlowError: As with `start`.
        """
        return await self._run(_sign_up.resend_code(self._signing_up(signed_up)))

    async def forgot_password(self, username: str) -> CodeDelivery:
        """Send a code for a new password.

        Args:
            username: The user name, or an alias.

        Raises:
            LimitExceeded: It was sent too often.
            UserNotFound: The user does not exist, and the app client does not hide it.
            NotAuthorized: The user still has the temporary password: an administrator must set a new one.
            ServiceError: The user has no verified address.
            CognitoFlowError: As with `start`.
        """
        return await self._run(_sign_up.forgot_password(self._signing_up(username)))

    async def confirm_forgot_password(self, username: str, code: str, new_password: str) -> None:
        """Set a new password with a code.

        Args:
            username: The name that was given to `forgot_password`.
            code: The code; whitespace is ignored.
            new_password: The new password.

        Raises:
            WrongCode: Ask again.
            CodeExpired: Send a new code.
            PasswordRejected: The password breaks the pool's policy or history rule. The code can be used
                again.
            LimitExceeded: Too many codes were tried.
            CognitoFlowError: As with `start`.
        """
        await self._run(_sign_up.confirm_forgot_password(self._signing_up(username), code, new_password))


def _check_class(argument: str, given: object, kind: type[object]) -> None:
    if given is not None and not isinstance(given, kind):
        raise UsageError(f"{argument} must be a {kind.__name__}, not {type(given).__name__}")


def _check_methods(argument: str, given: object, protocol: type[object]) -> None:
    if given is not None and not isinstance(given, protocol):
        methods, kind = protocol.__name__, type(given).__name__
        raise UsageError(f"{argument} must have the methods of {methods}: {kind} lacks some")


def _devices(
    store: TokenStore | AsyncTokenStore | None, devices: DeviceStore | AsyncDeviceStore | None
) -> DeviceStore | AsyncDeviceStore | None:
    """Return where devices are kept: one object may be both stores."""
    if devices is None and isinstance(store, DeviceStore):
        return store
    return devices


def _check_arguments(app: object, client: object, unknown: Mapping[str, object], kind: type[object]) -> None:
    """Explain what untyped code mixed up."""
    if not isinstance(app, AppClient):
        raise UsageError(f"the first argument must be an AppClient, not {type(app).__name__}")
    if isinstance(client, str | AppClient):
        raise UsageError(
            "the second argument must be a boto client: put the ids into AppClient(pool_id, client_id)"
        )
    known = inspect.signature(kind).parameters
    for name in unknown:
        similar = difflib.get_close_matches(name, known, 1)
        suggestion = f": did you mean {similar[0]!r}?" if similar else ""
        raise UsageError(f"{kind.__name__} has no argument {name!r}{suggestion}")


def _check_handlers(handlers: Sequence[object]) -> tuple[type[NamedHandler], ...]:
    if isinstance(handlers, type):
        raise UsageError("handlers must be a list of handler classes: put the class into a list")
    for handler in handlers:
        if not (isinstance(handler, type) and issubclass(handler, NamedHandler)):
            raise UsageError(
                f"{handler!r} is not a handler class: subclass CustomChallenge or another handler"
            )
    return cast("tuple[type[NamedHandler], ...]", tuple(handlers))


def _answered(challenge: Challenge, answer: Answer | None) -> Answer:
    if answer is None:
        raise Unanswered(challenge, f"{challenge.name} needs an answer: pass `ask=` to sign_in")
    return answer


def _signed_in(step: Step, max_steps: int) -> SignedIn:
    if isinstance(step, SignedIn):
        return step
    raise Unanswered(step, f"{max_steps} challenges were answered, and Cognito sent {step.name}")
