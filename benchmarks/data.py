"""The public data sets that rows read, from the folder that EQUIPOISE_DATA names."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

from equipoise.data import Dataset
from equipoise.data.formats import FORMATS
from equipoise.data.splits import Split, Splits, split
from equipoise.errors import DataError


def folder(name: str) -> Path:
    """The folder of a data set.

    Raises:
        DataError: if EQUIPOISE_DATA is not set, or has no such folder.
    """
    root = os.environ.get("EQUIPOISE_DATA")
    path = Path(root or "") / name
    if root is None or not path.is_dir():
        raise DataError(
            f"The data set '{name}' is not there",
            where=f"EQUIPOISE_DATA={root}",
            todo="Set EQUIPOISE_DATA to the folder that holds the data sets.",
        )
    return path


def read(name: str, kind: str) -> Dataset:
    """A data set in a ready format; of the items, those that occur."""
    data = FORMATS.build(kind).read(folder(name))
    if data.items is None:
        return data
    occurring = data.events["item_id"].unique().implode()
    items = data.items.filter(pl.col("item_id").is_in(occurring))
    return Dataset(data.events, data.users, items, data.sensitive, data.text, data.account)


def leave_last(data: Dataset) -> Splits:
    """Each user's last event for the test, the one before for validation."""
    return split(data, Split(strategy="leave_last"))


def joined(data: Dataset, *parts: Dataset) -> Dataset:
    """The events of all parts, with the users and items of the first."""
    return data.with_events(pl.concat([data.events, *(part.events for part in parts)]))
