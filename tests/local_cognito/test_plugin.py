"""The pytest plugin, as its users meet it: small projects of their own, each run by a pytest or a unittest of
its own, with warnings as errors."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

# What runs these tests must not reach into the projects; neither must a plugin that complains under xdist.
OF_THIS_RUN = ("PYTEST_", "PYTHONWARNINGS")
ALONE = ["-p", "no:cacheprovider", "-p", "no:benchmark", "-W", "error"]


def run(folder: Path, *command: str) -> str:
    """Run a Python module in a project's folder, which must succeed; gives what it printed."""
    (folder / "pytest.ini").touch()  # or pytest would look for settings in the folders above
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OF_THIS_RUN)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", *command],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def passed(folder: Path, tests: str, *options: str) -> int:
    """How many tests of a project pass; none may fail, and none may be left out."""
    (folder / "test_project.py").write_text(tests, encoding="utf-8")
    printed = run(folder, "pytest", *ALONE, *options)
    summary = re.search(r"^=+ (\d+) passed in .* =+$", printed, re.MULTILINE)
    assert summary is not None, printed
    return int(summary[1])


SIGN_IN = """
import pytest
from cognito_flow import IncorrectPassword, SignedIn, UserNotFound, UserSrpAuth

def test_sign_in(cognito_pool):
    cognito_pool.add_user("alice", "correct horse")
    flow = cognito_pool.flow()
    assert isinstance(flow.start(UserSrpAuth("alice", "correct horse")), SignedIn)
    with pytest.raises(IncorrectPassword):
        flow.start(UserSrpAuth("alice", "battery staple"))

def test_the_next_test_has_a_pool_of_its_own(cognito_pool):
    with pytest.raises(UserNotFound):
        cognito_pool.flow().start(UserSrpAuth("alice", "correct horse"))

def test_many_pools(cognito, cognito_pool):
    other = cognito.create_pool("other", mfa_configuration="OFF")
    assert cognito.pool_ids() == [cognito_pool.id, other.id]
"""


@pytest.mark.slow
def test_fixtures_are_available_without_an_import(tmp_path: Path) -> None:
    assert passed(tmp_path, SIGN_IN) == 3


@pytest.mark.slow
def test_fixtures_are_listed_with_their_descriptions(tmp_path: Path) -> None:
    printed = run(tmp_path, "pytest", *ALONE, "--fixtures")
    section = printed.partition("fixtures defined from cognito_flow.testing.plugin")[2]

    assert re.findall(r"^cognito\w*", section, re.MULTILINE) == ["cognito", "cognito_pool", "cognito_url"]
    assert "no docstring available" not in section.partition("fixtures defined")[0]


IMPORTS = """
import sys

LATE = {"boto3", "botocore", "aiobotocore", "webauthn", "http.server", "cognito_flow.testing._service"}

def test_without_the_fixtures():
    assert "cognito_flow.testing.plugin" in sys.modules
    assert not LATE & sys.modules.keys()

def test_with_one(cognito):
    assert {"boto3", "botocore", "cognito_flow.testing._service"} <= sys.modules.keys()
"""


@pytest.mark.slow
def test_run_without_the_fixtures_imports_no_boto(tmp_path: Path) -> None:
    assert passed(tmp_path, IMPORTS) == 2


WORKERS = """
import os
from pathlib import Path

import pytest
from cognito_flow import SignedIn, UserSrpAuth

@pytest.mark.parametrize("turn", range(6))
def test_sign_in(cognito, cognito_pool, cognito_url, turn):
    assert cognito.pool_ids() == [cognito_pool.id]
    cognito_pool.add_user("alice", f"correct horse {turn}")
    step = cognito_pool.flow().start(UserSrpAuth("alice", f"correct horse {turn}"))
    assert isinstance(step, SignedIn)
    assert [call.operation for call in cognito.calls].count("InitiateAuth") == 1
    worker = os.environ["PYTEST_XDIST_WORKER"]
    Path(f"{turn} {worker} {cognito_pool.id}").touch()
"""


@pytest.mark.slow
def test_xdist_workers_share_neither_pools_nor_ports(tmp_path: Path) -> None:
    assert passed(tmp_path, WORKERS, "-n", "2", "--dist", "each") == 12

    ran = [path.name.split() for path in tmp_path.glob("* gw? *")]
    assert {worker for _, worker, _ in ran} == {"gw0", "gw1"}
    assert len({pool for *_, pool in ran}) == 12


