"""UserAdmin and AsyncUserAdmin: create, find and prepare users, for set-up scripts and tests.

Rule of this file: these four methods and nothing more. They save the steps that scripts get wrong; every
other Admin operation is one call of boto3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, Self, TypeAlias, TypeVar

import attrs

from cognito_flow._checks import check_list, check_text
from cognito_flow._exchange import Exchange, Response
from cognito_flow._tracebacks import without_locals
from cognito_flow._transport.clients import Clients
from cognito_flow._transport.drivers import AsyncDriver, Driver, Transport
from cognito_flow._turn import Settings, Turn
from cognito_flow.account._members import attributes as read_attributes
from cognito_flow.account._members import name_value_pairs, need_text
from cognito_flow.account._pages import all_pages
from cognito_flow.errors import InvalidInput, SeveralUsers, UsageError, UserExists, UserNotFound
from cognito_flow.models import AppClient, System, need_pool_id

__all__ = ["AsyncUserAdmin", "EnsuredUser", "PoolUser", "UserAdmin"]

T = TypeVar("T")

Address: TypeAlias = Literal["email", "phone_number"]
"""An attribute that can be verified."""

_ADDRESSES = ("email", "phone_number")


@attrs.frozen(kw_only=True)
class PoolUser:
    """A user as administrators see them.

    Args:
        username: The user name in the pool; in pools that sign in by address, the same as `sub`.
        attributes: All attributes of the user, as text.
        status: For example ``CONFIRMED``, ``FORCE_CHANGE_PASSWORD`` or ``UNCONFIRMED``.
        enabled: Whether the user may sign in.

    Source: UserType in the Amazon Cognito API reference.
    """

    username: str
    attributes: Mapping[str, str] = attrs.field(repr=False)
    status: str
    enabled: bool

    @property
    def sub(self) -> str:
        """The user's permanent id, which is the claim `sub` of their tokens."""
        return self.attributes.get("sub", "")

    def is_verified(self, attribute: Address) -> bool:
        """Whether an address is marked as verified.

        Args:
            attribute: ``email`` or ``phone_number``.
        """
        return self.attributes.get(f"{attribute}_verified", "").lower() == "true"

    @classmethod
    def read(cls, data: Mapping[str, object], attributes: str) -> Self:
        """Read what Cognito says of a user.

        Args:
            data: The output.
            attributes: The member with the attributes, whose name differs between operations.
        """
        return cls(
            username=need_text(data, "Username"),
            attributes=read_attributes(data.get(attributes)),
            status=need_text(data, "UserStatus"),
            enabled=data.get("Enabled") is True,
        )


@attrs.frozen
class EnsuredUser:
    """What `UserAdmin.ensure_user` found or made.

    Args:
        user: The user, as they are now.
        created: Whether this call created them.
    """

    user: PoolUser
    created: bool


@attrs.frozen
class _UserExchanges:
    """The calls of both classes."""

    settings: Settings

    def _call(self, operation: str, username: str, members: Mapping[str, object]) -> Exchange[Response]:
        request = {
            "UserPoolId": need_pool_id(self.settings.app),
            "Username": check_text("the user name", username),
            **members,
        }
        return (yield from Turn(settings=self.settings).call(operation, request))

    def ensure_user(
        self,
        username: str,
        password: str | None,
        attributes: Mapping[str, str] | None,
        verified: Iterable[Address],
    ) -> Exchange[EnsuredUser]:
        """AdminGetUser, AdminCreateUser if there is no such user, then what they lack."""
        if password is not None:
            check_text("the password", password)
        wanted = {**(attributes or {}), **_marks(verified)}
        user = yield from self._get(username)
        created = user is None and (yield from self._create(username, wanted))
        if user is None:
            user = yield from self._need(username)
        if changes := _changes(user, wanted):
            members = {"UserAttributes": name_value_pairs("attribute", changes)}
            yield from self._call("AdminUpdateUserAttributes", username, members)
        if password is not None:
            yield from self.set_password(username, password, permanent=True)
        if changes or password is not None:
            user = yield from self._need(username)
        return EnsuredUser(user, created)

    def _create(self, username: str, attributes: Mapping[str, str]) -> Exchange[bool]:
        """Create the user without a message. False: another process was faster."""
        members = {
            "UserAttributes": name_value_pairs("attribute", attributes),
            "MessageAction": "SUPPRESS",
        }
        try:
            yield from self._call("AdminCreateUser", username, members)
        except UserExists:
            return False
        return True

    def set_password(self, username: str, password: str, permanent: bool) -> Exchange[None]:
        """AdminSetUserPassword."""
        members = {"Password": check_text("the password", password), "Permanent": permanent}
        yield from self._call("AdminSetUserPassword", username, members)

    def add_to_group(self, username: str, group: str) -> Exchange[None]:
        """AdminAddUserToGroup."""
        members = {"GroupName": check_text("the name of the group", group)}
        yield from self._call("AdminAddUserToGroup", username, members)

    def find_user(self, username: str | None, **others: str | None) -> Exchange[PoolUser | None]:
        """AdminGetUser for a user name, and ListUsers for another attribute."""
        given = {name: value for name, value in {"username": username, **others}.items() if value is not None}
        if len(given) != 1:
            raise UsageError("name the user by exactly one of username, email, phone_number and sub")
        ((name, value),) = given.items()
        if name == "username":
            return (yield from self._get(value))
        return (yield from self._search(name, value))

    def _get(self, username: str) -> Exchange[PoolUser | None]:
        try:
            return (yield from self._need(username))
        except UserNotFound:
            return None

    def _need(self, username: str) -> Exchange[PoolUser]:
        response = yield from self._call("AdminGetUser", username, {})
        return PoolUser.read(response.data, "UserAttributes")

    def _search(self, attribute: str, value: str) -> Exchange[PoolUser | None]:
        members = {"UserPoolId": need_pool_id(self.settings.app), "Filter": _filter(attribute, value)}
        turn = Turn(settings=self.settings)
        found = yield from all_pages(turn, "ListUsers", "Users", "PaginationToken", members)
        users = [PoolUser.read(one, "Attributes") for one in found]
        if len(users) > 1:
            error = SeveralUsers(f"{len(users)} users have this {attribute}: find the user by name or sub")
            error.usernames = tuple(user.username for user in users)
            raise error
        return users[0] if users else None


