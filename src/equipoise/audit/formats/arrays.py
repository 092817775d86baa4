"""Lists as arrays, one row per user, saved by NumPy: implicit's `recommend`, and what others save so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.audit.formats.reading import Reading, reading
from equipoise.data import vocabulary as v
from equipoise.data.sources import read_table, typed
from equipoise.errors import DataError

ARRAYS: Final = (".npz", ".npy")
_OF_USERS: Final = ("user", "uid")


@dataclass(frozen=True)
class Arrays:
    """What a file of arrays holds.

    Attributes:
        ids: Items, best first, of shape (users, places): internal numbers or external ids.
        scores: Their scores, of the same shape; None where there are none.
        users: Id of each row's user; None where nobody says.
        lookup: Item id of each internal number; None where the ids are external already, or nobody says.
    """

    ids: NDArray[Any]
    scores: NDArray[Any] | None
    users: NDArray[Any] | None
    lookup: NDArray[Any] | None

    @classmethod
    def load(cls, path: Path, *, users: Any = None, items: Any = None) -> Self:
        """The arrays of a file, told apart by shape and type; users and items by name.

        Matrices: of floats, the scores; otherwise, the items. Vectors: those whose name has "user" or "uid"
        are the users, others the item ids by internal number.

        Raises:
            DataError: if there is no such file, it would have to be unpickled, or the shapes do not fit.
        """
        found = _load(path)
        matrices = {name: array for name, array in found.items() if array.ndim == 2}
        vectors = {name: array for name, array in found.items() if array.ndim == 1}
        scores = [array for array in matrices.values() if np.issubdtype(array.dtype, np.floating)]
        ids = [array for array in matrices.values() if not np.issubdtype(array.dtype, np.floating)]
        told = ", ".join(f"{name} {array.dtype}{list(array.shape)}" for name, array in found.items())
        if len(ids) != 1 or len(scores) > 1 or (scores and scores[0].shape != ids[0].shape):
            raise DataError(
                "One matrix of items and at most one of scores were expected, users x places",
                where=f"{path}: {told}",
                todo="Save the arrays of a batch of users, as in numpy.savez(path, ids=ids, scores=scores).",
            )
        owners = [array for name, array in vectors.items() if any(word in name.lower() for word in _OF_USERS)]
        others = [
            array for name, array in vectors.items() if not any(word in name.lower() for word in _OF_USERS)
        ]
        if len(owners) > 1 or len(others) > 1:
            raise DataError(
                "More than one vector could be the ids",
                where=f"{path}: {told}",
                todo="Call the users' ids 'users' and the items' ids 'items', and leave the rest out.",
            )
        named = read_ids(users) if users is not None else (owners[0] if owners else None)
        if named is not None and len(named) != len(ids[0]):
            raise DataError(
                f"{len(named)} users do not fit {len(ids[0])} lists",
                where=str(path),
                todo="Give the id of each row's user, in the rows' order.",
            )
        lookup = read_ids(items) if items is not None else (others[0] if others else None)
        return cls(ids[0], scores[0] if scores else None, named, lookup)


def implicit(path: Path, *, users: Any = None, items: Any = None) -> Reading:
    """What `model.recommend(userids, user_items, N)` of implicit gives: numbers of items and scores.

    Fillers are dropped: -1, and items that the user has already, which come last with the least float32 as
    their score. Where nobody names the users, row numbers are their ids; where nobody names the items, their
    internal numbers.

    Raises:
        DataError: if an internal number has no item id.
    """
    arrays = Arrays.load(path, users=users, items=items)
    kept = arrays.ids >= 0 if np.issubdtype(arrays.ids.dtype, np.integer) else np.ones(arrays.ids.shape, bool)
    return reading(long(arrays, kept), "implicit", str(path), ordered=True)


def tokens_inside(path: Path) -> bool:
    """Whether the items are text, or the arrays carry the names of RecBole's `full_sort_topk`."""
    found = _load(path)
    text = any(array.ndim == 2 and array.dtype.kind in "US" for array in found.values())
    return text or any(name.startswith("topk_") for name in found)


def long(arrays: Arrays, kept: NDArray[np.bool_]) -> pl.DataFrame:
    """One row per item that is kept, best first; whole numbers written as text become numbers."""
    row, place = np.nonzero(kept)
    item = arrays.ids[row, place]
    if arrays.lookup is not None and np.issubdtype(item.dtype, np.integer):
        if len(item) and item.max() >= len(arrays.lookup):
            raise DataError(
                f"Item number {item.max()} is beyond the {len(arrays.lookup)} item ids",
                todo="Give the id of every internal number, from 0.",
            )
        item = arrays.lookup[item]
    user = row if arrays.users is None else arrays.users[row]
    columns = {v.USER: _plain(user), v.ITEM: _plain(item)}
    if arrays.scores is not None:
        columns[v.SCORE] = arrays.scores[row, place].astype(np.float64)
    return typed(pl.DataFrame(columns))


def _plain(ids: NDArray[Any]) -> NDArray[Any]:
    return np.char.decode(ids, "utf8") if ids.dtype.kind == "S" else ids


def _load(path: Path) -> dict[str, NDArray[Any]]:
    if not path.is_file():
        raise DataError("There is no such file", where=str(path), todo="Check the path.")
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"ids": loaded}
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except ValueError as error:
        if "pickle" not in str(error).lower():
            raise DataError("The file holds no NumPy arrays", where=str(path)) from error
        raise DataError(
            "The file holds pickled Python objects, which could run any code when read",
            where=str(path),
            todo="Save arrays of numbers or text: array.astype(str) turns ids into text.",
        ) from error
    except (OSError, EOFError) as error:
        raise DataError(
            "The file cannot be read as NumPy arrays", where=str(path), todo=str(error)
        ) from error


def read_ids(source: Any) -> NDArray[Any]:
    """Ids from an array, or from a file of one array or one column."""
    if not isinstance(source, (str, Path)):
        return np.asarray(source)
    path = Path(source)
    if path.suffix not in ARRAYS:
        table = read_table(path)
        if table.width != 1:
            raise DataError(
                f"A file of ids has {table.width} columns",
                where=f"{path}: {', '.join(table.columns)}",
                todo="Give one column: the id of each internal number, in order from 0.",
            )
        return table.to_series().to_numpy()
    found = [array for array in _load(path).values() if array.ndim == 1]
    if len(found) != 1:
        raise DataError("A file of ids holds one vector", where=str(path), todo="Save it with numpy.save.")
    return found[0]