SHARED = """
import pytest
from cognito_flow import SignedIn, UserSrpAuth
from cognito_flow.testing import LocalCognito

@pytest.fixture(scope="session")
def shop():
    pool = LocalCognito().create_pool()
    pool.add_user("alice", "correct horse")
    return pool

@pytest.fixture
def shop_pool(shop):
    restore = shop.cognito.snapshot()
    yield shop
    restore()

@pytest.mark.parametrize("turn", range(3))
def test_a_turn_finds_alice_alone_and_leaves_bob_behind(shop_pool, turn):
    assert list(shop_pool.cognito.state(shop_pool.id).users) == ["alice"]
    shop_pool.add_user("bob", "battery staple")
    step = shop_pool.flow().start(UserSrpAuth("bob", "battery staple"))
    assert isinstance(step, SignedIn)
"""


@pytest.mark.slow
def test_pool_of_a_wider_fixture_is_restored_after_each_test(tmp_path: Path) -> None:
    assert passed(tmp_path, SHARED) == 3


UNDER_MOTO = """
import boto3
import pytest
from cognito_flow import IncorrectPassword, SignedIn, UserPasswordAuth, UserSrpAuth
from moto import mock_aws

@pytest.fixture(autouse=AUTOUSE)
def aws():
    with mock_aws():
        yield

DECORATOR
def test_cognito_is_local_and_the_rest_is_of_moto(cognito, cognito_pool):
    boto3.client("s3", "us-east-1").create_bucket(Bucket="photos")
    cognito_pool.add_user("alice", "correct horse")
    flow = cognito_pool.flow()
    assert isinstance(flow.start(UserSrpAuth("alice", "correct horse")), SignedIn)
    with pytest.raises(IncorrectPassword):
        flow.start(UserPasswordAuth("alice", "battery staple"))
    session = boto3.session.Session(region_name="eu-west-1")
    cognito.install(session)
    session.client("cognito-idp").admin_get_user(UserPoolId=cognito_pool.id, Username="alice")
    names = [bucket["Name"] for bucket in session.client("s3").list_buckets()["Buckets"]]
    assert names == ["photos"]

DECORATOR
def test_over_http_too(cognito_pool, cognito_url):
    boto3.client("s3", "us-east-1").create_bucket(Bucket="photos")
    cognito_pool.add_user("alice", "correct horse")
    client = boto3.client("cognito-idp")
    assert client.meta.endpoint_url == cognito_url
    with pytest.raises(client.exceptions.NotAuthorizedException):
        client.initiate_auth(
            ClientId=cognito_pool.app.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "alice", "PASSWORD": "battery staple"},
        )
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("decorator", "autouse"), [("@mock_aws", False), ("", True)], ids=["decorator", "autouse fixture"]
)
def test_moto_and_the_fixtures_work_together(tmp_path: Path, decorator: str, autouse: bool) -> None:
    tests = UNDER_MOTO.replace("DECORATOR", decorator).replace("AUTOUSE", str(autouse))

    assert passed(tmp_path, tests) == 2


CASES = """
import unittest
import pytest
from cognito_flow import SignedIn, UserSrpAuth

