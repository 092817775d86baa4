"""Popularity, and how it leans among people with an attribute: empirical Bayes towards what everybody takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import betaln

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.errors import DataError, nearest
from equipoise.models.histories import Catalogue, Ints, locate

Floats = NDArray[np.float64]

_BANDS = 5  # groups of equal size that a column of many numbers is cut into
_MANY = 50  # distinct numbers above which it is cut; fewer may be codes
_SPREADS = (1e-3, 3.0)  # least and greatest deviation of lifts that is looked for


@dataclass(frozen=True)
class Leaning:
    """How much more often than expected an item's takers are people like these.

    Attributes:
        column: The attribute.
        value: What these people have there: the value, or the band that holds it.
        people: How many of them took anything.
        lift: Posterior mean per item: 1 for an item that they take as often as others do; shape (items,).
        weight: How far it comes from the item's own takers and not from the prior, in [0, 1]; shape (items,).
        spread: Deviation of lifts between items, as estimated; near 0, the attribute says nothing.
    """

    column: str
    value: str
    people: int
    lift: Floats
    weight: Floats
    spread: float

    @property
    def factor(self) -> float:
        """By how much these people take an item more or less often than expected, at least 1: the quadratic mean of
        the logs of the lifts, as a factor.
        """
        return float(np.exp(np.sqrt((np.log(self.lift) ** 2).mean())))


@dataclass(frozen=True)
class Audience:
    """Who took what: the popularity of each item, and its leanings for somebody's attributes.

    Attributes:
        takers: People who took each item, shape (items,).
        leanings: One per attribute.
    """

    takers: Ints
    leanings: tuple[Leaning, ...] = ()

    @classmethod
    def of(cls, data: Dataset, catalogue: Catalogue, attributes: Mapping[str, str] | None = None) -> Audience:
        """The audience of the items of a catalogue, as it leans for somebody.

        Lifts of several attributes are multiplied; each is measured against what the ones before it lead to expect,
        so that what two attributes share counts once.

        Args:
            data: Events with the table of users.
            catalogue: Whose rows are counted.
            attributes: Column of the users and value, as text; a column of more than fifty different numbers is cut
                into fifths, and the value's is taken.

        Raises:
            DataError: if the users have no such column, or nobody such a value.
        """
        pairs = data.positives.select(v.USER, v.ITEM).unique(maintain_order=True)
        users, items = locate(catalogue.users, pairs[v.USER]), locate(catalogue.items, pairs[v.ITEM])
        there = (users >= 0) & (items >= 0)
        users, items = users[there], items[there]
        takers = np.bincount(items, minlength=len(catalogue.items)).astype(np.int64)
        leanings, before = [], np.zeros(len(catalogue.users), dtype=np.int64)
        for column, value in (attributes or {}).items():
            cells = _cells(data.users, catalogue.users, column)
            own = cells.index(value)
            has = cells.codes[users]
            leanings.append(
                _leaning(cells, own, items[has >= 0], users[has >= 0], before, len(catalogue.items))
            )
            before = before * (len(cells.names) + 1) + cells.codes + 1
        return cls(takers, tuple(leanings))

    @cached_property
    def share(self) -> Floats:
        """Expected share of each item in what such people take, shape (items,), summing to 1.

        Half a taker is added to every item, so that one without any has a place, the last.
        """
        rate = (self.takers + 0.5) * np.prod([one.lift for one in self.leanings], axis=0, initial=1.0)
        return np.asarray(rate / rate.sum())

    @property
    def log_odds(self) -> tuple[Floats, Floats]:
        """Log of the expected share as a sum: what the attributes add, and what is so for everybody, around the
        average item; each of shape (items,).
        """
        popularity = np.log(self.takers + 0.5)
        leaning = np.log(np.prod([one.lift for one in self.leanings], axis=0, initial=1.0)) * np.ones_like(
            popularity
        )
        return leaning - leaning.mean(), popularity - popularity.mean()


@dataclass(frozen=True)
class _Cells:
    """A column of the users in cells.

    Attributes:
        column: Its name.
        names: What each cell holds.
        edges: Upper edges of all bands but the last; empty where cells are values.
        codes: Cell of each user, -1 where it is not known.
    """

    column: str
    names: list[str]
    edges: list[float]
    codes: Ints

    def index(self, value: str) -> int:
        """The cell that holds a value.

        Raises:
            DataError: if none does.
        """
        if not self.edges:
            if value not in self.names:
                raise DataError(
                    f"No user has '{value}' in '{self.column}'",
                    where=f"{len(self.names)} values",
                    todo=nearest(value, self.names),
                )
            return self.names.index(value)
        try:
            return int(np.searchsorted(self.edges, float(value)))
        except ValueError as error:
            raise DataError(f"'{value}' is no number, as '{self.column}' asks for") from error


def _cells(table: pl.DataFrame | None, users: pl.Series, column: str) -> _Cells:
    """The cells of a column."""
    columns = [] if table is None else [name for name in table.columns if name != v.USER]
    if table is None or column not in columns or table.schema[column].is_nested():
        raise DataError(
            f"The users have no attribute '{column}'",
            where="no users table" if table is None else f"columns: {', '.join(columns)}",
            todo=nearest(column, columns) if columns else "Leave the attributes out.",
        )
    rows = locate(table[v.USER], users)
    kept = table[column].gather(np.maximum(rows, 0))
    kept = kept.fill_nan(None) if kept.dtype.is_float() else kept
    known = pl.Series(rows >= 0) & kept.is_not_null()
    numbers = kept.filter(known)
    if kept.dtype.is_numeric() and numbers.n_unique() > _MANY:
        inner = np.quantile(numbers.to_numpy().astype(np.float64), np.arange(1, _BANDS) / _BANDS)
        edges = sorted(set(inner.tolist()))
        codes = np.searchsorted(edges, kept.cast(pl.Float64).fill_null(0.0).to_numpy())
        ends = ["", *(f"{edge:g}" for edge in edges), ""]
        names = [
            f"up to {high}" if not low else f"above {low}" if not high else f"{low} to {high}"
            for low, high in pairwise(ends)
        ]
        return _Cells(column, names, edges, np.where(known.to_numpy(), codes, -1))
    words = kept.cast(pl.String)
    names = sorted(words.filter(known).unique().to_list())
    return _Cells(
        column, names, [], np.where(known.to_numpy(), locate(pl.Series(names, dtype=pl.String), words), -1)
    )


def _leaning(cells: _Cells, own: int, items: Ints, users: Ints, before: Ints, n_items: int) -> Leaning:
    """The leaning for one cell.

    Of the n takers of an item, x are in the cell; x is binomial, with a share that is Beta distributed around the
    expected one, such that its ratio to it (the lift) has the same deviation in all cells and items. That deviation
    is the one of greatest marginal likelihood over all items and cells; the lift is the posterior mean (Clayton &
    Kaldor 1987, "Empirical Bayes Estimates of Age-Standardized Relative Risks"; here with binomial counts).
    """
    n_cells = len(cells.names)
    has = cells.codes[users]
    _, group = np.unique(before[users], return_inverse=True)
    crossed = np.zeros((group.max(initial=0) + 1, n_cells))
    np.add.at(crossed, (group, has), 1)
    chance = crossed / crossed.sum(axis=1, keepdims=True).clip(1)
    taken = np.bincount(items, minlength=n_items).astype(np.float64)
    counts, expected = np.zeros((n_items, n_cells)), np.zeros((n_items, n_cells))
    np.add.at(counts, (items, has), 1)
    np.add.at(expected, items, chance[group])
    overall = crossed.sum(axis=0) / max(crossed.sum(), 1)
    expected = np.where(taken[:, None] > 0, expected / taken.clip(1)[:, None], overall)
    telling = (expected > 1e-9) & (expected < 1 - 1e-9)
    used = telling & (taken[:, None] > 0)

    def prior_size(spread: float, share: Floats) -> Floats:
        return np.maximum((1 - share) / (share * spread**2) - 1, 1e-3)

    def unlikely(log_spread: float) -> float:
        share, x, n = expected[used], counts[used], np.broadcast_to(taken[:, None], used.shape)[used]
        size = prior_size(float(np.exp(log_spread)), share)
        a, b = size * share, size * (1 - share)
        return -float((betaln(x + a, n - x + b) - betaln(a, b)).sum())

    spread = 0.0
    if used.any():
        found = minimize_scalar(
            unlikely, bounds=tuple(np.log(_SPREADS)), method="bounded", options={"xatol": 1e-2}
        )
        spread = float(np.exp(found.x))
    share = expected[:, own].clip(1e-9, 1 - 1e-9)
    size = prior_size(max(spread, _SPREADS[0]), share)
    weight = np.where(telling[:, own], taken / (taken + size), 0.0)
    posterior = (counts[:, own] + size * share) / (taken + size)
    lift = np.where(telling[:, own], posterior / share, 1.0)
    people = len(np.unique(users[has == own]))
    return Leaning(cells.column, cells.names[own], people, lift, weight, spread)
