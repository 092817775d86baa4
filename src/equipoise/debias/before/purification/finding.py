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
_NORMAL: Final = 1.4826  # MAD of a normal to its standard deviation


@dataclass(frozen=True)
class Found:
    """What a detector found.

    Attributes:
        findings: Frame of `rule` (which rule), `who` (the user, the item, or a pair of them, as text), `score`
            (how far beyond what is usual; see the rule) and `rows` (rows concerned), the worst first.
        rows: Numbers of all rows concerned, sorted, each once.
        skipped: Why the detector could not look, in a sentence; None where it did.
    """

    findings: pl.DataFrame
    rows: pl.Series
    skipped: str | None = None

    @classmethod
    def of(cls, *parts: pl.DataFrame) -> Found:
        """From frames of `rule`, `who`, `score` and `_row`, one line per row concerned."""
        kinds = {"rule": pl.String, "who": pl.String, "score": pl.Float64, ROW: pl.Int64}
        lines = pl.concat([pl.DataFrame(schema=kinds), *(part.select(pl.col(c).cast(t) for c, t in kinds.items())
                                                          for part in parts)])  # fmt: skip
        findings = lines.group_by("rule", "who").agg(
            pl.col("score").max(), rows=pl.col(ROW).n_unique().cast(pl.Int64)
        )
        findings = findings.sort(["score", "rule", "who"], descending=[True, False, False])
        return cls(findings.select(*FINDING_SCHEMA), lines[ROW].unique().sort())

    @classmethod
    def unable(cls, reason: str) -> Found:
        """Nothing, because a detector has nothing to look at."""
        return cls(pl.DataFrame(schema=FINDING_SCHEMA), pl.Series(ROW, [], dtype=pl.Int64), reason)


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
