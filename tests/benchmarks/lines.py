"""What is measured: the lines of the table, each with what it is compared with and its target.

Rule of this file: set-ups and statements are strings, because they run in processes of their own, some of them in
the environments of other packages.
"""

from __future__ import annotations

import attrs

from tests.benchmarks.rounds import Figures, Loop, Process, Subject
from tests.benchmarks.servers import Served, cognito_local, local_cognito, other_ministack

PYCOGNITO, WARRANT_LITE = "pycognito==2024.5.1", "warrant-lite==1.0.4"
SALT, SECRET_BLOCK = "a1" * 16, "c2VjcmV0" * 200
# A public number of the server, of the usual size: any number below N does.
SRP_B = "7f" * 384


@attrs.frozen
class Target:
    """What the first peer's figure allows: `times` it, plus so many milliseconds.

    Without a peer, the milliseconds are all there is. A CI machine may be slow, so that such a target is shown,
    and never fails a run.

    Args:
        times: How often the first peer's figure.
        plus: Milliseconds in addition.
        today: Which part of the target is used today, where it cannot be reached: docs/explanation/performance.md
            says why. The quick form compares with this.
    """

    times: float = 0
    plus: float = 0
    today: float = 1

    def used(self, ours: Figures, peers: list[Figures]) -> float:
        """Which part of what is allowed was used: 1 is exactly the target."""
        if not peers or not self.times:
            return ours.median / self.plus
        allowed = Figures(tuple(each * self.times + self.plus for each in peers[0].rounds))
        return ours.over(allowed)

    @property
    def is_ratio(self) -> bool:
        return self.times > 0

    def __str__(self) -> str:
        parts = [f"{self.times:g} x the next line"] if self.times else []
        return "at most " + " + ".join([*parts, *([f"{self.plus:g} ms"] if self.plus else [])])


@attrs.frozen
class Line:
    """One comparison: ours first, then the peers.

    Args:
        title: What is measured.
        ours: This package.
        peers: What it is compared with.
        target: What it may cost.
        is_quick: Whether the quick form measures it.
        has_before: Whether an earlier tree of this package is measured, too: see `before`.
        rounds: How many rounds count at most: fewer where one takes seconds.
    """

    title: str
    ours: Subject
    peers: tuple[Subject, ...] = ()
    target: Target | None = None
    is_quick: bool = True
    has_before: bool = False
    rounds: int = 15

    @property
    def subjects(self) -> list[Subject]:
        return [self.ours, *self.peers]


