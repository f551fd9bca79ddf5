"""What is known about Cognito, asked of any server: sign-in, second factors, accounts, refresh and sign-up.

Of custom challenges, SMS, codes by e-mail as a second factor, and token exchange, only refusals are asked: the rest
needs more than a user pool (Lambda functions, an IAM role, an identity of Amazon SES), or is billed for each request.
"""

from __future__ import annotations

import json

from cognito_flow.testing import SoftAuthenticator
from tests.conformance.proofs import Proof
from tests.conformance.world import FLOWS, OTHER_PASSWORD, PASSWORD, World, challenge_of, scenario
from tests.scenarios.passwords import HIDING
from tests.scenarios.second_factors import ON, OPTIONAL, TOTP

SECRET = {"generate_secret": True}
MADE_UP = "a-session-that-no-server-has-ever-issued"


# -- passwords --


@scenario("4.1")
def srp_signs_in(world: World) -> None:
    world.add_user()
    world.srp()


@scenario("4.1", client=SECRET)
def srp_signs_in_with_a_client_secret(world: World) -> None:
    world.add_user()
    world.srp()


@scenario("19")
def a_wrong_proof_leaves_the_challenge_answerable(world: World) -> None:
    world.add_user()
    proof = Proof()
    begun = world.begin_srp(proof)
    world.prove(proof, begun, OTHER_PASSWORD)
    world.prove(proof, begun)


@scenario("2.5")
def a_timestamp_in_another_form_is_refused(world: World) -> None:
    world.add_user()
    proof = Proof()
    begun = world.begin_srp(proof)
    world.prove(proof, begun, more={"TIMESTAMP": "2026-01-01T00:00:00Z"})


@scenario("4.1")
def an_srp_a_of_zero_is_refused(world: World) -> None:
    world.add_user()
    world.initiate("USER_SRP_AUTH", SRP_A="0")
    world.initiate("USER_SRP_AUTH")


@scenario("4.2")
def passwords_in_clear(world: World) -> None:
    world.add_user()
    world.password()
    world.password(OTHER_PASSWORD)
    world.initiate("USER_PASSWORD_AUTH")


@scenario("12.4")
def unknown_users(world: World) -> None:
    world.password(username="unknown")
    world.initiate("USER_SRP_AUTH", "unknown", SRP_A=Proof().srp_a)


@scenario("12.4", client=HIDING)
def unknown_users_are_hidden(world: World) -> None:
    world.password(username="unknown")
    world.initiate("USER_SRP_AUTH", "unknown", SRP_A=Proof().srp_a)


@scenario("3.2", client=SECRET)
def secret_hashes(world: World) -> None:
    world.add_user()
    world.password()
    world.password(SECRET_HASH="wrong")
    world.call(
        "InitiateAuth",
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=world.client_id,
        AuthParameters={"USERNAME": "alice", "PASSWORD": PASSWORD},
    )


@scenario("3.2")
def a_secret_hash_for_a_client_without_a_secret(world: World) -> None:
    world.add_user()
    world.password(SECRET_HASH="superfluous")


@scenario("4.7", client={"flows": ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]})
def a_flow_that_is_not_enabled_and_a_client_that_does_not_exist(world: World) -> None:
    world.add_user()
    world.password()
    world.client_id = "1" * 26
    world.password()


@scenario("4.7")
def a_disabled_user(world: World) -> None:
    world.add_user()
    world.need("AdminDisableUser", **world.user())
    world.password()
    world.password(OTHER_PASSWORD)


@scenario("4.7")
def an_unconfirmed_user(world: World) -> None:
    world.need("SignUp", ClientId=world.client_id, Username="alice", Password=PASSWORD)
    world.password()
    world.password(OTHER_PASSWORD)


@scenario("5.2")
def a_temporary_password_is_replaced(world: World) -> None:
    world.add_user(temporary=True)
    session = world.password().answer.get("Session")
    world.respond("NEW_PASSWORD_REQUIRED", session, NEW_PASSWORD="weak")
    world.respond("NEW_PASSWORD_REQUIRED", session)
    world.respond("NEW_PASSWORD_REQUIRED", session, NEW_PASSWORD=OTHER_PASSWORD)
    world.respond("NEW_PASSWORD_REQUIRED", session, NEW_PASSWORD=OTHER_PASSWORD)
    world.password(OTHER_PASSWORD)


@scenario("6")
def sessions_that_were_never_issued(world: World) -> None:
    world.add_user()
    world.respond("NEW_PASSWORD_REQUIRED", MADE_UP, NEW_PASSWORD=OTHER_PASSWORD)
    world.respond("SOFTWARE_TOKEN_MFA", MADE_UP, SOFTWARE_TOKEN_MFA_CODE="123456")
    world.respond("SMS_MFA", None, SMS_MFA_CODE="123456")


# -- second factors --


