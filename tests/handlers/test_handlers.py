"""The handlers alone: what they read, what they answer, and what they refuse before anything is sent."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any, cast

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_flow import (
    AdminNoSrpAuth,
    CognitoFlowError,
    CustomChallenge,
    Device,
    DevicePasswordVerifier,
    DeviceSrpAuth,
    EmailOtp,
    FirstFactor,
    InvalidInput,
    MfaSetup,
    MfaType,
    NewPasswordRequired,
    Password,
    PasswordSrp,
    PasswordVerifier,
    Pending,
    SelectChallenge,
    SelectMfaType,
    SmsMfa,
    SmsOtp,
    SoftwareTokenMfa,
    TotpSetup,
    UnexpectedResponse,
    UnknownChallenge,
    UsageError,
    WebAuthn,
)
from cognito_flow.handlers import HANDLERS, read_challenge
from tests.handlers.challenges import pending

NAMES = sorted({str(handler.name) for handler in HANDLERS})


@pytest.mark.parametrize(
    ("handler", "key"),
    [
        (SmsMfa, "SMS_MFA_CODE"),
        (EmailOtp, "EMAIL_OTP_CODE"),
        (SmsOtp, "SMS_OTP_CODE"),
        (SoftwareTokenMfa, "SOFTWARE_TOKEN_MFA_CODE"),
    ],
)
def test_code_is_sent_under_the_key_of_its_challenge(
    handler: type[SmsMfa | EmailOtp | SmsOtp | SoftwareTokenMfa], key: str
) -> None:
    """Cognito refuses a code under another challenge's key, and may send a new message."""
    assert handler.parse(pending(handler.name)).answer(" 123 456 ").responses == {key: "123456"}


@pytest.mark.parametrize("code", ["", " ", "\n"])
def test_empty_code_is_refused(code: str) -> None:
    """Cognito would count it as a wrong one."""
    with pytest.raises(InvalidInput, match="code"):
        SmsMfa.parse(pending("SMS_MFA")).answer(code)


def test_code_of_type_int_is_refused() -> None:
    """Its leading zeros would be lost."""
    with pytest.raises(UsageError, match="int"):
        SmsMfa.parse(pending("SMS_MFA")).answer(123456)  # type: ignore[arg-type]  # what callers do


def test_lone_surrogate_is_refused_without_showing_the_password() -> None:
    """UTF-8 cannot encode it, and Python's own error would quote the password."""
    with pytest.raises(InvalidInput, match="surrogate") as refused:
        Password.parse(pending("PASSWORD")).answer("secret\ud800")
    assert "secret" not in str(refused.value)


def test_password_is_sent_for_password_and_kept_for_password_srp() -> None:
    clear = Password.parse(pending("PASSWORD")).answer("pw")
    proved = PasswordSrp.parse(pending("PASSWORD_SRP")).answer("pw")

    assert clear.responses == {"PASSWORD": "pw"}
    assert (proved.responses, proved.password) == ({}, "pw")
    assert "pw" not in repr((clear, proved)).replace("pending", "")


@pytest.mark.parametrize("handler", [PasswordVerifier, DeviceSrpAuth, DevicePasswordVerifier])
def test_internal_challenges_are_answered_automatically(
    handler: type[PasswordVerifier | DeviceSrpAuth | DevicePasswordVerifier],
) -> None:
    challenge = handler.parse(pending(handler.name))

    assert challenge.auto().challenge is challenge


def test_admin_no_srp_auth_sends_the_password() -> None:
    challenge = AdminNoSrpAuth.parse(pending("ADMIN_NO_SRP_AUTH"))

    assert challenge.answer("pw").responses == {"PASSWORD": "pw"}


def new_password(required: object = (), attributes: object = None) -> NewPasswordRequired:
    """NEW_PASSWORD_REQUIRED with these parameters."""
    parameters = {"requiredAttributes": json.dumps(required), "userAttributes": json.dumps(attributes or {})}
    return NewPasswordRequired.parse(pending("NEW_PASSWORD_REQUIRED", parameters))


