"""Popularity: the same list for everybody, and the baseline of every other model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.language.vectors import Vectors
from equipoise.models.histories import Histories
from equipoise.models.recommender import Fitted, Recommender, Saved, Scores
from equipoise.models.training import Training


class Popular(Recommender):
    """Items by the total weight of their events; equal ones by item id."""

    name: ClassVar[str] = "popular"

    @classmethod
    def fitted(cls) -> type[FittedPopular]:
        """The class of what `fit` returns."""
        return FittedPopular

    def fit(
        self,
        data: Dataset,
        *,
        valid: Dataset | None = None,
        vectors: Vectors | None = None,
        training: Training | None = None,
        runtime: Runtime | None = None,
    ) -> FittedPopular:
        """Count."""
        catalogue, histories = self.begin(data, training)
        known = histories.items >= 0
        totals = np.bincount(histories.items[known], histories.weights[known], minlength=len(catalogue.items))
        return FittedPopular(
            config=self, catalogue=catalogue, histories=histories, totals=totals.astype(np.float32)
        )


@dataclass(frozen=True, kw_only=True)
class FittedPopular(Fitted):
    """Popularity, counted.

    Attributes:
        totals: Weight of the events of each item, float32.
    """

    totals: Scores

    def score(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """The totals, for everybody."""
        return np.tile(self.totals, (len(users), 1))

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """The totals."""
        return {"totals": self.totals}

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """The inverse of `arrays`."""
        return cls(totals=saved.arrays["totals"], **saved.shared)
