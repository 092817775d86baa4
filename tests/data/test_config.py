from __future__ import annotations

import sqlite3
from pathlib import Path

import polars as pl
import pytest

from equipoise.component import build
from equipoise.data.cleaning import Cleaning, clean
from equipoise.data.config import EventSource, Source, TableSource, read
from equipoise.data.mapping import to_time
from equipoise.errors import ConfigError, DataError


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Clicks, purchases and searches in separate files, with names of their own."""
    (tmp_path / "clicks.csv").write_text(
        "customer,sku,at\n1,7,2026-01-01 10:00:00\n2,8,2026-01-01 11:00:00\n"
    )
    (tmp_path / "orders.csv").write_text("customer,article,when,price\n1,7,2026-01-02 09:00:00,9.5\n")
    (tmp_path / "searches.csv").write_text("customer,words,at\n2,warm coat,2026-01-01 10:59:00\n")
    (tmp_path / "people.csv").write_text("customer,sex\n1,F\n2,M\n3,F\n")
    (tmp_path / "products.csv").write_text("id,name\n7,Coat\n8,Hat\n9,Scarf\n")
    return tmp_path


def shop_source(shop: Path) -> Source:
    return build(
        Source,
        {
            "events": [
                {"path": str(shop / "clicks.csv"), "event": "click", "columns": {"item_id": "sku"}},
                {
                    "path": str(shop / "orders.csv"),
                    "event": "purchase",
                    "columns": {"item_id": "article", "timestamp": "when", "value": "price"},
                },
                {"path": str(shop / "searches.csv"), "event": "search", "columns": {"query": "words"}},
            ],
            "users": str(shop / "people.csv"),
            "items": {"path": str(shop / "products.csv"), "columns": {"item_id": "id", "title": "name"}},
            "columns": {"user_id": "customer", "timestamp": "at", "gender": "sex"},
            "sensitive": ["gender"],
            "text": ["title"],
        },
        where="[data]",
    )


def test_several_sources_become_one_table(shop: Path) -> None:
    data = read(shop_source(shop))
    events = data.events.sort("timestamp")
    assert events["event"].to_list() == ["click", "search", "click", "purchase"]
    assert events["item_id"].to_list() == [7, None, 8, 7]
    assert events["query"].to_list() == [None, "warm coat", None, None]
    assert events["value"].to_list() == [None, None, None, 9.5]
    assert events.schema["timestamp"] == pl.Datetime("us", "UTC")
    assert data.positives.height == 3
    assert data.users is not None
    assert data.users.columns == ["user_id", "gender"]
    assert data.items is not None
    assert data.items.columns == ["item_id", "title"]
    assert [(row["table"], row["kept"]) for row in data.account] == [
        ("events", 4),
        ("users", 3),
        ("items", 3),
    ]


def test_a_misspelt_column_says_which_are_there(shop: Path) -> None:
    source = Source(events=str(shop / "clicks.csv"), columns={"user_id": "custmer", "item_id": "sku"})
    with pytest.raises(DataError, match=r"no column 'custmer'.*Did you mean 'customer'.*at, customer, sku"):
        read(source)


def test_a_missing_column_says_how_to_name_it(shop: Path) -> None:
    with pytest.raises(DataError, match=r"no column 'item_id'.*\[data.columns\]"):
        read(Source(events=str(shop / "clicks.csv"), columns={"user_id": "customer"}))


@pytest.mark.parametrize(("field", "column"), [("sensitive", "gendr"), ("text", "titel")])
def test_a_misspelt_attribute_is_told(shop: Path, field: str, column: str) -> None:
    with pytest.raises(DataError, match=f"no column '{column}'.*Did you mean"):
        read(shop_source(shop).model_copy(update={field: [column]}))


def test_an_attribute_of_no_table_is_told(shop: Path) -> None:
    source = shop_source(shop)
    with pytest.raises(DataError, match="no column 'colr' for 'color'"):
        read(source.model_copy(update={"columns": {**source.columns, "color": "colr"}}))


def test_sensitive_without_users_is_told(shop: Path) -> None:
    columns = {"user_id": "customer", "item_id": "sku", "timestamp": "at"}
    with pytest.raises(DataError, match="no users table to hold 'gender'"):
        read(Source(events=str(shop / "clicks.csv"), columns=columns, sensitive=["gender"]))


def test_sources_must_agree_on_time_and_kind(shop: Path) -> None:
    clicks = EventSource(path=str(shop / "clicks.csv"), event="click", columns={"item_id": "sku"})
    timeless = EventSource(path=str(shop / "orders.csv"), event="purchase", columns={"item_id": "article"})
    columns = {"user_id": "customer", "timestamp": "at"}
    with pytest.raises(DataError, match=r"no 'timestamp'.*orders.csv"):
        read(Source(events=[clicks, timeless], columns=columns))
    with pytest.raises(DataError, match=r"no 'event'.*clicks.csv"):
        read(Source(events=[clicks.model_copy(update={"event": None}), timeless], columns=columns))


def test_a_search_needs_a_query(shop: Path) -> None:
    source = EventSource(path=str(shop / "clicks.csv"), event="search")
    with pytest.raises(DataError, match="no column 'query'"):
        read(Source(events=[source], columns={"user_id": "customer"}))


def test_a_search_has_no_item_and_an_unnamed_query_is_a_search(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user_id,item_id,query,event\n1,7,coat,search\n1,7,,click\n")
    assert read(Source(events=str(tmp_path / "a.csv"))).events["item_id"].to_list() == [None, 7]
    (tmp_path / "b.csv").write_text("user_id,item_id,query\n1,,coat\n1,7,\n")
    assert read(Source(events=str(tmp_path / "b.csv"))).events["event"].to_list() == ["search", "view"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (
            "impression",
            ["Impression", "impressions", " show", "SHOWN", "exposure", "expose", "display", "displayed"],
        ),
        ("impression", ["imp"]),
        ("search", ["SEARCH", "searches", "Query", "queries "]),
        ("click", ["Click", "clicks", "clicked"]),
        ("purchase", ["purchases", "buy", "Bought", "order", "orders", "transaction"]),
        ("view", ["views", "viewed", "PageView", "page_view"]),
        ("rating", ["ratings", "rate", "rated"]),
        ("add to cart", ["Add to cart "]),
    ],
)
def test_kinds_of_events_are_told_however_they_are_written(
    kind: str, words: list[str], tmp_path: Path
) -> None:
    rows = [f"1,{i},{word},coat" for i, word in enumerate(words)]
    (tmp_path / "e.csv").write_text("\n".join(["user_id,item_id,event,query", *rows]) + "\n")
    data = read(Source(events=str(tmp_path / "e.csv")))
    assert data.events["event"].to_list() == [kind] * len(words)
    assert len(data.positives) == (0 if kind in ("impression", "search") else len(words))
    assert data.events["item_id"].null_count() == (len(words) if kind == "search" else 0)


def test_the_kind_of_a_source_may_be_written_in_any_way(shop: Path) -> None:
    searches = EventSource(path=str(shop / "searches.csv"), event="Searches", columns={"query": "words"})
    data = read(Source(events=[searches], columns={"user_id": "customer", "timestamp": "at"}))
    assert data.events.select("event", "item_id", "query").rows() == [("search", None, "warm coat")]


def test_words_for_a_missing_id_are_no_ids(tmp_path: Path) -> None:
    missing = ["NULL", "null", "None", "NaN", "n/a", "NA", '""', '"  "']
    rows = [f"u{i % 3},b{i}" for i in range(3)] + [f"{word},b1" for word in missing]
    rows += [f"u1,{word}" for word in missing]
    (tmp_path / "e.csv").write_text("\n".join(["user_id,item_id", *rows]) + "\n")
    (tmp_path / "p.csv").write_text("item_id,title\nb0,Coat\nb1,Hat\nb2,Bag\nNULL,Nothing\nNone,Nobody\n")
    data = read(Source(events=str(tmp_path / "e.csv"), items=str(tmp_path / "p.csv")))
    assert set(data.events["user_id"].drop_nulls()) == {"u0", "u1", "u2"}
    cleaned = clean(data, Cleaning(min_user_events=0))
    account = {(row["table"], row["reason"]): row["dropped"] for row in cleaned.account}
    assert account["events", "missing user id"] == account["events", "missing item id"] == len(missing)
    assert account["items", "missing id"] == 2
    assert cleaned.events["item_id"].to_list() == ["b0", "b1", "b2"]


def test_slates_without_an_id_are_not_one_slate(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("user_id,item_id,slate_id\n1,2,s1\n1,3,NULL\n2,3,NULL\n")
    assert read(Source(events=str(tmp_path / "e.csv"))).events["slate_id"].to_list() == ["s1", None, None]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "user_id,item_id,value\n1,2,three\n1,3,4\n",
            r"'value' should hold numbers, and 1 of 2.*row 1: 'three'",
        ),
        (
            "user_id,item_id,timestamp\n1,2,yesterday\n1,3,2026-01-01\n",
            r"'timestamp' should hold times, and 1 of 2",
        ),
        ("user_id,item_id,position\n1,2,top\n", "'position' should hold numbers"),
    ],
)
def test_wrong_types_are_told_with_the_row(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        read(Source(events=str(tmp_path / "e.csv")))


def test_ids_agree_between_tables(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("user_id,item_id\n1,10\n2,11\n")
    (tmp_path / "users.csv").write_text("user_id,zip\n1,01234\n2,99999\nguest,\n")
    pl.DataFrame({"item_id": [10.0, 11.0, None]}).write_parquet(tmp_path / "items.parquet")
    data = read(Source(path=str(tmp_path)))
    assert data.events["user_id"].to_list() == ["1", "2"]
    assert data.events["item_id"].to_list() == [10, 11]
    assert data.users is not None
    assert data.users["zip"].to_list() == ["01234", "99999", None]
    assert data.items is not None
    assert data.items["item_id"].to_list() == [10, 11, None]


def test_the_order_of_rows_can_be_the_time(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("user_id,item_id\n1,10\n1,5\n")
    data = read(Source(events=str(tmp_path / "e.csv"), columns={"order": "(row)"}))
    assert data.time == "order"
    assert data.events["order"].to_list() == [0, 1]


def test_a_column_in_the_way_is_kept(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("user_id,item_id,customer\n5,10,1\n")
    data = read(Source(events=str(tmp_path / "e.csv"), columns={"user_id": "customer"}))
    assert data.events.select("user_id", "user_id_unmapped").rows() == [(1, 5)]


def test_databases_and_files_mix(tmp_path: Path, shop: Path) -> None:
    connection = sqlite3.connect(tmp_path / "s.db")
    connection.execute("create table products (item_id integer, title text)")
    connection.execute("insert into products values (7, 'Coat'), (8, 'Hat')")
    connection.commit()
    connection.close()
    columns = {"user_id": "customer", "item_id": "sku", "timestamp": "at"}
    items = f"sqlite:///{tmp_path}/s.db#products"
    data = read(Source(events=str(shop / "clicks.csv"), items=items, columns=columns, text=["title"]))
    assert data.items is not None
    assert data.items["title"].to_list() == ["Coat", "Hat"]


def test_no_source_is_told() -> None:
    with pytest.raises(ConfigError, match="names no events"):
        read(Source())
    with pytest.raises(ConfigError, match="reads one folder"):
        read(Source(format="coat"))


def test_a_column_named_twice_is_told(shop: Path) -> None:
    users = TableSource(path=str(shop / "people.csv"), columns={"user_id": "sex"})
    with pytest.raises(DataError, match="'sex' is named for both"):
        read(shop_source(shop).model_copy(update={"users": users}))


@pytest.mark.parametrize(
    ("values", "first"),
    [
        ([1577836800, 1577836801], 1577836800),
        ([1577836800.5, 1577836801.0], 1577836800.5),
        ([1577836800123, 1577836801000], "2020-01-01 00:00:00.123000+00:00"),
        ([1577836800123456, 1577836801000000], "2020-01-01 00:00:00.123456+00:00"),
        ([1577836800123456789, 1577836801000000000], "2020-01-01 00:00:00.123456+00:00"),
        (["2020-01-01", "2020-01-02"], "2020-01-01 00:00:00+00:00"),
        (["2020-01-01T01:00:00Z", "2020-01-02T00:00:00Z"], "2020-01-01 01:00:00+00:00"),
        (["2020-01-01 03:00:00+02:00", "2020-01-02 00:00:00.5+02:00"], "2020-01-01 01:00:00+00:00"),
        (["2020-01-01 03:00:00", None], "2020-01-01 03:00:00+00:00"),
    ],
)
def test_times_of_all_kinds(values: list[object], first: object) -> None:
    times = to_time(pl.Series("timestamp", values))
    assert str(times[0]) == str(first)
    assert times.null_count() == values.count(None)


def test_truth_values_are_no_times() -> None:
    with pytest.raises(DataError, match="Boolean, not times"):
        to_time(pl.Series("timestamp", [True]))
