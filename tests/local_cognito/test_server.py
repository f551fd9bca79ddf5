"""LocalCognito over HTTP: its pages, what it bears from clients, and how it ends."""

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
from cognito_flow.testing import Clock, Fault, LocalCognito, Pool
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
        """Make a request of its own connection; gives the answer and its JSON."""
        connection = HTTPConnection(*self.address, timeout=30)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer, json.loads(text) if text else None

    def send(self, octets: bytes) -> bytes:
        """What comes back for some bytes, up to the end of the connection."""
        with socket.create_connection(self.address, timeout=30) as connection:
            connection.sendall(octets)
            received = b""
            while part := connection.recv(65536):
                received += part
        return received

    def boto(self) -> Any:
        """A real boto3 client, with nothing between it and the socket."""
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


def test_a_flow_signs_in_over_http(site: Site) -> None:
    """The endpoint is all that it needs to know; the tokens verify by the keys that are served."""
    app = attrs.evolve(site.pool.app_client(secret=True), endpoint_url=site.url)
    done = AuthFlow(app).sign_in(UserSrpAuth("alice", PASSWORD))
    keys = jwt.PyJWKSet.from_dict(site.ask("GET", urlsplit(app.jwks_url).path)[1])
    key = keys[jwt.get_unverified_header(done.tokens.access_token)["kid"]]
    assert jwt.decode(done.tokens.access_token, key, algorithms=["RS256"])["username"] == "alice"


def test_the_url_is_told_while_it_is_served() -> None:
    """By the context and by its property; afterwards there is none."""
    serving = LocalCognito().serve()
    with pytest.raises(RuntimeError, match="within the context"):
        assert serving.url
    with serving as url:
        assert serving.url == url
    with pytest.raises(RuntimeError, match="within the context"):
        assert serving.url


def test_it_can_be_served_on_ipv6() -> None:
    """The URL has the brackets that such an address needs."""
    with LocalCognito().serve(host="::1") as url:
        assert url.startswith("http://[::1]:")


def test_a_port_in_use_is_told(site: Site) -> None:
    """As the operating system tells it."""
    with pytest.raises(OSError, match="in use"), LocalCognito().serve(site.address[1]):
        pass


def test_it_can_be_served_again() -> None:
    """After the end; and not twice at once."""
    cognito = LocalCognito()
    pool, serving = cognito.create_pool(), cognito.serve()
    for _ in range(2):
        with serving as url:
            assert Site(cognito, pool, url).ask("GET", "/")[0].status == 200
            with pytest.raises(RuntimeError, match="already"), serving:
                pass


def test_a_context_that_nobody_leaves_does_not_keep_the_process() -> None:
    """A test case may forget it; the process ends all the same, and its port with it."""
    program = "from cognito_flow.testing import LocalCognito; print(LocalCognito().serve().__enter__())"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout[:17]) == (0, "http://127.0.0.1:")


# -- pages --


def test_openid_configuration_leads_to_the_keys(site: Site) -> None:
    """The issuer is that of the tokens."""
    _, found = site.ask("GET", f"/{site.pool.id}/.well-known/openid-configuration")
    assert found["issuer"] == site.pool.app.issuer
    assert site.ask("GET", urlsplit(found["jwks_uri"]).path)[1] == site.pool.jwks()


def test_the_front_page_tells_pools_and_clients(site: Site) -> None:
    """For people who open it, and for programs that wait until it is there."""
    app = site.pool.app_client(secret=True, client_name="web")
    (told,) = site.ask("GET", "/")[1]["pools"]
    assert (told["id"], told["name"], told["users"]) == (site.pool.id, "pool", ["alice"])
    assert told["clients"] == [{"id": app.client_id, "name": "web", "secret": app.client_secret}]
    assert site.ask("GET", "/_local/pools")[1] == [told]


@pytest.mark.parametrize("name", ["alice", "alice@example.com"])
def test_the_outbox_tells_codes_newest_last(site: Site, name: str) -> None:
    """By the user name or the address; without one, all."""
    site.pool.add_user("bob", PASSWORD, email="bob@example.com")
    for user in ("alice", "bob", "alice"):
        site.boto().forgot_password(ClientId=site.pool.app.client_id, Username=user)
    _, told = site.ask("GET", f"/_local/outbox?username={quote(name)}")
    assert [message["username"] for message in told] == ["alice", "alice"]
    assert told[-1]["code"] == site.pool.last_code("alice")
    assert told[-1]["medium"] == "EMAIL"
    assert len(site.ask("GET", "/_local/outbox")[1]) == 3


