"""Step-up: a sign-in that must reach a level, and may count the factors behind an access token.

Rule of this file: it decides which factors the sign-in still needs. Asking for them is left to the factors.

Sources: "Step-up authentication with the USER_AUTH flow" in the Amazon Cognito developer guide, and
AuthParameters of InitiateAuth in the service model. They do not say with which error a request is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import attrs

from cognito_flow.testing._operations.authentication.sign_in import SignIn
from cognito_flow.testing._state import Members, acr
from cognito_flow.testing._state.refusal import invalid_parameter, not_authorized
from cognito_flow.testing._state.tokens import user_of_access_token

_SECONDS = re.compile(r"[0-9]{1,18}")

FIRST_FACTORS = {
    "pwd": ("PASSWORD_SRP", "PASSWORD"),
    "sms": ("SMS_OTP",),
    "email_otp": ("EMAIL_OTP",),
    "passkey": ("WEB_AUTHN",),
}
"""The first factors that complete a factor of a level."""

SECOND_FACTORS = {"otp": "SOFTWARE_TOKEN_MFA", "sms": "SMS_MFA", "email_otp": "EMAIL_OTP"}
"""The second factor that completes a factor of a level."""


def aim(sign_in: SignIn, first: Collection[str], second: Collection[str], needs_mfa: bool) -> None:
    """Set which factors the sign-in must complete, if TARGET_ACR_VALUES asks for a level.

    Args:
        sign_in: The sign-in of a user who exists.
        first: The first factors that the user can begin with.
        second: The second factors that the user can be asked for.
        needs_mfa: Whether the user must complete a second factor anyway.

    Raises:
        Refusal: No level is known, the user lacks the factors for each of them, the access token is not the
            user's, or it has reached the level.
    """
    wanted = sign_in.values.get("TARGET_ACR_VALUES", "").split()
    if not wanted:
        if "ACCESS_TOKEN" in sign_in.values:
            raise invalid_parameter("ACCESS_TOKEN requires TARGET_ACR_VALUES.")
        return
    levels = [number for name in wanted if (number := acr.names(sign_in.pool).get(name)) is not None]
    if not levels:
        raise invalid_parameter("None of the requested ACR values is valid.")
    amr = _credited(sign_in)
    completed = acr.factors(amr)
    begins = completed | {name for name, choices in FIRST_FACTORS.items() if set(choices) & set(first)}
    follows = completed | {name for name, choice in SECOND_FACTORS.items() if choice in second}
    for level in levels:
        # MFA is a floor: a user who must complete a second factor may end above the level.
        numbers = [number for number in acr.COMBINATIONS if number == level or (needs_mfa and number > level)]
        target = [
            list(combination)
            for number in numbers
            for combination in acr.COMBINATIONS[number]
            if combination[0] in begins and follows.issuperset(combination[1:])
        ]
        if target:
            if acr.level(completed) >= level:
                raise invalid_parameter("The access token has already reached the requested ACR level.")
            sign_in.progress = attrs.evolve(sign_in.progress, target=target, amr=amr)
            return
    raise invalid_parameter("The user has no factors that satisfy a requested ACR level.")


def _credited(sign_in: SignIn) -> list[str]:
    """The methods behind the access token, unless they were used longer than MAX_AGE ago."""
    token, max_age = sign_in.values.get("ACCESS_TOKEN"), sign_in.values.get("MAX_AGE")
    if max_age is not None and not _SECONDS.fullmatch(max_age):
        raise invalid_parameter("MAX_AGE must be a number of seconds.")
    if token is None:
        return []
    claims = _claims(sign_in, token)
    is_too_old = max_age is not None and sign_in.now.timestamp() - claims["auth_time"] > int(max_age)
    return [] if is_too_old else [method for method in claims.get("amr", ()) if method != "mfa"]


def _claims(sign_in: SignIn, token: str) -> Members:
    if not sign_in.pool.keys.has_signed(token):
        raise not_authorized("Invalid Access Token")
    user, _ = user_of_access_token(sign_in.pool, token, sign_in.now)
    if user is not sign_in.user:
        raise not_authorized("Invalid Access Token")
    return sign_in.pool.keys.read(token)


def first_factors(sign_in: SignIn) -> set[str]:
    """The first factors that lead to the level; none if the access token has one of them to its credit."""
    completed = acr.factors(sign_in.progress.amr)
    begins = {combination[0] for combination in sign_in.progress.target}
    return set() if begins & completed else {name for factor in begins for name in FIRST_FACTORS[factor]}


def second_factors(sign_in: SignIn) -> list[str]:
    """The second factors that lead to the level after what is completed; none if it is reached."""
    completed = acr.factors(sign_in.progress.amr)
    begun = [combination for combination in sign_in.progress.target if combination[0] in completed]
    if any(completed.issuperset(combination) for combination in begun):
        return []
    return [SECOND_FACTORS[factor] for combination in begun for factor in combination[1:]]
