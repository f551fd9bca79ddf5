"""A client of aiobotocore, as a program passes it to an `AsyncAuthFlow`."""

from __future__ import annotations

import importlib
from contextlib import AbstractAsyncContextManager
from typing import Any

from botocore import UNSIGNED
from botocore.config import Config


def aiobotocore_client(url: str | None, config: Config | None = None) -> AbstractAsyncContextManager[Any]:
    """A client that belongs to the event loop which enters it. A test that may run without aiobotocore skips first.

    Args:
        url: Where Cognito is.
        config: The configuration; None: no credentials, and else what botocore does.
    """
    session: Any = importlib.import_module("aiobotocore.session").get_session()
    made: AbstractAsyncContextManager[Any] = session.create_client(
        "cognito-idp",
        region_name="eu-west-1",
        endpoint_url=url,
        config=Config(signature_version=UNSIGNED) if config is None else config,
    )
    return made
