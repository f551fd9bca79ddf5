"""The wire format: what is answered at all, faults that were ordered, and who else answers."""

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
    """Send a body as it is, signed in name."""
    headers = {"x-amz-target": TARGET + operation, "authorization": "AWS4-HMAC-SHA256"}
    reply = cognito.handle(headers, body)
    return reply.status, json.loads(reply.body)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100000, b'{"AuthFlow": "\\ud800"}']
)
def test_body_that_is_no_json_object(cognito: LocalCognito, body: bytes) -> None:
    """What cannot be read is told so."""
    status, answer = post(cognito, "InitiateAuth", body)
    assert (status, answer["__type"]) == (400, "SerializationException")


def test_null_is_absent(wire: Wire) -> None:
    """A member that is null is one that is not there, at any depth."""
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


@pytest.mark.parametrize("operation", ["", "Nonsense", "CreateIdentityProvider"])
def test_unknown_operation(cognito: LocalCognito, operation: str) -> None:
    """The answer names the operation that is not offered."""
    status, answer = post(cognito, operation, b"{}")
    assert (status, answer["__type"]) == (400, "UnknownOperationException")
    assert repr(operation) in answer["message"]


def test_unsigned_admin_operation(cognito: LocalCognito) -> None:
    """What AWS wants signed must at least look so."""
    reply = cognito.handle({"x-amz-target": TARGET + "AdminGetUser"}, b"{}")
    assert json.loads(reply.body)["__type"] == "MissingAuthenticationTokenException"


def test_constraints(wire: Wire) -> None:
    """Each broken constraint is told, without the value of what is sensitive."""
    request = {"AuthFlow": "NONSENSE", "ClientId": "not a client id"}
    status, answer = post(wire.cognito, "InitiateAuth", json.dumps(request).encode())
    assert (status, answer["__type"]) == (400, "InvalidParameterException")
    assert answer["message"].startswith("2 validation errors detected: Value 'NONSENSE' at 'authFlow'")
    assert "not a client id" not in answer["message"]


@pytest.mark.parametrize("value", [1, True, [], {}])
def test_wrong_type(cognito: LocalCognito, value: object) -> None:
    """A value of another type cannot be read."""
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
def test_any_parameters(operation: str, parameters: dict[str, object]) -> None:
    """Whatever is sent is refused in the form of Cognito's errors."""
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
def test_any_text(flow: str, values: dict[str, str]) -> None:
    """Any text in AuthParameters is answered, with a challenge or an error, and with no tokens."""
    cognito = LocalCognito()
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    app = pool.app_client(prevent_user_existence_errors="ENABLED")
    request = {"AuthFlow": flow, "ClientId": app.client_id, "AuthParameters": values}
    status, answer = post(cognito, "InitiateAuth", json.dumps(request).encode())
    assert status in (200, 400)
    assert "AuthenticationResult" not in answer


def test_headers(wire: Wire) -> None:
    """An answer has the date of the service's clock, and an id of its own."""
    first, second = (wire.password()["ResponseMetadata"] for _ in range(2))
    assert parsedate_to_datetime(first["HTTPHeaders"]["date"]) == wire.cognito.clock()
    assert first["RequestId"] != second["RequestId"]


def test_throttled(wire: Wire) -> None:
    """Calls that are throttled are not processed, and are used up in order."""
    wire.cognito.faults.throttle("InitiateAuth", 2)
    for _ in range(2):
        assert refusal(wire.password) == ("TooManyRequestsException", "Rate exceeded")
    assert "AuthenticationResult" in wire.password()


def test_error_before_processing(totp_wire: Wire) -> None:
    """An error that comes first leaves the Session as it is."""
    step, code = totp_wire.password(), totp_wire.pool.totp("alice")
    totp_wire.cognito.faults.error_before("RespondToAuthChallenge")
    failed = refusal(lambda: totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code))
    assert failed[0] == "InternalErrorException"
    assert "AuthenticationResult" in totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code)


def test_error_after_processing(totp_wire: Wire) -> None:
    """An error that comes last has used the Session up."""
    step, code = totp_wire.password(), totp_wire.pool.totp("alice")
    totp_wire.cognito.faults.error_after("RespondToAuthChallenge")
    failed = refusal(lambda: totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code))
    assert failed[0] == "InternalErrorException"
    again = refusal(lambda: totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code))
    assert again[1].endswith("session can only be used once.")


def test_lost_answer(totp_wire: Wire) -> None:
    """A lost answer is a time-out to the client, and the call was processed."""
    step, code = totp_wire.password(), totp_wire.pool.totp("alice")
    totp_wire.cognito.faults.lose("RespondToAuthChallenge")
    with pytest.raises(ReadTimeoutError):
        totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code)
    again = refusal(lambda: totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code))
    assert again[1].endswith("session can only be used once.")


def test_installed_in_a_session(wire: Wire) -> None:
    """Every client that a session makes from then on is answered."""
    session = boto3.session.Session(
        aws_access_key_id="a", aws_secret_access_key="b", region_name=wire.cognito.region
    )
    wire.cognito.install(session)
    client: Any = session.client("cognito-idp")
    assert client.admin_get_user(UserPoolId=wire.pool.id, Username="alice")["Username"] == "alice"


def test_installed_again(wire: Wire) -> None:
    """A session has one service, the newest; each call is processed once. Earlier clients stay with theirs."""
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


def test_a_profile_that_is_not_there_is_in_nobodys_way() -> None:
    """Somebody's shell may name one that is only on another machine."""
    program = "from cognito_flow.testing import LocalCognito; LocalCognito().create_pool()"
    environment = {**os.environ, "AWS_PROFILE": "nobody"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr


def test_installed_in_no_session(cognito: LocalCognito) -> None:
    """Only sessions can be answered."""
    with pytest.raises(TypeError, match="no session"):
        cognito.install(object())


def test_installed_in_an_aiobotocore_session(wire: Wire) -> None:
    """The same works where the client is awaited."""
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


def test_beside_moto(wire: Wire) -> None:
    """With moto active, this service answers for user pools, and moto for everything else."""
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
