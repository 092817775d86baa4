from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from equipoise.component import build
from equipoise.data import Dataset
from equipoise.data.cleaning import Cleaning, clean
from equipoise.data.config import Source, read
from equipoise.data.describe import describe
from equipoise.data.guess import guess, guess_columns
from equipoise.data.splits import Split, split
from equipoise.errors import DataError


def through(path: Path) -> tuple[dict[str, object], Dataset]:
    """The guessed configuration as TOML, and the data that it reads, cleaned and split as it says."""
    config = tomllib.loads(guess(path).to_toml())
    data = clean(
        read(build(Source, config["data"], where="[data]")), build(Cleaning, config["clean"], where="[clean]")
    )
    parts = split(data, build(Split, config["split"], where="[split]"))
    assert min(len(part.positives) for part in (parts.train, parts.valid, parts.test)) > 0
    return config, data


@pytest.mark.parametrize(
    ("folder", "name", "strategy"),
    [
        ("ml-1m", "movielens", "leave_last"),
        ("ml-100k", "movielens", "temporal"),
        ("ml-latest-small", "movielens", "temporal"),
        ("coat", "coat", "random"),
        ("open-bandit", "open-bandit", "temporal"),
        ("open-bandit/bts/women", "open-bandit", "temporal"),
        ("amazon-beauty", "s3rec", "leave_last"),
        ("musical-instruments", "amazon-reviews", "temporal"),
    ],
)
def test_every_public_event_set_is_recognised(folder: str, name: str, strategy: str, real_data: Path) -> None:
    config, data = through(real_data / folder)
    assert config["data"] == {"format": name, "path": str(real_data / folder)}
    assert config["split"] == {"strategy": strategy}
    assert len(data.events) > 1_000


@pytest.mark.parametrize("folder", ["ihdp", "lalonde", "bnlearn"])
def test_sets_without_events_are_refused_in_words(folder: str, real_data: Path) -> None:
    with pytest.raises(DataError, match="No table has both users and items"):
        guess(real_data / folder)


@pytest.mark.parametrize(
    "name",
    ["ml-latest-small/ratings.csv", "ml-1m/interactions.parquet", "musical-instruments/reviews.parquet"],
)
def test_single_real_tables_are_guessed_by_their_columns(name: str, real_data: Path) -> None:
    config, data = through(real_data / name)
    assert set(data.events.columns) >= {"user_id", "item_id"}
    assert config["data"]["events"] == str(real_data / name)  # type: ignore[index]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    rows = [
        f"{u},{i},2026-01-{d:02} 10:00:00"
        for d, (u, i) in enumerate([(u, i) for i in range(6) for u in range(3)], 1)
    ]
    (tmp_path / "clicks.csv").write_text("CustomerID,SKU,created_at\n" + "\n".join(rows) + "\n")
    (tmp_path / "searches.csv").write_text("customerId,search_term,created_at\n1,coat,2026-01-05 10:00:00\n")
    (tmp_path / "customers.csv").write_text("customer_id,Gender,zip\n0,F,01234\n1,M,04321\n2,F,00001\n")
    titles = "\n".join(f"{i},Thing {i},http://x/{i}.png,{i}.5" for i in range(6))
    (tmp_path / "products.csv").write_text("id,name,image_url,price\n" + titles + "\n")
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    return tmp_path


def test_a_folder_of_tables(shop: Path) -> None:
    (shop / "products.csv").rename(shop / "items.csv")
    config, data = through(shop)
    assert config["split"] == {"strategy": "temporal"}
    assert sorted(data.events["event"].unique()) == ["click", "search"]
    assert data.sensitive == ("Gender",)
    assert data.text == ("name",)
    assert data.items is not None
    assert len(data.items) == 6
    notes = guess(shop).notes
    assert any("notes.csv was left out" in note for note in notes)
    assert any("customers.csv has one row per 'customer_id': users" in note for note in notes)


def test_one_table_without_a_time_takes_the_order_of_rows(tmp_path: Path) -> None:
    pairs = "\n".join(f"{u},{i}" for i in range(5) for u in range(4))
    (tmp_path / "log.csv").write_text("user,item\n" + pairs + "\n")
    config, data = through(tmp_path)
    assert config["split"] == {"strategy": "leave_last"}
    assert config["data"]["columns"] == {"user_id": "user", "item_id": "item", "order": "(row)"}  # type: ignore[index]
    assert data.time == "order"
    assert "supposed to stand in order" in guess(tmp_path).to_toml()


def test_duplicate_rows_are_found_where_only_the_order_of_rows_is_known(tmp_path: Path) -> None:
    pairs = [f"{u},{i}" for i in range(5) for u in range(4)]
    (tmp_path / "log.csv").write_text("user,item\n" + "\n".join([*pairs, *pairs[:3]]) + "\n")
    found = guess(tmp_path)
    assert found.source.columns["order"] == "(row)"
    data = read(found.source)
    assert describe(data).duplicates == 3
    cleaned = clean(data)
    assert {row["reason"]: row["dropped"] for row in cleaned.account if row["dropped"]} == {
        "duplicate row": 3
    }
    assert cleaned.events["order"].to_list() == list(range(20))


def test_few_events_lower_the_core(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(
        "user,item,time\n" + "\n".join(f"{u},{u % 3},{u}" for u in range(20)) + "\n"
    )
    assert guess(tmp_path).min_user_events == 1


def test_nothing_to_guess_from(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no tables"):
        guess(tmp_path)
    with pytest.raises(DataError, match="no such file or folder"):
        guess(tmp_path / "missing")
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"t.csv: a, b"):
        guess(tmp_path)


def test_column_names_as_people_write_them() -> None:
    found = guess_columns(["visitorId", "Product_ID", "event-type", "eventTime", "Rating", "other"])
    assert found == {
        "user_id": "visitorId",
        "item_id": "Product_ID",
        "event": "event-type",
        "timestamp": "eventTime",
        "value": "Rating",
    }
