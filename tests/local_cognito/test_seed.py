"""Seeds: what they create, and the errors of wrong ones."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_flow import (
    AppClient,
    CustomAuth,
    CustomChallenge,
    IncorrectPassword,
    SignedIn,
    SoftwareTokenMfa,
    Step,
    UsageError,
    UserSrpAuth,
)
from cognito_flow.testing import LocalCognito, seed
from cognito_flow.testing.pool import Pool

EVERYTHING = """
region = "us-east-1"

[[pool]]
id = "us-east-1_People001"
name = "people"
mfa_configuration = "OPTIONAL"
software_token_mfa_configuration = { Enabled = true }
groups = ["admins", "readers"]

[pool.triggers]
PreAuthentication = "seed_triggers_of_this_test:refuse_mallory"

[[pool.client]]
id = "web"
name = "the web"
secret = "for_tests_alone_0123456789"
flows = ["ALLOW_USER_SRP_AUTH"]
auth_session_validity = 5

[[pool.client]]
secret = true

[[pool.user]]
username = "alice"
password = "correct horse"
email = "alice@example.com"
attributes = { given_name = "Alice" }
totp = "JBSWY3DPEHPK3PXP"
groups = ["admins"]

[[pool.user]]
username = "mallory"
password = "correct horse"
totp = true

[[pool]]
"""
TRIGGERS = """
def refuse_mallory(event):
    if event["userName"] == "mallory":
        raise ValueError("no")
    return event
