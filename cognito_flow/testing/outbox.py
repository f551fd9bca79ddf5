"""The messages that a real pool would send by SMS or e-mail.

Rule of this file: a message keeps its code out of its repr, as every secret.
"""

from __future__ import annotations

import attrs


@attrs.frozen
class Message:
    """One message.

    Args:
        username: The user's name in the pool.
        medium: ``SMS`` or ``EMAIL``.
        destination: The phone number or the e-mail address, in full.
        code: The code, or the temporary password.
        purpose: What it is for: the ChallengeName, or the operation that sent it.
        pool_id: The pool that sent it.
        subject: The subject of an e-mail.
        text: The text, with the code or the link in it.
        link: The URL that confirms a sign-up, in a pool with CONFIRM_WITH_LINK.

    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool(auto_verified_attributes=["email"])
    >>> user = pool.add_user("alice", "correct horse", email="alice@example.com")
    >>> delivery = pool.flow().forgot_password("alice")
    >>> message = pool.cognito.outbox[-1]
    >>> message.destination, message.code == pool.last_code("alice")
    ('alice@example.com', True)
    """

    username: str
    medium: str
    destination: str
    code: str = attrs.field(repr=False)
    purpose: str = ""
    pool_id: str = ""
    subject: str = ""
    text: str = attrs.field(default="", repr=False)
    link: str = attrs.field(default="", repr=False)


def mask(medium: str, destination: str) -> str:
    """The destination as Cognito shows it.

    >>> mask("SMS", "+31612345678"), mask("EMAIL", "alice@example.com")
    ('+*******5678', 'a***@e***')
    """
    if medium == "SMS":
        return f"+*******{destination[-4:]}"
    local, _, domain = destination.partition("@")
    return f"{local[:1]}***@{domain[:1]}***"
