"""The two flows: what they promise beyond the engine."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

import cognito_flow
from cognito_flow import (
    Answer,
    AppClient,
    AsyncAuthFlow,
    AuthFlow,
    Challenge,
    CognitoFlowError,
    CustomChallenge,
    Event,
    IncorrectPassword,
    PasswordVerifier,
    Pending,
    RefreshTokenAuth,
    SelectChallenge,
    SessionAlreadyUsed,
    SignedIn,
    SignedOut,
    SmsMfa,
    SoftwareTokenMfa,
    System,
    Throttled,
    Tokens,
    Unanswered,
    UnexpectedResponse,
    UsageError,
    UserAuth,
    UserContext,
    UserPasswordAuth,
    UserSrpAuth,
    WrongCode,
)
from cognito_flow.testing import LocalCognito, Pool
from cognito_flow.testing.faults import Fault
from tests.support.planted import Place, searches
from tests.support.pools import PASSWORD, pool_with_totp

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ALICE = UserSrpAuth("alice", PASSWORD)
IMPATIENT = System(sleep=lambda seconds: None)


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    """A pool with an authenticator app required, and a user who has one."""
    return pool_with_totp(cognito)


def test_sign_in_asks_until_the_tokens_arrive(pool: Pool) -> None:
    asked: list[str] = []

    def ask(challenge: Challenge) -> Answer | None:
        asked.append(challenge.name)
        assert isinstance(challenge, SoftwareTokenMfa)
        return challenge.answer(pool.totp("alice"))

    assert pool.flow().sign_in(ALICE, ask=ask).username == "alice"
    assert asked == ["SOFTWARE_TOKEN_MFA"]


def test_mixed_up_arguments_raise_usage_error_without_showing_them(pool: Pool) -> None:
    flow, async_flow, name, code = pool.flow(), pool.async_flow(), cast("Any", "alice"), cast("Any", "123456")
    calls: list[Callable[[], object]] = [
        lambda: flow.start(name),
        lambda: flow.sign_in(name),
        lambda: asyncio.run(async_flow.start(name)),
        lambda: flow.send(code),
        lambda: asyncio.run(async_flow.send(code)),
    ]

    messages = []
    for call in calls:
        with pytest.raises(UsageError) as raised:
            call()
        messages.append(str(raised.value))

    assert ["UserSrpAuth" in text for text in messages] == [True, True, True, False, False]
    assert ["challenge.answer" in text for text in messages] == [False, False, False, True, True]


@pytest.mark.parametrize("is_coroutine", [False, True])
def test_ask_of_the_async_flow_may_be_a_coroutine_function(pool: Pool, is_coroutine: bool) -> None:
    def ask(challenge: Challenge) -> Answer | None:
        assert isinstance(challenge, SoftwareTokenMfa)
        return challenge.answer(pool.totp("alice"))

    async def ask_async(challenge: Challenge) -> Answer | None:
        await asyncio.sleep(0)
        return ask(challenge)

    chosen = ask_async if is_coroutine else ask
    assert asyncio.run(pool.async_flow().sign_in(ALICE, ask=chosen)).username == "alice"


@pytest.mark.parametrize("ask", [None, lambda challenge: None], ids=["no ask", "no answer"])
def test_unanswered_challenge_can_be_answered_from_the_error(pool: Pool, ask: Any) -> None:
    flow = pool.flow()
    with pytest.raises(Unanswered, match="SOFTWARE_TOKEN_MFA") as unanswered:
        flow.sign_in(ALICE, ask=ask)
    with pytest.raises(Unanswered):
        asyncio.run(pool.async_flow().sign_in(ALICE, ask=ask))

    challenge = unanswered.value.challenge
    assert isinstance(challenge, SoftwareTokenMfa)
    assert isinstance(flow.send(challenge.answer(pool.totp("alice"))), SignedIn)


def test_sign_in_with_too_many_challenges_raises_unanswered(pool: Pool) -> None:
    with pytest.raises(Unanswered, match="0 challenges"):
        pool.flow().sign_in(ALICE, max_steps=0)
    with pytest.raises(Unanswered, match="0 challenges"):
        asyncio.run(pool.async_flow().sign_in(ALICE, max_steps=0))


def test_sign_in_without_a_challenge_needs_no_step(cognito_pool: Pool) -> None:
    cognito_pool.add_user("alice", PASSWORD)

    assert cognito_pool.flow().sign_in(ALICE, max_steps=0).username == "alice"
    assert asyncio.run(cognito_pool.async_flow().sign_in(ALICE)).username == "alice"


def challenge_of(flow: AuthFlow) -> SoftwareTokenMfa:
    """The challenge that a sign-in stops at."""
    step = flow.start(ALICE)
    assert isinstance(step, SoftwareTokenMfa)
    return step


def test_second_answer_raises_session_already_used_without_a_call(pool: Pool) -> None:
    """Two threads answer the same challenge at once, and Cognito receives one call."""
    flow = pool.flow()
    challenge = challenge_of(flow)
    answer, barrier = challenge.answer(pool.totp("alice")), threading.Barrier(8)
    outcomes: list[type[object]] = []

    def click() -> None:
        barrier.wait()
        try:
            outcomes.append(type(flow.send(answer)))
        except SessionAlreadyUsed as used:
            outcomes.append(type(used))

    threads = [threading.Thread(target=click) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(kind.__name__ for kind in outcomes) == ["SessionAlreadyUsed"] * 7 + ["SignedIn"]


@pytest.mark.parametrize("is_async", [False, True])
def test_failed_proof_of_an_accepted_choice_is_maybe_processed_and_not_retryable(
    cognito: LocalCognito, is_async: bool
) -> None:
    pool = cognito.create_pool(
        policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    )
    pool.add_user("alice", PASSWORD, email="alice@example.com")
    flow, async_flow = pool.flow(system=IMPATIENT), pool.async_flow(system=IMPATIENT)
    choice = flow.start(UserAuth("alice"))
    assert isinstance(choice, SelectChallenge)
    answer = choice.answer_srp(PASSWORD)
    cognito.faults.add(Fault.DELAY, "RespondToAuthChallenge")  # the choice is accepted
    cognito.faults.throttle("RespondToAuthChallenge", 3)  # the proof is not

    errors: list[CognitoFlowError] = []
    for _ in range(2):
        with pytest.raises(CognitoFlowError) as failed:
            asyncio.run(async_flow.send(answer)) if is_async else flow.send(answer)
        errors.append(failed.value)

    assert [type(error) for error in errors] == [Throttled, SessionAlreadyUsed]
    assert [(error.maybe_processed, error.retryable) for error in errors] == [(True, False)] * 2


@pytest.mark.parametrize("is_async", [False, True])
def test_session_too_short_to_be_sent_raises_unexpected_response_that_is_maybe_processed(
    cognito: LocalCognito, is_async: bool
) -> None:
    pool = cognito.create_pool()
    client: Any = cognito.client()
    client.meta.events.register(
        "after-call.cognito-identity-provider", lambda parsed, **_: parsed.update(Session="")
    )
    flow, async_flow = AuthFlow(pool.app, client), AsyncAuthFlow(pool.app, client)
    pool.add_user("alice", PASSWORD)

    with pytest.raises(UnexpectedResponse, match="too short") as short:
        asyncio.run(async_flow.start(ALICE)) if is_async else flow.start(ALICE)

    assert short.value.maybe_processed


def test_challenge_can_be_answered_again_after_a_wrong_code(pool: Pool) -> None:
    flow = pool.flow()
    challenge = challenge_of(flow)
    for _ in range(2):
        with pytest.raises(WrongCode):
            flow.send(challenge.answer("not it"))

    assert isinstance(flow.send(challenge.answer(pool.totp("alice"))), SignedIn)


def test_answered_sessions_are_forgotten_when_they_have_expired(pool: Pool) -> None:
    flow = pool.flow()
    flow.send(challenge_of(flow).answer(pool.totp("alice")))
    pool.cognito.clock.advance(16 * 60)
    flow.send(challenge_of(flow).answer(pool.totp("alice")))

    assert len(flow._answered._answered) == 1


def test_challenge_without_a_session_can_be_answered_twice(cognito_pool: Pool) -> None:
    app = cognito_pool.app
    pending = Pending(
        name="PASSWORD_VERIFIER", username="alice", pool_id=app.pool_id, client_id=app.client_id
    )
    for _ in range(2):
        with pytest.raises(cognito_flow.UnexpectedResponse):
            cognito_pool.flow().send(PasswordVerifier(pending=pending).auto())


def test_challenge_of_another_app_client_raises_usage_error(pool: Pool) -> None:
    challenge = challenge_of(pool.flow())
    other = pool.flow(pool.app_client())

    with pytest.raises(UsageError, match="another pool or app client"):
        other.send(challenge.answer("1"))


@pytest.mark.parametrize("argument", ["store", "devices"])
@pytest.mark.parametrize("kind", [AuthFlow, AsyncAuthFlow])
def test_store_without_its_methods_raises_usage_error(kind: Any, argument: str) -> None:
    with pytest.raises(UsageError, match=f"{argument} must have the methods of .*: dict lacks some"):
        kind(AppClient("eu-west-1_abc", "client-id"), **{argument: {}})


def test_token_source_with_a_store_without_its_methods_raises_usage_error(pool: Pool) -> None:
    store: Any = {}

    with pytest.raises(UsageError, match="store must have the methods of TokenStore"):
        pool.flow().token_source("refresh", store=store)


@pytest.mark.parametrize("handler", [object, "x", Pending])
def test_handler_that_is_not_a_handler_class_raises_usage_error(handler: Any) -> None:
    with pytest.raises(UsageError, match="CustomChallenge"):
        AuthFlow(AppClient("eu-west-1_abc", "id"), handlers=[handler])


def test_repr_of_a_flow_shows_its_app_client_without_the_secret() -> None:
    app = AppClient("eu-west-1_abc", "id", "SECRET")
    for flow in (AuthFlow(app, seal_keys=["K" * 32]), AsyncAuthFlow(app, seal_keys=["K" * 32])):
        assert flow.app is app
        assert "eu-west-1_abc" in repr(flow)
        assert "SECRET" not in repr(flow)
        assert "KKK" not in repr(flow)


def test_package_resolves_its_names_and_no_others() -> None:
    for name in cognito_flow.__all__:
        assert getattr(cognito_flow, name) is not None
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = cognito_flow.nothing_like_it  # type: ignore[attr-defined]  # that is the point


def test_listener_that_raises_is_logged_and_the_tokens_are_returned(
    pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    def listen(event: Event) -> None:
        raise LookupError(event.kind)

    flow = pool.flow(on_event=listen)
    challenge = flow.start(ALICE)
    assert isinstance(challenge, SoftwareTokenMfa)

    assert isinstance(flow.send(challenge.answer(pool.totp("alice"))), SignedIn)
    failed = [record for record in caplog.records if record.exc_info]
    assert "on_event failed at an event of the kind call" in failed[0].getMessage()
    assert "signed_in" in failed[-1].getMessage()


@searches(Place.REPRS, Place.LOGS)
def test_no_secret_is_in_any_repr_event_log_record_or_error(
    pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="cognito_flow")
    events: list[Event] = []
    app = pool.app_client(secret=True)
    flow = pool.flow(app, on_event=events.append, seal_keys=["K" * 32])
    messages: list[object] = [flow, ALICE, events]
    challenge = flow.start(ALICE)
    assert isinstance(challenge, SoftwareTokenMfa)
    code = pool.totp("alice")
    answer = challenge.answer(code)
    done = flow.send(answer)
    assert isinstance(done, SignedIn)
    with pytest.raises(IncorrectPassword) as refused:
        flow.start(UserSrpAuth("alice", "wrong horse"))
    messages += [challenge, answer, done, refused.value, refused.value.__cause__, flow.seal(challenge)]
    messages += [record.__dict__ for record in caplog.records]
    user = pool.user("alice")
    secrets = [
        PASSWORD,
        "wrong horse",
        code,
        challenge.pending.session,
        app.client_secret,
        user.totp_secret,
        done.tokens.access_token,
        done.tokens.id_token,
        done.tokens.refresh_token,
    ]

    text = repr(messages) + caplog.text
    assert [secret for secret in secrets if secret and secret in text] == []
    assert "SmsMfa" in repr(SmsMfa(pending=Pending(name="SMS_MFA", username="x", session="s")))
    assert caplog.records


def test_bound_flow_sends_its_own_metadata_and_context(pool: Pool) -> None:
    events: list[Event] = []
    flow = pool.flow(on_event=events.append, metadata={"from": "flow"})

    flow.bind(metadata={"from_request": "1"}, context=UserContext("192.0.2.1")).start(ALICE)

    assert {"ClientMetadata.from_request", "UserContextData.IpAddress"} <= set(events[0].sent)
    assert "ClientMetadata.from" not in events[0].sent


def test_bound_flow_shares_answered_sessions_with_the_flow(pool: Pool) -> None:
    flow = pool.flow()
    challenge = flow.start(ALICE)
    assert isinstance(challenge, SoftwareTokenMfa)
    flow.bind(metadata={"a": "1"}).send(challenge.answer(pool.totp("alice")))

    with pytest.raises(SessionAlreadyUsed):
        flow.send(challenge.answer(pool.totp("alice")))


@pytest.mark.parametrize("kind", [AuthFlow, AsyncAuthFlow])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("eu-west-1_abc", "client-id"), "the first argument must be an AppClient, not str"),
        ((AppClient("eu-west-1_abc", "id"), "client-id"), "the second argument must be a boto client"),
    ],
)
def test_wrong_arguments_of_a_flow_raise_usage_error(
    kind: Any, arguments: tuple[object, ...], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        kind(*arguments)


@pytest.mark.parametrize("kind", [AuthFlow, AsyncAuthFlow])
@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"metadata": "a=1"}, "metadata must be a mapping of str to str"),
        ({"metadata": {"a": 1}}, "metadata must be a mapping of str to str"),
        ({"context": "192.0.2.1"}, "context must be a UserContext, not str"),
        ({"handlers": CustomChallenge}, "put the class into a list"),
        ({"seal_keys": None}, "seal_keys must be a list of keys"),
        ({"seal_keys": ["k" * 32], "seal_max_age": "900"}, "seal_max_age must be a positive number"),
    ],
)
def test_keyword_of_the_wrong_type_raises_usage_error(
    kind: Any, keywords: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        kind(AppClient("eu-west-1_abc", "id"), **keywords)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [({"metadata": 5}, "metadata must be"), ({"context": {"ip": "192.0.2.1"}}, "context must be")],
)
def test_wrong_argument_of_bind_raises_usage_error(pool: Pool, keywords: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        pool.flow().bind(**keywords)


def test_device_that_is_not_a_device_raises_usage_error(pool: Pool) -> None:
    device: Any = "device-key"
    with pytest.raises(UsageError, match="device must be a Device, not str"):
        pool.flow().start(ALICE, device=device)


@pytest.mark.parametrize(("bound_to", "message"), [(5, "bound_to must be a str"), ("", "bound_to is empty")])
def test_challenge_is_not_sealed_for_a_browser_without_a_value(
    pool: Pool, bound_to: Any, message: str
) -> None:
    flow = pool.flow(seal_keys=["k" * 32])
    challenge = flow.start(ALICE)
    with pytest.raises(UsageError, match=message):
        flow.seal(cast("SoftwareTokenMfa", challenge), bound_to=bound_to)


def test_value_of_a_browser_that_is_not_text_raises_usage_error(pool: Pool) -> None:
    bound_to: Any = 5
    with pytest.raises(UsageError, match="bound_to must be a str, not int"):
        pool.flow(seal_keys=["k" * 32]).unseal("x", bound_to=bound_to)


def test_refresh_token_alone_is_not_what_the_older_flow_takes() -> None:
    tokens: Any = "refresh-token"
    with pytest.raises(UsageError, match=r"AuthFlow\.refresh takes a refresh token alone"):
        RefreshTokenAuth(tokens)


@pytest.mark.parametrize("kind", [AuthFlow, AsyncAuthFlow])
@pytest.mark.parametrize(
    ("keyword", "suggestion"),
    [("handler", ": did you mean 'handlers'\\?$"), ("xyz", "has no argument 'xyz'$")],
)
def test_unknown_keyword_of_a_flow_raises_usage_error(kind: Any, keyword: str, suggestion: str) -> None:
    with pytest.raises(UsageError, match=suggestion):
        kind(AppClient("eu-west-1_abc", "id"), **{keyword: ()})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (SignedIn("alice", Tokens("a", expires_at=NOW, username="alice")), "signed_in.tokens"),
        (Tokens("a", expires_at=NOW, username="alice"), "no refresh token"),
        ("", "empty"),
        (5, "not int"),
    ],
)
@pytest.mark.parametrize("method", ["refresh", "revoke"])
def test_wrong_tokens_raise_usage_error(pool: Pool, method: str, wrong: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        getattr(pool.flow(), method)(wrong)


def test_refresh_and_revoke_take_a_refresh_token_alone(cognito_pool: Pool) -> None:
    cognito_pool.add_user("alice", PASSWORD)
    flow = cognito_pool.flow()
    refresh_token = str(flow.sign_in(ALICE).tokens.refresh_token)

    assert flow.refresh(refresh_token).username == "alice"
    flow.revoke(refresh_token)
    with pytest.raises(SignedOut):
        flow.refresh(refresh_token)


@pytest.mark.parametrize("pool_id", ["eu-west-1_Another00", None], ids=["wrong pool", "wrong password"])
def test_refused_proof_hints_at_the_pool_id(pool: Pool, cognito: LocalCognito, pool_id: str | None) -> None:
    app = AppClient(pool_id or pool.id, pool.app.client_id)
    password = PASSWORD if pool_id else "wrong"

    with pytest.raises(IncorrectPassword) as refused:
        AuthFlow(app, cognito.client()).start(UserSrpAuth("alice", password))

    assert str(refused.value) == (
        "Incorrect username or password: if the password is right, check the pool id, "
        "which is part of the proof"
    )


def test_refused_password_that_was_sent_as_it_is_has_no_hint(pool: Pool) -> None:
    with pytest.raises(IncorrectPassword) as refused:
        pool.flow().start(UserPasswordAuth("alice", "wrong"))

    assert refused.value.hint is None
