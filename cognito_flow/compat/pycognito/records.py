"""UserObj and GroupObj, and the two forms of attributes: Cognito's list, and a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

_BOOLEANS = {"true": True, "false": False}


class Saves(Protocol):
    """What `UserObj.save` and `UserObj.delete` call: a `Cognito`."""

    def update_profile(
        self, attrs: Mapping[str, object], attr_map: Mapping[str, str] | None = None, /
    ) -> None:
        """Change attributes, by the access token."""

    def admin_update_profile(
        self, attrs: Mapping[str, object], attr_map: Mapping[str, str] | None = None, /
    ) -> None:
        """Change attributes, with AWS credentials."""

    def delete_user(self) -> None:
        """Delete the user, by the access token."""

    def admin_delete_user(self) -> None:
        """Delete the user, with AWS credentials."""


def cognito_to_dict(
    attr_list: Iterable[Mapping[str, str]], attr_map: Mapping[str, str] | None = None
) -> dict[str, str | bool]:
    """Return Cognito's list of names and values as a dictionary; ``true`` and ``false`` become booleans.

    Args:
        attr_list: Cognito's list.
        attr_map: Names in the dictionary, by Cognito's names.

    >>> cognito_to_dict([{"Name": "given_name", "Value": "Alice"}], {"given_name": "first_name"})
    {'first_name': 'Alice'}
    """
    names = attr_map or {}
    return {
        names.get(item["Name"], item["Name"]): _BOOLEANS.get(item["Value"], item["Value"])
        for item in attr_list
    }


def dict_to_cognito(
    attributes: Mapping[str, object], attr_map: Mapping[str, str] | None = None
) -> list[dict[str, object]]:
    """Return a dictionary as Cognito's list of names and values; booleans become ``true`` and ``false``.

    Args:
        attributes: The dictionary.
        attr_map: Names in the dictionary, by Cognito's names.

    >>> dict_to_cognito({"first_name": "Alice"}, {"given_name": "first_name"})
    [{'Name': 'given_name', 'Value': 'Alice'}]
    """
    names = {ours: theirs for theirs, ours in (attr_map or {}).items()}
    return [
        {
            "Name": names.get(name, name),
            "Value": str(value).lower() if isinstance(value, bool) else value,
        }
        for name, value in attributes.items()
    ]


class UserObj:
    """A user. Each attribute, and each item of the metadata, is an attribute of the object.

    Args:
        username: The user name.
        attribute_list: Cognito's list of attributes.
        cognito_obj: Where `save` and `delete` go.
        metadata: For example the status and the tokens.
        attr_map: Names of attributes here, by Cognito's names.
    """

    _data: dict[str, str | bool]
    _metadata: Mapping[str, object]

    def __init__(
        self,
        username: str | None,
        attribute_list: Iterable[Mapping[str, str]],
        cognito_obj: Saves,
        metadata: Mapping[str, object] | None = None,
        attr_map: Mapping[str, str] | None = None,
    ) -> None:
        vars(self)["_data"] = cognito_to_dict(attribute_list, attr_map)
        self.username = username
        self._cognito = cognito_obj
        self._attr_map = attr_map
        self._metadata = metadata or {}
        self.sub: str | bool | None = self._data.pop("sub", None)
        self.email_verified: str | bool | None = self._data.pop("email_verified", None)
        self.phone_number_verified: str | bool | None = self._data.pop("phone_number_verified", None)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.username}>"

    def __getattr__(self, name: str) -> object:
        for values in (vars(self).get("_data", {}), vars(self).get("_metadata", {})):
            if name in values:
                found: object = values[name]
                return found
        raise AttributeError(name)

    def __setattr__(self, name: str, value: object) -> None:
        if name in self._data:
            self._data[name] = value if isinstance(value, bool) else str(value)
        else:
            super().__setattr__(name, value)

    def save(self, admin: bool = False) -> None:
        """Send all attributes to Cognito.

        Args:
            admin: With AWS credentials instead of the user's access token.
        """
        update = self._cognito.admin_update_profile if admin else self._cognito.update_profile
        update(self._data, self._attr_map)

    def delete(self, admin: bool = False) -> None:
        """Delete the user from the pool.

        Args:
            admin: With AWS credentials instead of the user's access token.
        """
        delete = self._cognito.admin_delete_user if admin else self._cognito.delete_user
        delete()


class GroupObj:
    """A group of users.

    Args:
        group_data: What Cognito says of it.
        cognito_obj: Where it came from.
    """

    def __init__(self, group_data: Mapping[str, object], cognito_obj: Saves) -> None:
        self._cognito = cognito_obj
        self.group_name: object = group_data.get("GroupName")
        self.description: object = group_data.get("Description")
        self.creation_date: object = group_data.get("CreationDate")
        self.last_modified_date: object = group_data.get("LastModifiedDate")
        self.role_arn: object = group_data.get("RoleArn")
        self.precedence: object = group_data.get("Precedence")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.group_name}>"
