"""The subcommand `pool`: serve user pools over HTTP, for programs in any language.

Rule of this file: it prints everything that a program needs to sign in, secrets of the seed included: these
pools are for tests.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from cognito_flow._json import as_list, as_object
from cognito_flow.cli.output import write
from cognito_flow.errors import UsageError
from cognito_flow.testing import LocalCognito, seed
from cognito_flow.testing._state.records import UserPool


def run(host: str, port: int, source: str) -> None:
    """Serve until Ctrl-C, or until the process is asked to stop.

    Args:
        host: The address to bind to.
        port: The port; 0 chooses a free one.
        source: The path of a seed, or the name of the built-in one.

    Raises:
        UsageError: The seed cannot be used, the port is taken, or standard output cannot be written.
    """
    planted = seed.read(source)
    cognito = seed.plant(planted)
    try:
        _serve(cognito, host, port, _passwords(planted))
    except (OSError, OverflowError) as error:
        raise UsageError(f"cannot serve on {host}:{port}: {error}") from error


def _passwords(planted: Mapping[str, object]) -> list[dict[str, str]]:
    """The passwords of each pool's users, in the order of the seed: a pool keeps only verifiers of them."""
    pools = (as_object(pool) or {} for pool in as_list(planted.get("pool")) or ())
    users = ([as_object(user) or {} for user in as_list(pool.get("user")) or ()] for pool in pools)
    return [
        {str(user["username"]): str(user["password"]) for user in each if "password" in user}
        for each in users
    ]


def _serve(cognito: LocalCognito, host: str, port: int, passwords: Sequence[Mapping[str, str]]) -> None:
    with cognito.serve(port, host=host) as url, _until_asked_to_stop() as is_over:
        _say(f"LocalCognito serves {url} (codes at {url}/_local/outbox, Ctrl-C stops it)")
        pools = [cognito.state(pool_id) for pool_id in cognito.pool_ids()]
        for pool, of_users in zip(pools, passwords, strict=True):
            _describe(pool, of_users)
        _say(_how_to_connect(url, pools))
        while not is_over.is_set():
            is_over.wait(1)  # seconds; without a limit, Windows would not let Ctrl-C through
    _say("stopped")


@contextmanager
def _until_asked_to_stop() -> Generator[threading.Event]:
    """Set an event at Ctrl-C or SIGTERM, instead of ending the process at once.

    Afterwards both do what they did before, so that a second Ctrl-C interrupts a stop that takes too long.
    """
    is_over = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        is_over.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield is_over
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _describe(pool: UserPool, passwords: Mapping[str, str]) -> None:
    _say(f"pool {pool.id} ({pool.members['Name']})")
    for client in pool.clients.values():
        secret = "" if client.secret is None else f" secret {client.secret}"
        _say(f"  client {client.id} ({client.members['ClientName']}){secret}")
    # The seed may name a user by an alias.
    found = {user.username: password for name, password in passwords.items() if (user := pool.find(name))}
    for user in pool.users.values():
        known = f" password {found[user.username]}" if user.username in found else ""
        totp = "" if user.totp_secret is None else f" totp {user.totp_secret}"
        _say(f"  user {pool.display_name(user)}{known}{totp}")


def _how_to_connect(url: str, pools: Sequence[UserPool]) -> str:
    """How each SDK is pointed at the first pool and app client."""
    pool = pools[0] if pools else None
    client = next(iter(pool.clients.values()), None) if pool else None
    pool_id, client_id = pool.id if pool else "POOL_ID", client.id if client else "CLIENT_ID"
    region = pool_id.partition("_")[0] if pool else "REGION"
    return f"""
How to connect:
  cognito-flow              cognito-flow login --pool {pool_id} --client {client_id} --endpoint {url}
  cognito_flow              AppClient("{pool_id}", "{client_id}", endpoint_url="{url}")
  any AWS SDK               export AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER={url}
  boto3                     boto3.client("cognito-idp", region_name="{region}", endpoint_url="{url}")
  AWS SDK for JavaScript 3  new CognitoIdentityProviderClient({{region: "{region}", endpoint: "{url}"}})
  Amplify 6                 Amplify.configure({{Auth: {{Cognito: {{userPoolId: "{pool_id}",
                              userPoolClientId: "{client_id}", userPoolEndpoint: "{url}"}}}}}})
  amazon-cognito-identity-js
                            new CognitoUserPool({{UserPoolId: "{pool_id}", ClientId: "{client_id}",
                              endpoint: "{url}"}})
"""


def _say(text: str) -> None:
    write(f"{text}\n", None)
