"""The one interface of all propensity models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.causal.propensity.diagnostics import Diagnostics
from equipoise.causal.propensity.weights import Weights, weights
from equipoise.component import Component, Registry
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.errors import DataError


class PropensityModel(Component, ABC):
    """Settings of a propensity model, and how to fit it."""

    def check(self, events: pl.DataFrame) -> None:
        """Look whether the columns of a log hold what the model needs, without fitting it.

        Raises:
            DataError: as `fit` does, for what a look at the columns tells.
        """
        need(events, (v.ITEM,), model=self.name)

    @abstractmethod
    def fit(self, events: Any, users: Any = None, items: Any = None, *, seed: int = 0) -> FittedPropensity:
        """Fit to a log.

        Args:
            events: Event table of any engine.
            users: Users with covariates, for models that read them.
            items: Items with covariates, for models that read them.
            seed: Root of random numbers, for models that sample.

        Raises:
            DataError: if a column that the model needs is missing, or nothing in the log was shown.
        """


@dataclass(frozen=True)
class FittedPropensity:
    """Propensities of the rows of a log.

    Attributes:
        model: The settings that were fitted.
        values: In (0, 1], float64, one per row of the events; NaN for rows where nothing was shown.
        calibration_error: Expected calibration error on users not fitted to, where assignments are known.
        mean_weight: Sum of the inverse propensities of the exposures over what it should be, where that is
            known.
        expected_weight: What the inverse propensities of the exposures should average to, where that is known:
            cells of a rating matrix per rating, candidates per place of a slate.
    """

    model: PropensityModel
    values: NDArray[np.float64]
    calibration_error: float | None = None
    mean_weight: float | None = None
    expected_weight: float | None = None

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which rows have a propensity."""
        return ~np.isnan(self.values)

    def weights(
        self, rows: NDArray[np.bool_] | None = None, *, clip: float | None = None, self_normalise: bool = True
    ) -> Weights:
        """Inverse-propensity weights of rows that have a propensity, in their order.

        Args:
            rows: Which rows, shape (rows of the events,); all by default. Those without a propensity are
                left out.
            clip: See `weights`.
            self_normalise: See `weights`.

        Raises:
            DataError: if none of the rows has a propensity.
        """
        wanted = np.ones(len(self.values), dtype=bool) if rows is None else rows
        made = weights(self.values[wanted & self.known], clip=clip, self_normalise=self_normalise)
        diagnostics = replace(
            made.diagnostics,
            mean_weight=self.mean_weight,
            calibration_error=self.calibration_error,
            without=int((wanted & ~self.known).sum()),
        )
        return replace(made, diagnostics=diagnostics)

    @property
    def diagnostics(self) -> Diagnostics:
        """Diagnostics of the propensities of all rows, without clipping."""
        return self.weights().diagnostics


propensities: Registry[PropensityModel] = Registry(
    "propensity model",
    "equipoise.propensities",
    {
        "given": "equipoise.causal.propensity.given:Given",
        "popularity": "equipoise.causal.propensity.popularity:Popularity",
        "position": "equipoise.causal.propensity.position:Position",
        "dual_learning": "equipoise.causal.propensity.dual_learning:DualLearning",
        "logistic": "equipoise.causal.propensity.logistic:Logistic",
        "naive_bayes": "equipoise.causal.propensity.naive_bayes:NaiveBayes",
    },
)


def need(frame: pl.DataFrame, columns: tuple[str, ...], *, model: str, table: str = "events") -> None:
    """Raise a `DataError` that names the columns a model needs and `frame` does not have."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(
            f"The propensity model '{model}' needs the column{'s' * (len(missing) > 1)} {', '.join(missing)}",
            where=f"columns of {table}: {', '.join(frame.columns)}",
            todo="Map the column under [data.columns], or choose another propensity model.",
        )


def cells(events: pl.DataFrame, users: Any, items: Any) -> int:
    """Cells of a matrix of the users and items of the tables, or of the events where there are none."""
    sides = ((v.USER, users), (v.ITEM, items))
    rows, columns = (events[key].n_unique() if one is None else len(to_polars(one)) for key, one in sides)
    return rows * columns


def exposures(events: pl.DataFrame) -> pl.DataFrame:
    """Rows that say an item was seen: the impressions, or every row with an item where a log has none."""
    if v.EVENT in events.columns:
        impressions = events.filter(pl.col(v.EVENT) == v.IMPRESSION)
        if len(impressions):
            return impressions
    return events.filter(pl.col(v.ITEM).is_not_null())
