"""Attributes of users and items as numbers, for models whose vectors are sums over attributes.

This module does not import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.errors import ModelError, nearest
from equipoise.models.histories import Catalogue, locate

Choice = Literal["none", "all"] | tuple[str, ...]

_MANY = 50  # distinct values above which a column is taken for an id, a title or a measurement


@dataclass(frozen=True)
class Attributes:
    """What is known of each user, or of each item.

    Attributes:
        columns: Names of the attributes.
        codes: Number of each attribute's value, from 1 over all attributes together; 0 where it is not known;
            int64 of shape (rows, columns).
    """

    columns: tuple[str, ...]
    codes: NDArray[np.int64]

    @property
    def size(self) -> int:
        """Numbers in use, 0 among them."""
        return int(self.codes.max(initial=0)) + 1

    @classmethod
    def of(cls, table: pl.DataFrame | None, ids: pl.Series, columns: Sequence[str]) -> Attributes:
        """The attributes of `ids`; one that the table does not hold has none.

        Args:
            table: Users or items, with a column of ids.
            ids: Of whom, in this order.
            columns: Which columns of the table; each value is a word of its own, numbers too.
        """
        codes = np.zeros((len(ids), len(columns)), dtype=np.int64)
        if table is None or not columns:
            return cls(tuple(columns), codes)
        rows, taken = locate(ids, table[str(ids.name)]), 0
        known = rows >= 0
        for place, column in enumerate(columns):
            numbers = table[column].rank("dense").cast(pl.Int64)
            codes[rows[known], place] = (numbers + taken).fill_null(0).to_numpy()[known]
            taken += int(np.asarray(numbers.max() or 0))
        return cls(tuple(columns), codes)


def attributes(data: Dataset, catalogue: Catalogue, choice: Choice) -> tuple[Attributes, Attributes]:
    """The chosen attributes of the users and of the items of a catalogue.

    Args:
        data: Training data with its tables.
        catalogue: Whose, in which order.
        choice: Names of columns of either table; `all` for those of at most 50 distinct values that are not
            sensitive.

    Raises:
        ModelError: if neither table has a named column, or `all` finds none.
    """
    sides = ((v.USER, data.users), (v.ITEM, data.items))
    found = [_columns(table, key, choice, data.sensitive) for key, table in sides]
    present = {name for columns in found for name in columns}
    if choice == "all" and not present:
        raise ModelError(
            "Neither users nor items have an attribute of at most 50 values that is not sensitive",
            todo="Name the columns, or set `attributes` to none.",
        )
    if missing := sorted(set(choice) - present if isinstance(choice, tuple) else set[str]()):
        known = [name for _, table in sides if table is not None for name in table.columns]
        raise ModelError(
            f"Neither users nor items have the attribute '{missing[0]}'", todo=nearest(missing[0], known)
        )
    users, items = (
        Attributes.of(table, ids, columns)
        for (_, table), ids, columns in zip(sides, (catalogue.users, catalogue.items), found, strict=True)
    )
    return users, items


def _columns(
    table: pl.DataFrame | None, key: str, choice: Choice, sensitive: tuple[str, ...]
) -> tuple[str, ...]:
    if table is None or choice == "none":
        return ()
    others: list[Any] = [name for name in table.columns if name != key and not table[name].dtype.is_nested()]
    if choice == "all":
        hidden = sensitive if key == v.USER else ()
        return tuple(name for name in others if name not in hidden and table[name].n_unique() <= _MANY)
    return tuple(name for name in others if name in choice)
