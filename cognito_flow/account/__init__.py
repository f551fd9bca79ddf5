"""Account and AsyncAccount: what a person does who is signed in.

Rule of this file: a public method is a line over a shared exchange; if it took a secret, it drops it before
that runs, because tools print a traceback's locals.

What is under way (a secret that waits for its first code, a passkey that is being registered) is kept by
Cognito for that person: what one process began, another one with the same tokens can finish.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import attrs

from cognito_flow._tracebacks import without_locals
from cognito_flow._transport.drivers import AsyncDriver, Driver
from cognito_flow.account._exchanges import Person
from cognito_flow.account._records import CodeDelivery, Passkey, RememberedDevice, UserProfile
from cognito_flow.handlers.mfa_setup import totp_uri
from cognito_flow.models import MfaType

__all__ = [
    "Account",
    "AsyncAccount",
    "AsyncPasskeyRegistration",
    "AsyncTotpEnrolment",
    "PasskeyRegistration",
    "TotpEnrolment",
]


@attrs.frozen(eq=False)
class _TotpEnrolment:
    """What both enrolments share."""

    secret_code: str = attrs.field(repr=False)
    """The secret for the authenticator app, base32."""

    _person: Person = attrs.field(repr=False)

    def uri(self, issuer: str, account: str | None = None) -> str:
        """The otpauth URI to show as a QR code.

        Args:
            issuer: The name of the service, as the app shall show it.
            account: The name of the account; the user name if None.
        """
        return totp_uri(
            self.secret_code, issuer, self._person.tokens.username if account is None else account
        )


@without_locals
@attrs.frozen(eq=False)
class TotpEnrolment(_TotpEnrolment):
    """An authenticator app that waits for its first code. `Account.enrol_totp` makes it."""

    _driver: Driver = attrs.field(repr=False)

    def confirm(self, code: str, *, device_name: str | None = None, preferred: bool = True) -> None:
        """Finish with the app's first code. See `Account.confirm_totp`."""
        exchange = self._person.confirm_totp(code, device_name, preferred)
        del code
        self._driver.run(exchange)


@without_locals
@attrs.frozen(eq=False)
class AsyncTotpEnrolment(_TotpEnrolment):
    """`TotpEnrolment` for asyncio."""

    _driver: AsyncDriver = attrs.field(repr=False)

    async def confirm(self, code: str, *, device_name: str | None = None, preferred: bool = True) -> None:
        """Finish with the app's first code. See `Account.confirm_totp`."""
        exchange = self._person.confirm_totp(code, device_name, preferred)
        del code
        await self._driver.run(exchange)


@attrs.frozen(eq=False)
class _PasskeyRegistration:
    """What both registrations share."""

    options: Mapping[str, object]
    """What to hand to ``navigator.credentials.create``, parsed; every binary value is base64url without
    padding."""

    _person: Person = attrs.field(repr=False)

    @property
    def options_json(self) -> str:
        """The options as JSON text for a web page."""
        return json.dumps(self.options, separators=(",", ":"))


@without_locals
@attrs.frozen(eq=False)
class PasskeyRegistration(_PasskeyRegistration):
    """A passkey that the person's browser is to make. `Account.register_passkey` makes it."""

    _driver: Driver = attrs.field(repr=False)

    def finish(self, credential: str | Mapping[str, object]) -> None:
        """Register what the browser made. See `Account.finish_passkey`."""
        self._driver.run(self._person.finish_passkey(credential))


@without_locals
@attrs.frozen(eq=False)
class AsyncPasskeyRegistration(_PasskeyRegistration):
    """`PasskeyRegistration` for asyncio."""

    _driver: AsyncDriver = attrs.field(repr=False)

    async def finish(self, credential: str | Mapping[str, object]) -> None:
        """Register what the browser made. See `Account.finish_passkey`."""
        await self._driver.run(self._person.finish_passkey(credential))


@attrs.frozen(repr=False, eq=False)
class _Account:
    """What both accounts share."""

    _person: Person

    @property
    def username(self) -> str:
        """Cognito's own name of the user."""
        return self._person.tokens.username

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.username!r})"


