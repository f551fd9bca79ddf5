"""Account and AsyncAccount: what a user can do with their own account once they are signed in.

Rule of this file: a public method is one line over a shared exchange.

Cognito keeps what is under way (a TOTP secret that waits for its first code, a passkey that is being
registered), so another process with the same tokens can finish it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, TypeVar

import attrs

from cognito_flow._exchange import Exchange
from cognito_flow._tracebacks import without_locals
from cognito_flow.account._exchanges import AccountExchanges, authorized
from cognito_flow.account._records import (
    AuthFactors,
    CodeDelivery,
    Passkey,
    PasskeyOptions,
    RememberedDevice,
    TotpSecret,
    UserProfile,
    UserSession,
)
from cognito_flow.models import MfaType, Tokens
from cognito_flow.tokens.source import AsyncTokenSource, TokenSource

if TYPE_CHECKING:  # it imports botocore, which is slow to load
    from cognito_flow._transport.drivers import AsyncDriver, Driver

T = TypeVar("T")


@attrs.frozen(repr=False, eq=False)
class _Account:
    """What both accounts share."""

    _exchanges: AccountExchanges

    @property
    def username(self) -> str:
        """The user name in the pool; empty before the first call if a source began with a refresh token."""
        return self._exchanges.user.username

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.username!r})"


@without_locals
@attrs.frozen(repr=False, eq=False)
class Account(_Account):
    """The account of a user who is signed in. `AuthFlow.account` creates it; it keeps nothing but the tokens.

    Created with a `TokenSource`, it takes a fresh access token for each call. Created with tokens or an
    access token, it works until that access token expires.

    Every method may raise, in addition to what its own description lists:

    - `TokenExpired`: the access token expired. Refresh, and create an account with the new tokens.
    - `TokenRevoked`: the user signed out everywhere. Sign in again.
    - `Misconfigured`: the access token lacks the scope ``aws.cognito.signin.user.admin``. Tokens of an
      `AuthFlow` have it; those of managed login only if it was requested.
    - `TransportError` or `Throttled`: no response came, or there were too many requests.
    - With a source, the errors of `TokenSource.access_token`.

    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "Correct-horse-1", email="alice@example.com")
    >>> flow = pool.flow()
    >>> account = flow.account(flow.start(UserSrpAuth("alice", "Correct-horse-1")).tokens)
    >>> account.user().attributes["email"]
    'alice@example.com'
    >>> account.change_password("Correct-horse-1", "Battery-staple-1")
    """

    _authorization: Tokens | TokenSource
    _driver: Driver

    def _run(self, exchange: Exchange[T]) -> T:
        return self._driver.run(authorized(exchange, self._access_token()))

    def _access_token(self) -> str:
        if isinstance(self._authorization, TokenSource):
            return self._authorization.access_token()
        return self._authorization.access_token

    # -- profile --

    def user(self) -> UserProfile:
        """Return the user's attributes and second factors.

        Source: GetUser in the Amazon Cognito API reference.
        """
        return self._run(self._exchanges.profile())

    def update_attributes(self, attributes: Mapping[str, str]) -> tuple[CodeDelivery, ...]:
        """Change attributes.

        Args:
            attributes: The new values, by name; custom attributes as ``custom:...``.

        Returns:
            Where Cognito sent codes. A new address that the pool verifies needs `verify_attribute`.

        Raises:
            AliasExists: The address belongs to another user.
            NotAuthorized: The app client may not write an attribute.
            InputRejected: Cognito refuses a value, for example a phone number without a country code.
            UsageError: A value is not text.
        """
        return self._run(self._exchanges.update_attributes(attributes))

    def delete_attributes(self, names: Iterable[str]) -> None:
        """Delete attributes.

        Args:
            names: The names of the attributes.

        Raises:
            UsageError: `names` is one str.
        """
        self._run(self._exchanges.delete_attributes(names))

    def send_attribute_code(self, name: str) -> CodeDelivery:
        """Send a code to an address, so that the user can verify it.

        Args:
            name: ``email`` or ``phone_number``.

        Raises:
            LimitExceeded: Too many codes were requested for this user: try again later.
        """
        return self._run(self._exchanges.send_attribute_code(name))

    def verify_attribute(self, name: str, code: str) -> None:
        """Verify an address with the code that was sent there.

        Args:
            name: ``email`` or ``phone_number``.
            code: The code; whitespace is ignored.

        Raises:
            WrongCode: Ask again.
            CodeExpired: Send a new one.
            AliasExists: The address belongs to another user.
            LimitExceeded: Too many codes were tried.
        """
        self._run(self._exchanges.verify_attribute(name, code))

    def change_password(self, previous_password: str | None, proposed_password: str) -> None:
        """Change the password. The user's sessions stay signed in: to end them, call `sign_out_everywhere`.

        Args:
            previous_password: The current password; None for users without a password.
            proposed_password: The new password.

        Raises:
            IncorrectPassword: The previous password is wrong.
            PasswordRejected: The new password breaks the pool's policy or history rule.
            LimitExceeded: Too many wrong passwords.
        """
        self._run(self._exchanges.change_password(previous_password, proposed_password))

    # -- second factors --

    def auth_factors(self) -> AuthFactors:
        """Return the factors that the user has set up, and the second factors that are on.

        Source: GetUserAuthFactors in the Amazon Cognito API reference.
        """
        return self._run(self._exchanges.auth_factors())

    def enrol_totp(self) -> TotpSecret:
        """Create the secret for an authenticator app. The account is unchanged until `confirm_totp`.

        Raises:
            Misconfigured: The pool does not allow authenticator apps.
        """
        return self._run(self._exchanges.enrol_totp())

    def confirm_totp(self, code: str, *, device_name: str | None = None, preferred: bool = True) -> None:
        """Verify the first code of the authenticator app, and turn this second factor on.

        It replaces an earlier authenticator app. Any process with the user's tokens can call it. It makes two
        calls: if the second one fails, `set_mfa` with `MfaType.SOFTWARE_TOKEN_MFA` repeats it.

        Args:
            code: The six digits that the app shows; whitespace is ignored. A code works once: the next
                sign-in needs the next one.
            device_name: A name for this authenticator that the user will recognize.
            preferred: Whether a sign-in asks for it before other second factors.

        Raises:
            WrongCode: Ask again.
            UnexpectedResponse: The response cannot be read. If `maybe_processed`, Cognito may have accepted
                the code: `user` shows whether the factor is on.
        """
        self._run(self._exchanges.confirm_totp(code, device_name, preferred))

    def set_mfa(
        self,
        enabled: MfaType | Iterable[MfaType] = (),
        *,
        disabled: MfaType | Iterable[MfaType] = (),
        preferred: MfaType | Literal[False] | None = None,
    ) -> None:
        """Turn second factors on or off. Factors that are not named stay as they are.

        Args:
            enabled: The factors to turn on. `MfaType.WEB_AUTHN` lets a passkey with user verification count
                as both factors of a sign-in.
            disabled: The factors to turn off.
            preferred: The factor that a sign-in asks for; it is turned on, too. None leaves the preference as
                it is. False clears it, and users with several factors choose at each sign-in.

        Raises:
            ServiceError: The user lacks what the factor needs: a verified address, or an authenticator app.
            UsageError: A factor is both enabled and disabled, or a passkey is preferred.

        Source: SetUserMFAPreference in the Amazon Cognito API reference.
        """
        self._run(self._exchanges.set_mfa(enabled, disabled, preferred))

    # -- passkeys --

    def start_passkey(self) -> PasskeyOptions:
        """Return the options with which the user's browser creates a passkey.

        Raises:
            Misconfigured: The pool does not allow passkeys, or has no relying party id.
            LimitExceeded: The user has 20 passkeys.
        """
        return self._run(self._exchanges.start_passkey())

    def finish_passkey(self, credential: str | Mapping[str, object]) -> None:
        """Register the passkey that the browser created. Any process with the user's tokens can call it.

        Args:
            credential: What ``navigator.credentials.create`` returned, in its JSON form
                (``credential.toJSON()``), as text or as a mapping.

        Raises:
            FlowExpired: It took too long: start again.
            InvalidInput: It is not a new credential; the message names what is missing.
            Misconfigured: The page is not on the relying party's domain.
        """
        self._run(self._exchanges.finish_passkey(credential))

    def passkeys(self) -> tuple[Passkey, ...]:
        """List the user's passkeys."""
        return self._run(self._exchanges.passkeys())

    def delete_passkey(self, credential_id: str) -> None:
        """Delete a passkey from the pool. The browser still offers it until the user deletes it there.

        Args:
            credential_id: The `Passkey.credential_id`.
        """
        self._run(self._exchanges.delete_passkey(credential_id))

    # -- devices --

    def devices(self) -> tuple[RememberedDevice, ...]:
        """List the devices that the pool remembers for the user."""
        return self._run(self._exchanges.devices())

    def device(self, device_key: str | None = None) -> RememberedDevice:
        """Return what the pool stores about a device.

        Args:
            device_key: Its DeviceKey; None: the device of this sign-in.

        Raises:
            DeviceForgotten: The pool does not know the device.
            UsageError: No device took part in this sign-in.
        """
        return self._run(self._exchanges.device(device_key))

    def remember_device(self, device_key: str | None = None, *, remembered: bool = True) -> None:
        """Let a device replace the second factor, in pools that let users decide.

        Args:
            device_key: Its DeviceKey; None: the device of this sign-in.
            remembered: False takes it back. The pool keeps the device, which can be remembered again.

        Raises:
            DeviceForgotten: The pool does not know the device.
            UsageError: No device took part in this sign-in.
        """
        self._run(self._exchanges.remember_device(device_key, remembered))

    def forget_device(self, device_key: str | None = None) -> None:
        """Delete a device from the pool and from the flow's store. Its refresh tokens stop working.

        Args:
            device_key: Its DeviceKey; None: the device of this sign-in.

        Raises:
            DeviceForgotten: The pool does not know the device.
            UsageError: No device took part in this sign-in.
        """
        self._run(self._exchanges.forget_device(device_key))

    # -- sessions --

    def sessions(self) -> tuple[UserSession, ...]:
        """List where the user is signed in, in all app clients of the pool.

        Raises:
            Misconfigured: The pool does not track sessions.
            UsageError: The installed botocore is too old; the message names the version to install.

        Source: ListUserSessions in the Amazon Cognito API reference.
        """
        return self._run(self._exchanges.sessions())

    def revoke_session(self, session_id: str, *, linked: bool = False) -> None:
        """Sign the user out in one place: the tokens of that session stop working.

        Args:
            session_id: A `UserSession.session_id`, but not that of the current session.
            linked: Also revoke the sessions that are linked to it: the ``SSO`` session that a ``TOKEN``
                session came through, or the ``TOKEN`` sessions that came through an ``SSO`` session.

        Raises:
            Misconfigured: The pool does not track sessions.
            ServiceError: It is the current session, or the user has no such session.
            UsageError: The installed botocore is too old; the message names the version to install.

        Source: RevokeUserSession in the Amazon Cognito API reference.
        """
        self._run(self._exchanges.revoke_session(session_id, linked))

    # -- signing out and deleting --

    def sign_out_everywhere(self) -> None:
        """Sign the user out on all devices: refresh tokens stop working, and Cognito refuses access tokens.

        APIs that verify access tokens themselves accept them until they expire.
        """
        self._run(self._exchanges.sign_out_everywhere())

    def delete_user(self) -> None:
        """Delete the user from the pool. This cannot be undone."""
        self._run(self._exchanges.delete_user())


