"""The subcommands that take tokens: `refresh`, `logout`, `claims` and `status`.

Rules of this file: tokens come from a store, or from standard input as `login` printed them; no message
quotes them. A store has the new tokens before they are printed, because with rotation the old refresh token
has already ended. Claims of a token that does not verify are never shown.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.table import Table
from rich.text import Text

from cognito_flow._json import as_object, as_text, parse_json
from cognito_flow.cli.connection import Connection
from cognito_flow.cli.output import Destination, is_terminal, show, write
from cognito_flow.errors import UsageError
from cognito_flow.models import AppClient, Tokens
from cognito_flow.stores import FileStore
from cognito_flow.terminal import escape, say

_DATES = ("auth_time", "exp", "iat", "nbf")  # seconds since 1970


def store_of(connection: Connection, path: Path | None) -> FileStore | None:
    """The store of the option or the profile; None: tokens come from standard input.

    Raises:
        UsageError: It cannot be a file.
    """
    kept = _path(connection, path)
    return None if kept is None else FileStore(kept)


def _path(connection: Connection, path: Path | None) -> Path | None:
    name = connection.settings.store if path is None else str(path)
    return None if name is None or name == "-" else Path(name).expanduser()


def refresh(connection: Connection, store: FileStore | None, username: str | None, to: Destination) -> None:
    """Refresh tokens, save the new ones, and print them.

    Args:
        connection: The app client.
        store: The store; None: the tokens come from standard input.
        username: Whose tokens of the store.
        to: Where and how to print the new ones.

    Raises:
        CognitoFlowError: Cognito refused or was not reached; there are no tokens; or the store or the
            destination cannot be used.
            If only saving failed, the new tokens are printed all the same.
    """
    to.check()
    flow = connection.flow(store)
    with _given(connection, store, username) as tokens:
        with connection.waiting():
            refreshed = flow.refresh(tokens)
        try:
            if store is not None:
                store.put_tokens(connection.app, refreshed.username, refreshed)
        finally:
            to.put(refreshed)


def logout(
    connection: Connection, store: FileStore | None, username: str | None, *, everywhere: bool
) -> None:
    """End one sign-in of a user, or all of them.

    Args:
        connection: The app client.
        store: The store, which forgets the tokens; None: they come from standard input.
        username: Whose tokens of the store.
        everywhere: End all sign-ins of the user, not only the one of these tokens.

    Raises:
        CognitoFlowError: Cognito refused or was not reached, or there are no tokens. The store keeps them.
    """
    flow = connection.flow(store)
    with _given(connection, store, username) as tokens:
        with connection.waiting():
            if everywhere:
                flow.account(tokens).sign_out_everywhere()
            else:
                flow.revoke(tokens)
        if store is not None:
            store.delete_tokens(connection.app, tokens.username)
        say(f"signed out {escape(tokens.username)}")


def status(connection: Connection, path: Path | None) -> None:
    """Print which app client is used, and whose tokens the store holds.

    Args:
        connection: The app client.
        path: The store of the option; None: that of the profile.

    Raises:
        StoreError: The store cannot be used.
        UsageError: Standard output cannot be written.
    """
    app, kept = connection.app, _path(connection, path)
    secret = "no client secret"
    if app.client_secret is not None:
        secret = f"client secret from {connection.secret_origin}"
    _line("pool", app.pool_id)
    _line("app client", f"{app.client_id} ({secret})")
    _line("calls go to", app.endpoint_url or f"AWS, {app.region}")
    _line("store", "none" if kept is None else escape(str(kept)))
    if kept is not None:
        _list_users(FileStore(kept), app)


def _list_users(store: FileStore, app: AppClient) -> None:
    kept = ((username, store.get_tokens(app, username)) for username in store.users(app))
    # Another process may have signed a user out since they were listed.
    users = [f"{escape(username)}: {_in_words(tokens)}" for username, tokens in kept if tokens is not None]
    for user in users or ["none: run `cognito-flow login`"]:
        _line("user", user)


def claims(
    connection: Connection, token: str | None, store: FileStore | None, username: str | None, *, is_id: bool
) -> None:
    """Verify a token, and print its claims: as a table on a terminal, otherwise as JSON.

    Args:
        connection: The app client that the token must be for.
        token: The token; None: that of the store or of standard input.
        store: The store; None: standard input holds the token, or what `login` printed.
        username: Whose token of the store.
        is_id: Verify an ID token instead of an access token.

    Raises:
        CognitoFlowError: The token does not verify, the keys could not be fetched, or standard output cannot
            be written.
    """
    # Only this subcommand needs cryptography, whose import takes a tenth of a second.
    from cognito_flow.tokens.verifier import TokenVerifier

    if token is None and store is not None:
        tokens = kept_tokens(connection, store, user_of(connection, store, username))
        token = tokens.id_token if is_id else tokens.access_token
    if token is None:
        token = _token_from_standard_input(is_id=is_id)
    verifier = TokenVerifier(connection.app, timeout=connection.timeout)
    with connection.waiting():
        verified = (verifier.verify_id if is_id else verifier.verify_access)(token.strip())
    if is_terminal():
        show(_table(verified.claims))
    else:
        write(json.dumps(dict(verified.claims), indent=2) + "\n", None)


# -- reading tokens --


@contextmanager
def _given(connection: Connection, store: FileStore | None, username: str | None) -> Generator[Tokens]:
    """The tokens of a store, locked until the block ends, or of standard input."""
    if store is None:
        yield _parsed(_standard_input())
        return
    user = user_of(connection, store, username)
    with store.lock(connection.app, user):
        yield kept_tokens(connection, store, user)


def user_of(connection: Connection, store: FileStore, username: str | None) -> str:
    """Whose tokens are meant. Stores know users by Cognito's own name, and users type aliases."""
    users = store.users(connection.app)
    wanted = username or connection.settings.username
    if wanted in users:
        return str(wanted)
    if len(users) == 1 and username is None:
        return users[0]
    if not users:
        raise UsageError("the store has no tokens for this app client: run `cognito-flow login --store`")
    raise UsageError(f"the store has tokens of {', '.join(map(escape, users))}: pass one as --username")


