"""A command-line tool of a company: its users sign in once, and the AWS CLI then works with their AWS credentials.

`login` asks for the password and for whatever else the pool asks, and stores the tokens. `credentials` prints AWS credentials as
`credential_process` in ~/.aws/config wants them, and refreshes the tokens if necessary.
"""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cognito_flow import AppClient, AuthFlow, CognitoFlowError, FileStore, SignedOut, UserSrpAuth
from cognito_flow.integrations.aws import IdentityPool
from cognito_flow.terminal import ask


def login(flow: AuthFlow, username: str, read_password: Callable[[str], str]) -> str:
    signed_in = flow.sign_in(UserSrpAuth(username, read_password("Password: ")), ask=ask)
    flow.token_source(signed_in.tokens).tokens()  # keeps them in the flow's store
    return f"Signed in as {signed_in.username}."


def credentials(flow: AuthFlow, username: str, identity_pool_id: str) -> str:
    source = flow.restore(username)
    if source is None:
        raise SignedOut("not signed in")
    found = IdentityPool(source, flow.app, identity_pool_id).credentials()
    return json.dumps(
        {
            "Version": 1,
            "AccessKeyId": found.access_key,
            "SecretAccessKey": found.secret_key,
            "SessionToken": found.token,
            "Expiration": found.expires_at.isoformat(),
        }
    )


def main(
    flow: AuthFlow,
    arguments: Sequence[str] | None = None,
    read_password: Callable[[str], str] = getpass.getpass,
) -> int:
    """The flow is an argument, so that a test can pass one of a local pool."""
    parser = argparse.ArgumentParser(
        prog="cli_tool", description="AWS credentials for the users of our pool."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("login", "credentials"):
        command = commands.add_parser(name)
        command.add_argument("username")
    command.add_argument("identity_pool_id")
    given = parser.parse_args(arguments)
    try:
        if given.command == "login":
            print(login(flow, given.username, read_password), file=sys.stderr)
        else:
            print(credentials(flow, given.username, given.identity_pool_id))
    except SignedOut:
        print(f"Please sign in: cli_tool login {given.username}", file=sys.stderr)
        return 1
    except CognitoFlowError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    # FileStore encrypts the file if there is a key, and no other user may read it.
    store = FileStore(Path.home() / ".cli_tool.json", keys=[os.environ["LOGIN_SECRET"]])
    sys.exit(main(AuthFlow(AppClient.from_env(), store=store)))