def test_attribute_names_have_the_prefix_on_the_wire_only() -> None:
    challenge = new_password(["userAttributes.name", "userAttributes.email"], {"email": "a@b.c", "name": ""})
    answer = challenge.answer("New1", {"name": "Al", "userAttributes.custom:x": "1"})

    assert challenge.missing_attributes == ("name",)
    assert answer.responses == {
        "NEW_PASSWORD": "New1",
        "userAttributes.name": "Al",
        "userAttributes.custom:x": "1",
    }


def test_new_password_without_parameters_requires_no_attributes() -> None:
    challenge = NewPasswordRequired.parse(pending("NEW_PASSWORD_REQUIRED"))

    assert (challenge.required_attributes, challenge.attributes) == ((), {})


def test_changing_a_required_attribute_raises_usage_error() -> None:
    """Cognito would answer "Cannot modify an already provided email"."""
    with pytest.raises(UsageError, match="'email'"):
        new_password(["userAttributes.email"], {"email": "a@b.c"}).answer("New1", {"email": "x"})


@pytest.mark.parametrize("name", ["nickname", "email_verified"])
def test_what_is_not_documented_is_left_to_cognito(name: str) -> None:
    answer = new_password(["userAttributes.email"], {"email": "a@b.c", name: "old"}).answer(
        "New1", {name: "x"}
    )

    assert answer.responses[f"userAttributes.{name}"] == "x"


def test_empty_value_of_an_attribute_that_is_not_required_is_left_to_cognito() -> None:
    answer = new_password(["userAttributes.email"], {"email": "a@b.c"}).answer("New1", {"nickname": ""})

    assert answer.responses["userAttributes.nickname"] == ""


def test_attribute_without_a_value_is_missing() -> None:
    challenge = new_password(["userAttributes.name"], {"name": None})

    assert challenge.missing_attributes == ("name",)


@pytest.mark.parametrize(("required", "attributes"), [("x", {}), ([1], {}), ([], [1]), ({}, {})])
def test_unreadable_attributes_raise_unexpected_response(required: object, attributes: object) -> None:
    parameters = {"requiredAttributes": json.dumps(required), "userAttributes": json.dumps(attributes)}
    with pytest.raises(UnexpectedResponse):
        NewPasswordRequired.parse(pending("NEW_PASSWORD_REQUIRED", parameters))


def test_choice_that_the_library_does_not_know_can_be_chosen() -> None:
    """It stays a string."""
    challenge = SelectMfaType.parse(pending("SELECT_MFA_TYPE", {"MFAS_CAN_SELECT": '["SMS_MFA", "NEW_MFA"]'}))

    assert challenge.choices == (MfaType.SMS_MFA, "NEW_MFA")
    assert challenge.answer("NEW_MFA").responses == {"ANSWER": "NEW_MFA"}
    assert challenge.answer(MfaType.SMS_MFA).responses == {"ANSWER": "SMS_MFA"}
    with pytest.raises(InvalidInput, match="SMS_MFA, NEW_MFA"):
        challenge.answer("EMAIL_OTP")


def test_every_second_factor_can_be_chosen_if_the_choices_are_unknown() -> None:
    """A front end may have kept only the Session."""
    challenge = SelectMfaType.parse(pending("SELECT_MFA_TYPE"))

    assert challenge.choices == ()
    assert challenge.answer(MfaType.EMAIL_OTP).responses == {"ANSWER": "EMAIL_OTP"}
    assert challenge.answer("NEW_MFA").responses == {"ANSWER": "NEW_MFA"}
    with pytest.raises(InvalidInput, match="the choice is empty"):
        challenge.answer("")


def test_codes_by_email_are_chosen_by_the_name_with_which_they_were_offered() -> None:
    """The service model has both names."""
    for offered in ("EMAIL_OTP", "EMAIL_MFA"):
        challenge = SelectMfaType.parse(pending("SELECT_MFA_TYPE", {"MFAS_CAN_CHOOSE": f'["{offered}"]'}))
        assert challenge.answer(MfaType.EMAIL_OTP).responses == {"ANSWER": offered}


