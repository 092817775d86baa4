"""Blocks of scores become the table of recommendations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.component import Runtime
from equipoise.data import vocabulary as v
from equipoise.errors import ModelError
from equipoise.models.candidates import Candidates
from equipoise.models.histories import Histories, Ints
from equipoise.models.ranking import top_k

if TYPE_CHECKING:
    from equipoise.models.recommender import Fitted


@dataclass(frozen=True)
class Request:
    """Who asks.

    Attributes:
        users: Ids as they will stand in the answer.
        rows: Row of each among the model's histories, -1 for a user it never heard of.
        past: Histories to answer from, one per user; None for those the model holds.
    """

    users: pl.Series
    rows: Ints
    past: Histories | None = None


@dataclass(frozen=True)
class Limits:
    """What may stand in a list; the arguments of `Fitted.recommend`."""

    k: int = 10
    exclude_seen: bool = True
    candidates: Any = None
    min_probability: float | None = None


def recommended(model: Fitted, request: Request, limits: Limits, runtime: Runtime | None) -> pl.DataFrame:
    """The answer to a request, as `Fitted.recommend` describes it."""
    if limits.k < 1:
        raise ModelError(f"A list of {limits.k} items was asked for", todo="Ask for k of at least 1.")
    if limits.min_probability is not None and model.calibration is None:
        raise ModelError(
            "The model gives no probabilities", todo="Calibrate it first, or leave out min_probability."
        )
    candidates = Candidates.of(limits.candidates, model.catalogue, request.users)
    lists = [_best(model, np.empty((0, len(model.catalogue.items)), np.float32), 1, 0)]
    for part, histories, scores in model.blocks(request.rows, runtime, request.past):
        allowed = candidates.mask(part, scores.shape[1])
        if limits.exclude_seen:
            allowed = allowed & ~histories.marked(scores.shape[1])
        lists.append(_best(model, np.where(allowed, scores, -np.inf), limits.k, part.start))
        lists.append(candidates.unknown(part, scores.min(axis=1, initial=0.0), limits.k))
    table = pl.concat(lists).sort(v.USER, maintain_order=True)
    table = table.with_columns(pl.int_range(1, pl.len() + 1).over(v.USER).alias(v.RANK))
    return _finished(model, request, limits, table.filter(pl.col(v.RANK) <= limits.k))


def _best(model: Fitted, scores: NDArray[np.float32], k: int, offset: int) -> pl.DataFrame:
    """The best `k` of each row among finite scores; rows are counted from `offset`."""
    best = top_k(scores, k)
    value = np.take_along_axis(scores, best, axis=1)
    row, place = np.nonzero(np.isfinite(value))
    items = best[row, place]
    return pl.DataFrame(
        {
            v.USER: row + offset,
            v.ITEM: model.catalogue.items.gather(items),
            v.SCORE: value[row, place].astype(np.float64),
            v.COLD: model.catalogue.item_counts[items] == 0,
        }
    )


def _finished(model: Fitted, request: Request, limits: Limits, table: pl.DataFrame) -> pl.DataFrame:
    """With the ids, the probabilities and who is cold."""
    owner = table[v.USER].to_numpy()
    warm = np.zeros(len(request.rows), dtype=bool)
    known = (request.rows >= 0) & (request.rows < len(model.catalogue.users))
    warm[known] = model.catalogue.user_counts[request.rows[known]] > 0
    probability = (
        pl.lit(None, dtype=pl.Float64)
        if model.calibration is None
        else pl.Series(model.calibration(table[v.SCORE].to_numpy()))
    )
    table = table.with_columns(
        request.users.gather(owner).alias(v.USER),
        probability.alias(v.PROBABILITY),
        pl.col(v.COLD) | ~pl.Series(warm[owner], dtype=pl.Boolean),
    ).select(v.USER, v.ITEM, v.RANK, v.SCORE, v.PROBABILITY, v.COLD)
    if limits.min_probability is None:
        return table
    return table.filter(pl.col(v.PROBABILITY) >= limits.min_probability)
