"""The output of other libraries, as its users save it, read as a table of recommendations.

read("recs.parquet")                                  # told from the file
read("recs.npz", "implicit", users="users.npy", items="items.npy")
side_table("ml-100k.user")                            # truth, users, items: also typed atomic files

Nothing is ever unpickled.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from equipoise.audit.formats.arrays import ARRAYS, read_ids
from equipoise.audit.formats.atomic import ATOMIC, is_atomic, side_table
from equipoise.audit.formats.reading import Reading
from equipoise.errors import ConfigError, nearest

__all__ = ["ARRAYS", "AUTO", "FORMATS", "Reading", "examine", "read", "read_ids", "recognise", "side_table"]

AUTO: Final = "auto"

FORMATS: Final[Mapping[str, str]] = {
    "plain": "equipoise.audit.formats.tables:plain",
    "equipoise": "equipoise.audit.formats.tables:equipoise",
    "rectools": "equipoise.audit.formats.tables:rectools",
    "lenskit": "equipoise.audit.formats.lenskit:lenskit",
    "implicit": "equipoise.audit.formats.arrays:implicit",
    "recbole": "equipoise.audit.formats.recbole:recbole",
}
"""Format -> where its reader is: a function of the path and of the ids of users and items."""


def read(path: str | Path, format: str = AUTO, *, users: Any = None, items: Any = None) -> pl.DataFrame:
    """A table of recommendations: `user_id`, `item_id`, `rank` from 1, and where they are there `score`,
    `system` or `stage`, `faithful`.

    Args:
        path: The file: CSV, TSV, JSON Lines, Parquet, NumPy's `.npz` or `.npy`.
        format: A name out of `FORMATS`, or `auto`.
        users: For arrays whose rows are not named in the file: the user id of each row, as an array or a file.
        items: For arrays of internal numbers: the item id of each number, as an array or a file.

    Raises:
        DataError: if the file is not what the format says; the message says what is missing.
        ConfigError: if there is no such format.
    """
    return examine(path, format, users=users, items=items).frame


def examine(path: str | Path, format: str = AUTO, *, users: Any = None, items: Any = None) -> Reading:
    """As `read`, with the format that was recognised and the rules that acted."""
    path = Path(path)
    name = recognise(path) if format == AUTO else format
    if name not in FORMATS:
        raise ConfigError(f"There is no format called '{name}'", todo=nearest(name, [AUTO, *FORMATS]))
    module, _, function = FORMATS[name].partition(":")
    reader: Callable[..., Reading] = getattr(importlib.import_module(module), function)
    return reader(path, users=users, items=items)


def recognise(path: str | Path) -> str:
    """The format that a file's name and shape tell."""
    path = Path(path)
    if path.suffix in ARRAYS:
        from equipoise.audit.formats.arrays import tokens_inside

        return "recbole" if tokens_inside(path) else "implicit"
    if path.suffix in ATOMIC or is_atomic(path):
        return "recbole"
    if path.suffix == ".parquet" and path.is_file():
        return (
            "lenskit" if any(kind.is_nested() for kind in pl.read_parquet_schema(path).values()) else "plain"
        )
    return "plain" if not path.is_dir() else "equipoise"
