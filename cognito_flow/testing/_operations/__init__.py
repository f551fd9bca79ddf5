"""The operations of LocalCognito, one file for each kind.

Rule of this package: an operation is a function from a `Request` to the members of the answer; `OPERATIONS`
of its file lists it by its name in the service model. Its parameters have passed the model's constraints.
"""

from __future__ import annotations

from cognito_flow.testing._operations import (
    administration,
    client_tokens,
    clients,
    directory,
    domains,
    groups,
    identity_providers,
    pools,
    recovery,
    resource_servers,
    session_tracking,
    sign_up,
    tags,
    token_exchange,
    tokens,
)
from cognito_flow.testing._operations.authentication import dispatch as authentication
from cognito_flow.testing._operations.request import Operation
from cognito_flow.testing._operations.signed_in import account as users
from cognito_flow.testing._operations.signed_in import attributes as own_attributes
from cognito_flow.testing._operations.signed_in import devices, mfa, passkeys

OPERATIONS: dict[str, Operation] = {
    **administration.OPERATIONS,
    **authentication.OPERATIONS,
    **client_tokens.OPERATIONS,
    **clients.OPERATIONS,
    **devices.OPERATIONS,
    **directory.OPERATIONS,
    **domains.OPERATIONS,
    **groups.OPERATIONS,
    **identity_providers.OPERATIONS,
    **mfa.OPERATIONS,
    **own_attributes.OPERATIONS,
    **passkeys.OPERATIONS,
    **pools.OPERATIONS,
    **recovery.OPERATIONS,
    **resource_servers.OPERATIONS,
    **session_tracking.OPERATIONS,
    **sign_up.OPERATIONS,
    **tags.OPERATIONS,
    **token_exchange.OPERATIONS,
    **tokens.OPERATIONS,
    **users.OPERATIONS,
}
"""Every operation, by its name."""
