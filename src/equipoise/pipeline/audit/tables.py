"""The tables of an audit, read from a finished run or from anywhere, with identifiers of one type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.audit import formats
from equipoise.audit.request import Tables
from equipoise.config import AuditSection
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive
from equipoise.data.sources import read_table
from equipoise.errors import DataError, nearest
from equipoise.metrics.transparency import FAITHFUL
from equipoise.pipeline.audit.inputs import Inputs, Named, fingerprint, stem
from equipoise.pipeline.finished import read_run
from equipoise.pipeline.identifiers import check_shared, one_type
from equipoise.pipeline.measure import truth_of
from equipoise.pipeline.prepare import Prepared

SYSTEM = "system"
_LISTS = (SYSTEM, v.USER, v.ITEM, v.RANK, v.SCORE, FAITHFUL)
_PAIR = [v.USER, v.ITEM]


def read_tables(inputs: Inputs, folder: Path, *, trusted: bool = True) -> Tables:
    """The tables, as they lie now.

    Args:
        inputs: Where they lie, with paths that start from `folder`.
        folder: The audit's folder.
        trusted: Whether whoever reads them named them; see `read_table`.

    Raises:
        DataError: if a table is missing, lacks a column, or has nothing in common with the others.
    """
    sources = _Sources(inputs, inputs.located(folder), trusted)
    tables = _of_run(sources) if inputs.run is not None else _of_files(sources)
    return _checked(_one_type(tables))


def _of_run(sources: _Sources) -> Tables:
    """Recommendations by stage; the truth by the run's own rule; what came before the test events as train."""
    inputs, there = sources.given, sources.there
    run, config = read_run(Path(str(there.run)))
    audit = config.audit.model_copy(
        update={"relevant": inputs.relevant, "exclude_seen": inputs.exclude_seen is not False}
    )
    parts = {name: Dataset(run.read_frame(f"split/{name}.parquet")) for name in ("train", "valid", "test")}
    lists = run.read_frame("recommendations.parquet").rename({v.STAGE: SYSTEM})
    for (system,), rows in lists.group_by(SYSTEM, maintain_order=True):
        sources.of_run(f"recommendations:{system}", "recommendations.parquet", rows)
    truth = _truth(parts, audit, run.manifest["stages"]["prepare"]["protocol"])
    sources.of_run("truth", "split/test.parquet", truth)
    earlier = [parts[name].positives.select(_PAIR) for name in ("train", "valid")]
    for name, rows in zip(("train", "valid"), earlier, strict=True):
        sources.of_run(name, f"split/{name}.parquet", rows)
    told: dict[str, pl.DataFrame | None] = {}
    for name, key in (("users", v.USER), ("items", v.ITEM)):
        table = _attributes(name, key, there, sources)
        if table is None and (run.path / f"{name}.parquet").is_file():
            table = run.read_frame(f"{name}.parquet")
            sources.of_run(name, f"{name}.parquet", table)
        told[name] = table
    vectors = {}
    if (run.path / "vectors/users.parquet").is_file():
        rows = run.read_frame("vectors/users.parquet")
        for system in _embedded(run.manifest, lists[SYSTEM].unique(maintain_order=True).to_list()):
            vectors[system] = rows
            sources.of_run(f"vectors:{system}", "vectors/users.parquet", rows)
    return Tables(
        lists.select(name for name in _LISTS if name in lists.columns),
        truth,
        told["users"],
        told["items"],
        pl.concat(earlier),
        vectors or None,
        _explanations(lists, sources),
        sources.rows,
    )


def _explanations(lists: pl.DataFrame, sources: _Sources) -> pl.DataFrame | None:
    """Places whose explanations were tried; None where none were named.

    Raises:
        DataError: if they are of other lists.
    """
    given, place = sources.given.explanations, sources.there.explanations
    if given is None or place is None:
        return None
    table = _needed(sources.read(place), [v.STAGE, *_PAIR, v.RANK, FAITHFUL], "explanations", given)
    told = table.select(pl.col(v.STAGE).alias(SYSTEM), *_PAIR, v.RANK, FAITHFUL)
    known = lists.select(
        pl.col(name).cast(told.schema[name], strict=False) for name in (SYSTEM, *_PAIR, v.RANK)
    )
    if told.is_empty() or len(told.join(known, on=known.columns, how="semi")) < len(told):
        raise DataError(
            "The explanations are of other lists than those of the run",
            where=given,
            todo="Explain them again: equipoise explain RUN_DIR --all --force.",
        )
    sources.add("explanations", given, place, table, told)
    return told


