"""Coat: ratings that users chose, ratings of random items, and estimated propensities (Schnabel et al., ICML
2016).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import vocabulary as v
from equipoise.data.dataset import Dataset
from equipoise.data.formats import Format, only
from equipoise.data.mapping import assemble
from equipoise.errors import DataError


class Coat(Format):
    """290 users and 300 coats, numbered from 0 as the files' rows and columns.

    The events are the ratings that users chose to give (`train.ascii`), each with the file's estimated
    propensity of having been given. They have no time. The ratings of random items are a test of their own:
    `random_test`. Sensitive are gender and age; text is gender, type and colour of the coat.
    """

    name = "coat"

    @classmethod
    def recognises(cls, folder: Path) -> bool:
        """Whether both rating matrices are there."""
        return (folder / "train.ascii").exists() and (folder / "test.ascii").exists()

    def read(self, folder: Path) -> Dataset:
        """The folder's chosen ratings, users and items."""
        events = _ratings(folder, "train.ascii")
        if (folder / "propensities.ascii").exists():
            events = events.join(propensities(folder), on=[v.USER, v.ITEM], how="left", maintain_order="left")
        return assemble(
            events,
            _features(folder, "user", v.USER),
            _features(folder, "item", v.ITEM),
            sensitive=("gender", "age"),
            text=("gender", "jackettype", "color"),
        )


def random_test(folder: Path, *, without_training: bool = False) -> pl.DataFrame:
    """Ratings of items drawn uniformly at random: `user_id`, `item_id`, `value`, `event`.

    Args:
        folder: The data set's folder.
        without_training: Whether to leave out the cells that `train.ascii` holds too, always with the same
        rating.
    """
    test = _ratings(folder, "test.ascii")
    if without_training:
        test = test.join(
            _ratings(folder, "train.ascii"), on=[v.USER, v.ITEM], how="anti", maintain_order="left"
        )
    return test


def propensities(folder: Path) -> pl.DataFrame:
    """The estimated probability that a rating was given, for every user and item: `user_id`, `item_id`,
    `propensity`.
    """
    matrix = _matrix(folder, "propensities.ascii")
    users, items = np.indices(matrix.shape)
    return pl.DataFrame({v.USER: users.ravel(), v.ITEM: items.ravel(), v.PROPENSITY: matrix.ravel()})


def _ratings(folder: Path, name: str) -> pl.DataFrame:
    matrix = _matrix(folder, name)
    users, items = np.nonzero(matrix)
    events = {v.USER: users, v.ITEM: items, v.VALUE: matrix[users, items].astype(float)}
    return pl.DataFrame(events).with_columns(pl.lit(v.RATING).alias(v.EVENT))


def _features(folder: Path, kind: str, key: str) -> pl.DataFrame | None:
    """One-hot columns `attribute:value` become one text column per attribute."""
    if not (folder / f"{kind}_features.ascii").exists():
        return None
    names = only(folder, f"{kind}_features_map.txt", "file").read_text("utf-8").splitlines()
    matrix = _matrix(folder, f"{kind}_features.ascii")
    if matrix.shape[1] != len(names):
        raise DataError(
            "The names do not match the columns",
            where=f"{kind}_features_map.txt: {len(names)} names, {matrix.shape[1]} columns",
            todo="Take both files from the same release.",
        )
    table: dict[str, object] = {key: np.arange(len(matrix))}
    for attribute in dict.fromkeys(name.partition(":")[0] for name in names):
        places = [i for i, name in enumerate(names) if name.partition(":")[0] == attribute]
        values = np.array([names[i].partition(":")[2] for i in places])
        table[attribute] = values[matrix[:, places].argmax(axis=1)]
    return pl.DataFrame(table)


def _matrix(folder: Path, name: str) -> NDArray[np.float64]:
    path = only(folder, name, "file")
    try:
        return np.loadtxt(path, ndmin=2)
    except ValueError as error:
        raise DataError("The file is no matrix of numbers", where=str(path), todo=f"{error}.") from error
