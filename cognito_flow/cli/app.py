"""The subcommands and their options.

Rule of this file: options and help only. What a subcommand does is in the file that it is imported from.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container
from enum import StrEnum
from functools import partial, wraps
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from cognito_flow._tracebacks import without_locals
from cognito_flow.cli import configure as configure_command
from cognito_flow.cli import login as login_command
from cognito_flow.cli import profiles
from cognito_flow.cli import tokens as tokens_command
from cognito_flow.cli.connection import Connection, connect
from cognito_flow.cli.exit_codes import exit_codes
from cognito_flow.cli.output import Destination, Format
from cognito_flow.cli.profiles import Profile
from cognito_flow.credentials import Credentials, CustomAuth, UserAuth, UserPasswordAuth, UserSrpAuth
from cognito_flow.terminal import ask_hidden, ask_text


def _without_bool(options: list[Any]) -> list[Any]:
    """Leave the type out of the help of a switch: `--help <bool>` looks as if it took a value."""
    for option in options:
        if getattr(option, "is_flag", False):
            option.metavar = ""
    return options


class _Group(TyperGroup):
    def get_params(self, ctx: Any) -> list[Any]:
        return _without_bool(super().get_params(ctx))


class _Command(TyperCommand):
    def get_params(self, ctx: Any) -> list[Any]:
        return _without_bool(super().get_params(ctx))


app: typer.Typer = typer.Typer(
    name="cognito-flow",
    cls=_Group,
    no_args_is_help=True,
    rich_markup_mode="markdown",  # which fills the paragraphs of a docstring
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Flow(StrEnum):
    """How `login` begins."""

    srp = "srp"
    password = "password"  # the name of a flow
    custom = "custom"
    choice = "choice"


# -- the options that say which app client it is --

_WHICH = "Which app client"

Pool = Annotated[
    str | None,
    typer.Option(
        "--pool",
        "--pool-id",
        help="The user pool's id, like eu-west-1_AbC123.",
        metavar="POOL_ID",
        envvar="COGNITO_POOL_ID",
        rich_help_panel=_WHICH,
    ),
]
Client = Annotated[
    str | None,
    typer.Option(
        "--client",
        "--client-id",
        help="The app client's id.",
        metavar="CLIENT_ID",
        envvar="COGNITO_CLIENT_ID",
        rich_help_panel=_WHICH,
    ),
]
ClientSecretEnv = Annotated[
    str | None,
    typer.Option(
        help="The environment variable that holds the client secret, if it is not COGNITO_CLIENT_SECRET.",
        metavar="VARIABLE",
        rich_help_panel=_WHICH,
    ),
]
Region = Annotated[
    str | None,
    typer.Option(
        "--region",  # typer 0.27 would call it --REGION, as its metavar
        help="The region to call, if it is not the one of the pool id.",
        metavar="REGION",
        envvar="COGNITO_REGION",
        rich_help_panel=_WHICH,
    ),
]
Endpoint = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        "--endpoint-url",
        help="Where to send the calls instead of AWS.",
        metavar="URL",
        envvar="COGNITO_ENDPOINT_URL",
        rich_help_panel=_WHICH,
    ),
]
Stack = Annotated[
    str | None,
    typer.Option(
        help="Read pool and app client from this CloudFormation stack, with AWS credentials.",
        metavar="NAME",
        rich_help_panel=_WHICH,
    ),
]
AmplifyOutputs = Annotated[
    Path | None,
    typer.Option(
        help="Read pool and app client from this amplify_outputs.json.",
        metavar="FILE",
        rich_help_panel=_WHICH,
    ),
]
ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="The profile of `configure` to use, if it is not `default`.",
        metavar="NAME",
        envvar="COGNITO_PROFILE",
        autocompletion=profiles.names,
        rich_help_panel=_WHICH,
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        help="How many seconds to wait for Cognito in each step, from 0.1 to 86400.", metavar="SECONDS"
    ),
]


def _given(
    pool: Pool = None,
    client: Client = None,
    client_secret_env: ClientSecretEnv = None,
    region: Region = None,
    endpoint: Endpoint = None,
    stack: Stack = None,
    amplify_outputs: AmplifyOutputs = None,
    profile: ProfileName = None,
    timeout: Timeout = 30,
) -> Connection:
    given = Profile(pool, client, client_secret_env, region, endpoint)
    return connect(given, profile=profile, stack=stack, amplify_outputs=amplify_outputs, timeout=timeout)


def _for_an_app_client(command: Callable[..., None], *, without: Container[str] = ()) -> Callable[..., None]:
    """Give a subcommand the options that say which app client it is for; it gets a `Connection` first.

    An error that it ends with holds no local variables: they would be passwords and tokens.

    Args:
        command: The subcommand.
        without: The names of options that it does not have.
    """
    parameters = inspect.signature(_given, eval_str=True).parameters
    shared = {name: each for name, each in parameters.items() if name not in without}
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    guarded = without_locals(command)

    @wraps(command)
    def run(**options: object) -> None:
        with exit_codes():
            connection = _given(**{name: options.pop(name) for name in shared})  # type: ignore[arg-type]  # typer checked them by _given
            guarded(connection, **{name: options.pop(name) for name in list(options)})

    kept = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*own, *shared.values())]
    run.__signature__ = inspect.Signature(kept)  # type: ignore[attr-defined]  # what typer reads
    return run


# -- other options --

Username = Annotated[
    str | None,
    typer.Option(help="The user name, or an alias.", metavar="NAME", envvar="COGNITO_USERNAME"),
]
Store = Annotated[
    Path | None,
    typer.Option(
        help="The file that keeps the tokens; - for none: they are printed, or read from standard input.",
        metavar="FILE",
        dir_okay=False,
        envvar="COGNITO_STORE",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        help="Write to this file, for its owner alone, instead of standard output.",
        metavar="FILE",
        dir_okay=False,
    ),
]
OutputFormat = Annotated[
    Format | None,
    typer.Option(
        "--format",
        help="What to print, if it is not json. credential-process: AWS credentials, with `login` only.",
    ),
]
IdentityPool = Annotated[
    str | None,
    typer.Option(
        "--identity-pool",
        "--identity-pool-id",
        help="The identity pool that gives AWS credentials, like eu-west-1:11111111-2222-....",
        metavar="IDENTITY_POOL_ID",
        envvar="COGNITO_IDENTITY_POOL_ID",
    ),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cognito-flow {version('cognito-flow')}")
        raise typer.Exit


@app.callback()
def command(
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version, and exit.",
            callback=_print_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Sign in to Amazon Cognito user pools, look into them, and serve local ones for tests.

    Begin with `cognito-flow demo`, which needs no AWS account; or save the ids of your app client once with
    `cognito-flow configure`.
    """


