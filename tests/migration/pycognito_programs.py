"""The main paths of three packages from PyPI that import pycognito, with either pycognito or our names.

Run in an environment with these packages: ``python pycognito_programs.py ours SETTINGS``. SETTINGS is a JSON
object with the url of the service, pool_id, client_id, client_secret (of another app client: secret_client_id),
password and totp_secret. COGNITO_JWKS holds the pool's keys, and AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER the
url, too.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import struct
import sys
import time
from importlib import import_module
from typing import Any

PERIOD = 30


def use_our_names() -> None:
    """Let ``import pycognito`` find our names."""
    for name in ("", ".aws_srp", ".exceptions", ".utils"):
        sys.modules[f"pycognito{name}"] = import_module(f"cognito_flow.compat.pycognito{name}")


def show(*values: object) -> None:
    """Print a line."""
    sys.stdout.write(" ".join(map(str, values)) + "\n")


def totp(secret: str) -> str:
    """The current code of an authenticator app (RFC 6238)."""
    digest = hmac.digest(
        base64.b32decode(secret + "=" * (-len(secret) % 8)),
        struct.pack(">Q", int(time.time()) // PERIOD),
        hashlib.sha1,
    )
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**6:06}"


def locks(settings: dict[str, str]) -> None:
    """pyschlage: a client secret, and requests with a token."""
    auth: Any = import_module("pyschlage.auth")
    refused: Any = import_module("pyschlage.exceptions").NotAuthorizedError
    auth.USER_POOL_REGION = settings["pool_id"].partition("_")[0]
    auth.USER_POOL_ID = settings["pool_id"]
    auth.CLIENT_ID, auth.CLIENT_SECRET = settings["secret_client_id"], settings["client_secret"]
    try:
        auth.Auth("bob", "wrong").authenticate()
    except refused as error:
        show("pyschlage:", error)
    user = auth.Auth("bob", settings["password"])
    user.authenticate()
    show("pyschlage:", user.cognito.access_claims["username"], user.cognito.token_type)
    show("pyschlage:", user.auth(auth.requests.Request()).headers["Authorization"][:9])
    show("pyschlage:", user.request("get", "_local/outbox", base_url=settings["url"]).text)


async def chargers(settings: dict[str, str]) -> None:
    """evnex: a second factor whose challenge is kept as JSON, and a session from a refresh token."""
    auth: Any = import_module("evnex.auth")
    errors: Any = import_module("evnex.errors")
    config = import_module("evnex.config").EvnexConfig(
        EVNEX_COGNITO_USER_POOL_ID=settings["pool_id"], EVNEX_COGNITO_CLIENT_ID=settings["client_id"]
    )
    try:
        await auth.EvnexAuth(config=config).start_authentication("alice", "wrong")
    except errors.InvalidCredentialsError as error:
        show("evnex:", error)
    asked = await auth.EvnexAuth(config=config).start_authentication("alice", settings["password"])
    kept = json.dumps(asked.to_dict())
    answering = auth.EvnexAuth(config=config)
    challenge = auth.AuthChallenge.from_dict(json.loads(kept))
    show("evnex:", challenge.name, challenge.username)
    try:
        await answering.respond_to_challenge(challenge, "000000")
    except errors.InvalidChallengeResponseError as error:
        show("evnex:", error)
    tokens = await answering.respond_to_challenge(challenge, totp(settings["totp_secret"]))
    show("evnex:", await answering.get_access_token() == tokens.access_token)
    show("evnex:", await answering.get_mfa_status())
    later = auth.EvnexAuth(config=config, tokens=auth.TokenSet(refresh_token=tokens.refresh_token))
    show("evnex:", await later.get_access_token() != tokens.access_token)
    await later.change_password(settings["password"], f"{settings['password']}!")
    show("evnex:", (await later.force_refresh()).refresh_token == tokens.refresh_token)


async def robots(settings: dict[str, str]) -> None:
    """pylitterbot: a session with tokens, and one that is restored from them."""
    Session: Any = import_module("pylitterbot.session").LitterRobotSession  # noqa: N806 - a class
    encode: Any = import_module("pylitterbot.utils").encode
    Session.USER_POOL_ID = encode(settings["pool_id"])
    Session.CLIENT_ID = encode(settings["client_id"])
    async with Session() as session:
        await session.login("bob", settings["password"])
        first = session.tokens
        show("pylitterbot:", session.is_token_valid(), sorted(first or {}))
        await session.refresh_tokens(ignore_unexpired=True)
        show("pylitterbot:", session.access_token != (first or {})["access_token"])
    async with Session(token=first) as restored:
        user = await restored.get_user()
        show("pylitterbot:", user.id_claims["cognito:username"], user.access_claims["username"])
        show("pylitterbot:", restored.tokens == first)


def main() -> None:
    if sys.argv[1] == "ours":
        use_our_names()
    settings: dict[str, str] = json.loads(sys.argv[2])
    locks(settings)
    asyncio.run(robots(settings))
    asyncio.run(chargers(settings))


if __name__ == "__main__":
    main()
