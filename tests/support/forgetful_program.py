"""Sign in, fail, refresh, seal, store and sign out in each way, forget it all, and print which secrets are still in memory.

A program of its own: its memory holds nothing of the service. It reads JSON from standard input, whose secrets are written backwards, and
keeps every secret backwards, so that it does not find its own notes.

The errors are kept: whatever hangs on them is found, too.
"""

from __future__ import annotations

import asyncio
import gc
import json
import pickle
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.request import urlopen

from cognito_flow import (
    AppClient,
    AsyncAuthFlow,
    AuthFlow,
    CognitoFlowError,
    FileStore,
    SignedIn,
    SmsMfa,
    SqliteStore,
    Unanswered,
    UserPasswordAuth,
    UserSrpAuth,
)
from tests.support.planted import errors_behind

notes: list[str] = []
errors: list[CognitoFlowError] = []


def note(*secrets: str | None) -> None:
    """Remember secrets, backwards."""
    notes.extend(secret[::-1] for secret in secrets if secret)


def fails(act: Callable[..., object], *arguments: object) -> None:
    """Do what must fail, and keep the error. A closure would stay alive with the frame that it ran in."""
    try:
        act(*arguments)
    except CognitoFlowError as error:
        errors.append(error)
    else:
        raise AssertionError("this must fail")


class Blocking:
    """An `AsyncAuthFlow` with the methods of an `AuthFlow`."""

    def __init__(self, flow: AsyncAuthFlow) -> None:
        self._flow = flow

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._flow, name)
        return method if name in ("seal", "unseal") else lambda *args: asyncio.run(method(*args))


def use(flow: Any, spoilt: Any, place: dict[str, str]) -> None:
    """Everything that holds a secret, once.

    Args:
        flow: A flow.
        spoilt: One whose calls are spoilt on their way.
        place: What standard input said.
    """
    password = place["password"][::-1]
    # Written backwards, because the constants of a program are in memory, too.
    wrong, code, unknown = (
        "drowssap-gnorw-LENITNES"[::-1],
        "edoc-LENITNES"[::-1],
        "nekot-hserfer-LENITNES"[::-1],
    )
    note(password, wrong, code, unknown)
    fails(flow.start, UserSrpAuth("alice", wrong))
    fails(flow.start, UserPasswordAuth("alice", wrong))
    fails(spoilt.start, UserPasswordAuth("alice", password))
    fails(flow.sign_in, UserSrpAuth("alice", password))
    challenge = flow.start(UserSrpAuth("alice", password))
    assert isinstance(challenge, SmsMfa)
    note(challenge.pending.session)
    sealed = flow.seal(challenge, bound_to="cookie")
    fails(flow.unseal, sealed)
    fails(flow.send, challenge.answer(code))
    with urlopen(f"{place['url']}/_local/outbox?username=alice") as response:  # noqa: S310 - on this machine
        sent = json.load(response)[-1]["code"]
    done = flow.send(flow.unseal(sealed, bound_to="cookie").answer(sent))
    assert isinstance(done, SignedIn)
    note(done.tokens.access_token, done.tokens.id_token, done.tokens.refresh_token)
    refreshed = flow.refresh(done.tokens)
    note(refreshed.access_token, refreshed.id_token)
    fails(flow.refresh, unknown)
    flow.revoke(done.tokens)
    fails(flow.refresh, done.tokens)


def use_stores(app: AppClient, folder: Path, place: dict[str, str]) -> None:
    """Tokens in and out of stores, with and without a key."""
    flow = AuthFlow(app)
    challenge = flow.start(UserSrpAuth("bob", place["password"][::-1]))
    assert isinstance(challenge, SignedIn)
    tokens = challenge.tokens
    note(tokens.access_token, tokens.id_token, tokens.refresh_token)
    stores = (
        FileStore(folder / "a"),
        FileStore(folder / "b", keys=["k" * 32]),
        SqliteStore(folder / "c", keys=["k" * 32]),
    )
    for store in stores:
        store.put_tokens(app, "bob", tokens)
        assert store.get_tokens(app, "bob") == tokens
    (folder / "a").write_bytes(
        json.dumps({"cognito_flow": "store", "version": 1, "records": tokens.to_dict()}).encode()
    )
    fails(stores[0].get_tokens, app, "bob")
    damaged = (folder / "b").read_bytes()
    (folder / "b").write_bytes(damaged[:-40] + damaged[-39:])
    fails(stores[1].get_tokens, app, "bob")


def still_alive(secrets: list[str]) -> list[str]:
    """What in memory contains one of the secrets, whatever holds it."""
    gc.collect()
    mine = {id(secret) for secret in secrets}
    found = []
    for holder in gc.get_objects():
        if holder is secrets:
            continue
        for item in gc.get_referents(holder):
            if isinstance(item, str | bytes | bytearray) and id(item) not in mine:
                text = item if isinstance(item, str) else bytes(item).decode("latin-1")
                found += [f"{type(holder)}: {text[:80]!r}" for secret in secrets if secret in text]
    return found


def _forget_frames_of_this_program(frame: FrameType | None) -> None:
    """They hold what a caller of the library holds. Those of the library stay as they are."""
    while frame is not None:
        if frame.f_code.co_filename == __file__:
            with suppress(RuntimeError):  # this one is still running
                frame.clear()
        frame = frame.f_back


def main() -> None:
    """Do it all, and print what is left as JSON."""
    place = json.load(sys.stdin)
    app = AppClient(place["pool"], place["client"], endpoint_url=place["url"])
    broken = AppClient(place["pool"], place["client"], endpoint_url=place["broken"])
    options: dict[str, Any] = {"seal_keys": ["k" * 32], "timeout": 10}
    use(AuthFlow(app, **options), AuthFlow(broken, **options), place)
    use(Blocking(AsyncAuthFlow(app, **options)), Blocking(AsyncAuthFlow(broken, **options)), place)
    use_stores(app, Path(place["folder"]), place)
    for error in errors:
        for link in errors_behind(error):
            for frame, _ in traceback.walk_tb(link.__traceback__):
                _forget_frames_of_this_program(frame)
    # The challenge of an unanswered sign-in is for the application, which can still answer it.
    pickles = [pickle.dumps(error).decode("latin-1") for error in errors]
    for error in errors:
        if isinstance(error, Unanswered):
            error.challenge = None
    alive = still_alive([note[::-1] for note in notes])
    in_pickles = [note for note in notes if any(note[::-1] in text for text in pickles)]
    print(json.dumps({"alive": alive, "pickled": in_pickles, "errors": len(errors), "secrets": len(notes)}))  # noqa: T201


if __name__ == "__main__":
    main()
