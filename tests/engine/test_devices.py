"""The engine and remembered devices, by hand: named, proven, forgotten, confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from cognito_flow import (
    AppClient,
    Device,
    DeviceForgotten,
    Event,
    IncorrectPassword,
    MemoryStore,
    Misconfigured,
    Pending,
    ServiceError,
    SignedIn,
    SmsMfa,
    Throttled,
    UnexpectedResponse,
    UsageError,
    UserContext,
    UserPasswordAuth,
    UserSrpAuth,
)
from cognito_flow import _engine as engine
from cognito_flow._turn import Turn
from cognito_flow.errors import from_service
from tests.support.conversation import (
    APP,
    DEVICE,
    DEVICE_VERIFIER,
    DONE,
    NOW,
    RESULT,
    SESSION,
    VERIFIER,
    Conversation,
    ask,
    start,
    turn,
)


def test_device_key_is_in_every_call() -> None:
    """Without it, Cognito would issue a new device."""
    talk = start(UserSrpAuth("alice", "pw"), turn(DEVICE))
    assert talk.sent["AuthParameters"]["DEVICE_KEY"] == DEVICE.key
    talk.answer(ask("PASSWORD_VERIFIER", None, **VERIFIER))
    assert talk.responses["DEVICE_KEY"] == DEVICE.key
    challenge = talk.answer(ask("SMS_MFA")).result
    assert isinstance(challenge, SmsMfa)
    assert Conversation(engine.send(turn(), challenge.answer("1"))).responses["DEVICE_KEY"] == DEVICE.key


def test_device_challenges_are_answered_automatically() -> None:
    """DEVICE_SRP_AUTH and DEVICE_PASSWORD_VERIFIER carry the username and its SECRET_HASH."""
    talk = start(UserPasswordAuth("alice", "pw"), turn(DEVICE)).answer(ask("DEVICE_SRP_AUTH"))
    assert set(talk.responses) == {"USERNAME", "SECRET_HASH", "DEVICE_KEY", "SRP_A"}
    talk.answer(ask("DEVICE_PASSWORD_VERIFIER", **DEVICE_VERIFIER))
    assert {"PASSWORD_CLAIM_SIGNATURE", "DEVICE_KEY", "SECRET_HASH"} <= set(talk.responses)
    result = talk.answer(DONE).result
    assert isinstance(result, SignedIn)
    assert result.tokens.device_key == DEVICE.key


@pytest.mark.parametrize("name", ["DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER"])
def test_device_challenge_without_a_device_raises_unexpected_response(name: str) -> None:
    """Cognito asks it only if the call had a DEVICE_KEY."""
    with pytest.raises(UnexpectedResponse, match="no device"):
        start(UserPasswordAuth("alice", "pw")).answer(ask(name))


def test_device_password_verifier_without_device_srp_auth_raises_unexpected_response() -> None:
    """There is no SRP_A that the proof could belong to."""
    with pytest.raises(UnexpectedResponse, match="SRP_A"):
        start(UserPasswordAuth("alice", "pw"), turn(DEVICE)).answer(ask("DEVICE_PASSWORD_VERIFIER"))


def test_device_forgotten_twice_raises_after_one_restart() -> None:
    events: list[Event] = []
    talk = start(UserPasswordAuth("alice", "pw"), turn(DEVICE, on_event=events.append))
    talk.refuse(DeviceForgotten("x"))
    assert "DEVICE_KEY" not in talk.sent["AuthParameters"]
    with pytest.raises(DeviceForgotten):
        talk.refuse(DeviceForgotten("x"))
    assert [event.kind for event in events] == ["device_forgotten"]


def test_device_is_dropped_and_reported_once() -> None:
    """It is forgotten at the proof, and again in the restarted sign-in."""
    events: list[Event] = []
    talk = start(UserSrpAuth("alice", "pw"), turn(DEVICE, on_event=events.append))
    talk.answer(ask("PASSWORD_VERIFIER", None, **VERIFIER)).refuse(DeviceForgotten("x"))
    assert "DEVICE_KEY" not in talk.responses

    talk.refuse(DeviceForgotten("x"))

    assert talk.sent["AuthFlow"] == "USER_SRP_AUTH"
    assert [event.kind for event in events] == ["challenge", "device_forgotten"]


def test_device_forgotten_without_a_device_key_raises() -> None:
    """An answer without DEVICE_KEY is not sent again, and the store keeps the device that was not sent."""
    store = MemoryStore()
    store.put_device(APP, "alice", DEVICE)
    challenge = SmsMfa(pending=Pending(name="SMS_MFA", username="alice", session=SESSION))
    talk = Conversation(engine.send(turn(devices=store), challenge.answer("1")))
    with pytest.raises(DeviceForgotten):
        talk.refuse(DeviceForgotten("x"))

    assert store.get_device(APP, "alice") == DEVICE


NEW = {"NewDeviceMetadata": {"DeviceKey": DEVICE.key, "DeviceGroupKey": DEVICE.group_key}}


def test_new_device_is_confirmed_and_stored() -> None:
    """It has its name, and is stored under the username and the alias."""
    store = MemoryStore()
    flow = turn(devices=store, device_name="laptop", remember_devices=True)
    talk = start(UserPasswordAuth("al@example.com", "pw"), flow).answer(
        {"AuthenticationResult": {**RESULT, **NEW}}
    )
    assert talk.call is not None
    assert (talk.call.operation, talk.sent["DeviceName"]) == ("ConfirmDevice", "laptop")
    talk.answer({"UserConfirmationNecessary": True})
    assert talk.call.operation == "UpdateDeviceStatus"
    result = talk.answer({}).result
    assert isinstance(result, SignedIn)
    assert result.device is not None
    assert result.device == store.get_device(APP, "al@example.com")


def test_device_is_stored_if_remembering_it_fails() -> None:
    """It is confirmed, and the tokens belong to it."""
    events: list[Event] = []
    flow = turn(remember_devices=True, on_event=events.append)
    talk = start(UserPasswordAuth("alice", "pw"), flow).answer({"AuthenticationResult": {**RESULT, **NEW}})
    result = talk.answer({"UserConfirmationNecessary": True}).refuse(Throttled("x", code="T")).result
    assert isinstance(result, SignedIn)
    assert result.device is not None
    assert "device_not_remembered" in [event.kind for event in events]


class FullStore(MemoryStore):
    """A store that cannot keep anything."""

    def put_device(self, app: AppClient, username: str, device: Device, *, alias: str | None = None) -> None:
        """Fail."""
        raise OSError("no space left on device")


def test_tokens_and_device_are_returned_if_storing_the_device_fails() -> None:
    events: list[Event] = []
    flow = turn(devices=FullStore(), on_event=events.append)
    talk = start(UserPasswordAuth("alice", "pw"), flow).answer({"AuthenticationResult": {**RESULT, **NEW}})
    result = talk.answer({}).result
    assert isinstance(result, SignedIn)
    assert result.device is not None
    assert (events[0].kind, events[0].error) == ("device_not_stored", "OSError")


def test_tokens_are_returned_if_storing_the_alias_fails() -> None:
    """The device is found by the username as before."""
    events: list[Event] = []
    flow = turn(DEVICE, devices=FullStore(), on_event=events.append)
    result = start(UserPasswordAuth("al@example.com", "pw"), flow).answer(DONE).result
    assert isinstance(result, SignedIn)
    assert "device_not_stored" in [event.kind for event in events]


class UnreadableStore(MemoryStore):
    """A store that cannot be read, and cannot delete."""

    def get_device(self, app: AppClient, username: str) -> Device | None:
        raise OSError("input/output error")

    def delete_device(self, app: AppClient, username: str) -> None:
        raise OSError("input/output error")


def test_device_store_that_fails_at_get_costs_no_sign_in() -> None:
    events: list[Event] = []
    flow = turn(devices=UnreadableStore(), on_event=events.append)

    talk = start(UserPasswordAuth("alice", "pw"), flow)

    assert "DEVICE_KEY" not in talk.sent["AuthParameters"]
    assert isinstance(talk.answer(DONE).result, SignedIn)
    assert (events[0].kind, events[0].error) == ("device_not_loaded", "OSError")


def test_store_that_fails_when_the_device_is_dropped_costs_no_sign_in() -> None:
    """Cognito has forgotten the device, and the sign-in continues without it."""
    events: list[Event] = []
    flow = turn(DEVICE, devices=UnreadableStore(), on_event=events.append)

    talk = start(UserPasswordAuth("alice", "pw"), flow).refuse(DeviceForgotten("x"))

    assert "DEVICE_KEY" not in talk.sent["AuthParameters"]
    assert isinstance(talk.answer(DONE).result, SignedIn)
    assert [event.kind for event in events] == ["device_not_deleted", "device_forgotten", "signed_in"]


@pytest.mark.parametrize("metadata", [{}, {"DeviceKey": "k"}, {"DeviceKey": "k", "DeviceGroupKey": None}])
def test_incomplete_device_metadata_is_ignored(metadata: Mapping[str, object]) -> None:
    result = {**RESULT, "NewDeviceMetadata": metadata}
    done = start(UserPasswordAuth("alice", "pw")).answer({"AuthenticationResult": result}).result
    assert isinstance(done, SignedIn)
    assert done.device is None


class UndeletableStore(MemoryStore):
    """A store that can be read, and cannot delete."""

    def delete_device(self, app: AppClient, username: str) -> None:
        raise OSError("read-only file system")


def test_device_that_cannot_be_deleted_costs_no_sign_in() -> None:
    events: list[Event] = []
    store = UndeletableStore()
    store.put_device(APP, "alice", DEVICE)
    flow = turn(devices=store, on_event=events.append)

    talk = start(UserPasswordAuth("alice", "pw"), flow).refuse(DeviceForgotten("x"))

    assert "DEVICE_KEY" not in talk.sent["AuthParameters"]
    assert isinstance(talk.answer(DONE).result, SignedIn)
    assert [event.kind for event in events] == ["device_not_deleted", "device_forgotten", "signed_in"]


@pytest.mark.parametrize(
    "code", ["NotAuthorizedException", "ResourceNotFoundException", "InvalidParameterException"]
)
def test_device_that_cognito_refuses_is_dropped_and_the_sign_in_restarts(code: str) -> None:
    events: list[Event] = []
    talk = start(UserPasswordAuth("alice", "pw"), turn(DEVICE, on_event=events.append))
    talk.answer(ask("DEVICE_SRP_AUTH"))

    talk.refuse(ServiceError("Invalid device key given.", code=code))

    assert talk.operation == "InitiateAuth"
    assert "DEVICE_KEY" not in talk.sent["AuthParameters"]
    assert "device_forgotten" in [event.kind for event in events]
    assert isinstance(talk.answer(DONE).result, SignedIn)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("ResourceNotFoundException", "Device does not exist."),
        ("ResourceNotFoundException", "a text that is not known"),
        ("InvalidParameterException", "Invalid device key given."),
    ],
)
def test_device_that_cognito_refuses_at_the_start_or_with_the_proof_is_dropped(code: str, text: str) -> None:
    for calls_before in (0, 1):
        events: list[Event] = []
        talk = start(UserSrpAuth("alice", "pw"), turn(DEVICE, on_event=events.append))
        if calls_before:
            talk.answer(ask("PASSWORD_VERIFIER", None, **VERIFIER))

        talk.refuse(from_service(code, text))

        sent = talk.responses if calls_before else talk.sent["AuthParameters"]
        assert "DEVICE_KEY" not in sent
        assert "device_forgotten" in [event.kind for event in events]


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        ("NotAuthorizedException", "Incorrect username or password.", IncorrectPassword),
        ("ResourceNotFoundException", "User pool client client does not exist.", Misconfigured),
        ("InvalidParameterException", "Missing required parameter USERNAME", ServiceError),
    ],
)
def test_refusal_that_is_about_something_else_keeps_the_device(
    code: str, text: str, kind: type[ServiceError]
) -> None:
    events: list[Event] = []
    talk = start(UserPasswordAuth("alice", "pw"), turn(DEVICE, on_event=events.append))

    with pytest.raises(kind):
        talk.refuse(from_service(code, text))

    assert "device_forgotten" not in [event.kind for event in events]


def test_missing_resource_of_a_sign_in_without_a_device_is_not_taken_for_one() -> None:
    with pytest.raises(ServiceError, match="a text") as refused:
        start(UserPasswordAuth("alice", "pw")).refuse(from_service("ResourceNotFoundException", "a text"))

    assert not isinstance(refused.value, DeviceForgotten)


def test_throttled_device_challenge_keeps_the_device() -> None:
    talk = start(UserPasswordAuth("alice", "pw"), turn(DEVICE)).answer(ask("DEVICE_SRP_AUTH"))

    with pytest.raises(Throttled):
        talk.refuse(Throttled("wait", code="TooManyRequestsException"))


def test_device_of_a_challenge_without_an_alias_needs_no_alias_in_the_store() -> None:
    challenge = SmsMfa(
        pending=Pending(name="SMS_MFA", username="alice", session=SESSION, device=DEVICE, alias=None)
    )
    talk = Conversation(engine.send(turn(devices=MemoryStore()), challenge.answer("1")))

    assert isinstance(talk.answer(DONE).result, SignedIn)


# -- the turn itself --


def test_newer_session_is_kept_when_the_answer_is_sent_again_without_the_device() -> None:
    pending = Pending(name="MFA_SETUP", username="alice", session="older-session-1234567")
    talk = Conversation(turn(DEVICE).respond(pending, {}, session="newer-session-1234567"))
    assert talk.sent["Session"] == "newer-session-1234567"

    talk.refuse(DeviceForgotten("x"))

    assert talk.sent["Session"] == "newer-session-1234567"
    assert "DEVICE_KEY" not in talk.responses


class RememberingStore(MemoryStore):
    """A store that notes how it is used."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[AppClient, str]] = []
        self.put: list[tuple[str, str | None]] = []

    def get_device(self, app: AppClient, username: str) -> Device | None:
        self.asked.append((app, username))
        return super().get_device(app, username)

    def put_device(self, app: AppClient, username: str, device: Device, *, alias: str | None = None) -> None:
        self.put.append((username, alias))
        super().put_device(app, username, device, alias=alias)


