"""The pool that many tests sign in to."""

from __future__ import annotations

from cognito_flow.testing import LocalCognito, Pool

PASSWORD = "correct horse"


def pool_with_totp(cognito: LocalCognito) -> Pool:
    """A pool that requires a second factor, with the user alice, who has an authenticator app."""
    pool = cognito.create_pool(mfa_configuration="ON", software_token_mfa_configuration={"Enabled": True})
    pool.add_user("alice", PASSWORD, totp=True)
    return pool
