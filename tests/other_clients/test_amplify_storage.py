"""npm aws-amplify 6.22.1 and amazon-cognito-identity-js 6.3.21 take a sign-in over from Python, and hand theirs over."""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any, TypeAlias

import pytest

from cognito_flow import SignedIn, SmsMfa, UserSrpAuth
from cognito_flow.integrations import amplify
from cognito_flow.testing import LocalCognito, Pool
from tests.other_clients import pools
from tests.other_clients.conftest import JavaScript, Program, Run
from tests.other_clients.pools import PASSWORD

pytestmark = pytest.mark.other_programs

NAME = "al(i)ce+1@example.com"  # which cookies encode
Client: TypeAlias = Callable[[Pool], Program]


@pytest.fixture(params=["amplify", "identity_js"])
def program(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def client(run: Run, javascript: JavaScript, program: str) -> Client:
    """Starts the client for a pool."""
    return lambda pool: run(javascript.program(program), pool.app)


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    pool = cognito.create_pool()
    pool.add_user(NAME, PASSWORD)
    return pool


@pytest.fixture
def signed_in(pool: Pool) -> SignedIn:
    return pool.flow().sign_in(UserSrpAuth(NAME, PASSWORD))


def resume(client: Program, program: str) -> Any:
    """Whom the client finds when it starts; None if the storage has no sign-in."""
    found = client.call("resume" if program == "identity_js" else "session")
    return found if found and found["claims"] else None


def sign_in(client: Program, program: str, username: str = NAME) -> None:
    if program == "identity_js":
        client.call("user", username=username)
    given = {"flow": "USER_SRP_AUTH"} if program == "amplify" else {}
    client.call("signIn", username=username, password=PASSWORD, **given)


def is_current(pool: Pool, done: Any) -> bool:
    return {claims["sub"] for claims in done["claims"].values()} == {pool.user(NAME).sub}


def test_local_storage_of_python_signs_the_client_in(
    pool: Pool, signed_in: SignedIn, client: Client, program: str
) -> None:
    front_end = client(pool)
    assert resume(front_end, program) is None

    front_end.call("load", entries=amplify.local_storage(pool.app, signed_in))

    assert is_current(pool, resume(front_end, program))
    assert is_current(pool, front_end.call("refresh"))


def test_local_storage_of_the_client_signs_python_in(pool: Pool, client: Client, program: str) -> None:
    front_end = client(pool)
    sign_in(front_end, program)

    signed_in = amplify.read_local_storage(pool.app, front_end.call("kept"))

    assert signed_in is not None
    assert signed_in.username == NAME
    assert pool.verifier().verify_access(signed_in.tokens.access_token).sub == pool.user(NAME).sub
    assert pool.flow().refresh(signed_in.tokens).username == NAME


def test_cookies_of_python_sign_the_client_in_until_it_signs_out(
    pool: Pool, signed_in: SignedIn, client: Client, program: str
) -> None:
    """The names are those that the client removes."""
    front_end = client(pool)
    front_end.call("useCookies", cookies=amplify.cookies(pool.app, signed_in))

    assert is_current(pool, resume(front_end, program))
    front_end.call("signOut")
    assert front_end.call("cookies") == ""


def test_cookies_of_the_client_sign_python_in(pool: Pool, client: Client, program: str) -> None:
    front_end = client(pool)
    front_end.call("useCookies", cookies={})
    sign_in(front_end, program)
    sent = SimpleCookie(front_end.call("cookies"))

    signed_in = amplify.read_cookies(pool.app, {name: each.value for name, each in sent.items()})

    assert signed_in is not None
    assert pool.flow().refresh(signed_in.tokens).username == NAME
    assert {*sent} >= {*amplify.cookies(pool.app, signed_in)}


def test_python_s_device_is_the_client_s(cognito: LocalCognito, client: Client, program: str) -> None:
    """The client signs in again without a code, and its refresh token is good for the device only."""
    pool = pools.device_pool(cognito)
    flow = pool.flow(device_name="a script")
    asked = flow.start(UserSrpAuth("alice", PASSWORD))
    assert isinstance(asked, SmsMfa)
    signed_in = flow.send(asked.answer(pool.last_code("alice")))
    assert isinstance(signed_in, SignedIn)
    assert signed_in.device is not None
    front_end = client(pool)
    front_end.call("load", entries=amplify.local_storage(pool.app, signed_in))

    assert resume(front_end, program) is not None
    front_end.call("refresh")
    front_end.call("signOut")
    sent = len(cognito.outbox)
    sign_in(front_end, program, "alice")
    assert (pools.devices(pool), len(cognito.outbox)) == ([signed_in.device.key], sent)


def test_client_s_device_is_python_s(cognito: LocalCognito, client: Client, program: str) -> None:
    pool = pools.device_pool(cognito)
    front_end = client(pool)
    sign_in(front_end, program, "alice")
    code = pool.last_code("alice")
    answered = ("answer", {"answer": code}) if program == "amplify" else ("sendMfaCode", {"code": code})
    front_end.call(answered[0], **answered[1])

    signed_in = amplify.read_local_storage(pool.app, front_end.call("kept"))

    assert signed_in is not None
    assert signed_in.device is not None
    assert pool.flow().refresh(signed_in.tokens).username == "alice"
    again = pool.flow().sign_in(UserSrpAuth("alice", PASSWORD), device=signed_in.device)
    assert again.username == "alice"
