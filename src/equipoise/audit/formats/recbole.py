"""RecBole: `full_sort_topk` saved with NumPy, and atomic files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from equipoise.audit.formats.arrays import ARRAYS, Arrays, long
from equipoise.audit.formats.atomic import is_atomic, read_atomic
from equipoise.audit.formats.reading import Reading, reading
from equipoise.data.sources import read_table
from equipoise.errors import DataError

_PAD = "[PAD]"  # the token of the number 0, which stands for no item


def recbole(path: Path, *, users: Any = None, items: Any = None) -> Reading:
    """Scores and external tokens of the best items of each user, with the users; or a table with either kind
    of header.

    Padding and items that the user has seen, which RecBole gives a score of minus infinity, are dropped.

    Raises:
        DataError: if the users are not named, or the items are RecBole's internal numbers.
    """
    if path.suffix not in ARRAYS:
        return reading(read_atomic(path) if is_atomic(path) else read_table(path), "recbole", str(path))
    arrays = Arrays.load(path, users=users, items=items)
    if arrays.users is None:
        raise DataError(
            "The file does not say whose lists these are",
            where=str(path),
            todo="Save users=dataset.id2token(dataset.uid_field, uid_series) beside them.",
        )
    numbers = np.issubdtype(arrays.ids.dtype, np.integer)
    if numbers and arrays.lookup is None:
        raise DataError(
            "The items are RecBole's internal numbers, which nobody else knows",
            where=str(path),
            todo="Save items=dataset.id2token(dataset.iid_field, topk_iid_list.cpu()).",
        )
    kept = arrays.ids != (0 if numbers else _PAD)
    return reading(long(arrays, kept), "recbole", str(path), ordered=True)