def kept_tokens(connection: Connection, store: FileStore, username: str) -> Tokens:
    """The tokens of one user in a store.

    Raises:
        UsageError: There are none.
    """
    tokens = store.get_tokens(connection.app, username)
    if tokens is None:
        raise UsageError(f"the store has no tokens of {escape(username)}: run `cognito-flow login --store`")
    return tokens


def _parsed(text: str) -> Tokens:
    try:
        tokens = as_object(parse_json(text))
    except ValueError:
        tokens = None
    if tokens is None:
        raise UsageError(
            "found no tokens: pass --store, or what `cognito-flow login` printed on standard input"
        )
    return Tokens.from_dict(tokens)


def _token_from_standard_input(*, is_id: bool) -> str:
    text = _standard_input()
    if not text.strip():
        raise UsageError("found no token: pass it as an argument, with --store or on standard input")
    try:
        tokens = as_object(parse_json(text))
    except ValueError:
        return text
    name = "id_token" if is_id else "access_token"
    token = as_text((tokens or {}).get(name))
    if token is None:
        raise UsageError(f"the JSON on standard input has no {name}")
    return token


def _standard_input() -> str:
    """All of standard input; empty if it is closed or not valid UTF-8."""
    try:
        # A program that was started with standard input closed has none.
        return "" if sys.stdin is None else sys.stdin.read()
    except UnicodeDecodeError:
        return ""


# -- printing --


def _line(name: str, value: str) -> None:
    write(f"{name:12}{value}\n", None)


def _in_words(tokens: Tokens) -> str:
    left = tokens.expires_at - datetime.now(UTC)
    minutes = int(abs(left) / timedelta(minutes=1))
    access = f"expires in {minutes} min" if left > timedelta() else f"expired {minutes} min ago"
    return f"access token {access}, {'with' if tokens.refresh_token else 'without'} a refresh token"


def _table(claims: Mapping[str, object]) -> Table:
    table = Table("claim", "value")
    for name, value in claims.items():
        # Text, and not str, in which brackets would be markup.
        table.add_row(Text(escape(name)), Text(escape(_readable(name, value))))
    return table


def _readable(name: str, value: object) -> str:
    if name in _DATES and isinstance(value, int | float):
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC"
    return value if isinstance(value, str) else json.dumps(value)
