"""Users in batches, and what each took as a row of a table. This module does not import torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from equipoise.models.histories import Histories
from equipoise.models.offset import Offset

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


def rows(counts: sparse.csr_matrix, hidden: float = 0.0, rng: np.random.Generator | None = None) -> Floats:
    """Profiles as an encoder reads them: square roots of counts, each row of length 1, or empty.

    Args:
        counts: Users x items, not negative.
        hidden: Share of the entries that are set to 0, the rest being raised to the same expectation.
        rng: Draws what is hidden; None where nothing is.

    Returns:
        float32 of shape (users, items).
    """
    roots = counts.sqrt()
    length = np.sqrt(np.asarray(counts.sum(axis=1), dtype=np.float64).ravel())
    values = roots.data / np.repeat(np.maximum(length, 1e-12), np.diff(roots.indptr))
    if rng is not None and hidden:
        values *= (rng.random(len(values)) >= hidden) / (1 - hidden)
    table = np.zeros(counts.shape, dtype=np.float32)
    table[np.repeat(np.arange(len(table)), np.diff(roots.indptr)), roots.indices] = values
    return table


@dataclass(frozen=True)
class Batch:
    """Some users with all that each took, one example per event.

    Attributes:
        users: Catalogue rows, shape (n,).
        owners: Place within `users` of each example, shape (examples,).
        targets: Item that was taken, shape (examples,).
        weights: Shape (examples,).
        periods: Period of the offset, shape (examples,).
    """

    users: Ints
    owners: Ints
    targets: Ints
    weights: Floats
    periods: Ints


@dataclass(frozen=True)
class Profiles:
    """What users took: one example per event of a known item with a weight above 0.

    Attributes:
        counts: Users x items, summed weights.
        starts: Row `u` owns the examples `starts[u]:starts[u + 1]`.
        targets: Item per example.
        weights: Weight per example.
        periods: Period of the offset per example.
    """

    counts: sparse.csr_matrix
    starts: Ints
    targets: Ints
    weights: Floats
    periods: Ints

    @classmethod
    def of(cls, histories: Histories, n_items: int, offset: Offset | None = None) -> Self:
        """Of histories, one row each."""
        kept = (histories.items >= 0) & (histories.weights > 0)
        sizes = np.bincount(histories.owners[kept], minlength=len(histories))
        times = histories.times[kept]
        periods = np.zeros(len(times), dtype=np.int64) if offset is None else offset.periods(times)
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return cls(histories.matrix(n_items), starts, histories.items[kept], histories.weights[kept], periods)

    @cached_property
    def events(self) -> sparse.csr_matrix:
        """Users x items, float32: how often each was taken, whatever its weight."""
        ones = np.ones(len(self.targets), dtype=np.float32)
        table = sparse.csr_matrix((ones, self.targets, self.starts), shape=self.counts.shape, copy=True)
        table.sum_duplicates()
        return table

    @property
    def active(self) -> Ints:
        """Rows with an example."""
        return np.flatnonzero(np.diff(self.starts) > 0)

    def batches(self, size: int, rng: np.random.Generator) -> list[Batch]:
        """All active rows in a random order, `size` at a time."""
        order = rng.permutation(self.active)
        return [self._batch(order[first : first + size]) for first in range(0, len(order), size)]

    def _batch(self, users: Ints) -> Batch:
        sizes = np.diff(self.starts)[users]
        before = np.cumsum(sizes) - sizes
        which = np.repeat(self.starts[users] - before, sizes) + np.arange(sizes.sum())
        owners = np.repeat(np.arange(len(users)), sizes)
        return Batch(users, owners, self.targets[which], self.weights[which], self.periods[which])
