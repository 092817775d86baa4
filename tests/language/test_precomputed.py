from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from equipoise.errors import DataError
from equipoise.language import encode_items
from equipoise.language.precomputed import Precomputed

ITEMS = pl.DataFrame({"item_id": [3, 1, 2]})


def stored(folder: Path, **columns: Any) -> Precomputed:
    frame = pl.DataFrame(
        {"item_id": [1, 2, 3, 9], "vector": [[1.0, 0], [2.0, 0], [3.0, 0], [9.0, 0]], **columns}
    )
    frame.write_parquet(folder / "images.parquet")
    return Precomputed(path=str(folder / "images.parquet"))


def test_vectors_come_in_the_order_of_the_items(tmp_path: Path) -> None:
    stored(tmp_path)
    found = encode_items(ITEMS, [], f"vectors:{tmp_path}/images.parquet")
    assert found.matrix.tolist() == [[3, 0], [1, 0], [2, 0]]
    assert found.matrix.dtype == np.float32
    assert found.encoder is None


def test_ids_are_matched_whatever_the_integer_type_or_text(tmp_path: Path) -> None:
    source = stored(tmp_path, item_id=["1", "2", "3", "9"])
    assert source.item_vectors(ITEMS, []).matrix[0].tolist() == [3, 0]


def test_missing_and_unknown_ids_are_found(tmp_path: Path) -> None:
    match = stored(tmp_path).match(pl.DataFrame({"item_id": [1, 7]}))
    assert match.missing.to_list() == [7]
    assert match.unknown.to_list() == [2, 3, 9]


def test_an_item_without_a_vector_is_refused_or_zero(tmp_path: Path) -> None:
    source = stored(tmp_path)
    items = pl.DataFrame({"item_id": [1, 7]})
    with pytest.raises(DataError, match="1 items have no vector, among them 7"):
        source.item_vectors(items, [])
    lenient = Precomputed(path=source.path, missing="zero")
    assert lenient.item_vectors(items, []).matrix.tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"item_id": [1, 2, 2, 9]}, "1 ids repeat.*among them 2"),
        ({"item_id": [1, None, 3, 9]}, "1 ids of the vectors are null"),
        ({"item_id": ["a", "b", "c", "d"]}, "4 ids of the vectors are null or not of the items' type"),
        ({"item_id": [10, 11, 12, 13]}, "No id in the file"),
        ({"vector": [[1.0], [2.0, 0], [3.0], [9.0]]}, "different lengths"),
        ({"vector": [[1.0], None, [3.0], [9.0]]}, "different lengths"),
        ({"vector": [[1.0], [None], [3.0], [9.0]]}, "gaps"),
        ({"vector": [[1.0], [float("nan")], [3.0], [9.0]]}, "1 vectors hold.*not a finite number.*2"),
        ({"vector": ["a", "b", "c", "d"]}, "not lists of numbers"),
    ],
)
def test_bad_files_are_told(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        stored(tmp_path, **columns).item_vectors(ITEMS, [])


def test_a_missing_or_broken_file_or_column_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file of vectors"):
        Precomputed(path=str(tmp_path / "none.parquet")).item_vectors(ITEMS, [])
    broken = tmp_path / "broken.parquet"
    broken.write_text("no")
    with pytest.raises(DataError, match="not a readable Parquet file"):
        Precomputed(path=str(broken)).item_vectors(ITEMS, [])
    source = Precomputed(path=stored(tmp_path).path, column="vectors")
    with pytest.raises(DataError, match="Did you mean 'vector'"):
        source.item_vectors(ITEMS, [])
