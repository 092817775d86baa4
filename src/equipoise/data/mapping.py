"""From a source's own columns to the vocabulary: rename, check types, make ids agree between tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from equipoise.data import vocabulary as v
from equipoise.data.dataset import Dataset
from equipoise.data.words import ids, kinds
from equipoise.errors import DataError, nearest

ROW = "(row)"
"""`order = "(row)"` under `[data.columns]`: the rows stand in the order in which the events happened."""

_NUMBERS = (v.VALUE, v.PROPENSITY, v.REWARD)
_WHOLE = (v.POSITION, v.ORDER)
_WORDS = (v.QUERY, v.POLICY)
_IDS = (v.USER, v.ITEM, v.REQUEST, v.SLATE)
_UNITS = (
    (1e17, "ns"),
    (1e14, "us"),
    (1e11, "ms"),
)  # a number of seconds as large would lie after the year 5000


def map_events(
    raw: pl.DataFrame,
    columns: Mapping[str, str] | None = None,
    *,
    event: str | None = None,
    where: str = "events",
) -> pl.DataFrame:
    """An event table in the vocabulary; columns that it does not name are kept as they are.

    Kinds of events are told in whatever case and number (`Impressions`, `shown`); ids such as `NULL` are
    missing.

    Args:
        raw: The table as it was read.
        columns: Vocabulary name -> column of `raw`; `order = "(row)"` takes the order of the rows.
        event: What every row is ("click"), where no column says it.
        where: The source, for messages.

    Raises:
        DataError: if a column is missing or holds values of another type.
    """
    wanted = dict(columns or {})
    if wanted.get(v.ORDER) == ROW:
        del wanted[v.ORDER]
        raw = raw.drop(v.ORDER, strict=False).with_row_index(v.ORDER)
    table = rename(raw, wanted, where)
    if event is not None:
        table = table.with_columns(pl.lit(event).alias(v.EVENT))
    if v.EVENT in table.columns:
        table = table.with_columns(kinds(table[v.EVENT]))
    if event is not None and (table[v.EVENT] == v.SEARCH).all():
        _require(table, v.QUERY, where)
        table = table.with_columns(pl.lit(None).alias(v.ITEM))
    for column in (v.USER, v.ITEM):
        _require(table, column, where)
    table = _with_types(table, where)
    if v.QUERY in table.columns and v.EVENT not in table.columns:
        search = pl.col(v.ITEM).is_null() & pl.col(v.QUERY).is_not_null()
        table = table.with_columns(
            pl.when(search).then(pl.lit(v.SEARCH)).otherwise(pl.lit(v.VIEW)).alias(v.EVENT)
        )
    if v.EVENT in table.columns:  # a search has a query and no item
        search = pl.col(v.EVENT) == v.SEARCH
        table = table.with_columns(pl.when(search).then(None).otherwise(pl.col(v.ITEM)).alias(v.ITEM))
    known = [c for c in (v.USER, v.ITEM, v.TIMESTAMP, v.ORDER, v.EVENT, v.VALUE) if c in table.columns]
    return table.select(*known, pl.exclude(known))


def stack_events(tables: Sequence[pl.DataFrame], names: Sequence[str]) -> pl.DataFrame:
    """Several event tables as one; each must say what its events are, or none.

    Raises:
        DataError: if only some of the tables say so, or only some have a time.
    """
    if len(tables) == 1:
        return tables[0]
    for column, advice in (
        (v.EVENT, 'Give the entry an event, as in {path = "clicks.csv", event = "click"}.'),
        (v.TIMESTAMP, "Name its time column under `columns` of the entry, or leave the time out everywhere."),
    ):
        without = [name for table, name in zip(tables, names, strict=True) if column not in table.columns]
        if 0 < len(without) < len(tables):
            raise DataError(
                f"Some event sources have no '{column}' and others do", where=", ".join(without), todo=advice
            )
    if any(v.TIMESTAMP in t.columns and t.schema[v.TIMESTAMP].is_temporal() for t in tables):
        tables = [_as_datetime(table) for table in tables]
    clashing = {
        name
        for name in {name for table in tables for name in table.columns}
        if len(
            {t.schema[name].is_numeric() for t in tables if name in t.columns and t.schema[name] != pl.Null}
        )
        > 1
    }
    tables = [t.cast(dict.fromkeys(clashing & set(t.columns), pl.String)) for t in tables]
    return pl.concat(tables, how="diagonal_relaxed")


def map_table(
    raw: pl.DataFrame, key: str, columns: Mapping[str, str] | None = None, where: str = ""
) -> pl.DataFrame:
    """A users or items table with its id under the vocabulary's name.

    Of `columns`, only what the table has is renamed, except the id, which must be there.
    """
    wanted = {
        name: column for name, column in (columns or {}).items() if column in raw.columns and name != v.ORDER
    }
    other = v.ITEM if key == v.USER else v.USER
    table = rename(raw, {name: column for name, column in wanted.items() if name != other}, where)
    _require(table, key, where, hint=(columns or {}).get(key))
    return table.select(ids(table[key]), pl.exclude(key))


def assemble(
    events: pl.DataFrame,
    users: pl.DataFrame | None = None,
    items: pl.DataFrame | None = None,
    *,
    sensitive: Iterable[str] = (),
    text: Iterable[str] = (),
    numbered: bool = False,
    images: Iterable[str] = (),
    numeric: Iterable[str] = (),
) -> Dataset:
    """The dataset of three mapped tables: ids of one type, all named columns there, and the count of what was
    read.

    Raises:
        DataError: if a sensitive, text, image or numeric column is not in its table, or holds something else.
    """
    sensitive, text, images, numeric = tuple(sensitive), tuple(text), tuple(images), tuple(numeric)
    of_items = (text, items, "items"), (images, items, "items"), (numeric, items, "items")
    for names, table, what in ((sensitive, users, "users"), *of_items):
        for name in names:
            if table is None:
                raise DataError(
                    f"There is no {what} table to hold '{name}'", todo=f"Name one as `{what}` under [data]."
                )
            _require(table, name, what)
    if items is not None:
        _hold(items, images, "images, as bytes or as paths", pl.Binary, pl.String)
        _hold(items, numeric, "numbers", *pl.datatypes.group.NUMERIC_DTYPES)
    tables = {"events": events, "users": users, "items": items}
    for key in (v.USER, v.ITEM):
        tables = _agree(tables, key)
    account = tuple(
        {"step": "read", "reason": "read", "table": name, "dropped": 0, "kept": len(table)}
        for name, table in tables.items()
        if table is not None
    )
    assert tables["events"] is not None
    return Dataset(
        tables["events"],
        tables["users"],
        tables["items"],
        sensitive,
        text,
        account,
        numbered,
        images,
        numeric,
    )


def rename(raw: pl.DataFrame, columns: Mapping[str, str], where: str) -> pl.DataFrame:
    """The table with columns renamed, vocabulary name -> column; a column in the way becomes
    `<name>_unmapped`.

    Raises:
        DataError: if a column is not there.
    """
    for name, column in columns.items():
        if column not in raw.columns:
            raise DataError(
                f"There is no column '{column}' for '{name}'", where=where, todo=nearest(column, raw.columns)
            )
        twice = [other for other, taken in columns.items() if taken == column and other != name]
        if twice:
            raise DataError(
                f"The column '{column}' is named for both '{name}' and '{twice[0]}'",
                where=where,
                todo="Name another column for one of them.",
            )
    targets = {column: name for name, column in columns.items() if column != name}
    in_the_way = [name for name in targets.values() if name in raw.columns and name not in targets]
    return raw.rename({name: f"{name}_unmapped" for name in in_the_way}).rename(targets)


def to_time(column: pl.Series, where: str = "events") -> pl.Series:
    """Times as seconds since 1970 or UTC datetimes.

    Text is parsed (ISO 8601 and its common kin); numbers over 1e11 are milli-, micro- or nanoseconds; numbers
    of
    seconds stay numbers; datetimes without a zone are UTC.

    Raises:
        DataError: if a text is no time.
    """
    dtype = column.dtype
    if dtype == pl.String:
        parsed = _parse_time(column)
        _check(column, parsed, where, "times")
        return parsed
    if isinstance(dtype, pl.Datetime):
        column = (
            column.dt.replace_time_zone("UTC")
            if dtype.time_zone is None
            else column.dt.convert_time_zone("UTC")
        )
        return column.cast(pl.Datetime("us", "UTC"))
    if dtype == pl.Date:
        return column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if dtype.is_numeric():
        finite = column.drop_nulls()
        middle = finite.median()
        for bound, unit in _UNITS:
            if isinstance(middle, (int, float)) and middle > bound:
                factor = {"ns": 1e-3, "us": 1.0, "ms": 1e3}[unit]
                return (column * factor).cast(pl.Int64).cast(pl.Datetime("us", "UTC")).alias(column.name)
        return column
    raise DataError(
        f"Column '{column.name}' holds {dtype}, not times", where=where, todo="Name another column."
    )


def _with_types(table: pl.DataFrame, where: str) -> pl.DataFrame:
    changed: list[pl.Series] = []
    for name in (*_NUMBERS, *_WHOLE):
        if name in table.columns:
            cast = table[name].cast(pl.Float64, strict=False)
            _check(table[name], cast, where, "numbers")
            changed.append(cast.cast(pl.Int64, strict=False) if name in _WHOLE else cast)
    changed += [table[name].cast(pl.String) for name in _WORDS if name in table.columns]
    changed += [ids(table[name]) for name in _IDS if name in table.columns]
    if v.TIMESTAMP in table.columns:
        changed.append(to_time(table[v.TIMESTAMP], where))
    return table.with_columns(changed)


def _parse_time(column: pl.Series) -> pl.Series:
    best: pl.Series | None = None
    zoned = column.str.contains(r"(Z|[+-]\d\d:?\d\d)$").any()
    for form in (
        ("%+", "%Y-%m-%d %H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M:%S%.f%#z")
        if zoned
        else (
            "%Y-%m-%d %H:%M:%S%.f",
            "%Y-%m-%dT%H:%M:%S%.f",
            "%Y-%m-%d %H:%M",
            "%Y/%m/%d %H:%M:%S",
            "%Y-%m-%d",
            "%Y/%m/%d",
            "%d.%m.%Y %H:%M:%S",
            "%d.%m.%Y",
        )
    ):
        wanted = pl.Datetime("us", "UTC") if zoned else pl.Datetime("us")
        try:
            parsed = column.str.strptime(wanted, form, strict=False)
        except pl.exceptions.PolarsError:
            continue
        if best is None or parsed.null_count() < best.null_count():
            best = parsed
    assert best is not None
    return best if zoned else best.dt.replace_time_zone("UTC")


def _as_datetime(table: pl.DataFrame) -> pl.DataFrame:
    if v.TIMESTAMP in table.columns and table.schema[v.TIMESTAMP].is_numeric():
        return table.with_columns((pl.col(v.TIMESTAMP) * 1e6).cast(pl.Int64).cast(pl.Datetime("us", "UTC")))
    return table


def _check(before: pl.Series, after: pl.Series, where: str, what: str) -> None:
    wrong = (before.is_not_null() & after.is_null()).arg_true()
    if len(wrong):
        row = int(wrong[0])
        raise DataError(
            f"Column '{before.name}' should hold {what}, and {len(wrong):,} of {len(before):,} rows do not",
            where=f"{where}, first in row {row + 1}: {before[row]!r}",
            todo="Correct them, or name another column.",
        )


def _agree(tables: dict[str, pl.DataFrame | None], key: str) -> dict[str, pl.DataFrame | None]:
    holding = {name: table for name, table in tables.items() if table is not None and key in table.columns}
    whole = {name: _whole_ids(table[key]) for name, table in holding.items()}
    dtype = pl.Int64 if all(i.dtype in (pl.Int64, pl.Null) for i in whole.values()) else pl.String
    agreed = {name: table.with_columns(whole[name].cast(dtype)) for name, table in holding.items()}
    return {name: agreed.get(name, table) for name, table in tables.items()}


def _whole_ids(column: pl.Series) -> pl.Series:
    if column.dtype.is_integer():
        return column.cast(pl.Int64)
    if column.dtype.is_float() and (column.drop_nulls() % 1 == 0).all():  # whole numbers beside missing ones
        return column.cast(pl.Int64)
    return column if column.dtype in (pl.String, pl.Null) else column.cast(pl.String)


def _hold(items: pl.DataFrame, columns: Iterable[str], what: str, *kinds: Any) -> None:
    """Refuse columns of other types, save those that hold nothing at all."""
    for name in columns:
        if items.schema[name] not in (*kinds, pl.Null):
            raise DataError(
                f"Column '{name}' should hold {what}",
                where=f"items: its type is {items.schema[name]}",
                todo="Name another column under [data].",
            )


def _require(table: pl.DataFrame, column: str, where: str, hint: str | None = None) -> None:
    if column not in table.columns:
        raise DataError(
            f"There is no column '{hint or column}'",
            where=where,
            todo=f"{nearest(hint or column, table.columns)} "
            f'Name it under [data.columns], as in {column} = "...".',
        )
