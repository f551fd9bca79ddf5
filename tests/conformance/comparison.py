"""What differs between two recordings: accepted or refused, error code, text, keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from tests.conformance.recording import Recording

NOTHING = "-"


@attrs.frozen(order=True)
class Difference:
    """One difference, apart from the scenario in which it was found: the same one is explained once."""

    call: str
    what: str
    left: str
    right: str


def differences(left: Mapping[str, Recording], right: Mapping[str, Recording]) -> dict[Difference, list[str]]:
    """The differences of the scenarios that both servers ran, each with the scenarios that show it."""
    found: dict[Difference, list[str]] = {}
    for name in sorted(left.keys() & right.keys()):
        for difference in compare(left[name], right[name]):
            scenarios = found.setdefault(difference, [])
            if name not in scenarios:
                scenarios.append(name)
    return found


def compare(left: Recording, right: Recording) -> Iterator[Difference]:
    """The differences of one scenario, exchange by exchange, up to where the two take different ways."""
    last: Difference | None = None
    for here, there in zip(left.exchanges, right.exchanges, strict=False):
        if call_of(here) != call_of(there):
            yield Difference(call_of(here), "way", call_of(here), call_of(there))
            return
        last = _difference(here, there)
        if last is not None:
            yield last
    # A scenario ends where it cannot continue: at the difference that was just reported.
    if len(left.exchanges) != len(right.exchanges) and last is None:
        shorter = min(len(left.exchanges), len(right.exchanges))
        ends = [(*map(call_of, each.exchanges), NOTHING)[shorter] for each in (left, right)]
        yield Difference(next(end for end in ends if end != NOTHING), "way", *ends)


def _difference(here: Mapping[str, Any], there: Mapping[str, Any]) -> Difference | None:
    outcomes = outcome_of(here), outcome_of(there)
    if outcomes[0] != outcomes[1]:
        return Difference(call_of(here), _kind(here, there), *outcomes)
    keys = keys_of(here.get("answer", {})), keys_of(there.get("answer", {}))
    if keys[0] != keys[1]:
        return Difference(call_of(here), "keys", _listed(keys[0] - keys[1]), _listed(keys[1] - keys[0]))
    return None


def _kind(here: Mapping[str, Any], there: Mapping[str, Any]) -> str:
    if ("error" in here) != ("error" in there):
        return "accepted"
    if "error" not in here:
        return "challenge"
    return "code" if here["error"]["code"] != there["error"]["code"] else "text"


def call_of(exchange: Mapping[str, Any]) -> str:
    """The operation, with the flow or the challenge that it was called for."""
    sent = exchange["sent"]
    return " ".join(filter(None, [exchange["operation"], sent.get("AuthFlow"), sent.get("ChallengeName")]))


def outcome_of(exchange: Mapping[str, Any]) -> str:
    """In a few words, what the server did: the error, the next challenge, tokens, or success."""
    if "error" in exchange:
        return f"{exchange['error']['code']}: {exchange['error']['text']}"
    answer = exchange["answer"]
    if answer.get("ChallengeName"):
        return str(answer["ChallengeName"])
    return "tokens" if "AuthenticationResult" in answer else "accepted"


def keys_of(answer: Any, prefix: str = "") -> set[str]:
    """The path of each member, however deep; the elements of a list count as one."""
    if isinstance(answer, Mapping):
        inner = {f"{prefix}{key}": value for key, value in answer.items()}
        return set(inner).union(*(keys_of(value, f"{path}.") for path, value in inner.items()))
    if isinstance(answer, list):
        return set[str]().union(*(keys_of(each, prefix) for each in answer))
    return set()


def _listed(keys: set[str]) -> str:
    """The outermost of these keys."""
    outer = [key for key in keys if not any(key.startswith(f"{other}.") for other in keys)]
    return ", ".join(sorted(outer)) or NOTHING
