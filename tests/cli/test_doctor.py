"""`cognito-flow doctor`, as a person and as a script run it."""

from __future__ import annotations

import copy
import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import pytest
from typer.testing import CliRunner

from cognito_flow import AppClient
from cognito_flow.cli import exit_codes
from cognito_flow.cli.app import app
from cognito_flow.cli.exit_codes import PROBLEMS
from cognito_flow.testing import LocalCognito, Pool
from tests.scenarios.custom import create, define, verify
from tests.scenarios.second_factors import ON, TOTP
from tests.support.command import shown_by
from tests.support.contract import needs_member
from tests.support.http_server import Handler, running

ANOTHER = "a-secret-of-another-app-client"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "an-id", "AWS_SECRET_ACCESS_KEY": "a-key"}
SRP, PASSWORD, REFRESH = "ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"
CUSTOM, CHOICE, ADMIN = "ALLOW_CUSTOM_AUTH", "ALLOW_USER_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"


@attrs.frozen
class Found:
    """The findings by their subjects."""

    lines: dict[str, dict[str, str | None]]

    def level(self, subject: str) -> str:
        """The level of a finding."""
        return str(self.lines[subject]["level"])

    def change(self, subject: str) -> str:
        """What to change."""
        return str(self.lines[subject]["change"])

    def found(self, subject: str) -> str:
        """The status of a subject."""
        return str(self.lines[subject]["found"])


@attrs.frozen
class Doctor:
    """The command, run against a service."""

    cognito: LocalCognito
    url: str

    def run(
        self, client: AppClient, *more: str, code: int = 0, secret: str | None = None, **environment: str
    ) -> Any:
        """Run it."""
        arguments = ["doctor", "--pool", client.pool_id, "--client", client.client_id, "--endpoint", self.url]
        if secret is not None:
            more += ("--client-secret-env", "SECRET")
            environment["SECRET"] = secret
        result = CliRunner().invoke(app, [*arguments, *more], env=environment)
        assert result.exit_code == code, result.output
        assert secret is None or secret not in result.output
        return result

    def probe(self, client: AppClient, *more: str, code: int = 0, secret: str | None = None) -> Found:
        """Without AWS credentials."""
        return read(self.run(client, *more, code=code, secret=secret))

    def describe(self, client: AppClient, code: int = 0, secret: str | None = None) -> Found:
        """With AWS credentials."""
        return read(self.run(client, "--admin", code=code, secret=secret, **CREDENTIALS))

    def settings(self, client: dict[str, object] | None = None, code: int = 0, **pool: object) -> Found:
        """With AWS credentials, a pool and an app client with these members."""
        members = {"flows": (SRP, REFRESH), **(client or {})}
        return self.describe(self.cognito.create_pool(**pool).app_client(**members), code)  # type: ignore[arg-type]  # members of any type


def read(result: Any) -> Found:
    """The findings that were printed."""
    lines = json.loads(result.stdout)
    assert len({line["subject"] for line in lines}) == len(lines)
    return Found({line["subject"]: line for line in lines})


@pytest.fixture
def doctor(cognito: LocalCognito) -> Iterator[Doctor]:
    """The command."""
    with cognito.serve() as url:
        yield Doctor(cognito, url)


@pytest.fixture
def pool(doctor: Doctor) -> Pool:
    """A pool with one user."""
    pool = doctor.cognito.create_pool()
    pool.add_user("alice", "Correct horse 1")
    return pool


# -- without AWS credentials --


def test_each_flow_that_is_not_allowed_names_the_setting_that_allows_it(doctor: Doctor, pool: Pool) -> None:
    found = doctor.probe(pool.app_client(flows=(SRP,)))

    assert found.level("USER_SRP_AUTH") == "ok"
    for flow in ("USER_PASSWORD_AUTH", "CUSTOM_AUTH", "USER_AUTH", "REFRESH_TOKEN_AUTH"):
        assert found.level(flow) == "off"
        assert f"ALLOW_{flow}" in found.change(flow)
        assert "ExplicitAuthFlows" in found.change(flow)


