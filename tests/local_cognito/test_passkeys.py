"""The software device and the relying party's half are each other's peers: one makes, one verifies."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import pickle
import secrets
from collections.abc import Mapping
from typing import Literal, TypedDict, cast

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given
from hypothesis import strategies as st
from webauthn.helpers.exceptions import WebAuthnException

from cognito_flow.testing._state.passkeys import (
    PasskeyRefused,
    RegisteredPasskey,
    creation_options,
    request_options,
    verify_assertion,
    verify_registration,
)
from cognito_flow.testing.authenticator import AuthenticatorRefused, SoftAuthenticator

RP_ID = "auth.example.com"
ORIGIN = "https://app.example"
CHALLENGE = bytes(range(16))
USER_ID = b"a user handle"

Json = dict[str, object]
Algorithm = Literal["ES256", "RS256"]


class Expected(TypedDict):
    challenge: bytes
    rp_id: str
    origins: list[str]
    user_verification: str


def expected(
    *,
    challenge: bytes = CHALLENGE,
    rp_id: str = RP_ID,
    origins: tuple[str, ...] = (ORIGIN,),
    user_verification: str = "required",
) -> Expected:
    return {
        "challenge": challenge,
        "rp_id": rp_id,
        "origins": list(origins),
        "user_verification": user_verification,
    }


def creation(*, rp_id: str = RP_ID, exclude: tuple[bytes, ...] = ()) -> Json:
    return creation_options(
        rp_id=rp_id,
        rp_name="Example",
        user_id=USER_ID,
        username="alice",
        display_name="Alice",
        user_verification="required",
        exclude=exclude,
        challenge=CHALLENGE,
    )


def request(*allow: bytes, rp_id: str = RP_ID, challenge: bytes = CHALLENGE) -> Json:
    return request_options(
        rp_id=rp_id,
        challenge=challenge,
        allow=allow,
        user_verification="required",
        timeout_milliseconds=180_000,
    )


def registered(device: SoftAuthenticator, *, user_verification: str = "required") -> RegisteredPasskey:
    credential = device.create(creation())
    return verify_registration(credential, **expected(user_verification=user_verification))


def decoded(text: object) -> bytes:
    return base64.urlsafe_b64decode(f"{text}===")


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def response_of(credential: Mapping[str, object]) -> Json:
    return cast(Json, credential["response"])


def with_response(credential: Json, **changes: object) -> Json:
    """The credential with other members in its response; None takes one out."""
    changed = copy.deepcopy(credential)
    response_of(changed).update(changes)
    for name in [name for name, value in changes.items() if value is None]:
        del response_of(changed)[name]
    return changed


def with_client_data(credential: Json, **changes: object) -> Json:
    client_data = json.loads(decoded(response_of(credential)["clientDataJSON"]))
    return with_response(credential, clientDataJSON=encoded(json.dumps(client_data | changes).encode()))


def with_authenticator_data(credential: Json, data: bytes) -> Json:
    """A registration whose attestation object holds other authenticator data."""
    attestation = cbor2.loads(decoded(response_of(credential)["attestationObject"]))
    return with_response(credential, attestationObject=encoded(cbor2.dumps(attestation | {"authData": data})))


def with_public_key(credential: Json, key: Mapping[int, object]) -> Json:
    """A registration for another public key."""
    data = decoded(response_of(credential)["authenticatorData"])
    return with_authenticator_data(credential, data[: 37 + 16 + 2 + 32] + cbor2.dumps(dict(key)))


def public_key_of(credential: Json) -> dict[int, object]:
    data = decoded(response_of(credential)["authenticatorData"])
    return cast(dict[int, object], cbor2.loads(data[37 + 16 + 2 + 32 :]))


def with_self_attestation(credential: Json, *, suffix: bytes = b"") -> Json:
    """A registration of a new ES256 key that signs for itself; and for a suffix, which makes it wrong."""
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_numbers()
    keyed = with_public_key(
        credential, {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
    )
    attestation = cbor2.loads(decoded(response_of(keyed)["attestationObject"]))
    client_data = decoded(response_of(keyed)["clientDataJSON"])
    signed = attestation["authData"] + hashlib.sha256(client_data).digest() + suffix
    statement = {"alg": -7, "sig": key.sign(signed, ec.ECDSA(hashes.SHA256()))}
    packed = cbor2.dumps(attestation | {"fmt": "packed", "attStmt": statement})
    return with_response(keyed, attestationObject=encoded(packed))


@pytest.fixture(params=["ES256", "RS256"])
def device(request: pytest.FixtureRequest) -> SoftAuthenticator:
    return SoftAuthenticator(origin=ORIGIN, algorithm=cast(Algorithm, request.param))


def registration_reason(credential: Json) -> str | None:
    """Why a registration is refused; None if it is not."""
    try:
        verify_registration(credential, **expected())
    except PasskeyRefused as refused:
        return refused.reason
    return None


# One good registration and one good assertion, to be spoilt.
DEVICE = SoftAuthenticator(origin=ORIGIN)
CREATED = DEVICE.create(creation())
PASSKEY = verify_registration(CREATED, **expected())
USED = DEVICE.get(request())


class TestOptions:
    def test_creation_options_have_the_members_that_cognito_sends(self) -> None:
        """StartWebAuthnRegistration offers two algorithms and asks for a discoverable credential."""
        options = creation(exclude=(b"\xff\xfe",))

        assert {
            "rp": {"id": RP_ID, "name": "Example"},
            "user": {"id": encoded(USER_ID), "name": "alice", "displayName": "Alice"},
            "challenge": encoded(CHALLENGE),
            "pubKeyCredParams": [{"type": "public-key", "alg": -7}, {"type": "public-key", "alg": -257}],
            "timeout": 60_000,
            "excludeCredentials": [{"id": "__4", "type": "public-key"}],
            "authenticatorSelection": {
                "requireResidentKey": True,
                "residentKey": "required",
                "userVerification": "required",
            },
        } == json.loads(json.dumps(options))

    def test_request_options_have_the_members_that_cognito_sends(self) -> None:
        """CREDENTIAL_REQUEST_OPTIONS names the user's credentials."""
        options = request(b"\xff\xfe")

        assert {
            "hints": [],
            "attestation": "none",
            "attestationFormats": [],
            "challenge": encoded(CHALLENGE),
            "timeout": 180_000,
            "rpId": RP_ID,
            "allowCredentials": [{"id": "__4", "type": "public-key"}],
            "userVerification": "required",
        } == json.loads(json.dumps(options))


