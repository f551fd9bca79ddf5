"""Passwords: the flows that begin with one, names and aliases, the forced new password, and the states of a
user."""

from __future__ import annotations

import pytest

from cognito_flow import (
    AdminNoSrpAuth,
    AttemptsExceeded,
    FlowExpired,
    IncorrectPassword,
    InvalidInput,
    Misconfigured,
    NewPasswordRequired,
    NotAuthorized,
    PasswordRejected,
    PasswordResetRequired,
    RefreshTokenAuth,
    SecretHashMismatch,
    SessionAlreadyUsed,
    TemporaryPasswordExpired,
    TransportError,
    TriggerRefused,
    UsageError,
    UserDisabled,
    UserNotConfirmed,
    UserNotFound,
    UserPasswordAuth,
)
from tests.scenarios.table import OTHER_PASSWORD, PASSWORD, Moves, Send, Start, World, expect, row, signed_in

HIDING = {"prevent_user_existence_errors": "ENABLED"}
ALIASES = {"alias_attributes": ["email", "phone_number", "preferred_username"]}


@row("4.1")
def srp_signs_in(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    done = signed_in((yield world.srp()))
    assert done.tokens.refresh_token
    assert world.calls("RespondToAuthChallenge") == 1


@row("4.2")
def a_password_signs_in(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    signed_in((yield world.password()))


@row("4.2")
def a_password_signs_in_by_the_legacy_flow_name(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    signed_in((yield Start(credentials=UserPasswordAuth("alice", PASSWORD, legacy=True))))


@row("4.2")
def credentials_for_admin_operations_in_a_public_flow_or_vice_versa_are_refused_locally(
    world: World,
) -> Moves:
    with pytest.raises(UsageError, match="admin"):
        yield Start(credentials=UserPasswordAuth("alice", PASSWORD, admin=not world.column.admin))
    assert world.calls("InitiateAuth") == 0


@row("5.13")
def a_password_asked_in_place_of_the_proof_signs_in(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    world.pool.configure(admin_no_srp_auth=True)
    step = yield world.srp()
    if not world.column.admin:
        signed_in(step)
        return
    with pytest.raises(IncorrectPassword):
        yield Send(expect(AdminNoSrpAuth, step).answer(OTHER_PASSWORD))
    signed_in((yield Send(expect(AdminNoSrpAuth, (yield world.srp())).answer(PASSWORD))))


@row("2.4")
def a_wrong_password_by_srp_is_refused(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    with pytest.raises(IncorrectPassword):
        yield world.srp(password=OTHER_PASSWORD)
    signed_in((yield world.srp()))


@row("4.2")
def a_wrong_password_in_clear_is_refused(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    with pytest.raises(IncorrectPassword):
        yield world.password(password=OTHER_PASSWORD)


@row("2.3")
def a_password_of_any_characters_signs_in(world: World) -> Moves:
    for number, password in enumerate((" a b ", "a:b:c", "pässwörd日本語🙂", "x" * 256)):
        world.pool.add_user(f"user:{number}", password)
        signed_in((yield world.srp(f"user:{number}", password)), f"user:{number}")


@row("3.1", pool=ALIASES)
def an_email_alias_signs_in_by_srp(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, email="alice@example.com")
    signed_in((yield world.srp("alice@example.com")))


@row("3.1", pool=ALIASES)
def an_email_alias_signs_in_by_password(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, email="alice@example.com")
    signed_in((yield world.password("alice@example.com")))


@row("3.1", pool=ALIASES)
def a_phone_alias_signs_in(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, phone_number="+31612345678")
    signed_in((yield world.srp("+31612345678")))


@row("3.1", pool=ALIASES)
def a_preferred_username_signs_in(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, attributes={"preferred_username": "wonderland"})
    signed_in((yield world.srp("wonderland")))


@row("3.1", pool=ALIASES)
def an_unverified_alias_is_an_unknown_user(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, attributes={"email": "a@example.com", "email_verified": "false"})
    with pytest.raises(UserNotFound):
        yield world.srp("a@example.com")


@row("3.1", pool={"username_attributes": ["email"]})
def an_email_as_the_user_name_is_answered_with_the_sub(world: World) -> Moves:
    user = world.pool.add_user("alice@example.com", PASSWORD)
    done = signed_in((yield world.srp("alice@example.com")), user.sub)
    assert done.username != "alice@example.com"


@row("3.1")
def the_sub_is_an_unknown_user(world: World) -> Moves:
    user = world.pool.add_user("alice", PASSWORD)
    with pytest.raises(UserNotFound):
        yield world.srp(user.sub)


@row("3.1", pool={"username_configuration": {"CaseSensitive": False}})
def a_case_insensitive_pool_accepts_another_capitalisation(world: World) -> Moves:
    world.pool.add_user("Alice", PASSWORD)
    signed_in((yield world.srp("ALICE")))


@row("3.1", pool={"username_configuration": {"CaseSensitive": True}})
def a_case_sensitive_pool_rejects_another_capitalisation(world: World) -> Moves:
    world.pool.add_user("Alice", PASSWORD)
    with pytest.raises(UserNotFound):
        yield world.srp("alice")
    signed_in((yield world.srp("Alice")), "Alice")


# -- unknown users --


@row("12.4")
def an_unknown_user_raises_user_not_found_if_existence_is_not_hidden(world: World) -> Moves:
    with pytest.raises(UserNotFound):
        yield world.srp("unknown")
    with pytest.raises(UserNotFound):
        yield world.password("unknown")


@row("12.4", client=HIDING)
def an_unknown_user_looks_like_a_wrong_password_by_srp(world: World) -> Moves:
    with pytest.raises(IncorrectPassword):
        yield world.srp("unknown")
    assert world.calls("RespondToAuthChallenge") == 1


@row("12.4", client=HIDING)
def an_unknown_user_looks_like_a_wrong_password_in_clear(world: World) -> Moves:
    with pytest.raises(IncorrectPassword):
        yield world.password("unknown")


@row("12.4", client=HIDING)
def a_login_page_can_catch_one_class(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    for attempt in (world.srp("unknown"), world.srp(password=OTHER_PASSWORD)):
        with pytest.raises(NotAuthorized):
            yield attempt


# -- states of a user --


@row("4.7")
def a_disabled_user_is_refused(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD).is_enabled = False
    for attempt in (world.srp(), world.password(), world.password(password=OTHER_PASSWORD)):
        with pytest.raises(UserDisabled):
            yield attempt


@row("4.7")
def an_unconfirmed_user_is_refused_before_the_password_is_checked(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, confirmed=False)
    for attempt in (world.password(), world.password(password=OTHER_PASSWORD), world.srp()):
        with pytest.raises(UserNotConfirmed):
            yield attempt


@row("19")
def a_required_reset_is_reported_only_after_the_right_password(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, email="alice@example.com")
    world.client.admin_reset_user_password(UserPoolId=world.pool.id, Username="alice")
    with pytest.raises(IncorrectPassword):
        yield world.password(password=OTHER_PASSWORD)
    for attempt in (world.srp(), world.password()):
        with pytest.raises(PasswordResetRequired):
            yield attempt


@row("12.2")
def a_temporary_password_expires(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, temporary=True)
    world.cognito.clock.advance(7 * 24 * 3600 + 1)
    for attempt in (world.srp(), world.password()):
        with pytest.raises(TemporaryPasswordExpired):
            yield attempt


@row("12.3")
def five_wrong_passwords_lock_the_user_for_a_while(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    for _ in range(5):
        with pytest.raises(IncorrectPassword):
            yield world.password(password=OTHER_PASSWORD)
    for attempt in (world.password(), world.srp()):
        with pytest.raises(AttemptsExceeded):
            yield attempt
    world.cognito.clock.advance(2)
    signed_in((yield world.srp()))


@row("12.3")
def the_lock_doubles_with_each_failure(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    for failure in range(8):
        world.cognito.clock.advance(2 ** max(failure - 5, 0))
        with pytest.raises(IncorrectPassword):
            yield world.password(password=OTHER_PASSWORD)
    world.cognito.clock.advance(7)
    with pytest.raises(AttemptsExceeded):
        yield world.password()
    world.cognito.clock.advance(2)
    signed_in((yield world.password()))


# -- the app client --


@row("4", client={"flows": ["ALLOW_REFRESH_TOKEN_AUTH"]})
def a_flow_that_is_not_enabled_says_how_to_enable_it(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    with pytest.raises(Misconfigured, match="ALLOW_USER_SRP_AUTH"):
        yield world.srp()
    name = "ALLOW_ADMIN_USER_PASSWORD_AUTH" if world.column.admin else "ALLOW_USER_PASSWORD_AUTH"
    with pytest.raises(Misconfigured, match=name):
        yield world.password()


@row("3.2")
def a_wrong_client_secret_says_how_to_fix_it(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    if world.app.client_secret is None:
        signed_in((yield world.srp()))
        return
    world.cognito.state(world.pool.id).clients[world.app.client_id].members["ClientSecret"] = "b" * 51
    with pytest.raises(SecretHashMismatch, match="secret"):
        yield world.srp()


# -- a new password --


@row("5.2")
def a_temporary_password_leads_to_a_new_one(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, temporary=True)
    challenge = expect(NewPasswordRequired, (yield world.srp()))
    assert challenge.missing_attributes == ()
    signed_in((yield Send(challenge.answer(OTHER_PASSWORD))))
    signed_in((yield world.srp(password=OTHER_PASSWORD)))


@row("5.2")
def a_new_password_follows_a_password_in_clear(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, temporary=True)
    challenge = expect(NewPasswordRequired, (yield world.password()))
    signed_in((yield Send(challenge.answer(OTHER_PASSWORD))))


@row("5.2")
def a_password_against_the_policy_leaves_the_challenge_answerable(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, temporary=True)
    challenge = expect(NewPasswordRequired, (yield world.srp()))
    for password in ("short", "without-upper-case-1", "Without symbols1"[:7] + "1234567"):
        with pytest.raises(PasswordRejected):
            yield Send(challenge.answer(password))
    signed_in((yield Send(challenge.answer(OTHER_PASSWORD))))


@row("5.2", pool={"policies": {"PasswordPolicy": {"PasswordHistorySize": 3}}})
def a_former_password_leaves_the_challenge_answerable(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, temporary=True)
    challenge = expect(NewPasswordRequired, (yield world.srp()))
    with pytest.raises(PasswordRejected, match="previously"):
        yield Send(challenge.answer(PASSWORD))
    signed_in((yield Send(challenge.answer(OTHER_PASSWORD))))


SCHEMA = {"schema": [{"Name": "email", "Required": True}, {"Name": "nickname", "Required": True}]}


@row("5.2", pool=SCHEMA)
def required_attributes_are_named_and_given(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, email="alice@example.com", temporary=True)
    challenge = expect(NewPasswordRequired, (yield world.srp()))
    assert challenge.required_attributes == challenge.missing_attributes == ("nickname",)
    assert challenge.attributes["email"] == "alice@example.com"
    signed_in((yield Send(challenge.answer(OTHER_PASSWORD, {"nickname": "al", "name": "Alice"}))))
    assert world.pool.user("alice").attributes["nickname"] == "al"


@row("5.2", pool=SCHEMA)
def a_missing_attribute_is_refused_locally(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, email="alice@example.com", temporary=True)
    challenge = expect(NewPasswordRequired, (yield world.srp()))
    before = world.calls("RespondToAuthChallenge")
    with pytest.raises(InvalidInput, match="nickname"):
        challenge.answer(OTHER_PASSWORD)
    assert world.calls("RespondToAuthChallenge") == before


# -- sessions --


@row("6")
def a_challenge_is_answered_once(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, temporary=True)
    challenge = expect(NewPasswordRequired, (yield world.srp()))
    signed_in((yield Send(challenge.answer(OTHER_PASSWORD))))
    before = len(world.cognito.calls)
    with pytest.raises(SessionAlreadyUsed):
        yield Send(challenge.answer(OTHER_PASSWORD))
    assert len(world.cognito.calls) == before


@row("6")
def a_session_expires(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, temporary=True)
    challenge = expect(NewPasswordRequired, (yield world.srp()))
    world.cognito.clock.advance(3 * 60 + 1)
    with pytest.raises(FlowExpired):
        yield Send(challenge.answer(OTHER_PASSWORD))


@row("6", client={"auth_session_validity": 15})
def a_session_lives_as_long_as_the_app_client_says(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, temporary=True)
    challenge = expect(NewPasswordRequired, (yield world.srp()))
    world.cognito.clock.advance(14 * 60)
    signed_in((yield Send(challenge.answer(OTHER_PASSWORD))))


# -- triggers --


def refuse(event: dict[str, object]) -> dict[str, object]:
    raise ValueError("LOCKED")


@row("12.5")
def a_trigger_can_refuse_before_the_password_is_checked(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    world.pool.triggers["PreAuthentication"] = refuse
    with pytest.raises(TriggerRefused, match=r"PreAuthentication failed with error LOCKED\.") as refused:
        yield world.password(password=OTHER_PASSWORD)
    assert refused.value.trigger == "PreAuthentication"


@row("12.5")
def a_trigger_that_returns_nothing_is_reported(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    world.pool.triggers["PostAuthentication"] = lambda event: {}
    with pytest.raises(TriggerRefused, match="Unrecognizable lambda output"):
        yield world.password()


@row("4.2")
def a_migration_trigger_creates_the_user(world: World) -> Moves:
    def migrate(event: dict[str, object]) -> dict[str, object]:
        attributes = {"email": "al@example.com", "email_verified": "true"}
        event["response"] = {"userAttributes": attributes, "finalUserStatus": "CONFIRMED"}
        return event

    world.pool.triggers["UserMigration"] = migrate
    signed_in((yield world.password("al")), "al")
    signed_in((yield world.srp("al")), "al")


@row("14.35", flow={"metadata": {"from": "flow"}})
def metadata_reaches_the_triggers(world: World) -> Moves:
    seen: list[object] = []

    def note(event: dict[str, object]) -> dict[str, object]:
        request = event["request"]
        assert isinstance(request, dict)
        seen.append(request.get("validationData", request.get("clientMetadata")))
        return event

    world.pool.add_user("alice", PASSWORD)
    world.pool.triggers["PreAuthentication"] = note
    world.pool.triggers["PostAuthentication"] = note
    signed_in((yield world.srp()))
    signed_in((yield Start(credentials=UserPasswordAuth("alice", PASSWORD), metadata={"from": "call"})))
    assert seen == [{"from": "flow"}] * 2 + [{"from": "call"}] * 2


# -- failing calls --


@row("12.7")
def throttled_calls_are_retried(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    for name in (
        "InitiateAuth",
        "AdminInitiateAuth",
        "RespondToAuthChallenge",
        "AdminRespondToAuthChallenge",
    ):
        world.cognito.faults.throttle(name, 2)
    signed_in((yield world.srp()))


@row("12.7")
def a_failed_start_is_retried(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    for name in ("InitiateAuth", "AdminInitiateAuth"):
        world.cognito.faults.error_after(name)
        world.cognito.faults.lose(name)
    signed_in((yield world.srp()))


@row("12.7")
def a_lost_response_is_reported_as_maybe_processed_and_never_retried(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, temporary=True)
    challenge = expect(NewPasswordRequired, (yield world.srp()))
    for name in ("RespondToAuthChallenge", "AdminRespondToAuthChallenge"):
        world.cognito.faults.lose(name)
    before = world.calls("RespondToAuthChallenge")
    with pytest.raises(TransportError) as lost:
        yield Send(challenge.answer(OTHER_PASSWORD))
    assert lost.value.maybe_processed
    assert world.calls("RespondToAuthChallenge") == before + 1
    with pytest.raises(FlowExpired):
        yield Send(challenge.answer(OTHER_PASSWORD))
    signed_in((yield world.srp(password=OTHER_PASSWORD)))


# -- REFRESH_TOKEN_AUTH --


@row("4.5")
def a_refresh_token_gives_new_tokens_and_stays(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    first = signed_in((yield world.srp())).tokens
    world.cognito.clock.advance(100)
    second = signed_in((yield Start(credentials=RefreshTokenAuth(first)))).tokens
    assert second.access_token != first.access_token
    assert second.refresh_token == first.refresh_token
    third = signed_in((yield Start(credentials=RefreshTokenAuth(second, legacy=True)))).tokens
    assert third.refresh_token == first.refresh_token


@row("3.2", pool=ALIASES)
def a_refresh_after_a_sign_in_by_alias_hashes_the_username(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, email="alice@example.com")
    tokens = signed_in((yield world.srp("alice@example.com"))).tokens
    signed_in((yield Start(credentials=RefreshTokenAuth(tokens))))


@row("11")
def a_refresh_token_of_a_user_who_signed_out_is_refused(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    tokens = signed_in((yield world.srp())).tokens
    world.client.global_sign_out(AccessToken=tokens.access_token)
    with pytest.raises(NotAuthorized):
        yield Start(credentials=RefreshTokenAuth(tokens))


ROTATION = {
    "flows": ["ALLOW_USER_SRP_AUTH"],
    "refresh_token_rotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 10},
}


@row("19", client={**ROTATION, "flows": ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH"]})
def refresh_token_auth_on_a_rotating_client_raises_misconfigured(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    tokens = signed_in((yield world.srp())).tokens
    with pytest.raises(Misconfigured):
        yield Start(credentials=RefreshTokenAuth(tokens))