def test_app_client_that_allows_everything_is_ok(doctor: Doctor, pool: Pool) -> None:
    names = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")
    pool.triggers.update(zip(names, (define, create, verify), strict=True))

    found = doctor.probe(pool.app_client(prevent_user_existence_errors="ENABLED"))

    assert {line["level"] for line in found.lines.values()} == {"ok"}


def test_pool_is_found_in_amplify_outputs(doctor: Doctor, pool: Pool, tmp_path: Path) -> None:
    client = pool.app_client(flows=[SRP])
    auth = {"user_pool_id": pool.id, "user_pool_client_id": client.client_id, "aws_region": "eu-west-1"}
    path = tmp_path / "amplify_outputs.json"
    path.write_text(json.dumps({"auth": auth}), encoding="utf-8")
    by_file = ["doctor", "--amplify-outputs", str(path), "--endpoint", doctor.url, "--json"]
    result = CliRunner().invoke(app, by_file)

    assert result.output == doctor.run(client, "--json", code=result.exit_code).output
    assert read(result).level("UserPoolId") == "ok"


def test_probes_send_only_what_help_names_and_change_nothing(doctor: Doctor, pool: Pool) -> None:
    shown = CliRunner().invoke(app, ["doctor", "--help"]).stdout
    client = pool.app_client(secret=True)
    doctor.cognito.calls.clear()
    before = copy.deepcopy(doctor.cognito.state(pool.id).users)

    doctor.probe(client, secret=client.client_secret)

    assert [call.operation for call in doctor.cognito.calls] == ["InitiateAuth"] * 6
    assert "InitiateAuth" in shown
    assert list(doctor.cognito.outbox) == []
    assert doctor.cognito.state(pool.id).users == before


def test_app_client_without_a_flow_for_probes_is_a_problem(doctor: Doctor, pool: Pool) -> None:
    found = doctor.probe(pool.app_client(flows=(ADMIN,)), code=PROBLEMS)

    assert SRP in found.change("ExplicitAuthFlows")


def test_custom_flow_without_triggers_is_off(doctor: Doctor, pool: Pool) -> None:
    found = doctor.probe(
        pool.app_client(flows=(CUSTOM,), prevent_user_existence_errors="ENABLED"), code=PROBLEMS
    )

    assert found.level("CUSTOM_AUTH") == "off"
    assert "DefineAuthChallenge" in found.change("CUSTOM_AUTH")


def test_custom_flow_of_an_unknown_user_says_that_triggers_were_not_checked(
    doctor: Doctor, pool: Pool
) -> None:
    """Cognito refuses an unknown user before it needs the triggers, unless it hides who exists."""
    found = doctor.probe(pool.app_client(flows=(CUSTOM,), prevent_user_existence_errors="LEGACY"))

    assert "use --admin to check that its triggers are set" in found.found("CUSTOM_AUTH")


@pytest.mark.parametrize("secret", [None, ANOTHER])
def test_refresh_flow_without_the_right_secret_is_a_warning(
    doctor: Doctor, pool: Pool, secret: str | None
) -> None:
    """A made-up refresh token is refused before the secret is checked, so that alone proves nothing."""
    found = doctor.probe(pool.app_client(secret=True), code=PROBLEMS, secret=secret)

    assert found.level("REFRESH_TOKEN_AUTH") == "warning"
    assert "only with the right secret" in found.found("REFRESH_TOKEN_AUTH")


def test_user_existence_is_reported_as_hidden_or_not(doctor: Doctor, pool: Pool) -> None:
    name = "PreventUserExistenceErrors"

    assert doctor.probe(pool.app_client(prevent_user_existence_errors="ENABLED")).level(name) == "ok"
    legacy = doctor.probe(pool.app_client(prevent_user_existence_errors="LEGACY"))
    assert (legacy.level(name), legacy.change(name)) == ("warning", f"set {name} to ENABLED")


