"""The records of a LocalCognito: pools, app clients, users, devices and refresh tokens.

Rule of this file: records, and the questions that one record alone can answer. It makes no decision about a
request; only a trigger that fails raises a refusal.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import secrets
import uuid
from collections import Counter, deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs
from cryptography.fernet import Fernet

from cognito_flow.testing._state import Members
from cognito_flow.testing._state.passkeys import RegisteredPasskey
from cognito_flow.testing._state.signing import SigningKeys
from cognito_flow.testing._state.srp_server import Verifier
from cognito_flow.testing._state.triggers import Triggers

_FORGET_FAILURES = timedelta(minutes=15)
_LONGEST_LOCK = timedelta(minutes=15)
_FREE_FAILURES = 5
_COUNTED_FOR = timedelta(hours=1)

# A user's sign-ins beyond this number end the oldest one (SetUserPoolSessionConfiguration, MaxPerUser's upper
# bound).
_MAX_GRANTS = 100
# Revoked ones are kept for the text that refuses their tokens.
_MAX_REVOKED = 10


@attrs.define
class Lockout:
    """Counts failures: after five, the user is locked for a second, then for twice as long with each further
    failure.

    Source: "Authentication with Amazon Cognito user pools" in the developer guide, on lockout.
    """

    failures: int = 0
    failed_at: datetime | None = None
    until: datetime | None = None

    def is_locked(self, now: datetime) -> bool:
        """Whether attempts are refused now. Refused attempts do not extend the lock."""
        return self.until is not None and now < self.until

    def fail(self, now: datetime) -> None:
        """Count a failure. After 15 minutes without one, the count starts again."""
        if self.failed_at is not None and now - self.failed_at >= _FORGET_FAILURES:
            self.failures = 0
        self.failures += 1
        self.failed_at = now
        if self.failures >= _FREE_FAILURES:
            seconds = 2 ** min(self.failures - _FREE_FAILURES, 16)
            self.until = now + min(timedelta(seconds=seconds), _LONGEST_LOCK)

    def reset(self) -> None:
        """Forget the failures."""
        self.failures, self.failed_at, self.until = 0, None, None


@attrs.define
class Attempts:
    """Counts attempts within the last hour by operation and user name. Unknown names are counted, too, so
    that they look like others.

    Source: "Quotas in Amazon Cognito", on operations for each user.
    """

    _made: deque[tuple[datetime, tuple[str, str]]] = attrs.field(
        factory=deque[tuple[datetime, tuple[str, str]]]
    )
    _counts: Counter[tuple[str, str]] = attrs.field(factory=Counter[tuple[str, str]])

    def made(self, operation: str, name: str, now: datetime) -> int:
        """How many attempts there were within the last hour."""
        while self._made and now - self._made[0][0] >= _COUNTED_FOR:
            _, past = self._made.popleft()
            self._counts[past] -= 1
            if not self._counts[past]:
                del self._counts[past]
        return self._counts[operation, name]

    def count(self, operation: str, name: str, now: datetime) -> None:
        """Count an attempt."""
        self._made.append((now, (operation, name)))
        self._counts[operation, name] += 1


@attrs.frozen
class Code:
    """A code that was sent for something other than a sign-in. `attribute` is ``email`` or ``phone_number``.
    `pending` is the address, if the attribute is only set once the code is given."""

    code: str = attrs.field(repr=False)
    expires_at: datetime
    attribute: str
    pending: str | None = None


@attrs.define
class Device:
    """A confirmed device of a user. `sessions` are the newest Sessions of its challenges, by app client."""

    key: str
    group_key: str
    verifier: Verifier = attrs.field(repr=False)
    name: str | None
    created_at: datetime
    used_at: datetime
    is_remembered: bool
    sessions: dict[str, str] = attrs.field(factory=dict[str, str], repr=False)


@attrs.define
class Passkey:
    """A registered passkey of a user."""

    registered: RegisteredPasskey
    rp_id: str
    created_at: datetime

    @property
    def id(self) -> str:
        """The credential id as WebAuthn writes it in JSON: base64url without padding."""
        return base64.urlsafe_b64encode(self.registered.credential_id).decode().rstrip("=")


@attrs.define
class Grant:
    """A refresh token, and the sign-in that it came from.

    Args:
        token: The refresh token.
        client_id: The app client.
        origin_jti: The claim that all tokens of this sign-in share.
        auth_time: When the user signed in.
        expires_at: When the refresh token expires.
        device_key: The device of the sign-in.
        superseded_at: When rotation replaced the refresh token.
        is_revoked: The user signed out everywhere or the token was revoked: refresh and access tokens are
            refused.
        session_id: The id of the session; None if the pool did not track sessions at the sign-in.
        acr_claims: The claims acr and amr, if they were requested.
        active_at: When the session was used last.
        is_device_forgotten: The refresh token is refused, access tokens still work.
    """

    token: str = attrs.field(repr=False)
    client_id: str
    origin_jti: str
    auth_time: datetime
    expires_at: datetime
    device_key: str | None
    superseded_at: datetime | None = None
    session_id: str | None = None
    acr_claims: dict[str, object] = attrs.field(factory=dict[str, object])
    active_at: datetime = attrs.field(default=attrs.Factory(lambda grant: grant.auth_time, takes_self=True))
    is_revoked: bool = False
    is_device_forgotten: bool = False

    @property
    def has_session(self) -> bool:
        """Whether the sign-in is a tracked session whose refresh token was not ended."""
        return self.session_id is not None and not (self.is_revoked or self.is_device_forgotten)


def is_verified(attributes: Mapping[str, str], name: str) -> bool:
    """Whether an address is verified. Programs write the value in any case, and Cognito takes it."""
    return attributes.get(f"{name}_verified", "").lower() == "true"


@attrs.define
class User:
    """A user of a pool. Tests may read and change these attributes; the others are LocalCognito's own.

    Args:
        username: The user name.
        sub: The permanent id.
        created_at: When the user was created.
        attributes: The attributes, by name.
        status: The UserStatus.
        is_enabled: Whether the user may sign in.
        mfa_enabled: The second factors that are on.
        mfa_preferred: The one that a sign-in asks for.
        totp_secret: The secret of the authenticator app, in base32.
        passkeys: The registered passkeys.
        groups: The names of the groups that the user is in.
    """

    username: str
    sub: str
    created_at: datetime
    attributes: dict[str, str] = attrs.field(factory=dict[str, str])
    status: str = "CONFIRMED"
    is_enabled: bool = True
    verifier: Verifier | None = attrs.field(default=None, repr=False)
    # of former passwords, newest first
    password_history: list[Verifier] = attrs.field(factory=list[Verifier], repr=False)
    password_set_at: datetime | None = None
    mfa_enabled: list[str] = attrs.field(factory=list[str])
    mfa_preferred: str | None = None
    totp_secret: str | None = attrs.field(default=None, repr=False)
    totp_pending: str | None = attrs.field(default=None, repr=False)
    totp_name: str | None = None
    totp_used_step: int = -1
    devices: dict[str, Device] = attrs.field(factory=dict[str, Device])
    passkeys: list[Passkey] = attrs.field(factory=list[Passkey])
    passkey_challenge: Members | None = attrs.field(default=None, repr=False)
    passkey_mfa: bool = False
    groups: list[str] = attrs.field(factory=list[str])
    codes: dict[str, Code] = attrs.field(factory=dict[str, Code], repr=False)
    grants: list[Grant] = attrs.field(factory=list[Grant], repr=False)
    password_lock: Lockout = attrs.field(factory=Lockout)
    mfa_lock: Lockout = attrs.field(factory=Lockout)
    modified_at: datetime = attrs.field(default=attrs.Factory(lambda user: user.created_at, takes_self=True))

    @property
    def password_salt(self) -> str | None:
        """The salt of the password, in hexadecimal."""
        return None if self.verifier is None else f"{self.verifier.salt:x}"

    @property
    def trigger_attributes(self) -> dict[str, str]:
        """The attributes as triggers see them."""
        return {"sub": self.sub, "cognito:user_status": self.status, **self.attributes}

    def has_factor(self, name: str) -> bool:
        """Whether the user has what a second factor needs: an authenticator app or an address."""
        if name == "SOFTWARE_TOKEN_MFA":
            return self.totp_secret is not None
        return bool(self.attributes.get("phone_number" if name == "SMS_MFA" else "email"))

    def enable_factor(self, name: str) -> None:
        """Enable a second factor, as the last one."""
        self.mfa_enabled = [*(known for known in self.mfa_enabled if known != name), name]

    def sign_out_everywhere(self) -> None:
        """Revoke the tokens of all sign-ins."""
        for grant in self.grants:
            grant.is_revoked = True

    def grant(self, token: str) -> Grant | None:
        """The grant with this refresh token."""
        given = token.encode()  # as bytes: compare_digest takes no text beyond ASCII
        return next(
            (known for known in self.grants if hmac.compare_digest(known.token.encode(), given)), None
        )

    def add_grant(self, grant: Grant, now: datetime) -> None:
        """Add a grant, and drop expired ones and the oldest beyond the limits."""
        living = [known for known in self.grants if known.expires_at > now]
        revoked = [known.token for known in living if known.is_revoked]
        dropped = set(revoked[:-_MAX_REVOKED])
        self.grants = [*(known for known in living if known.token not in dropped), grant][-_MAX_GRANTS:]

    def evict_sessions(self, most: int) -> None:
        """End the sessions that were used least recently, so that no more than `most` are left."""
        used = {grant.session_id: grant.active_at for grant in self.grants if grant.has_session}
        oldest_first = sorted(used, key=lambda session_id: used[session_id])
        ended = oldest_first[: max(0, len(used) - most)]
        self.grants = [grant for grant in self.grants if grant.session_id not in ended]

    def as_members(self) -> list[dict[str, str]]:
        """The attributes as the wire lists them, with `sub`."""
        return [
            {"Name": name, "Value": value} for name, value in {"sub": self.sub, **self.attributes}.items()
        ]


@attrs.define
class Client:
    """An app client: its members as the wire describes them, and how old an SSO session may be that it
    reuses."""

    members: Members
    sso_minutes: int = 60

    @property
    def id(self) -> str:
        """ClientId."""
        return str(self.members["ClientId"])

    @property
    def secret(self) -> str | None:
        """ClientSecret."""
        return self.members.get("ClientSecret")

    @property
    def hides_users(self) -> bool:
        """Whether PreventUserExistenceErrors is ENABLED."""
        return bool(self.members.get("PreventUserExistenceErrors") == "ENABLED")

    @property
    def session_life(self) -> timedelta:
        """AuthSessionValidity."""
        return timedelta(minutes=self.members.get("AuthSessionValidity", 3))

    @property
    def flows(self) -> list[str]:
        """ExplicitAuthFlows, with what they are when nothing is set."""
        flows = self.members.get("ExplicitAuthFlows")
        return flows or ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"]

    def may_read(self, attribute: str) -> bool:
        """Whether users of the app client can read this attribute of theirs."""
        return attribute in self._listed("ReadAttributes", attribute)

    def may_write(self, attribute: str) -> bool:
        """Whether users of the app client can set this attribute. They cannot set *_verified themselves."""
        return not attribute.endswith("_verified") and attribute in self._listed("WriteAttributes", attribute)

    def _listed(self, name: str, attribute: str) -> list[str]:
        """What was set, or by default all attributes but those of developers."""
        default = [] if attribute.startswith("dev:") else [attribute]
        return self.members.get(name) or default

    @property
    def rotates(self) -> bool:
        """Whether refresh tokens are rotated."""
        return bool(self.members.get("RefreshTokenRotation", {}).get("Feature") == "ENABLED")

    @property
    def grace(self) -> timedelta:
        """For how long a rotated refresh token still works."""
        seconds = self.members.get("RefreshTokenRotation", {}).get("RetryGracePeriodSeconds", 0)
        return timedelta(seconds=seconds)

    def validity(self, token: str) -> timedelta:
        """How long a token lives: ``AccessToken``, ``IdToken`` or ``RefreshToken``."""
        default, unit = (30, "days") if token == "RefreshToken" else (1, "hours")
        amount = self.members.get(f"{token}Validity")
        if not amount:  # 0 means the default, whatever the unit
            return timedelta(**{unit: default})
        return timedelta(**{self.members.get("TokenValidityUnits", {}).get(token, unit): amount})


def _issuer(pool_id: str) -> str:
    """The issuer of a pool's tokens on AWS."""
    return f"https://cognito-idp.{pool_id.partition('_')[0]}.amazonaws.com/{pool_id}"


