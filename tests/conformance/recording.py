"""What is kept of each exchange with a server, without its secrets.

Rule of this file: a value is replaced by a placeholder unless its name is on a list of names whose values are
public. A name that Cognito adds tomorrow is therefore hidden, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs

RECORDINGS = Path(__file__).parents[1] / "recordings"

# Members whose values are names of the API, never data of a user, a pool or an account.
_PUBLIC = frozenset(
    [
        "AllowedFirstAuthFactors",
        "ANSWER",
        "AttributeName",
        "AuthFlow",
        "AvailableChallenges",
        "CHALLENGE_NAME",
        "ChallengeName",
        "ConfiguredUserAuthFactors",
        "DeliveryMedium",
        "DeviceRememberedStatus",
        "ExplicitAuthFlows",
        "Feature",
        "MFAS_CAN_CHOOSE",
        "MFAS_CAN_SETUP",
        "MessageAction",
        "MfaConfiguration",
        "Name",
        "PREFERRED_CHALLENGE",
        "PreferredMfaSetting",
        "PreventUserExistenceErrors",
        "RelyingPartyId",
        "Status",
        "TokenType",
        "UserMFASettingList",
        "UserStatus",
        "UserVerification",
        "requiredAttributes",
        "type",
    ]
)
_SHORTEST_TO_REPLACE = 4  # a shorter value would be found within the words of a text by chance
_ACCOUNT = re.compile(r"\b\d{12}\b")


def is_management(operation: str) -> bool:
    """Whether an operation needs AWS credentials. Not read from the service model, because older ones are wrong
    about GetTokensFromRefreshToken."""
    return operation.startswith("Admin") or "UserPool" in operation


@attrs.frozen
class Outcome:
    """What the server made of one call."""

    status: int
    answer: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    code: str | None = None
    text: str = ""

    @property
    def accepted(self) -> bool:
        return self.code is None


@attrs.define
class Recorder:
    """The exchanges of one scenario, with values replaced by placeholders.

    The same value has the same placeholder wherever it occurs, so that a reader sees which Session was sent.
    """

    exchanges: list[dict[str, Any]] = attrs.field(factory=list[dict[str, Any]])
    _placeholders: dict[str, str] = attrs.field(factory=dict[str, str])
    _counts: dict[str, int] = attrs.field(factory=dict[str, int])

    def add(self, operation: str, sent: Mapping[str, Any], outcome: Outcome) -> None:
        """Keep one exchange. The answers of management operations describe whole pools: only their topmost
        members are kept."""
        exchange: dict[str, Any] = {"operation": operation, "sent": self.shape(sent)}
        exchange["status"] = outcome.status
        if outcome.code is not None:
            exchange["error"] = {"code": outcome.code, "text": self.clean(outcome.text)}
        elif not is_management(operation):
            exchange["answer"] = dict(sorted(self.shape(outcome.answer).items()))
        else:
            exchange["answer"] = dict.fromkeys(sorted(outcome.answer), "...")
        self.exchanges.append(exchange)

    def shape(self, value: Any, name: str = "") -> Any:
        """The value with placeholders in place of data."""
        if isinstance(value, Mapping):
            return {key: self.shape(each, key) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.shape(each, name) for each in value]
        if value is None or isinstance(value, (bool, int)) or value in {"", "true", "false"}:
            return value
        if isinstance(value, datetime) or name == "TIMESTAMP":
            return "<time>"
        return str(value) if name in _PUBLIC else self._placeholder(str(value), name)

    def clean(self, text: str) -> str:
        """The text of an error, with the values in it replaced."""
        for value in sorted(self._placeholders, key=len, reverse=True):
            if len(value) >= _SHORTEST_TO_REPLACE:
                text = text.replace(value, self._placeholders[value])
        return _ACCOUNT.sub("<account>", text)

    def _placeholder(self, value: str, name: str) -> str:
        if value not in self._placeholders:
            self._counts[name] = self._counts.get(name, 0) + 1
            self._placeholders[value] = f"<{name} {self._counts[name]}>"
        return self._placeholders[value]


@attrs.frozen
class Recording:
    """One scenario as one server answered it.

    Attributes:
        answers: The answers to an open question, by the case they are about.
        stopped: Why it could not be run to its end; None if it was.
    """

    scenario: str
    section: str
    exchanges: Sequence[Mapping[str, Any]]
    answers: Mapping[str, str]
    stopped: str | None = None

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(attrs.asdict(self), indent=1, ensure_ascii=False)
        (folder / f"{self.scenario}.json").write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> dict[str, Recording]:
    """The recordings of a server, by the name of the scenario."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    return {each["scenario"]: Recording(**each) for each in found}
