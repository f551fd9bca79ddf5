"""The peer pycognito: reads tasks as JSON from standard input, writes what the package makes of them.

Rules of this file: the package computes; only its randomness, its clock and its network are replaced. It runs in
the package's own virtual environment, and the package has no types.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

Task = dict[str, str]
Result = dict[str, str]

aws_srp: Any = import_module("pycognito.aws_srp")

# S and u go into compute_hkdf as they are hashed, and nowhere else can they be seen.
_compute_hkdf = aws_srp.compute_hkdf
_derived: Result = {}


def _recording_hkdf(ikm: bytes, salt: bytes) -> bytes:
    key: bytes = _compute_hkdf(ikm, salt)
    _derived.update(s=ikm.hex(), u=salt.hex(), key=key.hex())
    return key


aws_srp.compute_hkdf = _recording_hkdf


def _set_clock(moment: str) -> None:
    now = datetime.fromisoformat(moment)
    aws_srp.datetime = SimpleNamespace(datetime=SimpleNamespace(utcnow=lambda: now))


def sign_in(task: Task) -> Result:
    _set_clock(task["moment"])
    device = task["kind"] == "device"
    given = (
        {"device_group_key": task["group"], "device_key": task["name"], "device_password": task["password"]}
        if device
        else {}
    )
    pool_id = "eu-west-1_pool" if device else f"eu-west-1_{task['group']}"
    srp = aws_srp.AWSSRP(task["name"], task["password"], pool_id, "client", client=object(), **given)
    srp.small_a_value = int(task["a"], 16)
    srp.large_a_value = srp.calculate_a()
    challenge = {
        "USERNAME": task["name"],
        "USER_ID_FOR_SRP": task["name"],
        "SALT": task["salt"],
        "SRP_B": task["srp_b"],
        "SECRET_BLOCK": task["secret_block"],
    }
    if device:
        answer = srp.process_device_challenge(challenge)
    else:
        answer = srp.process_challenge(challenge, {"USERNAME": task["name"]})
    return {
        "function": f"AWSSRP.{'process_device_challenge' if device else 'process_challenge'}",
        "srp_a": srp.get_auth_params()["SRP_A"],
        "timestamp": answer["TIMESTAMP"],
        "signature": answer["PASSWORD_CLAIM_SIGNATURE"],
        **_derived,
    }


def device_verifier(task: Task) -> Result:
    drawn = {16: bytes.fromhex(task["salt"]), 40: base64.b64decode(task["password"])}
    aws_srp.os = SimpleNamespace(urandom=drawn.__getitem__)
    password, config = aws_srp.generate_hash_device(task["group"], task["name"])
    if password != task["password"]:
        raise ValueError("the package made another device password")
    return {
        "function": "generate_hash_device",
        "password_verifier": config["PasswordVerifier"],
        "padded_salt": config["Salt"],
    }


def secret_hash(task: Task) -> Result:
    made = aws_srp.AWSSRP.get_secret_hash(task["username"], task["client_id"], task["client_secret"])
    return {"function": "AWSSRP.get_secret_hash", "secret_hash": made}


def pad(task: Task) -> Result:
    return {"function": "pad_hex", "padded": aws_srp.pad_hex(int(task["number"], 16))}


def multiplier(_task: Task) -> Result:
    srp = aws_srp.AWSSRP("alice", "password", "eu-west-1_pool", "client", client=object())
    return {"function": "AWSSRP", "k": f"{srp.val_k:x}"}


def timestamp(task: Task) -> Result:
    made = aws_srp.AWSSRP.get_cognito_formatted_timestamp(datetime.fromisoformat(task["moment"]))
    return {"function": "AWSSRP.get_cognito_formatted_timestamp", "timestamp": made}


KINDS: dict[str, Callable[[Task], Result]] = {
    "user": sign_in,
    "device": sign_in,
    "device_verifier": device_verifier,
    "secret_hash": secret_hash,
    "pad": pad,
    "multiplier": multiplier,
    "timestamp": timestamp,
}

if __name__ == "__main__":
    tasks: list[Task] = json.load(sys.stdin)
    results = [KINDS[task["kind"]](task) for task in tasks]
    json.dump({"version": version("pycognito"), "results": results}, sys.stdout)
