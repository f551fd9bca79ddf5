"""Accounts: signing up, a forgotten password, and what a person does who is signed in, as exchanges.

Rule of this file: no I/O, no clock, no dice. The functions are for people who are not signed in, and `Person`
is for those who are: everything it does is proved by their access token.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import cast

import attrs

from cognito_flow._exchange import Exchange, Response
from cognito_flow._json import as_object, as_text
from cognito_flow._turn import Settings, Turn
from cognito_flow.account._records import (
    CodeDelivery,
    Passkey,
    RememberedDevice,
    SignedUp,
    UserProfile,
    objects,
)
from cognito_flow.errors import UnexpectedResponse, UsageError
from cognito_flow.handlers.base import check_code, check_text
from cognito_flow.handlers.mfa_setup import first_code, verify_totp
from cognito_flow.handlers.passkeys import credential_json
from cognito_flow.models import MfaType, Tokens

__all__ = [
    "Person",
    "confirm_forgot_password",
    "confirm_sign_up",
    "forgot_password",
    "resend_code",
    "sign_up",
]

# The members of SetUserMFAPreference.
_MFA_SETTINGS = {
    MfaType.SMS_MFA: "SMSMfaSettings",
    MfaType.SOFTWARE_TOKEN_MFA: "SoftwareTokenMfaSettings",
    MfaType.EMAIL_OTP: "EmailMfaSettings",
}
_IN_ATTESTATION = ("clientDataJSON", "attestationObject")
_MOST_DEVICES = 60  # the most that one page may hold
_MOST_PASSKEYS = 20


# -- not signed in --


def sign_up(
    turn: Turn,
    password: str | None,
    attributes: Mapping[str, str] | None,
    validation_data: Mapping[str, str] | None,
) -> Exchange[SignedUp]:
    """SignUp."""
    request: dict[str, object] = {}
    if password is not None:
        request["Password"] = check_text("the password", password)
    if attributes:
        request["UserAttributes"] = _pairs("attribute", attributes)
    if validation_data:
        request["ValidationData"] = _pairs("item of validation data", validation_data)
    response = yield from turn.call_for_client("SignUp", request)
    return SignedUp.read(turn.username, response.data)


def confirm_sign_up(
    turn: Turn, code: str, session: str | None, force_alias_creation: bool
) -> Exchange[str | None]:
    """ConfirmSignUp. The result is the Session that goes on to sign in, if the sign-up had one."""
    request: dict[str, object] = {"ConfirmationCode": check_code(code)}
    if session is not None:
        request["Session"] = check_text("the session", session)
    if force_alias_creation:
        request["ForceAliasCreation"] = True
    response = yield from turn.call_for_client("ConfirmSignUp", request)
    return as_text(response.data.get("Session"))


def resend_code(turn: Turn) -> Exchange[CodeDelivery]:
    """ResendConfirmationCode."""
    return _delivery((yield from turn.call_for_client("ResendConfirmationCode", {})))


def forgot_password(turn: Turn) -> Exchange[CodeDelivery]:
    """ForgotPassword."""
    return _delivery((yield from turn.call_for_client("ForgotPassword", {})))


def confirm_forgot_password(turn: Turn, code: str, new_password: str) -> Exchange[None]:
    """ConfirmForgotPassword."""
    request = {"ConfirmationCode": check_code(code), "Password": check_text("the new password", new_password)}
    yield from turn.call_for_client("ConfirmForgotPassword", request)


def _delivery(response: Response) -> CodeDelivery:
    details = as_object(response.data.get("CodeDeliveryDetails"))
    if details is None:
        raise UnexpectedResponse("Cognito answered without CodeDeliveryDetails")
    return CodeDelivery.read(details)


def _pairs(what: str, values: Mapping[str, str]) -> list[dict[str, str]]:
    """As the wire has them. A value may be empty."""
    for name, value in values.items():
        check_text(f"the name of an {what}", name)
        if value != "":
            check_text(f"the value of {name}", value)
    return [{"Name": name, "Value": value} for name, value in values.items()]


# -- signed in --


@attrs.frozen
class Person:
    """Somebody who is signed in; each method is an exchange.

    Args:
        settings: The flow's settings.
        tokens: Theirs. Only the access token is sent.
    """

    settings: Settings
    tokens: Tokens

    def _turn(self) -> Turn:
        return Turn(settings=self.settings, username=self.tokens.username)

    def _call(self, operation: str, members: Mapping[str, object] | None = None) -> Exchange[Response]:
        return self._turn().call(operation, self._proved(members or {}))

    def _proved(self, members: Mapping[str, object]) -> dict[str, object]:
        return {"AccessToken": self.tokens.access_token, **members}

    # -- profile --

    def user(self) -> Exchange[UserProfile]:
        """GetUser."""
        return UserProfile.read((yield from self._call("GetUser")).data)

    def update_attributes(self, attributes: Mapping[str, str]) -> Exchange[tuple[CodeDelivery, ...]]:
        """UpdateUserAttributes. Where a new address must be verified, a code is sent there."""
        members = {
            "UserAttributes": _pairs("attribute", attributes),
            **self._turn().client_metadata(),
        }
        response = yield from self._call("UpdateUserAttributes", members)
        details = objects(response.data.get("CodeDeliveryDetailsList"))
        return tuple(CodeDelivery.read(one) for one in details)

    def delete_attributes(self, names: Iterable[str]) -> Exchange[None]:
        """DeleteUserAttributes."""
        checked = [check_text("the name of an attribute", name) for name in names]
        yield from self._call("DeleteUserAttributes", {"UserAttributeNames": checked})

    def send_attribute_code(self, name: str) -> Exchange[CodeDelivery]:
        """GetUserAttributeVerificationCode."""
        members = {
            "AttributeName": check_text("the name of the attribute", name),
            **self._turn().client_metadata(),
        }
        return _delivery((yield from self._call("GetUserAttributeVerificationCode", members)))

    def verify_attribute(self, name: str, code: str) -> Exchange[None]:
        """VerifyUserAttribute."""
        members = {
            "AttributeName": check_text("the name of the attribute", name),
            "Code": check_code(code),
        }
        yield from self._call("VerifyUserAttribute", members)

    def change_password(self, previous_password: str | None, proposed_password: str) -> Exchange[None]:
        """ChangePassword. People without a password have no previous one."""
        members = {"ProposedPassword": check_text("the new password", proposed_password)}
        if previous_password is not None:
            members["PreviousPassword"] = check_text("the previous password", previous_password)
        yield from self._call("ChangePassword", members)

    # -- second factors --

    def associate_totp(self) -> Exchange[str]:
        """AssociateSoftwareToken. The result is the secret."""
        secret_code = (yield from self._call("AssociateSoftwareToken")).data.get("SecretCode")
        if not isinstance(secret_code, str):
            raise UnexpectedResponse("AssociateSoftwareToken answered without a SecretCode")
        return secret_code

    def confirm_totp(self, code: str, device_name: str | None, preferred: bool) -> Exchange[None]:
        """VerifySoftwareToken. Verified is not switched on: that is SetUserMFAPreference."""
        proof = {"AccessToken": self.tokens.access_token, **first_code(code, device_name)}
        yield from verify_totp(self._turn(), proof)
        setting = {_MFA_SETTINGS[MfaType.SOFTWARE_TOKEN_MFA]: _mfa_setting(True, preferred)}
        yield from self._call("SetUserMFAPreference", setting)

    def set_mfa(self, enabled: Iterable[MfaType], preferred: MfaType | None) -> Exchange[None]:
        """SetUserMFAPreference, so that these factors are on and no other one is.

        GetUser comes first: Cognito refuses to hear of a factor that the person does not have, even if it is
        to be switched off.
        """
        wanted = [_known(choice) for choice in enabled]
        if preferred is not None and _known(preferred) not in wanted:
            raise UsageError(f"{preferred} is preferred, but not among those that are enabled")
        had = (yield from self.user()).enabled_mfa
        settings = {
            member: _mfa_setting(choice in wanted, choice == preferred)
            for choice, member in _MFA_SETTINGS.items()
            if choice in wanted or choice in had
        }
        if settings:
            yield from self._call("SetUserMFAPreference", settings)

    # -- passkeys --

    def start_passkey(self) -> Exchange[Mapping[str, object]]:
        """StartWebAuthnRegistration. The result is for ``navigator.credentials.create``."""
        response = yield from self._call("StartWebAuthnRegistration")
        options = as_object(response.data.get("CredentialCreationOptions"))
        if options is None:
            raise UnexpectedResponse("StartWebAuthnRegistration answered without CredentialCreationOptions")
        return options

    def finish_passkey(self, credential: str | Mapping[str, object]) -> Exchange[None]:
        """CompleteWebAuthnRegistration, which takes JSON as it is, not as text."""
        document = cast(
            "object", json.loads(credential_json(credential, _IN_ATTESTATION, "credentials.create"))
        )
        yield from self._call("CompleteWebAuthnRegistration", {"Credential": document})

    def passkeys(self) -> Exchange[tuple[Passkey, ...]]:
        """ListWebAuthnCredentials, all pages."""
        limit = {"MaxResults": _MOST_PASSKEYS}
        found = yield from self._pages("ListWebAuthnCredentials", "Credentials", "NextToken", limit)
        return tuple(Passkey.read(one) for one in found)

    def delete_passkey(self, credential_id: str) -> Exchange[None]:
        """DeleteWebAuthnCredential."""
        members = {"CredentialId": check_text("the id of the passkey", credential_id)}
        yield from self._call("DeleteWebAuthnCredential", members)

    # -- devices --

    def devices(self) -> Exchange[tuple[RememberedDevice, ...]]:
        """ListDevices, all pages."""
        found = yield from self._pages("ListDevices", "Devices", "PaginationToken", {"Limit": _MOST_DEVICES})
        return tuple(RememberedDevice.read(one) for one in found)

    def remember_device(self, device_key: str | None) -> Exchange[None]:
        """UpdateDeviceStatus."""
        members = {"DeviceKey": self._device_key(device_key), "DeviceRememberedStatus": "remembered"}
        yield from self._call("UpdateDeviceStatus", members)

    def forget_device(self, device_key: str | None) -> Exchange[None]:
        """ForgetDevice. If it is the device that is kept here, it is not kept any longer."""
        key = self._device_key(device_key)
        yield from self._call("ForgetDevice", {"DeviceKey": key})
        self._drop_device(key)

    def _device_key(self, given: str | None) -> str:
        key = self.tokens.device_key if given is None else given
        if key is None:
            raise UsageError("no device took part in this sign-in: name one of those that `devices` gives")
        return check_text("the device key", key)

    def _drop_device(self, key: str | None) -> None:
        """Drop the device that is kept here, if it is this one; None: whichever it is."""
        turn = self._turn()
        turn.find_device(turn.username)
        if turn.device is not None and key in (None, turn.device.key):
            turn.drop_device()

    # -- the end --

    def sign_out_everywhere(self) -> Exchange[None]:
        """GlobalSignOut."""
        yield from self._call("GlobalSignOut")

    def delete_user(self) -> Exchange[None]:
        """DeleteUser."""
        yield from self._call("DeleteUser")
        self._drop_device(None)

    def _pages(
        self, operation: str, listed: str, token: str, limit: Mapping[str, object]
    ) -> Exchange[list[Mapping[str, object]]]:
        """All that an operation lists, page after page. A page may be empty, and the next one not."""
        found: list[Mapping[str, object]] = []
        members = dict(limit)
        while True:
            response = yield from self._call(operation, members)
            found += objects(response.data.get(listed))
            following = response.data.get(token)
            if following is None or following == members.get(token):
                return found
            members[token] = following


def _known(choice: str) -> MfaType:
    try:
        return MfaType(choice)
    except ValueError:
        raise UsageError(f"{choice!r} is no second factor: give members of MfaType") from None


def _mfa_setting(enabled: bool, preferred: bool) -> dict[str, bool]:
    """One factor's setting. Left out, PreferredMfa means false to Cognito; so it is said."""
    return {"Enabled": enabled, "PreferredMfa": preferred}
