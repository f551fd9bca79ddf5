"""What a sign-in begins with: one class for each AuthFlow of Cognito.

Rule of this file: a credential says which AuthFlow it speaks and what its AuthParameters are. USERNAME is the
name as it was typed; nothing is lower-cased or trimmed, because pools may be case-sensitive.
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

import attrs

from cognito_flow._tracebacks import without_locals
from cognito_flow._turn import Turn
from cognito_flow.errors import UsageError
from cognito_flow.handlers.base import check_text
from cognito_flow.models import FirstFactor, Tokens, refresh_token_of

__all__ = ["Credentials", "CustomAuth", "RefreshTokenAuth", "UserAuth", "UserPasswordAuth", "UserSrpAuth"]


def _check_username(_instance: object, _attribute: object, value: str) -> None:
    check_text("the user name", value)


def _check_password(_instance: object, _attribute: object, value: str) -> None:
    # An empty password must not slip through: without one, CUSTOM_AUTH and USER_AUTH mean something else.
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
    """

    auth_flows: ClassVar[tuple[str, ...]] = ("USER_SRP_AUTH",)

    username: str = attrs.field(validator=_check_username)
    password: str = attrs.field(repr=False, validator=_check_password)

    def auth_flow(self, turn: Turn) -> str:
        """The AuthFlow."""
        return "USER_SRP_AUTH"

    def parameters(self, turn: Turn) -> dict[str, str]:
        """AuthParameters."""
        return {"USERNAME": self.username, "SRP_A": turn.begin_srp(self.password)}


@without_locals
@attrs.frozen
class UserPasswordAuth:
    """USER_PASSWORD_AUTH: the password is sent (over TLS). Only with it can a pool's user-migration trigger
    run.

    Needs ALLOW_USER_PASSWORD_AUTH; through an `AuthFlow` with ``admin=True``, ALLOW_ADMIN_USER_PASSWORD_AUTH.

    Args:
        username: The name as it was typed.
        password: The password.
        admin: True sends ADMIN_USER_PASSWORD_AUTH, which only an `AuthFlow` with ``admin=True`` can; None
            does what the flow needs.
        legacy: True sends ADMIN_NO_SRP_AUTH, the older name of ADMIN_USER_PASSWORD_AUTH.

    Raises:
        InvalidInput: The name or the password is empty.
    """

    auth_flows: ClassVar[tuple[str, ...]] = (
        "USER_PASSWORD_AUTH",
        "ADMIN_USER_PASSWORD_AUTH",
        "ADMIN_NO_SRP_AUTH",
    )

    username: str = attrs.field(validator=_check_username)
    password: str = attrs.field(repr=False, validator=_check_password)
    admin: bool | None = attrs.field(default=None, kw_only=True)
    legacy: bool = attrs.field(default=False, kw_only=True)

    def auth_flow(self, turn: Turn) -> str:
        """The AuthFlow.

        Raises:
            UsageError: The flow goes the other way.
        """
        admin = turn.settings.admin
        if self.admin is not None and self.admin is not admin:
            raise UsageError(f"UserPasswordAuth(admin={self.admin}) needs AuthFlow(admin={self.admin})")
        if not admin:
            return "USER_PASSWORD_AUTH"
        return "ADMIN_NO_SRP_AUTH" if self.legacy else "ADMIN_USER_PASSWORD_AUTH"

    def parameters(self, turn: Turn) -> dict[str, str]:
        """AuthParameters."""
        return {"USERNAME": self.username, "PASSWORD": self.password}


@without_locals
@attrs.frozen
class CustomAuth:
    """CUSTOM_AUTH: the pool's Lambda triggers decide what is asked. Needs ALLOW_CUSTOM_AUTH and the triggers.

    Args:
        username: The name as it was typed.
        password: With a password, it is proved by SRP before the triggers ask anything.

    Raises:
        InvalidInput: The name or the password is empty.
    """

    auth_flows: ClassVar[tuple[str, ...]] = ("CUSTOM_AUTH",)

    username: str = attrs.field(validator=_check_username)
    password: str | None = attrs.field(default=None, repr=False, validator=_check_password_or_none)

    def auth_flow(self, turn: Turn) -> str:
        """The AuthFlow."""
        return "CUSTOM_AUTH"

    def parameters(self, turn: Turn) -> dict[str, str]:
        """AuthParameters. The key is CHALLENGE_NAME; the API reference prints another one that no trigger
        ever sees."""
        if self.password is None:
            return {"USERNAME": self.username}
        return {"USERNAME": self.username, "CHALLENGE_NAME": "SRP_A", "SRP_A": turn.begin_srp(self.password)}


