"""The drivers: what becomes of botocore's answers and errors, what is repeated, and what is refused."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import botocore.exceptions as boto
import pytest

from cognito_flow import (
    AppClient,
    AsyncAuthFlow,
    AuthFlow,
    CognitoFlowError,
    Credentials,
    CustomAuth,
    Event,
    IncorrectPassword,
    Pending,
    SignedIn,
    SmsMfa,
    Throttled,
    TransportError,
    UnexpectedResponse,
    UsageError,
    UserAuth,
    UserPasswordAuth,
    UserSrpAuth,
)
from cognito_flow._exchange import Call, Exchange, Response, Wait
from cognito_flow._transport.retry import _call_repeatedly, _is_safe_to_repeat, repeating
from cognito_flow.models import System
from tests.support.async_store import AsyncMemoryStore
from tests.support.http_server import Handler, running

APP = AppClient("eu-west-1_abc", "client")
RESULT = {"AccessToken": "a", "IdToken": "i", "RefreshToken": "r", "ExpiresIn": 60, "TokenType": "Bearer"}
DONE = {
    "AuthenticationResult": RESULT,
    "ResponseMetadata": {"RequestId": "id", "HTTPHeaders": {"date": "nonsense"}},
}
PASSWORD = "SENTINEL-PASSWORD"
CREDENTIALS = UserPasswordAuth("alice", PASSWORD)
SAFE_CREDENTIALS = UserSrpAuth("alice", PASSWORD)
CHALLENGE = SmsMfa(
    pending=Pending(
        name="SMS_MFA", username="alice", session="s" * 20, pool_id=APP.pool_id, client_id=APP.client_id
    )
)


def refusal(code: str, status: int = 400, text: str = "text") -> boto.ClientError:
    """What botocore raises for an error of the service."""
    metadata: Any = {"HTTPStatusCode": status, "RequestId": "id", "HTTPHeaders": {}}
    return boto.ClientError(
        {"Error": {"Code": code, "Message": text}, "ResponseMetadata": metadata}, "InitiateAuth"
    )


@attrs.define
class Client:
    """A client that returns these answers in order."""

    outcomes: list[object]
    calls: list[dict[str, Any]] = attrs.field(factory=list[dict[str, Any]], repr=False)

    def initiate_auth(self, **parameters: Any) -> object:
        """InitiateAuth."""
        self.calls.append(parameters)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    respond_to_auth_challenge = initiate_auth


@attrs.define
class AsyncClient(Client):
    """The same as aiobotocore has it: plain functions that return coroutines."""

    async def _make_api_call(self) -> None:
        """By this, a client of aiobotocore is recognised."""

    def initiate_auth(self, **parameters: Any) -> object:
        """InitiateAuth."""

        async def call() -> object:
            return Client.initiate_auth(self, **parameters)

        return call()

    respond_to_auth_challenge = initiate_auth


@attrs.define
class Run:
    """Runs a flow over a client, by one of the drivers."""

    is_async: bool
    pauses: list[float] = attrs.field(factory=list[float])
    events: list[Event] = attrs.field(factory=list[Event])

    def start(self, client: object, credentials: Credentials = CREDENTIALS) -> Any:
        """Begin a sign-in."""
        options: Any = {"system": System(sleep=self.pauses.append), "on_event": self.events.append}
        if self.is_async:
            return asyncio.run(AsyncAuthFlow(APP, client, **options).start(credentials))
        return AuthFlow(APP, client, **options).start(credentials)

    def send(self, client: object) -> Any:
        """Answer a challenge."""
        options: Any = {"system": System(sleep=self.pauses.append)}
        if self.is_async:
            return asyncio.run(AsyncAuthFlow(APP, client, **options).send(CHALLENGE.answer("1")))
        return AuthFlow(APP, client, **options).send(CHALLENGE.answer("1"))


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Run:
    """Both drivers."""
    return Run(request.param)


def test_client_of_the_caller_is_used_for_every_call(run: Run) -> None:
    """Also if its Date header is not a date."""
    assert isinstance(run.start(Client([DONE])), SignedIn)


def test_event_of_a_call_carries_names_request_id_and_duration(run: Run) -> None:
    run.start(Client([DONE]))

    event = run.events[0]
    assert (event.kind, event.operation, event.request_id, event.error) == (
        "call",
        "InitiateAuth",
        "id",
        None,
    )
    assert "AuthParameters.PASSWORD" in event.sent
    assert event.seconds is not None
    assert PASSWORD not in repr(run.events)


def test_response_without_metadata_is_accepted(run: Run) -> None:
    """A stub of the caller may leave it out."""
    assert isinstance(run.start(Client([{"AuthenticationResult": RESULT}])), SignedIn)


def test_date_header_out_of_range_is_ignored(run: Run) -> None:
    headers = {"date": f"1 Jan {9**30} 10:00:00 GMT"}
    answer = DONE | {"ResponseMetadata": {"RequestId": "id", "HTTPHeaders": headers}}
    assert isinstance(run.start(Client([answer])), SignedIn)


def test_error_of_the_service_is_typed_and_keeps_its_cause(run: Run) -> None:
    cause = refusal("NotAuthorizedException", text="Incorrect username or password.")
    with pytest.raises(IncorrectPassword) as refused:
        run.start(Client([cause]))

    assert refused.value.__cause__ is cause
    assert (refused.value.request_id, refused.value.operation) == ("id", "InitiateAuth")
    assert run.events[0].error == "NotAuthorizedException"
    assert "initiate_auth" in "".join(traceback.format_tb(cause.__traceback__))


def test_throttled_call_is_repeated_after_growing_pauses(run: Run) -> None:
    assert isinstance(run.start(Client([*[refusal("TooManyRequestsException")] * 2, DONE])), SignedIn)

    assert len(run.pauses) == 2
    assert 0.1 <= run.pauses[0] <= 0.2 <= run.pauses[1] <= 0.4


def test_throttled_call_is_repeated_twice_at_most(run: Run) -> None:
    client = Client([refusal("TooManyRequestsException")] * 9)
    with pytest.raises(Throttled):
        run.start(client)
    assert len(client.calls) == 3


@pytest.mark.parametrize(
    "passing",
    [
        refusal("InternalErrorException", 500),
        boto.ReadTimeoutError(endpoint_url="u"),
        boto.SSLError(endpoint_url="u", error=OSError("EOF")),
        boto.EndpointConnectionError(endpoint_url="u"),
        boto.ConnectTimeoutError(endpoint_url="u"),
    ],
)
def test_srp_sign_in_that_got_no_response_is_repeated(run: Run, passing: Exception) -> None:
    assert isinstance(run.start(Client([passing, DONE]), SAFE_CREDENTIALS), SignedIn)


@pytest.mark.parametrize(
    "credentials",
    [
        UserPasswordAuth("alice", PASSWORD),
        CustomAuth("alice"),
        CustomAuth("alice", PASSWORD),
        UserAuth("alice"),
        UserAuth("alice", preferred="EMAIL_OTP"),
        UserAuth("alice", session="s" * 20),
    ],
    ids=["password", "custom", "custom with SRP", "choice", "EMAIL_OTP", "session of a sign-up"],
)
def test_sign_in_that_may_have_sent_a_message_or_counted_a_password_is_not_repeated(
    run: Run, credentials: Credentials
) -> None:
    client = Client([boto.ReadTimeoutError(endpoint_url="u"), DONE])
    with pytest.raises(TransportError) as error:
        run.start(client, credentials)

    assert error.value.maybe_processed
    assert len(client.calls) == 1


@pytest.mark.parametrize(
    "lost",
    [
        refusal("InternalErrorException", 500),
        boto.ReadTimeoutError(endpoint_url="u"),
        boto.SSLError(endpoint_url="u", error=OSError("EOF")),
        boto.ConnectionClosedError(endpoint_url="u"),
    ],
    ids=["500", "lost", "TLS", "closed"],
)
def test_answer_that_may_have_been_processed_is_not_repeated(run: Run, lost: Exception) -> None:
    client = Client([lost, DONE])
    with pytest.raises(CognitoFlowError) as error:
        run.send(client)
    assert error.value.maybe_processed
    assert len(client.calls) == 1


@pytest.mark.parametrize(
    "data",
    [{}, {"AuthenticationResult": {}}, {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeParameters": {}}],
    ids=["empty", "without tokens", "without parameters"],
)
def test_answer_whose_response_cannot_be_used_is_maybe_processed(run: Run, data: dict[str, object]) -> None:
    client = Client([data])
    with pytest.raises(UnexpectedResponse) as error:
        run.send(client)
    assert error.value.maybe_processed
    assert len(client.calls) == 1


@pytest.mark.parametrize("make", [Client, AsyncClient])
def test_answer_whose_response_cannot_be_used_after_a_store_was_awaited_is_maybe_processed(
    make: type[Client],
) -> None:
    client = make([{"ChallengeName": "DEVICE_SRP_AUTH", "Session": "t" * 20, "ChallengeParameters": {}}])
    store = AsyncMemoryStore()
    with pytest.raises(UnexpectedResponse) as error:
        asyncio.run(AsyncAuthFlow(APP, client, devices=store).send(CHALLENGE.answer("1")))

    assert error.value.maybe_processed
    assert store.operations == ["get_device"]


def test_refusal_that_is_raised_again_after_a_store_was_awaited_is_not_maybe_processed() -> None:
    def exchange() -> Exchange[None]:
        yield Call("InitiateAuth", {})
        try:
            yield Call("RespondToAuthChallenge", {})
        except UnexpectedResponse:
            yield Wait(asyncio.sleep(0))
            raise

    steps = repeating(exchange(), bytes)
    next(steps)
    steps.send(Response({}))
    wait = steps.send(UnexpectedResponse("status 403"))
    assert isinstance(wait, Wait)
    asyncio.run(wait.run())
    with pytest.raises(UnexpectedResponse) as error:
        next(steps)

    assert not error.value.maybe_processed


def test_answer_to_a_challenge_that_lacks_what_is_sent_is_not_maybe_processed() -> None:
    def exchange() -> Exchange[None]:
        CHALLENGE.pending.need("MISSING")
        yield Call("RespondToAuthChallenge", {})

    with pytest.raises(UnexpectedResponse) as error:
        next(repeating(exchange(), bytes))
    assert not error.value.maybe_processed


def test_answer_that_was_not_sent_is_repeated(run: Run) -> None:
    assert isinstance(run.send(Client([boto.EndpointConnectionError(endpoint_url="u"), DONE])), SignedIn)


def test_challenge_without_a_session_can_be_answered_repeatedly() -> None:
    bare = SmsMfa(pending=attrs.evolve(CHALLENGE.pending, session=None))
    flow = AuthFlow(APP, Client([DONE, DONE]))
    for _ in range(2):
        assert isinstance(flow.send(bare.answer("1")), SignedIn)


def test_missing_connection_is_a_retryable_transport_error_that_was_not_processed(run: Run) -> None:
    with pytest.raises(TransportError) as error:
        run.send(Client([boto.ProxyConnectionError(proxy_url="u", error="e")] * 3))
    assert not error.value.maybe_processed


def test_invalid_parameter_raises_usage_error_without_its_value(run: Run) -> None:
    """botocore's own text quotes the value, which may be a password."""
    with pytest.raises(UsageError) as refused:
        run.start(Client([boto.ParamValidationError(report=f"value: {PASSWORD}")]))
    assert PASSWORD not in "".join(traceback.format_exception(refused.value))
    assert refused.value.__cause__ is None


