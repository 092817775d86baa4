"""A folder that holds `events`, and perhaps `users` and `items`, in Equipoise's own vocabulary."""

from __future__ import annotations

from pathlib import Path

from equipoise.data import vocabulary as v
from equipoise.data.dataset import Dataset
from equipoise.data.formats import Format, only
from equipoise.data.mapping import assemble, map_events, map_table
from equipoise.data.sources import is_table, read_table


class Generic(Format):
    """Three tables called `events`, `users` and `items` in any kind of file, or subfolders of such files."""

    name = "generic"

    @classmethod
    def recognises(cls, folder: Path) -> bool:
        """Whether there is an events table with the vocabulary's ids."""
        events = _table(folder, "events")
        return events is not None and {v.USER, v.ITEM} <= set(read_table(events).columns)

    @classmethod
    def locate(cls, folder: Path) -> dict[str, str]:
        """The paths of the tables that are there, by name.

        Raises:
            DataError: if there are no events.
        """
        found = {name: _table(folder, name) for name in ("events", "users", "items")}
        found["events"] = found["events"] or only(folder, "events.*", "file")
        return {name: str(path) for name, path in found.items() if path is not None}

    def read(self, folder: Path) -> Dataset:
        """The folder's three tables."""
        tables = self.locate(folder)
        events = map_events(read_table(tables["events"]), where=tables["events"])
        users, items = (
            map_table(read_table(tables[name]), key, where=tables[name]) if name in tables else None
            for name, key in (("users", v.USER), ("items", v.ITEM))
        )
        return assemble(events, users, items)


def _table(folder: Path, name: str) -> Path | None:
    found = [
        p
        for p in sorted(folder.glob(f"{name}*"))
        if p.name.split(".")[0] == name and (p.is_dir() or is_table(p))
    ]
    return found[0] if found else None
