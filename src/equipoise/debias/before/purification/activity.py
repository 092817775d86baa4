"""Bots: users who do too much, too regularly, or go through everything."""

from __future__ import annotations

import polars as pl

from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive
from equipoise.debias.before.purification.finding import DAY, ROW, Clock, Found, robust_z, seconds

_SPREAD = 0.25  # of logarithms; people differ by more, so that a smaller MAD is an artefact of whole numbers
_GAPS = 20  # gaps between events below which nothing is said of their regularity
_REGULAR = 0.15  # coefficient of variation of gaps; a Poisson process has 1, a clock 0
_TICKS = 30  # gaps must be so much longer than the clock's tick: whole days make whoever comes daily a clock
_SWEPT = 0.5  # share of the catalogue


def bots(events: pl.DataFrame, catalogue: int, z: float) -> Found:
    """All rows of users whom one of three rules finds.

    `activity`: the log of events of taste per day with any is beyond `z` robust deviations above the median
    (the score); per user where no time is known. `regularity`: at least 20 gaps between moments, with a standard
    deviation of less than 0.15 of their mean; the score is mean over deviation; gaps must be 30 times as long as
    the clock's tick, where times are told in minutes or days. `sweep`: at least half of
    the catalogue was taken, and the log-odds of that share are beyond `z` (the score).

    Args:
        events: Event table with `_row`.
        catalogue: Number of items, at least that of the items in the events.
        z: Robust deviations from which on a user is unusual.
    """
    taste = events.filter(positive(events))
    found = [
        _beyond(_pace(taste), pl.col("amount").log(), "activity", z),
        _beyond(
            taste.group_by(v.USER).agg(amount=pl.col(v.ITEM).n_unique()),
            ((pl.col("amount") + 0.5) / (catalogue - pl.col("amount") + 0.5)).log(),
            "sweep",
            z,
        ).filter(pl.col("amount") >= _SWEPT * catalogue),
    ]
    blind = None
    if v.TIMESTAMP in events.columns:
        clock = Clock.of(taste.select(seconds(taste, v.TIMESTAMP)).to_series())
        found.append(_regular(taste, clock.tick))
        if clock.tick > 0:
            blind = f"{clock.sentence} The regularity of gaps below {_TICKS} times that was not judged."
    named = pl.concat([one.select("rule", v.USER, "score") for one in found])
    return Found.of(
        events.select(v.USER, ROW).join(named, on=v.USER).with_columns(who=pl.col(v.USER).cast(pl.String)),
        in_part=blind,
    )


def _pace(taste: pl.DataFrame) -> pl.DataFrame:
    """Events per active day of each user, or events, as `amount`."""
    if v.TIMESTAMP not in taste.columns:
        return taste.group_by(v.USER).agg(amount=pl.len())
    day = (seconds(taste, v.TIMESTAMP) / DAY).floor()
    return taste.group_by(v.USER).agg(amount=pl.len() / day.n_unique())


def _beyond(amounts: pl.DataFrame, scale: pl.Expr, rule: str, z: float) -> pl.DataFrame:
    """Users whose amount is far above the median on that scale."""
    amounts = amounts.with_columns(rule=pl.lit(rule)).sort(v.USER)
    score = robust_z(amounts.select(scale.cast(pl.Float64)).to_series().to_numpy(), _SPREAD)
    return amounts.with_columns(pl.Series("score", score)).filter(pl.col("score") > z)


def _regular(taste: pl.DataFrame, tick: float) -> pl.DataFrame:
    """Users whose moments follow each other like a clock, and not because they are told in ticks."""
    moments = (
        taste.select(v.USER, moment=seconds(taste, v.TIMESTAMP)).drop_nulls().unique().sort(v.USER, "moment")
    )
    gaps = moments.with_columns(gap=pl.col("moment").diff().over(v.USER)).drop_nulls("gap")
    gap = pl.col("gap")
    per_user = gaps.group_by(v.USER).agg(
        n=pl.len(),
        mean=gap.mean(),
        score=(gap.mean() / gap.std(ddof=0).clip(lower_bound=1e-3)).cast(pl.Float64),
    )
    regular = (pl.col("n") >= _GAPS) & (pl.col("score") > 1 / _REGULAR)
    return per_user.filter(regular & (pl.col("mean") >= _TICKS * tick)).with_columns(
        rule=pl.lit("regularity")
    )