def test_missing_aws_credentials_raise_usage_error(run: Run) -> None:
    """Only signed operations need them."""
    with pytest.raises(UsageError, match="credentials"):
        run.start(Client([boto.NoCredentialsError()]))


def test_other_failure_of_botocore_raises_unexpected_response(run: Run) -> None:
    with pytest.raises(UnexpectedResponse, match="UnknownSignatureVersionError"):
        run.start(Client([boto.UnknownSignatureVersionError(signature_version="x")]))


@pytest.mark.parametrize(
    "stumble",
    [
        AttributeError("'list' object has no attribute 'get'"),
        UnicodeDecodeError("utf-8", b"\xff" + PASSWORD.encode(), 0, 1, "invalid start byte"),
    ],
)
def test_response_that_botocore_cannot_parse_raises_unexpected_response(run: Run, stumble: Exception) -> None:
    """Neither the error nor its cause holds the response."""
    with pytest.raises(UnexpectedResponse, match=type(stumble).__name__) as caught:
        run.start(Client([stumble]))
    assert PASSWORD not in repr(caught.value.__cause__)


@pytest.mark.parametrize("make", [object, str, lambda: Client([None])], ids=["object", "str", "None"])
def test_object_that_is_not_a_client_raises_usage_error(run: Run, make: Callable[[], object]) -> None:
    with pytest.raises(UsageError, match="client"):
        run.start(make())