def _marks(verified: Iterable[Address]) -> dict[str, str]:
    """The attributes that mark addresses as verified."""
    names = check_list("verified", verified)
    for name in names:
        if name not in _ADDRESSES:
            raise UsageError(f"{name!r} cannot be verified: only email and phone_number can")
    return {f"{name}_verified": "true" for name in names}


def _changes(user: PoolUser, wanted: Mapping[str, str]) -> dict[str, str]:
    """The attributes that the user lacks, and with a new address its mark: without the mark, Cognito
    unverifies the address and may send a code to it.

    Source: AdminUpdateUserAttributes in the Amazon Cognito API reference.
    """
    changed = {name for name, value in wanted.items() if user.attributes.get(name, "") != value}
    marks = {f"{name}_verified" for name in changed}
    return {name: value for name, value in wanted.items() if name in changed | marks}


def _filter(attribute: str, value: str) -> str:
    """The Filter of ListUsers for one value.

    Quotation marks in it are escaped. A backslash is refused: how Cognito reads one is not documented.

    Source: Filter of ListUsers in the Amazon Cognito API reference.
    """
    if "\\" in check_text(f"the {attribute}", value):
        raise InvalidInput(f"the {attribute} contains a backslash, which Cognito cannot search for")
    escaped = value.replace('"', '\\"')
    return f'{attribute} = "{escaped}"'


class _Admin:
    """What both classes share."""

    def __init__(
        self, app: AppClient | str, client: object | None = None, *, system: System | None = None
    ) -> None:
        if not isinstance(app, AppClient):
            app = AppClient(app, "any")  # these operations name no app client
        settings = Settings(app=app, system=System() if system is None else system)
        self._exchanges = _UserExchanges(settings)
        self._transport = Transport(Clients(app, client, admin=True), settings.system, None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._exchanges.settings.app.pool_id!r})"


