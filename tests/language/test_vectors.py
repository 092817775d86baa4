from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from equipoise.errors import DataError
from equipoise.language import Vectors

VECTORS = Vectors(pl.Series([3, 1, 2]), np.array([[3, 0], [1, 0], [2, 5]], dtype=np.float32))


def test_vectors_are_aligned_to_any_ids_of_any_type() -> None:
    matrix, present = VECTORS.aligned(pl.Series(["2", "nobody", "3", "2", None]))
    assert matrix.tolist() == [[2, 5], [0, 0], [3, 0], [2, 5], [0, 0]]
    assert present.tolist() == [True, False, True, True, False]
    assert matrix.dtype == np.float32


def test_no_vectors_align_to_zeros() -> None:
    matrix, present = Vectors(pl.Series([], dtype=pl.Int64), np.zeros((0, 2), np.float32)).aligned(
        pl.Series([1])
    )
    assert matrix.tolist() == [[0, 0]]
    assert not present.any()


@pytest.mark.parametrize("rows", [slice(None), slice(0, 0)])
def test_a_frame_gives_the_vectors_back(rows: slice) -> None:
    some = Vectors(VECTORS.ids[rows], VECTORS.matrix[rows])
    back = Vectors.from_frame(some.frame())
    assert back.ids.to_list() == some.ids.to_list()
    assert np.array_equal(back.matrix.reshape(-1), some.matrix.reshape(-1))


def test_lists_of_any_numbers_are_taken() -> None:
    frame = pl.DataFrame({"item_id": ["a", "b"], "vector": [[1, 2, 3], [4, 5, 6]]})
    assert Vectors.from_frame(frame).matrix.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_ids_must_fit_and_not_repeat() -> None:
    with pytest.raises(DataError, match="2 ids do not fit"):
        Vectors(pl.Series([1, 2]), VECTORS.matrix)
    with pytest.raises(DataError, match="ids of the vectors repeat"):
        Vectors(pl.Series([1, 2, 1]), VECTORS.matrix)
