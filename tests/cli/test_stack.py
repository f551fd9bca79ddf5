"""The option --stack: the app client of a CloudFormation stack."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs

import attrs
import pytest
from typer.testing import CliRunner

from cognito_flow import AppClient
from cognito_flow.cli import profiles
from cognito_flow.cli.app import app
from tests.cli.conftest import PASSWORD, Signed, read
from tests.support.http_server import running

_NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
_NOW = "2030-01-01T00:00:00Z"


class _Server(ThreadingHTTPServer):
    app: AppClient


class _Handler(BaseHTTPRequestHandler):
    """CloudFormation with one stack, which has a user pool and an app client."""

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        assert form["StackName"] == ["shop"]
        (operation,) = form["Action"]
        text = (
            f'<{operation}Response xmlns="{_NAMESPACE}"><{operation}Result>'
            f"{self._result(operation)}</{operation}Result></{operation}Response>"
        )
        self.send_response_only(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def _result(self, operation: str) -> str:
        if operation == "DescribeStacks":
            return (
                "<Stacks><member><StackName>shop</StackName><StackStatus>CREATE_COMPLETE</StackStatus>"
                f"<CreationTime>{_NOW}</CreationTime></member></Stacks>"
            )
        client = cast("_Server", self.server).app
        ids = {"UserPool": client.pool_id, "UserPoolClient": client.client_id}
        resources = "".join(
            f"<member><LogicalResourceId>{kind}</LogicalResourceId><PhysicalResourceId>{physical}"
            f"</PhysicalResourceId><ResourceType>AWS::Cognito::{kind}</ResourceType>"
            f"<LastUpdatedTimestamp>{_NOW}</LastUpdatedTimestamp>"
            "<ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>"
            for kind, physical in ids.items()
        )
        return f"<StackResourceSummaries>{resources}</StackResourceSummaries>"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
        pass


@pytest.fixture
def shop(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> Iterator[Signed]:
    """The stack `shop`, whose app client has a secret that only AWS knows."""
    client = signed.pool.app_client(secret=True)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.app = client
    for name, value in {"ACCESS_KEY_ID": "an-id", "SECRET_ACCESS_KEY": "a-key"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", signed.url)
    with running(server) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
        yield attrs.evolve(signed, app=client)


def run(*arguments: str, given: str = "") -> Any:
    result = CliRunner().invoke(app, arguments, input=given)
    assert result.exit_code == 0, result.stderr
    return result


def test_login_uses_the_app_client_of_a_stack_and_its_secret(shop: Signed) -> None:
    result = run("login", "--stack", "shop", "--username", "alice", given=f"{PASSWORD}\n")

    assert shop.is_valid(read(result.stdout))
    assert str(shop.app.client_secret) not in result.output


def test_status_says_that_the_secret_comes_from_the_stack(shop: Signed) -> None:
    shown = run("status", "--stack", "shop").stdout

    assert f"pool        {shop.app.pool_id}\n" in shown
    assert f"app client  {shop.app.client_id} (client secret from the stack shop)\n" in shown


def test_configure_saves_the_ids_of_a_stack_and_not_its_secret(shop: Signed) -> None:
    run("configure", "--stack", "shop")

    assert profiles.read(None) == profiles.Profile(shop.app.pool_id, shop.app.client_id)
    assert str(shop.app.client_secret) not in profiles.file().read_text(encoding="utf-8")
