"""LocalCognito over HTTP: its pages, misbehaving clients, and its end."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPResponse
from typing import Any, cast
from urllib.parse import quote, urlsplit

import attrs
import boto3
import jwt
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError

from cognito_flow import AuthFlow, SignedIn, UserSrpAuth
from cognito_flow.testing import Clock, Fault, LocalCognito, Pool, totp_code
from cognito_flow.testing._doors.http import LARGEST_BODY

TARGET = "AWSCognitoIdentityProviderService."
PASSWORD = "correct horse"


@attrs.frozen
class Site:
    """A served LocalCognito, as a client sees it."""

    cognito: LocalCognito
    pool: Pool
    url: str

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[HTTPResponse, Any]:
        """Make a request over a new connection and return the answer and its JSON."""
        connection = HTTPConnection(*self.address, timeout=30)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer, json.loads(text) if text else None

    def send(self, octets: bytes) -> bytes:
        """Send bytes and return all that comes back."""
        with socket.create_connection(self.address, timeout=30) as connection:
            connection.sendall(octets)
            received = b""
            while part := connection.recv(65536):
                received += part
        return received

    def boto(self) -> Any:
        """A boto3 client that calls the URL."""
        config = Config(retries={"total_max_attempts": 1})
        return boto3.session.Session(aws_access_key_id="x", aws_secret_access_key="x").client(
            "cognito-idp", region_name="eu-west-1", endpoint_url=self.url, config=config
        )


@pytest.fixture
def site() -> Iterator[Site]:
    """A served pool with a user."""
    cognito = LocalCognito()
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD, email="alice@example.com")
    with cognito.serve() as url:
        yield Site(cognito, pool, url)


def test_flow_signs_in_over_http_and_its_tokens_verify(site: Site) -> None:
    app = attrs.evolve(site.pool.app_client(secret=True), endpoint_url=site.url)
    done = AuthFlow(app).sign_in(UserSrpAuth("alice", PASSWORD))
    keys = jwt.PyJWKSet.from_dict(site.ask("GET", urlsplit(app.jwks_url).path)[1])
    key = keys[jwt.get_unverified_header(done.tokens.access_token)["kid"]]
    assert jwt.decode(done.tokens.access_token, key, algorithms=["RS256"])["username"] == "alice"


def test_url_is_available_only_while_serving() -> None:
    serving = LocalCognito().serve()
    with pytest.raises(RuntimeError, match="within the context"):
        assert serving.url
    with serving as url:
        assert serving.url == url
    with pytest.raises(RuntimeError, match="within the context"):
        assert serving.url


def test_url_of_an_ipv6_address_has_brackets() -> None:
    with LocalCognito().serve(host="::1") as url:
        assert url.startswith("http://[::1]:")


def test_port_in_use_raises_os_error(site: Site) -> None:
    with pytest.raises(OSError, match="in use"), LocalCognito().serve(site.address[1]):
        pass


def test_serving_can_be_entered_again_but_not_twice_at_once() -> None:
    cognito = LocalCognito()
    pool, serving = cognito.create_pool(), cognito.serve()
    for _ in range(2):
        with serving as url:
            assert Site(cognito, pool, url).ask("GET", "/")[0].status == 200
            with pytest.raises(RuntimeError, match="already"), serving:
                pass


def test_context_that_is_never_left_does_not_keep_the_process() -> None:
    program = "from cognito_flow.testing import LocalCognito; print(LocalCognito().serve().__enter__())"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout[:17]) == (0, "http://127.0.0.1:")


# -- pages --


def test_openid_configuration_names_issuer_and_keys(site: Site) -> None:
    _, found = site.ask("GET", f"/{site.pool.id}/.well-known/openid-configuration")
    assert found["issuer"] == site.pool.app.issuer
    assert site.ask("GET", urlsplit(found["jwks_uri"]).path)[1] == site.pool.jwks()


def test_front_page_shows_pools_and_clients(site: Site) -> None:
    app = site.pool.app_client(secret=True, client_name="web")
    (shown,) = site.ask("GET", "/")[1]["pools"]
    assert (shown["id"], shown["name"]) == (site.pool.id, "pool")
    user = {"username": "alice", "name": "alice", "status": "CONFIRMED", "totp_secret": None}
    assert shown["users"] == [user]
    assert shown["clients"] == [{"id": app.client_id, "name": "web", "secret": app.client_secret}]
    assert site.ask("GET", "/_local/pools")[1] == [shown]


def test_secret_of_an_authenticator_app_is_shown(site: Site) -> None:
    """Else a program that knows only the URL could never answer SOFTWARE_TOKEN_MFA."""
    site.pool.add_user("bob", totp=True)
    (shown,) = site.ask("GET", "/_local/pools")[1]

    (secret,) = [user["totp_secret"] for user in shown["users"] if user["username"] == "bob"]
    assert totp_code(secret, site.cognito.clock()) == site.pool.totp("bob")


def test_users_of_an_email_pool_are_listed_by_address(site: Site) -> None:
    pool = site.cognito.create_pool(username_attributes=["email"])
    pool.add_user("bob@example.com", PASSWORD)
    (user,) = site.ask("GET", "/_local/pools")[1][1]["users"]
    assert user["name"] == "bob@example.com"


def test_totp_secret_can_be_learned_over_http(site: Site) -> None:
    secret = site.pool.enrol_totp("alice")
    (user,) = site.ask("GET", "/_local/pools")[1][0]["users"]
    assert user["totp_secret"] == secret


def test_pool_can_be_configured_over_http(site: Site) -> None:
    query = f"pool={site.pool.id}&skew=60&totp_retry=false&issuer=https://issuer.example"
    _, shown = site.ask("POST", f"/_local/configure?{query}")
    assert (shown["settings"]["skew"], shown["settings"]["totp_retry"]) == (60, False)
    assert shown["settings"]["issuer"] == "https://issuer.example"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "pool=eu-west-1_None00000",
        "pool={pool}&skew=x",
        "pool={pool}&skew=nan",
        "pool={pool}&skew=-inf",
        "pool={pool}&slack=1",
    ],
)
def test_wrong_configuration_over_http_is_refused(site: Site, query: str) -> None:
    answer, shown = site.ask("POST", f"/_local/configure?{query.format(pool=site.pool.id)}")
    assert (answer.status, shown["__type"]) == (400, "InvalidParameterException")
    assert site.cognito.state(site.pool.id).settings.skew == 300


@pytest.mark.parametrize("name", ["alice", "alice@example.com"])
def test_outbox_shows_messages_of_a_user_or_address_newest_last(site: Site, name: str) -> None:
    site.pool.add_user("bob", PASSWORD, email="bob@example.com")
    for user in ("alice", "bob", "alice"):
        site.boto().forgot_password(ClientId=site.pool.app.client_id, Username=user)
    _, shown = site.ask("GET", f"/_local/outbox?username={quote(name)}")
    assert [message["username"] for message in shown] == ["alice", "alice"]
    assert shown[-1]["code"] == site.pool.last_code("alice")
    assert shown[-1]["medium"] == "EMAIL"
    assert len(site.ask("GET", "/_local/outbox")[1]) == 3


def test_outbox_accepts_a_phone_number_with_a_plus(site: Site) -> None:
    site.pool.add_user("carol", PASSWORD, phone_number="+31612345678")
    site.boto().forgot_password(ClientId=site.pool.app.client_id, Username="carol")
    assert len(site.ask("GET", "/_local/outbox?username=+31612345678")[1]) == 1


def test_clock_is_read_and_advanced_over_http(site: Site) -> None:
    before = site.cognito.clock()
    _, shown = site.ask("POST", "/_local/clock?seconds=3600")
    assert (site.cognito.clock() - before).total_seconds() >= 3600
    assert site.ask("GET", "/_local/clock")[1]["now"] >= shown["now"]
    assert (shown["ahead"], "TIMESTAMP is too old" in shown["note"]) == (3600, True)


def test_clock_returns_to_the_real_time_with_ahead_0(site: Site) -> None:
    site.ask("POST", "/_local/clock?seconds=3600")
    _, shown = site.ask("POST", "/_local/clock?ahead=0")
    assert (shown["ahead"], site.cognito.clock.ahead.total_seconds()) == (0, 0)


@pytest.mark.parametrize(
    "query", ["", "?seconds=", "?seconds=x", "?seconds=nan", "?seconds=1e12", "?ahead=-1e11", "?ahead=x"]
)
def test_impossible_time_is_refused(site: Site, query: str) -> None:
    answer, shown = site.ask("POST", f"/_local/clock{query}")
    assert (answer.status, shown["__type"]) == (400, "InvalidParameterException")
    assert site.ask("GET", "/_local/clock")[0].status == 200


def test_reset_restores_the_state_at_the_start_of_serving(site: Site) -> None:
    app, before = site.pool.app, site.cognito.clock()
    site.ask("POST", "/_local/reset")
    with pytest.raises(KeyError):  # made after it was served
        site.cognito.state(site.pool.id).clients[app.client_id]
    site.pool.add_user("bob", PASSWORD)
    site.pool.user("alice").is_enabled = False
    site.cognito.clock.advance(10_000)
    site.cognito.faults.throttle("GetUser")
    assert site.ask("POST", "/_local/reset")[0].status == 200
    assert site.pool.user("alice").is_enabled
    with pytest.raises(KeyError):
        site.pool.user("bob")
    assert (site.cognito.clock() - before).total_seconds() < 10_000
    assert (site.cognito.calls, site.cognito.outbox, site.cognito.faults.take("GetUser")) == ([], [], None)


def test_trigger_objects_stay_the_same_after_a_reset() -> None:
    class Trigger:
        seen = 0

        def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
            self.seen += 1
            return event

    cognito, trigger = LocalCognito(), Trigger()
    pool = cognito.create_pool()
    pool.triggers["PreAuthentication"] = trigger
    pool.add_user("alice", PASSWORD)
    app = pool.app
    cognito.snapshot()()
    pool.flow(app).sign_in(UserSrpAuth("alice", PASSWORD))
    assert trigger.seen == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("POST", "/"),
        ("GET", "/_local/reset"),
        ("GET", "/eu-west-1_None00000/.well-known/jwks.json"),
        ("GET", "/{pool}/.well-known/nothing"),
        ("POST", "/{pool}/.well-known/jwks.json"),
    ],
)
def test_unknown_path_is_not_found(site: Site, method: str, path: str) -> None:
    answer, shown = site.ask(method, path.format(pool=site.pool.id))
    assert (answer.status, shown["__type"]) == (404, "ResourceNotFoundException")
    assert "X-Amz-Target" in shown["message"]


def test_web_page_of_any_origin_may_use_the_api(site: Site) -> None:
    before, _ = site.ask("OPTIONS", "/", Origin="http://localhost:3000", Access_Control_Request_Method="POST")
    after, _ = site.ask("POST", "/", b"{}", X_Amz_Target=f"{TARGET}GetUser")
    assert (before.status, before.getheader("Access-Control-Allow-Headers")) == (204, "*, authorization")
    assert {answer.getheader("Access-Control-Allow-Origin") for answer in (before, after)} == {"*"}
    assert "x-amzn-errortype" in str(after.getheader("Access-Control-Expose-Headers"))


# -- clients that are broken, slow or rude --


CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", b" 400 "),
        (b"\r\n\r\n", b" 400 "),
        (b"GET / HTTP/9.9\r\n\r\n", b" 505 "),
        (b"BREW / HTTP/1.1\r\n\r\n", b" 501 "),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b" 414 "),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", b" 431 "),
        (b"GET http://[ HTTP/1.1\r\n\r\n", b" 400 "),
        (b"GET /?" + b"a=1&" * 100 + b" HTTP/1.1\r\n\r\n", b" 400 "),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b" 400 "),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", b" 400 "),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b" 400 "),
        (b"POST / HTTP/1.1\r\nContent-Length: " + "٣".encode() + b"\r\n\r\n", b" 400 "),
        (b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", b" 413 "),
        (
            b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (LARGEST_BODY + 1) + b"a" * (LARGEST_BODY + 1),
            b" 413 ",
        ),
        (b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 60_000 + b"\r\nY: " + b"a" * 60_000 + b"\r\n\r\n", b" 431 "),
        (CHUNKED + b"x\r\n{}\r\n0\r\n\r\n", b" 400 "),
        (CHUNKED + b"3\r\n{}\r\n0\r\n\r\n", b" 400 "),
        (CHUNKED + b"2\r\n{}\r\n0\r\n" + b"T: x\r\n" * 20_000 + b"\r\n", b" 400 "),
        (CHUNKED + b"fffffff\r\n", b" 413 "),
        (CHUNKED[:-2] + b"Content-Length: 2\r\n\r\n{}", b" 400 "),
        (CHUNKED.replace(b"chunked", b"gzip, chunked"), b" 501 "),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", b" 421 "),
        (b"GET / HTTP/1.1\r\nHost: [\r\n\r\n", b" 421 "),
    ],
)
def test_invalid_http_request_is_refused_in_cognitos_form_and_closes_the_connection(
    site: Site, request_: bytes, status: bytes
) -> None:
    head, _, body = site.send(request_).partition(b"\r\n\r\n")
    assert status in head.splitlines()[0] + b" "
    assert b"Connection: close" in head
    assert json.loads(body)["__type"] == "SerializationException"


def test_chunked_body_is_read(site: Site) -> None:
    body = json.dumps({"AccessToken": "x"}).encode()
    head = f"POST / HTTP/1.1\r\nX-Amz-Target: {TARGET}GetUser\r\nTransfer-Encoding: Chunked\r\n"
    chunks = b"%x;note=1\r\n%b\r\n%X\r\n%b\r\n0\r\nTrailer: x\r\n\r\n" % (
        5,
        body[:5],
        len(body) - 5,
        body[5:],
    )
    received = site.send(head.encode() + b"Connection: close\r\n\r\n" + chunks)
    assert b"Invalid Access Token" in received


def test_request_after_a_chunked_one_is_answered_over_the_same_connection(site: Site) -> None:
    first = CHUNKED + b"2\r\n{}\r\n0\r\n\r\n"
    received = site.send(first + b"GET /_local/clock HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert b'{"now": ' in received


@pytest.mark.parametrize(
    "host", ["127.0.0.1:80", "localhost", "app.localhost:80", "192.0.2.1", "[::1]:80", "LOCALHOST"]
)
def test_host_that_no_web_site_can_take_over_is_accepted(site: Site, host: str) -> None:
    assert site.ask("GET", "/_local/clock", Host=host)[0].status == 200


def test_any_host_is_accepted_by_a_server_that_is_not_on_a_loopback_address() -> None:
    cognito = LocalCognito()
    with cognito.serve(host="0.0.0.0") as url:  # noqa: S104 - as in a container
        local = url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - as above
        site = Site(cognito, cognito.create_pool(), local)
        assert site.ask("GET", "/_local/clock", Host="cognito:9229")[0].status == 200


@pytest.mark.parametrize("path", ["/", "/_local/pools", "/_local/outbox", "/_local/nothing"])
def test_page_of_a_foreign_origin_may_not_use_local_pages(site: Site, path: str) -> None:
    answer, shown = site.ask("GET", path, Origin="http://localhost:3000")
    assert (answer.status, shown["__type"]) == (403, "ForbiddenException")
    assert answer.getheader("Access-Control-Allow-Origin") is None
    before, _ = site.ask("OPTIONS", "/_local/reset", Origin="http://localhost:3000")
    assert before.getheader("Access-Control-Allow-Methods") is None


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/_local/outbox"), ("POST", "/_local/reset")]
)
def test_page_of_a_foreign_origin_gets_no_further_with_the_header_of_the_api(
    site: Site, method: str, path: str
) -> None:
    target = "AWSCognitoIdentityProviderService.GetUser"
    answer, shown = site.ask(method, path, Origin="http://evil.example", X_Amz_Target=target)

    assert (answer.status, shown["__type"]) == (403, "ForbiddenException")
    assert answer.getheader("Access-Control-Allow-Origin") is None


def test_request_that_names_the_whole_url_gets_no_more_than_one_that_names_the_path(site: Site) -> None:
    """RFC 9112, section 3.2.2."""
    url, foreign = f"{site.url}/_local/reset", "http://evil.example"
    refused, shown = site.ask("POST", url, Origin=foreign)
    before, _ = site.ask("OPTIONS", url, Origin=foreign)
    unreadable = site.send(b"GET http://[/_local/outbox HTTP/1.1\r\nOrigin: http://evil.example\r\n\r\n")

    assert (refused.status, shown["__type"]) == (403, "ForbiddenException")
    assert before.getheader("Access-Control-Allow-Methods") is None
    assert unreadable.startswith(b"HTTP/1.1 400 ")
    assert site.ask("GET", f"{site.url}/_local/clock")[0].status == 200


def test_page_of_the_server_itself_may_use_local_pages(site: Site) -> None:
    host, port = site.address
    answer, _ = site.ask("POST", "/_local/reset", Origin=f"http://{host}:{port}")
    assert answer.status == 200


def test_page_of_a_chosen_origin_may_use_local_pages() -> None:
    cognito, origin = LocalCognito(), "http://localhost:3000"
    with cognito.serve(origins=[origin]) as url:
        site = Site(cognito, cognito.create_pool(), url)
        before, _ = site.ask("OPTIONS", "/_local/reset", Origin=origin)
        after, _ = site.ask("POST", "/_local/reset", Origin=origin)
        other, _ = site.ask("POST", "/_local/reset", Origin="http://evil.example")
    assert (before.status, after.status, other.status) == (204, 200, 403)
    assert before.getheader("Access-Control-Allow-Methods") == "GET, POST, OPTIONS"
    assert after.getheader("Access-Control-Allow-Origin") == origin
    assert after.getheader("Vary") == "Origin"


def test_body_that_ends_early_is_refused(site: Site) -> None:
    with socket.create_connection(site.address, timeout=30) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n{}")
        connection.shutdown(socket.SHUT_WR)
        assert b"shorter than Content-Length" in connection.makefile("rb").read()


def test_head_is_answered_without_a_body(site: Site) -> None:
    received = site.send(b"HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.endswith(b"\r\n\r\n")
    assert site.send(b"HEAD /nothing HTTP/1.1\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS"])
def test_body_of_any_method_is_not_read_as_the_next_request(site: Site, method: bytes) -> None:
    first = method + b" / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
    received = site.send(first + b"GET /_local/clock HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert b'{"now": ' in received


def test_expect_100_continue_is_answered_before_the_body(site: Site) -> None:
    head = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
    with socket.create_connection(site.address, timeout=30) as connection:
        connection.sendall(head)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert b" 404 " in connection.makefile("rb").readline()


def test_many_requests_use_one_connection(site: Site) -> None:
    connection = HTTPConnection(*site.address, timeout=30)
    for _ in range(3):
        connection.request("GET", "/_local/clock")
        with connection.getresponse() as answer:
            assert "now" in json.loads(answer.read())
    connection.close()


def test_hundred_slow_clients_do_not_stop_others(site: Site) -> None:
    slow = [socket.create_connection(site.address, timeout=30) for _ in range(100)]
    for connection in slow:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n{")
    assert site.ask("GET", "/_local/clock")[0].status == 200
    for connection in slow:
        connection.close()


def test_client_that_is_too_slow_is_disconnected() -> None:
    with LocalCognito().serve(patience=0.5) as url:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n{")
            assert connection.recv(100) == b""


def test_end_of_serving_closes_open_connections() -> None:
    cognito = LocalCognito()
    with cognito.serve() as url:
        parts = urlsplit(url)
        idle = socket.create_connection((parts.hostname, parts.port), timeout=30)
        idle.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert idle.recv(12) == b"HTTP/1.1 200"
    with idle:
        while idle.recv(65536):
            pass
    assert [thread.name for thread in threading.enumerate() if "LocalCognito" in thread.name] == []


def test_client_that_hangs_up_is_logged_at_debug_level(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "cognito_flow.testing")
    with socket.create_connection(site.address, timeout=30) as connection:
        # Closed at once and with force, so that the answer has nowhere to go.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n" * 200)
    assert site.ask("GET", "/_local/clock")[0].status == 200
    ours = [record for record in caplog.records if record.name.startswith("cognito_flow")]
    assert all(record.levelno == logging.DEBUG for record in ours)


def test_lost_answer_closes_the_connection(site: Site) -> None:
    app = site.pool.app
    site.cognito.faults.lose("ForgotPassword")
    with pytest.raises(ConnectionClosedError):
        site.boto().forgot_password(ClientId=app.client_id, Username="alice")
    assert site.pool.last_code("alice")


def test_exception_in_an_operation_is_a_500_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def break_down(seconds: float) -> None:
        raise RuntimeError("broken")

    cognito = LocalCognito(sleep=break_down)
    cognito.faults.delay("GetUser", 1)
    with cognito.serve() as url:
        site = Site(cognito, cognito.create_pool(), url)
        answer, shown = site.ask("POST", "/", b"{}", X_Amz_Target=f"{TARGET}GetUser")
    assert (answer.status, shown["__type"]) == (500, "InternalErrorException")
    assert "broken" in caplog.text


def test_exception_in_a_page_is_a_500_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    is_broken = threading.Event()

    def tell() -> datetime:
        if is_broken.is_set():
            raise RuntimeError("broken")
        return datetime(2030, 1, 1, tzinfo=UTC)

    cognito = LocalCognito(clock=Clock(tell))
    with cognito.serve() as url:
        site = Site(cognito, cognito.create_pool(), url)
        is_broken.set()
        answer, shown = site.ask("GET", "/_local/clock")
    assert (answer.status, shown["__type"]) == (500, "InternalErrorException")
    assert "broken" in caplog.text


class Forgetting(LocalCognito):
    """A service with a pool that is deleted right after its id was listed, as another call may do."""

    def pool_ids(self) -> list[str]:
        """All ids, including that of the deleted pool."""
        return [*super().pool_ids(), "eu-west-1_Gone00000"]


def test_pool_deleted_while_a_page_is_made_is_not_listed() -> None:
    cognito = Forgetting()
    with cognito.serve() as url:
        site = Site(cognito, cognito.create_pool(), url)
        assert [shown["id"] for shown in site.ask("GET", "/_local/pools")[1]] == [site.pool.id]
        assert site.ask("GET", "/eu-west-1_Gone00000/.well-known/jwks.json")[0].status == 404


# -- faults over the wire --


def test_delayed_call_does_not_delay_others() -> None:
    began, gate = threading.Event(), threading.Event()

    def hold(seconds: float) -> None:
        began.set()
        gate.wait(30)

    cognito = LocalCognito(sleep=hold)
    cognito.faults.delay("GetUser", 5)
    with cognito.serve() as url:
        site = Site(cognito, cognito.create_pool(), url)
        waiting = threading.Thread(
            target=lambda: site.ask("POST", "/", b"{}", X_Amz_Target=f"{TARGET}GetUser")
        )
        waiting.start()
        began.wait(30)
        assert site.ask("POST", "/", b"{}", X_Amz_Target=f"{TARGET}GetUser")[1]["__type"] == (
            "InvalidParameterException"
        )
        assert waiting.is_alive()
        gate.set()
        waiting.join()


def test_same_seed_makes_the_same_calls_fail() -> None:
    def faults(seed: int) -> list[bool]:
        cognito = LocalCognito()
        cognito.faults.sometimes(Fault.THROTTLE, "*", 0.3, seed=seed)
        return [cognito.faults.take("GetUser") is not None for _ in range(1000)]

    assert faults(1) == faults(1) != faults(2)
    assert 200 < sum(faults(1)) < 400


def test_random_fault_hits_its_operation_until_cleared() -> None:
    faults = LocalCognito().faults
    faults.sometimes(Fault.LOST, "GetUser", 1, seconds=2)
    found = faults.take("GetUser")
    assert found is not None
    assert (found.fault, found.seconds) == (Fault.LOST, 2)
    assert faults.take("InitiateAuth") is None
    faults.clear()
    assert faults.take("GetUser") is None


def test_impossible_fault_raises_value_error() -> None:
    faults = LocalCognito().faults
    with pytest.raises(ValueError, match="InitateAuth"):
        faults.throttle("InitateAuth")
    with pytest.raises(ValueError, match="probability"):
        faults.sometimes(Fault.LOST, "GetUser", 2)
    with pytest.raises(ValueError, match="times"):
        faults.throttle("GetUser", times=-1)
    with pytest.raises(ValueError, match="seconds"):
        faults.delay("GetUser", seconds=-1)
    with pytest.raises(ValueError, match="vanish"):
        faults.add(cast("Fault", "vanish"), "GetUser")


def test_fault_can_be_given_by_its_value() -> None:
    faults = LocalCognito().faults
    faults.add(cast("Fault", "lost"), "GetUser")
    found = faults.take("GetUser")
    assert found is not None
    assert found.fault is Fault.LOST


def test_fault_for_any_operation_is_used_after_those_of_the_operation() -> None:
    faults = LocalCognito().faults
    faults.throttle("*")
    faults.lose("GetUser")
    taken = [faults.take("GetUser"), faults.take("GetUser"), faults.take("GetUser")]
    assert [found and found.fault for found in taken] == [Fault.LOST, Fault.THROTTLE, None]


# -- fixed ids --


def test_pool_and_client_can_have_given_ids(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(pool_id="eu-west-1_Fixed1")
    pool.add_user("alice", PASSWORD)
    app = pool.app_client(client_id="web", secret="for_tests_alone_0123456789")
    assert (app.pool_id, app.client_id, app.client_secret) == (
        "eu-west-1_Fixed1",
        "web",
        "for_tests_alone_0123456789",
    )
    step = pool.flow(app).start(UserSrpAuth("alice", PASSWORD))
    assert isinstance(step, SignedIn)
    claims = jwt.decode(step.tokens.access_token, options={"verify_signature": False})
    assert (claims["iss"], claims["client_id"]) == (app.issuer, "web")


@pytest.mark.parametrize("pool_id", ["eu-west-1_Fixed1", "eu-west-1_no-no", "x"])
def test_invalid_or_taken_id_raises_value_error(cognito: LocalCognito, pool_id: str) -> None:
    cognito.create_pool(pool_id="eu-west-1_Fixed1").app_client(client_id="web")
    with pytest.raises(ValueError, match="pool"):
        cognito.create_pool(pool_id=pool_id)
    with pytest.raises(ValueError, match="web"):
        cognito.create_pool().app_client(client_id="web")


@pytest.mark.parametrize("secret", ["", "for-tests-alone", "x" * 65])
def test_secret_that_no_operation_accepts_raises_value_error(cognito: LocalCognito, secret: str) -> None:
    pool = cognito.create_pool()

    with pytest.raises(ValueError, match=r"the client secret is not valid: .*clientSecret") as refused:
        pool.app_client(secret=secret)

    assert "for-tests-alone" not in str(refused.value)
    assert pool.cognito.state(pool.id).clients == {}


def test_clock_refuses_times_outside_the_calendar() -> None:
    clock = Clock()
    with pytest.raises(ValueError, match=r"cannot be .* seconds ahead"):
        clock.advance(1e15)
    clock.advance(1)
    assert clock.ahead.total_seconds() == 1


def test_totp_secret_can_be_given_in_base32(cognito_pool: Pool) -> None:
    cognito_pool.add_user("alice", PASSWORD)
    assert cognito_pool.enrol_totp("alice", "JBSWY3DPEHPK3PXP") == "JBSWY3DPEHPK3PXP"
    with pytest.raises(ValueError, match=r"[Bb]ase32|alphabet|padding"):
        cognito_pool.enrol_totp("alice", "1")
    assert len(cognito_pool.totp("alice")) == 6