def test_codes_by_email_are_set_up_by_either_name() -> None:
    for offered in ("EMAIL_OTP", "EMAIL_MFA"):
        challenge = MfaSetup.parse(pending("MFA_SETUP", {"MFAS_CAN_SETUP": f'["{offered}"]'}))
        assert challenge.answer_email("a@b.c").responses == {"EMAIL": "a@b.c"}


def test_every_choice_is_sent_if_the_choices_are_unknown() -> None:
    """An older botocore drops AvailableChallenges."""
    challenge = SelectChallenge.parse(pending("SELECT_CHALLENGE"))

    assert challenge.choices == ()
    assert challenge.answer("EMAIL_OTP").responses == {"ANSWER": "EMAIL_OTP"}
    assert challenge.answer_password("pw").responses == {"ANSWER": "PASSWORD", "PASSWORD": "pw"}
    with pytest.raises(InvalidInput, match="empty"):
        challenge.answer("")


FACTORS = ("EMAIL_OTP", "PASSWORD", "PASSWORD_SRP", "WEB_AUTHN")


def test_another_first_factor_is_chosen_with_select_challenge() -> None:
    challenge = EmailOtp.parse(pending("EMAIL_OTP", None, *FACTORS))

    answer = challenge.answer_with(FirstFactor.WEB_AUTHN)

    assert challenge.other_factors == (FirstFactor.PASSWORD, FirstFactor.PASSWORD_SRP, FirstFactor.WEB_AUTHN)
    assert answer.challenge.pending.name == "SELECT_CHALLENGE"
    assert answer.responses == {"ANSWER": "WEB_AUTHN"}


def test_another_first_factor_takes_the_password() -> None:
    challenge = EmailOtp.parse(pending("EMAIL_OTP", None, *FACTORS))

    assert challenge.answer_with("PASSWORD", "pw").responses == {"ANSWER": "PASSWORD", "PASSWORD": "pw"}
    assert challenge.answer_with("PASSWORD_SRP", "pw").password == "pw"
    with pytest.raises(UsageError, match="needs the password"):
        challenge.answer_with("PASSWORD")
    with pytest.raises(UsageError, match="takes no password"):
        challenge.answer_with("WEB_AUTHN", "pw")


def test_second_factor_offers_no_other_first_factor() -> None:
    challenge = SmsMfa.parse(pending("SMS_MFA"))

    assert challenge.other_factors == ()
    with pytest.raises(InvalidInput, match="was not offered"):
        challenge.answer_with("WEB_AUTHN")


def test_factor_that_was_not_offered_beside_the_first_one_raises_invalid_input() -> None:
    challenge = EmailOtp.parse(pending("EMAIL_OTP", None, "EMAIL_OTP"))

    with pytest.raises(InvalidInput, match="was not offered"):
        challenge.answer_with("WEB_AUTHN")


def test_every_other_factor_is_sent_if_the_choices_are_unknown() -> None:
    """An older botocore drops AvailableChallenges."""
    challenge = EmailOtp.parse(pending("EMAIL_OTP"))

    assert challenge.answer_with("WEB_AUTHN").responses == {"ANSWER": "WEB_AUTHN"}
    assert challenge.answer_with("PASSWORD_SRP", "pw").password == "pw"
    with pytest.raises(InvalidInput, match="empty"):
        challenge.answer_with("")


def test_each_first_factor_is_answered_by_its_method() -> None:
    challenge = SelectChallenge.parse(pending("SELECT_CHALLENGE", None, "PASSWORD", "PASSWORD_SRP", "NEW"))

    assert challenge.answer("NEW").responses == {"ANSWER": "NEW"}
    assert challenge.answer_password("pw").responses == {"ANSWER": "PASSWORD", "PASSWORD": "pw"}
    assert challenge.answer_srp("pw").responses == {"ANSWER": "PASSWORD_SRP"}
    with pytest.raises(UsageError, match="answer_password"):
        challenge.answer("PASSWORD_SRP")


