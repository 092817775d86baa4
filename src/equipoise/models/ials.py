"""Implicit matrix factorisation by alternating least squares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from scipy import sparse
from threadpoolctl import threadpool_limits

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.language.vectors import Vectors
from equipoise.models.histories import Histories, Ints
from equipoise.models.ranking import lowered, products
from equipoise.models.recommender import Fitted, Recommender, Saved, Scores
from equipoise.models.training import Training
from equipoise.progress import track

_NUMBERS = 2**21  # float32 numbers gathered at once per thread: 8 MB, about what a cache holds


class IALS(Recommender):
    """Implicit ALS (Hu, Koren & Volinsky 2008) in the form of Rendle et al. 2022, "Revisiting iALS".

    Minimises, over user factors p and item factors q, the sum over events of weight (1 - p.q)^2, plus
    unobserved_weight times the sum over all pairs of (p.q)^2, plus the penalty. Defaults are those of the paper
    for ML-20M; a smaller log may want a larger unobserved_weight.
    """

    name: ClassVar[str] = "ials"

    factors: PositiveInt = 64
    """Length of the vectors of users and items."""

    iterations: PositiveInt = 16
    """Rounds of solving for all users, then all items."""

    unobserved_weight: PositiveFloat = 0.1
    """Weight of every pair, against 1 for an event."""

    reg: PositiveFloat = 0.003
    """Ridge penalty on all factors, before its scaling by frequency."""

    exponent: NonNegativeFloat = 1.0
    """The penalty of a row is reg * (its events + unobserved_weight * rows of the other side) ^ exponent."""

    deviation: PositiveFloat = 0.1
    """Standard deviation of a new item vector's length; each factor starts with deviation / sqrt(factors)."""

    @classmethod
    def fitted(cls) -> type[FittedIALS]:
        """The class of what `fit` returns."""
        return FittedIALS

    def fit(
        self,
        data: Dataset,
        *,
        valid: Dataset | None = None,
        vectors: Vectors | None = None,
        training: Training | None = None,
        runtime: Runtime | None = None,
    ) -> FittedIALS:
        """Alternate; event weights multiply the first sum."""
        options = runtime or Runtime()
        catalogue, histories = self.begin(data, training)
        by_user = histories.matrix(len(catalogue.items))
        by_item = by_user.T.tocsr()
        start = options.rng("ials").standard_normal((len(catalogue.items), self.factors), dtype=np.float32)
        items = start * np.float32(self.deviation / np.sqrt(self.factors))
        for _ in track(range(self.iterations), "alternating least squares", show=options.progress):
            users = self.solve(by_user, items, options.cores)
            items = self.solve(by_item, users, options.cores)
        active = np.diff(by_user.indptr) > 0
        average = self.solve(by_user, items, options.cores)[active].mean(axis=0)
        return FittedIALS(config=self, catalogue=catalogue, histories=histories, items=items, average=average)

    def solve(self, events: sparse.csr_matrix, others: Scores, threads: int = 1) -> Scores:
        """The best factors of each row, given those of the columns.

        Args:
            events: Rows x columns, float32: weight of each pair with an event.
            others: Factors of the columns, float32 of shape (columns, factors).
            threads: Threads that solve rows side by side.

        Returns:
            float32 of shape (rows, factors); zeros for a row without events. A row's factors depend on no
            other row.
        """
        common = (others.T @ others) * np.float32(self.unobserved_weight)
        solved = np.zeros((events.shape[0], self.factors), dtype=np.float32)

        def batch(rows: Ints, length: int) -> None:
            factors, weights = _gathered(events, others, rows, length)
            frequency = weights.sum(axis=1, dtype=np.float64) + self.unobserved_weight * len(others)
            penalty = (self.reg * frequency**self.exponent).astype(np.float32)
            left = np.matmul((factors * weights[:, :, None]).transpose(0, 2, 1), factors) + common
            left[:, np.arange(self.factors), np.arange(self.factors)] += penalty[:, None]
            right = np.matmul(weights[:, None, :], factors).transpose(0, 2, 1)
            solved[rows] = np.linalg.solve(left, right)[:, :, 0]

        # Each product is small: threads take rows, and BLAS keeps to one.
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(batch, *part) for part in _batches(events, self.factors)]:
                done.result()
        return solved


def _batches(events: sparse.csr_matrix, factors: int) -> Iterator[tuple[Ints, int]]:
    """Rows of about the same length, and the length they are padded to, which depends on the row alone."""
    sizes = np.diff(events.indptr)
    step = 2.0 ** np.floor(np.log2(np.maximum(sizes, 8)) - 2)
    padded = (np.ceil(sizes / step) * step).astype(np.int64)
    for length in np.unique(padded[sizes > 0])[::-1]:
        rows = np.flatnonzero(padded == length)
        at_once = max(1, _NUMBERS // (int(length) * factors + factors**2))
        for start in range(0, len(rows), at_once):
            yield rows[start : start + at_once], int(length)


def _gathered(events: sparse.csr_matrix, others: Scores, rows: Ints, length: int) -> tuple[Scores, Scores]:
    """Factors (rows, length, factors) and weights (rows, length) of the rows' columns, padded with 0."""
    place = events.indptr[rows].astype(np.int64)[:, None] + np.arange(length)
    there = place < events.indptr[rows + 1][:, None]
    place[~there] = 0
    return others[events.indices[place]], events.data[place] * there


@dataclass(frozen=True, kw_only=True)
class FittedIALS(Fitted):
    """Item factors; users are folded in from their histories, known or new alike.

    Attributes:
        items: Item factors, float32 of shape (items, factors).
        average: Mean factors of the users of training, float32: stands for a user without a history.
    """

    config: IALS
    items: Scores
    average: Scores

    def score(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """Fold in, then multiply."""
        folded = self.user_vectors(users, histories)
        return lowered(products(folded, self.items), self.catalogue.item_counts == 0)

    def user_vectors(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """Factors solved from the histories."""
        events = histories.matrix(len(self.items))
        folded = self.config.solve(events, self.items)
        folded[np.diff(events.indptr) == 0] = self.average
        return folded

    def item_vectors(self) -> Scores:
        """The item factors."""
        return self.items

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Factors of items and of the average user."""
        return {"items": self.items, "average": self.average}

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """The inverse of `arrays`."""
        return cls(items=saved.arrays["items"], average=saved.arrays["average"], **saved.shared)
