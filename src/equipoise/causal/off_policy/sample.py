"""What an estimator works on: the log with the target's probabilities, and the whole target where it is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from equipoise.causal.off_policy.columns import Frame
from equipoise.data import to_polars
from equipoise.errors import DataError

PROBABILITY = "probability"


@dataclass(frozen=True)
class Distribution:
    """A policy's probabilities of all items, per request or whatever else it depends on.

    Attributes:
        table: Columns `key`, `item_id`, `probability`; the probabilities of one key sum to 1.
        key: Columns of the log that the probabilities depend on; none for a policy that never looks.
    """

    table: pl.DataFrame
    key: tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """A log seen from a target policy.

    Attributes:
        frame: Narwhals frame of the log with its working columns, `_target` among them.
        n: Rows.
        target: The target's whole distribution; None where only the logged items' probabilities are known.
        kinds: What the propensities are said to be the probability of.
        notes: What a reader of the result should know.
        seed: Root of random numbers.
    """

    frame: Frame
    n: int
    target: Distribution | None
    kinds: tuple[str, ...]
    notes: tuple[str, ...]
    seed: int

    @property
    def polars(self) -> pl.DataFrame:
        """The rows themselves."""
        return to_polars(self.frame.to_native())


def aligned(
    log: pl.DataFrame, table: pl.DataFrame, columns: Sequence[str], what: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both tables with ids of one type, so that they can be joined.

    Raises:
        DataError: if ids are text on one side and numbers on the other.
    """
    for column in columns:
        here, there = log.schema[column], table.schema[column]
        if here == there:
            continue
        if _text(here) and _text(there):
            dtype: pl.DataType = pl.String()
        elif here.is_integer() and there.is_integer():
            dtype = pl.Int128() if pl.UInt64 in (here, there) else pl.Int64()
        else:
            raise DataError(
                f"'{column}' is {here} in the log and {there} in the {what}",
                todo="Give both tables ids of the same type.",
            )
        log, table = (
            log.with_columns(pl.col(column).cast(dtype)),
            table.with_columns(pl.col(column).cast(dtype)),
        )
    return log, table


def _text(dtype: pl.DataType) -> bool:
    return isinstance(dtype, (pl.String, pl.Categorical, pl.Enum))
