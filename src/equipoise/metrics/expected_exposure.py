"""Expected exposure: does every relevant item of a user get the exposure that its relevance deserves?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np

from equipoise.data import vocabulary as v
from equipoise.errors import ConfigError, DataError
from equipoise.metrics import frames
from equipoise.metrics.categories import attention
from equipoise.metrics.definitions import DEFINITIONS, Definition
from equipoise.metrics.ranking import Floats, check_cutoff

_DECIMALS = 12
_RELEVANT, _PLACES, _GIVEN, _SQUARED, _HIT = "_relevant", "_places", "_given", "_squared", "_hit"


@dataclass(frozen=True)
class ExpectedExposure:
    """Squared distance of a list's exposure from the exposure that relevance deserves, or a part of it.

    Attributes:
        definition: Formula, range, unit, direction.
        k: Cutoff: ranks beyond it get no exposure.
        catalogue: Number of items that could be shown.
        loss: Factors of disparity, relevance and the target's own square in the value.
    """

    definition: Definition
    k: int
    catalogue: int
    loss: tuple[float, float, float]

    @property
    def name(self) -> str:
        """As in "expected_exposure_loss@10"."""
        return f"{self.definition.name}@{self.k}"

    def __call__(self, recommendations: Any, truth: Any) -> Any:
        """Frame of `user_id`, `value`, one row per user of the truth, sorted by user.

        Raises:
            DataError: if a user's truth or list holds more items than the catalogue.
        """
        shown, relevant = frames.together(frames.recommendations(recommendations), frames.truth(truth))
        shown = shown.filter(nw.col(v.RANK) <= self.k).with_columns(attention().alias(_GIVEN))
        hits = shown.join(relevant, on=[v.USER, v.ITEM], how="inner")
        lists = shown.with_columns((nw.col(_GIVEN) * nw.col(_GIVEN)).alias(_SQUARED))
        users = relevant.group_by(v.USER).agg(nw.col(v.ITEM).len().alias(_RELEVANT))
        table = frames.collect(
            users.join(
                lists.group_by(v.USER).agg(
                    nw.col(_GIVEN).sum(), nw.col(_SQUARED).sum(), nw.col(v.ITEM).len().alias(_PLACES)
                ),
                on=v.USER,
                how="left",
            ).join(hits.group_by(v.USER).agg(nw.col(_GIVEN).sum().alias(_HIT)), on=v.USER, how="left")
        ).sort(v.USER)
        columns = [np.nan_to_num(frames.numbers(table, name)) for name in (_GIVEN, _SQUARED, _HIT, _PLACES)]
        values = np.round(self._values(frames.numbers(table, _RELEVANT), *columns), _DECIMALS) + 0.0
        series = nw.new_series("value", values, nw.Float64, backend=table.implementation)
        return table.select(v.USER).with_columns(series).to_native()

    def _values(
        self, relevant: Floats, given: Floats, squared: Floats, hit: Floats, places: Floats
    ) -> Floats:
        largest = max(relevant.max(initial=0), places.max(initial=0))
        if largest > self.catalogue:
            raise DataError(
                f"A user has {largest:.0f} items, but the catalogue has {self.catalogue}",
                todo="Pass the whole catalogue as `items`.",
            )
        depth = min(self.k, self.catalogue)
        reached = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(1, depth + 1) + 1.0))])
        top = reached[np.minimum(relevant, depth).astype(np.int64)]
        others = self.catalogue - relevant
        deserved = np.divide(top, relevant, out=np.zeros_like(top), where=relevant > 0)
        rest = np.divide(reached[-1] - top, others, out=np.zeros_like(top), where=others > 0)
        matched = deserved * hit + rest * (given - hit)
        target = relevant * deserved**2 + others * rest**2
        disparity, relevance, own = self.loss
        return np.asarray(disparity * squared + relevance * matched + own * target)


def expected_exposure_loss(k: int, items: Any) -> ExpectedExposure:
    """Expected-exposure loss EE-L at k, `Σ_i (e(i) − t(i))² = EE-D − 2·EE-R + Σ_i t(i)²`, from 0; 0 is fair.

    `e(i) = 1/log2(rank + 1)` up to k and 0 beyond; the target `t(i)` is the mean of e(i) over all rankings
    that put the relevant items first: relevant items share the exposure of the first |rel(u)| ranks alike,
    all others share the rest. A fixed list is the special case of a random one, and cannot reach 0 where it
    must order equally relevant items. A user without a list gives nothing any exposure, and is measured so.

    Source: Diaz, Mitra, Ekstrand, Biega and Carterette (2020), "Evaluating stochastic rankings with expected
    exposure", section 4, with the discount of DCG as browsing model.

    Args:
        k: Cutoff.
        items: The catalogue: its size, or a frame with `item_id`.

    Example:
        Two of four items are relevant; one of them is shown at rank 1 of 1. Each deserves 1/2:
        (1 − ½)² + (0 − ½)² = 0.5.

        >>> import polars as pl
        >>> truth = pl.DataFrame({"user_id": [1, 1], "item_id": ["a", "b"]})
        >>> shown = pl.DataFrame({"user_id": [1], "item_id": ["a"], "rank": [1]})
        >>> expected_exposure_loss(1, 4)(shown, truth)["value"][0]
        0.5
    """
    return _metric("expected_exposure_loss", k, items, (1.0, -2.0, 1.0))


def expected_exposure_disparity(k: int, items: Any) -> ExpectedExposure:
    """Disparity part EE-D of the loss, `Σ_i e(i)²`, from 0: what only random rankings lower.

    Source and arguments: as in `expected_exposure_loss`.

    Example:
        1² + (1/log2 3)² = 1.3981 for a list of two.

        >>> import polars as pl
        >>> truth = pl.DataFrame({"user_id": [1], "item_id": ["a"]})
        >>> shown = pl.DataFrame({"user_id": [1, 1], "item_id": ["a", "b"], "rank": [1, 2]})
        >>> round(expected_exposure_disparity(2, 4)(shown, truth)["value"][0], 4)
        1.3981
    """
    return _metric("expected_exposure_disparity", k, items, (1.0, 0.0, 0.0))


def expected_exposure_relevance(k: int, items: Any) -> ExpectedExposure:
    """Relevance part EE-R of the loss, `Σ_i e(i)·t(i)`, from 0: high where exposure goes to what deserves it.

    Source and arguments: as in `expected_exposure_loss`.

    Example:
        Two of four items are relevant and deserve 1/2 each; one has the only place: 1 · ½.

        >>> import polars as pl
        >>> truth = pl.DataFrame({"user_id": [1, 1], "item_id": ["a", "b"]})
        >>> shown = pl.DataFrame({"user_id": [1], "item_id": ["a"], "rank": [1]})
        >>> expected_exposure_relevance(1, 4)(shown, truth)["value"][0]
        0.5
    """
    return _metric("expected_exposure_relevance", k, items, (0.0, 1.0, 0.0))


def _metric(name: str, k: int, items: Any, loss: tuple[float, float, float]) -> ExpectedExposure:
    check_cutoff(k, name)
    if isinstance(items, int | np.integer):
        size = int(items)
    else:
        table = frames.read(items, (v.ITEM,), "items").select(v.ITEM).unique()
        size = int(frames.collect(table.select(nw.len())).item())
    if size < 1:
        raise ConfigError("The catalogue has no items", todo="Pass its size, or a frame with 'item_id'.")
    return ExpectedExposure(DEFINITIONS[name], k, size, loss)
