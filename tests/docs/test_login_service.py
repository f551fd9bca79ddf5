"""The login service of the documentation answers its forms, without a browser's scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from cognito_flow import AppClient
from cognito_flow.testing import LocalCognito, Pool, SoftAuthenticator, totp_code
from tests.docs.login_service import (
    PASSKEY_MFA,
    PASSWORD,
    Visitor,
    django_application,
    django_settings,
    planted,
    service,
    sqlite_store,
    steps,
)
from tests.support.contract import needs_member
from tests.support.planted import tokens_in

HTTP, HTTPS = "http://localhost:8000", "https://login.books.example"


@pytest.fixture
def seeded() -> tuple[LocalCognito, Pool, AppClient]:
    return planted()


@pytest.fixture
def pool(seeded: tuple[LocalCognito, Pool, AppClient]) -> Pool:
    return seeded[1]


NewVisitor = Callable[..., Visitor]
FASTAPI, DJANGO = "fastapi", "django"


@pytest.fixture(params=[FASTAPI, pytest.param(DJANGO, marks=pytest.mark.slow)])
def framework(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def new_visitor(
    framework: str, seeded: tuple[LocalCognito, Pool, AppClient], tmp_path: Path
) -> Iterator[NewVisitor]:
    """Opens another browser at the same service, with cookies of its own."""
    store = sqlite_store(tmp_path)
    with ExitStack() as opened:
        if framework == DJANGO:
            opened.enter_context(django_settings())

        def new_visitor(
            origin: str = HTTP, pool: Pool | None = None, *, passkey_mfa: bool = False
        ) -> Visitor:
            app = seeded[2] if pool is None else pool.app
            pool = pool or seeded[1]
            client: Any
            if framework == DJANGO:
                flow = pool.flow(app, seal_keys=["k" * 32])
                served = django_application(flow, store, origin, passkey_mfa=passkey_mfa)
                client = httpx.Client(
                    transport=httpx.WSGITransport(app=served), base_url=origin, headers={"Origin": origin}
                )
            else:
                async_flow = pool.async_flow(app, seal_keys=["k" * 32])
                served = service.create_app(async_flow, store, origin, passkey_mfa=passkey_mfa)
                client = TestClient(served, base_url=origin)
            return Visitor(opened.enter_context(client))

        yield new_visitor
    store.close()


@pytest.fixture
def visitor(new_visitor: NewVisitor) -> Visitor:
    return new_visitor()


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"


def cookies_of(response: Any) -> dict[str, Any]:
    """The cookies that a response sets."""
    jar: dict[str, Any] = {}
    for header in response.headers.get_list("set-cookie"):
        jar.update(SimpleCookie(header))
    return jar


# -- password and code --


def test_right_password_shows_the_account(visitor: Visitor) -> None:
    page = visitor.sign_in("alice")

    assert (page.url.path, page.status_code) == ("/account", 200)
    assert '<strong id="signed-in-as">alice</strong>' in page.text


@pytest.mark.parametrize("username", ["alice", "unknown"])
def test_wrong_password_and_unknown_name_get_the_same_page(visitor: Visitor, username: str) -> None:
    page = visitor.sign_in(username, "Wrong-Horse-9")

    assert page.status_code == 401
    assert "Check the name and the password" in page.text
    assert "<title>Error: Sign in" in page.text
    assert not visitor.is_signed_in


def test_code_of_the_authenticator_app_signs_in(visitor: Visitor, pool: Pool) -> None:
    asked = visitor.sign_in("bob")
    assert 'autocomplete="one-time-code"' in asked.text
    assert not Visitor(visitor.client).is_signed_in

    page = visitor.submit("/login/answer", code=pool.totp("bob"))

    assert page.url.path == "/account"


def test_right_code_after_a_wrong_one_signs_in(visitor: Visitor, pool: Pool) -> None:
    visitor.sign_in("bob")
    page = visitor.submit("/login/answer", code=wrong(pool.totp("bob")))
    assert (page.status_code, "That is not the code" in page.text) == (401, True)

    assert visitor.submit("/login/answer", code=pool.totp("bob")).url.path == "/account"


def test_empty_code_is_asked_again(visitor: Visitor) -> None:
    visitor.sign_in("bob")

    page = visitor.submit("/login/answer", code=" ")

    assert (page.status_code, "fill in every field" in page.text) == (422, True)
    assert visitor.fields("/login/answer")["state"]


def test_challenge_that_was_answered_must_start_again(visitor: Visitor, pool: Pool) -> None:
    visitor.sign_in("bob")
    fields = visitor.fields("/login/answer") | {"code": pool.totp("bob")}
    done = visitor.client.post("/login/answer", data=fields, follow_redirects=True)
    assert done.url.path == "/account"

    again = visitor.client.post("/login/answer", data=fields)

    assert (again.status_code, "Please start again" in again.text) == (410, True)


def test_challenge_in_another_browser_must_start_again(new_visitor: NewVisitor, pool: Pool) -> None:
    """Otherwise an attacker could make another person finish the attacker's own sign-in."""
    attacker, victim = new_visitor(), new_visitor()
    attacker.sign_in("bob")
    victim.open("/login")
    fields = {**attacker.fields("/login/answer"), **victim.fields("/login"), "code": pool.totp("bob")}

    page = victim.client.post("/login/answer", data=fields)

    assert (page.status_code, "Please start again" in page.text) == (410, True)
    assert not victim.is_signed_in


