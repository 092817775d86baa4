"""Verdicts, numbers and tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.statistics import Interval, holm

MISSING = "not measured"
HELPS, PERHAPS, NEITHER, HURTS = "helps", "may help", "does not help", "hurts"
LEVEL = 0.05


@dataclass(frozen=True)
class Change:
    """What a correction changed, turned so that more is better.

    Attributes:
        interval: The change; above 0 it is better. None where nothing is to be judged.
        p_value: Two-sided p of no change.
    """

    interval: Interval | None = None
    p_value: float | None = None

    @property
    def judged(self) -> bool:
        """Whether there is an interval."""
        return self.interval is not None and self.interval.value is not None and self.interval.low is not None

    def turned(self) -> Change:
        """The same where less is better."""
        if not self.judged:
            return self
        one = self.interval
        assert one is not None
        low, high = (None if end is None else -end for end in (one.high, one.low))
        return Change(Interval(-one.value, low, high, one.n), self.p_value)  # type: ignore[operator]


def verdicts(changes: Sequence[Change]) -> list[str]:
    """One word for each line of a column.

    Help must hold for all lines of the column at once (Holm's adjustment); harm is said by the line's own interval,
    since overlooking harm costs more than suspecting it.
    """
    judged = [change for change in changes if change.judged]
    p_values = [1.0 if change.p_value is None else change.p_value for change in judged]
    adjusted = iter(holm(p_values).tolist() if judged else [])
    return [_word(change, next(adjusted)) if change.judged else _silence(change) for change in changes]


def _word(change: Change, adjusted: float) -> str:
    one = change.interval
    assert one is not None
    assert one.low is not None
    assert one.high is not None
    if one.high < 0:
        return HURTS
    if one.low <= 0:
        return NEITHER
    return HELPS if adjusted <= LEVEL else PERHAPS


def _silence(change: Change) -> str:
    return "" if change.interval is None or change.interval.value is None else "too few to say"


def interval(found: Interval | None, digits: int) -> str:
    """A value with its brackets."""
    if found is None or found.value is None:
        return ""
    return bracketed((found.value, found.low, found.high), digits)


def bracketed(ends: Sequence[float | None], digits: int) -> str:
    """A value with its brackets, where it has some."""
    value, low, high = ends
    if low is None or high is None:
        return number(value, digits)
    return f"{number(value, digits)} [{number(low, digits)}, {number(high, digits)}]"


def seeds(parts: Mapping[int, Mapping[str, Any]], name: str, digits: int = 3) -> str:
    """Mean over seeds."""
    values = [part["values"][name] for part in parts.values() if part["values"].get(name) is not None]
    return number(float(np.mean(values)), digits) if values else ""


def number(value: float | None, digits: int) -> str:
    """With so many digits; nothing for what is no number, and no minus before a zero."""
    if value is None or not np.isfinite(value):
        return ""
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def table(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterable[str]:
    """In Markdown; lines that were not measured are named below it."""
    cells = list(lines)
    there = [line for line in cells if MISSING not in line]
    if there:
        yield f"| {' | '.join(columns)} |"
        yield "|---" * len(columns) + "|"
        for line in there:
            yield f"| {' | '.join(line)} |"
        yield ""
    if missing := [line[0] for line in cells if MISSING in line]:
        yield f"{MISSING.capitalize()}: {'; '.join(missing)}.\n"
