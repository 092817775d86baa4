"""Replay: of a uniform logger's decisions, those that the target would have made."""

from __future__ import annotations

from typing import ClassVar

import narwhals as nw
import numpy as np
import polars as pl

from equipoise.causal.off_policy.columns import PROPENSITY_, TARGET, WEIGHT, Frame
from equipoise.causal.off_policy.estimators import Estimator
from equipoise.causal.off_policy.overlap import CANDIDATES
from equipoise.causal.off_policy.sample import Sample
from equipoise.errors import DataError

_TOLERANCE = 1e-6


class Replay(Estimator):
    """Mean reward of the rows that match the target (Li et al. 2011), under a uniform logger only.

    A row matches when a draw of the target is the logged item: always where the target is deterministic and
    chose it, else with the target's probability of it (drawn with the seed). Its weight is 1 or 0.
    """

    name: ClassVar[str] = "replay"
    normalised: ClassVar[bool] = True
    whole: ClassVar[bool] = True

    def prepare(self, sample: Sample) -> Frame:
        """Rows with their matches, scaled to mean 1 as weights.

        Raises:
            DataError: if the logger did not choose uniformly.
        """
        rows = sample.polars
        p = rows[PROPENSITY_].to_numpy()
        if CANDIDATES in rows.columns and isinstance(rows.schema[CANDIDATES], pl.List):
            sizes = rows[CANDIDATES].list.len().cast(pl.Float64).fill_null(float("nan")).to_numpy()
            with np.errstate(divide="ignore"):
                expected = 1.0 / sizes
        else:
            expected = np.full(len(rows), p[0])
        off = ~(np.abs(p - expected) <= _TOLERANCE)  # also where the candidates are not known
        if off.any():
            raise DataError(
                "Replay needs a uniform logger, and the propensities differ or the candidates are not known",
                where=f"{int(off.sum())} of {len(rows)} rows, the first at row {int(np.flatnonzero(off)[0])}",
                todo="Use snips or dr, which weigh each row by its propensity.",
            )
        drawn = np.random.default_rng([sample.seed, 9]).random(len(rows)) < rows[TARGET].to_numpy()
        weights = drawn / p  # the mean is 1 where the support is full, as that of any other weights
        return nw.from_native(rows.with_columns(pl.Series(WEIGHT, weights)), eager_only=True)
