"""By what two results know that they come from the same rows, so that they can be subtracted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray


@dataclass(frozen=True)
class Fingerprint:
    """What the rows of a log add up to per cluster, in the order that influence values have.

    Attributes:
        labels: The clusters; None where every row is on its own.
        sums: Name -> float64 (clusters,): rewards, propensities and, in memory, items.
    """

    labels: pl.Series | None
    sums: Mapping[str, NDArray[np.float64]]

    def same(self, other: Fingerprint) -> bool:
        """Whether both are of the same rows, in the same order where there are no clusters."""
        mine, others = self.labels, other.labels
        if mine is None or others is None:
            if mine is not others:
                return False
        elif not mine.cast(pl.String).equals(others.cast(pl.String)):
            return False
        return all(
            len(self.sums[name]) == len(other.sums[name])
            and np.allclose(self.sums[name], other.sums[name], rtol=1e-6, atol=1e-9)
            for name in self.sums.keys() & other.sums.keys()
        )
