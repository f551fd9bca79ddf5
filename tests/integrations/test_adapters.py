"""What the adapters for HTTP clients have in common, with each of these clients, against a real server."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

import pytest

from cognito_flow import NotAuthorized, Throttled, UsageError
from cognito_flow.testing import Pool
from tests.integrations.api import Api
from tests.integrations.callers import ALICE, KINDS, Caller, make, refreshes

PAYLOADS: dict[str, tuple[dict[str, Any], bytes]] = {
    "none": ({}, b""),
    "json": ({"json": [1]}, b"[1]"),
    "bytes": ({"data": bytes(range(256)) * 1000}, bytes(range(256)) * 1000),
    "form": ({"data": {"a": "1", "b": "2"}}, b"a=1&b=2"),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each client."""
    return str(request.param)


@pytest.fixture
def caller(kind: str, pool: Pool) -> Caller:
    """A client with its default settings."""
    return make(kind, pool)


def moved(api: Api, to: str, *, status: int = 307, path: str = "moved") -> str:
    """A URL that leads to another."""
    return f"{api.url}/{path}?{urlencode({'to': to, 'status': status})}"


def test_requests_carry_the_access_token(caller: Caller, api: Api) -> None:
    """The server verifies it, and lets the request in."""
    assert caller.send("GET", f"{api.url}/echo").status == 200
    assert api.tokens() == [caller.access_token()]


def test_requests_carry_the_id_token_where_it_is_asked_for(kind: str, pool: Pool, api: Api) -> None:
    """As Amazon API Gateway wants it from a Cognito authorizer without scopes."""
    caller = make(kind, pool, token="id")

    assert caller.send("GET", f"{api.url}/id").status == 200
    assert caller.send("GET", f"{api.url}/echo").status == 401


def test_an_old_token_is_not_shown(caller: Caller, pool: Pool, api: Api) -> None:
    """It is refreshed ahead of time, so that no request is refused."""
    old = caller.access_token()
    pool.cognito.clock.advance(3600)

    assert caller.send("GET", f"{api.url}/echo").status == 200
    assert (refreshes(pool), api.statuses()) == (1, [200])
    assert old not in api.tokens()


def test_a_refused_request_is_repeated_once_with_a_new_token(caller: Caller, pool: Pool, api: Api) -> None:
    """One refresh, one repetition, and the first answer stands in the history."""
    api.revoked.add(caller.access_token())

    reply = caller.send("GET", f"{api.url}/echo")

    assert (reply.status, reply.before) == (200, [401])
    assert (refreshes(pool), api.statuses()) == (1, [401, 200])
    assert len(set(api.tokens())) == 2


def test_the_id_token_is_replaced_too(kind: str, pool: Pool, api: Api) -> None:
    """A refresh brings both."""
    caller = make(kind, pool, token="id")
    caller.send("GET", f"{api.url}/id")
    api.revoked.update(token for token in api.tokens() if token)

    assert caller.send("GET", f"{api.url}/id").status == 200
    assert (refreshes(pool), api.statuses()) == (1, [200, 401, 200])


def test_a_second_refusal_is_the_callers(caller: Caller, pool: Pool, api: Api) -> None:
    """A new token did not help, and a third request would not either."""
    reply = caller.send("GET", f"{api.url}/never")

    assert (reply.status, reply.body) == (401, b"who is there?")
    assert (refreshes(pool), api.statuses()) == (1, [401, 401])


def test_without_another_token_nothing_is_repeated(caller: Caller, pool: Pool, api: Api) -> None:
    """The source does not refresh twice within seconds, and the same token would be refused again."""
    caller.send("GET", f"{api.url}/never")
    api.seen.clear()

    assert caller.send("GET", f"{api.url}/never").status == 401
    assert (refreshes(pool), api.statuses()) == (1, [401])


@pytest.mark.parametrize(("content", "body"), PAYLOADS.values(), ids=PAYLOADS)
def test_the_body_is_sent_again_as_it_was(
    caller: Caller, api: Api, content: dict[str, Any], body: bytes
) -> None:
    """Whatever it was made from."""
    api.revoked.add(caller.access_token())

    assert caller.send("POST", f"{api.url}/echo", **content).body == body
    assert api.bodies() == [body, body]


def test_a_body_that_is_gone_is_not_sent_again(caller: Caller, api: Api) -> None:
    """The caller learns of the refusal, and by then there is another token."""
    api.revoked.add(caller.access_token())

    assert caller.send("POST", f"{api.url}/echo", parts=[b"one", b"two"]).status == 401
    assert caller.send("POST", f"{api.url}/echo", parts=[b"one", b"two"]).body == b"onetwo"
    assert api.statuses() == [401, 200]


