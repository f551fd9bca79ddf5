"""What is not settled about Cognito: one run against the real service answers it.

Each scenario names its question, and notes the answer for each case of it.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from tests.conformance.pools import TAGS
from tests.conformance.proofs import Proof, device_verifier
from tests.conformance.recording import Outcome
from tests.conformance.scenarios import CHOICE, CHOICE_CLIENT, MADE_UP, SECRET, add_passkey
from tests.conformance.world import FLOWS, OTHER_PASSWORD, PASSWORD, World, challenge_of, scenario
from tests.scenarios.devices import ALWAYS
from tests.scenarios.passwords import ROTATION
from tests.scenarios.second_factors import ON, OPTIONAL, TOTP

DELAYS = (5, 60, 170, 200, 310)  # seconds; a Session is valid for 180 unless the app client says otherwise
CLOCKS = (60, 240, 360, 3600, 12 * 3600)  # seconds by which a client's clock is slow


@scenario("5.1", question="How late may PASSWORD_VERIFIER come?", waits=DELAYS[-1])
def late_proofs(world: World) -> None:
    world.add_user()
    proof, waited = Proof(), 0
    begun = {delay: world.begin_srp(proof) for delay in DELAYS}
    for delay in DELAYS:
        world.server.wait(delay - waited)
        waited = delay
        world.answer(f"{delay} s after InitiateAuth", world.prove(proof, begun[delay]))


@scenario("16.1", question="How wrong may TIMESTAMP be?")
def wrong_clocks(world: World) -> None:
    world.add_user()
    for seconds in CLOCKS:
        for off in (-seconds, seconds):
            world.password()  # a right password starts the count of wrong ones again
            proof = Proof()
            outcome = world.prove(proof, world.begin_srp(proof), seconds_off=off)
            world.answer(f"{off:+} s", outcome)


# -- second factors --


@scenario(
    "16.2",
    pool={**ON, **TOTP},
    question="What follows MFA_SETUP, and the first sign-in, where MFA is required?",
)
def after_mfa_setup(world: World) -> None:
    world.add_user()
    first = world.password()
    world.answer("the first sign-in (16.14)", first)
    begun = world.need("AssociateSoftwareToken", Session=first.answer.get("Session"))
    verified = world.need(
        "VerifySoftwareToken", Session=begun["Session"], UserCode=world.fresh_code(begun["SecretCode"])
    )
    world.answer("before MFA_SETUP is answered, a new sign-in", world.password())
    world.answer(
        "MFA_SETUP with the Session of VerifySoftwareToken", world.respond("MFA_SETUP", verified["Session"])
    )


@scenario(
    "5.5", pool={**OPTIONAL, **TOTP}, question="Is a Session still valid after a wrong TOTP code?", waits=31
)
def session_after_a_wrong_totp_code(world: World) -> None:
    world.add_user()
    secret_code, _ = world.enrol()
    session = world.password().answer.get("Session")
    right = world.fresh_code(secret_code)
    wrong = "000000" if right != "000000" else "111111"
    world.answer("a wrong code", world.respond("SOFTWARE_TOKEN_MFA", session, SOFTWARE_TOKEN_MFA_CODE=wrong))
    again = world.respond("SOFTWARE_TOKEN_MFA", session, SOFTWARE_TOKEN_MFA_CODE=right)
    world.answer("then the right one with the same Session", again)


@scenario("16.9", pool={**OPTIONAL, **TOTP}, question="How many wrong TOTP codes lock a user?", waits=31)
def lockout_of_codes(world: World) -> None:
    world.add_user()
    secret_code, _ = world.enrol()
    right = world.fresh_code(secret_code)
    wrong = "000000" if right != "000000" else "111111"
    for number in range(1, 7):
        session = world.password().answer.get("Session")
        outcome = world.respond("SOFTWARE_TOKEN_MFA", session, SOFTWARE_TOKEN_MFA_CODE=wrong)
        world.answer(f"wrong code {number}, each in a sign-in of its own", outcome)


@scenario(
    "16.12",
    pool={**OPTIONAL, **TOTP},
    question="What is said to a TOTP code that was used, and is the Session still valid?",
    waits=62,
)
def a_totp_code_is_used_twice(world: World) -> None:
    world.add_user()
    secret_code, first_code = world.enrol()

    def send(session: str | None, code: str) -> Outcome:
        return world.respond("SOFTWARE_TOKEN_MFA", session, SOFTWARE_TOKEN_MFA_CODE=code)

    session = world.password().answer.get("Session")
    world.answer("the code of the enrolment, at sign-in", send(session, first_code))
    code = world.fresh_code(secret_code)
    world.answer("a new code with the same Session", send(session, code))
    session = world.password().answer.get("Session")
    world.answer("the code of the last sign-in", send(session, code))
    world.answer("a new code with the same Session as that", send(session, world.fresh_code(secret_code)))


@scenario(
    "16.13",
    pool={**OPTIONAL, **TOTP},
    question="Is an authenticator that is registered but not enabled asked for?",
)
def registered_but_not_enabled(world: World) -> None:
    world.add_user()
    token = {"AccessToken": world.tokens(world.password())["AccessToken"]}
    secret_code = world.need("AssociateSoftwareToken", **token)["SecretCode"]
    world.need("VerifySoftwareToken", **token, UserCode=world.fresh_code(secret_code))
    world.answer("after VerifySoftwareToken alone", world.password())
    world.call("GetUser", **token)


# -- NEW_PASSWORD_REQUIRED --


@scenario("5.2", question="Which attributes may be changed at NEW_PASSWORD_REQUIRED?")
def attributes_at_new_password_required(world: World) -> None:
    for username, attribute, value in (
        ("changes-nickname", "nickname", "Al"),
        ("adds-name", "name", "Alice"),
        ("changes-email", "email", "other@example.com"),
        ("repeats-email", "email", "alice@example.com"),
    ):
        world.add_user(username, temporary=True, nickname="Alice", email="alice@example.com")
        session = world.password(username=username).answer.get("Session")
        outcome = world.respond(
            "NEW_PASSWORD_REQUIRED",
            session,
            username,
            NEW_PASSWORD=OTHER_PASSWORD,
            **{f"userAttributes.{attribute}": value},
        )
        world.answer(username.replace("-", " "), outcome)


# -- devices --


def add_device(world: World) -> tuple[dict[str, str], str, dict[str, Any]]:
    """Confirm a device of alice: its metadata, its password, and the tokens of its sign-in."""
    tokens = world.tokens(world.srp())
    device: dict[str, str] = tokens["NewDeviceMetadata"]
    password = secrets.token_urlsafe(30)
    world.need(
        "ConfirmDevice",
        AccessToken=tokens["AccessToken"],
        DeviceKey=device["DeviceKey"],
        DeviceName="laptop",
        DeviceSecretVerifierConfig=device_verifier(device["DeviceGroupKey"], device["DeviceKey"], password),
    )
    return device, password, tokens


def sign_in_device(
    world: World, device: dict[str, str], password: str, *, with_session: bool = True
) -> Outcome:
    """Sign in with the password and the device."""
    key = {"DEVICE_KEY": device["DeviceKey"]}
    asked = world.srp(**key)
    challenge_of(asked, "DEVICE_SRP_AUTH")
    proof = Proof()
    session = asked.answer.get("Session") if with_session else None
    begun = world.respond("DEVICE_SRP_AUTH", session, **key, SRP_A=proof.srp_a)
    if not begun.accepted:
        return begun
    challenge = challenge_of(begun, "DEVICE_PASSWORD_VERIFIER")
    signed = proof.sign(
        device["DeviceGroupKey"], device["DeviceKey"], password, challenge, world.server.now()
    )
    return world.respond("DEVICE_PASSWORD_VERIFIER", begun.answer.get("Session"), **key, **signed)


@scenario("16.17", pool=ALWAYS, question="Does DEVICE_SRP_AUTH need a Session?")
def devices_sign_in(world: World) -> None:
    world.add_user()
    device, password, _ = add_device(world)
    world.answer("with the Session", sign_in_device(world, device, password))
    world.answer("without a Session", sign_in_device(world, device, password, with_session=False))
    world.answer("with a wrong device password", sign_in_device(world, device, "wrong"))


@scenario("5.12", pool=ALWAYS, question="When is DEVICE_SRP_AUTH refused with NotAuthorizedException?")
def device_srp_auth_is_refused(world: World) -> None:
    world.add_user()
    device, _, tokens = add_device(world)
    key, srp_a = device["DeviceKey"], Proof().srp_a

    def ask() -> str | None:
        return world.srp(DEVICE_KEY=key).answer.get("Session")

    def send(session: str | None, key: str) -> Outcome:
        return world.respond("DEVICE_SRP_AUTH", session, DEVICE_KEY=key, SRP_A=srp_a)

    unknown = key[:-4] + ("0000" if not key.endswith("0000") else "1111")
    world.answer("without any sign-in before", send(None, key))
    world.answer("with a key that the pool has never made", send(ask(), unknown))
    world.answer("with SRP_A of zero", world.respond("DEVICE_SRP_AUTH", ask(), DEVICE_KEY=key, SRP_A="0"))
    session = ask()
    world.need("ForgetDevice", AccessToken=tokens["AccessToken"], DeviceKey=key)
    world.answer("with a key that was forgotten meanwhile", send(session, key))
    world.answer("a sign-in by SRP with the forgotten key", world.srp(DEVICE_KEY=key))
    world.answer("a sign-in by password with the forgotten key", world.password(DEVICE_KEY=key))
    world.answer("a sign-in with a malformed key", world.password(DEVICE_KEY="not-a-key"))


@scenario("7.1", pool=ALWAYS, question="What is said about a device key after tracking was switched off?")
def tracking_is_switched_off(world: World) -> None:
    world.add_user()
    device, _, tokens = add_device(world)
    key = device["DeviceKey"]
    # Members that are not given return to their defaults. The tag stays, so that --sweep finds the pool.
    world.need("UpdateUserPool", UserPoolId=world.pool_id, UserPoolTags=TAGS)
    world.answer("a sign-in by SRP with the key", world.srp(DEVICE_KEY=key))
    world.answer("a sign-in by password with the key", world.password(DEVICE_KEY=key))
    refresh = {"REFRESH_TOKEN": tokens["RefreshToken"]}
    world.answer("a refresh with the key", world.initiate("REFRESH_TOKEN_AUTH", **refresh, DEVICE_KEY=key))
    world.answer("a refresh without it", world.initiate("REFRESH_TOKEN_AUTH", **refresh))
    world.answer("ListDevices", world.call("ListDevices", AccessToken=tokens["AccessToken"]))


@scenario("16.6", pool=ALWAYS, question="Does a password in clear give a new device?")
def devices_with_a_password_in_clear(world: World) -> None:
    world.add_user()
    result = world.tokens(world.password())
    world.answers["NewDeviceMetadata"] = "present" if "NewDeviceMetadata" in result else "missing"


@scenario("16.7", pool=ALWAYS, question="Must a device be confirmed before a refresh?")
def a_refresh_before_confirm_device(world: World) -> None:
    world.add_user()
    tokens = world.tokens(world.srp())
    refresh = {"REFRESH_TOKEN": tokens["RefreshToken"]}
    key = tokens.get("NewDeviceMetadata", {}).get("DeviceKey", "none")
    world.answer("without DEVICE_KEY", world.initiate("REFRESH_TOKEN_AUTH", **refresh))
    world.answer("with DEVICE_KEY", world.initiate("REFRESH_TOKEN_AUTH", **refresh, DEVICE_KEY=key))


# -- passkeys and choice --


@scenario("5.11", pool={**CHOICE, **ALWAYS}, client=CHOICE_CLIENT, question="Does WEB_AUTHN take DEVICE_KEY?")
def device_key_with_web_authn(world: World) -> None:
    world.add_user()
    device = add_passkey(world)
    region = world.pool_id.partition("_")[0]
    unknown = {"DEVICE_KEY": f"{region}_00000000-0000-0000-0000-000000000000"}
    for case, more in (("without DEVICE_KEY", {}), ("with one that the pool has never made", unknown)):
        asked = world.initiate("USER_AUTH", PREFERRED_CHALLENGE="WEB_AUTHN")
        options = challenge_of(asked, "WEB_AUTHN")["CREDENTIAL_REQUEST_OPTIONS"]
        credential = json.dumps(device.get(options))
        outcome = world.respond("WEB_AUTHN", asked.answer.get("Session"), CREDENTIAL=credential, **more)
        world.answer(case, outcome)


@scenario(
    "5.9",
    pool=CHOICE,
    client=CHOICE_CLIENT,
    question="Can another factor be chosen with the Session of a factor?",
)
def another_factor_in_the_same_session(world: World) -> None:
    world.add_user()
    add_passkey(world)
    asked = world.initiate("USER_AUTH", PREFERRED_CHALLENGE="WEB_AUTHN")
    challenge_of(asked, "WEB_AUTHN")
    session = asked.answer.get("Session")
    chosen = world.respond("SELECT_CHALLENGE", session, ANSWER="PASSWORD", PASSWORD=PASSWORD)
    world.answer("SELECT_CHALLENGE with the Session of WEB_AUTHN", chosen)


@scenario(
    "16.11",
    pool=CHOICE,
    client=CHOICE_CLIENT,
    question="Is a Session still valid after a wrong password in SELECT_CHALLENGE?",
)
def a_wrong_password_in_select_challenge(world: World) -> None:
    world.add_user()
    session = world.initiate("USER_AUTH").answer.get("Session")
    for case, password in (("a wrong password", OTHER_PASSWORD), ("then the right one", PASSWORD)):
        outcome = world.respond("SELECT_CHALLENGE", session, ANSWER="PASSWORD", PASSWORD=password)
        world.answer(case, outcome)


@scenario(
    "16.16",
    pool={**CHOICE, **TOTP, **OPTIONAL},
    question="Can passkeys and MFA be on at once?",
    client=CHOICE_CLIENT,
)
def passkeys_with_mfa(world: World) -> None:
    world.add_user()
    add_passkey(world)
    world.answer("a sign-in by passkey", world.initiate("USER_AUTH", PREFERRED_CHALLENGE="WEB_AUTHN"))


# -- refresh and sign-up --


@scenario("16.8", client=SECRET, question="Over which name is SECRET_HASH made at a refresh?")
def secret_hashes_at_refresh(world: World) -> None:
    world.add_user()
    refresh = {"REFRESH_TOKEN": world.tokens(world.password())["RefreshToken"]}
    found = world.need("AdminGetUser", **world.user())["UserAttributes"]
    sub = next(each["Value"] for each in found if each["Name"] == "sub")
    for case, name in (("the user name", "alice"), ("the sub", sub), ("another name", "bob")):
        outcome = world.initiate("REFRESH_TOKEN_AUTH", **refresh, **world.hash_of(name))
        world.answer(case, outcome)


@scenario(
    "16.10",
    client={**ROTATION, "flows": [flow for flow in FLOWS if flow != "ALLOW_REFRESH_TOKEN_AUTH"]},
    question="What is said about refresh tokens that rotate?",
    waits=11,
)
def rotation(world: World) -> None:
    world.add_user()
    first = world.tokens(world.password())["RefreshToken"]
    client = {"ClientId": world.client_id}
    world.answer("REFRESH_TOKEN_AUTH", world.initiate("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=first))
    second = world.call("GetTokensFromRefreshToken", **client, RefreshToken=first)
    world.answer("GetTokensFromRefreshToken", second)
    world.answer(
        "the old one, in its grace period",
        world.call("GetTokensFromRefreshToken", **client, RefreshToken=first),
    )
    world.server.wait(11)
    reused = world.call("GetTokensFromRefreshToken", **client, RefreshToken=first)
    world.answer("the old one, after its grace period", reused)
    newest = world.tokens(second)["RefreshToken"]
    world.answer(
        "the new one after that", world.call("GetTokensFromRefreshToken", **client, RefreshToken=newest)
    )


@scenario(
    "13",
    pool={"auto_verified_attributes": ["email"]},
    question="Does ConfirmSignUp without a Session answer with one?",
    sends=True,
)
def confirm_sign_up_without_a_session(world: World) -> None:
    client = {"ClientId": world.client_id}
    email = [{"Name": "email", "Value": world.server.address}]
    signed_up = world.need("SignUp", **client, Username="alice", Password=PASSWORD, UserAttributes=email)
    world.answers["SignUp"] = "a Session" if signed_up.get("Session") else "no Session"
    code = world.server.read_code()
    confirmed = world.call("ConfirmSignUp", **client, Username="alice", ConfirmationCode=code)
    world.answer("ConfirmSignUp without a Session", confirmed)
    world.answers["its answer"] = "a Session" if confirmed.answer.get("Session") else "no Session"


@scenario(
    "8.2",
    pool={**OPTIONAL, **TOTP},
    question="May a user turn on a second factor that the pool does not offer?",
)
def messages_as_second_factors_that_are_not_set_up(world: World) -> None:
    world.add_user(email="alice@example.com", email_verified="true")
    token = {"AccessToken": world.tokens(world.password())["AccessToken"]}
    factors = {"SMSMfaSettings": "SMS, without a phone number", "EmailMfaSettings": "e-mail, with an address"}
    # No sign-in follows, which could send a code.
    for name, case in factors.items():
        world.answer(case, world.call("SetUserMFAPreference", **token, **{name: {"Enabled": True}}))


@scenario("16.4", question="Is the challenge of a code by e-mail called EMAIL_MFA or EMAIL_OTP?")
def name_of_the_email_challenge(world: World) -> None:
    # A name that the service does not know is refused with the list of all that it knows.
    for name in ("EMAIL_MFA", "EMAIL_OTP"):
        world.answer(name, world.respond(name, MADE_UP, EMAIL_OTP_CODE="123456"))


@scenario("20", question="Does MFA by e-mail need an identity of Amazon SES?")
def email_mfa_without_ses(world: World) -> None:
    texts = {"Message": "Your code is {####}", "Subject": "Code"}
    outcome = world.call(
        "SetUserPoolMfaConfig",
        UserPoolId=world.pool_id,
        MfaConfiguration="OPTIONAL",
        EmailMfaConfiguration=texts,
    )
    world.answer("EmailMfaConfiguration", outcome)
