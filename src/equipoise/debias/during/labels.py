"""Which classes of which attributes each user is known to have."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.errors import DataError, nearest
from equipoise.models.histories import locate

Ints = NDArray[np.int64]

_MANY = 50  # classes, above which a column is taken for a measurement or an id


@dataclass(frozen=True)
class Labels:
    """Classes of users who have events and a known class; who is not here has class -1.

    Attributes:
        users: Ids.
        codes: Class of each user for each attribute, -1 where it is not known, int64 of shape (users, attributes).
        classes: Names of the classes of each attribute.
    """

    users: pl.Series
    codes: Ints
    classes: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, data: Dataset, attributes: tuple[str, ...]) -> Labels:
        """Labels of the users with an event of taste; null, empty and "unknown" tell nothing.

        Raises:
            DataError: if the users have no such column, or it has fewer than two classes or more than 50.
        """
        if data.users is None or v.USER not in data.users.columns:
            raise DataError("There is no users table to take attributes from", todo="Name one under [data].")
        offered = [column for column in data.users.columns if column != v.USER]
        active = data.positives[v.USER].unique().cast(data.users[v.USER].dtype, strict=False)
        users = data.users.filter(pl.col(v.USER).is_in(active.implode())).unique(v.USER).sort(v.USER)
        codes, classes = np.full((len(users), len(attributes)), -1, dtype=np.int64), {}
        for place, attribute in enumerate(attributes):
            if attribute not in offered:
                raise DataError(
                    f"The users have no column '{attribute}'",
                    where=f"columns: {', '.join(offered)}",
                    todo=nearest(attribute, offered),
                )
            text = users[attribute].cast(pl.String)
            told = text.set(text.is_in([v.UNKNOWN, ""]).fill_null(False), None)
            names = told.drop_nulls().unique().sort()
            if len(names) < 2:
                raise DataError(
                    f"The attribute '{attribute}' has fewer than two classes, so there is nothing to remove",
                    where=f"{len(users)} users with events; classes: {', '.join(names) or 'none'}",
                    todo="Choose another attribute.",
                )
            if len(names) > _MANY:
                raise DataError(
                    f"The attribute '{attribute}' has {len(names):,} classes, more than {_MANY}",
                    where=f"{len(users)} users with events; classes: {', '.join(names[:5])} ...",
                    todo="Join classes (ages to bands, for instance).",
                )
            codes[:, place] = (
                told.replace_strict(
                    names.to_list(), list(range(len(names))), default=-1, return_dtype=pl.Int64
                )
                .fill_null(-1)
                .to_numpy()
            )
            classes[attribute] = tuple(names)
        return cls(users[v.USER], codes, classes)

    @property
    def cells(self) -> Ints:
        """Combinations of classes that occur, int64 of shape (cells, attributes); the first is that of whoever
        nothing is known of, -1 for each attribute.
        """
        return self._cells[0]

    def cell_of(self, users: pl.Series) -> Ints:
        """Row of `cells` of each of these users, int64 of shape (users,), 0 for who is not here."""
        found = locate(self.users, users)
        return np.where(found >= 0, self._cells[1][found], 0)

    @cached_property
    def _cells(self) -> tuple[Ints, Ints]:
        nobody = np.full((1, self.codes.shape[1]), -1, dtype=np.int64)
        cells, place = np.unique(np.concatenate([nobody, self.codes]), axis=0, return_inverse=True)
        return cells, place[1:]

    def rows(self, users: pl.Series) -> Ints:
        """Classes of these users, int64 of shape (users, attributes), -1 where not known."""
        found = locate(self.users, users)
        return np.where(found[:, None] >= 0, self.codes[found], -1)
