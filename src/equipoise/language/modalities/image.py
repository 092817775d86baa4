"""Images become vectors by what can be computed of any picture: its colours, and where its edges point."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from equipoise.component import Runtime
from equipoise.data import vocabulary as v
from equipoise.language.encoders import Encoder
from equipoise.language.modalities.reading import read_images
from equipoise.language.vectors import Floats, Vectors

_LEVELS = 4  # of each of red, green and blue
_ANGLES = 8  # of edges, from 0 to 180 degrees


class Image(Encoder):
    """Colour histogram and histograms of oriented gradients; learned from nothing, so that it is there everywhere.

    The first are the shares of soft bins of red, green and blue (Swain and Ballard 1991, with linear interpolation),
    the second the directions of edges in each cell of a grid (Dalal and Triggs 2005, without overlapping blocks); the
    square root of each is taken, and each has length one. The model `joint` trains a network of its own instead.
    """

    name = "image"
    reads = frozenset({"images"})

    size: int = Field(32, ge=8, le=512)
    """Pixels per side that images are scaled to."""
    cells: int = Field(4, ge=1, le=16)
    """Cells per side of the grid in which edges are counted."""

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
        """Vectors of the items whose image can be read; the others are absent, and counted in the account.

        Raises:
            DataError: if there is no image, or none can be read.
            MissingExtraError: if Pillow is not installed.
        """
        found = read_images(items, images, self.size)
        matrix = self.described(found.pixels[found.present])
        ids = items[v.ITEM].filter(pl.Series(found.present, dtype=pl.Boolean))
        return Vectors(ids, matrix, account=(found.account,))

    def described(self, pixels: NDArray[np.uint8]) -> Floats:
        """Vectors of images.

        Args:
            pixels: Shape (n, size, size, 3).

        Returns:
            float32 of shape (n, 64 + 8 x cells x cells).
        """
        levels = (pixels / np.float32(255)).astype(np.float32)
        both = [_rooted(_colours(levels)), _rooted(_edges(levels.mean(axis=-1), self.cells))]
        return np.concatenate(both, axis=1).astype(np.float32)


def _colours(levels: Floats) -> Floats:
    """Shares of colours, shape (n, 64); a level between two bins counts in both."""
    place = levels.reshape(len(levels), -1, 3) * (_LEVELS - 1)
    lower = np.minimum(place.astype(np.int64), _LEVELS - 2)
    upper = place - lower
    found = np.zeros((len(levels), _LEVELS**3), dtype=np.float32)
    rows = np.repeat(np.arange(len(levels)), place.shape[1])
    for corner in range(8):
        step = np.array([corner >> 2 & 1, corner >> 1 & 1, corner & 1])
        share = np.where(step, upper, 1 - upper).prod(axis=-1)
        bins = (lower + step) @ np.array([_LEVELS**2, _LEVELS, 1])
        counts = np.bincount(rows * _LEVELS**3 + bins.ravel(), share.ravel(), found.size)
        found += counts.reshape(found.shape).astype(np.float32)
    return found


def _edges(grey: Floats, cells: int) -> Floats:
    """Strength of edges by direction in each cell, shape (n, cells x cells x 8)."""
    down, right = np.gradient(grey, axis=(1, 2))
    strength = np.hypot(down, right)
    angle = np.arctan2(down, right) % np.pi / np.pi * _ANGLES
    lower = angle.astype(np.int64) % _ANGLES
    part = angle - np.floor(angle)
    n, size, _ = grey.shape
    cell = np.arange(size) * cells // size
    place = (np.arange(n)[:, None, None] * cells + cell[:, None]) * cells + cell
    found = np.zeros(n * cells * cells * _ANGLES)
    for bins, share in ((lower, 1 - part), ((lower + 1) % _ANGLES, part)):
        found += np.bincount((place * _ANGLES + bins).ravel(), (strength * share).ravel(), len(found))
    return found.reshape(n, -1).astype(np.float32)


def _rooted(histograms: Floats) -> Floats:
    """Square roots of shares: vectors of length one, zeros for a picture without an edge."""
    total = histograms.sum(axis=1, keepdims=True)
    return np.sqrt(histograms / np.where(total > 0, total, 1.0))