def test_the_outbox_can_be_asked_for_a_phone_number_as_it_is_written(site: Site) -> None:
    """A plus means a space in a query, and is meant to be one all the same."""
    site.pool.add_user("carol", PASSWORD, phone_number="+31612345678")
    site.boto().forgot_password(ClientId=site.pool.app.client_id, Username="carol")
    assert len(site.ask("GET", "/_local/outbox?username=+31612345678")[1]) == 1


def test_the_clock_can_be_read_and_advanced(site: Site) -> None:
    """In seconds."""
    before = site.cognito.clock()
    _, told = site.ask("POST", "/_local/clock?seconds=3600")
    assert (site.cognito.clock() - before).total_seconds() >= 3600
    assert site.ask("GET", "/_local/clock")[1]["now"] >= told["now"]


@pytest.mark.parametrize(
    "query", ["", "?seconds=", "?seconds=x", "?seconds=nan", "?seconds=1e12", "?seconds=-1e11"]
)
def test_a_time_that_cannot_pass_is_refused(site: Site, query: str) -> None:
    """The clock goes on as before."""
    answer, told = site.ask("POST", f"/_local/clock{query}")
    assert (answer.status, told["__type"]) == (400, "InvalidParameterException")
    assert site.ask("GET", "/_local/clock")[0].status == 200


def test_reset_puts_everything_back(site: Site) -> None:
    """Users, time, messages, faults and calls; pools and app clients keep their ids."""
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


def test_triggers_stay_the_same_ones_after_a_reset() -> None:
    """They are the test's, and may remember things."""

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
def test_other_paths_are_told_apart(site: Site, method: str, path: str) -> None:
    """With a word on where the API is."""
    answer, told = site.ask(method, path.format(pool=site.pool.id))
    assert (answer.status, told["__type"]) == (404, "ResourceNotFoundException")
    assert "X-Amz-Target" in told["message"]


def test_a_page_of_a_browser_may_use_it(site: Site) -> None:
    """The answers say so, to the question before and in each answer."""
    before, _ = site.ask("OPTIONS", "/", Origin="http://localhost:3000", Access_Control_Request_Method="POST")
    after, _ = site.ask("POST", "/", b"{}", X_Amz_Target=f"{TARGET}GetUser")
    assert (before.status, before.getheader("Access-Control-Allow-Headers")) == (204, "*, authorization")
    assert {answer.getheader("Access-Control-Allow-Origin") for answer in (before, after)} == {"*"}
    assert "x-amzn-errortype" in str(after.getheader("Access-Control-Expose-Headers"))


# -- clients that are broken, slow or rude --


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
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b" 411 "),
    ],
)
def test_what_is_no_good_request_is_refused_in_cognitos_form(
    site: Site, request_: bytes, status: bytes
) -> None:
    """And the connection ends, because nobody knows where the next request would begin."""
    head, _, body = site.send(request_).partition(b"\r\n\r\n")
    assert status in head.splitlines()[0] + b" "
    assert b"Connection: close" in head
    assert json.loads(body)["__type"] == "SerializationException"


def test_a_body_that_ends_early_is_refused(site: Site) -> None:
    """The client has hung up its half of the line."""
    with socket.create_connection(site.address, timeout=30) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n{}")
        connection.shutdown(socket.SHUT_WR)
        assert b"shorter than Content-Length" in connection.makefile("rb").read()


def test_head_is_answered_without_a_body(site: Site) -> None:
    """As HTTP has it; some programs wait by it until a server is there."""
    received = site.send(b"HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.endswith(b"\r\n\r\n")
    assert site.send(b"HEAD /nothing HTTP/1.1\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS"])
