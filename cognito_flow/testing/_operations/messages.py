"""The messages to users: the pool's texts, or those of the CustomMessage trigger.

Rule of this file: every message is composed here, before anything is stored, so that a trigger that fails
leaves no code behind.

With DefaultEmailOption CONFIRM_WITH_LINK, the e-mail of a sign-up has a link in place of a code. It leads to
the pool's domain, where GET /confirmUser confirms the user. New addresses are verified by code all the same:
nothing is on record about links for them.

Sources: "Custom message Lambda trigger" and "Configuring MFA, authentication, verification and invitation
messages" in the developer guide; ClientMetadata of InitiateAuth in the API reference, which the trigger does
not get; VerificationMessageTemplateType there. The refusals of a text without the code and of a pool without
a domain are those that users report, as are the form of the link and `linkParameter`; the name `smsMessage`
in a refusal and the default texts of links are LocalCognito's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode

import attrs

from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import User, UserPool
from cognito_flow.testing._state.refusal import invalid_parameter
from cognito_flow.testing.outbox import Message

_CODE, _USERNAME, _LINK = "{####}", "{username}", "{##Click Here##}"
_ANY_LINK = re.compile(r"\{##(.*?)##\}")
_CONFIRMING = {"ResendCode", "SignUp"}
_LONGEST = {"emailSubject": 140, "emailMessage": 20_000, "smsMessage": 140}
_NAMES_IN_REFUSALS = {"emailMessage": "emailBody"}


def compose(
    pool: UserPool,
    user: User,
    message: Message,
    source: str,
    client_id: str,
    metadata: Mapping[str, str],
) -> Message:
    """Return a message with its subject and its text.

    Args:
        pool: The pool.
        user: The user that it goes to.
        message: The message without them.
        source: The triggerSource, without ``CustomMessage_``.
        client_id: The app client.
        metadata: ClientMetadata for the trigger.

    Raises:
        Refusal: The trigger failed, or returned a text without the code.
    """
    is_invitation = source == "AdminCreateUser"
    request: Members = {
        "codeParameter": _CODE,
        "linkParameter": _LINK,
        "usernameParameter": _USERNAME if is_invitation else None,
        "clientMetadata": dict(metadata),
    }
    link = _link(pool, user, message, client_id) if _has_link(pool, source, message.medium) else ""
    response = pool.run_trigger("CustomMessage", f"CustomMessage_{source}", client_id, user, request) or {}
    needed = (_CODE, _USERNAME) if is_invitation else (_CODE,)
    custom = {
        name: _checked(name, text, needed, bool(link) and name == "emailMessage")
        for name, text in response.items()
        if name in _LONGEST
    }
    subject, text = _link_template(pool) if link else _template(pool, source, message.medium)
    if message.medium == "EMAIL":
        subject, text = custom.get("emailSubject") or subject, custom.get("emailMessage") or text
    else:
        text = custom.get("smsMessage") or text
    if link:
        text = _ANY_LINK.sub(lambda found: f'<a href="{escape(link)}">{found[1]}</a>', text)
    text = text.replace(_CODE, message.code).replace(_USERNAME, pool.display_name(user))
    return attrs.evolve(message, subject=subject, text=text, link=link)


def _has_link(pool: UserPool, source: str, medium: str) -> bool:
    option = pool.members.get("VerificationMessageTemplate", {}).get("DefaultEmailOption")
    return option == "CONFIRM_WITH_LINK" and medium == "EMAIL" and source in _CONFIRMING


def _link(pool: UserPool, user: User, message: Message, client_id: str) -> str:
    """The URL that confirms a user.

    Raises:
        Refusal: The pool has no domain.
    """
    if not pool.domains:
        text = "Cannot perform specific action because there does not exist a valid use pool domain"
        raise invalid_parameter(f"{text} associated with the user pool")
    host = pool.host(next(iter(pool.domains)))
    query = {"client_id": client_id, "user_name": user.username, "confirmation_code": message.code}
    return f"https://{host}/confirmUser?{urlencode(query)}"


def _checked(name: str, text: str | None, needed: tuple[str, ...], needs_link: bool) -> str:
    """Check a text of the trigger. A missing or empty one leaves the pool's own."""
    if not text:
        return ""
    constraint = None
    if len(text) > _LONGEST[name]:
        constraint = f"Member must have length less than or equal to {_LONGEST[name]}"
    elif needs_link:
        if _ANY_LINK.search(text) is None:
            constraint = r"Member must satisfy regular expression pattern: .*\{##.*##\}.*"
    elif name != "emailSubject" and (missing := [part for part in needed if part not in text]):
        pattern = missing[0].replace("{", r"\{").replace("}", r"\}")
        constraint = f"Member must satisfy regular expression pattern: .*{pattern}.*"
    if constraint is None:
        return text
    where = _NAMES_IN_REFUSALS.get(name, name)
    raise invalid_parameter(
        f"1 validation error detected: Value at '{where}' failed to satisfy constraint: {constraint}"
    )


def _template(pool: UserPool, source: str, medium: str) -> tuple[str, str]:
    """The pool's own subject and text for a message. One by SMS has no subject."""
    if source == "AdminCreateUser":
        given = pool.members.get("AdminCreateUserConfig", {}).get("InviteMessageTemplate", {})
        given = {**given, "SmsMessage": given.get("SMSMessage")}
        default = f"Your username is {_USERNAME} and temporary password is {_CODE}."
        subject = "Your temporary password"
    elif source == "Authentication":
        given = _authentication_texts(pool)
        default, subject = f"Your authentication code is {_CODE}.", "Your authentication code"
    else:
        older = {name: pool.members.get(older) for name, older in OLDER_MEMBERS.items()}
        given = {**older, **pool.members.get("VerificationMessageTemplate", {})}
        default, subject = f"Your verification code is {_CODE}.", "Your verification code"
    if medium == "SMS":
        return "", given.get("SmsMessage") or default
    return given.get("EmailSubject") or subject, given.get("EmailMessage") or default


def _link_template(pool: UserPool) -> tuple[str, str]:
    """The pool's own subject and text for a message with a link."""
    given = pool.members["VerificationMessageTemplate"]
    default = "Please click the link below to verify your email address. {##Verify Email##}"
    subject = given.get("EmailSubjectByLink") or "Your verification link"
    return subject, given.get("EmailMessageByLink") or default


def _authentication_texts(pool: UserPool) -> Members:
    email, sms = pool.mfa.get("EmailMfaConfiguration", {}), pool.mfa.get("SmsMfaConfiguration", {})
    return {
        "EmailMessage": email.get("Message"),
        "EmailSubject": email.get("Subject"),
        "SmsMessage": sms.get("SmsAuthenticationMessage") or pool.members.get("SmsAuthenticationMessage"),
    }


OLDER_MEMBERS = {
    "EmailMessage": "EmailVerificationMessage",
    "EmailSubject": "EmailVerificationSubject",
    "SmsMessage": "SmsVerificationMessage",
}
"""The older members of a pool for the members of VerificationMessageTemplate."""