class ByFixture(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def use_cognito(self, cognito, cognito_pool):
        self.cognito, self.pool = cognito, cognito_pool

    def setUp(self):
        self.pool.add_user("alice", "correct horse")

    def test_sign_in(self):
        step = self.pool.flow().start(UserSrpAuth("alice", "correct horse"))
        self.assertIsInstance(step, SignedIn)

    def test_nothing_is_left_of_the_other_test(self):
        self.assertNotIn("InitiateAuth", [call.operation for call in self.cognito.calls])
        self.assertEqual(self.cognito.pool_ids(), [self.pool.id])

@pytest.mark.usefixtures("cognito_url")
class ByMark(unittest.TestCase):
    def test_the_environment_leads_here(self):
        import boto3
        self.assertEqual(boto3.client("cognito-idp").list_user_pools(MaxResults=1)["UserPools"], [])
"""


@pytest.mark.slow
def test_unittest_test_case_can_use_the_fixtures(tmp_path: Path) -> None:
    assert passed(tmp_path, CASES) == 3


PLAIN = """
import sys
import unittest
from cognito_flow import NotAuthorized, SignedIn, UserSrpAuth
from cognito_flow.testing import LocalCognito

class Login(unittest.TestCase):
    def setUp(self):
        self.pool = LocalCognito().create_pool()
        self.pool.add_user("alice", "correct horse")

    def test_sign_in(self):
        flow = self.pool.flow()
        self.assertIsInstance(flow.start(UserSrpAuth("alice", "correct horse")), SignedIn)
        with self.assertRaises(NotAuthorized):
            flow.start(UserSrpAuth("alice", "battery staple"))

    def test_served(self):
        url = self.enterContext(self.pool.cognito.serve())
        self.assertRegex(url, "^http://127.0.0.1:")

    def test_without_pytest(self):
        self.assertNotIn("pytest", sys.modules)
"""


def test_unittest_without_pytest_can_use_local_cognito(tmp_path: Path) -> None:
    (tmp_path / "test_project.py").write_text(PLAIN, encoding="utf-8")
    printed = run(tmp_path, "unittest", "test_project")

    assert re.search(r"^Ran 3 tests in .*\n\nOK$", printed, re.MULTILINE), printed


ASYNC = """
import asyncio
from cognito_flow import AsyncAuthFlow, SignedIn, SoftwareTokenMfa, UserSrpAuth
import pytest

@pytest.fixture
def cognito_pool(cognito):
    pool = cognito.create_pool(mfa_configuration="ON", software_token_mfa_configuration={"Enabled": True})
    pool.add_user("alice", "correct horse", totp=True)
    return pool

async def sign_in(flow, pool):
    step = await flow.start(UserSrpAuth("alice", "correct horse"))
    assert isinstance(step, SoftwareTokenMfa)
    return await flow.send(step.answer(pool.totp("alice")))

def test_in_threads(cognito_pool):
    assert isinstance(asyncio.run(sign_in(cognito_pool.async_flow(), cognito_pool)), SignedIn)

def test_on_the_event_loop(cognito, cognito_pool):
    from aiobotocore.session import get_session

    async def main():
        session = get_session()
        cognito.install(session)
        options = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        async with session.create_client("cognito-idp", "eu-west-1", **options) as client:
            return await sign_in(AsyncAuthFlow(cognito_pool.app, client), cognito_pool)

    assert isinstance(asyncio.run(main()), SignedIn)

def test_over_http(cognito_pool, cognito_url):
    from aiobotocore.session import get_session

    async def main():
        async with get_session().create_client("cognito-idp") as client:
            assert client.meta.endpoint_url == cognito_url
            return await sign_in(AsyncAuthFlow(cognito_pool.app, client), cognito_pool)

    assert isinstance(asyncio.run(main()), SignedIn)
"""


@pytest.mark.slow
def test_asynchronous_tests_can_use_the_fixtures(tmp_path: Path) -> None:
    pytest.importorskip("aiobotocore")

    assert passed(tmp_path, ASYNC) == 3


SURROUNDINGS = """
import os

import boto3
import pytest

NAMES = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"]

@pytest.fixture(scope="module", autouse=True)
def settings_of_the_machine(tmp_path_factory):
    settings = tmp_path_factory.mktemp("aws") / "config"
    settings.write_text("[default]\\nignore_configured_endpoint_urls = true\\n")
    with pytest.MonkeyPatch.context() as patch:
        for name in NAMES:
            patch.setenv(name, "of-the-machine")
        patch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
        patch.setenv("AWS_CONFIG_FILE", str(settings))
        patch.setenv("HTTP_PROXY", "http://proxy.invalid:8080")
        patch.setenv("NO_PROXY_NAME", "intranet.example")
        yield

def test_served(cognito, cognito_url):
    cognito.create_pool("people")
    assert not [name for name in NAMES if os.environ.get(name) == "of-the-machine"]
    assert os.environ["AWS_DEFAULT_REGION"] == os.environ["AWS_REGION"] == cognito.region
    assert os.environ["NO_PROXY_NAME"] == "127.0.0.1,intranet.example"
    (pool,) = boto3.client("cognito-idp").list_user_pools(MaxResults=9)["UserPools"]
    assert pool["Name"] == "people"

def test_afterwards():
    assert [os.environ[name] for name in NAMES] == ["of-the-machine"] * 4
    assert "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER" not in os.environ
    assert os.environ["NO_PROXY_NAME"] == "intranet.example"
"""


@pytest.mark.slow
@pytest.mark.parametrize("no_proxy", ["NO_PROXY", "no_proxy"])
def test_settings_of_the_machine_do_not_override_cognito_url(tmp_path: Path, no_proxy: str) -> None:
    assert passed(tmp_path, SURROUNDINGS.replace("NO_PROXY_NAME", no_proxy)) == 2
