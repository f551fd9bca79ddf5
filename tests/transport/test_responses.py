"""Responses that Cognito did not write, errors of HTTP libraries, and the deadline of a turn."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import aiohttp
import attrs
import boto3
import botocore.exceptions as boto
import pytest
import urllib3.exceptions
from botocore import UNSIGNED
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cognito_flow import (
    AppClient,
    AsyncAuthFlow,
    AuthFlow,
    Blocked,
    CognitoFlowError,
    InternalError,
    SignedIn,
    Throttled,
    TransportError,
    UnexpectedResponse,
    UsageError,
    UserPasswordAuth,
    UserSrpAuth,
)
from cognito_flow._exchange import Call
from cognito_flow._transport.attempts import Attempt, problem_of
from cognito_flow._transport.causes import quote_nothing, without_contents
from cognito_flow._transport.clients import unsigned_client
from cognito_flow._transport.sockets import _HttpConnection, _HttpsConnection, end_at_deadlines
from cognito_flow._transport.translate import translate
from cognito_flow.models import System
from cognito_flow.testing import LocalCognito
from tests.support.http_server import Handler, running
from tests.support.spoiling_proxy import spoiling
from tests.transport.test_drive import APP, CREDENTIALS, DONE, PASSWORD, RESULT, AsyncClient, Client, refusal

PAGE = b"<html>not of Cognito</html>"
JSON = {"content-type": "application/x-amz-json-1.1"}
ID = {**JSON, "x-amzn-requestid": "id"}


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "maybe_processed"),
    [
        (405, {"x-amzn-waf-action": "captcha"}, PAGE, Blocked, False),
        (202, {"x-amzn-waf-action": "challenge"}, b"", Blocked, False),
        (429, {}, PAGE, Throttled, False),
        (503, {}, PAGE, InternalError, True),
        (403, {}, PAGE, UnexpectedResponse, False),
        (302, {}, PAGE, UnexpectedResponse, True),
        (202, {}, b"{}", UnexpectedResponse, True),
        (200, ID, b"", UnexpectedResponse, True),
        (200, ID, b"{", UnexpectedResponse, True),
        (200, ID, b"[]", UnexpectedResponse, True),
        (200, ID, b"null", UnexpectedResponse, True),
        (200, ID, PAGE, UnexpectedResponse, True),
        (200, ID, b'{"Session": "\\ud800"}', UnexpectedResponse, True),
        (200, ID, b'{"\\uDFFF": "x"}', UnexpectedResponse, True),
    ],
)
def test_response_that_cognito_did_not_write_is_a_typed_error(
    status: int, headers: dict[str, str], body: bytes, kind: type[CognitoFlowError], maybe_processed: bool
) -> None:
    error = problem_of("ConfirmSignUp", status, headers, body)

    assert type(error) is kind
    assert error is not None
    assert error.maybe_processed is maybe_processed
    assert "<" not in str(error)


@pytest.mark.parametrize(
    ("operation", "status", "headers", "body"),
    [
        ("ConfirmSignUp", 200, ID, b"{}"),
        ("GetUser", 200, ID, b'{"Username": "\\ud83d\\ude00"}'),
        ("DeleteUser", 200, ID, b""),
        ("GetUser", 400, {}, b'{"__type": "NotAuthorizedException"}'),
    ],
)
def test_response_of_cognitos_form_is_taken(
    operation: str, status: int, headers: dict[str, str], body: bytes
) -> None:
    assert problem_of(operation, status, headers, body) is None


def test_empty_response_without_a_request_id_is_not_taken_for_success() -> None:
    assert isinstance(problem_of("DeleteUser", 200, {}, b""), UnexpectedResponse)


def translated(error: Exception) -> CognitoFlowError:
    return translate(Call("RespondToAuthChallenge", {}), Attempt("RespondToAuthChallenge", 0.0), error)


URL = "https://example.invalid"


@pytest.mark.parametrize(
    ("error", "maybe_processed"),
    [
        (boto.EndpointConnectionError(endpoint_url=URL, error=aiohttp.ClientOSError(104, "reset")), True),
        (boto.EndpointConnectionError(endpoint_url=URL, error=aiohttp.ClientConnectionError("closed")), True),
        (boto.ConnectTimeoutError(endpoint_url=URL, error=TimeoutError("a write took too long")), True),
        (boto.ProxyConnectionError(proxy_url=URL, error=OSError(104, "reset")), True),
        (boto.ConnectionClosedError(endpoint_url=URL, error=ConnectionResetError()), True),
        (
            boto.EndpointConnectionError(
                endpoint_url=URL,
                error=urllib3.exceptions.NewConnectionError(None, "refused"),  # type: ignore[arg-type]  # of any
            ),
            False,
        ),
        (
            boto.ConnectTimeoutError(endpoint_url=URL, error=aiohttp.ConnectionTimeoutError("connection")),
            False,
        ),
        (
            boto.ProxyConnectionError(
                proxy_url=URL,
                error=urllib3.exceptions.ProxyError("x", urllib3.exceptions.NewConnectionError(None, "y")),  # type: ignore[arg-type]  # of any
            ),
            False,
        ),
        (
            boto.SSLError(
                endpoint_url=URL, error=urllib3.exceptions.SSLError(ssl.SSLCertVerificationError(1, "x"))
            ),
            False,
        ),
        (boto.SSLError(endpoint_url=URL, error=urllib3.exceptions.SSLError(ssl.SSLEOFError(8, "x"))), True),
    ],
)
def test_call_is_maybe_processed_unless_it_is_known_that_nothing_left(
    error: Exception, maybe_processed: bool
) -> None:
    outcome = translated(error)

    assert isinstance(outcome, TransportError)
    assert outcome.maybe_processed is maybe_processed


def raised(error: Exception) -> CognitoFlowError:
    with pytest.raises(CognitoFlowError) as failed:
        AuthFlow(APP, Client([error])).start(CREDENTIALS)
    return failed.value


def test_request_is_not_kept_behind_a_connection_error() -> None:
    request = AWSRequest(method="POST", url=URL, data=PASSWORD)
    behind = http.client.IncompleteRead(PASSWORD.encode())
    error = raised(boto.ConnectionClosedError(error=behind, request=request, endpoint_url=URL))

    assert isinstance(error.__cause__, boto.ConnectionClosedError)
    cause: Any = error.__cause__
    assert cause.request is None
    assert cause.kwargs["error"].partial is None
    assert cause.kwargs["error"].args == ()


def test_cause_of_a_refusal_shows_no_more_than_the_error() -> None:
    said: Any = {
        "Error": {"Code": "X", "Message": f"Value '{PASSWORD}' is bad"},
        "message": f"Value '{PASSWORD}' is bad",
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    cause: Any = raised(boto.ClientError(said, "InitiateAuth")).__cause__

    assert cause.response == {
        "Error": {"Code": "X", "Message": "Value '***' is bad"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    assert str(cause) == "An error occurred (X) when calling the InitiateAuth operation: Value '***' is bad"


def failed(secret: str, behind: Exception | None = None) -> Exception:
    """An error that was raised where a local variable holds the secret."""

    def fail(secret: str) -> None:
        raise OSError(len(secret)) from behind

    with pytest.raises(OSError, match="10") as caught:
        fail(secret)
    return caught.value


def locals_behind(error: BaseException) -> dict[str, Any]:
    """The local variables of the function that raised an error."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return dict(frame.f_locals)