def test_invalid_endpoint_raises_usage_error() -> None:
    flow = AuthFlow(AppClient("eu-west-1_abc", "client", endpoint_url="no-url"))
    with pytest.raises(UsageError, match="Invalid endpoint: no-url"):
        flow.start(CREDENTIALS)


def test_expired_single_sign_on_credentials_raise_usage_error(run: Run) -> None:
    """The cause names the profile to log in to."""
    with pytest.raises(UsageError, match="credentials"):
        run.start(Client([boto.UnauthorizedSSOTokenError()]))


def test_async_flow_awaits_an_asynchronous_client() -> None:
    run = Run(is_async=True)
    assert isinstance(run.start(AsyncClient([DONE])), SignedIn)
    with pytest.raises(IncorrectPassword):
        run.start(AsyncClient([refusal("NotAuthorizedException", text="Incorrect username or password.")]))


def test_blocking_flow_refuses_an_asynchronous_client() -> None:
    """Its coroutine is closed."""
    with pytest.raises(UsageError, match="AsyncAuthFlow"):
        Run(is_async=False).start(AsyncClient([DONE]))


def test_asynchronous_store_is_awaited_between_the_calls_of_an_asynchronous_client() -> None:
    flow = AsyncAuthFlow(APP, AsyncClient([DONE]), devices=AsyncMemoryStore())

    assert isinstance(asyncio.run(flow.start(CREDENTIALS)), SignedIn)


