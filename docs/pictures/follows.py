"""Which challenge may follow which: a table of dots.

The random walks of the tests (tests/scenarios/walk.py) verify it: what follows what is in one of the two tables,
and the rows are the names of the handlers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cognito_flow.handlers import HANDLERS
from docs.pictures.canvas import Canvas

TOKENS = "tokens"

FOLLOWS: Mapping[str, frozenset[str]] = {
    "USER_SRP_AUTH": frozenset(["PASSWORD_VERIFIER"]),
    "USER_PASSWORD_AUTH": frozenset(
        [
            "EMAIL_OTP",
            "MFA_SETUP",
            "NEW_PASSWORD_REQUIRED",
            "SELECT_MFA_TYPE",
            "SMS_MFA",
            "SOFTWARE_TOKEN_MFA",
            TOKENS,
        ]
    ),
    "CUSTOM_AUTH": frozenset(["CUSTOM_CHALLENGE", "PASSWORD_VERIFIER"]),
    "USER_AUTH": frozenset(
        [
            "EMAIL_OTP",
            "MFA_SETUP",
            "NEW_PASSWORD_REQUIRED",
            "PASSWORD",
            "PASSWORD_SRP",
            "PASSWORD_VERIFIER",
            "SELECT_CHALLENGE",
            "SMS_MFA",
            "SMS_OTP",
            "SOFTWARE_TOKEN_MFA",
            TOKENS,
        ]
    ),
    "REFRESH_TOKEN_AUTH": frozenset([TOKENS]),
    "PASSWORD_VERIFIER": frozenset(
        [
            "CUSTOM_CHALLENGE",
            "DEVICE_SRP_AUTH",
            "EMAIL_OTP",
            "MFA_SETUP",
            "NEW_PASSWORD_REQUIRED",
            "SELECT_MFA_TYPE",
            "SMS_MFA",
            "SOFTWARE_TOKEN_MFA",
            TOKENS,
        ]
    ),
    "NEW_PASSWORD_REQUIRED": frozenset(["EMAIL_OTP", "MFA_SETUP", TOKENS]),
    "SELECT_CHALLENGE": frozenset(
        [
            "EMAIL_OTP",
            "MFA_SETUP",
            "NEW_PASSWORD_REQUIRED",
            "PASSWORD_VERIFIER",
            "SELECT_MFA_TYPE",
            "SMS_MFA",
            "SMS_OTP",
            "SOFTWARE_TOKEN_MFA",
            TOKENS,
        ]
    ),
    "PASSWORD": frozenset(["MFA_SETUP", "NEW_PASSWORD_REQUIRED", TOKENS]),
    "PASSWORD_SRP": frozenset(["PASSWORD_VERIFIER"]),
    "CUSTOM_CHALLENGE": frozenset(["CUSTOM_CHALLENGE", "EMAIL_OTP", "MFA_SETUP", "SMS_MFA", TOKENS]),
    "SELECT_MFA_TYPE": frozenset(["SMS_MFA", "SOFTWARE_TOKEN_MFA"]),
    "MFA_SETUP": frozenset(["EMAIL_OTP", TOKENS]),
    "SMS_MFA": frozenset([TOKENS]),
    "EMAIL_OTP": frozenset([TOKENS]),
    "SOFTWARE_TOKEN_MFA": frozenset([TOKENS]),
    "DEVICE_SRP_AUTH": frozenset(["DEVICE_PASSWORD_VERIFIER"]),
    "DEVICE_PASSWORD_VERIFIER": frozenset([TOKENS]),
}


_SECOND_FACTORS = frozenset({"SMS_MFA", "EMAIL_OTP", "SOFTWARE_TOKEN_MFA", "SELECT_MFA_TYPE"})

# Documented (docs/explanation/protocol.md, section 18), but the walks have not met it yet.
RARELY_FOLLOWS: Mapping[str, frozenset[str]] = {
    "USER_SRP_AUTH": frozenset({"ADMIN_NO_SRP_AUTH"}),
    "USER_PASSWORD_AUTH": frozenset({"DEVICE_SRP_AUTH"}),
    "USER_AUTH": frozenset({"DEVICE_SRP_AUTH", "SELECT_MFA_TYPE", "WEB_AUTHN"}),
    "NEW_PASSWORD_REQUIRED": _SECOND_FACTORS,
    "SELECT_CHALLENGE": frozenset({"DEVICE_SRP_AUTH", "WEB_AUTHN"}),
    "PASSWORD": _SECOND_FACTORS | {"DEVICE_SRP_AUTH"},
    "CUSTOM_CHALLENGE": _SECOND_FACTORS | {"DEVICE_SRP_AUTH", "PASSWORD_VERIFIER"},
    "SELECT_MFA_TYPE": frozenset({"EMAIL_OTP"}),
    "SMS_OTP": frozenset({TOKENS}),
    "WEB_AUTHN": frozenset({TOKENS}),
    "ADMIN_NO_SRP_AUTH": _SECOND_FACTORS | {"MFA_SETUP", "NEW_PASSWORD_REQUIRED", TOKENS},
    "DEVICE_PASSWORD_VERIFIER": _SECOND_FACTORS,
}


def draw() -> str:
    """Draw a row for each flow and challenge, and a column for each challenge that may come next."""
    rows = [*FOLLOWS, *(name for name in RARELY_FOLLOWS if name not in FOLLOWS)]
    columns = [*sorted({handler.name for handler in HANDLERS}), TOKENS]
    alone = {handler.name for handler in HANDLERS if handler.__name__ in _ALONE}
    canvas = Canvas("Which challenge Cognito may ask after which", 250 + 30 * len(columns) + 110)
    for number, name in enumerate(columns):
        canvas.turned(250 + 30 * number, 180, name, "name strong" if name == TOKENS else "name")
    for row, name in enumerate(rows):
        y = 205 + 26 * row
        if row % 2 == 0:
            canvas.box(6, y - 17, 250 + 30 * len(columns) - 10, 26, "quiet")
        canvas.text(226, y, name, "name grey" if name in alone else "name", "end")
        for number, column in enumerate(columns):
            if column in FOLLOWS.get(name, ()):
                canvas.dot(246 + 30 * number, y - 4)
            elif column in RARELY_FOLLOWS.get(name, ()):
                canvas.dot(246 + 30 * number, y - 4, "faint")
    return canvas.render()


_ALONE = {"PasswordVerifier", "DeviceSrpAuth", "DevicePasswordVerifier"}


def pictures() -> dict[str, Callable[[], str]]:
    """File names, and what draws them."""
    return {"challenges.svg": draw}
