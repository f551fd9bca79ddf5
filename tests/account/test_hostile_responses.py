"""Responses of any shape: an account call returns a record that can be shown, or raises a typed error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_flow import CognitoFlowError, MfaType, UnexpectedResponse, WrongCode
from cognito_flow._exchange import Call, Exchange, Response
from cognito_flow._turn import Settings, Turn
from cognito_flow.account import _sign_up
from cognito_flow.account._exchanges import AccountExchanges, authorized
from tests.account.exchanges import APP, SESSION, TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MEMBERS = [
    *(
        "AttributeName",
        "AuthenticatorTransports",
        "ChallengeName",
        "CodeDeliveryDetails",
        "ConfiguredUserAuthFactors",
    ),
    *("CodeDeliveryDetailsList", "CreatedAt", "CredentialCreationOptions", "CredentialId", "Credentials"),
    *(
        "Destination",
        "Device",
        "DeviceAttributes",
        "DeviceKey",
        "Devices",
        "LastLocation",
        "Name",
        "NextToken",
    ),
    *("PaginationToken", "PreferredMfaSetting", "SecretCode", "Session", "SessionId", "Sessions", "Status"),
    *("UserAttributes", "UserConfirmed", "UserMFASettingList", "UserSub", "Username", "Value"),
]
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4),
    max_leaves=8,
)
READABLE: dict[str, object] = {
    "CodeDeliveryDetails": {},
    "CredentialCreationOptions": {},
    "Device": {"DeviceKey": "key"},
    "SecretCode": "secret",
    "Status": "SUCCESS",
    "UserSub": "sub",
    "Username": "alice",
}
DATA = st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=3).map(lambda spoilt: {**READABLE, **spoilt})


def turn() -> Turn:
    """A turn of a user who is not signed in."""
    return Turn(settings=Settings(app=APP), username="alice")


def account() -> AccountExchanges:
    """The exchanges of alice."""
    return AccountExchanges(Settings(app=APP), TOKENS)


EXCHANGES: dict[str, Callable[[], Exchange[Any]]] = {
    "sign_up": lambda: _sign_up.sign_up(turn(), None, None, None),
    "confirm_sign_up": lambda: _sign_up.confirm_sign_up(turn(), "123456", SESSION, False),
    "resend_code": lambda: _sign_up.resend_code(turn()),
    "user": lambda: account().profile(),
    "update_attributes": lambda: account().update_attributes({"name": "Alice"}),
    "send_attribute_code": lambda: account().send_attribute_code("email"),
    "auth_factors": lambda: account().auth_factors(),
    "enrol_totp": lambda: account().enrol_totp(),
    "confirm_totp": lambda: account().confirm_totp("123456", None, True),
    "set_mfa": lambda: account().set_mfa(MfaType.SMS_MFA, (), None),
    "start_passkey": lambda: account().start_passkey(),
    "passkeys": lambda: account().passkeys(),
    "devices": lambda: account().devices(),
    "device": lambda: account().device("key"),
    "sessions": lambda: account().sessions(),
}


def texts(value: object) -> list[str]:
    """All texts in a result."""
    if attrs.has(type(value)):
        return texts(attrs.asdict(value, recurse=False))  # type: ignore[arg-type]  # has() has checked it
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in texts(item)]
    if isinstance(value, list | tuple | set):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


def result_of(exchange: Exchange[Any], data: Mapping[str, object]) -> object:
    """The result, if each call is answered with the same data."""
    try:
        next(exchange)
        for _ in range(200):
            exchange.send(Response(data))
    except StopIteration as stop:
        return stop.value
    raise AssertionError("the exchange does not end")


@pytest.mark.parametrize("name", EXCHANGES)
def test_readable_response_gives_a_record(name: str) -> None:
    """Guards the test below against responses that no call can read."""
    result_of(EXCHANGES[name](), READABLE if name != "confirm_sign_up" else {})


@given(name=st.sampled_from(sorted(EXCHANGES)), data=DATA)
def test_any_response_gives_an_encodable_record_or_a_typed_error(name: str, data: dict[str, object]) -> None:
    exchange = EXCHANGES[name]()
    if name not in ("sign_up", "confirm_sign_up", "resend_code"):
        exchange = authorized(exchange, TOKENS.access_token)

    try:
        result = result_of(exchange, data)
    except (UnexpectedResponse, WrongCode):
        return
    if name != "start_passkey":  # its options go to the browser as JSON, in which a surrogate is escaped
        "".join(texts(result)).encode()
    assert "None" not in texts(result)


@given(data=DATA)
def test_any_error_of_a_call_leaves_the_exchange_as_it_came(data: dict[str, object]) -> None:
    exchange = authorized(account().set_mfa(MfaType.SMS_MFA, (), None), TOKENS.access_token)
    error = CognitoFlowError(str(data))

    assert isinstance(next(exchange), Call)
    with pytest.raises(CognitoFlowError) as raised:
        exchange.throw(error)
    assert raised.value is error
