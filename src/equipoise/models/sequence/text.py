"""Text vectors made ready for a network: centred on the catalogue, one length for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.language.vectors import TextEncoder, Vectors

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class TextSpace:
    """Where texts of items and searches lie together.

    Sentence encoders put all texts into a narrow cone; without its centre, directions tell items apart.

    Attributes:
        items: Vectors of the catalogue's items, of length 1; zeros where an item has none. Shape (items,
            width).
        centre: What was taken away, shape (width,).
        encoder: Embeds searches; None where they cannot be embedded.
    """

    items: Floats
    centre: Floats
    encoder: TextEncoder | None

    @classmethod
    def of(cls, vectors: Vectors, items: pl.Series, centre: Floats | None = None) -> TextSpace:
        """The space of a catalogue's vectors.

        Args:
            vectors: Of the texts.
            items: The catalogue's ids.
            centre: The one that a model was trained with: were it taken again, one item's new text would move all
                others. None: the mean of the texts.
        """
        matrix, _ = vectors.aligned(items)
        spoken = np.abs(matrix).sum(axis=1) > 0
        if centre is None:
            centre = (
                matrix[spoken].mean(axis=0) if spoken.any() else np.zeros(vectors.width, dtype=np.float32)
            )
        return cls(_directions(matrix, centre), centre, vectors.encoder)

    def queries(self, texts: tuple[str, ...]) -> Floats | None:
        """Vectors of searches, shape (texts, width); None where there is no encoder."""
        if self.encoder is None:
            return None
        if not texts:
            return np.zeros((0, len(self.centre)), dtype=np.float32)
        return self.placed(self.encoder.encode(list(texts)))

    def placed(self, vectors: Floats) -> Floats:
        """Further vectors of the encoder in this space: without the centre, of length 1; zeros stay."""
        return _directions(vectors, self.centre)


def _directions(matrix: Floats, centre: Floats) -> Floats:
    """Rows without the centre and of length 1; a row of zeros, a text without words, stays so."""
    spoken = np.abs(matrix).sum(axis=1, keepdims=True) > 0
    moved = np.where(spoken, matrix - centre, 0.0)
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    return (moved / np.where(length > 0, length, 1.0)).astype(np.float32)
