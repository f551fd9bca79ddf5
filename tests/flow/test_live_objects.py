"""After a sign-in is over, nothing in the process holds one of its secrets: see tests/support/forgetful_program.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cognito_flow.testing import LocalCognito
from tests.support.planted import Place, searches
from tests.support.spoiling_proxy import spoiling

PASSWORD = "SENTINEL-password-1"


@searches(Place.MEMORY, Place.PICKLES)
@pytest.mark.slow
@pytest.mark.parametrize("fault", ["truncated", "reset in the answer", "lost", "500 after", "cut"])
def test_nothing_in_memory_holds_a_secret_after_the_end_of_its_flow(tmp_path: Path, fault: str) -> None:
    cognito = LocalCognito()
    sms: Any = {"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}}
    pool = cognito.create_pool(mfa_configuration="OPTIONAL", sms_mfa_configuration=sms)
    app = pool.app_client()
    for name in ("alice", "bob"):
        pool.add_user(name, PASSWORD, phone_number="+4915112345678")
    client: Any = cognito.client()
    client.admin_set_user_mfa_preference(
        UserPoolId=pool.id, Username="alice", SMSMfaSettings={"Enabled": True, "PreferredMfa": True}
    )
    with cognito.serve() as url, spoiling(url) as proxy:
        proxy.spoil("InitiateAuth", fault, times=100)
        place = {
            "url": url,
            "broken": proxy.url,
            "pool": pool.id,
            "client": app.client_id,
            "password": PASSWORD[::-1],
            "folder": str(tmp_path),
        }
        program = subprocess.run(
            [sys.executable, "-m", "tests.support.forgetful_program"],
            input=json.dumps(place),
            capture_output=True,
            text=True,
            check=False,
        )

    assert program.returncode == 0, program.stderr
    found = json.loads(program.stdout)
    assert found["errors"] >= 16
    assert found["secrets"] >= 20
    assert found["alive"] == [], "\n".join(found["alive"])
    assert found["pickled"] == []
