"""One environment variable makes any boto program call LocalCognito: programs that do not know it, each in its
own process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from cognito_flow.testing import LocalCognito, Pool

NAME = "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
PASSWORD = "Correct horse 1"


@pytest.fixture
def pool() -> Pool:
    """A pool with alice, who signs in to an app client without a secret."""
    pool = LocalCognito().create_pool()
    pool.add_user("alice", PASSWORD, email="alice@example.com")
    return pool


@pytest.fixture
def url(pool: Pool) -> Iterator[str]:
    """The URL of the served pool."""
    with pool.cognito.serve() as url:
        yield url


def run(program: str, pool: Pool, environment: dict[str, str]) -> list[str]:
    """Run a program with the pool, its client and a password as arguments, and return the lines it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, pool.id, pool.app.client_id, PASSWORD],
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


PUBLIC = """
import sys
import boto3
from botocore import UNSIGNED
from botocore.config import Config

pool_id, client_id, password = sys.argv[1:]
client = boto3.client("cognito-idp", region_name=pool_id.split("_")[0], config=Config(signature_version=UNSIGNED))

def sign_in(password):
    parameters = {"USERNAME": "alice", "PASSWORD": password}
    answer = client.initiate_auth(ClientId=client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)
    return answer["AuthenticationResult"]

print(client.get_user(AccessToken=sign_in(password)["AccessToken"])["Username"])
try:
    sign_in("wrong")
except client.exceptions.NotAuthorizedException as error:
    print(error)
"""


def test_public_operations_need_only_the_endpoint_variable(pool: Pool, url: str) -> None:
    printed = run(PUBLIC, pool, {NAME: url})

    refused = "An error occurred (NotAuthorizedException) when calling the InitiateAuth operation"
    assert printed == ["alice", f"{refused}: Incorrect username or password."]


ADMINISTRATOR = """
import sys
import boto3

pool_id = sys.argv[1]
client = boto3.client("cognito-idp", region_name=pool_id.split("_")[0])
print(client.admin_get_user(UserPoolId=pool_id, Username="alice")["UserStatus"])
client.admin_create_user(UserPoolId=pool_id, Username="bob", MessageAction="SUPPRESS")
print(*sorted(user["Username"] for user in client.list_users(UserPoolId=pool_id)["Users"]))
"""


def test_signed_operations_also_need_any_credentials(pool: Pool, url: str) -> None:
    assert run(ADMINISTRATOR, pool, {NAME: url, **CREDENTIALS}) == ["CONFIRMED", "alice bob"]
    assert pool.user("bob").status == "FORCE_CHANGE_PASSWORD"


FLOW = """
import asyncio, sys
from cognito_flow import AppClient, AsyncAuthFlow, AuthFlow, IncorrectPassword, UserPasswordAuth, UserSrpAuth

pool_id, client_id, password = sys.argv[1:]
app = AppClient(pool_id, client_id)
flow = AuthFlow(app, admin="ADMIN" == "MODE")
print(flow.sign_in(UserSrpAuth("alice", password)).username)
try:
    flow.start(UserPasswordAuth("alice", "wrong"))
except IncorrectPassword as error:
    print(error)
print(asyncio.run(AsyncAuthFlow(app).sign_in(UserSrpAuth("alice", password))).username)
"""


@pytest.mark.parametrize(
    ("mode", "credentials", "called"),
    [("PUBLIC", {}, "InitiateAuth"), ("ADMIN", CREDENTIALS, "AdminInitiateAuth")],
    ids=["public", "admin"],
)
def test_flow_calls_the_endpoint_of_the_environment(
    pool: Pool, url: str, mode: str, credentials: dict[str, str], called: str
) -> None:
    printed = run(FLOW.replace("MODE", mode), pool, {NAME: url, **credentials})

    assert printed == ["alice", "Incorrect username or password.", "alice"]
    assert called in [call.operation for call in pool.cognito.calls]


def test_endpoint_of_the_app_client_wins_over_the_environment(pool: Pool, url: str) -> None:
    program = FLOW.replace(
        "AppClient(pool_id, client_id)", f"AppClient(pool_id, client_id, endpoint_url={url!r})"
    )

    assert run(program, pool, {NAME: "http://127.0.0.1:9"})[0] == "alice"


AIOBOTOCORE = """
import asyncio, sys
from aiobotocore.session import get_session
from cognito_flow import AppClient, AsyncAuthFlow, UserSrpAuth

pool_id, client_id, password = sys.argv[1:]

async def main():
    async with get_session().create_client("cognito-idp", pool_id.split("_")[0]) as client:
        print((await client.admin_get_user(UserPoolId=pool_id, Username="alice"))["UserStatus"])
        flow = AsyncAuthFlow(AppClient(pool_id, client_id), client)
        print((await flow.sign_in(UserSrpAuth("alice", password))).username)

asyncio.run(main())
"""


def test_aiobotocore_calls_the_endpoint_of_the_environment(pool: Pool, url: str) -> None:
    pytest.importorskip("aiobotocore")

    assert run(AIOBOTOCORE, pool, {NAME: url, **CREDENTIALS}) == ["CONFIRMED", "alice"]


def test_aws_profile_can_name_the_endpoint(
    pool: Pool, url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = tmp_path_factory.mktemp("aws") / "config"
    settings.write_text(
        f"[default]\nservices = local\n[services local]\ncognito_identity_provider =\n  endpoint_url = {url}\n"
    )

    assert run(PUBLIC, pool, {"AWS_CONFIG_FILE": str(settings)})[0] == "alice"
    assert run(FLOW.replace("MODE", "PUBLIC"), pool, {"AWS_CONFIG_FILE": str(settings)})[0] == "alice"
