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
FACTORS = ["PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"]


@pytest.fixture
def wire(cognito: LocalCognito) -> Wire:
    """A pool that allows every first factor, with alice, who has all but a passkey."""
    pool = cognito.create_pool(
        policies={"SignInPolicy": {"AllowedFirstAuthFactors": FACTORS}},
        auto_verified_attributes=["email"],
        web_authn_configuration={"RelyingPartyId": "example.com", "UserVerification": "required"},
    )
    pool.add_user("alice", PASSWORD, email="alice@example.com", phone_number="+31612345678")
    return Wire(pool)


def choose(wire: Wire, answer: str, **more: str) -> Any:
    """SELECT_CHALLENGE with this ANSWER."""
    return wire.answer(wire.start("USER_AUTH", USERNAME="alice"), ANSWER=answer, **more)


def test_what_may_be_chosen(wire: Wire) -> None:
    """What the pool allows, and the user has."""
    step = wire.start("USER_AUTH", USERNAME="alice")
    assert step["ChallengeName"] == "SELECT_CHALLENGE"
    assert set(step["AvailableChallenges"]) == {"PASSWORD", "PASSWORD_SRP", "EMAIL_OTP", "SMS_OTP"}


def test_what_was_not_offered(wire: Wire) -> None:
    """A passkey that the user does not have, or a name that is none, cannot be chosen."""
    for answer in ("WEB_AUTHN", "NONSENSE"):
        with pytest.raises(wire.api.exceptions.InvalidParameterException):
            choose(wire, answer)


def test_preferred_but_not_available(wire: Wire) -> None:
    """A preference that cannot be had leads to the choice."""
    step = wire.start("USER_AUTH", USERNAME="alice", PREFERRED_CHALLENGE="WEB_AUTHN")
    assert step["ChallengeName"] == "SELECT_CHALLENGE"


def test_password(wire: Wire) -> None:
    """The password comes with the choice."""
    assert "AuthenticationResult" in choose(wire, "PASSWORD", PASSWORD=PASSWORD)
    assert refusal(lambda: choose(wire, "PASSWORD", PASSWORD="Wrong horse 1")) == INCORRECT
    missing = ("InvalidParameterException", "Missing required parameter PASSWORD")
    assert refusal(lambda: choose(wire, "PASSWORD")) == missing


def test_password_by_srp(wire: Wire) -> None:
    """SRP_A comes with the choice; this PASSWORD_VERIFIER has a Session."""
    proof = choose(wire, "PASSWORD_SRP", SRP_A=wire.exponent.srp_a)
    wrong = wire.claim(proof, "Wrong horse 1")
    assert refusal(lambda: wire.prove(proof, wrong)) == INCORRECT
    assert "AuthenticationResult" in wire.prove(proof, wire.claim(proof))


def test_password_in_one_call(wire: Wire) -> None:
    """With the preference and the password there is nothing left to ask."""
    done = wire.start("USER_AUTH", USERNAME="alice", PREFERRED_CHALLENGE="PASSWORD", PASSWORD=PASSWORD)
    assert "AuthenticationResult" in done


def test_temporary_password_leaves_no_choice(wire: Wire) -> None:
    """Who must change the password can only give the password."""
    wire.pool.add_user("carol", PASSWORD, email="carol@example.com", temporary=True)
    step = wire.start("USER_AUTH", USERNAME="carol", PREFERRED_CHALLENGE="EMAIL_OTP")
    assert step["AvailableChallenges"] == ["PASSWORD_SRP", "PASSWORD"]


def test_codes(wire: Wire) -> None:
    """A code by SMS signs in, and a wrong one does not."""
    step = choose(wire, "SMS_OTP")
    assert refusal(lambda: wire.answer(step, SMS_OTP_CODE="0"))[0] == "CodeMismatchException"
    assert "AuthenticationResult" in wire.answer(step, SMS_OTP_CODE=wire.pool.last_code("alice"))


def test_passkey(wire: Wire) -> None:
    """A registered passkey signs in with what was asked now; an old answer, and one from elsewhere, does
    not."""
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
    assert refusal(lambda: wire.answer(step, CREDENTIAL=credential)) == INCORRECT
    unknown = json.dumps({**device.get(request), "id": "AAAA", "rawId": "AAAA"})
    assert refusal(lambda: wire.answer(step, CREDENTIAL=unknown)) == INCORRECT
    assert refusal(lambda: wire.answer(step, CREDENTIAL="x"))[0] == "InvalidParameterException"


def test_passkey_registered_from_elsewhere(wire: Wire) -> None:
    """A page that is not the relying party's registers nothing; nor does an answer without a question."""
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


def test_sign_up_leads_into_the_sign_in(wire: Wire) -> None:
    """The Session of a confirmed sign-up signs in, once, and nobody else."""
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


def test_sign_up_with_a_wrong_code(wire: Wire) -> None:
    """A wrong code confirms nobody, and leaves the right one good."""
    sign_up(wire)
    code = wire.pool.last_code("carol")
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    text = "Invalid verification code provided, please try again."
    assert refusal(lambda: confirm(wire, wrong)) == ("CodeMismatchException", text)
    assert refusal(lambda: wire.password("carol", NEW))[0] == "UserNotConfirmedException"
    confirm(wire, code)
    assert "AuthenticationResult" in wire.password("carol", NEW)


def test_sign_up_with_a_taken_name(wire: Wire) -> None:
    """A name is taken once."""
    sign_up(wire)
    assert refusal(lambda: sign_up(wire)) == ("UsernameExistsException", "User already exists")


# -- NEW_PASSWORD_REQUIRED --


@pytest.fixture
def changing(cognito: LocalCognito) -> Wire:
    """A pool that wants a name and remembers two passwords, with carol, whose password is temporary."""
    schema = [{"Name": "name", "AttributeDataType": "String", "Required": True, "Mutable": True}]
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


def test_new_password(changing: Wire) -> None:
    """With what is required the password is changed, and the sign-in goes on."""
    step = changing.password("carol", "Temporary-1")
    assert step["ChallengeParameters"]["requiredAttributes"] == '["userAttributes.name"]'
    assert "AuthenticationResult" in change(changing, step, name="Carol")
    assert changing.pool.user("carol").attributes["name"] == "Carol"
    assert "AuthenticationResult" in changing.srp("carol", NEW)
    assert refusal(lambda: changing.password("carol", "Temporary-1")) == INCORRECT


def test_new_password_refused(changing: Wire) -> None:
    """A missing attribute, one that is there already, a weak password and an old one: each is told, and
    leaves the Session as it is."""
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


def test_an_address_that_was_deleted_since_gets_no_code(wire: Wire) -> None:
    """Although it could be chosen when the sign-in began."""
    step, delete = wire.start("USER_AUTH", USERNAME="alice"), wire.api.admin_delete_user_attributes
    delete(UserPoolId=wire.pool.id, Username="alice", UserAttributeNames=["email"])
    refused = refusal(lambda: wire.answer(step, ANSWER="EMAIL_OTP"))
    assert refused == ("InvalidParameterException", "The selected challenge is not available.")


def test_sign_up_leads_to_the_second_factor_that_the_pool_requires(cognito: LocalCognito) -> None:
    """A confirmed sign-up stands for the first factor alone."""
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
