"""The records of sign-up and account calls: how a sign-up went, where a code was sent, what a user has.

Rule of this file: frozen records, each of which reads itself from Cognito's output. What Cognito may leave
out is None; dates are in UTC.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Self

import attrs

from cognito_flow._json import as_object
from cognito_flow.account._members import attributes, moment, need_object, need_text, text, texts
from cognito_flow.handlers.choices import known_first_factors, known_mfa_types
from cognito_flow.handlers.mfa_setup import totp_uri
from cognito_flow.models import FirstFactor, MfaType

# -- sign-up --


@attrs.frozen
class CodeDelivery:
    """Where a code was sent.

    For an unknown user Cognito returns a made-up destination, so that the response does not reveal who has an
    account.

    Args:
        medium: ``EMAIL`` or ``SMS``.
        sent_to: The address, masked by Cognito, such as ``a***@e***``.
        attribute: The user attribute that holds the address: ``email`` or ``phone_number``.

    Source: CodeDeliveryDetailsType in the Amazon Cognito API reference.
    """

    medium: str | None
    sent_to: str | None
    attribute: str | None

    @classmethod
    def read(cls, data: Mapping[str, object]) -> Self:
        """Read CodeDeliveryDetails."""
        return cls(text(data, "DeliveryMedium"), text(data, "Destination"), text(data, "AttributeName"))


@attrs.frozen(kw_only=True)
class SignedUp:
    """A new user, who has yet to confirm the sign-up with the code that Cognito sent.

    Between the two pages, `AuthFlow.seal` makes text of it.

    Args:
        username: The name that was given to `sign_up`.
        user_sub: The user's permanent id, which is the claim `sub` of their tokens.
        confirmed: Whether the user can sign in already, because a PreSignUp trigger confirmed them.
        delivery: Where the code was sent; None if no code was sent.
        session: With it, `confirm_sign_up` also signs the user in. Cognito sends one only to app clients with
            ALLOW_USER_AUTH.

    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool(auto_verified_attributes=["email"])
    >>> flow = pool.flow()
    >>> signed_up = flow.sign_up("alice", "Correct-horse-1", attributes={"email": "alice@example.com"})
    >>> signed_up.delivery.sent_to
    'a***@e***'
    >>> flow.confirm_sign_up(signed_up, pool.last_code("alice")).username
    'alice'
    """

    username: str
    user_sub: str
    confirmed: bool
    delivery: CodeDelivery | None
    session: str | None = attrs.field(repr=False)

    @classmethod
    def read(cls, username: str, data: Mapping[str, object]) -> Self:
        """Read the output of SignUp."""
        delivery = as_object(data.get("CodeDeliveryDetails"))
        return cls(
            username=username,
            user_sub=need_text(data, "UserSub"),
            confirmed=data.get("UserConfirmed") is True,
            delivery=None if delivery is None else CodeDelivery.read(delivery),
            session=text(data, "Session"),
        )


@attrs.frozen
class Confirmed:
    """The sign-up is confirmed, and the user has yet to sign in.

    Args:
        username: The name to sign in with, as it was given to `sign_up`.
    """

    username: str


# -- profile --


@attrs.frozen(kw_only=True)
class UserProfile:
    """What the pool stores about a user.

    Args:
        username: The user name in the pool.
        attributes: The attributes that this app client may read. Every value is text, numbers and booleans
            too.
        enabled_mfa: The second factors that are on.
        preferred_mfa: The one that a sign-in asks for first.
    """

    username: str
    attributes: Mapping[str, str] = attrs.field(repr=False)
    enabled_mfa: tuple[MfaType | str, ...]
    preferred_mfa: MfaType | str | None

    def is_verified(self, attribute: str) -> bool:
        """Whether the user has verified an address with a code.

        Args:
            attribute: ``email`` or ``phone_number``.

        >>> profile = UserProfile(
        ...     username="alice", attributes={"email_verified": "true"}, enabled_mfa=(), preferred_mfa=None
        ... )
        >>> profile.is_verified("email"), profile.is_verified("phone_number")
        (True, False)
        """
        return self.attributes.get(f"{attribute}_verified", "").lower() == "true"

    @classmethod
    def read(cls, data: Mapping[str, object]) -> Self:
        """Read the output of GetUser."""
        return cls(
            username=need_text(data, "Username"),
            attributes=attributes(data.get("UserAttributes")),
            enabled_mfa=known_mfa_types(texts(data.get("UserMFASettingList"))),
            preferred_mfa=_preferred_mfa(data),
        )


@attrs.frozen(kw_only=True)
class AuthFactors:
    """How a user can sign in.

    Args:
        configured: The factors that the user has set up, for the first or the second step of a sign-in. An
            authenticator app is ``SOFTWARE_TOKEN`` here.
        enabled_mfa: The second factors that are on.
        preferred_mfa: The one that a sign-in asks for first.

    Source: GetUserAuthFactors in the Amazon Cognito API reference.
    """

    configured: tuple[FirstFactor | str, ...]
    enabled_mfa: tuple[MfaType | str, ...]
    preferred_mfa: MfaType | str | None

    @classmethod
    def read(cls, data: Mapping[str, object]) -> Self:
        """Read the output of GetUserAuthFactors."""
        return cls(
            configured=known_first_factors(texts(data.get("ConfiguredUserAuthFactors"))),
            enabled_mfa=known_mfa_types(texts(data.get("UserMFASettingList"))),
            preferred_mfa=_preferred_mfa(data),
        )


def _preferred_mfa(data: Mapping[str, object]) -> MfaType | str | None:
    preferred = text(data, "PreferredMfaSetting")
    return known_mfa_types((preferred,))[0] if preferred else None


# -- second factors and passkeys --


@attrs.frozen
class TotpSecret:
    """The secret of an authenticator app that waits for its first code. `Account.enrol_totp` returns it.

    Args:
        secret_code: The secret, base32. Users who cannot scan the QR code type it.
        username: The user name.
    """

    secret_code: str = attrs.field(repr=False)
    username: str

    def uri(self, issuer: str, account: str | None = None) -> str:
        """The otpauth URI to show as a QR code.

        Args:
            issuer: The name of your service. The authenticator app shows it.
            account: The name of the account in the authenticator app; None: the user name.

        >>> TotpSecret("JBSWY3DPEHPK3PXP", "alice").uri("Books")
        'otpauth://totp/Books:alice?secret=JBSWY3DPEHPK3PXP&issuer=Books'
        """
        return totp_uri(self.secret_code, issuer, self.username if account is None else account)


@attrs.frozen
class PasskeyOptions:
    """The input of ``navigator.credentials.create`` in the browser. `Account.start_passkey` returns it.

    Args:
        options: The options, parsed. Binary values are base64url without padding.

    >>> PasskeyOptions({"challenge": "c2VjcmV0"}).options_json
    '{"challenge":"c2VjcmV0"}'
    """

    options: Mapping[str, object]

    @property
    def options_json(self) -> str:
        """The options as JSON text for a web page."""
        return json.dumps(self.options, separators=(",", ":"))

    @classmethod
    def read(cls, data: Mapping[str, object]) -> Self:
        """Read the output of StartWebAuthnRegistration."""
        return cls(need_object(data, "CredentialCreationOptions"))


@attrs.frozen(kw_only=True)
class Passkey:
    """A passkey that the user can sign in with.

    Args:
        credential_id: Its id, base64url.
        name: The name that Cognito gave it, after the maker of the authenticator.
        relying_party_id: The domain that it works for.
        attachment: ``platform`` if it is built into the device, ``cross-platform`` if it is portable.
        transports: How a browser reaches it, for example ``internal`` or ``usb``.
        created_at: When it was registered.

    Source: WebAuthnCredentialDescription in the Amazon Cognito API reference.
    """

    credential_id: str
    name: str | None
    relying_party_id: str | None
    attachment: str | None
    transports: tuple[str, ...]
    created_at: datetime | None

    @classmethod
    def read(cls, data: Mapping[str, object]) -> Self:
        """Read one of the Credentials of ListWebAuthnCredentials."""
        return cls(
            credential_id=need_text(data, "CredentialId"),
            name=text(data, "FriendlyCredentialName"),
            relying_party_id=text(data, "RelyingPartyId"),
            attachment=text(data, "AuthenticatorAttachment"),
            transports=texts(data.get("AuthenticatorTransports")),
            created_at=moment(data.get("CreatedAt")),
        )


# -- devices --


@attrs.frozen(kw_only=True)
class RememberedDevice:
    """A device that the pool remembers for a user.

    Args:
        key: The DeviceKey.
        name: Its name.
        attributes: What Cognito stores about it, such as ``device_status`` and ``last_ip_used``.
        created_at: When the user first signed in with it.
        modified_at: When its attributes last changed.
        authenticated_at: When the user last signed in with it.

    Source: DeviceType in the Amazon Cognito API reference.
    """

    key: str
    name: str | None
    attributes: Mapping[str, str] = attrs.field(repr=False)
    created_at: datetime | None
    modified_at: datetime | None
    authenticated_at: datetime | None

    @classmethod
    def read(cls, data: Mapping[str, object]) -> Self:
        """Read a DeviceType, for example one of the Devices of ListDevices."""
        found = attributes(data.get("DeviceAttributes"))
        return cls(
            key=need_text(data, "DeviceKey"),
            name=found.get("device_name"),
            attributes=found,
            created_at=moment(data.get("DeviceCreateDate")),
            modified_at=moment(data.get("DeviceLastModifiedDate")),
            authenticated_at=moment(data.get("DeviceLastAuthenticatedDate")),
        )


# -- sessions --


@attrs.frozen(kw_only=True)
class UserSession:
    """A place where the user is signed in. The pool must track sessions, which needs Essentials or Plus.

    Args:
        session_id: Its id, for `Account.revoke_session`.
        kind: ``TOKEN``: an app with a refresh token; ``SSO``: a browser that signed in with managed login.
        client_id: The app client.
        created_at: When the user signed in.
        last_active_at: When its tokens were last refreshed; for ``SSO``, when it last signed in to an app.
        device: The operating system and browser or app of the last activity, as far as Cognito knows.
        ip: The IP address of the last activity.
        city: The city of that address.
        country: The country of that address, in English.
        origin_session_id: The ``SSO`` session that it came through; None if it did not come through one.
        is_current: Whether it is the session of this account's access token.

    Source: SessionDescriptionType in the Amazon Cognito API reference.
    """

    session_id: str
    kind: str | None
    client_id: str | None
    created_at: datetime | None
    last_active_at: datetime | None
    device: str | None
    ip: str | None = attrs.field(repr=False)
    city: str | None = attrs.field(repr=False)
    country: str | None
    origin_session_id: str | None
    is_current: bool

    @classmethod
    def read(cls, data: Mapping[str, object]) -> Self:
        """Read one of the Sessions of ListUserSessions."""
        location = as_object(data.get("LastLocation")) or {}
        return cls(
            session_id=need_text(data, "SessionId"),
            kind=text(data, "SessionType"),
            client_id=text(data, "ClientId"),
            created_at=moment(data.get("CreateDate")),
            last_active_at=moment(data.get("LastActiveDate")),
            device=text(data, "DeviceType"),
            ip=text(data, "LastIPAddress"),
            city=text(location, "City"),
            country=text(location, "Country"),
            origin_session_id=text(data, "OriginSessionId"),
            is_current=data.get("IsCurrentSession") is True,
        )