def test_a_body_of_any_method_is_not_the_next_request(site: Site, method: bytes) -> None:
    """Few send one, but some do; the next request over the same connection is answered as any other."""
    first = method + b" / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
    received = site.send(first + b"GET /_local/clock HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert b'{"now": ' in received


def test_a_client_that_waits_before_its_body_is_told_to_go_on(site: Site) -> None:
    """As with Expect: 100-continue; without a word, it would wait."""
    head = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
    with socket.create_connection(site.address, timeout=30) as connection:
        connection.sendall(head)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert b" 404 " in connection.makefile("rb").readline()


def test_many_requests_go_over_one_connection(site: Site) -> None:
    """Clients keep it open."""
    connection = HTTPConnection(*site.address, timeout=30)
    for _ in range(3):
        connection.request("GET", "/_local/clock")
        with connection.getresponse() as answer:
            assert "now" in json.loads(answer.read())
    connection.close()


def test_slow_clients_do_not_stop_others(site: Site) -> None:
    """A hundred of them have begun a request, and do not go on."""
    slow = [socket.create_connection(site.address, timeout=30) for _ in range(100)]
    for connection in slow:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n{")
    assert site.ask("GET", "/_local/clock")[0].status == 200
    for connection in slow:
        connection.close()


def test_a_client_that_is_too_slow_is_left() -> None:
    """Its connection ends, without an answer."""
    with LocalCognito().serve(patience=0.01) as url:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n{")
            assert connection.recv(100) == b""


def test_the_end_of_serving_does_not_wait_for_clients() -> None:
    """Those who keep a connection open find it closed."""
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


def test_a_client_that_goes_away_is_no_trouble(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """It is noted for those who look for it."""
    caplog.set_level(logging.DEBUG, "cognito_flow.testing")
    with socket.create_connection(site.address, timeout=30) as connection:
        # Closed at once and with force, so that the answer has nowhere to go.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n" * 200)
    assert site.ask("GET", "/_local/clock")[0].status == 200
    assert all(record.levelno == logging.DEBUG for record in caplog.records)


def test_a_lost_answer_ends_the_connection(site: Site) -> None:
    """The call was processed."""
    app = site.pool.app
    site.cognito.faults.lose("ForgotPassword")
    with pytest.raises(ConnectionClosedError):
        site.boto().forgot_password(ClientId=app.client_id, Username="alice")
    assert site.pool.last_code("alice")


def test_a_failure_of_localcognito_itself_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The client hears that it is not Cognito's word; the log has the traceback."""

    def break_down(seconds: float) -> None:
        raise RuntimeError("broken")

    cognito = LocalCognito(sleep=break_down)
    cognito.faults.delay("GetUser", 1)
    with cognito.serve() as url:
        site = Site(cognito, cognito.create_pool(), url)
        answer, told = site.ask("POST", "/", b"{}", X_Amz_Target=f"{TARGET}GetUser")
    assert (answer.status, told["__type"]) == (500, "InternalErrorException")
    assert "broken" in caplog.text


def test_a_failure_of_a_page_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """As that of a call; here it is the test's own clock that fails."""
    is_broken = threading.Event()

    def tell() -> datetime:
        if is_broken.is_set():
            raise RuntimeError("broken")
        return datetime(2030, 1, 1, tzinfo=UTC)

    cognito = LocalCognito(clock=Clock(tell))
    with cognito.serve() as url:
        site = Site(cognito, cognito.create_pool(), url)
        is_broken.set()
        answer, told = site.ask("GET", "/_local/clock")
    assert (answer.status, told["__type"]) == (500, "InternalErrorException")
    assert "broken" in caplog.text


class Forgetting(LocalCognito):
    """A service with a pool that is deleted as soon as its id was told, as a call may do at any time."""

    def pool_ids(self) -> list[str]:
        """All ids, and that of the deleted one."""
        return [*super().pool_ids(), "eu-west-1_Gone00000"]


def test_a_pool_that_goes_while_a_page_is_made_is_not_told() -> None:
    """The others are."""
    cognito = Forgetting()
    with cognito.serve() as url:
        site = Site(cognito, cognito.create_pool(), url)
        assert [told["id"] for told in site.ask("GET", "/_local/pools")[1]] == [site.pool.id]
        assert site.ask("GET", "/eu-west-1_Gone00000/.well-known/jwks.json")[0].status == 404


# -- faults over the wire --


def test_a_delayed_call_holds_up_nobody_else() -> None:
    """Only it waits."""
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


def test_chance_falls_the_same_way_with_the_same_seed() -> None:
    """So that a failure of a test can be seen again."""

    def faults(seed: int) -> list[bool]:
        cognito = LocalCognito()
        cognito.faults.sometimes(Fault.THROTTLE, "*", 0.3, seed=seed)
        return [cognito.faults.take("GetUser") is not None for _ in range(1000)]

    assert faults(1) == faults(1) != faults(2)
    assert 200 < sum(faults(1)) < 400


def test_a_chance_is_for_its_operation_until_it_is_cleared() -> None:
    """Others are left alone."""
    faults = LocalCognito().faults
    faults.sometimes(Fault.LOST, "GetUser", 1, seconds=2)
    trouble = faults.take("GetUser")
    assert trouble is not None
    assert (trouble.fault, trouble.seconds) == (Fault.LOST, 2)
    assert faults.take("InitiateAuth") is None
    faults.clear()
    assert faults.take("GetUser") is None


def test_trouble_that_cannot_come_is_refused() -> None:
    """An operation that is misspelt would never fail, and its test always pass."""
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


def test_a_fault_may_be_told_by_its_value() -> None:
    """As every StrEnum: it is the fault, and no other text that nothing would look for."""
    faults = LocalCognito().faults
    faults.add(cast("Fault", "lost"), "GetUser")
    trouble = faults.take("GetUser")
    assert trouble is not None
    assert trouble.fault is Fault.LOST


def test_trouble_for_any_operation_comes_after_that_of_its_own() -> None:
    """What is ordered by name counts first."""
    faults = LocalCognito().faults
    faults.throttle("*")
    faults.lose("GetUser")
    taken = [faults.take("GetUser"), faults.take("GetUser"), faults.take("GetUser")]
    assert [trouble and trouble.fault for trouble in taken] == [Fault.LOST, Fault.THROTTLE, None]


# -- fixed ids --


def test_pools_and_clients_may_have_ids_of_ones_own(cognito: LocalCognito) -> None:
    """For programs whose settings name them."""
    pool = cognito.create_pool(pool_id="eu-west-1_Fixed1")
    pool.add_user("alice", PASSWORD)
    app = pool.app_client(client_id="web", secret="s3cret")
    assert (app.pool_id, app.client_id, app.client_secret) == ("eu-west-1_Fixed1", "web", "s3cret")
    step = pool.flow(app).start(UserSrpAuth("alice", PASSWORD))
    assert isinstance(step, SignedIn)
    claims = jwt.decode(step.tokens.access_token, options={"verify_signature": False})
    assert (claims["iss"], claims["client_id"]) == (app.issuer, "web")


@pytest.mark.parametrize("pool_id", ["eu-west-1_Fixed1", "us-east-1_Fixed2", "eu-west-1_no-no", "x"])
def test_an_id_that_cannot_be_is_refused(cognito: LocalCognito, pool_id: str) -> None:
    """It is in use, or of another region, or none at all."""
    cognito.create_pool(pool_id="eu-west-1_Fixed1").app_client(client_id="web")
    with pytest.raises(ValueError, match="pool"):
        cognito.create_pool(pool_id=pool_id)
    with pytest.raises(ValueError, match="web"):
        cognito.create_pool().app_client(client_id="web")


def test_the_clock_stays_within_the_calendar() -> None:
    """And is as before, if not."""
    clock = Clock()
    with pytest.raises(ValueError, match="cannot go on"):
        clock.advance(1e15)
    clock.advance(1)
    assert clock.ahead.total_seconds() == 1


def test_a_secret_of_an_authenticator_app_may_be_ones_own(cognito_pool: Pool) -> None:
    """For an app on somebody's phone; what is not base32 is refused."""
    cognito_pool.add_user("alice", PASSWORD)
    assert cognito_pool.enrol_totp("alice", "JBSWY3DPEHPK3PXP") == "JBSWY3DPEHPK3PXP"
    with pytest.raises(ValueError, match=r"[Bb]ase32|alphabet|padding"):
        cognito_pool.enrol_totp("alice", "1")
    assert len(cognito_pool.totp("alice")) == 6
