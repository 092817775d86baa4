"""What is known of a profile as numbers that a graph may name: activity, popularity, shares of categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.after.groups import category_column, category_masses
from equipoise.debias.before.augmentation.profiles import Floats, Profiles
from equipoise.models.histories import locate

ACTIVITY, POPULARITY, SHARE = "activity", "popularity", "share."


@dataclass(frozen=True)
class Features:
    """Numbers of a profile that are means over its items, beside its length.

    Attributes:
        names: `popularity`, and `share.` with the category for each category of the items.
        masses: Value of each item, (items, features).
    """

    names: tuple[str, ...]
    masses: Floats

    @classmethod
    def of(cls, data: Dataset, profiles: Profiles, column: str | None) -> Features:
        """The features of items: logarithm of the number of profiles that hold it, share in each category.

        Args:
            data: With the table of items, where it has one.
            profiles: Whose items.
            column: Of the items; None for the first that names categories. Several categories of one item are
                joined by "|" and share it.
        """
        names, masses = [POPULARITY], [np.log1p(profiles.counts)[:, None]]
        column = column or category_column(data)
        if data.items is not None and column is not None:
            ids, categories, shares = category_masses(data.items, column)
            rows = locate(ids.cast(profiles.items.dtype, strict=False), profiles.items)
            masses.append(np.where(rows[:, None] >= 0, shares[rows], 0.0))
            names += [f"{SHARE}{name}" for name in categories]
        return cls(tuple(names), np.hstack(masses))

    def table(self, profiles: Profiles) -> pl.DataFrame:
        """The features of profiles: `user_id`, `activity` (log of the number of items) and the means."""
        assert profiles.users is not None
        means = (profiles.matrix @ self.masses) / np.maximum(profiles.lengths, 1)[:, None]
        return pl.DataFrame([
            profiles.users.alias(v.USER),
            pl.Series(ACTIVITY, np.log(np.maximum(profiles.lengths, 1))),
            *(pl.Series(name, means[:, place]) for place, name in enumerate(self.names)),
        ])  # fmt: skip

    def columns(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Columns of `masses` that these names stand for."""
        return np.array([self.names.index(name) for name in names], dtype=np.int64)
