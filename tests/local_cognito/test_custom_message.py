"""The texts of messages: the pool's templates, and the CustomMessage trigger."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import ProxyHandler, build_opener

import pytest
from botocore.exceptions import ClientError

from cognito_flow.testing import LocalCognito
from tests.local_cognito.test_stacks import CERTIFICATE
from tests.local_cognito.wire import PASSWORD, Wire

EMAIL = {"Name": "email", "Value": "carol@example.com"}
TEXTS = {
    "emailSubject": "A letter",
    "emailMessage": "<p>{####}</p> for {username}",
    "smsMessage": "{####} {username}",
}


class Trigger:
    """A CustomMessage trigger that remembers its events."""

    def __init__(self, **response: Any) -> None:
        self.response, self.events = response, list[Any]()

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        self.events.append(event)
        return {**event, "response": {**event["response"], **self.response}}


@pytest.fixture
def wire(cognito: LocalCognito) -> Wire:
    """A pool that sends messages of all kinds, and alice, who gets a code at each sign-in."""
    pool = cognito.create_pool(
        auto_verified_attributes=["email"],
        mfa_configuration="OPTIONAL",
        sms_mfa_configuration={"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}},
        email_mfa_configuration={},
    )
    pool.add_user("alice", PASSWORD, email="alice@example.com")
    return Wire(pool)


def sign_up(wire: Wire, username: str = "carol", **more: Any) -> None:
    """Sign a user up, who gets a code by e-mail."""
    wire.api.sign_up(
        ClientId=wire.client_id, Username=username, Password="Correct-horse-1", UserAttributes=[EMAIL], **more
    )


def invite(wire: Wire, *mediums: str, **more: Any) -> None:
    """Invite a user, with a temporary password."""
    attributes = [EMAIL, {"Name": "phone_number", "Value": "+31612345670"}]
    wire.api.admin_create_user(
        UserPoolId=wire.pool.id,
        Username="dave",
        UserAttributes=attributes,
        DesiredDeliveryMediums=list(mediums or ("EMAIL",)),
        **more,
    )


def second_factor(wire: Wire, name: str) -> Any:
    """Sign alice in with her password; she is asked for a code."""
    user = wire.pool.user("alice")
    user.attributes["phone_number"] = "+31612345678"
    user.enable_factor(name)
    user.mfa_preferred = name
    return wire.password()


def token(wire: Wire) -> str:
    """An access token of alice."""
    return str(wire.password()["AuthenticationResult"]["AccessToken"])


def change_address(wire: Wire) -> None:
    """Give alice another e-mail address."""
    changed = [{"Name": "email", "Value": "alice@example.org"}]
    wire.api.update_user_attributes(AccessToken=token(wire), UserAttributes=changed)


def change_address_as_administrator(wire: Wire) -> None:
    """The same by an administrator."""
    changed = [{"Name": "email", "Value": "alice@example.org"}]
    wire.api.admin_update_user_attributes(UserPoolId=wire.pool.id, Username="alice", UserAttributes=changed)


def verify_address(wire: Wire) -> None:
    """Request a code for alice's address."""
    wire.api.get_user_attribute_verification_code(AccessToken=token(wire), AttributeName="email")


def resend(wire: Wire) -> None:
    """Sign a user up and request another code."""
    sign_up(wire)
    wire.api.resend_confirmation_code(ClientId=wire.client_id, Username="carol")


def forget(wire: Wire) -> None:
    """Request a code for a new password."""
    wire.api.forgot_password(ClientId=wire.client_id, Username="alice")


def reset(wire: Wire) -> None:
    """Reset alice's password as an administrator."""
    wire.api.admin_reset_user_password(UserPoolId=wire.pool.id, Username="alice")


SOURCES: dict[str, Callable[[Wire], object]] = {
    "CustomMessage_SignUp": sign_up,
    "CustomMessage_ResendCode": resend,
    "CustomMessage_ForgotPassword": forget,
    "CustomMessage_ForgotPassword by an administrator": reset,
    "CustomMessage_UpdateUserAttribute": change_address,
    "CustomMessage_UpdateUserAttribute by an administrator": change_address_as_administrator,
    "CustomMessage_VerifyUserAttribute": verify_address,
    "CustomMessage_AdminCreateUser": invite,
    "CustomMessage_Authentication": lambda wire: second_factor(wire, "EMAIL_OTP"),
}


