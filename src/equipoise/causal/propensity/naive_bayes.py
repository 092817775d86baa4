"""Propensities from the rating itself, where a few ratings of random items are known."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat

from equipoise.causal.propensity.base import FittedPropensity, PropensityModel, need
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive
from equipoise.errors import DataError


class NaiveBayes(PropensityModel):
    """P(rated | rating) = P(rating | rated) P(rated) / P(rating) (Schnabel et al. 2016, section 5.1).

    The ratings that a log holds are compared with how ratings are spread over all pairs of user and item,
    known from ratings of random items. It takes the rating for the only reason to rate.
    """

    name: ClassVar[str] = "naive_bayes"

    marginal: dict[float, PositiveFloat] = Field(min_length=1)
    """Rating -> share among ratings of random items; shares (or counts) are divided by their sum."""

    def fit(self, events: Any, users: Any = None, items: Any = None, *, seed: int = 0) -> FittedPropensity:
        """Compare the ratings of a log with the marginal ones.

        Propensities above 1, which the formula may give where a share is small, become 1.

        Raises:
            DataError: if there are no values, or one that the marginal ratings do not have.
        """
        table = to_polars(events)
        need(table, (v.USER, v.ITEM, v.VALUE), model=self.name)
        rated = table.select(pl.col(v.VALUE).is_not_null() & positive(table)).to_series().fill_null(False)
        ratings = table.filter(rated)[v.VALUE].cast(pl.Float64).to_numpy()
        known = np.array(sorted(self.marginal))
        strange = np.setdiff1d(ratings, known)
        if not len(ratings) or len(strange):
            raise DataError(
                "Every rating needs a share among random ratings" if len(strange) else "There are no ratings",
                where=f"without one: {_listed(strange[:5])}; known: {_listed(known)}",
                todo="Give a share for every rating under `marginal`.",
            )
        cells = _size(users, table[v.USER]) * _size(items, table[v.ITEM])
        place = np.searchsorted(known, ratings)
        share = np.array([self.marginal[float(one)] for one in known])
        share /= share.sum()
        raw = np.bincount(place, minlength=len(known)) / (cells * share)
        values = np.full(len(table), np.nan)
        values[rated.to_numpy()] = np.minimum(raw, 1.0)[place]
        expected = cells / len(ratings)
        mean = float((1 / values[rated.to_numpy()]).mean())
        return FittedPropensity(self, values, mean_weight=mean / expected, expected_weight=expected)


def _size(table: Any, ids: pl.Series) -> int:
    return ids.n_unique() if table is None else len(to_polars(table))


def _listed(ratings: NDArray[np.float64]) -> str:
    return ", ".join(f"{rating:g}" for rating in ratings) or "none"
