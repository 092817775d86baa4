"""Review bombing: many ratings of one item in a short time, far from its usual ones."""

from __future__ import annotations

import numpy as np
import polars as pl

from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive
from equipoise.debias.before.purification.finding import DAY, ROW, Clock, Found, seconds

_LEAST = 8  # ratings in a window
_ELSEWHERE = 10  # ratings of the item outside it, to know what is usual
_NORMAL = 1.4826
_NO_RATING = (v.CLICK, v.VIEW, v.PURCHASE)  # their values are times and prices, and a sale is no bombing
_ONE_OFF = 3  # an account with fewer ratings is a one-off


def bombing(events: pl.DataFrame, days: float, z: float) -> Found:
    """Ratings on the side of a burst, in windows of `days` in which an item's volume and values both burst.

    A window of an item is compared with the rest of the item's ratings. Volume: `(n - m) / sqrt(m)` beyond
    `z`, where m is the usual number in its windows that have any (at least 1). Value: the mean lies beyond
    `z` standard errors from the median elsewhere, and by half a deviation at least; the deviation is the robust
    one of the item's other ratings (1.4826 MAD, at least half of that of all ratings, for one item's may all be
    equal). The score is the smaller of both, and grows by the share of raters who are new to the log: accounts
    with fewer than three ratings (times up to 2). Windows lie in two grids, half a window apart. Of a window
    only those rows go that deviate to its side.

    Args:
        events: Event table with `_row`.
        days: Length of a window.
        z: Deviations from which on a window is unusual.
    """
    if v.VALUE not in events.columns or v.TIMESTAMP not in events.columns:
        return Found.unable("There are no ratings with a time (columns 'value' and 'timestamp').")
    taste = events.filter(positive(events) & pl.col(v.VALUE).is_not_null())
    if v.EVENT in events.columns:
        taste = taste.filter(~pl.col(v.EVENT).is_in(_NO_RATING).fill_null(False))
    rated = taste.select(
        ROW, v.USER, v.ITEM, value=pl.col(v.VALUE).cast(pl.Float64), moment=seconds(taste, v.TIMESTAMP)
    ).drop_nulls()
    if len(rated) < _LEAST + _ELSEWHERE:
        return Found.unable(f"There are only {len(rated)} ratings with a time.")
    clock = Clock.of(rated["moment"])
    if clock.tick > days * DAY:
        return Found.unable(f"{clock.sentence} A burst within {days:g} days cannot be told.")
    rated = rated.with_columns(one_off=pl.len().over(v.USER) < _ONE_OFF)
    values = rated["value"].to_numpy()
    everywhere = max(
        _NORMAL * float(np.median(np.abs(values - np.median(values)))), 0.5 * float(values.std())
    )
    if everywhere == 0:
        return Found.unable("All ratings are equal.")
    return Found.of(*(_burst(rated, days * DAY, shift, z, everywhere) for shift in (0.0, 0.5)))


def _burst(rated: pl.DataFrame, length: float, shift: float, z: float, everywhere: float) -> pl.DataFrame:
    """Rows of bursts in one grid of windows."""
    rated = rated.with_columns(window=(pl.col("moment") / length + shift).floor().cast(pl.Int64))
    windows = rated.group_by(v.ITEM, "window").agg(
        n=pl.len(), mean=pl.col("value").mean(), one_off=pl.col("one_off").mean()
    )
    windows = windows.with_columns(
        total=pl.col("n").sum().over(v.ITEM), usual=pl.col("n").median().over(v.ITEM).clip(lower_bound=1.0)
    )
    volume = (pl.col("n") - pl.col("usual")) / pl.col("usual").sqrt()
    bursts = windows.filter(
        (pl.col("n") >= _LEAST) & (pl.col("total") - pl.col("n") >= _ELSEWHERE) & (volume > z)
    ).with_columns(volume=volume)
    # what is usual for an item is taken from its ratings outside the window
    outside = bursts.select(v.ITEM, "window").join(
        rated.select(v.ITEM, "value", elsewhere="window"), on=v.ITEM
    ).filter(pl.col("elsewhere") != pl.col("window"))  # fmt: skip
    middle = pl.col("value").median()
    usual = outside.group_by(v.ITEM, "window").agg(
        centre=middle, spread=_NORMAL * (pl.col("value") - middle).abs().median()
    )
    bursts = bursts.join(usual, on=[v.ITEM, "window"]).with_columns(
        spread=pl.col("spread").clip(lower_bound=everywhere / 2), away=pl.col("mean") - pl.col("centre")
    )
    deviates = pl.col("away").abs() / pl.col("spread")
    bursts = bursts.filter((deviates >= 0.5) & (deviates * pl.col("n").sqrt() > z)).with_columns(
        rule=pl.lit("burst"),
        who=pl.col(v.ITEM).cast(pl.String),
        score=pl.min_horizontal("volume", deviates * pl.col("n").sqrt()) * (1 + pl.col("one_off")),
    )
    rows = rated.drop("one_off").join(bursts, on=[v.ITEM, "window"])
    away = (pl.col("value") - pl.col("centre")) * pl.col("away").sign()
    return rows.filter(away >= 0.5 * pl.col("spread"))