def test_mfa_setup_without_parameters_offers_the_authenticator_app() -> None:
    """Older pools send no list."""
    assert MfaSetup.parse(pending("MFA_SETUP")).can_set_up == (MfaType.SOFTWARE_TOKEN_MFA,)


def test_uri_takes_another_account_name() -> None:
    """The username may be a UUID, which means nothing to its owner."""
    setup = TotpSetup.parse(pending("MFA_SETUP", {"SECRET_CODE": "JBSWY3DP"}))

    assert setup.uri("App", "alice@example.com") == (
        "otpauth://totp/App:alice%40example.com?secret=JBSWY3DP&issuer=App"
    )
    assert "JBSWY3DP" not in repr(setup)


def test_passkey_options_that_are_not_an_object_raise_unexpected_response() -> None:
    for text in ("[]", "no json"):
        with pytest.raises(UnexpectedResponse, match="WEB_AUTHN"):
            WebAuthn.parse(pending("WEB_AUTHN", {"CREDENTIAL_REQUEST_OPTIONS": text}))


def test_passkey_without_a_timeout_has_no_expires_at() -> None:
    assert WebAuthn.parse(pending("WEB_AUTHN", {"CREDENTIAL_REQUEST_OPTIONS": "{}"})).expires_at is None


def test_passkey_credential_may_be_text_or_a_mapping() -> None:
    """It is sent as compact JSON."""
    challenge = WebAuthn.parse(pending("WEB_AUTHN", {"CREDENTIAL_REQUEST_OPTIONS": "{}"}))
    response = {"clientDataJSON": "a", "authenticatorData": "b", "signature": "c"}
    credential = {"id": "x", "rawId": "x", "type": "public-key", "response": response}

    assert challenge.answer(credential) == challenge.answer(json.dumps(credential))
    with pytest.raises(InvalidInput, match="signature"):
        challenge.answer({**credential, "response": {**response, "signature": ""}})


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("credential", "kind", "word"),
    [
        (DEEP, InvalidInput, "not JSON"),
        ("[]", InvalidInput, "not a JSON object"),
        ([("id", "x")], InvalidInput, "not a JSON object"),
        ('{"response": 1e999}', InvalidInput, "not JSON"),
        ({"id": "x", "rawId": b"x", "type": "public-key"}, UsageError, "base64url"),
        ({"id": "x", "rawId": "x", "type": "public-key", "x": math.inf}, UsageError, "base64url"),
    ],
    ids=["deep", "array", "list", "number", "bytes", "infinity"],
)
def test_malformed_passkey_credential_is_refused(
    credential: Any, kind: type[CognitoFlowError], word: str
) -> None:
    challenge = WebAuthn.parse(pending("WEB_AUTHN", {"CREDENTIAL_REQUEST_OPTIONS": "{}"}))
    response = {"clientDataJSON": "a", "authenticatorData": "b", "signature": "c"}
    if isinstance(credential, dict):
        credential = {**credential, "response": response}
    with pytest.raises(kind, match=word):
        challenge.answer(credential)


def test_passkey_timeout_beyond_the_calendar_has_no_expires_at() -> None:
    options = {"CREDENTIAL_REQUEST_OPTIONS": json.dumps({"timeout": 10**18})}
    asked = attrs.evolve(pending("WEB_AUTHN", options), received_at=datetime(2030, 1, 1, tzinfo=UTC))
    assert WebAuthn.parse(asked).expires_at is None


def test_deeply_nested_passkey_options_raise_unexpected_response() -> None:
    """json raises RecursionError for them."""
    with pytest.raises(UnexpectedResponse, match="not JSON"):
        WebAuthn.parse(pending("WEB_AUTHN", {"CREDENTIAL_REQUEST_OPTIONS": DEEP}))


