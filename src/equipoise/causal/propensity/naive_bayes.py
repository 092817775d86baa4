"""Propensities from the rating itself, where a few ratings of random items are known."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat

from equipoise.causal.propensity.base import FittedPropensity, PropensityModel, cells, need
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive
from equipoise.errors import DataError


class NaiveBayes(PropensityModel):
    """P(rated | rating) = P(rating | rated) P(rated) / P(rating) (Schnabel et al. 2016, section 5.1).

    The ratings that a log holds are compared with how ratings are spread over all pairs of user and item,
    known from ratings of random items. It takes the rating for the only reason to rate. Inverse propensities sum to the
    number of cells whatever the marginal is, so that their mean weight, which checks other propensities, is not given.
    """

    name: ClassVar[str] = "naive_bayes"

    marginal: dict[float, PositiveFloat] = Field(min_length=1)
    """Rating -> share among ratings of random items; shares (or counts) are divided by their sum."""

    def check(self, events: pl.DataFrame) -> None:
        """Look at the ratings.

        Raises:
            DataError: if there are no values, or one that the marginal ratings do not have.
        """
        need(events, (v.USER, v.ITEM, v.VALUE), model=self.name)
        ratings = _rated(events)[v.VALUE].cast(pl.Float64).unique().to_numpy()
        known = np.array(sorted(self.marginal))
        strange = np.setdiff1d(ratings, known)
        if not len(ratings) or len(strange):
            raise DataError(
                "Every rating needs a share among random ratings" if len(strange) else "There are no ratings",
                where=f"without one: {_listed(strange[:5])}; known: {_listed(known)}",
                todo="Give a share for every rating under `marginal`.",
            )

    def fit(self, events: Any, users: Any = None, items: Any = None, *, seed: int = 0) -> FittedPropensity:
        """Compare the ratings of a log with the marginal ones.

        Propensities above 1, which the formula may give where a share is small, become 1.

        Raises:
            DataError: if there are no values, or one that the marginal ratings do not have.
        """
        table = to_polars(events)
        self.check(table)
        rows = _rated(table.with_row_index("_row"))
        ratings, known = rows[v.VALUE].cast(pl.Float64).to_numpy(), np.array(sorted(self.marginal))
        pairs = cells(table, users, items)
        place = np.searchsorted(known, ratings)
        share = np.array([self.marginal[float(one)] for one in known])
        share /= share.sum()
        raw = np.bincount(place, minlength=len(known)) / (pairs * share)
        values = np.full(len(table), np.nan)
        values[rows["_row"].to_numpy()] = np.minimum(raw, 1.0)[place]
        return FittedPropensity(self, values, expected_weight=pairs / len(ratings))


def _rated(events: pl.DataFrame) -> pl.DataFrame:
    """The events of taste with a value."""
    return events.filter(pl.col(v.VALUE).is_not_null() & positive(events))


def _listed(ratings: NDArray[np.float64]) -> str:
    return ", ".join(f"{rating:g}" for rating in ratings) or "none"
