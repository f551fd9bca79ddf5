"""The subcommand `credentials`, and the format ``credential-process``: AWS credentials for other programs.

Rule of this file: standard output holds the credentials or nothing, because AWS's tools parse it.

Source: "Sourcing credentials with an external process" in the AWS SDKs and Tools reference guide.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from cognito_flow.cli.connection import Connection
from cognito_flow.cli.output import write
from cognito_flow.cli.tokens import kept_tokens, user_of
from cognito_flow.errors import UsageError
from cognito_flow.integrations.aws import AwsCredentials, IdentityPool
from cognito_flow.models import Tokens
from cognito_flow.stores import FileStore


def run(
    connection: Connection, store: FileStore | None, username: str | None, identity_pool_id: str | None
) -> None:
    """Print AWS credentials for a user whose tokens are stored, refreshing these if they are about to expire.

    Args:
        connection: The app client.
        store: The store, which keeps the refreshed tokens.
        username: Whose tokens of the store.
        identity_pool_id: The identity pool of the option; None: that of the profile.

    Raises:
        UsageError: There is no store, no identity pool or no ID token.
        CognitoFlowError: Cognito or the identity pool refused, or was not reached; or the store cannot be
            used.
    """
    if store is None:
        raise UsageError("which tokens? Pass the --store that `cognito-flow login` keeps them in")
    fetch = fetching(connection, store, identity_pool_id)
    write(fetch(kept_tokens(connection, store, user_of(connection, store, username))), None)


def fetching(
    connection: Connection, store: FileStore | None, identity_pool_id: str | None
) -> Callable[[Tokens], str]:
    """Return a function that fetches AWS credentials with a user's tokens, and returns them as JSON.

    Args:
        connection: The app client.
        store: Where tokens that had to be refreshed are kept, if anywhere.
        identity_pool_id: The identity pool of the option; None: that of the profile.

    Raises:
        UsageError: There is no identity pool.
            From the function: there is no ID token.
        CognitoFlowError: From the function: Cognito or the identity pool refused, or was not reached; or the
            store cannot be used.
    """
    chosen = identity_pool_id or connection.settings.identity_pool_id
    if chosen is None:
        raise UsageError(
            "which identity pool? Pass --identity-pool, or save it with `cognito-flow configure`"
        )

    def fetch(tokens: Tokens) -> str:
        source = connection.flow(store).token_source(tokens)
        with connection.waiting():
            source.tokens()  # now, so that the identity pool gets what a refresh leaves of the timeout
            left = connection.seconds_left()
            identities = IdentityPool(
                source, connection.app, chosen, timeout=left, system=connection.system()
            )
            return _document(identities.credentials())

    return fetch


def _document(credentials: AwsCredentials) -> str:
    members = {
        "Version": 1,
        "AccessKeyId": credentials.access_key,
        "SecretAccessKey": credentials.secret_key,
        "SessionToken": credentials.token,
        "Expiration": credentials.expires_at.isoformat(),
    }
    return json.dumps(members, indent=2) + "\n"
