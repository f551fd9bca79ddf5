"""What the adapters for HTTP clients have in common, with each of these clients, over real connections."""

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
    return str(request.param)


@pytest.fixture
def caller(kind: str, pool: Pool, api: Api) -> Caller:
    """A client with its default settings."""
    return make(kind, pool, api.url)


def moved(api: Api, to: str, *, status: int = 307, path: str = "moved") -> str:
    """A URL that leads to another."""
    return f"{api.url}/{path}?{urlencode({'to': to, 'status': status})}"


def test_requests_carry_the_access_token(caller: Caller, api: Api) -> None:
    assert caller.send("GET", f"{api.url}/echo").status == 200
    assert api.tokens() == [caller.access_token()]


def test_requests_carry_the_id_token_if_asked_for(kind: str, pool: Pool, api: Api) -> None:
    caller = make(kind, pool, api.url, token="id")

    assert caller.send("GET", f"{api.url}/id").status == 200
    assert caller.send("GET", f"{api.url}/echo").status == 401


@pytest.mark.parametrize(
    ("header", "scheme"), [("Authorization", None), ("X-Id-Token", None), ("X-Auth", "Token")]
)
def test_header_and_scheme_can_be_chosen(
    kind: str, pool: Pool, api: Api, header: str, scheme: str | None
) -> None:
    """AppSync and authorizers of API Gateway take the token without a scheme."""
    caller = make(kind, pool, api.url, header=header, scheme=scheme)
    api.header, api.scheme = header, scheme
    api.revoked.add(caller.access_token())

    assert caller.send("GET", f"{api.url}/echo").status == 200
    assert api.statuses() == [401, 200]


def test_expired_token_is_refreshed_before_it_is_sent(caller: Caller, pool: Pool, api: Api) -> None:
    old = caller.access_token()
    pool.cognito.clock.advance(3600)

    assert caller.send("GET", f"{api.url}/echo").status == 200
    assert (refreshes(pool), api.statuses()) == (1, [200])
    assert old not in api.tokens()


def test_refused_request_is_repeated_once_with_a_new_token(caller: Caller, pool: Pool, api: Api) -> None:
    api.revoked.add(caller.access_token())

    reply = caller.send("GET", f"{api.url}/echo")

    assert reply.status == 200
    assert (refreshes(pool), api.statuses()) == (1, [401, 200])
    assert len(set(api.tokens())) == 2


def test_refused_id_token_is_replaced(kind: str, pool: Pool, api: Api) -> None:
    caller = make(kind, pool, api.url, token="id")
    caller.send("GET", f"{api.url}/id")
    api.revoked.update(token for token in api.tokens() if token)

    assert caller.send("GET", f"{api.url}/id").status == 200
    assert (refreshes(pool), api.statuses()) == (1, [200, 401, 200])


def test_second_refusal_is_returned_to_the_caller(caller: Caller, pool: Pool, api: Api) -> None:
    reply = caller.send("GET", f"{api.url}/never")

    assert (reply.status, reply.body) == (401, b"unauthorized")
    assert (refreshes(pool), api.statuses()) == (1, [401, 401])


def test_refused_request_is_not_repeated_with_the_same_token(caller: Caller, pool: Pool, api: Api) -> None:
    caller.send("GET", f"{api.url}/never")
    api.seen.clear()

    assert caller.send("GET", f"{api.url}/never").status == 401
    assert (refreshes(pool), api.statuses()) == (1, [401])


@pytest.mark.parametrize(("content", "body"), PAYLOADS.values(), ids=PAYLOADS)
def test_repeated_request_has_the_same_body(
    caller: Caller, api: Api, content: dict[str, Any], body: bytes
) -> None:
    api.revoked.add(caller.access_token())

    assert caller.send("POST", f"{api.url}/echo", **content).body == body
    assert api.bodies() == [body, body]


def test_streamed_body_is_not_sent_again(caller: Caller, api: Api) -> None:
    api.revoked.add(caller.access_token())

    assert caller.send("POST", f"{api.url}/echo", parts=[b"one", b"two"]).status == 401
    assert caller.send("POST", f"{api.url}/echo", parts=[b"one", b"two"]).body == b"onetwo"
    assert api.statuses() == [401, 200]


