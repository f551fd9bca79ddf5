"""Makes ../srp.json: known answers for the SRP of Cognito, computed by clients that other people wrote.

Rules of this file:

- Inputs are drawn from hashes of their labels, so every run makes the same file.
- A value is kept only if a peer computed it and it agrees with tests/support/srp_peer.py, the rule. Where a peer
  differs from it, the file says so, with what differs.

    npm ci && npm run generate

The standard library only, so that this runs wherever Python does.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypedDict

from tests.support import srp_peer

HERE = Path(__file__).parent
OUTPUT = HERE.parent / "srp.json"
PEERS = {
    "amazon-cognito-identity-js": ["node", "peer_amazon_cognito_identity_js.js"],
    "cognito-srp": ["node", "peer_cognito_srp.js"],
    "pycognito": [".venv/bin/python", "peer_pycognito.py"],
}
DESCRIPTION = """\
Known answers for SRP-6a as Amazon Cognito speaks it, computed by the peers that 'origins' names: package,
version, function.
users and devices are sign-ins. group is the pool's name or the device group key, name is USER_ID_FOR_SRP or
the device key. a and b are the private exponents; salt, srp_b and srp_a are SALT, SRP_B and SRP_A as sent;
u, s and verifier are numbers; key is the 16 bytes that sign: all hexadecimal. secret_block, signature and
timestamp are SECRET_BLOCK, PASSWORD_CLAIM_SIGNATURE and TIMESTAMP.
The label of a sign-in says what was forced. A number of odd-digits has an odd number of hexadecimal digits;
one with a top-bit needs a zero byte in front to be hashed; one with a zero-byte is short of its usual
width.
device_verifiers: password_verifier and padded_salt are DeviceSecretVerifierConfig.
pads: the bytes that are hashed for a number. multiplier: k.
disagreements: the values in which a peer differs from the rule; it is not among the origins of that vector.
pycognito and cognito-srp pad the text of SALT instead of the number, so they hash a zero byte at its front;
cognito-srp hashes B and S at the width of N."""

NUMBERS = frozenset({"srp_a", "srp_b", "u", "s", "verifier", "k"})


class Answers(TypedDict):
    version: str
    results: list[dict[str, str] | None]


@dataclass(frozen=True)
class Task:
    """What every peer is asked, and what it has to answer."""

    kind: str
    label: str
    inputs: dict[str, str]
    outputs: dict[str, str]


# Forced shapes. A number of a width (in bytes) has exactly one of the first five.

SHAPES: dict[str, Callable[[int, int], bool]] = {
    "top-bit": lambda number, width: number.bit_length() == 8 * width,
    "plain": lambda number, width: 8 * width - 4 < number.bit_length() < 8 * width,
    "odd-digits": lambda number, width: 8 * width - 8 < number.bit_length() <= 8 * width - 4,
    "zero-byte-then-top-bit": lambda number, width: number.bit_length() == 8 * width - 8,
    "zero-byte": lambda number, width: number.bit_length() < 8 * width - 8,
}


def draw(label: str, length: int) -> bytes:
    return hashlib.shake_256(label.encode()).digest(length)


def drawn(label: str, length: int) -> Iterator[bytes]:
    return (draw(f"{label} {count}", length) for count in itertools.count())


@dataclass(frozen=True)
class Case(srp_peer.SignIn):
    """A sign-in with a name, and with the texts in which its numbers are sent."""

    label: str
    sent_salt: str
    device: bool = False
    srp_b_digits: int = 0
    upper_case: bool = False

    @property
    def srp_b(self) -> str:
        text = f"{self.public_b:x}".zfill(self.srp_b_digits)
        return text.upper() if self.upper_case else text


def ordinary_salt(label: str) -> str:
    return next(salt for salt in drawn(f"{label} salt", 16) if 0x10 <= salt[0] < 0x80).hex()


def sign_in(label: str, *, salt: str = "", **changes: Any) -> Case:
    """An ordinary sign-in with some changes: a salt, numbers and a block of its own for each label."""
    salt = salt or ordinary_salt(label)
    ordinary = Case(
        label=label,
        group="Ab1Cd2Ef3",
        name="alice",
        password="Correct-Horse-7",
        salt=int(salt, 16),
        sent_salt=salt,
        a=int.from_bytes(draw(f"{label} a", 32), "big"),
        b=int.from_bytes(draw(f"{label} b", 32), "big"),
        secret_block=draw(f"{label} block", 48),
        moment=datetime(2026, 11, 21, 9, 8, 7),
    )
    return replace(ordinary, **changes)


def with_exponents(base: Case, name: str) -> Iterator[Case]:
    for exponent in drawn(f"{base.label} {name}", 32):
        number = int.from_bytes(exponent, "big")
        yield replace(base, a=number) if name == "a" else replace(base, b=number)


def forced_numbers() -> Iterator[Case]:
    """A, B, u and S in every shape. A depends on a alone; to force one of the others, b is what moves."""
    chosen: dict[str, tuple[str, int, Callable[[Case], int]]] = {
        "A": ("a", 384, lambda each: each.public_a),
        "B": ("b", 384, lambda each: each.public_b),
        "u": ("b", 32, lambda each: each.u),
        "S": ("b", 384, lambda each: each.s),
    }
    for name, (moving, width, value) in chosen.items():
        for shape, fits in SHAPES.items():
            candidates = with_exponents(sign_in(f"{name} {shape}"), moving)
            if shape != "plain":
                yield next(each for each in candidates if fits(value(each), width))


def forced_salts() -> Iterator[Case]:
    """SALT in every shape; where it has zeros in front, both as fixed-width text and without them."""
    for shape, fits in SHAPES.items():
        label = f"salt {shape}"
        fill = {"zero-byte": "00", "zero-byte-then-top-bit": "00", "odd-digits": "0"}.get(shape, "")
        texts = (fill + salt.hex()[len(fill) :] for salt in drawn(label, 16))
        salt = next(text for text in texts if fits(int(text, 16), 16))
        yield sign_in(label, salt=salt)
        if fill:
            yield sign_in(f"{label}, zeros not sent", salt=salt.lstrip("0"))
    yield sign_in("salt of one digit", salt="7")
    yield sign_in("salt of 32 bytes", salt="7f" + draw("salt of 32 bytes", 31).hex())


def other_forms() -> Iterator[Case]:
    """The same numbers, written or sized in another way."""
    yield sign_in("upper-case hexadecimal", salt="7F" + draw("upper", 15).hex().upper(), upper_case=True)
    wide = with_exponents(sign_in("B zero-byte, sent at full width", srp_b_digits=768), "b")
    yield next(each for each in wide if SHAPES["zero-byte"](each.public_b, 384))
    yield sign_in("a = 1, so that A is one digit", a=1)
    yield sign_in("a of 1024 bits", a=int.from_bytes(b"\xff" + draw("long a", 127), "big"))
    yield sign_in("secret block of the usual size", secret_block=draw("long block", 1284))
    yield next(each for each in with_exponents(sign_in("key zero-byte"), "b") if each.key[0] == 0)
    yield next(
        sign_in("inner hash zero-byte", password=f"Password-{count}")
        for count in itertools.count()
        if srp_peer.inner_hash("Ab1Cd2Ef3", "alice", f"Password-{count}")[0] == 0
    )


def other_names() -> Iterator[Case]:
    """Passwords and names that are easily read wrongly."""
    passwords = {
        "with umlauts, composed": "Gr\u00fc\u00dfe-\u00e0-7",
        "with umlauts, decomposed": "Gru\u0308\u00dfe-a\u0300-7",
        "in Japanese": "\u6b63\u3057\u3044\u99ac\u96fb\u6c607",
        "with an emoji outside the basic plane": "Horse \U0001f434 7",
        "with colons": "a:b::c:7",
        "with spaces around": "  two  words 7 ",
        "of 256 characters": "0123456789abcdef" * 16,
    }
    for what, password in passwords.items():
        yield sign_in(f"password {what}", password=password)
    names = {
        "with a colon": "alice:bob",
        "in Greek": "\u03b1\u03bb\u03af\u03ba\u03b7",
        "that is a UUID": "5f0c7c2e-1b7a-4b0e-9d0b-6f0f5f3f7a11",
        "that is an address": "alice+test@example.com",
    }
    for what, name in names.items():
        yield sign_in(f"name {what}", name=name)
    yield sign_in("first second of a leap day", moment=datetime(2028, 2, 29, 0, 0, 0))
    yield sign_in("day without a leading zero", moment=datetime(2027, 5, 1, 23, 59, 59))


def device(label: str, **changes: Any) -> Case:
    return sign_in(
        label,
        device=True,
        group="-Fd2Rk9Qx",
        name="eu-west-1_0c1d2e3f-4a5b-4c6d-8e7f-901234567890",
        password=base64.b64encode(draw(f"{label} device password", 40)).decode(),
        **changes,
    )


def devices() -> Iterator[Case]:
    yield device("device plain")
    yield device("device salt top-bit", salt="c0" + draw("device salt", 15).hex())
    yield device("device day without a leading zero", moment=datetime(2026, 9, 5, 1, 2, 3))
    candidates = with_exponents(device("device S zero-byte-then-top-bit"), "b")
    yield next(each for each in candidates if SHAPES["zero-byte-then-top-bit"](each.s, 384))


def sign_in_tasks() -> Iterator[Task]:
    for each in itertools.chain(
        [sign_in("plain")], forced_numbers(), forced_salts(), other_forms(), other_names(), devices()
    ):
        yield Task(
            "device" if each.device else "user",
            each.label,
            {
                "group": each.group,
                "name": each.name,
                "password": each.password,
                "a": f"{each.a:x}",
                "b": f"{each.b:x}",
                "salt": each.sent_salt,
                "srp_b": each.srp_b,
                "secret_block": base64.b64encode(each.secret_block).decode(),
                "moment": each.moment.isoformat() + "+00:00",
            },
            {
                "verifier": f"{each.verifier:x}",
                "srp_a": f"{each.public_a:x}",
                "u": f"{each.u:x}",
                "s": f"{each.s:x}",
                "key": each.key.hex(),
                "timestamp": srp_peer.timestamp(each.moment),
                "signature": each.signature,
            },
        )


def device_verifier_tasks() -> Iterator[Task]:
    group, name = "-Fd2Rk9Qx", "eu-west-1_0c1d2e3f-4a5b-4c6d-8e7f-901234567890"
    wanted = [("plain", "plain"), ("plain", "top-bit"), ("plain", "zero-byte")]
    for salt_shape, verifier_shape in [*wanted, ("top-bit", "plain"), ("zero-byte", "plain")]:
        label = f"salt {salt_shape}, verifier {verifier_shape}"
        front = b"\0" if salt_shape == "zero-byte" else b""
        for drawing in drawn(label, 56):
            salt = (front + drawing)[:16]
            password = base64.b64encode(drawing[16:]).decode()
            number = int.from_bytes(salt, "big")
            verifier = pow(srp_peer.G, srp_peer.private_key(group, name, password, number), srp_peer.N)
            if SHAPES[salt_shape](number, 16) and SHAPES[verifier_shape](verifier, 384):
                outputs = {
                    "password_verifier": base64.b64encode(srp_peer.pad(verifier)).decode(),
                    "padded_salt": base64.b64encode(srp_peer.pad(number)).decode(),
                }
                inputs = {"group": group, "name": name, "password": password, "salt": salt.hex()}
                yield Task("device_verifier", label, inputs, outputs)
                break


def small_tasks() -> Iterator[Task]:
    yield Task("multiplier", "k", {}, {"k": f"{srp_peer.K:x}"})
    for number in (
        0,
        1,
        0x7F,
        0x80,
        0xFF,
        0x100,
        0x7FFF,
        0x8000,
        0xFFFF,
        0x10000,
        srp_peer.N - 1,
        srp_peer.N >> 1,
    ):
        label = (
            f"{number:x}"
            if number < srp_peer.N >> 1
            else {srp_peer.N - 1: "N - 1", srp_peer.N >> 1: "N / 2"}[number]
        )
        yield Task("pad", label, {"number": f"{number:x}"}, {"padded": srp_peer.pad(number).hex()})
    long_months = (1, 3, 5, 7, 8, 10, 12)
    moments = [datetime(2026, long_months[day % 7], day, day % 24, day, 59 - day) for day in range(1, 32)]
    moments += [datetime(2027, month, 28, 12) for month in (2, 4, 6, 9, 11)]
    for moment in moments:
        text = moment.isoformat() + "+00:00"
        yield Task("timestamp", text, {"moment": text}, {"timestamp": srp_peer.timestamp(moment)})
    for label, username, secret in (
        ("plain", "alice", "1a2b3c4d5e6f7g8h9i0j"),
        ("address", "alice+test@example.com", "1a2b3c4d5e6f7g8h9i0j"),
        ("non-ASCII", "\u03b1\u03bb\u03af\u03ba\u03b7", "k" * 51),
    ):
        client = "7lk3qmthc2o9fr1b0example"
        inputs = {"username": username, "client_id": client, "client_secret": secret}
        made = {"secret_hash": srp_peer.secret_hash(username, client, secret)}
        yield Task("secret_hash", label, inputs, made)


# Asking the peers, and keeping what agrees.


def known(task: Task) -> dict[str, str]:
    """What the client of a sign-in sends, for the peer that is a server."""
    names = ("srp_a", "timestamp") if task.kind in ("user", "device") else ()
    return {name: task.outputs[name] for name in names}


def ask(command: list[str], tasks: list[Task]) -> Answers:
    sent = [{"kind": each.kind, **each.inputs, **known(each)} for each in tasks]
    done = subprocess.run(
        command, cwd=HERE, input=json.dumps(sent), stdout=subprocess.PIPE, text=True, check=True
    )
    answers: Answers = json.loads(done.stdout)
    return answers


def differing(task: Task, result: dict[str, str]) -> list[str]:
    """Which values of a peer are not those of the srp_peer."""
    expected = {**task.inputs, **task.outputs}
    return [
        name
        for name, value in result.items()
        if name != "function"
        and (int(value, 16) != int(str(expected[name]), 16) if name in NUMBERS else value != expected[name])
    ]


SECTIONS = {
    "multiplier": "multiplier",
    "pad": "pads",
    "timestamp": "timestamps",
    "secret_hash": "secret_hashes",
    "user": "users",
    "device": "devices",
    "device_verifier": "device_verifiers",
}


def kept(task: Task, results: dict[str, dict[str, str]]) -> dict[str, object]:
    """A vector: what was asked, and what was computed by peers that agree with the rule throughout."""
    agreeing = {origin: result for origin, result in results.items() if not differing(task, result)}
    computed = {name for result in agreeing.values() for name in result}
    outputs = {name: value for name, value in task.outputs.items() if name in computed}
    if not outputs:
        sys.exit(f"no peer agrees with the rule about {task.kind} {task.label}")
    return {"label": task.label, **task.inputs, **outputs, "origins": list(agreeing)}


def disagreements(task: Task, results: dict[str, dict[str, str]]) -> Iterator[dict[str, object]]:
    for origin, result in results.items():
        if names := differing(task, result):
            yield {"section": SECTIONS[task.kind], "label": task.label, "origin": origin, "differs_in": names}


def main() -> None:
    tasks = [*small_tasks(), *sign_in_tasks(), *device_verifier_tasks()]
    answers = {package: ask(command, tasks) for package, command in PEERS.items()}
    vectors: dict[str, list[dict[str, object]]] = {name: [] for name in SECTIONS.values()}
    differences: list[dict[str, object]] = []
    for index, task in enumerate(tasks):
        results = {
            f"{package} {answer['version']} {result['function']}": result
            for package, answer in answers.items()
            if (result := answer["results"][index]) is not None
        }
        vectors[SECTIONS[task.kind]].append(kept(task, results))
        differences += disagreements(task, results)
    document = {
        "description": DESCRIPTION.splitlines(),
        "regenerate": "cd tests/srp/vectors/generate && npm ci && npm run generate",
        **vectors,
        "disagreements": differences,
    }
    OUTPUT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
