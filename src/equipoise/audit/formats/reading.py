"""`Reading`: a table of recommendations with what was done to get it, and the rules for its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from equipoise.audit.fairness.inputs import Note
from equipoise.data import vocabulary as v
from equipoise.errors import DataError

SYSTEM: Final = "system"
FAITHFUL: Final = "faithful"
NO_SCORE: Final = -3.4028234663852886e38
"""The least float32: what implicit and others put where there is nothing to recommend."""

_SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    v.USER: ("user", "userid", "uid"),
    v.ITEM: ("item", "itemid", "iid"),
    v.RANK: ("position",),
    v.SCORE: ("scores", "rating", "prediction"),
}
"""What else the columns are called, in lower case and without underscores; the name itself goes first."""


@dataclass(frozen=True)
class Reading:
    """Recommendations as they were read.

    Attributes:
        frame: `user_id`, `item_id`, `rank`, and `score`, `system`, `stage`, `faithful` where they are there.
        format: Name of the format.
        notes: Rules that acted: `columns_renamed`, `ranks_from_zero`, `ranks_from_scores`, `ranks_from_order`,
            `fillers_dropped`.
    """

    frame: pl.DataFrame
    format: str
    notes: tuple[Note, ...] = ()


def reading(table: pl.DataFrame, format: str, where: str, *, ordered: bool = False) -> Reading:
    """The vocabulary's columns of a table, with ranks from 1.

    Rows whose score says that there was nothing to recommend are dropped. Ranks from 0 are raised by 1; where
    there are none they come from the scores, equal ones by item id, or from the rows' order where the format
    says that it tells.

    Args:
        table: Any table with users and items.
        format: Name of the format.
        where: The file, for messages.
        ordered: Whether each user's rows stand in the order of the list.

    Raises:
        DataError: if a column is missing or could be two, or nothing tells the ranks.
    """
    table, notes = _named(table, where)
    keep = pl.col(v.ITEM).is_not_null() & pl.col(v.USER).is_not_null()
    if v.SCORE in table.columns:
        if not table.schema[v.SCORE].is_numeric():
            raise DataError("The scores are no numbers", where=where, todo="Drop them, or give numbers.")
        score = pl.col(v.SCORE).cast(pl.Float64)
        keep &= score.is_null() | (score.is_finite() & (score > NO_SCORE * (1 - 1e-6)))
    fillers = len(table) - len(table := table.filter(keep))
    if not len(table):
        raise DataError(
            "There are no recommendations", where=where, todo="Check that the right file is named."
        )
    if fillers:
        notes.append(Note("fillers_dropped", {"rows": fillers}))
    owner = [*[name for name in (SYSTEM, v.STAGE) if name in table.columns][:1], v.USER]
    if v.RANK in table.columns:
        table, told = _from_one(table, where)
        notes += told
    elif v.SCORE in table.columns and not ordered:
        table = table.sort(*owner, v.SCORE, v.ITEM, descending=[*(False for _ in owner), True, False])
        table = table.with_columns(_place(owner))
        notes.append(Note("ranks_from_scores"))
    elif ordered:
        table = table.with_columns(_place(owner))
        notes.append(Note("ranks_from_order"))
    else:
        raise DataError(
            "Nothing tells the order of the lists",
            where=f"{where}; columns: {', '.join(table.columns)}",
            todo="Add a column 'rank' or 'score'.",
        )
    columns = [v.USER, v.ITEM, v.RANK, v.SCORE, SYSTEM, v.STAGE, FAITHFUL]
    return Reading(table.select(name for name in columns if name in table.columns), format, tuple(notes))


def _place(owner: list[str]) -> pl.Expr:
    return pl.int_range(1, pl.len() + 1).over(owner).alias(v.RANK)


def _from_one(table: pl.DataFrame, where: str) -> tuple[pl.DataFrame, list[Note]]:
    """Ranks as whole numbers from 1."""
    ranks = table[v.RANK].cast(pl.Float64, strict=False)
    wrong = int(
        (ranks.is_null() | ranks.is_nan() | (ranks != ranks.round()) | (ranks < 0)).fill_null(True).sum()
    )
    if wrong:
        raise DataError(
            "Ranks must be whole numbers from 0 or 1", where=f"{where}: {wrong} of {len(table)} rows are not"
        )
    zero = ranks.min() == 0
    whole = ranks.cast(pl.Int64) + int(zero)
    return table.with_columns(whole.alias(v.RANK)), [Note("ranks_from_zero")] if zero else []


def _named(table: pl.DataFrame, where: str) -> tuple[pl.DataFrame, list[Note]]:
    """With the vocabulary's names for the columns that can only be one thing."""
    found: dict[str, str] = {}
    for name, others in _SYNONYMS.items():
        if name in table.columns:
            continue
        alike = [
            column for column in table.columns if column.lower().replace("_", "") in _plain(name, others)
        ]
        if len(alike) > 1:
            raise DataError(
                f"The columns {' and '.join(alike)} could both be '{name}'",
                where=where,
                todo=f"Rename the right one to '{name}'.",
            )
        if alike:
            found[alike[0]] = name
        elif name in (v.USER, v.ITEM):
            raise DataError(
                f"No column is '{name}'",
                where=f"{where}; columns: {', '.join(table.columns)}",
                todo=f"Rename the column that holds it to '{name}'.",
            )
    told = {name: column for column, name in found.items()}
    return table.rename(found), [Note("columns_renamed", dict(told))] if told else []


def _plain(name: str, others: tuple[str, ...]) -> tuple[str, ...]:
    return (name.replace("_", ""), *others)
