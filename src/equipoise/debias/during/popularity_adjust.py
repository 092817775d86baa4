"""Popularity as a confounder: known while a model is trained, absent from what it recommends, or chosen."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveInt

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive
from equipoise.debias.correction import Bias, Context, DuringTraining
from equipoise.errors import DataError
from equipoise.models.histories import time_of
from equipoise.models.offset import Offset
from equipoise.models.recommender import Recommender
from equipoise.models.training import Training

Floats = NDArray[np.float64]

_OF_EXPOSURE, _OF_TASTE = 1.0, 0.5  # gamma where it is not said
_LEAST = 0.1  # a forecast falls to this share of the last period's popularity at most


class PopularityAdjust(DuringTraining):
    """Backdoor adjustment for popularity (Zhang, Feng, He, Wei, Song, Ling and Zhang 2021, "Causal intervention
    for leveraging popularity bias in recommendation", sections 3.2 and 3.3: PD, and PDA with `inject`).

    Popularity Z makes items be shown (Z -> I) and be taken (Z -> C), so that `P(C | u, i)` mixes what the user
    wants with how popular the item was; wanted is `P(C | do(u, i)) = sum_z P(C | u, i, z) P(z)`. Training
    models `P(C | u, i, z) = f(u, i) m^gamma`, m being the item's popularity at the time of the event: the score
    is `log f`, and `gamma log m` is an offset of training alone.

    Exactly when popularity multiplies like this, with one gamma for all users and items, the sum over z is
    `f(u, i) sum_z z^gamma P(z)`, whose second factor is the same for all items: the ranking by f is the ranking
    by the do-value whatever P(z) is, and the sum need not be taken. If popularity moves some users or items more
    than others (gamma depends on u or i, or popularity adds), the ranking depends on P(z), and this correction
    only takes away the common part. The losses of choice see f up to a factor per user and time, which no
    ranking needs.

    `inject` brings popularity back in on purpose, `f(u, i) m'^inject` with m' that of the last period: then
    `gamma log m - inject log m'` is the offset, so that the model's own scores come to be `log f + inject log
    m'`, which is exact where the model has a free number per item (`mf`), else as near as its vectors let it.
    """

    name: ClassVar[str] = "popularity_adjust"
    against: ClassVar[tuple[Bias, ...]] = ("popularity",)

    gamma: NonNegativeFloat | None = None
    """How strongly taking an item follows its popularity; 0 corrects nothing. None for 1 where impressions are
    counted, else 0.5, which is a guess: nothing is tried on held-out events, which are as popular as the log. An
    event counts towards the popularity of its own period."""
    inject: NonNegativeFloat = 0.0
    """How strongly recommendations follow popularity again; as much as `gamma` undoes the correction where
    popularity stands still."""
    forecast: NonNegativeFloat = 0.0
    """How far the popularity that is injected goes on as it went from the last but one period to the last."""
    source: Literal["auto", "impressions", "positives"] = "auto"
    """What is counted. Impressions are popularity with the logger: clicks are proportional to them whatever is
    liked, so gamma is 1. Events of taste are what a log without impressions has: they hold liking too, so that
    gamma 1 would leave no item better than another. `auto` counts impressions where there are some."""
    periods: PositiveInt = 4
    """Parts of the log, with equally many events each, in which popularity is counted; one if time is unknown or
    counted by each user for itself (`order`)."""
    smoothing: NonNegativeFloat = 10.0
    """Events per item (on average) that its share of the whole log counts for in each period."""

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """It needs a loss of choice, and impressions where they are asked for."""
        if "offset" not in recommender.takes:
            return f"the model '{recommender.name}' cannot add popularity to its scores while it is trained."
        if getattr(recommender, "loss", None) == "rating":
            return "popularity multiplies chances; a loss of ratings has none."
        if self.source == "impressions" and not _impressions(data.events).any():
            return "the log has no impressions to count."
        return None

    def training(self, data: Dataset, context: Context) -> Training:
        """The offset `gamma log m - inject log m'`.

        Raises:
            DataError: if there is nothing to count.
        """
        events = data.events
        shown = _impressions(events)
        exposed = bool(shown.any()) if self.source == "auto" else self.source == "impressions"
        taken = events.select(positive(events).fill_null(False)).to_series()
        counted = events.filter(shown if exposed else taken)
        if counted.is_empty():
            raise DataError(
                f"There are no {'impressions' if exposed else 'events of taste'} to count popularity by",
                where=f"{len(events)} events",
                todo='Set source = "auto", or choose another correction.',
            )
        edges = self._edges(events.filter(taken))
        items = events[v.ITEM].drop_nulls().unique().sort()
        popularity = self._popularity(counted, items, edges)
        gamma = self.gamma if self.gamma is not None else _OF_EXPOSURE if exposed else _OF_TASTE
        last, before = popularity[-1], popularity[max(len(popularity) - 2, 0)]
        chosen = np.maximum(last + self.forecast * (last - before), _LEAST * last)
        values = gamma * np.log(popularity) - self.inject * np.log(chosen)
        values -= values.mean(axis=1, keepdims=True)  # what all items share says nothing
        context.report(
            self,
            counted="impressions" if exposed else "positives",
            gamma_used=gamma,
            periods_used=len(popularity),
            spread=float(np.log(popularity).std(axis=1).mean()),
            drift=float(np.abs(np.diff(np.log(popularity), axis=0)).mean()) if len(edges) else 0.0,
            warnings=self._warnings(gamma, exposed, len(popularity)),
        )
        return Training(offset=Offset(items, values.astype(np.float32), edges))

    def _edges(self, taken: pl.DataFrame) -> Floats:
        """Where the second and each later period begins; none where users do not share a clock."""
        if v.TIMESTAMP not in taken.columns:
            return np.zeros(0)
        times = taken.select(time_of(taken, v.TIMESTAMP).alias("_time")).to_series().to_numpy()
        times = times[~np.isnan(times)]
        if not len(times):
            return np.zeros(0)
        inner = np.linspace(0, 1, self.periods + 1)[1:-1]
        edges: Floats = np.unique(np.quantile(times, inner, method="nearest"))
        return np.asarray(edges[edges > times.min()])

    def _popularity(self, counted: pl.DataFrame, items: pl.Series, edges: Floats) -> Floats:
        """Share of each item in each period, smoothed towards its share of the whole, (periods, items)."""
        clock = v.TIMESTAMP if v.TIMESTAMP in counted.columns else None
        times = counted.select(time_of(counted, clock).alias("_time")).to_series().to_numpy()
        rows = pl.DataFrame({v.ITEM: items}).with_row_index("row")
        row = (
            counted.select(v.ITEM).join(rows, on=v.ITEM, how="left", maintain_order="left")["row"].to_numpy()
        )
        period = np.searchsorted(edges, times, side="right")
        shape = (len(edges) + 1, len(items))
        counts = np.bincount(period * len(items) + row, minlength=shape[0] * shape[1]).reshape(shape)
        overall = counts.sum(axis=0) + 0.5
        prior = self.smoothing * len(items) * overall / overall.sum() + 1e-9
        shares = counts + prior
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def _warnings(self, gamma: float, exposed: bool, periods: int) -> list[str]:
        found = []
        if not exposed and gamma >= 1:
            found.append(
                "Popularity is counted by what was taken, and gamma is 1 or more: what all users like is taken "
                "away with what all were shown."
            )
        if self.forecast and periods == 1:
            found.append("With one period there is nothing to forecast popularity from.")
        return found


def _impressions(events: pl.DataFrame) -> pl.Series:
    """Which rows say that an item was shown."""
    if v.EVENT not in events.columns:
        return pl.repeat(False, len(events), eager=True)
    shown: Any = (pl.col(v.EVENT) == v.IMPRESSION).fill_null(False) & pl.col(v.ITEM).is_not_null()
    return events.select(shown).to_series()
