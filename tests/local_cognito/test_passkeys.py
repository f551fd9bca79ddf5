"""The software authenticator and the relying party test each other: one creates, one verifies."""

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
    """The credential with other members in its response; None removes a member."""
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
    """A registration with self attestation; a suffix to the signed data makes it invalid."""
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
    def test_new_passkey_is_accepted(self, device: SoftAuthenticator) -> None:
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

    def test_registration_without_transports_and_attachment_is_accepted(
        self, device: SoftAuthenticator
    ) -> None:
        credential = with_response(device.create(creation()), transports=None)
        del credential["authenticatorAttachment"]

        passkey = verify_registration(credential, **expected())

        assert ((), None) == (passkey.transports, passkey.attachment)

    def test_registration_without_user_verification_is_accepted_where_it_is_preferred(self) -> None:
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
        with pytest.raises(PasskeyRefused) as refused:
            verify_registration(device.create(creation()), **changed)

        assert reason == refused.value.reason

    def test_missing_user_verification_is_refused_where_it_is_required(self) -> None:
        with pytest.raises(PasskeyRefused) as refused:
            registered(SoftAuthenticator(user_verification=False))

        assert "user_verification" == refused.value.reason

    def test_absent_user_is_refused(self, device: SoftAuthenticator) -> None:
        credential = device.create(creation())
        data = bytearray(decoded(response_of(credential)["authenticatorData"]))
        data[32] &= ~0x01

        with pytest.raises(PasskeyRefused) as refused:
            verify_registration(
                with_authenticator_data(credential, bytes(data)), **expected(user_verification="preferred")
            )

        assert "user_verification" == refused.value.reason

    def test_algorithm_other_than_es256_and_rs256_is_refused(self) -> None:
        point = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        eddsa = with_public_key(SoftAuthenticator().create(creation()), {1: 1, 3: -8, -1: 6, -2: point})

        with pytest.raises(PasskeyRefused) as refused:
            verify_registration(eddsa, **expected())

        assert "algorithm" == refused.value.reason

    def test_public_key_off_the_curve_is_refused(self) -> None:
        credential = SoftAuthenticator().create(creation())
        key = public_key_of(credential) | {-2: bytes(31) + b"\x01", -3: bytes(31) + b"\x01"}

        with pytest.raises(PasskeyRefused) as refused:
            verify_registration(with_public_key(credential, key), **expected())

        assert "malformed" == refused.value.reason

    def test_valid_self_attestation_is_accepted(self) -> None:
        passkey = verify_registration(with_self_attestation(CREATED), **expected())

        assert PASSKEY.credential_id == passkey.credential_id

    def test_invalid_attestation_is_refused(self) -> None:
        with pytest.raises(PasskeyRefused) as refused:
            verify_registration(with_self_attestation(CREATED, suffix=b"!"), **expected())

        assert "signature" == refused.value.reason

    def test_assertion_is_refused_as_registration(self, device: SoftAuthenticator) -> None:
        credential = with_client_data(device.create(creation()), type="webauthn.get")

        with pytest.raises(PasskeyRefused) as refused:
            verify_registration(credential, **expected())

        assert "malformed" == refused.value.reason

    def test_registration_without_a_key_is_refused(self, device: SoftAuthenticator) -> None:
        credential = device.create(creation())
        data = bytearray(decoded(response_of(credential)["authenticatorData"])[:37])
        data[32] &= ~0x40

        with pytest.raises(PasskeyRefused) as refused:
            verify_registration(with_authenticator_data(credential, bytes(data)), **expected())

        assert "malformed" == refused.value.reason


