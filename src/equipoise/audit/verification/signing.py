"""Signatures of evidence: Ed25519 (RFC 8032) over the bytes of `evidence.json`.

What is signed is the file as it stands, so other tools check it too:

    openssl pkeyutl -verify -rawin -pubin -inkey public.pem -sigfile signature.bin -in evidence.json
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from equipoise.errors import ConfigError, DataError, MissingExtraError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

VARIABLE: Final = "EQUIPOISE_SIGNING_KEY"
"""Environment variable that holds the private key: PEM text, or the path of a PEM file. There is no other way in."""

_MAKE_ONE = "Make one with: openssl genpkey -algorithm ed25519 -out key.pem."


def canonical(evidence: Mapping[str, Any]) -> bytes:
    """The bytes of `evidence.json`: UTF-8 JSON in the order of the schema; the same content gives the same bytes.

    Raises:
        ValueError: if a number is not finite.
    """
    return (json.dumps(evidence, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def sha256(content: bytes) -> str:
    """SHA-256 in hexadecimal, as `sha256sum` prints it."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Signer:
    """A private key that can sign; it is never printed or written.

    Attributes:
        key: The key.
    """

    key: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"Signer({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key, by which people compare keys."""
        return _fingerprint(self.key.public_key())

    @property
    def announcement(self) -> dict[str, str]:
        """What the evidence says of its own signature, before it is signed."""
        return {"algorithm": "ed25519", "fingerprint": self.fingerprint, "file": "evidence.sig"}

    def sign(self, content: bytes) -> dict[str, str]:
        """The content of `evidence.sig`: algorithm, public key, signature (base64), hash of what was signed."""
        return {
            "algorithm": "ed25519",
            "sha256": sha256(content),
            "public_key": _pem(self.key.public_key()),
            "signature": base64.b64encode(self.key.sign(content)).decode(),
        }


def signer() -> Signer | None:
    """The key that the environment gives; None where it gives none.

    Raises:
        ConfigError: if what it gives is no unencrypted Ed25519 private key.
        MissingExtraError: if `cryptography` is not installed.
    """
    given = os.environ.get(VARIABLE, "").strip()
    if not given:
        return None
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise _missing() from None
    where = f"environment variable {VARIABLE}"
    if given.startswith("-----BEGIN"):
        text = given.encode()
    else:
        try:
            text = Path(given).expanduser().read_bytes()
        except OSError as error:
            raise ConfigError(
                f"The signing key cannot be read: {error.strerror}", where=where,
                todo=f"Set it to PEM text or to the path of a PEM file. {_MAKE_ONE}",
            ) from None  # fmt: skip
    try:
        key = load_pem_private_key(text, password=None)
    except (ValueError, TypeError):  # what the library says might quote the key
        raise ConfigError(
            "The signing key is no unencrypted private key in PEM form", where=where, todo=_MAKE_ONE
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError("The signing key is not an Ed25519 key", where=where, todo=_MAKE_ONE)
    return Signer(key)


@dataclass(frozen=True)
class Signature:
    """What checking a signature found.

    Attributes:
        holds: Whether the content is what was signed, by the expected key where one was given.
        known: Whether a key from elsewhere was given to check by. Without one, only integrity is shown: that the
            content fits the key that lies beside it, not whose key that is.
        fingerprint: SHA-256 of the public key in the signature.
        words: The finding as a sentence.
    """

    holds: bool
    known: bool
    fingerprint: str
    words: str


def check(content: bytes, signature: Mapping[str, Any], public_key: Path | str | None = None) -> Signature:
    """Check a signature over `content`.

    Args:
        content: The bytes of `evidence.json`.
        signature: The content of `evidence.sig`.
        public_key: PEM file of the key that should have signed; without one, the key in the signature is taken.

    Raises:
        DataError: if the signature is not of our form.
        ConfigError: if the public key cannot be read.
        MissingExtraError: if `cryptography` is not installed.
    """
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError:
        raise _missing() from None

    try:
        if signature["algorithm"] != "ed25519":
            raise ValueError(signature["algorithm"])
        signed = base64.b64decode(signature["signature"], validate=True)
        beside = load_pem_public_key(signature["public_key"].encode())
        if not isinstance(beside, Ed25519PublicKey):
            raise TypeError(type(beside))
        named = str(signature["sha256"])
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
        raise DataError(
            "The signature is not of the form that is written here", where="evidence.sig",
            todo="It should hold algorithm (ed25519), sha256, public_key and signature.",
        ) from error  # fmt: skip
    expected = beside if public_key is None else _public_key(Path(public_key))
    made_by = _fingerprint(beside)
    known = public_key is not None
    if _fingerprint(expected) != made_by:
        told = f"signed by another key ({made_by[:16]}), not by the one given ({_fingerprint(expected)[:16]})"
        return Signature(False, known, made_by, told)
    try:
        expected.verify(signed, content)
    except InvalidSignature:
        return Signature(False, known, made_by, "the signature does not fit evidence.json: it was changed")
    if named != sha256(content):
        return Signature(False, known, made_by, "the hash in evidence.sig is not that of evidence.json")
    if known:
        return Signature(True, True, made_by, f"signed by the key given ({made_by[:16]})")
    told = f"fits the key in evidence.sig ({made_by[:16]}); whose key that is, only --public-key can tell"
    return Signature(True, False, made_by, told)


def _public_key(path: Path) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    advice = "Name a PEM file, as written by: openssl pkey -in key.pem -pubout -out public.pem."
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"The public key cannot be read: {error.strerror}", where=str(path), todo=advice
        ) from None
    except ValueError:
        raise ConfigError("This is no public key in PEM form", where=str(path), todo=advice) from None
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError("This is not an Ed25519 key", where=str(path), todo=advice)
    return key


def _fingerprint(key: Ed25519PublicKey) -> str:
    return sha256(key.public_bytes_raw())


def _pem(key: Ed25519PublicKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _missing() -> MissingExtraError:
    return MissingExtraError("cryptography", extra="sign", purpose="Signing evidence and checking signatures")
