"""What groups of items, and the providers behind them, get: sums per user and group.

Everything here is a function of sums over users, so that whoever resamples users only adds up again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import narwhals as nw
import numpy as np
import polars as pl
from scipy import sparse

from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.errors import ConfigError, DataError
from equipoise.metrics import frames
from equipoise.metrics.categories import attention
from equipoise.metrics.memberships import MASS, memberships
from equipoise.metrics.ranking import Floats, check_cutoff

TARGETS: Final = ("catalogue", "uniform", "merit")

_EXPOSURE, _PLACES = "_exposure", "_places"


@dataclass(frozen=True)
class ProviderSums:
    """What each user's list, truth and history hold of each group of items.

    All matrices are sparse, float64 of shape (users, groups); an item of several groups counts for each with
    an equal part.

    Attributes:
        groups: Names of the groups, sorted; each has items.
        items: (groups,), number of items.
        exposure: Attention `1/log2(rank + 1)` given up to k.
        places: Places held up to k.
        gained: Attention given to items of the user's truth; None without truth.
        hits: Places held by items of the user's truth; None without truth.
        positives: Items of the user's truth; None without truth.
        seen: Items of the user's training events, which cannot be recommended; None without them.
    """

    groups: list[str]
    items: Floats
    exposure: sparse.csr_matrix
    places: sparse.csr_matrix
    gained: sparse.csr_matrix | None = None
    hits: sparse.csr_matrix | None = None
    positives: sparse.csr_matrix | None = None
    seen: sparse.csr_matrix | None = None

    @property
    def users(self) -> int:
        """Users of the recommendations or the truth."""
        return int(self.exposure.shape[0])


def provider_sums(
    recommendations: Any, items: Any, column: str, k: int, *, truth: Any = None, train: Any = None
) -> ProviderSums:
    """Reduce tables of any engine to sums per user and group of items.

    Args:
        recommendations: Frame of `user_id`, `item_id`, `rank`.
        items: Frame of `item_id` and the column, one row per item: the whole catalogue. Items without a value
            are of no group and are left out.
        column: Column of the items that names their group or provider; several are joined by "|".
        k: Cutoff.
        truth: Frame of `user_id`, `item_id`: what each user really took.
        train: Frame of `user_id`, `item_id`: what each user had before, which is not recommended again.

    Raises:
        DataError: if a column is missing, an item stands twice, or there are no recommendations.
    """
    check_cutoff(k, "group_exposure")
    members = memberships(items, column)
    shown = frames.recommendations(recommendations).filter(nw.col(v.RANK) <= k)
    shown = shown.with_columns(attention().alias(_EXPOSURE), nw.lit(1.0).alias(_PLACES))
    people = [_polars(shown.select(v.USER).unique())]
    tables = {"shown": _by_group(shown, members, _EXPOSURE, _PLACES)}
    if truth is not None:
        shown, relevant = frames.together(shown, frames.truth(truth))
        people.append(_polars(relevant.select(v.USER).unique()))
        hits = shown.join(relevant, on=[v.USER, v.ITEM], how="inner")
        tables["hits"] = _by_group(hits, members, _EXPOSURE, _PLACES)
        tables["truth"] = _by_group(relevant.with_columns(nw.lit(1.0).alias(_PLACES)), members, _PLACES)
    if train is not None:
        history = frames.truth(train).with_columns(nw.lit(1.0).alias(_PLACES))
        tables["train"] = _by_group(history, members, _PLACES)
    users = pl.concat(people, how="vertical_relaxed").unique().sort(v.USER).with_row_index("_user")
    if not len(people[0]):
        raise DataError("There are no recommendations to measure", where=f"0 rows up to rank {k}")
    groups = pl.Series(v.GROUP, members.get_column(v.GROUP).to_list()).unique().sort()
    counts = pl.DataFrame(
        {v.GROUP: members.get_column(v.GROUP).to_list(), MASS: frames.numbers(members, MASS)}
    )
    sizes = counts.group_by(v.GROUP).agg(pl.col(MASS).sum().round(12)).sort(v.GROUP)[MASS].to_numpy()
    codes = pl.DataFrame({v.GROUP: groups}).with_row_index("_group")

    def matrix(table: str, what: str) -> sparse.csr_matrix | None:
        if table not in tables:
            return None
        mine, everybody = frames.together(nw.from_native(tables[table]), nw.from_native(users))
        cells = mine.to_native().join(everybody.to_native(), on=v.USER).join(codes, on=v.GROUP)
        place = (cells["_user"].to_numpy().astype(np.int64), cells["_group"].to_numpy().astype(np.int64))
        return sparse.coo_matrix((cells[what].to_numpy(), place), shape=(len(users), len(groups))).tocsr()

    exposure, places = matrix("shown", _EXPOSURE), matrix("shown", _PLACES)
    return ProviderSums(
        groups.to_list(),
        sizes,
        exposure,
        places,
        gained=matrix("hits", _EXPOSURE),
        hits=matrix("hits", _PLACES),
        positives=matrix("truth", _PLACES),
        seen=matrix("train", _PLACES),
    )


def without_group(recommendations: Any, items: Any, column: str, k: int) -> tuple[int, float]:
    """Places of the lists that hold items of no group, or that the items table does not have, and the share of
    all exposure that falls to them.

    These places count for no group: shares of exposure are of the exposure that has a group.

    Args:
        recommendations: Frame of `user_id`, `item_id`, `rank`.
        items: Frame of `item_id` and the column, one row per item.
        column: Column of the items that names their group or provider.
        k: Cutoff.

    Raises:
        DataError: if a column is missing, an item stands twice, or no item has a group.

    Example:
        The first place holds an unknown item: 1 of 1.6309.

        >>> items = pl.DataFrame({"item_id": ["a", "b"], "genre": [None, "Drama"]})
        >>> shown = pl.DataFrame({"user_id": [1, 1], "item_id": ["a", "b"], "rank": [1, 2]})
        >>> without_group(shown, items, "genre", 2)
        (1, 0.6131471927654584)
    """
    check_cutoff(k, "group_exposure")
    shown = frames.recommendations(recommendations).filter(nw.col(v.RANK) <= k)
    shown = shown.with_columns(attention().alias(_EXPOSURE))
    rows, known = frames.together(shown, memberships(items, column).select(v.ITEM).unique())
    lost = frames.collect(rows.join(known, on=v.ITEM, how="anti").select(_EXPOSURE))
    total = float(frames.numbers(frames.collect(shown.select(_EXPOSURE)), _EXPOSURE).sum())
    return len(lost), float(frames.numbers(lost, _EXPOSURE).sum()) / total if total else 0.0


def _by_group(rows: Any, members: Any, *what: str) -> pl.DataFrame:
    """Sums of columns per user and group, weighed by the part of the item that belongs to the group."""
    rows, members = frames.together(rows, members)
    joined = rows.join(members, on=v.ITEM, how="inner").select(
        v.USER, v.GROUP, *((nw.col(name) * nw.col(MASS)).alias(name) for name in what)
    )
    sums = joined.group_by(v.USER, v.GROUP).agg(*(nw.col(name).sum() for name in what))
    return _polars(sums).with_columns(pl.col(*what).round(12))


def _polars(frame: Any) -> pl.DataFrame:
    return to_polars(frames.collect(frame).to_native())


def target_shares(target: str | Mapping[str, float], sums: ProviderSums) -> Floats:
    """The shares of exposure that groups should have, (groups,), adding up to 1.

    Args:
        target: "catalogue" (as their share of the items), "uniform" (alike), "merit" (as their share of the
            truth), or shares by group.
        sums: What there is.

    Raises:
        ConfigError: if there is no such target, or given shares do not name every group once, are negative,
            or do not add up to 1.
        DataError: if merit is asked for without truth, or no item of the truth has a group.
    """
    if isinstance(target, str):
        if target not in TARGETS:
            raise ConfigError(
                f"There is no target '{target}' of exposure",
                todo=f"Take {', '.join(TARGETS)}, or shares by group.",
            )
        if target == "uniform":
            return np.full(len(sums.groups), 1 / len(sums.groups))
        if target == "catalogue":
            return np.asarray(sums.items / sums.items.sum())
        if sums.positives is None:
            raise DataError("Merit is the share of the truth, and there is no truth", todo="Pass `truth`.")
        merit = np.asarray(sums.positives.sum(axis=0)).ravel()
        if not merit.sum():
            raise DataError("No item of the truth has a group, so that there is no merit")
        return np.asarray(merit / merit.sum())
    strange = sorted(set(target) ^ set(sums.groups))
    if strange:
        raise ConfigError(
            "The target does not name every group of items once",
            where=f"only on one side: {', '.join(strange[:5])}",
        )
    shares = np.array([target[group] for group in sums.groups], dtype=np.float64)
    if not np.isfinite(shares).all() or (shares < 0).any() or abs(shares.sum() - 1) > 1e-6:
        raise ConfigError(
            f"The shares of the target add up to {shares.sum():g}",
            todo="Give shares from 0 on that add up to 1.",
        )
    return shares


def column_sums(matrix: sparse.csr_matrix) -> Floats:
    """Sums over users, (groups,)."""
    return np.asarray(matrix.sum(axis=0), dtype=np.float64).ravel()
