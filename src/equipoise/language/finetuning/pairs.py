"""Pairs of texts that the same people chose near each other in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.errors import DataError

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Pairs of texts.

    Attributes:
        first: int64 of shape (pairs,): place of the earlier text among the distinct texts.
        second: Place of the later one.
        users: Whose pair it is, as numbers from 0.
    """

    first: Ints
    second: Ints
    users: Ints

    def __len__(self) -> int:
        return len(self.first)

    def take(self, rows: Ints) -> Pairs:
        """The pairs of these rows."""
        return Pairs(self.first[rows], self.second[rows], self.users[rows])

    def chances(self, texts: int) -> NDArray[np.float64]:
        """Chance that one end of a pair, drawn evenly, is each of so many texts; sums to 1, shape (texts,)."""
        found = np.bincount(self.first, minlength=texts) + np.bincount(self.second, minlength=texts)
        shares: NDArray[np.float64] = found / found.sum()
        return shares


@dataclass(frozen=True)
class Texts:
    """The distinct texts of a catalogue: items that read the same cannot be told apart, so they are one.

    Attributes:
        texts: Distinct texts that are not blank, sorted.
        places: `item_id` and `text`, the place of its text; items without words are left out.
    """

    texts: tuple[str, ...]
    places: pl.DataFrame

    @classmethod
    def of(cls, items: pl.Series, texts: Sequence[str]) -> Texts:
        """The texts of items, one each, in their order."""
        said = pl.DataFrame({v.ITEM: items, "said": pl.Series(texts, dtype=pl.String)}).filter(
            pl.col("said") != ""
        )
        distinct = said["said"].unique().sort()
        numbered = pl.DataFrame({"said": distinct}).with_row_index("text")
        places = said.join(numbered, on="said", maintain_order="left")
        return cls(tuple(distinct.to_list()), places.select(v.ITEM, pl.col("text").cast(pl.Int64)))


def training_pairs(train: Dataset, texts: Texts, *, window: int, days: float) -> Pairs:
    """All pairs of one user's items that stand near each other.

    Args:
        train: The training part; nothing else is learned from.
        texts: Texts of the items.
        window: Most places apart, at least 1.
        days: Longest time apart, where events have timestamps.

    Raises:
        DataError: if there is no pair.
    """
    steps = _steps(train.positives, texts)
    found = [_apart(steps, places, days) for places in range(1, window + 1)]
    pairs = _pairs(pl.concat(found))
    if not len(pairs):
        raise DataError(
            "No user of the training part has two items with different texts near each other",
            where=f"{len(train.events):,} events, {len(texts.texts):,} distinct texts",
            todo="Check [data] text, or widen [finetune] window and days.",
        )
    return pairs


def held_out_pairs(train: Dataset, valid: Dataset, texts: Texts) -> Pairs:
    """Each held-out event that another event of the user comes before, with that one.

    Raises:
        DataError: if there is no such pair.
    """
    marked = pl.concat(
        [
            part.positives.with_columns(pl.lit(later).alias("_held_out"))
            for part, later in ((train, False), (valid, True))
        ],
        how="diagonal_relaxed",
    )
    pairs = _pairs(_apart(_steps(marked, texts), 1, None).filter("_held_out"))
    if not len(pairs):
        raise DataError(
            "No event of the validation part follows another of the same user",
            where=f"{len(valid.events):,} validation events",
            todo="Give [split] valid a share, and check that the items of the log have texts.",
        )
    return pairs


def _steps(events: pl.DataFrame, texts: Texts) -> pl.DataFrame:
    """`user`, `text`, `seconds` (null where unknown), `_held_out` of events with texts, each user's in order of time.

    What stands several times in a row, as when something is viewed and then bought, is one step.
    """
    clock = [column for column in (v.TIMESTAMP, v.ORDER) if column in events.columns]
    places = texts.places.with_columns(pl.col(v.ITEM).cast(events.schema[v.ITEM], strict=False))
    marks = [column for column in ("_held_out",) if column in events.columns]
    events = events.select(v.USER, v.ITEM, *clock, *marks)  # a log may have a column `text` of its own
    known = events.join(places, on=v.ITEM, maintain_order="left")
    if clock:  # at equal times by item, so that the order of rows does not matter
        known = known.sort([v.USER, *clock, v.ITEM], maintain_order=True)
    held_out = "_held_out" if marks else pl.lit(False).alias("_held_out")
    steps = known.drop_nulls("text").select(
        (pl.col(v.USER).rank("dense") - 1).cast(pl.Int64).alias("user"), "text", _seconds(events), held_out
    )
    again = pl.col("text") == pl.col("text").shift(1).over("user")
    return steps.filter(~again.fill_null(False))


def _seconds(events: pl.DataFrame) -> pl.Expr:
    kind = events.schema.get(v.TIMESTAMP)
    if kind is None:
        return pl.lit(None, dtype=pl.Float64).alias("seconds")
    told = pl.col(v.TIMESTAMP)
    number = told.dt.epoch("us") / 1e6 if kind.is_temporal() else told.cast(pl.Float64, strict=False)
    return number.alias("seconds")


def _apart(steps: pl.DataFrame, places: int, days: float | None) -> pl.DataFrame:
    """Steps of one user that stand exactly so many places apart, with different texts."""
    near = pl.lit(True)
    if days is not None:
        elapsed = pl.col("seconds") - pl.col("seconds").shift(places).over("user")
        near = (elapsed <= days * 86_400).fill_null(True)
    before = pl.col("text").shift(places).over("user")
    return steps.select("user", before.alias("before"), "text", "_held_out", near.alias("near")).filter(
        pl.col("before").is_not_null() & (pl.col("before") != pl.col("text")) & pl.col("near")
    )


def _pairs(found: pl.DataFrame) -> Pairs:
    columns = (found[name].to_numpy().astype(np.int64) for name in ("before", "text", "user"))
    return Pairs(*columns)
