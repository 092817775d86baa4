from __future__ import annotations

from datetime import date

import pandas as pd
import polars as pl
import pytest

from equipoise.errors import DataError
from equipoise.language import compose

ITEMS = pl.DataFrame(
    {
        "item_id": [1, 2, 3],
        "title": ["Toy Story", None, "  "],
        "genres": [["Animation", "Comedy", None, ""], [], None],
        "tags": ["fun|kids", "", None],
        "year": [1995, None, None],
        "released_on": [date(1995, 11, 22), None, None],
    }
)


def test_columns_become_lines_and_what_is_not_a_sentence_is_named() -> None:
    texts = compose(ITEMS, ["title", "genres", "tags", "year", "released_on"])
    assert texts.to_list() == [
        "Toy Story\ngenres: Animation, Comedy\nfun, kids\nyear: 1995\nreleased on: 1995-11-22",
        "",
        "",
    ]


def test_the_order_of_the_columns_is_kept() -> None:
    assert compose(ITEMS, ["year", "title"])[0] == "year: 1995\nToy Story"


def test_a_pandas_frame_gives_the_same_texts() -> None:
    frame = pd.DataFrame({"item_id": ["a", "b"], "title": ["Tea", None], "price": [2.5, 3.0]})
    assert compose(frame, ["title", "price"]).to_list() == ["Tea\nprice: 2.5", "price: 3.0"]


def test_a_column_of_nulls_only_says_nothing() -> None:
    assert compose(pl.DataFrame({"note": [None, None]}), ["note"]).to_list() == ["", ""]


def test_a_misspelt_column_is_told_with_the_near_one() -> None:
    with pytest.raises(DataError, match=r"no column 'titel'.*Did you mean 'title'"):
        compose(ITEMS, ["titel"])


def test_no_column_is_an_error_that_lists_the_columns() -> None:
    with pytest.raises(DataError, match="released_on"):
        compose(ITEMS, [])


def test_a_column_that_is_no_text_is_refused() -> None:
    with pytest.raises(DataError, match="'extra' of the items cannot be read as text"):
        compose(pl.DataFrame({"extra": [{"a": 1}]}), ["extra"])
