"""Vectors kept on disk by the content they were made from, so that nothing is encoded twice."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from equipoise.component import Runtime
from equipoise.errors import DataError, ModelError
from equipoise.language.vectors import Floats, TextEncoder
from equipoise.progress import track

_CHUNK = 512  # texts encoded, and written, at once: what an interruption can lose


def cache_folder() -> Path:
    """What is kept between runs lies here: `EQUIPOISE_CACHE`, else the user's cache folder."""
    if chosen := os.environ.get("EQUIPOISE_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "equipoise"


class _Sized(TextEncoder, Protocol):
    @property
    def width(self) -> int: ...


class VectorCache:
    """A folder of vectors made by one encoder.

    Each file holds a few hundred vectors with the SHA-256 of their texts, and is named by the SHA-256 of its
    own bytes: it is written under another name first, so a file is whole or it is not there, and one that was
    damaged since is found out when it is read, deleted, and its texts are encoded again. Several processes
    may write at once.

    Args:
        folder: Where caches live.
        identity: What the encoder is; see `FittedEncoder.identity`.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.folder = Path(folder) / identity

    def read(self) -> dict[bytes, NDArray[np.float32]]:
        """All vectors, by the digest of their text."""
        known: dict[bytes, NDArray[np.float32]] = {}
        for file in sorted(self.folder.glob("*.safetensors")):
            content = file.read_bytes()
            try:
                if hashlib.sha256(content).hexdigest() != file.stem:
                    raise ValueError("damaged")
                arrays = load(content)
                known |= dict(zip((key.tobytes() for key in arrays["texts"]), arrays["vectors"], strict=True))
            except (ValueError, KeyError, SafetensorError):
                file.unlink(missing_ok=True)
        return known

    def write(self, keys: Sequence[bytes], vectors: Floats) -> None:
        """Keep the vectors of texts with these digests.

        Raises:
            DataError: if the folder cannot be written to, or the disk is full.
        """
        texts = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), -1)
        content = save({"texts": texts, "vectors": np.ascontiguousarray(vectors)})
        try:
            self._place(content)
        except OSError as error:
            raise DataError(
                f"Encoded texts cannot be kept: {error.strerror}",
                where=str(self.folder),
                todo="Make room, or name another folder as the cache; what was kept so far is not lost.",
            ) from error

    def _place(self, content: bytes) -> None:
        """Write a whole file or none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(name, self.folder / f"{hashlib.sha256(content).hexdigest()}.safetensors")
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def encode_cached(
    texts: Sequence[str], encoder: _Sized, cache: VectorCache | None, runtime: Runtime
) -> Floats:
    """Vectors of texts: each distinct text is encoded once, or taken from the cache.

    Returns:
        float32 of shape (len(texts), width); blank texts have the zero vector.

    Raises:
        ModelError: if the cache holds vectors of another width than the encoder gives.
    """
    keys = [_key(text) if text.strip() else b"" for text in texts]
    known = cache.read() if cache else {}
    wanted = {key: text for key, text in zip(keys, texts, strict=True) if key and key not in known}
    order = sorted(wanted, key=lambda key: (len(wanted[key]), key))
    chunks = [order[start : start + _CHUNK] for start in range(0, len(order), _CHUNK)]
    for chunk in track(chunks, "encoding texts", show=runtime.progress):
        vectors = encoder.encode([wanted[key] for key in chunk])
        telling = np.flatnonzero(vectors.any(axis=1))  # zeros may be a refusal, to be asked and told of again
        if cache and len(telling):
            cache.write([chunk[place] for place in telling], vectors[telling])
        known |= dict(zip(chunk, vectors, strict=True))
    filled = [place for place, key in enumerate(keys) if key]
    widths = sorted({len(known[keys[place]]) for place in filled})
    if len(widths) > 1:
        raise ModelError(
            f"Vectors of one encoder have widths of {' and '.join(map(str, widths))}",
            where=str(cache.folder) if cache else None,
            todo="The model behind its name was changed: delete that folder, and encode anew.",
        )
    width = widths[0] if widths else encoder.width
    matrix = np.zeros((len(texts), width), dtype=np.float32)
    if filled:
        matrix[filled] = np.stack([known[keys[place]] for place in filled])
    return matrix


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
