"""What LocalCognito can be asked, one file for each kind of operation.

Rule of this package: an operation is a function from a `Request` to the members of the answer; its file's
`OPERATIONS` lists it by its name in the service model. The parameters have passed the model's constraints
when it is called.
"""

from cognito_flow.testing.operations import (
    authentication,
    devices,
    management,
    passkeys,
    recovery,
    tokens,
    users,
)
from cognito_flow.testing.operations.request import Operation

__all__ = ["OPERATIONS"]

OPERATIONS: dict[str, Operation] = {
    **authentication.OPERATIONS,
    **devices.OPERATIONS,
    **management.OPERATIONS,
    **passkeys.OPERATIONS,
    **recovery.OPERATIONS,
    **tokens.OPERATIONS,
    **users.OPERATIONS,
}
"""Every operation, by its name."""