class TestAssertion:
    def test_passkey_signs_in_repeatedly_and_its_count_rises(self, device: SoftAuthenticator) -> None:
        passkey = registered(device)

        counts = [
            verify_assertion(device.get(request(passkey.credential_id)), passkey, **expected())
            for _ in range(3)
        ]

        assert [1, 2, 3] == counts

    def test_passkey_whose_count_stays_zero_is_accepted(self) -> None:
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
        passkey = registered(device)

        with pytest.raises(PasskeyRefused) as refused:
            verify_assertion(device.get(request()), passkey, **changed)

        assert reason == refused.value.reason

    def test_origin_that_the_device_reports_must_be_expected(self, device: SoftAuthenticator) -> None:
        passkey = registered(device)
        device.origin = "https://app.example.evil.example"

        with pytest.raises(PasskeyRefused) as refused:
            verify_assertion(device.get(request()), passkey, **expected())

        assert "origin" == refused.value.reason

    def test_missing_user_verification_is_refused_where_it_is_required(
        self, device: SoftAuthenticator
    ) -> None:
        passkey = registered(device)
        device.user_verification = False
        assertion = device.get(request())

        with pytest.raises(PasskeyRefused) as refused:
            verify_assertion(assertion, passkey, **expected())

        assert "user_verification" == refused.value.reason
        assert 1 == verify_assertion(assertion, passkey, **expected(user_verification="preferred"))

    def test_sign_count_that_does_not_rise_is_refused(self, device: SoftAuthenticator) -> None:
        first = registered(device)
        count = verify_assertion(device.get(request()), first, **expected())
        passkey = RegisteredPasskey(
            first.credential_id, first.public_key, count, first.transports, first.attachment
        )
        device.counting = False

        with pytest.raises(PasskeyRefused) as refused:
            verify_assertion(device.get(request()), passkey, **expected())

        assert "sign_count" == refused.value.reason

    def test_assertion_of_another_passkey_is_refused(self, device: SoftAuthenticator) -> None:
        passkey = registered(device)
        registered(device)  # the device uses its newest

        with pytest.raises(PasskeyRefused) as refused:
            verify_assertion(device.get(request()), passkey, **expected())

        assert "signature" == refused.value.reason

    def test_authenticator_data_changed_after_signing_is_refused(self, device: SoftAuthenticator) -> None:
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

    def test_registration_is_refused_as_assertion(self, device: SoftAuthenticator) -> None:
        passkey = registered(device)
        assertion = with_client_data(device.get(request()), type="webauthn.create")

        with pytest.raises(PasskeyRefused) as refused:
            verify_assertion(assertion, passkey, **expected())

        assert "malformed" == refused.value.reason

    def test_id_that_differs_from_raw_id_is_malformed(self, device: SoftAuthenticator) -> None:
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
    """Any credential is either accepted or refused with PasskeyRefused."""

    @given(st.dictionaries(st.sampled_from(MEMBERS) | st.text(max_size=10), GARBAGE))
    def test_any_other_mapping_is_malformed(self, garbage: Json) -> None:
        for verify in (
            lambda: verify_registration(garbage, **expected()),
            lambda: verify_assertion(garbage, PASSKEY, **expected()),
        ):
            with pytest.raises(PasskeyRefused) as refused:
                verify()

            assert "malformed" == refused.value.reason

    @pytest.mark.parametrize("added", ["=", "====", "!", "\n"])
    def test_binary_member_that_is_not_base64url_is_malformed(self, added: str) -> None:
        """py_webauthn reads these spellings, too."""
        for member in REGISTRATION_MEMBERS:
            text = response_of(CREATED)[member]
            assert registration_reason(with_response(CREATED, **{member: f"{text}{added}"})) == "malformed"
        for member in ("clientDataJSON", "authenticatorData", "signature"):
            respelled = with_response(USED, **{member: f"{response_of(USED)[member]}{added}"})
            with pytest.raises(PasskeyRefused):
                verify_assertion(respelled, PASSKEY, **expected())
        raw = f"{CREATED['rawId']}{added}"
        assert registration_reason(CREATED | {"id": raw, "rawId": raw}) == "malformed"
        assert registration_reason(CREATED) is None

    @given(st.sampled_from(REGISTRATION_MEMBERS), GARBAGE)
    def test_registration_with_one_broken_member_is_malformed(self, member: str, garbage: object) -> None:
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
    def test_assertion_with_one_broken_member_is_refused(
        self, member: str, reasons: set[str], garbage: object
    ) -> None:
        with pytest.raises(PasskeyRefused) as refused:
            verify_assertion(with_response(USED, **{member: garbage}), PASSKEY, **expected())

        assert refused.value.reason in reasons

    @given(st.data())
    def test_flipped_byte_of_a_registration_is_refused_or_harmless(self, data: st.DataObject) -> None:
        attestation = bytearray(decoded(response_of(CREATED)["attestationObject"]))
        for _ in range(data.draw(st.integers(1, 4))):
            attestation[data.draw(st.integers(0, len(attestation) - 1))] ^= data.draw(st.integers(1, 255))
        flipped = with_response(CREATED, attestationObject=encoded(bytes(attestation)))

        assert registration_reason(flipped) in {None, "rp_id", "user_verification", "algorithm", "malformed"}


