"""Tables of SQL databases by address: SQLite from the standard library, others through SQLAlchemy."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote

import polars as pl

from equipoise.errors import DataError, MissingExtraError


def read_database(address: str) -> pl.DataFrame:
    """The table or query that stands after `#` in an address, read and never written.

    Args:
        address: `sqlite:///relative.db#events`, `sqlite:////absolute.db#select * from events where ...`,
            `postgresql://user@host:5432/shop#public.events`, or any address that SQLAlchemy knows.

    Raises:
        DataError: if the database or table is not there or does not answer.
        MissingExtraError: if a driver is not installed.
    """
    base, _, wanted = address.partition("#")
    if not wanted:
        advice = "Add one after '#', as in sqlite:///shop.db#events."
        raise DataError("The address names no table", where=shown(address), todo=advice)
    query = unquote(wanted)
    if re.match(r"\s*(select|with)\s", query, re.IGNORECASE) is None:
        query = "select * from " + _quoted(query)
    return _sqlite(base, query) if base.startswith("sqlite://") else _other(base, query)


def shown(address: str) -> str:
    """An address as it may be printed: without a password."""
    return re.sub(r"(://[^:/@]*):[^@/]*@", r"\1:***@", address)


def _sqlite(base: str, query: str) -> pl.DataFrame:
    path = Path(unquote(base.removeprefix("sqlite:///")))
    if not path.is_file():
        raise DataError(
            "There is no such database", where=str(path), todo="Check the path after 'sqlite:///'."
        )
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            return pl.read_database(query, connection, infer_schema_length=None)
        except sqlite3.Error as error:
            known = "select name from sqlite_master where type in ('table', 'view') order by name"
            try:
                tables = "Its tables: " + ", ".join(name for (name,) in connection.execute(known)) + "."
            except sqlite3.Error:
                tables = "Check that it is an SQLite database."
            raise DataError(f"The database does not answer: {error}", where=str(path), todo=tables) from error


def _other(base: str, query: str) -> pl.DataFrame:
    try:
        import sqlalchemy
    except ImportError as error:
        raise MissingExtraError("SQLAlchemy", extra="sql", purpose="Reading a database") from error
    try:
        engine = sqlalchemy.create_engine(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", base))
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(sqlalchemy.text("set transaction read only"))
            return pl.read_database(sqlalchemy.text(query), connection, infer_schema_length=None)
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), extra="sql", purpose="Reading a database") from error
    except sqlalchemy.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0].rstrip(".")
        raise DataError(
            "The database does not answer", where=shown(base), todo=f"It said: {reason}."
        ) from error


def _quoted(table: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in table.split("."))
