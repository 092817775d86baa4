"""Descriptions of items and people, from the training part alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.errors import DataError, EquipoiseError
from equipoise.language.generators.generator import Writer
from equipoise.language.generators.prompt import Language, Prompt
from equipoise.language.profiles.asking import answer
from equipoise.language.profiles.cache import TextCache
from equipoise.language.profiles.prompts import item_prompt, user_prompt
from equipoise.language.profiles.sources import Sources
from equipoise.language.untrusted import cleaned, findings

Who = Literal["items", "users"]
Review = Callable[[Prompt, str], str | None]
"""Says what is wrong with a text that answers a prompt; None where nothing is."""


@dataclass(frozen=True)
class Profiles:
    """Descriptions, and an account of how they came about.

    Attributes:
        who: Of whom.
        table: `item_id` or `user_id`, `profile` (text, null where there is none) and `fault` (why there is none, null
            elsewhere), one row for each that was to be described, in that order.
        written: Distinct questions answered now.
        kept: Distinct questions answered in an earlier run.
        withheld: Texts of the catalogue that read like instructions to a machine and entered no prompt.
        withheld_items: Ids of the items that say them: honest sellers may be among them.
        stopped: What ended it early; None where all were asked.
    """

    who: Who
    table: pl.DataFrame
    written: int
    kept: int
    withheld: int
    withheld_items: tuple[Any, ...]
    stopped: EquipoiseError | None

    @property
    def faults(self) -> dict[str, int]:
        """How often there is no text, by reason."""
        return dict(Counter(self.table["fault"].drop_nulls().to_list()).most_common())


def describe_items(
    train: Dataset,
    title: str,
    writer: Writer,
    *,
    cache: Path,
    lang: Language = "en",
    limit: int | None = None,
    review: Review | None = None,
    runtime: Runtime | None = None,
) -> Profiles:
    """Describe items by their text columns and by what people took together with them.

    Args:
        train: The training part; its `text` columns are told.
        title: The column that calls an item by its name.
        writer: Who writes.
        cache: Folder that keeps texts by question.
        lang: Language to write in.
        limit: How many items, the most taken in training first; None for all.
        review: Refuses texts; a refused one is not asked for again.
        runtime: Whether progress is shown.

    Raises:
        DataError: if there is no items table, or texts cannot be kept.
        ModelError: if the generator's model cannot be loaded.
    """
    reading, sources = _Reading(), Sources(train, title)
    rows = sources.items()[:limit]
    prompts = [item_prompt(fields, together, lang, reading) for _, fields, together in rows]
    ids = pl.Series(v.ITEM, [item for item, _, _ in rows], dtype=_kind(train.items, v.ITEM))
    return _described("items", ids, prompts, writer, cache, reading, sources, review, runtime)


def describe_users(
    train: Dataset,
    title: str,
    writer: Writer,
    *,
    cache: Path,
    lang: Language = "en",
    limit: int | None = None,
    review: Review | None = None,
    runtime: Runtime | None = None,
) -> Profiles:
    """Describe people by what they took last; their attributes are not told.

    Args and errors as of `describe_items`; people without an event in training are left out, and `limit` counts the
    most active first.
    """
    reading, sources = _Reading(), Sources(train, title)
    rows = sources.users()[:limit]
    prompts = [user_prompt(history, count, lang, reading) for _, count, history in rows]
    ids = pl.Series(v.USER, [user for user, _, _ in rows], dtype=_kind(train.events, v.USER))
    return _described("users", ids, prompts, writer, cache, reading, sources, review, runtime)


class _Reading:
    """Strangers' texts read with care, and those of them that are withheld."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self.withheld: set[str] = set()

    def __call__(self, text: str) -> str:
        """A text without what nobody sees; nothing of one that speaks to a machine."""
        if text not in self._known:
            if findings(text):
                self.withheld.add(text)
            self._known[text] = "" if text in self.withheld else cleaned(text)
        return self._known[text]


def _described(
    who: Who,
    ids: pl.Series,
    prompts: Sequence[Prompt],
    writer: Writer,
    cache: Path,
    reading: _Reading,
    sources: Sources,
    review: Review | None,
    runtime: Runtime | None,
) -> Profiles:
    """Texts for prompts that tell something."""
    subject = {"items": "item", "users": "history"}[who]
    told = [place for place, prompt in enumerate(prompts) if prompt.data[subject]]
    store = TextCache(cache, writer.identity)
    found = answer([prompts[place] for place in told], writer, store, runtime or Runtime())
    texts: list[str | None] = [None] * len(prompts)
    faults: list[str | None] = ["nothing is known to tell"] * len(prompts)
    for place, text, fault in zip(told, found.texts, found.faults, strict=True):
        if text is not None and review is not None and (wrong := review(prompts[place], text)):
            text, fault = None, wrong
        texts[place], faults[place] = text, fault
    table = pl.DataFrame([ids, pl.Series("profile", texts, pl.String), pl.Series("fault", faults, pl.String)])
    withheld, says = len(reading.withheld), tuple(sources.saying(reading.withheld))
    return Profiles(who, table, found.written, found.kept, withheld, says, found.stopped)


def _kind(table: pl.DataFrame | None, column: str) -> pl.DataType:
    if table is None:
        raise DataError("There is no items table, so there is nothing to describe")
    return table.schema[column]
