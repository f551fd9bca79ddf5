"""Run pycognito: this program reads calls line by line, in the environment in which pycognito is installed.

Each line is a call, ``{"call": name, "given": {...}}``, and is answered with one line, ``{"gave": ...}`` or
``{"threw": {"name": ..., "message": ...}}``.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from typing import Any

from botocore.exceptions import ClientError

pycognito: Any = importlib.import_module("pycognito")
aws_srp: Any = importlib.import_module("pycognito.aws_srp")
exceptions: Any = importlib.import_module("pycognito.exceptions")


class Calls:
    """What the test may ask for. The tokens are those that pycognito has verified with the pool's key set."""

    cognito: Any

    def open(self, endpoint: str, **app: Any) -> None:
        self.app = app
        self.connection = {
            "endpoint_url": endpoint,
            "aws_access_key_id": "local",
            "aws_secret_access_key": "local",
        }

    def user(self, username: str) -> None:
        self.cognito = pycognito.Cognito(
            self.app["poolId"],
            self.app["clientId"],
            username=username,
            client_secret=self.app["clientSecret"],
            boto3_client_kwargs=dict(self.connection),
        )

    def sign_in(self, password: str) -> dict[str, Any]:
        try:
            self.cognito.authenticate(password)
        except (exceptions.MFAChallengeException, exceptions.ForceChangePasswordException) as asked:
            return {"asked": type(asked).__name__}
        return self._claims()

    def _claims(self) -> dict[str, Any]:
        return {"claims": {"access": self.cognito.access_claims, "id": self.cognito.id_claims}}

    def new_password(self, password: str, new_password: str) -> dict[str, Any]:
        self.cognito.new_password_challenge(password, new_password)
        return self._claims()

    def send_totp(self, code: str) -> dict[str, Any]:
        self.cognito.respond_to_software_token_mfa_challenge(code)
        return self._claims()

    def send_sms(self, code: str) -> dict[str, Any]:
        self.cognito.respond_to_sms_mfa_challenge(code)
        return self._claims()

    def session(self) -> str:
        return str(self.cognito.mfa_tokens["Session"])

    def use_session(self, session: str) -> None:
        self.cognito.mfa_tokens["Session"] = session

    def use_tokens(self, tokens: dict[str, str]) -> None:
        """Continue with what another process kept."""
        self.cognito.mfa_tokens = tokens

    def flows(self) -> list[str]:
        """The flows with which it can begin, from its source."""
        source = "".join(inspect.getsource(module) for module in (pycognito, aws_srp))
        return sorted(set(re.findall(r"""AuthFlow\W+["'](\w+)["']""", source)))

    def coroutine_functions(self) -> list[str]:
        kinds = (pycognito.Cognito, pycognito.AWSSRP)
        members = [member for kind in kinds for member in inspect.getmembers(kind)]
        return [name for name, value in members if inspect.iscoroutinefunction(value)]

    def refresh(self) -> dict[str, Any]:
        self.cognito.renew_access_token()
        return self._claims()

    def associate_software_token(self) -> str:
        return str(self.cognito.associate_software_token())

    def verify_software_token(self, code: str) -> bool:
        return bool(self.cognito.verify_software_token(code))

    def prefer_software_token(self) -> None:
        self.cognito.set_user_mfa_preference(
            sms_mfa=False, software_token_mfa=True, preferred="SOFTWARE_TOKEN"
        )

    def attributes(self) -> dict[str, str]:
        return dict(self.cognito.get_user()._data)

    def logout(self) -> None:
        self.cognito.logout()

    def register(self, password: str, email: str) -> None:
        self.cognito.set_base_attributes(email=email)
        self.cognito.register(self.cognito.username, password)

    def confirm_sign_up(self, code: str) -> None:
        self.cognito.confirm_sign_up(code)

    def forgot_password(self) -> None:
        self.cognito.initiate_forgot_password()

    def confirm_forgot_password(self, code: str, password: str) -> None:
        self.cognito.confirm_forgot_password(code, password)

    # -- devices, which only AWSSRP knows --

    def confirm_device(self, password: str) -> dict[str, str]:
        """Sign in, and confirm the device that the pool offers.

        Not by AWSSRP.confirm_device, which speaks to AWS wherever the pool is.
        """
        result = self._srp(password).authenticate_user()["AuthenticationResult"]
        made = result["NewDeviceMetadata"]
        secret, verifier = aws_srp.generate_hash_device(made["DeviceGroupKey"], made["DeviceKey"])
        self.cognito.client.confirm_device(
            AccessToken=result["AccessToken"],
            DeviceKey=made["DeviceKey"],
            DeviceSecretVerifierConfig=verifier,
        )
        return {
            "device_key": made["DeviceKey"],
            "device_group_key": made["DeviceGroupKey"],
            "device_password": secret,
        }

    def sign_in_with_device(self, password: str, **device: str) -> dict[str, Any]:
        self.cognito._set_tokens(self._srp(password, **device).authenticate_user())
        return self._claims()

    def _srp(self, password: str, **device: str) -> Any:
        return pycognito.AWSSRP(
            username=self.cognito.username,
            password=password,
            pool_id=self.app["poolId"],
            client_id=self.app["clientId"],
            client_secret=self.app["clientSecret"],
            client=self.cognito.client,
            **device,
        )


def answer(calls: Calls, call: str, given: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"gave": getattr(calls, call)(**given)}
    except ClientError as error:
        response: Any = error.response
        return {"threw": {"name": response["Error"]["Code"], "message": response["Error"]["Message"]}}
    except Exception as error:  # noqa: BLE001 - the client's own errors are what a test looks at
        return {"threw": {"name": type(error).__name__, "message": str(error)}}


def main() -> None:
    calls = Calls()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(calls, **json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
