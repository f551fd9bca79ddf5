"""Tracebacks without the values of local variables, which may be secrets."""

from __future__ import annotations

from cognito_flow.errors import CognitoFlowError


def without_frames(error: CognitoFlowError) -> CognitoFlowError:
    """The error without the frames it came through: their locals hold passwords, and tools print them."""
    links: list[BaseException] = [error]
    for link in links:  # which grows meanwhile
        link.__traceback__ = None
        links += [
            behind
            for behind in (link.__cause__, link.__context__)
            if behind is not None and behind not in links
        ]
    return error
