"""Registering passkeys, with the access token of a completed sign-in.

Rule of this file: each user has at most one open registration, which expires after five minutes.
"""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta

from cognito_flow._json import as_object
from cognito_flow.testing._operations.paging import page
from cognito_flow.testing._operations.request import Operation, Request
from cognito_flow.testing._state import Members, passkeys, relying_party
from cognito_flow.testing._state.records import Passkey, UserPool
from cognito_flow.testing._state.refusal import Refusal, invalid_parameter

_REGISTRATION_LIFE = timedelta(minutes=5)
_MAX_PASSKEYS = 20
_REFUSALS = {
    "origin": "WebAuthnOriginNotAllowedException",
    "rp_id": "WebAuthnRelyingPartyMismatchException",
    "challenge": "WebAuthnChallengeNotFoundException",
}


def _check_is_on(pool: UserPool) -> None:
    if "WEB_AUTHN" not in pool.first_factors:
        raise Refusal("WebAuthnNotEnabledException", "Passkeys are not enabled for the user pool.")


def start_web_authn_registration(request: Request) -> Members:
    """StartWebAuthnRegistration."""
    pool, user, grant = request.signed_in()
    _check_is_on(pool)
    relying_party_id = relying_party.rp_id(pool)
    if len(user.passkeys) >= _MAX_PASSKEYS:
        raise Refusal("LimitExceededException", "The user has as many passkeys as a user can have.")
    challenge = secrets.token_bytes(16)
    user.passkey_challenge = {
        "challenge": base64.b64encode(challenge).decode(),
        "rp_id": relying_party_id,
        "client_id": grant.client_id,
        "until": request.now + _REGISTRATION_LIFE,
    }
    options = passkeys.creation_options(
        rp_id=relying_party_id,
        rp_name=relying_party_id,
        user_id=user.sub.encode(),
        username=user.username,
        display_name=user.attributes.get("name", user.username),
        user_verification=relying_party.user_verification(pool, user),
        exclude=[passkey.registered.credential_id for passkey in user.passkeys],
        challenge=challenge,
    )
    return {"CredentialCreationOptions": options}


def complete_web_authn_registration(request: Request) -> Members:
    """CompleteWebAuthnRegistration."""
    pool, user, grant = request.signed_in()
    _check_is_on(pool)
    credential = as_object(request.parameters["Credential"])
    if credential is None:
        raise invalid_parameter("Credential is not a JSON object.")
    opened, user.passkey_challenge = user.passkey_challenge, None
    if opened is None or request.now >= opened["until"]:
        raise Refusal("WebAuthnChallengeNotFoundException", "There is no registration to complete.")
    if opened["client_id"] != grant.client_id:
        raise Refusal(
            "WebAuthnClientMismatchException", "The registration was started with another app client."
        )
    try:
        registered = passkeys.verify_registration(
            credential,
            challenge=base64.b64decode(opened["challenge"]),
            rp_id=opened["rp_id"],
            origins=relying_party.origins(opened["rp_id"], credential),
            user_verification=relying_party.user_verification(pool, user),
        )
    except passkeys.PasskeyRefused as refused:
        code = _REFUSALS.get(refused.reason, "WebAuthnCredentialNotSupportedException")
        raise Refusal(code, f"The credential was refused: {refused.reason}.") from refused
    if relying_party.is_registered(pool, registered.credential_id):
        text = "The credential is registered already."
        raise Refusal("WebAuthnCredentialNotSupportedException", text)
    user.passkeys.append(Passkey(registered, opened["rp_id"], request.now))
    return {}


def list_web_authn_credentials(request: Request) -> Members:
    """ListWebAuthnCredentials."""
    _, user, _ = request.signed_in()
    described = {passkey.id: _describe(passkey) for passkey in user.passkeys}
    listed, more = page(request, described, limit="MaxResults")
    return {"Credentials": listed, **more}


def _describe(passkey: Passkey) -> Members:
    described: Members = {
        "CredentialId": passkey.id,
        "FriendlyCredentialName": "Passkey",
        "RelyingPartyId": passkey.rp_id,
        "AuthenticatorTransports": list(passkey.registered.transports),
        "CreatedAt": passkey.created_at.timestamp(),
    }
    if passkey.registered.attachment is not None:
        described["AuthenticatorAttachment"] = passkey.registered.attachment
    return described


def delete_web_authn_credential(request: Request) -> Members:
    """DeleteWebAuthnCredential."""
    _, user, _ = request.signed_in()
    kept = [passkey for passkey in user.passkeys if passkey.id != request.parameters["CredentialId"]]
    if len(kept) == len(user.passkeys):
        raise Refusal("ResourceNotFoundException", "Credential does not exist.")
    user.passkeys = kept
    return {}


OPERATIONS: dict[str, Operation] = {
    "CompleteWebAuthnRegistration": complete_web_authn_registration,
    "DeleteWebAuthnCredential": delete_web_authn_credential,
    "ListWebAuthnCredentials": list_web_authn_credentials,
    "StartWebAuthnRegistration": start_web_authn_registration,
}