"""


def write(folder: Path, text: str) -> str:
    """Write a seed to a file and return its path."""
    path = folder / "seed.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def plant(folder: Path, text: str) -> LocalCognito:
    """The LocalCognito that a seed creates."""
    return seed.plant(seed.read(write(folder, text)))


def test_seed_creates_pools_clients_users_groups_and_triggers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "seed_triggers_of_this_test.py").write_text(TRIGGERS, encoding="utf-8")
    cognito = plant(tmp_path, EVERYTHING)
    first, second = cognito.pool_ids()
    state = cognito.state(first)
    assert (first, state.members["Name"], cognito.region) == ("us-east-1_People001", "people", "us-east-1")
    web, other = state.clients.values()
    assert (web.id, web.secret, web.flows) == ("web", "for_tests_alone_0123456789", ["ALLOW_USER_SRP_AUTH"])
    assert web.session_life.total_seconds() == 300
    assert other.secret is not None
    assert state.users["alice"].groups == ["admins"]
    assert state.users["alice"].attributes["given_name"] == "Alice"
    assert state.users["mallory"].totp_secret is not None
    assert cognito.state(second).members["Name"] == "pool"

    pool = Pool(cognito, first)
    app = AppClient(first, "web", "for_tests_alone_0123456789")
    step = pool.flow(app).start(UserSrpAuth("alice", "correct horse"))
    assert isinstance(step, SoftwareTokenMfa)
    with pytest.raises(Exception, match="PreAuthentication failed with error no"):
        pool.flow(app).start(UserSrpAuth("mallory", "correct horse"))


@pytest.fixture
def example() -> Pool:
    """The pool of the built-in seed."""
    cognito = seed.plant(seed.read(seed.EXAMPLE))
    return cognito.pool(*cognito.pool_ids())


def example_app(pool: Pool) -> AppClient:
    """Its app client without a secret."""
    return AppClient(pool.id, next(iter(pool.cognito.state(pool.id).clients)))


def ask(step: Step) -> CustomChallenge:
    """The question."""
    assert isinstance(step, CustomChallenge)
    assert step.parameters["question"] == "2+2"
    return step


@pytest.mark.parametrize("password", [None, "Correct-Horse-9"], ids=["question alone", "after SRP"])
def test_example_seed_asks_a_question(example: Pool, password: str | None) -> None:
    flow = example.flow(example_app(example))
    challenge = ask(flow.start(CustomAuth("alice", password)))
    assert isinstance(flow.send(challenge.answer("4")), SignedIn)


def test_example_seed_ends_after_three_wrong_answers(example: Pool) -> None:
    flow = example.flow(example_app(example))
    step = flow.start(CustomAuth("alice"))
    for _ in range(2):
        step = flow.send(ask(step).answer("5"))
    assert isinstance(flow.send(ask(step).answer("4")), SignedIn)

    step = flow.start(CustomAuth("alice"))
    for _ in range(2):
        step = flow.send(ask(step).answer("5"))
    with pytest.raises(IncorrectPassword):
        flow.send(ask(step).answer("5"))


def test_example_seed_refuses_a_wrong_password(example: Pool) -> None:
    with pytest.raises(IncorrectPassword):
        example.flow(example_app(example)).start(CustomAuth("alice", "wrong"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pool = 1", r"the seed: pool must be a list of tables, \[\[pool\]\]"),
        ("pool = [1]", r"the seed: pool must be a list of tables, \[\[pool\]\]"),
        ("pools = []", "the seed: unknown key: pools"),
        (
            "[[pool]]\n[[pool.resource_server]]",
            "the seed, pool 1, resource_server 1: identifier is missing",
        ),
        (
            '[[pool]]\n[[pool.resource_server]]\nidentifier = "orders"\nname = "Orders"',
            "the seed, pool 1, resource_server 1: unknown key: name",
        ),
        (
            '[[pool]]\n[[pool.resource_server]]\nidentifier = "orders"\nscopes = ["a/b"]',
            "the seed, pool 1, resource_server 1: .*scopeName",
        ),
        ("region = 1", "the seed: region must be a string"),
        ("[[pool]]\nname = 1", "the seed, pool 1: name must be a string"),
        ("[[pool]]\n[[pool]]\nid = 'x'", "the seed, pool 2: 'x' is not a pool id: expected eu-west-1_"),
        ("[[pool]]\ncolour = 'red'", "the seed, pool 1: unknown setting of Cognito: colour"),
        (
            "[[pool]]\nmfa_configuration = 1",
            "the seed, pool 1: .*A value at 'mfaConfiguration' is not of the type string",
        ),
        ("[[pool]]\nmfa_configuration = 'ON'", "the seed, pool 1: .*SMS configuration and Auto verification"),
        ("[[pool]]\ngroups = ['a', 1]", "the seed, pool 1: groups must be a list of strings"),
        ("[[pool]]\ngroups = 'a'", "the seed, pool 1: groups must be a list of strings"),
        ("[[pool]]\ntriggers = 1", r"the seed, pool 1: triggers must be a table, \[triggers\]"),
        (
            "[[pool]]\ntriggers = {PreNothing = 'json:loads'}",
            "triggers: .* no trigger 'PreNothing'; it runs .*PreSignUp",
        ),
        ("[[pool]]\ntriggers = {PreSignUp = 'json'}", "triggers: 'json' cannot be imported"),
        ("[[pool]]\ntriggers = {PreSignUp = ':x'}", "triggers: ':x' cannot be imported"),
        ("[[pool]]\ntriggers = {PreSignUp = 'no.such:x'}", "triggers: 'no.such:x' cannot be imported"),
        ("[[pool]]\ntriggers = {PreSignUp = 'json:__name__'}", "'json:__name__' is not a function"),
        ("[[pool]]\nclient = 'x'", r"pool 1: client must be a list of tables, \[\[client\]\]"),
        ("[[pool]]\n[[pool.client]]\nsize = 1", "pool 1, client 1: unknown setting of Cognito: size"),
        ("[[pool]]\n[[pool.client]]\nflows = ['X']", "pool 1, client 1: "),
        ("[[pool]]\n[[pool.user]]\nemail = 'a@b'", "pool 1, user 1: username is missing"),
        ("[[pool]]\n[[pool.user]]\nusername = 'a'\nage = 1", "pool 1, user 1: .*age"),
        ("[[pool]]\n[[pool.user]]\nusername = 'a'\ntotp = '1'", "pool 1, user 1: "),
        ("[[pool]]\n[[pool.user]]\nusername = 'a'\ngroups = ['x']", "pool 1, user 1: .*Group not found"),
        ("[[pool]]\n[[pool.user]]\nusername = 'a'\npassword = 12345678", "user 1: password must be a string"),
        (
            "[[pool]]\n[[pool.user]]\nusername = 'a'\nphone_number = 31612345678",
            "phone_number must be a string",
        ),
        ("[[pool]]\n[[pool.user]]\nusername = 'a'\ntemporary = 'no'", "temporary must be true or false"),
        ("[[pool]]\n[[pool.user]]\nusername = 'a'\ntotp = 5", "totp must be true, false or a string"),
        (
            "[[pool]]\n[[pool.user]]\nusername = 'a'\nattributes = {birthdate = 1990-01-01}",
            "pool 1, user 1, attributes: birthdate must be a string",
        ),
        ("[[pool]]\n[[pool.client]]\nsecret = 7", "pool 1, client 1: secret must be true, false or a string"),
        ("[[pool]]\n[[pool.client]]\nsecret = 'a-b'", "pool 1, client 1: the client secret is not valid"),
        ("[[pool]]\n[[pool.client]]\nid = 'my-app'", "client 1: 'my-app' is not a valid client id"),
        ("[[pool]]\ntriggers = {PreSignUp = '.x:y'}", "triggers: '.x:y' cannot be imported"),
    ],
)
def test_error_in_a_seed_is_reported_with_its_place(tmp_path: Path, text: str, shown: str) -> None:
    with pytest.raises(UsageError, match=shown):
        plant(tmp_path, text)


@pytest.mark.parametrize("program", ["def f(:", "no_such_name", "raise RuntimeError('broken')"])
def test_trigger_module_that_fails_to_import_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "broken_triggers_of_this_test.py").write_text(program, encoding="utf-8")
    with pytest.raises(UsageError, match=r"pool 1, triggers: .* cannot be imported as module:function: "):
        plant(tmp_path, "[[pool]]\ntriggers = {PreSignUp = 'broken_triggers_of_this_test:f'}")


def test_unreadable_seed_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        seed.read(str(tmp_path / "none.toml"))
    with pytest.raises(UsageError, match="not valid TOML"):
        seed.read(write(tmp_path, "[["))
    with pytest.raises(UsageError, match="not valid TOML"):
        seed.read(write(tmp_path, "a = " + "[" * 20_000))
    (tmp_path / "seed.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="not valid TOML"):
        seed.read(str(tmp_path / "seed.toml"))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["pool", "client", "user", "id", "name", "username", "groups", "triggers", "totp"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


def refusal_of(values: dict[str, object]) -> str | None:
    """The error of a seed, if there is one."""
    try:
        seed.plant(values)
    except UsageError as error:
        return str(error)
    return None


@given(st.dictionaries(st.sampled_from(["pool", "region"]), VALUES, max_size=2))
def test_any_seed_is_planted_or_raises_usage_error(values: dict[str, object]) -> None:
    shown = refusal_of(values)
    assert shown is None or shown.startswith("the seed")


def test_app_client_of_a_seed_may_name_scopes_of_its_resource_server(tmp_path: Path) -> None:
    text = """
    [[pool]]
    id = "eu-west-1_People002"
    [[pool.client]]
    id = "machine"
    secret = true
    allowed_o_auth_scopes = ["orders/read"]
    [[pool.resource_server]]
    identifier = "orders"
    scopes = ["read", "write"]
    """
    cognito = plant(tmp_path, text)
    pool = cognito.pool("eu-west-1_People002")
    api: Any = cognito.client()
    described = api.describe_user_pool_client(UserPoolId=pool.id, ClientId="machine")
    server = api.describe_resource_server(UserPoolId=pool.id, Identifier="orders")

    assert described["UserPoolClient"]["AllowedOAuthScopes"] == ["orders/read"]
    scopes = server["ResourceServer"]["Scopes"]
    assert [scope["ScopeName"] for scope in scopes] == ["read", "write"]


def test_seed_configures_a_pool(tmp_path: Path) -> None:
    text = "[[pool]]\nconfigure = {skew = 60, totp_retry = false, issuer = 'https://issuer.example'}"
    cognito = plant(tmp_path, text)
    state = cognito.state(*cognito.pool_ids())

    assert (state.settings.skew, state.settings.totp_retry) == (60, False)
    assert state.issuer == "https://issuer.example"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("skew = true", "skew must be of the type number"),
        ("skew = nan", "skew must be a finite number"),
        ("skew = inf", "skew must be a finite number"),
        ("totp_retry = 1", "totp_retry must be of the type true or false"),
        ("issuer = 1", "issuer must be of the type string"),
        ("slack = 1", "there is no setting slack: expected one of .*confirmation_session"),
    ],
)
def test_wrong_setting_in_a_seed_is_named(tmp_path: Path, setting: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"the seed, pool 1: {said}"):
        plant(tmp_path, f"[[pool]]\nconfigure = {{{setting}}}")
