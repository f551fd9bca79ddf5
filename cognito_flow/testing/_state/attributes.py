"""The attributes of users: the schema of a pool, valid values, and aliases.

Rule of this file: only `change` sets attributes; it also drops codes that were sent to the old value.

Sources: "Working with user attributes" and "Customizing sign-in attributes" in the Amazon Cognito developer
guide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import Client, User, UserPool, is_verified
from cognito_flow.testing._state.refusal import Refusal, invalid_parameter, not_authorized

ADDRESSES = ("phone_number", "email")
"""The attributes that codes are sent to, the preferred one first."""

EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
"""What an e-mail address looks like."""

PHONE = re.compile(r"\+[0-9]{1,15}")
"""What a phone number looks like: E.164."""

FORMS = {"email": EMAIL, "phone_number": PHONE}
"""What each kind of address looks like."""

_LONGEST = 2048  # characters of an attribute
_NUMBER = re.compile(r"-?[0-9]{1,18}")


def _entry(name: str, kind: str, **members: object) -> Members:
    return {
        "Name": name,
        "AttributeDataType": kind,
        "DeveloperOnlyAttribute": False,
        "Mutable": name != "sub",
        "Required": name == "sub",
        **members,
    }


def _string(name: str, shortest: int, longest: int) -> Members:
    lengths = {"MinLength": str(shortest), "MaxLength": str(longest)}
    return _entry(name, "String", StringAttributeConstraints=lengths)


def _standard() -> dict[str, Members]:
    """The schema that every pool begins with, in the order of DescribeUserPool."""
    entries = [
        _string("sub", 1, 2048),
        *(_string(name, 0, 2048) for name in ("name", "given_name", "family_name", "middle_name")),
        *(_string(name, 0, 2048) for name in ("nickname", "preferred_username", "profile", "picture")),
        *(_string(name, 0, 2048) for name in ("website", "email")),
        _entry("email_verified", "Boolean"),
        _string("gender", 0, 2048),
        _string("birthdate", 10, 10),
        *(_string(name, 0, 2048) for name in ("zoneinfo", "locale", "phone_number")),
        _entry("phone_number_verified", "Boolean"),
        _string("address", 0, 2048),
        _entry("updated_at", "Number", NumberAttributeConstraints={"MinValue": "0"}),
    ]
    return {entry["Name"]: entry for entry in entries}


def check_schema(given: Iterable[Members]) -> None:
    """Check attributes of Schema or CustomAttributes.

    Raises:
        Refusal: An attribute has no name or no data type, changes what is fixed, or its limits are wrong.
    """
    standard = _standard()
    for attribute in given:
        if "Name" not in attribute:
            raise invalid_parameter("An attribute of the schema must have a name.")
        name = attribute["Name"]
        if name in standard:
            _check_standard(attribute, standard[name])
        elif "AttributeDataType" not in attribute:
            text = "Invalid AttributeDataType input, consider using the provided AttributeDataType enum."
            raise invalid_parameter(text)
        elif attribute.get("Required"):
            raise invalid_parameter("Required custom attributes are not supported currently.")
        shown = name if name in standard else f"custom:{name}"
        _check_limits(shown, "length", attribute.get("StringAttributeConstraints", {}))
        _check_limits(shown, "value", attribute.get("NumberAttributeConstraints", {}))


def _check_standard(attribute: Members, standard: Members) -> None:
    kind = attribute.get("AttributeDataType", standard["AttributeDataType"])
    if kind != standard["AttributeDataType"] or attribute.get("DeveloperOnlyAttribute"):
        text = "You can not change AttributeDataType or set developerOnlyAttribute for standard schema"
        raise invalid_parameter(f"{text} attribute {attribute['Name']}")


def _check_limits(name: str, what: str, limits: Members) -> None:
    for limit, value in limits.items():
        if not _NUMBER.fullmatch(value):
            raise invalid_parameter(f"Invalid {limit} for schema attribute {name}")
        if what == "length" and int(value) > _LONGEST:
            text = f"user.{name}: String attributes cannot have a length of more than {_LONGEST}"
            raise invalid_parameter(text)
    least, most = limits.get(f"Min{what.title()}"), limits.get(f"Max{what.title()}")
    if least is not None and most is not None and int(least) > int(most):
        raise invalid_parameter(f"user.{name}: Max {what} cannot be less than min {what}.")


def as_schema(given: Members) -> Members:
    """An attribute of Schema or CustomAttributes, as DescribeUserPool shows it."""
    name, is_developers = given["Name"], given.get("DeveloperOnlyAttribute", False)
    standard = _standard()
    if name in standard:
        return {**standard[name], **given}
    prefix = "dev:custom:" if is_developers else "custom:"
    kind = given["AttributeDataType"]
    constraints: Members = {} if kind in {"Boolean", "DateTime"} else {f"{kind}AttributeConstraints": {}}
    defaults = {**_entry(name, kind), **constraints}
    return {**defaults, **given, "Name": f"{prefix}{name.removeprefix(prefix)}"}


def schema(pool: UserPool) -> dict[str, Members]:
    """The attributes of a pool, by name, as DescribeUserPool shows them."""
    own = (as_schema(given) for given in pool.members.get("Schema", ()))
    return {**_standard(), **{entry["Name"]: entry for entry in own}}


def as_dictionary(listed: Iterable[Members]) -> dict[str, str]:
    """Attributes as a dictionary, from the list that the wire has."""
    return {item["Name"]: item.get("Value", "") for item in listed}


# -- what may be set --


def check_attributes(pool: UserPool, attributes: Mapping[str, str]) -> None:
    """Check values of attributes. An empty one deletes the attribute.

    Raises:
        Refusal: An attribute is not in the pool's schema, or its value does not have the required form.
    """
    known = schema(pool)
    if unknown := [name for name in attributes if name not in known]:
        raise _against_schema("Attribute does not exist in the schema.", *unknown)
    for name, value in attributes.items():
        if value:
            _check_form(name, value, known[name])


def _against_schema(what: str, *names: str) -> Refusal:
    lines = "\n".join(f"{name}: {what}" for name in names)
    return invalid_parameter(f"Attributes did not conform to the schema: {lines}")


def _check_form(name: str, value: str, entry: Members) -> None:
    if name == "email" and not EMAIL.fullmatch(value):
        raise invalid_parameter("Invalid email address format.")
    if name == "phone_number" and not PHONE.fullmatch(value):
        raise invalid_parameter("Invalid phone number format.")
    kind = entry["AttributeDataType"]
    if kind == "Boolean" and value.lower() not in ("true", "false"):
        raise _against_schema("Value must be true or false.", name)
    if kind == "Number":
        if not _NUMBER.fullmatch(value):
            raise _against_schema("Value must be a number.", name)
        limits = entry.get("NumberAttributeConstraints", {})
        _check_range(name, "Value", int(value), limits.get("MinValue"), limits.get("MaxValue"))
    if kind == "String":
        limits = entry.get("StringAttributeConstraints", {})
        _check_range(name, "Length", len(value), limits.get("MinLength"), limits.get("MaxLength"))


def _check_range(name: str, what: str, measure: int, least: str | None, most: str | None) -> None:
    if least and measure < int(least):
        raise _against_schema(f"{what} must be at least {least}.", name)
    if most and measure > int(most):
        raise _against_schema(f"{what} must be at most {most}.", name)


def check_required(pool: UserPool, attributes: Mapping[str, str]) -> None:
    """Check that a sign-up has all attributes that the pool requires.

    Raises:
        Refusal: One is missing.
    """
    for name, entry in schema(pool).items():
        if entry.get("Required") and name != "sub" and not attributes.get(name):
            raise _against_schema("The attribute is required", name)


def check_mutable(pool: UserPool, user: User, changes: Mapping[str, str]) -> None:
    """Check that attributes of an existing user may change.

    Raises:
        Refusal: One may not change: it is `sub`, immutable and set, or required and would be deleted.
    """
    known = schema(pool)
    for name, value in changes.items():
        entry = known.get(name, {})
        if name == "sub":
            raise invalid_parameter("Cannot modify the non-mutable attribute sub")
        if entry.get("Mutable") is False and user.attributes.get(name):
            raise invalid_parameter(f"user.{name}: Attribute cannot be updated.")
        if entry.get("Required") and not value:
            raise _against_schema("The attribute is required", name)


def check_writable(client: Client, names: Iterable[str]) -> None:
    """Check that an app client may write attributes for its users.

    Raises:
        Refusal: It may not.
    """
    if not all(client.may_write(name) for name in names):
        raise not_authorized("A client attempted to write unauthorized attribute")


# -- aliases --


def check_aliases(pool: UserPool, user: User, changes: Mapping[str, str], *, by_force: bool = False) -> None:
    """Check that the aliases of a user after some changes do not belong to another user.

    Args:
        pool: The pool.
        user: The user.
        changes: The changes.
        by_force: Whether addresses will be taken from the users who have them, by `take_aliases`.

    Raises:
        Refusal: One belongs to another user.
    """
    for name, value in _aliases(pool, user, changes):
        check_alias(pool, user, name, value, by_force=by_force)


def take_aliases(pool: UserPool, user: User, changes: Mapping[str, str]) -> None:
    """Take the addresses that are aliases of a user after some changes from the users who have them. What was
    taken stays so, so everything else must have been checked before."""
    for name, value in _aliases(pool, user, changes):
        take_alias(pool, user, name, value)


def claim_aliases(pool: UserPool, user: User, *, by_force: bool) -> None:
    """Claim the aliases of a new user.

    Args:
        pool: The pool.
        user: The user, who is not yet in the pool.
        by_force: ForceAliasCreation: verified addresses are taken from the users who have them.

    Raises:
        Refusal: An alias belongs to another user.
    """
    check_aliases(pool, user, user.attributes, by_force=by_force)
    if by_force:
        take_aliases(pool, user, user.attributes)


def _aliases(pool: UserPool, user: User, changes: Mapping[str, str]) -> list[tuple[str, str]]:
    """The aliases that a user has from some changes: names and values."""
    after = _changed(user, changes)
    return [
        (name, after[name])
        for name in pool.sign_in_attributes
        if {name, f"{name}_verified"} & set(changes) and name in after and _counts(pool, name, after)
    ]


def _counts(pool: UserPool, name: str, attributes: Mapping[str, str]) -> bool:
    """Whether an attribute can be used to sign in: an address that is an alias must be verified."""
    if name in pool.members.get("UsernameAttributes", ()) or name not in ADDRESSES:
        return True
    return is_verified(attributes, name)


def check_alias(pool: UserPool, user: User, name: str, value: str, *, by_force: bool = False) -> None:
    """Check that an alias does not belong to another user.

    Args:
        pool: The pool.
        user: The user.
        name: The attribute.
        value: Its value.
        by_force: Whether it will be taken from the user who has it, by `take_alias`.

    Raises:
        Refusal: It belongs to another user.
    """
    owner = pool.find(value) if name in pool.sign_in_attributes else None
    if owner is None or owner is user or (by_force and _has_address(pool, owner, name, value)):
        return
    raise Refusal("AliasExistsException", f"An account with the {name} already exists.")


def take_alias(pool: UserPool, user: User, name: str, value: str) -> None:
    """Unverify an address on the user who has it as an alias, so that another user can have it."""
    owner = pool.find(value)
    if owner is not None and owner is not user and _has_address(pool, owner, name, value):
        owner.attributes[f"{name}_verified"] = "false"


def _has_address(pool: UserPool, user: User, name: str, value: str) -> bool:
    """Whether an address of a user is their alias. A user name or preferred_username cannot be taken."""
    is_address = name in ADDRESSES and name in pool.members.get("AliasAttributes", ())
    return is_address and pool.normalize(user.attributes.get(name, "")) == pool.normalize(value)


# -- setting them --


def change(user: User, changes: Mapping[str, str], now: datetime) -> None:
    """Set attributes; an empty value deletes. A new address is unverified unless the same changes set it as
    verified, and codes that were sent to the old one are dropped."""
    after = _changed(user, changes)
    moved = {name for name in ADDRESSES if after.get(name) != user.attributes.get(name)}
    user.codes = {purpose: code for purpose, code in user.codes.items() if code.attribute not in moved}
    user.attributes, user.modified_at = after, now


def _changed(user: User, changes: Mapping[str, str]) -> dict[str, str]:
    after = {**user.attributes, **changes}
    for name in ADDRESSES:
        verified = f"{name}_verified"
        if not after.get(name):
            after.pop(verified, None)
        elif verified not in changes and after[name] != user.attributes.get(name):
            after[verified] = "false"
    return {name: value for name, value in after.items() if value}
