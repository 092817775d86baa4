"""Quantities become vectors in which models that only add and multiply can find a taste for the middle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from equipoise.component import Runtime
from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.language.encoders import Encoder
from equipoise.language.vectors import Floats, Vectors


class Numeric(Encoder):
    """Piecewise linear encoding between quantiles (Gorishniy, Rubachev and Babenko 2022, section 3.2).

    A value is 1 in every bin that it has passed, 0 in those that it has not come to, and a share in its own. Bins
    hold equally many values, so that a heavy tail or another unit of measure changes little. A further number of each
    column says whether the value is known, 1 or 0.
    """

    name = "numeric"
    reads = frozenset({"numeric"})

    bins: int = Field(6, ge=1, le=64)
    """Bins per column; fewer where values repeat."""

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
        """Vectors of the items with at least one finite number; the others are absent, and counted in the account.

        Raises:
            DataError: if no column tells items apart.
        """
        columns = [
            items[name].cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy() for name in numeric
        ]
        blocks = [block for column in columns if (block := self.encoded(column)) is not None]
        if not blocks:
            raise DataError(
                "No numeric column tells items apart",
                where=f"columns: {', '.join(numeric)}",
                todo="Name columns with at least two distinct finite numbers under [data] numeric.",
            )
        there = np.isfinite(np.column_stack(columns))
        present = there.any(axis=1)
        account = {
            "modality": "numeric",
            "items": len(items),
            "with": int(present.sum()),
            "missing": {name: int((~there[:, place]).sum()) for place, name in enumerate(numeric)},
        }
        ids = items[v.ITEM].filter(pl.Series(present, dtype=pl.Boolean))
        return Vectors(ids, np.concatenate(blocks, axis=1)[present], account=(account,))

    def encoded(self, column: NDArray[np.float64]) -> Floats | None:
        """One column, shape (items, bins + 1); the mean stands for what is missing. None where all values are equal."""
        there = np.isfinite(column)
        if not there.any():
            return None
        edges = np.unique(np.quantile(column[there], np.linspace(0, 1, self.bins + 1)))
        if len(edges) < 2:
            return None
        with np.errstate(invalid="ignore"):
            passed = np.clip((column[:, None] - edges[:-1]) / np.diff(edges), 0.0, 1.0)
        passed[~there] = passed[there].mean(axis=0)
        return np.column_stack([passed, there]).astype(np.float32)
