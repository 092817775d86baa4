"""Candidates in any form become the same mask, block by block."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data import Dataset
from equipoise.errors import ModelError
from equipoise.models.candidates import Candidates
from equipoise.models.histories import Catalogue

CATALOGUE = Catalogue.of(Dataset(pl.DataFrame({"user_id": [1, 2, 3], "item_id": [10, 20, 30]})))


def masks(candidates, users, size):
    found = Candidates.of(candidates, CATALOGUE, pl.Series(users))
    parts = [slice(start, min(start + size, len(users))) for start in range(0, len(users), size)]
    return np.concatenate(
        [np.broadcast_to(found.mask(part, 3), (part.stop - part.start, 3)) for part in parts]
    )


def test_none_is_everything():
    assert masks(None, [1, 2], 1).all()


@pytest.mark.parametrize(
    "listed", [[30, 10, 30, 99], (30, 10), np.array([10, 30]), pl.Series([10, 30]), ["10", "30", "x"]]
)
def test_a_list_holds_for_all(listed):
    assert masks(listed, [1, 2], 1).tolist() == [[True, False, True]] * 2


def test_an_empty_list_allows_nothing():
    assert not masks([], [1, 2], 2).any()


@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from([10, 20, 30, 40])), max_size=12),
    st.lists(st.integers(1, 5), min_size=1, max_size=6),
    st.integers(1, 3),
)
def test_a_frame_holds_per_user(pairs, users, size):
    frame = pl.DataFrame(pairs, schema={"user_id": pl.Int64, "item_id": pl.Int64}, orient="row")
    expected = [[(user, item) in pairs for item in (10, 20, 30)] for user in users]
    assert masks(frame, users, size).tolist() == expected
    found = Candidates.of(frame, CATALOGUE, pl.Series(users))
    strangers = found.unknown(slice(0, len(users)), np.zeros(len(users)), 5)
    assert sorted(strangers["user_id"]) == [row for row, user in enumerate(users) if (user, 40) in pairs]


def test_pandas_frames_are_taken():
    frame = pd.DataFrame({"user_id": [2, 1], "item_id": [30, 10]})
    assert masks(frame, [1, 2, 3], 2).tolist() == [[True, False, False], [False, False, True], [False] * 3]


def test_strangers_of_a_list_come_to_every_request_and_no_more_than_k():
    found = Candidates.of([99, 10, 77, 88], CATALOGUE, pl.Series([1, 2]))
    rows = found.unknown(slice(1, 2), np.array([-3.0]), 2)
    assert rows.rows() == [(1, 77, -3.0, True), (1, 88, -3.0, True)]


def test_a_frame_without_the_columns_is_refused():
    with pytest.raises(ModelError, match="user_id"):
        Candidates.of(pl.DataFrame({"user": [1], "item_id": [10]}), CATALOGUE, pl.Series([1]))
