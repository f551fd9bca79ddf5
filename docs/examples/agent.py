"""An agent that calls a tool on behalf of a user, with a token of its own for each user and tool.

The agent receives the user's access token, verifies it, and proves its own identity by client credentials. It exchanges both for
a token that has only the scopes of the tool and names the agent as the actor, and calls the tool with it. The user's own token
goes nowhere else.
"""

import json
import os
import sys
from collections.abc import Iterable

import httpx
from attrs import frozen

from cognito_flow import AppClient, AuthFlow, ClientCredentialsSource, TokenVerifier


@frozen
class Tool:
    """An API that the agent may call: its URL, and its resource server and scopes in the user pool."""

    url: str
    resource: str
    scopes: tuple[str, ...]


class Missing(Exception):
    """The user has not permitted what the tool needs."""


@frozen
class Agent:
    """The agent. Everything that calls Cognito is an argument, so that a test can use a local pool.

    Args:
        flow: A flow for the app client that exchanges tokens.
        identity: The tokens of the agent itself.
        verifier: Verifies the users' tokens.
        client: Calls the tools.
    """

    flow: AuthFlow
    identity: ClientCredentialsSource
    verifier: TokenVerifier
    client: httpx.Client

    def token_for(self, user_token: str, tool: Tool) -> str:
        self.verifier.verify_access(user_token)
        derived = self.flow.exchange(
            user_token, self.identity.access_token(), scopes=tool.scopes, resources=[tool.resource]
        )
        if missing := set(tool.scopes) - set(
            derived.scopes
        ):  # Cognito leaves out what the user's token lacks
            raise Missing(f"the user has not permitted {', '.join(sorted(missing))}")
        return derived.token

    def call(self, user_token: str, tool: Tool, question: Iterable[tuple[str, str]] = ()) -> object:
        headers = {"Authorization": f"Bearer {self.token_for(user_token, tool)}"}
        response = self.client.get(tool.url, params=list(question), headers=headers)
        response.raise_for_status()
        return response.json()


def from_environment() -> Agent:
    web, exchange, machine = (AppClient.from_env(prefix) for prefix in ("COGNITO_", "AGENT_", "MACHINE_"))
    return Agent(AuthFlow(exchange), ClientCredentialsSource(machine), TokenVerifier(web), httpx.Client())


if __name__ == "__main__":
    orders = Tool(os.environ["ORDERS_URL"], "orders", ("orders/read",))
    print(json.dumps(from_environment().call(sys.stdin.readline().strip(), orders)))
