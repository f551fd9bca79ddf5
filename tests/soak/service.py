"""The other side of the soak test, in a process of its own: a served LocalCognito, and a proxy that spoils responses at random.

Prints one line of JSON (the URL of the proxy, of LocalCognito, the pool and its app client), and ends with its standard input.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
from typing import Any

from cognito_flow.testing import LocalCognito
from tests.support.spoiling_proxy import SPOILT, spoiling

PASSWORD = "Correct-horse-{}"
SLOW = ("silence", "drip", "endless")  # each costs a whole timeout


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    options = parser.parse_args()
    sms: Any = {"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}}
    cognito = LocalCognito()
    pool = cognito.create_pool(mfa_configuration="OPTIONAL", sms_mfa_configuration=sms)
    app = pool.app_client(secret=True)
    client: Any = cognito.client()
    for number in range(options.users):
        name = f"user{number}"
        pool.add_user(name, PASSWORD.format(number), phone_number=f"+4915112345{number:03d}")
        if number % 2:
            client.admin_set_user_mfa_preference(
                UserPoolId=pool.id, Username=name, SMSMfaSettings={"Enabled": True, "PreferredMfa": True}
            )
    random_faults, lock = random.Random(options.seed), threading.Lock()  # noqa: S311 - repeatable, not secret

    def choose(_operation: str) -> str | None:
        with lock:
            if random_faults.random() >= options.rate:
                return None
            slow = random_faults.random() < 0.05
            return random_faults.choice(SLOW if slow else [name for name in SPOILT if name not in SLOW])

    with cognito.serve() as url, spoiling(url) as proxy:
        proxy.choose = choose
        place = {
            "proxy": proxy.url,
            "url": url,
            "pool": pool.id,
            "client": app.client_id,
            "secret": app.client_secret,
            "jwks": app.jwks_url,
        }
        print(json.dumps(place), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
