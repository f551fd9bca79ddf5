"""What CreateUserPool, SetUserPoolMfaConfig and CreateUserPoolClient take, as typed dictionaries.

Rule of this file: it is written by ``python -m tests.support.members`` from the service model of botocore
1.44.5. Nested members are spelled as there, and not every member is in older versions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Required, TypedDict


class PasswordPolicyType(TypedDict, total=False):
    """PasswordPolicyType of the API reference."""

    MinimumLength: int
    RequireUppercase: bool
    RequireLowercase: bool
    RequireNumbers: bool
    RequireSymbols: bool
    PasswordHistorySize: int
    TemporaryPasswordValidityDays: int


class SignInPolicyType(TypedDict, total=False):
    """SignInPolicyType of the API reference."""

    AllowedFirstAuthFactors: Sequence[
        Literal["PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN", "SOFTWARE_TOKEN"]
    ]


class UserPoolPolicyType(TypedDict, total=False):
    """UserPoolPolicyType of the API reference."""

    PasswordPolicy: PasswordPolicyType
    SignInPolicy: SignInPolicyType


class PreTokenGenerationVersionConfigType(TypedDict, total=False):
    """PreTokenGenerationVersionConfigType of the API reference."""

    LambdaVersion: Required[Literal["V1_0", "V2_0", "V3_0"]]
    LambdaArn: Required[str]


class CustomSMSLambdaVersionConfigType(TypedDict, total=False):
    """CustomSMSLambdaVersionConfigType of the API reference."""

    LambdaVersion: Required[Literal["V1_0"]]
    LambdaArn: Required[str]


class CustomEmailLambdaVersionConfigType(TypedDict, total=False):
    """CustomEmailLambdaVersionConfigType of the API reference."""

    LambdaVersion: Required[Literal["V1_0"]]
    LambdaArn: Required[str]


class InboundFederationLambdaType(TypedDict, total=False):
    """InboundFederationLambdaType of the API reference."""

    LambdaVersion: Required[Literal["V1_0"]]
    LambdaArn: Required[str]


class LambdaConfigType(TypedDict, total=False):
    """LambdaConfigType of the API reference."""

    PreSignUp: str
    CustomMessage: str
    PostConfirmation: str
    PreAuthentication: str
    PostAuthentication: str
    DefineAuthChallenge: str
    CreateAuthChallenge: str
    VerifyAuthChallengeResponse: str
    PreTokenGeneration: str
    UserMigration: str
    PreTokenGenerationConfig: PreTokenGenerationVersionConfigType
    CustomSMSSender: CustomSMSLambdaVersionConfigType
    CustomEmailSender: CustomEmailLambdaVersionConfigType
    KMSKeyID: str
    InboundFederation: InboundFederationLambdaType


class VerificationMessageTemplateType(TypedDict, total=False):
    """VerificationMessageTemplateType of the API reference."""

    SmsMessage: str
    EmailMessage: str
    EmailSubject: str
    EmailMessageByLink: str
    EmailSubjectByLink: str
    DefaultEmailOption: Literal["CONFIRM_WITH_LINK", "CONFIRM_WITH_CODE"]


class UserAttributeUpdateSettingsType(TypedDict, total=False):
    """UserAttributeUpdateSettingsType of the API reference."""

    AttributesRequireVerificationBeforeUpdate: Sequence[Literal["phone_number", "email"]]


class DeviceConfigurationType(TypedDict, total=False):
    """DeviceConfigurationType of the API reference."""

    ChallengeRequiredOnNewDevice: bool
    DeviceOnlyRememberedOnUserPrompt: bool


class EmailConfigurationType(TypedDict, total=False):
    """EmailConfigurationType of the API reference."""

    SourceArn: str
    ReplyToEmailAddress: str
    EmailSendingAccount: Literal["COGNITO_DEFAULT", "DEVELOPER"]
    From: str
    ConfigurationSet: str


class EumsSmsConfigurationType(TypedDict, total=False):
    """EumsSmsConfigurationType of the API reference."""

    CallerArn: Required[str]
    ExternalId: str
    OriginationIdentity: str
    ConfigurationSetName: str
    InEntityId: str
    InTemplateId: str
    Region: str


class SmsConfigurationType(TypedDict, total=False):
    """SmsConfigurationType of the API reference."""

    SnsCallerArn: str
    ExternalId: str
    SnsRegion: str
    EumsSms: EumsSmsConfigurationType


class MessageTemplateType(TypedDict, total=False):
    """MessageTemplateType of the API reference."""

    SMSMessage: str
    EmailMessage: str
    EmailSubject: str


class AdminCreateUserConfigType(TypedDict, total=False):
    """AdminCreateUserConfigType of the API reference."""

    AllowAdminCreateUserOnly: bool
    UnusedAccountValidityDays: int
    InviteMessageTemplate: MessageTemplateType


class NumberAttributeConstraintsType(TypedDict, total=False):
    """NumberAttributeConstraintsType of the API reference."""

    MinValue: str
    MaxValue: str


class StringAttributeConstraintsType(TypedDict, total=False):
    """StringAttributeConstraintsType of the API reference."""

    MinLength: str
    MaxLength: str


class SchemaAttributeType(TypedDict, total=False):
    """SchemaAttributeType of the API reference."""

    Name: str
    AttributeDataType: Literal["String", "Number", "DateTime", "Boolean"]
    DeveloperOnlyAttribute: bool
    Mutable: bool
    Required: bool
    NumberAttributeConstraints: NumberAttributeConstraintsType
    StringAttributeConstraints: StringAttributeConstraintsType


class AdvancedSecurityAdditionalFlowsType(TypedDict, total=False):
    """AdvancedSecurityAdditionalFlowsType of the API reference."""

    CustomAuthMode: Literal["AUDIT", "ENFORCED"]


class UserPoolAddOnsType(TypedDict, total=False):
    """UserPoolAddOnsType of the API reference."""

    AdvancedSecurityMode: Required[Literal["OFF", "AUDIT", "ENFORCED"]]
    AdvancedSecurityAdditionalFlows: AdvancedSecurityAdditionalFlowsType


class DcrConfigurationType(TypedDict, total=False):
    """DcrConfigurationType of the API reference."""

    EnableStatus: Literal["Enabled", "Disabled"]
    OpenDcrEnabled: bool
    AuthenticatedGrantTypes: Sequence[Literal["code", "implicit", "client_credentials"]]
    OpenDcrGrantTypes: Sequence[Literal["code", "implicit", "client_credentials"]]
    AllowedScopes: Sequence[str]


class UsernameConfigurationType(TypedDict, total=False):
    """UsernameConfigurationType of the API reference."""

    CaseSensitive: Required[bool]


class RecoveryOptionType(TypedDict, total=False):
    """RecoveryOptionType of the API reference."""

    Priority: Required[int]
    Name: Required[Literal["verified_email", "verified_phone_number", "admin_only"]]


class AccountRecoverySettingType(TypedDict, total=False):
    """AccountRecoverySettingType of the API reference."""

    RecoveryMechanisms: Sequence[RecoveryOptionType]


class KeyConfigurationType(TypedDict, total=False):
    """KeyConfigurationType of the API reference."""

    KeyType: Literal["AWS_OWNED_KEY", "CUSTOMER_MANAGED_KEY"]
    KmsKeyArn: str


class IssuerConfigurationType(TypedDict, total=False):
    """IssuerConfigurationType of the API reference."""

    Type: Literal["ORIGINAL", "UPDATED"]


class AcrLevelConfigType(TypedDict, total=False):
    """AcrLevelConfigType of the API reference."""

    AcrValue: Required[str]


class SmsMfaConfigType(TypedDict, total=False):
    """SmsMfaConfigType of the API reference."""

    SmsAuthenticationMessage: str
    SmsConfiguration: SmsConfigurationType


class SoftwareTokenMfaConfigType(TypedDict, total=False):
    """SoftwareTokenMfaConfigType of the API reference."""

    Enabled: bool


class EmailMfaConfigType(TypedDict, total=False):
    """EmailMfaConfigType of the API reference."""

    Message: str
    Subject: str


class WebAuthnConfigurationType(TypedDict, total=False):
    """WebAuthnConfigurationType of the API reference."""

    RelyingPartyId: str
    UserVerification: Literal["required", "preferred"]
    FactorConfiguration: Literal["SINGLE_FACTOR", "MULTI_FACTOR_WITH_USER_VERIFICATION"]


class PoolMembers(TypedDict, total=False):
    """The keywords of `LocalCognito.create_pool`: the members of CreateUserPool and
    SetUserPoolMfaConfig."""

    policies: UserPoolPolicyType
    deletion_protection: Literal["ACTIVE", "INACTIVE"]
    lambda_config: LambdaConfigType
    auto_verified_attributes: Sequence[Literal["phone_number", "email"]]
    alias_attributes: Sequence[Literal["phone_number", "email", "preferred_username"]]
    username_attributes: Sequence[Literal["phone_number", "email"]]
    sms_verification_message: str
    email_verification_message: str
    email_verification_subject: str
    verification_message_template: VerificationMessageTemplateType
    sms_authentication_message: str
    mfa_configuration: Literal["OFF", "ON", "OPTIONAL"]
    user_attribute_update_settings: UserAttributeUpdateSettingsType
    device_configuration: DeviceConfigurationType
    email_configuration: EmailConfigurationType
    sms_configuration: SmsConfigurationType
    user_pool_tags: Mapping[str, str]
    admin_create_user_config: AdminCreateUserConfigType
    schema: Sequence[SchemaAttributeType]
    user_pool_add_ons: UserPoolAddOnsType
    dcr_configuration: DcrConfigurationType
    username_configuration: UsernameConfigurationType
    account_recovery_setting: AccountRecoverySettingType
    user_pool_tier: Literal["LITE", "ESSENTIALS", "PLUS"]
    key_configuration: KeyConfigurationType
    issuer_configuration: IssuerConfigurationType
    acr_configuration: Mapping[str, AcrLevelConfigType]
    sms_mfa_configuration: SmsMfaConfigType
    software_token_mfa_configuration: SoftwareTokenMfaConfigType
    email_mfa_configuration: EmailMfaConfigType
    web_authn_configuration: WebAuthnConfigurationType


class TokenValidityUnitsType(TypedDict, total=False):
    """TokenValidityUnitsType of the API reference."""

    AccessToken: Literal["seconds", "minutes", "hours", "days"]
    IdToken: Literal["seconds", "minutes", "hours", "days"]
    RefreshToken: Literal["seconds", "minutes", "hours", "days"]


class AnalyticsConfigurationType(TypedDict, total=False):
    """AnalyticsConfigurationType of the API reference."""

    ApplicationId: str
    ApplicationArn: str
    RoleArn: str
    ExternalId: str
    UserDataShared: bool


class RefreshTokenRotationType(TypedDict, total=False):
    """RefreshTokenRotationType of the API reference."""

    Feature: Required[Literal["ENABLED", "DISABLED"]]
    RetryGracePeriodSeconds: int


class AppClientMembers(TypedDict, total=False):
    """The keywords of `Pool.app_client`: the members of CreateUserPoolClient."""

    refresh_token_validity: int
    access_token_validity: int
    id_token_validity: int
    token_validity_units: TokenValidityUnitsType
    read_attributes: Sequence[str]
    write_attributes: Sequence[str]
    supported_identity_providers: Sequence[str]
    callback_urls: Sequence[str]
    logout_urls: Sequence[str]
    default_redirect_uri: str
    allowed_o_auth_flows: Sequence[Literal["code", "implicit", "client_credentials"]]
    allowed_o_auth_scopes: Sequence[str]
    allowed_o_auth_flows_user_pool_client: bool
    analytics_configuration: AnalyticsConfigurationType
    prevent_user_existence_errors: Literal["LEGACY", "ENABLED"]
    enable_token_revocation: bool
    enable_propagate_additional_user_context_data: bool
    auth_session_validity: int
    refresh_token_rotation: RefreshTokenRotationType