@without_locals
@attrs.frozen(repr=False, eq=False)
class Account(_Account):
    """What a person does who is signed in. `AuthFlow.account` makes it; it holds no more than their tokens.

    Every method raises, besides what stands with it:

    - `TokenExpired`: refresh, and make a new account with the new tokens.
    - `TokenRevoked`: the person signed out everywhere: sign in again.
    - `Misconfigured`: the access token has not the scope ``aws.cognito.signin.user.admin``. Tokens of an
      `AuthFlow` always have it; those of managed login only if it was asked for.
    - `TransportError`, and `Throttled`: no answer came, or too many requests were made.
    """

    _driver: Driver

    # -- profile --

    def user(self) -> UserProfile:
        """What the pool knows about the person."""
        return self._driver.run(self._person.user())

    def update_attributes(self, attributes: Mapping[str, str]) -> tuple[CodeDelivery, ...]:
        """Change attributes.

        Args:
            attributes: The new values, by name; custom attributes as ``custom:...``.

        Returns:
            Where codes were sent: a new address that the pool verifies is confirmed with `verify_attribute`.

        Raises:
            AliasExists: The address belongs to somebody else.
            NotAuthorized: The app client may not write an attribute.
            UsageError: A name is empty, or a value is not text.
        """
        return self._driver.run(self._person.update_attributes(attributes))

    def delete_attributes(self, names: Iterable[str]) -> None:
        """Delete attributes.

        Args:
            names: Their names.
        """
        self._driver.run(self._person.delete_attributes(names))

    def send_attribute_code(self, name: str) -> CodeDelivery:
        """Send a code to an address, so that the person can show that it is theirs.

        Args:
            name: ``email`` or ``phone_number``.

        Raises:
            LimitExceeded: This person asked too often.
        """
        return self._driver.run(self._person.send_attribute_code(name))

    def verify_attribute(self, name: str, code: str) -> None:
        """Show that an address is theirs, with the code that was sent there.

        Args:
            name: ``email`` or ``phone_number``.
            code: The code; white space is passed over.

        Raises:
            WrongCode: Ask again.
            CodeExpired: Send a new one.
            AliasExists: The address belongs to somebody else.
            LimitExceeded: Too many codes were tried.
        """
        exchange = self._person.verify_attribute(name, code)
        del code
        self._driver.run(exchange)

    def change_password(self, previous_password: str | None, proposed_password: str) -> None:
        """Change the password. Tokens stay good: to end other sessions, call `sign_out_everywhere`.

        Args:
            previous_password: The password until now; None for a person who has none.
            proposed_password: The new one.

        Raises:
            IncorrectPassword: The previous one is wrong.
            PasswordRejected: The new one breaks the pool's policy or history rule.
            LimitExceeded: Too many wrong ones.
        """
        exchange = self._person.change_password(previous_password, proposed_password)
        del previous_password, proposed_password
        self._driver.run(exchange)

    # -- second factors --

    def enrol_totp(self) -> TotpEnrolment:
        """Begin with an authenticator app. Until it is confirmed, nothing has changed.

        Raises:
            Misconfigured: The pool has no such factor.
        """
        secret_code = self._driver.run(self._person.associate_totp())
        return TotpEnrolment(secret_code, self._person, self._driver)

    def confirm_totp(self, code: str, *, device_name: str | None = None, preferred: bool = True) -> None:
        """Finish what `enrol_totp` began, in this process or another: the app becomes a second factor, in
        place of an earlier app.

        Args:
            code: The six digits that the app shows; white space is passed over. They are good once: a sign-in
                takes the next ones.
            device_name: What to call this authenticator, for the person's own use.
            preferred: Whether a sign-in asks for it before other second factors.

        Raises:
            WrongCode: Ask again.
        """
        exchange = self._person.confirm_totp(code, device_name, preferred)
        del code
        self._driver.run(exchange)

    def set_mfa(self, enabled: Iterable[MfaType], *, preferred: MfaType | None = None) -> None:
        """Say which second factors are on.

        Args:
            enabled: Those that are on afterwards; all others are off.
            preferred: The one that a sign-in asks for; None lets the person choose where there are several.

        Raises:
            ServiceError: The person has no such factor: no address, or no authenticator app.
            UsageError: The preferred one is not among the others.
        """
        self._driver.run(self._person.set_mfa(enabled, preferred))

    # -- passkeys --

    def register_passkey(self) -> PasskeyRegistration:
        """Begin with a passkey: the options are for the person's browser.

        Raises:
            Misconfigured: The pool does not take passkeys, or has no relying party id.
            LimitExceeded: The person has 20 of them.
        """
        options = self._driver.run(self._person.start_passkey())
        return PasskeyRegistration(options, self._person, self._driver)

    def finish_passkey(self, credential: str | Mapping[str, object]) -> None:
        """Finish what `register_passkey` began, in this process or another.

        Args:
            credential: What ``navigator.credentials.create`` gave, in its JSON form
                (``credential.toJSON()``), as text or as a mapping.

        Raises:
            FlowExpired: It took too long: begin again.
            Misconfigured: The page is not of the relying party.
            UsageError: It is no new credential; the message names what is missing.
        """
        self._driver.run(self._person.finish_passkey(credential))

    def passkeys(self) -> tuple[Passkey, ...]:
        """The person's passkeys, all of them."""
        return self._driver.run(self._person.passkeys())

    def delete_passkey(self, credential_id: str) -> None:
        """Delete a passkey: it signs in no more. The browser keeps it until the person deletes it there.

        Args:
            credential_id: Its `Passkey.credential_id`.
        """
        self._driver.run(self._person.delete_passkey(credential_id))

    # -- devices --

    def devices(self) -> tuple[RememberedDevice, ...]:
        """The devices that the pool remembers for the person, all of them."""
        return self._driver.run(self._person.devices())

    def remember_device(self, device_key: str | None = None) -> None:
        """Let a device stand in for the second factor, in pools that leave this to the person.

        Args:
            device_key: Its DeviceKey; None: the device of this sign-in.

        Raises:
            DeviceForgotten: The pool does not know it.
            UsageError: No device took part in this sign-in.
        """
        self._driver.run(self._person.remember_device(device_key))

    def forget_device(self, device_key: str | None = None) -> None:
        """Forget a device. Its refresh tokens end with it, and the flow's DeviceStore drops it.

        Args:
            device_key: Its DeviceKey; None: the device of this sign-in.

        Raises:
            DeviceForgotten: The pool does not know it.
            UsageError: No device took part in this sign-in.
        """
        self._driver.run(self._person.forget_device(device_key))

    # -- the end --

    def sign_out_everywhere(self) -> None:
        """End all sessions of the person: no refresh token is good any more, and Cognito refuses the access
        tokens.

        Whoever verifies tokens without asking Cognito takes them until they expire.
        """
        self._driver.run(self._person.sign_out_everywhere())

    def delete_user(self) -> None:
        """Delete the person from the pool, for good."""
        self._driver.run(self._person.delete_user())


