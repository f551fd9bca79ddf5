"""A program for pycognito that uses every name which `cognito_flow.compat.pycognito` has, and prints what comes.

Run it with the package to import, the URL of LocalCognito, and the app client as JSON. With both packages it
prints the same: tests/migration/pycognito_output.txt.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib
import json
import struct
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import requests
from botocore.exceptions import ClientError

PASSWORD, OTHER_PASSWORD = "Correct-horse-1", "Battery-staple-2"


class Script:
    """The program, with the package that it imports."""

    def __init__(self, package: str, url: str, app: dict[str, str], say: Callable[[str], object]) -> None:
        self.package: Any = importlib.import_module(package)
        self.srp: Any = importlib.import_module(f"{package}.aws_srp")
        self.exceptions: Any = importlib.import_module(f"{package}.exceptions")
        self.utils: Any = importlib.import_module(f"{package}.utils")
        self.url, self.app, self.say_line = url, app, say

    def user(self, username: str | None = "alice", **more: Any) -> Any:
        connection = {
            "endpoint_url": self.url,
            "aws_access_key_id": "local",
            "aws_secret_access_key": "local",
        }
        return self.package.Cognito(
            self.app["pool_id"],
            self.app["client_id"],
            username=username,
            client_secret=self.app.get("client_secret"),
            boto3_client_kwargs=connection,
            **more,
        )

    def signed_in(self, username: str = "alice", password: str = PASSWORD) -> Any:
        user = self.user(username)
        user.authenticate(password=password)
        return user

    def say(self, what: str, value: object) -> None:
        self.say_line(f"{what}: {value}")

    def attempt(self, what: str, call: Callable[[], object]) -> None:
        """Say what a call gives, or how it fails. The packages word their own exceptions differently."""
        try:
            given = call()
        except ClientError as error:
            said: Any = error.response.get("Error")
            # Programs catch the classes of `client.exceptions`, which have the names of the codes.
            text = f"{type(error).__name__}: {said['Message']}"
            self.say(what, text.replace(self.app["client_id"], "CLIENT"))
        except Exception as error:  # noqa: BLE001 - a program prints whatever it meets
            parents = [kind.__name__ for kind in type(error).__mro__]
            self.say(what, " < ".join(parents[: parents.index("Exception")]))
        else:
            self.say(what, given)

    def last_code(self, username: str) -> str:
        with urlopen(f"{self.url}/_local/outbox?username={username}") as answer:  # noqa: S310 - of the test
            return str(json.load(answer)[-1]["code"])

    # -- what programs do --

    def signing_in(self) -> None:
        user = self.signed_in()
        self.say("token type", user.token_type)
        self.say("claims", (user.id_claims["cognito:username"], user.access_claims["token_use"]))
        self.say("issuer", user.access_claims["iss"] == user.user_pool_url)
        self.say("tokens", [bool(each) for each in (user.id_token, user.access_token, user.refresh_token)])
        self.attempt("wrong password", lambda: self.user().authenticate(PASSWORD + "!"))
        self.attempt("with metadata", lambda: self.user().authenticate(PASSWORD, client_metadata={"a": "b"}))
        self.attempt("unknown user", lambda: self.user("unknown").authenticate(PASSWORD))
        self.attempt("as administrator", lambda: self.user().admin_authenticate(PASSWORD))
        user.logout()
        self.say("signed out", (user.id_token, user.access_token, user.refresh_token, user.token_type))

    def tokens(self) -> None:
        user = self.signed_in()
        before = user.access_token
        self.say("expired", user.check_token())
        user.renew_access_token()
        self.say("renewed", (user.access_token != before, bool(user.refresh_token)))
        user.access_token = _expired_token()
        self.say("expired", (user.check_token(renew=False), user.check_token(), user.check_token()))
        self.attempt("verified", user.verify_tokens)
        again = self.user(None, id_token=user.id_token, access_token=user.access_token)
        again.verify_tokens()
        self.say("claims of stored tokens", again.id_claims["sub"] == user.id_claims["sub"])
        self.attempt(
            "damaged",
            lambda: user.verify_token(user.access_token[:-9] + "AAAAAAAAA", "access_token", "access"),
        )
        self.attempt("other use", lambda: user.verify_token(user.access_token, "id_token", "id"))
        self.attempt("without a token", self.user().check_token)
        user.refresh_token = "made-up"
        self.attempt("made-up refresh token", user.renew_access_token)

    def attributes(self) -> None:
        user = self.signed_in()
        user.update_profile({"given_name": "Alice", "locale": "nl"})
        found = user.get_user(attr_map={"given_name": "first_name"})
        self.say("user", (repr(found), found.username, found.first_name, found.locale, found.email_verified))
        self.say("metadata", found.access_token == user.access_token)
        self.attempt("unknown attribute", lambda: found.nickname)
        found.first_name = "Ally"
        found.colour = "red"
        found.save()
        self.say("saved", user.get_user().given_name)
        seen = user.admin_get_user()
        self.say("as administrator", (seen.user_status, seen.enabled, seen.given_name, seen.sub == found.sub))
        seen.given_name = "Al"
        seen.save(admin=True)
        self.say("all users", sorted((each.username, each.sub is not None) for each in user.get_users()))
        user.admin_update_profile({"name": "Alice", "email_verified": False})
        self.say("unverified", user.admin_get_user().email_verified)
        user.send_verification()
        self.attempt("wrong code", lambda: user.validate_verification("000000"))
        user.validate_verification(self.last_code("alice"), "email")
        self.say("verified", user.get_user().email_verified)

    def passwords(self) -> None:
        user = self.signed_in()
        self.attempt("wrong previous", lambda: user.change_password(PASSWORD + "!", OTHER_PASSWORD))
        user.change_password(PASSWORD, OTHER_PASSWORD)
        user.initiate_forgot_password()
        code = self.last_code("alice")
        self.attempt("weak", lambda: user.confirm_forgot_password(code, "weak"))
        user.confirm_forgot_password(code, PASSWORD)
        self.attempt("after both", lambda: self.user().authenticate(PASSWORD))

    def sign_up(self) -> None:
        user = self.user("carol")
        user.set_base_attributes(mail="carol@example.com", given_name="Carol")
        user.add_custom_attributes(team="red")
        answer = user.register("carol", PASSWORD, attr_map={"email": "mail"}, client_metadata={"a": "b"})
        self.say("registered", (answer["UserConfirmed"], sorted(answer)))
        self.say("kept", (user.username, user.given_name))
        self.attempt("unconfirmed", lambda: user.authenticate(PASSWORD))
        self.attempt("wrong code", lambda: user.confirm_sign_up("000000"))
        user.resend_confirmation_code("carol")
        self.attempt("right code", lambda: user.confirm_sign_up(self.last_code("carol"), username="carol"))
        user.authenticate(PASSWORD)
        self.say("custom attribute", user.get_user()._data["custom:team"])
        user.delete_user()
        self.attempt("deleted", lambda: user.authenticate(PASSWORD))
        other = self.user("dora")
        other.register("dora", PASSWORD)
        self.attempt("confirmed by an administrator", other.admin_confirm_sign_up)
        other.admin_get_user().delete(admin=True)
        self.attempt("taken", lambda: self.user().register("alice", PASSWORD))

    def administration(self) -> None:
        user = self.user("erin")
        quietly = {"MessageAction": "SUPPRESS"}
        answer = user.admin_create_user(
            "erin", PASSWORD, quietly, email="erin@example.com", email_verified=True
        )
        self.say("created", (answer["User"]["UserStatus"], sorted(answer), user.email))
        self.attempt("temporary", lambda: user.authenticate(PASSWORD))
        self.attempt("weak", lambda: user.new_password_challenge(PASSWORD, "weak"))
        self.attempt("replaced", lambda: user.new_password_challenge(PASSWORD, OTHER_PASSWORD))
        user.admin_disable_user("erin")
        self.attempt("disabled", lambda: user.authenticate(OTHER_PASSWORD))
        user.admin_enable_user("erin")
        user.admin_reset_password("erin")
        self.attempt("reset", lambda: user.authenticate(OTHER_PASSWORD))
        user.client.create_group(UserPoolId=user.user_pool_id, GroupName="staff", Precedence=1)
        user.admin_add_user_to_group("erin", "staff")
        self.say("groups", user.admin_list_groups_for_user("erin"))
        group = user.get_group("staff")
        self.say("group", (repr(group), group.precedence, group.description))
        self.say("all groups", [each.group_name for each in user.get_groups()])
        user.admin_remove_user_from_group("erin", "staff")
        self.say("groups", user.admin_list_groups_for_user("erin"))
        user.admin_delete_user()
        self.attempt("deleted", user.admin_get_user)
        self.attempt("created without a password", lambda: "User" in user.admin_create_user("erin"))
        user.admin_get_user().delete(admin=True)

    def second_factors(self) -> None:
        user = self.signed_in()
        secret = user.associate_software_token()
        self.attempt("wrong code", lambda: user.verify_software_token("000000"))
        self.say("right code", user.verify_software_token(_totp(secret, -1), "phone"))
        self.attempt("no preference", lambda: user.set_user_mfa_preference(False, True))
        user.set_user_mfa_preference(False, True, "SOFTWARE_TOKEN")
        self.attempt("asked", lambda: user.authenticate(PASSWORD))
        self.say("kept", user.mfa_tokens["ChallengeName"])
        self.attempt("wrong code", lambda: user.respond_to_software_token_mfa_challenge("000000"))
        self.attempt("right code", lambda: user.respond_to_software_token_mfa_challenge(_totp(secret)))
        other, kept = self.user(), None
        try:
            self.signed_in()
        except self.exceptions.SoftwareTokenMFAChallengeException as asked:
            kept = asked.get_tokens()
        answer = lambda: other.respond_to_software_token_mfa_challenge(_totp(secret, 1), mfa_tokens=kept)  # noqa: E731
        self.attempt("by another object", answer)
        self.attempt("again", answer)
        other.set_user_mfa_preference(True, False, preferred="SMS")
        self.attempt("asked", lambda: other.authenticate(PASSWORD))
        self.attempt("by sms", lambda: other.respond_to_sms_mfa_challenge(self.last_code("alice")))
        self.say("signed in", other.get_user().username)
        other.set_user_mfa_preference(False, False)
        self.attempt("no longer asked", lambda: self.user().authenticate(PASSWORD))

    def low_level(self) -> None:
        client = self.user().client
        members = {"pool_id": self.app["pool_id"], "client_id": self.app["client_id"], "client": client}
        secret = self.app.get("client_secret")
        srp = self.package.AWSSRP("alice", PASSWORD, client_secret=secret, **members)
        result = srp.authenticate_user()["AuthenticationResult"]
        self.say("result", (sorted(result), result["ExpiresIn"], result["TokenType"]))
        wrong = self.srp.AWSSRP("alice", PASSWORD + "!", client_secret=secret, **members)
        self.attempt("wrong password", wrong.authenticate_user)
        self.attempt(
            "region and client", lambda: self.package.AWSSRP("a", "b", pool_region="eu-west-1", **members)
        )
        self.attempt("half a device", lambda: self.package.AWSSRP("a", "b", device_key="x", **members))
        self.say(
            "names",
            (srp.SMS_MFA_CHALLENGE, srp.SOFTWARE_TOKEN_MFA_CHALLENGE, srp.NEW_PASSWORD_REQUIRED_CHALLENGE),
        )
        self.say("secret hash", srp.get_secret_hash("alice", "client", "secret"))
        self.attempt("halves", lambda: self._halves(client, srp))
        self.attempt("halves of a wrong password", lambda: self._halves(client, wrong))

    def _halves(self, client: Any, srp: Any) -> bool:
        """What programs do that make the calls themselves, for example with aiohttp."""
        parameters = srp.get_auth_params()
        asked = client.initiate_auth(
            AuthFlow="USER_SRP_AUTH", ClientId=self.app["client_id"], AuthParameters=parameters
        )
        answered = client.respond_to_auth_challenge(
            ClientId=self.app["client_id"],
            ChallengeName="PASSWORD_VERIFIER",
            ChallengeResponses=srp.process_challenge(asked["ChallengeParameters"], parameters),
        )
        return "AuthenticationResult" in answered

    def requests(self) -> None:
        auth = self.utils.RequestsSrpAuth(cognito=self.user(), password=PASSWORD)
        request = requests.Request("GET", "https://api.example.com", auth=auth).prepare()
        self.say("header", request.headers["Authorization"] == f"Bearer {auth.cognito_client.access_token}")
        by_id = self.utils.RequestsSrpAuth(
            cognito=auth.cognito_client,
            http_header="X-Token",
            http_header_prefix="",
            auth_token_type=self.utils.TokenType.ID_TOKEN,
        )
        request = requests.Request("GET", "https://api.example.com", auth=by_id).prepare()
        self.say("header", request.headers["X-Token"] == auth.cognito_client.id_token)

    def records(self) -> None:
        pairs = [{"Name": "given_name", "Value": "Al"}, {"Name": "email_verified", "Value": "true"}]
        self.say("dictionary", self.package.cognito_to_dict(pairs, {"given_name": "first_name"}))
        pairs = self.package.dict_to_cognito({"first_name": "Al", "on": True}, {"given_name": "first_name"})
        self.say("list", sorted(pair["Name"] + "=" + pair["Value"] for pair in pairs))
        group = self.user().get_group_obj({"GroupName": "staff", "Precedence": 1})
        self.say("group", (group.group_name, group.precedence, group.role_arn))
        pairs = [{"Name": "given_name", "Value": "Al"}, {"Name": "email_verified", "Value": "true"}]
        user = self.user().get_user_obj("alice", pairs, {"user_status": "CONFIRMED"})
        self.say("user", (user.given_name, user.email_verified, user.user_status, user.sub))


def _totp(secret: str, ahead: int = 0) -> str:
    """The code of an authenticator app, some steps ahead: a code works once."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30 + ahead), hashlib.sha1)
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 15)
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06}"


def _expired_token() -> str:
    parts: list[dict[str, Any]] = [{"alg": "none"}, {"exp": 1_000_000_000, "username": "alice"}, {}]
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )


SECTIONS = (
    "signing_in",
    "tokens",
    "attributes",
    "passwords",
    "sign_up",
    "administration",
    "second_factors",
    "low_level",
    "requests",
    "records",
)


def main(package: str, url: str, app: str, say: Callable[[str], object] = print) -> None:
    script = Script(package, url, json.loads(app), say)
    for name in SECTIONS:
        say(f"# {name}")
        getattr(script, name)()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3])
