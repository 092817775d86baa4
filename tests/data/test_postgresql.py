"""PostgreSQL for real: the tests start a server of their own in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from equipoise.data.config import EventSource, Source, read
from equipoise.data.sources import read_table
from equipoise.errors import DataError

PASSWORD = "a secret: 100%"


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    """The port of a throw-away server with one user and a few tables."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed")
    pytest.importorskip("psycopg")
    binaries, folder = found[-1].parent, Path(tempfile.mkdtemp(prefix="equipoise-pg-"))
    as_user: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        as_user = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    password = folder.with_suffix(".pw")
    password.write_text(PASSWORD)
    password.chmod(0o644)

    def command(*words: str) -> None:
        subprocess.run([*as_user, *words], check=True, capture_output=True, cwd="/", timeout=60)

    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    try:
        login = ["-U", "shop", "--auth=scram-sha-256", f"--pwfile={password}"]
        command(str(binaries / "initdb"), "-D", str(folder / "data"), *login, "-E", "UTF8", "--locale=C")
        start = ["-D", str(folder / "data"), "-l", str(folder / "log"), "-o", options, "-w"]
        command(str(binaries / "pg_ctl"), *start, "start")
        try:
            _fill(port)
            yield port
        finally:
            command(str(binaries / "pg_ctl"), "-D", str(folder / "data"), "-m", "immediate", "stop")
    finally:
        password.unlink()
        shutil.rmtree(folder, ignore_errors=True)


def _fill(port: int) -> None:
    import psycopg

    with psycopg.connect(
        host="127.0.0.1", port=port, user="shop", password=PASSWORD, dbname="postgres"
    ) as connection:
        connection.execute(
            "create table events (customer bigint, product text, happened timestamptz, price numeric(10, 2), id uuid);"
            "insert into events values (1, 'a', '2026-01-01 10:00+02', 9.99, gen_random_uuid()),"
            "(2, 'b', '2026-01-02 10:00+00', null, gen_random_uuid());"
            "create schema web; create table web.searches (customer bigint, words text, happened timestamptz);"
            "insert into web.searches values (1, 'kühler Mantel', '2026-01-03 00:00+00')"
        )


@pytest.fixture
def address(server: int, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    return f"postgresql://shop@127.0.0.1:{server}/postgres"


def test_a_table_and_its_types(address: str) -> None:
    table = read_table(f"{address}#events")
    assert table.schema["price"] == pl.Float64
    assert table.schema["id"] == pl.String
    assert table["price"].to_list() == [9.99, None]
    assert table["customer"].to_list() == [1, 2]


def test_a_query_and_a_schema(address: str) -> None:
    assert read_table(f"{address}#select count(*) as n from events").rows() == [(2,)]
    assert read_table(f"{address}#web.searches")["words"].to_list() == ["kühler Mantel"]


def test_several_tables_make_one_dataset(address: str) -> None:
    source = Source(
        events=[
            EventSource(
                path=f"{address}#events", event="purchase", columns={"item_id": "product", "value": "price"}
            ),
            EventSource(path=f"{address}#web.searches", event="search", columns={"query": "words"}),
        ],
        columns={"user_id": "customer", "timestamp": "happened"},
    )
    events = read(source).events.sort("timestamp")
    assert events["event"].to_list() == ["purchase", "purchase", "search"]
    assert events["item_id"].to_list() == ["a", "b", None]
    assert str(events["timestamp"][0]) == "2026-01-01 08:00:00+00:00"


def test_nothing_is_ever_written(address: str) -> None:
    with pytest.raises(DataError, match="read-only"):
        read_table(f"{address}#with gone as (delete from events returning *) select * from gone")
    assert len(read_table(f"{address}#events")) == 2


def test_faults_are_told_without_the_password(server: int, address: str) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_table(f"{address}#clicks")
    with pytest.raises(DataError, match="does not answer") as error:
        read_table(f"postgresql://shop:wrong-secret@127.0.0.1:{server}/postgres#events")
    assert "wrong-secret" not in str(error.value)
    with pytest.raises(DataError, match="does not answer"):
        read_table("postgresql://shop@127.0.0.1:9/postgres#events")
