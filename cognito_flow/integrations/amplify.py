"""Hand a sign-in over to a front end of AWS Amplify or amazon-cognito-identity-js, and take one over from it.

Rule of this file: both libraries read what it writes, and it reads what either of them wrote. Where they
differ, the entry gets a value that means the same to both.

Source: the token store and the cookie storage of npm aws-amplify 6.22.1 and of npm amazon-cognito-identity-js
6.3.21, and npm js-cookie 3.0.8, with which both write cookies.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal, TypedDict
from urllib.parse import SplitResult, quote, unquote, urlsplit

from cognito_flow._json import as_list, as_object, as_text, member
from cognito_flow._jwt import unverified_claims
from cognito_flow._tracebacks import without_locals
from cognito_flow.errors import UsageError
from cognito_flow.models import AppClient, Device, SignedIn, Tokens

__all__ = [
    "LocalStorageEntry",
    "OriginState",
    "StorageState",
    "StorageStateCookie",
    "cookies",
    "local_storage",
    "read_cookies",
    "read_local_storage",
    "read_storage_state",
    "storage_state",
]

# What js-cookie leaves as it is in a cookie's name. A name that is encoded differently would be another
# cookie for the browser, and stay there after a sign-out.
_PLAIN_IN_NAMES = "-_.!~*'#$&+^`|"

_READ = ("accessToken", "idToken", "refreshToken", "deviceKey", "deviceGroupKey", "randomPasswordKey")


class LocalStorageEntry(TypedDict):
    """An entry of a browser's local storage."""

    name: str
    value: str


class OriginState(TypedDict):
    """The local storage of one origin."""

    origin: str
    localStorage: list[LocalStorageEntry]


class StorageStateCookie(TypedDict, total=False):
    """A cookie of a browser. A negative `expires` means that it ends with the browser."""

    name: str
    value: str
    domain: str
    path: str
    expires: float
    httpOnly: bool
    secure: bool
    sameSite: Literal["Lax", "None", "Strict"]


class StorageState(TypedDict, total=False):
    """What Playwright calls the storage state of a browser context, typed as Playwright types it."""

    cookies: list[StorageStateCookie]
    origins: list[OriginState]


@without_locals
def local_storage(
    app: AppClient,
    signed_in: SignedIn | Tokens,
    *,
    device: Device | None = None,
    login_id: str | None = None,
) -> dict[str, str]:
    """Return the entries of local storage with which Amplify's user is signed in.

    They contain the tokens in clear text, and the device's secret.

    Args:
        app: The front end's app client. The tokens must be of this app client.
        signed_in: A completed sign-in, or its tokens.
        device: The remembered device of the sign-in, if it is not in `signed_in`. A refresh token of a
            remembered device is good only together with it.
        login_id: What the user typed as their name, which Amplify shows as ``signInDetails.loginId``.

    Raises:
        UsageError: The app client has a secret, which these libraries cannot use, or the tokens are of
            another app client.

    >>> from datetime import UTC, datetime
    >>> end = datetime(2030, 1, 1, tzinfo=UTC)
    >>> tokens = Tokens("an access token", expires_at=end, username="alice")
    >>> entries = local_storage(AppClient("eu-west-1_AbC123", "abc"), tokens)
    >>> entries["CognitoIdentityServiceProvider.abc.LastAuthUser"]
    'alice'
    """
    tokens = signed_in.tokens if isinstance(signed_in, SignedIn) else signed_in
    if isinstance(signed_in, SignedIn):
        device = device or signed_in.device
    _check_app(app, tokens)
    written: dict[str, str | None] = {
        "accessToken": tokens.access_token,
        "idToken": tokens.id_token,
        "refreshToken": tokens.refresh_token,
        # Milliseconds from here to there for one library, and seconds from there to here for the other.
        "clockDrift": "0",
        "deviceKey": tokens.device_key,
        "signInDetails": None if login_id is None else json.dumps({"loginId": login_id}),
    }
    if device is not None:
        written["deviceKey"] = device.key
        written["deviceGroupKey"] = device.group_key
        written["randomPasswordKey"] = device.secret
    prefix = _prefix(app)
    entries = {f"{prefix}.{tokens.username}.{name}": value for name, value in written.items() if value}
    return {f"{prefix}.LastAuthUser": tokens.username, **entries}


@without_locals
def read_local_storage(app: AppClient, entries: Mapping[str, str]) -> SignedIn | None:
    """Read the sign-in of Amplify's current user from a browser's local storage.

    The tokens are not verified. Verify them with a `TokenVerifier` before you trust what they say.

    Args:
        app: The front end's app client.
        entries: The entries by name; others among them are ignored.

    Returns:
        The sign-in; None, as Amplify has it, if no user is signed in or the access token cannot be read.
    """
    username = entries.get(f"{_prefix(app)}.LastAuthUser")
    found = {name: entries.get(f"{_prefix(app)}.{username}.{name}") for name in _READ}
    access_token = found["accessToken"]
    if not access_token:
        return None
    try:
        tokens = Tokens.from_jwts(access_token, found["idToken"], found["refreshToken"])
    except UsageError:
        return None
    key, group_key, secret = found["deviceKey"], found["deviceGroupKey"], found["randomPasswordKey"]
    device = Device(key, group_key, secret) if key and group_key and secret else None
    return SignedIn(tokens.username, tokens, device)


