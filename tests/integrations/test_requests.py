"""The adapter for requests: files, cookies, shared sessions, and sources of the wrong kind."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import pytest
import requests
from requests.adapters import HTTPAdapter

from cognito_flow import IncorrectPassword, Throttled, TokenSource, UsageError
from cognito_flow.integrations.requests import CognitoAuth
from cognito_flow.testing import Pool
from tests.integrations.api import Api
from tests.integrations.callers import AsyncHttpx, Requests, refreshes

MANY = 50
ROOT = Path(__file__).parents[2]


@pytest.fixture
def caller(pool: Pool) -> Requests:
    """A client with its default settings."""
    return Requests(pool)


class Recording(HTTPAdapter):
    """An adapter of requests that records the responses."""

    def __init__(self) -> None:
        super().__init__()
        self.responses: list[requests.Response] = []

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride] - they are passed on
        response = super().send(request, **options)
        self.responses.append(response)
        return response


def test_failed_refresh_leaves_no_connection_open(caller: Requests, pool: Pool, api: Api) -> None:
    api.revoked.add(caller.access_token())
    pool.cognito.faults.throttle("GetTokensFromRefreshToken", times=10)
    recording = Recording()
    with requests.Session() as session:
        session.mount("http://", recording)
        with pytest.raises(Throttled):
            session.get(f"{api.url}/echo", auth=caller.auth, stream=True)

        assert [response.raw.closed for response in recording.responses] == [True]


def test_file_is_sent_again_from_its_first_position(caller: Requests, api: Api) -> None:
    api.revoked.add(caller.access_token())
    file = io.BytesIO(b"head body")
    file.seek(5)

    response = requests.post(f"{api.url}/echo", data=file, auth=caller.auth, timeout=30)

    assert response.status_code == 200
    assert api.bodies() == [b"body", b"body"]


def test_form_with_a_file_is_sent_again(caller: Requests, api: Api) -> None:
    api.revoked.add(caller.access_token())
    files = {"name": io.BytesIO(b"one two")}

    response = requests.post(f"{api.url}/echo", files=files, auth=caller.auth, timeout=30)

    assert response.status_code == 200
    assert b"one two" in api.bodies()[0]
    assert api.bodies()[0] == api.bodies()[1]


def test_pipe_is_not_sent_again(caller: Requests, pool: Pool, api: Api) -> None:
    api.revoked.add(caller.access_token())
    out, into = os.pipe()
    os.write(into, b"one two")
    os.close(into)
    with os.fdopen(out, "rb") as pipe:
        response = requests.post(f"{api.url}/echo", data=pipe, auth=caller.auth, timeout=30)

    assert (response.status_code, api.bodies()) == (401, [b"one two"])
    assert refreshes(pool) == 1


class Meter(io.BytesIO):
    """It has a position, but cannot seek."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        raise io.UnsupportedOperation("seek")


def test_file_that_cannot_seek_is_not_sent_again(caller: Requests, pool: Pool, api: Api) -> None:
    api.revoked.add(caller.access_token())
    meter = Meter(b"one two")

    response = requests.post(f"{api.url}/echo", data=meter, auth=caller.auth, timeout=30)

    assert (response.status_code, api.bodies()) == (401, [b"one two"])
    assert refreshes(pool) == 1


def test_cookies_of_the_401_are_sent_with_the_repeated_request(caller: Requests, api: Api) -> None:
    api.revoked.add(caller.access_token())
    api.refusal["Set-Cookie"] = "visited=yes"
    with requests.Session() as session:
        session.auth = caller.auth
        session.cookies.set("mine", "1")
        session.get(f"{api.url}/echo")

        assert [seen.cookie for seen in api.seen] == ["mine=1", "mine=1; visited=yes"]
        assert session.cookies.get("visited") == "yes"


@pytest.mark.parametrize("sets_cookies", [False, True])
def test_cookie_header_of_the_caller_is_unchanged(caller: Requests, api: Api, sets_cookies: bool) -> None:
    api.revoked.add(caller.access_token())
    if sets_cookies:
        api.refusal["Set-Cookie"] = "visited=yes"

    requests.get(f"{api.url}/echo", headers={"Cookie": "mine=1"}, auth=caller.auth, timeout=30)

    assert [seen.cookie for seen in api.seen] == ["mine=1", "mine=1"]


