"""The main path of three public programs on our names: the calls that they make, in our words.

The programs: hardbyte/python-evnex (evnex/auth.py), a library for chargers; the command of the package
fujitsu-quantum from PyPI; and the Home Assistant integration kubacizek/home-assistant-ixmanager and its forks.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cognito_flow.compat.pycognito import Cognito
from cognito_flow.compat.pycognito.aws_srp import AWSSRP
from cognito_flow.compat.pycognito.exceptions import (
    MFAChallengeException,
    SoftwareTokenMFAChallengeException,
)
from cognito_flow.testing import LocalCognito, Pool

PASSWORD = "Correct-horse-1"
TOTP: dict[str, Any] = {
    "mfa_configuration": "ON",
    "software_token_mfa_configuration": {"Enabled": True},
}


class Charger:
    """One object for all users of a library, in worker threads. The challenge is kept as JSON between calls."""

    def __init__(self, pool: Pool, url: str) -> None:
        pool.configure(issuer=f"{url}/{pool.id}")
        self.cognito = Cognito(
            user_pool_id=pool.id,
            client_id=pool.app.client_id,
            username=None,
            boto3_client_kwargs={"endpoint_url": url},
        )

    async def start(self, username: str, password: str) -> dict[str, Any]:
        self.cognito.username = username
        try:
            await asyncio.to_thread(self.cognito.authenticate, password=password)
        except MFAChallengeException as asked:
            challenge = asked.get_tokens()
            return {"name": challenge["ChallengeName"], "session": challenge["Session"]}
        return self.tokens()

    async def answer(self, challenge: dict[str, Any], username: str, code: str) -> dict[str, Any]:
        self.cognito.username = username
        kept = {"ChallengeName": challenge["name"], "Session": challenge["session"]}
        respond = self.cognito.respond_to_software_token_mfa_challenge
        await asyncio.to_thread(respond, code, mfa_tokens=kept)
        return self.tokens()

    async def renew(self, tokens: dict[str, Any]) -> dict[str, Any]:
        for name, value in tokens.items():
            setattr(self.cognito, name, value)
        await asyncio.to_thread(self.cognito.renew_access_token)
        return self.tokens()

    def tokens(self) -> dict[str, Any]:
        names = ("access_token", "id_token", "refresh_token")
        return {name: getattr(self.cognito, name) for name in names}


def test_library_in_worker_threads_answers_a_kept_challenge_and_renews(
    cognito: LocalCognito, cognito_url: str
) -> None:
    pool = cognito.create_pool(**TOTP)
    pool.add_user("alice", PASSWORD, totp=True)

    async def main() -> tuple[dict[str, Any], dict[str, Any]]:
        first, second = Charger(pool, cognito_url), Charger(pool, cognito_url)
        challenge = await first.start("alice", PASSWORD)
        with pytest.raises(ClientError, match="CodeMismatch"):
            await second.answer(challenge, "alice", "000000")
        tokens = await second.answer(challenge, "alice", pool.totp("alice"))
        return tokens, await first.renew(tokens)

    before, after = asyncio.run(main())
    assert before["access_token"] != after["access_token"]
    assert before["refresh_token"] == after["refresh_token"]


def test_command_answers_the_second_factor_itself_and_confirms_the_device(cognito: LocalCognito) -> None:
    devices: Any = {"ChallengeRequiredOnNewDevice": False, "DeviceOnlyRememberedOnUserPrompt": False}
    pool = cognito.create_pool(**TOTP, device_configuration=devices)
    pool.add_user("alice", PASSWORD, totp=True)
    client: Any = cognito.client()
    aws = AWSSRP(
        client=client,
        pool_id=pool.id,
        client_id=pool.app.client_id,
        username="alice",
        password=PASSWORD,
    )
    with pytest.raises(SoftwareTokenMFAChallengeException) as asked:
        aws.authenticate_user()
    tokens = client.respond_to_auth_challenge(
        ClientId=pool.app.client_id,
        Session=asked.value.get_tokens()["Session"],
        ChallengeName=asked.value.get_tokens()["ChallengeName"],
        ChallengeResponses={"USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": pool.totp("alice")},
    )
    _, _ = aws.confirm_device(tokens=tokens)

    result = tokens["AuthenticationResult"]
    refreshed = client.initiate_auth(
        ClientId=pool.app.client_id,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={
            "REFRESH_TOKEN": result["RefreshToken"],
            "DEVICE_KEY": result["NewDeviceMetadata"]["DeviceKey"],
        },
    )
    assert "AccessToken" in refreshed["AuthenticationResult"]


def test_integration_makes_the_calls_itself_and_takes_the_proof(cognito_pool: Pool) -> None:
    cognito_pool.add_user("alice", PASSWORD)
    client: Any = cognito_pool.cognito.client()
    client_id = cognito_pool.app.client_id

    def sign_in(password: str) -> Any:
        srp = AWSSRP(
            username="alice", password=password, pool_id=cognito_pool.id, client_id=client_id, client=client
        )
        params = srp.get_auth_params()
        asked = client.initiate_auth(AuthFlow="USER_SRP_AUTH", ClientId=client_id, AuthParameters=params)
        response = srp.process_challenge(asked["ChallengeParameters"], params)
        extra = {"Session": asked["Session"]} if asked.get("Session") else {}
        return client.respond_to_auth_challenge(
            ClientId=client_id,
            ChallengeName="PASSWORD_VERIFIER",
            ChallengeResponses=response,
            **extra,
        )

    with pytest.raises(ClientError, match="Incorrect username or password"):
        sign_in(PASSWORD + "!")
    refresh_token = sign_in(PASSWORD)["AuthenticationResult"]["RefreshToken"]
    refreshed = client.initiate_auth(
        AuthFlow="REFRESH_TOKEN_AUTH",
        ClientId=client_id,
        AuthParameters={"REFRESH_TOKEN": refresh_token},
    )
    assert refreshed["AuthenticationResult"]["ExpiresIn"] == 3600