def test_local_variables_behind_an_error_are_cleared_but_for_those_of_the_callers_own_error() -> None:
    own = failed("SENTINEL-1")
    error = failed("SENTINEL-2", own)

    assert without_contents(error, own) is error

    assert locals_behind(error) == {}
    assert locals_behind(own)["secret"] == "SENTINEL-1"


def test_refusal_without_a_code_or_metadata_shows_nothing_in_their_place() -> None:
    said: Any = {"Error": {"Message": "x"}}
    error = boto.ClientError(said, "InitiateAuth")

    quote_nothing(error, "our text")

    assert error.response == {"Error": {"Code": "", "Message": "our text"}, "ResponseMetadata": {}}


def test_exception_that_the_caller_handles_is_not_changed_by_a_failed_call() -> None:
    def fail_while_another_is_handled(own: Exception) -> None:
        try:
            raise own
        finally:
            raised(boto.HTTPClientError(error=OSError("x")))

    own = http.client.IncompleteRead(b"the caller's own")
    with pytest.raises(http.client.IncompleteRead):
        fail_while_another_is_handled(own)

    assert own.partial == b"the caller's own"


def test_failure_of_botocore_before_anything_is_sent_is_not_maybe_processed() -> None:
    assert not translated(boto.UnknownSignatureVersionError(signature_version="x")).maybe_processed
    assert translated(AttributeError("a parser stumbled")).maybe_processed


