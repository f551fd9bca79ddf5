"""The third table: the operations that older botocores and other libraries lack, each with its success and its refusals.

A case is an operation, the error that it ends with, and what is done. It runs through both drivers, that for asyncio with a
client of boto3 and with one of aiobotocore, and, where the request has a place for it, with and without a client secret. `REASONS` says why a documented error has no case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs
from botocore import xform_name

from cognito_flow import (
    AppClient,
    AsyncClientCredentialsSource,
    ClientCredentialsSource,
    MfaType,
    ProviderToken,
    RefreshTokenAuth,
    UserAuth,
    UserPasswordAuth,
)
from cognito_flow.testing import Fault, Pool, SoftAuthenticator
from tests.account.world import OTHER_PASSWORD, PASSWORD, World
from tests.scenarios.choices import PASSKEYS
from tests.scenarios.devices import ALWAYS
from tests.scenarios.second_factors import OPTIONAL, SMS
from tests.support.contract import model

SCOPES = ["files/read", "files/write"]
EXCHANGE = ["ALLOW_TOKEN_EXCHANGE_IMPERSONATION", "ALLOW_TOKEN_EXCHANGE_DELEGATION"]
LEVEL = {number: f"urn:cognito:loa:{number}" for number in (1, 3, 4)}
NO_DEVICE = "eu-west-1_00000000-0000-0000-0000-000000000000"
NO_SESSION = f"tkn{'0' * 25}"

SECOND_FACTORS: dict[str, Any] = {
    **OPTIONAL,
    **SMS,
    **PASSKEYS,
    "web_authn_configuration": {
        "RelyingPartyId": "app.example",
        "FactorConfiguration": "MULTI_FACTOR_WITH_USER_VERIFICATION",
    },
}


@attrs.define
class Scene:
    """Alice, who is signed in through a driver and an app client with or without a secret."""

    world: World
    secret: bool
    pool: Pool
    app: AppClient = attrs.field(init=False)
    flow: Any = attrs.field(init=False)
    tokens: Any = attrs.field(init=False)
    account: Any = attrs.field(init=False)
    api: Any = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.api = self.world.cognito.shared_client("eu-west-1")
        self.pool.add_user("alice", PASSWORD, email="alice@example.com", phone_number="+31612345678")
        self.use(self.pool.app_client(secret=self.secret, prevent_user_existence_errors="LEGACY"))
        self.tokens = self.sign_in().tokens
        self.account = self.flow.account(self.tokens)

    def use(self, app: AppClient) -> None:
        """Call through this app client from now on."""
        self.app, self.flow = app, self.world.flow(self.pool, app)

    def sign_in(self) -> Any:
        """Sign alice in."""
        return self.flow.start(UserPasswordAuth("alice", PASSWORD))

    def manage(self, operation: str, **members: Any) -> Any:
        """Call an operation for administrators."""
        return getattr(self.api, operation)(UserPoolId=self.pool.id, **members)

    # -- sessions and devices --

    def track(self) -> None:
        """Turn session tracking on and sign in again."""
        self.manage(
            "set_user_pool_session_configuration",
            UserSessionTracking="ENABLED",
            TokenSession={"MaxPerUser": 20},
        )
        self.sign_in()
        self.tokens = self.sign_in().tokens
        self.account = self.flow.account(self.tokens)

    def session(self, *, current: bool) -> str:
        """The id of the session of the account, or of the other one."""
        (found,) = [each for each in self.account.sessions() if each.is_current is current]
        return str(found.session_id)

    # -- machines and token exchange --

    def add_scopes(self) -> None:
        """Create a resource server."""
        scopes = [{"ScopeName": name, "ScopeDescription": name} for name in ("read", "write")]
        self.manage("create_resource_server", Identifier="files", Name="files", Scopes=scopes)

    def machine(self, app: AppClient | None = None, scopes: list[str] | None = None) -> str:
        """The access token of an app client itself."""
        app = app or self.machine_client()
        options: Any = {"scopes": scopes or [], "system": self.world.system()}
        if self.world.is_async:
            source = AsyncClientCredentialsSource(app, self.world.client or self.api, **options)
            return str(self.world.run(source.access_token()))
        return ClientCredentialsSource(app, self.api, **options).access_token()

    def machine_client(self) -> AppClient:
        """An app client for machines, which has a secret in any case."""
        self.add_scopes()
        flows = ["ALLOW_CLIENT_TOKEN_AUTH"]
        return self.pool.app_client(secret=True, flows=flows, allowed_o_auth_scopes=SCOPES[:1])

    def agent(self, *flows: str) -> None:
        """Call through an app client that may exchange tokens."""
        self.use(self.pool.app_client(secret=self.secret, flows=list(flows or EXCHANGE)))


def knows(operation: str, member: str | None = None) -> bool:
    """Whether this botocore knows an operation, and a member of its input."""
    if operation not in model().operation_names:
        return False
    shape = model().operation_model(operation).input_shape
    return member is None or (shape is not None and member in shape.members)


Script: TypeAlias = Callable[[Scene], object]


@attrs.frozen
class Case:
    """A row. `error` is None if the operation succeeds."""

    operation: str
    error: str | None
    script: Script
    pool: Mapping[str, Any] = attrs.field(factory=dict[str, Any])

    @property
    def is_known(self) -> bool:
        """Whether this botocore is new enough for the case."""
        is_about_passkeys = "web_authn_configuration" in self.pool
        return knows(self.operation, "WebAuthnMfaSettings" if is_about_passkeys else None)

    @property
    def takes_secret(self) -> bool:
        """Whether what an app client with a secret sends differs."""
        return self.operation in {"GetDerivedToken", "InitiateAuth", "RevokeToken"}

    @property
    def id(self) -> str:
        """The name in pytest's output."""
        return f"{self.operation}-{self.error or 'success'}"


