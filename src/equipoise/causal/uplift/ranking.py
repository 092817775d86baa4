"""Lists ordered by what showing an item changes, not by what would be bought anyway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np

from equipoise.causal.heterogeneity import FittedLearner
from equipoise.causal.heterogeneity.features import numbers
from equipoise.data import vocabulary as v
from equipoise.data.frames import eager, require
from equipoise.errors import ConfigError, DataError

UPLIFT = "uplift"


@dataclass(frozen=True)
class UpliftRanking:
    """Lists by uplift, and who is better left alone.

    Attributes:
        lists: Frame of `user_id`, `item_id`, `rank` (from 1), `uplift` net of cost, and `anyway` where it was
            given; only items that gain something.
        do_not_disturb: Frame of `user_id`, `candidates` and `best`: users for whom no candidate gains anything,
            with the least harm that showing one would do.
        shared: Share of the listed items that the same number ordered by what would be bought anyway would have
            listed too, averaged over users with a list; None where that was not given. 1 says that the two
            orders recommend the same.
    """

    lists: Any
    do_not_disturb: Any
    shared: float | None


def rank_by_uplift(
    candidates: Any,
    uplift: str | FittedLearner | Any,
    *,
    k: int = 10,
    cost: str | float = 0.0,
    anyway: str | None = None,
) -> UpliftRanking:
    """Order each user's candidates by what showing them changes.

    An item that a user would buy anyway has no uplift, however sure the purchase; one that annoys has a
    negative one and is left out.

    Args:
        candidates: Frame of any engine with `user_id`, `item_id`, and features.
        uplift: A column with the expected change by showing, a fitted learner (asked for the effect of each
            row), or an array (rows,).
        k: Longest list.
        cost: What showing costs, in units of the outcome: a number or a column. Items must gain more.
        anyway: A column with the expected outcome without showing, to compare with.

    Returns:
        Lists and users; eager callers get their own kind of frame, lazy engines Polars. Equal uplifts are
        ordered by item id.

    Raises:
        DataError: if columns are missing, a candidate lacks its user or item, a pair occurs twice, or an
            uplift, a cost or an outcome without showing is no finite number.
    """
    if k < 1:
        raise ConfigError(f"Lists of {k} items are empty", todo="Give k of at least 1.")
    frame = eager(candidates)
    needed = [v.USER, v.ITEM, *(name for name in (uplift, cost, anyway) if isinstance(name, str))]
    require(frame.columns, *needed, table="table of candidates")
    values = _values(frame, candidates, uplift)
    price = numbers("costs", frame[cost].to_numpy() if isinstance(cost, str) else cost)
    net = values - price
    if anyway is not None:
        numbers(f"outcomes without showing ('{anyway}')", frame[anyway].to_numpy())
    for column in (v.USER, v.ITEM):
        missing = frame[column].null_count()
        if missing:
            raise DataError(f"'{column}' is missing", where=f"{missing} of {len(frame)} candidates")
    base = frame.select(v.USER, v.ITEM, *([] if anyway is None else [nw.col(anyway).alias("anyway")]))
    base = base.with_columns(
        nw.new_series(UPLIFT, net.tolist(), nw.Float64, backend=frame.implementation).alias(UPLIFT)
    ).sort(v.USER, v.ITEM)
    twice = len(base) - len(base.select(v.USER, v.ITEM).unique())
    if twice:
        raise DataError("A user has the same candidate more than once", where=f"{twice} rows")
    order = nw.col(UPLIFT).rank("ordinal", descending=True).over(v.USER).cast(nw.Int64)
    ranked = base.with_columns(order.alias(v.RANK))
    shown = (nw.col(v.RANK) <= k) & (nw.col(UPLIFT) > 0)
    columns = [v.USER, v.ITEM, v.RANK, UPLIFT, *([] if anyway is None else ["anyway"])]
    alone = (
        ranked.group_by(v.USER)
        .agg(nw.len().alias("candidates"), nw.col(UPLIFT).max().alias("best"))
        .filter(nw.col("best") <= 0)
        .sort(v.USER)
    )
    return UpliftRanking(
        ranked.filter(shown).select(columns).sort(v.USER, v.RANK).to_native(),
        alone.to_native(),
        None if anyway is None else _shared(ranked, shown),
    )


def _values(frame: nw.DataFrame[Any], candidates: Any, uplift: Any) -> np.ndarray[Any, Any]:
    if isinstance(uplift, str):
        return numbers("uplifts", frame[uplift].to_numpy())
    if isinstance(uplift, FittedLearner):
        return uplift.effect(frame.to_native())
    values = numbers("uplifts", uplift)
    if values.shape != (len(frame),):
        raise DataError(f"Uplifts of shape {values.shape} do not fit {len(frame)} candidates")
    return values


def _shared(ranked: nw.DataFrame[Any], shown: nw.Expr) -> float | None:
    """Mean over users with a list of the share of it that the order by `anyway` would have shown."""
    other = nw.col("anyway").rank("ordinal", descending=True).over(v.USER)
    length = nw.col("_shown").sum().over(v.USER)
    both = (
        ranked.with_columns(shown.cast(nw.Int64).alias("_shown"), other.alias("_place"))
        .with_columns(length.alias("_length"))
        .filter(nw.col("_shown") == 1)
        .with_columns((nw.col("_place") <= nw.col("_length")).cast(nw.Float64).alias("_both"))
        .group_by(v.USER)
        .agg(nw.col("_both").mean())
    )
    return float(both["_both"].mean()) if len(both) else None
