"""Labels of items: their category, and the entities that their texts name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.after.groups import category_column, category_masses, group_obstacle, item_column
from equipoise.debias.during.tasks.events import review_columns
from equipoise.debias.during.tasks.labels import Ints, ItemLabels, Task
from equipoise.errors import DataError
from equipoise.language.gazetteer import Found, Gazetteer, noise
from equipoise.language.text import compose
from equipoise.models.histories import Catalogue, locate

Given = Path | tuple[str, ...] | None
"""A file, a list of names, or None for the values of the items' own columns."""

_PART = 4096  # texts labelled at once
_OFTEN = 0.5  # of the items: what more of them name tells little
_NOISY = 0.25


def category_lacks(data: Dataset, column: str | None) -> str | None:
    """Why there are no categories, in a sentence; None where there are some."""
    if (found := column or category_column(data)) is None:
        return "the items have no column of texts that many of them share, and `category` names none."
    return group_obstacle(data, found)


def category(data: Dataset, catalogue: Catalogue, column: str | None) -> Task:
    """The items' categories; an item of several, joined by "|", has an equal share of each.

    Raises:
        DataError: if there is no such column, or no item with events has a category.
    """
    found = column or category_column(data)
    assert found is not None
    ids, names, masses = category_masses(item_column(data, found), found)
    rows = _rows(catalogue, ids)
    known = (rows >= 0) & (masses.sum(axis=1) > 0)
    if not known.any():
        raise DataError(f"No item with training events has a value in '{found}'", where=f"{len(ids)} items")
    labels = ItemLabels("category", "share", tuple(names), rows[known], masses[known].astype(np.float32))
    return Task(labels, {"column": found, "labelled": int(known.sum()), "categories": len(names)})


def entities_lack(data: Dataset, given: Given, reviews: Sequence[str] | None) -> str | None:
    """Why no entities can be looked up, in a sentence; None where they can."""
    if not _has_texts(data) and not review_columns(data, reviews):
        return "neither items nor events have texts that could name entities."
    if given is None and not _naming_columns(data):
        return "the items have no further column of texts whose values could be looked up, and `gazetteer` is not set."
    if isinstance(given, Path) and not given.is_file():
        return f"the gazetteer '{given}' is no file."
    return None


def entities(
    data: Dataset,
    catalogue: Catalogue,
    given: Given,
    reviews: Sequence[str] | None,
    *,
    share: float,
    rare: int,
    most: int,
) -> Task:
    """What the items' own texts name; where these have none, what their training reviews name.

    Args:
        data: Training data.
        catalogue: Whose items.
        given: The gazetteer.
        reviews: Columns of the events that hold reviews; None for the usual ones.
        share: Share of an item's reviews that must name an entity.
        rare: An entity that fewer items name is left out.
        most: So many entities are kept at most, those that most items name.

    Raises:
        DataError: if the gazetteer is not usable, or too few items name any of its entities.
    """
    gazetteer = _gazetteer(data, given)
    of_items = _has_texts(data)
    rows, found = (
        _in_items(data, catalogue, gazetteer)
        if of_items
        else _in_reviews(data, catalogue, gazetteer, review_columns(data, reviews), share)
    )
    named = found.sum(axis=0)
    usable = np.flatnonzero((named >= rare) & (named <= _OFTEN * len(rows)))
    kept = np.sort(usable[np.argsort(-named[usable], kind="stable")][:most])
    if not len(kept):
        raise DataError(
            f"No entity of the gazetteer is named by at least {rare} items and at most half of them",
            where=f"{len(gazetteer.names)} entities, {len(rows)} items with texts",
            todo="Give a `gazetteer` of what the texts speak of, lower `rare`, or leave the task out.",
        )
    names = tuple(gazetteer.names[place] for place in kept)
    labels = ItemLabels("entities", "each", names, rows, found[:, kept].astype(np.float32))
    wrong = None if given is not None else _wrong(data, catalogue, gazetteer, kept, rows, found[:, kept])
    account = {
        "read": list(data.text) if of_items else list(review_columns(data, reviews)),
        "gazetteer": _source(data, given),
        "labelled": len(rows),
        "entities": len(names),
        "per_item": float(found[:, kept].sum(axis=1).mean()),
        "noise": wrong,
    }
    if wrong is None:
        warning = "Labels of entities are names found in texts; how often they are wrong is not known."
    else:
        warning = (
            f"Labels of entities are names found in texts; beside the columns that the names come from, "
            f"{wrong['missed']:.0%} are missed and {wrong['false']:.0%} of those found are not the item's own."
        )
    noisy = wrong is None or max(wrong.values()) > _NOISY
    return Task(labels, account, (warning,) if noisy else ())