class TestRegistration:
    def test_a_new_passkey_is_accepted(self, device: SoftAuthenticator) -> None:
        """What the device made is what the pool keeps."""
        credential = device.create(creation())

        passkey = verify_registration(credential, **expected())

        kept = RegisteredPasskey(
            credential_id=decoded(credential["id"]),
            public_key=cbor2.dumps(public_key_of(credential)),
            sign_count=0,
            transports=("internal",),
            attachment="platform",
        )
        assert kept == passkey

    def test_transports_and_attachment_may_be_missing(self, device: SoftAuthenticator) -> None:
        """Not every browser tells them."""
        credential = with_response(device.create(creation()), transports=None)
        del credential["authenticatorAttachment"]

        passkey = verify_registration(credential, **expected())

        assert ((), None) == (passkey.transports, passkey.attachment)

    def test_verification_of_the_user_may_be_missing_where_it_is_preferred(self) -> None:
        """Only "required" insists."""
        passkey = registered(SoftAuthenticator(user_verification=False), user_verification="preferred")

        assert 0 == passkey.sign_count

    @pytest.mark.parametrize(
        ("reason", "changed"),
        [
            ("challenge", expected(challenge=bytes(16))),
            ("origin", expected(origins=("https://other.example", "http://app.example"))),
            ("rp_id", expected(rp_id="example.com")),
        ],
    )
    def test_another_expectation_is_refused(
        self, device: SoftAuthenticator, reason: str, changed: Expected
    ) -> None:
        """A passkey made for another challenge, page or relying party is refused, with the reason."""
        with pytest.raises(PasskeyRefused) as refused:
            verify_registration(device.create(creation()), **changed)

        assert reason == refused.value.reason

    def test_missing_verification_of_the_user_is_refused(self) -> None:
        """A device that did not verify its user is refused where it must."""
        with pytest.raises(PasskeyRefused) as refused:
            registered(SoftAuthenticator(user_verification=False))

        assert "user_verification" == refused.value.reason

    def test_an_absent_user_is_refused(self, device: SoftAuthenticator) -> None:
        """Even where verification is only preferred, the user must have been there."""
        credential = device.create(creation())
        data = bytearray(decoded(response_of(credential)["authenticatorData"]))
        data[32] &= ~0x01

        with pytest.raises(PasskeyRefused) as refused:
            verify_registration(
                with_authenticator_data(credential, bytes(data)), **expected(user_verification="preferred")
            )

        assert "user_verification" == refused.value.reason

    def test_another_algorithm_is_refused(self) -> None:
        """Cognito takes ES256 and RS256 only; EdDSA is a good key, but not one of them."""
        point = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        eddsa = with_public_key(SoftAuthenticator().create(creation()), {1: 1, 3: -8, -1: 6, -2: point})

        with pytest.raises(PasskeyRefused) as refused:
            verify_registration(eddsa, **expected())

        assert "algorithm" == refused.value.reason

    def test_a_key_that_can_never_verify_is_refused(self) -> None:
        """A point that is not on the curve is found now and not at the first sign-in."""
        credential = SoftAuthenticator().create(creation())
        key = public_key_of(credential) | {-2: bytes(31) + b"\x01", -3: bytes(31) + b"\x01"}

        with pytest.raises(PasskeyRefused) as refused:
            verify_registration(with_public_key(credential, key), **expected())

        assert "malformed" == refused.value.reason

    def test_a_right_attestation_is_accepted(self) -> None:
        """Cognito asks for no attestation and takes any that is right: here self attestation, "packed"."""
        passkey = verify_registration(with_self_attestation(CREATED), **expected())

        assert PASSKEY.credential_id == passkey.credential_id

    def test_a_wrong_attestation_is_refused(self) -> None:
        """An attestation that nobody asked for still has to be right."""
        with pytest.raises(PasskeyRefused) as refused:
            verify_registration(with_self_attestation(CREATED, suffix=b"!"), **expected())

        assert "signature" == refused.value.reason

    def test_an_assertion_is_no_registration(self, device: SoftAuthenticator) -> None:
        """Client data of the other ceremony are refused, even where all the rest fits."""
        credential = with_client_data(device.create(creation()), type="webauthn.get")

        with pytest.raises(PasskeyRefused) as refused:
            verify_registration(credential, **expected())

        assert "malformed" == refused.value.reason

    def test_authenticator_data_without_a_key_is_refused(self, device: SoftAuthenticator) -> None:
        """There is nothing to register."""
        credential = device.create(creation())
        data = bytearray(decoded(response_of(credential)["authenticatorData"])[:37])
        data[32] &= ~0x40

        with pytest.raises(PasskeyRefused) as refused:
            verify_registration(with_authenticator_data(credential, bytes(data)), **expected())

        assert "malformed" == refused.value.reason


