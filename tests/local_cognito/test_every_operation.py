"""Every operation that LocalCognito offers, called successfully: each answer is checked against the service model."""

from __future__ import annotations

import base64
from typing import Any

import attrs
import pytest

from cognito_flow.testing import LocalCognito, Pool, SoftAuthenticator, totp_code
from cognito_flow.testing._operations import OPERATIONS
from tests.support.contract import model

PASSWORD, NEW = "Correct-horse-1", "Battery-staple-2"
PASSKEYS: Any = {"RelyingPartyId": "app.example", "UserVerification": "required"}
FACTORS: Any = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}}


@attrs.define
class Tour:
    """A walk through all operations."""

    pool: Pool
    api: Any
    app: dict[str, str] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.app = {"ClientId": self.pool.app.client_id}

    def start(self) -> Any:
        """Start to sign alice in."""
        given = {"USERNAME": "alice", "PASSWORD": PASSWORD}
        return self.api.initiate_auth(AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given, **self.app)

    def mine(self, operation: str, **parameters: Any) -> Any:
        """Call an operation as alice, after a new sign-in."""
        token = self.start()["AuthenticationResult"]["AccessToken"]
        return getattr(self.api, operation)(AccessToken=token, **parameters)

    def admin(self, operation: str, username: str = "alice", **parameters: Any) -> Any:
        """Call an Admin operation on a user."""
        return getattr(self.api, operation)(UserPoolId=self.pool.id, Username=username, **parameters)

    def visit(self, operation: str, username: str = "bob", **parameters: Any) -> Any:
        """Call an operation without a sign-in."""
        return getattr(self.api, operation)(Username=username, **self.app, **parameters)

    # -- stations --

    def pools_and_app_clients(self) -> None:
        """Create, change and delete another pool."""
        ids = {"UserPoolId": self.api.create_user_pool(PoolName="other")["UserPool"]["Id"]}
        made = self.api.create_user_pool_client(ClientName="app", **ids)["UserPoolClient"]
        app = {**ids, "ClientId": made["ClientId"]}
        self.api.add_custom_attributes(
            CustomAttributes=[{"Name": "team", "AttributeDataType": "String"}], **ids
        )
        self.api.set_user_pool_mfa_config(MfaConfiguration="OFF", **ids)
        self.api.get_user_pool_mfa_config(**ids)
        self.api.update_user_pool(**ids)
        self.api.describe_user_pool(**ids)
        self.api.list_user_pools(MaxResults=1)
        self.api.update_user_pool_client(**app)
        self.api.describe_user_pool_client(**app)
        self.api.list_user_pool_clients(**ids)
        self.api.delete_user_pool_client(**app)
        self.api.delete_user_pool(**ids)

    def signing_up(self) -> None:
        """Sign carol up, and reset bob's password."""
        mail = [{"Name": "email", "Value": "bob@example.com"}]
        self.visit("sign_up", Password=PASSWORD, UserAttributes=mail)
        self.visit("resend_confirmation_code")
        self.visit("confirm_sign_up", ConfirmationCode=self.pool.last_code("bob"))
        self.visit("forgot_password")
        code = self.pool.last_code("bob")
        self.visit("confirm_forgot_password", ConfirmationCode=code, Password=NEW)
        self.visit("sign_up", "carol", Password=PASSWORD)
        self.admin("admin_confirm_sign_up", "carol")

    def administration(self) -> None:
        """Invite, change and delete dave."""
        mail = [{"Name": "email", "Value": "dave@example.com"}, {"Name": "email_verified", "Value": "true"}]
        self.admin("admin_create_user", "dave", TemporaryPassword=PASSWORD)
        given = {"USERNAME": "dave", "PASSWORD": PASSWORD}
        step = self.api.admin_initiate_auth(
            UserPoolId=self.pool.id, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters=given, **self.app
        )
        self.api.admin_respond_to_auth_challenge(
            UserPoolId=self.pool.id,
            ChallengeName="NEW_PASSWORD_REQUIRED",
            Session=step["Session"],
            ChallengeResponses={"USERNAME": "dave", "NEW_PASSWORD": NEW},
            **self.app,
        )
        self.admin("admin_set_user_password", "dave", Password=NEW, Permanent=True)
        self.admin("admin_update_user_attributes", "dave", UserAttributes=mail)
        self.admin("admin_reset_user_password", "dave")
        self.admin("admin_delete_user_attributes", "dave", UserAttributeNames=["email"])
        self.admin("admin_disable_user", "dave")
        self.admin("admin_enable_user", "dave")
        self.admin("admin_set_user_mfa_preference", "dave")
        self.admin("admin_user_global_sign_out", "dave")
        self.admin("admin_get_user", "dave")
        self.admin("admin_delete_user", "dave")

    def groups(self) -> None:
        """Create a group, put alice in and take her out."""
        group = {"UserPoolId": self.pool.id, "GroupName": "staff"}
        self.api.create_group(**group)
        self.api.get_group(**group)
        self.api.update_group(Description="Us", **group)
        self.api.list_groups(UserPoolId=self.pool.id)
        self.admin("admin_add_user_to_group", GroupName="staff")
        self.admin("admin_list_groups_for_user")
        self.api.list_users(UserPoolId=self.pool.id)
        self.api.list_users_in_group(**group)
        self.admin("admin_remove_user_from_group", GroupName="staff")
        self.api.delete_group(**group)

    def machines(self) -> None:
        """A resource server, and a token of an app client."""
        server = {"UserPoolId": self.pool.id, "Identifier": "solar"}
        self.api.create_resource_server(Name="Solar", **server)
        self.api.describe_resource_server(**server)
        self.api.list_resource_servers(UserPoolId=self.pool.id)
        self.api.update_resource_server(Name="Sun", **server)
        self.api.delete_resource_server(**server)
        app = self.pool.app_client(secret=True, flows=["ALLOW_CLIENT_TOKEN_AUTH"])
        if hasattr(self.api, "get_client_token"):  # older versions of botocore do not know it
            self.api.get_client_token(ClientId=app.client_id, Secret=app.client_secret)
        if hasattr(self.api, "get_derived_token"):
            app = self.pool.app_client(flows=["ALLOW_TOKEN_EXCHANGE_IMPERSONATION"])
            token = self.start()["AuthenticationResult"]["AccessToken"]
            self.api.get_derived_token(
                ClientId=app.client_id, SubjectToken=token, SubjectTokenType="ACCESS_TOKEN"
            )

    def stacks(self) -> None:
        """A domain, an identity provider and tags, as deployments set them up."""
        pool = {"UserPoolId": self.pool.id}
        domain = {"Domain": "solar", **pool}
        self.api.create_user_pool_domain(**domain)
        self.api.update_user_pool_domain(**domain)
        self.api.describe_user_pool_domain(Domain="solar")
        self.api.describe_user_pool(**pool)
        self.api.delete_user_pool_domain(**domain)
        named = {"ProviderName": "Google", **pool}
        details = {"client_id": "id", "client_secret": "secret", "authorize_scopes": "openid"}
        self.api.create_identity_provider(ProviderType="Google", ProviderDetails=details, **named)
        self.api.update_identity_provider(AttributeMapping={"email": "email"}, **named)
        self.api.describe_identity_provider(**named)
        self.api.get_identity_provider_by_identifier(IdpIdentifier="Google", **pool)
        self.api.list_identity_providers(**pool)
        self.api.delete_identity_provider(**named)
        arn = {"ResourceArn": self.api.describe_user_pool(**pool)["UserPool"]["Arn"]}
        self.api.tag_resource(Tags={"team": "us"}, **arn)
        self.api.list_tags_for_resource(**arn)
        self.api.untag_resource(TagKeys=["team"], **arn)

    def own_account(self) -> None:
        """Read and change alice's attributes."""
        self.mine("get_user")
        self.mine("get_user_auth_factors")
        self.mine("update_user_attributes", UserAttributes=[{"Name": "email", "Value": "a@example.com"}])
        self.mine("get_user_attribute_verification_code", AttributeName="email")
        self.mine("verify_user_attribute", AttributeName="email", Code=self.pool.last_code("alice"))
        self.mine("delete_user_attributes", UserAttributeNames=["email"])
        self.mine("change_password", PreviousPassword=PASSWORD, ProposedPassword=NEW)
        self.admin("admin_set_user_password", Password=PASSWORD, Permanent=True)

    def devices(self) -> None:
        """Remember two devices, and forget them as alice and as an administrator."""
        user = {"UserPoolId": self.pool.id, "Username": "alice"}
        text = base64.b64encode(bytes(range(1, 100))).decode()
        for forget in ("forget_device", "admin_forget_device"):
            result = self.start()["AuthenticationResult"]
            own = {"AccessToken": result["AccessToken"]}
            key = {"DeviceKey": result["NewDeviceMetadata"]["DeviceKey"]}
            config = {"PasswordVerifier": text, "Salt": text[:20]}
            self.api.confirm_device(DeviceSecretVerifierConfig=config, **own, **key)
            self.api.update_device_status(**own, **key)
            self.api.admin_update_device_status(**user, **key)
            self.api.get_device(**own, **key)
            self.api.admin_get_device(**user, **key)
            self.api.list_devices(**own)
            self.api.admin_list_devices(**user)
            getattr(self.api, forget)(**key, **(own if forget == "forget_device" else user))

    def passkeys(self) -> None:
        """Register, list and delete a passkey."""
        options = self.mine("start_web_authn_registration")["CredentialCreationOptions"]
        credential = SoftAuthenticator().create(options)
        self.mine("complete_web_authn_registration", Credential=credential)
        self.mine("list_web_authn_credentials")
        self.mine("delete_web_authn_credential", CredentialId=credential["id"])

    def sessions(self) -> None:
        """Two of alice's, each of which is revoked by the other one or by an administrator."""
        pool = {"UserPoolId": self.pool.id}
        enabled = {"UserSessionTracking": "ENABLED", "TokenSession": {"MaxPerUser": 2}}
        self.api.set_user_pool_session_configuration(**pool, **enabled)
        self.api.get_user_pool_session_configuration(**pool)
        client = {**pool, "ClientId": self.pool.app.client_id}
        sso = {"MaxValidityMinutes": 90}
        self.api.set_user_pool_client_session_configuration(SSOSession=sso, **client)
        self.api.get_user_pool_client_session_configuration(**client)
        other = self.mine("list_user_sessions")["Sessions"][0]["SessionId"]
        self.mine("revoke_user_session", SessionId=other)
        left = self.admin("admin_list_user_sessions")["Sessions"][0]["SessionId"]
        self.admin("admin_revoke_user_session", SessionId=left)

    def tokens_and_the_end(self) -> None:
        """Enrol an authenticator app, refresh, revoke, sign out, and delete alice."""
        result = self.start()["AuthenticationResult"]
        refresh, key = result["RefreshToken"], result["NewDeviceMetadata"]["DeviceKey"]
        self.api.get_tokens_from_refresh_token(RefreshToken=refresh, DeviceKey=key, **self.app)
        self.api.revoke_token(Token=refresh, **self.app)
        secret = self.mine("associate_software_token")["SecretCode"]
        code = totp_code(secret, self.pool.cognito.clock())
        self.mine("verify_software_token", UserCode=code)
        factor = {"Enabled": True, "PreferredMfa": True}
        self.mine("set_user_mfa_preference", SoftwareTokenMfaSettings=factor)
        result = self.api.respond_to_auth_challenge(
            ChallengeName="SOFTWARE_TOKEN_MFA",
            Session=self.start()["Session"],
            ChallengeResponses={"USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": self.pool.totp("alice")},
            **self.app,
        )["AuthenticationResult"]
        self.api.global_sign_out(AccessToken=result["AccessToken"])
        self.admin("admin_set_user_mfa_preference", SoftwareTokenMfaSettings={"Enabled": False})
        self.mine("delete_user")


