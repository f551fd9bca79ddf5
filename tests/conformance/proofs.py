"""What a client has to compute: the proof of SRP, SECRET_HASH, and the codes of an authenticator app.

Rule of this file: nothing comes from cognito_flow. The arithmetic is that of the reference in tests/support,
so that a difference between a server and LocalCognito is never a mistake that both inherit from the client.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

import attrs
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from tests.support.srp_peer import G, K, N, inner_hash, pad, private_key, timestamp

STEP = 30  # seconds for which a code of an authenticator app is shown


@attrs.frozen
class Proof:
    """One run of SRP by the client: SRP_A first, the signature when the server has answered."""

    a: int = attrs.field(factory=lambda: secrets.randbits(256), repr=False)

    @property
    def srp_a(self) -> str:
        return f"{pow(G, self.a, N):x}"

    def sign(
        self, group: str, name: str, password: str, challenge: dict[str, str], moment: datetime
    ) -> dict[str, str]:
        """The answer to PASSWORD_VERIFIER or DEVICE_PASSWORD_VERIFIER.

        Args:
            group: The second half of the pool id, or DeviceGroupKey.
            name: USER_ID_FOR_SRP, or DEVICE_KEY.
            password: The password of the user or of the device.
            challenge: ChallengeParameters.
            moment: The time of the server.
        """
        srp_b, salt = int(challenge["SRP_B"], 16), int(challenge["SALT"], 16)
        u = int.from_bytes(hashlib.sha256(pad(pow(G, self.a, N)) + pad(srp_b)).digest(), "big")
        x = private_key(group, name, password, salt)
        s = pow(srp_b - K * pow(G, x, N), self.a + u * x, N)
        key = hmac.digest(hmac.digest(pad(u), pad(s), "sha256"), b"Caldera Derived Key\x01", "sha256")[:16]
        message = (group + name).encode() + base64.b64decode(challenge["SECRET_BLOCK"])
        signature = hmac.digest(key, message + timestamp(moment).encode(), "sha256")
        return {
            "PASSWORD_CLAIM_SECRET_BLOCK": challenge["SECRET_BLOCK"],
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(signature).decode(),
            "TIMESTAMP": timestamp(moment),
        }


def device_verifier(group_key: str, key: str, password: str) -> dict[str, str]:
    """DeviceSecretVerifierConfig of ConfirmDevice."""
    salt = secrets.randbits(127)
    x = int.from_bytes(hashlib.sha256(pad(salt) + inner_hash(group_key, key, password)).digest(), "big")
    numbers = {"PasswordVerifier": pow(G, x, N), "Salt": salt}
    return {name: base64.b64encode(pad(number)).decode() for name, number in numbers.items()}


def app_code(secret_code: str, moment: datetime) -> str:
    """The code that an authenticator app shows."""
    key = base64.b32decode(secret_code + "=" * (-len(secret_code) % 8))
    totp = TOTP(key, 6, SHA1(), STEP, enforce_key_length=False)  # noqa: S303 - RFC 6238
    return totp.generate(int(moment.timestamp())).decode()