def test_device_is_stored_under_a_new_alias_once() -> None:
    store = RememberingStore()
    store.put_device(APP, "alice", DEVICE)
    for _ in range(2):
        start(UserPasswordAuth("al@example.com", "pw"), turn(DEVICE, devices=store)).answer(DONE)

    assert store.get_device(APP, "al@example.com") == DEVICE
    assert [alias for _, alias in store.put] == [None, "al@example.com"]
    assert set(store.asked) == {(APP, "al@example.com")}


def test_device_that_cognito_has_forgotten_is_deleted_from_the_store() -> None:
    store = MemoryStore()
    store.put_device(APP, "alice", DEVICE)

    start(UserPasswordAuth("alice", "pw"), turn(devices=store)).refuse(DeviceForgotten("x"))

    assert store.get_device(APP, "alice") is None


def test_another_device_in_the_store_is_kept_when_one_is_forgotten() -> None:
    """The program passed the forgotten one itself."""
    store = MemoryStore()
    store.put_device(APP, "alice", DEVICE)
    stale = Device("eu-west-1_0b-2", "-group", "secret")

    talk = start(UserPasswordAuth("alice", "pw"), turn(stale, devices=store)).refuse(DeviceForgotten("x"))

    assert "DEVICE_KEY" not in talk.sent["AuthParameters"]
    assert store.get_device(APP, "alice") == DEVICE


