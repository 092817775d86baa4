"""Weights on clicks by how likely their place in the slate is looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl

from equipoise.causal.propensity import Diagnostics, FittedPosition, FittedPropensity
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.correction import Bias, Context
from equipoise.debias.during.inverse_propensity import Clipped
from equipoise.models.recommender import Recommender

_MODELS = {"regression_em": "position", "dual": "dual_learning"}
_SETTLED = 0.9


class Position(Clipped):
    """A click on a place counts 1 / examination of that place (Joachims, Swaminathan and Schnabel 2017, "Unbiased
    learning-to-rank with biased feedback", section 4), examination estimated from the log itself.

    Only clicks on slates are weighed. All other events (purchases, views, what was taken without being shown) keep
    weight 1: it is the click for which the place has to be looked at.

    What is corrected is the place, not exposure: weighted clicks are those of a log in which every place of a slate
    is looked at alike, and in it an item still collects clicks as often as it is shown at all. A logger that shows
    what is popular, or what it takes for relevant, is still copied in that; 'popularity_adjust' beside this
    correction takes out popularity, and the propensities of a logger ('ips') take out both. Where a logger wrote
    down the probability of an item *at its place given the items above* (as worlds do, and any policy that fills
    slates from the top), 1 / propensity already spreads each item over all places alike, good ones and bad ones:
    multiplying by 1 / examination then corrects nothing more and makes weights noisier, so that the report warns
    of both at once. Beside propensities of *being anywhere in the slate* both are needed, and beside propensities
    that already hold examination (shown and looked at) this one is too much.
    """

    name: ClassVar[str] = "position"
    against: ClassVar[tuple[Bias, ...]] = ("position",)
    estimand: ClassVar[str] = "all_places_alike"

    method: Literal["regression_em", "dual"] = "regression_em"
    """How examination is estimated: by the propensity model `position`, which is the more exact at places with few
    clicks, or by `dual_learning`, which is several times as fast and needs whole slates (`slate_id`). `options` are
    fields of that model."""
    propensity: Literal["auto"] = "auto"
    """Follows from `method`."""

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """It needs slates with places, of which it is known what was clicked."""
        events = data.events
        needed = [v.EVENT, v.POSITION, v.REWARD, *([v.SLATE] if self.method == "dual" else [])]
        if missing := [column for column in needed if column not in events.columns]:
            hint = ' (method "regression_em" can do without)' if missing == [v.SLATE] else ""
            return f"it needs slates, and the log has no column '{missing[0]}'{hint}."
        there = pl.col(v.POSITION).is_not_null()
        shown, clicked = events.select(
            (there & (pl.col(v.EVENT) == v.IMPRESSION)).any().alias("shown"),
            (there & (pl.col(v.EVENT) == v.CLICK)).any().alias("clicked"),
        ).row(0)
        if not shown or not clicked:
            return f"the log has no {'clicks' if shown else 'impressions'} with a place in a slate."
        return super().obstacle(data, recommender)

    def chosen(self, data: Dataset) -> str:
        """The name of the propensity model."""
        return _MODELS[self.method]

    def fitted(self, data: Dataset, seed: int) -> FittedPropensity:
        """Examination as propensities of the clicks of `data.events`; NaN for all other rows."""
        fitted = super().fitted(data, seed)
        clicks = data.events.select((pl.col(v.EVENT) == v.CLICK).fill_null(False)).to_series().to_numpy()
        return replace(fitted, values=np.where(clicks, fitted.values, np.nan))

    def tell(
        self,
        data: Dataset,
        context: Context,
        fitted: FittedPropensity,
        diagnostics: Diagnostics,
        **values: Any,
    ) -> None:
        """Report also examination by place, and how surely it can be told from relevance."""
        assert isinstance(fitted, FittedPosition)
        warnings = [*values.pop("warnings", ())]
        if not fitted.converged:
            warnings.append(f"Examination had not come to rest after {fitted.iterations} steps.")
        if fitted.settled > _SETTLED:
            warnings.append(
                f"What relevance depends on explains {fitted.settled:.0%} of the places: examination is told from "
                "relevance by the form of the model alone."
            )
        if (fitted.examination > 1).any():
            warnings.append("Some place is looked at more than place 1, and counts as much as that.")
        super().tell(
            data,
            context,
            fitted,
            diagnostics,
            warnings=warnings,
            examination=[float(value) for value in fitted.examination],
            settled=fitted.settled,
            **values,
        )