class TestAssertion:
    def test_the_passkey_signs_in(self, device: SoftAuthenticator) -> None:
        """A registered passkey proves itself again and again, and its count goes up."""
        passkey = registered(device)

        counts = [
            verify_assertion(device.get(request(passkey.credential_id)), passkey, **expected())
            for _ in range(3)
        ]

        assert [1, 2, 3] == counts

    def test_a_synchronised_passkey_never_counts(self) -> None:
        """Devices that share their passkeys leave the count at zero, and that is no refusal."""
        device = SoftAuthenticator(counting=False)
        passkey = registered(device)

        assert 0 == verify_assertion(device.get(request()), passkey, **expected())

    @pytest.mark.parametrize(
        ("reason", "changed"),
        [
            ("challenge", expected(challenge=bytes(16))),
            ("origin", expected(origins=("https://other.example", "http://app.example"))),
            ("rp_id", expected(rp_id="example.com")),
        ],
    )
    def test_another_expectation_is_refused(
        self, device: SoftAuthenticator, reason: str, changed: Expected
    ) -> None:
        """An assertion for another challenge, page or relying party is refused, with the reason."""
        passkey = registered(device)

        with pytest.raises(PasskeyRefused) as refused:
            verify_assertion(device.get(request()), passkey, **changed)

        assert reason == refused.value.reason

    def test_another_origin_of_the_device_is_refused(self, device: SoftAuthenticator) -> None:
        """The page's origin is what the device was told, and a page elsewhere is not believed."""
        passkey = registered(device)
        device.origin = "https://app.example.evil.example"

        with pytest.raises(PasskeyRefused) as refused:
            verify_assertion(device.get(request()), passkey, **expected())

        assert "origin" == refused.value.reason

    def test_missing_verification_of_the_user_is_refused(self, device: SoftAuthenticator) -> None:
        """A device that stopped verifying its user is refused where it must, and only there."""
        passkey = registered(device)
        device.user_verification = False
        assertion = device.get(request())

        with pytest.raises(PasskeyRefused) as refused:
            verify_assertion(assertion, passkey, **expected())

        assert "user_verification" == refused.value.reason
        assert 1 == verify_assertion(assertion, passkey, **expected(user_verification="preferred"))

    def test_a_count_that_stands_still_is_refused(self, device: SoftAuthenticator) -> None:
        """A count that was seen before may mean that the passkey was copied."""
        first = registered(device)
        count = verify_assertion(device.get(request()), first, **expected())
        passkey = RegisteredPasskey(
            first.credential_id, first.public_key, count, first.transports, first.attachment
        )
        device.counting = False

        with pytest.raises(PasskeyRefused) as refused:
            verify_assertion(device.get(request()), passkey, **expected())

        assert "sign_count" == refused.value.reason

    def test_another_key_is_refused(self, device: SoftAuthenticator) -> None:
        """An assertion signed by another passkey of the same user proves nothing about this one."""
        passkey = registered(device)
        registered(device)  # the device uses its newest

        with pytest.raises(PasskeyRefused) as refused:
            verify_assertion(device.get(request()), passkey, **expected())

        assert "signature" == refused.value.reason

    def test_data_changed_after_signing_are_refused(self, device: SoftAuthenticator) -> None:
        """A count that was raised on the way is not believed."""
        passkey = registered(device)
        assertion = device.get(request())
        data = decoded(response_of(assertion)["authenticatorData"])

        with pytest.raises(PasskeyRefused) as refused:
            verify_assertion(
                with_response(assertion, authenticatorData=encoded(data[:-1] + b"\x63")),
                passkey,
                **expected(),
            )

        assert "signature" == refused.value.reason

    def test_a_registration_is_no_assertion(self, device: SoftAuthenticator) -> None:
        """Client data of the other ceremony are refused, even where all the rest fits."""
        passkey = registered(device)
        assertion = with_client_data(device.get(request()), type="webauthn.create")

        with pytest.raises(PasskeyRefused) as refused:
            verify_assertion(assertion, passkey, **expected())

        assert "malformed" == refused.value.reason

    def test_an_id_that_differs_from_the_raw_id_is_refused(self, device: SoftAuthenticator) -> None:
        """A credential that says two names for itself is malformed."""
        passkey = registered(device)

        with pytest.raises(PasskeyRefused) as refused:
            verify_assertion(device.get(request()) | {"id": "AAAA"}, passkey, **expected())

        assert "malformed" == refused.value.reason


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=20), children, max_size=3)
    ),
    max_leaves=8,
)
GARBAGE = JSON_VALUES | st.binary(max_size=80).map(encoded)
MEMBERS = ("id", "rawId", "type", "response")
REGISTRATION_MEMBERS = ("clientDataJSON", "attestationObject")


