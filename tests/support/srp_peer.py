"""SRP-6a as Cognito speaks it, both halves: the reference that the client and other implementations are
checked against.

Rules of this file:

- It uses only the standard library, so that srp/vectors/generate can run it in any Python. It is written to be
  read; its plain integers would leak secrets through timing.
- It shares nothing with cognito_flow, whose arithmetic it tests.

Sources: RFC 5054, RFC 3526 section 4, RFC 5869, and "Working with user devices in your user pool" in the
Amazon Cognito developer guide.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

# RFC 3526 section 4 gives the prime as a formula: 2^3072 - 2^3008 - 1 + 2^64 * ([2^2942 pi] + 1690314).


def _pi_times_power_of_two(bits: int) -> int:
    """[2^bits pi], by Machin's formula with 64 extra bits."""
    one = 1 << (bits + 64)

    def arctan_of_inverse(number: int) -> int:
        power, total, divisor = one // number, 0, 1
        while power:
            total += power // divisor if divisor % 4 == 1 else -(power // divisor)
            power, divisor = power // number**2, divisor + 2
        return total

    return 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239)) >> 64


N = 2**3072 - 2**3008 - 1 + 2**64 * (_pi_times_power_of_two(2942) + 1690314)
G = 2


def pad(number: int) -> bytes:
    """The shortest two's complement form of a natural number."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _hash(data: bytes) -> int:
    return int.from_bytes(hashlib.sha256(data).digest(), "big")


K = _hash(pad(N) + pad(G))


def timestamp(moment: datetime) -> str:
    """TIMESTAMP of a moment in UTC. asctime is English in any locale and does not pad the day with a zero."""
    weekday, month, day, clock, year = time.asctime(moment.timetuple()).split()
    return f"{weekday} {month} {day} {clock} UTC {year}"


def secret_hash(username: str, client_id: str, client_secret: str) -> str:
    """SECRET_HASH."""
    mac = hmac.digest(client_secret.encode(), (username + client_id).encode(), "sha256")
    return base64.b64encode(mac).decode()


def inner_hash(group: str, name: str, password: str) -> bytes:
    """The hash of the name and password from which x is made."""
    return hashlib.sha256(f"{group}{name}:{password}".encode()).digest()


def private_key(group: str, name: str, password: str, salt: int) -> int:
    """x."""
    return _hash(pad(salt) + inner_hash(group, name, password))


@dataclass(frozen=True)
class SignIn:
    """One sign-in of a user or a device, with both private exponents known."""

    group: str
    name: str
    password: str
    salt: int
    a: int
    b: int
    secret_block: bytes
    moment: datetime

    @cached_property
    def x(self) -> int:
        return private_key(self.group, self.name, self.password, self.salt)

    @cached_property
    def verifier(self) -> int:
        return pow(G, self.x, N)

    @cached_property
    def public_a(self) -> int:
        return pow(G, self.a, N)

    @cached_property
    def public_b(self) -> int:
        return (K * self.verifier + pow(G, self.b, N)) % N

    @cached_property
    def u(self) -> int:
        return _hash(pad(self.public_a) + pad(self.public_b))

    @cached_property
    def s(self) -> int:
        """S as the server computes it."""
        return pow(self.public_a * pow(self.verifier, self.u, N), self.b, N)

    @cached_property
    def s_of_client(self) -> int:
        """S as the client computes it: from the password, without b."""
        return pow(self.public_b - K * pow(G, self.x, N), self.a + self.u * self.x, N)

    @cached_property
    def key(self) -> bytes:
        extracted = hmac.digest(pad(self.u), pad(self.s), "sha256")
        return hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]

    @property
    def signature(self) -> str:
        names = (self.group + self.name).encode()
        message = names + self.secret_block + timestamp(self.moment).encode()
        return base64.b64encode(hmac.digest(self.key, message, "sha256")).decode()
