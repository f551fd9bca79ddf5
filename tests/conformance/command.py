"""The command: run the scenarios against a server, write recordings, compare two, sweep up.

Rule of this file: whatever happens to a run, its pools are deleted before the command ends. Only a kill
prevents that, and ``--sweep`` makes up for it.
"""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import threading
from collections import Counter
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, cast

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tests.conformance import open_questions, scenarios
from tests.conformance.comparison import differences
from tests.conformance.pools import PREFIX, sweep
from tests.conformance.recording import RECORDINGS, Recording, read
from tests.conformance.servers import Server, open_server
from tests.conformance.world import SCENARIOS, NotPermitted, Scenario

# Importing these modules fills the table.
MODULES = (open_questions, scenarios)

LONGEST_WAIT = 400  # seconds; no scenario waits longer
# US dollars for a monthly active user of the plan Essentials, beyond the 10,000 free ones: the worked examples on
# Amazon's price page, in a transcript of September 2026.
PRICE = 0.015
INTERRUPTED = 130  # the exit code of a program that Ctrl-C ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.compare:
        for server in options.compare:
            if not read(RECORDINGS / server):
                parser.error(f"there are no recordings of {server} in {RECORDINGS}")
        print_differences(*options.compare)
        return 0
    try:
        return _against(options, parser)
    except (
        BotoCoreError,
        ClientError,
    ) as error:  # no such profile, no credentials, no permission, no connection
        sys.exit(f"{options.against} cannot be called: {error}")


def _against(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    session = None
    if options.against == "aws":
        session = cast(Any, boto3).Session(profile_name=options.profile, region_name=options.region)
        if session.region_name is None:
            parser.error("aws needs a region: pass --region, or configure one")
    stop = threading.Event()
    try:
        opened = open_server(options.against, stop, session, options.address)
    except ValueError as error:
        parser.error(str(error))
    with opened as server:
        return _sweep(server) if options.sweep else _run(server, options, stop)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nox -s conformance --",
        description="Run scenarios against a server that speaks Cognito's API, through boto3 alone; record what "
        "it answers, and print what differs from LocalCognito and how it answers the open questions.",
        epilog="Every pool that a run makes is deleted at its end, also after Ctrl-C. If the command was killed, "
        "run it again with --sweep. Pools that no run made are never touched.",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--against",
        metavar="SERVER",
        help="local (LocalCognito over HTTP), ministack, moto, an http(s) URL, or aws: the real service with your "
        "own credentials",
    )
    what.add_argument(
        "--compare", nargs=2, metavar="SERVER", help="only print what differs between two recordings"
    )
    parser.add_argument(
        "--sweep",
        action="store_true",
        help="only delete the pools that killed runs left, and print their names",
    )
    parser.add_argument("--only", nargs="+", metavar="SCENARIO", help="run these scenarios only")
    parser.add_argument("--list", action="version", version=_listing(), help="list the scenarios and exit")
    parser.add_argument(
        "--address",
        metavar="EMAIL",
        help="your own e-mail address, for scenarios in which the server sends a code, which you type; without "
        "it, the real service sends nothing",
    )
    parser.add_argument(
        "--patience",
        type=int,
        default=LONGEST_WAIT,
        metavar="SECONDS",
        help="leave out scenarios that wait longer (default: %(default)s, which runs all)",
    )
    parser.add_argument("--region", help="the AWS region (default: that of your settings)")
    parser.add_argument("--profile", help="the AWS profile (default: that of your settings)")
    parser.add_argument("--yes", action="store_true", help="do not ask before calling the real service")
    parser.add_argument(
        "--into",
        type=Path,
        default=RECORDINGS,
        metavar="FOLDER",
        help="where a folder with the server's recordings is written (default: tests/recordings)",
    )
    return parser


def _listing() -> str:
    return "\n".join(f"{each.name}" + (f": {each.question}" if each.question else "") for each in SCENARIOS)


# -- a run --


def _run(server: Server, options: argparse.Namespace, stop: threading.Event) -> int:
    chosen = choose(server, options.only, options.patience)
    if not _agreed(options, plan(chosen, server)):
        return 1
    server.client.list_user_pools(MaxResults=1)  # raises if the server cannot be called at all
    run = secrets.token_hex(4)
    found: dict[str, Recording] = {}
    code = 0
    with _interrupted_by_sigterm():
        try:
            for recording in _recordings(server, chosen, run, stop):
                found[recording.scenario] = recording
                recording.write(options.into / server.name)
                _say(f"{recording.scenario}: {len(recording.exchanges)} exchanges")
        except KeyboardInterrupt:
            _say("Interrupted.")
            code = INTERRUPTED
        except NotPermitted as reason:
            _say(f"The run ends here, because AWS refused a call: {reason}")
            code = 1
        finally:
            _clean_up(server, run)
    _print_answers(chosen, found)
    if server.name != "local":
        print_differences("local", server.name, left=read(RECORDINGS / "local"), right=found)
    return code


