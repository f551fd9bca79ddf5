"""Check the settings of an app client and its pool, which are read with AWS credentials.

Rule of this file: a check reads the settings and yields findings. Each names the setting to change as the API
reference of Amazon Cognito spells it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import attrs

from cognito_flow._json import as_list, as_object, as_text, member
from cognito_flow.cli.doctor.finding import Finding, Level, existence, no_secret
from cognito_flow.cli.doctor.probing_client import Outcome, ProbingClient
from cognito_flow.errors import Misconfigured, ServiceError
from cognito_flow.models import AppClient

Members: TypeAlias = Mapping[str, object]


@attrs.frozen
class Settings:
    """What the three operations returned.

    Args:
        app: The app client, as the user gave it.
        client: UserPoolClient of DescribeUserPoolClient, with the secret.
        pool: UserPool of DescribeUserPool.
        mfa: GetUserPoolMfaConfig.
    """

    app: AppClient
    client: Members = attrs.field(repr=False)
    pool: Members
    mfa: Members

    @property
    def flows(self) -> frozenset[str]:
        """ExplicitAuthFlows, or their default."""
        flows = map(str, as_list(self.client.get("ExplicitAuthFlows")) or _DEFAULT_FLOWS)
        return frozenset(flows)

    @property
    def first_factors(self) -> frozenset[str]:
        """AllowedFirstAuthFactors without the password."""
        factors = as_list(member(self.pool, "Policies", "SignInPolicy", _FIRST_FACTORS)) or ()
        return frozenset(map(str, factors)) - {"PASSWORD"}

    @property
    def rotates(self) -> bool:
        """Whether refresh tokens are rotated."""
        return member(self.client, "RefreshTokenRotation", "Feature") == "ENABLED"

    @property
    def is_lite(self) -> bool:
        """Whether the pool has the smallest feature plan."""
        return self.pool.get("UserPoolTier") == "LITE"

    @property
    def triggers(self) -> Members:
        """LambdaConfig."""
        return as_object(self.pool.get("LambdaConfig")) or {}


def findings(client: ProbingClient) -> Iterator[Finding]:
    """Read the settings, and check them.

    Args:
        client: Calls Cognito with AWS credentials.

    Raises:
        CognitoFlowError: Cognito was not reached, or refused the AWS credentials.
    """
    app = client.app
    pool = {"UserPoolId": app.pool_id}
    app_client = {**pool, "ClientId": app.client_id}
    try:
        settings = Settings(
            app,
            _members(client.call("DescribeUserPoolClient", app_client), "UserPoolClient"),
            _members(client.call("DescribeUserPool", pool), "UserPool"),
            _members(client.call("GetUserPoolMfaConfig", pool)),
        )
    except Misconfigured as error:
        if error.code != "ResourceNotFoundException":
            raise
        yield Finding(Level.PROBLEM, "UserPoolId, ClientId", str(error.args[0]), error.hint)
        return
    for check in _CHECKS:
        yield from check(settings)


def _members(outcome: Outcome, *names: str) -> Members:
    if isinstance(outcome, ServiceError):
        raise outcome
    return as_object(member(outcome.data, *names)) or {}


# -- the app client --

_DEFAULT_FLOWS = ("ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH")
_OLDER_FLOWS = {
    "USER_PASSWORD_AUTH": "USER_PASSWORD_AUTH",
    "ADMIN_NO_SRP_AUTH": "ADMIN_USER_PASSWORD_AUTH",
    "CUSTOM_AUTH_FLOW_ONLY": "CUSTOM_AUTH",
}
_SIGN_IN = ("USER_SRP_AUTH", "USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH", "CUSTOM_AUTH", "USER_AUTH")
_CUSTOM_TRIGGERS = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")


def _flows(settings: Settings) -> Iterator[Finding]:
    older = settings.flows & set(_OLDER_FLOWS)
    if older:
        change = f"replace them with {_listed(f'ALLOW_{_OLDER_FLOWS[name]}' for name in older)}"
        yield Finding(Level.WARNING, "ExplicitAuthFlows", f"older values: {_listed(older)}", change)
    allowed = settings.flows | {f"ALLOW_{_OLDER_FLOWS[name]}" for name in older}
    usable = False
    for flow in _SIGN_IN:
        if f"ALLOW_{flow}" in allowed:
            finding = _allowed_flow(settings, flow)
            usable |= finding.level is Level.OK
            yield finding
        elif not older:  # which allow more flows than their names say
            yield Finding(Level.OFF, flow, "not allowed", f"add ALLOW_{flow} to ExplicitAuthFlows")
    if not usable:
        change = "add ALLOW_USER_SRP_AUTH to ExplicitAuthFlows"
        yield Finding(Level.PROBLEM, "ExplicitAuthFlows", "no flow works", change)


def _allowed_flow(settings: Settings, flow: str) -> Finding:
    missing = [name for name in _CUSTOM_TRIGGERS if name not in settings.triggers]
    if flow == "CUSTOM_AUTH" and missing:
        change = f"add {_listed(missing)} to LambdaConfig, or remove ALLOW_CUSTOM_AUTH from ExplicitAuthFlows"
        return Finding(Level.WARNING, flow, "allowed, but triggers are missing", change)
    if flow == "USER_AUTH" and settings.is_lite:
        change = "set UserPoolTier to ESSENTIALS or PLUS"
        return Finding(Level.PROBLEM, flow, "allowed, but the feature plan is LITE", change)
    return Finding(Level.OK, flow, "allowed")


def _migration(settings: Settings) -> Iterator[Finding]:
    allowed = {"ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", *_OLDER_FLOWS}
    if "UserMigration" in settings.triggers and not settings.flows & allowed:
        found = "the trigger never runs in a sign-in: it needs a flow that sends the password"
        change = "add ALLOW_USER_PASSWORD_AUTH to ExplicitAuthFlows"
        yield Finding(Level.WARNING, "UserMigration", found, change)


def _secret(settings: Settings) -> Iterator[Finding]:
    secret, given = as_text(settings.client.get("ClientSecret")), settings.app.client_secret
    if secret is None and given is None:
        yield no_secret(was_given=False)
    elif secret is None:
        yield no_secret(was_given=True)
    elif given is None:
        yield Finding(
            Level.OK, "ClientSecret", "the app client has a secret: pass it as client_secret in your program"
        )
    elif hmac.compare_digest(secret.encode(), given.encode()):
        yield Finding(Level.OK, "ClientSecret", "the secret that you gave is right")
    else:
        # An app client may have two, and DescribeUserPoolClient shows one.
        change = "pass this app client's own secret; without --admin, doctor tries the one that you gave"
        yield Finding(
            Level.WARNING, "ClientSecret", "not the secret that DescribeUserPoolClient shows", change
        )


def _existence(settings: Settings) -> Iterator[Finding]:
    yield existence(is_hidden=settings.client.get("PreventUserExistenceErrors") == "ENABLED")


def _validity(settings: Settings) -> Iterator[Finding]:
    for token, default, unit in (("Access", 1, "hours"), ("Id", 1, "hours"), ("Refresh", 30, "days")):
        amount = settings.client.get(f"{token}TokenValidity") or default  # 0 is the default, too
        given = as_text(member(settings.client, "TokenValidityUnits", f"{token}Token")) or unit
        found = f"{amount} {given.removesuffix('s') if amount == 1 else given}"
        yield Finding(Level.OK, f"{token}TokenValidity", found)
    minutes = settings.client.get("AuthSessionValidity") or 3
    yield Finding(Level.OK, "AuthSessionValidity", f"{minutes} minutes to answer a challenge")


def _refreshing(settings: Settings) -> Iterator[Finding]:
    rotation = "RefreshTokenRotation"
    if settings.rotates:
        grace = member(settings.client, rotation, "RetryGracePeriodSeconds") or 0
        found = f"on: a used refresh token expires after {grace} s, and REFRESH_TOKEN_AUTH cannot be used"
        if grace:
            yield Finding(Level.OK, rotation, found)
        else:
            change = "set RetryGracePeriodSeconds: without it, a lost response ends the sign-in"
            yield Finding(Level.WARNING, rotation, found, change)
    elif "ALLOW_REFRESH_TOKEN_AUTH" in settings.flows or settings.flows & set(_OLDER_FLOWS):
        yield Finding(Level.OK, rotation, "off: refresh tokens are valid until they expire")
    else:
        change = f"add ALLOW_REFRESH_TOKEN_AUTH to ExplicitAuthFlows, or enable {rotation}"
        yield Finding(Level.PROBLEM, rotation, "refresh tokens cannot be used", change)


def _revocation(settings: Settings) -> Iterator[Finding]:
    name = "EnableTokenRevocation"
    if settings.client.get(name) is True:
        yield Finding(Level.OK, name, "on: refresh tokens can be revoked")
    else:
        yield Finding(
            Level.WARNING,
            name,
            "off: refresh tokens cannot be revoked, as `cognito-flow logout` does",
            f"set {name} to true",
        )


# -- the pool --

_FIRST_FACTORS = "AllowedFirstAuthFactors"


def _devices(settings: Settings) -> Iterator[Finding]:
    name = "DeviceConfiguration"
    devices = as_object(settings.pool.get(name))
    if devices is None:
        yield Finding(Level.OK, name, "off: devices are not tracked")
        return
    found = "on: a refresh must send the DeviceKey of the sign-in"
    if devices.get("DeviceOnlyRememberedOnUserPrompt") is True:
        found += "; users choose whether a device is remembered"
    yield Finding(Level.OK, name, found)


def _second_factors(settings: Settings) -> Iterator[Finding]:
    name, mode = "MfaConfiguration", str(settings.mfa.get("MfaConfiguration"))
    factors = [] if mode == "OFF" else list(_enabled_second_factors(settings))
    if mode == "OFF" or factors:
        yield Finding(Level.OK, name, mode)
    else:
        change = "enable SoftwareTokenMfaConfiguration"
        yield Finding(Level.PROBLEM, name, f"{mode}, but no second factor is enabled", change)
    yield from factors


def _enabled_second_factors(settings: Settings) -> Iterator[Finding]:
    if member(settings.mfa, "SoftwareTokenMfaConfiguration", "Enabled") is True:
        yield Finding(Level.OK, "SOFTWARE_TOKEN_MFA", "enabled")
    if "SmsMfaConfiguration" in settings.mfa:
        yield _by_sms(settings, "SMS_MFA")
    if "EmailMfaConfiguration" in settings.mfa:
        yield _by_email(settings, "EMAIL_OTP")


def _by_sms(settings: Settings, factor: str) -> Finding:
    configurations = (
        member(settings.mfa, "SmsMfaConfiguration", "SmsConfiguration"),
        settings.pool.get("SmsConfiguration"),
    )
    if not any(member(each, "SnsCallerArn") or member(each, "EumsSms") for each in configurations):
        change = "set SnsCallerArn in SmsConfiguration"
        return Finding(Level.PROBLEM, factor, "the pool cannot send messages", change)
    if (failure := settings.pool.get("SmsConfigurationFailure")) is not None:
        change = "fix what SmsConfigurationFailure names, in Amazon SNS or IAM"
        return Finding(Level.WARNING, factor, f"messages may not arrive: {failure}", change)
    return Finding(Level.OK, factor, "enabled")


def _by_email(settings: Settings, factor: str) -> Finding:
    if settings.is_lite:
        change = "set UserPoolTier to ESSENTIALS or PLUS"
        return Finding(Level.PROBLEM, factor, "enabled, but the feature plan is LITE", change)
    if member(settings.pool, "EmailConfiguration", "EmailSendingAccount") != "DEVELOPER":
        change = "set EmailSendingAccount to DEVELOPER, and verify an address in Amazon SES"
        return Finding(Level.WARNING, factor, "Cognito's own sender sends only a few messages a day", change)
    return Finding(Level.OK, factor, "enabled")


def _first_factors(settings: Settings) -> Iterator[Finding]:
    factors = settings.first_factors
    if not factors:
        return
    if "ALLOW_USER_AUTH" not in settings.flows:
        change = "add ALLOW_USER_AUTH to ExplicitAuthFlows"
        yield Finding(
            Level.WARNING, _FIRST_FACTORS, f"{_listed(factors)}: no allowed flow offers them", change
        )
        return
    if "SMS_OTP" in factors:
        yield _by_sms(settings, f"{_FIRST_FACTORS}: SMS_OTP")
    if "EMAIL_OTP" in factors:
        yield _by_email(settings, f"{_FIRST_FACTORS}: EMAIL_OTP")
    if "WEB_AUTHN" in factors:
        yield _by_passkey(settings)
    if settings.mfa.get("MfaConfiguration") == "ON":
        yield from _first_factors_beside_mfa(settings, factors)


def _first_factors_beside_mfa(settings: Settings, factors: frozenset[str]) -> Iterator[Finding]:
    multiple = "MULTI_FACTOR_WITH_USER_VERIFICATION"
    if member(settings.mfa, "WebAuthnConfiguration", "FactorConfiguration") == multiple:
        factors -= {"WEB_AUTHN"}  # which is two factors then
    if factors:
        found = f"not offered while a second factor is required: {_listed(factors)}"
        change = f"set MfaConfiguration to OPTIONAL or OFF; for passkeys, FactorConfiguration to {multiple}"
        yield Finding(Level.WARNING, _FIRST_FACTORS, found, change)


def _by_passkey(settings: Settings) -> Finding:
    factor = f"{_FIRST_FACTORS}: WEB_AUTHN"
    relying_party = member(settings.mfa, "WebAuthnConfiguration", "RelyingPartyId")
    if relying_party or settings.pool.get("Domain") or settings.pool.get("CustomDomain"):
        return Finding(Level.OK, factor, "enabled")
    change = "set RelyingPartyId in WebAuthnConfiguration"
    return Finding(Level.PROBLEM, factor, "there is neither a relying party nor a domain", change)


def _listed(names: Iterator[str] | frozenset[str] | list[str]) -> str:
    return ", ".join(sorted(names))


_CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _flows,
    _secret,
    _existence,
    _validity,
    _refreshing,
    _revocation,
    _migration,
    _devices,
    _second_factors,
    _first_factors,
)