@pytest.mark.parametrize("source", SOURCES)
def test_trigger_writes_each_message_by_email(wire: Wire, source: str) -> None:
    wire.pool.triggers["CustomMessage"] = trigger = Trigger(**TEXTS)

    SOURCES[source](wire)

    message, event = wire.cognito.outbox[-1], trigger.events[-1]
    assert event["triggerSource"] == source.partition(" ")[0]
    assert (event["userName"], event["request"]["codeParameter"]) == (message.username, "{####}")
    assert message.subject == "A letter"
    assert message.text == f"<p>{message.code}</p> for {message.username}"


@pytest.mark.parametrize(
    "send", [lambda wire: second_factor(wire, "SMS_MFA"), lambda wire: invite(wire, "SMS")], ids=["MFA", "invitation"]
)  # fmt: skip
def test_trigger_writes_messages_by_sms(wire: Wire, send: Any) -> None:
    wire.pool.triggers["CustomMessage"] = Trigger(**TEXTS)

    send(wire)

    message = wire.cognito.outbox[-1]
    assert (message.medium, message.subject) == ("SMS", "")
    assert message.text == f"{message.code} {message.username}"


def test_event_names_the_app_client_if_there_is_one(wire: Wire) -> None:
    wire.pool.triggers["CustomMessage"] = trigger = Trigger()
    for source in ("CustomMessage_SignUp", "CustomMessage_VerifyUserAttribute"):
        SOURCES[source](wire)
    invite(wire)

    clients = [event["callerContext"]["clientId"] for event in trigger.events]
    assert clients == [wire.client_id, wire.client_id, "CLIENT_ID_NOT_APPLICABLE"]
    usernames = [event["request"]["usernameParameter"] for event in trigger.events]
    assert usernames == [None, None, "{username}"]


def test_client_metadata_reaches_the_trigger_but_not_from_the_start_of_a_sign_in(wire: Wire) -> None:
    wire.pool.triggers["CustomMessage"] = trigger = Trigger()
    metadata = {"language": "nl"}
    sign_up(wire, ClientMetadata=metadata)
    invite(wire, ClientMetadata=metadata)
    alice = wire.pool.user("alice")
    alice.mfa_enabled, alice.attributes["phone_number"] = ["SMS_MFA", "EMAIL_OTP"], "+31612345678"
    step = wire.api.initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=wire.client_id,
        AuthParameters={"USERNAME": "alice", "PASSWORD": PASSWORD},
        ClientMetadata=metadata,
    )
    wire.api.respond_to_auth_challenge(
        ClientId=wire.client_id,
        ChallengeName="SELECT_MFA_TYPE",
        Session=step["Session"],
        ChallengeResponses={"USERNAME": "alice", "ANSWER": "EMAIL_OTP"},
        ClientMetadata=metadata,
    )
    alice.mfa_enabled = ["EMAIL_OTP"]
    wire.api.initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=wire.client_id,
        AuthParameters={"USERNAME": "alice", "PASSWORD": PASSWORD},
        ClientMetadata=metadata,
    )

    seen = [event["request"]["clientMetadata"] for event in trigger.events]
    assert seen == [metadata, metadata, metadata, {}]


@pytest.mark.parametrize(
    ("response", "field"),
    [
        ({"emailMessage": "Welcome"}, "emailBody"),
        ({"emailMessage": "{username}, your password is 1"}, "emailBody"),
        ({"smsMessage": "Welcome"}, "smsMessage"),
        ({"emailSubject": "x" * 141}, "emailSubject"),
        ({"smsMessage": "{####}" + "x" * 135}, "smsMessage"),
        ({"emailMessage": "{####}" + "x" * 20_000}, "emailBody"),
    ],
)
def test_text_without_the_code_or_too_long_is_refused(
    wire: Wire, response: dict[str, str], field: str
) -> None:
    wire.pool.triggers["CustomMessage"] = Trigger(**response)

    with pytest.raises(ClientError, match=f"Value at '{field}' failed") as refused:
        forget(wire)

    assert refused.value.response.get("Error", {}).get("Code") == "InvalidParameterException"
    assert "ForgotPassword" not in wire.pool.user("alice").codes
    assert wire.cognito.outbox == []


