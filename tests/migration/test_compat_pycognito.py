"""`cognito_flow.compat.pycognito` where it goes further than pycognito, or has no service to ask."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.request import urlopen

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError

from cognito_flow import UsageError, UserSrpAuth
from cognito_flow.compat.pycognito import AWSSRP, Cognito
from cognito_flow.compat.pycognito.exceptions import (
    MFAChallengeException,
    SoftwareTokenMFAChallengeException,
    TokenVerificationException,
    WarrantException,
)
from cognito_flow.compat.pycognito.utils import RequestsSrpAuth
from cognito_flow.testing import LocalCognito, Pool

PASSWORD = "Correct-horse-1"
EMAIL_MFA: dict[str, Any] = {
    "mfa_configuration": "ON",
    "user_pool_tier": "ESSENTIALS",
    "email_mfa_configuration": {"Message": "{####}", "Subject": "Code"},
    "email_configuration": {
        "EmailSendingAccount": "DEVELOPER",
        "SourceArn": "arn:aws:ses:eu-west-1:123456789012:identity/example.com",
    },
    "account_recovery_setting": {"RecoveryMechanisms": [{"Name": "admin_only", "Priority": 1}]},
}
TOTP: dict[str, Any] = {
    "mfa_configuration": "ON",
    "software_token_mfa_configuration": {"Enabled": True},
}
DEVICES: dict[str, Any] = {
    "device_configuration": {
        "ChallengeRequiredOnNewDevice": False,
        "DeviceOnlyRememberedOnUserPrompt": True,
    }
}


def user(pool: Pool, url: str, **options: Any) -> Cognito:
    pool.configure(issuer=f"{url}/{pool.id}")
    app = pool.app
    return Cognito(
        app.pool_id, app.client_id, username="alice", boto3_client_kwargs={"endpoint_url": url}, **options
    )


def srp(pool: Pool, **options: Any) -> AWSSRP:
    app = pool.app
    return AWSSRP("alice", PASSWORD, app.pool_id, app.client_id, client=pool.cognito.client(), **options)


# -- secrets --


def test_object_does_not_keep_the_password(cognito_pool: Pool, cognito_url: str) -> None:
    alice = user(cognito_pool, cognito_url)
    alice.register("alice", PASSWORD)

    assert PASSWORD not in str(vars(alice))


def test_challenge_keeps_its_session_out_of_the_repr_and_can_be_pickled() -> None:
    asked = SoftwareTokenMFAChallengeException("a code", {"Session": "secret-session"})
    copy = pickle.loads(pickle.dumps(asked))

    assert "secret-session" not in repr(asked)
    assert type(copy) is SoftwareTokenMFAChallengeException
    assert copy.get_tokens() == {"Session": "secret-session"}


# -- challenges --


def test_challenge_that_pycognito_does_not_know_is_named(cognito: LocalCognito, cognito_url: str) -> None:
    pool = cognito.create_pool(**EMAIL_MFA)
    pool.add_user("alice", PASSWORD, email="alice@example.com")

    with pytest.raises(NotImplementedError, match="EMAIL_OTP is not supported: use AuthFlow"):
        user(pool, cognito_url).authenticate(PASSWORD)
    assert srp(pool).authenticate_user()["ChallengeName"] == "EMAIL_OTP"


def test_administrators_sign_in_meets_a_second_factor(cognito: LocalCognito, cognito_url: str) -> None:
    pool = cognito.create_pool(**TOTP)
    pool.add_user("alice", PASSWORD, totp=True)
    alice = user(pool, cognito_url)
    with pytest.raises(MFAChallengeException):
        alice.admin_authenticate(PASSWORD)
    alice.respond_to_software_token_mfa_challenge(pool.totp("alice"))

    assert alice.token_type == "Bearer"


def test_new_password_where_none_is_required_signs_in(cognito_pool: Pool) -> None:
    cognito_pool.add_user("alice", PASSWORD)

    assert "AuthenticationResult" in srp(cognito_pool).set_new_password_challenge("Another-horse-2")


# -- errors --


def test_unreachable_endpoint_raises_botocores_error(cognito_pool: Pool) -> None:
    cognito_pool.add_user("alice", PASSWORD)
    alice = user(
        cognito_pool, "http://127.0.0.1:1", botocore_config=Config(retries={"total_max_attempts": 1})
    )

    with pytest.raises(EndpointConnectionError):
        alice.authenticate(PASSWORD)


def test_refusal_by_a_programs_own_object_in_place_of_a_client_is_raised_as_it_is(cognito_pool: Pool) -> None:
    class Double:
        def initiate_auth(self, **_: object) -> None:
            raise ClientError({"Error": {"Code": "NotAuthorizedException", "Message": "no"}}, "InitiateAuth")

    aws = AWSSRP("alice", PASSWORD, cognito_pool.id, cognito_pool.app.client_id, client=Double())

    with pytest.raises(ClientError, match="NotAuthorizedException"):
        aws.authenticate_user()


def test_mistake_in_the_program_is_raised_as_it_is(cognito_pool: Pool, cognito_url: str) -> None:
    alice = user(cognito_pool, cognito_url)

    with pytest.raises(UsageError, match="refresh token is empty"):
        alice.renew_access_token()


def test_second_half_without_the_first_is_refused(cognito_pool: Pool) -> None:
    with pytest.raises(RuntimeError, match="get_auth_params first"):
        srp(cognito_pool).process_challenge({}, {"USERNAME": "alice"})


# -- the client --


def test_client_comes_from_the_session_with_the_given_keys(cognito_pool: Pool) -> None:
    session = boto3.session.Session()
    alice = Cognito(
        cognito_pool.id,
        cognito_pool.app.client_id,
        "us-west-2",
        session=session,
        access_key="key",
        secret_key="secret",
    )

    assert alice.client.meta.region_name == "us-west-2"
    assert alice.client._request_signer._credentials.access_key == "key"
    assert alice.user_pool_url == cognito_pool.app.issuer


def test_srp_makes_a_client_for_its_region() -> None:
    made = AWSSRP("alice", PASSWORD, "eu-west-1_AbC123", "client", pool_region="eu-west-1")

    assert made.client.meta.region_name == "eu-west-1"


# -- tokens --


def test_keys_come_from_the_environment_if_they_are_there(
    cognito: LocalCognito, cognito_pool: Pool, cognito_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cognito_pool.add_user("alice", PASSWORD)
    alice = user(cognito_pool, cognito_url)
    monkeypatch.setenv("COGNITO_JWKS", keys_of(cognito_pool, cognito_url))
    alice.authenticate(PASSWORD)
    monkeypatch.setenv("COGNITO_JWKS", keys_of(cognito.create_pool(), cognito_url))
    other = user(cognito_pool, cognito_url, id_token=alice.id_token, access_token=alice.access_token)

    with pytest.raises(TokenVerificationException):
        other.verify_tokens()


def keys_of(pool: Pool, url: str) -> str:
    with urlopen(f"{url}/{pool.id}/.well-known/jwks.json") as answer:  # noqa: S310 - of the test
        return str(answer.read().decode())


def test_missing_token_is_not_verified(cognito_pool: Pool, cognito_url: str) -> None:
    with pytest.raises(TokenVerificationException):
        user(cognito_pool, cognito_url).verify_tokens()


def test_rotated_refresh_token_is_kept(cognito: LocalCognito, cognito_url: str) -> None:
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    rotation: Any = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}
    app = pool.app_client(flows=["ALLOW_USER_SRP_AUTH"], refresh_token_rotation=rotation)
    pool.configure(issuer=f"{cognito_url}/{pool.id}")
    alice = Cognito(
        pool.id, app.client_id, username="alice", boto3_client_kwargs={"endpoint_url": cognito_url}
    )
    alice.authenticate(PASSWORD)
    for _ in range(2):
        before = alice.refresh_token
        alice.renew_access_token()
        assert alice.refresh_token != before


def test_refresh_token_alone_is_enough(cognito_pool: Pool, cognito_url: str) -> None:
    cognito_pool.add_user("alice", PASSWORD)
    first = user(cognito_pool, cognito_url)
    first.authenticate(PASSWORD)
    second = user(cognito_pool, cognito_url, refresh_token=first.refresh_token)
    second.renew_access_token()

    assert second.refresh_token == first.refresh_token
    assert second.access_claims is not None


def test_requests_are_signed_in_by_name(cognito_pool: Pool, cognito_url: str) -> None:
    cognito_pool.add_user("alice", PASSWORD)
    cognito_pool.configure(issuer=f"{cognito_url}/{cognito_pool.id}")
    auth = RequestsSrpAuth(
        username="alice",
        password=PASSWORD,
        user_pool_id=cognito_pool.id,
        user_pool_region="eu-west-1",
        client_id=cognito_pool.app.client_id,
        boto3_client_kwargs={"endpoint_url": cognito_url},
    )
    request = requests.Request("GET", "https://api.example.com", auth=auth).prepare()

    assert request.headers["Authorization"] == f"Bearer {auth.cognito_client.access_token}"


def test_request_with_an_expired_token_is_sent_with_a_new_one(cognito_pool: Pool, cognito_url: str) -> None:
    cognito_pool.add_user("alice", PASSWORD)
    clock = cognito_pool.cognito.clock
    clock.advance(-7200)
    old = cognito_pool.flow().sign_in(UserSrpAuth("alice", PASSWORD)).tokens
    clock.advance(7200)
    strings = {"access_token": old.access_token, "id_token": old.id_token, "refresh_token": old.refresh_token}
    alice = user(cognito_pool, cognito_url, **strings)
    auth = RequestsSrpAuth(cognito=alice)
    request = requests.Request("GET", "https://api.example.com", auth=auth).prepare()

    assert alice.access_token != old.access_token
    assert request.headers["Authorization"] == f"Bearer {alice.access_token}"


# -- devices --


def test_device_is_confirmed_once_and_signs_in(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(**DEVICES)
    pool.add_user("alice", PASSWORD)
    first = srp(pool)
    tokens: Any = first.authenticate_user()
    response, password = first.confirm_device(tokens)
    key = tokens["AuthenticationResult"]["NewDeviceMetadata"]["DeviceKey"]
    group = tokens["AuthenticationResult"]["NewDeviceMetadata"]["DeviceGroupKey"]
    again: Any = srp(pool, device_key=key, device_group_key=group, device_password=password)

    assert (response.status_code, response.ok) == (200, True)
    assert [call.operation for call in cognito.calls].count("ConfirmDevice") == 1
    assert "NewDeviceMetadata" not in again.authenticate_user()["AuthenticationResult"]


def test_device_of_a_response_that_the_program_got_itself_is_confirmed(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(**DEVICES)
    pool.add_user("alice", PASSWORD)
    api: Any = cognito.client()
    tokens = api.initiate_auth(
        ClientId=pool.app.client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "alice", "PASSWORD": PASSWORD},
    )
    aws = srp(pool)
    aws.confirm_device(tokens, "phone")
    access_token = tokens["AuthenticationResult"]["AccessToken"]
    key = tokens["AuthenticationResult"]["NewDeviceMetadata"]["DeviceKey"]

    device = api.get_device(AccessToken=access_token, DeviceKey=key)["Device"]
    assert {"Name": "device_name", "Value": "phone"} in device["DeviceAttributes"]
    aws.update_device_status(True, access_token, key)
    aws.forget_device(access_token, key)
    with pytest.raises(ClientError):
        aws.forget_device(access_token, key)


def test_device_that_cognito_does_not_confirm_raises(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(**DEVICES)
    pool.add_user("alice", PASSWORD)
    tokens: Any = srp(pool).authenticate_user()
    made_up = {"DeviceKey": "eu-west-1_made-up", "DeviceGroupKey": "group"}
    offered = {"AuthenticationResult": {**tokens["AuthenticationResult"], "NewDeviceMetadata": made_up}}

    with pytest.raises(WarrantException, match="did not confirm"):
        srp(pool).confirm_device(offered)


@pytest.mark.parametrize("zone", [None, UTC])
def test_timestamp_has_the_form_that_cognito_requires(zone: tzinfo | None) -> None:
    moment = datetime(2022, 1, 2, 12, 0, 0, tzinfo=zone)

    assert AWSSRP.get_cognito_formatted_timestamp(moment) == "Sun Jan 2 12:00:00 UTC 2022"


def test_administrator_sign_in_is_called_as_pycognito_calls_it(cognito_pool: Pool, cognito_url: str) -> None:
    """A program's own stub of boto3 may expect the flow's old name."""
    cognito_pool.add_user("alice", PASSWORD)
    alice, sent = user(cognito_pool, cognito_url, access_key="x", secret_key="x"), list[str]()

    def note(params: dict[str, str], **_: object) -> None:
        sent.append(params["AuthFlow"])

    alice.client.meta.events.register("provide-client-params.cognito-idp.AdminInitiateAuth", note)
    alice.admin_authenticate(PASSWORD)

    assert sent == ["ADMIN_NO_SRP_AUTH"]
