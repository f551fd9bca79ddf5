"""The adapter for requests: files, cookies, sessions that are shared, and sources of the wrong kind."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest
import requests
from requests.adapters import HTTPAdapter

from cognito_flow import Throttled, TokenSource, UsageError
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
    """What requests sends with, and the responses that it got."""

    def __init__(self) -> None:
        super().__init__()
        self.responses: list[requests.Response] = []

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride] - they are passed on
        response = super().send(request, **options)
        self.responses.append(response)
        return response


def test_a_refusal_that_cannot_be_met_leaves_no_connection_open(
    caller: Requests, pool: Pool, api: Api
) -> None:
    """Nobody sees the response but the adapter, which has the error to raise."""
    api.revoked.add(caller.access_token())
    pool.cognito.faults.throttle("GetTokensFromRefreshToken", times=10)
    recording = Recording()
    with requests.Session() as session:
        session.mount("http://", recording)
        with pytest.raises(Throttled):
            session.get(f"{api.url}/echo", auth=caller.auth, stream=True)

        assert [response.raw.closed for response in recording.responses] == [True]


def test_a_file_is_sent_again_from_where_it_stood(caller: Requests, api: Api) -> None:
    """What was read of it before is not part of the body."""
    api.revoked.add(caller.access_token())
    file = io.BytesIO(b"head body")
    file.seek(5)

    response = requests.post(f"{api.url}/echo", data=file, auth=caller.auth, timeout=30)

    assert response.status_code == 200
    assert api.bodies() == [b"body", b"body"]


def test_a_form_with_a_file_is_sent_again(caller: Requests, api: Api) -> None:
    """requests has it in memory."""
    api.revoked.add(caller.access_token())
    files = {"name": io.BytesIO(b"one two")}

    response = requests.post(f"{api.url}/echo", files=files, auth=caller.auth, timeout=30)

    assert response.status_code == 200
    assert b"one two" in api.bodies()[0]
    assert api.bodies()[0] == api.bodies()[1]


def test_what_comes_through_a_pipe_is_not_sent_again(caller: Requests, pool: Pool, api: Api) -> None:
    """It is a file that cannot go back."""
    api.revoked.add(caller.access_token())
    out, into = os.pipe()
    os.write(into, b"one two")
    os.close(into)
    with os.fdopen(out, "rb") as pipe:
        response = requests.post(f"{api.url}/echo", data=pipe, auth=caller.auth, timeout=30)

    assert (response.status_code, api.bodies()) == (401, [b"one two"])
    assert refreshes(pool) == 1


class Meter(io.BytesIO):
    """It tells how much was read, and cannot go back."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        raise io.UnsupportedOperation("seek")


def test_a_file_that_cannot_go_back_is_not_sent_again(caller: Requests, pool: Pool, api: Api) -> None:
    """Though it tells where it stands."""
    api.revoked.add(caller.access_token())
    meter = Meter(b"one two")

    response = requests.post(f"{api.url}/echo", data=meter, auth=caller.auth, timeout=30)

    assert (response.status_code, api.bodies()) == (401, [b"one two"])
    assert refreshes(pool) == 1


def test_cookies_of_the_refusal_go_with_the_repetition(caller: Requests, api: Api) -> None:
    """Beside those of the session, which learns them, too."""
    api.revoked.add(caller.access_token())
    api.refusal["Set-Cookie"] = "visited=yes"
    with requests.Session() as session:
        session.auth = caller.auth
        session.cookies.set("mine", "1")
        session.get(f"{api.url}/echo")

        assert [seen.cookie for seen in api.seen] == ["mine=1", "mine=1; visited=yes"]
        assert session.cookies.get("visited") == "yes"


@pytest.mark.parametrize("sets_cookies", [False, True])
def test_a_cookie_that_the_caller_wrote_stays(caller: Requests, api: Api, sets_cookies: bool) -> None:
    """It is a header like any other, also where the refusal sets cookies."""
    api.revoked.add(caller.access_token())
    if sets_cookies:
        api.refusal["Set-Cookie"] = "visited=yes"

    requests.get(f"{api.url}/echo", headers={"Cookie": "mine=1"}, auth=caller.auth, timeout=30)

    assert [seen.cookie for seen in api.seen] == ["mine=1", "mine=1"]


def test_the_connection_is_used_again(caller: Requests, api: Api) -> None:
    """The refusal was read to its end, even where the caller reads by himself."""
    api.revoked.add(caller.access_token())
    with requests.Session() as session:
        session.auth = caller.auth
        with session.post(f"{api.url}/echo", data=b"body", stream=True) as response:
            assert (response.status_code, response.raw.read()) == (200, b"body")

    assert (api.statuses(), api.connections) == ([401, 200], 1)


def test_the_response_tells_what_was_sent_last(caller: Requests, api: Api) -> None:
    """Each response has the request that it answers."""
    api.revoked.add(caller.access_token())

    response = requests.get(f"{api.url}/echo", auth=caller.auth, timeout=30)

    sent = [each.request.headers["Authorization"] for each in (*response.history, response)]
    assert sent == [f"Bearer {token}" for token in api.tokens()]


@pytest.mark.parametrize("is_old", [True, False], ids=["old", "revoked"])
def test_many_threads_refresh_once(caller: Requests, pool: Pool, api: Api, is_old: bool) -> None:
    """Be the token old or refused."""
    if is_old:
        pool.cognito.clock.advance(3600)
    else:
        api.revoked.add(caller.access_token())

    def ask(_: int) -> int:
        return requests.get(f"{api.url}/echo", auth=caller.auth, timeout=60).status_code

    with ThreadPoolExecutor(MANY) as threads:
        assert list(threads.map(ask, range(MANY))) == [200] * MANY
    assert refreshes(pool) == 1


def test_a_source_for_asyncio_is_refused(pool: Pool) -> None:
    """Nobody would wait for its tokens."""
    with pytest.raises(UsageError, match="needs a TokenSource"):
        CognitoAuth(cast("TokenSource", AsyncHttpx(pool).source))


def test_a_missing_package_is_named() -> None:
    """The import says what to install."""
    program = "import sys; sys.modules['requests'] = None; import cognito_flow.integrations.requests"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=False, capture_output=True, text=True
    )

    assert "the package requests is missing: python -m pip install 'cognito-flow[requests]'" in done.stderr