def test_async_flow_awaits_an_asynchronous_sleep() -> None:
    paused: list[float] = []

    async def sleep(seconds: float) -> None:
        paused.append(seconds)

    client = Client([refusal("TooManyRequestsException"), DONE])
    flow = AsyncAuthFlow(APP, client, system=System(sleep=sleep))
    assert isinstance(asyncio.run(flow.start(CREDENTIALS)), SignedIn)
    assert len(paused) == 1


def test_event_loop_is_free_while_a_blocking_client_works() -> None:
    threads: list[threading.Thread] = []

    class Watching(Client):
        def initiate_auth(self, **parameters: Any) -> object:
            threads.append(threading.current_thread())
            return DONE

    asyncio.run(AsyncAuthFlow(APP, Watching([])).start(CREDENTIALS))
    assert threads[0] is not threading.main_thread()


def test_no_frame_of_a_traceback_holds_the_password(run: Run) -> None:
    with pytest.raises(IncorrectPassword) as refused:
        run.start(Client([refusal("NotAuthorizedException", text="Incorrect username or password.")]))
    error: BaseException | None = refused.value
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if "cognito_flow" in frame.f_code.co_filename and "tests" not in frame.f_code.co_filename:
                assert PASSWORD not in repr(frame.f_locals)
        error = error.__cause__


# -- the library's own client --


