"""What each modality contributes: vectors of its own, on one scale, and which items have none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.language.vectors import Floats, TextEncoder, Vectors

Present = NDArray[np.bool_]


@dataclass(frozen=True)
class Scale:
    """How vectors of one modality are laid around zero, with a mean squared length of one.

    Attributes:
        middle: The mean of those that are there, shape (width,).
        length: Root of the mean squared distance from it.
    """

    middle: Floats
    length: float

    @classmethod
    def of(cls, matrix: Floats, present: Present) -> Scale:
        """The scale of the vectors that are there."""
        if not present.any():
            return cls(np.zeros(matrix.shape[1], dtype=np.float32), 1.0)
        middle = matrix[present].mean(axis=0, dtype=np.float64)
        length = float(np.sqrt(np.square(matrix[present] - middle).sum(axis=1).mean()))
        return cls(middle.astype(np.float32), length if length > 1e-9 else 1.0)

    def laid(self, matrix: Floats, present: Present) -> Floats:
        """Vectors on this scale; zeros, which is the mean, for those that are not there."""
        return np.where(present[:, None], (matrix - self.middle) / self.length, 0.0).astype(np.float32)


@dataclass(frozen=True)
class Block:
    """One modality of all items.

    Attributes:
        name: The encoder's name.
        matrix: On the modality's scale, float32 of shape (items, width); zeros where there is nothing.
        present: Which items have it, shape (items,).
        scale: Where zero is.
        encoder: What embeds later texts, where the modality is text.
    """

    name: str
    matrix: Floats
    present: Present
    scale: Scale
    encoder: TextEncoder | None

    @classmethod
    def of(cls, name: str, vectors: Vectors, ids: pl.Series) -> Block:
        """The block of a modality's vectors, in the order of `ids`; a vector of zeros says nothing and is none."""
        matrix, present = vectors.aligned(ids)
        present = present & matrix.any(axis=1)
        scale = Scale.of(matrix, present)
        return cls(name, scale.laid(matrix, present), present, scale, vectors.encoder)


def presence(blocks: Sequence[Block]) -> Present:
    """Which item has which modality, shape (items, modalities)."""
    return np.column_stack([block.present for block in blocks])
