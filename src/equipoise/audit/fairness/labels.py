"""One column of the users as groups: codes and their names, missing values, numbers cut into bands."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.audit.fairness.inputs import Note
from equipoise.data.vocabulary import UNKNOWN
from equipoise.errors import DataError

Ints = NDArray[np.int64]

MISSING_WORDS: Final = frozenset({"", "nan", "n/a", "none", "null", "<na>", UNKNOWN})
"""Texts that stand for a missing value, in small letters and without blanks around them."""
CROSSED: Final = " x "
"""What stands between the parts of the name of an intersection, and of its groups."""
_MOST_GROUPS = 12  # a number with more distinct values is cut into bands
_BANDS = 5
_EXACT = 2.0**53  # floats above are whole, whatever they once were


def coded(column: pl.Series, name: str) -> tuple[list[str], Ints, list[Note]]:
    """The groups of a column.

    Numbers that are all whole are named as whole numbers, so that 25.0 and 25 are one group in every engine;
    numbers with more than 12 distinct values are cut at their quintiles.

    Args:
        column: (users,).
        name: What the column is called.

    Returns:
        Names of the groups in order, numbers by size; the place of each user's group, −1 where it is missing;
        and what was noticed.

    Raises:
        DataError: if the column holds lists or objects.
    """
    if column.dtype.is_nested() or column.dtype in (pl.Object, pl.Binary):
        raise DataError(f"The column '{name}' of the users is no attribute", where=str(column.dtype))
    notes: list[Note] = []
    if column.dtype.is_numeric():
        labels, codes, banded = _numbers(column)
        if banded:
            notes.append(Note("banded", {"attribute": name, "bands": len(labels)}))
    else:
        labels, codes, words = _texts(column)
        if words:
            said = ", ".join(f'"{word}"' for word in words)
            notes.append(Note("missing_words", {"attribute": name, "words": said}))
    missing = int((codes < 0).sum())
    if missing:
        notes.insert(0, Note("attribute_missing", {"attribute": name, "users": missing}))
    return labels, codes, notes


def joined(parts: Sequence[str]) -> str:
    """One name of several parts, as in "F x 25-34".

    A part in which " x " or a quotation mark stands is put in quotation marks, so that different parts never
    have one name.
    """
    if len(parts) == 1:
        return parts[0]
    return CROSSED.join(
        json.dumps(part, ensure_ascii=False) if CROSSED in f" {part} " or '"' in part else part
        for part in parts
    )


def _texts(column: pl.Series) -> tuple[list[str], Ints, list[str]]:
    """Groups, codes, and the words that were taken for missing values."""
    text = column.cast(pl.String).str.strip_chars()
    missing = text.str.to_lowercase().is_in(sorted(MISSING_WORDS)).fill_null(False)
    words = text.filter(missing).unique().sort().to_list()
    text = text.set(missing, None)
    labels = sorted(text.drop_nulls().unique().to_list(), key=_in_order)
    place = pl.DataFrame(
        {"label": labels, "code": range(len(labels))}, {"label": pl.String, "code": pl.Int64}
    )
    codes = pl.DataFrame({"label": text}).join(place, on="label", how="left", maintain_order="left")["code"]
    return labels, codes.fill_null(-1).to_numpy(), [word for word in words if word]


def _in_order(label: str) -> tuple[float, str]:
    """Bands by their numbers, all else by name."""
    number = re.match(r"\[?(-?\d+(?:\.\d+)?)", label)
    return (float(number[1]) if number else float("inf"), label)


def _numbers(column: pl.Series) -> tuple[list[str], Ints, bool]:
    """Groups, codes, and whether they are bands."""
    there = column.is_not_null().to_numpy()
    if not column.dtype.is_integer():
        column = column.cast(pl.Float64)
        there &= np.isfinite(column.fill_null(np.nan).to_numpy())
        kept = column.filter(pl.Series(there))
        if bool(((kept == kept.floor()) & (kept.abs() < _EXACT)).all()):
            column = pl.Series(column.name, np.where(there, column.fill_null(0).to_numpy(), 0)).cast(pl.Int64)
    numbers = column.filter(pl.Series(there)).to_numpy()
    codes = np.full(len(column), -1, dtype=np.int64)
    distinct, own = np.unique(numbers, return_inverse=True)
    if len(distinct) <= _MOST_GROUPS:
        codes[there] = own.ravel()
        return [str(each) for each in distinct.tolist()], codes, False
    ordered = np.sort(numbers)
    starts = np.unique(ordered[[len(ordered) * band // _BANDS for band in range(_BANDS)]])
    codes[there] = np.searchsorted(starts, numbers, side="right") - 1
    whole = bool(np.issubdtype(numbers.dtype, np.integer))
    return (_whole_bands if whole else _bands)(starts.tolist(), ordered[-1].item()), codes, True


def _whole_bands(starts: Sequence[int], last: int) -> list[str]:
    """As in "18-24"; a single number where the band has one only."""
    ends = [*(start - 1 for start in starts[1:]), last]
    return [f"{a}-{b}" if a < b else str(a) for a, b in zip(starts, ends, strict=True)]


def _bands(starts: Sequence[float], last: float) -> list[str]:
    """As in "[0.1, 0.5)", with as many digits as it takes to tell the edges apart, four at least."""
    edges = [*starts, last]
    digits = next(d for d in range(4, 18) if d == 17 or len({f"{e:.{d}g}" for e in edges}) == len(set(edges)))
    named = [f"{edge:.{digits}g}" for edge in edges]
    close = [")"] * (len(starts) - 1) + ["]"]
    return [f"[{a}, {b}{c}" for a, b, c in zip(named[:-1], named[1:], close, strict=True)]
