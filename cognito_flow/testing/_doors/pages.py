"""The pages of a served LocalCognito, other than the API itself.

Rule of this file: a function for each path, from a query to a JSON value; no socket. The paths below
``/.well-known/`` and ``/confirmUser`` are Cognito's own, those below ``/_local/`` are for tests.

Source: "Verifying JSON web tokens" in the Amazon Cognito developer guide; OpenID Connect Discovery 1.0,
section 3; for ``/confirmUser``, the links in the messages of users.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPMethod
from typing import TypeAlias

import attrs

from cognito_flow.testing._operations.sign_up import confirm_by_link
from cognito_flow.testing._service import Service
from cognito_flow.testing._state.records import UserPool
from cognito_flow.testing._state.refusal import invalid_parameter

Query: TypeAlias = Mapping[str, str]
Page: TypeAlias = Callable[[Query], object]


@attrs.frozen
class Site:
    """The pages of one LocalCognito.

    Args:
        cognito: The service.
        url: Where it is served.
        restore: Restores the state at the start of serving.
    """

    cognito: Service
    url: str
    restore: Callable[[], None]

    def page(self, method: str, path: str) -> Page | None:
        """Return the function of a page, if there is one: from a query to a JSON value. It raises `Refusal`
        for a wrong query."""
        pages: Mapping[tuple[str, str], Page] = {
            (HTTPMethod.GET, "/"): lambda query: {"service": "LocalCognito", "pools": self._pools(query)},
            (HTTPMethod.GET, "/confirmUser"): self._confirm_user,
            (HTTPMethod.GET, "/_local/pools"): self._pools,
            (HTTPMethod.GET, "/_local/outbox"): self._outbox,
            (HTTPMethod.GET, "/_local/clock"): self._clock,
            (HTTPMethod.POST, "/_local/clock"): self._move_clock,
            (HTTPMethod.POST, "/_local/configure"): self._configure,
            (HTTPMethod.POST, "/_local/reset"): self._reset,
        }
        return pages.get((method, path)) or self._well_known(method, path)

    # -- Cognito's own --

    def _well_known(self, method: str, path: str) -> Page | None:
        pool_id, _, document = path.removeprefix("/").partition("/.well-known/")
        pool = self._found(pool_id)
        if method != HTTPMethod.GET or pool is None:
            return None
        documents: Mapping[str, Page] = {
            "jwks.json": lambda _: pool.keys.jwks(),
            "openid-configuration": lambda _: self._openid_configuration(pool),
        }
        return documents.get(document)

    def _found(self, pool_id: str) -> UserPool | None:
        """Return the pool, if it exists. A check beforehand would not help: a call may delete it
        meanwhile."""
        try:
            return self.cognito.state(pool_id)
        except KeyError:
            return None

    def _openid_configuration(self, pool: UserPool) -> object:
        """Only what is true here: there is no managed login."""
        return {
            "issuer": pool.issuer,
            "jwks_uri": f"{self.url}/{pool.id}/.well-known/jwks.json",
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": ["public"],
            "scopes_supported": ["openid", "email", "phone", "profile"],
            "response_types_supported": [],
            "token_endpoint": f"{self.url}/oauth2/token",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "grant_types_supported": [
                "client_credentials",
                "refresh_token",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ],
        }

    def _confirm_user(self, query: Query) -> object:
        """Confirm a user, as the link in the message of a sign-up asks."""
        self.cognito.run("ConfirmSignUp", confirm_by_link, dict(query), None)
        return {"message": "Your registration has been confirmed!"}

    # -- for tests --

    def _pools(self, query: Query) -> list[object]:
        found = map(self._found, self.cognito.pool_ids())
        return [_described(pool) for pool in found if pool is not None]

    def _configure(self, query: Query) -> object:
        """Change settings of the pool that `pool` names, as `Pool.configure` does."""
        pool = self._found(query.get("pool", ""))
        if pool is None:
            text = "pool must be the id of a pool, as in /_local/configure?pool=eu-west-1_Example1&skew=60"
            raise invalid_parameter(text)
        try:
            pool.configure({name: _value(text) for name, text in query.items() if name != "pool"})
        except ValueError as error:
            raise invalid_parameter(str(error)) from error
        return _described(pool)

    def _outbox(self, query: Query) -> list[object]:
        """The messages, newest last. `username` may also be the address that they were sent to."""
        messages = list(self.cognito.outbox)
        if (wanted := query.get("username")) is not None:
            # In a query, the "+" of a phone number means a space, which no name has.
            wanted = wanted.replace(" ", "+")
            messages = [sent for sent in messages if wanted in {sent.username, sent.destination}]
        return [attrs.asdict(message) for message in messages]

    def _clock(self, query: Query) -> object:
        return {
            "now": self.cognito.clock().isoformat(),
            "ahead": self.cognito.clock.ahead.total_seconds(),
            "note": _CLOCK_NOTE,
        }

    def _move_clock(self, query: Query) -> object:
        try:
            if "ahead" in query:
                self.cognito.clock.set_ahead(float(query["ahead"]))
            else:
                self.cognito.clock.advance(float(query["seconds"]))
        except (KeyError, ValueError) as error:
            text = "seconds or ahead must be a number of seconds within the calendar"
            raise invalid_parameter(f"{text}, as in /_local/clock?seconds=90") from error
        return self._clock(query)

    def _reset(self, query: Query) -> object:
        self.restore()
        return {}


_CLOCK_NOTE = (
    "While ahead is not 0, programs with the real time send SRP proofs whose TIMESTAMP is too old, and "
    "TOTP codes that have expired. POST /_local/clock?ahead=0 returns to the real time."
)


def _described(pool: UserPool) -> object:
    clients = [
        {"id": client.id, "name": client.members["ClientName"], "secret": client.secret}
        for client in list(pool.clients.values())  # a copy: calls in other threads may add one meanwhile
    ]
    users = [
        {
            "username": user.username,
            "name": pool.display_name(user),
            "status": user.status,
            "totp_secret": user.totp_secret,
        }
        for user in list(pool.users.values())
    ]
    settings = {**attrs.asdict(pool.settings), "issuer": pool.issuer}
    return {
        "id": pool.id,
        "name": pool.members["Name"],
        "clients": clients,
        "users": users,
        "settings": settings,
    }


def _value(text: str) -> object:
    """Convert a setting from a query."""
    if text in {"true", "false"}:
        return text == "true"
    try:
        return float(text)
    except ValueError:
        return text
