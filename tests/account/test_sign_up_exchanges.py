"""The exchanges of sign-up and forgotten passwords, run by hand: what they call, without driver or service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_flow import (
    AppClient,
    CodeDelivery,
    Confirmed,
    InvalidInput,
    SignedIn,
    UnexpectedResponse,
    UsageError,
    UserContext,
)
from cognito_flow._turn import Settings, Turn
from cognito_flow.account import _sign_up
from cognito_flow.errors import FlowExpired, NotAuthorized, WrongCode
from tests.account.exchanges import APP, DELIVERED, DELIVERY, PASSWORD, SESSION, run
from tests.support.contract import check_call
from tests.support.conversation import DONE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cognito_flow._exchange import Exchange

NEXT_SESSION = "t" * 20


def turn(username: str = "alice", **settings: Any) -> Turn:
    """A turn of a user who is not signed in."""
    return Turn(settings=Settings(**{"app": APP, **settings}), username=username)


def confirm(session: str | None = None, code: str = "123456", *, force: bool = False) -> Any:
    """The exchange that confirms alice's sign-up."""
    return _sign_up.confirm_sign_up(turn(), code, session, force)


def test_sign_up_sends_attributes_and_validation_data_as_pairs() -> None:
    attributes = {"email": "a@example.com", "custom:x": ""}

    calls, signed_up = run(
        _sign_up.sign_up(turn(), PASSWORD, attributes, {"v": "1"}),
        {"UserSub": "sub", "UserConfirmed": False, "CodeDeliveryDetails": DELIVERY, "Session": SESSION},
    )

    assert [call.operation for call in calls] == ["SignUp"]
    assert calls[0].parameters == {
        "ClientId": "client",
        "Username": "alice",
        "SecretHash": APP.secret_hash("alice"),
        "Password": PASSWORD,
        "UserAttributes": [{"Name": "email", "Value": "a@example.com"}, {"Name": "custom:x", "Value": ""}],
        "ValidationData": [{"Name": "v", "Value": "1"}],
    }
    assert (signed_up.username, signed_up.user_sub, signed_up.confirmed) == ("alice", "sub", False)
    assert (signed_up.delivery, signed_up.session) == (DELIVERED, SESSION)


def test_sign_up_without_password_and_secret_sends_name_and_client_only() -> None:
    app = AppClient("eu-west-1_abc", "client")

    calls, signed_up = run(
        _sign_up.sign_up(turn(app=app), None, None, None), {"UserSub": "sub", "UserConfirmed": True}
    )

    assert calls[0].parameters == {"ClientId": "client", "Username": "alice"}
    assert (signed_up.confirmed, signed_up.delivery, signed_up.session) == (True, None, None)


EXCHANGES: dict[str, Any] = {
    "SignUp": lambda turn: _sign_up.sign_up(turn, PASSWORD, None, None),
    "ConfirmSignUp": lambda turn: _sign_up.confirm_sign_up(turn, "123456", None, False),
    "ResendConfirmationCode": _sign_up.resend_code,
    "ForgotPassword": _sign_up.forgot_password,
    "ConfirmForgotPassword": lambda turn: _sign_up.confirm_forgot_password(turn, "123456", PASSWORD),
}


@pytest.mark.parametrize("operation", EXCHANGES)
@pytest.mark.parametrize("admin", [False, True])
def test_each_call_carries_metadata_context_and_analytics(operation: str, admin: bool) -> None:
    """There is no Admin form, whatever the flow is."""
    context = UserContext("192.0.2.1", "encoded", server_name="s", server_path="/")
    bob = turn("bob", admin=admin, metadata={"a": "1"}, context=context, analytics_endpoint_id="endpoint")

    call = check_call(next(EXCHANGES[operation](bob)))

    assert call.operation == operation
    assert {
        "ClientId": "client",
        "Username": "bob",
        "SecretHash": APP.secret_hash("bob"),
        "ClientMetadata": {"a": "1"},
        "AnalyticsMetadata": {"AnalyticsEndpointId": "endpoint"},
        "UserContextData": {"IpAddress": "192.0.2.1", "EncodedData": "encoded"},
    }.items() <= dict(call.parameters).items()


@pytest.mark.parametrize("operation", EXCHANGES)
def test_empty_user_name_is_not_sent(operation: str) -> None:
    with pytest.raises(InvalidInput, match="user name is empty"):
        next(EXCHANGES[operation](turn("")))


# -- confirming --


def test_confirmation_signs_in_with_the_session_that_it_returned() -> None:
    calls, step = run(confirm(SESSION, " 123 456 ", force=True), {"Session": NEXT_SESSION}, DONE)

    assert [call.operation for call in calls] == ["ConfirmSignUp", "InitiateAuth"]
    assert {
        "ConfirmationCode": "123456",
        "Session": SESSION,
        "ForceAliasCreation": True,
    }.items() <= dict(calls[0].parameters).items()
    assert (calls[1].parameters["AuthFlow"], calls[1].parameters["Session"]) == ("USER_AUTH", NEXT_SESSION)
    assert isinstance(step, SignedIn)


def test_confirmation_whose_sign_in_cannot_be_read_gives_confirmed() -> None:
    calls, step = run(confirm(SESSION), {"Session": NEXT_SESSION}, {"ChallengeName": 5})

    assert [call.operation for call in calls] == ["ConfirmSignUp", "InitiateAuth"]
    assert step == Confirmed("alice")


def test_confirmation_without_a_session_gives_confirmed() -> None:
    calls, confirmed = run(confirm(), {})

    assert {"ForceAliasCreation", "Session"}.isdisjoint(calls[0].parameters)
    assert confirmed == Confirmed("alice")