# -- cookies, forms and headers --


def test_cookies_behind_https_belong_to_this_host_and_to_no_script(new_visitor: NewVisitor) -> None:
    visitor = new_visitor(HTTPS)
    visitor.open("/login")
    fields = visitor.fields("/login") | {"username": "alice", "password": PASSWORD}

    cookies = cookies_of(visitor.page) | cookies_of(
        visitor.client.post("/login", data=fields, follow_redirects=False)
    )

    assert set(cookies) - {"__Host-csrf"} == {"__Host-browser", "__Host-session"}
    for cookie in cookies.values():
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (
            True,
            True,
            "lax",
            "/",
        )
        assert cookie["domain"] == ""
    assert visitor.is_signed_in


def test_form_without_the_browsers_token_is_refused(visitor: Visitor) -> None:
    visitor.open("/login")
    fields = visitor.fields("/login") | {
        "username": "alice",
        "password": PASSWORD,
        "csrf": "made up",
        "csrfmiddlewaretoken": "made up",
    }

    assert visitor.client.post("/login", data=fields).status_code == 403
    assert not visitor.is_signed_in


@pytest.mark.parametrize(
    "action", ["/logout", "/logout/everywhere", "/account/mfa", "/account/passkeys/delete"]
)
def test_form_of_another_site_changes_nothing(visitor: Visitor, action: str) -> None:
    visitor.sign_in("alice")

    assert visitor.client.post(action, data={"factor": "EMAIL_OTP", "on": "yes"}).status_code == 403
    assert visitor.is_signed_in


@pytest.mark.parametrize("path", ["/login", "/sign-up", "/forgot", "/account", "/login.js", "/nowhere"])
def test_every_page_forbids_frames_inline_scripts_caches_and_referrers(visitor: Visitor, path: str) -> None:
    visitor.sign_in("alice")
    headers = visitor.open(path).headers

    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "same-origin")
    assert headers["x-content-type-options"] == "nosniff"


def test_pages_have_no_inline_script_or_style(visitor: Visitor) -> None:
    pages = [visitor.open(path).text for path in ("/login", "/sign-up", "/forgot")] + [
        visitor.sign_in("alice").text
    ]

    assert [] == [
        found for page in pages for found in re.findall(r"<script>|<style|\son\w+=|style=|javascript:", page)
    ]


def test_redirects_lead_to_pages_of_the_service_whatever_a_request_asks_for(visitor: Visitor) -> None:
    visitor.open("/login?next=https://evil.example&done=https://evil.example")
    fields = visitor.fields("/login") | {"username": "alice", "password": PASSWORD, "next": "//evil.example"}

    response = visitor.client.post("/login?next=//evil.example", data=fields, follow_redirects=False)

    assert response.is_redirect
    assert response.headers["location"] == "/account"


def test_what_users_type_is_escaped(visitor: Visitor) -> None:
    assert "<b>" not in visitor.sign_in('"><b>x', "wrong").text
    assert "<b>" not in visitor.open("/account?done=<b>x</b>").text