@pytest.mark.parametrize(
    ("has_one", "given", "level"),
    [
        (False, None, "ok"),
        (False, ANOTHER, "problem"),
        (True, None, "problem"),
        (True, ANOTHER, "problem"),
        (True, "it", "ok"),
    ],
)
def test_probes_report_a_secret_that_is_missing_wrong_unwanted_or_right(
    doctor: Doctor, pool: Pool, has_one: bool, given: str | None, level: str
) -> None:
    client = pool.app_client(secret=has_one)
    secret = client.client_secret if given == "it" else given

    found = doctor.probe(client, code=0 if level == "ok" else PROBLEMS, secret=secret)

    assert found.level("ClientSecret") == level
    expected = "warning" if has_one and given != "it" else "ok"
    assert has_one is False or found.level("USER_SRP_AUTH") == expected


def test_unknown_app_client_is_a_problem_and_ends_the_report(doctor: Doctor, pool: Pool) -> None:
    found = doctor.probe(attrs.evolve(pool.app, client_id="unknown"), code=PROBLEMS)

    assert list(found.lines) == ["UserPoolId", "ClientId", "clock"]
    assert "client id" in found.change("ClientId")


def test_unknown_pool_is_a_problem(doctor: Doctor, pool: Pool) -> None:
    found = doctor.probe(attrs.evolve(pool.app, pool_id="eu-west-1_Nobody"), code=PROBLEMS)

    assert "pool id" in found.change("UserPoolId")
    assert found.level("USER_SRP_AUTH") == "ok"


@pytest.mark.parametrize(("seconds", "way"), [(3600, "behind"), (-3600, "ahead")])
def test_wrong_clock_is_a_warning(doctor: Doctor, pool: Pool, seconds: int, way: str) -> None:
    doctor.cognito.clock.ahead += timedelta(seconds=seconds)

    for found in (doctor.probe(pool.app), doctor.describe(pool.app)):
        assert found.level("clock") == "warning"
        assert way in found.found("clock")


def test_other_refusals_are_shown_as_unknown(doctor: Doctor, pool: Pool) -> None:
    doctor.cognito.faults.throttle("InitiateAuth", times=15)

    found = doctor.probe(pool.app)

    assert list(found.lines) == [
        "UserPoolId",
        "USER_SRP_AUTH",
        "USER_PASSWORD_AUTH",
        "CUSTOM_AUTH",
        "USER_AUTH",
        "REFRESH_TOKEN_AUTH",
        "clock",
    ]
    assert "Rate exceeded" in found.found("USER_AUTH")


# -- with AWS credentials --


def test_admin_reports_flows_for_backends(doctor: Doctor, pool: Pool) -> None:
    found = doctor.describe(pool.app_client(flows=(ADMIN, REFRESH)))

    assert found.level("ADMIN_USER_PASSWORD_AUTH") == "ok"
    assert found.change("USER_SRP_AUTH") == f"add {SRP} to ExplicitAuthFlows"


def test_admin_knows_the_default_flows(doctor: Doctor) -> None:
    found = doctor.settings({"flows": ()})

    assert [found.level(flow) for flow in ("USER_SRP_AUTH", "USER_AUTH")] == ["ok", "off"]


def test_admin_reports_older_names_of_flows(doctor: Doctor) -> None:
    found = doctor.settings({"flows": ("ADMIN_NO_SRP_AUTH",)})

    assert ADMIN in found.change("ExplicitAuthFlows")
    assert found.level("ADMIN_USER_PASSWORD_AUTH") == "ok"
    assert "USER_SRP_AUTH" not in found.lines


@pytest.mark.parametrize("flows", [(REFRESH,), (REFRESH, CUSTOM)])
def test_admin_reports_that_no_flow_works(doctor: Doctor, flows: tuple[str, ...]) -> None:
    assert SRP in doctor.settings({"flows": flows}, code=PROBLEMS).change("ExplicitAuthFlows")


def test_admin_reports_triggers_that_are_missing_or_never_run(doctor: Doctor) -> None:
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:f"
    some = doctor.settings(
        {"flows": (SRP, CUSTOM, REFRESH)}, lambda_config={"DefineAuthChallenge": arn, "UserMigration": arn}
    )
    names = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse", "UserMigration")
    all_of_them = doctor.settings(
        {"flows": (CUSTOM, PASSWORD, REFRESH)}, lambda_config=dict.fromkeys(names, arn)
    )

    assert some.level("CUSTOM_AUTH") == "warning"
    assert "add CreateAuthChallenge, VerifyAuthChallengeResponse to LambdaConfig" in some.change(
        "CUSTOM_AUTH"
    )
    assert PASSWORD in some.change("UserMigration")
    assert all_of_them.level("CUSTOM_AUTH") == "ok"
    assert "UserMigration" not in all_of_them.lines