@without_locals
@attrs.frozen(repr=False, eq=False)
class AsyncAccount(_Account):
    """`Account` for asyncio: the same names, awaitable. `AsyncAuthFlow.account` creates it.

    >>> import asyncio
    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> async def name():
    ...     flow = pool.async_flow()
    ...     signed_in = await flow.start(UserSrpAuth("alice", "correct horse"))
    ...     return (await flow.account(signed_in.tokens).user()).username
    >>> asyncio.run(name())
    'alice'
    """

    _authorization: Tokens | AsyncTokenSource
    _driver: AsyncDriver

    async def _run(self, exchange: Exchange[T]) -> T:
        return await self._driver.run(authorized(exchange, await self._access_token()))

    async def _access_token(self) -> str:
        if isinstance(self._authorization, AsyncTokenSource):
            return await self._authorization.access_token()
        return self._authorization.access_token

    # -- profile --

    async def user(self) -> UserProfile:
        """Return the user's attributes and second factors. See `Account.user`."""
        return await self._run(self._exchanges.profile())

    async def update_attributes(self, attributes: Mapping[str, str]) -> tuple[CodeDelivery, ...]:
        """Change attributes.

        Args:
            attributes: The new values, by name; custom attributes as ``custom:...``.

        Returns:
            Where Cognito sent codes. A new address that the pool verifies needs `verify_attribute`.

        Raises:
            AliasExists: The address belongs to another user.
            NotAuthorized: The app client may not write an attribute.
            InputRejected: Cognito refuses a value, for example a phone number without a country code.
            UsageError: A value is not text.
        """
        return await self._run(self._exchanges.update_attributes(attributes))

    async def delete_attributes(self, names: Iterable[str]) -> None:
        """Delete attributes.

        Args:
            names: The names of the attributes.

        Raises:
            UsageError: `names` is one str.
        """
        await self._run(self._exchanges.delete_attributes(names))

    async def send_attribute_code(self, name: str) -> CodeDelivery:
        """Send a code to an address, so that the user can verify it.

        Args:
            name: ``email`` or ``phone_number``.

        Raises:
            LimitExceeded: Too many codes were requested for this user: try again later.
        """
        return await self._run(self._exchanges.send_attribute_code(name))

    async def verify_attribute(self, name: str, code: str) -> None:
        """Verify an address with the code that was sent there.

        Args:
            name: ``email`` or ``phone_number``.
            code: The code; whitespace is ignored.

        Raises:
            WrongCode: Ask again.
            CodeExpired: Send a new one.
            AliasExists: The address belongs to another user.
            LimitExceeded: Too many codes were tried.
        """
        await self._run(self._exchanges.verify_attribute(name, code))

    async def change_password(self, previous_password: str | None, proposed_password: str) -> None:
        """Change the password.

        Args:
            previous_password: The current password; None for users without a password.
            proposed_password: The new password.

        Raises:
            IncorrectPassword: The previous password is wrong.
            PasswordRejected: The new password breaks the pool's policy or history rule.
            LimitExceeded: Too many wrong passwords.
        """
        await self._run(self._exchanges.change_password(previous_password, proposed_password))

    # -- second factors --

    async def auth_factors(self) -> AuthFactors:
        """Return the factors that the user has set up. See `Account.auth_factors`."""
        return await self._run(self._exchanges.auth_factors())

    async def enrol_totp(self) -> TotpSecret:
        """Create the secret for an authenticator app.

        Raises:
            Misconfigured: The pool does not allow authenticator apps.
        """
        return await self._run(self._exchanges.enrol_totp())

    async def confirm_totp(
        self, code: str, *, device_name: str | None = None, preferred: bool = True
    ) -> None:
        """Verify the first code of the authenticator app.

        Args:
            code: The six digits that the app shows; whitespace is ignored. A code works once: the next
                sign-in needs the next one.
            device_name: A name for this authenticator that the user will recognize.
            preferred: Whether a sign-in asks for it before other second factors.

        Raises:
            WrongCode: Ask again.
            UnexpectedResponse: The response cannot be read. If `maybe_processed`, Cognito may have accepted
                the code: `user` shows whether the factor is on.
        """
        await self._run(self._exchanges.confirm_totp(code, device_name, preferred))

    async def set_mfa(
        self,
        enabled: MfaType | Iterable[MfaType] = (),
        *,
        disabled: MfaType | Iterable[MfaType] = (),
        preferred: MfaType | Literal[False] | None = None,
    ) -> None:
        """Turn second factors on or off.

        Args:
            enabled: The factors to turn on. `MfaType.WEB_AUTHN` lets a passkey with user verification count
                as both factors of a sign-in.
            disabled: The factors to turn off.
            preferred: The factor that a sign-in asks for; it is turned on, too. None leaves the preference as
                it is. False clears it, and users with several factors choose at each sign-in.

        Raises:
            ServiceError: The user lacks what the factor needs: a verified address, or an authenticator app.
            UsageError: A factor is both enabled and disabled, or a passkey is preferred.
        """
        await self._run(self._exchanges.set_mfa(enabled, disabled, preferred))

    # -- passkeys --

    async def start_passkey(self) -> PasskeyOptions:
        """Return the options with which the user's browser creates a passkey.

        Raises:
            Misconfigured: The pool does not allow passkeys, or has no relying party id.
            LimitExceeded: The user has 20 passkeys.
        """
        return await self._run(self._exchanges.start_passkey())

    async def finish_passkey(self, credential: str | Mapping[str, object]) -> None:
        """Register the passkey that the browser created.

        Args:
            credential: What ``navigator.credentials.create`` returned, in its JSON form
                (``credential.toJSON()``), as text or as a mapping.

        Raises:
            FlowExpired: It took too long: start again.
            InvalidInput: It is not a new credential; the message names what is missing.
            Misconfigured: The page is not on the relying party's domain.
        """
        await self._run(self._exchanges.finish_passkey(credential))

    async def passkeys(self) -> tuple[Passkey, ...]:
        """List the user's passkeys."""
        return await self._run(self._exchanges.passkeys())

    async def delete_passkey(self, credential_id: str) -> None:
        """Delete a passkey from the pool.

        Args:
            credential_id: The `Passkey.credential_id`.
        """
        await self._run(self._exchanges.delete_passkey(credential_id))

    # -- devices --

    async def devices(self) -> tuple[RememberedDevice, ...]:
        """List the devices that the pool remembers for the user."""
        return await self._run(self._exchanges.devices())

    async def device(self, device_key: str | None = None) -> RememberedDevice:
        """Return what the pool stores about a device.

        Args:
            device_key: Its DeviceKey; None: the device of this sign-in.

        Raises:
            DeviceForgotten: The pool does not know the device.
            UsageError: No device took part in this sign-in.
        """
        return await self._run(self._exchanges.device(device_key))

    async def remember_device(self, device_key: str | None = None, *, remembered: bool = True) -> None:
        """Let a device replace the second factor.

        Args:
            device_key: Its DeviceKey; None: the device of this sign-in.
            remembered: False takes it back. The pool keeps the device, which can be remembered again.

        Raises:
            DeviceForgotten: The pool does not know the device.
            UsageError: No device took part in this sign-in.
        """
        await self._run(self._exchanges.remember_device(device_key, remembered))

    async def forget_device(self, device_key: str | None = None) -> None:
        """Delete a device from the pool and from the flow's store.

        Args:
            device_key: Its DeviceKey; None: the device of this sign-in.

        Raises:
            DeviceForgotten: The pool does not know the device.
            UsageError: No device took part in this sign-in.
        """
        await self._run(self._exchanges.forget_device(device_key))

    # -- sessions --

    async def sessions(self) -> tuple[UserSession, ...]:
        """List where the user is signed in, in all app clients of the pool.

        Raises:
            Misconfigured: The pool does not track sessions.
            UsageError: The installed botocore is too old; the message names the version to install.
        """
        return await self._run(self._exchanges.sessions())

    async def revoke_session(self, session_id: str, *, linked: bool = False) -> None:
        """Sign the user out in one place.

        Args:
            session_id: A `UserSession.session_id`, but not that of the current session.
            linked: Also revoke the sessions that are linked to it: the ``SSO`` session that a ``TOKEN``
                session came through, or the ``TOKEN`` sessions that came through an ``SSO`` session.

        Raises:
            Misconfigured: The pool does not track sessions.
            ServiceError: It is the current session, or the user has no such session.
            UsageError: The installed botocore is too old; the message names the version to install.
        """
        await self._run(self._exchanges.revoke_session(session_id, linked))

    # -- signing out and deleting --

    async def sign_out_everywhere(self) -> None:
        """Sign the user out on all devices. See `Account.sign_out_everywhere`."""
        await self._run(self._exchanges.sign_out_everywhere())

    async def delete_user(self) -> None:
        """Delete the user from the pool. This cannot be undone."""
        await self._run(self._exchanges.delete_user())