class TestGarbage:
    """Whatever a page sends, the answer is PasskeyRefused: a pool must not fall over."""

    @given(st.dictionaries(st.sampled_from(MEMBERS) | st.text(max_size=10), GARBAGE))
    def test_any_mapping_is_malformed(self, garbage: Json) -> None:
        """A mapping that is no credential is malformed in both ceremonies."""
        for verify in (
            lambda: verify_registration(garbage, **expected()),
            lambda: verify_assertion(garbage, PASSKEY, **expected()),
        ):
            with pytest.raises(PasskeyRefused) as refused:
                verify()

            assert "malformed" == refused.value.reason

    @given(st.sampled_from(REGISTRATION_MEMBERS), GARBAGE)
    def test_a_registration_with_one_broken_member_is_malformed(self, member: str, garbage: object) -> None:
        """Neither member of a registration's response can be replaced by garbage."""
        with pytest.raises(PasskeyRefused) as refused:
            verify_registration(with_response(CREATED, **{member: garbage}), **expected())

        assert "malformed" == refused.value.reason

    @pytest.mark.parametrize(
        ("member", "reasons"),
        [
            ("clientDataJSON", {"malformed"}),
            ("authenticatorData", {"malformed", "rp_id"}),  # 37 bytes are data, if not ours
            ("signature", {"malformed", "signature"}),  # any bytes are a signature, if a wrong one
        ],
    )
    @given(garbage=GARBAGE)
    def test_an_assertion_with_one_broken_member_is_refused(
        self, member: str, reasons: set[str], garbage: object
    ) -> None:
        """No member of an assertion's response can be replaced by garbage."""
        with pytest.raises(PasskeyRefused) as refused:
            verify_assertion(with_response(USED, **{member: garbage}), PASSKEY, **expected())

        assert refused.value.reason in reasons

    @given(st.data())
    def test_no_byte_of_a_registration_breaks_the_parser(self, data: st.DataObject) -> None:
        """Flipped bytes are refused, or they spoil what nothing vouches for, such as the id."""
        attestation = bytearray(decoded(response_of(CREATED)["attestationObject"]))
        for _ in range(data.draw(st.integers(1, 4))):
            attestation[data.draw(st.integers(0, len(attestation) - 1))] ^= data.draw(st.integers(1, 255))
        flipped = with_response(CREATED, attestationObject=encoded(bytes(attestation)))

        assert registration_reason(flipped) in {None, "rp_id", "user_verification", "algorithm", "malformed"}