def _rows(catalogue: Catalogue, ids: pl.Series) -> Ints:
    """Rows of these items, -1 for those without training events: their vectors are not learned."""
    rows = locate(catalogue.items, ids)
    return np.where((rows >= 0) & (catalogue.item_counts[rows] > 0), rows, -1)


def _has_texts(data: Dataset) -> bool:
    return data.items is not None and bool(data.text) and set(data.text) <= {*data.items.columns}


def _naming_columns(data: Dataset) -> list[str]:
    """Columns of texts that many items share, the category and what is read itself left out."""
    if data.items is None:
        return []
    hidden = {v.ITEM, *data.text, category_column(data)}
    texts = (pl.String, pl.Categorical, pl.Enum)
    return [
        name
        for name in data.items.columns
        if name not in hidden
        and data.items[name].dtype in texts
        and 1 < data.items[name].n_unique() <= len(data.items) / 2
    ]


def _gazetteer(data: Dataset, given: Given) -> Gazetteer:
    if isinstance(given, Path):
        return Gazetteer.read(given)
    if given is not None:
        return Gazetteer.of_names(given)
    assert data.items is not None
    columns = [data.items[name].cast(pl.String).drop_nulls().unique() for name in _naming_columns(data)]
    names = pl.concat(columns).str.split("|").explode().str.strip_chars()
    return Gazetteer.of_names(names.drop_nulls().unique().sort())


def _source(data: Dataset, given: Given) -> str:
    if given is None:
        return f"values of {', '.join(_naming_columns(data))}"
    return str(given) if isinstance(given, Path) else "a list"


def _in_items(data: Dataset, catalogue: Catalogue, gazetteer: Gazetteer) -> tuple[Ints, Found]:
    assert data.items is not None
    rows = _rows(catalogue, data.items[v.ITEM])
    texts = compose(data.items, data.text)
    told = (rows >= 0) & (texts != "").to_numpy()
    return rows[told], gazetteer.label(texts.filter(pl.Series(told)).to_list())


def _in_reviews(
    data: Dataset, catalogue: Catalogue, gazetteer: Gazetteer, columns: Sequence[str], share: float
) -> tuple[Ints, Found]:
    events = data.positives.select(
        v.ITEM, pl.concat_str(columns, separator="\n", ignore_nulls=True).alias("text")
    )
    events = events.filter(pl.col("text").fill_null("").str.strip_chars() != "")
    rows = locate(catalogue.items, events[v.ITEM])
    named = np.zeros((len(catalogue.items), len(gazetteer.names)), dtype=np.int64)
    for start in range(0, len(events), _PART):
        part = slice(start, start + _PART)
        np.add.at(named, rows[part], gazetteer.label(events["text"][part].to_list()))
    count = np.bincount(rows, minlength=len(named))
    read = np.flatnonzero(count > 0)
    return read, named[read] >= np.maximum(share * count[read, None], 1)


def _wrong(
    data: Dataset, catalogue: Catalogue, gazetteer: Gazetteer, kept: Ints, rows: Ints, found: Found
) -> dict[str, float] | None:
    """What was found of the entities `kept` against what the columns say that their names come from, however these are
    spelt; None where they say nothing of these entities.
    """
    assert data.items is not None
    label_of = np.full(len(gazetteer.names) + 1, -1)  # the last is of no entity
    label_of[kept] = np.arange(len(kept))
    row_of: NDArray[np.int64] = np.full(len(catalogue.items), -1)
    row_of[rows] = np.arange(len(rows))
    truth = np.zeros_like(found)
    for column in _naming_columns(data):
        told = data.items.select(v.ITEM, pl.col(column).cast(pl.String).str.split("|").alias("name"))
        told = told.explode("name").with_columns(pl.col("name").str.strip_chars())
        told = told.drop_nulls("name")
        items = locate(catalogue.items, told[v.ITEM])
        where = np.where(items >= 0, row_of[items], -1)
        places = {name: gazetteer.place(name) for name in told["name"].unique()}
        labels = label_of[np.array([places[name] for name in told["name"]], dtype=np.int64)]
        usable = (where >= 0) & (labels >= 0)
        truth[where[usable], labels[usable]] = True
    return noise(found, truth)._asdict() if truth.any() else None
