"""A filter of representations after which attributes cannot be read from means, or from means and covariances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.debias.during.erasure import Affine, barycentre_maps, distance, least_squares_erasure
from equipoise.debias.during.labels import Labels

Ints = NDArray[np.int64]
Moments = Literal["means", "covariances"]

_SWEEPS = 5  # over several attributes, each of whose maps moves what the others made equal


@dataclass(frozen=True)
class Eraser:
    """A `models.training.Filter` in closed form.

    Groups are the cells of the cross-classification of all attributes, "not known" being a class of each.
    Users of whom an attribute is not known, and strangers, go through the map that needs no label.

    Attributes:
        labels: Who has which classes.
        moments: What is made equal among the classes of each attribute.
        left: Distance of the means of classes that stays, in standard deviations within classes; of `covariances`
            alone, since what `means` takes out is a whole direction.
    """

    labels: Labels
    moments: Moments
    left: float = 0.0

    def groups(self, users: pl.Series) -> Ints:
        """Cell of each user; 0 where no attribute is known."""
        return np.asarray((self.labels.rows(users) + 1) @ self._places, dtype=np.int64)

    def fit(
        self, vectors: NDArray[np.float32], groups: Ints
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `models.training.Filter.fit`."""
        cells = np.arange(int(groups.max()) + 1)
        codes = cells[:, None] // self._places % self._sizes - 1
        maps = [Affine.unchanged(vectors.shape[1]) for _ in cells]
        current = vectors.astype(np.float64)
        if self.moments == "means":
            maps = [self._everywhere(current, codes[groups])] * len(cells)
        else:
            for _ in range(_SWEEPS if codes.shape[1] > 1 else 1):
                for attribute in range(codes.shape[1]):
                    steps = self._by_class(current, codes[groups, attribute])
                    for cell, code in enumerate(codes[:, attribute]):
                        maps[cell] = maps[cell].then(steps[code])
                        current[groups == cell] = steps[code](current[groups == cell])
        matrices, offsets = (np.stack([getattr(one, part) for one in maps]) for part in ("matrix", "offset"))
        return matrices.astype(np.float32), offsets.astype(np.float32)

    @property
    def _sizes(self) -> Ints:
        return np.array([len(names) + 1 for names in self.labels.classes.values()])

    @property
    def _places(self) -> Ints:
        return np.concatenate([[1], np.cumprod(self._sizes)[:-1]])

    def _everywhere(self, vectors: NDArray[np.float64], codes: Ints) -> Affine:
        """One map for all users, whatever is known of them."""
        told = [
            np.where(
                column[:, None] >= 0,
                np.eye(classes)[column] - np.eye(classes)[column[column >= 0]].mean(axis=0),
                0.0,
            )
            for column, classes in zip(codes.T, self._sizes - 1, strict=True)
        ]
        return least_squares_erasure(vectors, np.concatenate(told, axis=1))

    def _by_class(self, vectors: NDArray[np.float64], codes: Ints) -> list[Affine]:
        """The map of each class, and last, where -1 finds it, that of whoever has none."""
        known = codes >= 0
        everyone = least_squares_erasure(vectors[known], np.eye(codes.max() + 1)[codes[known]])
        share = self._share(vectors[known], codes[known])
        return [*(one.partly(share) for one in barycentre_maps(vectors[known], codes[known])), everyone]

    def _share(self, vectors: NDArray[np.float64], codes: Ints) -> float:
        """How far to go so that the means of classes stay `left` apart."""
        if not self.left:
            return 1.0
        apart = distance(vectors, codes)
        return max(0.0, 1 - self.left / apart) if apart else 0.0
