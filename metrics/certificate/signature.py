"""Sign documents and check signatures with ed25519 (RFC 8032).

A hash shows that a file is as it was written; a signature shows who wrote it. Needs the package
`cryptography` (extra `sign`), which is loaded when a key or a signature is met. A key is a PEM file
such as `openssl genpkey -algorithm ed25519` writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metrics.errors import MetricError

ALGORITHM = "ed25519"
KEYS = {"algorithm", "public_key", "signature"}


def sign(message: bytes, key: str | Path) -> dict[str, str]:
    """Return the signature of a message and the public key that checks it, both in hex.

    `key` names a private ed25519 key in PEM without a passphrase. `MetricError` for any other.
    """
    serialization, ed25519 = _library()
    needed = f"a private ed25519 key in PEM without a passphrase in {key}"
    try:
        private = serialization.load_pem_private_key(Path(key).read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        do = "make one with `openssl genpkey -algorithm ed25519 -out KEY.pem`"
        raise MetricError(needed, str(error), do) from error
    if not isinstance(private, ed25519.Ed25519PrivateKey):
        raise MetricError(needed, type(private).__name__, "use an ed25519 key")
    public = private.public_key().public_bytes_raw().hex()
    entries = (ALGORITHM, public, private.sign(message).hex())
    return dict(zip(("algorithm", "public_key", "signature"), entries, strict=True))


def check(message: bytes, signature: Any) -> str:
    """Return the public key, in hex, under which a signature of the message is right."""
    if not isinstance(signature, Mapping) or set(signature) != KEYS:
        raise MetricError(f"a signature with {sorted(KEYS)}", repr(signature)[:60], "sign again")
    if signature["algorithm"] != ALGORITHM:
        raise MetricError(f"an {ALGORITHM} signature", repr(signature["algorithm"]), "sign again")
    _, ed25519 = _library()
    from cryptography.exceptions import InvalidSignature

    do = "do not trust the file; fetch an unaltered copy"
    try:
        public = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature["public_key"]))
        public.verify(bytes.fromhex(signature["signature"]), message)
    except (InvalidSignature, ValueError, TypeError) as error:
        came = f"one that does not fit ({type(error).__name__})"
        raise MetricError("a signature of this very document", came, do) from error
    return str(signature["public_key"])


def public_key(path: str | Path) -> str:
    """Return the public ed25519 key of a PEM file, in hex."""
    serialization, ed25519 = _library()
    needed = f"a public ed25519 key in PEM in {path}"
    do = "write it with `openssl pkey -in KEY.pem -pubout -out PUBLIC.pem`"
    try:
        found = serialization.load_pem_public_key(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise MetricError(needed, str(error), do) from error
    if not isinstance(found, ed25519.Ed25519PublicKey):
        raise MetricError(needed, type(found).__name__, do)
    return str(found.public_bytes_raw().hex())


def _library() -> tuple[Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        do = "install it with `pip install panda-grid-gym[sign]`"
        raise MetricError("the package `cryptography` for signatures", "none", do) from error
    return serialization, ed25519
