"""A signature fits one document and one key, and nothing else."""

from __future__ import annotations

import sys

import pytest

pytest.importorskip("cryptography")

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st

from metrics.certificate import signature
from metrics.errors import MetricError

PEM = serialization.Encoding.PEM


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    folder = tmp_path_factory.mktemp("keys")
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private.private_bytes(PEM, *form))
    public = private.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "public.pem").write_bytes(public)
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(PEM, *form)
    (folder / "ec.pem").write_bytes(other)
    return folder


def test_the_signature_is_that_of_rfc_8032(key):
    """Ed25519 is deterministic: the key of zeros has a known public key."""
    made = signature.sign(b"text", key / "key.pem")
    assert made["public_key"] == "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"
    assert made == signature.sign(b"text", key / "key.pem")
    assert signature.check(b"text", made) == made["public_key"]
    assert signature.public_key(key / "public.pem") == made["public_key"]


@given(place=st.integers(0, 127), text=st.binary(max_size=20))
def test_another_text_or_a_changed_digit_does_not_fit(key, place, text):
    made = signature.sign(text, key / "key.pem")
    with pytest.raises(MetricError, match="signature"):
        signature.check(text + b".", made)
    digits = list(made["signature"])
    digits[place] = "0" if digits[place] != "0" else "1"
    with pytest.raises(MetricError, match="signature"):
        signature.check(text, {**made, "signature": "".join(digits)})


@pytest.mark.parametrize(
    "broken",
    [None, {}, {"algorithm": "rsa", "public_key": "", "signature": ""},
     {"algorithm": "ed25519", "public_key": "zz", "signature": ""},
     {"algorithm": "ed25519", "public_key": 3, "signature": "00"}],
)  # fmt: skip
def test_what_is_no_signature_is_refused(broken):
    with pytest.raises(MetricError):
        signature.check(b"", broken)


@pytest.mark.parametrize("name", ["none.pem", "public.pem", "ec.pem"])
def test_what_is_no_private_key_is_refused(key, name):
    with pytest.raises(MetricError, match="private ed25519 key"):
        signature.sign(b"", key / name)


def test_what_is_no_public_key_is_refused(key):
    for name in ("none.pem", "key.pem"):
        with pytest.raises(MetricError, match="public ed25519 key"):
            signature.public_key(key / name)


def test_a_missing_library_is_named_with_its_extra(key, monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric", None)
    with pytest.raises(MetricError, match=r"panda-grid-gym\[sign\]"):
        signature.sign(b"", key / "key.pem")
