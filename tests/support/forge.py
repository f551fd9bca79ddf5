"""Tokens signed by hand: valid ones, and forged, damaged and misused ones.

Each case is one token, the kind that it is presented as, and whether a verifier must accept it. Nothing here
is computed by the verifier.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import attrs
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cognito_flow import AppClient

APP = AppClient("eu-west-1_AbC123", "1example23456789")
OTHER_APP = AppClient("eu-west-1_AbC123", "2example23456789")  # of the same pool
OTHER_CLIENT = OTHER_APP.client_id
ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC123"
UPDATED_ISSUER = "https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC123"

Claims = dict[str, Any]
Sign = Callable[[bytes], bytes]


@cache
def private_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """An RSA key for each name: `access` and `id` are the pool's."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def encode(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int) -> str:
    """A number as a JWK writes it."""
    return encode(value.to_bytes((value.bit_length() + 7) // 8))


def jwk(name: str, **changes: Any) -> dict[str, Any]:
    """The public key of this name, whose kid is the name."""
    numbers = private_key(name).public_key().public_numbers()
    public = {"kid": name, "kty": "RSA", "alg": "RS256", "use": "sig"}
    return {**public, "n": number(numbers.n), "e": number(numbers.e), **changes}


def jwks() -> dict[str, Any]:
    """The key set that the pool publishes."""
    return {"keys": [jwk("id"), jwk("access")]}


def rs(name: str, algorithm: HashAlgorithm | None = None) -> Sign:
    """Signs with an RSA key."""
    return lambda data: private_key(name).sign(data, padding.PKCS1v15(), algorithm or SHA256())


def hs(secret: bytes) -> Sign:
    """Signs with a shared secret."""
    return lambda data: hmac.digest(secret, data, hashlib.sha256)


def es(data: bytes) -> bytes:
    """Signs with an elliptic-curve key."""
    r, s = decode_dss_signature(ec.generate_private_key(ec.SECP256R1()).sign(data, ec.ECDSA(SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def token(header: object, payload: object, sign: Sign) -> str:
    """A compact JWS. Bytes are taken as they are, everything else as JSON."""
    parts = (part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload))
    signed = ".".join(map(encode, parts))
    return f"{signed}.{encode(sign(signed.encode()))}"


def without(members: Mapping[str, Any], *names: str) -> Claims:
    """The members except these."""
    return {name: value for name, value in members.items() if name not in names}


def access_claims(now: int, **changes: Any) -> Claims:
    """The claims of an access token that is half an hour old."""
    return {
        "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "iss": ISSUER,
        "client_id": APP.client_id,
        "origin_jti": "o",
        "event_id": "e",
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "auth_time": now - 1800,
        "iat": now - 1800,
        "exp": now + 1800,
        "jti": "j",
        "username": "alice",
        **changes,
    }


def id_claims(now: int, **changes: Any) -> Claims:
    """The claims of an ID token that is half an hour old."""
    return {
        **without(access_claims(now), "client_id", "scope", "username"),
        "aud": APP.client_id,
        "token_use": "id",
        "cognito:username": "alice",
        "email": "alice@example.com",
        "email_verified": True,
        **changes,
    }


def access(now: int, **changes: Any) -> str:
    """An access token that the pool has signed."""
    return signed("access", access_claims(now, **changes))


def signed(name: str, claims: object, **header: Any) -> str:
    """Claims that a key of the pool has signed, with that key's kid in the header."""
    return token({"kid": name, "alg": "RS256", **header}, claims, rs(name))


@attrs.frozen
class Case:
    """A token, and whether it is valid.

    Args:
        use: The kind of token that it is presented as: ``access`` or ``id``.
        token: The token.
        good: Whether a verifier must accept it.
    """

    use: str
    token: str = attrs.field(repr=False)
    good: bool


def good(now: int) -> dict[str, Case]:
    """Tokens that are valid at this time, in seconds since 1970."""
    a, i, name = access_claims(now), id_claims(now), "cognito:groups"
    tokens: dict[str, tuple[str, str]] = {
        "access": ("access", signed("access", a)),
        "id": ("id", signed("id", i)),
        "access, signed with the pool's other key": ("access", signed("id", a)),
        "access, of the updated issuer": ("access", signed("access", {**a, "iss": UPDATED_ISSUER})),
        "id, of the updated issuer": ("id", signed("id", {**i, "iss": UPDATED_ISSUER})),
        "access, of the other app client": ("access", signed("access", {**a, "client_id": OTHER_CLIENT})),
        "id, of the other app client": ("id", signed("id", {**i, "aud": OTHER_CLIENT})),
        "access, with groups": ("access", signed("access", {**a, name: ["admins", "editors"]})),
        "id, with many groups": ("id", signed("id", {**i, name: [f"group-{n}" for n in range(100)]})),
        "access, from a device": ("access", signed("access", {**a, "device_key": "eu-west-1_1"})),
        "access, with scopes": ("access", signed("access", {**a, "scope": "openid shop/read", "version": 2})),
        "access, of a program": ("access", signed("access", without(a, "username", "event_id"))),
        "access, with an audience, too": (
            "access",
            signed("access", {**a, "aud": "https://api.example.com"}),
        ),
        "id, with custom attributes": ("id", signed("id", {**i, "custom:tenant": "\u00fcber/\U0001f984"})),
        "id, with a nonce": ("id", signed("id", {**i, "nonce": "n", "at_hash": "h"})),
        "access, of a sign-in long ago": ("access", signed("access", {**a, "auth_time": now - 10**7})),
        "access, just over": ("access", signed("access", {**a, "exp": now - 5})),
        "access, with a past nbf": ("access", signed("access", {**a, "nbf": now - 1800})),
        "access, with a near nbf": ("access", signed("access", {**a, "nbf": now + 5})),
        "access, with a type": ("access", signed("access", a, typ="JWT")),
    }
    return {what: Case(use, made, good=True) for what, (use, made) in tokens.items()}


def public_bytes(encoding: Encoding) -> bytes:
    """The bytes of the pool's public key, which a confused verifier would use as an HS256 secret."""
    return private_key("access").public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def spoilt(now: int) -> dict[str, Case]:
    """Tokens that are invalid at this time."""
    cases = {f"access, {what}": Case("access", made, good=False) for what, made in _forged(now).items()}
    cases |= {f"access, {what}": Case("access", made, good=False) for what, made in _damaged(now).items()}
    cases |= {f"access, {what}": Case("access", made, good=False) for what, made in _not_meant(now).items()}
    i = id_claims(now)
    ids = {
        "an access token": access(now),
        "of another app client": signed("id", {**i, "aud": "3example"}),
        "of two app clients": signed("id", {**i, "aud": [APP.client_id, "3example"]}),
        "of no app client": signed("id", without(i, "aud")),
        "of an app client as in access tokens": signed(
            "id", {**without(i, "aud"), "client_id": APP.client_id}
        ),
        "expired": signed("id", {**i, "exp": now - 3600}),
        "not valid yet": signed("id", {**i, "nbf": now + 3600}),
        "of another pool": signed("id", {**i, "iss": f"{ISSUER}x"}),
        "without a kind": signed("id", without(i, "token_use")),
    }
    return cases | {f"id, {what}": Case("id", made, good=False) for what, made in ids.items()}


def _forged(now: int) -> dict[str, str]:
    """Tokens that the pool did not sign."""
    a, header = access_claims(now), {"kid": "access", "alg": "RS256"}
    theirs = jwk("stranger")
    return {
        "unsigned": token({**header, "alg": "none"}, a, lambda _: b""),
        "unsigned, in capitals": token({**header, "alg": "NONE"}, a, lambda _: b""),
        "unsigned, without kid": token({"alg": "none"}, a, lambda _: b""),
        "unsigned, with a signature": token({**header, "alg": "none"}, a, rs("access")),
        "HS256, the public key (PEM) as secret": token(
            {**header, "alg": "HS256"}, a, hs(public_bytes(Encoding.PEM))
        ),
        "HS256, the public key (DER) as secret": token(
            {**header, "alg": "HS256"}, a, hs(public_bytes(Encoding.DER))
        ),
        "HS256, the modulus as secret": token({**header, "alg": "HS256"}, a, hs(jwk("access")["n"].encode())),
        "RS384": token({**header, "alg": "RS384"}, a, rs("access", SHA384())),
        "RS512": token({**header, "alg": "RS512"}, a, rs("access", SHA512())),
        "PS256": token({**header, "alg": "PS256"}, a, rs("access")),
        "ES256": token({**header, "alg": "ES256"}, a, es),
        "RS256 in small letters": token({**header, "alg": "rs256"}, a, rs("access")),
        "without alg": token({"kid": "access"}, a, rs("access")),
        "by a stranger": token(header, a, rs("stranger")),
        "by a stranger, who brings the key": token({**header, "jwk": theirs}, a, rs("stranger")),
        "by a stranger, whose key has the kid": token(
            {**header, "kid": "stranger", "jwk": theirs}, a, rs("stranger")
        ),
        "by a stranger, whose key is at a jku": token(
            {**header, "kid": "stranger", "jku": "https://attacker.invalid/jwks.json"}, a, rs("stranger")
        ),
        "by a stranger, whose certificate is at an x5u": token(
            {**header, "kid": "stranger", "x5u": "https://attacker.invalid/key.pem"}, a, rs("stranger")
        ),
        "with a path as kid": token({**header, "alg": "HS256", "kid": "../../../dev/null"}, a, hs(b"")),
        "with a statement of SQL as kid": token(
            {**header, "alg": "HS256", "kid": "x' UNION SELECT 'secret"}, a, hs(b"secret")
        ),
        "with the kid of the other key": token({**header, "kid": "id"}, a, rs("access")),
        "with an unknown kid": token({**header, "kid": "unknown"}, a, rs("access")),
        "without kid": token({"alg": "RS256"}, a, rs("access")),
        "with a number as kid": token({**header, "kid": 1}, a, rs("access")),
    }


def _damaged(now: int) -> dict[str, str]:
    """Tokens that were changed after the pool signed them, and texts that are not tokens."""
    a, header = access_claims(now), {"kid": "access", "alg": "RS256"}
    head, body, signature = access(now).split(".")
    other = signed("access", {**a, "username": "bob"}).split(".")
    flipped = bytearray(base64.urlsafe_b64decode(f"{signature}=="))
    flipped[100] ^= 1
    return {
        "with other claims": f"{head}.{other[1]}.{signature}",
        "with another signature": f"{head}.{body}.{other[2]}",
        "with a bit flipped": f"{head}.{body}.{encode(bytes(flipped))}",
        "with half a signature": f"{head}.{body}.{signature[:100]}",
        "without signature": f"{head}.{body}.",
        "with a line break": f"{head}.{body}.{signature[:99]}\n{signature[99:]}",
        "of two parts": f"{head}.{body}",
        "of four parts": f"{head}.{body}.{signature}.{signature}",
        "with its parts in another order": f"{body}.{head}.{signature}",
        "empty": "",
        "dots": "..",
        "no token": "Wait, this is not a token!",
        "with Bearer": f"Bearer {head}.{body}.{signature}",
        "whose header is not JSON": token(b"{", a, rs("access")),
        "whose header is a list": token([header], a, rs("access")),
        "whose claims are no JSON": signed("access", b"{"),
        "whose claims are a list": signed("access", [a]),
        "whose claims are text": signed("access", "claims"),
    }


def respelled(now: int) -> dict[str, Case]:
    """Tokens whose signature is right, but not spelled as RFC 7515, section 2, says, so that lists of revoked tokens miss them."""
    good = access(now)
    spellings = {"with padding": f"{good}==", "with unused bits": f"{good[:-1]}{chr(ord(good[-1]) + 1)}"}
    return {what: Case("access", made, good=False) for what, made in spellings.items()}


def _not_meant(now: int) -> dict[str, str]:
    """Tokens that the pool signed for another purpose or another time."""
    a, other_pool = access_claims(now), ISSUER.replace("AbC123", "XyZ789")
    claims = {
        "an ID token": id_claims(now),
        "an ID token, with the client_id of access tokens": id_claims(now, client_id=APP.client_id),
        "without a kind": without(a, "token_use"),
        "of an unknown kind": {**a, "token_use": "refresh"},
        "of another pool": {**a, "iss": other_pool},
        "of another region": {**a, "iss": ISSUER.replace("eu-west-1.", "eu-west-2.")},
        "of another host": {**a, "iss": ISSUER.replace("amazonaws.com", "amazonaws.com.example.com")},
        "of an issuer with a slash": {**a, "iss": f"{ISSUER}/"},
        "of an issuer without TLS": {**a, "iss": ISSUER.replace("https", "http")},
        "of two issuers": {**a, "iss": [ISSUER]},
        "of no issuer": without(a, "iss"),
        "of another app client": {**a, "client_id": "3example"},
        "of an app client that begins like ours": {**a, "client_id": f"{APP.client_id}0"},
        "of no app client": without(a, "client_id"),
        "of an app client as in ID tokens": {**without(a, "client_id"), "aud": APP.client_id},
        "of two app clients": {**a, "client_id": [APP.client_id]},
        "expired": {**a, "exp": now - 3600},
        "expired a minute ago": {**a, "exp": now - 60},
        "with a text as exp": {**a, "exp": "tomorrow"},
        "not valid yet": {**a, "nbf": now + 3600},
        "not valid for a minute": {**a, "nbf": now + 60},
        "with a text as nbf": {**a, "nbf": "yesterday"},
        "with a text as iat": {**a, "iat": "yesterday"},
    }
    return {what: signed("access", made) for what, made in claims.items()}