def test_form_that_is_too_large_is_refused(visitor: Visitor) -> None:
    visitor.open("/login")

    assert visitor.submit("/login", username="a" * 3_000_000).status_code in {400, 413}


def test_no_token_reaches_the_browser_and_no_session_id_the_store(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.sign_in("alice")

    assert tokens_in(page.text + str(dict(visitor.client.cookies))) == []
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("login.db*"))
    assert visitor.client.cookies["session"].encode() not in kept
    assert tokens_in(kept) == []


# -- sessions --


def test_each_sign_in_gets_a_new_session(visitor: Visitor) -> None:
    visitor.sign_in("alice")
    first = visitor.client.cookies["session"]
    visitor.sign_in("bob", "wrong")
    assert visitor.client.cookies["session"] == first
    visitor.sign_in("alice")

    assert visitor.client.cookies["session"] != first
    old = {"Cookie": f"session={first}"}
    assert (
        visitor.client.get("/account", headers=old, follow_redirects=False)
        .headers["location"]
        .startswith("/login")
    )


def test_tokens_are_refreshed_while_the_session_lasts(visitor: Visitor, pool: Pool) -> None:
    visitor.sign_in("alice")

    pool.cognito.clock.advance(3601)

    assert visitor.is_signed_in


def test_signing_out_ends_one_session_only(new_visitor: NewVisitor) -> None:
    laptop, phone = new_visitor(), new_visitor()
    laptop.sign_in("alice")
    phone.sign_in("alice")

    laptop.open("/account")
    assert "You are signed out." in laptop.submit("/logout").text

    assert not laptop.is_signed_in
    assert phone.is_signed_in


def test_signing_out_everywhere_ends_all_sessions(new_visitor: NewVisitor) -> None:
    laptop, phone = new_visitor(), new_visitor()
    laptop.sign_in("alice")
    phone.sign_in("alice")

    laptop.open("/account")
    assert "signed out on all devices" in laptop.submit("/logout/everywhere").text

    assert not laptop.is_signed_in
    assert not phone.is_signed_in


# -- sign-up and forgotten passwords --


def sign_up(visitor: Visitor, username: str = "zoe", password: str = PASSWORD) -> Any:
    visitor.open("/sign-up")
    return visitor.submit("/sign-up", username=username, email="zoe@example.com", password=password)


def test_sign_up_is_confirmed_and_signs_in(visitor: Visitor, pool: Pool) -> None:
    assert "We sent a code to z***@e***." in sign_up(visitor).text
    assert "not the code" in visitor.submit("/sign-up/confirm", code="wrong").text

    page = visitor.submit("/sign-up/confirm", code=pool.last_code("zoe"))

    assert page.url.path == "/account"
    assert "zoe@example.com" in page.text


def test_sign_up_can_be_confirmed_later_with_a_new_code(visitor: Visitor, pool: Pool) -> None:
    sign_up(visitor)
    assert "confirm your e-mail address" in visitor.sign_in("zoe").text
    first = pool.last_code("zoe")
    visitor.submit("/sign-up/confirm", resend="yes")
    assert pool.last_code("zoe") != first

    page = visitor.submit("/sign-up/confirm", code=pool.last_code("zoe"))

    assert "Your account is ready" in page.text
    assert visitor.sign_in("zoe").url.path == "/account"


@pytest.mark.parametrize(
    ("username", "password", "expected"),
    [
        ("alice", PASSWORD, "name is taken"),
        ("zoe", "no-capital-letter-9", "must have uppercase characters"),
        ("", PASSWORD, "every field"),
    ],
)
def test_refused_sign_up_says_why(visitor: Visitor, username: str, password: str, expected: str) -> None:
    page = sign_up(visitor, username, password)

    assert expected in page.text
    assert visitor.fields("/sign-up")["email"] == "zoe@example.com"


def test_forgotten_password_is_replaced_with_a_code(visitor: Visitor, pool: Pool) -> None:
    visitor.open("/forgot")
    visitor.submit("/forgot", username="alice")
    assert (
        "not the code"
        in visitor.submit("/forgot/confirm", code="wrong", new_password="Battery-Staple-9").text
    )

    page = visitor.submit("/forgot/confirm", code=pool.last_code("alice"), new_password="Battery-Staple-9")

    assert "Your password has changed" in page.text
    assert visitor.sign_in("alice", "Battery-Staple-9").url.path == "/account"