# -- the subcommands --


@app.command(cls=_Command)
def demo() -> None:
    """Sign a user in with a second factor on an embedded pool, and show each exchange.

    It needs no AWS account and no network. Exits with 0 only if every step behaves as described.

    Example:

        cognito-flow demo
    """
    # Only this subcommand needs LocalCognito, and with it the extra `testing`.
    from cognito_flow.cli import demo as demo_command

    with exit_codes():
        demo_command.run()


@app.command(cls=_Command)
def pool(
    port: Annotated[int, typer.Option(help="The port; 0 chooses a free one.", min=0, max=65535)] = 9229,
    host: Annotated[
        str,
        typer.Option(help="The address to bind to. By default only this machine can reach it."),
    ] = "127.0.0.1",
    seed: Annotated[
        str,
        typer.Option(
            help="A TOML file with pools, app clients, users and triggers; or `example`, which is built in.",
            metavar="FILE.toml",
        ),
    ] = "example",
) -> None:
    """Serve user pools over HTTP on this machine, for programs in any language.

    They are in memory and really verify. What is printed is enough to sign in: pools, app clients, users with
    passwords and TOTP secrets, and how to connect from each SDK. For every AWS SDK it is enough to set the
    environment variable `AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER`.

    The seed `example` is a pool with a custom sign-in, which asks 2+2.

    Ctrl-C stops it. Exit codes: 0 stopped, 2 wrong usage.

    Examples:

        cognito-flow pool
        cognito-flow pool --port 0 --seed shop.toml
    """
    # Only this subcommand needs LocalCognito's server, and with it the extra `testing`.
    from cognito_flow.cli import pool as pool_command

    with exit_codes():
        pool_command.run(host, port, seed)