CASES: list[Case] = []


def case(operation: str, error: str | None = None, **pool: Any) -> Callable[[Script], Script]:
    """Put a case into the table; its pool has these settings."""

    def add(script: Script) -> Script:
        CASES.append(Case(operation, error, script, pool))
        return script

    return add


# -- an access token whose user may not act --


def _sign_out(scene: Scene) -> None:
    scene.account.sign_out_everywhere()


def _delete(scene: Scene) -> None:
    scene.manage("admin_delete_user", Username="alice")


def _reset(scene: Scene) -> None:
    scene.manage("admin_update_user_attributes", Username="alice", UserAttributes=[VERIFIED])
    scene.manage("admin_reset_user_password", Username="alice")


def _unconfirm(scene: Scene) -> None:
    # No operation takes a confirmation back, so the record is changed.
    scene.pool.user("alice").status = "UNCONFIRMED"


VERIFIED = {"Name": "email_verified", "Value": "true"}
STATES: dict[str, Callable[[Scene], None]] = {
    "NotAuthorizedException": _sign_out,
    "UserNotFoundException": _delete,
    "PasswordResetRequiredException": _reset,
    "UserNotConfirmedException": _unconfirm,
}
CALLS: dict[str, Script] = {
    "GetUserAuthFactors": lambda scene: scene.account.auth_factors(),
    "ListUserSessions": lambda scene: scene.account.sessions(),
    "RevokeUserSession": lambda scene: scene.account.revoke_session(NO_SESSION),
    "GetDevice": lambda scene: scene.account.device(NO_DEVICE),
    "UpdateDeviceStatus": lambda scene: scene.account.remember_device(NO_DEVICE, remembered=False),
    # By boto3, because `set_mfa` calls GetUser first, which is refused then.
    "SetUserMFAPreference": lambda scene: scene.api.set_user_mfa_preference(
        AccessToken=scene.tokens.access_token, SMSMfaSettings={"Enabled": True}
    ),
}


def _refused_in(state: Callable[[Scene], None], call: Script) -> Script:
    def script(scene: Scene) -> object:
        state(scene)
        return call(scene)

    return script


CASES += [
    Case(operation, error, _refused_in(state, call))
    for operation, call in CALLS.items()
    for error, state in STATES.items()
]


# -- factors, sessions, devices --


@case("GetUserAuthFactors")
def factors_are_listed(scene: Scene) -> None:
    assert "PASSWORD" in scene.account.auth_factors().configured


@case("GetUserAuthFactors", "InvalidParameterException")
def factors_of_a_malformed_token(scene: Scene) -> None:
    # By boto3, because the library refuses what is not a JWT itself.
    scene.api.get_user_auth_factors(AccessToken="not a token")


@case("ListUserSessions")
def sessions_are_listed(scene: Scene) -> None:
    scene.track()
    assert len(scene.account.sessions()) == 2


@case("ListUserSessions", "InvalidParameterException")
def sessions_after_a_wrong_page_token(scene: Scene) -> None:
    scene.track()
    # By boto3, because the library sends only tokens of pages that it was sent.
    scene.api.list_user_sessions(AccessToken=scene.tokens.access_token, NextToken="wrong")


