"""IdentityPool: AWS credentials for a user who is signed in, and boto3 sessions that live on them.

Rule of this file: the source keeps the ID token fresh, botocore keeps the AWS credentials fresh, and here the
one is only exchanged for the other.

Source: "Identity pools authentication flow" in the Amazon Cognito developer guide; this is the enhanced flow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

import attrs
import boto3.session
import botocore.session
from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials

from cognito_flow._exchange import Call
from cognito_flow._json import as_object, as_text
from cognito_flow._transport.clients import Clients, unsigned_client
from cognito_flow._transport.drivers import Driver, Wire, one_call
from cognito_flow.errors import TokenExpired, UnexpectedResponse, UsageError
from cognito_flow.models import AppClient, System, Tokens
from cognito_flow.tokens.source import TokenSource

__all__ = ["IdentityPool"]

_METHOD = "cognito-identity-pool"  # how botocore's logs call the origin of the credentials

# The pattern IdentityPoolId of the service model.
_IDENTITY_POOL_ID = re.compile(r"([\w-]+):[0-9a-f-]+", re.ASCII)


class IdentityPool:
    """What an identity pool gives a user of a user pool: an identity, and AWS credentials.

    All sessions share the credentials. They are fetched with the first signed call, and again before they
    end, for as long as the source has tokens. The calls that fetch them are not signed: no other AWS
    credentials are needed or looked for.

    Args:
        source: Where the ID token comes from.
        app: The user pool. The identity pool must have it, with this app client, among its providers.
        identity_pool_id: The identity pool's id, ``<region>:<uuid>``.
        custom_role_arn: Which role to take on, if the identity pool lets users choose among several.
        client: A client for ``cognito-identity`` to be used in place of one that is made here.

    Raises:
        UsageError: The source is not a `TokenSource`, the id cannot be one, or botocore cannot make a client.

    From a session's calls come, beside what they raise themselves, the errors of `identity_id`:

    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.integrations.aws import IdentityPool
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> flow = pool.flow()
    >>> source = flow.token_source(flow.sign_in(UserSrpAuth("alice", "correct horse")).tokens)
    >>> identities = IdentityPool(source, pool.app, "eu-west-1:11111111-2222-3333-4444-555555555555")
    >>> identities.session().client("s3").meta.region_name
    'eu-west-1'
    """

    def __init__(
        self,
        source: TokenSource,
        app: AppClient,
        identity_pool_id: str,
        *,
        custom_role_arn: str | None = None,
        client: object | None = None,
    ) -> None:
        if not isinstance(source, TokenSource):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
            raise UsageError("an identity pool needs a TokenSource: that of an AuthFlow")
        self._source, self._provider = source, _provider_name(app)
        self._identity_pool_id, self._custom_role_arn = identity_pool_id, custom_role_arn
        self._region = _region(identity_pool_id)
        given = unsigned_client("cognito-identity", self._region) if client is None else client
        clients = Clients(app, given, admin=False, service="cognito-identity")
        self._driver = Driver(Wire(clients, System(), None))
        self._identity_id: str | None = None
        self._credentials = DeferredRefreshableCredentials(self.credentials, _METHOD)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._source!r}, {self._identity_pool_id!r})"

    def identity_id(self) -> str:
        """The user's identity id in this pool, ``<region>:<uuid>``. It stays the same; the policies of roles
        know it as ``${cognito-identity.amazonaws.com:sub}``.

        Raises:
            UsageError: There is no ID token.
            Misconfigured: The identity pool does not know this user pool and app client, or has no role.
            NotAuthorized: It refuses this user.
            CognitoFlowError: As with `TokenSource.tokens`.
        """
        if self._identity_id is None:
            output = self._call("GetId", IdentityPoolId=self._identity_pool_id)
            self._identity_id = _text(output, "IdentityId")
        return self._identity_id

    def session(self, region_name: str | None = None) -> boto3.session.Session:
        """A boto3 session with the user's credentials, and no others.

        Args:
            region_name: Where its clients are, if not in the identity pool's region.
        """
        session = botocore.session.Session()
        session.register_component("credential_provider", CredentialResolver([_Provider(self._credentials)]))
        return boto3.session.Session(botocore_session=session, region_name=region_name or self._region)

    def credentials(self) -> dict[str, str]:
        """Fetch new AWS credentials of the user, for programs that cannot use `session`.

        Returns:
            ``access_key``, ``secret_key``, ``token``, and ``expiry_time`` in ISO 8601.

        Raises:
            CognitoFlowError: As with `identity_id`.
        """
        chosen = {} if self._custom_role_arn is None else {"CustomRoleArn": self._custom_role_arn}
        output = self._call("GetCredentialsForIdentity", IdentityId=self.identity_id(), **chosen)
        credentials = as_object(output.get("Credentials")) or {}
        expiration = credentials.get("Expiration")
        if not isinstance(expiration, datetime):
            raise UnexpectedResponse("the credentials of the identity pool have no Expiration")
        return {
            "access_key": _text(credentials, "AccessKeyId"),
            "secret_key": _text(credentials, "SecretKey"),
            "token": _text(credentials, "SessionToken"),
            "expiry_time": expiration.isoformat(),
        }

    def _call(self, operation: str, **parameters: str) -> Mapping[str, object]:
        tokens = self._source.tokens()
        try:
            return self._call_with(tokens, operation, parameters)
        except TokenExpired:
            # A pool may let ID tokens end before access tokens, and the source goes by those.
            fresh = self._source.refresh(tokens.access_token)
            return self._call_with(fresh, operation, parameters)

    def _call_with(
        self, tokens: Tokens, operation: str, parameters: Mapping[str, str]
    ) -> Mapping[str, object]:
        if tokens.id_token is None:
            raise UsageError("there is no ID token for the identity pool: sign in again")
        logins = {self._provider: tokens.id_token}
        call = Call(operation, {**parameters, "Logins": logins})
        return self._driver.run(one_call(call)).data


@attrs.define
class _Provider(CredentialProvider):
    """Where the session's credentials come from."""

    METHOD = _METHOD
    credentials: DeferredRefreshableCredentials

    def load(self) -> DeferredRefreshableCredentials:
        return self.credentials


def _provider_name(app: AppClient) -> str:
    """How Logins names a user pool. That is the regional form, whatever `iss` the pool's tokens have.

    Source: GetId in the Amazon Cognito Federated Identities API reference.
    """
    return attrs.evolve(app, issuer=None).issuer.removeprefix("https://")


def _region(identity_pool_id: str) -> str:
    found = _IDENTITY_POOL_ID.fullmatch(identity_pool_id)
    if found is None:
        raise UsageError(f"{identity_pool_id!r} is not an identity pool id: it has the form <region>:<uuid>")
    return found[1]


def _text(data: Mapping[str, object], name: str) -> str:
    value = as_text(data.get(name))
    if value is None:
        raise UnexpectedResponse(f"the answer of the identity pool has no {name}")
    return value
