"""Where the tables of an audit lie, written down so that they are found again from the audit's own folder."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Self

import polars as pl
from pydantic import BaseModel, ConfigDict, model_validator

from equipoise.audit.formats import ARRAYS
from equipoise.data.sources import is_table
from equipoise.errors import ConfigError
from equipoise.pipeline.folder import content_hash

_SQLITE = "sqlite:///"
_SINGLE = ("run", "truth", "users", "items", "train", "user_ids", "item_ids", "explanations")
"""Fields of `Inputs` that name one place."""


class Named(BaseModel):
    """A table of one system, or of several that a column tells apart."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = None
    path: str

    @classmethod
    def parse(cls, text: str) -> Named:
        """`NAME=PATH`, or a path alone; an `=` inside a path, an address or a query is none of ours."""
        name, equals, path = text.partition("=")
        if equals and path and re.fullmatch(r"[\w .+-]+", name) and not Path(text).exists():
            return cls(name=name.strip(), path=path)
        return cls(path=text)


def stem(path: str) -> str:
    """What a table is called that nobody named: its file without folder and endings."""
    return Path(path.partition("#")[0]).name.partition(".")[0]


class Inputs(BaseModel):
    """The tables of an audit: a finished run, or tables of any system. Recorded in the evidence."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    run: str | None = None
    """Folder of a finished run; its users and items may be replaced by those given here."""
    recommendations: tuple[Named, ...] = ()
    """Lists of the systems: user_id, item_id, rank, and score, faithful, system or stage where there are."""
    truth: str | None = None
    """Held-out pairs: user_id, item_id, and value (or rating) where there is one."""
    users: str | None = None
    """user_id and attributes."""
    items: str | None = None
    """item_id and attributes."""
    train: str | None = None
    """Earlier events: user_id, item_id."""
    vectors: tuple[Named, ...] = ()
    """User vectors of a system: user_id, vector."""
    format: str | None = None
    """Library that wrote the recommendations; told from the file where it is left out."""
    user_ids: str | None = None
    """User id of each row, for lists that are arrays without them."""
    item_ids: str | None = None
    """Item id of each inner number, for lists that are arrays of those."""
    explanations: str | None = None
    """Places of a run's lists with whether their explanation is faithful, as `equipoise explain --all` writes them; the
    `explanations.parquet` in the run's folder, where there is one."""
    relevant: float | None = None
    """Held-out pairs count as relevant from this value on; all do where it is left out."""
    exclude_seen: bool | None = None
    """Whether held-out events of items the user had before count; known for runs alone."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.run is None and not self.recommendations:
            raise ConfigError(
                "There is nothing to audit",
                todo="Name the folder of a run, or tables: --recommendations PATH --truth PATH --users PATH.",
            )
        if self.run is None and self.truth is None:
            raise ConfigError(
                "Recommendations alone cannot be measured", todo="Name held-out pairs by --truth PATH."
            )
        foreign = ("recommendations", "truth", "train", "vectors", "format", "user_ids", "item_ids")
        own = {name for name in foreign if getattr(self, name)}
        ids = [name for name in ("user_ids", "item_ids") if getattr(self, name)]
        if self.run is not None and own:
            raise ConfigError(
                f"A run brings its own {' and '.join(sorted(own))}",
                where=self.run,
                todo="Name either the run or the tables; only --users and --items may be replaced.",
            )
        if self.run is None and self.explanations is not None:
            raise ConfigError(
                "Only the lists of a run have explanations of their own",
                where=self.explanations,
                todo="Give lists of another system with a column `faithful`.",
            )
        if ids and not any(one.path.endswith(ARRAYS) for one in self.recommendations):
            raise ConfigError(
                f"Only arrays need {' and '.join(ids)}",
                where=", ".join(one.path for one in self.recommendations),
                todo=f"Leave them out, or name lists that are arrays ({', '.join(ARRAYS)}).",
            )
        return self

    @property
    def addresses(self) -> list[str]:
        """Tables that are no files: addresses, databases, and whatever the environment completes."""
        single = [getattr(self, name) for name in _SINGLE]
        several = [one.path for one in (*self.recommendations, *self.vectors)]
        given = [place for place in (*single, *several) if place is not None]
        return [place for place in given if "://" in place or "${" in place]

    def relative(self, folder: Path) -> Inputs:
        """The same tables with paths that start from the audit's folder, so that both may move together."""
        return self._moved(lambda source: _relative(source, folder))

    def located(self, folder: Path) -> Inputs:
        """The inverse of `relative`: paths that start from the working directory."""
        return self._moved(lambda source: _located(source, folder))

    def _moved(self, move: Callable[[str], str]) -> Inputs:
        single = {name: move(getattr(self, name)) for name in _SINGLE if getattr(self, name) is not None}
        several = {
            name: tuple(Named(name=one.name, path=move(one.path)) for one in getattr(self, name))
            for name in ("recommendations", "vectors")
        }
        return self.model_copy(update={**single, **several})


def fingerprint(source: str, table: pl.DataFrame) -> str:
    """SHA-256 of a source: of the file's bytes (as `sha256sum` gives it), of a folder's tables one after the other,
    of the cells where it is an address or a database.

    Args:
        source: Path or address, as `read_table` takes it.
        table: What was read from it.
    """
    path = Path(source).expanduser()
    files = [path] if path.is_file() else []
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file() and is_table(file))
    if not files:
        return content_hash(table)
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as content:
            for block in iter(lambda: content.read(1 << 20), b""):
                digest.update(block)
    return digest.hexdigest()


def _relative(source: str, folder: Path) -> str:
    if re.search(r"://[^/@]*:(?!\$\{)[^/@]+@", source):
        raise ConfigError(
            "An address holds a password, which would be written into the evidence",
            where=re.sub(r"://.*@", "://...@", source),
            todo="Keep it in the environment: write ${NAME} in its place, or set PGPASSWORD.",
        )
    return _path_of(source, lambda path: os.path.relpath(path.expanduser().resolve(), folder.resolve()))


def _located(source: str, folder: Path) -> str:
    return _path_of(source, lambda path: os.path.normpath(folder.resolve() / path))


def _path_of(source: str, move: Callable[[Path], str]) -> str:
    """The source with its path moved; addresses, and what the environment completes, stay as they are."""
    if source.startswith(_SQLITE) and not source.startswith(f"{_SQLITE}/"):
        path, mark, wanted = source.removeprefix(_SQLITE).partition("#")
        return _SQLITE + move(Path(path)) + mark + wanted
    return source if "://" in source or "${" in source else move(Path(source))
