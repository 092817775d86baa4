"""The policy to be valued: a column, whole distributions, "uniform", or "logged"."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import narwhals as nw
import polars as pl

from equipoise.causal.off_policy.columns import PROPENSITY_, ROW, TARGET, Frame, number
from equipoise.causal.off_policy.logs import Log
from equipoise.causal.off_policy.overlap import CANDIDATES
from equipoise.causal.off_policy.sample import PROBABILITY, Distribution, Sample, aligned
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.data.frames import require
from equipoise.errors import DataError
from equipoise.metrics.frames import collect

UNIFORM, LOGGED = "uniform", "logged"
_TOLERANCE = 1e-4  # of sums of probabilities: float32 softmaxes over large catalogues are that far off


def read_target(
    log: Log, target: Any, *, items: Any = None, sequential: bool = False, seed: int = 0
) -> Sample:
    """See a log from a target policy.

    Args:
        log: The log.
        target: A column's name; a frame of `item_id`, `probability` and any of `request_id`, `slate_id`,
            `position`; "uniform"; or "logged", the policy that ran.
        items: Ids, or a frame of `item_id`, that "uniform" chooses from; by default each row's
            `candidate_set`, else all items of the log.
        sequential: Whether probabilities are given the items above, without repeats, as in a slate.
        seed: Root of random numbers, carried along.

    Raises:
        DataError: if probabilities are missing, outside [0, 1] or do not sum to 1, a request of the log has
            none, or ids are of another type than the log's.
    """
    if isinstance(target, str):
        if target in (UNIFORM, LOGGED) and target in log.columns:
            raise DataError(
                f"'{target}' is both a word for a policy and a column of the log", todo="Rename the column."
            )
        if target == LOGGED:
            frame = log.frame.with_columns(nw.col(PROPENSITY_).alias(TARGET))
            return Sample(frame, log.n, None, log.kinds, log.notes, seed)
        if target == UNIFORM:
            return _uniform(log, items, sequential, seed)
        return _column(log, target, seed)
    log = log.collected()
    table = to_polars(target)
    require(table.columns, v.ITEM, PROBABILITY, table="target")
    require(log.columns, v.ITEM, table="log")
    key = tuple(name for name in (v.REQUEST, v.SLATE, v.POSITION) if name in table.columns)
    require(log.columns, *key, table="log")
    rows, table = aligned(log.polars, table.select(*key, v.ITEM, PROBABILITY), [*key, v.ITEM], "target")
    return _distributed(log, rows, Distribution(checked(table, key), key), seed)


def _column(log: Log, column: str, seed: int) -> Sample:
    require(log.columns, column, table="log")
    probability = number(log.frame, column, "target's probability")
    frame = log.frame.with_columns(probability.alias(TARGET))
    e = nw.col(TARGET)
    bad = e.is_null() | e.is_nan() | (e < 0) | (e > 1)
    _refuse(frame, bad, f"Some target probabilities in '{column}' are not in [0, 1]", log.n)
    return Sample(frame, log.n, None, log.kinds, log.notes, seed)


def _refuse(frame: Frame, bad: nw.Expr, what: str, n: int) -> None:
    count = collect(frame.select(nw.when(bad).then(nw.lit(1)).otherwise(nw.lit(0)).sum())).item()
    if count:
        first = f", the first at row {frame.filter(bad).get_column(ROW)[0]}" if ROW in frame.columns else ""
        raise DataError(
            what,
            where=f"{count} of {n} rows{first}",
            todo="Give the target policy's probability of the item that was logged, 0 where it would never show it.",
        )


def _uniform(log: Log, items: Any, sequential: bool, seed: int) -> Sample:
    require(log.columns, v.ITEM, table="log")
    if items is None and CANDIDATES in log.columns:
        log = log.collected()
        return _remaining(log, None, seed) if sequential else _over_candidates(log, seed)
    if items is None:
        known = collect(log.frame.select(v.ITEM).unique().sort(v.ITEM)).get_column(v.ITEM).to_list()
        known = [item for item in known if item is not None]
        note = f"Uniform over the {len(known)} items that the log shows; name others as `items`."
        log = replace(log, notes=(*log.notes, note))
    else:
        known = _ids(items)
    if not known:
        raise DataError("There are no items to choose from uniformly", todo="Give ids as `items`.")
    if sequential:
        return _remaining(log.collected(), known, seed)
    if log.lazy:
        known = _like(log, known)
        share = nw.when(nw.col(v.ITEM).is_in(known)).then(nw.lit(1.0 / len(known))).otherwise(nw.lit(0.0))
        return Sample(log.frame.with_columns(share.alias(TARGET)), log.n, None, log.kinds, log.notes, seed)
    table = pl.DataFrame({v.ITEM: known}).with_columns(pl.lit(1.0 / len(known)).alias(PROBABILITY))
    rows, table = aligned(log.polars, table, [v.ITEM], "items")
    return _distributed(log, rows, Distribution(table, ()), seed)


def _like(log: Log, known: list[Any]) -> list[Any]:
    """Ids of the type that the log has.

    Raises:
        DataError: if ids are text on one side and numbers on the other.
    """
    schema = pl.DataFrame({v.ITEM: known})
    here = collect(log.frame.select(v.ITEM).head(1))
    return aligned(to_polars(here.to_native()), schema, [v.ITEM], "items")[1][v.ITEM].to_list()


def _remaining(log: Log, known: list[Any] | None, seed: int) -> Sample:
    """Uniform among the items that do not stand above in the slate."""
    require(log.columns, v.POSITION, table="log")
    rows = log.polars
    if known is None:
        count, there = pl.col(CANDIDATES).list.len(), pl.col(CANDIDATES).list.contains(pl.col(v.ITEM))
    else:
        rows, table = aligned(rows, pl.DataFrame({v.ITEM: known}), [v.ITEM], "items")
        count, there = pl.lit(len(known)), pl.col(v.ITEM).is_in(table[v.ITEM].implode())
    left = count.cast(pl.Float64) - pl.col(v.POSITION) + 1
    beyond = rows.filter(left < 1)
    if len(beyond):
        raise DataError(
            "Some slates have more places than there are items to choose from",
            where=f"{len(beyond)} rows, the first at row {beyond[ROW][0]}",
            todo="Give all items as `items`.",
        )
    rows = rows.with_columns(pl.when(there).then(1.0 / left).otherwise(0.0).alias(TARGET))
    return Sample(nw.from_native(rows, eager_only=True), log.n, None, log.kinds, log.notes, seed)


def _over_candidates(log: Log, seed: int) -> Sample:
    rows = log.polars
    exploded = rows.select(ROW, CANDIDATES).explode(CANDIDATES).unique().rename({CANDIDATES: v.ITEM})
    table = exploded.with_columns((1.0 / pl.len().over(ROW)).alias(PROBABILITY))
    rows, table = aligned(rows, table, [v.ITEM], CANDIDATES)
    return _distributed(log, rows, Distribution(table, (ROW,)), seed)


def _ids(items: Any) -> list[Any]:
    if isinstance(items, (list, tuple, range)):
        return list(dict.fromkeys(items))
    table = to_polars(items)
    require(table.columns, v.ITEM, table="items")
    return table[v.ITEM].unique(maintain_order=True).to_list()


def checked(table: pl.DataFrame, key: tuple[str, ...], what: str = "target") -> pl.DataFrame:
    """Whole distributions as float64.

    Raises:
        DataError: if a probability is missing or outside [0, 1], an item stands twice, or sums are not 1.
    """
    if not (table.schema[PROBABILITY].is_numeric() or table.is_empty()):
        raise DataError(f"The {what}'s '{PROBABILITY}' is no number", where=str(table.schema[PROBABILITY]))
    table = table.with_columns(pl.col(PROBABILITY).cast(pl.Float64))
    p = pl.col(PROBABILITY)
    bad = table.with_row_index("_at").filter(p.is_null() | p.is_nan() | (p < 0) | (p > 1))
    if len(bad):
        raise DataError(
            f"Some probabilities of the {what} are not in [0, 1]",
            where=f"{len(bad)} of {len(table)} rows, the first at row {bad['_at'][0]}",
            todo="Give each item's probability.",
        )
    twice = int(table.select(*key, v.ITEM).is_duplicated().sum())
    if twice:
        raise DataError(
            f"The {what} names an item twice for one {_place(key)}",
            where=f"{twice} of {len(table)} rows",
            todo="Give each item once, with its whole probability.",
        )
    sums = table.group_by(key, maintain_order=True).agg(p.sum()) if key else table.select(p.sum())
    off = sums.filter((p - 1).abs() > _TOLERANCE)
    if len(off):
        first = ", ".join(f"{name}={off[name][0]!r}" for name in key) or "the one distribution"
        raise DataError(
            f"The probabilities of the {what} do not sum to 1",
            where=f"{len(off)} of {len(sums)} distributions, the first {first}: {off[PROBABILITY][0]:.6g}",
            todo="Give whole distributions; where only the logged item's probability is known, put it into a column "
            "of the log and name that column as the target.",
        )
    return table


def _distributed(log: Log, rows: pl.DataFrame, target: Distribution, seed: int) -> Sample:
    """The sample of a known distribution; what is said of requests that the log does not hold is left out."""
    notes, table, key = log.notes, target.table, target.key
    if key:
        keys = rows.select(key).unique()
        unknown = keys.join(table.select(key).unique(), on=key, how="anti", nulls_equal=True)
        if len(unknown):
            first = ", ".join(f"{name}={unknown[name][0]!r}" for name in key)
            raise DataError(
                f"The target says nothing of some {_place(key)}s of the log",
                where=f"{len(unknown)} of {len(keys)}, such as {first}",
                todo="Give its distribution for each of them, or leave their rows out of the log.",
            )
        kept = table.join(keys, on=key, how="semi", nulls_equal=True)
        if len(kept) < len(table):
            notes = (
                *notes,
                f"{len(table) - len(kept)} rows of the target belong to no {_place(key)} of the log.",
            )
        table = kept
    share = table.rename({PROBABILITY: TARGET})
    found = rows.join(share, on=[*key, v.ITEM], how="left", nulls_equal=True, maintain_order="left")
    frame = nw.from_native(found.with_columns(pl.col(TARGET).fill_null(0.0)), eager_only=True)
    return Sample(frame, log.n, Distribution(table, key), log.kinds, notes, seed)


def _place(key: tuple[str, ...]) -> str:
    return " and ".join(name.removesuffix("_id").removeprefix("_") for name in key) or "policy"
