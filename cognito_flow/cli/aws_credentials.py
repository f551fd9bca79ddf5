"""The subcommand `credentials`: AWS credentials for ``credential_process`` in an AWS config file.

Rule of this file: standard output holds the credentials or nothing, because AWS's tools parse it.

Source: "Sourcing credentials with an external process" in the AWS SDKs and Tools reference guide.
"""

from __future__ import annotations

import json

from cognito_flow.cli.connection import Connection
from cognito_flow.cli.output import write
from cognito_flow.cli.tokens import kept_tokens, user_of
from cognito_flow.errors import UsageError
from cognito_flow.integrations.aws import AwsCredentials, IdentityPool
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
    identity_pool_id = identity_pool_id or connection.settings.identity_pool_id
    if store is None:
        raise UsageError("which tokens? Pass the --store that `cognito-flow login` keeps them in")
    if identity_pool_id is None:
        raise UsageError(
            "which identity pool? Pass --identity-pool, or save it with `cognito-flow configure`"
        )
    flow = connection.flow(store)
    tokens = kept_tokens(connection, store, user_of(connection, store, username))
    source = flow.token_source(tokens)
    with connection.waiting():
        source.tokens()  # now, so that the identity pool gets what a refresh leaves of the timeout
        left = connection.seconds_left()
        identities = IdentityPool(
            source, connection.app, identity_pool_id, timeout=left, system=connection.system()
        )
        credentials = identities.credentials()
    write(_document(credentials), None)


def _document(credentials: AwsCredentials) -> str:
    members = {
        "Version": 1,
        "AccessKeyId": credentials.access_key,
        "SecretAccessKey": credentials.secret_key,
        "SessionToken": credentials.token,
        "Expiration": credentials.expires_at.isoformat(),
    }
    return json.dumps(members, indent=2) + "\n"
