"""Sign-up and a forgotten password, as exchanges: the calls of users who are not signed in.

Rule of this file: no I/O; time and randomness are passed in. What every call carries is added by the turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from cognito_flow import _engine
from cognito_flow._checks import check_code, check_text
from cognito_flow._engine import Step
from cognito_flow._exchange import Exchange
from cognito_flow._turn import Turn
from cognito_flow.account._members import name_value_pairs, need_object, text
from cognito_flow.account._records import CodeDelivery, Confirmed, SignedUp
from cognito_flow.credentials import UserAuth
from cognito_flow.errors import CognitoFlowError, FlowExpired, UsageError


def username_of(signed_up: SignedUp | str) -> str:
    """The user name of a sign-up, or the given one.

    Raises:
        UsageError: It is neither.
    """
    if isinstance(signed_up, SignedUp):
        return signed_up.username
    if not isinstance(signed_up, str):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
        raise UsageError(
            f"pass the SignedUp of flow.sign_up, or the user name, not {type(signed_up).__name__}"
        )
    return signed_up


def sign_up(
    turn: Turn,
    password: str | None,
    attributes: Mapping[str, str] | None,
    validation_data: Mapping[str, str] | None,
) -> Exchange[SignedUp]:
    """SignUp."""
    request: dict[str, object] = {}
    if password is not None:
        request["Password"] = check_text("the password", password)
    if attributes:
        request["UserAttributes"] = name_value_pairs("attribute", attributes)
    if validation_data:
        request["ValidationData"] = name_value_pairs("item of validation data", validation_data)
    response = yield from turn.call_for_client("SignUp", request)
    return SignedUp.read(turn.username, response.data)


def confirm_sign_up(
    turn: Turn, code: str, session: str | None, force_alias_creation: bool
) -> Exchange[Step | Confirmed]:
    """ConfirmSignUp and, if the sign-up has a Session, the sign-in that goes with it."""
    confirmed = yield from _confirm(turn, code, session, force_alias_creation)
    if session is None or confirmed is None:
        return Confirmed(turn.username)
    try:
        return (yield from _engine.start(turn, UserAuth(turn.username, session=confirmed)))
    except CognitoFlowError:
        # The user is confirmed. An error here would look like a failed confirmation, whose repetition Cognito
        # refuses; the sign-in page works.
        return Confirmed(turn.username)


def _confirm(turn: Turn, code: str, session: str | None, force_alias_creation: bool) -> Exchange[str | None]:
    """ConfirmSignUp. The result is the Session of the sign-in.

    A Session expires within minutes, long before the code does, which then works without it.
    """
    request: dict[str, object] = {"ConfirmationCode": check_code(code)}
    if force_alias_creation:
        request["ForceAliasCreation"] = True
    if session is not None:
        proof = {"Session": check_text("the session", session)}
        try:
            response = yield from turn.call_for_client("ConfirmSignUp", {**request, **proof})
            return text(response.data, "Session")
        except FlowExpired:
            pass
    yield from turn.call_for_client("ConfirmSignUp", request)
    return None


def resend_code(turn: Turn) -> Exchange[CodeDelivery]:
    """ResendConfirmationCode."""
    response = yield from turn.call_for_client("ResendConfirmationCode", {})
    return CodeDelivery.read(need_object(response.data, "CodeDeliveryDetails"))


def forgot_password(turn: Turn) -> Exchange[CodeDelivery]:
    """ForgotPassword."""
    response = yield from turn.call_for_client("ForgotPassword", {})
    return CodeDelivery.read(need_object(response.data, "CodeDeliveryDetails"))


def confirm_forgot_password(turn: Turn, code: str, new_password: str) -> Exchange[None]:
    """ConfirmForgotPassword."""
    request = {"ConfirmationCode": check_code(code), "Password": check_text("the new password", new_password)}
    yield from turn.call_for_client("ConfirmForgotPassword", request)


def signed_up_to_json(signed_up: SignedUp) -> dict[str, object]:
    """A sign-up as JSON values, its session in clear text."""
    return attrs.asdict(signed_up)


def signed_up_from_json(values: Mapping[str, Any]) -> SignedUp:
    """Read what `signed_up_to_json` wrote, out of a seal that guarantees its form."""
    delivery = values["delivery"]
    read: dict[str, Any] = {**values, "delivery": None if delivery is None else CodeDelivery(**delivery)}
    return SignedUp(**read)
