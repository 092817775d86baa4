"""RecBole's atomic files: tab-separated text with typed headers such as `user_id:token`, and no quoting."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Final

import polars as pl

from equipoise.data import vocabulary as v
from equipoise.data.sources import read_separated, read_table, typed

ATOMIC: Final = (".inter", ".user", ".item")
_TYPES: Final = ("token", "token_seq", "float", "float_seq")


def is_atomic(path: Path) -> bool:
    """Whether every name in the first line carries one of the types."""
    if not path.is_file() or path.suffix not in (*ATOMIC, ".csv", ".tsv", ".txt", ".gz"):
        return False
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        names = file.readline().decode("utf8", "replace").strip().replace(",", "\t").split("\t")
    return all(name.partition(":")[2] in _TYPES for name in names)


def read_atomic(path: Path) -> pl.DataFrame:
    """The table, without the types in its header; ids that are whole numbers become numbers."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        separator = "\t" if b"\t" in file.readline() else ","
    table = read_separated(path, separator=separator, quote=None)
    return typed(table.rename(lambda name: name.partition(":")[0]))


def side_table(path: str | Path) -> pl.DataFrame:
    """The truth, the users or the items: an atomic file (a `rating` is the `value`), or any other table."""
    path = Path(path)
    if not is_atomic(path):
        return read_table(path)
    table = read_atomic(path)
    return table.rename({v.RATING: v.VALUE}, strict=False) if v.VALUE not in table.columns else table