def test_forgotten_password_of_an_unknown_user_gets_the_same_page(visitor: Visitor) -> None:
    pages = []
    for username in ("alice", "unknown"):
        visitor.open("/forgot")
        shown = visitor.submit("/forgot", username=username).text.replace(username, "")
        pages.append(re.sub(r'name="csrf\w*" value="\w+"', "", shown))

    assert pages[0] == pages[1]


# -- other ways to sign in --


def test_temporary_password_must_be_replaced(visitor: Visitor) -> None:
    asked = visitor.sign_in("carol", "Temporary-Horse-9")
    assert 'autocomplete="new-password"' in asked.text
    refused = visitor.submit("/login/answer", new_password="no-capital-letter-9")
    assert "must have uppercase characters" in refused.text

    assert visitor.submit("/login/answer", new_password=PASSWORD).url.path == "/account"


@pytest.mark.parametrize("factor", ["EMAIL_OTP", "SMS_OTP"])
def test_code_that_was_sent_signs_in_without_a_password(visitor: Visitor, pool: Pool, factor: str) -> None:
    visitor.sign_in("alice", way="other")
    assert "We sent a code to" in visitor.submit("/login/answer", factor=factor).text

    page = visitor.submit("/login/answer", {"code": ""}, code=pool.last_code("alice"))

    assert page.url.path == "/account"


def test_password_can_be_chosen_among_other_ways(visitor: Visitor) -> None:
    visitor.sign_in("alice", way="other")

    page = visitor.submit("/login/answer", {"factor": "PASSWORD_SRP"}, password=PASSWORD)

    assert page.url.path == "/account"


def test_user_with_several_second_factors_chooses_one(visitor: Visitor, pool: Pool) -> None:
    visitor.sign_in("alice")
    for factor in ("SMS_MFA", "EMAIL_OTP"):
        visitor.submit("/account/mfa", {"factor": factor}, on="yes")
    visitor.sign_in("alice")
    visitor.submit("/login/answer", factor="SMS_MFA")

    page = visitor.submit("/login/answer", code=pool.last_code("alice"))

    assert page.url.path == "/account"
    assert "Code by SMS: on" in page.text


def test_second_factor_that_was_turned_off_is_not_asked_for(visitor: Visitor) -> None:
    visitor.sign_in("alice")
    visitor.submit("/account/mfa", {"factor": "SMS_MFA"}, on="yes")
    visitor.submit("/account/mfa", {"factor": "SMS_MFA"}, off="yes")

    assert visitor.sign_in("alice").url.path == "/account"


def test_authenticator_app_is_set_up_and_then_asked_for(visitor: Visitor, pool: Pool) -> None:
    visitor.sign_in("alice")
    page = visitor.submit("/account/totp")
    assert "<svg" in page.text
    secret = re.search(r'id="secret">(\w+)<', page.text)[1]  # type: ignore[index] # it is there
    clock = pool.cognito.clock
    code = totp_code(secret, clock())
    assert "not the code" in visitor.submit("/account/totp/confirm", code=wrong(code)).text
    assert "is set up" in visitor.submit("/account/totp/confirm", code=code).text

    assert "Your authenticator app shows it" in visitor.sign_in("alice").text
    assert visitor.submit("/login/answer", code=pool.totp("alice")).url.path == "/account"


def test_authenticator_app_can_be_turned_off_on_the_account_page(visitor: Visitor, pool: Pool) -> None:
    visitor.sign_in("bob")
    assert "Authenticator app: on" in visitor.submit("/login/answer", code=pool.totp("bob")).text
    page = visitor.submit("/account/mfa", {"factor": "SOFTWARE_TOKEN_MFA"}, off="yes")

    assert "Authenticator app: off" in page.text
    assert visitor.sign_in("bob").url.path == "/account"


