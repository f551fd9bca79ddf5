"""Signatures of AWS for HTTP requests: what the `SigV4Auth` classes share. botocore signs.

Source: "AWS Signature Version 4 for API requests" in the AWS Identity and Access Management user guide.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

import attrs
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cognito_flow.integrations.aws import AwsCredentials

_ADDED = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-SHA256")


@attrs.frozen
class Signer:
    """Signs requests to one service in one region.

    Args:
        service: The service's name in signatures, such as ``execute-api``.
        region: Its region.
    """

    service: str
    region: str

    def sign(
        self,
        credentials: AwsCredentials,
        method: str,
        url: str,
        headers: Iterable[tuple[str, str]],
        body: bytes,
    ) -> dict[str, str]:
        """Return the headers that sign a request.

        Only ``Host``, ``Content-Type`` and ``X-Amz-*`` are signed: proxies change others.
        """
        signed = {name: value for name, value in headers if _is_signed(name)}
        # Clients encode a query in different ways; the signature is that of one of them.
        address, _, query = url.partition("#")[0].partition("?")
        params: Any = parse_qsl(query, keep_blank_values=True)
        request: Any = AWSRequest(method, address, headers=signed, data=body, params=params)
        keys: Any = Credentials(credentials.access_key, credentials.secret_key, credentials.token)
        kind = S3SigV4Auth if self.service == "s3" else SigV4Auth
        kind(keys, self.service, self.region).add_auth(request)
        return {name: request.headers[name] for name in _ADDED if name in request.headers}


def _is_signed(name: str) -> bool:
    lower = name.lower()
    return lower in {"host", "content-type"} or (lower.startswith("x-amz-") and lower != "x-amz-date")
