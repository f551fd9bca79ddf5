"""AppClient.from_env, .from_stack and .from_amplify_outputs."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import botocore.session
import pytest
from botocore.stub import Stubber

from cognito_flow import AppClient, TransportError, UsageError

NOW = datetime(2030, 1, 1, tzinfo=UTC)
POOL_ID, CLIENT_ID = "eu-west-1_AbC123", "1example23456789"


def test_from_env_reads_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "POOL_ID": POOL_ID,
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": "a-secret",
        "REGION": "us-east-1",
        "ENDPOINT_URL": "http://localhost:9229",
    }.items():
        monkeypatch.setenv(f"LOGIN_{name}", value)

    app = AppClient.from_env("LOGIN_")

    assert app == AppClient(
        POOL_ID, CLIENT_ID, "a-secret", region="us-east-1", endpoint_url="http://localhost:9229"
    )


def test_from_env_takes_an_empty_variable_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "POOL_ID": POOL_ID,
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": "",
        "REGION": "",
    }.items():
        monkeypatch.setenv(f"COGNITO_{name}", value)

    assert AppClient.from_env() == AppClient(POOL_ID, CLIENT_ID)


def test_from_env_names_the_variables_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COGNITO_POOL_ID", raising=False)
    monkeypatch.setenv("COGNITO_CLIENT_ID", "")

    with pytest.raises(UsageError, match="COGNITO_POOL_ID, COGNITO_CLIENT_ID"):
        AppClient.from_env()


def test_from_amplify_outputs_reads_the_pool_and_the_app_client(tmp_path: Path) -> None:
    path = tmp_path / "amplify_outputs.json"
    auth = {"user_pool_id": POOL_ID, "user_pool_client_id": CLIENT_ID, "aws_region": "eu-west-1"}
    path.write_text(json.dumps({"version": "1.3", "auth": auth}))

    app = AppClient.from_amplify_outputs(path)

    assert (app.pool_id, app.client_id, app.region) == (POOL_ID, CLIENT_ID, "eu-west-1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read"),
        ("{", "not valid JSON"),
        ("[]", "auth.user_pool_id"),
        ('{"auth": {"user_pool_id": "eu-west-1_AbC123"}}', "auth.user_pool_client_id"),
    ],
)
def test_from_amplify_outputs_refuses_a_file_without_a_pool(
    tmp_path: Path, text: str | None, message: str
) -> None:
    path = tmp_path / "amplify_outputs.json"
    if text is not None:
        path.write_text(text)

    with pytest.raises(UsageError, match=f"amplify_outputs.json.*{message}"):
        AppClient.from_amplify_outputs(path)


POOL = {"ResourceType": "AWS::Cognito::UserPool", "PhysicalResourceId": POOL_ID}
CLIENT = {"ResourceType": "AWS::Cognito::UserPoolClient", "PhysicalResourceId": CLIENT_ID}
OTHER_CLIENT = {"ResourceType": "AWS::Cognito::UserPoolClient", "PhysicalResourceId": "2other"}
NOT_MADE_YET = {"ResourceType": "AWS::Cognito::UserPoolClient"}
QUEUE = {"ResourceType": "AWS::SQS::Queue", "PhysicalResourceId": "q"}


@attrs.define
class Stack:
    """A boto3 session whose clients answer for one stack, by the service models of botocore."""

    resources: list[dict[str, str]]
    outputs: dict[str, str] = attrs.field(factory=dict)
    secret: str | None = None
    refusal: str | None = None
    regions: list[str | None] = attrs.field(factory=list)

    def client(self, service: str, region_name: str | None = None) -> Any:
        self.regions.append(region_name)
        client: Any = botocore.session.Session().create_client(
            service,
            region_name=region_name or "eu-west-1",
            aws_access_key_id="an-id",
            aws_secret_access_key="a-key",
        )
        stubber = Stubber(client)
        (self._stack if service == "cloudformation" else self._app_client)(stubber)
        stubber.activate()
        return client

    def _stack(self, stubber: Stubber) -> None:
        if self.refusal == "ValidationError":
            stubber.add_client_error("describe_stacks", self.refusal, "Stack with id shop does not exist")
            return
        stack = {"StackName": "shop", "CreationTime": NOW, "StackStatus": "CREATE_COMPLETE"}
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in self.outputs.items()]
        stubber.add_response(
            "describe_stacks", {"Stacks": [{**stack, "Outputs": outputs}]}, {"StackName": "shop"}
        )
        about = {"LogicalResourceId": "x", "LastUpdatedTimestamp": NOW, "ResourceStatus": "CREATE_COMPLETE"}
        first, rest = self.resources[:1], self.resources[1:]
        for page, token in ((first, {"NextToken": "2"}), (rest, {})):
            summaries = [{**about, **resource} for resource in page]
            stubber.add_response("list_stack_resources", {"StackResourceSummaries": summaries, **token})

    def _app_client(self, stubber: Stubber) -> None:
        if self.refusal is not None:
            stubber.add_client_error("describe_user_pool_client", self.refusal)
            return
        described = {} if self.secret is None else {"ClientSecret": self.secret}
        expected = {"UserPoolId": POOL_ID, "ClientId": CLIENT_ID}
        stubber.add_response("describe_user_pool_client", {"UserPoolClient": described}, expected)


@pytest.mark.parametrize("secret", [None, "a-secret-of-24-characters"])
def test_from_stack_reads_the_only_pool_and_app_client_and_its_secret(secret: str | None) -> None:
    stack = Stack([QUEUE, POOL, CLIENT, NOT_MADE_YET], secret=secret)

    assert AppClient.from_stack("shop", stack) == AppClient(POOL_ID, CLIENT_ID, secret)
    assert stack.regions == [None, "eu-west-1"]


def test_from_stack_prefers_what_outputs_name() -> None:
    """A stack may have several app clients, or use a pool of another stack."""
    stack = Stack([CLIENT, OTHER_CLIENT], {"AuthUserPoolId": POOL_ID, "webclientid": CLIENT_ID, "Url": "x"})

    assert AppClient.from_stack("shop", stack) == AppClient(POOL_ID, CLIENT_ID)


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ([QUEUE], r"exactly one AWS::Cognito::UserPool \(it has: none\).* output UserPoolId"),
        (
            [POOL, CLIENT, OTHER_CLIENT],
            r"UserPoolClient \(it has: 1example23456789, 2other\).* output UserPoolClientId",
        ),
    ],
)
def test_from_stack_refuses_a_stack_that_does_not_say_which(
    resources: list[dict[str, str]], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        AppClient.from_stack("shop", Stack(resources))


def test_from_stack_leaves_out_a_secret_that_the_credentials_may_not_read() -> None:
    stack = Stack([POOL, CLIENT], refusal="AccessDeniedException")

    assert AppClient.from_stack("shop", stack).client_secret is None


@pytest.mark.parametrize("refusal", ["ValidationError", "ResourceNotFoundException"])
def test_from_stack_that_cannot_be_read_is_a_usage_error(refusal: str) -> None:
    with pytest.raises(UsageError, match="the stack shop cannot be read"):
        AppClient.from_stack("shop", Stack([POOL, CLIENT], refusal=refusal))


def test_from_stack_without_a_region_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)

    with pytest.raises(UsageError, match="region"):
        AppClient.from_stack("shop")


def test_from_stack_that_cannot_be_reached_is_a_transport_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "an-id",
        "AWS_SECRET_ACCESS_KEY": "a-key",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(TransportError, match="AWS could not be reached"):
        AppClient.from_stack("shop")
