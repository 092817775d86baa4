"""Tables from wherever they lie: files, folders of files, web addresses, SQL databases, frames of any
engine.
"""

from __future__ import annotations

import gzip
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import polars as pl

from equipoise.data.databases import read_database, shown
from equipoise.data.dataset import to_polars
from equipoise.errors import DataError

SUFFIXES = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".json")
"""File names that are read as tables; text files may carry a further `.gz`."""

_MISSING = ["", "NA", "N/A", "NULL", "null", "None", "nan", "NaN", r"\N"]
_CODES = re.compile(r"zip|post(al)?_?code|phone|isbn", re.IGNORECASE)  # digits, but never quantities
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def read_table(source: Any, *, trusted: bool = True) -> pl.DataFrame:
    """One table from a path, a folder, an address, a list of those, or a frame.

    * A file: CSV (separator `,` `;` `|` or tab, told from the header), TSV, Parquet, JSON Lines, also with
      `.gz`.
    * A folder: all such files in it, in name order, which must have the same columns.
    * `http://` and `https://`: a file of these kinds.
    * A database: `sqlite:///shop.db#events`, `postgresql://user@host/shop#public.events`. What follows `#` is
      a table,
      or a whole `select ...`. `${NAME}` in an address is replaced from the environment, so that no password
      stands
      in a config; PostgreSQL's own `PGUSER`, `PGPASSWORD` ... work too. Nothing is ever written.
    * A list: all of them, one below the other.
    * Any frame that Narwhals knows.

    A text column becomes numbers only where nothing is lost: `007` and a twenty-digit id stay text.

    Args:
        source: Where the table lies.
        trusted: Whether whoever reads it wrote the address. In addresses of others `${NAME}` is never replaced
            where the result would be sent over the web.

    Raises:
        DataError: if the source is missing, is empty, or cannot be read as what its name says; if the address
            is somebody else's, leads into the web and asks for a variable.
    """
    if isinstance(source, (list, tuple)):
        return stack([read_table(part, trusted=trusted) for part in source], "the listed sources")
    if not isinstance(source, (str, Path)):
        return _filled(to_polars(source), f"a {type(source).__name__}")
    name = _VARIABLE.sub(_variable, str(source))
    scheme = name.partition("://")[0] if "://" in name else ""
    if scheme in ("http", "https"):
        if not trusted and name != str(source):
            raise DataError(
                "A web address that somebody else wrote asks for a variable of this environment",
                where=str(source),
                todo="It is not sent. Ask for the table itself.",
            )
        return _read_address(name)
    if scheme:
        return _filled(read_database(name), shown(name))
    path = Path(name).expanduser()
    if path.is_dir():
        return _read_folder(path)
    if not path.is_file():
        raise DataError("There is no such file", where=str(path), todo=_neighbours(path))
    return _filled(_read_file(path), str(path))


def stack(tables: Sequence[pl.DataFrame], where: str) -> pl.DataFrame:
    """Tables one below the other; they must have the same columns, and number types are widened.

    Raises:
        DataError: if the columns differ.
    """
    for table in tables[1:]:
        if set(table.columns) != set(tables[0].columns):
            odd = set(table.columns) ^ set(tables[0].columns)
            raise DataError(
                "The tables do not have the same columns",
                where=f"{where}; not in all: {', '.join(sorted(odd))}",
                todo="Name the files of one table, each kind of event as an entry of its own.",
            )
    try:
        return pl.concat(tables, how="diagonal_relaxed")
    except pl.exceptions.PolarsError:
        text = [table.cast(dict.fromkeys(_mixed(tables), pl.String)) for table in tables]
        return pl.concat(text, how="diagonal_relaxed")


def is_table(path: Path) -> bool:
    """Whether the name says that the file is a table."""
    return path.name.lower().removesuffix(".gz").endswith(SUFFIXES) and not path.name.startswith(".")


def typed(table: pl.DataFrame) -> pl.DataFrame:
    """A table of text with numbers and truth values where all of a column reads back the same."""
    return table.with_columns(_typed(column) for column in table.iter_columns() if column.dtype == pl.String)


def read_separated(
    path: Path,
    *,
    separator: str = "\t",
    header: bool = True,
    quote: str | None = '"',
    encoding: str = "utf8",
    columns: Sequence[str] | None = None,
) -> pl.DataFrame:
    """A separated text file with every column as text.

    Args:
        path: The file, may be compressed.
        separator: One character.
        header: Whether the first line holds the names.
        quote: The quoting character, None where there is no quoting.
        encoding: `utf8` or a Python codec such as `latin-1`.
        columns: Names to give, where there is no header.
    """
    return pl.read_csv(
        path,
        separator=separator,
        has_header=header,
        quote_char=quote,
        encoding=encoding,
        infer_schema=False,
        new_columns=columns,
    )