def test_unknown_challenge_is_answered_with_given_responses() -> None:
    challenge = read_challenge(pending("NEW_ONE", {"HINT": "x"}))

    assert isinstance(challenge, UnknownChallenge)
    assert (challenge.name, challenge.parameters, challenge.expires_at) == ("NEW_ONE", {"HINT": "x"}, None)
    assert challenge.answer({"NEW_CODE": "1", "NOTE": ""}).responses == {"NEW_CODE": "1", "NOTE": ""}
    with pytest.raises(UsageError, match="NEW_CODE"):
        challenge.answer({"NEW_CODE": cast("str", 1)})


def test_known_challenge_that_cannot_be_read_is_unknown_and_answerable() -> None:
    challenge = read_challenge(pending("SELECT_MFA_TYPE", {"MFAS_CAN_CHOOSE": "SMS_MFA"}))

    assert isinstance(challenge, UnknownChallenge)
    assert challenge.answer({"ANSWER": "SMS_MFA"}).responses == {"ANSWER": "SMS_MFA"}


def test_challenge_as_a_dictionary_has_what_a_front_end_sends_back() -> None:
    challenge = SmsMfa(
        pending=attrs.evolve(
            pending("SMS_MFA", {"CODE_DELIVERY_DELIVERY_MEDIUM": "SMS"}),
            session="SESSION",
            device=Device("key", "group", "device secret"),
        )
    )

    assert json.loads(json.dumps(challenge.to_dict())) == {
        "name": "SMS_MFA",
        "session": "SESSION",
        "username": "alice",
        "parameters": {"CODE_DELIVERY_DELIVERY_MEDIUM": "SMS"},
        "available": [],
    }


def test_parameters_of_a_custom_challenge_do_not_contain_the_username() -> None:
    """USERNAME belongs to the protocol, not to the trigger."""
    challenge = CustomChallenge.parse(pending("CUSTOM_CHALLENGE", {"USERNAME": "alice", "q": "1"}))

    assert challenge.parameters == {"q": "1"}
    assert challenge.auto() is None


def test_missing_session_raises_unexpected_response() -> None:
    """AssociateSoftwareToken needs it."""
    with pytest.raises(UnexpectedResponse, match="Session"):
        pending("MFA_SETUP").need_session()


@given(
    st.sampled_from([*NAMES, "NEW_ONE"]),
    st.dictionaries(
        st.sampled_from(sorted({name for handler in HANDLERS for name in handler.reads})),
        st.text() | st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(json.dumps),
    ),
    st.lists(st.text()),
)
def test_whatever_cognito_sends_becomes_a_challenge(
    name: str, parameters: dict[str, str], available: list[str]
) -> None:
    """Never a KeyError, an AttributeError or a ValueError."""
    challenge = read_challenge(pending(name, parameters, *available))

    assert challenge.name == name
    assert challenge.username == "alice"


@pytest.mark.parametrize(
    ("name", "parameters", "shown"),
    [
        (
            "SMS_MFA",
            {"CODE_DELIVERY_DELIVERY_MEDIUM": "SMS", "CODE_DELIVERY_DESTINATION": "+*******5678"},
            "SmsMfa(medium='SMS', sent_to='+*******5678', username='alice')",
        ),
        (
            "SOFTWARE_TOKEN_MFA",
            {"FRIENDLY_DEVICE_NAME": "phone"},
            "SoftwareTokenMfa(sent_to='phone', username='alice')",
        ),
        ("CUSTOM_CHALLENGE", {"a": "b"}, "CustomChallenge(attempt=1, is_repeat=False, username='alice')"),
        ("NEW_CHALLENGE", {"a": "b"}, "UnknownChallenge(name='NEW_CHALLENGE', username='alice')"),
        (
            "NEW_PASSWORD_REQUIRED",
            {
                "requiredAttributes": '["userAttributes.email"]',
                "userAttributes": '{"email": "a@example.com"}',
            },
            "NewPasswordRequired(required_attributes=('email',), username='alice')",
        ),
    ],
)
def test_repr_shows_what_the_user_is_asked_and_nothing_else(
    name: str, parameters: dict[str, str], shown: str
) -> None:
    pending = Pending(name=name, username="alice", parameters=parameters, session="s" * 20, pool_id="p")

    assert repr(read_challenge(pending, ())) == shown
