"""A passkey device in software: the client side of WebAuthn, for tests of a login.

Rule of this file: it can be configured to lie about the origin, to leave the user unverified and not to
count. There is no browser that compares the origin with the RP id, so the pool has to notice.

Sources: Web Authentication Level 3, sections 5.8.1 (client data), 6.1 (authenticator data), 6.3.2 and 6.3.3
(the two operations), 8.7 (attestation "none"); RFC 9053 and RFC 8230 for the COSE keys.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

import attrs
import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from webauthn.helpers import (
    bytes_to_base64url,
    parse_authentication_options_json,
    parse_registration_options_json,
)
from webauthn.helpers.cose import COSECRV, COSEKTY, COSEAlgorithmIdentifier, COSEKey
from webauthn.helpers.structs import PublicKeyCredentialDescriptor

_PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_ALGORITHMS = {
    "ES256": COSEAlgorithmIdentifier.ECDSA_SHA_256,
    "RS256": COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
}

# Bits of the flags byte.
_USER_PRESENT, _USER_VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


class AuthenticatorRefused(ValueError):
    """The device cannot do what the options ask for: it has no allowed passkey, or an excluded one, or
    creates keys of another algorithm."""


@attrs.define
class _Passkey:
    rp_id: str
    user_handle: bytes
    private_key: _PrivateKey = attrs.field(repr=False)
    credential_id: bytes
    sign_count: int = 0


@attrs.define
class SoftAuthenticator:
    """A passkey device that holds passkeys for any number of relying parties.

    Args:
        origin: The origin of the page that it reports.
        algorithm: The algorithm of the keys it creates.
        user_verification: Whether it reports that it verified the user, whatever the options ask for.
        counting: Whether its sign counts rise. Devices that synchronize their passkeys leave them at zero.
        credential_id: The id of new passkeys; random if None, as it should be.

    >>> device = SoftAuthenticator()
    >>> passkey = device.create(
    ...     {
    ...         "rp": {"id": "app.example", "name": "App"},
    ...         "user": {"id": "QUxJQ0U", "name": "alice", "displayName": "Alice"},
    ...         "challenge": "MTIzNDU2Nzg5MDEyMzQ1Ng",
    ...         "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
    ...     }
    ... )
    >>> assertion = device.get({"rpId": "app.example", "challenge": "NjU0MzIxMDk4NzY1NDMyMQ"})
    >>> assertion["id"] == passkey["id"]
    True
    """

    origin: str = "https://app.example"
    algorithm: Literal["ES256", "RS256"] = "ES256"
    user_verification: bool = True
    counting: bool = True
    credential_id: bytes | None = None
    _passkeys: list[_Passkey] = attrs.field(factory=list[_Passkey], init=False)

    def create(self, options: str | Mapping[str, object]) -> dict[str, object]:
        """Create a passkey: what a browser's ``navigator.credentials.create`` returns, as JSON.

        Args:
            options: The CredentialCreationOptions of StartWebAuthnRegistration.

        Raises:
            AuthenticatorRefused: The options exclude a passkey that it has, or do not offer its algorithm.
            webauthn.helpers.exceptions.WebAuthnException: These are not creation options.
        """
        asked = parse_registration_options_json({"attestation": "none", **_parsed(options)})
        rp_id = self._rp_id(asked.rp.id)
        if _named(self._held(rp_id), asked.exclude_credentials or []):
            raise AuthenticatorRefused(f"a passkey for {rp_id} that the options exclude is on this device")
        algorithm = _ALGORITHMS[self.algorithm]
        if algorithm not in [offered.alg for offered in asked.pub_key_cred_params]:
            raise AuthenticatorRefused(f"the options do not offer {self.algorithm}")
        credential_id = self.credential_id or secrets.token_bytes(32)
        passkey = _Passkey(rp_id, asked.user.id, _generate(algorithm), credential_id)
        self._passkeys.append(passkey)
        authenticator_data = self._authenticator_data(passkey, _attested(passkey))
        attestation: dict[str, object] = {"fmt": "none", "attStmt": {}, "authData": authenticator_data}
        public_key = passkey.private_key.public_key()
        return _credential(
            passkey,
            {
                "clientDataJSON": self._client_data("webauthn.create", asked.challenge),
                "attestationObject": cbor2.dumps(attestation),
                "authenticatorData": authenticator_data,
                "publicKey": public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
                "publicKeyAlgorithm": int(algorithm),
                "transports": ["internal"],
            },
        )

    def get(self, options: str | Mapping[str, object]) -> dict[str, object]:
        """Use a passkey: what a browser's ``navigator.credentials.get`` returns, as JSON.

        The newest one that the options allow is used.

        Args:
            options: The CREDENTIAL_REQUEST_OPTIONS of a WEB_AUTHN challenge.

        Raises:
            AuthenticatorRefused: It has no passkey that the options allow.
            webauthn.helpers.exceptions.WebAuthnException: These are not request options.
        """
        asked = parse_authentication_options_json({"userVerification": "preferred", **_parsed(options)})
        rp_id = self._rp_id(asked.rp_id)
        held = self._held(rp_id)
        allowed = _named(held, asked.allow_credentials) if asked.allow_credentials else held
        if not allowed:
            raise AuthenticatorRefused(f"no passkey for {rp_id} that the options allow")
        passkey = allowed[-1]
        passkey.sign_count += self.counting
        authenticator_data = self._authenticator_data(passkey)
        client_data = self._client_data("webauthn.get", asked.challenge)
        signed = authenticator_data + hashlib.sha256(client_data).digest()
        return _credential(
            passkey,
            {
                "clientDataJSON": client_data,
                "authenticatorData": authenticator_data,
                "signature": _sign(passkey.private_key, signed),
                "userHandle": passkey.user_handle,
            },
        )

    def _rp_id(self, rp_id: str | None) -> str:
        """Options without an RP id mean the host that the page came from."""
        return rp_id or urlsplit(self.origin).hostname or ""

    def _held(self, rp_id: str) -> list[_Passkey]:
        return [passkey for passkey in self._passkeys if passkey.rp_id == rp_id]

    def _client_data(self, ceremony: str, challenge: bytes) -> bytes:
        content = {
            "type": ceremony,
            "challenge": bytes_to_base64url(challenge),
            "origin": self.origin,
            "crossOrigin": False,
        }
        return json.dumps(content).encode()

    def _authenticator_data(self, passkey: _Passkey, attested: bytes = b"") -> bytes:
        flags = (
            _USER_PRESENT | (_USER_VERIFIED if self.user_verification else 0) | (_ATTESTED if attested else 0)
        )
        rp_id_hash = hashlib.sha256(passkey.rp_id.encode()).digest()
        return rp_id_hash + bytes([flags]) + passkey.sign_count.to_bytes(4) + attested


def _parsed(options: str | Mapping[str, object]) -> Mapping[str, object]:
    if not isinstance(options, str):
        return options
    parsed: dict[str, object] = json.loads(options)
    return parsed


def _named(passkeys: list[_Passkey], descriptors: list[PublicKeyCredentialDescriptor]) -> list[_Passkey]:
    ids = [descriptor.id for descriptor in descriptors]
    return [passkey for passkey in passkeys if passkey.credential_id in ids]


def _credential(passkey: _Passkey, response: Mapping[str, object]) -> dict[str, object]:
    name = bytes_to_base64url(passkey.credential_id)
    return {
        "id": name,
        "rawId": name,
        "type": "public-key",
        "authenticatorAttachment": "platform",
        "clientExtensionResults": {},
        "response": {
            key: bytes_to_base64url(value) if isinstance(value, bytes) else value
            for key, value in response.items()
        },
    }


def _generate(algorithm: COSEAlgorithmIdentifier) -> _PrivateKey:
    if algorithm == COSEAlgorithmIdentifier.ECDSA_SHA_256:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _sign(private_key: _PrivateKey, data: bytes) -> bytes:
    if isinstance(private_key, ec.EllipticCurvePrivateKey):
        return private_key.sign(data, ec.ECDSA(hashes.SHA256()))
    return private_key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def _attested(passkey: _Passkey) -> bytes:
    """Attested credential data: an empty AAGUID, the id and the public key."""
    length = len(passkey.credential_id).to_bytes(2)
    return bytes(16) + length + passkey.credential_id + cbor2.dumps(_cose(passkey.private_key))


def _cose(private_key: _PrivateKey) -> dict[int, int | bytes]:
    if isinstance(private_key, ec.EllipticCurvePrivateKey):
        point = private_key.public_key().public_numbers()
        return {
            int(COSEKey.KTY): int(COSEKTY.EC2),
            int(COSEKey.ALG): int(COSEAlgorithmIdentifier.ECDSA_SHA_256),
            int(COSEKey.CRV): int(COSECRV.P256),
            int(COSEKey.X): point.x.to_bytes(32),
            int(COSEKey.Y): point.y.to_bytes(32),
        }
    numbers = private_key.public_key().public_numbers()
    return {
        int(COSEKey.KTY): int(COSEKTY.RSA),
        int(COSEKey.ALG): int(COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256),
        int(COSEKey.N): numbers.n.to_bytes(256),
        int(COSEKey.E): numbers.e.to_bytes(3),
    }