@pytest.mark.parametrize("timeout", [0, -1, "5", None, True, float("nan")])
def test_timeout_that_is_not_a_positive_number_is_a_usage_error(timeout: Any) -> None:
    with pytest.raises(UsageError, match="timeout"):
        AuthFlow(APP, timeout=timeout)


def test_no_attempt_is_made_after_the_deadline() -> None:
    """The pause takes longer than the whole turn may."""
    client = Client([refusal("TooManyRequestsException"), DONE])
    flow = AuthFlow(APP, client, timeout=0.5, system=System(sleep=lambda _: time.sleep(0.5)))
    with pytest.raises(TransportError, match=r"longer than 0.5 seconds") as late:
        flow.start(CREDENTIALS)

    assert not late.value.maybe_processed
    assert len(client.calls) == 1


def test_bound_timeout_replaces_that_of_the_flow() -> None:
    flow = AuthFlow(APP, Client([refusal("TooManyRequestsException")] * 3), system=System(sleep=time.sleep))
    with pytest.raises(TransportError, match=r"longer than 0.01 seconds"):
        flow.bind(timeout=0.01).start(CREDENTIALS)


def given_client(app: AppClient, read_timeout: float = 120) -> Any:
    """A client of the caller's."""
    config = Config(signature_version=UNSIGNED, read_timeout=read_timeout)
    return boto3.client("cognito-idp", app.region, endpoint_url=app.endpoint_url, config=config)


def no_client(_app: AppClient) -> None:
    """The library makes its own."""


@pytest.mark.parametrize("client", [no_client, given_client])
@pytest.mark.parametrize("fault", ["drip", "silence"])
def test_slow_server_holds_a_turn_no_longer_than_its_timeout(
    cognito: LocalCognito, fault: str, client: Callable[[AppClient], object]
) -> None:
    with cognito.serve() as url, spoiling(url) as proxy:
        app = attrs.evolve(cognito.create_pool().app_client(), endpoint_url=proxy.url)
        flow = AuthFlow(app, client(app))
        with pytest.raises(CognitoFlowError):
            flow.start(UserPasswordAuth("alice", PASSWORD))  # makes the client, which takes its time
        proxy.spoil("InitiateAuth", fault)
        started = time.monotonic()
        with pytest.raises(TransportError) as late:
            flow.bind(timeout=0.5).start(UserPasswordAuth("alice", PASSWORD))

    assert time.monotonic() - started < 15  # the proxy needs 20 seconds or more
    assert late.value.maybe_processed
    assert PASSWORD not in "".join(traceback.format_exception(late.value))


# -- what is private in botocore --


@pytest.mark.parametrize("client", [unsigned_client, boto3.client])
def test_deadlines_reach_the_connections_of_botocore(client: Callable[..., object]) -> None:
    """This botocore still has the private attribute by which they do."""
    made: Any = client("cognito-idp", "eu-west-1", endpoint_url="http://127.0.0.1:1")
    end_at_deadlines(made)
    manager = made._endpoint.http_session._manager

    pools = [manager.connection_from_url(f"{scheme}://127.0.0.1:1") for scheme in ("http", "https")]
    assert [pool.ConnectionCls for pool in pools] == [_HttpConnection, _HttpsConnection]


@pytest.mark.parametrize("missing", ["_endpoint", "http_session", "_pool_classes_by_scheme"])
def test_client_without_the_private_attribute_signs_in(cognito: LocalCognito, missing: str) -> None:
    """As a later botocore could be."""
    with cognito.serve() as url:
        pool = cognito.create_pool()
        pool.add_user("alice", PASSWORD)
        app = attrs.evolve(pool.app_client(), endpoint_url=url)
        flow = AuthFlow(app, WithoutPrivate(given_client(app), missing))

        assert isinstance(flow.start(UserPasswordAuth("alice", PASSWORD)), SignedIn)


