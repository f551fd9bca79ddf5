"""A run against the real service, rehearsed with a stand-in: what it says, what it makes, and that it deletes it.

The command is a process of its own, with AWS credentials of its own. botocore's environment variable for the
endpoint leads it to a LocalCognito in this process, which counts its calls.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from cognito_flow.testing import LocalCognito, Pool
from tests.conformance.pools import PREFIX, TAGS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SCENARIOS = (
    "srp_signs_in",
    "secret_hashes",
    "a_disabled_user",
    "an_unconfirmed_user",
    "unknown_users",
    "sign_ups",
)
PRODUCTION = f"{PREFIX}production"


def users(calls: Counter[str]) -> int:
    """How many users were made, or tried to sign up."""
    return calls["AdminCreateUser"] + calls["SignUp"]


def sweeping(calls: Counter[str]) -> int:
    """How many calls find and delete the pools of a run."""
    return sum(calls[each] for each in ("ListUserPools", "DescribeUserPool", "DeleteUserPool"))


@attrs.frozen
class Account:
    """A stand-in for an AWS account: a service with one pool that no run made, and its URL."""

    cognito: LocalCognito
    production: Pool
    url: str
    folder: Path

    def command(self, *options: str) -> subprocess.Popen[str]:
        """Start the command in a process of its own."""
        environment = {
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": self.url,
            "AWS_CONFIG_FILE": str(self.folder / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "none"),
            "PYTHONPATH": str(ROOT),
        }
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.conformance",
                "--against",
                "aws",
                "--region",
                "eu-west-1",
                *options,
            ],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *options: str, answer: str = "") -> tuple[int, str]:
        """Run it to its end; return its exit code and what it printed."""
        with self.command("--into", str(self.folder), *options) as process:
            shown, _ = process.communicate(answer, timeout=120)
        return process.returncode, shown

    def counts(self) -> Counter[str]:
        return Counter(call.operation for call in self.cognito.calls)

    def wait_for_pools(self, number: int) -> None:
        """Wait until a run has made this many pools."""
        give_up = time.monotonic() + 60
        while self.counts()["CreateUserPool"] < number:
            assert time.monotonic() < give_up, "the run makes no pools"
            time.sleep(0.01)

    def pools(self) -> list[str]:
        """The names of all pools."""
        client: Any = self.cognito.client()
        listed = client.list_user_pools(MaxResults=60)["UserPools"]
        return [pool["Name"] for pool in listed]

    def contents(self) -> list[object]:
        """Everything about the pool that no run made."""
        client: Any = self.cognito.client()
        pool = {"UserPoolId": self.production.id}
        return [
            client.describe_user_pool(**pool)["UserPool"],
            client.list_user_pool_clients(**pool)["UserPoolClients"],
            client.list_users(**pool)["Users"],
        ]


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    cognito = LocalCognito()
    # Its name begins as those of the runs do, and it has their tag.
    production = cognito.create_pool(PRODUCTION, user_pool_tags=TAGS)
    production.add_user("alice", "Correct-horse-1")
    with cognito.serve() as url:
        account = Account(cognito, production, url, tmp_path)
        before = account.contents()
        cognito.calls.clear()
        yield account
        assert account.contents() == before


def test_run_says_what_it_makes_and_deletes_all_of_it(account: Account) -> None:
    code, shown = account.run("--only", *SCENARIOS, answer="yes\n")

    made = account.counts()
    assert code == 0
    assert f"{made['CreateUserPool']} user pools named {PREFIX}" in shown
    assert f"with {made['CreateUserPoolClient']} app clients and at most {users(made)} users" in shown
    assert f"in {made.total() - sweeping(made)} calls; it sends no message" in shown
    assert f"at most {users(made) * 0.015:.2f} US dollars" in shown
    assert made["CreateUserPool"] == made["DeleteUserPool"] == len(SCENARIOS)
    assert account.pools() == [PRODUCTION]
    assert not account.cognito.outbox
    assert {path.stem for path in (account.folder / "aws").iterdir()} == set(SCENARIOS)


def test_answer_other_than_yes_calls_nothing(account: Account) -> None:
    for answer in ("no\n", "y\n", ""):
        code, shown = account.run("--only", *SCENARIOS, answer=answer)

        assert (code, account.counts().total()) == (1, 0), answer
        assert "Traceback" not in shown


def test_ctrl_c_deletes_what_was_made(account: Account) -> None:
    check_interrupted(account, signal.SIGINT)


def test_termination_deletes_what_was_made(account: Account) -> None:
    check_interrupted(account, signal.SIGTERM)


def check_interrupted(account: Account, number: signal.Signals) -> None:
    with account.command("--into", str(account.folder), "--yes") as process:
        account.wait_for_pools(3)
        process.send_signal(number)
        shown, _ = process.communicate(timeout=60)

    assert process.returncode == 130, shown
    assert account.counts()["CreateUserPool"] == account.counts()["DeleteUserPool"] >= 3
    assert account.pools() == [PRODUCTION]


def test_sweep_deletes_what_a_killed_run_left(account: Account) -> None:
    with account.command("--into", str(account.folder), "--yes") as process:
        account.wait_for_pools(3)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    left = [name for name in account.pools() if name != PRODUCTION]
    assert len(left) >= 3

    code, shown = account.run("--sweep")

    assert code == 0
    assert set(left) == {line for line in shown.splitlines() if line.startswith(PREFIX)}
    assert account.pools() == [PRODUCTION]


def test_scenarios_that_send_messages_are_left_out_without_an_address(account: Account) -> None:
    code, shown = account.run("--only", "confirm_sign_up_without_a_session", "--yes")

    assert code == 0
    assert "needs --address" in shown
    assert account.counts()["SignUp"] == 0


def test_message_is_sent_to_the_address_and_its_code_is_typed(account: Account) -> None:
    options = ("--only", "confirm_sign_up_without_a_session", "--address", "me@example.com", "--yes")
    with account.command("--into", str(account.folder), *options) as process:
        give_up = time.monotonic() + 60
        while not account.cognito.outbox:
            assert time.monotonic() < give_up, "no message is sent"
            time.sleep(0.01)
        shown, _ = process.communicate(f"{account.cognito.outbox[0].code}\n", timeout=60)

    assert "it sends one message to your address" in shown
    assert [message.destination for message in account.cognito.outbox] == ["me@example.com"]
    assert "ConfirmSignUp without a Session: accepted" in shown
    assert account.pools() == [PRODUCTION]
