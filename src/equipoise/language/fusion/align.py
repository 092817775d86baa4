"""`Align`: modalities in one space, where what belongs to one item lies together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from equipoise.component import Runtime
from equipoise.errors import DataError
from equipoise.language.encoders import Arrays, optional
from equipoise.language.fusion.blocks import Block, Present, presence
from equipoise.language.fusion.fusion import Fusion, Joined
from equipoise.language.vectors import Floats


class Align(Fusion):
    """Linear maps of all modalities into one space, learned by contrast (Radford et al. 2021, section 2.3).

    Of each pair of modalities, the two of one item are to be more alike than either is to that of another item of
    the batch (InfoNCE, in both directions). An item's vector is the mean of those of its modalities, each of length
    one, so that one that is missing leaves no hole; a search is met by pictures too. What only one modality knows of
    an item is lost on the way: alignment keeps what they share. Where modalities tell different things, `concat`
    keeps more.
    """

    name = "align"

    width: PositiveInt = 64
    """Numbers per vector."""
    epochs: PositiveInt = 200
    """Passes over the items."""
    batch_items: int = Field(256, ge=2)
    """Items per batch, each the others' contrast."""
    learning_rate: PositiveFloat = 1e-2
    """Of AdamW."""
    weight_decay: NonNegativeFloat = 0.1
    """Decoupled decay of the maps; the smaller the catalogue, the more is needed."""
    temperature: PositiveFloat = 0.1
    """Of the contrast."""

    def join(self, blocks: Sequence[Block], runtime: Runtime) -> tuple[Joined, dict[str, Any]]:
        """Train the maps on the items that have at least two modalities.

        Raises:
            DataError: if fewer than two items have two modalities.
            MissingExtraError: if torch is not installed.
        """
        pairs = int((presence(blocks).sum(axis=1) >= 2).sum())
        if pairs < 2:
            raise DataError(
                "Modalities cannot be aligned: there are too few items that have two of them",
                where=f"{pairs} items",
                todo="Take `concat`, which needs none.",
            )
        optional("torch", package="torch", extra="llm", purpose=f"The encoder '{self.name}'")
        from equipoise.language.fusion.contrast import aligned

        maps = aligned(self, [block.matrix for block in blocks], presence(blocks), runtime)
        return Aligned(maps), {
            "filled": "nothing; its vector is that of the other modalities",
            "pairs": pairs,
        }

    def joined(self, widths: Sequence[int], arrays: Arrays) -> Joined:
        """The inverse of `Joined.arrays`."""
        return Aligned(tuple(np.asarray(arrays[f"map.{place}"]) for place in range(len(widths))))


@dataclass(frozen=True)
class Aligned(Joined):
    """Maps into one space.

    Attributes:
        maps: Of each modality, shape (its width, width).
    """

    maps: tuple[Floats, ...]

    def vectors(self, blocks: Sequence[Floats], present: Present) -> Floats:
        """Means of the modalities that are there, of length one."""
        placed = [
            _unit(block @ one) * present[:, [place]] for place, (block, one) in enumerate(self._pairs(blocks))
        ]
        return _unit(np.sum(placed, axis=0) / np.maximum(present.sum(axis=1, keepdims=True), 1))

    def placed(self, blocks: Sequence[Floats], place: int) -> Floats:
        """Where one modality alone lies, of length one."""
        return _unit(blocks[place] @ self.maps[place])

    def arrays(self) -> Arrays:
        """The maps."""
        return {f"map.{place}": one for place, one in enumerate(self.maps)}

    def _pairs(self, blocks: Sequence[Floats]) -> list[tuple[Floats, Floats]]:
        return list(zip(blocks, self.maps, strict=True))


def _unit(matrix: NDArray[np.floating[Any]]) -> Floats:
    """Rows of length one; zero rows stay."""
    length = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(matrix / np.where(length > 1e-12, length, 1.0), dtype=np.float32)