@case("ListUserSessions", "OperationNotEnabledException")
def sessions_that_are_not_tracked(scene: Scene) -> None:
    scene.account.sessions()


@case("RevokeUserSession")
def other_session_is_revoked(scene: Scene) -> None:
    scene.track()
    scene.account.revoke_session(scene.session(current=False), linked=True)
    assert [each.is_current for each in scene.account.sessions()] == [True]


@case("RevokeUserSession", "InvalidParameterException")
def current_session_is_not_revoked(scene: Scene) -> None:
    scene.track()
    scene.account.revoke_session(scene.session(current=True))


@case("RevokeUserSession", "ResourceNotFoundException")
def unknown_session_is_not_revoked(scene: Scene) -> None:
    scene.track()
    scene.account.revoke_session(NO_SESSION)


@case("RevokeUserSession", "OperationNotEnabledException")
def session_that_is_not_tracked_is_not_revoked(scene: Scene) -> None:
    scene.account.revoke_session(NO_SESSION)


@case("GetDevice", **ALWAYS)
def device_is_described(scene: Scene) -> None:
    assert scene.account.device().key == scene.tokens.device_key


@case("GetDevice", "ResourceNotFoundException", **ALWAYS)
def unknown_device_is_not_described(scene: Scene) -> None:
    scene.account.device(NO_DEVICE)


@case("GetDevice", "InvalidParameterException", **ALWAYS)
def malformed_device_key_is_not_described(scene: Scene) -> None:
    scene.account.device("laptop")


@case("UpdateDeviceStatus", **ALWAYS)
def device_is_no_longer_remembered(scene: Scene) -> None:
    scene.account.remember_device(remembered=False)
    assert scene.account.devices() == ()


@case("UpdateDeviceStatus", "ResourceNotFoundException", **ALWAYS)
def unknown_device_is_not_updated(scene: Scene) -> None:
    scene.account.remember_device(NO_DEVICE, remembered=False)


@case("UpdateDeviceStatus", "InvalidParameterException", **ALWAYS)
def malformed_device_key_is_not_updated(scene: Scene) -> None:
    scene.account.remember_device("laptop", remembered=False)


# -- passkeys as a second factor --


@case("SetUserMFAPreference", **SECOND_FACTORS)
def passkeys_become_a_second_factor(scene: Scene) -> None:
    scene.account.set_mfa([MfaType.SMS_MFA, MfaType.WEB_AUTHN])
    scene.account.finish_passkey(SoftAuthenticator().create(scene.account.start_passkey().options))
    assert set(scene.account.user().enabled_mfa) >= {MfaType.SMS_MFA}


@case("SetUserMFAPreference", "InvalidParameterException", **SECOND_FACTORS)
def passkeys_are_not_the_only_second_factor(scene: Scene) -> None:
    scene.account.set_mfa(MfaType.WEB_AUTHN)


# -- RevokeToken with RevokeAssociatedSessions --


def _revoke(scene: Scene, token: Any = None) -> None:
    # Older versions of botocore do not know the member.
    scene.flow.revoke(token or scene.tokens, linked=knows("RevokeToken", "RevokeAssociatedSessions"))


@case("RevokeToken")
def linked_revocation_ends_the_sign_in(scene: Scene) -> None:
    _revoke(scene)
    assert scene.world.cognito.state(scene.pool.id).users["alice"].grants[-1].is_revoked


@case("RevokeToken", "UnauthorizedException")
def token_of_another_app_client_is_not_revoked(scene: Scene) -> None:
    scene.use(scene.pool.app_client(secret=scene.secret))
    _revoke(scene)


@case("RevokeToken", "UnsupportedOperationException")
def app_client_without_revocation_revokes_nothing(scene: Scene) -> None:
    scene.use(scene.pool.app_client(secret=scene.secret, enable_token_revocation=False))
    _revoke(scene)


@case("RevokeToken", "UnsupportedTokenTypeException")
def access_token_is_not_revoked(scene: Scene) -> None:
    _revoke(scene, scene.tokens.access_token)


@case("RevokeToken", "InvalidParameterException")
def malformed_client_id_revokes_nothing(scene: Scene) -> None:
    scene.use(attrs.evolve(scene.app, client_id="no client"))
    _revoke(scene)


# -- machines --


