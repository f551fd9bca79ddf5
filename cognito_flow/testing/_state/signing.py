"""The keys of a pool, and its signed tokens.

Rule of this file: two RSA keys for each pool, one for each kind of token, as "Verifying JSON web tokens" in
the developer guide has it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Mapping
from typing import Any, Literal

import attrs
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from cognito_flow.testing._state.refusal import not_authorized

_lock = threading.Lock()
_stock: dict[int, RSAPrivateKey] = {}


def _key(number: int) -> RSAPrivateKey:
    """A key of the stock of this process.

    Making one takes up to half a second, and a test run makes thousands of pools. So they come from a stock:
    each pool of a LocalCognito has its own, and the pools of the next LocalCognito have the same ones again.
    """
    with _lock:
        if number not in _stock:
            _stock[number] = generate_private_key(public_exponent=65537, key_size=2048)
        return _stock[number]


@attrs.frozen
class SigningKeys:
    """The two keys of one pool; they are made when they are first needed.

    Args:
        number: Which pair of the stock.
    """

    number: int

    @classmethod
    def draw(cls, number: int) -> SigningKeys:
        """The keys of the pool with this number."""
        return cls(number)

    def _number(self, use: Literal["id", "access"]) -> int:
        return 2 * self.number + (use == "access")

    def _private(self, use: Literal["id", "access"]) -> RSAPrivateKey:
        return _key(self._number(use))

    def _kid(self, use: Literal["id", "access"]) -> str:
        numbers = self._private(use).public_key().public_numbers()
        return base64.b64encode(hashlib.sha256(str(numbers.n).encode()).digest()).decode()

    def sign(self, claims: Mapping[str, object], use: Literal["id", "access"]) -> str:
        """A token with these claims, RS256."""
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

    def read(self, token: str) -> dict[str, Any]:
        """The claims of an access token of this pool. When it ends is not looked at.

        Raises:
            Refusal: It is something else.
        """
        try:
            public = self._private("access").public_key()
            claims: dict[str, Any] = jwt.decode(
                token,
                public,
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
            )
        except jwt.PyJWTError as refused:
            raise not_authorized("Invalid Access Token") from refused
        return claims

    def has_signed(self, token: str) -> bool:
        """Whether a token's header names the access token's key of this pool. Its signature is not looked
        at."""
        if self._number("access") not in _stock:  # a key that was never made signed nothing
            return False
        try:
            return bool(jwt.get_unverified_header(token).get("kid") == self._kid("access"))
        except jwt.PyJWTError:
            return False


def opaque_token() -> str:
    """A refresh token. To clients it is opaque; a real one is an encrypted JWT, which begins like this
    one."""
    return f"eyJjdHki{secrets.token_urlsafe(180)}"
