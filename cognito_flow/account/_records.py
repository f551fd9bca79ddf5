"""What Cognito tells about people: how a sign-up went, where a code was sent, what a user has.

Rule of this file: records only. They are frozen, and each reads itself from Cognito's output. What Cognito
may leave out is None here; moments are in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Self

import attrs

from cognito_flow._json import as_list, as_object, as_text
from cognito_flow.errors import UnexpectedResponse
from cognito_flow.handlers.choices import known_mfa_types
from cognito_flow.models import MfaType

__all__ = ["CodeDelivery", "Passkey", "RememberedDevice", "SignedUp", "UserProfile", "objects"]


@attrs.frozen
class CodeDelivery:
    """Where a code was sent.

    For a name that nobody has, Cognito invents one, so that nobody learns who has an account.

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
        names = ("DeliveryMedium", "Destination", "AttributeName")
        return cls(*(as_text(data.get(name)) for name in names))


@attrs.frozen(kw_only=True)
class SignedUp:
    """A user was made.

    Args:
        username: The name that was given, to confirm the sign-up with.
        user_sub: The user's unchangeable id, the claim `sub` of the tokens to come.
        confirmed: Whether the user may sign in already: a PreSignUp trigger said so.
        delivery: Where the confirmation code was sent, if one was.
        session: For `confirm_sign_up`, and by way of it to sign in without asking anything again. Only app
            clients with ALLOW_USER_AUTH get one.
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
            user_sub=_need_text(data, "UserSub"),
            confirmed=data.get("UserConfirmed") is True,
            delivery=None if delivery is None else CodeDelivery.read(delivery),
            session=as_text(data.get("Session")),
        )


@attrs.frozen(kw_only=True)
class UserProfile:
    """What the pool knows about a person.

    Args:
        username: Cognito's own name of the user.
        attributes: The attributes that this app client may read. Every value is text, also of numbers and
            truth values.
        enabled_mfa: The second factors that are switched on.
        preferred_mfa: The one that a sign-in asks for.
    """

    username: str
    attributes: Mapping[str, str] = attrs.field(repr=False)
    enabled_mfa: tuple[MfaType | str, ...]
    preferred_mfa: MfaType | str | None

    def is_verified(self, attribute: str) -> bool:
        """Whether the person has proved that an address is theirs.

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
        preferred = as_text(data.get("PreferredMfaSetting"))
        return cls(
            username=_need_text(data, "Username"),
            attributes=_attributes(data.get("UserAttributes")),
            enabled_mfa=known_mfa_types(_texts(data.get("UserMFASettingList"))),
            preferred_mfa=known_mfa_types((preferred,))[0] if preferred else None,
        )


@attrs.frozen(kw_only=True)
class RememberedDevice:
    """A device that the pool remembers for a person.

    Args:
        key: The DeviceKey.
        name: What it is called.
        attributes: What Cognito knows of it, such as ``device_status`` and ``last_ip_used``.
        created_at: When it was first seen.
        modified_at: When what is known of it changed.
        authenticated_at: When somebody last signed in with it.

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
        """Read one of the Devices of ListDevices."""
        attributes = _attributes(data.get("DeviceAttributes"))
        return cls(
            key=_need_text(data, "DeviceKey"),
            name=attributes.get("device_name"),
            attributes=attributes,
            created_at=_moment(data.get("DeviceCreateDate")),
            modified_at=_moment(data.get("DeviceLastModifiedDate")),
            authenticated_at=_moment(data.get("DeviceLastAuthenticatedDate")),
        )


@attrs.frozen(kw_only=True)
class Passkey:
    """A passkey that a person may sign in with.

    Args:
        credential_id: Its id, base64url.
        name: What Cognito calls it, after the maker of the authenticator.
        relying_party_id: The domain that it is good for.
        attachment: ``platform`` for one in the device itself, ``cross-platform`` for one that travels.
        transports: How it is reached, for example ``internal`` or ``usb``.
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
            credential_id=_need_text(data, "CredentialId"),
            name=as_text(data.get("FriendlyCredentialName")),
            relying_party_id=as_text(data.get("RelyingPartyId")),
            attachment=as_text(data.get("AuthenticatorAttachment")),
            transports=_texts(data.get("AuthenticatorTransports")),
            created_at=_moment(data.get("CreatedAt")),
        )


def objects(value: object) -> list[Mapping[str, object]]:
    """The objects of a list; none if it is no list."""
    found = (as_object(item) for item in as_list(value) or ())
    return [item for item in found if item is not None]


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in as_list(value) or () if isinstance(item, str))


def _need_text(data: Mapping[str, object], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str):
        raise UnexpectedResponse(f"Cognito answered without {name}")
    return value


def _attributes(value: object) -> dict[str, str]:
    """From the wire's list of names and values. An attribute may have no value."""
    return {_need_text(item, "Name"): as_text(item.get("Value")) or "" for item in objects(value)}


def _moment(value: object) -> datetime | None:
    """botocore gives moments in the time zone of the machine."""
    return value.astimezone(UTC) if isinstance(value, datetime) else None