def _truth(parts: Mapping[str, Dataset], audit: AuditSection, protocol: dict[str, Any]) -> pl.DataFrame:
    return truth_of(Prepared(**parts, protocol=protocol, world=None), audit)


def _embedded(manifest: Mapping[str, Any], systems: Sequence[str]) -> list[str]:
    """Systems that the run's user vectors belong to: those of the model that was fitted last."""
    fitted = [system for system in systems if f"train {system}" in manifest["stages"]]
    return [*fitted[-1:], *(system for system in systems if system not in fitted and fitted)]


def _of_files(sources: _Sources) -> Tables:
    inputs, there = sources.given, sources.there
    lists = [
        part
        for given, found in zip(inputs.recommendations, there.recommendations, strict=True)
        for part in _lists(given, found, there, sources)
    ]
    systems = [str(part[SYSTEM][0]) for part in lists]
    for name in ("user_ids", "item_ids"):
        if (place := getattr(there, name)) is not None:
            ids = pl.DataFrame({name.removesuffix("s"): formats.read_ids(place)})
            sources.add(name, str(getattr(inputs, name)), place, ids, ids)
    twice = [system for system in systems if systems.count(system) > 1]
    if twice:
        raise DataError(
            f"Two systems are called '{twice[0]}'",
            where=", ".join(one.path for one in inputs.recommendations),
            todo="Tell them apart: --recommendations NAME=PATH.",
        )
    train = None
    if there.train is not None:
        rows = _needed(sources.read(there.train), _PAIR, "train", str(inputs.train))
        train = rows.filter(positive(rows)).select(_PAIR)
        sources.add("train", str(inputs.train), there.train, rows, train)
    return Tables(
        _stacked(lists),
        _held_out(there, sources),
        _attributes("users", v.USER, there, sources),
        _attributes("items", v.ITEM, there, sources),
        train,
        _vectors(there, systems, sources),
        sources=sources.rows,
        notes=sources.notes,
    )


def _lists(given: Named, found: Named, there: Inputs, sources: _Sources) -> list[pl.DataFrame]:
    """The systems of one table: named by a column `system` or `stage`, by the person, or by the file."""
    if Path(found.path).is_file():
        reading = formats.examine(
            found.path, there.format or formats.AUTO, users=there.user_ids, items=there.item_ids
        )
        table = reading.frame
        sources.notes += [{"code": note.code, "values": note.values} for note in reading.notes]
    else:
        table = sources.read(found.path)
    table = _needed(table, [v.USER, v.ITEM, v.RANK], "recommendations", given.path)
    column = next((name for name in (SYSTEM, v.STAGE) if name in table.columns), None)
    called = given.name or stem(given.path)
    if column is None:
        table = table.with_columns(pl.lit(called).alias(SYSTEM))
    else:
        named = pl.col(column).cast(pl.String).fill_null(called)
        several = given.name is not None and table[column].n_unique() > 1
        label = pl.format(f"{given.name} {{}}", named) if several else named
        label = pl.lit(given.name) if given.name is not None and not several else label
        table = table.with_columns(label.alias(SYSTEM))
    table = table.select(name for name in _LISTS if name in table.columns)
    parts = table.partition_by(SYSTEM, maintain_order=True)
    for part in parts:
        sources.add(f"recommendations:{part[SYSTEM][0]}", given.path, found.path, table, part)
    return parts


def _held_out(there: Inputs, sources: _Sources) -> pl.DataFrame:
    given = str(sources.given.truth)
    rows = _needed(sources.read(str(there.truth)), _PAIR, "truth", given)
    if v.VALUE not in rows.columns and v.RATING in rows.columns:
        rows = rows.rename({v.RATING: v.VALUE})
    truth = rows.filter(positive(rows))
    if there.relevant is not None:
        if v.VALUE not in rows.columns:
            raise DataError(
                f"Held-out pairs count from a value of {there.relevant:g} on, but they have no values",
                where=f"{given}; columns: {', '.join(rows.columns)}",
                todo="Name the column of values 'value' or 'rating', or leave out --relevant.",
            )
        truth = truth.filter(pl.col(v.VALUE) >= there.relevant)
    if truth.is_empty():
        raise DataError(
            "No held-out pair is left to measure by",
            where=f"{given}: {len(rows):,} rows",
            todo="Lower --relevant, or hold out more.",
        )
    truth = truth.select(name for name in (*_PAIR, v.VALUE) if name in truth.columns)
    sources.add("truth", given, str(there.truth), rows, truth)
    return truth


