"""The keys of a pool, and its signed tokens.

Rule of this file: two RSA keys for each pool, one for each kind of token. (Source: "Verifying JSON web
tokens" in the developer guide.)
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import threading
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal, cast

import attrs
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import RSAAlgorithm

from cognito_flow.testing._state.refusal import not_authorized

_lock = threading.Lock()
_stock: dict[int, RSAPrivateKey] = {}


@cache
def _published() -> tuple[RSAPrivateKey, ...]:
    """The test keys of this package, which everybody can read. They save the time to generate keys."""
    text = (files("cognito_flow.testing._state") / "test_keys.pem").read_bytes()
    blocks = re.findall(rb"-----BEGIN.*?-----END[^\n]*", text, re.DOTALL)
    # Without the check of the numbers, which takes as long as many sign-ins: the file is our own.
    keys = (load_pem_private_key(block, None, unsafe_skip_rsa_key_validation=True) for block in blocks)
    return tuple(cast("RSAPrivateKey", key) for key in keys)


def _key(number: int) -> RSAPrivateKey:
    """A key by number: first the test keys of this package, then keys that are generated once per process.

    The pools of one LocalCognito have different keys; those of the next LocalCognito have the same ones
    again.
    """
    if number < len(_published()):
        return _published()[number]
    with _lock:
        if number not in _stock:
            _stock[number] = generate_private_key(public_exponent=65537, key_size=2048)
        return _stock[number]


@attrs.frozen
class SigningKeys:
    """The two keys of one pool.

    Args:
        number: The number of the pair.
    """

    number: int

    def _number(self, use: Literal["id", "access"]) -> int:
        return 2 * self.number + (use == "access")

    def _private(self, use: Literal["id", "access"]) -> RSAPrivateKey:
        return _key(self._number(use))

    def _kid(self, use: Literal["id", "access"]) -> str:
        numbers = self._private(use).public_key().public_numbers()
        return base64.b64encode(hashlib.sha256(str(numbers.n).encode()).digest()).decode()

    def sign(self, claims: Mapping[str, object], use: Literal["id", "access"]) -> str:
        """Sign claims as a token, RS256."""
        return jwt.encode(
            dict(claims), self._private(use), algorithm="RS256", headers={"kid": self._kid(use)}
        )

    def jwks(self) -> dict[str, object]:
        """The public keys as a JSON Web Key Set."""
        return {"keys": [self._jwk(use) for use in ("id", "access")]}

    def _jwk(self, use: Literal["id", "access"]) -> dict[str, object]:
        public = json.loads(RSAAlgorithm.to_jwk(self._private(use).public_key()))
        return {
            "kid": self._kid(use),
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "n": public["n"],
            "e": public["e"],
        }

    def read(self, token: str, use: Literal["id", "access"] = "access") -> dict[str, Any]:
        """Return the claims of a token of this pool, expired or not.

        Raises:
            Refusal: It is not a token of this pool, or of the other kind.
        """
        try:
            public = self._private(use).public_key()
            claims: dict[str, Any] = jwt.decode(
                token,
                public,
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
            )
        except jwt.PyJWTError as refused:
            name = "ID" if use == "id" else "Access"
            raise not_authorized(f"Invalid {name} Token") from refused
        return claims

    def has_signed(self, token: str) -> bool:
        """Whether a token's header names this pool's key for access tokens. The signature is not verified."""
        number = self._number("access")
        if number >= len(_published()) and number not in _stock:  # a key that does not exist signed nothing
            return False
        try:
            return bool(jwt.get_unverified_header(token).get("kid") == self._kid("access"))
        except jwt.PyJWTError:
            return False


def opaque_token() -> str:
    """Return a new refresh token. It begins like a real one, which is an encrypted JWT."""
    return f"eyJjdHki{secrets.token_urlsafe(180)}"