def test_invitation_without_the_user_name_is_refused(wire: Wire) -> None:
    wire.pool.triggers["CustomMessage"] = Trigger(emailMessage="{####}")

    with pytest.raises(ClientError, match=r"\{username\\}"):
        invite(wire)


def test_text_of_another_type_is_an_invalid_lambda_response(wire: Wire) -> None:
    wire.pool.triggers["CustomMessage"] = Trigger(emailMessage=["{####}"])

    with pytest.raises(ClientError, match="InvalidLambdaResponseException"):
        forget(wire)


def test_trigger_that_raises_sends_no_message(wire: Wire) -> None:
    def fail(_event: Any) -> Any:
        raise ValueError("no letters today")

    wire.pool.triggers["CustomMessage"] = fail

    with pytest.raises(ClientError, match="CustomMessage failed with error no letters today"):
        forget(wire)
    assert wire.cognito.outbox == []


@pytest.mark.parametrize("response", [{}, {"emailMessage": None}, {"emailMessage": "", "other": 1}])
def test_without_a_text_of_the_trigger_the_pools_own_is_sent(wire: Wire, response: dict[str, Any]) -> None:
    wire.pool.triggers["CustomMessage"] = Trigger(**response)

    forget(wire)

    message = wire.cognito.outbox[-1]
    assert message.subject == "Your verification code"
    assert message.text == f"Your verification code is {message.code}."


def test_templates_of_the_pool_are_used(cognito: LocalCognito) -> None:
    sms: Any = {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}
    pool = cognito.create_pool(
        auto_verified_attributes=["email"],
        verification_message_template={"EmailMessage": "Code: {####}", "EmailSubject": "Code"},
        admin_create_user_config={
            "InviteMessageTemplate": {
                "SMSMessage": "{username} {####}",
                "EmailMessage": "Hello {username}, {####}",
                "EmailSubject": "Hello",
            }
        },
        mfa_configuration="OPTIONAL",
        email_mfa_configuration={"Message": "Factor: {####}", "Subject": "Factor"},
        sms_mfa_configuration={"SmsConfiguration": sms, "SmsAuthenticationMessage": "{####} it is"},
    )
    pool.add_user("alice", PASSWORD, email="alice@example.com", phone_number="+31612345678")
    wire = Wire(pool)

    sign_up(wire)
    invite(wire, "EMAIL", "SMS")
    second_factor(wire, "EMAIL_OTP")
    second_factor(wire, "SMS_MFA")

    sent = [(message.subject, message.text.replace(message.code, "*")) for message in cognito.outbox]
    assert sent == [
        ("Code", "Code: *"),
        ("Hello", "Hello dave, *"),
        ("", "dave *"),
        ("Factor", "Factor: *"),
        ("", "* it is"),
    ]