@pytest.mark.parametrize("status", [302, 307])
def test_no_token_goes_to_another_port(
    caller: Caller, pool: Pool, api: Api, elsewhere: Api, status: int
) -> None:
    """The redirect is followed without it, and what is said there is no word about the token."""
    reply = caller.send("GET", moved(api, f"{elsewhere.url}/echo", status=status))

    assert reply.status == 401
    assert (api.tokens(), elsewhere.tokens()) == ([caller.access_token()], [None])
    assert refreshes(pool) == 0


def test_no_token_goes_to_another_host(caller: Caller, pool: Pool, api: Api) -> None:
    """Nor to another name of the same machine."""
    there = api.url.replace("127.0.0.1", "localhost")

    assert caller.send("GET", moved(api, f"{there}/echo")).status == 401
    assert (api.tokens(), refreshes(pool)) == ([caller.access_token(), None], 0)


def test_no_token_goes_to_another_host_with_a_repetition(
    caller: Caller, pool: Pool, api: Api, elsewhere: Api
) -> None:
    """The new token stays at home like the old one."""
    api.revoked.add(caller.access_token())

    assert caller.send("GET", moved(api, f"{elsewhere.url}/echo", path="gate")).status == 401
    assert (api.statuses(), elsewhere.tokens()) == ([401, 307], [None])
    assert refreshes(pool) == 1


def test_what_was_refused_after_a_redirect_is_repeated_there(caller: Caller, pool: Pool, api: Api) -> None:
    """What came before the redirect was done: an order is not placed twice."""
    api.revoked.add(caller.access_token())

    reply = caller.send("POST", moved(api, f"{api.url}/echo", status=303), json="an order")

    assert reply.status == 200
    assert [(seen.path, seen.status) for seen in api.seen] == [
        ("/moved", 303),
        ("/echo", 401),
        ("/echo", 200),
    ]
    assert refreshes(pool) == 1


def test_a_repetition_may_be_redirected(caller: Caller, pool: Pool, api: Api) -> None:
    """The request arrives, whole, with one refresh."""
    api.revoked.add(caller.access_token())

    reply = caller.send("POST", moved(api, f"{api.url}/echo", path="gate"), data=b"whole")

    assert (reply.status, reply.body) == (200, b"whole")
    assert api.statuses()[:2] == [401, 307]
    assert refreshes(pool) == 1


def test_only_the_origins_that_are_named_see_the_token(
    kind: str, pool: Pool, api: Api, elsewhere: Api
) -> None:
    """Requests to others go as they are."""
    caller = make(kind, pool, origins=[api.url])

    assert caller.send("GET", f"{api.url}/echo").status == 200
    assert caller.send("GET", f"{elsewhere.url}/echo").status == 401
    assert (api.tokens(), elsewhere.tokens()) == ([caller.access_token()], [None])
    assert refreshes(pool) == 0


def test_a_source_that_is_over_says_so(caller: Caller, pool: Pool, api: Api) -> None:
    """The caller gets the typed error: a 401 would not tell that the person must sign in again."""
    flow = pool.flow()
    flow.account(flow.sign_in(ALICE).tokens).sign_out_everywhere()
    api.revoked.add(caller.access_token())

    with pytest.raises(NotAuthorized):
        caller.send("GET", f"{api.url}/echo")
    assert api.statuses() == [401]


def test_a_refresh_that_fails_in_passing_says_so(caller: Caller, pool: Pool, api: Api) -> None:
    """The token in hand was refused, so there is nothing to go on with."""
    api.revoked.add(caller.access_token())
    pool.cognito.faults.throttle("GetTokensFromRefreshToken", times=10)

    with pytest.raises(Throttled):
        caller.send("GET", f"{api.url}/echo")


def test_no_token_is_in_a_representation_or_a_log(
    caller: Caller, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the one that was refused nor the one that came for it. What botocore logs, if it is told to log
    all, is no matter of the adapters."""
    caplog.set_level(logging.INFO, logger="botocore")
    caplog.set_level(logging.DEBUG)
    api.revoked.add(caller.access_token())
    caller.send("GET", f"{api.url}/echo")

    assert caplog.text
    for token in api.tokens():
        assert token
        assert token not in repr(caller.auth)
        assert token not in caplog.text
    assert repr(caller.auth).endswith("TokenSource('alice'), token='access')")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"token": "refresh"}, "'access' or 'id'"),
        ({"origins": "https://api.example.com"}, "give a list"),
        ({"origins": []}, "nowhere"),
        ({"origins": ["api.example.com"]}, "not an origin"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    kind: str, pool: Pool, options: dict[str, Any], complaint: str
) -> None:
    """When the adapter is made, and not with the first request."""
    with pytest.raises(UsageError, match=complaint):
        make(kind, pool, **options)
