"""Texts of Cognito that end in a class or a hint of their own, each with what it means for the caller."""

from __future__ import annotations

import pytest

from cognito_flow.errors import (
    Blocked,
    CognitoFlowError,
    InputRejected,
    Misconfigured,
    SecretHashMismatch,
    ServiceError,
    TemporaryPasswordExpired,
    Throttled,
    TokenRevoked,
    from_service,
)


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        ("NotAuthorized", "Unable to login because of security reasons.", Blocked),
        ("NotAuthorized", "Request not allowed due to security reasons.", Blocked),
        (
            "NotAuthorized",
            "User account has expired, it must be reset by an administrator.",
            TemporaryPasswordExpired,
        ),
        ("Forbidden", "Request not allowed due to WAF block.", Blocked),
        ("CodeDeliveryFailure", "x", Misconfigured),
        ("ConcurrentModification", "x", Throttled),
        ("DeviceKeyExists", "x", ServiceError),
        ("UnsupportedTokenType", "x", Misconfigured),
        ("WebAuthnCredentialNotSupported", "x", InputRejected),
        ("InvalidParameter", "Invalid phone number format.", InputRejected),
        ("InvalidParameter", "Invalid email address format.", InputRejected),
        ("InvalidParameter", "Attributes did not conform to the schema: x", InputRejected),
    ],
)
def test_text_has_its_class(code: str, text: str, kind: type[CognitoFlowError]) -> None:
    assert type(from_service(f"{code}Exception", text)) is kind


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Client 1 is configured with secret but SECRET_HASH was not received", "pass client_secret"),
        ("Client 1 is not configured with secret but SECRET_HASH was received", "remove client_secret"),
        ("Unable to verify secret hash for client 1", "copy it from this app client"),
    ],
)
def test_each_problem_with_secret_hash_has_its_own_hint(text: str, hint: str) -> None:
    error = from_service("NotAuthorizedException", text)

    assert isinstance(error, SecretHashMismatch)
    assert hint in (error.hint or "")


@pytest.mark.parametrize(
    ("code", "text", "kind", "hint"),
    [
        ("NotAuthorized", "Refresh Token has been revoked", TokenRevoked, "signed out"),
        (
            "InvalidParameter",
            "Custom auth lambda trigger is not configured for the user pool.",
            Misconfigured,
            "DefineAuthChallenge",
        ),
    ],
)
def test_hint_says_what_to_do(code: str, text: str, kind: type[CognitoFlowError], hint: str) -> None:
    error = from_service(f"{code}Exception", text)

    assert type(error) is kind
    assert hint in (error.hint or "")