BOTOCORE_CLIENT = """
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
config = Config(signature_version=UNSIGNED)
botocore.session.Session().create_client("cognito-idp", region_name="eu-west-1", config=config)
"""
OUR_CLIENT = """
from cognito_flow import AppClient, AuthFlow
flow = AuthFlow(AppClient("eu-west-1_AbC123", "client"))
flow._transport.clients.method("InitiateAuth")  # the client is made at the first call
"""
CHALLENGE = f"""
CHALLENGE = {{
    "USERNAME": "alice", "USER_ID_FOR_SRP": "alice", "SALT": "{SALT}", "SRP_B": "{SRP_B}",
    "SECRET_BLOCK": "{SECRET_BLOCK}",
}}
"""
OUR_PROOF_SETUP = f"""
import secrets
from datetime import datetime, UTC
from cognito_flow import _srp
identity = _srp.Identity("AbC123", "alice", "correct horse")
def prove():
    ephemeral = _srp.Ephemeral.draw(secrets.token_bytes)
    ephemeral.srp_a
    return _srp.sign_claim(
        identity, ephemeral, salt="{SALT}", srp_b="{SRP_B}", secret_block="{SECRET_BLOCK}",
        moment=datetime.now(UTC),
    )
"""
PYCOGNITO_PROOF = f"""
from pycognito.aws_srp import AWSSRP
{CHALLENGE}
def prove(client=object()):
    srp = AWSSRP("alice", "correct horse", "eu-west-1_AbC123", "client", client=client)
    return srp.process_challenge(CHALLENGE, srp.get_auth_params())
"""
# It formats the date in the locale en_US, which a machine may lack.
WARRANT_PROOF = f"""
import contextlib, warrant_lite
from warrant_lite import WarrantLite
warrant_lite.temp_locale = lambda new: contextlib.nullcontext()
{CHALLENGE}
def prove():
    srp = WarrantLite("alice", "correct horse", "eu-west-1_AbC123", "client", client=object())
    srp.get_auth_params()
    return srp.process_challenge(CHALLENGE)
"""
IDENTITY_JS_PROOF = f"""
const {{ createRequire }} = await import("node:module");
const require = createRequire(process.argv[1]);
const Helper = require("amazon-cognito-identity-js/lib/AuthenticationHelper").default;
const BigInteger = require("amazon-cognito-identity-js/lib/BigInteger").default;
const done = (begin) => new Promise((resolve, reject) => begin((error, made) => error ? reject(error) : resolve(made)));
async function prove() {{
  const helper = new Helper("AbC123");
  await done((callback) => helper.getLargeAValue(callback));
  return done((callback) => helper.getPasswordAuthenticationKey(
    "alice", "correct horse", new BigInteger("{SRP_B}", 16), new BigInteger("{SALT}", 16), callback));
}}
"""
SRP_HELPER_PROOF = f"""
const {{ createRequire }} = await import("node:module");
const {{ createSrpSession, signSrpSession }} = createRequire(process.argv[1])("cognito-srp-helper");
const response = {{ ChallengeName: "PASSWORD_VERIFIER", ChallengeParameters: {{
  USERNAME: "alice", USER_ID_FOR_SRP: "alice", SALT: "{SALT}", SRP_B: "{SRP_B}", SECRET_BLOCK: "{SECRET_BLOCK}" }} }};
async function prove() {{
  return signSrpSession(createSrpSession("alice", "correct horse", "eu-west-1_AbC123", false), response);
}}
"""
LOCAL_POOL = """
from cognito_flow import UserPasswordAuth, UserSrpAuth
from cognito_flow.testing import LocalCognito
cognito = LocalCognito()
pool = cognito.create_pool()
pool.add_user("alice", "Correct-horse-1")
flow = pool.flow()
flow.start(UserPasswordAuth("alice", "Correct-horse-1"))
client, client_id = cognito.client(), pool.app.client_id
"""
MOTO_POOL = """
import boto3, moto
moto.mock_aws().start()
client = boto3.client("cognito-idp", "eu-west-1")
def make_pool():
    pool_id = client.create_user_pool(PoolName="pool")["UserPool"]["Id"]
    made = client.create_user_pool_client(
        UserPoolId=pool_id, ClientName="app", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])
    return pool_id, made["UserPoolClient"]["ClientId"]
def add_user(name):
    client.admin_create_user(UserPoolId=pool_id, Username=name, MessageAction="SUPPRESS")
    client.admin_set_user_password(
        UserPoolId=pool_id, Username=name, Password="Correct-horse-1", Permanent=True)
pool_id, client_id = make_pool()
add_user("alice")
"""
INITIATE_AUTH = """client.initiate_auth(
    ClientId=client_id, AuthFlow="USER_PASSWORD_AUTH",
    AuthParameters={"USERNAME": "alice", "PASSWORD": "Correct-horse-1"})"""
POWERS = """
import secrets
from Crypto.Math.Numbers import Integer
from tests.support import srp_peer
modulus, base = Integer(srp_peer.N), Integer(secrets.randbits(3070))
exponent, longer = Integer(secrets.randbits(256)), Integer(secrets.randbits(512))
"""
TOKEN = """
import json, jwt
from cognito_flow import TokenVerifier, UserPasswordAuth
from cognito_flow.testing import LocalCognito
pool = LocalCognito().create_pool()
pool.add_user("alice", "Correct-horse-1")
tokens = pool.flow().sign_in(UserPasswordAuth("alice", "Correct-horse-1")).tokens
token, issuer = tokens.access_token, pool.app.issuer
keys = json.dumps(pool.jwks())
"""
# A key of 2048 bits in a set, as a pool publishes it: PyJWT needs cryptography's RSA to read it.
STORES = """
import tempfile
from datetime import UTC, datetime
from cognito_flow import AppClient, Tokens
folder, app = tempfile.mkdtemp(), AppClient("eu-west-1_AbC123", "client")
token = "x" * 1100  # as long as Cognito's
tokens = Tokens(token, token, token, expires_at=datetime(2030, 1, 1, tzinfo=UTC), username="alice")
"""
FULL_FILE = (
    STORES
    + """
import itertools, attrs
from cognito_flow import FileStore
store = FileStore(f"{folder}/tokens.json", keys=["k" * 32])
store.put_tokens(app, "alice", tokens)
with store._document.open() as records:
    ((name, record),) = records.items()
    records |= {f"{name}{number}": record for number in range(999)}
changing = (attrs.evolve(tokens, id_token=token + str(number)) for number in itertools.count())
"""
)
SERVED_POOL = """
number = iter(range(10**6))
def make_pool():
    pool_id = client.create_user_pool(PoolName="pool")["UserPool"]["Id"]
    made = client.create_user_pool_client(
        UserPoolId=pool_id, ClientName="app", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])
    return pool_id, made["UserPoolClient"]["ClientId"]
def add_user(name):  # cognito-local wants e-mail addresses
    client.admin_create_user(UserPoolId=pool_id, Username=name, MessageAction="SUPPRESS")
    client.admin_set_user_password(
        UserPoolId=pool_id, Username=name, Password="Correct-horse-1", Permanent=True)
pool_id, client_id = make_pool()
add_user("alice@example.com")
"""

