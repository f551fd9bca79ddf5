"""Devices: confirmed, remembered, used instead of a second factor, forgotten and refused."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from cognito_flow import (
    CustomAuth,
    CustomChallenge,
    Device,
    DeviceForgotten,
    MemoryStore,
    RefreshTokenAuth,
    RefreshTokenInvalid,
    SmsMfa,
)
from cognito_flow.testing._state import Members
from tests.scenarios.second_factors import ON, SMS
from tests.scenarios.table import PASSWORD, Moves, Send, Start, World, expect, row, signed_in

ALWAYS: dict[str, Any] = {
    "device_configuration": {"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": False}
}
OPT_IN: dict[str, Any] = {
    "device_configuration": {"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": True}
}
NO_BYPASS = {"device_configuration": {"ChallengeRequiredOnNewDevice": False}}


@row("7.2", pool=ALWAYS, flow={"device_name": "laptop"})
def a_new_device_is_confirmed_during_the_sign_in(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    done = signed_in((yield world.srp()))
    assert done.device is not None
    assert done.tokens.device_key == done.device.key
    kept = world.pool.user("alice").devices[done.device.key]
    assert (kept.name, kept.is_remembered) == ("laptop", True)
    assert world.kinds() == ["device_confirmed", "signed_in"]


@row("7.2", pool=ALWAYS)
def a_password_in_clear_gives_a_device_too(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    assert signed_in((yield world.password())).device is not None


@row("7.5", pool={**ALWAYS, **ON, **SMS})
def a_device_passed_to_start_replaces_the_second_factor(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, phone_number="+31612341234")
    challenge = expect(SmsMfa, (yield world.srp()))
    device = signed_in((yield Send(challenge.answer(world.pool.last_code("alice"))))).device
    assert device is not None
    for start in (world.srp(), world.password()):
        again = signed_in((yield attrs.evolve(start, device=device)))
        assert again.device is None
        assert again.tokens.device_key == device.key


@row("7.5", pool={**ALWAYS, **ON, **SMS}, flow={"devices": MemoryStore()})
def a_device_from_the_store_replaces_the_second_factor(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, phone_number="+31612341234")
    challenge = expect(SmsMfa, (yield world.srp()))
    signed_in((yield Send(challenge.answer(world.pool.last_code("alice")))))
    signed_in((yield world.srp()))
    signed_in((yield world.password()))


@row(
    "14.19",
    pool={**ALWAYS, **ON, **SMS, "alias_attributes": ["email", "phone_number"]},
    flow={"devices": MemoryStore()},
)
def a_device_is_found_in_the_store_by_every_alias(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, email="alice@example.com", phone_number="+31612341234")
    challenge = expect(SmsMfa, (yield world.srp("alice@example.com")))
    signed_in((yield Send(challenge.answer(world.pool.last_code("alice")))))
    signed_in((yield world.password("alice@example.com")))
    signed_in((yield world.srp("+31612341234")))
    signed_in((yield world.password("+31612341234")))


@row("7.1", pool={**NO_BYPASS, **ON, **SMS})
def a_device_does_not_replace_the_second_factor_if_the_pool_forbids_it(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, phone_number="+31612341234")
    challenge = expect(SmsMfa, (yield world.srp()))
    device = signed_in((yield Send(challenge.answer(world.pool.last_code("alice"))))).device
    code = expect(SmsMfa, (yield attrs.evolve(world.srp(), device=device)))
    signed_in((yield Send(code.answer(world.pool.last_code("alice")))))


@row("7.4", pool={**OPT_IN, **ON, **SMS})
def a_device_that_is_not_remembered_does_not_replace_the_second_factor(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, phone_number="+31612341234")
    challenge = expect(SmsMfa, (yield world.srp()))
    device = signed_in((yield Send(challenge.answer(world.pool.last_code("alice"))))).device
    assert device is not None
    again = expect(SmsMfa, (yield attrs.evolve(world.srp(), device=device)))
    done = signed_in((yield Send(again.answer(world.pool.last_code("alice")))))
    assert done.device is None
    assert done.tokens.device_key == device.key


@row("7.4", pool={**OPT_IN, **ON, **SMS}, flow={"remember_devices": True})
def a_device_is_remembered_if_the_flow_remembers_devices(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, phone_number="+31612341234")
    challenge = expect(SmsMfa, (yield world.srp()))
    device = signed_in((yield Send(challenge.answer(world.pool.last_code("alice"))))).device
    signed_in((yield attrs.evolve(world.srp(), device=device)))


def forget(world: World, device: Device) -> None:
    """Delete a device from the pool."""
    world.client.admin_forget_device(UserPoolId=world.pool.id, Username="alice", DeviceKey=device.key)


@row("7.6", pool=ALWAYS)
def a_device_forgotten_before_its_proof_is_dropped(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    device = signed_in((yield world.srp())).device
    assert device is not None
    forget(world, device)
    done = signed_in((yield attrs.evolve(world.srp(), device=device)))
    assert done.device is not None
    assert done.device.key != device.key
    assert "device_forgotten" in world.kinds()
    assert world.calls("InitiateAuth") == 2


@row("7.6", pool=ALWAYS, flow={"devices": MemoryStore()})
def a_device_forgotten_at_the_start_is_dropped_and_replaced_in_the_store(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    device = signed_in((yield world.password())).device
    assert device is not None
    forget(world, device)
    done = signed_in((yield world.password()))
    assert done.device is not None
    assert done.device.key != device.key
    assert world.kinds().count("device_forgotten") == 1
    assert signed_in((yield world.password())).tokens.device_key == done.device.key


@row("7.5", pool=ALWAYS)
def a_refused_device_secret_begins_again_without_the_device(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    device = signed_in((yield world.srp())).device
    assert device is not None
    bad = attrs.evolve(device, secret="another")
    for start in (world.srp(), world.password()):
        done = signed_in((yield attrs.evolve(start, device=bad)))
        assert done.device is not None
    assert world.kinds().count("device_forgotten") == 2


def ask_once(event: Members) -> Members:
    """A define trigger: one custom challenge, then tokens."""
    rounds = event["request"]["session"]
    event["response"] |= {
        "challengeName": "CUSTOM_CHALLENGE",
        "issueTokens": False,
        "failAuthentication": False,
    }
    if rounds and rounds[-1]["challengeName"] == "CUSTOM_CHALLENGE":
        event["response"] |= {"issueTokens": True}
    return event


def accept(event: Members) -> Members:
    """A verify trigger that accepts any answer."""
    event["response"]["answerCorrect"] = True
    return event


def custom(world: World) -> None:
    """Set triggers that ask one question and accept any answer."""
    world.pool.triggers.update(
        {
            "DefineAuthChallenge": ask_once,
            "CreateAuthChallenge": lambda event: event,
            "VerifyAuthChallengeResponse": accept,
        }
    )


@row("7.6", pool=ALWAYS)
def a_device_forgotten_at_a_custom_challenge_is_dropped(world: World) -> Moves:
    custom(world)
    world.pool.add_user("alice", PASSWORD)
    device = signed_in((yield world.srp())).device
    assert device is not None
    start = Start(credentials=CustomAuth("alice"), device=device)
    challenge = expect(CustomChallenge, (yield start))
    forget(world, device)
    signed_in((yield Send(challenge.answer("anything"))))
    assert "device_forgotten" in world.kinds()


@row("4.3", pool=ALWAYS)
def a_device_is_verified_after_a_custom_challenge(world: World) -> Moves:
    custom(world)
    world.pool.add_user("alice", PASSWORD)
    device = signed_in((yield world.srp())).device
    challenge = expect(CustomChallenge, (yield Start(credentials=CustomAuth("alice"), device=device)))
    done = signed_in((yield Send(challenge.answer("anything"))))
    assert device is not None
    assert done.tokens.device_key == device.key


@row("7.5", pool=ALWAYS, flow={"devices": MemoryStore()})
def a_device_secret_refused_in_a_later_turn_raises_device_forgotten(world: World) -> Moves:
    custom(world)
    world.pool.add_user("alice", PASSWORD)
    device = signed_in((yield world.srp())).device
    assert device is not None
    bad = attrs.evolve(device, secret="another")
    challenge = expect(CustomChallenge, (yield Start(credentials=CustomAuth("alice"), device=bad)))
    with pytest.raises(DeviceForgotten):
        yield Send(challenge.answer("anything"))
    again = expect(CustomChallenge, (yield Start(credentials=CustomAuth("alice"))))
    assert signed_in((yield Send(again.answer("anything")))).tokens.device_key is None


@row("11", pool=ALWAYS)
def a_refresh_sends_the_device_key(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    tokens = signed_in((yield world.srp())).tokens
    signed_in((yield Start(credentials=RefreshTokenAuth(tokens))))
    with pytest.raises(RefreshTokenInvalid, match="device"):
        yield Start(credentials=RefreshTokenAuth(attrs.evolve(tokens, device_key=None)))


@row("7.3", pool=ALWAYS)
def a_failed_device_confirmation_still_signs_in(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    world.cognito.faults.error_before("ConfirmDevice")
    done = signed_in((yield world.srp()))
    assert done.device is None
    assert world.kinds() == ["device_not_confirmed", "signed_in"]
