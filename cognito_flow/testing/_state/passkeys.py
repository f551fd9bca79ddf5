"""The relying party's half of WebAuthn, as a user pool does it.

Rule of this file: py_webauthn creates the options and verifies. This file adds the shape that Cognito gives
the options, and the reason of a refusal. The caller knows which challenge is open and whose passkey it is.

Sources: Web Authentication Level 3, section 7, and StartWebAuthnRegistration in the Amazon Cognito user pools
API reference.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import attrs
from cryptography.exceptions import InvalidSignature
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_authenticator_data,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticatorData,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from cognito_flow._json import as_object

# The two that Cognito offers.
_ALGORITHMS = [COSEAlgorithmIdentifier.ECDSA_SHA_256, COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256]

_BINARY = ("attestationObject", "authenticatorData", "clientDataJSON", "signature")

_REGISTRATION_TIMEOUT = 60_000  # milliseconds that the browser may wait for the user

RefusalReason: TypeAlias = Literal[
    "challenge", "origin", "rp_id", "user_verification", "signature", "sign_count", "algorithm", "malformed"
]


class PasskeyRefused(Exception):
    """The credential was refused.

    Args:
        reason: What was wrong with it. "user_verification" includes a user who was not present.
    """

    def __init__(self, reason: RefusalReason) -> None:
        super().__init__(reason)
        self.reason: RefusalReason = reason


@attrs.frozen
class RegisteredPasskey:
    """What a relying party keeps of a passkey.

    Args:
        credential_id: The authenticator's name for it.
        public_key: The public key in COSE form.
        sign_count: How often the authenticator has signed, by its own count.
        transports: How a browser reaches the authenticator, such as "internal" or "usb".
        attachment: "platform", "cross-platform", or None if the browser left it out.
    """

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    attachment: str | None


def creation_options(
    *,
    rp_id: str,
    rp_name: str,
    user_id: bytes,
    username: str,
    display_name: str,
    user_verification: str,
    exclude: Sequence[bytes],
    challenge: bytes,
) -> dict[str, object]:
    """The CredentialCreationOptions of StartWebAuthnRegistration, ready to be JSON.

    Args:
        rp_id: RelyingPartyId of the pool.
        rp_name: Its name in the browser.
        user_id: The user handle, 1 to 64 bytes.
        username: The account, as the browser shows it.
        display_name: The person, as the browser shows them.
        user_verification: "required" or "preferred".
        exclude: Credential ids that the user has already.
        challenge: At least 16 random bytes.
    """
    options = generate_registration_options(
        rp_id=rp_id,
        rp_name=rp_name,
        user_id=user_id,
        user_name=username,
        user_display_name=display_name,
        challenge=challenge,
        timeout=_REGISTRATION_TIMEOUT,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement(user_verification),
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in exclude],
        supported_pub_key_algs=_ALGORITHMS,
    )
    shaped: dict[str, object] = json.loads(options_to_json(options))
    del shaped["attestation"]  # Cognito leaves it out, which means "none", too
    return shaped


def request_options(
    *, rp_id: str, challenge: bytes, allow: Sequence[bytes], user_verification: str, timeout_milliseconds: int
) -> dict[str, object]:
    """The CREDENTIAL_REQUEST_OPTIONS of a WEB_AUTHN challenge, ready to be JSON.

    Args:
        rp_id: RelyingPartyId of the pool.
        challenge: At least 16 random bytes.
        allow: Credential ids of the user.
        user_verification: "required" or "preferred".
        timeout_milliseconds: How long the browser may wait for the user.
    """
    options = generate_authentication_options(
        rp_id=rp_id,
        challenge=challenge,
        timeout=timeout_milliseconds,
        allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in allow],
        user_verification=UserVerificationRequirement(user_verification),
    )
    return {
        "hints": [],
        "attestation": "none",
        "attestationFormats": [],
        **json.loads(options_to_json(options)),
    }


def verify_registration(
    credential: Mapping[str, object],
    *,
    challenge: bytes,
    rp_id: str,
    origins: Sequence[str],
    user_verification: str,
) -> RegisteredPasskey:
    """Verify what a browser's ``navigator.credentials.create`` returned.

    Args:
        credential: The credential as parsed JSON, from outside.
        challenge: The challenge of the options.
        rp_id: The RP id of the options.
        origins: Where the page may have come from, such as "https://app.example".
        user_verification: "required" or "preferred".

    Raises:
        PasskeyRefused: It is not what was asked for.
    """
    expected = _Expected("webauthn.create", challenge, rp_id, origins, user_verification)
    try:
        _require_base64url(credential)
        parsed = parse_registration_credential_json(dict(credential))
        verified = verify_registration_response(
            credential=parsed,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=list(origins),
            require_user_verification=expected.must_verify_user,
            supported_pub_key_algs=_ALGORITHMS,
        )
        # With attestation "none" nothing was signed yet: a useless key would only show at the first sign-in.
        decoded_public_key_to_cryptography(decode_credential_public_key(verified.credential_public_key))
    except Exception as refusal:  # on garbage the parsers raise anything: KeyError, IndexError, ...
        raise PasskeyRefused(_registration_reason(credential, expected, refusal)) from refusal
    return RegisteredPasskey(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        transports=tuple(each.value for each in parsed.response.transports or ()),
        attachment=None if parsed.authenticator_attachment is None else parsed.authenticator_attachment.value,
    )


def verify_assertion(
    credential: Mapping[str, object],
    passkey: RegisteredPasskey,
    *,
    challenge: bytes,
    rp_id: str,
    origins: Sequence[str],
    user_verification: str,
) -> int:
    """Verify what a browser's ``navigator.credentials.get`` returned.

    Args:
        credential: The credential as parsed JSON, from outside.
        passkey: The passkey whose id it names.
        challenge: The challenge of the options.
        rp_id: The RP id of the options.
        origins: Where the page may have come from, such as "https://app.example".
        user_verification: "required" or "preferred".

    Returns:
        The sign count to keep.

    Raises:
        PasskeyRefused: It does not prove possession of the passkey.
    """
    expected = _Expected("webauthn.get", challenge, rp_id, origins, user_verification)
    try:
        _require_base64url(credential)
        return verify_authentication_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=list(origins),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=expected.must_verify_user,
        ).new_sign_count
    except Exception as refusal:  # as above
        raise PasskeyRefused(_assertion_reason(credential, passkey, expected, refusal)) from refusal


def _require_base64url(credential: Mapping[str, object]) -> None:
    """Check the spelling of the binary members: base64url without padding. (Web Authentication Level 3,
    section 5.1.) py_webauthn also reads base64, and skips what is neither.

    Raises:
        ValueError: One of them is spelled in another way.
    """
    response = as_object(credential.get("response")) or {}
    for text in (credential.get("rawId"), *map(response.get, _BINARY)):
        if isinstance(text, str):
            decoded = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            if urlsafe_b64encode(decoded).rstrip(b"=").decode() != text:
                raise ValueError("a binary member is not in base64url")


# From here on the credential is refused already. py_webauthn gives the reason in English only; instead of
# reading its texts, the parts are compared once more, in its order, to find the word.


@attrs.frozen
class _Expected:
    ceremony: str
    challenge: bytes
    rp_id: str
    origins: Sequence[str]
    user_verification: str

    @property
    def must_verify_user(self) -> bool:
        return self.user_verification == "required"

    def unmet(self, client_data_json: bytes, data: AuthenticatorData) -> RefusalReason | None:
        client_data = parse_client_data_json(client_data_json)
        if client_data.type != self.ceremony:
            return "malformed"
        if client_data.challenge != self.challenge:
            return "challenge"
        if client_data.origin not in self.origins:
            return "origin"
        if data.rp_id_hash != hashlib.sha256(self.rp_id.encode()).digest():
            return "rp_id"
        if not data.flags.up or (self.must_verify_user and not data.flags.uv):
            return "user_verification"
        return None


def _registration_reason(
    credential: Mapping[str, object], expected: _Expected, refusal: Exception
) -> RefusalReason:
    try:
        response = parse_registration_credential_json(dict(credential)).response
        data = parse_attestation_object(response.attestation_object).auth_data
        unmet = expected.unmet(response.client_data_json, data)
        if unmet is None and data.attested_credential_data is not None:
            key = decode_credential_public_key(data.attested_credential_data.credential_public_key)
            unmet = None if key.alg in _ALGORITHMS else "algorithm"
    except Exception:  # noqa: BLE001 - as above
        return "malformed"
    return unmet or _signature_or_malformed(refusal)


def _assertion_reason(
    credential: Mapping[str, object], passkey: RegisteredPasskey, expected: _Expected, refusal: Exception
) -> RefusalReason:
    try:
        response = parse_authentication_credential_json(dict(credential)).response
        data = parse_authenticator_data(response.authenticator_data)
        unmet = expected.unmet(response.client_data_json, data)
    except Exception:  # noqa: BLE001 - as above
        return "malformed"
    if unmet is None and data.sign_count <= passkey.sign_count != 0:
        return "sign_count"
    return unmet or _signature_or_malformed(refusal)


def _signature_or_malformed(refusal: Exception) -> RefusalReason:
    return "signature" if isinstance(refusal.__context__, InvalidSignature) else "malformed"