def _attributes(name: str, key: str, there: Inputs, sources: _Sources) -> pl.DataFrame | None:
    """The users or the items that were named; None where none were."""
    place, given = getattr(there, name), str(getattr(sources.given, name))
    if place is None:
        return None
    table = _needed(sources.read(place), [key], name, given)
    sources.add(name, given, place, table, table)
    return table


def _vectors(there: Inputs, systems: Sequence[str], sources: _Sources) -> dict[str, pl.DataFrame] | None:
    found = {}
    for given, one in zip(sources.given.vectors, there.vectors, strict=True):
        name = given.name if given.name is not None else systems[0]
        if name not in systems or (given.name is None and len(systems) > 1):
            raise DataError(
                f"The vectors belong to no system called '{given.name or ''}'", where=given.path,
                todo=f"Write --vectors NAME=PATH. {nearest(name, systems)}",
            )  # fmt: skip
        found[name] = _needed(sources.read(one.path), [v.USER, "vector"], "vectors", given.path)
        sources.add(f"vectors:{name}", given.path, one.path, found[name], found[name])
    return found or None


class _Sources:
    """Reads tables, and collects where each came from, in the shape of the evidence's section `data`, and what
    reading did.
    """

    def __init__(self, given: Inputs, there: Inputs, trusted: bool) -> None:
        self.given, self.there, self.trusted = given, there, trusted
        self.rows: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []
        self._known: dict[str, str] = {}

    def read(self, place: str) -> pl.DataFrame:
        """A table from wherever it lies; files may be of a library's own kind."""
        return formats.side_table(place) if Path(place).is_file() else read_table(place, trusted=self.trusted)

    def add(self, name: str, given: str, place: str, read: pl.DataFrame, used: pl.DataFrame) -> None:
        """Note a table: under its path as recorded, hashed as a whole, counted as far as it is used."""
        if place not in self._known:
            self._known[place] = fingerprint(place, read)

        def different(column: str) -> int | None:
            return used[column].n_unique() if column in used.columns else None

        self.rows.append(
            {
                "table": name,
                "path": given,
                "sha256": self._known[place],
                "rows": len(used),
                "users": different(v.USER),
                "items": different(v.ITEM),
            }
        )

    def of_run(self, name: str, file: str, used: pl.DataFrame) -> None:
        """Note a table of the run."""
        self.add(name, f"{self.given.run}/{file}", f"{self.there.run}/{file}", used, used)


def _needed(table: pl.DataFrame, columns: Sequence[str], name: str, path: str) -> pl.DataFrame:
    for column in columns:
        if column not in table.columns:
            raise DataError(
                f"The table of {name} has no column '{column}'",
                where=path,
                todo=f"Rename the column that holds it. {nearest(column, table.columns)}",
            )
    return table


def _one_type(tables: Tables) -> Tables:
    vectors = dict(tables.vectors or {})
    named = {name: getattr(tables, name) for name in ("recommendations", "truth", "users", "items", "train")}
    there = {name: table for name, table in named.items() if table is not None} | vectors
    for key in _PAIR:
        there = dict(zip(there, one_type(list(there.values()), key), strict=True))
    return replace(
        tables,
        **{name: table for name, table in there.items() if name in named},
        vectors={name: there[name] for name in vectors} or None,
    )


def _checked(tables: Tables) -> Tables:
    lists, truth = tables.recommendations, tables.truth
    check_shared(truth, lists, v.USER, ("truth", "recommendations"))
    known = [table.select(v.ITEM) for table in (truth, tables.train, tables.items) if table is not None]
    check_shared(lists, pl.concat(known), v.ITEM, ("recommendations", "other tables"))
    if tables.users is not None:
        check_shared(truth, tables.users, v.USER, ("truth", "users table"))
    return tables


def _stacked(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    for key in _PAIR:
        parts = one_type(parts, key)
    return pl.concat(parts, how="diagonal_relaxed")
