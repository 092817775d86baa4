"""What all encoders share: names, the way from items to `Vectors`, saving and loading."""

from __future__ import annotations

import hashlib
import importlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import PositiveInt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from equipoise.component import Component, Registry, Runtime
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.errors import DataError, MissingExtraError, ModelError, nearest
from equipoise.language.cache import VectorCache, encode_cached
from equipoise.language.text import compose
from equipoise.language.vectors import Floats, Vectors

Arrays = Mapping[str, NDArray[Any]]
_FORMAT = 1
_REMEMBERED = 20_000  # texts whose vectors a fitted encoder keeps


class Encoder(Component, ABC):
    """How items become vectors."""

    reads: ClassVar[frozenset[str]] = frozenset()
    """The kinds of columns that it cannot do without: "text", "images", "numeric"."""

    @property
    def needs(self) -> frozenset[str]:
        """What it reads as it is configured."""
        return self.reads

    @abstractmethod
    def item_vectors(
        self,
        items: pl.DataFrame,
        text: Sequence[str],
        *,
        images: Sequence[str] = (),
        numeric: Sequence[str] = (),
        cache: Path | None = None,
        runtime: Runtime | None = None,
    ) -> Vectors:
        """Vectors of all items, see `encode_items`."""


class Queryable(Encoder, ABC):
    """An encoder that can put texts which come later, searches and wishes, beside the items."""

    max_characters: PositiveInt = 8_000
    """Only the first so many characters of a text are read; a model of 256 tokens sees less still."""

    @abstractmethod
    def restore(self, state: Mapping[str, Any], arrays: Arrays, runtime: Runtime) -> FittedEncoder[Any]:
        """The inverse of `FittedEncoder.state` and `.arrays`."""


class SentenceEncoder(Queryable, ABC):
    """How texts become vectors."""

    reads = frozenset({"text"})

    @abstractmethod
    def fit(self, texts: Sequence[str], runtime: Runtime | None = None) -> FittedEncoder[Any]:
        """An encoder ready to use.

        Args:
            texts: What to learn from; pretrained encoders learn nothing and do not look.
            runtime: Seed, threads, device.
        """

    def restore(self, state: Mapping[str, Any], arrays: Arrays, runtime: Runtime) -> FittedEncoder[Any]:
        """The inverse of `FittedEncoder.state` and `.arrays`, of which pretrained encoders keep neither."""
        return self.fit([], runtime)

    def item_vectors(
        self,
        items: pl.DataFrame,
        text: Sequence[str],
        *,
        images: Sequence[str] = (),
        numeric: Sequence[str] = (),
        cache: Path | None = None,
        runtime: Runtime | None = None,
    ) -> Vectors:
        """Vectors of all items from their texts, see `encode_items`."""
        runtime = runtime or Runtime()
        texts = compose(items, text).to_list()
        fitted = self.fit(texts, runtime)
        store = None if cache is None else VectorCache(cache, f"{self.name}-{fitted.identity[:20]}")
        return Vectors(items[v.ITEM], encode_cached(texts, fitted, store, runtime), fitted)


_E = TypeVar("_E", bound=Queryable)


