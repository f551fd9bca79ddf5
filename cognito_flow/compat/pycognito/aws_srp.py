"""AWSSRP: one sign-in with a password, which is proven and not sent."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import attrs
import boto3

from cognito_flow import (
    AppClient,
    AuthFlow,
    Device,
    NewPasswordRequired,
    SignedIn,
    Step,
    System,
    UserSrpAuth,
)
from cognito_flow._engine import start
from cognito_flow._exchange import Call, Exchange, Response
from cognito_flow._result import finish
from cognito_flow._tracebacks import without_locals
from cognito_flow._transport.clients import Clients
from cognito_flow._transport.drivers import Driver, Transport
from cognito_flow._turn import Settings, Turn
from cognito_flow.compat.pycognito._steps import errors_of_botocore, response_of
from cognito_flow.compat.pycognito.exceptions import WarrantException

__all__ = ["AWSSRP", "ConfirmedDevice"]


@attrs.frozen
class ConfirmedDevice:
    """The first value of `AWSSRP.confirm_device`, where pycognito returns an HTTP response.

    Args:
        status_code: As of an HTTP response.
        ok: As of an HTTP response.
    """

    status_code: int = 200
    ok: bool = True


@without_locals
class AWSSRP:
    """One sign-in of one user with a password.

    Args:
        username: The name that the user typed.
        password: The password.
        pool_id: The user pool's id.
        client_id: The app client's id.
        pool_region: The region; not together with `client`.
        client: A boto3 client for ``cognito-idp``.
        client_secret: The app client's secret, if it has one.
        device_key: The remembered device, with the next two.
        device_group_key: Its group key.
        device_password: Its password, which `confirm_device` returned.

    Raises:
        ValueError: `pool_region` and `client` are both given, or only a part of the device.
    """

    SMS_MFA_CHALLENGE = "SMS_MFA"
    SOFTWARE_TOKEN_MFA_CHALLENGE = "SOFTWARE_TOKEN_MFA"
    NEW_PASSWORD_REQUIRED_CHALLENGE = "NEW_PASSWORD_REQUIRED"
    PASSWORD_VERIFIER_CHALLENGE = "PASSWORD_VERIFIER"
    DEVICE_SRP_CHALLENGE = "DEVICE_SRP_AUTH"
    DEVICE_PASSWORD_VERIFIER_CHALLENGE = "DEVICE_PASSWORD_VERIFIER"

    def __init__(
        self,
        username: str,
        password: str,
        pool_id: str,
        client_id: str,
        pool_region: str | None = None,
        client: object | None = None,
        client_secret: str | None = None,
        device_key: str | None = None,
        device_group_key: str | None = None,
        device_password: str | None = None,
    ) -> None:
        if pool_region is not None and client is not None:
            raise ValueError("pass pool_region or client, not both: a client has a region of its own")
        device = (device_key, device_group_key, device_password)
        if None in device and any(part is not None for part in device):
            raise ValueError("pass all of device_key, device_group_key and device_password, or none")
        self.username = username
        self.password = password
        self.pool_id = pool_id
        self.client_id = client_id
        self.client_secret = client_secret
        self.client: Any = client or cast("Any", boto3).client("cognito-idp", region_name=pool_region)
        self.device_key = device_key
        self.device_group_key = device_group_key
        self.device_password = device_password
        self._exchange: Exchange[Step] | None = None

    # -- signing in --

    def authenticate_user(
        self, client: object | None = None, client_metadata: Mapping[str, str] | None = None
    ) -> dict[str, object]:
        """Sign in, and return Cognito's response. A device that the pool offers is confirmed at once.

        Args:
            client: Not used: the one of the constructor is.
            client_metadata: For the pool's Lambda triggers.

        Raises:
            ForceChangePasswordException: The password is temporary: call `set_new_password_challenge`.
            MFAChallengeException: Cognito asks for a code.
            ClientError: Cognito refused.
        """
        return response_of(self._begin(client_metadata))

    def set_new_password_challenge(
        self, new_password: str, client: object | None = None
    ) -> dict[str, object]:
        """Sign in with the temporary password, and replace it.

        Args:
            new_password: The new password.
            client: Not used: the one of the constructor is.
        """
        step = self._begin(None)
        if isinstance(step, NewPasswordRequired):
            with errors_of_botocore(self.client):
                step = self._flow().send(step.answer(new_password))
        return response_of(step)

    def _begin(self, metadata: Mapping[str, str] | None) -> Step:
        with errors_of_botocore(self.client):
            step = self._flow().bind(metadata=metadata).start(self._credentials(), device=self._device())
        self._keep_device(step)
        return step

    def _keep_device(self, step: Step) -> None:
        if isinstance(step, SignedIn) and step.device is not None:
            self.device_key, self.device_group_key = step.device.key, step.device.group_key
            self.device_password = step.device.secret

    def _flow(self) -> AuthFlow:
        return AuthFlow(self._app(), self.client, device_name=platform.node() or None)

    def _app(self) -> AppClient:
        return AppClient(self.pool_id, self.client_id, self.client_secret)

    def _credentials(self) -> UserSrpAuth:
        return UserSrpAuth(self.username, self.password)

    def _device(self) -> Device | None:
        if self.device_key is None or self.device_group_key is None or self.device_password is None:
            return None
        return Device(self.device_key, self.device_group_key, self.device_password)

    # -- the two halves of the proof, for programs that make the calls themselves --

    def get_auth_params(self) -> dict[str, str]:
        """Return the AuthParameters of InitiateAuth, with a new SRP_A."""
        turn = Turn(settings=Settings(app=self._app()), device=self._device())
        self._exchange = start(turn, self._credentials())
        return _text_members(next(self._exchange), "AuthParameters")

    def process_challenge(
        self, challenge_parameters: Mapping[str, str], request_parameters: Mapping[str, str]
    ) -> dict[str, str]:
        """Return the ChallengeResponses for PASSWORD_VERIFIER, after `get_auth_params`.

        Args:
            challenge_parameters: ChallengeParameters of the response to InitiateAuth.
            request_parameters: What `get_auth_params` returned.

        Raises:
            RuntimeError: `get_auth_params` was not called before, or its SRP_A was used already.
        """
        if self._exchange is None:
            raise RuntimeError("call get_auth_params first: each SRP_A is for one sign-in")
        exchange, self._exchange = self._exchange, None
        username = {"USERNAME": request_parameters["USERNAME"], **challenge_parameters}
        challenge = {"ChallengeName": self.PASSWORD_VERIFIER_CHALLENGE, "ChallengeParameters": username}
        return _text_members(exchange.send(Response(challenge)), "ChallengeResponses")

    @staticmethod
    def get_secret_hash(username: str, client_id: str, client_secret: str) -> str:
        """Return the SECRET_HASH. See `AppClient.secret_hash`."""
        return str(AppClient("us-east-1_any", client_id, client_secret).secret_hash(username))

    @staticmethod
    def get_cognito_formatted_timestamp(input_datetime: datetime) -> str:
        """Return the TIMESTAMP of PASSWORD_VERIFIER, such as ``Sat Jan 1 00:00:00 UTC 2022``.

        Args:
            input_datetime: The moment; without a time zone, it is in UTC.
        """
        from cognito_flow._srp import timestamp

        return timestamp(input_datetime if input_datetime.tzinfo else input_datetime.replace(tzinfo=UTC))

    # -- devices --

    def confirm_device(
        self, tokens: Mapping[str, Any], device_name: str | None = None
    ) -> tuple[ConfirmedDevice, str]:
        """Confirm the device that Cognito offered with the tokens, and return the device's password.

        Args:
            tokens: What `authenticate_user` returned, which confirmed the device already; or the response to
                a challenge that the program answered.
            device_name: The device's name; None: this machine's.

        Raises:
            WarrantException: Cognito did not confirm it.
        """
        result: Mapping[str, Any] = tokens["AuthenticationResult"]
        if self.device_password is None or self.device_key != result["NewDeviceMetadata"]["DeviceKey"]:
            self._keep_device(self._confirm(result, device_name or platform.node() or None))
        return ConfirmedDevice(), self._need_device_password()

    def _confirm(self, result: Mapping[str, object], device_name: str | None) -> SignedIn:
        turn = Turn(settings=Settings(app=self._app(), device_name=device_name), username=self.username)
        driver = Driver(Transport(Clients(self._app(), self.client, admin=False), System(), None))
        return driver.run(finish(turn, result))

    def _need_device_password(self) -> str:
        if self.device_password is None:
            raise WarrantException("Cognito did not confirm the device")
        return self.device_password

    def update_device_status(self, is_remembered: bool, access_token: str, device_key: str) -> None:
        """Let the device replace the second factor, or take it back."""
        with errors_of_botocore(self.client):
            account = self._flow().account(access_token)
            account.remember_device(device_key, remembered=is_remembered)

    def forget_device(self, access_token: str, device_key: str) -> None:
        """Delete the device from the pool."""
        with errors_of_botocore(self.client):
            self._flow().account(access_token).forget_device(device_key)


def _text_members(call: object, name: str) -> dict[str, str]:
    return dict(cast("Mapping[str, str]", cast("Call", call).parameters[name]))
