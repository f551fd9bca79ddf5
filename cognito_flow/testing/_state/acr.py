"""How strong a sign-in was: the claims acr and amr.

Rule of this file: the factors that satisfy a level are fixed; a pool only names the levels.

Source: "Authentication levels with ACR and AMR claims" in the Amazon Cognito developer guide.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import UserPool
from cognito_flow.testing._state.refusal import Refusal, invalid_parameter

COMBINATIONS = {
    1: (("pwd",),),
    2: (("sms",), ("email_otp",)),
    3: (("passkey",), ("pwd", "sms"), ("pwd", "email_otp")),
    4: (("pwd", "otp"),),
}
"""The factors that satisfy each level, in the order in which a sign-in asks for them."""

_PASSKEYS = {"swk", "hwk"}  # in a platform authenticator, in a roaming one


def factors(amr: Iterable[str]) -> set[str]:
    """The factors that an amr claim lists."""
    return {"passkey" if method in _PASSKEYS else method for method in amr} - {"mfa"}


def level(completed: Collection[str]) -> int:
    """The highest level that these factors satisfy; 0 if they satisfy none."""
    satisfied = (
        number
        for number, combinations in COMBINATIONS.items()
        if any(set(combination) <= set(completed) for combination in combinations)
    )
    return max(satisfied, default=0)


def configuration(members: Members) -> Members:
    """The AcrConfiguration of a pool with these members: the default names where there are no others.

    Raises:
        Refusal: Two levels have the same name, or the feature plan has only the default names.
    """
    custom = members.get("AcrConfiguration", {})
    if custom and members.get("UserPoolTier") == "LITE":
        text = "AcrConfiguration is not available in this feature plan."
        raise Refusal("FeatureUnavailableInTierException", text)
    defaults = {f"Level{number}": {"AcrValue": f"urn:cognito:loa:{number}"} for number in COMBINATIONS}
    effective = {**defaults, **custom}
    if len({entry["AcrValue"] for entry in effective.values()}) < len(COMBINATIONS):
        raise invalid_parameter("Each AcrValue must be unique.")
    return effective


def names(pool: UserPool) -> dict[str, int]:
    """The levels of a pool, by their names in the claim acr."""
    effective = configuration(pool.members)
    return {effective[f"Level{number}"]["AcrValue"]: number for number in COMBINATIONS}


def claims(pool: UserPool, amr: list[str]) -> dict[str, object]:
    """The claims acr and amr of a sign-in that used these methods."""
    completed = factors(amr)
    reached = [name for name, number in names(pool).items() if number == level(completed)]
    together = ["mfa"] if len(completed) > 1 else []
    return {**({"acr": reached[0]} if reached else {}), "amr": [*dict.fromkeys(amr), *together]}
