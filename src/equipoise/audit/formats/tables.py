"""Tables with one row per recommended item: our own, RecTools', anybody's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from equipoise.audit.formats.reading import Reading, reading
from equipoise.data.sources import read_table

__all__ = ["equipoise", "plain", "rectools"]


def plain(path: Path, *, users: Any = None, items: Any = None) -> Reading:
    """A table of users and items with a rank or a score; ids stand in it, so `users` and `items` are not
    asked for.
    """
    return reading(read_table(path), "plain", str(path))


def rectools(path: Path, *, users: Any = None, items: Any = None) -> Reading:
    """What `model.recommend(...)` of RecTools gives: `user_id`, `item_id`, `score`, `rank` from 1."""
    return reading(read_table(path), "rectools", str(path))


def equipoise(path: Path, *, users: Any = None, items: Any = None) -> Reading:
    """Our own table, or the folder of a run, which holds it."""
    table = path / "recommendations.parquet" if path.is_dir() else path
    return reading(read_table(table), "equipoise", str(table))
