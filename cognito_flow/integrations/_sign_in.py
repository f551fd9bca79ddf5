"""Token sources for programs that have a name and a password: what the HTTP adapters share."""

from __future__ import annotations

from cognito_flow._tracebacks import without_locals
from cognito_flow.credentials import UserSrpAuth
from cognito_flow.flow import Ask, AsyncAsk, AsyncAuthFlow, AuthFlow
from cognito_flow.models import AppClient
from cognito_flow.tokens.source import AsyncTokenSource, TokenSource


@without_locals
def sign_in(app: AppClient | AuthFlow, username: str, password: str, ask: Ask | None) -> TokenSource:
    """Sign in by SRP and return a source of fresh tokens. See `AuthFlow.sign_in`."""
    flow = AuthFlow(app) if isinstance(app, AppClient) else app
    signed_in = flow.sign_in(UserSrpAuth(username, password), ask=ask)
    return flow.token_source(signed_in.tokens)


@without_locals
async def sign_in_async(
    app: AppClient | AsyncAuthFlow, username: str, password: str, ask: AsyncAsk | None
) -> AsyncTokenSource:
    """Sign in by SRP and return a source of fresh tokens. See `AsyncAuthFlow.sign_in`."""
    flow = AsyncAuthFlow(app) if isinstance(app, AppClient) else app
    signed_in = await flow.sign_in(UserSrpAuth(username, password), ask=ask)
    return flow.token_source(signed_in.tokens)
