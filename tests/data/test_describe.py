from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from equipoise.data import Dataset
from equipoise.data.config import Source, read
from equipoise.data.describe import describe


def test_by_hand() -> None:
    events = pl.DataFrame(
        {
            "user_id": [1, 1, 1, 2, 2],
            "item_id": [1, 1, 2, 1, None],
            "timestamp": [0, 0, 86_400, 5, 6],
            "event": ["click", "click", "click", "click", "search"],
            "query": [None, None, None, None, "q"],
        }
    )
    users = pl.DataFrame({"user_id": [1, 2, 3], "gender": ["F", None, None]})
    found = describe(Dataset(events, users, sensitive=("gender",)))
    assert found.rows == {"events": 5, "users": 3}
    assert (found.users, found.items, found.density) == (2, 2, 3 / 4)
    assert found.events == {"click": 4, "search": 1}
    assert found.span == ("1970-01-01 00:00:00", "1970-01-02 00:00:00")
    assert (found.duplicates, found.repeats, found.cold_users, found.cold_items) == (1, 1, 1, 0)
    gender = next(column for column in found.columns if column.name == "gender")
    assert (gender.table, gender.missing, gender.different, gender.example) == ("users", 2, 1, "F")
    assert ("density", "75.0000%") in found.table()


def test_datetimes_no_time_and_lists() -> None:
    events = pl.DataFrame(
        {"user_id": [1], "item_id": [1], "timestamp": [datetime(2026, 5, 1, tzinfo=UTC)], "l": [[1]]}
    )
    assert describe(Dataset(events)).span == ("2026-05-01 00:00:00", "2026-05-01 00:00:00")
    found = describe(Dataset(events.drop("timestamp")))
    assert found.span is None
    assert ("time", "none; order by nothing") in found.table()
    assert found.columns[-1].different is None


def test_real_ml_100k(real_data: Path) -> None:
    found = describe(read(Source(format="movielens", path=str(real_data / "ml-100k"))))
    assert found.rows == {"events": 100_000, "users": 943, "items": 1_682}
    assert found.density == pytest.approx(100_000 / (943 * 1_682))
    assert found.span == ("1997-09-20 03:05:10", "1998-04-22 23:10:38")
    assert (found.duplicates, found.repeats) == (0, 0)
