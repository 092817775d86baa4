"""Lists and profiles as sparse matrices of users x items, and the groups of these users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.metrics import frames

Ints = NDArray[np.int64]


def lists(recommendations: Any, k: int) -> tuple[sparse.csr_matrix, pl.Series]:
    """Who is shown what: ones of shape (users, items), users sorted by id; and these ids."""
    table = to_polars(frames.collect(shown(recommendations, k).select(v.USER, v.ITEM)).to_native())
    if not len(table):
        raise DataError("There are no recommendations to compare", where=f"0 rows up to rank {k}")
    users = table[v.USER].unique().sort()
    return _ones(table, users), users


def profiles(train: Any, users: pl.Series) -> sparse.csr_matrix:
    """Training profiles of these users, (users, items), each row of length 1 or empty."""
    events = frames.truth(train)
    mine, people = frames.together(events, nw.from_native(pl.DataFrame({v.USER: users})))
    table = to_polars(frames.collect(mine.join(people, on=v.USER, how="inner")).to_native())
    matrix = _ones(table, users)
    lengths = np.sqrt(np.diff(matrix.indptr))
    matrix.data /= np.repeat(lengths, np.diff(matrix.indptr))
    return matrix


def attributes(groups: Any, users: pl.Series) -> list[tuple[str, list[str], Ints]]:
    """Every attribute with its groups, sorted, and the group of each user."""
    frame = frames.read(groups, (v.USER,), "groups")
    columns = [name for name in frame.collect_schema().names() if name != v.USER]
    if not columns:
        raise DataError("The groups name no attribute", todo="Give a column beside 'user_id'.")
    table, people = frames.together(
        nw.from_native(to_polars(frames.collect(frame).to_native())),
        nw.from_native(pl.DataFrame({v.USER: users})),
    )
    known = table.to_native()
    if known[v.USER].is_duplicated().any():
        raise DataError("The groups have a user twice", todo="Keep one row per user.")
    found = people.to_native().join(known, on=v.USER, how="left", maintain_order="left")
    attributes = []
    for column in columns:
        labels = found[column].cast(pl.String).fill_null(v.UNKNOWN).to_list()
        names = sorted(set(labels), key=lambda label: (label == v.UNKNOWN, label))
        places: Mapping[str, int] = {name: place for place, name in enumerate(names)}
        attributes.append((column, names, np.array([places[label] for label in labels], dtype=np.int64)))
    return attributes


def shown(recommendations: Any, k: int) -> Any:
    """Recommendations up to rank k, checked."""
    return frames.recommendations(recommendations).filter(nw.col(v.RANK) <= k)


def _ones(pairs: pl.DataFrame, users: pl.Series) -> sparse.csr_matrix:
    items = pairs[v.ITEM].unique().sort()
    people = pl.DataFrame({v.USER: users}).with_row_index("_row")
    things = pl.DataFrame({v.ITEM: items}).with_row_index("_column")
    pairs, people = (
        side.to_native() for side in frames.together(nw.from_native(pairs), nw.from_native(people))
    )
    cells = pairs.join(people, on=v.USER).join(things, on=v.ITEM)
    place = (cells["_row"].to_numpy().astype(np.int64), cells["_column"].to_numpy().astype(np.int64))
    return sparse.coo_matrix((np.ones(len(cells)), place), shape=(len(users), len(items))).tocsr()