def _preferred(value: str | None) -> str | None:
    return None if value is None else str(value)


@without_locals
@attrs.frozen
class UserAuth:
    """USER_AUTH: the person chooses how to sign in. Needs ALLOW_USER_AUTH, and the Essentials or Plus feature
    plan.

    Args:
        username: The name as it was typed.
        password: A password that is already in hand. It is proved by SRP, unless `preferred` is PASSWORD.
        preferred: A `FirstFactor` to go to at once if the user has it; else Cognito asks with
            `SelectChallenge`.
        session: The Session of a confirmed sign-up, which signs in without asking for anything.

    Raises:
        InvalidInput: The name or the password is empty.
        UsageError: A password is given with a factor that takes none.
    """

    auth_flows: ClassVar[tuple[str, ...]] = ("USER_AUTH",)

    username: str = attrs.field(validator=_check_username)
    password: str | None = attrs.field(default=None, repr=False, validator=_check_password_or_none)
    preferred: str | None = attrs.field(default=None, converter=_preferred)
    session: str | None = attrs.field(default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        if self.password is not None and self.preferred not in (
            None,
            FirstFactor.PASSWORD,
            FirstFactor.PASSWORD_SRP,
        ):
            raise UsageError(
                f"{self.preferred} takes no password: leave the password out, or prefer PASSWORD_SRP"
            )

    def auth_flow(self, turn: Turn) -> str:
        """The AuthFlow."""
        return "USER_AUTH"

    def parameters(self, turn: Turn) -> dict[str, str]:
        """AuthParameters."""
        parameters = {"USERNAME": self.username}
        if self.password is None:
            if self.preferred is not None:
                parameters["PREFERRED_CHALLENGE"] = self.preferred
        elif self.preferred == FirstFactor.PASSWORD:
            parameters |= {"PREFERRED_CHALLENGE": FirstFactor.PASSWORD.value, "PASSWORD": self.password}
        else:
            parameters |= {
                "PREFERRED_CHALLENGE": FirstFactor.PASSWORD_SRP.value,
                "SRP_A": turn.begin_srp(self.password),
            }
        return parameters


@without_locals
@attrs.frozen
class RefreshTokenAuth:
    """REFRESH_TOKEN_AUTH: the older way to refresh, for app clients without rotation. `AuthFlow.refresh` is
    the normal way.

    Args:
        tokens: The tokens of a sign-in; its user name is Cognito's own, over which SECRET_HASH is taken.
        legacy: True sends REFRESH_TOKEN, the older name of REFRESH_TOKEN_AUTH.

    Raises:
        UsageError: There is no refresh token among them.
    """

    auth_flows: ClassVar[tuple[str, ...]] = ("REFRESH_TOKEN_AUTH", "REFRESH_TOKEN")

    tokens: Tokens
    legacy: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        refresh_token_of(self.tokens)

    @property
    def username(self) -> str:
        """Cognito's own name of the user."""
        return self.tokens.username

    def auth_flow(self, turn: Turn) -> str:
        """The AuthFlow."""
        return "REFRESH_TOKEN" if self.legacy else "REFRESH_TOKEN_AUTH"

    def parameters(self, turn: Turn) -> dict[str, str]:
        """AuthParameters. DEVICE_KEY is that of the sign-in that gave the token."""
        parameters = {"REFRESH_TOKEN": refresh_token_of(self.tokens)}
        if self.tokens.device_key is not None:
            parameters["DEVICE_KEY"] = self.tokens.device_key
        return parameters


Credentials: TypeAlias = UserSrpAuth | UserPasswordAuth | CustomAuth | UserAuth | RefreshTokenAuth
"""Whatever a sign-in can begin with."""