def test_authenticator_app_is_set_up_during_a_sign_in_that_requires_one(
    new_visitor: NewVisitor, cognito: LocalCognito
) -> None:
    pool = cognito.create_pool(mfa_configuration="ON", software_token_mfa_configuration={"Enabled": True})
    pool.add_user("erin", PASSWORD)
    visitor = new_visitor(pool=pool)
    visitor.sign_in("erin")
    page = visitor.submit("/login/answer", factor="SOFTWARE_TOKEN_MFA")
    secret = re.search(r'id="secret">(\w+)<', page.text)[1]  # type: ignore[index] # it is there
    assert "not the code" in visitor.submit("/login/answer", code="000000").text

    done = visitor.submit("/login/answer", code=totp_code(secret, cognito.clock()))

    assert done.history[0].headers["location"] == "/account"


def test_changed_password_is_the_new_one(visitor: Visitor) -> None:
    visitor.sign_in("alice")
    refused = visitor.submit("/account/password", password="Wrong-Horse-9", new_password="Battery-Staple-9")
    assert refused.status_code == 401
    visitor.open("/account")
    visitor.submit("/account/password", password=PASSWORD, new_password="Battery-Staple-9")

    assert visitor.sign_in("alice", "Battery-Staple-9").url.path == "/account"


# -- remembered devices --


def test_remembered_browser_is_not_asked_for_a_code_and_others_are(
    new_visitor: NewVisitor, pool: Pool
) -> None:
    visitor, other = new_visitor(), new_visitor()
    visitor.sign_in("bob")
    visitor.submit("/login/answer", code=pool.totp("bob"))
    visitor.submit("/account/device", on="yes")
    visitor.submit("/logout")

    assert visitor.sign_in("bob").url.path == "/account"
    assert "Your authenticator app shows it" in other.sign_in("bob").text


def test_remembered_browser_is_recognized_by_the_address_that_was_typed(visitor: Visitor, pool: Pool) -> None:
    visitor.sign_in("bob@example.com")
    visitor.submit("/login/answer", code=pool.totp("bob"))
    visitor.submit("/account/device", on="yes")
    visitor.submit("/logout")

    assert visitor.sign_in("bob@example.com").url.path == "/account"


def test_forgotten_browser_is_asked_for_a_code_again(visitor: Visitor, pool: Pool) -> None:
    visitor.sign_in("bob")
    visitor.submit("/login/answer", code=pool.totp("bob"))
    visitor.submit("/account/device", on="yes")
    visitor.submit("/account/device")

    assert "Your authenticator app shows it" in visitor.sign_in("bob").text


# -- passkeys --


def register(visitor: Visitor, authenticator: SoftAuthenticator) -> Any:
    visitor.sign_in("alice")
    visitor.submit("/account/passkeys/new")
    credential = json.dumps(authenticator.create(visitor.options("/account/passkeys")))
    return visitor.submit("/account/passkeys", credential=credential)


@pytest.fixture
def authenticator() -> SoftAuthenticator:
    return SoftAuthenticator(origin=HTTP)


def test_registered_passkey_signs_in_until_it_is_deleted(
    visitor: Visitor, authenticator: SoftAuthenticator
) -> None:
    assert "Your passkey is ready" in register(visitor, authenticator).text

    visitor.open("/login")
    visitor.submit("/login", username="alice", way="passkey")
    credential = json.dumps(authenticator.get(visitor.options("/login/answer")))
    page = visitor.submit("/login/answer", {"credential": ""}, credential=credential)
    assert page.url.path == "/account"

    visitor.submit("/account/passkeys/delete")
    visitor.open("/login")
    page = visitor.submit("/login", username="alice", way="passkey")
    assert "Choose how to sign in" in page.text


def test_account_page_says_that_a_second_factor_rules_out_passkeys(
    visitor: Visitor, authenticator: SoftAuthenticator
) -> None:
    rules_out = "a passkey cannot sign you in"
    assert rules_out not in register(visitor, authenticator).text
    assert rules_out in visitor.submit("/account/mfa", {"factor": "SMS_MFA"}, on="yes").text

    visitor.open("/login")
    assert "Use your passkey" not in visitor.submit("/login", username="alice", way="passkey").text


def allow_passkey_alone(new_visitor: NewVisitor, authenticator: SoftAuthenticator) -> Visitor:
    """A visitor with codes by SMS, whom a passkey signs in without one."""
    visitor = new_visitor(passkey_mfa=True)
    register(visitor, authenticator)
    visitor.submit("/account/mfa", {"factor": "SMS_MFA"}, on="yes")
    visitor.submit("/account/mfa", {"factor": "WEB_AUTHN"}, on="yes")
    return visitor


