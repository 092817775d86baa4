"""Clickbait: items that are clicked far more than others when shown, and not stayed with (the click-to-stay gap)."""

from __future__ import annotations

import numpy as np
import polars as pl

from equipoise.data import vocabulary as v
from equipoise.debias.before.purification.finding import Floats, Found, robust_z, seconds

_SHOWN, _CLICKED = 30, 10  # impressions and clicks of an item below which nothing is said of it


def clickbait(events: pl.DataFrame, z: float, dwell: str | None = None) -> Found:
    """Clicks without a stay on items with many clicks per impression and few stays per click.

    Both rates are judged beside what chance allows: `(count - expected) / sqrt(variance)`, with an expected
    number of clicks from the places the item was shown in, and these residuals in robust deviations from their
    median (an empirical null, for items differ by more than chance). A stay is a dwell time of at least the
    median of all clicks or, where no click has one, a purchase by the same user after the click. An item is
    found where its clicks are above and its stays below what is usual, both by `z / 2` or more, and by `z`
    together; the score is that sum.

    After Wang et al. 2021, "Clicks can be Cheating" (SIGIR), whose clickbait is the gap between the attraction of
    what is shown of an item and the satisfaction after the click.

    Args:
        events: Event table with `_row`.
        z: Robust deviations, of both sides together.
        dwell: Column of the time stayed after a click; None for `value` on rows of clicks.
    """
    kinds = set(events[v.EVENT].unique()) if v.EVENT in events.columns else set()
    if not {v.IMPRESSION, v.CLICK} <= kinds:
        return Found.unable("There are no impressions with clicks.")
    clicks = events.filter(pl.col(v.EVENT) == v.CLICK)
    column = dwell or v.VALUE
    if column in events.columns and clicks[column].cast(pl.Float64, strict=False).count() > len(clicks) / 2:
        time = pl.col(column).cast(pl.Float64, strict=False)
        clicks = clicks.with_columns(stayed=time >= time.median())
    elif v.PURCHASE in kinds:
        clicks = _bought(clicks, events)
    else:
        return Found.unable("Neither a dwell time nor purchases tell what came after a click.")
    items = _clicked(events).join(
        clicks.drop_nulls("stayed").group_by(v.ITEM).agg(n=pl.len(), stays=pl.col("stayed").sum()), on=v.ITEM
    ).filter((pl.col("shown") >= _SHOWN) & (pl.col("n") >= _CLICKED)).sort(v.ITEM)  # fmt: skip
    if len(items) < _CLICKED:
        return Found.unable(f"Only {len(items)} items have {_SHOWN} impressions and {_CLICKED} clicks.")
    usual = float(items["stays"].sum()) / float(items["n"].sum())
    n = items["n"].to_numpy().astype(np.float64)
    above = _residual(*(items[name].to_numpy() for name in ("clicks", "expected", "variance")))
    below = -_residual(items["stays"].to_numpy(), n * usual, n * usual * (1 - usual))
    found = items.with_columns(pl.Series("score", above + below)).filter(
        pl.Series((above >= z / 2) & (below >= z / 2) & (above + below >= z))
    )
    rows = clicks.filter(~pl.col("stayed")).join(found.select(v.ITEM, "score"), on=v.ITEM)
    return Found.of(rows.with_columns(rule=pl.lit("click_to_stay"), who=pl.col(v.ITEM).cast(pl.String)))


def _clicked(events: pl.DataFrame) -> pl.DataFrame:
    """Per item: `shown`, `clicks`, and their `expected` number and `variance` given the places it was shown in."""
    keys = [c for c in (v.USER, v.ITEM, v.SLATE) if c in events.columns]
    place = [v.POSITION] if v.POSITION in events.columns else []
    hits = events.filter(pl.col(v.EVENT) == v.CLICK).select(keys).unique().with_columns(clicked=pl.lit(1))
    shown = events.filter(pl.col(v.EVENT) == v.IMPRESSION).select(*keys, *place)
    shown = shown.join(hits, on=keys, how="left").with_columns(pl.col("clicked").fill_null(0))
    rate = pl.col("clicked").mean().over(place) if place else pl.col("clicked").mean()
    shown = shown.with_columns(rate=rate)
    return shown.group_by(v.ITEM).agg(
        shown=pl.len(), clicks=pl.col("clicked").sum(), expected=pl.col("rate").sum(),
        variance=(pl.col("rate") * (1 - pl.col("rate"))).sum(),
    )  # fmt: skip


def _bought(clicks: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """The clicks with `stayed`: whether the user bought the item then or later."""
    bought = events.filter(pl.col(v.EVENT) == v.PURCHASE)
    last = (seconds(events, v.TIMESTAMP) if v.TIMESTAMP in events.columns else pl.lit(0.0)).alias("_moment")
    latest = bought.select(v.USER, v.ITEM, last).group_by(v.USER, v.ITEM).agg(last=pl.col("_moment").max())
    clicks = clicks.with_columns(last).join(latest, on=[v.USER, v.ITEM], how="left", maintain_order="left")
    return clicks.with_columns(stayed=(pl.col("last") >= pl.col("_moment")).fill_null(False))


def _residual(count: Floats, expected: Floats, variance: Floats) -> Floats:
    """In robust deviations; where items differ by less than chance, in those of chance."""
    return robust_z((count - expected) / np.sqrt(np.maximum(variance, 1e-9)), least_spread=1.0)
