"""Encoders that learned elsewhere: only where they come from is kept, and it is checked before the first
use.
"""

from __future__ import annotations

import hashlib
import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from equipoise.component import Runtime
from equipoise.errors import MissingExtraError, ModelError
from equipoise.language.encoders import Arrays, FittedEncoder, SentenceEncoder
from equipoise.language.vectors import Floats

Embed = Callable[[Sequence[str]], Floats]


class Pretrained(SentenceEncoder, ABC):
    """An encoder that learns nothing from the texts at hand."""

    @abstractmethod
    def source(self) -> str:
        """What the vectors come from: SHA-256 of the weights, or the address of a server."""

    @abstractmethod
    def load(self, runtime: Runtime) -> Embed:
        """The model, as a function from texts to vectors of one width."""

    def fit(self, texts: Sequence[str], runtime: Runtime | None = None) -> FittedPretrained:
        """Find the model; it is loaded when the first text is encoded."""
        return FittedPretrained(self, self.source(), runtime)

    def restore(self, state: Mapping[str, Any], arrays: Arrays, runtime: Runtime) -> FittedPretrained:
        """The saved encoder; whether its model is still there shows when the first text is encoded."""
        return FittedPretrained(self, str(state["source"]), runtime)


class FittedPretrained(FittedEncoder[Pretrained]):
    """A pretrained encoder and the model it must have.

    Attributes:
        source: What `Pretrained.source` said when it was fitted.
    """

    def __init__(self, config: Pretrained, source: str, runtime: Runtime | None = None) -> None:
        super().__init__(config, runtime)
        self.source = source

    @cached_property
    def _embed(self) -> Embed:
        if (found := self.config.source()) != self.source:
            raise ModelError(
                f"The encoder '{self.config.name}' was used with another model than the one there is now",
                where=f"{self.source} before, {found} now",
                todo="Bring back the former, or encode and train again.",
            )
        return self.config.load(self.runtime)

    @cached_property
    def width(self) -> int:
        """Numbers per vector; asked of the model with one word."""
        return int(self.embed(["width"]).shape[1])

    def embed(self, texts: Sequence[str]) -> Floats:
        """Vectors of texts.

        Raises:
            ModelError: if the model is not the one the encoder was fitted with.
        """
        return self._embed(texts)

    def state(self) -> dict[str, Any]:
        """Where the model comes from."""
        return {"source": self.source}


def digest(files: Iterable[Path]) -> str:
    """SHA-256 of files, their names included."""
    total = hashlib.sha256()
    for file in files:
        with file.open("rb") as content:
            total.update(f"{file.name} {hashlib.file_digest(content, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


def package_folder(module: str, *, package: str, purpose: str) -> Path:
    """Where an installed package lies, without importing it.

    Raises:
        MissingExtraError: if it is not installed.
    """
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        raise MissingExtraError(package, extra="llm", purpose=purpose)
    return Path(found.origin).parent


def verified(file: Path, expected: str, *, package: str) -> str:
    """The SHA-256 of a file that must have this one.

    Raises:
        ModelError: if it has another.
    """
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != expected:
        raise ModelError(
            f"The weights in the package '{package}' are not the known ones",
            where=f"{file.name}, SHA-256 {found[:8]}..., expected {expected[:8]}...",
            todo="Install the version that the extra 'llm' names, from a source you trust.",
        )
    return found
