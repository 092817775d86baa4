"""What a detector finds, and the robust scale it judges by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROW: Final = "_row"
"""Number of each row of the events a detector is given, from 0."""
FINDING_SCHEMA: Final = {"rule": pl.String, "who": pl.String, "score": pl.Float64, "rows": pl.Int64}
DAY: Final = 86_400.0
"""Seconds."""
_NORMAL: Final = 1.4826  # MAD of a normal to its standard deviation
_TICKS: Final = {10.0: "10 seconds", 60.0: "minutes", 600.0: "10 minutes", 3_600.0: "hours",
                 DAY: "days", 7 * DAY: "weeks"}  # fmt: skip
_MOST: Final = 0.9  # of the rows stand on a tick of the clock; the others may have come from elsewhere


@dataclass(frozen=True)
class Found:
    """What a detector found.

    Attributes:
        findings: Frame of `rule` (which rule), `who` (the user, the item, or a pair of them, as text), `score`
            (how far beyond what is usual; see the rule) and `rows` (rows concerned), the worst first.
        rows: Numbers of all rows concerned, sorted, each once.
        skipped: Why the detector could not look, in a sentence; None where it did.
        in_part: Which of its rules could not look and why, in a sentence; None where all did.
    """

    findings: pl.DataFrame
    rows: pl.Series
    skipped: str | None = None
    in_part: str | None = None

    @classmethod
    def of(cls, *parts: pl.DataFrame, in_part: str | None = None) -> Found:
        """From frames of `rule`, `who`, `score` and `_row`, one line per row concerned."""
        kinds = {"rule": pl.String, "who": pl.String, "score": pl.Float64, ROW: pl.Int64}
        lines = pl.concat([pl.DataFrame(schema=kinds), *(part.select(pl.col(c).cast(t) for c, t in kinds.items())
                                                          for part in parts)])  # fmt: skip
        findings = lines.group_by("rule", "who").agg(
            pl.col("score").max(), rows=pl.col(ROW).n_unique().cast(pl.Int64)
        )
        findings = findings.sort(["score", "rule", "who"], descending=[True, False, False])
        return cls(findings.select(*FINDING_SCHEMA), lines[ROW].unique().sort(), in_part=in_part)

    @classmethod
    def unable(cls, reason: str) -> Found:
        """Nothing, because a detector has nothing to look at."""
        return cls(pl.DataFrame(schema=FINDING_SCHEMA), pl.Series(ROW, [], dtype=pl.Int64), reason)


@dataclass(frozen=True)
class Clock:
    """How finely the times of a log are told.

    Attributes:
        tick: Seconds between two moments it can tell apart, at least; 0 where that is below ten seconds, infinite
            where all moments are one.
        sentence: How coarse it is, in words.
    """

    tick: float
    sentence: str

    @classmethod
    def of(cls, moments: pl.Series) -> Clock:
        """The clock of a log: the longest tick on which nine rows in ten stand.

        Rows count and not moments, so that a few exact times do not hide that most are dates. Where more than a
        tenth is exact the clock passes for fine.

        Args:
            moments: Seconds, one per row; null and not finite are left out.
        """
        known = moments.drop_nulls().filter(moments.drop_nulls().is_finite())
        distinct = known.unique().sort()
        if len(distinct) < 2:
            return cls(float("inf"), "All times are the same.")
        for tick, name in reversed(_TICKS.items()):
            phases = np.unique((known % tick).round(3).to_numpy(), return_counts=True)[1]
            if phases.max() >= _MOST * len(known):
                apart = float(np.diff(distinct.to_numpy()).min())  # months are whole days too
                return cls(max(tick, apart), f"Times are told in whole {name}.")
        return cls(0.0, "Times are told to the second.")


def robust_z(values: Floats, least_spread: float = 0.0) -> Floats:
    """`(x - median) / (1.4826 MAD)` (Iglewicz and Hoaglin 1993); 0 everywhere where the spread is 0.

    Args:
        values: Finite, of shape (n,).
        least_spread: Smallest standard deviation believed in; a MAD says nothing where most values are equal.
    """
    if not values.size:
        return values
    centred = values - np.median(values)
    spread = max(_NORMAL * float(np.median(np.abs(centred))), least_spread)
    return np.asarray(centred / spread) if spread > 0 else np.zeros_like(centred)


def seconds(events: pl.DataFrame, column: str) -> pl.Expr:
    """The column as seconds: a time, or a number that is taken as seconds."""
    if isinstance(events.schema[column], (pl.Date, pl.Datetime)):
        return pl.col(column).dt.epoch("us") / 1e6
    return pl.col(column).cast(pl.Float64, strict=False)
