"""Folders that somebody names for output keep what is in them."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from equipoise.errors import EquipoiseError


def keep(folder: Path, ours: Set[str], what: str, *, force: bool) -> None:
    """Refuse a folder that something would be lost from.

    Args:
        folder: Where to write; it need not be there.
        ours: Names of files that belong there.
        what: What the folder would then hold already, as in "an audit".
        force: Whether that may be written over.

    Raises:
        EquipoiseError: if it holds ours and is not to be written over, or holds anything else.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise EquipoiseError("This is a file", where=str(folder), todo="Choose a new folder as --out.")
    there = {path.name for path in folder.iterdir()}
    if others := sorted(there - ours):
        raise EquipoiseError(
            "The folder holds other files",
            where=f"{folder}: {', '.join(others[:5])}",
            todo="Choose an empty or a new folder as --out.",
        )
    if there and not force:
        raise EquipoiseError(
            f"The folder holds {what} already",
            where=str(folder),
            todo="Choose another --out, or replace it by --force.",
        )