LINES = (
    Line(
        "`import cognito_flow`",
        Process("cognito_flow", "import cognito_flow"),
        (
            Process("pycognito", "import pycognito", PYCOGNITO),
            Process("boto3", "import boto3"),
            Process("botocore", "import botocore.session"),
        ),
        Target(times=0.2),
        has_before=True,
    ),
    Line(
        "`from cognito_flow import AuthFlow`",
        Process("cognito_flow", "from cognito_flow import AuthFlow"),
        (Process("botocore", "import botocore.session"), Process("boto3", "import boto3")),
        Target(times=1, plus=25),
        has_before=True,
    ),
    Line(
        "AuthFlow and its client made",
        Process("cognito_flow", OUR_CLIENT),
        (
            Process("botocore's create_client", BOTOCORE_CLIENT),
            Process("boto3", "import boto3\nboto3.client('cognito-idp', 'eu-west-1')"),
        ),
        Target(times=1.1),
        has_before=True,
    ),
    Line(
        "a cold start: client made, and the first password proven",
        Process("cognito_flow", f"{OUR_CLIENT}\n{OUR_PROOF_SETUP}\nprove()"),
        (
            Process(
                "pycognito",
                f"import boto3\n{PYCOGNITO_PROOF}\nprove(boto3.client('cognito-idp', 'eu-west-1'))",
                PYCOGNITO,
            ),
        ),
        Target(times=0.67, today=1.5),
    ),
    Line(
        "TokenVerifier imported and made",
        Process(
            "cognito_flow",
            "from cognito_flow import AppClient, TokenVerifier\n"
            "TokenVerifier(AppClient('eu-west-1_AbC123', 'client'))",
        ),
        (Process("PyJWT and cryptography's RSA", "import jwt\nfrom jwt.algorithms import RSAAlgorithm"),),
        Target(times=1, plus=30, today=1.15),
        has_before=True,
    ),
    Line(
        "SRP_A and the proof of a password",
        Loop("cognito_flow", OUR_PROOF_SETUP, "prove()", 20),
        (
            Loop("pycognito", PYCOGNITO_PROOF, "prove()", 4, PYCOGNITO),
            Loop("warrant-lite", WARRANT_PROOF, "prove()", 4, WARRANT_LITE),
            Loop("amazon-cognito-identity-js", IDENTITY_JS_PROOF, "await prove();", 2, is_node=True),
            Loop("cognito-srp-helper", SRP_HELPER_PROOF, "await prove();", 2, is_node=True),
        ),
        Target(times=0.1),
    ),
    Line(
        "the proof beside its bare powers",
        Loop("cognito_flow", OUR_PROOF_SETUP, "prove()", 20),
        (
            Loop(
                "two powers of 256 bits and one of 512",
                POWERS,
                "pow(base, exponent, modulus); pow(base, exponent, modulus); pow(base, longer, modulus)",
                20,
            ),
        ),
        Target(times=1.3),
    ),
    Line(
        "LocalCognito: a password sign-in in process",
        Loop("cognito_flow", LOCAL_POOL, INITIATE_AUTH, 20),
        (Loop("moto", MOTO_POOL, INITIATE_AUTH, 20),),
        Target(times=1),
        has_before=True,
    ),
    Line(
        "LocalCognito: an SRP sign-in, both halves",
        Loop("cognito_flow", LOCAL_POOL, 'flow.start(UserSrpAuth("alice", "Correct-horse-1"))', 10),
        (
            Loop(
                "its five powers of 256 bits and one of 512",
                POWERS,
                "for _ in range(5): pow(base, exponent, modulus)\npow(base, longer, modulus)",
                10,
            ),
        ),
        Target(plus=9),
        has_before=True,
    ),
    Line(
        "LocalCognito: a new one with a pool",
        Loop("cognito_flow", LOCAL_POOL, "LocalCognito().create_pool()", 20),
        (Loop("moto", MOTO_POOL, "make_pool()", 5),),
        Target(plus=2),
        has_before=True,
    ),
    Line(
        "LocalCognito: add_user",
        Loop(
            "cognito_flow",
            LOCAL_POOL + "number = iter(range(10**6))",
            'pool.add_user(f"user{next(number)}", "Correct-horse-1")',
            20,
        ),
        (Loop("moto", MOTO_POOL + "number = iter(range(10**6))", 'add_user(f"user{next(number)}")', 20),),
        Target(plus=1.5),
        has_before=True,
    ),
    *(
        Line(
            f"LocalCognito over HTTP: {what} (CPU of client and server)",
            Served("cognito_flow", local_cognito, SERVED_POOL, statement, 10),
            (
                Served("ministack", other_ministack, SERVED_POOL, statement, 10),
                Served("cognito-local", cognito_local, SERVED_POOL, statement, 10),
            ),
            is_quick=False,
        )
        for what, statement in (
            ("a password sign-in", INITIATE_AUTH.replace('"alice"', '"alice@example.com"')),
            ("a pool and its app client", "make_pool()"),
            ("a user with a password", 'add_user(f"user{next(number)}@example.com")'),
        )
    ),
    Line(
        "SqliteStore: put, sealed, 10,000 users (wall)",
        Loop(
            "cognito_flow",
            STORES
            + """
from cognito_flow import SqliteStore
store = SqliteStore(f"{folder}/tokens.db", keys=["k" * 32])
store.put_tokens(app, "alice", tokens)
import sqlite3
connection = sqlite3.connect(f"{folder}/tokens.db")
name, row = connection.execute("SELECT * FROM records").fetchone()
connection.executemany(
    "INSERT INTO records VALUES (?, ?)", ((f"{name}{number}", row) for number in range(9_999)))
connection.commit()
connection.close()
""",
            'store.put_tokens(app, "alice", tokens)',
            20,
            is_wall=True,
        ),
        (
            Loop(
                "a row in sqlite3, with the same settings",
                STORES
                + """
import sqlite3
connection = sqlite3.connect(f"{folder}/rows.db", isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("PRAGMA synchronous = FULL")
connection.execute("CREATE TABLE records (name TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID")
row = b"x" * 4600
connection.execute("BEGIN")
connection.executemany("INSERT INTO records VALUES (?, ?)", ((str(n), row) for n in range(10_000)))
connection.execute("COMMIT")
""",
                'connection.execute("INSERT OR REPLACE INTO records VALUES (?, ?)", ("7", row))',
                20,
                is_wall=True,
            ),
        ),
        Target(plus=3),
    ),
    Line(
        "FileStore: put, sealed, 1,000 users",
        Loop("cognito_flow", FULL_FILE, "store.put_tokens(app, 'alice', next(changing))", 1),
        is_quick=False,
        has_before=True,
    ),
    Line(
        "verify_access, warm",
        Loop(
            "cognito_flow",
            TOKEN + "verifier = TokenVerifier(pool.app, fetch=lambda url: keys.encode())\n"
            "verifier.verify_access(token)",
            "verifier.verify_access(token)",
            400,
        ),
        (
            Loop(
                "PyJWT's decode with the key",
                TOKEN + "key = jwt.PyJWKSet.from_json(keys)[jwt.get_unverified_header(token)['kid']]",
                'jwt.decode(token, key, algorithms=["RS256"], issuer=issuer)',
                400,
            ),
        ),
        Target(times=1.15),
        has_before=True,
    ),
    Line(
        "seal and unseal a challenge",
        Loop(
            "cognito_flow",
            LOCAL_POOL
            + """
with_code = cognito.create_pool(
    mfa_configuration="ON", software_token_mfa_configuration={"Enabled": True})
with_code.add_user("alice", "Correct-horse-1", totp=True)
sealing = with_code.flow(seal_keys=[b"k" * 32])
challenge = sealing.start(UserPasswordAuth("alice", "Correct-horse-1"))
""",
            "sealing.unseal(sealing.seal(challenge))",
            200,
        ),
        (),
        Target(plus=0.1),
    ),
    Line(
        "a fresh token of a TokenSource",
        Loop(
            "cognito_flow", TOKEN + "source = pool.flow().token_source(tokens)", "source.access_token()", 2000
        ),
        (),
        Target(plus=0.01),
    ),
    *(
        Line(
            f"200 sign-ins at once, AsyncAuthFlow with {name}{what} (wall)",
            Process(
                "cognito_flow", f"from tests.benchmarks.crowd import {call}\n{call}({kind!r})", prints=True
            ),
            (),
            Target(plus=limit),
            is_quick=False,
            has_before=not what,
            rounds=3,
        )
        for name, kind, target in (("threads", "boto3", 1500), ("aiobotocore", "aiobotocore", 1000))
        for what, call, limit in (("", "sign_in", target), (": longest stall of the loop", "stall", 10))
    ),
)
