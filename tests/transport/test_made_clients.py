"""Which client a flow uses, and how the ones that the library makes are configured. Nothing is called."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import botocore
import pytest
from botocore import UNSIGNED
from botocore.hooks import HierarchicalEmitter
from botocore.model import ServiceId

from cognito_flow import AppClient, UsageError
from cognito_flow._transport.clients import Clients, unsigned_client
from cognito_flow._transport.sockets import _HttpsPool

APP = AppClient("eu-west-1_abc", "client")
ELSEWHERE = AppClient("eu-west-1_abc", "client", region="us-east-2", endpoint_url="https://pool.example")
TOO_OLD = (
    f"the installed botocore {botocore.__version__} does not know {{}}: install botocore 1.44.5 or newer"
)


def made(app: AppClient = APP, *, admin: bool = False, **options: Any) -> Any:
    """The client that is made for this app client."""
    method: Any = Clients(app, None, admin, **options).method(options.pop("operation", "GetUser"))
    return method.__self__


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS credentials of the process."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def assert_limits(client: Any) -> None:
    """The client makes one attempt, ends at deadlines, and is known to be ours."""
    config = client.meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 1}
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (5, 30, 256)
    assert config.user_agent.endswith("cognito-flow")
    assert client._endpoint.http_session._pool_classes_by_scheme["https"] is _HttpsPool
    assert is_watched(client.meta.events)


def is_watched(events: Any) -> bool:
    """Whether the hooks of attempts are registered."""
    called = events.emit("before-send.cognito-identity-provider.X", request=None)
    return any(handler.__module__.endswith("_transport.attempts") for handler, _ in called)


def test_client_of_public_operations_is_unsigned_and_has_our_limits() -> None:
    client = made()

    assert client.meta.config.signature_version is UNSIGNED
    assert client.meta.service_model.service_name == "cognito-idp"
    assert client.meta.region_name == "eu-west-1"
    assert client.meta.endpoint_url == "https://cognito-idp.eu-west-1.amazonaws.com"
    assert_limits(client)


@pytest.mark.usefixtures("credentials")
def test_client_of_admin_operations_is_signed_and_has_our_limits() -> None:
    client = made(ELSEWHERE, admin=True)

    assert client.meta.config.signature_version == "v4"
    assert client.meta.service_model.service_name == "cognito-idp"
    assert (client.meta.region_name, client.meta.endpoint_url) == ("us-east-2", "https://pool.example")
    assert_limits(client)


def test_endpoint_and_region_are_those_of_the_app_client() -> None:
    client = made(ELSEWHERE)

    assert (client.meta.region_name, client.meta.endpoint_url) == ("us-east-2", "https://pool.example")


def test_client_of_another_service_has_its_own_region_and_endpoint() -> None:
    clients = Clients(ELSEWHERE, None, admin=False, service="cognito-identity", region="eu-west-3")
    method: Any = clients.method("GetId")

    assert method.__self__.meta.endpoint_url == "https://cognito-identity.eu-west-3.amazonaws.com"


def test_unsigned_client_needs_no_endpoint() -> None:
    client: Any = unsigned_client("cognito-idp", "eu-west-2")

    assert client.meta.endpoint_url == "https://cognito-idp.eu-west-2.amazonaws.com"


def test_client_is_shared_by_those_who_would_make_the_same() -> None:
    shared = made()

    assert made(AppClient("eu-west-1_xyz", "other")) is shared
    assert made(ELSEWHERE) is not shared
    assert made(AppClient("eu-west-2_abc", "client")) is not shared


def test_client_is_not_shared_across_settings_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = made()
    monkeypatch.setenv("UNRELATED", "1")
    assert made() is shared
    monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere")
    assert made() is not shared


def test_client_of_a_flow_is_made_once_and_anew_in_a_forked_child() -> None:
    clients = Clients(APP, None, admin=False)
    first: Any = clients.method("GetUser")
    clients._made = client = SimpleNamespace(get_user=lambda: None)
    assert clients.method("GetUser") is client.get_user

    clients._made_in = -1  # that of a parent
    again: Any = clients.method("GetUser")

    assert again.__self__ is first.__self__
    assert clients._made_in == os.getpid()


def test_missing_profile_does_not_stop_the_unsigned_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing")
    client = made(ELSEWHERE)

    assert (client.meta.region_name, client.meta.endpoint_url) == ("us-east-2", "https://pool.example")
    assert client.meta.config.signature_version is UNSIGNED
    assert_limits(client)


def sent_user_agent(client: Any) -> str:
    """The User-Agent with which the client would send a call."""
    sent: list[str] = []

    def stop(request: Any, **_: object) -> None:
        sent.append(request.headers["User-Agent"].decode())
        raise ConnectionError

    client.meta.events.register("before-send.cognito-identity-provider", stop)
    with pytest.raises(ConnectionError):
        client.get_user(AccessToken="token")
    return sent[0]


def test_unsigned_calls_name_botocore_this_library_and_the_configured_application(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SDK_UA_APP_ID", "shop")

    products = sent_user_agent(made()).split()

    assert products[0] == f"Botocore/{botocore.__version__}"
    assert products[-2:] == ["app/shop", "cognito-flow"]


def test_unsigned_calls_name_no_application_if_none_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_RETRY_MODE", "standard")  # so that the client is of this test alone

    assert "app/" not in sent_user_agent(made())


def test_user_agent_has_no_character_that_a_header_may_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SDK_UA_APP_ID", "sh\u00f6p\r\nX-Admin: 1")
    monkeypatch.setenv("AWS_EXECUTION_ENV", "two\nlines")

    user_agent = sent_user_agent(made())

    assert "exec-env/two-lines app/sh-p--X-Admin: 1" in user_agent


def test_client_that_cannot_be_made_is_a_usage_error() -> None:
    app = AppClient("eu-west-1_abc", "client", endpoint_url="no-url")
    with pytest.raises(UsageError, match="botocore cannot make a client: Invalid endpoint: no-url"):
        made(app)


@pytest.mark.parametrize("port", ["99999", "http"])
def test_port_that_is_not_one_is_a_usage_error_before_anything_is_sent(port: str) -> None:
    app = AppClient("eu-west-1_abc", "client", endpoint_url=f"http://127.0.0.1:{port}")
    with pytest.raises(UsageError, match="botocore cannot make a client: Port"):
        made(app)


@pytest.mark.parametrize("variable", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
@pytest.mark.parametrize("profile", [None, "default"])
def test_broken_configuration_file_does_not_stop_the_unsigned_client(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, profile: str | None
) -> None:
    broken = tmp_path / "broken"
    broken.write_text("not a section")
    monkeypatch.setenv(variable, str(broken))
    if profile is not None:
        monkeypatch.setenv("AWS_PROFILE", profile)
    client = made(ELSEWHERE)

    assert client.meta.config.signature_version is UNSIGNED
    assert_limits(client)


# -- a client of the caller's --


def given(**methods: Any) -> Any:
    """A client with events and these methods."""
    model = SimpleNamespace(service_id=ServiceId("Cognito Identity Provider"))
    meta = SimpleNamespace(events=HierarchicalEmitter(), service_model=model)
    session = SimpleNamespace(_pool_classes_by_scheme={})
    return SimpleNamespace(meta=meta, _endpoint=SimpleNamespace(http_session=session), **methods)


def test_given_client_is_used_watched_and_ended_at_deadlines() -> None:
    client = given(get_user=lambda: None)

    assert Clients(APP, client, admin=False).method("GetUser") is client.get_user
    assert is_watched(client.meta.events)
    assert client._endpoint.http_session._pool_classes_by_scheme["https"] is _HttpsPool


def test_given_client_is_watched_once() -> None:
    client = given(get_user=lambda: None)
    clients = Clients(APP, client, admin=False)
    clients.method("GetUser")
    client.meta.events = HierarchicalEmitter()
    clients.method("GetUser")

    assert not is_watched(client.meta.events)


def test_operation_that_a_given_client_of_boto_does_not_know_names_the_version_to_install() -> None:
    client = given(initiate_auth=lambda: None)
    with pytest.raises(UsageError) as refused:
        Clients(APP, client, admin=False).method("GetTokensFromRefreshToken")

    assert str(refused.value) == TOO_OLD.format("GetTokensFromRefreshToken")


@pytest.mark.parametrize(
    ("client", "service"),
    [
        (object(), "cognito-idp"),
        (given(initiate_auth="not a method"), "cognito-idp"),
        (given(get_id="not a method", initiate_auth=lambda: None), "cognito-identity"),
    ],
)
def test_client_without_the_method_of_an_operation_is_a_usage_error(client: object, service: str) -> None:
    with pytest.raises(UsageError) as refused:
        Clients(APP, client, admin=False, service=service).method("GetId")

    assert str(refused.value) == (
        "the client cannot call GetId: it is for another service, or not a client of boto"
    )


@pytest.mark.usefixtures("credentials")
def test_client_of_boto3_keeps_its_own_limits() -> None:
    client: Any = boto3.client("cognito-idp", "eu-west-1")
    method: Any = Clients(APP, client, admin=True).method("AdminGetUser")

    assert method.__self__ is client
    assert client.meta.config.read_timeout == 60