@needs_member(*PASSKEY_MFA)
def test_passkey_signs_in_alone_once_a_user_with_a_second_factor_allows_it(
    new_visitor: NewVisitor, authenticator: SoftAuthenticator
) -> None:
    visitor = allow_passkey_alone(new_visitor, authenticator)

    visitor.open("/login")
    visitor.submit("/login", username="alice", way="passkey")
    credential = json.dumps(authenticator.get(visitor.options("/login/answer")))
    page = visitor.submit("/login/answer", {"credential": ""}, credential=credential)

    assert page.url.path == "/account"


@needs_member(*PASSKEY_MFA)
def test_passkey_is_not_offered_once_the_user_forbids_it(
    new_visitor: NewVisitor, authenticator: SoftAuthenticator
) -> None:
    visitor = allow_passkey_alone(new_visitor, authenticator)
    visitor.submit("/account/mfa", {"factor": "WEB_AUTHN"}, off="yes")

    visitor.open("/login")
    page = visitor.submit("/login", username="alice", way="passkey")

    assert "Use your passkey" not in page.text


@needs_member(*PASSKEY_MFA)
def test_last_second_factor_is_turned_off_together_with_the_passkey(
    new_visitor: NewVisitor, authenticator: SoftAuthenticator
) -> None:
    visitor = allow_passkey_alone(new_visitor, authenticator)

    page = visitor.submit("/account/mfa", {"factor": "SMS_MFA"}, off="yes")

    assert "Code by SMS: off" in page.text
    assert visitor.sign_in("alice").url.path == "/account"


def test_another_way_can_be_chosen_after_a_cancelled_passkey(
    visitor: Visitor, pool: Pool, authenticator: SoftAuthenticator
) -> None:
    register(visitor, authenticator)
    visitor.open("/login")
    visitor.submit("/login", username="alice", way="passkey")

    visitor.submit("/login/answer", factor="EMAIL_OTP")
    page = visitor.submit("/login/answer", {"code": ""}, code=pool.last_code("alice"))

    assert page.url.path == "/account"


def test_passkey_of_another_origin_is_refused(visitor: Visitor, authenticator: SoftAuthenticator) -> None:
    register(visitor, authenticator)
    visitor.submit("/logout")
    authenticator.origin = "https://evil.example"
    visitor.open("/login")
    visitor.submit("/login", username="alice", way="passkey")

    credential = json.dumps(authenticator.get(visitor.options("/login/answer")))
    page = visitor.submit("/login/answer", {"credential": ""}, credential=credential)

    assert (page.status_code, "That did not work" in page.text) == (401, True)
    assert not visitor.is_signed_in


# -- problems --


def test_outage_is_shown_and_logged(visitor: Visitor, pool: Pool, caplog: pytest.LogCaptureFixture) -> None:
    pool.cognito.faults.throttle("InitiateAuth", times=9)

    page = visitor.sign_in("alice")

    assert (page.status_code, "in a minute" in page.text) == (503, True)
    assert "Throttled" in caplog.text
    assert PASSWORD not in caplog.text


def test_challenge_of_a_trigger_has_a_page_that_names_it(cognito_pool: Pool) -> None:
    challenge: Any = cognito_pool.flow().resume("CUSTOM_CHALLENGE", "s" * 30, "alice")
    page, values = steps.page_for(challenge)

    assert "CUSTOM_CHALLENGE" in steps.render(page, challenge=challenge, csrf="", form={}, **values)


@pytest.mark.parametrize("name", ["PASSWORD", "PASSWORD_SRP", "ADMIN_NO_SRP_AUTH"])
def test_challenge_for_a_password_has_a_page(name: str, cognito_pool: Pool) -> None:
    challenge: Any = cognito_pool.flow().resume(name, "s" * 30, "alice")
    page, values = steps.page_for(challenge)

    assert 'autocomplete="current-password"' in steps.render(
        page, challenge=challenge, csrf="", form={}, **values
    )
    assert steps.answer_from(challenge, {"password": PASSWORD}).challenge is challenge