@scenario("5.5", pool={**OPTIONAL, **TOTP}, waits=31)
def an_authenticator_app_signs_in(world: World) -> None:
    world.add_user()
    secret_code, _ = world.enrol()
    session = world.srp().answer.get("Session")
    world.respond("SOFTWARE_TOKEN_MFA", session, SOFTWARE_TOKEN_MFA_CODE=world.fresh_code(secret_code))
    world.respond("SOFTWARE_TOKEN_MFA", session, SOFTWARE_TOKEN_MFA_CODE="123456")


@scenario("8.2", pool={**OPTIONAL, **TOTP})
def an_authenticator_app_that_is_not_enrolled(world: World) -> None:
    world.add_user()
    token = {"AccessToken": world.tokens(world.password())["AccessToken"]}
    world.call(
        "SetUserMFAPreference",
        **token,
        SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True},
    )
    world.call("VerifySoftwareToken", **token, UserCode="123456")
    world.call("AssociateSoftwareToken", **token)
    world.call("VerifySoftwareToken", **token, UserCode="000000")
    world.call("VerifySoftwareToken", **token, UserCode="abcdef")


# -- the account of a signed-in user --


@scenario("13")
def an_account(world: World) -> None:
    world.add_user()
    token = {"AccessToken": world.tokens(world.password())["AccessToken"]}
    world.call("GetUser", **token)
    world.call("UpdateUserAttributes", **token, UserAttributes=[{"Name": "nickname", "Value": "Al"}])
    world.call("UpdateUserAttributes", **token, UserAttributes=[{"Name": "no_such", "Value": "x"}])
    world.call("DeleteUserAttributes", **token, UserAttributeNames=["nickname"])
    world.call("VerifyUserAttribute", **token, AttributeName="email", Code="123456")
    world.call("ListDevices", **token)
    world.call("DeleteUser", **token)
    world.call("GetUser", **token)


@scenario("13")
def a_changed_password(world: World) -> None:
    world.add_user()
    token = {"AccessToken": world.tokens(world.password())["AccessToken"]}
    for previous, proposed in ((OTHER_PASSWORD, PASSWORD), (PASSWORD, "weak"), (PASSWORD, OTHER_PASSWORD)):
        world.call("ChangePassword", **token, PreviousPassword=previous, ProposedPassword=proposed)
    world.password()
    world.password(OTHER_PASSWORD)
    world.call("GetUser", AccessToken="not-a-token")