def test_every_operation_answers_as_the_service_model_says(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(
        auto_verified_attributes=["email"],
        device_configuration={"DeviceOnlyRememberedOnUserPrompt": False},
        software_token_mfa_configuration={"Enabled": True},
        mfa_configuration="OPTIONAL",
        policies=FACTORS,
        web_authn_configuration=PASSKEYS,
    )
    pool.add_user("alice", PASSWORD)
    tour = Tour(pool, cognito.client())
    tour.pools_and_app_clients()
    tour.signing_up()
    tour.administration()
    tour.groups()
    tour.machines()
    tour.stacks()
    tour.own_account()
    tour.devices()
    tour.passkeys()
    if "ListUserSessions" in model().operation_names:
        tour.sessions()
    tour.tokens_and_the_end()

    called = {call.operation for call in cognito.calls if call.error is None}
    assert called == set(OPERATIONS) & set(model().operation_names)


@pytest.mark.parametrize("operation", sorted(set(model().operation_names) ^ set(OPERATIONS)))
def test_operation_that_is_not_offered_is_refused_by_name(cognito: LocalCognito, operation: str) -> None:
    headers = {"x-amz-target": f"AWSCognitoIdentityProviderService.{operation}"}
    reply = cognito.handle(headers, b"{}")

    assert reply.status == 400
    assert f"LocalCognito does not offer the operation '{operation}'".encode() in reply.body
