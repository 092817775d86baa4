"""From sources to a train, a valid and a test set, with an account of every row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from equipoise.component import Runtime
from equipoise.config import Config
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.data.cleaning import clean
from equipoise.data.config import read
from equipoise.data.splits import split
from equipoise.errors import DataError, nearest
from equipoise.pipeline.folder import RunFolder, StageRecord, content_hash

if TYPE_CHECKING:
    from equipoise.worlds import World

_PARTS = ("train", "valid", "test")


@dataclass(frozen=True)
class Prepared:
    """What the rest of a run works on.

    Attributes:
        train: Events to learn from.
        valid: Later events, to stop, calibrate and choose by.
        test: Latest events, to measure by.
        protocol: How the parts were made, to be printed beside every number.
        world: The generated world, where the data came from one; it knows the truth.
    """

    train: Dataset
    valid: Dataset
    test: Dataset
    protocol: dict[str, Any]
    world: World | None


def prepare(config: Config, runtime: Runtime) -> tuple[Prepared, Dataset]:
    """Read or generate, clean and split; also the cleaned data as a whole."""
    world = _world(config)
    data = clean(read(config.data) if world is None else world.dataset(), config.clean)
    check_groups(config, data)
    check_relevance(config, data)
    parts = split(data, config.split, runtime.seed)
    return Prepared(parts.train, parts.valid, parts.test, parts.protocol, world), data


def write_prepared(prepared: Prepared, data: Dataset, folder: RunFolder, record: StageRecord) -> None:
    """Keep the parts in the run's folder, and what is to be known of them in the manifest."""
    for name in _PARTS:
        folder.write_frame(f"split/{name}.parquet", getattr(prepared, name).events)
    known = {"events": data.events, "users": data.users, "items": data.items}
    tables = {name: table for name, table in known.items() if table is not None}
    for name, table in tables.items():
        if name != "events":
            folder.write_frame(f"{name}.parquet", table)
    record.facts |= {
        "rows": {name: len(table) for name, table in tables.items()}
        | {name: len(getattr(prepared, name).events) for name in _PARTS},
        "sha256": {name: content_hash(table) for name, table in tables.items()},
        "account": list(data.account),
        "protocol": prepared.protocol,
        "sensitive": list(data.sensitive),
        "text": list(data.text),
        "images": list(data.images),
        "numeric": list(data.numeric),
    }


def read_prepared(config: Config, folder: RunFolder, *, world: bool = True) -> Prepared:
    """The inverse of `write_prepared`.

    Args:
        config: The run's settings.
        folder: The run's folder.
        world: Whether a generated world is generated again, which takes a while.
    """
    facts = folder.manifest["stages"]["prepare"]

    def table(name: str) -> pl.DataFrame | None:
        return folder.read_frame(f"{name}.parquet") if name in facts["rows"] else None

    users, items = table("users"), table("items")
    events = {name: folder.read_frame(f"split/{name}.parquet") for name in _PARTS}
    whole = Dataset(
        events["train"],
        users,
        items,
        tuple(facts["sensitive"]),
        tuple(facts["text"]),
        tuple(facts["account"]),
        images=tuple(facts.get("images", ())),  # younger than runs that are to be resumed
        numeric=tuple(facts.get("numeric", ())),
    )
    parts = {name: whole.with_events(events[name]) for name in _PARTS}
    return Prepared(**parts, protocol=facts["protocol"], world=_world(config) if world else None)


def check_groups(config: Config, data: Dataset) -> None:
    """Refuse columns to group by that the users do not have, before any work is done.

    Raises:
        DataError: naming the column and those that are there.
    """
    wanted = config.audit.groups or ()
    columns = [] if data.users is None else data.users.columns
    missing = [column for column in wanted if column not in columns]
    if missing:
        raise DataError(
            f"The users have no column '{missing[0]}' to group by",
            where=f"columns: {', '.join(columns)}" if columns else "no users table",
            todo=f"Name other columns under [audit] groups. {nearest(missing[0], columns) if columns else ''}".strip(),
        )


def check_relevance(config: Config, data: Dataset) -> None:
    """Refuse a threshold on values where events have none.

    Raises:
        DataError: if `[audit] relevant` is set and no event has a value.
    """
    if config.audit.relevant is None:
        return
    if v.VALUE not in data.events.columns or not data.events[v.VALUE].is_not_null().any():
        raise DataError(
            f"Events count as relevant from a value of {config.audit.relevant:g} on, but they have no values",
            where=f"columns: {', '.join(data.events.columns)}",
            todo="Name the column of values under [data.columns] value, or leave out [audit] relevant.",
        )


def _world(config: Config) -> World | None:
    if config.data.world is None:
        return None
    from equipoise.worlds import worlds

    fields = {"seed": config.seed, **config.data.world}
    return worlds.build(fields.pop("name", "storefront"), fields).generate()
