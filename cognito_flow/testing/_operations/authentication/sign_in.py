"""One call of a sign-in at the service: who asks, for whom, and how far it has come.

Rule of this file: what all flows and challenges share. It knows how a challenge goes out and a code is sent,
and which checks come before any factor; it knows no factor.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import Client, Device, User, UserPool
from cognito_flow.testing._state.refusal import (
    Refusal,
    incorrect_password,
    invalid_parameter,
    not_authorized,
)
from cognito_flow.testing._state.sessions import Progress, seal_session, spend
from cognito_flow.testing.outbox import Message, mask

_DELIVERY = {"SMS": "phone_number", "EMAIL": "email"}


@attrs.define
class SignIn:
    """A call of InitiateAuth or RespondToAuthChallenge in work.

    Args:
        pool: The pool.
        client: The app client.
        typed: USERNAME as it was sent.
        user: The user whom it means; None if there is none, or nobody is to learn it.
        progress: How far the sign-in has come.
        values: AuthParameters or ChallengeResponses.
        metadata: ClientMetadata.
        outbox: Where messages go.
        now: The time.
        is_start: It is a call of InitiateAuth.
    """

    pool: UserPool
    client: Client
    typed: str
    user: User | None
    progress: Progress
    values: Mapping[str, str] = attrs.field(repr=False)
    metadata: Mapping[str, str]
    outbox: list[Message] = attrs.field(repr=False)
    now: datetime
    is_start: bool

    @property
    def known(self) -> User:
        """The user, where it is certain that there is one."""
        if self.user is None:
            raise incorrect_password()
        return self.user

    # -- what goes out --

    def ask(self, challenge: str, parameters: Mapping[str, str], **changes: object) -> Members:
        """Ask a challenge, with a new Session.

        Args:
            challenge: The ChallengeName.
            parameters: ChallengeParameters.
            changes: What changes in the progress.
        """
        # A code, or what else was private to the last challenge, must not answer the next one.
        fresh: dict[str, Any] = {
            "code": None,
            "sent_to": None,
            "private": {},
            "passkey_challenge": None,
            "choices": [],
            **changes,
        }
        if self.progress.is_second_factor and self.user is not None:
            parameters = {**parameters, "USER_ID_FOR_SRP": self.user.username}
        progress = attrs.evolve(self.progress, challenge=challenge, **fresh)
        session = seal_session(self.pool, progress, self.now, self.client.session_life)
        return {"ChallengeName": challenge, "Session": session, "ChallengeParameters": dict(parameters)}

    def ask_device(self, challenge: str, device: Device, parameters: Mapping[str, str]) -> Members:
        """Ask a challenge of a device. An answer without a Session means the newest one."""
        answer = self.ask(challenge, parameters)
        device.sessions[self.client.id] = answer["Session"]
        return answer

    def ask_for_code(self, challenge: str, medium: str, digits: int, **changes: object) -> Members:
        """Send a code, and ask for it. A simulated sign-in sends none."""
        code = f"{secrets.randbelow(10**digits):0{digits}}"
        destination = self._destination(medium, changes.get("email"))
        if self.user is not None:
            message = Message(self.user.username, medium, destination, code, challenge, self.pool.id)
            self.outbox.append(message)
        parameters = {
            "CODE_DELIVERY_DELIVERY_MEDIUM": medium,
            "CODE_DELIVERY_DESTINATION": mask(medium, destination),
        }
        return self.ask(challenge, parameters, code=code, sent_to=destination, **changes)

    def _destination(self, medium: str, email: object) -> str:
        if isinstance(email, str):
            return email
        if self.user is None:
            return self.pool.simulated_address(medium, self.typed)
        address = self.user.attributes.get(_DELIVERY[medium])
        if address is None:  # it was deleted after the choice was offered
            raise not_offered()
        return address

    def trigger(self, name: str, source: str, request: Members) -> Members | None:
        """Run a trigger of the pool, if it is set."""
        user = self.user or self.typed
        return self.pool.run_trigger(name, source, self.client.id, user, request)

    def spend(self) -> None:
        """The Session was answered rightly: it is of no more use."""
        if self.progress.id:
            spend(self.pool, self.progress, self.now)

    # -- what must be so before any factor --

    def check_state(self) -> None:
        """Refuse users who may not sign in at all. This is told before the password is looked at.

        Raises:
            Refusal: The user is disabled, or not confirmed; or the password, which was right, must be reset
                since.
        """
        user = self.known
        if not user.is_enabled:
            raise not_authorized("User is disabled.")
        if user.status == "UNCONFIRMED":
            raise Refusal("UserNotConfirmedException", "User is not confirmed.")
        if self.progress.salt is not None:
            self._check_needs_no_reset()

    def pre_authentication(self) -> None:
        """Run the trigger that may refuse a sign-in, whatever the password."""
        request: Members = {"validationData": dict(self.metadata), "userNotFound": self.user is None}
        self.trigger("PreAuthentication", "PreAuthentication_Authentication", request)

    def check_password_lock(self) -> None:
        """Refuse attempts while the user is locked.

        Raises:
            Refusal: The user is locked.
        """
        if self.known.password_lock.is_locked(self.now):
            raise not_authorized("Password attempts exceeded")

    def judge_password(self, is_right: bool) -> None:
        """Count a wrong password; forget the count after a right one.

        Raises:
            Refusal: It was wrong; or it was right but must be reset, or is a temporary one that is too old.
        """
        user = self.known
        if not is_right:
            user.password_lock.fail(self.now)
            raise incorrect_password()
        user.password_lock.reset()
        self.complete("pwd")
        self.progress = attrs.evolve(self.progress, salt=user.password_salt)
        self._check_needs_no_reset()
        if user.status == "FORCE_CHANGE_PASSWORD" and user.password_set_at is not None:
            age = self.now - user.password_set_at
            if age.days >= self.pool.policy["TemporaryPasswordValidityDays"]:
                text = "Temporary password has expired and must be reset by an administrator."
                raise not_authorized(text)

    def _check_needs_no_reset(self) -> None:
        if self.known.status == "RESET_REQUIRED":
            raise Refusal("PasswordResetRequiredException", "Password reset required for the user")

    def complete(self, method: str) -> None:
        """Note a factor that was right, as the claim amr names it."""
        self.progress = attrs.evolve(self.progress, amr=[*self.progress.amr, method])

    def check_mfa_lock(self) -> None:
        """Refuse codes while the user is locked for wrong ones.

        Raises:
            Refusal: The user is locked.
        """
        if self.user is not None and self.user.mfa_lock.is_locked(self.now):
            raise not_authorized(
                "Too many invalid credentials attempts. "
                "User temporarily locked. Please try again after few seconds."
            )

    def check_device(self, key: str | None) -> None:
        """Refuse a DEVICE_KEY that the user does not have.

        Raises:
            Refusal: There is no such device.
        """
        if key and self.pool.tracks_devices and self.user is not None and key not in self.user.devices:
            raise Refusal("ResourceNotFoundException", "Device does not exist.")

    def with_device(self) -> None:
        """Take note of the DEVICE_KEY that came with this call."""
        key = self.values.get("DEVICE_KEY")
        if key:
            self.progress = attrs.evolve(self.progress, device_key=key)


def not_offered() -> Refusal:
    """A choice that was not offered."""
    return invalid_parameter("The selected challenge is not available.")
