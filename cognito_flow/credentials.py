"""What a sign-in begins with: one class for each AuthFlow of Cognito.

Rule of this file: credentials have one verb, `begin`, which makes the first call. USERNAME is the name as it
was typed; nothing is lower-cased or trimmed, because pools may be case-sensitive.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

import attrs

from cognito_flow._checks import check_list, check_text, refresh_token_of
from cognito_flow._exchange import Exchange, Response
from cognito_flow._tracebacks import without_locals
from cognito_flow.errors import UsageError
from cognito_flow.models import FirstFactor, Tokens

if TYPE_CHECKING:  # only its type is needed here
    from cognito_flow._turn import Turn


def _check_username(_instance: object, _attribute: object, value: str) -> None:
    check_text("the user name", value)


def _check_password(_instance: object, _attribute: object, value: str) -> None:
    # An empty password must be refused: without one, CUSTOM_AUTH and USER_AUTH mean something else.
    check_text("the password", value)


def _check_password_or_none(_instance: object, _attribute: object, value: str | None) -> None:
    if value is not None:
        check_text("the password", value)


@without_locals
@attrs.frozen
class UserSrpAuth:
    """USER_SRP_AUTH: the password is proved by SRP, and never sent. Needs ALLOW_USER_SRP_AUTH.

    Args:
        username: The name as it was typed: user name, or an alias.
        password: The password.

    Raises:
        InvalidInput: Either is empty.

    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> pool.flow().start(UserSrpAuth("alice", "correct horse")).username
    'alice'
    """

    username: str = attrs.field(validator=_check_username)
    password: str = attrs.field(repr=False, validator=_check_password)

    def begin(self, turn: Turn) -> Exchange[Response]:
        """Send SRP_A."""
        parameters = {"USERNAME": self.username, "SRP_A": turn.begin_srp(self.password)}
        return (yield from turn.initiate("USER_SRP_AUTH", self.username, parameters))


@without_locals
@attrs.frozen
class UserPasswordAuth:
    """USER_PASSWORD_AUTH: the password is sent (over TLS). A pool's user-migration trigger needs it.

    Needs ALLOW_USER_PASSWORD_AUTH; through an `AuthFlow` with ``admin=True``, ALLOW_ADMIN_USER_PASSWORD_AUTH.

    Args:
        username: The name as it was typed.
        password: The password.
        admin: True sends ADMIN_USER_PASSWORD_AUTH, which needs an `AuthFlow` with ``admin=True``; None
            follows the flow.
        legacy: True sends ADMIN_NO_SRP_AUTH, the older name of ADMIN_USER_PASSWORD_AUTH.

    Raises:
        InvalidInput: The name or the password is empty.

    >>> from cognito_flow import UserPasswordAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> pool.flow().start(UserPasswordAuth("alice", "correct horse")).username
    'alice'
    """

    username: str = attrs.field(validator=_check_username)
    password: str = attrs.field(repr=False, validator=_check_password)
    admin: bool | None = attrs.field(default=None, kw_only=True)
    legacy: bool = attrs.field(default=False, kw_only=True)

    def begin(self, turn: Turn) -> Exchange[Response]:
        """Send the password.

        Raises:
            UsageError: The flow has another `admin`.
        """
        admin = turn.settings.admin
        if self.admin is not None and self.admin is not admin:
            raise UsageError(f"UserPasswordAuth(admin={self.admin}) needs AuthFlow(admin={self.admin})")
        auth_flow = "USER_PASSWORD_AUTH"
        if admin:
            auth_flow = "ADMIN_NO_SRP_AUTH" if self.legacy else "ADMIN_USER_PASSWORD_AUTH"
        parameters = {"USERNAME": self.username, "PASSWORD": self.password}
        return (yield from turn.initiate(auth_flow, self.username, parameters))


@without_locals
@attrs.frozen
class CustomAuth:
    """CUSTOM_AUTH: the pool's Lambda triggers decide what is asked. Needs ALLOW_CUSTOM_AUTH and the triggers.

    Args:
        username: The name as it was typed.
        password: With a password, it is proved by SRP before the triggers ask anything.

    Raises:
        InvalidInput: The name or the password is empty.

    >>> from cognito_flow import CustomAuth
    >>> CustomAuth("alice")  # with a password, SRP comes first
    CustomAuth(username='alice')
    """

    username: str = attrs.field(validator=_check_username)
    password: str | None = attrs.field(default=None, repr=False, validator=_check_password_or_none)

    def begin(self, turn: Turn) -> Exchange[Response]:
        """Begin, with SRP_A if there is a password."""
        parameters = {"USERNAME": self.username}
        if self.password is not None:
            # The key is CHALLENGE_NAME; the API reference prints another one, which no trigger ever receives.
            parameters |= {"CHALLENGE_NAME": "SRP_A", "SRP_A": turn.begin_srp(self.password)}
        return (yield from turn.initiate("CUSTOM_AUTH", self.username, parameters))


def _levels(values: Iterable[str]) -> tuple[str, ...]:
    levels = tuple(check_text("a level of acr_values", value) for value in check_list("acr_values", values))
    if any(character.isspace() for level in levels for character in level):
        raise UsageError("a level of acr_values must not contain a space")
    return levels


def _check_max_age(_instance: object, _attribute: object, value: int | None) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
        raise UsageError("max_age must be a whole number of seconds, 0 or more")


def _preferred(value: str | None) -> str | None:
    return None if value is None else str(value)


@without_locals
@attrs.frozen
class UserAuth:
    """USER_AUTH: the user chooses how to sign in. Needs ALLOW_USER_AUTH, and the Essentials or Plus feature
    plan.

    Args:
        username: The name as it was typed.
        password: A password that the user has already typed. It is proved by SRP, unless `preferred` is
            PASSWORD.
        preferred: The `FirstFactor` to begin with if the user has it; else Cognito asks with
            `SelectChallenge`.
        session: The Session of a confirmed sign-up, which signs in without asking for anything.
        acr_values: Levels of authentication, of which the sign-in must reach one: the most preferred first,
            for example ``urn:cognito:loa:4``. The tokens then have the claims `acr` and `amr`.
        access_token: The user's access token. The factors that it was issued for count, so that the user is
            asked only for what is missing. Needs `acr_values`.
        max_age: How long ago the user may have signed in for `access_token` to count, in seconds.

    Raises:
        InvalidInput: The name or the password is empty.
        UsageError: A password is given with a factor that takes none, an access token without a level, or
            something is malformed.

    Source: "Step-up authentication with the USER_AUTH flow" in the Amazon Cognito developer guide.

    >>> from cognito_flow import UserAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> factors = {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}
    >>> pool = LocalCognito().create_pool(policies={"SignInPolicy": factors})
    >>> user = pool.add_user("alice", "correct horse", email="alice@example.com")
    >>> pool.flow().start(UserAuth("alice", preferred="EMAIL_OTP")).name
    'EMAIL_OTP'
    >>> pool.flow().start(UserAuth("alice")).name  # no preference: the user chooses
    'SELECT_CHALLENGE'
    """

    username: str = attrs.field(validator=_check_username)
    password: str | None = attrs.field(default=None, repr=False, validator=_check_password_or_none)
    preferred: str | None = attrs.field(default=None, converter=_preferred)
    session: str | None = attrs.field(default=None, repr=False)
    acr_values: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_levels)
    access_token: str | None = attrs.field(default=None, kw_only=True, repr=False)
    max_age: int | None = attrs.field(default=None, kw_only=True, validator=_check_max_age)

    def __attrs_post_init__(self) -> None:
        if self.access_token is not None and not self.acr_values:
            raise UsageError("access_token needs acr_values: the levels that the sign-in must reach")
        if self.password is not None and self.preferred not in (
            None,
            FirstFactor.PASSWORD,
            FirstFactor.PASSWORD_SRP,
        ):
            raise UsageError(f"{self.preferred} takes no password: remove it, or prefer PASSWORD_SRP")

    def begin(self, turn: Turn) -> Exchange[Response]:
        """Begin with the preferred factor."""
        parameters = {"USERNAME": self.username, **self._preference(turn), **self._step_up()}
        return (yield from turn.initiate("USER_AUTH", self.username, parameters, session=self.session))

    def _step_up(self) -> dict[str, str]:
        parameters = {
            "TARGET_ACR_VALUES": " ".join(self.acr_values) or None,
            "ACCESS_TOKEN": self.access_token,
            "MAX_AGE": None if self.max_age is None else str(self.max_age),
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def _preference(self, turn: Turn) -> dict[str, str]:
        if self.password is None:
            return {} if self.preferred is None else {"PREFERRED_CHALLENGE": self.preferred}
        if self.preferred == FirstFactor.PASSWORD:
            return {"PREFERRED_CHALLENGE": FirstFactor.PASSWORD.value, "PASSWORD": self.password}
        srp_a = turn.begin_srp(self.password)
        return {"PREFERRED_CHALLENGE": FirstFactor.PASSWORD_SRP.value, "SRP_A": srp_a}


@without_locals
@attrs.frozen
class RefreshTokenAuth:
    """REFRESH_TOKEN_AUTH: the older way to refresh, for app clients without rotation. Prefer
    `AuthFlow.refresh`.

    Args:
        tokens: The tokens of a sign-in; SECRET_HASH is made with their user name, which is Cognito's own.
        legacy: True sends REFRESH_TOKEN, the older name of REFRESH_TOKEN_AUTH.

    Raises:
        UsageError: They have no refresh token.

    >>> from cognito_flow import RefreshTokenAuth, UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> flow = pool.flow()
    >>> tokens = flow.start(UserSrpAuth("alice", "correct horse")).tokens
    >>> flow.start(RefreshTokenAuth(tokens)).tokens.access_token != tokens.access_token
    True
    """

    tokens: Tokens
    legacy: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        refresh_token_of(self.tokens)
        if not isinstance(self.tokens, Tokens):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
            raise UsageError("pass the Tokens of a sign-in; AuthFlow.refresh takes a refresh token alone")

    @property
    def username(self) -> str:
        """Cognito's own name for the user."""
        return self.tokens.username

    def begin(self, turn: Turn) -> Exchange[Response]:
        """Send the refresh token, with the DEVICE_KEY of the sign-in that it came from."""
        turn.refresh_token = refresh_token_of(self.tokens)
        parameters = {"REFRESH_TOKEN": turn.refresh_token}
        if self.tokens.device_key is not None:
            parameters["DEVICE_KEY"] = self.tokens.device_key
        auth_flow = "REFRESH_TOKEN" if self.legacy else "REFRESH_TOKEN_AUTH"
        return (yield from turn.initiate(auth_flow, self.username, parameters, with_device=False))


Credentials: TypeAlias = UserSrpAuth | UserPasswordAuth | CustomAuth | UserAuth | RefreshTokenAuth
"""Whatever a sign-in can begin with."""