@pytest.mark.parametrize("secret", [None, "s" * 30])
def test_operation_that_takes_the_client_secret_itself_is_given_it_if_there_is_one(
    secret: str | None,
) -> None:
    app = AppClient("eu-west-1_abc", "client", secret)
    expected = {"ClientId": "client"} if secret is None else {"ClientId": "client", "ClientSecret": secret}

    assert turn(app=app).authenticated_client() == expected


def test_alias_that_cannot_be_looked_up_is_reported() -> None:
    events: list[Event] = []
    flow = turn(DEVICE, devices=UnreadableStore(), on_event=events.append)
    start(UserPasswordAuth("al@example.com", "pw"), flow).answer(DONE)

    assert ("device_not_loaded", "OSError") in [(event.kind, event.error) for event in events]


@pytest.mark.parametrize(("skew", "corrected"), [(29, 0), (-29, 0), (30, 30), (-30, -30), (3600, 3600)])
def test_clock_that_is_half_a_minute_off_is_corrected_and_not_before(skew: int, corrected: int) -> None:
    """The Date header has a resolution of a second and may be old: less would correct a clock that is right."""
    moment = turn()
    talk = Conversation(moment.call("GetUser", {"AccessToken": "a"}))

    talk.answer({}, NOW + timedelta(seconds=skew))

    assert moment.service_time() == NOW + timedelta(seconds=corrected)


def test_repr_of_a_turn_shows_no_secret() -> None:
    moment = Turn(settings=turn().settings, device=DEVICE, username="alice", refresh_token="SENTINEL-1")
    moment.begin_srp("SENTINEL-2")

    assert "alice" in repr(moment)
    for secret in ("SENTINEL", str(DEVICE.secret), str(APP.client_secret), str(moment.ephemeral)):
        assert secret not in repr(moment)


def test_turn_begins_with_the_device_of_the_store() -> None:
    store = MemoryStore()
    store.put_device(APP, "alice", DEVICE)

    assert (
        start(UserPasswordAuth("alice", "pw"), turn(devices=store)).sent["AuthParameters"]["DEVICE_KEY"]
        == DEVICE.key
    )


@pytest.mark.parametrize("missing", ["ip", "server_name", "server_path"])
def test_admin_operation_needs_all_three_of_the_context(missing: str) -> None:
    known: Any = {"ip": "192.0.2.1", "server_name": "example.com", "server_path": "/login", missing: None}

    with pytest.raises(UsageError, match="ip, server_name and server_path"):
        start(UserPasswordAuth("alice", "pw"), turn(admin=True, context=UserContext(**known)))
