"""Profiles: who took which items, as one matrix with the group of each user."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.after import groups
from equipoise.errors import DataError
from equipoise.models.histories import locate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Profiles:
    """Sets of items with the group of whoever took them.

    Attributes:
        items: Item ids, sorted: what the columns stand for.
        names: Names of the groups, sorted.
        matrix: Ones where the profile holds the item, float32 of shape (profiles, items).
        group: Index into `names` of each profile, (profiles,).
        users: Whose they are, sorted; None where nobody's, which is so of made ones.
    """

    items: pl.Series
    names: tuple[str, ...]
    matrix: sparse.csr_matrix
    group: Ints
    users: pl.Series | None = None

    def __len__(self) -> int:
        return len(self.group)

    @classmethod
    def of(cls, data: Dataset, attribute: str | None) -> Profiles:
        """The profiles of all users whose group is known and who took something; made events and those with weight 0
        are left out.

        Args:
            data: Training events with users.
            attribute: Column of users; None for the first sensitive one.

        Raises:
            DataError: if users cannot be told apart by it, or fewer than two groups took something.
        """
        if (reason := groups.attribute_obstacle(data, attribute)) is not None:
            raise DataError(f"Users cannot be told apart: {reason}")
        column = str(groups.attribute_of(data, attribute))
        taken = data.positives
        if v.SYNTHETIC in taken.columns:
            taken = taken.filter(~pl.col(v.SYNTHETIC).fill_null(False))
        if v.SAMPLE_WEIGHT in taken.columns:
            taken = taken.filter(pl.col(v.SAMPLE_WEIGHT) > 0)
        pairs = taken.select(v.USER, v.ITEM).unique()
        active = pairs[v.USER].drop_nulls().unique().sort()
        known, codes = groups.user_groups(data, column, active)
        named = pl.Series(v.GROUP, [*known, None], dtype=pl.String).gather(codes % (len(known) + 1))
        users = pl.DataFrame([active, named]).drop_nulls()
        pairs = pairs.join(users.select(v.USER), on=v.USER, how="semi")
        items = taken[v.ITEM].unique().sort()
        names = tuple(users[v.GROUP].unique().sort().to_list())
        if len(names) < 2:
            raise DataError(
                f"Of {len(names)} group{'s' * (len(names) != 1)} of '{column}' there are events that count, where two "
                "are needed",
                todo="Made events and those with weight 0 do not count.",
            )
        rows, columns = locate(users[v.USER], pairs[v.USER]), locate(items, pairs[v.ITEM])
        matrix = sparse.csr_matrix(
            (np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=(len(users), len(items))
        )
        matrix.sort_indices()
        group = locate(pl.Series(names, dtype=pl.String), users[v.GROUP])
        return cls(items, names, matrix, group, users[v.USER])

    @property
    def lengths(self) -> Ints:
        """How many items each profile holds."""
        return np.asarray(np.diff(self.matrix.indptr), dtype=np.int64)

    @property
    def counts(self) -> Ints:
        """How many profiles hold each item."""
        return np.bincount(self.matrix.indices, minlength=self.matrix.shape[1]).astype(np.int64)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Profiles:
        """Some of the profiles, in this order."""
        users = (
            None if self.users is None else pl.Series(v.USER, self.users.to_numpy()[rows], self.users.dtype)
        )
        return Profiles(self.items, self.names, self.matrix[rows], self.group[rows], users)

    def renamed(self) -> Profiles:
        """The same profiles without the names of groups that have none."""
        codes, group = np.unique(self.group, return_inverse=True)
        names = tuple(self.names[code] for code in codes)
        return Profiles(self.items, names, self.matrix, group.astype(np.int64), self.users)

    def made(self, matrix: sparse.csr_matrix, group: Ints) -> Profiles:
        """Profiles of nobody over the same items and groups."""
        return Profiles(self.items, self.names, matrix, group)


def obstacle(data: Dataset, attribute: str | None) -> str | None:
    """Why there are no profiles of two groups, in a sentence; None where there are."""
    if (reason := groups.attribute_obstacle(data, attribute)) is not None:
        return reason
    try:
        Profiles.of(data, attribute)
    except DataError as error:
        return error.paragraph
    return None


def from_lists(rows: Ints, columns: Ints, shape: tuple[int, int]) -> sparse.csr_matrix:
    """The matrix with ones at these places."""
    matrix = sparse.csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)
    matrix.sort_indices()
    return matrix


def drawn(logits: Floats, lengths: Ints, rng: np.random.Generator) -> sparse.csr_matrix:
    """Sets of items, one per row, each item's turn coming with a chance in proportion to `exp(logit)`.

    The largest of the logits with Gumbel noise are a sample without replacement (Kool, van Hoof and Welling 2019,
    "Stochastic beams and where to find them", section 2.3).

    Args:
        logits: (profiles, items); minus infinity for an item that is not to be drawn.
        lengths: How many items each set holds at most.
        rng: Where the noise is from.
    """
    keys = logits + rng.gumbel(size=logits.shape)
    places = np.argsort(-keys, axis=1)
    allowed = np.minimum(lengths, np.isfinite(logits).sum(axis=1))
    rows = np.repeat(np.arange(len(logits)), allowed)
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(allowed) - allowed, allowed)
    return from_lists(rows, places[rows, nth], logits.shape)
