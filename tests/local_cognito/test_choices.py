"""USER_AUTH, sign-up that leads into it, and NEW_PASSWORD_REQUIRED."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from cognito_flow.testing import LocalCognito, SoftAuthenticator
from tests.local_cognito.wire import PASSWORD, Wire, refusal

INCORRECT = ("NotAuthorizedException", "Incorrect username or password.")
NEW = "Battery-staple-2"
ORIGIN = "https://login.example.com"
FACTORS: Any = ["PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"]


@pytest.fixture
def wire(cognito: LocalCognito) -> Wire:
    """A pool that allows every first factor, and alice, who has all of them but a passkey."""
    pool = cognito.create_pool(
        policies={"SignInPolicy": {"AllowedFirstAuthFactors": FACTORS}},
        auto_verified_attributes=["email"],
        web_authn_configuration={"RelyingPartyId": "example.com", "UserVerification": "required"},
    )
    pool.add_user("alice", PASSWORD, email="alice@example.com", phone_number="+31612345678")
    return Wire(pool)


BAD_PASSKEY = ("NotAuthorizedException", "The passkey could not be verified.")


def register(wire: Wire, device: SoftAuthenticator, username: str = "alice") -> dict[str, object]:
    """Register a passkey for a user, and return the credential."""
    access = wire.password(username)["AuthenticationResult"]["AccessToken"]
    options = wire.api.start_web_authn_registration(AccessToken=access)["CredentialCreationOptions"]
    credential = device.create(options)
    wire.api.complete_web_authn_registration(AccessToken=access, Credential=credential)
    return credential


def choose(wire: Wire, answer: str, **more: str) -> Any:
    """SELECT_CHALLENGE with this ANSWER."""
    return wire.answer(wire.start("USER_AUTH", USERNAME="alice"), ANSWER=answer, **more)


def test_choice_lists_factors_that_pool_and_user_have(wire: Wire) -> None:
    step = wire.start("USER_AUTH", USERNAME="alice")
    assert step["ChallengeName"] == "SELECT_CHALLENGE"
    assert set(step["AvailableChallenges"]) == {"PASSWORD", "PASSWORD_SRP", "EMAIL_OTP", "SMS_OTP"}


def test_malformed_srp_a_leaves_the_session_of_the_choice_valid(wire: Wire) -> None:
    step = wire.start("USER_AUTH", USERNAME="alice")
    refused = refusal(lambda: wire.answer(step, ANSWER="PASSWORD_SRP", SRP_A="zz"))

    assert refused[0] == "InvalidParameterException"
    right = {"ANSWER": "PASSWORD_SRP", "SRP_A": wire.exponent.srp_a}
    assert wire.answer(step, **right)["ChallengeName"] == "PASSWORD_VERIFIER"
    assert "can only be used once" in refusal(lambda: wire.answer(step, **right))[1]


def test_factor_that_was_not_offered_is_refused(wire: Wire) -> None:
    for answer in ("WEB_AUTHN", "NONSENSE"):
        with pytest.raises(wire.api.exceptions.InvalidParameterException):
            choose(wire, answer)


def test_preferred_challenge_that_is_not_available_asks_for_a_choice(wire: Wire) -> None:
    step = wire.start("USER_AUTH", USERNAME="alice", PREFERRED_CHALLENGE="WEB_AUTHN")
    assert step["ChallengeName"] == "SELECT_CHALLENGE"


def test_password_sent_with_the_choice_signs_in(wire: Wire) -> None:
    assert "AuthenticationResult" in choose(wire, "PASSWORD", PASSWORD=PASSWORD)
    assert refusal(lambda: choose(wire, "PASSWORD", PASSWORD="Wrong horse 1")) == INCORRECT


def test_choice_of_a_password_without_it_asks_password(wire: Wire) -> None:
    step = choose(wire, "PASSWORD")
    assert (step["ChallengeName"], "AuthenticationResult" in step) == ("PASSWORD", False)
    assert "AuthenticationResult" in wire.answer(step, PASSWORD=PASSWORD)


def test_choice_of_srp_without_srp_a_asks_password_srp(wire: Wire) -> None:
    step = choose(wire, "PASSWORD_SRP")
    assert step["ChallengeName"] == "PASSWORD_SRP"
    proof = wire.answer(step, SRP_A=wire.exponent.srp_a)
    assert "AuthenticationResult" in wire.prove(proof, wire.claim(proof))


@pytest.mark.parametrize("preferred", ["EMAIL_OTP", "SMS_OTP", "PASSWORD", "PASSWORD_SRP"])
def test_another_factor_can_be_chosen_with_the_session_of_a_first_factor(wire: Wire, preferred: str) -> None:
    step = wire.start("USER_AUTH", USERNAME="alice", PREFERRED_CHALLENGE=preferred)
    assert step["ChallengeName"] == preferred
    other = {"USERNAME": "alice", "ANSWER": "SMS_OTP"}
    changed = wire.respond("SELECT_CHALLENGE", step["Session"], other)

    assert changed["ChallengeName"] == "SMS_OTP"
    spent = refusal(lambda: wire.answer(step, EMAIL_OTP_CODE="1", SMS_OTP_CODE="1", PASSWORD=PASSWORD))
    assert spent[1] == "Invalid session for the user, session can only be used once."
    assert "AuthenticationResult" in wire.answer(changed, SMS_OTP_CODE=wire.pool.last_code("alice"))


def test_all_factors_are_listed_after_a_preferred_challenge(wire: Wire) -> None:
    step = wire.start("USER_AUTH", USERNAME="alice", PREFERRED_CHALLENGE="EMAIL_OTP")
    assert step["AvailableChallenges"] == ["PASSWORD_SRP", "PASSWORD", "EMAIL_OTP", "SMS_OTP"]


def test_select_challenge_with_the_session_of_a_second_factor_is_refused(totp_wire: Wire) -> None:
    step = totp_wire.start("USER_AUTH", USERNAME="alice", PREFERRED_CHALLENGE="PASSWORD", PASSWORD=PASSWORD)
    assert step["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert "AvailableChallenges" not in step
    other = {"USERNAME": "alice", "ANSWER": "PASSWORD", "PASSWORD": PASSWORD}
    refused = refusal(lambda: totp_wire.respond("SELECT_CHALLENGE", step["Session"], other))
    assert refused == ("NotAuthorizedException", "Invalid session for the user.")


def test_srp_a_sent_with_the_choice_asks_password_verifier_with_a_session(wire: Wire) -> None:
    proof = choose(wire, "PASSWORD_SRP", SRP_A=wire.exponent.srp_a)
    wrong = wire.claim(proof, "Wrong horse 1")
    assert refusal(lambda: wire.prove(proof, wrong)) == INCORRECT
    assert "AuthenticationResult" in wire.prove(proof, wire.claim(proof))


def test_preferred_challenge_with_password_signs_in_at_once(wire: Wire) -> None:
    done = wire.start("USER_AUTH", USERNAME="alice", PREFERRED_CHALLENGE="PASSWORD", PASSWORD=PASSWORD)
    assert "AuthenticationResult" in done


def test_user_with_a_temporary_password_can_only_choose_the_password(wire: Wire) -> None:
    wire.pool.add_user("carol", PASSWORD, email="carol@example.com", temporary=True)
    step = wire.start("USER_AUTH", USERNAME="carol", PREFERRED_CHALLENGE="EMAIL_OTP")
    assert step["AvailableChallenges"] == ["PASSWORD_SRP", "PASSWORD"]


def test_sms_otp_code_signs_in_and_a_wrong_one_does_not(wire: Wire) -> None:
    step = choose(wire, "SMS_OTP")
    assert refusal(lambda: wire.answer(step, SMS_OTP_CODE="0"))[0] == "CodeMismatchException"
    assert "AuthenticationResult" in wire.answer(step, SMS_OTP_CODE=wire.pool.last_code("alice"))


def test_passkey_signs_in_and_a_replayed_or_unknown_one_is_refused(wire: Wire) -> None:
    access, device = wire.password()["AuthenticationResult"]["AccessToken"], SoftAuthenticator(ORIGIN)
    options = wire.api.start_web_authn_registration(AccessToken=access)["CredentialCreationOptions"]
    wire.api.complete_web_authn_registration(AccessToken=access, Credential=device.create(options))

    def ask() -> tuple[Any, str]:
        step = wire.start("USER_AUTH", USERNAME="alice", PREFERRED_CHALLENGE="WEB_AUTHN")
        return step, step["ChallengeParameters"]["CREDENTIAL_REQUEST_OPTIONS"]

    step, request = ask()
    credential = json.dumps(device.get(request))
    assert "AuthenticationResult" in wire.answer(step, CREDENTIAL=credential)
    step, request = ask()
    assert refusal(lambda: wire.answer(step, CREDENTIAL=credential)) == BAD_PASSKEY
    unknown = json.dumps({**device.get(request), "id": "AAAA", "rawId": "AAAA"})
    assert refusal(lambda: wire.answer(step, CREDENTIAL=unknown)) == BAD_PASSKEY
    assert refusal(lambda: wire.answer(step, CREDENTIAL="x"))[0] == "InvalidParameterException"


def test_passkey_from_a_foreign_origin_is_not_registered(wire: Wire) -> None:
    access = wire.password()["AuthenticationResult"]["AccessToken"]
    call = wire.api.complete_web_authn_registration
    options = wire.api.start_web_authn_registration(AccessToken=access)["CredentialCreationOptions"]
    good = SoftAuthenticator(ORIGIN).create(options)
    data = json.dumps(
        {
            "type": "webauthn.create",
            "challenge": options["challenge"],
            "origin": "https://example.com.evil.test",
        }
    )
    response: Any = good["response"]
    foreign = {**response, "clientDataJSON": base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")}
    refused = refusal(lambda: call(AccessToken=access, Credential={**good, "response": foreign}))
    assert refused[0] == "WebAuthnOriginNotAllowedException"
    # The first answer, refused, has closed the registration.
    closed = refusal(lambda: call(AccessToken=access, Credential=good))
    assert closed[0] == "WebAuthnChallengeNotFoundException"


def sign_up(wire: Wire) -> Any:
    """SignUp of carol, by e-mail."""
    return wire.api.sign_up(
        ClientId=wire.client_id,
        Username="carol",
        Password=NEW,
        UserAttributes=[{"Name": "email", "Value": "carol@example.com"}],
    )


def confirm(wire: Wire, code: str, **session: str) -> Any:
    """ConfirmSignUp of carol."""
    return wire.api.confirm_sign_up(
        ClientId=wire.client_id, Username="carol", ConfirmationCode=code, **session
    )


def test_session_of_a_confirmed_sign_up_signs_in_once(wire: Wire) -> None:
    session = sign_up(wire)["Session"]
    confirmed = confirm(wire, wire.pool.last_code("carol"), Session=session)["Session"]

    def start(username: str, session: str) -> Any:
        return wire.api.initiate_auth(
            AuthFlow="USER_AUTH",
            ClientId=wire.client_id,
            AuthParameters={"USERNAME": username},
            Session=session,
        )

    invalid = ("NotAuthorizedException", "Invalid session for the user.")
    assert refusal(lambda: start("alice", confirmed)) == invalid
    assert refusal(lambda: start("carol", session))[0] == "NotAuthorizedException"
    assert "AuthenticationResult" in start("carol", confirmed)
    assert refusal(lambda: start("carol", confirmed))[1].endswith("session can only be used once.")


def test_wrong_confirmation_code_leaves_the_right_one_valid(wire: Wire) -> None:
    sign_up(wire)
    code = wire.pool.last_code("carol")
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    text = "Invalid verification code provided, please try again."
    assert refusal(lambda: confirm(wire, wrong)) == ("CodeMismatchException", text)
    assert refusal(lambda: wire.password("carol", NEW))[0] == "UserNotConfirmedException"
    confirm(wire, code)
    assert "AuthenticationResult" in wire.password("carol", NEW)


def test_taken_user_name_is_refused_at_sign_up(wire: Wire) -> None:
    sign_up(wire)
    assert refusal(lambda: sign_up(wire)) == ("UsernameExistsException", "User already exists")


# -- NEW_PASSWORD_REQUIRED --


@pytest.fixture
def changing(cognito: LocalCognito) -> Wire:
    """A pool that requires a name and remembers two passwords, and carol, whose password is temporary."""
    schema: Any = [{"Name": "name", "AttributeDataType": "String", "Required": True, "Mutable": True}]
    pool = cognito.create_pool(
        schema=schema,
        policies={
            "PasswordPolicy": {"MinimumLength": 8, "PasswordHistorySize": 2},
        },
    )
    pool.add_user("carol", "Temporary-1", email="carol@example.com", temporary=True)
    return Wire(pool)


def change(wire: Wire, step: Any, password: str = NEW, **attributes: str) -> Any:
    given = {f"userAttributes.{name}": value for name, value in attributes.items()}
    return wire.answer(step, "carol", NEW_PASSWORD=password, **given)


def test_new_password_with_required_attributes_signs_in(changing: Wire) -> None:
    step = changing.password("carol", "Temporary-1")
    assert step["ChallengeParameters"]["requiredAttributes"] == '["userAttributes.name"]'
    assert "AuthenticationResult" in change(changing, step, name="Carol")
    assert changing.pool.user("carol").attributes["name"] == "Carol"
    assert "AuthenticationResult" in changing.srp("carol", NEW)
    assert refusal(lambda: changing.password("carol", "Temporary-1")) == INCORRECT


def test_refused_new_password_leaves_the_session_valid(changing: Wire) -> None:
    step = changing.password("carol", "Temporary-1")
    missing = ("InvalidParameterException", "Invalid attributes given, name is missing")
    assert refusal(lambda: change(changing, step)) == missing
    echoed = refusal(lambda: change(changing, step, name="Carol", email="carol@example.com"))
    assert echoed == ("NotAuthorizedException", "Cannot modify an already provided email")
    weak = refusal(lambda: change(changing, step, "weak", name="Carol"))
    assert weak[0] == "InvalidPasswordException"
    old = refusal(lambda: change(changing, step, "Temporary-1", name="Carol"))
    assert old[0] == "PasswordHistoryPolicyViolationException"
    assert "AuthenticationResult" in change(changing, step, name="Carol")


def test_address_deleted_after_the_choice_gets_no_code(wire: Wire) -> None:
    step, delete = wire.start("USER_AUTH", USERNAME="alice"), wire.api.admin_delete_user_attributes
    delete(UserPoolId=wire.pool.id, Username="alice", UserAttributeNames=["email"])
    refused = refusal(lambda: wire.answer(step, ANSWER="EMAIL_OTP"))
    assert refused == ("InvalidParameterException", "The selected challenge is not available.")


def test_session_of_a_confirmed_sign_up_still_needs_the_second_factor(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(
        mfa_configuration="ON",
        software_token_mfa_configuration={"Enabled": True},
        auto_verified_attributes=["email"],
    )
    wire = Wire(pool)
    session = sign_up(wire)["Session"]
    confirmed = confirm(wire, pool.last_code("carol"), Session=session)
    step = wire.api.initiate_auth(
        ClientId=wire.client_id,
        AuthFlow="USER_AUTH",
        AuthParameters={"USERNAME": "carol"},
        Session=confirmed["Session"],
    )
    assert step["ChallengeName"] == "MFA_SETUP"


def test_assertion_with_the_user_handle_of_another_user_is_refused(wire: Wire) -> None:
    device = SoftAuthenticator(ORIGIN)
    register(wire, device)
    step = wire.start("USER_AUTH", USERNAME="alice", PREFERRED_CHALLENGE="WEB_AUTHN")
    assertion: Any = device.get(step["ChallengeParameters"]["CREDENTIAL_REQUEST_OPTIONS"])
    handle = base64.urlsafe_b64encode(wire.pool.add_user("bob").sub.encode()).decode().rstrip("=")
    foreign = {**assertion, "response": {**assertion["response"], "userHandle": handle}}

    assert refusal(lambda: wire.answer(step, CREDENTIAL=json.dumps(foreign))) == BAD_PASSKEY
    without = {name: value for name, value in assertion["response"].items() if name != "userHandle"}
    credential = json.dumps({**assertion, "response": without})
    assert "AuthenticationResult" in wire.answer(step, CREDENTIAL=credential)


def test_credential_id_of_another_user_is_not_registered(wire: Wire) -> None:
    taken: Any = register(wire, SoftAuthenticator(ORIGIN))
    wire.pool.add_user("bob", PASSWORD)
    access = wire.password("bob")["AuthenticationResult"]["AccessToken"]
    options = wire.api.start_web_authn_registration(AccessToken=access)["CredentialCreationOptions"]
    device = SoftAuthenticator(ORIGIN)
    device.credential_id = base64.urlsafe_b64decode(taken["id"] + "==")
    complete = wire.api.complete_web_authn_registration

    refused = refusal(lambda: complete(AccessToken=access, Credential=device.create(options)))
    assert refused == ("WebAuthnCredentialNotSupportedException", "The credential is registered already.")


@pytest.mark.parametrize(
    "client_data",
    [b"x", b"[]", b'{"type": "webauthn.get", "challenge": "", "origin": "https://["}'],
    ids=["not JSON", "not an object", "an origin that is not a URL"],
)
def test_assertion_with_malformed_client_data_is_refused(wire: Wire, client_data: bytes) -> None:
    device = SoftAuthenticator(ORIGIN)
    register(wire, device)
    step = wire.start("USER_AUTH", USERNAME="alice", PREFERRED_CHALLENGE="WEB_AUTHN")
    assertion: Any = device.get(step["ChallengeParameters"]["CREDENTIAL_REQUEST_OPTIONS"])
    encoded = base64.urlsafe_b64encode(client_data).decode().rstrip("=")
    malformed = {**assertion, "response": {**assertion["response"], "clientDataJSON": encoded}}

    assert refusal(lambda: wire.answer(step, CREDENTIAL=json.dumps(malformed))) == BAD_PASSKEY


def test_empty_password_with_the_choice_asks_password(wire: Wire) -> None:
    assert choose(wire, "PASSWORD", PASSWORD="")["ChallengeName"] == "PASSWORD"
