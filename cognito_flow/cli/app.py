"""The subcommands and their options.

Rule of this file: options and help only; what a subcommand does stands in the file of its name.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cognito_flow.cli import login as login_command
from cognito_flow.cli import tokens as tokens_command
from cognito_flow.cli.doctor import report
from cognito_flow.cli.exit_codes import exit_codes
from cognito_flow.credentials import Credentials, CustomAuth, UserAuth, UserPasswordAuth, UserSrpAuth
from cognito_flow.errors import UsageError
from cognito_flow.models import AppClient
from cognito_flow.terminal import ask_hidden

app: typer.Typer = typer.Typer(
    name="cognito-flow",
    help="Sign people in to Amazon Cognito user pools.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",  # which fills the paragraphs of a docstring
    pretty_exceptions_enable=False,
)


PoolId = Annotated[
    str,
    typer.Option("--pool", "--pool-id", help="The user pool's id, as eu-west-1_AbC123.", metavar="POOL_ID"),
]
ClientId = Annotated[
    str, typer.Option("--client", "--client-id", help="The app client's id.", metavar="CLIENT_ID")
]
Endpoint = Annotated[
    str | None,
    typer.Option(
        "--endpoint", "--endpoint-url", help="Where to send the calls instead of AWS.", metavar="URL"
    ),
]
ClientSecretEnv = Annotated[
    str | None,
    typer.Option(help="The environment variable that holds the app client's secret.", metavar="VARIABLE"),
]
TokensFile = Annotated[
    Path | None,
    typer.Option(
        help="The file that holds what `login` has printed. Without it, standard input is read.",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        resolve_path=True,  # a link stays, and the file that it leads to is changed
    ),
]


class Flow(StrEnum):
    """How `login` begins."""

    srp = "srp"
    password = "password"  # the name of a flow
    custom = "custom"
    choice = "choice"


@app.command()
def demo() -> None:
    """Sign somebody in with a second factor on an embedded pool, and show each exchange.

    It needs no AWS account and no network. The exit code is 0 only if everything went as it is told.
    """
    # Only this subcommand needs LocalCognito, and with it the extra `testing`.
    from cognito_flow.cli import demo as demo_command

    demo_command.run()


@app.command()
def pool(
    port: Annotated[int, typer.Option(help="The port; 0 takes one that is free.", min=0, max=65535)] = 9229,
    host: Annotated[
        str, typer.Option(help="The address to bind. Only this machine can reach the default one.")
    ] = "127.0.0.1",
    seed: Annotated[
        str,
        typer.Option(
            help="A TOML file with pools, app clients, users and triggers; or `example`, which is built in.",
            metavar="FILE.toml",
        ),
    ] = "example",
) -> None:
    """Serve user pools over HTTP on this machine, for programs of any language.

    They are in memory, and really verify. Point a program at them with its endpoint setting; for every AWS
    SDK, the environment variable `AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER` is enough.

    The seed `example` is a pool with a custom sign-in: it asks 2+2. Its user is alice, her password
    Correct-Horse-9.

    Ctrl-C ends it. Exit codes: 0 ended, 2 wrong usage.
    """
    # Only this subcommand needs LocalCognito's server, and with it the extra `testing`.
    from cognito_flow.cli import pool as pool_command

    pool_command.run(host, port, seed)


@app.command()
def login(
    pool: PoolId,
    client: ClientId,
    username: Annotated[str, typer.Option(help="The user name, or an alias.", metavar="NAME")],
    flow: Annotated[Flow, typer.Option(help="How to begin.")] = Flow.srp,
    client_secret_env: ClientSecretEnv = None,
    endpoint: Endpoint = None,
    with_password: Annotated[
        bool, typer.Option("--with-password", help="Give a password with --flow custom or choice, too.")
    ] = False,
) -> None:
    """Sign in to any user pool, and print the tokens as JSON.

    What Cognito asks is asked in turn on standard error. Where standard input is no terminal, the answers are
    read from it, one a line, the password first. Only the tokens go to standard output.

    What Cognito refuses, but lets be answered again, is asked again, five times at the most.

    Exit codes: 0 signed in, 2 wrong usage, 3 refused by Cognito, 4 Cognito was not reached, 5 a question was
    not answered.
    """
    with exit_codes():
        app_client = _app_client(pool, client, client_secret_env, endpoint)
        login_command.run(app_client, _credentials(flow, username, with_password=with_password))


@app.command()
def refresh(
    pool: PoolId,
    client: ClientId,
    tokens: TokensFile = None,
    client_secret_env: ClientSecretEnv = None,
    endpoint: Endpoint = None,
) -> None:
    """Fetch new tokens with those that `login` or `refresh` has printed, and print them in the same form.

    A file of tokens is replaced before anything is printed, and is then for its owner alone. If it cannot be
    written, the new tokens are printed all the same. Several processes may refresh the same file: they take
    turns.

    Exit codes: 0 refreshed, 2 wrong usage, or a file that cannot be used, 3 refused by Cognito, 4 Cognito was
    not reached.
    """
    with exit_codes():
        tokens_command.refresh(_app_client(pool, client, client_secret_env, endpoint), tokens)


@app.command()
def logout(
    pool: PoolId,
    client: ClientId,
    tokens: TokensFile = None,
    everywhere: Annotated[
        bool,
        typer.Option(
            "--everywhere",
            help="End all sign-ins of the user. The access token must still be good: `refresh` before.",
        ),
    ] = False,
    client_secret_env: ClientSecretEnv = None,
    endpoint: Endpoint = None,
) -> None:
    """End the sign-in whose tokens `login` or `refresh` has printed. A file of tokens is then removed.

    APIs that do not ask Cognito go on to accept its access token until that ends.

    Exit codes: 0 signed out, 2 wrong usage, or a file that cannot be used, 3 refused by Cognito, 4 Cognito
    was not reached.
    """
    with exit_codes():
        app_client = _app_client(pool, client, client_secret_env, endpoint)
        tokens_command.logout(app_client, tokens, everywhere=everywhere)


@app.command()
def claims(
    pool: PoolId,
    client: ClientId,
    token: Annotated[
        str | None, typer.Argument(help="The token. Without it, standard input is read.", metavar="TOKEN")
    ] = None,
    endpoint: Endpoint = None,
    is_id: Annotated[bool, typer.Option("--id", help="It must be an ID token.")] = False,
) -> None:
    """Verify an access token, and print its claims: as a table on a terminal, else as JSON.

    Standard input may hold the token, or what `login` has printed. That a token was revoked does not show.

    Exit codes: 0 the token is good, 2 wrong usage, 3 it is not good, 4 the pool's keys could not be fetched.
    """
    with exit_codes():
        app_client = AppClient(pool, client, endpoint_url=_endpoint(endpoint))
        tokens_command.claims(app_client, token, is_id=is_id)


@app.command()
def doctor(
    pool: PoolId,
    client: ClientId,
    admin: Annotated[
        bool, typer.Option("--admin", help="Read the settings with AWS credentials, and send no probe.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON on a terminal, too.", show_default=False)
    ] = False,
    client_secret_env: ClientSecretEnv = None,
    endpoint: Endpoint = None,
) -> None:
    """Tell what an app client allows, and which of Cognito's settings to change.

    Each line is ok; off, which may be meant; a warning; or a problem.

    Without AWS credentials, it sends probes that cannot sign anybody in: `InitiateAuth` with USER_SRP_AUTH,
    USER_PASSWORD_AUTH, CUSTOM_AUTH, USER_AUTH and REFRESH_TOKEN_AUTH, and one of them once more without the
    secret, where one is given. Their user names, passwords and refresh tokens are made up anew in each run.
    They change nothing and send no message; but Lambda triggers of the pool may run, as in any sign-in of
    somebody who does not exist. It fetches the pool's keys, too.

    With `--admin`, it calls `DescribeUserPoolClient`, `DescribeUserPool` and `GetUserPoolMfaConfig`, and is
    exact.

    Exit codes: 0 no problem, 1 problems, 2 wrong usage, 3 the AWS credentials were refused, 4 Cognito was not
    reached.
    """
    with exit_codes():
        app_client = _app_client(pool, client, client_secret_env, endpoint)
        report.run(app_client, admin=admin, as_json=as_json)


def _app_client(pool: str, client: str, secret_variable: str | None, endpoint: str | None) -> AppClient:
    secret = None if secret_variable is None else _secret(secret_variable)
    return AppClient(pool, client, secret, endpoint_url=_endpoint(endpoint))


def _endpoint(url: str | None) -> str | None:
    from botocore.utils import is_valid_endpoint_url

    try:
        good = url is None or (url.startswith(("http://", "https://")) and is_valid_endpoint_url(url))
    except ValueError:  # a bracket that is not closed
        good = False
    if not good:
        raise UsageError("--endpoint must be an http:// or https:// URL")
    return url


def _secret(variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise UsageError(f"the environment variable {variable} holds no client secret")
    return value


def _credentials(flow: Flow, username: str, *, with_password: bool) -> Credentials:
    if flow is Flow.custom:
        return CustomAuth(username, ask_hidden("Password") if with_password else None)
    if flow is Flow.choice:
        return UserAuth(username, ask_hidden("Password") if with_password else None)
    kind = UserSrpAuth if flow is Flow.srp else UserPasswordAuth
    return kind(username, ask_hidden("Password"))