def _typed(column: pl.Series) -> pl.Series:
    if _CODES.search(column.name):
        return column
    text = column.str.strip_chars()
    text = text.set(text.is_in(_MISSING), None)
    present = text.drop_nulls()
    if present.is_empty():
        return column
    whole = present.cast(pl.Int64, strict=False)
    if not whole.null_count() and (whole.cast(pl.String) == present).all():
        return text.cast(pl.Int64)
    if not present.str.contains(r"^[+-]?0\d|^[+-]?\d{16,}$").any():  # a code or a long id, not a quantity
        if not present.cast(pl.Float64, strict=False).null_count():
            return text.cast(pl.Float64)
        if present.str.to_lowercase().is_in(["true", "false"]).all():
            return text.str.to_lowercase() == "true"
    return column


def _filled(table: pl.DataFrame, where: str) -> pl.DataFrame:
    if not table.width or not table.height:
        raise DataError("The table has no rows", where=where, todo="Check that the right source is named.")
    objects = [name for name, dtype in table.schema.items() if dtype == pl.Object]
    table = table.with_columns(
        pl.Series(name, [None if x is None else str(x) for x in table[name]]) for name in objects
    )
    return table.with_columns(pl.selectors.decimal().cast(pl.Float64)).rename(
        {n: n.strip() for n in table.columns}
    )


def _read_file(path: Path) -> pl.DataFrame:
    kind = Path(path.name.lower().removesuffix(".gz")).suffix
    readers: dict[str, Callable[[Path], pl.DataFrame]] = {
        ".csv": _read_csv,
        ".tsv": lambda p: typed(read_separated(p)),
        ".parquet": pl.read_parquet,
        ".jsonl": _read_json,
        ".ndjson": _read_json,
        ".json": _read_json,
    }
    if kind not in readers:
        raise DataError(
            f"Files called '{path.suffix or path.name}' are not read as tables",
            where=str(path),
            todo=f"Known: {', '.join(SUFFIXES)}, a folder of them, or a ready format.",
        )
    try:
        return readers[kind](path)
    except pl.exceptions.NoDataError as error:
        raise DataError(
            "The file is empty", where=str(path), todo="Check that the right file is named."
        ) from error
    except (pl.exceptions.PolarsError, UnicodeDecodeError, OSError) as error:
        raise DataError(
            f"The file cannot be read as {kind.lstrip('.')}",
            where=str(path),
            todo=f"The reader said: {str(error).splitlines()[0]}",
        ) from error


def _read_csv(path: Path) -> pl.DataFrame:
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        header = file.readline().decode("utf8")
    return typed(read_separated(path, separator=max(",;\t|", key=header.count)))


def _read_json(path: Path) -> pl.DataFrame:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if content.lstrip()[:1] == b"[":
        return pl.read_json(content, infer_schema_length=None)
    return pl.read_ndjson(content, infer_schema_length=None)


def _read_folder(path: Path) -> pl.DataFrame:
    files = sorted(file for file in path.rglob("*") if file.is_file() and is_table(file))
    if not files:
        raise DataError("The folder holds no tables", where=str(path), todo=f"Known: {', '.join(SUFFIXES)}.")
    return stack([_filled(_read_file(file), str(file)) for file in files], str(path))


def _read_address(address: str) -> pl.DataFrame:
    import httpx

    name = Path(unquote(urlsplit(address).path)).name or "table"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        try:
            with (
                httpx.stream("GET", address, follow_redirects=True, timeout=60) as answer,
                path.open("wb") as file,
            ):
                answer.raise_for_status()
                for block in answer.iter_bytes():
                    file.write(block)
        except httpx.HTTPError as error:
            raise DataError(
                "The address cannot be read", where=shown(address), todo=f"The server said: {error}"
            ) from error
        return _filled(_read_file(path), shown(address))


def _variable(match: re.Match[str]) -> str:
    try:
        return os.environ[match[1]]
    except KeyError:
        raise DataError(
            f"The environment has no variable '{match[1]}'", where="an address", todo="Set it."
        ) from None


def _mixed(tables: Sequence[pl.DataFrame]) -> list[str]:
    return [name for name in tables[0].columns if len({table.schema[name] for table in tables}) > 1]


def _neighbours(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"There is no folder '{folder}' either."
    names = sorted(child.name for child in folder.iterdir() if not child.name.startswith("."))
    return f"In that folder: {', '.join(names[:12])}{' ...' if len(names) > 12 else ''}."