@pytest.mark.parametrize(
    ("has_one", "given", "level"),
    [
        (False, None, "ok"),
        (False, ANOTHER, "problem"),
        (True, None, "ok"),
        (True, ANOTHER, "warning"),
        (True, "it", "ok"),
    ],
)
def test_admin_compares_the_secret_without_showing_it(
    doctor: Doctor, pool: Pool, has_one: bool, given: str | None, level: str
) -> None:
    client = pool.app_client(secret=has_one)
    secret = client.client_secret if given == "it" else given

    result = doctor.run(
        client, "--admin", code=PROBLEMS if level == "problem" else 0, secret=secret, **CREDENTIALS
    )

    assert read(result).level("ClientSecret") == level
    assert not has_one or str(client.client_secret) not in result.output


def test_admin_reports_prevent_user_existence_errors(doctor: Doctor) -> None:
    name = "PreventUserExistenceErrors"

    assert doctor.settings().change(name) == f"set {name} to ENABLED"
    assert doctor.settings({"prevent_user_existence_errors": "ENABLED"}).level(name) == "ok"


def test_admin_reports_how_long_tokens_are_valid(doctor: Doctor) -> None:
    units = {"AccessToken": "minutes"}
    found = doctor.settings({"access_token_validity": 10, "token_validity_units": units})

    assert found.found("AccessTokenValidity") == "10 minutes"
    assert found.found("IdTokenValidity") == "1 hour"
    assert found.found("RefreshTokenValidity") == "30 days"


@pytest.mark.parametrize(("grace", "level"), [(0, "warning"), (60, "ok")])
def test_admin_reports_rotation_and_its_grace_period(doctor: Doctor, grace: int, level: str) -> None:
    rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": grace}
    found = doctor.settings({"flows": (SRP,), "refresh_token_rotation": rotation})

    assert found.level("RefreshTokenRotation") == level
    assert "REFRESH_TOKEN_AUTH cannot be used" in found.found("RefreshTokenRotation")


def test_admin_reports_that_refresh_tokens_cannot_be_used(doctor: Doctor) -> None:
    found = doctor.settings({"flows": (SRP,)}, code=PROBLEMS)

    assert REFRESH in found.change("RefreshTokenRotation")


def test_admin_reports_revocation(doctor: Doctor) -> None:
    name = "EnableTokenRevocation"

    assert doctor.settings().level(name) == "ok"
    assert doctor.settings({"enable_token_revocation": False}).change(name) == f"set {name} to true"


def test_admin_reports_device_tracking(doctor: Doctor) -> None:
    name = "DeviceConfiguration"
    opt_in = {"DeviceOnlyRememberedOnUserPrompt": True}

    assert "not tracked" in doctor.settings().found(name)
    assert "DeviceKey" in doctor.settings(device_configuration={"ChallengeRequiredOnNewDevice": True}).found(
        name
    )
    assert "users choose" in doctor.settings(device_configuration=opt_in).found(name)


ROLE = {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}
SENDER = {
    "EmailSendingAccount": "DEVELOPER",
    "SourceArn": "arn:aws:ses:eu-west-1:123456789012:identity/a@b.org",
}


def test_second_factors_that_work_are_ok(doctor: Doctor) -> None:
    found = doctor.settings(
        **ON,
        **TOTP,
        sms_mfa_configuration={"SmsConfiguration": ROLE},
        email_mfa_configuration={},
        email_configuration=SENDER,
    )

    assert found.found("MfaConfiguration") == "ON"
    for factor in ("SOFTWARE_TOKEN_MFA", "SMS_MFA", "EMAIL_OTP"):
        assert found.level(factor) == "ok"