@scenario("11")
def a_global_sign_out(world: World) -> None:
    world.add_user()
    tokens = world.tokens(world.password())
    world.call("GlobalSignOut", AccessToken=tokens["AccessToken"])
    world.call("GetUser", AccessToken=tokens["AccessToken"])
    world.initiate("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=tokens["RefreshToken"])


# -- refresh --


@scenario("11")
def refreshed_and_revoked_tokens(world: World) -> None:
    world.add_user()
    refresh_token = world.tokens(world.password())["RefreshToken"]
    client = {"ClientId": world.client_id}
    world.initiate("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=refresh_token)
    world.call("GetTokensFromRefreshToken", **client, RefreshToken=refresh_token)
    world.call("GetTokensFromRefreshToken", **client, RefreshToken="not-a-token")
    world.call("RevokeToken", **client, Token=refresh_token)
    world.call("GetTokensFromRefreshToken", **client, RefreshToken=refresh_token)
    world.initiate("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=refresh_token)


@scenario("11", client=SECRET)
def a_refresh_with_a_client_secret(world: World) -> None:
    world.add_user()
    refresh_token = world.tokens(world.password())["RefreshToken"]
    members = {"ClientId": world.client_id, "RefreshToken": refresh_token}
    world.call("GetTokensFromRefreshToken", **members)
    world.call("GetTokensFromRefreshToken", **members, ClientSecret="wrong")
    world.call("GetTokensFromRefreshToken", **members, ClientSecret=world.client_secret)


# -- sign-up and recovery, without a message --


@scenario("13")
def sign_ups(world: World) -> None:
    client = {"ClientId": world.client_id}
    world.call("SignUp", **client, Username="alice", Password="weak")
    world.call("SignUp", **client, Username="alice", Password=PASSWORD)
    world.call("SignUp", **client, Username="alice", Password=PASSWORD)
    world.call("ConfirmSignUp", **client, Username="alice", ConfirmationCode="123456")
    world.call("ConfirmSignUp", **client, Username="unknown", ConfirmationCode="123456")
    world.call("ResendConfirmationCode", **client, Username="unknown")
    world.call("ForgotPassword", **client, Username="unknown")
    world.call(
        "ConfirmForgotPassword",
        **client,
        Username="alice",
        ConfirmationCode="123456",
        Password=OTHER_PASSWORD,
    )


# -- choice --

FACTORS = ["PASSWORD", "WEB_AUTHN"]
CHOICE = {
    "mfa_configuration": "OFF",
    "policies": {"SignInPolicy": {"AllowedFirstAuthFactors": FACTORS}},
    "web_authn_configuration": {"RelyingPartyId": "app.example", "UserVerification": "preferred"},
}
CHOICE_CLIENT = {
    "flows": ["ALLOW_USER_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
}


@scenario("5.9", pool=CHOICE, client=CHOICE_CLIENT)
def a_choice_of_first_factors(world: World) -> None:
    world.add_user()
    session = world.initiate("USER_AUTH").answer.get("Session")
    world.respond("SELECT_CHALLENGE", session, ANSWER="WEB_AUTHN")
    world.respond("SELECT_CHALLENGE", session, ANSWER="PASSWORD", PASSWORD=PASSWORD)


@scenario("4.4", pool=CHOICE, client=CHOICE_CLIENT)
def a_preferred_first_factor(world: World) -> None:
    world.add_user()
    world.initiate("USER_AUTH", PREFERRED_CHALLENGE="PASSWORD", PASSWORD=PASSWORD)
    world.initiate("USER_AUTH", PREFERRED_CHALLENGE="WEB_AUTHN")
    proof = Proof()
    begun = world.begin_srp(proof, "USER_AUTH", PREFERRED_CHALLENGE="PASSWORD_SRP")
    world.prove(proof, begun)


def add_passkey(world: World) -> SoftAuthenticator:
    """Give alice a passkey."""
    token = {"AccessToken": world.tokens(world.password())["AccessToken"]}
    device = SoftAuthenticator(origin="https://app.example")
    options = world.need("StartWebAuthnRegistration", **token)["CredentialCreationOptions"]
    world.need("CompleteWebAuthnRegistration", **token, Credential=device.create(options))
    return device


@scenario("9.1", pool=CHOICE, client=CHOICE_CLIENT)
def a_passkey_signs_in(world: World) -> None:
    world.add_user()
    device = add_passkey(world)
    asked = world.initiate("USER_AUTH", PREFERRED_CHALLENGE="WEB_AUTHN")
    options = challenge_of(asked, "WEB_AUTHN")["CREDENTIAL_REQUEST_OPTIONS"]
    credential = json.dumps(device.get(options))
    session = asked.answer.get("Session")
    world.respond("WEB_AUTHN", session, CREDENTIAL="{}")
    world.respond("WEB_AUTHN", session, CREDENTIAL=credential)
    world.respond("WEB_AUTHN", session, CREDENTIAL=credential)


@scenario("8.1", pool={**ON, **TOTP})
def a_set_up_with_a_wrong_code(world: World) -> None:
    world.add_user()
    session = world.password().answer.get("Session")
    begun = world.need("AssociateSoftwareToken", Session=session)
    world.call("VerifySoftwareToken", Session=begun["Session"], UserCode="000000")
    world.respond("MFA_SETUP", begun["Session"])


# -- what needs more than a user pool, as far as it is refused without --


@scenario("4.3", client={"flows": ["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]})
def custom_challenges_without_triggers(world: World) -> None:
    world.add_user()
    world.initiate("CUSTOM_AUTH")
    world.initiate("CUSTOM_AUTH", CHALLENGE_NAME="SRP_A", SRP_A=Proof().srp_a)
    world.initiate("CUSTOM_AUTH", "unknown")
    world.respond("CUSTOM_CHALLENGE", MADE_UP, ANSWER="4")


@scenario("6")
def codes_for_sessions_that_were_never_issued(world: World) -> None:
    world.add_user()
    world.respond("SMS_MFA", MADE_UP, SMS_MFA_CODE="123456")
    world.respond("EMAIL_OTP", MADE_UP, EMAIL_OTP_CODE="123456")
    world.respond("SMS_OTP", MADE_UP, SMS_OTP_CODE="123456")
    world.respond("SELECT_MFA_TYPE", MADE_UP, ANSWER="SMS_MFA")


@scenario("20", client={"flows": [*FLOWS, "ALLOW_TOKEN_EXCHANGE_IMPERSONATION"]}, needs="GetDerivedToken")
def tokens_that_are_not_exchanged(world: World) -> None:
    world.add_user()
    token = world.tokens(world.password())["AccessToken"]
    kind, without_flow = {"SubjectTokenType": "ACCESS_TOKEN"}, world.add_client()[0]
    client, subject = {"ClientId": world.client_id, **kind}, {"SubjectToken": token}
    world.call("GetDerivedToken", **client, SubjectToken="not-a-token")
    world.call("GetDerivedToken", **client, **subject, ActorToken=token, ActorTokenType="ACCESS_TOKEN")
    world.call("GetDerivedToken", **client, **subject, Scopes=["files/no-such-scope"])
    world.call("GetDerivedToken", **client, **subject, Resources=["no-such-server"])
    world.call("GetDerivedToken", **client, **subject, SubjectTokenProviderName="NoSuchProvider")
    world.call("GetDerivedToken", ClientId=without_flow, **kind, **subject)


@scenario("20", needs="GetClientToken")
def an_app_client_for_users_gets_no_token_of_its_own(world: World) -> None:
    world.call("GetClientToken", ClientId=world.client_id, Secret="s" * 30)
    world.call("GetClientToken", ClientId="1" * 26, Secret="s" * 30)
