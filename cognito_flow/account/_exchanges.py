"""The calls of a user who is signed in, as exchanges.

Rule of this file: no I/O; time and randomness are passed in. An exchange leaves out the access token, and
`authorized` adds it to every call: a token source may have to refresh it first, and that is I/O.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Literal, TypeVar, cast

import attrs

from cognito_flow._checks import check_code, check_list, check_text
from cognito_flow._exchange import Exchange, Response, Wait
from cognito_flow._turn import Settings, Turn
from cognito_flow.account._authorization import SignedInUser
from cognito_flow.account._members import name_value_pairs, need_object, need_text, objects
from cognito_flow.account._pages import all_pages
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
from cognito_flow.errors import CognitoFlowError, UsageError
from cognito_flow.handlers.mfa_setup import first_code, verify_totp
from cognito_flow.handlers.passkeys import credential_json
from cognito_flow.models import Event, MfaType

T = TypeVar("T")

# The members of SetUserMFAPreference.
_MFA_SETTINGS = {
    MfaType.SMS_MFA: "SMSMfaSettings",
    MfaType.SOFTWARE_TOKEN_MFA: "SoftwareTokenMfaSettings",
    MfaType.EMAIL_OTP: "EmailMfaSettings",
    MfaType.WEB_AUTHN: "WebAuthnMfaSettings",
}
_IN_ATTESTATION = ("clientDataJSON", "attestationObject")
_MOST_DEVICES = 60  # the most that one page may hold
_MOST_PASSKEYS = 20


def authorized(exchange: Exchange[T], access_token: str) -> Exchange[T]:
    """The exchange, with the access token added to each call.

    Args:
        exchange: One of `AccountExchanges`.
        access_token: The user's access token.
    """
    advance = partial(next, exchange)
    while True:
        try:
            call = advance()
        except StopIteration as stop:
            return cast("T", stop.value)
        if isinstance(call, Wait):
            yield call
            advance = partial(next, exchange)
            continue
        parameters = {"AccessToken": access_token, **call.parameters}
        try:
            response = yield attrs.evolve(call, parameters=parameters)
        except CognitoFlowError as error:
            advance = partial(exchange.throw, error)
        else:
            advance = partial(exchange.send, response)


@attrs.frozen
class AccountExchanges:
    """The exchanges of one user who is signed in.

    Args:
        settings: The flow's settings.
        user: The user.
    """

    settings: Settings
    user: SignedInUser

    def _turn(self) -> Turn:
        return Turn(settings=self.settings, username=self.user.username)

    def _call(self, operation: str, members: Mapping[str, object] | None = None) -> Exchange[Response]:
        return self._turn().call(operation, members or {})

    # -- profile --

    def profile(self) -> Exchange[UserProfile]:
        """GetUser."""
        return UserProfile.read((yield from self._call("GetUser")).data)

    def update_attributes(self, attributes: Mapping[str, str]) -> Exchange[tuple[CodeDelivery, ...]]:
        """UpdateUserAttributes. Where a new address must be verified, Cognito sends a code there."""
        members = {
            "UserAttributes": name_value_pairs("attribute", attributes),
            **self._turn().client_metadata(),
        }
        response = yield from self._call("UpdateUserAttributes", members)
        details = objects(response.data.get("CodeDeliveryDetailsList"))
        return tuple(CodeDelivery.read(one) for one in details)

    def delete_attributes(self, names: Iterable[str]) -> Exchange[None]:
        """DeleteUserAttributes."""
        checked = [check_text("the name of an attribute", name) for name in check_list("names", names)]
        yield from self._call("DeleteUserAttributes", {"UserAttributeNames": checked})

    def send_attribute_code(self, name: str) -> Exchange[CodeDelivery]:
        """GetUserAttributeVerificationCode."""
        members = {
            "AttributeName": check_text("the name of the attribute", name),
            **self._turn().client_metadata(),
        }
        response = yield from self._call("GetUserAttributeVerificationCode", members)
        return CodeDelivery.read(need_object(response.data, "CodeDeliveryDetails"))

    def verify_attribute(self, name: str, code: str) -> Exchange[None]:
        """VerifyUserAttribute."""
        members = {
            "AttributeName": check_text("the name of the attribute", name),
            "Code": check_code(code),
        }
        yield from self._call("VerifyUserAttribute", members)

    def change_password(self, previous_password: str | None, proposed_password: str) -> Exchange[None]:
        """ChangePassword. PreviousPassword may be omitted by users without a password."""
        members = {"ProposedPassword": check_text("the new password", proposed_password)}
        if previous_password is not None:
            members["PreviousPassword"] = check_text("the previous password", previous_password)
        yield from self._call("ChangePassword", members)

    # -- how to sign in --

    def auth_factors(self) -> Exchange[AuthFactors]:
        """GetUserAuthFactors."""
        return AuthFactors.read((yield from self._call("GetUserAuthFactors")).data)

    def enrol_totp(self) -> Exchange[TotpSecret]:
        """AssociateSoftwareToken."""
        response = yield from self._call("AssociateSoftwareToken")
        return TotpSecret(need_text(response.data, "SecretCode"), self.user.username)

    def confirm_totp(self, code: str, device_name: str | None, preferred: bool) -> Exchange[None]:
        """VerifySoftwareToken, then SetUserMFAPreference: a verified factor is not on by itself."""
        yield from verify_totp(self._turn(), first_code(code, device_name))
        factor = MfaType.SOFTWARE_TOKEN_MFA
        setting = {_MFA_SETTINGS[factor]: _mfa_setting(factor, True, preferred)}
        yield from self._call("SetUserMFAPreference", setting)

    def set_mfa(
        self,
        enabled: MfaType | Iterable[MfaType],
        disabled: MfaType | Iterable[MfaType],
        preferred: MfaType | Literal[False] | None,
    ) -> Exchange[None]:
        """SetUserMFAPreference, which leaves the factors unchanged that it does not name.

        GetUser comes first: a setting that leaves out PreferredMfa clears the preference, and Cognito refuses
        to turn off a factor that the user does not have.
        """
        on, off = _mfa_types(enabled), _mfa_types(disabled)
        if preferred:
            on |= _mfa_types(preferred)
        _check_mfa(on, off, preferred)
        profile = yield from self.profile()
        wanted = profile.preferred_mfa if preferred is None else preferred
        if preferred is not None and isinstance(profile.preferred_mfa, MfaType):
            on |= {profile.preferred_mfa} - off  # to say that it is not the preferred one any more
        # GetUser does not list passkeys among the second factors.
        off &= {*profile.enabled_mfa, MfaType.WEB_AUTHN}
        settings = {
            member: _mfa_setting(choice, choice in on, choice == wanted)
            for choice, member in _MFA_SETTINGS.items()
            if choice in on | off
        }
        if settings:
            yield from self._call("SetUserMFAPreference", settings)

    # -- passkeys --

    def start_passkey(self) -> Exchange[PasskeyOptions]:
        """StartWebAuthnRegistration."""
        return PasskeyOptions.read((yield from self._call("StartWebAuthnRegistration")).data)

    def finish_passkey(self, credential: str | Mapping[str, object]) -> Exchange[None]:
        """CompleteWebAuthnRegistration. The credential is a JSON value there, not JSON text."""
        document = cast(
            "object", json.loads(credential_json(credential, _IN_ATTESTATION, "credentials.create"))
        )
        yield from self._call("CompleteWebAuthnRegistration", {"Credential": document})

    def passkeys(self) -> Exchange[tuple[Passkey, ...]]:
        """ListWebAuthnCredentials, all pages."""
        limit = {"MaxResults": _MOST_PASSKEYS}
        found = yield from all_pages(
            self._turn(), "ListWebAuthnCredentials", "Credentials", "NextToken", limit
        )
        return tuple(Passkey.read(one) for one in found)

    def delete_passkey(self, credential_id: str) -> Exchange[None]:
        """DeleteWebAuthnCredential."""
        members = {"CredentialId": check_text("the id of the passkey", credential_id)}
        yield from self._call("DeleteWebAuthnCredential", members)

    # -- devices --

    def devices(self) -> Exchange[tuple[RememberedDevice, ...]]:
        """ListDevices, all pages."""
        found = yield from all_pages(
            self._turn(), "ListDevices", "Devices", "PaginationToken", {"Limit": _MOST_DEVICES}
        )
        return tuple(RememberedDevice.read(one) for one in found)

    def device(self, device_key: str | None) -> Exchange[RememberedDevice]:
        """GetDevice."""
        response = yield from self._call("GetDevice", {"DeviceKey": self._device_key(device_key)})
        return RememberedDevice.read(need_object(response.data, "Device"))

    def remember_device(self, device_key: str | None, remembered: bool) -> Exchange[None]:
        """UpdateDeviceStatus."""
        status = "remembered" if remembered else "not_remembered"
        members = {"DeviceKey": self._device_key(device_key), "DeviceRememberedStatus": status}
        yield from self._call("UpdateDeviceStatus", members)

    def forget_device(self, device_key: str | None) -> Exchange[None]:
        """ForgetDevice. The flow's store drops the device, too, if it has it."""
        key = self._device_key(device_key)
        yield from self._call("ForgetDevice", {"DeviceKey": key})
        yield from self._drop_device(key)

    def _device_key(self, given: str | None) -> str:
        key = self.user.device_key if given is None else given
        if key is None:
            raise UsageError("no device took part in this sign-in: pass the key of one of account.devices()")
        return check_text("the device key", key)

    def _drop_device(self, key: str | None) -> Exchange[None]:
        """Drop the device in the flow's store if it has this key; None: whatever its key is."""
        turn = self._turn()
        if (yield from turn.delete_device(key)):
            turn.emit(Event(kind="device_forgotten"))

    # -- sessions --

    def sessions(self) -> Exchange[tuple[UserSession, ...]]:
        """ListUserSessions, all pages."""
        found = yield from all_pages(self._turn(), "ListUserSessions", "Sessions", "NextToken", {})
        return tuple(UserSession.read(one) for one in found)

    def revoke_session(self, session_id: str, linked: bool) -> Exchange[None]:
        """RevokeUserSession."""
        members = {"SessionId": check_text("the id of the session", session_id)}
        if linked:
            members["RevokeAssociatedSessions"] = "LINKED"
        yield from self._call("RevokeUserSession", members)

    # -- signing out and deleting --

    def sign_out_everywhere(self) -> Exchange[None]:
        """GlobalSignOut."""
        yield from self._call("GlobalSignOut")

    def delete_user(self) -> Exchange[None]:
        """DeleteUser."""
        yield from self._call("DeleteUser")
        yield from self._drop_device(None)


def _mfa_types(factors: object) -> set[MfaType]:
    if isinstance(factors, str) or not isinstance(factors, Iterable):
        return {_mfa_type(factors)}
    return {_mfa_type(factor) for factor in cast("Iterable[object]", factors)}


def _mfa_type(factor: object) -> MfaType:
    try:
        return MfaType(str(factor))
    except ValueError:
        raise UsageError(f"{factor!r} is not a second factor: pass members of MfaType") from None


def _check_mfa(on: set[MfaType], off: set[MfaType], preferred: MfaType | Literal[False] | None) -> None:
    if both := on & off:
        raise UsageError(f"{min(both)} cannot be enabled and disabled at the same time")
    if preferred == MfaType.WEB_AUTHN:
        raise UsageError("WEB_AUTHN cannot be preferred: users choose a passkey as their first factor")


def _mfa_setting(factor: MfaType, enabled: bool, preferred: bool) -> dict[str, bool]:
    """The setting of one factor. Cognito takes a missing PreferredMfa for false, so it is always sent; the
    setting of passkeys has no such member."""
    if factor is MfaType.WEB_AUTHN:
        return {"Enabled": enabled}
    return {"Enabled": enabled, "PreferredMfa": enabled and preferred}