@pytest.mark.parametrize("status", [302, 307])
def test_token_does_not_follow_a_redirect_to_another_port(
    caller: Caller, pool: Pool, api: Api, elsewhere: Api, status: int
) -> None:
    reply = caller.send("GET", moved(api, f"{elsewhere.url}/echo", status=status))

    assert reply.status == 401
    assert (api.tokens(), elsewhere.tokens()) == ([caller.access_token()], [None])
    assert refreshes(pool) == 0


def test_token_does_not_follow_a_redirect_to_another_host(caller: Caller, pool: Pool, api: Api) -> None:
    there = api.url.replace("127.0.0.1", "localhost")

    assert caller.send("GET", moved(api, f"{there}/echo")).status == 401
    assert (api.tokens(), refreshes(pool)) == ([caller.access_token(), None], 0)


def test_new_token_does_not_follow_a_redirect_to_another_host(
    caller: Caller, pool: Pool, api: Api, elsewhere: Api
) -> None:
    api.revoked.add(caller.access_token())

    assert caller.send("GET", moved(api, f"{elsewhere.url}/echo", path="gate")).status == 401
    assert (api.statuses(), elsewhere.tokens()) == ([401, 307], [None])
    assert refreshes(pool) == 1


def test_request_refused_after_a_redirect_is_repeated_from_there(
    caller: Caller, pool: Pool, api: Api
) -> None:
    """The request before the redirect was processed: an order is not placed twice."""
    api.revoked.add(caller.access_token())

    reply = caller.send("POST", moved(api, f"{api.url}/echo", status=303), json="an order")

    assert reply.status == 200
    assert [(seen.path, seen.status) for seen in api.seen] == [
        ("/moved", 303),
        ("/echo", 401),
        ("/echo", 200),
    ]
    assert refreshes(pool) == 1


def test_repeated_request_follows_a_redirect(caller: Caller, pool: Pool, api: Api) -> None:
    api.revoked.add(caller.access_token())

    reply = caller.send("POST", moved(api, f"{api.url}/echo", path="gate"), data=b"whole")

    assert (reply.status, reply.body) == (200, b"whole")
    assert api.statuses()[:2] == [401, 307]
    assert refreshes(pool) == 1


def test_other_origins_receive_no_token(kind: str, pool: Pool, api: Api, elsewhere: Api) -> None:
    caller = make(kind, pool, api.url, origins=[api.url])

    assert caller.send("GET", f"{api.url}/echo").status == 200
    assert caller.send("GET", f"{elsewhere.url}/echo").status == 401
    assert (api.tokens(), elsewhere.tokens()) == ([caller.access_token()], [None])
    assert refreshes(pool) == 0


def test_source_that_cannot_refresh_raises_its_error(caller: Caller, pool: Pool, api: Api) -> None:
    flow = pool.flow()
    flow.account(flow.sign_in(ALICE).tokens).sign_out_everywhere()
    api.revoked.add(caller.access_token())

    with pytest.raises(NotAuthorized):
        caller.send("GET", f"{api.url}/echo")
    assert api.statuses() == [401]


def test_throttled_refresh_raises_throttled(caller: Caller, pool: Pool, api: Api) -> None:
    api.revoked.add(caller.access_token())
    pool.cognito.faults.throttle("GetTokensFromRefreshToken", times=10)

    with pytest.raises(Throttled):
        caller.send("GET", f"{api.url}/echo")


def test_tokens_are_in_no_repr_and_no_log(caller: Caller, api: Api, caplog: pytest.LogCaptureFixture) -> None:
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
        ({"origins": "https://api.example.com"}, "not a str"),
        ({"origins": []}, "no server"),
        ({"origins": ["api.example.com"]}, "not an origin"),
        ({"header": "X Token"}, "header is"),
        ({"scheme": ""}, "scheme is"),
    ],
)
def test_malformed_setting_raises_usage_error(
    kind: str, pool: Pool, options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        make(kind, pool, "https://api.example.com", **options)
