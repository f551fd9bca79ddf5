"""What the tests of several example logins check of signing out."""

from __future__ import annotations

from collections.abc import Callable

from cognito_flow.testing import LocalCognito


def check_that_signing_out_can_be_repeated(post: Callable[[str], str], cognito: LocalCognito) -> None:
    """Let alice, who is signed in, sign out during an outage and after it.

    Args:
        post: Sends the form of a path, and returns the page.
        cognito: The pool.
    """
    cognito.faults.throttle("RevokeToken", times=9)
    page = post("/logout")
    assert "in a minute" in page
    assert "Welcome, alice" in page

    cognito.faults.clear()
    assert 'name="password"' in post("/logout")
    assert (cognito.calls[-1].operation, cognito.calls[-1].error) == ("RevokeToken", None)
