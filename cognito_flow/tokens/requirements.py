"""What a verified token must allow: scopes, groups, and how and when its user signed in.

Rule of this file: it compares claims with what the application requires, and knows nothing of signatures.

Source: RFC 6750, section 3.1, for scopes; RFC 9470 for sign-ins that are not strong or not recent enough.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from threading import TIMEOUT_MAX
from typing import TypedDict, TypeVar, Unpack, cast

import attrs

from cognito_flow._checks import check_list
from cognito_flow.errors import NotPermitted, StepUpRequired, TokenInvalid, UsageError
from cognito_flow.tokens.claims import AccessClaims, IdClaims


class IdRequirements(TypedDict, total=False):
    """The keywords of `TokenVerifier.verify_id`."""

    groups: Iterable[str]
    any_of: bool
    acr_values: Iterable[str]
    amr: Iterable[str]
    max_age: float | None


class AccessRequirements(IdRequirements, total=False):
    """The keywords of `TokenVerifier.verify_access`."""

    scopes: Iterable[str]
    audience: str | None


RequirementsT = TypeVar("RequirementsT", IdRequirements, AccessRequirements)


@attrs.frozen
class Required:
    """What a token must allow. See `TokenVerifier.verify_access`."""

    scopes: frozenset[str]
    groups: frozenset[str]
    any_of: bool
    acr_values: frozenset[str]
    amr: frozenset[str]
    max_age: timedelta | None
    audience: str | None

    @classmethod
    def read(cls, **options: Unpack[AccessRequirements]) -> Required:
        """Return the record of these keywords.

        Raises:
            UsageError: A str was passed instead of a list of them, or `max_age` is out of range.
        """
        if all(value is _NOTHING[name] for name, value in options.items()):
            return _NOT_REQUIRED
        return cls(
            scopes=set_of("scopes", options.get("scopes", ())),
            groups=set_of("groups", options.get("groups", ())),
            any_of=options.get("any_of", False),
            acr_values=set_of("acr_values", options.get("acr_values", ())),
            amr=set_of("amr", options.get("amr", ())),
            max_age=_period(options.get("max_age")),
            audience=options.get("audience"),
        )

    def check(self, claims: AccessClaims | IdClaims, now: datetime, leeway: timedelta) -> None:
        """Compare them with verified claims.

        Raises:
            TokenInvalid: The token is for another service.
            NotPermitted: A scope or a group is missing.
            StepUpRequired: The user must sign in again, with more factors or because it was too long ago.
        """
        if isinstance(claims, AccessClaims):
            if self.audience is not None and self.audience not in claims.audience:
                raise TokenInvalid("the token was not issued for this audience")
            self._require("scopes", self.scopes, claims.scopes)
        self._require("groups", self.groups, claims.groups)
        if self.acr_values and claims.acr not in self.acr_values:
            raise self._step_up(f"the token's acr is {claims.acr}, which is not enough")
        if self.amr - claims.amr:
            raise self._step_up(f"the sign-in lacks required methods: {_listed(self.amr - claims.amr)}")
        if self.max_age is not None and (
            claims.auth_time is None or now - claims.auth_time > self.max_age + leeway
        ):
            raise self._step_up("the sign-in was too long ago")

    def _require(self, name: str, required: frozenset[str], present: frozenset[str]) -> None:
        if self.any_of and required and not required & present:
            raise NotPermitted(f"the token has none of these {name}: {_listed(required)}")
        if not self.any_of and required - present:
            raise _lacks(name, required - present)

    def _step_up(self, message: str) -> StepUpRequired:
        error = StepUpRequired(message)
        error.acr_values = tuple(sorted(self.acr_values))
        error.max_age = None if self.max_age is None else self.max_age.total_seconds()
        return error


# Most calls require nothing, so they share this record.
_NOTHING: dict[str, object] = {
    "scopes": (),
    "groups": (),
    "any_of": False,
    "acr_values": (),
    "amr": (),
    "max_age": None,
    "audience": None,
}
_NOT_REQUIRED = Required(frozenset(), frozenset(), False, frozenset(), frozenset(), None, None)


def reusable(required: AccessRequirements) -> AccessRequirements:
    """Return requirements for many access tokens: checked once, with lists in place of what can be read only
    once.

    Raises:
        UsageError: A keyword does not exist, or a requirement is malformed.
    """
    return _reusable(required, AccessRequirements.__optional_keys__)


def reusable_for_id(required: IdRequirements) -> IdRequirements:
    """Return requirements for many ID tokens. See `reusable`."""
    return _reusable(required, IdRequirements.__optional_keys__)


def require_scopes(claims: AccessClaims, scopes: Iterable[str]) -> None:
    """Require more scopes of a verified token.

    Raises:
        NotPermitted: It lacks one of them.
    """
    if lacking := frozenset(scopes) - claims.scopes:
        raise _lacks("scopes", lacking)


def _reusable(required: RequirementsT, known: frozenset[str]) -> RequirementsT:
    # At runtime there may be any keywords: not every program is checked for types.
    if unknown := required.keys() - known:
        raise UsageError(
            f"{_listed(frozenset(unknown))} cannot be required: the keywords are {_listed(known)}"
        )
    kept: dict[str, object] = {
        name: value if isinstance(value, str | int | float | None) else tuple(cast("Iterable[str]", value))
        for name, value in required.items()
    }
    Required.read(**cast("AccessRequirements", kept))
    return cast("RequirementsT", kept)


def set_of(name: str, values: Iterable[str]) -> frozenset[str]:
    """Return strings as a set. See `check_list`."""
    return frozenset(check_list(name, values))


def _period(seconds: float | None) -> timedelta | None:
    if seconds is None:
        return None
    if not 0 <= seconds <= TIMEOUT_MAX:
        raise UsageError("max_age must be a number of seconds, 0 or more")
    return timedelta(seconds=seconds)


def _lacks(name: str, lacking: frozenset[str]) -> NotPermitted:
    return NotPermitted(f"the token lacks {name} that are required: {_listed(lacking)}")


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