@attrs.frozen
class Settings:
    """How a pool behaves where reports about the real service differ.

    Args:
        skew: By how many seconds TIMESTAMP may differ from the clock.
        totp_retry: A Session survives a wrong TOTP code.
        device_session_required: DEVICE_SRP_AUTH and DEVICE_PASSWORD_VERIFIER must be answered with their
            Session.
        confirmation_session: ConfirmSignUp answers with a Session even if it was sent none.
        admin_no_srp_auth: AdminInitiateAuth answers USER_SRP_AUTH with ADMIN_NO_SRP_AUTH.
        exchange_trigger: The triggerSource of the pre token generation trigger at a token exchange; if empty,
            the trigger does not run then.
    """

    skew: float = 300.0
    totp_retry: bool = True
    device_session_required: bool = False
    confirmation_session: bool = False
    admin_no_srp_auth: bool = False
    exchange_trigger: str = "TokenGeneration_TokenExchange"


_KINDS: dict[type[object], str] = {float: "number", bool: "true or false", str: "string"}


@attrs.define
class UserPool:
    """A user pool: its members as the wire describes them, and everything in it. `issuer` is the `iss`
    claim."""

    id: str
    members: Members
    created_at: datetime
    keys: SigningKeys
    mfa: Members = attrs.field(factory=dict[str, Any])
    sessions: Members = attrs.field(
        factory=lambda: {"UserSessionTracking": "DISABLED", "TokenSession": {"MaxPerUser": 20}}
    )
    clients: dict[str, Client] = attrs.field(factory=dict[str, Client])
    users: dict[str, User] = attrs.field(factory=dict[str, User])
    groups: dict[str, Members] = attrs.field(factory=dict[str, Members])
    resource_servers: dict[str, Members] = attrs.field(factory=dict[str, Members])
    domains: dict[str, Members] = attrs.field(factory=dict[str, Members])
    identity_providers: dict[str, Members] = attrs.field(factory=dict[str, Members])
    provider_keys: dict[str, Members] = attrs.field(factory=dict[str, Members])
    triggers: Triggers = attrs.field(factory=Triggers)
    settings: Settings = attrs.field(factory=Settings)
    issuer: str = attrs.field(default=attrs.Factory(lambda pool: _issuer(pool.id), takes_self=True))
    secret: bytes = attrs.field(factory=lambda: secrets.token_bytes(32), repr=False)
    spent: dict[str, float] = attrs.field(factory=dict[str, float], repr=False)
    long_sessions: dict[str, Members] = attrs.field(factory=dict[str, Members], repr=False)
    attempts: Attempts = attrs.field(factory=Attempts, repr=False)
    modified_at: datetime = attrs.field(default=attrs.Factory(lambda pool: pool.created_at, takes_self=True))

    def configure(self, given: Mapping[str, object]) -> None:
        """Change some of the settings, or the issuer.

        Raises:
            ValueError: There is no such setting, or a value has the wrong type or is not finite.
        """
        defaults = {**attrs.asdict(Settings()), "issuer": self.issuer}
        kinds: dict[str, type[object]] = {name: type(value) for name, value in defaults.items()}
        for name, value in given.items():
            if name not in kinds:
                raise ValueError(f"there is no setting {name}: expected one of {', '.join(sorted(kinds))}")
            # True is an int, too, but not a number of seconds.
            is_number = (
                kinds[name] is float and isinstance(value, int | float) and not isinstance(value, bool)
            )
            if type(value) is not kinds[name] and not is_number:
                raise ValueError(f"{name} must be of the type {_KINDS[kinds[name]]}")
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{name} must be a finite number")
        changes: dict[str, Any] = {name: value for name, value in given.items() if name != "issuer"}
        self.settings = attrs.evolve(self.settings, **changes)
        self.issuer = str(given.get("issuer", self.issuer))

    @property
    def region(self) -> str:
        """The region in the pool's id."""
        return self.id.partition("_")[0]

    @property
    def arn(self) -> str:
        """The pool's ARN, in a made-up account."""
        return f"arn:aws:cognito-idp:{self.region}:123456789012:userpool/{self.id}"

    @property
    def name(self) -> str:
        """What SRP calls the pool."""
        return self.id.partition("_")[2]

    def host(self, domain: str) -> str:
        """The host name of a domain of the pool, which is a custom domain itself, or a prefix."""
        is_custom = "CustomDomainConfig" in self.domains[domain]
        return domain if is_custom else f"{domain}.auth.{self.region}.amazoncognito.com"

    @property
    def fernet(self) -> Fernet:
        """Encrypts Sessions and SECRET_BLOCKs, so that clients cannot read or change them."""
        return Fernet(base64.urlsafe_b64encode(self.secret))

    @property
    def policy(self) -> Mapping[str, Any]:
        """The password policy."""
        defaults = {
            "MinimumLength": 8,
            "RequireUppercase": True,
            "RequireLowercase": True,
            "RequireNumbers": True,
            "RequireSymbols": True,
            "TemporaryPasswordValidityDays": 7,
        }
        given: Members = self.members.get("Policies", {}).get("PasswordPolicy", {})
        policy = {**defaults, **given}
        # 0 means the default. (PasswordPolicyType in the API reference.)
        policy["TemporaryPasswordValidityDays"] = policy["TemporaryPasswordValidityDays"] or 7
        return policy

    @property
    def first_factors(self) -> list[str]:
        """AllowedFirstAuthFactors."""
        policy = self.members.get("Policies", {}).get("SignInPolicy", {})
        return policy.get("AllowedFirstAuthFactors") or ["PASSWORD"]

    @property
    def sign_in_attributes(self) -> list[str]:
        """The attributes that users may sign in with, in place of the user name."""
        return [*self.members.get("UsernameAttributes", ()), *self.members.get("AliasAttributes", ())]

    @property
    def is_case_sensitive(self) -> bool:
        """Whether names differ by case."""
        return bool(self.members.get("UsernameConfiguration", {}).get("CaseSensitive", True))

    @property
    def tracks_sessions(self) -> bool:
        """Whether UserSessionTracking is ENABLED."""
        return bool(self.sessions["UserSessionTracking"] == "ENABLED")

    @property
    def tracks_devices(self) -> bool:
        """Whether the pool has a DeviceConfiguration: setting any part of it turns device tracking on."""
        return self.members.get("DeviceConfiguration") is not None

    @property
    def device_configuration(self) -> Mapping[str, Any]:
        """DeviceConfiguration."""
        return self.members.get("DeviceConfiguration") or {}

    def normalize(self, name: str) -> str:
        """The form in which names are compared."""
        return name if self.is_case_sensitive else name.lower()

    def find(self, typed: str) -> User | None:
        """The user with this user name or alias."""
        normalized = self.normalize(typed)
        if (user := self.users.get(normalized)) is not None:
            return user
        for user in self.users.values():
            if any(self._is_alias(user, name, normalized) for name in self.sign_in_attributes):
                return user
        return None

    def find_by_any_name(self, typed: str) -> User | None:
        """The user that an administrator means: by user name, alias or sub."""
        by_sub = (user for user in self.users.values() if user.sub == typed)
        return self.find(typed) or next(by_sub, None)

    def display_name(self, user: User) -> str:
        """What the user types to sign in: in pools with UsernameAttributes an address, else the user name."""
        named = self.members.get("UsernameAttributes", ())
        addresses = (user.attributes[name] for name in named if name in user.attributes)
        return next(addresses, user.username)

    def own_name(self, typed: str) -> str:
        """The user name of a user name or alias; an unknown name itself."""
        user = self.find(typed)
        return self.normalize(typed) if user is None else user.username

    def _is_alias(self, user: User, name: str, normalized: str) -> bool:
        value = user.attributes.get(name)
        if value is None or self.normalize(value) != normalized:
            return False
        must_be_verified = name in self.members.get("AliasAttributes", ()) and name != "preferred_username"
        return not must_be_verified or is_verified(user.attributes, name)

    def derive(self, purpose: str, name: str) -> bytes:
        """32 bytes that are always the same for a purpose and a name, and reveal nothing about the pool."""
        return hmac.digest(self.secret, f"{purpose}\0{self.normalize(name)}".encode(), hashlib.sha256)

    def simulated_address(self, medium: str, name: str) -> str:
        """The address that a code for an unknown name is said to go to: always the same one."""
        seed = self.derive("destination", name)
        if medium == "SMS":
            return f"+{int.from_bytes(seed[:4]):010}"
        return f"{chr(97 + seed[4] % 26)}@{chr(97 + seed[5] % 26)}"

    def simulated_id(self, name: str) -> str:
        """The user id in answers about an unknown name."""
        return str(uuid.UUID(bytes=self.derive("user id", name)[:16], version=4))

    def run_trigger(
        self, name: str, source: str, client_id: str, user: User | str, request: Members, version: str = "1"
    ) -> Members | None:
        """Run a Lambda trigger of the pool.

        Args:
            name: The trigger's name, for example ``DefineAuthChallenge``.
            source: The event's triggerSource.
            client_id: The app client.
            user: The user, or the name of one that does not exist.
            request: The event's request, without userAttributes.
            version: The event's version.

        Returns:
            The event's response; None if the pool has no such trigger.

        Raises:
            Refusal: The trigger failed.
        """
        if name not in self.triggers:
            return None
        name_of_user, attributes = (
            (user, {}) if isinstance(user, str) else (user.username, user.trigger_attributes)
        )
        event: Members = {
            "version": version,
            "region": self.region,
            "userPoolId": self.id,
            "userName": name_of_user,
            "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client_id},
            "triggerSource": source,
            "request": {"userAttributes": attributes, **request},
        }
        return self.triggers.run(name, event)

    def device_group_key(self, user: User) -> str:
        """The DeviceGroupKey of a user."""
        return "-" + base64.b32encode(self.derive("device group", user.username)).decode()[:8]
