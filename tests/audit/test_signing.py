import base64
import json
import shutil
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from equipoise.audit.verification.signing import VARIABLE, Signer, canonical, check, sha256, signer
from equipoise.errors import ConfigError, DataError, MissingExtraError

EVIDENCE = {"name": "审计", "gaps": [{"id": "gap/a", "gap": 0.1, "low": None}]}
CONTENT = canonical(EVIDENCE)


def pem(key, encryption=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


def public_file(key, path):
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


@pytest.fixture
def key():
    return Ed25519PrivateKey.generate()


def test_canonical_bytes_are_the_content_and_nothing_else():
    assert json.loads(CONTENT) == EVIDENCE
    assert canonical(json.loads(CONTENT)) == CONTENT
    assert "审计".encode() in CONTENT
    with pytest.raises(ValueError):
        canonical({"gap": float("nan")})


def test_no_key_no_signature(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert signer() is None


def test_the_key_comes_as_text_or_as_a_file(key, monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, pem(key))
    as_text = signer()
    (tmp_path / "key.pem").write_text(pem(key))
    monkeypatch.setenv(VARIABLE, str(tmp_path / "key.pem"))
    as_file = signer()
    assert as_text.sign(CONTENT) == as_file.sign(CONTENT)
    assert as_text.announcement["fingerprint"] == sha256(key.public_key().public_bytes_raw())


def test_a_signature_shows_integrity_and_by_a_known_key_who_signed(key, tmp_path):
    signature = json.loads(json.dumps(Signer(key).sign(CONTENT)))
    alone = check(CONTENT, signature)
    assert alone.holds
    assert not alone.known
    assert "only --public-key can tell" in alone.words
    known = check(CONTENT, signature, public_file(key, tmp_path / "public.pem"))
    assert known.holds
    assert known.known


def test_any_changed_byte_breaks_it(key):
    signature = Signer(key).sign(CONTENT)
    for place in range(0, len(CONTENT), 7):
        changed = CONTENT[:place] + bytes([CONTENT[place] ^ 1]) + CONTENT[place + 1 :]
        assert not check(changed, signature).holds


def test_signed_again_by_somebody_else_fits_itself_but_not_the_known_key(key, tmp_path):
    forged = Signer(Ed25519PrivateKey.generate()).sign(CONTENT.replace(b"0.1", b"0.0"))
    content = CONTENT.replace(b"0.1", b"0.0")
    assert check(content, forged).holds, "integrity alone"
    found = check(content, forged, public_file(key, tmp_path / "public.pem"))
    assert not found.holds
    assert "another key" in found.words


def test_a_false_hash_is_told(key):
    found = check(CONTENT, Signer(key).sign(CONTENT) | {"sha256": "0" * 64})
    assert not found.holds
    assert "hash" in found.words


@pytest.mark.parametrize(
    "broken",
    [
        {"algorithm": "rsa"},
        {"signature": "no base64!"},
        {"public_key": "-----BEGIN NOTHING-----"},
        {"public_key": 3},
    ],
)
def test_signatures_of_another_form_are_errors(key, broken):
    with pytest.raises(DataError, match=r"evidence\.sig"):
        check(CONTENT, Signer(key).sign(CONTENT) | broken)
    with pytest.raises(DataError):
        check(CONTENT, {})


def test_keys_that_cannot_sign_are_told_without_being_shown(key, monkeypatch, tmp_path):
    curve = pem(ec.generate_private_key(ec.SECP256R1()))
    locked = pem(key, BestAvailableEncryption(b"secret"))
    for given in (curve, locked, "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"):
        monkeypatch.setenv(VARIABLE, given)
        with pytest.raises(ConfigError, match=VARIABLE) as error:
            signer()
        assert given.splitlines()[1] not in str(error.value)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "absent.pem"))
    with pytest.raises(ConfigError, match="cannot be read"):
        signer()


def test_public_keys_that_cannot_check_are_told(key, tmp_path):
    signature = Signer(key).sign(CONTENT)
    with pytest.raises(ConfigError, match="cannot be read"):
        check(CONTENT, signature, tmp_path / "absent.pem")
    (tmp_path / "private.pem").write_text(pem(key))
    with pytest.raises(ConfigError, match="no public key"):
        check(CONTENT, signature, tmp_path / "private.pem")
    with pytest.raises(ConfigError, match="not an Ed25519"):
        check(CONTENT, signature, public_file(ec.generate_private_key(ec.SECP256R1()), tmp_path / "ec.pem"))


def test_the_private_key_never_shows(key):
    secret = base64.b64encode(key.private_bytes_raw()).decode()
    made = Signer(key)
    assert secret not in repr(made)
    assert secret not in json.dumps(made.sign(CONTENT)) + json.dumps(made.announcement)


def test_without_the_extra_it_says_what_to_install(key, monkeypatch):
    monkeypatch.setenv(VARIABLE, pem(key))
    signature = Signer(key).sign(CONTENT)
    for name in [name for name in sys.modules if name.startswith("cryptography")]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"equipoise\[sign\]"):
        signer()
    with pytest.raises(MissingExtraError, match=r"equipoise\[sign\]"):
        check(CONTENT, signature)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_agrees(key, tmp_path):
    signature = Signer(key).sign(CONTENT)
    (tmp_path / "evidence.json").write_bytes(CONTENT)
    (tmp_path / "signature.bin").write_bytes(base64.b64decode(signature["signature"]))
    (tmp_path / "public.pem").write_text(signature["public_key"])
    words = "pkeyutl -verify -rawin -pubin -inkey public.pem -sigfile signature.bin -in evidence.json"
    done = subprocess.run(
        ["openssl", *words.split()], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "Verified Successfully" in done.stdout, done.stderr
