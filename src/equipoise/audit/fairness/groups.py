"""Groups of users by their attributes, and strata of users by what is controlled for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.audit.fairness.inputs import Note
from equipoise.audit.fairness.labels import coded, joined
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.data.frames import require
from equipoise.data.vocabulary import UNKNOWN
from equipoise.errors import ConfigError, DataError
from equipoise.metrics import frames

Ints = NDArray[np.int64]

PROFILE_SIZE: Final = "profile_size"
"""The control that is counted from the training events."""


@dataclass(frozen=True)
class Attribute:
    """One way to divide users.

    Attributes:
        name: Column of the users, or several joined by " x ".
        labels: Names of the groups, in order, and at the end "unknown".
        codes: (users,), place of each user's group in `labels`.
        parts: Columns of the users that it is made of; several for an intersection.
        cells: Of every known group, its label by each of the parts.
    """

    name: str
    labels: tuple[str, ...]
    codes: Ints
    parts: tuple[str, ...] = ()
    cells: tuple[tuple[str, ...], ...] = ()

    @property
    def known(self) -> int:
        """Number of groups that are not "unknown"; their codes come first."""
        return len(self.labels) - 1

    @property
    def crossed(self) -> bool:
        """Whether it is an intersection of several columns."""
        return len(self.parts) > 1

    @property
    def lines(self) -> list[list[int]]:
        """Known groups of an intersection that share the values of some of its parts, and so have a total
        that a table of these parts tells; none for a column by itself.
        """
        found: dict[tuple[Any, ...], list[int]] = {}
        for order in range(1, len(self.parts)):
            for shared in combinations(range(len(self.parts)), order):
                for place, cell in enumerate(self.cells):
                    found.setdefault((shared, *(cell[part] for part in shared)), []).append(place)
        return list(found.values())


def users_table(users: Any, columns: Sequence[str], ids: pl.Series) -> tuple[pl.DataFrame, list[Note]]:
    """The users of `ids` in their order and then all others of the users table, with columns of that table.

    Args:
        users: Frame of `user_id` and attributes, one row per user.
        columns: Columns that are wanted.
        ids: Users measured or left out, each once.

    Returns:
        Frame of `user_id` and the columns, null for users that the table does not have; and a note on these.

    Raises:
        DataError: if a column or a user's id is missing, or a user stands in the table twice.
    """
    frame = frames.read(users, (v.USER,), "users")
    require(frame.collect_schema().names(), *columns, table="users table")
    rows = frames.collect(frame.select(v.USER, *dict.fromkeys(columns)))
    table = pl.DataFrame([_column(rows, name) for name in rows.columns])
    if table[v.USER].null_count():
        raise DataError(
            "The users table has rows without a 'user_id'",
            where=f"{table[v.USER].null_count()} of {len(table)} rows",
            todo="Drop these rows.",
        )
    twice = len(table) - table[v.USER].n_unique()
    if twice:
        example = table.filter(pl.col(v.USER).is_duplicated())[v.USER][0]
        raise DataError(
            f"The users table has a user twice, such as {example}",
            where=f"{twice} rows too many",
            todo="Keep one row per user.",
        )
    wanted, known = frames.together(
        *(frames.read(f, (v.USER,), "users") for f in (pl.DataFrame({v.USER: ids}), table))
    )
    first, table = wanted.to_native(), known.to_native()
    there = first.join(table, on=v.USER, how="left", maintain_order="left")
    rest = table.join(first, on=v.USER, how="anti", maintain_order="left")
    missing = len(first) + len(rest) - len(table)
    notes = [Note("users_missing", {"users": missing})] if missing else []
    return pl.concat([there, rest.select(there.columns)]), notes


def _column(rows: nw.DataFrame[Any], name: str) -> pl.Series:
    """A column of the users in Polars."""
    try:
        return to_polars(rows.select(name).to_native())[name]
    except (TypeError, ValueError) as error:  # Arrow's own errors are among them
        raise DataError(
            f"The column '{name}' of the users holds values of several types",
            where=str(error).split("\n")[0],
            todo="Make them all text, or all numbers.",
        ) from error


def attributes(
    users: pl.DataFrame, names: Sequence[str], intersections: int
) -> tuple[list[Attribute], list[Note]]:
    """The attributes and their intersections up to an order.

    Args:
        users: One row per user.
        names: Columns, in the order in which they are to be reported.
        intersections: Largest number of columns that are crossed; 1 for none.

    Raises:
        ConfigError: if there is no attribute, one is named twice or as an intersection is, or the order is not
            a whole number from 1.
    """
    if isinstance(names, str) or not names or len(set(names)) < len(names):
        raise ConfigError(
            "Groups are a list of different columns of the users",
            where=f"{names!r}",
            todo='As in ["gender", "age"].',
        )
    if isinstance(intersections, bool) or not isinstance(intersections, int) or intersections < 1:
        raise ConfigError(
            f"The order of intersections is {intersections!r}", todo="Give a whole number from 1."
        )
    columns, notes = [], list[Note]()
    for name in names:
        labels, codes, told = coded(users[name], name)
        columns.append((name, labels, codes))
        notes.extend(told)
    orders = range(1, min(intersections, len(names)) + 1)
    found = [_crossed(chosen) for order in orders for chosen in combinations(columns, order)]
    called = [attribute.name for attribute in found]
    twice = next((name for name in called if called.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(
            f"A column and an intersection are both called '{twice}'",
            where="groups",
            todo="Give the column another name.",
        )
    return found, notes


def _crossed(columns: Sequence[tuple[str, list[str], Ints]]) -> Attribute:
    """An attribute, or an intersection: unknown where any part of it is."""
    parts = tuple(name for name, _, _ in columns)
    codes = np.stack([own for _, _, own in columns], axis=1)
    known = (codes >= 0).all(axis=1)
    cells, place = np.unique(codes[known], axis=0, return_inverse=True)
    found = np.full(len(codes), len(cells), dtype=np.int64)
    found[known] = place.ravel()
    named = tuple(
        tuple(labels[code] for (_, labels, _), code in zip(columns, cell, strict=True))
        for cell in cells.tolist()
    )
    return Attribute(joined(parts), (*(joined(cell) for cell in named), UNKNOWN), found, parts, named)


def strata(users: pl.DataFrame, controls: Sequence[str], train: Any = None) -> NDArray[np.int64]:
    """Stratum of each user: every combination of the controls, numbers with many values cut at their quintiles.

    Args:
        users: One row per user, with the columns of all controls but `profile_size`.
        controls: Columns, or "profile_size": the number of training events.
        train: Training events, a frame of `user_id`; needed for `profile_size`.

    Returns:
        (users,), from 0 without holes.

    Raises:
        ConfigError: if `profile_size` is asked for without training events.
    """
    if not controls:
        return np.zeros(len(users), dtype=np.int64)
    codes = [
        coded(_profile_sizes(users, train) if name == PROFILE_SIZE else users[name], name)[1]
        for name in dict.fromkeys(controls)
    ]
    return np.unique(np.stack(codes, axis=1), axis=0, return_inverse=True)[1].ravel().astype(np.int64)


def _profile_sizes(users: pl.DataFrame, train: Any) -> pl.Series:
    if train is None:
        raise ConfigError(
            f"The control '{PROFILE_SIZE}' is counted from the training events, and there are none",
            where="controls",
            todo="Pass them as train=..., or name a column of the users.",
        )
    frame = frames.read(train, (v.USER,), "training events")
    sizes = to_polars(frames.collect(frame.group_by(v.USER).agg(nw.len().alias(PROFILE_SIZE))).to_native())
    wanted, known = frames.together(
        *(frames.read(f, (v.USER,), "users") for f in (users.select(v.USER), sizes))
    )
    counted: pl.DataFrame = wanted.to_native().join(
        known.to_native(), on=v.USER, how="left", maintain_order="left"
    )
    return counted[PROFILE_SIZE].fill_null(0).cast(pl.Int64)