@without_locals
class UserAdmin(_Admin):
    """Creates, finds and prepares users of a pool, with AWS credentials: for set-up scripts and tests.

    A user name can also be an alias or a `sub`, as in Cognito's own Admin operations. Every method may raise,
    in addition to what its own description lists:

    - `Misconfigured`: the AWS credentials do not permit the operation, or there is no such pool.
    - `UsageError`: there are no AWS credentials.
    - `TryLater`: no response came, or there were too many requests.

    Args:
        app: An app client of the pool, such as `AuthFlow.app`, or the pool's id.
        client: A boto3 client for ``cognito-idp``. If None, a signed client is made, which finds AWS
            credentials as boto3 does.
        system: Clock, randomness and sleep, for tests.

    >>> from cognito_flow.admin import UserAdmin
    >>> from cognito_flow.testing import LocalCognito
    >>> cognito = LocalCognito()
    >>> pool = cognito.create_pool()
    >>> users = UserAdmin(pool.app, cognito.client())
    >>> ensured = users.ensure_user("alice", "Correct-horse-1", attributes={"email": "alice@example.com"})
    >>> ensured.created, ensured.user.status
    (True, 'CONFIRMED')
    """

    def _run(self, exchange: Exchange[T]) -> T:
        return Driver(self._transport).run(exchange)

    def ensure_user(
        self,
        username: str,
        password: str | None = None,
        *,
        attributes: Mapping[str, str] | None = None,
        verified: Iterable[Address] = (),
    ) -> EnsuredUser:
        """Create a user who can sign in, or bring an existing one into this state, without an invitation.

        Calling it again changes nothing more. What is not named stays as it is, and a disabled user stays
        disabled. If it fails half-way, call it again.

        Args:
            username: The user name; in pools that sign in by address, the address.
            password: The permanent password. None: an existing user's password stays as it is, and a new user
                has none that is known.
            attributes: Attributes by name; custom attributes as ``custom:...``.
            verified: The addresses to mark as verified: ``email``, ``phone_number``. If you change an address
                that is not among them, Cognito may send a code to it.

        Raises:
            PasswordRejected: The password breaks the pool's policy or history rule. The user exists by then.
            InputRejected: An attribute is invalid.
            AliasExists: An address belongs to another user, as an alias.
            TriggerRefused: The pool's PreSignUp trigger refused.

        Source: AdminCreateUser and AdminSetUserPassword in the Amazon Cognito API reference.
        """
        return self._run(self._exchanges.ensure_user(username, password, attributes, verified))

    def set_password(self, username: str, password: str, *, permanent: bool = True) -> None:
        """Set a user's password. It also confirms a user who has not confirmed their sign-up.

        Args:
            username: The user name.
            password: The password.
            permanent: False: the user must replace it at the next sign-in.

        Raises:
            PasswordRejected: The password breaks the pool's policy or history rule.
            UserNotFound: There is no such user.
        """
        self._run(self._exchanges.set_password(username, password, permanent))

    def add_to_group(self, username: str, group: str) -> None:
        """Add a user to a group. Adding them twice does not raise.

        Args:
            username: The user name.
            group: The name of the group, which must exist.

        Raises:
            UserNotFound: There is no such user.
            ServiceError: There is no such group.
        """
        self._run(self._exchanges.add_to_group(username, group))

    def find_user(
        self,
        username: str | None = None,
        *,
        email: str | None = None,
        phone_number: str | None = None,
        sub: str | None = None,
    ) -> PoolUser | None:
        """Find a user by exactly one of these, or return None.

        Cognito's search is not immediate: a user who was created a moment ago may not be found by address or
        sub yet.

        Args:
            username: The user name.
            email: The e-mail address, verified or not; compared without case.
            phone_number: The phone number, verified or not, such as ``+31612345678``.
            sub: The permanent id.

        Raises:
            SeveralUsers: The address belongs to several users.
            InvalidInput: It contains a backslash, or is empty.
            UsageError: None or more than one was given.

        Source: ListUsers in the Amazon Cognito API reference.
        """
        return self._run(self._exchanges.find_user(username, email=email, phone_number=phone_number, sub=sub))


@without_locals
class AsyncUserAdmin(_Admin):
    """`UserAdmin` for asyncio: the same names, awaitable.

    Args:
        app: As for `UserAdmin`.
        client: A boto3 client, which is called in worker threads, or an aiobotocore client.
        system: As for `UserAdmin`.
    """

    async def _run(self, exchange: Exchange[T]) -> T:
        return await AsyncDriver(self._transport).run(exchange)

    async def ensure_user(
        self,
        username: str,
        password: str | None = None,
        *,
        attributes: Mapping[str, str] | None = None,
        verified: Iterable[Address] = (),
    ) -> EnsuredUser:
        """Create a user who can sign in, or bring an existing one into this state. See
        `UserAdmin.ensure_user`.

        Args:
            username: The user name; in pools that sign in by address, the address.
            password: The permanent password. None: an existing user's password stays as it is, and a new user
                has none that is known.
            attributes: Attributes by name; custom attributes as ``custom:...``.
            verified: The addresses to mark as verified: ``email``, ``phone_number``. If you change an address
                that is not among them, Cognito may send a code to it.

        Raises:
            PasswordRejected: The password breaks the pool's policy or history rule. The user exists by then.
            InputRejected: An attribute is invalid.
            AliasExists: An address belongs to another user, as an alias.
            TriggerRefused: The pool's PreSignUp trigger refused.
        """
        return await self._run(self._exchanges.ensure_user(username, password, attributes, verified))

    async def set_password(self, username: str, password: str, *, permanent: bool = True) -> None:
        """Set a user's password.

        Args:
            username: The user name.
            password: The password.
            permanent: False: the user must replace it at the next sign-in.

        Raises:
            PasswordRejected: The password breaks the pool's policy or history rule.
            UserNotFound: There is no such user.
        """
        await self._run(self._exchanges.set_password(username, password, permanent))

    async def add_to_group(self, username: str, group: str) -> None:
        """Add a user to a group.

        Args:
            username: The user name.
            group: The name of the group, which must exist.

        Raises:
            UserNotFound: There is no such user.
            ServiceError: There is no such group.
        """
        await self._run(self._exchanges.add_to_group(username, group))

    async def find_user(
        self,
        username: str | None = None,
        *,
        email: str | None = None,
        phone_number: str | None = None,
        sub: str | None = None,
    ) -> PoolUser | None:
        """Find a user by exactly one of these, or return None.

        Args:
            username: The user name.
            email: The e-mail address, verified or not; compared without case.
            phone_number: The phone number, verified or not, such as ``+31612345678``.
            sub: The permanent id.

        Raises:
            SeveralUsers: The address belongs to several users.
            InvalidInput: It contains a backslash, or is empty.
            UsageError: None or more than one was given.
        """
        return await self._run(
            self._exchanges.find_user(username, email=email, phone_number=phone_number, sub=sub)
        )
