"""What is added to the scores of items while a model is trained, and is absent from what it recommends.

This module does not import torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Offset:
    """A known part of the log-odds of items, by period of time.

    With a loss of choice, `P(item | user, period)` is modelled as proportional to
    `exp(score(user, item) + offset(period, item))`: the scores need not explain what the offset says, and they
    alone recommend. A number added to all items of a period changes nothing under the softmax.

    Attributes:
        items: Item ids, unique, shape (m,); the offset of all other items is 0.
        values: Log-odds, float32 of shape (periods, m).
        edges: Times at which the second and each later period begin, rising, shape (periods - 1,); on the clock
            of the histories: seconds since 1970 of `timestamp`, else `order`.
    """

    items: pl.Series
    values: Floats
    edges: NDArray[np.float64]

    def __post_init__(self) -> None:
        shape = (len(self.edges) + 1, len(self.items))
        if self.values.shape != shape or not np.isfinite(self.values).all():
            raise ValueError(f"An offset needs finite values of shape {shape}, not {self.values.shape}")
        if (np.diff(self.edges) <= 0).any() or self.items.n_unique() != len(self.items):
            raise ValueError("Periods of an offset begin one after the other, and each item stands once")

    def periods(self, times: NDArray[np.float64]) -> Ints:
        """Period of each time, from 0; where a time is not known, the last one."""
        return np.searchsorted(self.edges, times, side="right").astype(np.int64)

    def table(self, catalogue: pl.Series) -> Floats:
        """The values in the order of a catalogue's items, shape (periods, items)."""
        known = pl.DataFrame({"id": self.items}).with_row_index("row")
        wanted = pl.DataFrame({"id": catalogue.cast(self.items.dtype, strict=False)})
        found = wanted.join(known, on="id", how="left", maintain_order="left")["row"]
        rows = found.cast(pl.Int64).fill_null(-1).to_numpy()
        return np.where(rows >= 0, self.values[:, rows], np.float32(0))

    def plus(self, other: Offset) -> Offset:
        """Both at once: values add up, and a period ends where one of either ends."""
        edges = np.union1d(self.edges, other.edges)
        items = pl.concat([self.items, other.items.cast(self.items.dtype)]).unique(maintain_order=True)
        starts = np.concatenate([[-np.inf], edges])
        values = [one.table(items)[one.periods(starts)] for one in (self, other)]
        return Offset(items, values[0] + values[1], edges)
