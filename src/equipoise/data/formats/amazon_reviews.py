"""Amazon reviews in their public layouts (McAuley et al., SIGIR 2015; Ni et al., EMNLP 2019; Hou et al.,
2024).
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from equipoise.data import vocabulary as v
from equipoise.data.dataset import Dataset
from equipoise.data.formats import Format
from equipoise.data.mapping import assemble, map_events
from equipoise.data.sources import is_table, read_table
from equipoise.errors import DataError

LAYOUTS = (
    {v.USER: "reviewerID", v.ITEM: "asin", v.VALUE: "overall", v.TIMESTAMP: "unixReviewTime"},
    {v.USER: "user_id", v.ITEM: "parent_asin", v.VALUE: "rating", v.TIMESTAMP: "timestamp"},
    {v.USER: "user_id", v.ITEM: "item_id", v.VALUE: "rating", v.TIMESTAMP: "timestamp"},
)
"""Columns of the 2014 and 2018 releases, of the 2023 release (milliseconds), and of a plain table of them."""

_TEXTS = {"reviewText": "text", "title": "summary"}
_ITEM_TEXTS = ("title", "description")


class AmazonReviews(Format):
    """Reviews as ratings with `summary` and `text`; a file `meta*` beside them describes the items.

    Reviews tell of the user's own taste after the purchase, so that no review text is an item's text: without
    a `meta` file there are no items and no text.
    """

    name = "amazon-reviews"

    @classmethod
    def recognises(cls, folder: Path) -> bool:
        """Whether a file of reviews is there."""
        files = _reviews(folder)
        return bool(files) and _layout(_columns(files[0])) is not None

    def read(self, folder: Path) -> Dataset:
        """All review files of the folder."""
        files = _reviews(folder)
        if not files:
            raise DataError(
                "The folder holds no reviews", where=str(folder), todo="Name one with a file of reviews."
            )
        raw = read_table([str(file) for file in files])
        layout = _layout(raw.columns)
        if layout is None:
            raise DataError(
                "The columns are those of no release of the reviews",
                where=f"{files[0]}: {', '.join(raw.columns)}",
                todo='Use format = "generic" and name them under [data.columns].',
            )
        texts = {old: new for old, new in _TEXTS.items() if old in raw.columns and new not in raw.columns}
        reviews = raw.rename(texts).with_columns(pl.lit(v.RATING).alias(v.EVENT))
        wanted = (v.USER, v.ITEM, v.TIMESTAMP, v.EVENT, v.VALUE, "summary", "text")
        events = map_events(reviews, layout, where=str(folder)).select(pl.col(f"^({'|'.join(wanted)})$"))
        items = _items(folder)
        text = [name for name in _ITEM_TEXTS if items is not None and name in items.columns]
        return assemble(events, None, items, text=text)


def _reviews(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    tables = [file for file in sorted(folder.iterdir()) if file.is_file() and is_table(file)]
    return [file for file in tables if not file.name.startswith("meta") and "review" in file.name.lower()]


def _layout(columns: list[str]) -> dict[str, str] | None:
    return next((layout for layout in LAYOUTS if set(layout.values()) <= set(columns)), None)


def _columns(path: Path) -> list[str]:
    return list(pl.read_parquet_schema(path)) if path.suffix == ".parquet" else read_table(path).columns


def _items(folder: Path) -> pl.DataFrame | None:
    files = [str(file) for file in sorted(folder.glob("meta*")) if is_table(file)]
    if not files:
        return None
    raw = read_table(files)
    key = next((column for column in ("parent_asin", "asin", v.ITEM) if column in raw.columns), None)
    if key is None:
        raise DataError(
            "The items have no id", where=f"{files[0]}: {', '.join(raw.columns)}", todo="Name asin so."
        )
    lists = [name for name, dtype in raw.schema.items() if dtype == pl.List(pl.String)]
    flat = raw.with_columns(pl.col(lists).list.join(" "))
    plain = [name for name, dtype in flat.schema.items() if not dtype.is_nested()]
    return flat.select(plain).rename({key: v.ITEM}).unique(v.ITEM, keep="first", maintain_order=True)
