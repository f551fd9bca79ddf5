"""The pools that other people's clients sign in to, each with the user alice."""

from __future__ import annotations

from typing import Any

from cognito_flow import AppClient
from cognito_flow.testing import LocalCognito, Pool
from tests.scenarios.custom import create, define, verify

PASSWORD = "Correct horse: battery, st\u00e4ple 7"
NEW_PASSWORD = "Another horse: no battery 8"
INCORRECT = ("NotAuthorizedException", "Incorrect username or password.")
WRONG_CODE = ("CodeMismatchException", "Invalid code or auth state for the user.")
WRONG_TOTP = ("CodeMismatchException", "Invalid code received for user")
USED_TOTP = ("ExpiredCodeException", "Your software token has already been used once.")
USED_SESSION = ("NotAuthorizedException", "Invalid session for the user, session can only be used once.")
NO_SESSION = ("NotAuthorizedException", "Invalid session for the user.")
DEAD_REFRESH_TOKEN = ("NotAuthorizedException", "Invalid Refresh Token.")
MADE_UP_SESSION = "a Session that was never issued"

TOTP: dict[str, Any] = {"software_token_mfa_configuration": {"Enabled": True}}
SMS: dict[str, Any] = {
    "sms_mfa_configuration": {"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}}
}
EMAIL: dict[str, Any] = {"email_mfa_configuration": {}}

_TRIGGERS = {
    "DefineAuthChallenge": define,
    "CreateAuthChallenge": create,
    "VerifyAuthChallengeResponse": verify,
}


def plain_pool(cognito: LocalCognito, **user: Any) -> Pool:
    """A pool that asks for a password and nothing else."""
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD, **user)
    return pool


def mfa_pool(cognito: LocalCognito, *, user: dict[str, Any], **factors: Any) -> Pool:
    """A pool that requires a second factor."""
    pool = cognito.create_pool(mfa_configuration="ON", **factors)
    pool.add_user("alice", PASSWORD, **user)
    return pool


def sms_pool(cognito: LocalCognito) -> Pool:
    """A pool that sends codes by SMS."""
    return mfa_pool(cognito, user={"phone_number": "+31612341234"}, **SMS)


def totp_pool(cognito: LocalCognito) -> Pool:
    """A pool whose user has an authenticator app."""
    return mfa_pool(cognito, user={"totp": True}, **TOTP)


def two_factor_pool(cognito: LocalCognito) -> Pool:
    """A pool whose user has two second factors and prefers neither."""
    pool = mfa_pool(cognito, user={"phone_number": "+31612341234", "totp": True}, **TOTP, **SMS)
    user = pool.user("alice")
    user.mfa_enabled.append("SMS_MFA")
    user.mfa_preferred = None
    return pool


def choice_pool(cognito: LocalCognito) -> Pool:
    """A pool that lets people choose what to begin with."""
    allowed: Any = {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP", "SMS_OTP"]}
    pool = cognito.create_pool(policies={"SignInPolicy": allowed})
    pool.add_user("alice", PASSWORD, email="alice@example.com", phone_number="+31612341234")
    return pool


def device_pool(cognito: LocalCognito, *, asks: bool = False, **members: Any) -> Pool:
    """A pool in which a remembered device replaces the code by SMS."""
    configuration: Any = {"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": asks}
    user = {"phone_number": "+31612341234", "email": "alice@example.com"}
    return mfa_pool(cognito, user=user, device_configuration=configuration, **SMS, **members)


def free_device_pool(cognito: LocalCognito) -> Pool:
    """A pool that remembers devices, and asks new ones for nothing but the password."""
    configuration: Any = {"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": False}
    pool = cognito.create_pool(device_configuration=configuration)
    pool.add_user("alice", PASSWORD)
    return pool


def custom_pool(cognito: LocalCognito) -> Pool:
    """A pool whose triggers ask what two and two is, after the password if SRP began."""
    pool = plain_pool(cognito)
    pool.triggers.update(_TRIGGERS)
    return pool


def rotating_app(pool: Pool, flow: str = "ALLOW_USER_SRP_AUTH") -> AppClient:
    """An app client whose refresh tokens are good once."""
    rotation: Any = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}
    return pool.app_client(flows=(flow,), refresh_token_rotation=rotation)


def forget_devices(pool: Pool) -> None:
    """Forget alice's devices, as an administrator would."""
    client: Any = pool.cognito.client()
    for key in list(pool.user("alice").devices):
        client.admin_forget_device(UserPoolId=pool.id, Username="alice", DeviceKey=key)


def wrong(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"


def devices(pool: Pool) -> list[str]:
    """The keys of alice's devices."""
    return list(pool.user("alice").devices)


def is_alice(pool: Pool, done: Any) -> bool:
    """Whether both verified tokens of a completed sign-in are alice's."""
    return {claims["sub"] for claims in done["claims"].values()} == {pool.user("alice").sub}
