"""Sign-up, and the names of new users.

Rule of this file: users choose their names and addresses; an address is verified only by a code that was sent
to it.

Sources: "Signing up and confirming user accounts" and "Customizing sign-in attributes" in the Amazon Cognito
developer guide.
"""

from __future__ import annotations

import uuid

import attrs

from cognito_flow.testing._operations.codes import expired_code, find_code, send_code, simulated_delivery
from cognito_flow.testing._operations.request import Operation, Request, need
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.attributes import (
    ADDRESSES,
    FORMS,
    as_dictionary,
    change,
    check_alias,
    check_attributes,
    check_mutable,
    check_required,
    check_writable,
    take_alias,
)
from cognito_flow.testing._state.passwords import check_policy, set_password
from cognito_flow.testing._state.records import Client, User, UserPool
from cognito_flow.testing._state.refusal import Refusal, invalid_parameter, missing_parameter, not_authorized
from cognito_flow.testing._state.sessions import Progress, open_session, seal_session, spend
from cognito_flow.testing._state.srp_server import secret_hash

# -- names --


def new_user(
    pool: UserPool,
    request: Request,
    attributes: dict[str, str],
    status: str,
    text_if_taken: str = "User already exists",
) -> User:
    """A new user with the name that was sent, who is not yet in the pool.

    Raises:
        Refusal: The name is taken or has a form that this pool does not allow, or the attributes may not be.
    """
    typed, sub = request.parameters["Username"], str(uuid.uuid4())
    named: list[str] = pool.members.get("UsernameAttributes", [])
    if named:
        # The typed name is an address; the user name is the sub.
        attributes = {**attributes, _address_of(named, typed): typed}
    else:
        _check_is_no_address(pool, typed)
    user = User(sub if named else pool.normalize(typed), sub, request.now, {}, status)
    check_mutable(pool, user, attributes)
    check_attributes(pool, attributes)
    addresses = {name: attributes[name] for name in named if name in attributes}
    _check_is_free(pool, typed, text_if_taken, addresses)
    change(user, attributes, request.now)
    return user


def _address_of(named: list[str], typed: str) -> str:
    for name in named:
        if FORMS[name].fullmatch(typed):
            return name
    kinds = [{"email": "an email", "phone_number": "a phone number"}[name] for name in named]
    either = "either " if len(kinds) > 1 else ""
    raise invalid_parameter(f"Username should be {either}{' or '.join(kinds)}.")


def _check_is_no_address(pool: UserPool, typed: str) -> None:
    for name in pool.members.get("AliasAttributes", ()):
        if name in FORMS and FORMS[name].fullmatch(typed):
            kind = name.replace("_", " ")
            text = f"Username cannot be of {kind} format, since user pool is configured for {kind} alias."
            raise invalid_parameter(text)


def _check_is_free(pool: UserPool, typed: str, text_if_taken: str, addresses: dict[str, str]) -> None:
    for name, address in addresses.items():
        if pool.find(address) is not None:
            text = f"An account with the given {name} already exists."
            raise Refusal("UsernameExistsException", text)
    if pool.find(typed) is not None:
        raise Refusal("UsernameExistsException", text_if_taken)


# -- signing up --


def sign_up(request: Request) -> Members:
    """SignUp."""
    pool, client = request.client()
    if pool.members.get("AdminCreateUserConfig", {}).get("AllowAdminCreateUserOnly"):
        raise not_authorized("SignUp is not permitted for this user pool")
    if client.secret is None and "SecretHash" in request.parameters:
        text = f"Client {client.id} is not configured with secret but SECRET_HASH was received"
        raise invalid_parameter(text)
    request.check_secret_hash(client, None)
    attributes = as_dictionary(request.parameters.get("UserAttributes", []))
    check_writable(client, attributes)
    if "preferred_username" in attributes and "preferred_username" in pool.members.get("AliasAttributes", ()):
        raise invalid_parameter("preferred_username is an alias: it can be set once the user is confirmed.")
    user = new_user(pool, request, attributes, "UNCONFIRMED")
    check_required(pool, user.attributes)
    _set_password(pool, user, request)
    _pre_sign_up(pool, client, user, request)
    pool.users[user.username] = user
    answer: Members = {"UserConfirmed": user.status == "CONFIRMED", "UserSub": user.sub}
    if user.status == "CONFIRMED":
        _post_confirmation(pool, client, user, request)
        return answer
    if (attribute := _channel(pool, user)) is not None:
        answer["CodeDeliveryDetails"] = send_code(request, pool, user, "SignUp", attribute)
    if "ALLOW_USER_AUTH" in client.flows:
        answer["Session"] = _session(pool, client, user, "SIGN_UP", request)
    return answer


def _set_password(pool: UserPool, user: User, request: Request) -> None:
    """Set the password. It is optional if the pool can send a one-time password to a verified address."""
    if password := request.parameters.get("Password"):
        check_policy(pool, password)
        set_password(pool, user, password, request.now)
        return
    factors = {"EMAIL_OTP": "email", "SMS_OTP": "phone_number"}
    usable = {factors[name] for name in pool.first_factors if name in factors}
    verified = set(pool.members.get("AutoVerifiedAttributes", ()))
    if not any(user.attributes.get(name) for name in usable & verified):
        raise missing_parameter("Password")


