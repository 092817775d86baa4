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

    Groups are the combinations of classes that occur, "not known" being a class of each attribute. Users of whom
    no attribute is known, and strangers, go through the map that needs no label. With `covariances` that map is
    fitted to users who train through other maps, so that it does not protect who trains through it.

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
        return self.labels.cell_of(users)

    def fit(
        self, vectors: NDArray[np.float32], groups: Ints
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `models.training.Filter.fit`."""
        codes = self.labels.cells[: int(groups.max()) + 1]
        current = vectors.astype(np.float64)
        if self.moments == "means":
            maps = [self._everywhere(current, codes[groups])] * len(codes)
        else:
            told = groups > 0
            maps = [Affine.unchanged(vectors.shape[1]) for _ in codes]
            maps[0] = self._everywhere(current[told], codes[groups[told]])
            for _ in range(_SWEEPS if codes.shape[1] > 1 else 1):
                for attribute in range(codes.shape[1]):
                    steps = self._by_class(current, codes[groups, attribute])
                    for cell, code in enumerate(codes[1:, attribute], start=1):
                        maps[cell] = maps[cell].then(steps[code])
                        current[groups == cell] = steps[code](current[groups == cell])
        matrices, offsets = (np.stack([getattr(one, part) for one in maps]) for part in ("matrix", "offset"))
        return matrices.astype(np.float32), offsets.astype(np.float32)

    def fit_strangers(
        self, vectors: NDArray[np.float32], groups: Ints
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `models.training.Filter.fit_strangers`."""
        everyone = self._everywhere(vectors.astype(np.float64), self.labels.cells[groups])
        return everyone.matrix.astype(np.float32), everyone.offset.astype(np.float32)

    def _everywhere(self, vectors: NDArray[np.float64], codes: Ints) -> Affine:
        """One map for all users, whatever is known of them."""
        told = np.zeros((len(codes), 0))
        for column, names in zip(codes.T, self.labels.classes.values(), strict=True):
            known = column >= 0
            classes = np.eye(len(names))[column] * known[:, None]
            shares = classes.sum(axis=0) / max(1, int(known.sum()))
            told = np.column_stack([told, classes - shares * known[:, None]])
        return least_squares_erasure(vectors, told)

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
