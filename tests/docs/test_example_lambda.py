"""The passwordless Lambda function answers a front end that speaks JSON."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from cognito_flow.testing import LocalCognito, Pool
from tests.support.documentation import DOCS, load

example: Any = load(DOCS / "examples" / "passwordless_lambda.py")


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    """A pool in which a user without a password signs in by e-mail."""
    pool = cognito.create_pool(
        policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    )
    pool.add_user("alice", email="alice@example.com")
    return pool


@attrs.frozen
class FrontEnd:
    flow: Any

    def post(self, path: str, body: str | None) -> tuple[int, dict[str, Any]]:
        # The members of an event of the payload format 2.0 that matter here.
        event = {
            "version": "2.0",
            "rawPath": path,
            "requestContext": {"http": {"method": "POST"}},
            "body": body,
        }
        answer = example.handle(self.flow, event)
        assert answer["headers"] == {"Content-Type": "application/json", "Cache-Control": "no-store"}
        return answer["statusCode"], json.loads(answer["body"])

    def start(self, username: str = "alice") -> tuple[int, dict[str, Any]]:
        return self.post("/start", json.dumps({"username": username}))

    def answer(self, state: str, code: str) -> tuple[int, dict[str, Any]]:
        return self.post("/answer", json.dumps({"state": state, "code": code}))


@pytest.fixture
def front_end(pool: Pool) -> FrontEnd:
    return FrontEnd(pool.flow(seal_keys=["k" * 32]))


def test_code_by_email_signs_in(front_end: FrontEnd, pool: Pool) -> None:
    status, asked = front_end.start()
    assert (status, asked["asks"], asked["sent_to"]) == (200, "EMAIL_OTP", "a***@e***")

    status, tokens = front_end.answer(asked["state"], pool.last_code("alice"))

    assert status == 200
    assert pool.verifier().verify_access(tokens["access_token"]).username == "alice"
    assert sorted(tokens) == ["access_token", "id_token", "refresh_token"]


def test_another_instance_answers(front_end: FrontEnd, pool: Pool) -> None:
    _, asked = front_end.start()
    other = FrontEnd(pool.flow(seal_keys=["k" * 32]))

    assert other.answer(asked["state"], pool.last_code("alice"))[0] == 200


def test_wrong_code_can_be_corrected(front_end: FrontEnd, pool: Pool) -> None:
    _, asked = front_end.start()
    code = pool.last_code("alice")

    assert front_end.answer(asked["state"], "00000000" if code != "00000000" else "1") == (
        401,
        {"error": "AnswerRejected"},
    )
    assert front_end.answer(asked["state"], code)[0] == 200


def test_expired_state_starts_over(front_end: FrontEnd, pool: Pool, cognito: LocalCognito) -> None:
    _, asked = front_end.start()
    cognito.clock.advance(1000)

    assert front_end.answer(asked["state"], pool.last_code("alice")) == (410, {"error": "StartOver"})


def test_altered_state_starts_over(front_end: FrontEnd) -> None:
    _, asked = front_end.start()

    assert front_end.answer(asked["state"].swapcase(), "12345678") == (410, {"error": "StartOver"})


def test_outage_is_try_later(front_end: FrontEnd, cognito: LocalCognito) -> None:
    cognito.faults.throttle("InitiateAuth", times=9)

    assert front_end.start() == (503, {"error": "TryLater"})


def test_user_without_the_factor_is_asked_something_else(front_end: FrontEnd, pool: Pool) -> None:
    """The front end has no form for it."""
    pool.add_user("bob", "correct horse")

    assert front_end.start("bob") == (200, {"asks": "SELECT_CHALLENGE"})


@pytest.mark.parametrize("body", [None, "{}", '{"username": ""}'])
def test_missing_name_is_an_invalid_input(front_end: FrontEnd, body: str | None) -> None:
    assert front_end.post("/start", body) == (400, {"error": "InvalidInput"})


@pytest.mark.parametrize(
    ("path", "body"), [("/start", "[]"), ("/start", "x"), ("/start", '{"username": 1}'), ("/other", "{}")]
)
def test_malformed_request_is_a_bad_request(front_end: FrontEnd, path: str, body: str) -> None:
    assert front_end.post(path, body) == (400, {"error": "BadRequest"})


def test_handler_reads_the_environment(pool: Pool, cognito_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COGNITO_POOL_ID", pool.id)
    monkeypatch.setenv("COGNITO_CLIENT_ID", pool.app.client_id)
    monkeypatch.setenv("COGNITO_ENDPOINT_URL", cognito_url)
    monkeypatch.setenv("LOGIN_SECRET", "k" * 32)
    event = {"rawPath": "/start", "body": '{"username": "alice"}'}

    assert example.lambda_handler(event, None)["statusCode"] == 200
