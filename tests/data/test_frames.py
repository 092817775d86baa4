"""Frames of other engines: what cannot be read is told in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from equipoise.data import to_polars
from equipoise.data.frames import eager, named_columns, require
from equipoise.errors import DataError, nearest


@pytest.mark.parametrize("read", [to_polars, eager])
def test_a_column_that_occurs_twice_is_named(read: Any) -> None:
    with pytest.raises(DataError, match="several columns 'a'"):
        read(pd.DataFrame([[1, 2, 3]], columns=["b", "a", "a"]))


def test_a_column_of_several_kinds_is_named() -> None:
    mixed = pd.DataFrame({"whole": [1, 2, 3], "mixed": [1, "x", None]})
    with pytest.raises(DataError, match="'mixed' holds values of several kinds"):
        to_polars(mixed)


def test_names_that_are_no_text_are_told_as_they_are() -> None:
    assert to_polars(pd.DataFrame(np.eye(2))).columns == ["0", "1"]
    assert nearest(None, [0, "a"]) == "Known: 0, a."
    with pytest.raises(DataError, match="no column '0'"):
        require(["a"], 0)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="A table was expected, not int"):
        eager(3)


def test_a_text_is_one_name() -> None:
    assert named_columns("xa") == ["xa"]
    assert named_columns(("x", "a")) == ["x", "a"]
    assert to_polars(pl.DataFrame({"xa": [1]}).lazy()).columns == named_columns("xa")


def test_of_very_many_names_a_few_are_listed() -> None:
    said = nearest("item 36x", [f"item {number:02}" for number in range(60)])
    assert said.startswith("Did you mean 'item 36'? Known: item 00, item 01, ")
    assert said.endswith("item 38, item 39 and 20 more.")
