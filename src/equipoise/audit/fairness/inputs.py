"""Tables in, checked, and reduced on their engine to one row per user: whoever was measured, and who was not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.errors import ConfigError, DataError
from equipoise.metrics import Metric, frames, parse, per_user

SYSTEM: Final = "system"
_SYSTEM_COLUMNS = (SYSTEM, v.STAGE)


@dataclass(frozen=True)
class Note:
    """A documented rule that acted.

    Attributes:
        code: Which rule, as in "users_missing".
        values: What it acted on: counts and names.
    """

    code: str
    values: dict[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """One row per user of the truth, the same users for every system.

    Attributes:
        ids: `user_id`, sorted.
        systems: Names of the systems; one empty name where the recommendations name none.
        metrics: Names of the metrics.
        values: (users, systems, metrics), NaN where a user has no value.
        excluded: By system, `user_id` of the users with a list and without truth.
        notes: What was noticed on the way.
    """

    ids: pl.Series
    systems: tuple[str, ...]
    metrics: tuple[str, ...]
    values: NDArray[np.float64]
    excluded: tuple[pl.Series, ...]
    notes: tuple[Note, ...]

    @property
    def named(self) -> bool:
        """Whether the recommendations name their systems."""
        return self.systems != ("",)


def metrics_by_name(metrics: Mapping[str, Metric] | Sequence[str]) -> dict[str, Metric]:
    """Metrics given as a mapping, or as names such as "ndcg@10".

    Raises:
        ConfigError: if there is none, a name is unknown or given twice, or stands for a column of the tables.
    """
    if isinstance(metrics, str):
        metrics = [metrics]
    named: dict[str, Metric] = (
        dict(metrics) if isinstance(metrics, Mapping) else {name: parse(name) for name in metrics}
    )
    if not named:
        raise ConfigError("There is no metric to compare groups by", todo='Name one, as in "ndcg@10".')
    if len(named) < len(metrics):
        raise ConfigError("A metric is named twice", where=", ".join(metrics), todo="Name each once.")
    for name in named:
        if name in (v.USER, SYSTEM):
            raise ConfigError(f"A metric cannot be called '{name}'", todo="Give it another name.")
    return named


def refuse_reserved(groups: Sequence[str], controls: Sequence[str], metrics: Mapping[str, Metric]) -> None:
    """Refuse attributes with the name of another column of the tables, and users as a control.

    Raises:
        ConfigError: if there is one.
    """
    for name in groups:
        if name in (v.USER, SYSTEM, *metrics):
            raise ConfigError(
                f"An attribute cannot be called '{name}'",
                where="groups",
                todo="Give the column of the users another name.",
            )
    if v.USER in controls:
        raise ConfigError(f"'{v.USER}' cannot be controlled for", where="controls", todo="Leave it out.")


def measure(recommendations: Any, truth: Any, metrics: Mapping[str, Metric]) -> Measured:
    """Values per user and system.

    Args:
        recommendations: Frame of `user_id`, `item_id`, `rank`, and `system` (or `stage`) where there are several.
        truth: Frame of `user_id`, `item_id`.
        metrics: Name to metric.

    Raises:
        DataError: if a column is missing, the truth is empty, a system has no name, gives a user an item or a
            rank twice, or ids are text in one table and numbers in the other.
    """
    shown = frames.read(recommendations, (v.USER, v.ITEM, v.RANK), "recommendations")
    there = shown.collect_schema().names()
    column = next((name for name in _SYSTEM_COLUMNS if name in there), None)
    systems = _systems(shown, column)
    tables: list[pl.DataFrame] = []
    excluded: list[pl.Series] = []
    notes: list[Note] = []
    for name, value in systems:
        lists = shown if column is None else shown.filter(nw.col(column) == value)
        try:
            table = to_polars(per_user(lists.to_native(), truth, metrics))
        except DataError as error:
            if not name:
                raise
            where = f"system '{name}'" + (f", {error.where}" if error.where else "")
            raise DataError(error.what, where=where, todo=error.todo) from error
        tables.append(table)
        listed, told = _lists(
            lists, table[v.USER], max((getattr(m, "k", 1) for m in metrics.values()), default=1)
        )
        excluded.append(listed)
        notes.extend(Note(code, {SYSTEM: name, **said} if name else said) for code, said in told)
    values = np.stack([_numbers(table, metrics) for table in tables], axis=1)
    return Measured(
        tables[0][v.USER],
        tuple(name for name, _ in systems),
        tuple(metrics),
        values,
        tuple(excluded),
        (*_system_notes(tables, values, systems), *notes),
    )


def _systems(shown: Any, column: str | None) -> list[tuple[str, Any]]:
    """Names of the systems, and how the column writes them."""
    if column is None:
        return [("", None)]
    found = frames.collect(shown.select(column).unique()).get_column(column).to_list()
    nameless = [value for value in found if value is None or value == ""]
    if nameless:
        raise DataError(
            "Recommendations have no name of a system",
            where=f"column '{column}'",
            todo="Fill it or drop these rows.",
        )
    if not found:
        raise DataError("The recommendations are empty", where="0 rows")
    return sorted(((str(value), value) for value in found), key=lambda pair: pair[0])


def _lists(
    lists: Any, measured: pl.Series, depth: int
) -> tuple[pl.Series, list[tuple[str, dict[str, int | str]]]]:
    """Users with a list and without truth, and what is to be said of the lists."""
    sizes = to_polars(
        frames.collect(
            lists.group_by(v.USER).agg(
                nw.col(v.RANK).len().alias("places"), nw.col(v.RANK).max().alias("last")
            )
        ).to_native()
    )
    ids, known = _alike(sizes[v.USER], measured)
    told = [
        ("truth_missing", {"users": int((~ids.is_in(known.implode())).sum())}),
        ("recommendations_missing", {"users": int((~known.is_in(ids.implode())).sum())}),
        ("ranks_with_holes", {"users": int((sizes["last"] > sizes["places"]).sum())}),
        ("short_lists", {"users": int((sizes["places"] < depth).sum()), "places": depth}),
    ]
    without = ids.filter(~ids.is_in(known.implode()))
    return without, [(code, dict(said)) for code, said in told if said["users"]]


def _alike(first: pl.Series, second: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Ids of two tables in one type, as `per_user` has already made sure that they can be."""
    if first.dtype == second.dtype:
        return first, second
    kind = pl.Int64 if first.dtype.is_integer() and second.dtype.is_integer() else pl.String
    return first.cast(kind), second.cast(kind)


def _numbers(table: pl.DataFrame, metrics: Mapping[str, Metric]) -> NDArray[np.float64]:
    """Columns of the metrics, (users, metrics)."""
    numbers = table.select(pl.col(list(metrics)).cast(pl.Float64)).to_numpy()
    for column, name in zip(numbers.T, metrics, strict=True):
        if np.isinf(column).any():
            raise DataError(f"The metric '{name}' is infinite", where=f"{int(np.isinf(column).sum())} users")
    return np.asarray(numbers, dtype=np.float64)


def _system_notes(
    tables: Sequence[pl.DataFrame], values: NDArray[np.float64], systems: Sequence[tuple[str, Any]]
) -> list[Note]:
    absent = np.isnan(values)
    if len(tables) > 1 and (absent != absent[:, :1]).any():
        users = int((absent != absent[:, :1]).any(axis=(1, 2)).sum())
        return [Note("system_users_differ", {"users": users, "systems": len(systems)})]
    return []
