"""How alike the items of a pool are: by their texts, by the model, by who took them, by their categories."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from equipoise.data import vocabulary as v
from equipoise.debias.after.groups import category_column, category_masses, item_column
from equipoise.debias.after.pools import Floats, Ints
from equipoise.debias.correction import Context
from equipoise.errors import DataError
from equipoise.models.histories import locate

Source = Literal["text", "model", "histories", "categories"]
Asked = Literal["auto", "text", "model", "histories", "categories"]
"""A source, or the first that is there."""
_MANY = 12_000  # items whose cosines fit in memory pair by pair: 0.6 GB


def available(context: Context) -> list[Source]:
    """The sources of likeness that this context has, the first to be preferred."""
    has_vectors = context.model is not None and context.model.item_vectors() is not None
    sources: dict[Source, bool] = {
        "text": context.vectors is not None,
        "model": has_vectors,
        "histories": not context.data.positives.is_empty(),
        "categories": category_column(context.data) is not None,
    }
    return [name for name, there in sources.items() if there]


def resolve(context: Context, asked: Asked) -> Source:
    """The source asked for; of "auto" the first that this context has.

    Raises:
        DataError: if it has none.
    """
    if asked != "auto":
        return asked
    if not (there := available(context)):
        raise DataError("There is nothing to tell the likeness of items by")
    return there[0]


@dataclass(frozen=True)
class Likeness:
    """Cosines between items.

    Attributes:
        rows: One row of length 1 per item, (items, width), whose products are the cosines; or None.
        pairs: All cosines, (items, items), where `rows` would be too wide; or None.
    """

    rows: Floats | None = None
    pairs: NDArray[np.float32] | None = None

    def within(self, codes: Ints) -> Callable[[Ints], Floats]:
        """From one place per user to the likeness of all places to it.

        Args:
            codes: Items of the pools, (users, depth); what is said of the code -1 means nothing.

        Returns:
            A function from places, (users,), to cosines, (users, depth).
        """
        users = np.arange(len(codes))
        if self.pairs is not None:
            pairs = self.pairs
            return lambda chosen: pairs[codes[users, chosen][:, None], codes].astype(np.float64)
        assert self.rows is not None
        rows = self.rows[codes]
        return lambda chosen: np.einsum("udw,uw->ud", rows, rows[users, chosen])

    def mean(self, codes: Ints) -> float | None:
        """Mean cosine of two different items of a list; None where no list has two. Lists are (users, k), -1 is
        no item.
        """
        to, there = self.within(codes), codes >= 0
        total = pairs = 0.0
        for place in range(1, codes.shape[1]):
            both = there[:, :place] & there[:, place : place + 1]
            total += float(to(np.full(len(codes), place))[:, :place][both].sum())
            pairs += int(both.sum())
        return total / pairs if pairs else None


def likeness(context: Context, source: Source, items: pl.Series) -> Likeness:
    """Cosines between items; 0 to one of which nothing is known.

    - "text": of the vectors of the texts; "model": of the model's own item vectors.
    - "histories": of who took the items in training (Salton's measure on implicit data).
    - "categories": of the first column of the items that names categories.

    Args:
        context: Where the source is found.
        source: Which one.
        items: Item ids.

    Raises:
        DataError: if the source is not there, or there are too many items for "histories".
    """
    if source not in (there := available(context)):
        raise DataError(
            f"There is nothing to tell the likeness of items by from '{source}'",
            todo=f"Available here: {', '.join(there) or 'nothing'}.",
        )
    if source == "histories":
        return Likeness(pairs=_by_takers(context, items))
    if source == "text":
        assert context.vectors is not None
        rows = context.vectors.aligned(items)[0].astype(np.float64)
    elif source == "model":
        assert context.model is not None
        rows = _at(context.model.item_vectors(), locate(context.model.catalogue.items, items))
    else:
        column = category_column(context.data)
        assert column is not None
        ids, _, masses = category_masses(item_column(context.data, column), column)
        rows = _at(masses, locate(ids, items))
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return Likeness(rows=rows / np.where(length > 0, length, 1.0))


def _by_takers(context: Context, items: pl.Series) -> NDArray[np.float32]:
    """Users in common over the geometric mean of the users of each."""
    if len(items) > _MANY:
        raise DataError(
            f"The likeness of {len(items):,} items cannot be told by histories: their pairs are too many",
            todo="Set `similarity` to text, model or categories, or take a smaller pool.",
        )
    pairs = context.data.positives.select(v.USER, v.ITEM).unique()
    users = pairs[v.USER].unique().sort()
    item, user = locate(items, pairs[v.ITEM]), locate(users, pairs[v.USER])
    known = item >= 0
    value = 1.0 / np.sqrt(np.bincount(item[known], minlength=len(items))[item[known]])
    takers = sparse.csr_matrix((value, (item[known], user[known])), shape=(len(items), len(users)))
    return np.asarray((takers @ takers.T).toarray(), dtype=np.float32)


def _at(rows: Any, places: Ints) -> Floats:
    """Rows at places, zeros at -1."""
    return np.where((places >= 0)[:, None], np.asarray(rows, dtype=np.float64)[places], 0.0)
