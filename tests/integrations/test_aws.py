"""AWS credentials of an identity pool: how they are requested, cached, renewed and used."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import attrs
import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.stub import Stubber
from moto import mock_aws

from cognito_flow import (
    AppClient,
    AsyncTokenSource,
    CognitoFlowError,
    Misconfigured,
    NotAuthorized,
    ServiceError,
    System,
    TokenExpired,
    TokenSource,
    TransportError,
    UnexpectedResponse,
    UsageError,
)
from cognito_flow.integrations.aws import AsyncIdentityPool, AwsCredentials, IdentityPool
from cognito_flow.testing import Clock, Pool
from tests.integrations import identities as services
from tests.integrations.callers import ALICE, refreshes
from tests.integrations.identities import IDENTITY_ID, POOL_ID, Identities
from tests.support.http_server import silent_server

EXCHANGE = ["GetId", "GetCredentialsForIdentity"]


@pytest.fixture
def app(pool: Pool) -> AppClient:
    """An app client whose ID tokens end before its access tokens."""
    return pool.app_client(
        flows=("ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"),
        access_token_validity=60,
        id_token_validity=30,
        token_validity_units={"AccessToken": "minutes", "IdToken": "minutes"},
    )


@pytest.fixture
def source(pool: Pool, app: AppClient) -> TokenSource:
    """Alice's tokens."""
    flow = pool.flow(app)
    return flow.token_source(flow.sign_in(ALICE).tokens)


@pytest.fixture
def identities(pool: Pool, app: AppClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[Identities]:
    """An identity pool and STS, to which botocore is led by its own settings. There are other credentials."""
    with services.serve(pool, app) as identities:
        monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", identities.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", identities.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFSOMEBODYELSE00")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-key-of-somebody-else")
        yield identities


@pytest.fixture
def identity_pool(source: TokenSource, app: AppClient, identities: Identities) -> IdentityPool:
    """What alice gets there."""
    assert identities.asked == []
    return IdentityPool(source, app, POOL_ID)


def who_am_i(identity_pool: IdentityPool) -> str:
    """The caller that STS sees with a session's credentials."""
    sts: Any = identity_pool.session().client("sts")
    return str(sts.get_caller_identity()["Arn"])


def test_calls_are_signed_with_the_users_credentials(
    identity_pool: IdentityPool, identities: Identities
) -> None:
    assert who_am_i(identity_pool).endswith("assumed-role/people/me")
    assert identities.operations() == [*EXCHANGE, "GetCallerIdentity"]
    assert identities.asked[-1].access_key == "ASIAKEYOFTHEUSER0001"
    assert identities.asked[-1].session_token == "session-1"


