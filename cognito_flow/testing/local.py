"""LocalCognito: what a test creates.

Rule of this file: it creates pools. Clients and servers come from `_reachable`, answers from `_service`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Unpack

import attrs

from cognito_flow.testing._reachable import ReachableService
from cognito_flow.testing.pool import Pool

if TYPE_CHECKING:
    from cognito_flow.testing._members import PoolMembers


@attrs.define(eq=False)
class LocalCognito(ReachableService):
    """User pools in memory that really verify: nothing is accepted that Cognito refuses.

    A pool is reached by the clients of its own region. Requests to LocalCognito over HTTP that are not signed
    name no region, and reach all pools.

    Args:
        region: The region of pools and clients that name no other.
        clock: The clock; advance it to let time pass.
        sleep: Called with the seconds that `faults` delays a call by; the default really waits.

    Attributes:
        outbox: The messages that were sent, newest last; the last 10,000.
        calls: The calls that were made, newest last; the last 10,000.
        faults: Faults of the calls to come, which tests schedule.

    >>> from cognito_flow import UserSrpAuth
    >>> cognito = LocalCognito()
    >>> pool = cognito.create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> pool.flow().start(UserSrpAuth("alice", "correct horse")).username
    'alice'
    """

    def create_pool(
        self,
        pool_name: str = "pool",
        *,
        pool_id: str | None = None,
        region: str | None = None,
        **members: Unpack[PoolMembers],
    ) -> Pool:
        """Create a user pool, through CreateUserPool and SetUserPoolMfaConfig.

        Args:
            pool_name: PoolName.
            pool_id: The pool id, for programs whose settings name one; random if None.
            region: The region of the pool; None is the one in `pool_id`, or else the default one.
            members: The members of both operations, in snake case: ``mfa_configuration="ON"``,
                ``software_token_mfa_configuration={"Enabled": True}``, ``alias_attributes=["email"]`` ...

        Raises:
            TypeError: There is no such member.
            ValueError: The id is in use, is not a pool id, or is of another region.
            botocore.exceptions.ClientError: The service refuses the members.
        """
        if pool_id is not None:
            region = self._region_of(pool_id, region)
        pool = Pool.create(self, pool_name, region or self.region, members)
        if pool_id is not None:
            self._rename(pool.id, pool_id)
            pool.id = pool_id
        return pool

    def pool(self, pool_id: str) -> Pool:
        """An existing user pool, for example one that a seed made.

        Raises:
            KeyError: There is no such pool.
        """
        return Pool(self, self.state(pool_id).id)

    def _region_of(self, pool_id: str, region: str | None) -> str:
        found = re.fullmatch(r"([a-z0-9-]+)_[0-9a-zA-Z]+", pool_id, re.ASCII)
        if found is None or region not in (None, found[1]):
            raise ValueError(
                f"{pool_id!r} is not a pool id: expected {region or self.region}_ and letters or digits"
            )
        if pool_id in self._pools:
            raise ValueError(f"a pool {pool_id} exists already")
        return found[1]

    def _rename(self, drawn: str, wanted: str) -> None:
        pool = self._pools.pop(drawn)
        self._pools[wanted] = attrs.evolve(pool, id=wanted, issuer=pool.issuer.replace(drawn, wanted))