def test_client_without_the_private_attribute_waits_as_long_as_it_is_configured_for(
    cognito: LocalCognito,
) -> None:
    with cognito.serve() as url, spoiling(url) as proxy:
        app = attrs.evolve(cognito.create_pool().app_client(), endpoint_url=proxy.url)
        client = WithoutPrivate(given_client(app, read_timeout=0.5), "_pool_classes_by_scheme")
        proxy.spoil("InitiateAuth", "silence")
        with pytest.raises(TransportError) as late:
            AuthFlow(app, client).start(UserPasswordAuth("alice", PASSWORD))

    assert late.value.maybe_processed


class WithoutPrivate:
    """A client, or a part of one, that lacks a private attribute."""

    def __init__(self, inner: Any, missing: str) -> None:
        self._inner, self._missing = inner, missing

    def __getattr__(self, name: str) -> Any:
        if name == self._missing:
            raise AttributeError(name)
        value = getattr(self._inner, name)
        return WithoutPrivate(value, self._missing) if name in ("_endpoint", "http_session") else value


# -- TLS --


class _Handler(Handler):
    """Answers every call with tokens."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps({"AuthenticationResult": RESULT}).encode()
        self.answer(200, body, JSON)


class Quiet(ThreadingHTTPServer):
    """Does not print that a client ended the handshake."""

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@attrs.frozen
class Tls:
    """A server with a certificate of its own authority."""

    url: str
    authority: Path


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[Tls]:
    """It answers every call with tokens, over TLS."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    authority, private = tmp_path / "authority.pem", tmp_path / "key.pem"
    authority.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, private)
    server = Quiet(("127.0.0.1", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with running(server):
        yield Tls(f"https://localhost:{server.server_port}", authority)


def test_calls_over_tls_keep_their_connection(tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tls.authority))
    flow = AuthFlow(AppClient("eu-west-1_abc", "client", endpoint_url=tls.url))

    assert isinstance(flow.start(CREDENTIALS), SignedIn)
    assert isinstance(flow.start(CREDENTIALS), SignedIn)


def test_certificate_that_cannot_be_verified_is_a_transport_error_before_anything_is_sent(tls: Tls) -> None:
    flow = AuthFlow(AppClient("eu-west-1_abc", "client", endpoint_url=tls.url))
    with pytest.raises(TransportError, match="certificate") as refused:
        flow.start(CREDENTIALS)

    assert not refused.value.maybe_processed
    assert not refused.value.retryable


def test_profile_that_does_not_exist_does_not_stop_the_unsigned_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing")

    assert unsigned_client("cognito-idp", "eu-west-1") is not None


@pytest.mark.parametrize("fault", ["silence", "cut", "endless", "not JSON"])
def test_spoilt_response_is_typed_with_the_librarys_own_client(cognito: LocalCognito, fault: str) -> None:
    with cognito.serve() as url, spoiling(url) as proxy:
        pool = cognito.create_pool()
        pool.add_user("alice", "Correct-horse-1")
        flow = AuthFlow(attrs.evolve(pool.app_client(), endpoint_url=proxy.url))
        flow.start(UserPasswordAuth("alice", "Correct-horse-1"))
        proxy.spoil("InitiateAuth", fault)
        with pytest.raises(CognitoFlowError) as spoilt:
            flow.bind(timeout=1 if fault == "silence" else 30).start(
                UserPasswordAuth("alice", "Correct-horse-1")
            )

    assert type(spoilt.value) is (TransportError if fault == "silence" else UnexpectedResponse)
    assert spoilt.value.maybe_processed


def test_turn_on_the_event_loop_ends_at_its_deadline() -> None:
    class Slow(AsyncClient):
        def initiate_auth(self, **parameters: Any) -> object:
            self.calls.append(parameters)
            return asyncio.sleep(60)

    client = Slow([])
    flow = AsyncAuthFlow(APP, client, timeout=1)
    with pytest.raises(TransportError) as late:
        asyncio.run(flow.start(UserSrpAuth("alice", PASSWORD)))

    assert late.value.maybe_processed
    assert len(client.calls) == 1


def test_connection_outside_of_a_turn_has_no_deadline(endpoint_with_tokens: str) -> None:
    client: Any = unsigned_client("cognito-idp", "eu-west-1", endpoint_with_tokens)

    assert "AuthenticationResult" in client.initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH", ClientId="client", AuthParameters={}
    )


@pytest.fixture
def endpoint_with_tokens() -> Iterator[str]:
    """The URL of an endpoint that answers with tokens."""

    with running(ThreadingHTTPServer(("127.0.0.1", 0), _Handler)) as url:
        yield url
