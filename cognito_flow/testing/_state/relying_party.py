"""The pool as a relying party: its id, its origins, and the owner of a credential.

Rule of this file: `passkeys` verifies signatures, this file does not.

Source: "Authentication flows" in the Amazon Cognito developer guide, on passkeys: an origin must be the
relying party id or a subdomain of it. The id is by default a domain of the pool; the service model says so of
WebAuthnConfigurationMissingException, too.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import urlsplit

from cognito_flow._json import as_object, member, parse_json
from cognito_flow.testing._state.records import Passkey, User, UserPool
from cognito_flow.testing._state.refusal import Refusal, invalid_parameter


def rp_id(pool: UserPool) -> str:
    """The relying party id: the one that is configured, or else the pool's custom domain, or else its prefix
    domain.

    Raises:
        Refusal: The pool has neither a relying party id nor a domain.
    """
    if configured := pool.mfa.get("WebAuthnConfiguration", {}).get("RelyingPartyId"):
        return str(configured)
    if not pool.domains:
        text = "The user pool has neither a relying party id nor a domain."
        raise Refusal("WebAuthnConfigurationMissingException", text)
    custom_first = sorted(pool.domains, key=lambda domain: pool.host(domain) != domain)
    return pool.host(custom_first[0])


def user_verification(pool: UserPool, user: User) -> str:
    """``required`` or ``preferred``. It is required where passkeys count as both factors for the user."""
    if user.passkey_mfa:
        return "required"
    return str(pool.mfa.get("WebAuthnConfiguration", {}).get("UserVerification", "preferred"))


def origins(relying_party_id: str, credential: Mapping[str, object]) -> list[str]:
    """The origins that a credential may come from: its own, if that belongs to the relying party."""
    expected = f"https://{relying_party_id}"
    origin = _origin(credential)
    try:
        parts = urlsplit(origin)
    except ValueError:
        return [expected]
    host = parts.hostname or ""
    is_ours = host == relying_party_id or host.endswith(f".{relying_party_id}")
    is_secure = parts.scheme == "https" or (parts.scheme == "http" and host == "localhost")
    return [origin] if is_ours and is_secure else [expected]


def _origin(credential: Mapping[str, object]) -> str:
    text = (as_object(credential.get("response")) or {}).get("clientDataJSON")
    try:
        client_data = parse_json(base64.urlsafe_b64decode(f"{text}==="))
    except ValueError:
        return ""  # the verification will refuse it
    return str(member(client_data, "origin"))


def parse_credential(text: str) -> Mapping[str, object]:
    """Parse CREDENTIAL.

    Raises:
        Refusal: It is not a JSON object.
    """
    try:
        credential = as_object(parse_json(text))
    except ValueError:
        credential = None
    if credential is None:
        raise invalid_parameter("CREDENTIAL is not a JSON object.")
    return credential


def names_user(credential: Mapping[str, object], user: User) -> bool:
    """Whether an assertion's userHandle, if it has one, is the user's. (Web Authentication Level 3, section
    7.2, step 6.)"""
    handle = member(credential, "response", "userHandle")
    return handle is None or handle == base64.urlsafe_b64encode(user.sub.encode()).decode().rstrip("=")


def is_registered(pool: UserPool, credential_id: bytes) -> bool:
    """Whether a user of the pool has registered this credential. (Section 7.1: an id is registered once.)"""
    return any(
        passkey.registered.credential_id == credential_id
        for user in pool.users.values()
        for passkey in user.passkeys
    )


def find_passkey(user: User, credential: Mapping[str, object]) -> Passkey | None:
    """The user's passkey that the credential names."""
    wanted = credential.get("id")
    return next((passkey for passkey in user.passkeys if passkey.id == wanted), None)