def test_connection_is_reused_for_the_repeated_request(caller: Requests, api: Api) -> None:
    api.revoked.add(caller.access_token())
    with requests.Session() as session:
        session.auth = caller.auth
        with session.post(f"{api.url}/echo", data=b"body", stream=True) as response:
            assert (response.status_code, response.raw.read()) == (200, b"body")

    assert (api.statuses(), api.connections) == ([401, 200], 1)


def test_each_response_has_the_request_that_it_answers(caller: Requests, api: Api) -> None:
    api.revoked.add(caller.access_token())

    response = requests.get(f"{api.url}/echo", auth=caller.auth, timeout=30)

    sent = [each.request.headers["Authorization"] for each in (*response.history, response)]
    assert sent == [f"Bearer {token}" for token in api.tokens()]


@pytest.mark.parametrize("is_old", [True, False], ids=["old", "revoked"])
def test_many_threads_refresh_once(caller: Requests, pool: Pool, api: Api, is_old: bool) -> None:
    if is_old:
        pool.cognito.clock.advance(3600)
    else:
        api.revoked.add(caller.access_token())

    def ask(_: int) -> int:
        return requests.get(f"{api.url}/echo", auth=caller.auth, timeout=60).status_code

    with ThreadPoolExecutor(MANY) as threads:
        assert list(threads.map(ask, range(MANY))) == [200] * MANY
    assert refreshes(pool) == 1


def test_async_source_raises_usage_error(pool: Pool) -> None:
    with pytest.raises(UsageError, match="needs a TokenSource"):
        CognitoAuth(cast("TokenSource", AsyncHttpx(pool).source))


def test_name_and_password_sign_in(pool: Pool, api: Api) -> None:
    auth = CognitoAuth.sign_in(pool.flow(), "alice", "correct horse", token="id")

    assert requests.get(f"{api.url}/id", auth=auth, timeout=30).status_code == 200
    with pytest.raises(IncorrectPassword):
        CognitoAuth.sign_in(pool.flow(), "alice", "battery staple")


@pytest.mark.parametrize("is_refused_first", [False, True])
def test_custom_header_does_not_follow_a_redirect_to_another_origin(
    pool: Pool, api: Api, elsewhere: Api, is_refused_first: bool
) -> None:
    """requests itself only removes Authorization."""
    caller = Requests(pool, header="X-Token", scheme=None)
    api.header = elsewhere.header = "X-Token"
    api.scheme = elsewhere.scheme = None
    if is_refused_first:
        api.revoked.add(caller.access_token())

    reply = caller.send("GET", f"{api.url}/gate?to={elsewhere.url}/echo&status=307")

    assert (reply.status, elsewhere.tokens()) == (401, [None])
    assert api.statuses() == ([401, 307] if is_refused_first else [307])


def test_custom_header_follows_a_redirect_within_the_origin(pool: Pool, api: Api) -> None:
    caller = Requests(pool, header="X-Token", scheme=None)
    api.header, api.scheme = "X-Token", None

    assert caller.send("GET", f"{api.url}/gate?to=/echo&status=307").status == 200


@pytest.mark.parametrize("location", ["http://host.example:99999/", "http://host.example:x/"])
@pytest.mark.parametrize("is_refused_first", [False, True])
def test_redirect_to_an_unreadable_location_is_returned(
    pool: Pool, api: Api, location: str, is_refused_first: bool
) -> None:
    caller = Requests(pool, header="X-Token", scheme=None)
    api.header, api.scheme = "X-Token", None
    if is_refused_first:
        api.revoked.add(caller.access_token())
    url = f"{api.url}/gate?{urlencode({'to': location, 'status': 302})}"

    with requests.Session() as session:
        session.trust_env = False  # requests itself fails if it looks for a proxy
        response = session.get(url, auth=caller.auth, allow_redirects=False, timeout=60)

    assert (response.status_code, response.headers["Location"]) == (302, location)
    assert response.next is not None
    assert "X-Token" not in response.next.headers