@case("GetClientToken")
def machine_gets_its_scopes(scene: Scene) -> None:
    app = scene.machine_client()
    claims = scene.pool.verifier(app).verify_access(scene.machine(app))
    assert claims.scopes == frozenset(SCOPES[:1])


@case("GetClientToken", "InvalidParameterException")
def machine_is_refused_a_scope_that_it_may_not_have(scene: Scene) -> None:
    scene.machine(scopes=SCOPES)


@case("GetClientToken", "NotAuthorizedException")
def machine_with_a_wrong_secret(scene: Scene) -> None:
    scene.machine(attrs.evolve(scene.machine_client(), client_secret="w" * 30))


@case("GetClientToken", "ResourceNotFoundException")
def machine_of_an_unknown_app_client(scene: Scene) -> None:
    scene.machine(attrs.evolve(scene.machine_client(), client_id="unknown"))


# -- token exchange --


def _exchange(scene: Scene, **options: Any) -> Any:
    return scene.flow.exchange(options.pop("subject", scene.tokens), **options)


@case("GetDerivedToken")
def exchanged_token_names_user_and_actor(scene: Scene) -> None:
    machine = scene.machine_client()
    scene.agent()
    verifier = scene.pool.verifier(scene.app)
    claims = verifier.verify_access(_exchange(scene).token)
    assert (claims.username, claims.client_id, claims.actor) == ("alice", scene.app.client_id, None)
    delegated = verifier.verify_access(_exchange(scene, actor=scene.machine(machine)).token)
    assert delegated.actor is not None
    assert delegated.actor.sub == machine.client_id


@case("GetDerivedToken", "InvalidParameterException")
def app_client_without_the_flow_exchanges_nothing(scene: Scene) -> None:
    scene.agent(EXCHANGE[1])
    _exchange(scene)


@case("GetDerivedToken", "ResourceNotFoundException")
def token_for_an_unknown_resource_server(scene: Scene) -> None:
    scene.agent()
    _exchange(scene, resources=["photos"])


@case("GetDerivedToken", "NotAuthorizedException")
def revoked_token_is_not_exchanged(scene: Scene) -> None:
    _sign_out(scene)
    scene.agent()
    _exchange(scene)


@case("GetDerivedToken", "UserNotFoundException")
def token_of_a_deleted_user_is_not_exchanged(scene: Scene) -> None:
    _delete(scene)
    scene.agent()
    _exchange(scene)


@case("GetDerivedToken", "OperationNotEnabledException")
def assertion_of_saml_is_not_exchanged(scene: Scene) -> None:
    details = {"MetadataURL": "https://okta.example/metadata"}
    scene.manage(
        "create_identity_provider", ProviderName="Okta", ProviderType="SAML", ProviderDetails=details
    )
    scene.agent()
    _exchange(scene, subject=ProviderToken("assertion", "Okta", "SAML2"))


# -- step-up --


def _step_up(scene: Scene, level: int = 1, **options: Any) -> Any:
    given = {"preferred": "PASSWORD", "acr_values": [LEVEL[level]], **options}
    return scene.flow.start(UserAuth("alice", PASSWORD, **given))


@case("InitiateAuth")
def sign_in_reaches_the_level(scene: Scene) -> None:
    assert _step_up(scene).tokens.username == "alice"


@case("InitiateAuth", "InvalidParameterException", **OPTIONAL, **SMS)
def level_beyond_the_factors_of_the_user(scene: Scene) -> None:
    _step_up(scene, 4)


@case("InitiateAuth", "NotAuthorizedException", **OPTIONAL, **SMS)
def access_token_of_another_user(scene: Scene) -> None:
    scene.pool.add_user("bob", OTHER_PASSWORD)
    bob = scene.flow.start(UserPasswordAuth("bob", OTHER_PASSWORD)).tokens
    _step_up(scene, 3, access_token=bob.access_token)


@case("InitiateAuth", "FeatureUnavailableInTierException", user_pool_tier="LITE")
def step_up_in_the_plan_lite(scene: Scene) -> None:
    _step_up(scene)


@case("InitiateAuth", "UserNotFoundException")
def step_up_of_a_deleted_user(scene: Scene) -> None:
    _delete(scene)
    _step_up(scene)


@case("InitiateAuth", "PasswordResetRequiredException")
def step_up_of_a_user_whose_password_was_reset(scene: Scene) -> None:
    _reset(scene)
    _step_up(scene)


@case("InitiateAuth", "UserNotConfirmedException")
def step_up_of_an_unconfirmed_user(scene: Scene) -> None:
    _unconfirm(scene)
    _step_up(scene)


