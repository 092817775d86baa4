"""Sequences with item attributes as S3-Rec keeps them (Zhou et al., CIKM 2020)."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from equipoise.data import vocabulary as v
from equipoise.data.dataset import Dataset
from equipoise.data.formats import Format
from equipoise.data.mapping import assemble
from equipoise.errors import DataError


class S3Rec(Format):
    """One line per user: its id, then the items, oldest first; beside it a JSON of attribute ids per item.

    An item's text is its attribute ids as words (`a17 a203`). Other files of the folder are not read: their
    ids need not be these.
    """

    name = "s3rec"

    @classmethod
    def recognises(cls, folder: Path) -> bool:
        """Whether sequences and attributes are there."""
        return _sequences(folder) is not None and _attributes(folder) is not None

    def read(self, folder: Path) -> Dataset:
        """The folder's sequences, with `order` from 0 within each user."""
        path, attributes = _sequences(folder), _attributes(folder)
        if path is None:
            raise DataError(
                "There are no sequences", where=str(folder), todo="Name a folder with sequences.txt."
            )
        lines = pl.Series("line", path.read_text("utf-8").splitlines()).str.strip_chars()
        tokens = pl.DataFrame({"line": lines.filter(lines != "").str.split(" ")})
        events = tokens.select(
            pl.col("line").list.first().alias(v.USER),
            pl.col("line").list.slice(1).alias(v.ITEM),
            pl.int_ranges(pl.col("line").list.len() - 1).alias(v.ORDER),
        ).explode(v.ITEM, v.ORDER)
        try:
            events = events.cast({v.USER: pl.Int64, v.ITEM: pl.Int64})
        except pl.exceptions.InvalidOperationError as error:
            raise DataError(
                "A sequence holds something else than ids", where=str(path), todo=f"{error}"
            ) from error
        if attributes is None:
            return assemble(events)
        return assemble(events, None, _items(attributes), text=("attributes",))


def _sequences(folder: Path) -> Path | None:
    known = [folder / "sequences.txt", *sorted(folder.glob("*.txt"))]
    return next((path for path in known if path.exists() and _numeric(path)), None)


def _numeric(path: Path) -> bool:
    with path.open("rb") as file:
        words = file.readline().split()
    return len(words) > 2 and all(word.isdigit() for word in words)


def _attributes(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob("*attributes.json"))), None)


def _items(path: Path) -> pl.DataFrame:
    table: dict[str, list[int]] = json.loads(path.read_text("utf-8"))
    words = [" ".join(f"a{attribute}" for attribute in attributes) for attributes in table.values()]
    return pl.DataFrame({v.ITEM: [int(item) for item in table], "attributes": words}).sort(v.ITEM)