@app.command(cls=_Command)
def configure(
    pool: Pool = None,
    client: Client = None,
    client_secret_env: ClientSecretEnv = None,
    region: Region = None,
    endpoint: Endpoint = None,
    stack: Stack = None,
    amplify_outputs: AmplifyOutputs = None,
    profile: ProfileName = None,
    username: Username = None,
    store: Store = None,
    identity_pool: IdentityPool = None,
) -> None:
    """Save the app client, the user name and where tokens are kept, so that nothing is typed twice.

    With options, saves these; without, asks for each setting. A profile holds no secret: of a client secret
    it holds the name of the environment variable.

    Exit codes: 0 saved, 2 wrong usage, 5 input ended before every question was answered.

    Examples:

        cognito-flow configure
        cognito-flow configure --pool eu-west-1_AbC123 --client 1example23456789 --username alice
        cognito-flow configure --profile staging --stack shop-staging
    """
    kept_in = None if store is None else str(store)
    given = Profile(pool, client, client_secret_env, region, endpoint, username, kept_in, identity_pool)
    with exit_codes():
        configure_command.run(given, profile, stack=stack, amplify_outputs=amplify_outputs)


@app.command(cls=_Command)
@_for_an_app_client
def login(
    connection: Connection,
    username: Username = None,
    flow: Annotated[Flow, typer.Option(help="How to begin.")] = Flow.srp,
    with_password: Annotated[
        bool,
        typer.Option("--with-password", help="Give a password with --flow custom or choice, too."),
    ] = False,
    store: Store = None,
    output: Output = None,
    format: OutputFormat = None,  # noqa: A002 - the name of the option
    identity_pool: IdentityPool = None,
) -> None:
    """Sign in to any user pool, and print the tokens.

    What Cognito asks is asked in turn on standard error; only the tokens go to standard output. If standard
    input is not a terminal, it must hold the answers, one per line, the password first. With --store, the
    tokens are kept in a file for `refresh`, `logout`, `claims` and `status`, and are printed only with
    --output or --format.

    A wrong answer is asked again, up to five times. A wrong password is asked again only on a terminal, up to
    three times, because Cognito locks users who fail more often.

    Exit codes: 0 signed in, 2 wrong usage, or a file or output that cannot be used, 3 refused by Cognito,
    4 Cognito was not reached, 5 input ended before every question was answered.

    Examples:

        cognito-flow login --username alice --store tokens.json
        cognito-flow login --username alice --output tokens.json
        eval "$(cognito-flow login --username alice --format env)"
        cognito-flow login --username alice --format header | curl -H @- https://api.example.com
        cognito-flow login --username alice --format credential-process --identity-pool IDENTITY_POOL_ID
    """
    kept_in = tokens_command.store_of(connection, store)
    fetch = None
    if format is Format.CREDENTIAL_PROCESS:
        from cognito_flow.cli import aws_credentials  # it loads the client of identity pools

        fetch = aws_credentials.fetching(connection, kept_in, identity_pool)
    to = Destination(output, format, fetch)
    name = username or connection.settings.username or ask_text("User name")
    login_command.run(
        connection, lambda: _credentials(flow, name, with_password=with_password), store=kept_in, to=to
    )


@app.command(cls=_Command)
@_for_an_app_client
def refresh(
    connection: Connection,
    username: Username = None,
    store: Store = None,
    output: Output = None,
    format: OutputFormat = None,  # noqa: A002 - the name of the option
) -> None:
    """Fetch new tokens with those of a store or of standard input, and print them.

    With --store, the new tokens are saved before anything is printed, and processes that refresh the same
    user's tokens take turns. Without it, standard input holds what `login` or `refresh` printed.

    Exit codes: 0 refreshed, 2 wrong usage, or a file or output that cannot be used, 3 refused by Cognito,
    4 Cognito was not reached.

    Examples:

        cognito-flow refresh --store tokens.json | jq --raw-output .access_token
        cognito-flow refresh < tokens.json > new-tokens.json
    """
    tokens_command.refresh(
        connection,
        tokens_command.store_of(connection, store),
        username,
        Destination(output, format),
    )


@app.command(cls=_Command)
@partial(_for_an_app_client, without=("stack",))
def credentials(
    connection: Connection,
    username: Username = None,
    store: Store = None,
    identity_pool: IdentityPool = None,
) -> None:
    """Print AWS credentials of an identity pool for a user who signed in, as `credential_process` wants them.

    Sign in once with `login --store`. The stored tokens are refreshed if they are about to expire. AWS
    credentials of your own are neither needed nor read.

    Exit codes: 0 printed, 2 wrong usage, or a file or output that cannot be used, 3 refused by Cognito: sign
    in again, 4 Cognito was not reached.

    Examples:

        cognito-flow credentials --store tokens.json --identity-pool IDENTITY_POOL_ID
        credential_process = cognito-flow credentials --profile shop
    """
    # Only this subcommand needs the client of identity pools.
    from cognito_flow.cli import aws_credentials

    aws_credentials.run(connection, tokens_command.store_of(connection, store), username, identity_pool)