def test_older_members_for_templates_are_used(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(
        auto_verified_attributes=["email"],
        email_verification_message="Old: {####}",
        email_verification_subject="Old",
    )
    sign_up(Wire(pool))

    message = cognito.outbox[-1]
    assert (message.subject, message.text) == ("Old", f"Old: {message.code}")
    assert message.code not in repr(message)


# -- links in place of codes --

BY_LINK: Any = {
    "DefaultEmailOption": "CONFIRM_WITH_LINK",
    "EmailMessageByLink": "Hello {username}, {##confirm & begin##}",
    "EmailSubjectByLink": "Confirm",
}


def linked(cognito: LocalCognito, domain: str | None = "solar", template: Any = BY_LINK) -> Wire:
    """A pool whose sign-ups are confirmed by a link, with a domain."""
    pool = cognito.create_pool(auto_verified_attributes=["email"], verification_message_template=template)
    wire = Wire(pool)
    if domain is not None:
        wire.api.create_user_pool_domain(UserPoolId=pool.id, Domain=domain)
    return wire


def follow(cognito: LocalCognito, link: str) -> tuple[int, Any]:
    """Request the path of a link from the served LocalCognito: the status and the body."""
    parts = urlsplit(link)
    with cognito.serve() as url:
        try:
            with build_opener(ProxyHandler({})).open(f"{url}{parts.path}?{parts.query}") as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            with error:
                return error.code, json.load(error)


def test_sign_up_is_confirmed_by_the_link_in_its_message(cognito: LocalCognito) -> None:
    wire = linked(cognito)
    sign_up(wire)
    message = cognito.outbox[-1]
    wanted = {"client_id": wire.client_id, "user_name": "carol", "confirmation_code": message.code}

    status, _ = follow(cognito, message.link)

    assert message.link == f"https://solar.auth.eu-west-1.amazoncognito.com/confirmUser?{urlencode(wanted)}"
    assert message.subject == "Confirm"
    assert message.text == f'Hello carol, <a href="{escape(message.link)}">confirm & begin</a>'
    assert (status, wire.pool.user("carol").status) == (200, "CONFIRMED")
    assert wire.pool.user("carol").attributes["email_verified"] == "true"


def test_link_needs_no_client_secret(cognito: LocalCognito) -> None:
    wire = linked(cognito)
    app = wire.pool.app_client(secret=True)
    wire.pool.flow(app).sign_up("carol", "Correct-horse-1", attributes={"email": "carol@example.com"})

    assert follow(cognito, cognito.outbox[-1].link)[0] == 200


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("confirmation_code=", "confirmation_code=9"), "CodeMismatchException"),
        (("user_name=carol", "user_name=mallory"), "ExpiredCodeException"),
        (("client_id=", "client_id=x"), "ResourceNotFoundException"),
        (("user_name=carol", ""), "InvalidParameterException"),
    ],
)
def test_changed_link_confirms_no_user(cognito: LocalCognito, change: tuple[str, str], code: str) -> None:
    wire = linked(cognito)
    wire.client_id = wire.pool.app_client(prevent_user_existence_errors="ENABLED").client_id
    sign_up(wire)

    status, error = follow(cognito, cognito.outbox[-1].link.replace(*change))

    assert (status, error["__type"]) == (400, code)
    assert wire.pool.user("carol").status == "UNCONFIRMED"


def test_link_is_used_once(cognito: LocalCognito) -> None:
    wire = linked(cognito)
    sign_up(wire)
    follow(cognito, cognito.outbox[-1].link)

    status, error = follow(cognito, cognito.outbox[-1].link)

    assert (status, error["__type"]) == (400, "NotAuthorizedException")


def test_link_leads_to_the_custom_domain(cognito: LocalCognito) -> None:
    wire = linked(cognito, None, {"DefaultEmailOption": "CONFIRM_WITH_LINK"})
    wire.api.create_user_pool_domain(
        UserPoolId=wire.pool.id,
        Domain="auth.example.com",
        CustomDomainConfig={"CertificateArn": CERTIFICATE},
    )

    resend(wire)

    message = cognito.outbox[-1]
    assert message.link.startswith("https://auth.example.com/confirmUser?")
    assert message.subject == "Your verification link"
    assert message.text.endswith(">Verify Email</a>")


def test_link_without_a_domain_is_refused(cognito: LocalCognito) -> None:
    wire = linked(cognito, None)

    with pytest.raises(ClientError, match="there does not exist a valid use pool domain"):
        sign_up(wire)
    assert cognito.outbox == []


def test_codes_for_other_purposes_come_without_a_link(cognito: LocalCognito) -> None:
    wire = linked(cognito)
    wire.pool.add_user("alice", PASSWORD, email="alice@example.com")

    forget(wire)
    change_address(wire)

    assert [message.link for message in cognito.outbox] == ["", ""]
    assert all(message.code in message.text for message in cognito.outbox)


def test_trigger_places_the_link(cognito: LocalCognito) -> None:
    wire = linked(cognito)
    wire.pool.triggers["CustomMessage"] = trigger = Trigger(emailMessage="<b>{##Click Here##}</b>")
    sign_up(wire)

    message = cognito.outbox[-1]
    assert trigger.events[-1]["request"]["linkParameter"] == "{##Click Here##}"
    assert message.text == f'<b><a href="{escape(message.link)}">Click Here</a></b>'


def test_text_without_the_link_is_refused(cognito: LocalCognito) -> None:
    wire = linked(cognito)
    wire.pool.triggers["CustomMessage"] = Trigger(emailMessage="Welcome")

    with pytest.raises(ClientError, match=r"Value at 'emailBody' failed .*\{##"):
        sign_up(wire)