def test_second_factors_that_cannot_work_name_the_setting(doctor: Doctor) -> None:
    members: dict[str, Any] = {**ON, "sms_mfa_configuration": {}, "email_mfa_configuration": {}}
    found = doctor.settings(**members, code=PROBLEMS)
    lite = doctor.settings(**members, code=PROBLEMS, user_pool_tier="LITE")

    assert "SnsCallerArn" in found.change("SMS_MFA")
    assert "EmailSendingAccount" in found.change("EMAIL_OTP")
    assert "UserPoolTier" in lite.change("EMAIL_OTP")


def test_required_second_factor_that_is_not_enabled_is_a_problem(doctor: Doctor, pool: Pool) -> None:
    doctor.cognito.state(pool.id).mfa = {"MfaConfiguration": "ON"}

    found = doctor.describe(pool.app, code=PROBLEMS)

    assert "SoftwareTokenMfaConfiguration" in found.change("MfaConfiguration")


def test_failure_of_sms_configuration_is_a_warning(doctor: Doctor, pool: Pool) -> None:
    state = doctor.cognito.state(pool.id)
    state.mfa = {"MfaConfiguration": "OPTIONAL", "SmsMfaConfiguration": {"SmsConfiguration": ROLE}}
    state.members["SmsConfigurationFailure"] = "SNSSandbox"

    found = doctor.describe(pool.app)

    assert found.level("SMS_MFA") == "warning"
    assert "SNSSandbox" in found.found("SMS_MFA")


FIRST: dict[str, Any] = {
    "policies": {
        "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "SMS_OTP", "EMAIL_OTP", "WEB_AUTHN"]}
    }
}
CHOOSING: dict[str, object] = {"flows": (CHOICE, REFRESH)}


def test_first_factors_that_cannot_work_name_the_setting(doctor: Doctor) -> None:
    found = doctor.settings(CHOOSING, code=PROBLEMS, **FIRST)

    assert "SnsCallerArn" in found.change("AllowedFirstAuthFactors: SMS_OTP")
    assert "EmailSendingAccount" in found.change("AllowedFirstAuthFactors: EMAIL_OTP")
    assert "RelyingPartyId" in found.change("AllowedFirstAuthFactors: WEB_AUTHN")


def test_first_factors_that_work_are_ok(doctor: Doctor) -> None:
    passkeys: dict[str, Any] = {"web_authn_configuration": {"RelyingPartyId": "example.com"}}
    found = doctor.settings(CHOOSING, **FIRST, **passkeys, sms_configuration=ROLE, email_configuration=SENDER)

    for factor in ("SMS_OTP", "EMAIL_OTP", "WEB_AUTHN"):
        assert found.level(f"AllowedFirstAuthFactors: {factor}") == "ok"


@pytest.mark.parametrize("name", ["Domain", "CustomDomain"])
def test_domain_is_the_relying_party_of_passkeys(doctor: Doctor, pool: Pool, name: str) -> None:
    factors = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}}
    doctor.cognito.state(pool.id).members.update({name: "sign-in", "Policies": factors})

    assert doctor.describe(pool.app).level("AllowedFirstAuthFactors: WEB_AUTHN") == "ok"


