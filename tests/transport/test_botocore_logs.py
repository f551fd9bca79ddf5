"""botocore's log at DEBUG, with and without `redact_botocore_logs`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from cognito_flow import (
    AsyncAuthFlow,
    AuthFlow,
    CognitoFlowError,
    SignedIn,
    UserPasswordAuth,
    redact_botocore_logs,
)
from cognito_flow.models import System
from cognito_flow.testing import LocalCognito, Pool
from tests.support.aiobotocore_client import aiobotocore_client
from tests.support.planted import Place, searches
from tests.support.spoiling_proxy import spoiling

PASSWORD = "SENTINEL-PASSWORD-1"
LOGGERS = ("aiobotocore", "boto3", "botocore")


@pytest.fixture(autouse=True)
def _usual_records() -> Iterator[None]:
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logging.LogRecord)  # the example of the documentation replaces it
    yield
    logging.setLogRecordFactory(before)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    for name in LOGGERS:
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def printed(log: pytest.LogCaptureFixture) -> str:
    """What the handlers printed, and what a tool that reads the records finds."""
    return log.text + repr([record.__dict__ for record in log.records])


def sign_in(pool: Pool, **options: Any) -> SignedIn:
    app = pool.app_client(secret=True, flows=["ALLOW_USER_PASSWORD_AUTH"])
    done = pool.flow(app, **options).start(UserPasswordAuth("alice", PASSWORD))
    assert isinstance(done, SignedIn)
    return done


def test_password_and_tokens_are_in_the_log_of_botocore_without_redaction(
    cognito_pool: Pool, log: pytest.LogCaptureFixture
) -> None:
    cognito_pool.add_user("alice", PASSWORD)
    done = sign_in(cognito_pool)

    assert PASSWORD in printed(log)
    assert done.tokens.access_token in printed(log)


@searches(Place.LOGS)
@pytest.mark.parametrize("admin", [False, True], ids=["unsigned", "signed"])
def test_redacted_log_keeps_names_and_holds_no_secret(
    cognito_pool: Pool, log: pytest.LogCaptureFixture, admin: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    cognito_pool.add_user("alice", PASSWORD)
    redact_botocore_logs()
    app = cognito_pool.app_client(
        secret=True, flows=["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_USER_PASSWORD_AUTH"]
    )
    done = cognito_pool.flow(app, admin=admin).start(UserPasswordAuth("alice", PASSWORD))
    assert isinstance(done, SignedIn)

    tokens = done.tokens
    secrets = [PASSWORD, app.client_secret, tokens.access_token, tokens.id_token, tokens.refresh_token]
    assert [secret for secret in secrets if str(secret) in printed(log)] == []
    assert "SECRET_HASH" not in printed(log)
    assert "Making request for <OperationModel> with params: <dict>" in log.text
    assert f"before-call.cognito-identity-provider.{'Admin' if admin else ''}InitiateAuth" in log.text


def _threads(app: Any, url: str) -> None:
    AuthFlow(attrs.evolve(app, endpoint_url=url), timeout=5, system=System(sleep=lambda _: None)).start(
        UserPasswordAuth("alice", PASSWORD)
    )


def _aiobotocore(app: Any, url: str) -> None:
    pytest.importorskip("aiobotocore", reason="it holds the newest botocore back")

    async def run() -> None:
        async with aiobotocore_client(url) as client:
            await AsyncAuthFlow(app, client, timeout=5).start(UserPasswordAuth("alice", PASSWORD))

    asyncio.run(run())


@pytest.mark.parametrize("start", [_threads, _aiobotocore], ids=["boto3", "aiobotocore"])
def test_redacted_log_of_a_broken_connection_keeps_the_class_of_the_exception(
    cognito: LocalCognito, log: pytest.LogCaptureFixture, start: Callable[[Any, str], None]
) -> None:
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    app = pool.app_client(flows=["ALLOW_USER_PASSWORD_AUTH"])
    redact_botocore_logs()
    with cognito.serve() as url, spoiling(url) as proxy:
        proxy.spoil("InitiateAuth", "truncated")
        with pytest.raises(CognitoFlowError):
            start(app, proxy.url)

    assert PASSWORD not in printed(log)
    assert "AccessToken" not in printed(log)
    assert "InitiateAuth" in log.text


def test_exception_in_the_log_of_botocore_is_reduced_to_its_class(log: pytest.LogCaptureFixture) -> None:
    redact_botocore_logs()
    logging.getLogger("botocore.endpoint").debug("failed", exc_info=ConnectionError(PASSWORD))

    assert log.messages == ["failed (ConnectionError)"]
    assert log.records[0].exc_info is None


@pytest.mark.parametrize(
    ("message", "values", "shown"),
    [
        ("%(a)s", ({"a": PASSWORD * 9},), "a message with <dict>"),
        ("%d", (b"body",), "a message with <bytes>"),
        ("%s %s", (7, "InitiateAuth"), "7 InitiateAuth"),
        ("%s", ("123456",), "<str>"),
        ("%s", (None,), "None"),
        ("%s", (print,), "<print>"),
        ("100 %", (), "100 %"),
    ],
)
def test_only_numbers_and_names_are_kept(
    log: pytest.LogCaptureFixture, message: str, values: tuple[Any, ...], shown: str
) -> None:
    redact_botocore_logs()
    logging.getLogger("botocore.parsers").debug(message, *values)

    assert log.messages == [shown]


def test_other_loggers_are_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    redact_botocore_logs()
    redact_botocore_logs()  # once is enough, and twice is the same
    logging.getLogger("botocore_of_mine").warning("%s", "any text")

    assert [each.getMessage() for each in caplog.records if each.name == "botocore_of_mine"] == ["any text"]