@case("InitiateAuth", "UnsupportedOperationException")
def refresh_token_auth_with_rotation(scene: Scene) -> None:
    rotating: Any = {"refresh_token_rotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}}
    scene.use(scene.pool.app_client(secret=scene.secret, flows=["ALLOW_USER_PASSWORD_AUTH"], **rotating))
    scene.flow.start(RefreshTokenAuth(scene.tokens))


def _nothing(_scene: Scene) -> None:
    pass


# -- triggers, which fail in the three ways of Lambda --


def _fail(_event: Any) -> Any:
    raise RuntimeError("closed")


def _fail_silently(_event: Any) -> Any:
    raise RuntimeError


FAILURES: dict[str, Callable[[Any], Any]] = {
    "UserLambdaValidationException": _fail,
    "UnexpectedLambdaException": _fail_silently,
    "InvalidLambdaResponseException": lambda _event: None,
}


def _with_trigger(trigger: Callable[[Any], Any], call: Script) -> Script:
    def script(scene: Scene) -> object:
        scene.agent(*EXCHANGE, "ALLOW_USER_AUTH")
        scene.pool.triggers["PreTokenGeneration"] = trigger
        return call(scene)

    return script


CASES += [
    Case(operation, error, _with_trigger(trigger, call))
    for operation, call in {"GetDerivedToken": _exchange, "InitiateAuth": _step_up}.items()
    for error, trigger in FAILURES.items()
]


# -- a busy service, and one that fails --

REPEATED: dict[str, tuple[Callable[[Scene], object], Script]] = {
    "GetUserAuthFactors": (_nothing, CALLS["GetUserAuthFactors"]),
    "ListUserSessions": (_nothing, CALLS["ListUserSessions"]),
    "RevokeUserSession": (_nothing, CALLS["RevokeUserSession"]),
    "GetDevice": (_nothing, CALLS["GetDevice"]),
    "UpdateDeviceStatus": (_nothing, CALLS["UpdateDeviceStatus"]),
    "SetUserMFAPreference": (_nothing, lambda scene: scene.account.set_mfa(MfaType.SMS_MFA)),
    "RevokeToken": (_nothing, _revoke),
    "GetClientToken": (_nothing, Scene.machine),
    "GetDerivedToken": (Scene.agent, _exchange),
    "InitiateAuth": (_nothing, _step_up),
}
"""What is done before the fault, and the call that it spoils."""


def _spoilt(operation: str, fault: Fault) -> Script:
    prepare, call = REPEATED[operation]

    def script(scene: Scene) -> object:
        prepare(scene)
        faults = scene.world.cognito.faults
        faults.add(fault, operation, times=9)
        try:
            return call(scene)
        finally:
            faults.clear()

    return script


CASES += [
    *(Case(each, "InternalErrorException", _spoilt(each, Fault.ERROR_BEFORE)) for each in REPEATED),
    *(
        Case(each, "TooManyRequestsException", _spoilt(each, Fault.THROTTLE))
        for each in REPEATED
        if each != "SetUserMFAPreference"  # the service model does not document it there
    ),
]


# -- operations for administrators, which are called through boto3 alone --

OF_POOLS: dict[str, dict[str, Any]] = {
    "CreateResourceServer": {"Identifier": "photos", "Name": "Photos"},
    "UpdateResourceServer": {"Identifier": "files", "Name": "Files"},
    "DescribeResourceServer": {"Identifier": "files"},
    "DeleteResourceServer": {"Identifier": "files"},
    "ListResourceServers": {},
    "AdminListUserSessions": {"Username": "alice"},
    "AdminRevokeUserSession": {"Username": "alice", "SessionId": NO_SESSION},
    "SetUserPoolSessionConfiguration": {"UserSessionTracking": "ENABLED", "TokenSession": {"MaxPerUser": 20}},
    "GetUserPoolSessionConfiguration": {},
    "SetUserPoolClientSessionConfiguration": {"SSOSession": {"MaxValidityMinutes": 60}},
    "GetUserPoolClientSessionConfiguration": {},
}
"""Each with the members that it needs besides UserPoolId and, if it is about an app client, ClientId."""


def _manage(operation: str, **changes: Any) -> Script:
    def script(scene: Scene) -> object:
        client = {"ClientId": scene.app.client_id} if "Client" in operation else {}
        members = {"UserPoolId": scene.pool.id, **client, **OF_POOLS[operation], **changes}
        return getattr(scene.api, xform_name(operation))(**members)

    return script


def _after(prepare: Callable[[Scene], object], script: Script) -> Script:
    def both(scene: Scene) -> object:
        prepare(scene)
        return script(scene)

    return both


def _revoke_as_administrator(scene: Scene) -> None:
    scene.track()
    listed = _manage("AdminListUserSessions")(scene)
    for each in listed["Sessions"]:  # type: ignore[index]  # boto3 has no types
        _manage("AdminRevokeUserSession", SessionId=each["SessionId"])(scene)
    assert _manage("AdminListUserSessions")(scene)["Sessions"] == []  # type: ignore[index]


def _fill_with_resource_servers(scene: Scene) -> None:
    for number in range(24):
        _manage("CreateResourceServer", Identifier=str(number))(scene)


_SUCCESSES: dict[str, Script] = {
    **{operation: _after(Scene.add_scopes, _manage(operation)) for operation in OF_POOLS},
    "AdminListUserSessions": _after(Scene.track, _manage("AdminListUserSessions")),
    "AdminRevokeUserSession": _revoke_as_administrator,
    "SetUserPoolClientSessionConfiguration": _after(
        Scene.track, _manage("SetUserPoolClientSessionConfiguration")
    ),
}
ADMIN_CASES = [
    *(Case(operation, None, script) for operation, script in _SUCCESSES.items()),
    *(
        Case(operation, "InvalidParameterException", _manage(operation, UserPoolId="no pool"))
        for operation in OF_POOLS
    ),
    *(
        Case(operation, "ResourceNotFoundException", _manage(operation, UserPoolId="eu-west-1_000000000"))
        for operation in OF_POOLS
    ),
    *(
        Case(operation, "UserNotFoundException", _after(Scene.track, _manage(operation, Username="mallory")))
        for operation in ("AdminListUserSessions", "AdminRevokeUserSession")
    ),
    *(
        Case(operation, "OperationNotEnabledException", _manage(operation))
        for operation in (
            "AdminListUserSessions",
            "AdminRevokeUserSession",
            "SetUserPoolClientSessionConfiguration",
        )
    ),
    *(
        Case(operation, "FeatureUnavailableInTierException", _manage(operation), {"user_pool_tier": "LITE"})
        for operation in ("SetUserPoolSessionConfiguration", "SetUserPoolClientSessionConfiguration")
    ),
    Case(
        "CreateResourceServer",
        "LimitExceededException",
        _after(Scene.add_scopes, _after(_fill_with_resource_servers, _manage("CreateResourceServer"))),
    ),
]

REASONS: dict[tuple[str, str], str] = {
    ("*", "ForbiddenException"): "AWS WAF answers before the user pool does: tests/errors",
    (
        "*",
        "OperationNotEnabledException",
    ): "of secondary regions of a replicated pool, which LocalCognito lacks",
    ("*", "ConcurrentModificationException"): "LocalCognito processes one request at a time",
    ("*", "InvalidUserPoolConfigurationException"): "documented without a condition",
    ("GetUserAuthFactors", "ResourceNotFoundException"): "it names no resource but the token",
    ("ListUserSessions", "ResourceNotFoundException"): "it names no resource but the token",
    ("SetUserMFAPreference", "ResourceNotFoundException"): "it names no resource but the token",
    ("InitiateAuth", "ResourceNotFoundException"): "the same for each flow: tests/scenarios/passwords.py",
    ("InitiateAuth", "InvalidEmailRoleAccessPolicyException"): "IAM, which LocalCognito does not evaluate",
    ("InitiateAuth", "InvalidSmsRoleAccessPolicyException"): "IAM, which LocalCognito does not evaluate",
    ("InitiateAuth", "InvalidSmsRoleTrustRelationshipException"): "IAM, which LocalCognito does not evaluate",
    **{
        (operation, error): reason
        for operation in OF_POOLS
        for error, reason in {
            "NotAuthorizedException": "IAM, which LocalCognito does not evaluate",
            "InternalErrorException": "a fault, which botocore repeats with pauses: tests/local_cognito",
            "TooManyRequestsException": "a fault, which botocore repeats with pauses: tests/local_cognito",
        }.items()
    },
}
"""Why a documented error has no case. ``*`` means every operation that has none."""


def documented(operation: str) -> set[str]:
    """The errors that the service model documents for an operation; none if this botocore does not know it."""
    if not knows(operation):
        return set()
    return {shape.name for shape in model().operation_model(operation).error_shapes}
