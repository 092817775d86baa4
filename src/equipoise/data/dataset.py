"""`Dataset`: events, users and items as three tables, the noun that leaves this folder."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import narwhals as nw
import polars as pl

from equipoise.data import vocabulary as v
from equipoise.errors import DataError


def to_polars(frame: Any) -> pl.DataFrame:
    """Any Narwhals-supported frame (Polars, pandas, DuckDB, PySpark, PyArrow) as an eager Polars frame, by
    way of Arrow.

    Raises:
        DataError: if it is not a frame, a column occurs twice, or one mixes values of several kinds.
    """
    if isinstance(frame, pl.DataFrame):
        return frame
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    native = to_narwhals(frame)
    collected = native.collect(backend="pyarrow") if isinstance(native, nw.LazyFrame) else native
    try:
        arrow = collected.to_arrow()
    except (TypeError, ValueError) as error:  # pandas: a column of objects of several kinds
        raise _mixed(collected, error) from error
    table = pl.from_arrow(arrow.select(collected.columns))  # a pandas index is no column
    assert isinstance(table, pl.DataFrame)
    return table


def to_narwhals(frame: Any) -> nw.DataFrame[Any] | nw.LazyFrame[Any]:
    """A Narwhals view of any frame, eager or lazy.

    Raises:
        DataError: if it is not a frame, or a column occurs twice.
    """
    try:
        return nw.from_native(frame)  # type: ignore[no-any-return]
    except TypeError as error:
        raise DataError(
            f"A table was expected, not {type(frame).__name__}", todo="Pass a data frame."
        ) from error
    except nw.exceptions.DuplicateError as error:
        names = [str(name) for name in frame.columns]
        twice = next((name for name in names if names.count(name) > 1), "")
        raise DataError(
            f"The table has several columns '{twice}'",
            where=f"columns: {', '.join(names)}",
            todo="Give each a name of its own.",
        ) from error


def _mixed(frame: nw.DataFrame[Any], error: Exception) -> DataError:
    for name in frame.columns:
        try:
            frame.select(name).to_arrow()
        except (TypeError, ValueError):
            return DataError(
                f"'{name}' holds values of several kinds",
                where=f"{len(frame)} rows",
                todo="Make all of them numbers, or all of them text.",
            )
    return DataError(f"The table cannot be read: {error}")


@dataclass(frozen=True)
class Dataset:
    """Event log with its users and items.

    Attributes:
        events: One row per event: `user_id`, `item_id`, and of the vocabulary what is known (`timestamp` or
        `order`,
            `event`, `value`, `query`, `slate_id`, `position`, `propensity` ...). `item_id` is null exactly
            for searches.
        users: One row per user, `user_id` and attributes; None when there is none.
        items: One row per item, `item_id` and attributes (texts among them); None when there is none.
        sensitive: Columns of `users` that audits group by.
        text: Columns of `items` that encoders read.
        account: What reading and cleaning did, by reason and row count.
        numbered: Whether `order` was made from the rows' own order, so that it tells no two rows apart.
        images: Columns of `items` that hold images: encoded files (PNG, JPEG ...) as bytes, or their paths.
        numeric: Columns of `items` that encoders read as quantities.
    """

    events: pl.DataFrame
    users: pl.DataFrame | None = None
    items: pl.DataFrame | None = None
    sensitive: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    account: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    numbered: bool = False
    images: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()

    @classmethod
    def from_frames(cls, events: Any, users: Any = None, items: Any = None, **fields: Any) -> Dataset:
        """A dataset from frames of any engine."""
        return cls(
            to_polars(events),
            None if users is None else to_polars(users),
            None if items is None else to_polars(items),
            **fields,
        )

    def __post_init__(self) -> None:
        for column in (v.USER, v.ITEM):
            if column not in self.events.columns:
                raise DataError(
                    f"The events have no column '{column}'",
                    where=f"columns: {', '.join(self.events.columns)}",
                    todo=f'Name the column that holds it under [data.columns], as in {column} = "...".',
                )

    @property
    def positives(self) -> pl.DataFrame:
        """Events that tell of taste: everything but impressions and searches, in the rows' order."""
        return self.events.filter(positive(self.events))

    @property
    def time(self) -> str | None:
        """The column that orders events: `timestamp`, else `order`, else None."""
        return next((column for column in (v.TIMESTAMP, v.ORDER) if column in self.events.columns), None)

    def with_events(self, events: pl.DataFrame) -> Dataset:
        """The same users and items with other events."""
        return replace(self, events=events)


def positive(events: pl.DataFrame) -> pl.Expr:
    """Expression that is true for rows of `events` that tell of taste."""
    if v.EVENT not in events.columns:
        return pl.col(v.ITEM).is_not_null()
    said = (
        pl.col(v.EVENT).is_in(sorted(v.NOT_POSITIVE)).fill_null(False)
    )  # nothing said: an event like any other
    return ~said & pl.col(v.ITEM).is_not_null()
