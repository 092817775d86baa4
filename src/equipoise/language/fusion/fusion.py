"""`Fusion`: an encoder made of encoders, one for each modality."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from equipoise.component import Runtime
from equipoise.data import vocabulary as v
from equipoise.errors import ConfigError, DataError
from equipoise.language.encoders import ENCODERS, Arrays, Encoder, FittedEncoder, Queryable
from equipoise.language.fusion.blocks import Block, Present, Scale, presence
from equipoise.language.vectors import Floats, Vectors


class Joined(ABC):
    """What was learned of how modalities go together."""

    @abstractmethod
    def vectors(self, blocks: Sequence[Floats], present: Present) -> Floats:
        """One vector per row.

        Args:
            blocks: Vectors of each modality on its scale, zeros where there is nothing, shape (rows, its width).
            present: Which row has which modality, at least one each, shape (rows, modalities).
        """

    @abstractmethod
    def arrays(self) -> Arrays:
        """All that was learned, by name."""


class Member(NamedTuple):
    """One modality of a fusion, and how it is called in the account: as its encoder, numbered where that repeats."""

    name: str
    encoder: Encoder


class Fusion(Queryable, ABC):
    """Several modalities, each with an encoder of its own, as one vector per item.

    An item that lacks some of them has a vector all the same; one that lacks all is absent, not zero. Searches are
    embedded where one of the modalities is text, as items would be of which only the text is known.
    """

    modalities: Annotated[tuple[dict[str, Any], ...], Field(min_length=2)]
    """The encoders, each with its name and its fields: `[{name = "minilm"}, {name = "image"}, {name = "numeric"},
    {name = "vectors:audio.parquet", missing = "absent"}]`."""

    @model_validator(mode="after")
    def _build(self) -> Self:
        self.members()
        return self

    def members(self) -> list[Member]:
        """The encoders.

        Raises:
            ConfigError: if one has no name, is not usable, or is a fusion itself.
        """
        found = []
        for place, fields in enumerate(self.modalities):
            rest = dict(fields)
            if "name" not in rest:
                raise ConfigError(
                    "A modality has no name", where=f"number {place + 1}", todo='Add name = "...".'
                )
            name = str(rest.pop("name"))
            member = ENCODERS.named(name, rest)
            if isinstance(member, Fusion):
                raise ConfigError(f"A fusion cannot be a modality of another, but '{name}' is")
            found.append(Member(member.name, member))
        names = [member.name for member in found]
        return [
            Member(f"{name} {place + 1}" if names.count(name) > 1 else name, encoder)
            for place, (name, encoder) in enumerate(found)
        ]

    @property
    def needs(self) -> frozenset[str]:
        """What its members read."""
        return frozenset[str]().union(*(member.encoder.needs for member in self.members()))

    @abstractmethod
    def join(self, blocks: Sequence[Block], runtime: Runtime) -> tuple[Joined, dict[str, Any]]:
        """Learn how the modalities of these items go together.

        Returns:
            What was learned, and what is to be told of it.
        """

    @abstractmethod
    def joined(self, widths: Sequence[int], arrays: Arrays) -> Joined:
        """The inverse of `Joined.arrays`.

        Args:
            widths: Of the modalities.
            arrays: What was learned.
        """

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
        """Vectors of the items with at least one modality; the account tells who lacks which.

        Raises:
            DataError: if a modality is not there at all, or cannot be read.
        """
        options, ids = runtime or Runtime(), items[v.ITEM]
        blocks, account = list[Block](), list[dict[str, Any]]()
        for name, member in self.members():
            vectors = member.item_vectors(
                items, text, images=images, numeric=numeric, cache=cache, runtime=options
            )
            block = Block.of(name, vectors, ids)
            if not block.present.any():
                raise DataError(
                    f"No item has anything that the modality '{name}' reads", where=f"{len(ids):,} items"
                )
            blocks.append(block)
            account.append(
                {"modality": name, "items": len(ids), "with": int(block.present.sum())}
                | {key: value for told in vectors.account for key, value in told.items() if key != "modality"}
            )
        present = presence(blocks)
        joined, told = self.join(blocks, options)
        known = present.any(axis=1)
        account.append(
            {
                "modality": self.name,
                "items": len(ids),
                "with": int(known.sum()),
                "all": int(present.all(axis=1).sum()),
            }
            | told
        )
        matrix = joined.vectors([block.matrix[known] for block in blocks], present[known])
        fitted = FittedFusion.of(self, blocks, joined, options)
        return Vectors(ids.filter(pl.Series(known, dtype=pl.Boolean)), matrix, fitted, tuple(account))

    def restore(self, state: Mapping[str, Any], arrays: Arrays, runtime: Runtime) -> FittedFusion:
        """The inverse of `FittedFusion.state` and `.arrays`."""

        def under(prefix: str) -> dict[str, Any]:
            return {name.removeprefix(prefix): one for name, one in arrays.items() if name.startswith(prefix)}

        members, texts = dict(self.members()), dict[int, _Text]()
        for place, (name, said) in enumerate(state["modalities"].items()):
            if said is None:
                continue
            member = members[name]
            assert isinstance(member, Queryable)
            encoder = member.restore(said, under(f"{place}."), runtime)
            scale = Scale(arrays[f"middle.{place}"], float(arrays[f"length.{place}"][0]))
            texts[place] = _Text(encoder, scale)
        widths = [int(width) for width in state["widths"]]
        return FittedFusion(self, widths, texts, self.joined(widths, under("joined.")), runtime)


class _Text(NamedTuple):
    """What embeds later texts, and the scale of its modality."""

    encoder: FittedEncoder[Any]
    scale: Scale


class FittedFusion(FittedEncoder[Fusion]):
    """Embeds texts as items of which only the text is known.

    Attributes:
        widths: Of the modalities.
        texts: Those that are text, by their place.
        joined: How modalities go together.
    """

    def __init__(
        self,
        config: Fusion,
        widths: Sequence[int],
        texts: Mapping[int, _Text],
        joined: Joined,
        runtime: Runtime | None = None,
    ) -> None:
        super().__init__(config, runtime)
        self.widths, self.texts, self.joined = list(widths), dict(texts), joined

    @classmethod
    def of(cls, config: Fusion, blocks: Sequence[Block], joined: Joined, runtime: Runtime) -> Self | None:
        """The encoder of later texts; None where no modality is text."""
        texts = {
            place: _Text(block.encoder, block.scale)
            for place, block in enumerate(blocks)
            if isinstance(block.encoder, FittedEncoder)
        }
        widths = [block.matrix.shape[1] for block in blocks]
        return cls(config, widths, texts, joined, runtime) if texts else None

    @property
    def width(self) -> int:
        """Numbers per vector."""
        nobody = [np.zeros((0, width), dtype=np.float32) for width in self.widths]
        return int(self.joined.vectors(nobody, np.zeros((0, len(self.widths)), dtype=bool)).shape[1])

    def embed(self, texts: Sequence[str]) -> Floats:
        """Vectors of texts; zeros for one that no modality knows a word of."""
        blocks = [np.zeros((len(texts), width), dtype=np.float32) for width in self.widths]
        present = np.zeros((len(texts), len(self.widths)), dtype=bool)
        for place, (encoder, scale) in self.texts.items():
            found = encoder.encode(texts)
            present[:, place] = found.any(axis=1)
            blocks[place] = scale.laid(found, present[:, place])
        known = present.any(axis=1)
        result = np.zeros((len(texts), self.width), dtype=np.float32)
        if known.any():
            result[known] = self.joined.vectors([block[known] for block in blocks], present[known])
        return result

    def state(self) -> dict[str, Any]:
        """The members' states, None for those that read no text."""
        names = [name for name, _ in self.config.members()]
        states = {
            name: self.texts[place].encoder.state() if place in self.texts else None
            for place, name in enumerate(names)
        }
        return {"modalities": states, "widths": self.widths}

    def arrays(self) -> Arrays:
        """What was learned by the members that read texts, their scales, and how modalities go together."""
        found = {f"joined.{name}": array for name, array in self.joined.arrays().items()}
        for place, (encoder, scale) in self.texts.items():
            found |= {f"{place}.{name}": array for name, array in encoder.arrays().items()}
            found |= {f"middle.{place}": scale.middle, f"length.{place}": np.array([scale.length])}
        return found
