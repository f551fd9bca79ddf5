"""One request, as an operation sees it.

Rule of this file: it finds what a request names (pool, app client, user), or refuses the request with
Cognito's text.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sized
from datetime import datetime
from typing import TypeAlias

import attrs

from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import Client, Grant, User, UserPool
from cognito_flow.testing._state.refusal import Refusal, missing_parameter, not_authorized
from cognito_flow.testing._state.srp_server import secret_hash
from cognito_flow.testing._state.tokens import user_of_access_token
from cognito_flow.testing.outbox import Message

MOST_IN_AN_HOUR = {
    "ChangePassword": 5,
    "ConfirmForgotPassword": 5,
    "ConfirmSignUp": 15,
    "ForgotPassword": 5,
    "GetUserAttributeVerificationCode": 5,
    "ResendConfirmationCode": 5,
    "VerifyUserAttribute": 15,
}
"""How often an operation may be called for each user. (Source: "Quotas in Amazon Cognito". Where the service
allows from 5 to 20, by the risk that it sees, it is 5 here.)"""

MOST_IN_A_POOL = {
    "CreateGroup": 10_000,
    "CreateIdentityProvider": 300,
    "CreateResourceServer": 25,
    "CreateUserPoolClient": 1_000,
}
"""How many of a kind a user pool can have, as long as AWS has not raised it on request. (Source: "Quotas in
Amazon Cognito".)"""


def need(values: Mapping[str, str], name: str) -> str:
    """Return a required parameter. An empty one counts as missing.

    Raises:
        Refusal: It is missing.
    """
    value = values.get(name)
    if not value:
        raise missing_parameter(name)
    return value


def check_secret_hash(client: Client, given: str | None, *names: str) -> None:
    """Check SECRET_HASH, which may be over any of these names.

    Raises:
        Refusal: The app client has a secret, and the hash is missing or wrong.
    """
    if client.secret is None:
        return
    if not given:
        text = f"Client {client.id} is configured with secret but SECRET_HASH was not received"
        raise not_authorized(text)
    right = [secret_hash(client.secret, name, client.id) for name in names]
    if not any(hmac.compare_digest(given.encode(), expected.encode()) for expected in right):
        raise not_authorized(f"Unable to verify secret hash for client {client.id}")


def check_client_secret(client: Client, given: str | None, code: str = "NotAuthorizedException") -> None:
    """Check the client secret itself, for the operations that take it.

    Raises:
        Refusal: The app client has a secret, and it is missing or wrong.
    """
    if client.secret is None:
        return
    if given is None:
        raise Refusal(code, f"Client {client.id} is configured for secret but secret was not received")
    if not hmac.compare_digest(given.encode(), client.secret.encode()):
        raise Refusal(code, f"Invalid client secret for client {client.id}")


@attrs.frozen
class Request:
    """A request that has passed the model's constraints.

    Args:
        operation: The operation's name.
        parameters: Its input.
        region: The region that it is for.
        pools: The pools that it can reach, by id.
        every_pool: The pools of all regions, to add one or delete one.
        outbox: Where messages go.
        now: The time.
    """

    operation: str
    parameters: Members = attrs.field(repr=False)
    region: str
    pools: Mapping[str, UserPool] = attrs.field(repr=False)
    every_pool: dict[str, UserPool] = attrs.field(repr=False)
    outbox: list[Message] = attrs.field(repr=False)
    now: datetime

    @property
    def is_admin(self) -> bool:
        """Whether it is an Admin operation."""
        return self.operation.startswith("Admin")

    @property
    def client_id(self) -> str:
        """The app client that is named, or that the user is signed in to, as triggers see it."""
        if "AccessToken" in self.parameters:
            return self.signed_in()[2].client_id
        return str(self.parameters.get("ClientId", "CLIENT_ID_NOT_APPLICABLE"))

    def pool(self) -> UserPool:
        """The pool that UserPoolId names.

        Raises:
            Refusal: There is no such pool.
        """
        pool_id = self.parameters["UserPoolId"]
        pool = self.pools.get(pool_id)
        if pool is None:
            raise Refusal("ResourceNotFoundException", f"User pool {pool_id} does not exist.")
        return pool

    def client(self) -> tuple[UserPool, Client]:
        """The app client that ClientId names, in the pool of UserPoolId if that is given.

        Raises:
            Refusal: There is no such app client.
        """
        client_id = self.parameters["ClientId"]
        pools = [self.pool()] if "UserPoolId" in self.parameters else self.pools.values()
        for pool in pools:
            if (client := pool.clients.get(client_id)) is not None:
                return pool, client
        raise Refusal("ResourceNotFoundException", f"User pool client {client_id} does not exist.")

    def user(self, pool: UserPool) -> User:
        """The user that Username names in an operation for administrators: by user name, alias or sub.

        Raises:
            Refusal: There is no such user.
        """
        user = pool.find_by_any_name(self.parameters["Username"])
        if user is None:
            raise Refusal("UserNotFoundException", "User does not exist.")
        return user

    def named_user(self) -> tuple[UserPool, Client, User | None]:
        """The user that Username names in an operation without a sign-in, and the app client. It counts the
        attempt, also for an unknown name.

        Raises:
            Refusal: There is no such app client, SecretHash is wrong, or there were too many attempts.
        """
        pool, client = self.client()
        typed = self.parameters["Username"]
        user = pool.find(typed)
        self.check_secret_hash(client, user)
        self.count(pool, pool.own_name(typed))
        return pool, client, user

    def count(self, pool: UserPool, name: str) -> None:
        """Count this attempt at an operation that is limited per user.

        Args:
            pool: The pool.
            name: The user name, or an unknown name.

        Raises:
            Refusal: There were too many within the last hour.
        """
        made = pool.attempts.made(self.operation, name, self.now)
        if made >= MOST_IN_AN_HOUR[self.operation]:
            raise Refusal("LimitExceededException", "Attempt limit exceeded, please try after some time.")
        pool.attempts.count(self.operation, name, self.now)

    def check_quota(self, existing: Sized) -> None:
        """Check that the pool can have another one of a kind.

        Args:
            existing: Those that it has.

        Raises:
            Refusal: It has as many as it can have. The text is LocalCognito's own.
        """
        most = MOST_IN_A_POOL[self.operation]
        if len(existing) >= most:
            kind = self.operation.removeprefix("Create")
            raise Refusal("LimitExceededException", f"Limit exceeded for {kind}: {most} in a user pool.")

    def check_secret_hash(self, client: Client, user: User | None) -> None:
        """Check SecretHash, over Username as it was sent or over the user name.

        Raises:
            Refusal: It is missing or wrong.
        """
        names = (self.parameters["Username"], *(() if user is None else (user.username,)))
        check_secret_hash(client, self.parameters.get("SecretHash"), *names)

    def signed_in(self) -> tuple[UserPool, User, Grant]:
        """The user and sign-in of AccessToken, and the pool.

        Raises:
            Refusal: The token is missing, not of a pool here, expired or revoked.
        """
        token = self.parameters.get("AccessToken")
        if token is None:
            raise missing_parameter("AccessToken")
        for pool in self.pools.values():
            if pool.keys.has_signed(token):
                return pool, *user_of_access_token(pool, token, self.now)
        raise not_authorized("Invalid Access Token")


Operation: TypeAlias = Callable[[Request], Members]
"""An operation: from a request to the members of its answer."""