def test_no_other_credentials_are_read(
    source: TokenSource,
    app: AppClient,
    identities: Identities,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\ncredential_process = false\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")

    who_am_i(IdentityPool(source, app, POOL_ID))

    assert identities.operations() == [*EXCHANGE, "GetCallerIdentity"]


def test_identity_pool_receives_the_id_token_in_unsigned_calls(
    identity_pool: IdentityPool, identities: Identities, source: TokenSource, app: AppClient
) -> None:
    who_am_i(identity_pool)

    logins = {f"cognito-idp.eu-west-1.amazonaws.com/{app.pool_id}": source.tokens().id_token}
    assert [asked.parameters for asked in identities.asked[:2]] == [
        {"IdentityPoolId": POOL_ID, "Logins": logins},
        {"IdentityId": IDENTITY_ID, "Logins": logins},
    ]
    assert {asked.access_key for asked in identities.asked[:2]} == {None}


def test_custom_role_is_sent_with_the_request_for_credentials(
    source: TokenSource, app: AppClient, identities: Identities
) -> None:
    role = "arn:aws:iam::123456789012:role/people"

    who_am_i(IdentityPool(source, app, POOL_ID, custom_role_arn=role))

    assert "CustomRoleArn" not in identities.asked[0].parameters
    assert identities.asked[1].parameters["CustomRoleArn"] == role


@pytest.mark.parametrize(
    ("app", "name"),
    [
        (AppClient("us-east-1_A", "c"), "cognito-idp.us-east-1.amazonaws.com/us-east-1_A"),
        (AppClient("cn-north-1_A", "c"), "cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_A"),
        (
            AppClient(
                "us-east-1_A", "c", issuer="https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_A"
            ),
            "cognito-idp.us-east-1.amazonaws.com/us-east-1_A",
        ),
    ],
)
def test_provider_name_has_the_regional_form(pool: Pool, app: AppClient, name: str) -> None:
    flow = pool.flow()
    source = flow.token_source(flow.sign_in(ALICE).tokens)
    client = boto3.session.Session().client(
        "cognito-identity", region_name="eu-west-1", config=Config(signature_version=UNSIGNED)
    )
    expected = {"IdentityPoolId": POOL_ID, "Logins": {name: source.tokens().id_token}}
    with Stubber(client) as stubber:
        stubber.add_response("get_id", {"IdentityId": IDENTITY_ID}, expected)

        assert IdentityPool(source, app, POOL_ID, client=client).identity_id() == IDENTITY_ID


def test_identity_id_is_requested_once(identity_pool: IdentityPool, identities: Identities) -> None:
    assert [identity_pool.identity_id(), identity_pool.identity_id()] == [IDENTITY_ID, IDENTITY_ID]
    who_am_i(identity_pool)
    assert identities.operations() == [*EXCHANGE, "GetCallerIdentity"]


def test_sessions_share_the_credentials(identity_pool: IdentityPool, identities: Identities) -> None:
    sessions = [identity_pool.session(), identity_pool.session("us-east-1")]
    assert identities.asked == []

    for session in sessions:
        sts: Any = session.client("sts")
        sts.get_caller_identity()

    assert identities.operations() == [*EXCHANGE, "GetCallerIdentity", "GetCallerIdentity"]
    assert [session.region_name for session in sessions] == ["eu-west-1", "us-east-1"]


def test_credentials_are_renewed_before_they_expire(
    identity_pool: IdentityPool, identities: Identities
) -> None:
    identities.lifetime = timedelta(minutes=5)
    sts: Any = identity_pool.session().client("sts")
    sts.get_caller_identity()
    identities.lifetime = timedelta(hours=1)

    sts.get_caller_identity()
    sts.get_caller_identity()

    assert [(asked.operation, asked.session_token) for asked in identities.asked[2:]] == [
        ("GetCallerIdentity", "session-1"),
        ("GetCredentialsForIdentity", None),
        ("GetCallerIdentity", "session-2"),
        ("GetCallerIdentity", "session-2"),
    ]


def test_expired_id_token_is_refreshed_before_it_is_sent(
    identity_pool: IdentityPool, identities: Identities, pool: Pool
) -> None:
    identities.lifetime = timedelta(minutes=5)
    who_am_i(identity_pool)
    pool.cognito.clock.advance(3600)
    identities.asked.clear()

    who_am_i(identity_pool)

    assert identities.operations() == ["GetCredentialsForIdentity", "GetCallerIdentity"]
    assert refreshes(pool) == 1


def test_id_token_that_expires_before_the_access_token_is_refreshed(
    identity_pool: IdentityPool, identities: Identities, pool: Pool
) -> None:
    pool.cognito.clock.advance(45 * 60)

    assert identity_pool.identity_id() == IDENTITY_ID
    assert (identities.operations(), refreshes(pool)) == (["GetId"], 1)


def test_refused_new_id_token_raises_token_expired(
    identity_pool: IdentityPool, identities: Identities, pool: Pool
) -> None:
    identities.refusals = [(400, "NotAuthorizedException", "Invalid login token. Token expired: 2 >= 1")] * 2

    with pytest.raises(TokenExpired):
        identity_pool.identity_id()
    assert (identities.operations(), refreshes(pool)) == (["GetId", "GetId"], 1)


@pytest.mark.parametrize(
    ("code", "text", "error"),
    [
        (
            "NotAuthorizedException",
            "Token is not from a supported provider of this identity pool.",
            Misconfigured,
        ),
        (
            "NotAuthorizedException",
            "Logins don't match. Please include at least one valid login",
            Misconfigured,
        ),
        ("NotAuthorizedException", "Access to Identity 'eu-west-1:6' is forbidden.", NotAuthorized),
        ("ResourceNotFoundException", "IdentityPool 'eu-west-1:1' not found.", Misconfigured),
        (
            "InvalidIdentityPoolConfigurationException",
            "Check assigned IAM roles for this pool.",
            Misconfigured,
        ),
        ("ResourceConflictException", "Logins are already linked to another identity.", ServiceError),
    ],
)
def test_refusal_raises_a_typed_error(
    identity_pool: IdentityPool,
    identities: Identities,
    code: str,
    text: str,
    error: type[CognitoFlowError],
) -> None:
    identities.refusals = [(400, code, text)]

    with pytest.raises(CognitoFlowError) as refused:
        who_am_i(identity_pool)

    assert type(refused.value) is error
    assert (refused.value.code, refused.value.operation) == (code, "GetId")
    assert (refused.value.hint is not None) is (error is Misconfigured)


def test_temporary_error_is_retried(identity_pool: IdentityPool, identities: Identities) -> None:
    identities.refusals = [(500, "InternalErrorException", "")]
    assert identity_pool.identity_id() == IDENTITY_ID
    identities.refusals = [(500, "InternalErrorException", "")]
    who_am_i(identity_pool)

    assert identities.operations() == [
        *["GetId"] * 2,
        *["GetCredentialsForIdentity"] * 2,
        "GetCallerIdentity",
    ]


WHOLE = {"AccessKeyId": "a", "SecretKey": "s", "SessionToken": "t", "Expiration": 4102444800}


@pytest.mark.parametrize(
    ("operation", "answer", "missing"),
    [
        ("GetId", {}, "IdentityId"),
        ("GetCredentialsForIdentity", {}, "Expiration"),
        *(
            (
                "GetCredentialsForIdentity",
                {"Credentials": {key: value for key, value in WHOLE.items() if key != name}},
                name,
            )
            for name in WHOLE
        ),
    ],
)
def test_missing_member_of_a_response_raises_unexpected_response(
    identity_pool: IdentityPool, identities: Identities, operation: str, answer: dict[str, Any], missing: str
) -> None:
    identities.answers[operation] = answer

    with pytest.raises(UnexpectedResponse, match=missing):
        who_am_i(identity_pool)


def test_tokens_without_an_id_token_raise_usage_error(
    pool: Pool, app: AppClient, identities: Identities
) -> None:
    flow = pool.flow(app)
    tokens = attrs.evolve(flow.sign_in(ALICE).tokens, id_token=None)

    with pytest.raises(UsageError, match="no ID token"):
        IdentityPool(flow.token_source(tokens), app, POOL_ID).identity_id()
    assert identities.asked == []


@pytest.mark.parametrize(
    "identity_pool_id", ["", "eu-west-1", "eu-west-1_AbC", "eu-west-1:XYZ", f"{POOL_ID}\n"]
)
def test_malformed_identity_pool_id_raises_usage_error(
    source: TokenSource, app: AppClient, identity_pool_id: str
) -> None:
    with pytest.raises(UsageError, match="not an identity pool id"):
        IdentityPool(source, app, identity_pool_id)


def test_impossible_region_raises_usage_error(source: TokenSource, app: AppClient) -> None:
    with pytest.raises(UsageError, match="botocore cannot make a client"):
        IdentityPool(source, app, "eu_west:1")


def test_client_of_another_service_raises_usage_error(
    source: TokenSource, app: AppClient, pool: Pool
) -> None:
    identity_pool = IdentityPool(source, app, POOL_ID, client=pool.cognito.client())

    with pytest.raises(UsageError, match="cannot call GetId: it is for another service"):
        identity_pool.identity_id()


def test_async_source_raises_usage_error(pool: Pool) -> None:
    tokens = pool.flow().sign_in(ALICE).tokens
    source = cast("TokenSource", pool.async_flow().token_source(tokens))

    with pytest.raises(UsageError, match="must be the TokenSource of an AuthFlow"):
        IdentityPool(source, pool.app, POOL_ID)


def test_repr_holds_no_secret(identity_pool: IdentityPool, source: TokenSource) -> None:
    who_am_i(identity_pool)

    assert repr(identity_pool) == f"IdentityPool({source!r}, {POOL_ID!r})"


def test_credentials_come_from_moto(source: TokenSource, app: AppClient) -> None:
    with mock_aws():
        client: Any = boto3.client("cognito-identity", region_name="eu-west-1")
        made = client.create_identity_pool(IdentityPoolName="people", AllowUnauthenticatedIdentities=False)
        identity_pool = IdentityPool(source, app, made["IdentityPoolId"])
        sent: list[Any] = []
        dynamodb: Any = identity_pool.session().client("dynamodb")
        dynamodb.meta.events.register("before-send", lambda request, **_: sent.append(request.headers))

        assert dynamodb.list_tables()["TableNames"] == []
        identities = client.list_identities(IdentityPoolId=made["IdentityPoolId"], MaxResults=9)["Identities"]

    assert [identity["IdentityId"] for identity in identities] == [identity_pool.identity_id()]
    assert b"Credential=TESTACCESSKEY12345/" in sent[0]["Authorization"]
    assert sent[0]["X-Amz-Security-Token"] == b"ABC12345"


@pytest.fixture
def async_pool(pool: Pool, app: AppClient, identities: Identities) -> AsyncIdentityPool:
    """The same for asyncio."""
    source = pool.async_flow(app).token_source(pool.flow(app).sign_in(ALICE).tokens)
    return AsyncIdentityPool(source, app, POOL_ID)


def test_credentials_are_cached_until_they_are_about_to_expire(
    identity_pool: IdentityPool, identities: Identities
) -> None:
    first = identity_pool.credentials()

    assert (first.access_key, first.secret_key, first.token) == (
        "ASIAKEYOFTHEUSER0001",
        "secret-key-of-the-user",
        "session-1",
    )
    assert identity_pool.credentials() is first
    assert timedelta(minutes=59) < first.expires_at - datetime.now(UTC) <= timedelta(hours=1)
    assert identities.operations() == EXCHANGE
    assert "secret" not in repr(first) + repr(identity_pool)
    assert "session-1" not in repr(first)


def test_credentials_of_asyncio_are_cached_until_they_are_about_to_expire(
    async_pool: AsyncIdentityPool, identities: Identities
) -> None:
    identities.lifetime = timedelta(minutes=10)

    async def ask() -> list[str]:
        first, same = await asyncio.gather(async_pool.credentials(), async_pool.credentials())
        assert first is not same
        identities.lifetime = timedelta(hours=1)
        latest = await async_pool.credentials()
        assert await async_pool.credentials() is latest
        assert await async_pool.identity_id() == IDENTITY_ID
        return [first.token, same.token, latest.token]

    assert asyncio.run(ask()) == ["session-1", "session-2", "session-3"]
    assert identities.operations() == ["GetId", *["GetCredentialsForIdentity"] * 3]
    assert repr(async_pool) == f"AsyncIdentityPool(AsyncTokenSource('alice'), {POOL_ID!r})"


def test_refused_id_token_is_refreshed_once_with_asyncio(
    async_pool: AsyncIdentityPool, identities: Identities, pool: Pool
) -> None:
    identities.refusals = [(400, "NotAuthorizedException", "Invalid login token. Token expired: 2 >= 1")]

    assert asyncio.run(async_pool.identity_id()) == IDENTITY_ID
    assert (identities.operations(), refreshes(pool)) == (["GetId", "GetId"], 1)


def test_aiobotocore_session_is_signed_with_the_users_credentials(
    async_pool: AsyncIdentityPool, identities: Identities
) -> None:
    pytest.importorskip("aiobotocore", reason="it holds the newest botocore back")
    identities.lifetime = timedelta(minutes=5)

    async def ask() -> None:
        session: Any = async_pool.session()
        async with session.create_client("sts") as sts:
            assert (await sts.get_caller_identity())["Arn"].endswith("assumed-role/people/me")
            identities.lifetime = timedelta(hours=1)
            await sts.get_caller_identity()
        assert session.get_config_variable("region") == "eu-west-1"
        assert async_pool.session("us-east-1").get_config_variable("region") == "us-east-1"

    asyncio.run(ask())
    calls = [asked for asked in identities.asked if asked.operation == "GetCallerIdentity"]
    assert [asked.session_token for asked in calls] == ["session-1", "session-2"]


def test_aiobotocore_sessions_share_the_credentials(
    async_pool: AsyncIdentityPool, identities: Identities
) -> None:
    pytest.importorskip("aiobotocore", reason="it holds the newest botocore back")

    async def call(session: Any) -> None:
        async with session.create_client("sts") as sts:
            await sts.get_caller_identity()

    async def ask() -> str:
        await asyncio.gather(*(call(async_pool.session()) for _ in range(3)))
        return (await async_pool.credentials()).token

    assert asyncio.run(ask()) == "session-1"
    assert sorted(identities.operations()) == sorted([*EXCHANGE, *["GetCallerIdentity"] * 3])


@pytest.fixture(params=["sync", "async"])
def guest_credentials(request: pytest.FixtureRequest, clock: Clock) -> Callable[[], AwsCredentials]:
    """A guest's credentials from either identity pool, by a clock that tests advance."""
    system = System(now=clock)
    if request.param == "sync":
        return IdentityPool(None, None, POOL_ID, system=system).credentials
    guest = AsyncIdentityPool(None, None, POOL_ID, system=system)
    return lambda: asyncio.run(guest.credentials())


@pytest.fixture
def clock() -> Clock:
    """The time, until a test advances it."""
    return Clock()


def test_credentials_expire_by_the_clock_of_the_system(
    identities: Identities, guest_credentials: Callable[[], AwsCredentials], clock: Clock
) -> None:
    assert guest_credentials().token == "session-1"
    identities.lifetime = timedelta(hours=3)

    clock.advance(7200)

    assert guest_credentials().token == "session-2"
    assert guest_credentials().token == "session-2"


@pytest.mark.parametrize("seconds", [60, 1800])
def test_credentials_that_have_expired_by_the_local_clock_raise_unexpected_response(
    identities: Identities, guest_credentials: Callable[[], AwsCredentials], clock: Clock, seconds: float
) -> None:
    clock.advance(3600 + seconds)

    with pytest.raises(UnexpectedResponse, match="expired already") as raised:
        guest_credentials()

    assert "compare this machine's clock" in str(raised.value.hint)
    assert identities.operations() == EXCHANGE


@pytest.mark.parametrize("kind", ["boto3", "aiobotocore"])
def test_session_with_credentials_that_have_expired_raises_unexpected_response(
    identities: Identities, clock: Clock, kind: str
) -> None:
    pytest.importorskip(kind)
    clock.advance(7200)
    system = System(now=clock)

    async def ask() -> None:
        session: Any = AsyncIdentityPool(None, None, POOL_ID, system=system).session()
        async with session.create_client("sts") as sts:
            await sts.get_caller_identity()

    def call() -> None:
        if kind == "boto3":
            who_am_i(IdentityPool(None, None, POOL_ID, system=system))
        else:
            asyncio.run(ask())

    with pytest.raises(UnexpectedResponse, match="expired already"):
        call()
    assert identities.operations() == EXCHANGE


@pytest.mark.parametrize("kind", ["boto3", "aiobotocore"])
def test_session_renews_by_the_clock_of_the_system(identities: Identities, clock: Clock, kind: str) -> None:
    pytest.importorskip(kind)
    system = System(now=clock)

    def advance() -> None:
        identities.lifetime = timedelta(hours=3)
        clock.advance(7200)

    async def ask() -> None:
        session: Any = AsyncIdentityPool(None, None, POOL_ID, system=system).session()
        async with session.create_client("sts") as sts:
            await sts.get_caller_identity()
            advance()
            await sts.get_caller_identity()

    if kind == "boto3":
        sts: Any = IdentityPool(None, None, POOL_ID, system=system).session().client("sts")
        sts.get_caller_identity()
        advance()
        sts.get_caller_identity()
    else:
        asyncio.run(ask())

    calls = [asked for asked in identities.asked if asked.operation == "GetCallerIdentity"]
    assert [asked.session_token for asked in calls] == ["session-1", "session-2"]


def test_aiobotocore_is_named_if_it_is_missing(
    async_pool: AsyncIdentityPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "aiobotocore.session", None)
    monkeypatch.setitem(sys.modules, "aiobotocore.credentials", None)

    with pytest.raises(ModuleNotFoundError, match=r"cognito-flow\[aio\]"):
        async_pool.session()


def test_guest_has_credentials_without_a_token(identities: Identities) -> None:
    guest = IdentityPool(None, None, POOL_ID)

    who_am_i(guest)

    assert [asked.parameters for asked in identities.asked[:2]] == [
        {"IdentityPoolId": POOL_ID},
        {"IdentityId": IDENTITY_ID},
    ]
    assert identities.asked[2].session_token == "session-1"


def test_guest_of_asyncio_has_credentials_without_a_token(identities: Identities) -> None:
    guest = AsyncIdentityPool(None, None, POOL_ID, identity_id=IDENTITY_ID)

    assert asyncio.run(guest.credentials()).token == "session-1"
    assert [asked.parameters for asked in identities.asked] == [{"IdentityId": IDENTITY_ID}]


def test_guest_stays_the_same_with_an_identity_id(identities: Identities) -> None:
    guest = IdentityPool(None, None, POOL_ID, identity_id=IDENTITY_ID)

    assert guest.identity_id() == IDENTITY_ID
    assert identities.asked == []


def test_source_without_an_app_raises_usage_error(source: TokenSource, app: AppClient) -> None:
    with pytest.raises(UsageError, match="neither for a guest"):
        IdentityPool(source, None, POOL_ID)
    with pytest.raises(UsageError, match="neither for a guest"):
        IdentityPool(None, app, POOL_ID)


def test_blocking_source_raises_usage_error_with_asyncio(source: TokenSource, app: AppClient) -> None:
    with pytest.raises(UsageError, match="must be the AsyncTokenSource of an AsyncAuthFlow"):
        AsyncIdentityPool(cast("AsyncTokenSource", source), app, POOL_ID)


def test_long_lived_session_renews_its_credentials(
    identity_pool: IdentityPool, identities: Identities, pool: Pool
) -> None:
    """A client that was created once keeps working while tokens and credentials expire."""
    identities.lifetime = timedelta(minutes=5)
    sts: Any = identity_pool.session().client("sts")
    for _ in range(3):
        sts.get_caller_identity()
        pool.cognito.clock.advance(3600)

    calls = [asked for asked in identities.asked if asked.operation == "GetCallerIdentity"]
    assert [asked.session_token for asked in calls] == ["session-1", "session-2", "session-3"]
    assert refreshes(pool) == 2


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An identity pool that accepts connections and never answers."""
    with silent_server() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", url)
        yield


@pytest.mark.usefixtures("silent")
def test_silent_identity_pool_raises_transport_error_at_the_timeout() -> None:
    with pytest.raises(TransportError, match="GetId"):
        IdentityPool(None, None, POOL_ID, timeout=0.2).credentials()


@pytest.mark.usefixtures("silent")
def test_silent_identity_pool_raises_transport_error_at_the_timeout_with_asyncio() -> None:
    async def main() -> None:
        await AsyncIdentityPool(None, None, POOL_ID, timeout=0.2).credentials()

    with pytest.raises(TransportError, match="GetId"):
        asyncio.run(main())


@pytest.mark.parametrize("kind", [IdentityPool, AsyncIdentityPool])
def test_timeout_that_is_not_positive_raises_usage_error(
    kind: type[IdentityPool] | type[AsyncIdentityPool],
) -> None:
    with pytest.raises(UsageError, match="positive number of seconds"):
        kind(None, None, POOL_ID, timeout=0)
