"""Columns of images and quantities: named, checked, and found beside the table that names them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from equipoise.data.config import Source, TableSource, read
from equipoise.errors import DataError


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "tables").mkdir()
    pl.DataFrame({"user_id": [1, 2], "item_id": [1, 2]}).write_csv(tmp_path / "events.csv")
    pl.DataFrame(
        {
            "item_id": [1, 2, 3, 4],
            "photo": ["a.png", "/far/b.png", "https://x.org/c.png", None],
            "price": [1.5, 2, 3, 4],
        }
    ).write_csv(tmp_path / "tables" / "items.csv")
    return tmp_path


@pytest.mark.parametrize("as_source", [True, False])
def test_paths_start_from_the_folder_of_the_items(shop: Path, as_source: bool):
    place = str(shop / "tables" / "items.csv")
    items = TableSource(path=place) if as_source else place
    data = read(Source(events=str(shop / "events.csv"), items=items, images=["photo"], numeric=["price"]))
    assert (data.images, data.numeric) == (("photo",), ("price",))
    assert data.items is not None
    beside = str((shop / "tables").resolve() / "a.png")
    assert data.items["photo"].to_list() == [beside, "/far/b.png", "https://x.org/c.png", None]


def test_columns_of_other_kinds_are_refused(shop: Path):
    places = {"events": str(shop / "events.csv"), "items": str(shop / "tables" / "items.csv")}
    with pytest.raises(DataError, match="'price' should hold images"):
        read(Source(**places, images=["price"]))
    with pytest.raises(DataError, match="'photo' should hold numbers"):
        read(Source(**places, numeric=["photo"]))
    with pytest.raises(DataError, match="'foto'"):
        read(Source(**places, images=["foto"]))
    with pytest.raises(DataError, match="no items table"):
        read(Source(events=places["events"], images=["photo"]))
