from __future__ import annotations

import gzip
import json
import sqlite3
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from equipoise.data.sources import read_table, typed
from equipoise.errors import DataError

from .conftest import same

TABLE = pl.DataFrame({"user_id": [1, 2, 3], "item_id": ["a", "b", None], "value": [1.5, 2.0, 3.25]})


def write(path: Path, table: pl.DataFrame = TABLE) -> str:
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    plain = path.with_name(path.name.removesuffix(".gz"))
    if kind == "parquet":
        table.write_parquet(path)
    elif kind in ("csv", "tsv"):
        table.write_csv(plain, separator="\t" if kind == "tsv" else ",")
    else:
        table.write_ndjson(plain)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    return str(path)


@pytest.mark.parametrize(
    "name", ["t.csv", "t.csv.gz", "t.tsv", "t.parquet", "t.jsonl", "t.ndjson", "t.json", "t.jsonl.gz"]
)
def test_every_kind_of_file_reads_back(name: str, tmp_path: Path) -> None:
    same(read_table(write(tmp_path / name)), TABLE)


def test_a_json_list_reads_too(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps(TABLE.to_dicts()))
    same(read_table(path), TABLE)


@pytest.mark.parametrize("separator", [";", "|", "\t"])
def test_the_separator_is_told_from_the_header(separator: str, tmp_path: Path) -> None:
    TABLE.write_csv(tmp_path / "t.csv", separator=separator)
    same(read_table(tmp_path / "t.csv"), TABLE)


def test_a_folder_is_one_table(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", TABLE[:2])
    write(tmp_path / "b.parquet", TABLE[2:])
    (tmp_path / "notes.txt").write_text("not a table")
    same(read_table(tmp_path), TABLE)


def test_a_list_is_one_table(tmp_path: Path) -> None:
    same(read_table([write(tmp_path / "a.csv", TABLE[:1]), write(tmp_path / "b.csv", TABLE[1:])]), TABLE)


def test_frames_of_any_engine_pass(engine: Any) -> None:
    same(read_table(engine(TABLE)), TABLE)


def test_a_folder_of_different_tables_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.csv")
    write(tmp_path / "b.csv", pl.DataFrame({"other": [1]}))
    with pytest.raises(DataError, match=r"not have the same columns.*other"):
        read_table(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (["1", "2", None], [1, 2, None]),
        (["007", "12"], ["007", "12"]),
        (["12345678901234567890", "1"], ["12345678901234567890", "1"]),
        (["1.5", "1e-3", "NA"], [1.5, 0.001, None]),
        (["0.5", "-0.25"], [0.5, -0.25]),
        (["1", "x"], ["1", "x"]),
        (["true", "False"], [True, False]),
        (["NA", "Null"], ["NA", "Null"]),
        (["9" * 17], ["9" * 17]),
    ],
)
def test_text_becomes_numbers_only_where_nothing_is_lost(text: list[Any], expected: list[Any]) -> None:
    if expected == ["9" * 17]:
        expected = [int("9" * 17)]  # 17 digits fit a 64-bit whole number exactly
    assert typed(pl.DataFrame({"x": pl.Series(text, dtype=pl.String)}))["x"].to_list() == expected


@pytest.mark.parametrize("name", ["zip_code", "zip", "postal_code", "phone"])
def test_codes_stay_text_even_without_leading_zeros(name: str) -> None:
    assert typed(pl.DataFrame({name: ["94043", "48067"]}))[name].to_list() == ["94043", "48067"]


def test_a_late_odd_value_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id\n" + "\n".join(map(str, range(20_000))) + "\nB00X\n")
    table = read_table(tmp_path / "t.csv")
    assert table["id"].dtype == pl.String
    assert table["id"][-1] == "B00X"


def test_quotes_accents_and_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes('﻿item_id,title\n1,"Café, le ""film"""\n'.encode())
    assert read_table(tmp_path / "t.csv").rows() == [(1, 'Café, le "film"')]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "empty"),
        ("t.csv", b"a,b\n", "no rows"),
        ("t.csv", b"a,b\n1,2\n1,2,3\n", "cannot be read as csv"),
        ("t.csv", b"a\n\xff\xfe\xfa\n", "cannot be read as csv"),
        ("t.parquet", b"no parquet", "cannot be read as parquet"),
        ("t.jsonl", b'{"a": 1}\n{"a"', "cannot be read as jsonl"),
        ("t.xlsx", b"x", "not read as tables"),
    ],
)
def test_bad_files_are_told(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        read_table(tmp_path / name)
    assert name in str(error.value)


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path / "events.csv")
    with pytest.raises(DataError, match=r"no such file.*In that folder: events.csv"):
        read_table(tmp_path / "event.csv")


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no tables"):
        read_table(tmp_path)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_web_addresses(served: str, tmp_path: Path) -> None:
    write(tmp_path / "t.parquet")
    same(read_table(f"{served}/t.parquet?version=2"), TABLE)
    with pytest.raises(DataError, match="404"):
        read_table(f"{served}/missing.csv")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.execute("create table events (user_id integer, item_id text, value real)")
    connection.executemany("insert into events values (?, ?, ?)", TABLE.rows())
    connection.execute('create table "odd ""name" (x integer)')
    connection.execute('insert into "odd ""name" values (1)')
    connection.commit()
    connection.close()
    return path


def test_sqlite_tables_and_queries(database: Path) -> None:
    same(read_table(f"sqlite:///{database}#events"), TABLE)
    assert read_table(f"sqlite:///{database}#select count(*) as n from events where value > 1.6").rows() == [
        (2,)
    ]
    assert read_table(f'sqlite:///{database}#odd "name').rows() == [(1,)]


def test_sqlite_is_never_written(database: Path) -> None:
    with pytest.raises(DataError, match="does not answer"):
        read_table(f"sqlite:///{database}#with x as (select 1) delete from events")
    assert len(read_table(f"sqlite:///{database}#events")) == 3


def test_sqlite_faults(database: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such table.*Its tables: events"):
        read_table(f"sqlite:///{database}#clicks")
    with pytest.raises(DataError, match="names no table"):
        read_table(f"sqlite:///{database}")
    with pytest.raises(DataError, match="no such database"):
        read_table(f"sqlite:///{tmp_path}/none.db#events")
    (tmp_path / "text.db").write_text("this is no database, however long the text in it may be")
    with pytest.raises(DataError, match="not a database"):
        read_table(f"sqlite:///{tmp_path}/text.db#events")


def test_addresses_take_names_from_the_environment(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DATABASE", str(database))
    same(read_table("sqlite:///${SHOP_DATABASE}#events"), TABLE)
    with pytest.raises(DataError, match="no variable 'NOT_SET'"):
        read_table("sqlite:///${NOT_SET}#events")
