"""What side tasks are learned from: labels of events and labels of items, with an account of both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.models.histories import Catalogue, locate

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class EventLabels:
    """A label of some pairs of user and item, the mean over the pair's events.

    Attributes:
        name: Of the task.
        kind: `number`: standardised; `chance`: of being so rather than not, in [0, 1].
        items: Number of items of the catalogue.
        keys: Row of the user times `items` plus row of the item, ascending, int64 of shape (pairs,).
        values: float32 of shape (pairs,).
    """

    name: str
    kind: Literal["number", "chance"]
    items: int
    keys: Ints
    values: Floats

    @classmethod
    def of(
        cls,
        name: str,
        kind: Literal["number", "chance"],
        events: pl.DataFrame,
        values: NDArray[np.float64],
        catalogue: Catalogue,
    ) -> EventLabels:
        """Labels of the events' pairs.

        Args:
            name: Of the task.
            kind: As for the class; numbers are standardised here.
            events: Rows with user and item.
            values: One per row; NaN for none.
            catalogue: Whose rows number users and items.

        Raises:
            DataError: if all labels are equal, or there is none.
        """
        size = len(catalogue.items)
        users, items = (locate(ids, events[ids.name]) for ids in (catalogue.users, catalogue.items))
        kept = ~np.isnan(values) & (users >= 0) & (items >= 0)
        # rows in an order of their own, so that sums do not depend on that of the events
        pairs = pl.DataFrame({"key": users[kept] * size + items[kept], "value": values[kept]})
        mean = pairs.sort("key", "value").group_by("key", maintain_order=True).agg(pl.col("value").mean())
        found = mean["value"].to_numpy()
        if not len(found) or found.min() == found.max():
            raise DataError(
                f"The task '{name}' has nothing to tell apart: its labels are all alike",
                where=f"{len(found)} labelled pairs of user and item",
                todo="Leave the task out.",
            )
        if kind == "number":
            found = (found - found.mean()) / found.std()
        return cls(name, kind, size, np.array(mean["key"]), found.astype(np.float32))


@dataclass(frozen=True)
class ItemLabels:
    """Labels of some items.

    Attributes:
        name: Of the task.
        kind: `share`: rows add up to 1; `each`: every label is true or not for itself, 1 or 0.
        labels: Names.
        rows: Rows of the catalogue whose labels are known, of items with training events; int64 of shape (n,).
        values: float32 of shape (n, labels).
    """

    name: str
    kind: Literal["share", "each"]
    labels: tuple[str, ...]
    rows: Ints
    values: Floats


@dataclass(frozen=True)
class Task:
    """Labels with what is to be told of them.

    Attributes:
        labels: What is learned from.
        account: Plain values: how many, from where, how noisy where a truth is known.
        warnings: Sentences.
    """

    labels: EventLabels | ItemLabels
    account: dict[str, Any]
    warnings: tuple[str, ...] = ()

    def screened(self, kept: NDArray[np.bool_]) -> Task:
        """With some of the labels of items alone; all of them where none is to be kept."""
        labels = self.labels
        assert isinstance(labels, ItemLabels)
        places = np.flatnonzero(kept) if kept.any() else np.arange(len(labels.labels))
        fewer = replace(
            labels, labels=tuple(labels.labels[place] for place in places), values=labels.values[:, places]
        )
        return replace(self, labels=fewer, account={**self.account, "learned": len(places)})


def taken(events: pl.DataFrame, column: str) -> pl.DataFrame:
    """Events with something in a column; ratings alone where there are some, for a price is no rating."""
    told = events.filter(pl.col(column).is_not_null())
    if v.EVENT not in told.columns:
        return told
    rated = told.filter(pl.col(v.EVENT) == v.RATING)
    return told if rated.is_empty() else rated
