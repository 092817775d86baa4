"""The unbiased pointwise loss: how relevant each pair is, though what was not taken may never have been shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from equipoise.causal.propensity import FittedPropensity, Weights, propensities, weights
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.correction import Bias, Context
from equipoise.debias.during.inverse_propensity import InversePropensity, tasteful
from equipoise.models.recommender import Recommender
from equipoise.models.training import Training


class RelMF(InversePropensity):
    """Relevance from clicks (Saito, Yaginuma, Nishino, Sakata and Nakata 2020, "Unbiased recommender learning from
    missing-not-at-random implicit feedback", section 4).

    A pair is taken (Y = 1) if it was exposed, with chance θ, and is relevant, with chance γ. Over all pairs,
    `(Y / θ) δ1 + (1 - Y / θ) δ0`, with δ1 and δ0 the logistic losses of a pair that is relevant and of one that is
    not, has the expectation `γ δ1 + (1 - γ) δ0`: what was not taken is not taken for irrelevant. It needs θ of what
    was taken only, and differs from weighted losses of choice in what the others are: all pairs, each once.

    Where the log has impressions, θ is the number of times that the pair can be expected to have been shown, and each
    click counts: slates that come again are as good as more of them. Users who took nothing and items that nobody took
    are not among the model's pairs, and what was shown of them does not count. Else θ is the popularity model's,
    relative to the most popular item, and a pair counts once, as in the paper; where its events have propensities of
    their own, θ is their mean.

    Weights above 1 / `clip` are cut, so that one rare click cannot outweigh all else (the paper clips θ from below).
    Where Y / θ is above 1, the loss of the pair is not bounded from below; the model's shrinkage is what bounds it.
    """

    name: ClassVar[str] = "rel_mf"
    against: ClassVar[tuple[Bias, ...]] = ("selection", "popularity", "exposure")

    clip: float = Field(0.01, ge=0, le=1)
    """Least θ, as a share of the largest one; what is below counts as this."""

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """It needs the pointwise loss and what its propensity model needs of the log's columns."""
        if "pointwise" not in _losses(recommender):
            return f"the model '{recommender.name}' has no pointwise loss; choose 'mf'."
        if getattr(recommender, "loss", None) == "rating":
            return "it learns what is relevant from what was taken; a loss of ratings learns values."
        return super().obstacle(data, recommender)

    def instead(self, recommender: Recommender) -> Recommender:
        """The same model with the pointwise loss."""
        return recommender.model_copy(update={"loss": "pointwise"})

    def fitted(self, data: Dataset, seed: int) -> FittedPropensity:
        """Propensities of the rows of `data.events`; where a pair counts once, its first event has the mean of its
        events' and the others have none.
        """
        impressions = bool(shown(data.events).any())
        options = (
            {"power": 1.0, **self.options}
            if impressions and self.chosen(data) == "popularity"
            else self.options
        )
        model = propensities.build(self.chosen(data), options)
        found = model.fit(data.events, data.users, data.items, seed=seed)
        if impressions:
            return found
        return replace(found, values=_once(data, found))

    def weigh(self, fitted: FittedPropensity, rows: NDArray[np.bool_]) -> Weights:
        """Weights 1 / θ of those of `rows` that have a propensity, θ being at least `clip` of the largest."""
        known = fitted.values[rows & fitted.known]
        made = weights(np.maximum(known, self.clip * known.max()), self_normalise=False)
        cut = float((known < self.clip * known.max()).mean())
        return replace(made, diagnostics=replace(made.diagnostics, share_clipped=cut))

    def training(self, data: Dataset, context: Context) -> Training:
        """Weights 1 / θ per row of `data.events`; rows without a propensity keep weight 1, and what counts once has
        weight 0 after its first event.

        Raises:
            ConfigError: if the propensity model or one of its options does not exist.
            DataError: if propensities are malformed, no positive event has one, or the weights leave nothing to learn
                from.
        """
        fitted = self.fitted(data, context.runtime.seed)
        weights, diagnostics = self.row_weights(data, fitted)
        taste = tasteful(data)
        rows = taste & fitted.known
        taken = data.positives
        pairs = taken[v.USER].n_unique() * taken[v.ITEM].n_unique()
        weights[rows] *= self._level(data, fitted, pairs)
        if not shown(data.events).any():
            weights[taste & ~fitted.known] = 0.0
        relevance = float(weights[taste].sum()) / pairs
        much = f"The weights say that {relevance:.2f} of all pairs are relevant, which is no share: θ is too small."
        self.tell(data, context, fitted, diagnostics, relevance=relevance, warnings=[much] * (relevance > 1))
        return Training(weights=weights)

    def _level(self, data: Dataset, fitted: FittedPropensity, pairs: int) -> float:
        """By what 1 / propensity is multiplied to be 1 / θ: summed over impressions of the model's users and items, it
        counts every pair once.
        """
        impressions = shown(data.events) & fitted.known & _among(data)
        return pairs / float((1 / fitted.values[impressions]).sum()) if impressions.any() else 1.0


def _losses(recommender: Recommender) -> tuple[Any, ...]:
    """The names of the losses that a model has."""
    field = type(recommender).model_fields.get("loss")
    return getattr(field.annotation, "__args__", ()) if field is not None else ()


def _among(data: Dataset) -> NDArray[np.bool_]:
    """Which rows are of a user who took something and of an item that somebody took."""
    both = [pl.col(name).is_in(data.positives[name].unique().implode()) for name in (v.USER, v.ITEM)]
    return data.events.select(pl.all_horizontal(both).fill_null(False)).to_series().to_numpy()


def _once(data: Dataset, found: FittedPropensity) -> NDArray[np.float64]:
    """The mean propensity of each pair's events of taste, at the first of them that has weight; NaN elsewhere."""
    weight = pl.col(v.SAMPLE_WEIGHT) if v.SAMPLE_WEIGHT in data.events.columns else pl.lit(1.0)
    time = [name for name in (v.TIMESTAMP, v.ORDER) if name in data.events.columns]
    rows = data.events.select(v.USER, v.ITEM, *time, weight.alias("_weight")).with_row_index("_row")
    rows = rows.with_columns(pl.Series("_theta", found.values)).filter(
        pl.Series(tasteful(data) & found.known)
    )
    first = (
        rows.with_columns(pl.col("_theta").mean().over(v.USER, v.ITEM))
        .sort(pl.col("_weight") <= 0, *time, -pl.col("_weight"), nulls_last=True, maintain_order=True)
        .unique([v.USER, v.ITEM], keep="first")
    )
    values = np.full(len(data.events), np.nan)
    values[first["_row"].to_numpy()] = first["_theta"].to_numpy()
    return values


def shown(events: pl.DataFrame) -> NDArray[np.bool_]:
    """Which rows say that an item was shown."""
    if v.EVENT not in events.columns:
        return np.zeros(len(events), dtype=bool)
    return events.select((pl.col(v.EVENT) == v.IMPRESSION).fill_null(False)).to_series().to_numpy()
