"""What corrections do to lists: log-odds are shifted, prices and second opinions added to scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from equipoise.data import vocabulary as v
from equipoise.data.frames import eager, require
from equipoise.debias.control.signals import EVERYONE, ITEM_GROUP, TRIAL, Signal

ALTERNATIVE = "alternative"
"""Column of recommendations: a second score, made for the user's group, that lists lean on to close a gap."""

_ROUNDING = 1e-12  # of the largest value

Corrections = Mapping[Signal, Mapping[str, float]]


def corrected(
    recommendations: Any, corrections: Corrections, tried: Mapping[str, float] | None = None, turn: int = 0
) -> Any:
    """Lists under corrections.

    Args:
        recommendations: Frame of any engine: `user_id`, `item_id`, `rank`, `score`, and where it is corrected:
            `probability`, `group`, `item_group`, `alternative`.
        corrections: By signal and group. Users and items of no known group are left as they are.
        tried: Leanings that are being tried, by group: half of the group's users get them, drawn anew each turn. The
            column `trial` says who, and has to be kept with the events that come of the lists.
        turn: What draws depend on beside the user.

    Returns:
        A frame of the same kind and columns (Polars of a lazy engine), and `trial` where something is tried; users in
        their order, best first. Scores stay
        the model's own; to score and alternative, each standardised over the user's rows, what is added is in standard
        deviations.

    Raises:
        DataError: if a column is missing.
    """
    frame = eager(recommendations)
    require(frame.columns, v.USER, v.ITEM, v.RANK, v.SCORE, table="recommendations")
    if shifts := corrections.get("calibration"):
        require(frame.columns, v.PROBABILITY, table="recommendations")
        odds = _looked_up(frame, shifts, v.GROUP).exp() if list(shifts) != [EVERYONE] else nw.lit(
            float(np.exp(shifts[EVERYONE]))
        )  # fmt: skip
        p = nw.col(v.PROBABILITY)
        frame = frame.with_columns((p * odds / (1 - p + p * odds)).alias(v.PROBABILITY))
    prices, leanings = corrections.get("exposure", {}), corrections.get("gap", {})
    if tried:
        frame = _drawn(frame, tried, turn)
    if not any(prices.values()) and not any(leanings.values()) and not tried:
        return frame.to_native()
    worth = _standardised(v.SCORE)
    if any(prices.values()):
        worth = worth + _looked_up(frame, prices, ITEM_GROUP)
    leant = [ALTERNATIVE] if any(leanings.values()) or tried else []
    if leant:
        require(frame.columns, ALTERNATIVE, table="recommendations")
        weight = _looked_up(frame, leanings, v.GROUP)
        if tried:
            weight = nw.when(nw.col(TRIAL)).then(_looked_up(frame, tried, v.GROUP)).otherwise(weight)
        worth = worth + weight * _standardised(ALTERNATIVE)
    centred = frame.with_columns(*map(_centred, [v.SCORE, *leant]))
    return _ranked(frame, centred.select(_worth=worth)["_worth"].to_numpy()).to_native()


def _drawn(frame: nw.DataFrame[Any], tried: Mapping[str, float], turn: int) -> nw.DataFrame[Any]:
    """With the column `trial`: true for half of the users of the groups in which something is tried."""
    require(frame.columns, v.GROUP, table="recommendations")
    among = frame.select(nw.col(v.GROUP).cast(nw.String).is_in(list(tried)).fill_null(False))[
        v.GROUP
    ].to_numpy()
    heads = frame[v.USER].to_polars().cast(pl.String).hash(turn % 2**63).to_numpy() % 2 == 0
    return _with(frame, TRIAL, among & heads)


def _with(frame: nw.DataFrame[Any], name: str, values: np.ndarray[Any, Any]) -> nw.DataFrame[Any]:
    """With a column of these values, row by row."""
    column = nw.new_series(name, values, backend=frame.implementation)
    index = nw.maybe_get_index(frame)
    return frame.with_columns(column if index is None else nw.maybe_set_index(column, index=index))


def _looked_up(frame: nw.DataFrame[Any], values: Mapping[str, float], column: str) -> nw.Expr:
    """The value of each row's group; 0 for groups that have none."""
    require(frame.columns, column, table="recommendations")
    group, found = nw.col(column).cast(nw.String), nw.lit(0.0)
    for name, value in values.items():
        found = nw.when(group == name).then(nw.lit(float(value))).otherwise(found)
    return found


def _centred(column: str) -> nw.Expr:
    """Values less their mean over the rows of a user, as another column."""
    value = nw.col(column).cast(nw.Float64)
    return (value - value.mean().over(v.USER)).alias(f"_{column}")


def _standardised(column: str) -> nw.Expr:
    """What `_centred` made, with variance 1 over the rows of a user; 0 where they are all alike but for rounding."""
    centred, largest = nw.col(f"_{column}"), nw.col(column).cast(nw.Float64).abs().max().over(v.USER)
    spread = (centred * centred).mean().over(v.USER).sqrt()
    apart = spread > _ROUNDING * largest
    return nw.when(apart).then(centred / nw.when(apart).then(spread).otherwise(1.0)).otherwise(0.0)


def _ranked(frame: nw.DataFrame[Any], worth: np.ndarray[Any, np.dtype[np.float64]]) -> nw.DataFrame[Any]:
    """Best first within each user; ties stay in the order of the ranks."""
    ids = frame[v.USER].to_numpy()
    _, first, code = np.unique(ids, return_index=True, return_inverse=True)
    arrival = first[code.ravel()]  # where a user's first row stands: users keep their order
    order = np.lexsort((frame[v.RANK].to_numpy(), -worth, arrival))
    starts = np.r_[True, np.diff(arrival[order]) != 0]
    place = np.arange(len(order)) - np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0)) + 1
    return _with(frame[order.tolist(), :], v.RANK, place).with_columns(
        nw.col(v.RANK).cast(frame.schema[v.RANK])
    )
