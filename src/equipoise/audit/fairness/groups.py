"""Groups of users by their attributes, and strata of users by what is controlled for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.audit.fairness.inputs import Note
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.data.frames import require
from equipoise.errors import ConfigError, DataError
from equipoise.metrics import frames

UNKNOWN: Final = "unknown"
"""Group of users whose attribute is null, NaN or blank, and of users missing from the users table."""
PROFILE_SIZE: Final = "profile_size"
"""The control that is counted from the training events."""
_MOST_GROUPS = 12  # a number with more distinct values is cut into bands
_BANDS = 5


@dataclass(frozen=True)
class Attribute:
    """One way to divide users.

    Attributes:
        name: Column of the users, or several joined by " x ".
        labels: Names of the groups, sorted, and at the end "unknown".
        codes: (users,), place of each user's group in `labels`.
    """

    name: str
    labels: tuple[str, ...]
    codes: NDArray[np.int64]

    @property
    def known(self) -> int:
        """Number of groups that are not "unknown"; their codes come first."""
        return len(self.labels) - 1


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
    table = to_polars(frames.collect(frame.select(v.USER, *dict.fromkeys(columns))).to_native())
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
    joined = first.join(table, on=v.USER, how="left", maintain_order="left")
    rest = table.join(first, on=v.USER, how="anti", maintain_order="left")
    missing = len(first) + len(rest) - len(table)
    notes = [Note("users_missing", {"users": missing})] if missing else []
    return pl.concat([joined, rest.select(joined.columns)]), notes


def attributes(
    users: pl.DataFrame, names: Sequence[str], intersections: int
) -> tuple[list[Attribute], list[Note]]:
    """The attributes and their intersections up to an order.

    Args:
        users: One row per user.
        names: Columns, in the order in which they are to be reported.
        intersections: Largest number of columns that are crossed; 1 for none.

    Raises:
        ConfigError: if there is no attribute, one is named twice, or the order is not a whole number from 1.
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
    labels, notes = [], list[Note]()
    for name in names:
        column, told = _labels(users[name], name)
        labels.append(column.alias(name))
        notes.extend(told)
    labelled = pl.DataFrame(labels)
    found = []
    for order in range(1, min(intersections, len(names)) + 1):
        for crossed in combinations(names, order):
            found.append(_crossed(labelled, crossed))
    return found, notes


def _crossed(labelled: pl.DataFrame, crossed: Sequence[str]) -> Attribute:
    """An attribute, or an intersection: unknown where any part of it is."""
    joined = labelled.select(pl.concat_str(crossed, separator=" x ")).to_series()
    labels = sorted(joined.drop_nulls().unique().to_list(), key=_in_order)
    place = pl.DataFrame(
        {"label": labels, "code": np.arange(len(labels))}, schema={"label": pl.String, "code": pl.Int64}
    )
    codes = pl.DataFrame({"label": joined}).join(place, on="label", how="left", maintain_order="left")["code"]
    return Attribute(" x ".join(crossed), (*labels, UNKNOWN), codes.fill_null(len(labels)).to_numpy())


def _in_order(label: str) -> list[tuple[float, str]]:
    """Bands by their numbers, all else by name."""
    numbers = [re.match(r"\[?(-?\d+(?:\.\d+)?)", part) for part in label.split(" x ")]
    return [
        (float(n[1]) if n else float("inf"), part)
        for n, part in zip(numbers, label.split(" x "), strict=True)
    ]


def _labels(column: pl.Series, name: str) -> tuple[pl.Series, list[Note]]:
    """Groups as text, null where unknown; what was noticed."""
    if column.dtype.is_nested() or column.dtype in (pl.Object, pl.Binary):
        raise DataError(f"The column '{name}' of the users is no attribute", where=str(column.dtype))
    notes: list[Note] = []
    if column.dtype.is_numeric():
        column = _whole(column)
        if column.drop_nulls().n_unique() > _MOST_GROUPS:
            column = _bands(column)
            notes.append(Note("banded", {"attribute": name, "bands": column.drop_nulls().n_unique()}))
    text = column.cast(pl.String).str.strip_chars()
    text = text.set(text.is_in(["", UNKNOWN]).fill_null(False), None)
    if text.null_count():
        notes.insert(0, Note("attribute_missing", {"attribute": name, "users": text.null_count()}))
    return text, notes


def _whole(column: pl.Series) -> pl.Series:
    """Numbers without NaN, as integers where all are whole: 25.0 and 25 are one group in every engine."""
    if column.dtype.is_integer():
        return column
    column = column.cast(pl.Float64).fill_nan(None)
    column = column.set(column.is_infinite().fill_null(False), None)
    whole = bool((column.drop_nulls() == column.drop_nulls().floor()).all())
    return column.cast(pl.Int64) if whole else column


def _bands(column: pl.Series) -> pl.Series:
    """Numbers cut at their quintiles: "18-24" for whole numbers, else "[0.1, 0.5)"."""
    numbers = np.sort(column.drop_nulls().to_numpy())
    starts = np.unique(numbers[[len(numbers) * band // _BANDS for band in range(_BANDS)]])
    ends = [*starts[1:], numbers[-1]]
    if column.dtype.is_integer():
        pairs = [
            (int(a), int(b) - (i < len(starts) - 1))
            for i, (a, b) in enumerate(zip(starts, ends, strict=True))
        ]
        names = [f"{a}-{b}" if a < b else str(a) for a, b in pairs]
    else:
        close = [")"] * (len(starts) - 1) + ["]"]
        names = [f"[{a:.4g}, {b:.4g}{c}" for a, b, c in zip(starts, ends, close, strict=True)]
    place = np.searchsorted(starts, column.fill_null(starts[0]).to_numpy(), side="right") - 1
    bands = pl.Series(column.name, np.array(names, dtype=object)[place].tolist(), dtype=pl.String)
    return bands.set(column.is_null(), None)


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
    labels = []
    for name in controls:
        column = _profile_sizes(users, train) if name == PROFILE_SIZE else users[name]
        labels.append(_labels(column, name)[0].fill_null(UNKNOWN).alias(name))
    joined = pl.DataFrame(labels).select(pl.concat_str(controls, separator=" x ")).to_series()
    return np.unique(joined.to_numpy(), return_inverse=True)[1].ravel().astype(np.int64)


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
    joined: pl.DataFrame = wanted.to_native().join(
        known.to_native(), on=v.USER, how="left", maintain_order="left"
    )
    return joined[PROFILE_SIZE].fill_null(0).cast(pl.Int64)
