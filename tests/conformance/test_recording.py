"""Recordings hold no secrets, and the same value has the same placeholder."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from tests.conformance.recording import RECORDINGS, Outcome, Recorder, Recording, read
from tests.conformance.world import SCENARIOS


def recorded(operation: str, sent: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
    recorder = Recorder()
    recorder.add(operation, sent, outcome)
    return recorder.exchanges[0]


def test_values_are_replaced_unless_their_names_are_public() -> None:
    sent = {"AuthFlow": "USER_AUTH", "AuthParameters": {"PASSWORD": "hunter-2", "Invented": "hunter-3"}}

    exchange = recorded("InitiateAuth", sent, Outcome(200, {"ExpiresIn": 3600, "at": datetime.now(UTC)}))

    assert exchange == {
        "operation": "InitiateAuth",
        "sent": {
            "AuthFlow": "USER_AUTH",
            "AuthParameters": {"PASSWORD": "<PASSWORD 1>", "Invented": "<Invented 1>"},
        },
        "status": 200,
        "answer": {"ExpiresIn": 3600, "at": "<time>"},
    }


def test_same_value_has_the_same_placeholder_wherever_it_occurs() -> None:
    recorder = Recorder()
    recorder.add("InitiateAuth", {}, Outcome(200, {"Session": "first-session"}))
    recorder.add("RespondToAuthChallenge", {"Session": "first-session"}, Outcome(200))
    recorder.add("RespondToAuthChallenge", {"Session": "second-session"}, Outcome(200))

    sent = [exchange["sent"].get("Session") for exchange in recorder.exchanges]

    assert sent == [None, "<Session 1>", "<Session 2>"]


def test_text_of_an_error_names_no_value_and_no_account() -> None:
    text = "User pool eu-west-1_Abc of 123456789012 does not exist."

    exchange = recorded("X", {"UserPoolId": "eu-west-1_Abc"}, Outcome(400, code="NotFound", text=text))

    assert exchange["error"]["text"] == "User pool <UserPoolId 1> of <account> does not exist."


def test_management_operations_keep_only_the_topmost_members_of_the_answer() -> None:
    exchange = recorded("CreateUserPool", {}, Outcome(200, {"UserPool": {"Id": "x"}}))

    assert exchange["answer"] == {"UserPool": "..."}


def test_a_recording_that_was_written_is_read_back(tmp_path: Any) -> None:
    recording = Recording("name", "4.1", [{"operation": "GetUser"}], {"case": "tokens"})

    recording.write(tmp_path)

    assert read(tmp_path) == {"name": recording}


def test_committed_recordings_hold_no_token_and_no_id() -> None:
    telling = re.compile(
        r"eyJ|[a-z]+-[a-z]+-\d_[0-9A-Za-z]+|\b[0-9a-z]{26}\b|[0-9A-Za-z+/_-]{40,}|[a-f0-9]{8}-[a-f0-9]{4}"
    )
    texts = {path: path.read_text(encoding="utf-8") for path in RECORDINGS.glob("*/*.json")}

    assert texts != {}
    assert {
        path.name: telling.findall(strings_of(text))
        for path, text in texts.items()
        if telling.search(strings_of(text))
    } == {}


def strings_of(text: str) -> str:
    """Every value of a recording, but for its own name."""
    value = json.loads(text)
    del value["scenario"]
    return json.dumps(value)


def test_local_cognito_has_a_recording_of_each_scenario_and_no_other() -> None:
    assert set(read(RECORDINGS / "local")) == {each.name for each in SCENARIOS}
