"""Balanced sampling: events of rare groups or rare items come more often, those of common ones less often."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive
from equipoise.debias.before import groups
from equipoise.debias.before.weights import effective_size, multiplied
from equipoise.debias.correction import BeforeTraining, Bias, Context
from equipoise.models.recommender import Recommender

_FEW = 1 / 3  # of the events in effective number; less, and a warning is due


class BalancedSampling(BeforeTraining):
    """Over- and under-sampling of events until cells of users and items have what is due to them.

    A cell is a group of users, a band of item popularity, a single item, or a group of users within one of
    these. Due is the same number of events to every group of users, and to every item of the catalogue the
    same number as to any other. With the rate `r = count / due` of a cell, its events come
    `(R / r) ** strength` times: R is the highest rate (over-sampling), the lowest (under-sampling), or what
    keeps the total (both). With `popularity = "items"` that is a power of an item's inverse count. Items are
    counted by their impressions where the log has some: what is shown often is to count less for it, and not
    what is chosen often where it is shown, which is quality.

    An event that comes m times is one row of weight m, not m rows, and one that comes 0 times stays with the
    weight 0. To models that count or fit pair by pair (popularity, item-to-item, factorisation) m rows and a
    weight of m are the same; a sequence would get steps that nobody took, and learn that everything is done
    twice. A row that is gone, on the other side, tears a hole in the sequence, lets what the user has already
    seen be recommended once more, and leaves an impression behind that says that nothing was chosen. The weight
    is the mean of m, which is what sampling anew in every epoch comes to and loses no event; or m is drawn once,
    whole. Weights are divided by their mean, so that a model's regularisation keeps its proportion to the data.
    Impressions and searches keep their weight, and so do the events of users whose group is unknown.

    Naive up-sampling barely moves gaps between groups of users and costs some accuracy (Melchiorre et al. 2021,
    "Investigating gender fairness of recommendation algorithms in the music domain", Table 4).
    """

    name: ClassVar[str] = "balanced_sampling"
    against: ClassVar[tuple[Bias, ...]] = ("popularity", "group gap")

    by: Literal["group", "popularity", "both"] = "popularity"
    """What is balanced: groups of users, popularity of items, or popularity within each group of users."""
    attribute: str | None = None
    """Column of users that names their group; None for the first sensitive one."""
    popularity: Literal["bands", "items"] = "items"
    """Whether items are balanced one by one, or as head, middle and tail with a third of all events each."""
    source: Literal["auto", "events", "impressions"] = "auto"
    """What popularity is counted by; auto for impressions where there are any, else events of taste."""
    how: Literal["over", "under", "both"] = "both"
    """Whether the rare come more often, the common less often, or both with the total kept."""
    strength: float = Field(1.0, ge=0, le=1)
    """0 changes nothing, 1 gives every cell what is due to it; in between, on the scale of logarithms."""
    most: float = Field(10.0, ge=1)
    """How often an event comes at most."""
    draw: bool = False
    """Whether each event's number of times is drawn once, whole, by the run's seed; else its weight is the mean."""

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """See `Correction.obstacle`."""
        kinds = data.events[v.EVENT] if v.EVENT in data.events.columns else pl.Series([], dtype=pl.String)
        if self.source == "impressions" and self.by != "group" and v.IMPRESSION not in kinds:
            return "popularity is to be counted by impressions, and the log has none."
        return None if self.by == "popularity" else groups.user_obstacle(data, self.attribute)

    def transform(self, data: Dataset, context: Context) -> Dataset:
        """See `BeforeTraining.transform`.

        Raises:
            DataError: if the attribute has one value, or a group has no event.
        """
        events, parts = data.events, self._parts(data)
        cells = events.select(*(groups.per_event(events, table).alias(name) for name, table in parts.items()))
        taste = events.select(positive(events)).to_series().to_numpy()
        plan = self._plan(cells, parts, taste, self._counted(data, taste))
        wanted = cells.join(plan, on=cells.columns, how="left", maintain_order="left")["factor"]
        balanced = taste & wanted.is_not_null().to_numpy()
        factors = wanted.fill_null(1.0).to_numpy()
        if self.draw:
            factors = np.floor(factors) + (_draws(events, context.runtime.rng(self.name)) < factors % 1)
        weights = np.where(balanced, factors / max(np.sort(factors[balanced]).mean(), 1e-12), 1.0)
        told = _account(data, parts, taste, weights)
        told["events_in_no_group"] = int((taste & ~balanced).sum())
        capped = int((plan["factor"] >= self.most).sum())
        context.report(self, **told, warnings=_warnings(told, capped, len(plan), self.most))
        return data.with_events(multiplied(events, weights))

    def _parts(self, data: Dataset) -> dict[str, pl.DataFrame]:
        """What cells are made of: name of the part to the group of each id."""
        parts = {}
        if self.by != "popularity":
            parts["users"] = groups.users_by_group(data, self.attribute)
        if self.by != "group":
            table = groups.items_by_group(data, groups.POPULARITY)
            one_by_one = pl.col(v.ITEM).cast(pl.String).alias(v.GROUP)
            parts["items"] = table.with_columns(one_by_one) if self.popularity == "items" else table
        return parts

    def _counted(self, data: Dataset, taste: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which rows are counted to tell how common a cell is."""
        if self.by == "group" or self.source == "events" or v.EVENT not in data.events.columns:
            return taste
        shown = (data.events[v.EVENT] == v.IMPRESSION).fill_null(False).to_numpy()
        return shown if shown.any() else taste

    def _plan(
        self,
        cells: pl.DataFrame,
        parts: dict[str, pl.DataFrame],
        taste: NDArray[np.bool_],
        counted: NDArray[np.bool_],
    ) -> pl.DataFrame:
        """How often the events of each cell come: the cell's columns and `factor`."""
        rows = cells.with_columns(_taste=pl.Series(taste), _counted=pl.Series(counted)).drop_nulls()
        plan = rows.group_by(cells.columns).agg(events=pl.col("_taste").sum(), count=pl.col("_counted").sum())
        plan = plan.filter(pl.col("events") > 0).sort(cells.columns).with_columns(due=pl.lit(1.0))
        if "items" in parts:
            sizes = parts["items"].group_by(v.GROUP).len("size").rename({v.GROUP: "items"})
            plan = plan.join(sizes, on="items", maintain_order="left").with_columns(
                due=pl.col("due") * pl.col("size")
            )
        rate = pl.col("count").clip(lower_bound=1) / pl.col("due")  # 1: chosen without ever being shown
        inverse = rate**-self.strength
        level = {
            "over": 1 / inverse.min(),
            "under": 1 / inverse.max(),
            "both": pl.col("events").sum() / (pl.col("events") * inverse).sum(),
        }[self.how]
        return plan.select(*cells.columns, (level * inverse).clip(upper_bound=self.most).alias("factor"))