class FittedEncoder(ABC, Generic[_E]):
    """Turns texts into vectors of one width; satisfies `TextEncoder`.

    Attributes:
        config: The component that was fitted.
        runtime: Device and threads to encode with.
    """

    def __init__(self, config: _E, runtime: Runtime | None = None) -> None:
        self.config, self.runtime = config, runtime or Runtime()
        self._memory: dict[str, Floats] = {}

    @property
    @abstractmethod
    def width(self) -> int:
        """Numbers per vector."""

    @abstractmethod
    def embed(self, texts: Sequence[str]) -> Floats:
        """Vectors of distinct texts, cut to size and not blank: what each encoder supplies to `encode`."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """Vectors of texts.

        Args:
            texts: Any texts in any script. Of each, `config.max_characters` characters are read.

        Returns:
            Finite float32 of shape (len(texts), width). Blank texts have the zero vector, as have texts an
            encoder knows no word of.
        """
        tidied = [tidy(text, self.config.max_characters) for text in texts]
        spoken = sorted({text for text in tidied if text}, key=lambda text: (len(text), text))
        if not spoken:
            return np.zeros((len(tidied), self.width), dtype=np.float32)
        new = [text for text in spoken if text not in self._memory]
        found = self._memory | dict(zip(new, self.embed(new), strict=True)) if new else self._memory
        if len(found) <= _REMEMBERED:  # searches come again and again, catalogues once
            self._memory = found
        result = np.zeros((len(tidied), len(found[spoken[0]])), dtype=np.float32)
        for place, text in enumerate(tidied):
            if text:
                result[place] = found[text]
        return result

    @property
    def identity(self) -> str:
        """SHA-256 of all that the vectors depend on: the fields and what was learned, or the weights."""
        described = {**self.config.describe(), "state": self.state()}
        digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
        for name, array in sorted(self.arrays().items()):
            digest.update(f"{name}{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def state(self) -> dict[str, Any]:
        """What was learned, as far as it is not numbers: JSON values."""
        return {}

    def arrays(self) -> Arrays:
        """What was learned, as arrays by name."""
        return {}

    def save(self, folder: Path) -> None:
        """Write `encoder.json` and, where something was learned, `encoder.safetensors` into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {name: np.ascontiguousarray(array) for name, array in self.arrays().items()}
        if arrays:
            save_file(arrays, folder / "encoder.safetensors")
        content = {
            "format": _FORMAT,
            "encoder": self.config.describe(),
            "state": self.state(),
            "identity": self.identity,
        }
        (folder / "encoder.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


ENCODERS: Registry[Encoder] = Registry(
    "encoder",
    "equipoise.encoders",
    {
        "tfidf": "equipoise.language.tfidf:Tfidf",
        "minilm": "equipoise.language.transformer:MiniLM",
        "multilingual": "equipoise.language.multilingual:Multilingual",
        "hf": "equipoise.language.transformer:HuggingFace",
        "openai": "equipoise.language.remote:Remote",
        "vectors": "equipoise.language.precomputed:Precomputed",
        "image": "equipoise.language.modalities.image:Image",
        "vision": "equipoise.language.modalities.vision:Vision",
        "numeric": "equipoise.language.modalities.numeric:Numeric",
        "concat": "equipoise.language.fusion.concat:Concat",
        "align": "equipoise.language.fusion.align:Align",
        "gan": "equipoise.language.fusion.gan:Gan",
    },
)


def encoder(name: str, **fields: Any) -> Encoder:
    """The encoder a configuration asks for.

    Args:
        name: `tfidf`, `minilm`, `multilingual`, `hf:<name or folder>`, `openai:<model>`, `vectors:<parquet>`,
            `image`, `vision:<name or folder>`, `numeric`; of several together `concat`, `align`, `gan`; or the
            name under which another package offers one in the entry-point group `equipoise.encoders`.
        fields: Its hyper-parameters.

    Raises:
        ConfigError: if there is no such encoder or field, or what should follow the colon is missing.
    """
    return ENCODERS.named(name, fields)


def encode_items(
    items: Any,
    text: Sequence[str],
    encoding: Encoder | str = "tfidf",
    *,
    images: Sequence[str] = (),
    numeric: Sequence[str] = (),
    cache: Path | None = None,
    runtime: Runtime | None = None,
) -> Vectors:
    """Vectors of items.

    Args:
        items: Items table of any engine, with `item_id`.
        text: Columns to read, the most telling first (see `compose`).
        encoding: An encoder, or its name.
        images: Columns with images, as bytes of encoded files or as paths.
        numeric: Columns with quantities.
        cache: Folder that keeps vectors by content, so that what was encoded once is never encoded again;
            None for none.
        runtime: Device, threads, progress.

    Returns:
        Vectors in the order of the rows, with the fitted encoder, so that queries can be embedded beside
        them.

    Raises:
        DataError: if a column is missing or ids repeat.
        ConfigError: if there is no such encoder.
        MissingExtraError: if the encoder needs a package that is not installed.
    """
    table = to_polars(items)
    if v.ITEM not in table.columns:
        raise DataError(f"The items have no column '{v.ITEM}'", todo=nearest(v.ITEM, table.columns))
    chosen = encoder(encoding) if isinstance(encoding, str) else encoding
    for column in (*images, *numeric):
        if column not in table.columns:
            raise DataError(f"The items have no column '{column}'", todo=nearest(column, table.columns))
    return chosen.item_vectors(table, text, images=images, numeric=numeric, cache=cache, runtime=runtime)


def load_encoder(folder: Path, runtime: Runtime | None = None) -> FittedEncoder[Any]:
    """The encoder that `save` wrote into `folder`.

    Pretrained weights are not in the folder: they are looked up when the first text is encoded.

    Raises:
        ModelError: if the folder is damaged, or the weights are not those the encoder was saved with.
    """
    file = folder / "encoder.json"
    advice = "Fit and save the encoder again."
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        fields, state, saved = dict(content["encoder"]), content["state"], content["identity"]
        config = encoder(fields.pop("name"), **fields)
        if not isinstance(config, Queryable):
            raise TypeError
        stored = folder / "encoder.safetensors"
        fitted = config.restore(state, load_file(stored) if stored.exists() else {}, runtime or Runtime())
    except FileNotFoundError as error:
        raise ModelError("There is no saved encoder", where=str(file), todo=advice) from error
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ModelError("The saved encoder is damaged", where=str(folder), todo=advice) from error
    if fitted.identity != saved:
        raise ModelError(
            "The encoder is not the one that was saved: its state or its weights differ",
            where=str(folder),
            todo=advice,
        )
    return fitted


def tidy(text: str, limit: int) -> str:
    """The part of a text that is read: cut, stripped, without lone surrogates, which no file can hold."""
    return text.strip()[:limit].encode("utf-8", "replace").decode("utf-8").rstrip()


def optional(module: str, *, package: str, extra: str, purpose: str) -> Any:
    """Import a module that not everybody has installed.

    Raises:
        MissingExtraError: if it is not there.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtraError(package, extra=extra, purpose=purpose) from error
