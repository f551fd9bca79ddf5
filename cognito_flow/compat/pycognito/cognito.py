"""Cognito: a user pool, an app client and one user, with the user's tokens as attributes.

Rule of this file: the object changes as pycognito's does, so it is for one user and one thread.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import boto3

from cognito_flow import (
    AppClient,
    AuthFlow,
    TokenRejected,
    Tokens,
    TokenVerifier,
    UserPasswordAuth,
)
from cognito_flow._jwt import unverified_moment
from cognito_flow._tracebacks import without_locals
from cognito_flow.compat.pycognito._steps import errors_of_botocore, response_of, tokens_of
from cognito_flow.compat.pycognito.aws_srp import AWSSRP
from cognito_flow.compat.pycognito.exceptions import MFAChallengeException, TokenVerificationException
from cognito_flow.compat.pycognito.records import GroupObj, UserObj, dict_to_cognito

__all__ = ["Cognito"]

_MOST_GROUPS = 60  # the most that one page may hold


@without_locals
class Cognito:
    """A user pool, an app client and one user.

    Args:
        user_pool_id: The user pool's id.
        client_id: The app client's id.
        user_pool_region: The region, if it is not the one in the pool's id.
        username: The user name.
        id_token: An ID token from earlier.
        refresh_token: A refresh token from earlier.
        access_token: An access token from earlier.
        client_secret: The app client's secret, if it has one.
        access_key: An AWS access key, for the Admin operations.
        secret_key: Its secret.
        session: A boto3 session that makes the client.
        botocore_config: A botocore Config for the client.
        boto3_client_kwargs: More arguments for the client, such as ``endpoint_url``.

    The attributes `id_token`, `access_token`, `refresh_token`, `token_type`, `id_claims` and `access_claims`
    are set when the user signs in; the tokens are verified before. `client` is the boto3 client.
    """

    user_class: type[UserObj] = UserObj
    group_class: type[GroupObj] = GroupObj

    def __init__(
        self,
        user_pool_id: str,
        client_id: str,
        user_pool_region: str | None = None,
        username: str | None = None,
        id_token: str | None = None,
        refresh_token: str | None = None,
        access_token: str | None = None,
        client_secret: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
        session: object | None = None,
        botocore_config: object | None = None,
        boto3_client_kwargs: Mapping[str, object] | None = None,
    ) -> None:
        self.user_pool_id = user_pool_id
        self.client_id = client_id
        self.user_pool_region: str = user_pool_region or user_pool_id.partition("_")[0]
        self.username = username
        self.id_token = id_token
        self.access_token = access_token
        self.refresh_token = refresh_token
        self.client_secret = client_secret
        self.token_type: str | None = None
        self.id_claims: Mapping[str, object] | None = None
        self.access_claims: Mapping[str, object] | None = None
        self.custom_attributes: dict[str, object] | None = None
        self.base_attributes: dict[str, object] | None = None
        self.mfa_tokens: Mapping[str, object] | None = None
        options = {**(boto3_client_kwargs or {}), "region_name": self.user_pool_region}
        if access_key and secret_key:
            options |= {"aws_access_key_id": access_key, "aws_secret_access_key": secret_key}
        if botocore_config:
            options["config"] = botocore_config
        endpoint_url = options.get("endpoint_url")
        self.pool_domain_url: str | None = None if endpoint_url is None else str(endpoint_url)
        # boto3's clients have no static type: a program calls any operation of this one.
        self.client: Any = cast("Any", session or boto3).client("cognito-idp", **options)
        self._verifier: tuple[AppClient, TokenVerifier] | None = None

    @property
    def user_pool_url(self) -> str:
        """The issuer of the pool's tokens: below the endpoint of the client, if it has one."""
        if self.pool_domain_url:
            return f"{self.pool_domain_url}/{self.user_pool_id}"
        return AppClient(self.user_pool_id, self.client_id).issuer

    # -- signing in --

    def authenticate(self, password: str, client_metadata: Mapping[str, str] | None = None) -> None:
        """Sign the user in. The password is proven by SRP and not sent.

        Args:
            password: The password.
            client_metadata: For the pool's Lambda triggers.

        Raises:
            ForceChangePasswordException: The password is temporary: call `new_password_challenge`.
            MFAChallengeException: Cognito asks for a code; the attribute `mfa_tokens` keeps the challenge.
            NotImplementedError: Cognito asks for something else.
            TokenVerificationException: The tokens are not genuine.
            ClientError: Cognito refused.
        """
        try:
            response = self._srp(password).authenticate_user(client_metadata=client_metadata)
        except MFAChallengeException as asked:
            self.mfa_tokens = asked.get_tokens()
            raise
        self._take(response)

    def admin_authenticate(self, password: str) -> None:
        """Sign the user in with AWS credentials; the password is sent. Raises as `authenticate` does."""
        flow = AuthFlow(self._app(), self.client, admin=True)
        try:
            with errors_of_botocore(self.client):
                step = flow.start(UserPasswordAuth(self._name(), password, legacy=True))
            self._take(response_of(step))
        except MFAChallengeException as asked:
            self.mfa_tokens = asked.get_tokens()
            raise

    def new_password_challenge(self, password: str, new_password: str) -> None:
        """Sign the user in with a temporary password, and replace it."""
        self._take(self._srp(password).set_new_password_challenge(new_password))

    def respond_to_software_token_mfa_challenge(
        self, code: str, mfa_tokens: Mapping[str, object] | None = None
    ) -> None:
        """Answer with the code of the authenticator app.

        Args:
            code: The code.
            mfa_tokens: The challenge, if another object met it.
        """
        self._answer("SOFTWARE_TOKEN_MFA", str(code), mfa_tokens)

    def respond_to_sms_mfa_challenge(self, code: str, mfa_tokens: Mapping[str, object] | None = None) -> None:
        """Answer with the code that Cognito sent by SMS.

        Args:
            code: The code.
            mfa_tokens: The challenge, if another object met it.
        """
        self._answer("SMS_MFA", str(code), mfa_tokens)

    def _answer(self, name: str, code: str, mfa_tokens: Mapping[str, object] | None) -> None:
        asked = mfa_tokens or self.mfa_tokens or {}
        flow = self._flow()
        challenge = flow.resume(name, cast("str | None", asked.get("Session")), self._name())
        with errors_of_botocore(self.client):
            step = flow.send(cast("Any", challenge).answer(code))
        self._take(response_of(step))

    def renew_access_token(self) -> None:
        """Get new tokens with the refresh token, also with rotation and for devices."""
        refresh_token = self.refresh_token or ""
        before: Tokens | str = refresh_token
        if self.access_token is not None:
            before = Tokens.from_jwts(self.access_token, self.id_token, refresh_token)
        with errors_of_botocore(self.client):
            tokens = self._flow().refresh(before)
        self._take({"AuthenticationResult": tokens_of(tokens)})

    def logout(self) -> None:
        """Sign the user out everywhere, and forget the tokens."""
        self.client.global_sign_out(AccessToken=self.access_token)
        self.id_token = self.refresh_token = self.access_token = self.token_type = None

    def _take(self, response: Mapping[str, object]) -> None:
        """Verify the tokens of a response, and keep them."""
        if "AuthenticationResult" not in response:
            raise NotImplementedError(f"{response['ChallengeName']} is not supported: use AuthFlow")
        result = cast("Mapping[str, str]", response["AuthenticationResult"])
        self.verify_token(result["AccessToken"], "access_token", "access")
        self.verify_token(result["IdToken"], "id_token", "id")
        self.refresh_token = result.get("RefreshToken", self.refresh_token)
        self.token_type = result["TokenType"]

    # -- tokens --

    def check_token(self, renew: bool = True) -> bool:
        """Return whether the access token has expired.

        Args:
            renew: Whether to get new tokens if it has.

        Raises:
            AttributeError: There is no access token.
        """
        if not self.access_token:
            raise AttributeError("there is no access token: sign in first")
        expires_at = unverified_moment(self.access_token, "exp")
        has_expired = expires_at is None or datetime.now(UTC) > expires_at
        if has_expired and renew:
            self.renew_access_token()
        return has_expired

    def verify_tokens(self) -> None:
        """Verify the ID token and the access token, and set `id_claims` and `access_claims`.

        Raises:
            TokenVerificationException: One is not genuine, not of this app client, or has expired.
        """
        self.verify_token(self.id_token, "id_token", "id")
        self.verify_token(self.access_token, "access_token", "access")

    def verify_token(self, token: str | None, id_name: str, token_use: str) -> Mapping[str, object]:
        """Verify a token, keep it with its claims, and return the claims.

        Args:
            token: The token.
            id_name: The attribute that keeps it: ``id_token`` or ``access_token``.
            token_use: ``id`` or ``access``.

        Raises:
            TokenVerificationException: It is not genuine, not of this app client, or has expired.
        """
        verifier = self._token_verifier()
        verify = verifier.verify_id if token_use == "id" else verifier.verify_access
        try:
            claims = verify(token or "").claims
        except TokenRejected as error:
            raise TokenVerificationException(f"{id_name} could not be verified: {error}") from None
        setattr(self, id_name, token)
        setattr(self, f"{token_use}_claims", claims)
        return claims

    def _token_verifier(self) -> TokenVerifier:
        app = self._app()
        if self._verifier is None or self._verifier[0] != app:
            fetch = _keys_of_the_environment if "COGNITO_JWKS" in os.environ else None
            self._verifier = app, TokenVerifier(app, leeway=0, fetch=fetch)
        return self._verifier[1]

    # -- sign-up and passwords --

    def set_base_attributes(self, **kwargs: object) -> None:
        """Set the attributes of the user whom `register` creates."""
        self.base_attributes = kwargs

    def add_custom_attributes(self, **kwargs: object) -> None:
        """Set the custom attributes of the user whom `register` creates, without ``custom:``."""
        self.custom_attributes = {f"custom:{name}": value for name, value in kwargs.items()}

    def register(
        self,
        username: str,
        password: str,
        attr_map: Mapping[str, str] | None = None,
        client_metadata: Mapping[str, str] | None = None,
    ) -> dict[str, object]:
        """Sign the user up, and return Cognito's response. The object does not keep the password.

        Args:
            username: The user name.
            password: The password.
            attr_map: Names of attributes here, by Cognito's names.
            client_metadata: For the pool's Lambda triggers.
        """
        attributes = {**(self.base_attributes or {}), **(self.custom_attributes or {})}
        request: dict[str, object] = {
            "Password": password,
            "UserAttributes": dict_to_cognito(attributes, attr_map),
        }
        if client_metadata is not None:
            request["ClientMetadata"] = client_metadata
        response = self.client.sign_up(**self._public(username), **request)
        return self._remember(response, {**attributes, "username": username})

    def confirm_sign_up(self, confirmation_code: str, username: str | None = None) -> None:
        """Confirm the sign-up with the code that Cognito sent."""
        code = {"ConfirmationCode": confirmation_code}
        self.client.confirm_sign_up(**self._public(username or self.username), **code)

    def admin_confirm_sign_up(self, username: str | None = None) -> None:
        """Confirm the sign-up without a code."""
        self.client.admin_confirm_sign_up(**self._in_pool(username or self.username))

    def resend_confirmation_code(self, username: str) -> None:
        """Send the code for the sign-up again."""
        self.client.resend_confirmation_code(**self._public(username))

    def initiate_forgot_password(self) -> None:
        """Send a code for a new password."""
        self.client.forgot_password(**self._public(self.username))

    def confirm_forgot_password(self, confirmation_code: str, password: str) -> None:
        """Set a new password with the code. The object does not keep the password."""
        members = {"ConfirmationCode": confirmation_code, "Password": password}
        self.client.confirm_forgot_password(**self._public(self.username), **members)

    def change_password(self, previous_password: str, proposed_password: str) -> None:
        """Change the password. The object does not keep it."""
        self.check_token()
        self.client.change_password(
            PreviousPassword=previous_password,
            ProposedPassword=proposed_password,
            AccessToken=self.access_token,
        )

    # -- the user's attributes --

    def get_user(self, attr_map: Mapping[str, str] | None = None) -> UserObj:
        """Return the user, by the access token.

        Args:
            attr_map: Names of attributes there, by Cognito's names.
        """
        user = self.client.get_user(AccessToken=self.access_token)
        metadata = {"username": user["Username"], **self._tokens()}
        return self.get_user_obj(self.username, user["UserAttributes"], metadata, attr_map)

    def admin_get_user(self, attr_map: Mapping[str, str] | None = None) -> UserObj:
        """Return the user, with AWS credentials.

        Args:
            attr_map: Names of attributes there, by Cognito's names.
        """
        user = self.client.admin_get_user(**self._in_pool(self.username))
        metadata = {
            "enabled": user.get("Enabled"),
            "user_status": user.get("UserStatus"),
            "username": user.get("Username"),
            "create_date": user.get("UserCreateDate"),
            "modified_date": user.get("UserLastModifiedDate"),
            **self._tokens(),
        }
        return self.get_user_obj(self.username, user["UserAttributes"], metadata, attr_map)

    def get_users(self, attr_map: Mapping[str, str] | None = None) -> list[UserObj]:
        """Return all users of the pool, with AWS credentials.

        Args:
            attr_map: Names of attributes there, by Cognito's names.
        """
        pages = self.client.get_paginator("list_users").paginate(UserPoolId=self.user_pool_id)
        return [
            self.get_user_obj(
                user["Username"], user.get("Attributes", ()), {"username": user["Username"]}, attr_map
            )
            for page in pages
            for user in page["Users"]
        ]

    def get_user_obj(
        self,
        username: str | None = None,
        attribute_list: Iterable[Mapping[str, str]] | None = None,
        metadata: Mapping[str, object] | None = None,
        attr_map: Mapping[str, str] | None = None,
    ) -> UserObj:
        """Return a `UserObj`, or an instance of the `user_class` of a subclass."""
        return self.user_class(
            username=username,
            attribute_list=attribute_list or (),
            cognito_obj=self,
            metadata=metadata,
            attr_map=attr_map,
        )

    def update_profile(self, attrs: Mapping[str, object], attr_map: Mapping[str, str] | None = None) -> None:
        """Change attributes, by the access token.

        Args:
            attrs: The attributes.
            attr_map: Names of attributes here, by Cognito's names.
        """
        members = {"UserAttributes": dict_to_cognito(attrs, attr_map)}
        self.client.update_user_attributes(AccessToken=self.access_token, **members)

    def admin_update_profile(
        self, attrs: Mapping[str, object], attr_map: Mapping[str, str] | None = None
    ) -> None:
        """Change attributes, with AWS credentials. The arguments are those of `update_profile`."""
        members = {"UserAttributes": dict_to_cognito(attrs, attr_map)}
        self.client.admin_update_user_attributes(**self._in_pool(self.username), **members)

    def send_verification(self, attribute: str = "email") -> None:
        """Send a code to an address of the user."""
        self.check_token()
        self.client.get_user_attribute_verification_code(
            AccessToken=self.access_token, AttributeName=attribute
        )

    def validate_verification(self, confirmation_code: str, attribute: str = "email") -> dict[str, object]:
        """Verify the address with the code, and return Cognito's response."""
        self.check_token()
        response: dict[str, object] = self.client.verify_user_attribute(
            AccessToken=self.access_token, AttributeName=attribute, Code=confirmation_code
        )
        return response

    # -- second factors --

    def associate_software_token(self) -> str:
        """Return the secret for an authenticator app."""
        return str(self.client.associate_software_token(AccessToken=self.access_token)["SecretCode"])

    def verify_software_token(self, code: str, device_name: str = "") -> bool:
        """Verify the first code of the authenticator app, and return whether it is right.

        Args:
            code: The code.
            device_name: A name for the authenticator.
        """
        response = self.client.verify_software_token(
            AccessToken=self.access_token, UserCode=code, FriendlyDeviceName=device_name
        )
        return bool(response["Status"] == "SUCCESS")

    def set_user_mfa_preference(
        self, sms_mfa: bool, software_token_mfa: bool, preferred: str | None = None
    ) -> None:
        """Turn the second factors on or off.

        Args:
            sms_mfa: Whether codes by SMS are on.
            software_token_mfa: Whether the authenticator app is on.
            preferred: ``SMS`` or ``SOFTWARE_TOKEN``, if one is on.

        Raises:
            ValueError: One is on, and `preferred` is neither.
        """
        if (sms_mfa or software_token_mfa) and preferred not in ("SMS", "SOFTWARE_TOKEN"):
            raise ValueError("preferred must be 'SMS' or 'SOFTWARE_TOKEN' if one of them is on")
        is_on = {"SMS": bool(sms_mfa), "SOFTWARE_TOKEN": bool(software_token_mfa)}
        any_is_on = any(is_on.values())
        settings = {
            name: {"Enabled": on, "PreferredMfa": any_is_on and preferred == name}
            for name, on in is_on.items()
        }
        self.client.set_user_mfa_preference(
            AccessToken=self.access_token,
            SMSMfaSettings=settings["SMS"],
            SoftwareTokenMfaSettings=settings["SOFTWARE_TOKEN"],
        )

    # -- administration --

    def admin_create_user(
        self,
        username: str,
        temporary_password: str = "",
        additional_kwargs: Mapping[str, object] | None = None,
        attr_map: Mapping[str, str] | None = None,
        **kwargs: object,
    ) -> dict[str, object]:
        """Create a user, and return Cognito's response.

        Args:
            username: The user name.
            temporary_password: The temporary password; empty: Cognito makes one.
            additional_kwargs: More members of the request, such as MessageAction.
            attr_map: Names of attributes here, by Cognito's names.
            kwargs: The attributes.
        """
        members = dict(additional_kwargs or {})
        if temporary_password:
            members["TemporaryPassword"] = temporary_password
        members["UserAttributes"] = dict_to_cognito(kwargs, attr_map)
        response = self.client.admin_create_user(**self._in_pool(username), **members)
        return self._remember(response, {**kwargs, "username": username})

    def admin_reset_password(self, username: str, client_metadata: Mapping[str, str] | None = None) -> None:
        """Send a user a code for a new password, and make the old one invalid."""
        members = {"ClientMetadata": client_metadata or {}}
        self.client.admin_reset_user_password(**self._in_pool(username), **members)

    def admin_enable_user(self, username: str) -> None:
        """Let a user sign in again."""
        self.client.admin_enable_user(**self._in_pool(username))

    def admin_disable_user(self, username: str) -> None:
        """Let a user sign in no more."""
        self.client.admin_disable_user(**self._in_pool(username))

    def delete_user(self) -> None:
        """Delete the user, by the access token."""
        self.client.delete_user(AccessToken=self.access_token)

    def admin_delete_user(self) -> None:
        """Delete the user, with AWS credentials."""
        self.client.admin_delete_user(**self._in_pool(self.username))

    # -- groups --

    def get_group(self, group_name: str) -> GroupObj:
        """Return a group."""
        response = self.client.get_group(UserPoolId=self.user_pool_id, GroupName=group_name)
        return self.get_group_obj(response["Group"])

    def get_groups(self) -> list[GroupObj]:
        """Return the groups of the pool."""
        pages = self.client.get_paginator("list_groups").paginate(UserPoolId=self.user_pool_id)
        return [self.get_group_obj(group) for page in pages for group in page["Groups"]]

    def get_group_obj(self, group_data: Mapping[str, object]) -> GroupObj:
        """Return a `GroupObj`, or an instance of the `group_class` of a subclass."""
        return self.group_class(group_data=group_data, cognito_obj=self)

    def admin_add_user_to_group(self, username: str, group_name: str) -> None:
        """Add a user to a group."""
        self.client.admin_add_user_to_group(**self._in_pool(username), GroupName=group_name)

    def admin_remove_user_from_group(self, username: str, group_name: str) -> None:
        """Remove a user from a group."""
        self.client.admin_remove_user_from_group(**self._in_pool(username), GroupName=group_name)

    def admin_list_groups_for_user(self, username: str) -> list[str]:
        """Return the names of a user's groups."""
        pages = self.client.get_paginator("admin_list_groups_for_user").paginate(
            **self._in_pool(username), PaginationConfig={"PageSize": _MOST_GROUPS}
        )
        return [str(group["GroupName"]) for page in pages for group in page["Groups"]]

    # -- what the calls share --

    def _app(self) -> AppClient:
        return AppClient(self.user_pool_id, self.client_id, self.client_secret, issuer=self.user_pool_url)

    def _flow(self) -> AuthFlow:
        return AuthFlow(self._app(), self.client)

    def _srp(self, password: str) -> AWSSRP:
        return AWSSRP(
            username=self._name(),
            password=password,
            pool_id=self.user_pool_id,
            client_id=self.client_id,
            client=self.client,
            client_secret=self.client_secret,
        )

    def _name(self) -> str:
        return self.username or ""

    def _tokens(self) -> dict[str, object]:
        return {
            "id_token": self.id_token,
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
        }

    def _in_pool(self, username: str | None) -> dict[str, object]:
        return {"UserPoolId": self.user_pool_id, "Username": username}

    def _public(self, username: str | None) -> dict[str, object]:
        """What the operations for users who are not signed in carry."""
        secret_hash = self._app().secret_hash(username or "")
        hashed = {} if secret_hash is None else {"SecretHash": secret_hash}
        return {"ClientId": self.client_id, "Username": username, **hashed}

    def _remember(self, response: dict[str, object], values: Mapping[str, object]) -> dict[str, object]:
        """Keep what was sent as attributes, as pycognito does, and return the response."""
        for name, value in values.items():
            setattr(self, name, value)
        response.pop("ResponseMetadata")
        return response


def _keys_of_the_environment(_url: str) -> bytes:
    """The key set that pycognito reads from the environment, too."""
    return os.environ["COGNITO_JWKS"].encode()