def _account(
    data: Dataset, parts: dict[str, pl.DataFrame], taste: NDArray[np.bool_], weights: NDArray[np.float64]
) -> dict[str, Any]:
    """Share of each cell before and after; items are told of by their band, however they were balanced."""
    if "items" in parts:
        parts = {**parts, "items": groups.items_by_group(data, groups.POPULARITY)}
    rows = data.events.filter(pl.Series(taste))
    columns = [
        groups.per_event(rows, table).fill_null(v.UNKNOWN).alias(name) for name, table in parts.items()
    ]
    cells = pl.DataFrame([*columns, pl.Series("weight", weights[taste]), rows[v.USER]])
    there = pl.col("weight") > 0
    shares = (
        cells.sort("weight")
        .group_by(*parts, maintain_order=True)
        .agg(  # sums of an order of their own
            events=pl.len(),
            events_left=there.sum(),
            share_before=pl.len() / len(cells),
            share_after=pl.col("weight").sum() / max(float(np.sort(weights[taste]).sum()), 1e-12),
        )
    )
    return {
        "cells": shares.sort(*parts).to_dicts(),
        "events": len(cells),
        "events_left": int((weights[taste] > 0).sum()),
        "users_left": cells.filter(there)[v.USER].n_unique(),
        "users": cells[v.USER].n_unique(),
        "effective_sample_size": effective_size(weights[taste]),
    }


def _draws(events: pl.DataFrame, rng: np.random.Generator) -> NDArray[np.float64]:
    """A uniform number per row, one for all that a user did with an item at one time.

    Numbers are dealt in the order of the ids, so that the order of the rows plays no part.
    """
    keys = [column for column in (v.USER, v.ITEM, v.TIMESTAMP, v.ORDER) if column in events.columns]
    units = events.select(keys).unique().sort(keys, nulls_last=True)
    units = units.with_columns(pl.Series("_draw", rng.random(len(units))))
    joined = events.select(keys).join(units, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return joined["_draw"].to_numpy()


def _warnings(told: dict[str, Any], capped: int, cells: int, most: float) -> list[str]:
    said = []
    if unknown := told["events_in_no_group"]:
        said.append(
            f"{unknown:,} of {told['events']:,} events are of users whose group is unknown: they are not balanced, "
            "and keep weight 1."
        )
    effective, before = told["effective_sample_size"], told["events"]
    if effective < _FEW * before:
        said.append(
            f"The sample is worth {effective:,.0f} equally weighted events, of {before:,}: lower the strength."
        )
    if lost := told["users"] - told["users_left"]:
        said.append(f"{lost:,} of {told['users']:,} users are trained on no event any more.")
    if capped:
        said.append(
            f"{capped:,} of {cells:,} cells would need their events more than {most:g} times, and stay below "
            "what is due to them."
        )
    return said