@attrs.define
class Endpoint:
    """A server that keeps what it was sent."""

    url: str
    headers: list[dict[str, str]] = attrs.field(factory=list[dict[str, str]])


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """An endpoint that answers every call with tokens."""
    seen = Endpoint("")

    class Recording(Handler):
        def do_POST(self) -> None:
            seen.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.rfile.read(int(self.headers["content-length"]))
            body = json.dumps({"AuthenticationResult": RESULT}).encode()
            self.answer(200, body, {"Content-Type": "application/x-amz-json-1.1"})

        do_GET = do_PUT = do_POST  # the names that http.server calls

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Recording)) as seen.url:
        yield seen


SCRIPT = """
import sys
from cognito_flow import AppClient, AuthFlow, UserPasswordAuth
flow = AuthFlow(AppClient("eu-west-1_abc", "client", endpoint_url=sys.argv[1]))
print(flow.start(UserPasswordAuth("alice", "pw")).username)
"""


def test_public_client_needs_no_credentials_no_region_and_no_look_up(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    """Every place where credentials could come from would leave a mark."""
    mark = tmp_path / "mark"
    config = tmp_path / "config"
    config.write_text(f"[default]\ncredential_process = {sys.executable} -c \"open(r'{mark}', 'w')\"\n")
    environment = {
        "PATH": "",
        "HOME": str(tmp_path),
        "AWS_CONFIG_FILE": str(config),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{endpoint.url}/credentials",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint.url,
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, endpoint.url],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("alice\n", "")
    assert not mark.exists()
    assert len(endpoint.headers) == 1
    assert "authorization" not in endpoint.headers[0]
    assert endpoint.headers[0]["x-amz-target"] == "AWSCognitoIdentityProviderService.InitiateAuth"


@pytest.mark.parametrize(
    ("region", "signed_for"), [(None, "eu-west-3"), ("us-east-2", "us-east-2")], ids=["pool", "replica"]
)
def test_admin_operations_are_signed_for_the_region_of_the_pool_or_of_its_replica(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, region: str | None, signed_for: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    flow = AuthFlow(
        AppClient("eu-west-3_abc", "client", region=region, endpoint_url=endpoint.url), admin=True
    )

    assert isinstance(flow.start(UserPasswordAuth("alice", "pw")), SignedIn)
    assert isinstance(flow.start(UserPasswordAuth("alice", "pw")), SignedIn)

    assert f"/{signed_for}/cognito-idp/" in endpoint.headers[0]["authorization"]
    assert len(endpoint.headers) == 2


def test_jitter_takes_one_byte_and_reaches_the_whole_pause() -> None:
    pauses, lengths = list[float](), list[int]()

    def most(length: int) -> bytes:
        lengths.append(length)
        return b"\xff" * length

    client = Client([refusal("TooManyRequestsException"), refusal("TooManyRequestsException"), DONE])
    system = System(sleep=pauses.append, random_bytes=most)
    AuthFlow(APP, client, system=system).start(CREDENTIALS)

    assert pauses == pytest.approx([0.2, 0.4])
    assert lengths == [1, 1]


def test_refusal_after_a_lost_response_is_still_maybe_processed() -> None:
    repeated = _call_repeatedly(Call("GetUser", {}), lambda length: b"\0" * length)
    outcomes = [
        TransportError("lost", retryable=True, maybe_processed=True),
        Throttled("wait", retryable=True),
        Throttled("wait", retryable=True),
    ]
    last, steps = outcomes[-1], [next(repeated)]
    while outcomes:
        with suppress(StopIteration):
            steps.append(repeated.send(outcomes.pop(0) if isinstance(steps[-1], Call) else None))

    assert last.maybe_processed


@pytest.mark.parametrize("operation", ["InitiateAuth", "AdminInitiateAuth"])
@pytest.mark.parametrize(("auth_flow", "is_safe"), [("USER_SRP_AUTH", True), ("USER_PASSWORD_AUTH", False)])
def test_only_a_sign_in_without_effect_is_repeated_after_a_lost_response(
    operation: str, auth_flow: str, is_safe: bool
) -> None:
    assert _is_safe_to_repeat(Call(operation, {"AuthFlow": auth_flow})) is is_safe
