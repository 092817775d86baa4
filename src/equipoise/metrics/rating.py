"""Errors of predicted values: RMSE, MSE, MAE, with what each user contributes kept apart for intervals over
users.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np

from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.metrics import frames
from equipoise.metrics.definitions import DEFINITIONS, Definition
from equipoise.metrics.ranking import Floats
from equipoise.metrics.weighted import check_weights


@dataclass(frozen=True)
class RatingMetric:
    """An error of predicted values.

    The overall value pools pairs: it is `finish` of the sum of errors over the number of pairs, which
    `equipoise.statistics.bootstrap_ratio` gives an interval over users, from the columns of `rating_errors`.

    Attributes:
        definition: Formula, range, unit, direction.
        column: Column of `rating_errors` that is summed.
        finish: From a mean error to the metric; rising, so that interval ends may be passed through it.
    """

    definition: Definition
    column: str
    finish: Callable[[Floats], Floats]

    @property
    def name(self) -> str:
        """As in "rmse"."""
        return self.definition.name

    def __call__(self, recommendations: Any, truth: Any) -> Any:
        """The error of each user's own pairs: a frame of `user_id`, `value`.

        The mean of this column weighs users alike; `pooled` weighs pairs alike, which is what RMSE commonly
        means.
        """
        errors = nw.from_native(rating_errors(recommendations, truth), eager_only=True)
        own = self.finish(frames.numbers(errors, self.column) / frames.numbers(errors, "pairs"))
        series = nw.new_series("value", own, nw.Float64, backend=errors.implementation)
        return errors.select(v.USER).with_columns(series).to_native()

    def pooled(self, recommendations: Any, truth: Any) -> float:
        """The error over all pairs."""
        errors = nw.from_native(rating_errors(recommendations, truth), eager_only=True)
        sums = frames.numbers(errors, self.column).sum() / frames.numbers(errors, "pairs").sum()
        return float(self.finish(np.asarray(sums)))


rmse = RatingMetric(DEFINITIONS["rmse"], "squared", np.sqrt)
"""Root mean squared error, `√(mean (score − value)²)`, in the value's unit, from 0; low is better."""
mse = RatingMetric(DEFINITIONS["mse"], "squared", np.asarray)
"""Mean squared error, `mean (score − value)²`, in the value's unit squared, from 0; low is better."""
mae = RatingMetric(DEFINITIONS["mae"], "absolute", np.asarray)
"""Mean absolute error, `mean |score − value|`, in the value's unit, from 0; low is better."""


_WEIGHT = "_weight"


def rating_errors(predictions: Any, truth: Any, *, weight: str | None = None) -> Any:
    """What each user contributes to the errors of prediction.

    Pairs of the truth without a prediction are left out. With weights 1 / propensity the pooled error is the
    self-normalised estimate of the error over all pairs (Schnabel et al. 2016, section 3.2).

    Args:
        predictions: Frame of `user_id`, `item_id`, `score` (in the unit of the value).
        truth: Frame of `user_id`, `item_id`, `value`; pairs without a value are left out.
        weight: Column of the truth with weights above 0; None for equal ones.

    Returns:
        Frame of `user_id`, `pairs`, `squared`, `absolute` (sums over the user's pairs), sorted by user. With
        weights, `pairs` is the sum of the weights and the others are weighted sums.

    Raises:
        DataError: if a pair stands twice in one table, a score is not finite, a weight is not above 0 and
            finite, or no pair is in both tables.
    """
    guess = frames.read(predictions, (v.USER, v.ITEM, v.SCORE), "predictions").select(v.USER, v.ITEM, v.SCORE)
    told = frames.read(truth, (v.USER, v.ITEM, v.VALUE, *([weight] if weight else [])), "truth")
    if weight:
        check_weights(told, weight)
    weighed = nw.col(weight).cast(nw.Float64) if weight else nw.lit(1.0)
    known = told.select(v.USER, v.ITEM, v.VALUE, weighed.alias(_WEIGHT))
    guess, known = frames.together(guess, known.filter(~nw.col(v.VALUE).is_null()))
    for frame, words in ((guess, "predictions"), (known, "truth")):
        twice = frame.group_by(v.USER, v.ITEM).agg(nw.len().alias("_n")).filter(nw.col("_n") > 1)
        pairs = int(frames.collect(twice.select(nw.len())).item())
        if pairs:
            raise DataError(
                f"The {words} hold the same user and item twice",
                where=f"{pairs} pairs",
                todo="Keep one row each.",
            )
    error = nw.col(v.SCORE).cast(nw.Float64) - nw.col(v.VALUE).cast(nw.Float64)
    table = frames.collect(
        known.join(guess, on=[v.USER, v.ITEM], how="inner")
        .with_columns(error.alias("_error"))
        .with_columns(
            squared=nw.col("_error") * nw.col("_error") * nw.col(_WEIGHT),
            absolute=nw.col("_error").abs() * nw.col(_WEIGHT),
        )
        .group_by(v.USER)
        .agg(
            (nw.col(_WEIGHT).sum() if weight else nw.col("_error").len()).alias("pairs"),
            nw.col("squared").sum(),
            nw.col("absolute").sum(),
        )
    ).sort(v.USER)
    if not len(table):
        raise DataError(
            "No pair of user and item stands in both the predictions and the truth", where="0 pairs"
        )
    if not np.isfinite(frames.numbers(table, "squared")).all():
        raise DataError(
            "A predicted score or a true value is not a finite number", todo="Look for NaN and infinity."
        )
    return table.to_native()