class TestPasskeyRefused:
    def test_it_can_be_pickled(self) -> None:
        """Test runners carry exceptions from process to process."""
        copied: PasskeyRefused = pickle.loads(pickle.dumps(PasskeyRefused("origin")))

        assert "origin" == copied.reason


class TestSoftAuthenticator:
    def test_the_credential_says_its_public_key(self, device: SoftAuthenticator) -> None:
        """The members for pages that do not parse CBOR repeat what the attestation object holds."""
        response = response_of(device.create(creation()))
        attestation = cbor2.loads(decoded(response["attestationObject"]))

        assert attestation["authData"] == decoded(response["authenticatorData"])
        assert {"ES256": -7, "RS256": -257}[device.algorithm] == response["publicKeyAlgorithm"]
        assert load_der_public_key(decoded(response["publicKey"])) is not None

    def test_binary_members_are_base64url_without_padding(self, device: SoftAuthenticator) -> None:
        """This is how Cognito wants them."""
        text = json.dumps([device.create(creation()), device.get(request())])

        assert not {"=", "+", "/"} & set(text)

    def test_options_may_be_text(self, device: SoftAuthenticator) -> None:
        """CREDENTIAL_REQUEST_OPTIONS arrives as JSON text."""
        made = device.create(json.dumps(creation()))
        used = device.get(json.dumps(request()))

        assert made["id"] == used["id"]

    def test_it_uses_the_passkey_that_is_allowed(self, device: SoftAuthenticator) -> None:
        """Of several passkeys the options choose."""
        first, _second = registered(device), registered(device)

        used = device.get(request(secrets.token_bytes(32), first.credential_id))

        assert encoded(first.credential_id) == used["id"]

    def test_it_uses_the_newest_where_the_options_name_none(self, device: SoftAuthenticator) -> None:
        """Without allowCredentials, a discoverable credential is meant."""
        _first, second = registered(device), registered(device)

        assert encoded(second.credential_id) == device.get(request())["id"]

    def test_it_returns_the_user_handle(self, device: SoftAuthenticator) -> None:
        """A relying party finds the user by it."""
        registered(device)

        assert encoded(USER_ID) == response_of(device.get(request()))["userHandle"]

    def test_it_keeps_relying_parties_apart(self, device: SoftAuthenticator) -> None:
        """A passkey for one RP id is none for another."""
        registered(device)

        with pytest.raises(AuthenticatorRefused, match=r"no passkey for other\.example"):
            device.get(request(rp_id="other.example"))

    def test_it_refuses_ids_that_it_does_not_hold(self, device: SoftAuthenticator) -> None:
        """A passkey of another device does not do."""
        registered(device)

        with pytest.raises(AuthenticatorRefused, match="no passkey"):
            device.get(request(secrets.token_bytes(32)))

    def test_it_refuses_an_excluded_passkey(self, device: SoftAuthenticator) -> None:
        """Nobody registers one device twice."""
        passkey = registered(device)

        with pytest.raises(AuthenticatorRefused, match="exclude"):
            device.create(creation(exclude=(passkey.credential_id,)))

    def test_it_refuses_an_algorithm_that_is_not_offered(self, device: SoftAuthenticator) -> None:
        """A device makes the keys that it can make."""
        options = creation() | {"pubKeyCredParams": [{"type": "public-key", "alg": -8}]}

        with pytest.raises(AuthenticatorRefused, match=device.algorithm):
            device.create(options)

    def test_without_an_rp_id_the_host_of_the_origin_is_meant(self, device: SoftAuthenticator) -> None:
        """This is WebAuthn's default."""
        made = device.create(creation() | {"rp": {"name": "Example"}})

        passkey = verify_registration(made, **expected(rp_id="app.example"))
        used = device.get({"challenge": encoded(CHALLENGE)})

        assert 1 == verify_assertion(used, passkey, **expected(rp_id="app.example"))

    def test_other_options_are_refused(self, device: SoftAuthenticator) -> None:
        """Options that are none are told apart from a device that holds nothing."""
        for ceremony in (device.create, device.get):
            with pytest.raises(WebAuthnException):
                ceremony({})

    def test_private_keys_are_not_in_its_repr(self, device: SoftAuthenticator) -> None:
        """A failed assertion of a test prints the device."""
        registered(device)

        assert "PrivateKey" not in repr(device)