@without_locals
def cookies(
    app: AppClient,
    signed_in: SignedIn | Tokens,
    *,
    device: Device | None = None,
    login_id: str | None = None,
) -> dict[str, str]:
    """Return the cookies with which Amplify's user is signed in, encoded as the libraries encode them.

    Set them with the attributes that the front end's cookie storage has; by default these are ``Path=/`` and
    ``Secure``. The front end must be able to read them, so they cannot be ``HttpOnly``.

    Args:
        app: See `local_storage`.
        signed_in: See `local_storage`.
        device: See `local_storage`.
        login_id: See `local_storage`.

    Raises:
        UsageError: See `local_storage`.
    """
    entries = local_storage(app, signed_in, device=device, login_id=login_id)
    return {quote(name, safe=_PLAIN_IN_NAMES): quote(value, safe="") for name, value in entries.items()}


@without_locals
def read_cookies(app: AppClient, cookies: Mapping[str, str]) -> SignedIn | None:
    """Read the sign-in of Amplify's current user from the cookies of a request.

    A server-side application of Amplify keeps the tokens in cookies (``ssr: true``). The tokens are not
    verified. Verify them with a `TokenVerifier` before you trust what they say.

    Args:
        app: The front end's app client.
        cookies: The request's cookies by name; others among them are ignored.

    Returns:
        See `read_local_storage`.
    """
    return read_local_storage(app, {unquote(name): unquote(value) for name, value in cookies.items()})


@without_locals
def storage_state(
    app: AppClient,
    signed_in: SignedIn | Tokens,
    url: str,
    *,
    as_cookies: bool = False,
    device: Device | None = None,
    login_id: str | None = None,
) -> StorageState:
    """Return Playwright's storage state for a browser in which the user is signed in.

    Pass it to ``browser.new_context(storage_state=...)``, or write it to a file as JSON.

    Args:
        app: See `local_storage`.
        signed_in: See `local_storage`.
        url: Where the front end is, such as ``http://localhost:3000``.
        as_cookies: Whether the front end keeps the tokens in cookies; otherwise it uses local storage.
        device: See `local_storage`.
        login_id: See `local_storage`.

    Raises:
        UsageError: `url` is not an http(s) URL; and see `local_storage`.
    """
    place = _place(url)
    if as_cookies:
        made = cookies(app, signed_in, device=device, login_id=login_id)
        return {"cookies": [_cookie(place, name, value) for name, value in made.items()], "origins": []}
    entries = local_storage(app, signed_in, device=device, login_id=login_id)
    listed: list[LocalStorageEntry] = [{"name": name, "value": value} for name, value in entries.items()]
    return {"cookies": [], "origins": [{"origin": _origin(place), "localStorage": listed}]}


@without_locals
def read_storage_state(app: AppClient, state: Mapping[str, object], url: str) -> SignedIn | None:
    """Read the sign-in of Amplify's current user from Playwright's storage state.

    Args:
        app: The front end's app client.
        state: What ``context.storage_state()`` returned.
        url: Where the front end is.

    Returns:
        See `read_local_storage`. Local storage comes before cookies.

    Raises:
        UsageError: `url` is not an http(s) URL.
    """
    place = _place(url)
    kept = [
        entry
        for origin in as_list(state.get("origins")) or ()
        if member(origin, "origin") == _origin(place)
        for entry in as_list(member(origin, "localStorage")) or ()
    ]
    sent = [
        cookie
        for cookie in as_list(state.get("cookies")) or ()
        if _is_sent(as_text(member(cookie, "domain")) or "", place.hostname or "")
    ]
    return read_local_storage(app, _named(kept)) or read_cookies(app, _named(sent))


def _named(listed: list[object]) -> dict[str, str]:
    named = [(as_object(each) or {}).get for each in listed]
    return {str(get("name")): as_text(get("value")) or "" for get in named}


def _is_sent(domain: str, host: str) -> bool:
    """Whether the browser sends a cookie of this domain to this host (RFC 6265, 5.1.3)."""
    return host == domain or (domain.startswith(".") and f".{host}".endswith(domain))


def _cookie(place: SplitResult, name: str, value: str) -> StorageStateCookie:
    return {
        "name": name,
        "value": value,
        "domain": place.hostname or "",
        "path": "/",
        "expires": -1,
        "httpOnly": False,
        "secure": place.scheme == "https",
        "sameSite": "Lax",
    }


def _place(url: str) -> SplitResult:
    mistake = UsageError("url must be an http(s) URL, such as http://localhost:3000")
    try:
        place = urlsplit(url)
        _ = place.port
    except ValueError:  # an address with one bracket, or a port that is not a number
        raise mistake from None
    if place.scheme not in ("http", "https") or not place.hostname:
        raise mistake
    return place


def _origin(place: SplitResult) -> str:
    """As browsers write it: without the default port."""
    host = place.netloc.rpartition("@")[2].lower()
    return f"{place.scheme}://{host.removesuffix(':443' if place.scheme == 'https' else ':80')}"


def _prefix(app: AppClient) -> str:
    return f"CognitoIdentityServiceProvider.{app.client_id}"


def _check_app(app: AppClient, tokens: Tokens) -> None:
    if app.client_secret is not None:
        raise UsageError(
            "Amplify cannot refresh the tokens of an app client with a secret:"
            " sign in with the app client of the front end"
        )
    if unverified_claims(tokens.access_token).get("client_id", app.client_id) != app.client_id:
        raise UsageError("the tokens are of another app client: sign in with the app client of the front end")
