"""Frames in, checked: the columns are there, ids are of one type, nothing counts twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from equipoise.data import vocabulary as v
from equipoise.errors import DataError

Frame = Any  # nw.DataFrame | nw.LazyFrame: the expressions below are the same for both


def read(native: Any, columns: Sequence[str], table: str) -> Frame:
    """A Narwhals frame that has these columns.

    Raises:
        DataError: if it is no frame, or a column is missing.
    """
    try:
        frame: Frame = nw.from_native(native)
    except TypeError as error:
        raise DataError(
            f"The {table} are a {type(native).__name__}, not a table", todo="Pass a data frame."
        ) from error
    if frame.implementation.is_pyarrow():  # has no windows over groups
        frame = nw.from_native(pl.DataFrame(pl.from_arrow(native)), eager_only=True)
    there = frame.collect_schema().names()
    missing = [column for column in columns if column not in there]
    if missing:
        raise DataError(
            f"The {table} have no column '{missing[0]}'",
            where=f"columns: {', '.join(there)}",
            todo=f"Rename the column that holds it to '{missing[0]}'.",
        )
    return frame


def collect(frame: Frame) -> nw.DataFrame[Any]:
    """The rows themselves: eager frames stay what they are, lazy engines give Polars."""
    if not isinstance(frame, nw.LazyFrame):
        return frame  # type: ignore[no-any-return]
    if frame.implementation.is_spark_like():  # results leave Spark as Arrow
        arrow = frame.collect(backend="pyarrow").to_native()
        return nw.from_native(pl.DataFrame(pl.from_arrow(arrow)), eager_only=True)
    return frame.collect(backend="polars")


def together(left: Frame, right: Frame) -> tuple[Frame, Frame]:
    """Both frames on one engine, with user and item ids of one type, so that they can be joined.

    Raises:
        DataError: if ids are text on one side and numbers on the other.
    """
    if left.implementation is not right.implementation or type(left) is not type(right):
        left, right = (
            nw.from_native(pl.DataFrame(pl.from_arrow(collect(side).to_arrow()))) for side in (left, right)
        )
    here, there = left.collect_schema(), right.collect_schema()
    for column in (v.USER, v.ITEM):
        if column not in here or column not in there or here[column] == there[column]:
            continue
        kinds = (_kind(here[column]), _kind(there[column]))
        if kinds[0] != kinds[1]:
            raise DataError(
                f"'{column}' is {kinds[0]} in one table and {kinds[1]} in the other",
                where=f"{here[column]} and {there[column]}",
                todo="Give both tables ids of the same type.",
            )
        dtype = nw.Int64 if kinds[0] == "a whole number" else nw.String if kinds[0] == "text" else None
        if dtype is not None:
            left = left.with_columns(nw.col(column).cast(dtype))
            right = right.with_columns(nw.col(column).cast(dtype))
    return left, right


def _kind(dtype: Any) -> str:
    if dtype.is_integer():
        return "a whole number"
    if dtype in (nw.String, nw.Categorical, nw.Enum, nw.Object):
        return "text"
    return str(dtype)


def recommendations(native: Any) -> Frame:
    """Recommendation table with `user_id`, `item_id`, `rank`, checked.

    Ranks may have holes (a filtered list keeps its ranks: a rank is the place where the user saw the item).

    Raises:
        DataError: if a column is missing or has nulls, a rank is no whole number from 1, a user has one item
        twice, or one rank twice.
    """
    frame = read(native, (v.USER, v.ITEM, v.RANK), "recommendations").select(v.USER, v.ITEM, v.RANK)
    kind = frame.collect_schema()[v.RANK]
    if not kind.is_numeric():
        raise DataError(
            "The ranks of the recommendations are no numbers",
            where=f"column '{v.RANK}', {kind}",
            todo="Ranks are whole numbers from 1.",
        )
    facts = collect(
        frame.select(
            rows=nw.len(),
            users=nw.col(v.USER).null_count(),
            items=nw.col(v.ITEM).null_count(),
            ranks=nw.col(v.RANK).null_count(),
            broken=nw.when(nw.col(v.RANK) % 1 == 0).then(nw.lit(0)).otherwise(nw.lit(1)).sum(),  # NaN too
            first=nw.col(v.RANK).min(),
        )
    ).rows(named=True)[0]
    for column, nulls in ((v.USER, facts["users"]), (v.ITEM, facts["items"]), (v.RANK, facts["ranks"])):
        if nulls:
            raise DataError(
                f"The recommendations have no value in '{column}'",
                where=f"{nulls} of {facts['rows']} rows",
                todo="Drop these rows or fill them.",
            )
    if facts["broken"]:  # None of no rows
        raise DataError(
            "The recommendations have ranks that are no whole numbers",
            where=f"{facts['broken']} of {facts['rows']} rows",
            todo="Ranks are whole numbers from 1.",
        )
    if facts["rows"] and facts["first"] < 1:
        raise DataError(f"A rank of {facts['first']} stands in the recommendations", todo="Ranks begin at 1.")
    # One pass over the lists: distinct pairs of a large table cost more than distinct values of each user.
    lists = frame.group_by(v.USER).agg(nw.col(v.ITEM).n_unique(), nw.col(v.RANK).n_unique())
    distinct = collect(lists.select(nw.col(v.ITEM).sum(), nw.col(v.RANK).sum())).rows(named=True)[0]
    ties = "Where scores tie, decide by a stated rule, such as the item id."
    for key, words, advice in (
        (v.ITEM, "item", "once per user."),
        (v.RANK, "rank", f"once per user. {ties}"),
    ):
        many = facts["rows"] - int(distinct[key] or 0)
        if many:
            raise DataError(
                f"The recommendations give a user the same {words} twice",
                where=f"{many} rows too many",
                todo=f"Give one system at a time, each {words} {advice}",
            )
    return frame


def truth(native: Any) -> Frame:
    """Distinct `user_id`, `item_id` of the truth; rows that repeat count once, rows without an item
    (searches) not at all.
    """
    frame = read(native, (v.USER, v.ITEM), "truth").select(v.USER, v.ITEM)
    return frame.filter(~nw.col(v.USER).is_null() & ~nw.col(v.ITEM).is_null()).unique()


def _rows(frame: Frame) -> int:
    return int(collect(frame.select(nw.len())).item())


def numbers(frame: nw.DataFrame[Any], column: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A column as float64; nulls become NaN."""
    return frame.get_column(column).cast(nw.Float64).to_numpy().astype(np.float64)
