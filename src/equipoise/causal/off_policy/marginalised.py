"""Weights over groups of like items instead of items: marginalised IPS."""

from __future__ import annotations

from typing import Any, ClassVar

import narwhals as nw
import polars as pl
from pydantic import Field

from equipoise.causal.off_policy.columns import PROPENSITY_ as PROPENSITY
from equipoise.causal.off_policy.columns import REWARD_, ROW, TARGET, WEIGHT, Frame
from equipoise.causal.off_policy.estimators import Estimator
from equipoise.causal.off_policy.overlap import CANDIDATE_PROPENSITIES, CANDIDATES, unsupported_mass
from equipoise.causal.off_policy.sample import PROBABILITY, Distribution, Sample, aligned
from equipoise.causal.off_policy.targets import checked
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.data.frames import require
from equipoise.errors import ConfigError, DataError

_CELL, _SHARE, _ESTIMATED = "_cell", "_share", "_estimated"


class MarginalisedIPS(Estimator):
    """IPS with w = P(cell | x, target) / P(cell | x, logger) of the item's cell (Saito and Joachims 2022).

    Unbiased where an item acts on the reward through its cell only, and then far less variable. Exact where
    both policies' whole distributions are known; otherwise w is the mean of the items' weights in the cell,
    which is E[w | cell] and asks besides that the reward does not depend on the request within a cell.
    """

    name: ClassVar[str] = "mips"
    whole: ClassVar[bool] = True

    embedding: Any = Field(exclude=True)
    """Discrete description of items: a column of the log, or a frame of `item_id` and one or more columns."""
    logger: Any = Field(None, exclude=True)
    """The logger's whole distributions, a frame as the target's; by default the log's `candidate_propensities`,
    and where there are none E[w | cell] is used."""

    def prepare(self, sample: Sample) -> Frame:
        """Rows with the weights of their cells.

        Raises:
            DataError: if an item has no cell, or the description is made of numbers with fractions.
            ConfigError: if the logger's distribution is given, and the target's or the items' cells are not.
        """
        rows, cells = self._cells(sample.polars)
        logger = self._logger(rows)
        if logger is not None and sample.target is not None and cells is not None:
            above, below = (_mass(rows, policy, cells) for policy in (sample.target, logger))
            made = rows.with_columns(
                (above / below).fill_nan(0.0).alias(WEIGHT), pl.lit(0.0).alias(_ESTIMATED)
            )
            return nw.from_native(made, eager_only=True)
        if self.logger is not None:
            raise ConfigError(
                "Exact marginal weights need the target's whole distributions and the cells of all items",
                todo="Give target and embedding as frames, or leave out `logger`.",
            )
        weight = pl.col(TARGET) / pl.col(PROPENSITY)
        mean, reward = weight.mean().over(_CELL), pl.col(REWARD_).mean().over(_CELL)
        made = rows.with_columns(mean.alias(WEIGHT), ((weight - mean) * reward).alias(_ESTIMATED))
        return nw.from_native(made, eager_only=True)

    def additive(self) -> nw.Expr:
        """What the estimated weights add to the influence values; its mean is 0."""
        return nw.col(_ESTIMATED)

    def unsupported(self, sample: Sample, largest: float) -> float | None:
        """Share of the target's probability on cells that the logger never shows, or on items without a cell."""
        rows, cells = self._cells(sample.polars)
        if sample.target is None or cells is None:
            return None
        target = _by_cell(sample.target, cells)
        strange = _undescribed(rows, sample.target, cells)
        logger = self._logger(rows)
        if logger is None:
            by_cell = rows.drop(CANDIDATES, strict=False).with_columns(pl.col(_CELL).alias(v.ITEM))
            return strange + unsupported_mass(by_cell, target, largest)
        shown = _by_cell(logger, cells)
        both = list(dict.fromkeys([*target.key, *logger.key]))
        counts = rows.group_by(both).len("_count") if both else pl.DataFrame({"_count": [len(rows)]})
        wanted = _join(counts, target.table, target.key)
        known = shown.table.filter(pl.col(PROBABILITY) > 0)
        lost = wanted.join(known, on=[*logger.key, v.ITEM], how="anti", nulls_equal=True)
        return strange + float((lost[PROBABILITY] * lost["_count"]).sum()) / len(rows)

    def _cells(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame | None]:
        """The rows with their cell; and the cell of each item, where items are described by a frame."""
        if isinstance(self.embedding, str):
            require(rows.columns, self.embedding, table="log")
            _discrete(rows, [self.embedding])
            return rows.with_columns(pl.col(self.embedding).rank("dense").cast(pl.Int64).alias(_CELL)), None
        table = to_polars(self.embedding)
        require(table.columns, v.ITEM, table="embedding")
        columns = [name for name in table.columns if name != v.ITEM]
        _discrete(table, columns)
        rows, table = aligned(rows, table.unique(), [v.ITEM], "embedding")
        twice = table.filter(pl.col(v.ITEM).is_duplicated())
        if len(twice):
            raise DataError(
                "The embedding says different things of one item",
                where=f"{twice[v.ITEM].n_unique()} items, such as {twice[v.ITEM].sort()[0]!r}",
                todo="Give one row per item.",
            )
        kinds = table.select(columns).unique(maintain_order=True).with_row_index(_CELL)
        cells = table.join(kinds, on=columns, nulls_equal=True).select(v.ITEM, pl.col(_CELL).cast(pl.Int64))
        found = rows.join(cells, on=v.ITEM, how="left", maintain_order="left")
        lost = found.filter(pl.col(_CELL).is_null())
        if len(lost):
            raise DataError(
                "The embedding says nothing of some logged items",
                where=f"{lost[v.ITEM].n_unique()} items, such as {lost[v.ITEM][0]!r}",
                todo="Describe every item.",
            )
        return found, cells

    def _logger(self, rows: pl.DataFrame) -> Distribution | None:
        """The logger's whole distributions, where they are known."""
        if self.logger is not None:
            table = to_polars(self.logger)
            require(table.columns, v.ITEM, PROBABILITY, table="logger")
            key = tuple(name for name in (v.REQUEST, v.SLATE, v.POSITION) if name in table.columns)
            require(rows.columns, *key, table="log")
            table = aligned(rows, table.select(*key, v.ITEM, PROBABILITY), [*key, v.ITEM], "logger")[1]
            return Distribution(checked(table, key, "logger"), key)
        if not {CANDIDATES, CANDIDATE_PROPENSITIES} <= set(rows.columns):
            return None
        lists = rows.select(ROW, CANDIDATES, CANDIDATE_PROPENSITIES).explode(
            CANDIDATES, CANDIDATE_PROPENSITIES
        )
        table = lists.rename({CANDIDATES: v.ITEM, CANDIDATE_PROPENSITIES: PROBABILITY})
        table = aligned(rows, table, [v.ITEM], CANDIDATES)[1]
        return Distribution(checked(table, (ROW,), CANDIDATES), (ROW,))