def test_confirmation_by_user_name_alone_does_not_sign_in() -> None:
    """Cognito may return a Session even if none was sent: only the browser that signed up may use one."""
    calls, confirmed = run(confirm(), {"Session": NEXT_SESSION})

    assert [call.operation for call in calls] == ["ConfirmSignUp"]
    assert confirmed == Confirmed("alice")


def test_confirmation_that_returns_no_session_gives_confirmed() -> None:
    assert run(confirm(SESSION), {})[1] == Confirmed("alice")


def test_expired_session_is_left_out_the_second_time() -> None:
    calls, confirmed = run(confirm(SESSION, force=True), FlowExpired("expired"), {})

    assert [call.operation for call in calls] == ["ConfirmSignUp", "ConfirmSignUp"]
    assert dict(calls[0].parameters) == {**calls[1].parameters, "Session": SESSION}
    assert confirmed == Confirmed("alice")


def test_refused_sign_in_after_a_confirmation_gives_confirmed() -> None:
    assert run(confirm(SESSION), {"Session": NEXT_SESSION}, NotAuthorized("no"))[1] == Confirmed("alice")


def test_wrong_code_is_raised() -> None:
    with pytest.raises(WrongCode):
        run(confirm(SESSION), WrongCode("no"))


# -- forgotten passwords --


def test_new_password_and_code_go_in_one_call() -> None:
    calls, _ = run(_sign_up.confirm_forgot_password(turn(), "12 34 56", PASSWORD), {})

    assert (calls[0].parameters["ConfirmationCode"], calls[0].parameters["Password"]) == ("123456", PASSWORD)


@pytest.mark.parametrize("operation", ["ForgotPassword", "ResendConfirmationCode"])
@pytest.mark.parametrize(
    ("details", "expected"), [(DELIVERY, DELIVERED), ({}, CodeDelivery(None, None, None))]
)
def test_delivery_is_read(operation: str, details: Mapping[str, str], expected: CodeDelivery) -> None:
    assert run(EXCHANGES[operation](turn()), {"CodeDeliveryDetails": details})[1] == expected


# -- responses that cannot be read --

UNREADABLE: list[tuple[str, dict[str, object], str]] = [
    ("ForgotPassword", {}, "without CodeDeliveryDetails"),
    ("ResendConfirmationCode", {"CodeDeliveryDetails": None}, "without CodeDeliveryDetails"),
    ("SignUp", {"UserConfirmed": True}, "without UserSub"),
    ("SignUp", {"UserSub": None}, "without UserSub"),
    ("SignUp", {"UserSub": "s", "Session": "\ud800" * 20}, "Session with a lone surrogate"),
    (
        "ForgotPassword",
        {"CodeDeliveryDetails": {"Destination": "\udfff"}},
        "Destination with a lone surrogate",
    ),
]


@pytest.mark.parametrize(("operation", "data", "message"), UNREADABLE)
def test_unreadable_response_raises_unexpected_response_that_maybe_was_processed(
    operation: str, data: dict[str, object], message: str
) -> None:
    with pytest.raises(UnexpectedResponse, match=message) as caught:
        run(EXCHANGES[operation](turn()), data)

    assert caught.value.maybe_processed


def test_null_members_are_none_and_never_the_text_none() -> None:
    data = {"UserSub": "s", "UserConfirmed": None, "CodeDeliveryDetails": None, "Session": None}

    signed_up = run(EXCHANGES["SignUp"](turn()), data)[1]

    assert (signed_up.confirmed, signed_up.delivery, signed_up.session) == (False, None, None)


# -- arguments that cannot be meant --

WRONG: Any = 7


@pytest.mark.parametrize(
    ("exchange", "message"),
    [
        (lambda: _sign_up.sign_up(turn(), "", None, None), "the password is empty"),
        (lambda: _sign_up.sign_up(turn(), None, {"": "x"}, None), "the name of an attribute is empty"),
        (
            lambda: _sign_up.sign_up(turn(), None, {"email": WRONG}, None),
            "the value of email must be a str, not int",
        ),
        (
            lambda: _sign_up.sign_up(turn(), None, None, {"": "x"}),
            "the name of an item of validation data is empty",
        ),
        (lambda: confirm(code="  "), "the code is empty"),
        (lambda: confirm(session=""), "the session is empty"),
        (lambda: _sign_up.confirm_forgot_password(turn(), "", PASSWORD), "the code is empty"),
        (lambda: _sign_up.confirm_forgot_password(turn(), "1", ""), "the new password is empty"),
    ],
    ids=[
        "password",
        "name of an attribute",
        "value of an attribute",
        "name of validation data",
        "code of a sign-up",
        "session",
        "code of a forgotten password",
        "new password",
    ],
)
def test_wrong_argument_is_not_sent_and_named(exchange: Callable[[], Exchange[Any]], message: str) -> None:
    with pytest.raises((InvalidInput, UsageError)) as caught:
        next(exchange())

    assert message in str(caught.value)


@given(st.text(st.characters(exclude_categories=())))
def test_password_is_sent_unchanged_or_refused_without_quoting_it(password: str) -> None:
    exchange = _sign_up.sign_up(turn(), password, None, None)

    if password and password == password.encode(errors="replace").decode():
        assert check_call(next(exchange)).parameters["Password"] == password
    else:
        with pytest.raises(InvalidInput, match=r"^the password (is empty|\w+ a lone surrogate[\w :,-]+)$"):
            next(exchange)