class TestPasskeyRefused:
    def test_passkey_refused_can_be_pickled(self) -> None:
        copied: PasskeyRefused = pickle.loads(pickle.dumps(PasskeyRefused("origin")))

        assert "origin" == copied.reason


class TestSoftAuthenticator:
    def test_credential_repeats_the_public_key_of_its_attestation(self, device: SoftAuthenticator) -> None:
        response = response_of(device.create(creation()))
        attestation = cbor2.loads(decoded(response["attestationObject"]))

        assert attestation["authData"] == decoded(response["authenticatorData"])
        assert {"ES256": -7, "RS256": -257}[device.algorithm] == response["publicKeyAlgorithm"]
        assert load_der_public_key(decoded(response["publicKey"])) is not None

    def test_binary_members_are_base64url_without_padding(self, device: SoftAuthenticator) -> None:
        text = json.dumps([device.create(creation()), device.get(request())])

        assert not {"=", "+", "/"} & set(text)

    def test_options_can_be_json_text(self, device: SoftAuthenticator) -> None:
        made = device.create(json.dumps(creation()))
        used = device.get(json.dumps(request()))

        assert made["id"] == used["id"]

    def test_device_uses_the_allowed_passkey(self, device: SoftAuthenticator) -> None:
        first, _second = registered(device), registered(device)

        used = device.get(request(secrets.token_bytes(32), first.credential_id))

        assert encoded(first.credential_id) == used["id"]

    def test_device_uses_its_newest_passkey_where_the_options_name_none(
        self, device: SoftAuthenticator
    ) -> None:
        _first, second = registered(device), registered(device)

        assert encoded(second.credential_id) == device.get(request())["id"]

    def test_assertion_has_the_user_handle(self, device: SoftAuthenticator) -> None:
        registered(device)

        assert encoded(USER_ID) == response_of(device.get(request()))["userHandle"]

    def test_passkey_of_another_relying_party_is_not_used(self, device: SoftAuthenticator) -> None:
        registered(device)

        with pytest.raises(AuthenticatorRefused, match=r"no passkey for other\.example"):
            device.get(request(rp_id="other.example"))

    def test_device_without_an_allowed_passkey_refuses(self, device: SoftAuthenticator) -> None:
        registered(device)

        with pytest.raises(AuthenticatorRefused, match="no passkey"):
            device.get(request(secrets.token_bytes(32)))

    def test_device_with_an_excluded_passkey_refuses(self, device: SoftAuthenticator) -> None:
        passkey = registered(device)

        with pytest.raises(AuthenticatorRefused, match="exclude"):
            device.create(creation(exclude=(passkey.credential_id,)))

    def test_device_refuses_options_without_its_algorithm(self, device: SoftAuthenticator) -> None:
        options = creation() | {"pubKeyCredParams": [{"type": "public-key", "alg": -8}]}

        with pytest.raises(AuthenticatorRefused, match=device.algorithm):
            device.create(options)

    def test_options_without_rp_id_mean_the_host_of_the_origin(self, device: SoftAuthenticator) -> None:
        made = device.create(creation() | {"rp": {"name": "Example"}})

        passkey = verify_registration(made, **expected(rp_id="app.example"))
        used = device.get({"challenge": encoded(CHALLENGE)})

        assert 1 == verify_assertion(used, passkey, **expected(rp_id="app.example"))

    def test_malformed_options_raise_web_authn_exception(self, device: SoftAuthenticator) -> None:
        for ceremony in (device.create, device.get):
            with pytest.raises(WebAuthnException):
                ceremony({})

    def test_repr_of_the_device_shows_no_private_key(self, device: SoftAuthenticator) -> None:
        registered(device)

        assert "PrivateKey" not in repr(device)