def _pre_sign_up(pool: UserPool, client: Client, user: User, request: Request) -> None:
    """Run the trigger, which may refuse the sign-up or confirm the user."""
    data: Members = {
        "validationData": as_dictionary(request.parameters.get("ValidationData", [])),
        "clientMetadata": request.parameters.get("ClientMetadata", {}),
        "userAttributes": dict(user.attributes),
    }
    decision = pool.run_trigger("PreSignUp", "PreSignUp_SignUp", client.id, user, data)
    if decision is None or not decision.get("autoConfirmUser"):
        return
    keys = {"email": "autoVerifyEmail", "phone_number": "autoVerifyPhone"}
    verified = [name for name, key in keys.items() if decision.get(key)]
    for name in verified:
        # "Pre sign-up Lambda trigger" in the developer guide says that this fails, but not with which error.
        if name not in user.attributes:
            text = f"PreSignUp returned {keys[name]} for a user without {name}."
            raise Refusal("InvalidLambdaResponseException", text)
    user.status = "CONFIRMED"
    for name in verified:
        take_alias(pool, user, name, user.attributes[name])
        user.attributes[f"{name}_verified"] = "true"


def _post_confirmation(pool: UserPool, client: Client, user: User, request: Request) -> None:
    data: Members = {"clientMetadata": request.parameters.get("ClientMetadata", {})}
    pool.run_trigger("PostConfirmation", "PostConfirmation_ConfirmSignUp", client.id, user, data)


def _channel(pool: UserPool, user: User) -> str | None:
    """The attribute that the code is sent to."""
    wanted = pool.members.get("AutoVerifiedAttributes", ())
    return next((name for name in ADDRESSES if name in wanted and user.attributes.get(name)), None)


def _session(pool: UserPool, client: Client, user: User, step: str, request: Request) -> str:
    progress = Progress(
        client_id=client.id, username=user.username, sub=user.sub, flow="USER_AUTH", challenge=step
    )
    return seal_session(pool, progress, request.now, client.session_life)


# -- confirming --


def confirm_sign_up(request: Request) -> Members:
    """ConfirmSignUp. With the Session of SignUp, the answer has one that signs in."""
    pool, client, user = request.named_user()
    if user is None:
        raise (
            expired_code() if client.hides_users else Refusal("UserNotFoundException", "User does not exist.")
        )
    if user.status != "UNCONFIRMED":
        raise not_authorized(f"User cannot be confirmed. Current status is {user.status}")
    sent = find_code(request, user, "SignUp", request.parameters["ConfirmationCode"])
    address, by_force = user.attributes[sent.attribute], bool(request.parameters.get("ForceAliasCreation"))
    check_alias(pool, user, sent.attribute, address, by_force=by_force)
    answer = _further_session(pool, client, user, request)
    if by_force:
        take_alias(pool, user, sent.attribute, address)
    del user.codes["SignUp"]
    change(user, {f"{sent.attribute}_verified": "true"}, request.now)
    user.status = "CONFIRMED"
    _post_confirmation(pool, client, user, request)
    return answer


def confirm_by_link(request: Request) -> Members:
    """ConfirmSignUp for the query of a link in a message. A link has no SecretHash, only the code."""
    query = request.parameters
    parameters = {
        "ClientId": need(query, "client_id"),
        "Username": need(query, "user_name"),
        "ConfirmationCode": need(query, "confirmation_code"),
    }
    linked = attrs.evolve(request, parameters=parameters)
    _, client = linked.client()
    if client.secret is not None:
        parameters["SecretHash"] = secret_hash(client.secret, parameters["Username"], client.id)
    return confirm_sign_up(linked)


def _further_session(pool: UserPool, client: Client, user: User, request: Request) -> Members:
    session = request.parameters.get("Session")
    if session is None and not pool.settings.confirmation_session:
        return {}
    if session is None:
        return {"Session": _session(pool, client, user, "CONFIRMED_SIGN_UP", request)}
    progress = open_session(pool, client, session, "SIGN_UP", request.now)
    if progress.username != user.username:
        raise not_authorized("Invalid session for the user.")
    spend(pool, progress, request.now)
    return {"Session": _session(pool, client, user, "CONFIRMED_SIGN_UP", request)}


def resend_confirmation_code(request: Request) -> Members:
    """ResendConfirmationCode. The new code replaces the one before."""
    pool, client, user = request.named_user()
    if user is None and client.hides_users:
        usual = next(iter(pool.members.get("AutoVerifiedAttributes", ())), "email")
        return {"CodeDeliveryDetails": simulated_delivery(pool, request.parameters["Username"], usual)}
    if user is None:
        raise Refusal("UserNotFoundException", "Username/client id combination not found.")
    if user.status != "UNCONFIRMED":
        raise invalid_parameter("User is already confirmed.")
    attribute = _channel(pool, user)
    if attribute is None:
        raise invalid_parameter("Cannot resend codes. Auto verification not turned on.")
    return {"CodeDeliveryDetails": send_code(request, pool, user, "SignUp", attribute)}


OPERATIONS: dict[str, Operation] = {
    "ConfirmSignUp": confirm_sign_up,
    "ResendConfirmationCode": resend_confirmation_code,
    "SignUp": sign_up,
}