@app.command(cls=_Command)
@_for_an_app_client
def logout(
    connection: Connection,
    username: Username = None,
    store: Store = None,
    everywhere: Annotated[
        bool,
        typer.Option(
            "--everywhere",
            help="End all sign-ins of the user. It needs a valid access token: run `refresh` first.",
        ),
    ] = False,
) -> None:
    """End a sign-in: revoke the tokens of a store, which then forgets them, or those of standard input.

    APIs that do not ask Cognito accept its access token until it expires.

    Exit codes: 0 signed out, 2 wrong usage, or a file that cannot be used, 3 refused by Cognito, 4 Cognito
    was not reached.

    Examples:

        cognito-flow logout --store tokens.json
        cognito-flow logout --everywhere < tokens.json
    """
    tokens_command.logout(
        connection, tokens_command.store_of(connection, store), username, everywhere=everywhere
    )


@app.command(cls=_Command)
@_for_an_app_client
def status(connection: Connection, store: Store = None) -> None:
    """Show which app client is used, and which users' tokens the store holds, without calling Cognito.

    Exit codes: 0 shown, 2 wrong usage, or a file or output that cannot be used.

    Examples:

        cognito-flow status
        cognito-flow status --profile staging
    """
    tokens_command.status(connection, store)


@app.command(cls=_Command)
@_for_an_app_client
def claims(
    connection: Connection,
    token: Annotated[
        str | None,
        typer.Argument(
            help="The token, which other users of this machine can see in the list of processes. Without it, "
            "the store's, or standard input.",
            metavar="TOKEN",
        ),
    ] = None,
    username: Username = None,
    store: Store = None,
    is_id: Annotated[
        bool, typer.Option("--id", help="Verify an ID token instead of an access token.")
    ] = False,
) -> None:
    """Verify an access token, and print its claims: as a table on a terminal, otherwise as JSON.

    Standard input may hold the token, or what `login` printed. A revoked token still verifies until it
    expires.

    Exit codes: 0 the token is valid, 2 wrong usage, or a file or output that cannot be used, 3 it is not
    valid, 4 the pool's keys could not be fetched.

    Examples:

        cognito-flow claims --store tokens.json
        cognito-flow claims --id < tokens.json
        cognito-flow claims eyJraWQiOi...
    """
    kept = None if token is not None else tokens_command.store_of(connection, store)
    tokens_command.claims(connection, token, kept, username, is_id=is_id)


@app.command(cls=_Command)
@_for_an_app_client
def doctor(
    connection: Connection,
    admin: Annotated[
        bool,
        typer.Option("--admin", help="Read the settings with AWS credentials, and send no probe."),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print JSON on a terminal, too.", show_default=False),
    ] = False,
) -> None:
    """Report what an app client allows, and which of Cognito's settings to change.

    Each line is ok; off, which may be intended; a warning; or a problem.

    Without AWS credentials, it sends probes that cannot sign anyone in: `InitiateAuth` with USER_SRP_AUTH,
    USER_PASSWORD_AUTH, CUSTOM_AUTH, USER_AUTH and REFRESH_TOKEN_AUTH, and if a secret is given, one of them
    again without it. User names, passwords and refresh tokens are made up in each run. They change nothing
    and send no message, but the pool's Lambda triggers may run, as they do for any unknown user. It fetches
    the pool's keys, too.

    With `--admin`, it calls `DescribeUserPoolClient`, `DescribeUserPool` and `GetUserPoolMfaConfig`, and is
    exact.

    Exit codes: 0 no problem, 1 problems, 2 wrong usage, or output that cannot be written, 3 the AWS
    credentials were refused, 4 Cognito was not reached.

    Examples:

        cognito-flow doctor --pool eu-west-1_AbC123 --client 1example23456789
        cognito-flow doctor --stack shop --admin
    """
    # Only this subcommand computes SRP values of its own.
    from cognito_flow.cli.doctor import report

    report.run(connection, admin=admin, as_json=as_json)


def _credentials(flow: Flow, username: str, *, with_password: bool) -> Credentials:
    if flow is Flow.custom:
        return CustomAuth(username, ask_hidden("Password") if with_password else None)
    if flow is Flow.choice:
        return UserAuth(username, ask_hidden("Password") if with_password else None)
    kind = UserSrpAuth if flow is Flow.srp else UserPasswordAuth
    return kind(username, ask_hidden("Password"))
