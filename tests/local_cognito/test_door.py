"""The wire format, scheduled faults, and installation in sessions."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from email.utils import parsedate_to_datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from cognito_flow import UserSrpAuth
from cognito_flow.testing import LocalCognito
from tests.local_cognito.wire import PASSWORD, Wire, refusal

TARGET = "AWSCognitoIdentityProviderService."
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


def post(cognito: LocalCognito, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """Send a body as it is, with a signature that is not verified."""
    headers = {"x-amz-target": TARGET + operation, "authorization": "AWS4-HMAC-SHA256"}
    reply = cognito.handle(headers, body)
    return reply.status, json.loads(reply.body)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100000, b'{"AuthFlow": "\\ud800"}']
)
def test_body_that_is_not_a_json_object_is_a_serialization_exception(
    cognito: LocalCognito, body: bytes
) -> None:
    status, answer = post(cognito, "InitiateAuth", body)
    assert (status, answer["__type"]) == (400, "SerializationException")


def test_null_member_counts_as_absent_at_any_depth(wire: Wire) -> None:
    request = {
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": wire.client_id,
        "ClientMetadata": None,
        "AuthParameters": {"USERNAME": "alice", "PASSWORD": PASSWORD, "DEVICE_KEY": None},
    }
    assert post(wire.cognito, "InitiateAuth", json.dumps(request).encode())[0] == 200
    request["AuthParameters"] = None
    status, answer = post(wire.cognito, "InitiateAuth", json.dumps(request).encode())
    assert (status, answer["message"]) == (400, "Missing required parameter USERNAME")


@pytest.mark.parametrize("operation", ["", "Nonsense", "CreateUserImportJob"])
def test_unknown_operation_is_named_in_the_refusal(cognito: LocalCognito, operation: str) -> None:
    status, answer = post(cognito, operation, b"{}")
    assert (status, answer["__type"]) == (400, "UnknownOperationException")
    assert repr(operation) in answer["message"]


def test_unsigned_admin_operation_is_refused(cognito: LocalCognito) -> None:
    reply = cognito.handle({"x-amz-target": TARGET + "AdminGetUser"}, b"{}")
    assert json.loads(reply.body)["__type"] == "MissingAuthenticationTokenException"


def test_broken_constraints_are_named_without_sensitive_values(wire: Wire) -> None:
    request = {"AuthFlow": "NONSENSE", "ClientId": "not a client id"}
    status, answer = post(wire.cognito, "InitiateAuth", json.dumps(request).encode())
    assert (status, answer["__type"]) == (400, "InvalidParameterException")
    assert answer["message"].startswith("2 validation errors detected: Value 'NONSENSE' at 'authFlow'")
    assert "not a client id" not in answer["message"]


@pytest.mark.parametrize("value", [1, True, [], {}])
def test_value_of_a_wrong_type_is_a_serialization_exception(cognito: LocalCognito, value: object) -> None:
    _, answer = post(cognito, "GetUser", json.dumps({"AccessToken": value}).encode())
    assert answer["__type"] == "SerializationException"


@given(
    operation=st.sampled_from(
        ["InitiateAuth", "RespondToAuthChallenge", "GetUser", "ForgotPassword", "SignUp"]
    ),
    parameters=st.dictionaries(
        st.sampled_from(["AuthFlow", "AuthParameters", "ChallengeName", "ChallengeResponses", "Session"])
        | st.text(max_size=5),
        JSON,
        max_size=4,
    ),
)
def test_any_parameters_get_an_answer_of_the_model(operation: str, parameters: dict[str, object]) -> None:
    cognito = LocalCognito()
    pool = cognito.create_pool()
    request = {"ClientId": pool.app.client_id, **parameters}
    status, answer = post(cognito, operation, json.dumps(request).encode())
    assert status == 400
    assert set(answer) == {"__type", "message"}


@given(
    flow=st.sampled_from(
        ["USER_PASSWORD_AUTH", "USER_SRP_AUTH", "USER_AUTH", "CUSTOM_AUTH", "REFRESH_TOKEN"]
    ),
    values=st.dictionaries(
        st.sampled_from(["USERNAME", "PASSWORD", "SRP_A", "SECRET_HASH", "REFRESH_TOKEN", "DEVICE_KEY"]),
        st.text(st.characters(codec=None)),
    ),
)
def test_any_auth_parameters_get_an_answer_without_tokens(flow: str, values: dict[str, str]) -> None:
    cognito = LocalCognito()
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    app = pool.app_client(prevent_user_existence_errors="ENABLED")
    request = {"AuthFlow": flow, "ClientId": app.client_id, "AuthParameters": values}
    status, answer = post(cognito, "InitiateAuth", json.dumps(request).encode())
    assert status in (200, 400)
    assert "AuthenticationResult" not in answer


def test_answer_has_the_date_of_the_clock_and_its_own_request_id(wire: Wire) -> None:
    first, second = (wire.password()["ResponseMetadata"] for _ in range(2))
    assert parsedate_to_datetime(first["HTTPHeaders"]["date"]) == wire.cognito.clock()
    assert first["RequestId"] != second["RequestId"]


def test_throttled_calls_are_not_processed(wire: Wire) -> None:
    wire.cognito.faults.throttle("InitiateAuth", 2)
    for _ in range(2):
        assert refusal(wire.password) == ("TooManyRequestsException", "Rate exceeded")
    assert "AuthenticationResult" in wire.password()


def test_error_before_processing_leaves_the_session_valid(totp_wire: Wire) -> None:
    step, code = totp_wire.password(), totp_wire.pool.totp("alice")
    totp_wire.cognito.faults.error_before("RespondToAuthChallenge")
    failed = refusal(lambda: totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code))
    assert failed[0] == "InternalErrorException"
    assert "AuthenticationResult" in totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code)


def test_error_after_processing_has_used_the_session(totp_wire: Wire) -> None:
    step, code = totp_wire.password(), totp_wire.pool.totp("alice")
    totp_wire.cognito.faults.error_after("RespondToAuthChallenge")
    failed = refusal(lambda: totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code))
    assert failed[0] == "InternalErrorException"
    again = refusal(lambda: totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code))
    assert again[1].endswith("session can only be used once.")


@pytest.mark.parametrize("fault", ["error_before", "error_after", "throttle"])
def test_call_with_a_fault_is_recorded_once(wire: Wire, fault: str) -> None:
    wire.cognito.calls.clear()
    getattr(wire.cognito.faults, fault)("InitiateAuth")
    code, _ = refusal(wire.password)

    (call,) = wire.cognito.calls
    assert (call.operation, call.error) == ("InitiateAuth", code)
    assert "AuthParameters.USERNAME" in call.sent


def test_error_text_is_in_a_header_on_one_line(cognito: LocalCognito) -> None:
    body = json.dumps({"UserPoolId": "eu-west-1_a\r\nX: y", "Username": "ä"}).encode()
    headers = {"x-amz-target": f"{TARGET}AdminGetUser", "authorization": "AWS4-HMAC-SHA256"}
    reply = cognito.handle(headers, body)

    text = reply.headers["x-amzn-errormessage"]
    assert text.isascii()
    assert text.isprintable()
    assert text.startswith("1 validation error detected: Value 'eu-west-1_a  X: y'")


def test_lost_answer_is_a_read_timeout_and_has_used_the_session(totp_wire: Wire) -> None:
    step, code = totp_wire.password(), totp_wire.pool.totp("alice")
    totp_wire.cognito.faults.lose("RespondToAuthChallenge")
    with pytest.raises(ReadTimeoutError):
        totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code)
    again = refusal(lambda: totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code))
    assert again[1].endswith("session can only be used once.")


def test_clients_of_an_installed_session_are_answered(wire: Wire) -> None:
    session = boto3.session.Session(
        aws_access_key_id="a", aws_secret_access_key="b", region_name=wire.cognito.region
    )
    wire.cognito.install(session)
    client: Any = session.client("cognito-idp")
    assert client.admin_get_user(UserPoolId=wire.pool.id, Username="alice")["Username"] == "alice"


def test_newest_installed_service_answers_new_clients_of_a_session(wire: Wire) -> None:
    session = boto3.session.Session(
        aws_access_key_id="a", aws_secret_access_key="b", region_name=wire.cognito.region
    )
    before = LocalCognito(wire.cognito.region)
    before.install(session)
    earlier: Any = session.client("cognito-idp")
    wire.cognito.install(session)
    wire.cognito.install(session)
    wire.cognito.calls.clear()
    client: Any = session.client("cognito-idp")
    assert client.admin_get_user(UserPoolId=wire.pool.id, Username="alice")["Username"] == "alice"
    assert (len(wire.cognito.calls), before.calls) == (1, [])
    assert earlier.list_user_pools(MaxResults=1)["UserPools"] == []
    assert (len(wire.cognito.calls), len(before.calls)) == (1, 1)


@pytest.mark.slow
def test_missing_aws_profile_does_not_stop_clients() -> None:
    program = "from cognito_flow.testing import LocalCognito; LocalCognito().create_pool()"
    environment = {**os.environ, "AWS_PROFILE": "unknown"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr


def test_install_in_something_else_than_a_session_raises_type_error(cognito: LocalCognito) -> None:
    with pytest.raises(TypeError, match="not a session"):
        cognito.install(object())


def test_clients_of_an_aiobotocore_session_are_answered(wire: Wire) -> None:
    aiobotocore = pytest.importorskip("aiobotocore.session")

    async def sign_in() -> Any:
        session = aiobotocore.get_session()
        wire.cognito.install(session)
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
        async with session.create_client("cognito-idp", region_name=wire.cognito.region, **keys) as client:
            return await client.initiate_auth(
                AuthFlow="USER_PASSWORD_AUTH",
                ClientId=wire.client_id,
                AuthParameters={"USERNAME": "alice", "PASSWORD": PASSWORD},
            )

    assert "AuthenticationResult" in asyncio.run(sign_in())


def test_moto_answers_other_services_while_local_cognito_answers_user_pools(wire: Wire) -> None:
    moto = pytest.importorskip("moto")
    with moto.mock_aws():
        session = boto3.session.Session(
            aws_access_key_id="a", aws_secret_access_key="b", region_name=wire.cognito.region
        )
        wire.cognito.install(session)
        idp: Any = session.client("cognito-idp")
        assert idp.admin_get_user(UserPoolId=wire.pool.id, Username="alice")["Username"] == "alice"
        # moto, which does not know this operation, is not even asked.
        flow = wire.pool.flow()
        flow.refresh(flow.sign_in(UserSrpAuth("alice", PASSWORD)).tokens)
        assert asyncio.run(wire.pool.async_flow().sign_in(UserSrpAuth("alice", PASSWORD))).username == "alice"
        sts: Any = session.client("sts")
        assert sts.get_caller_identity()["Account"] == "123456789012"
