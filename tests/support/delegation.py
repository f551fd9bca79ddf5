"""A pool for token exchanges: a user with scopes of an API, and app clients that may act for the user."""

from __future__ import annotations

from typing import Any

import attrs

from cognito_flow import AppClient, SignedIn, Tokens, UserPasswordAuth
from cognito_flow.testing import LocalCognito, Pool

PASSWORD = "Correct-horse-1"
READ, WRITE = "files/read", "files/write"
USER_SCOPE = "aws.cognito.signin.user.admin"
FLOWS = ("ALLOW_TOKEN_EXCHANGE_IMPERSONATION", "ALLOW_TOKEN_EXCHANGE_DELEGATION")
_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:scopes"


def _add_scopes(event: dict[str, Any]) -> dict[str, Any]:
    if event["triggerSource"] != "TokenGeneration_Authentication":
        return event
    event["response"]["claimsAndScopeOverrideDetails"] = {
        "accessTokenGeneration": {"scopesToAdd": [READ, WRITE]}
    }
    return event


@attrs.define
class Delegation:
    """The pool. Alice signs in to `web`; the agent exchanges her tokens."""

    cognito: LocalCognito
    pool: Pool = attrs.field(init=False)
    web: AppClient = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        config: Any = {"PreTokenGenerationConfig": {"LambdaVersion": "V2_0", "LambdaArn": _ARN}}
        self.pool = self.cognito.create_pool(lambda_config=config)
        self.pool.triggers["PreTokenGeneration"] = _add_scopes
        api: Any = self.cognito.client()
        scopes = [{"ScopeName": name, "ScopeDescription": name} for name in ("read", "write", "delete")]
        api.create_resource_server(UserPoolId=self.pool.id, Identifier="files", Name="files", Scopes=scopes)
        self.pool.add_user("alice", PASSWORD, email="alice@example.com")
        self.web = self.pool.app_client(client_name="web")

    def agent(self, *flows: str, secret: bool = False) -> AppClient:
        """An app client that may exchange tokens, in both ways unless flows are named."""
        return self.pool.app_client(secret, flows or FLOWS, "agent", allowed_o_auth_scopes=[READ])

    def machine(self) -> AppClient:
        """An app client that gets tokens of its own."""
        return self.pool.app_client(
            True, ["ALLOW_CLIENT_TOKEN_AUTH"], "machine", allowed_o_auth_scopes=[READ, WRITE]
        )

    def sign_in(self) -> Tokens:
        """Sign alice in to the web application."""
        step = self.pool.flow(self.web).start(UserPasswordAuth("alice", PASSWORD))
        assert isinstance(step, SignedIn)
        return step.tokens
