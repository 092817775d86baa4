"""A first configuration for a folder of tables: a ready format, or columns guessed by name and content."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from equipoise.data import vocabulary as v
from equipoise.data.config import EventSource, Source, TableSource, read
from equipoise.data.dataset import Dataset
from equipoise.data.formats import recognise
from equipoise.data.mapping import ROW
from equipoise.data.sources import is_table, read_table
from equipoise.errors import DataError

_NAMES: Mapping[str, str] = {
    v.USER: "userid user uid customerid customer visitorid visitor memberid member reviewerid clientid accountid",
    v.ITEM: "itemid item iid productid product sku movieid bookid songid trackid artistid articleid asin parentasin"
    " gameid newsid offerid",
    v.TIMESTAMP: "timestamp time ts datetime date createdat eventtime unixreviewtime unixtimestamp occurredat",
    v.ORDER: "order sequence step",
    v.EVENT: "event eventtype action behavior behaviour interaction activity type",
    v.VALUE: "rating value score stars overall",
    v.QUERY: "query searchquery searchterm search keywords",
    v.POSITION: "position rank slot",
    v.PROPENSITY: "propensity propensityscore pscore",
    v.REWARD: "reward",
    v.SLATE: "slateid slate",
    v.REQUEST: "requestid request",
    v.POLICY: "policy policyid",
}  # names as people write them, without case, underscores and the like; the first that is there is taken
_KINDS = {
    "click": v.CLICK, "purchase": v.PURCHASE, "order": v.PURCHASE, "buy": v.PURCHASE, "search": v.SEARCH,
    "quer": v.SEARCH, "view": v.VIEW, "impression": v.IMPRESSION, "rating": v.RATING, "review": v.RATING,
}  # fmt: skip
_SENSITIVE = re.compile(
    r"^(gender|sex|age|age_?(group|band|range)|race|ethnic\w*|religion|disab\w*|nationality)$", re.I
)
_NOT_TEXT = re.compile(r"url|link|image|date|time|code|hash|(^|_)id$", re.I)
_MOST_GROUPS = 20  # a column with more values splits users into groups too small to compare


@dataclass(frozen=True)
class Guess:
    """What a folder seems to hold.

    Attributes:
        source: The `[data]` section.
        strategy: The `[split]` strategy that its times allow.
        min_user_events: The `[clean]` bound that keeps most of its users.
        notes: What was seen and supposed, in words.
    """

    source: Source
    strategy: str
    min_user_events: int
    notes: tuple[str, ...] = field(default=())

    def to_toml(self) -> str:
        """A commented configuration."""
        data = self.source.model_dump(exclude_defaults=True, exclude={"columns"})
        lines = [
            "# A first configuration, guessed from the files. Look it over before trusting its numbers.",
            "",
        ]
        lines += [f"# {note}" for note in self.notes]
        lines += ["", f'name = "{_slug(self.source)}"', "seed = 0", "", "[data]"]
        lines += [f"{key} = {_toml(value)}" for key, value in data.items()]
        if self.source.columns:
            lines += ["", "[data.columns]  # vocabulary = column of the files"]
            lines += [f"{key} = {_toml(value)}" for key, value in self.source.columns.items()]
        lines += [
            "",
            "[clean]",
            f"min_user_events = {self.min_user_events}  # k-core: users with fewer events are dropped, and counted",
            "# value_min = 3  # where events are ratings: lower ones tell of no taste, and are dropped",
            "",
            "[split]  # temporal, leave_last, temporal_user, random, k_fold, cold_users, cold_items",
            f'strategy = "{self.strategy}"',
            "",
            "[encoder]  # none, tfidf, minilm, multilingual, hf:<name>: how item texts become vectors",
            'name = "none"',
            "",
            "[model]  # popular, item_knn, ease, ials, mf, content, sequence, blend",
            'name = "ease"',
            "",
            "[audit]",
            "k = [10]",
            "",
            "[report]",
            'lang = "en"  # or "zh"',
            "",
        ]
        return "\n".join(lines)


def guess(path: str | Path) -> Guess:
    """Look at a folder of tables, or one table, and say how to read it.

    Raises:
        DataError: if there is nothing, or no table has users and items.
    """
    path = Path(path).expanduser().resolve()
    if not path.exists():
        raise DataError("There is no such file or folder", where=str(path), todo="Check the path.")
    name = recognise(path) if path.is_dir() else None
    if name is not None:
        source, notes = Source(format=name, path=str(path)), [f"Recognised the format '{name}'."]
    else:
        source, notes = _tables(path)
    data = read(source)
    if not data.sensitive and data.users is not None and name in (None, "generic"):
        source = source.model_copy(update={"sensitive": _sensitive(data.users)})
    if not data.text and data.items is not None and name in (None, "generic"):
        source = source.model_copy(update={"text": _texts(data.items)})
    strategy = {v.TIMESTAMP: "temporal", v.ORDER: "leave_last", None: "random"}[data.time]
    if strategy == "leave_last":
        notes.append("There is no timestamp but an order: each user's last event is held out.")
    if strategy == "random":
        notes.append("There is neither time nor order: events are held out at random.")
    return replace(Guess(source, strategy, _least(data)), notes=tuple(notes))


def guess_columns(columns: Iterable[str]) -> dict[str, str]:
    """Vocabulary name -> column, for the columns whose names are told."""
    there = {_plain(column): column for column in columns}
    found: dict[str, str] = {}
    for name, known in _NAMES.items():
        match = next((there[word] for word in (_plain(name), *known.split()) if word in there), None)
        if match is not None and match not in found.values():
            found[name] = match
    return found


def _tables(path: Path) -> tuple[Source, list[str]]:
    files = [path] if path.is_file() else sorted(f for f in path.iterdir() if f.is_file() and is_table(f))
    tables = {file: read_table(file) for file in files}
    events: dict[Path, dict[str, str]] = {}
    attributes: dict[str, TableSource | str] = {}
    notes = []
    for file, table in tables.items():
        known = guess_columns(table.columns)
        if v.USER in known and (v.ITEM in known or v.QUERY in known):
            events[file] = known
            continue
        for key, name in ((v.USER, "users"), (v.ITEM, "items")):
            column = known.get(key) or (table.columns[0] if name in _plain(file.stem) else None)
            if column and name not in attributes and table[column].is_unique().all():
                own = {} if column == key else {key: column}
                attributes[name] = TableSource(path=str(file), columns=own) if own else str(file)
                notes.append(f"{file.name} has one row per '{column}': {name}.")
                break
        else:
            notes.append(f"{file.name} was left out: it is no table of events, users or items.")
    if not events:
        seen = "; ".join(f"{file.name}: {', '.join(table.columns[:8])}" for file, table in tables.items())
        raise DataError(
            "No table has both users and items",
            where=f"{path}{': ' if seen else ' holds no tables'}{seen}",
            todo="Write a configuration by hand, with the columns under [data.columns].",
        )
    notes += [f"{file.name} holds events: {_told(known)}." for file, known in events.items()]
    if len(events) > 1:
        return Source(events=[_entry(file, known) for file, known in events.items()], **attributes), notes
    ((file, known),) = events.items()
    if v.TIMESTAMP not in known and v.ORDER not in known:
        known[v.ORDER] = ROW
        notes.append(
            "No column tells the time: the rows are supposed to stand in order. If not, remove `order`."
        )
    return Source(events=str(file), columns=_mapped(known), **attributes), notes


def _entry(file: Path, known: Mapping[str, str]) -> EventSource:
    kind = (
        v.SEARCH
        if v.ITEM not in known
        else next(
            (kind for part, kind in _KINDS.items() if part in file.stem.lower()), _plain(file.stem) or v.VIEW
        )
    )
    return EventSource(path=str(file), event=None if v.EVENT in known else kind, columns=_mapped(known))


def _mapped(known: Mapping[str, str]) -> dict[str, str]:
    return {name: column for name, column in known.items() if name != column}


def _sensitive(users: pl.DataFrame) -> list[str]:
    return [
        name
        for name in users.columns
        if _SENSITIVE.match(name) and 2 <= users[name].n_unique() <= _MOST_GROUPS
    ]


def _texts(items: pl.DataFrame) -> list[str]:
    """Columns of words: text that is no address, date or code, and not the same for all."""
    words = [c for c in items.iter_columns() if c.dtype == pl.String and c.name != v.ITEM]
    return [c.name for c in words if not _NOT_TEXT.search(c.name) and c.n_unique() > 1]


def _least(data: Dataset) -> int:
    """3, or where most users have fewer events: 1, or 0 in a log of impressions, which must stay whole."""
    middle = data.positives.group_by(v.USER).len()["len"].median()
    if isinstance(middle, (int, float)) and middle >= 3:
        return 3
    shown = v.EVENT in data.events.columns and (data.events[v.EVENT] == v.IMPRESSION).any()
    return 0 if shown else 1


def _told(known: Mapping[str, str]) -> str:
    return ", ".join(name if name == column else f"{name} = '{column}'" for name, column in known.items())


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _slug(source: Source) -> str:
    events = source.events if isinstance(source.events, str) else None
    path = Path(source.path or events or "data")
    return re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-") or "data"


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{json.dumps(k)} = {_toml(x)}" for k, x in value.items() if x not in (None, {}))
        return f"{{ {inside} }}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
