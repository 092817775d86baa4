"""The `[data]` section: where events, users and items lie, and how they are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from equipoise.component import Component
from equipoise.data import vocabulary as v
from equipoise.data.databases import shown
from equipoise.data.dataset import Dataset
from equipoise.data.formats import FORMATS
from equipoise.data.formats.generic import Generic
from equipoise.data.mapping import ROW, assemble, map_events, map_table, stack_events
from equipoise.data.sources import read_table
from equipoise.errors import ConfigError, DataError, nearest

_WORDS = frozenset(
    {v.USER, v.ITEM, v.TIMESTAMP, v.ORDER, v.EVENT, v.VALUE, v.QUERY, v.REQUEST, v.SLATE, v.POSITION}
) | {
    v.PROPENSITY,
    v.POLICY,
    v.REWARD,
}  # what `columns` names in events; others are attributes of users or items


class TableSource(BaseModel):
    """A table with columns of its own: `{path = "products.csv", columns = {item_id = "id"}}`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    path: str
    """File, folder, web address or database (`sqlite:///shop.db#clicks`)."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Vocabulary name -> this table's column; stands over `[data.columns]`."""


class EventSource(TableSource):
    """One of several sources of events: an entry of the list `events`."""

    event: str | None = None
    """What each of its rows is: "click", "purchase", "search" ... Needless where a column says it."""


class Source(Component):
    """What `[data]` says: a ready format and its folder, or tables and their columns."""

    name: ClassVar[str] = "data"

    format: str = "generic"
    """A ready format (`movielens`, `coat`, `open-bandit`, `amazon-reviews`, `s3rec`), or `generic`."""
    path: str | None = None
    """The folder that a ready format reads; for `generic`, one with tables `events`, `users`, `items`."""
    events: str | list[str | EventSource] | None = None
    """File, folder, web address or database of the events, or a list of them."""
    users: str | list[str] | TableSource | None = None
    """The same for users; several are parts of one table."""
    items: str | list[str] | TableSource | None = None
    """The same for items."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Vocabulary name -> column of the files, as in `user_id = "customer"`.

    `order = "(row)"` says that the rows stand in the order in which the events happened."""
    sensitive: list[str] | None = None
    """Columns of the users that audits group by; None takes the format's own."""
    text: list[str] | None = None
    """Columns of the items that encoders read; None takes the format's own."""
    images: list[str] | None = None
    """Columns of the items with images, as bytes of PNG, JPEG, WebP, GIF or BMP files or as paths, which start from the
    folder of the items; the first that can be read is the item's image."""
    numeric: list[str] | None = None
    """Columns of the items that are quantities: prices, lengths, years."""


def read(source: Source) -> Dataset:
    """The dataset that a `[data]` section describes.

    Raises:
        ConfigError: if the format does not exist, or the section names no source.
        DataError: if a source is missing, empty, or lacks a column.
    """
    if source.format != "generic":
        data = _read_format(source)
    else:
        found = {} if source.path is None else Generic.locate(Path(source.path).expanduser())
        data = _read_tables(source.model_copy(update=found))
    return assemble(
        data.events,
        data.users,
        _with_places(data.items, source.images or (), _folder_of_items(source)),
        sensitive=data.sensitive if source.sensitive is None else source.sensitive,
        text=data.text if source.text is None else source.text,
        numbered=data.numbered,
        images=source.images or (),
        numeric=source.numeric or (),
    )


def _read_format(source: Source) -> Dataset:
    reader = FORMATS.build(source.format)
    folder = source.path if source.path is not None else source.events
    if not isinstance(folder, str):
        raise ConfigError(
            f"The format '{source.format}' reads one folder", todo='Give `path = "folder"` under [data].'
        )
    if not Path(folder).expanduser().is_dir():
        raise DataError("There is no such folder", where=folder, todo="Check `path` under [data].")
    return reader.read(Path(folder).expanduser())


def _read_tables(source: Source) -> Dataset:
    if not source.events:
        raise ConfigError("[data] names no events", todo='Give `events = "..."`, or `format` and `path`.')
    entries = [source.events] if isinstance(source.events, str) else source.events
    tables, names, orders = [], [], set()
    for entry in (EventSource(path=one) if isinstance(one, str) else one for one in entries):
        raw, name = read_table(entry.path), shown(entry.path)
        columns = _event_columns(source, raw.columns, alone=len(entries) == 1) | entry.columns
        tables.append(map_events(raw, columns, event=entry.event, where=name))
        names.append(name)
        orders.add(columns.get(v.ORDER))
    users = _read_attributes(source.users, v.USER, source.columns)
    items = _read_attributes(source.items, v.ITEM, source.columns)
    there = {column for table in (users, items) if table is not None for column in table.columns}
    for name in source.columns.keys() - _WORDS - there:
        raise DataError(
            f"There is no column '{source.columns[name]}' for '{name}'",
            where="users and items",
            todo=nearest(source.columns[name], there),
        )
    return assemble(stack_events(tables, names), users, items, numbered=orders == {ROW})


def _folder_of_items(source: Source) -> Path | None:
    """Where relative paths of images start: beside the table of items; None where that is no one folder."""
    if source.format != "generic" or source.items is None:
        return None if source.path is None else Path(source.path).expanduser()
    entry = source.items.path if isinstance(source.items, TableSource) else source.items
    paths = [
        Path(one).expanduser() for one in ([entry] if isinstance(entry, str) else entry) if "://" not in one
    ]
    folders = {path if path.is_dir() else path.parent for path in paths}
    return folders.pop() if len(folders) == 1 else None


def _with_places(
    items: pl.DataFrame | None, images: Iterable[str], folder: Path | None
) -> pl.DataFrame | None:
    """The items with relative paths of images made absolute."""
    if items is None or folder is None:
        return items
    base = str(folder.resolve())
    paths = [name for name in images if items.schema.get(name) == pl.String]
    relative = {name: ~pl.col(name).str.contains(r"^/|^[A-Za-z]:[\\/]|://") for name in paths}
    return items.with_columns(
        pl.when(relative[name] & (pl.col(name) != ""))
        .then(pl.concat_str(pl.lit(f"{base}/"), name))
        .otherwise(pl.col(name))
        .alias(name)
        for name in paths
    )


def _event_columns(source: Source, there: list[str], *, alone: bool) -> dict[str, str]:
    """What of `[data.columns]` concerns an event source; each of several has its share."""
    words = {name: column for name, column in source.columns.items() if name in _WORDS}
    return {n: column for n, column in words.items() if alone or column in (*there, ROW) or n == v.USER}


def _read_attributes(
    table: str | list[str] | TableSource | None, key: str, columns: Mapping[str, str]
) -> pl.DataFrame | None:
    if table is None:
        return None
    if isinstance(table, TableSource):
        return _read_attributes(table.path, key, {**columns, **table.columns})
    name = table if isinstance(table, str) else ", ".join(table)
    return map_table(read_table(table), key, columns, shown(name))