def test_first_factor_that_is_not_allowed_is_not_reported(doctor: Doctor) -> None:
    factors: dict[str, Any] = {
        "policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    }
    found = doctor.settings(CHOOSING, **factors, email_configuration=SENDER)

    looked_at = [subject for subject in found.lines if subject.startswith("AllowedFirstAuthFactors")]
    assert looked_at == ["AllowedFirstAuthFactors: EMAIL_OTP"]


def test_first_factors_without_a_flow_for_choice_are_a_warning(doctor: Doctor) -> None:
    assert CHOICE in doctor.settings(**FIRST).change("AllowedFirstAuthFactors")


@needs_member("WebAuthnConfigurationType", "FactorConfiguration")
def test_first_factors_with_a_required_second_factor_are_a_warning_except_passkeys_with_both(
    doctor: Doctor,
) -> None:
    both = {"RelyingPartyId": "example.com", "FactorConfiguration": "MULTI_FACTOR_WITH_USER_VERIFICATION"}
    one = {"RelyingPartyId": "example.com"}
    factors: dict[str, Any] = {
        "policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}}
    }

    found = doctor.settings(CHOOSING, **ON, **TOTP, **factors, web_authn_configuration=one)
    assert "WEB_AUTHN" in found.found("AllowedFirstAuthFactors")
    found = doctor.settings(CHOOSING, **ON, **TOTP, **factors, web_authn_configuration=both)
    assert "AllowedFirstAuthFactors" not in found.lines


def test_choice_in_the_lite_plan_is_a_problem(doctor: Doctor) -> None:
    assert "UserPoolTier" in doctor.settings(CHOOSING, code=PROBLEMS, user_pool_tier="LITE").change(
        "USER_AUTH"
    )


@pytest.mark.parametrize("changed", [{"client_id": "unknown"}, {"pool_id": "eu-west-1_Nobody"}])
def test_admin_reports_an_unknown_pool_or_app_client(
    doctor: Doctor, pool: Pool, changed: dict[str, str]
) -> None:
    found = doctor.describe(attrs.evolve(pool.app, **changed), code=PROBLEMS)

    assert list(found.lines) == ["UserPoolId, ClientId", "clock"]


def test_admin_without_aws_credentials_is_wrong_usage(doctor: Doctor, pool: Pool) -> None:
    assert "no usable AWS credentials" in doctor.run(pool.app, "--admin", code=exit_codes.USAGE).stderr


def test_admin_that_cognito_refuses_ends_with_its_own_exit_code(doctor: Doctor, pool: Pool) -> None:
    doctor.cognito.faults.throttle("DescribeUserPool", times=3)

    result = doctor.run(pool.app, "--admin", code=exit_codes.REFUSED, **CREDENTIALS)

    assert "Throttled" in result.stderr


# -- other services --


@contextmanager
def answering(error: str) -> Generator[str]:
    """A service that refuses everything with one error, sends no Date, and has no keys."""

    class Refusing(Handler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.answer(400, json.dumps({"__type": error, "message": "\x1b[2J"}).encode())

        def do_GET(self) -> None:
            self.answer(500, b"")

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Refusing)) as url:
        yield url


def test_keys_that_cannot_be_fetched_are_a_warning_and_a_missing_date_is_not_reported(
    cognito: LocalCognito, pool: Pool
) -> None:
    with answering("UserNotFoundException") as url:
        found = Doctor(cognito, url).probe(pool.app)

    assert found.level("UserPoolId") == "warning"
    assert "clock" not in found.lines


def test_aws_credentials_without_permission_are_refused_in_words_of_the_command(
    cognito: LocalCognito, pool: Pool
) -> None:
    with answering("AccessDeniedException") as url:
        result = Doctor(cognito, url).run(pool.app, "--admin", code=exit_codes.REFUSED, **CREDENTIALS)

    assert "use AWS credentials that may call DescribeUserPoolClient, or leave out --admin" in result.stderr


def test_endpoint_that_does_not_answer_ends_with_its_own_exit_code(cognito: LocalCognito, pool: Pool) -> None:
    Doctor(cognito, "http://127.0.0.1:1").run(pool.app, code=exit_codes.UNREACHABLE)


@pytest.mark.parametrize(
    "wrong", [["--endpoint", "nowhere"], ["--pool", "x"], ["--client-secret-env", "NOT_SET"]]
)
def test_wrong_usage_has_its_own_exit_code(doctor: Doctor, pool: Pool, wrong: list[str]) -> None:
    doctor.run(pool.app, *wrong, code=exit_codes.USAGE)


# -- on a terminal --


def shown(url: str, client: AppClient, *more: str) -> bytes:
    """The bytes that a terminal gets."""
    named = ("--pool", client.pool_id, "--client", client.client_id, "--endpoint", url)
    return shown_by("doctor", *named, *more)


@pytest.mark.slow
def test_report_is_a_table_on_a_terminal_and_json_on_request(doctor: Doctor, pool: Pool) -> None:
    assert "│ USER_SRP_AUTH".encode() in shown(doctor.url, pool.app)
    assert b'"subject": "USER_SRP_AUTH"' in shown(doctor.url, pool.app, "--json")


def test_text_of_cognito_is_escaped_in_the_table(pool: Pool) -> None:
    with answering("InternalErrorException") as url:
        written = shown(url, pool.app)

    assert b"\\u001b[2J" in written
    assert b"\x1b[2J" not in written