def _discrete(table: pl.DataFrame, columns: list[str]) -> None:
    broken = [name for name in columns if table.schema[name].is_float() or table.schema[name].is_nested()]
    if broken or not columns:
        raise DataError(
            "Marginalised weights need a discrete description of items",
            where=f"column '{broken[0]}', {table.schema[broken[0]]}"
            if broken
            else "no column beside item_id",
            todo="Cluster vectors first, and give the number of the cluster.",
        )


def _by_cell(policy: Distribution, cells: pl.DataFrame) -> Distribution:
    """A policy over cells; items that are not described are in none."""
    joined = policy.table.join(cells, on=v.ITEM)
    table = joined.group_by([*policy.key, _CELL]).agg(pl.col(PROBABILITY).sum()).rename({_CELL: v.ITEM})
    return Distribution(table, policy.key)


def _undescribed(rows: pl.DataFrame, policy: Distribution, cells: pl.DataFrame) -> float:
    """Share of the policy's probability, over the rows, on items without a cell."""
    strange = policy.table.join(cells, on=v.ITEM, how="anti")
    key = list(policy.key)
    counts = rows.group_by(key).len("_count") if key else pl.DataFrame({"_count": [len(rows)]})
    wanted = _join(counts, strange, policy.key)
    return float((wanted[PROBABILITY] * wanted["_count"]).sum()) / len(rows)


def _mass(rows: pl.DataFrame, policy: Distribution, cells: pl.DataFrame) -> pl.Series:
    """The policy's probability of each row's cell."""
    table = _by_cell(policy, cells).table.rename({v.ITEM: _CELL, PROBABILITY: _SHARE})
    found = rows.join(table, on=[*policy.key, _CELL], how="left", nulls_equal=True, maintain_order="left")
    return found[_SHARE].fill_null(0.0)


def _join(counts: pl.DataFrame, table: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    if not key:
        return counts.join(table, how="cross")
    return counts.join(table, on=list(key), nulls_equal=True)
