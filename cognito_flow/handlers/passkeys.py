"""The challenge that a passkey answers.

Rule of this file: the credential is sent unchanged. Its shape is checked, so that a mistake in the page is
reported early; Cognito verifies it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Self

import attrs

from cognito_flow._json import as_object, parse_json
from cognito_flow.errors import InvalidInput, UnexpectedResponse, UsageError
from cognito_flow.handlers.base import Answer
from cognito_flow.handlers.choices import FirstFactorChallenge
from cognito_flow.handlers.pending import Pending

_IN_CREDENTIAL = ("id", "rawId", "type", "response")
_IN_ASSERTION = ("clientDataJSON", "authenticatorData", "signature")


@attrs.frozen(kw_only=True, repr=False)
class WebAuthn(FirstFactorChallenge):
    """WEB_AUTHN: the browser signs with a passkey.

    Args:
        pending: The challenge as Cognito sent it.
        options: What to pass to ``navigator.credentials.get``, parsed; every binary value is base64url
            without padding.

    >>> from cognito_flow import UserAuth
    >>> from cognito_flow.testing import LocalCognito, SoftAuthenticator
    >>> pool = LocalCognito().create_pool(
    ...     policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}},
    ...     web_authn_configuration={"RelyingPartyId": "app.example"},
    ... )
    >>> user, browser = pool.add_user("alice", "correct horse"), SoftAuthenticator()
    >>> flow = pool.flow()
    >>> account = flow.account(flow.start(UserAuth("alice", "correct horse")).tokens)
    >>> account.finish_passkey(browser.create(account.start_passkey().options))
    >>> challenge = flow.start(UserAuth("alice", preferred="WEB_AUTHN"))
    >>> flow.send(challenge.answer(browser.get(challenge.options))).username
    'alice'
    """

    name: ClassVar[str] = "WEB_AUTHN"
    reads: ClassVar[tuple[str, ...]] = ("CREDENTIAL_REQUEST_OPTIONS",)
    sends: ClassVar[tuple[str, ...]] = ("CREDENTIAL",)

    options: Mapping[str, object]

    @classmethod
    def parse(cls, pending: Pending) -> Self:
        """Read the options, which are JSON."""
        options = as_object(pending.need_json("CREDENTIAL_REQUEST_OPTIONS"))
        if options is None:
            raise UnexpectedResponse(f"{pending.name} came with options that are not a JSON object")
        return cls(pending=pending, options=options)

    @property
    def options_json(self) -> str:
        """The options as Cognito sent them: JSON text for a web page."""
        return self.pending.need("CREDENTIAL_REQUEST_OPTIONS")

    @property
    def expires_at(self) -> datetime | None:
        """When the challenge expires: the options' timeout is the session's length in milliseconds."""
        timeout, received_at = self.options.get("timeout"), self.pending.received_at
        if received_at is None or not isinstance(timeout, int):
            return None
        try:
            return received_at + timedelta(milliseconds=timeout)
        except OverflowError:
            return None  # after the end of the calendar

    def answer(self, credential: str | Mapping[str, object]) -> Answer:
        """Answer with what ``navigator.credentials.get`` returned.

        Args:
            credential: The credential's JSON form (``credential.toJSON()`` in a browser), as text or as a
                mapping.

        Raises:
            InvalidInput: It is not an assertion; the message names what is missing.
        """
        return Answer(self, {"CREDENTIAL": credential_json(credential, _IN_ASSERTION, "credentials.get")})


def credential_json(credential: str | Mapping[str, object], in_response: tuple[str, ...], source: str) -> str:
    """Return the credential as JSON text, if it has the members that it must have.

    Args:
        credential: The credential's JSON form, as text or as a mapping.
        in_response: The members that its ``response`` must have.
        source: The method of ``navigator`` that makes such a credential.

    Raises:
        InvalidInput: It is not such a credential; the message names what is missing.
        UsageError: It is a mapping with values that JSON cannot hold.
    """
    parsed = as_object(_parse(credential) if isinstance(credential, str) else credential)
    if parsed is None:
        raise InvalidInput("the credential is not a JSON object")
    response = as_object(parsed.get("response"))
    if response is None:
        raise InvalidInput("the credential has no member 'response': send credential.toJSON() from the page")
    _need_members(parsed, _IN_CREDENTIAL, "the credential", source)
    _need_members(response, in_response, "the credential's response", source)
    return _to_json(parsed)


def _parse(text: str) -> object:
    try:
        return parse_json(text)
    except ValueError:
        raise InvalidInput(
            "the credential is not JSON: send JSON.stringify(credential) from the page"
        ) from None


def _to_json(credential: Mapping[str, object]) -> str:
    try:
        return json.dumps(dict(credential), separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise UsageError(
            "the credential holds what JSON cannot: binary values are base64url text in credential.toJSON()"
        ) from None


def _need_members(values: Mapping[str, object], names: tuple[str, ...], what: str, source: str) -> None:
    for name in names:
        if not values.get(name):
            raise InvalidInput(
                f"{what} has no member {name!r}: it must be a credential from navigator.{source}"
            )
