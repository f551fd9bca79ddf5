"""One call of a sign-in: the app client, the user and the progress.

Rule of this file: what all flows and challenges share: asking a challenge, sending a code, and the checks
before any factor. It knows no factor.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from cognito_flow.testing._operations.messages import compose
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import Client, Device, User, UserPool
from cognito_flow.testing._state.refusal import (
    Refusal,
    incorrect_password,
    invalid_parameter,
    not_authorized,
)
from cognito_flow.testing._state.sessions import Progress, seal_session, spend
from cognito_flow.testing._state.tokens import check_may_act, check_needs_no_reset
from cognito_flow.testing.outbox import Message, mask

_DELIVERY = {"SMS": "phone_number", "EMAIL": "email"}


@attrs.define
class SignIn:
    """A call of InitiateAuth or RespondToAuthChallenge.

    Args:
        pool: The pool.
        client: The app client.
        typed: USERNAME as it was sent.
        user: The user; None if there is no such user and the app client hides this.
        progress: How far the sign-in has come.
        values: AuthParameters or ChallengeResponses.
        metadata: ClientMetadata.
        outbox: The messages that were sent.
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
    def require_user(self) -> User:
        """The user.

        Raises:
            Refusal: There is no such user: the text is that of a wrong password.
        """
        if self.user is None:
            raise incorrect_password()
        return self.user

    # -- answers --

    def ask(self, challenge: str, parameters: Mapping[str, str], **changes: object) -> Members:
        """Ask a challenge, with a new Session.

        Args:
            challenge: The ChallengeName.
            parameters: ChallengeParameters.
            changes: What changes in the progress.
        """
        # What was private to the last challenge must not answer the next one.
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
        """Send a code and ask for it. A simulated sign-in sends none."""
        code = f"{secrets.randbelow(10**digits):0{digits}}"
        destination = self._destination(medium, changes.get("email"))
        if self.user is not None:
            message = Message(self.user.username, medium, destination, code, challenge, self.pool.id)
            metadata: Mapping[str, str] = {} if self.is_start else self.metadata
            self.outbox.append(
                compose(self.pool, self.user, message, "Authentication", self.client.id, metadata)
            )
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
        """Use up the Session, after a right answer."""
        if self.progress.id:
            spend(self.pool, self.progress, self.now)

    # -- checks before any factor --

    def check_state(self) -> None:
        """Refuse users who may not sign in at all, before the password is checked.

        Raises:
            Refusal: The user is disabled, or not confirmed; or the password, which was right, must be reset
                since.
        """
        user = self.require_user
        check_may_act(user)
        if self.progress.salt is not None:
            check_needs_no_reset(user)

    def pre_authentication(self) -> None:
        """Run the trigger that may refuse a sign-in, whatever the password."""
        request: Members = {"validationData": dict(self.metadata), "userNotFound": self.user is None}
        self.trigger("PreAuthentication", "PreAuthentication_Authentication", request)

    def check_password_lock(self) -> None:
        """Refuse attempts while the user is locked.

        Raises:
            Refusal: The user is locked.
        """
        if self.require_user.password_lock.is_locked(self.now):
            raise not_authorized("Password attempts exceeded")

    def record_password_result(self, is_right: bool) -> None:
        """Count a wrong password; reset the count after a right one.

        Raises:
            Refusal: The password is wrong; or it is right, but must be reset or is a temporary one that
                expired.
        """
        user = self.require_user
        if not is_right:
            user.password_lock.fail(self.now)
            raise incorrect_password()
        user.password_lock.reset()
        self.complete("pwd")
        self.progress = attrs.evolve(self.progress, salt=user.password_salt)
        check_needs_no_reset(user)
        if user.status == "FORCE_CHANGE_PASSWORD" and user.password_set_at is not None:
            age = self.now - user.password_set_at
            if age.days >= self.pool.policy["TemporaryPasswordValidityDays"]:
                text = "Temporary password has expired and must be reset by an administrator."
                raise not_authorized(text)

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
        """Remember the DEVICE_KEY of this call."""
        key = self.values.get("DEVICE_KEY")
        if key:
            self.progress = attrs.evolve(self.progress, device_key=key)


def not_offered() -> Refusal:
    """The refusal of a choice that was not offered."""
    return invalid_parameter("The selected challenge is not available.")
