"""What is at each path of a served LocalCognito, besides the API itself.

Rule of this file: a function for each path, from a query to a JSON value; no socket. The paths below
``/.well-known/`` are Cognito's own, those below ``/_local/`` are for tests.

Source: "Verifying JSON web tokens" in the Amazon Cognito developer guide; OpenID Connect Discovery 1.0,
section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPMethod
from typing import TypeAlias

import attrs

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
        restore: Puts everything back as it was when it began to be served.
    """

    cognito: Service
    url: str
    restore: Callable[[], None]

    def page(self, method: str, path: str) -> Page | None:
        """What makes the JSON value of a page from a query, if there is such a page. It raises `Refusal` if
        the query is wrong."""
        pages: Mapping[tuple[str, str], Page] = {
            (HTTPMethod.GET, "/"): lambda query: {"service": "LocalCognito", "pools": self._pools(query)},
            (HTTPMethod.GET, "/_local/pools"): self._pools,
            (HTTPMethod.GET, "/_local/outbox"): self._outbox,
            (HTTPMethod.GET, "/_local/clock"): self._clock,
            (HTTPMethod.POST, "/_local/clock"): self._advance,
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
        """The pool. It is not asked for beforehand whether it is there: a call may just delete it."""
        try:
            return self.cognito.state(pool_id)
        except KeyError:
            return None

    def _openid_configuration(self, pool: UserPool) -> object:
        """Only what is true here: there are no pages for people to sign in at."""
        return {
            "issuer": pool.issuer,
            "jwks_uri": f"{self.url}/{pool.id}/.well-known/jwks.json",
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": ["public"],
            "scopes_supported": ["openid", "email", "phone", "profile"],
            "response_types_supported": [],
        }

    # -- for tests --

    def _pools(self, query: Query) -> list[object]:
        found = map(self._found, self.cognito.pool_ids())
        return [self._pool(pool) for pool in found if pool is not None]

    @staticmethod
    def _pool(pool: UserPool) -> object:
        clients = [
            {"id": client.id, "name": client.members["ClientName"], "secret": client.secret}
            for client in list(pool.clients.values())  # calls go on meanwhile, and may make one
        ]
        return {"id": pool.id, "name": pool.members["Name"], "clients": clients, "users": list(pool.users)}

    def _outbox(self, query: Query) -> list[object]:
        """The messages, newest last. `username` may be an address that they went to, too."""
        messages = list(self.cognito.outbox)
        if (wanted := query.get("username")) is not None:
            # A phone number's "+" that was sent as it is means a space, of which no name has any.
            wanted = wanted.replace(" ", "+")
            messages = [sent for sent in messages if wanted in {sent.username, sent.destination}]
        return [attrs.asdict(message) for message in messages]

    def _clock(self, query: Query) -> object:
        return {"now": self.cognito.clock().isoformat()}

    def _advance(self, query: Query) -> object:
        try:
            self.cognito.clock.advance(float(query["seconds"]))
        except (KeyError, ValueError) as error:
            text = "seconds is to be a number of seconds that the calendar has room for"
            raise invalid_parameter(f"{text}, as in /_local/clock?seconds=90") from error
        return self._clock(query)

    def _reset(self, query: Query) -> object:
        self.restore()
        return {}