@without_locals
@attrs.frozen(repr=False, eq=False)
class AsyncAccount(_Account):
    """`Account` for asyncio: the same names, awaitable. `AsyncAuthFlow.account` makes it."""

    _driver: AsyncDriver

    # -- profile --

    async def user(self) -> UserProfile:
        """What the pool knows about the person."""
        return await self._driver.run(self._person.user())

    async def update_attributes(self, attributes: Mapping[str, str]) -> tuple[CodeDelivery, ...]:
        """Change attributes. See `Account.update_attributes`."""
        return await self._driver.run(self._person.update_attributes(attributes))

    async def delete_attributes(self, names: Iterable[str]) -> None:
        """Delete attributes. See `Account.delete_attributes`."""
        await self._driver.run(self._person.delete_attributes(names))

    async def send_attribute_code(self, name: str) -> CodeDelivery:
        """Send a code to an address. See `Account.send_attribute_code`."""
        return await self._driver.run(self._person.send_attribute_code(name))

    async def verify_attribute(self, name: str, code: str) -> None:
        """Show that an address is theirs. See `Account.verify_attribute`."""
        exchange = self._person.verify_attribute(name, code)
        del code
        await self._driver.run(exchange)

    async def change_password(self, previous_password: str | None, proposed_password: str) -> None:
        """Change the password. See `Account.change_password`."""
        exchange = self._person.change_password(previous_password, proposed_password)
        del previous_password, proposed_password
        await self._driver.run(exchange)

    # -- second factors --

    async def enrol_totp(self) -> AsyncTotpEnrolment:
        """Begin with an authenticator app. See `Account.enrol_totp`."""
        secret_code = await self._driver.run(self._person.associate_totp())
        return AsyncTotpEnrolment(secret_code, self._person, self._driver)

    async def confirm_totp(
        self, code: str, *, device_name: str | None = None, preferred: bool = True
    ) -> None:
        """Finish what `enrol_totp` began. See `Account.confirm_totp`."""
        exchange = self._person.confirm_totp(code, device_name, preferred)
        del code
        await self._driver.run(exchange)

    async def set_mfa(self, enabled: Iterable[MfaType], *, preferred: MfaType | None = None) -> None:
        """Say which second factors are on. See `Account.set_mfa`."""
        await self._driver.run(self._person.set_mfa(enabled, preferred))

    # -- passkeys --

    async def register_passkey(self) -> AsyncPasskeyRegistration:
        """Begin with a passkey. See `Account.register_passkey`."""
        options = await self._driver.run(self._person.start_passkey())
        return AsyncPasskeyRegistration(options, self._person, self._driver)

    async def finish_passkey(self, credential: str | Mapping[str, object]) -> None:
        """Finish what `register_passkey` began. See `Account.finish_passkey`."""
        await self._driver.run(self._person.finish_passkey(credential))

    async def passkeys(self) -> tuple[Passkey, ...]:
        """The person's passkeys, all of them."""
        return await self._driver.run(self._person.passkeys())

    async def delete_passkey(self, credential_id: str) -> None:
        """Delete a passkey. See `Account.delete_passkey`."""
        await self._driver.run(self._person.delete_passkey(credential_id))

    # -- devices --

    async def devices(self) -> tuple[RememberedDevice, ...]:
        """The devices that the pool remembers for the person, all of them."""
        return await self._driver.run(self._person.devices())

    async def remember_device(self, device_key: str | None = None) -> None:
        """Let a device stand in for the second factor. See `Account.remember_device`."""
        await self._driver.run(self._person.remember_device(device_key))

    async def forget_device(self, device_key: str | None = None) -> None:
        """Forget a device. See `Account.forget_device`."""
        await self._driver.run(self._person.forget_device(device_key))

    # -- the end --

    async def sign_out_everywhere(self) -> None:
        """End all sessions of the person. See `Account.sign_out_everywhere`."""
        await self._driver.run(self._person.sign_out_everywhere())

    async def delete_user(self) -> None:
        """Delete the person from the pool, for good."""
        await self._driver.run(self._person.delete_user())