def choose(server: Server, only: Sequence[str] | None, patience: int) -> list[Scenario]:
    """The scenarios of a run; those that are left out are printed, with the reason.

    Raises:
        SystemExit: There is no scenario of this name.
    """
    if unknown := set(only or ()) - {each.name for each in SCENARIOS}:
        sys.exit(f"there is no scenario {', '.join(sorted(unknown))}: --list shows them")
    chosen: list[Scenario] = []
    for each in SCENARIOS:
        if only and each.name not in only:
            continue
        if each.sends and server.address is None:
            _say(f"{each.name}: left out, because it needs --address")
        elif each.waits > patience and not server.is_instant:
            _say(f"{each.name}: left out, because it needs --patience {each.waits}")
        elif not server.knows(each.needs):
            _say(f"{each.name}: left out, because the installed botocore does not know {each.needs}")
        else:
            chosen.append(each)
    return chosen


def plan(chosen: Sequence[Scenario], server: Server) -> Counter[str]:
    """How often each operation will be called, if the server answers as LocalCognito does."""
    recorded = read(RECORDINGS / "local")
    return Counter(
        exchange["operation"]
        for each in chosen
        if each.name in recorded
        for exchange in recorded[each.name].exchanges
    )


def _agreed(options: argparse.Namespace, calls: Counter[str]) -> bool:
    """Say what a run against the real service does, and ask."""
    if options.against != "aws":
        return True
    users = calls["AdminCreateUser"] + calls["SignUp"]
    messages = "one message to your address" if options.address else "no message"
    _say(
        f"This makes {calls['CreateUserPool']} user pools named {PREFIX}..., with "
        f"{calls['CreateUserPoolClient']} app clients and at most {users} users, in your AWS account, in "
        f"{sum(calls.values())} calls; it sends {messages}, and deletes the pools at the end.\n"
        f"It costs nothing as long as your account has {users} free monthly active users left, and at most "
        f"{users * PRICE:.2f} US dollars otherwise."
    )
    try:
        return options.yes or input("Begin? [yes/no] ").strip().lower() == "yes"
    except (EOFError, KeyboardInterrupt):
        return False


def _recordings(
    server: Server, chosen: Sequence[Scenario], run: str, stop: threading.Event
) -> Generator[Recording]:
    """Run the scenarios, several at once, and yield their recordings as they are complete."""
    threads = ThreadPoolExecutor(server.workers)
    try:
        futures = [threads.submit(each.run, server, run) for each in chosen]
        for future in as_completed(futures):
            yield future.result()
    finally:  # an interrupted run begins no scenario, and no call
        stop.set()
        threads.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _interrupted_by_sigterm() -> Generator[None]:
    """SIGTERM ends a run as Ctrl-C does."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _clean_up(server: Server, run: str) -> None:
    """Delete the pools of a run. Ctrl-C is ignored meanwhile, because what it leaves would stay."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        deleted = sweep(server.client, run)
    except BaseException:
        _say("Some pools may be left. Run the command again with --sweep.")
        raise
    finally:
        signal.signal(signal.SIGINT, before)
    _say(f"{len(deleted)} pools deleted.")


def _sweep(server: Server) -> int:
    deleted = sweep(server.client)
    _say("\n".join([*deleted, f"{len(deleted)} pools deleted."]))
    return 0


# -- what a run found --


def _print_answers(chosen: Sequence[Scenario], found: dict[str, Recording]) -> None:
    """Print how the server answers the open questions."""
    for each in chosen:
        if each.question is not None and each.name in found:
            _say(f"\n{each.question} (protocol, {each.section})")
            for case, answer in found[each.name].answers.items():
                _say(f"  {case}: {answer}")
            if (reason := found[each.name].stopped) is not None:
                _say(f"  the rest could not be asked: {reason}")


def print_differences(
    left_name: str,
    right_name: str,
    *,
    left: dict[str, Recording] | None = None,
    right: dict[str, Recording] | None = None,
) -> None:
    """Print what differs between two recordings."""
    left = read(RECORDINGS / left_name) if left is None else left
    right = read(RECORDINGS / right_name) if right is None else right
    found = differences(left, right)
    _say(f"\n{len(found)} differences in {len(left.keys() & right.keys())} scenarios:")
    for each, names in sorted(found.items()):
        _say(f"{each.call} ({each.what}; {', '.join(names)})")
        _say(f"  {left_name}: {each.left}\n  {right_name}: {each.right}")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201
