"""Slates: the value of a whole list, under three models of how people read one.

A decision is a slate, and its reward the sum over its places. Propensities and target probabilities stand
on the rows of the places (`slate_id`, `position` from 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.causal.off_policy.columns import (
    CLUSTER,
    ITEM_,
    LOGGED_VALUE,
    PROPENSITY_,
    REWARD_,
    TARGET,
    TARGET_VALUE,
    WEIGHT,
    Frame,
)
from equipoise.causal.off_policy.estimators import Estimator
from equipoise.causal.off_policy.sample import Sample
from equipoise.data import vocabulary as v
from equipoise.data.frames import require
from equipoise.errors import DataError

Floats = NDArray[np.float64]

_REWARDED, _WEIGHTED, _DIRECT = "_rewarded", "_weighted", "_direct"
_EXPOSURE, _SPREAD, _PLACE = "_exposure", "_spread", "_place_"


@dataclass(frozen=True)
class Slates:
    """Rows of slates as matrices of (slates, places); places that a short slate does not have hold 0.

    Attributes:
        rows: The rows in the order of slate and place.
        slate: Number of the slate of each row.
        place: Place of each row, from 0.
        heads: The first row of each slate.
    """

    rows: pl.DataFrame
    slate: NDArray[np.int64]
    place: NDArray[np.int64]
    heads: pl.DataFrame

    def matrix(self, column: str, absent: float = 0.0) -> Floats:
        """A column as a matrix."""
        made = np.full((len(self.heads), int(self.place.max()) + 1), absent)
        made[self.slate, self.place] = self.rows[column].to_numpy()
        return made


def slates(sample: Sample, estimator: str, wanted: str) -> Slates:
    """The rows put together, checked.

    Args:
        sample: The log seen from the target.
        estimator: Name of the estimator, for messages.
        wanted: Kind of propensity it needs.

    Raises:
        DataError: if a place is missing or stands twice, or the log's propensities are of another kind.
    """
    rows = sample.polars
    require(rows.columns, v.SLATE, v.POSITION, table="log")
    other = [kind for kind in sample.kinds if kind != wanted]
    if other:
        raise DataError(
            f"'{estimator}' needs propensities of kind '{wanted}', and the log holds '{other[0]}'",
            where="column 'propensity_kind'",
            todo="rips and cascade_dr read 'action' (of an item given those above it), iips 'item_at_position'.",
        )
    if not rows.schema[v.POSITION].is_numeric():
        raise DataError(
            "The places of slates are no numbers",
            where=f"column '{v.POSITION}', {rows.schema[v.POSITION]}",
            todo="Number the places of each slate 1, 2, 3, ...",
        )
    rows = rows.sort(v.SLATE, v.POSITION)
    expected = pl.int_range(1, pl.len() + 1).over(v.SLATE)
    broken = rows.filter((pl.col(v.POSITION) != expected).fill_null(True))
    if len(broken):
        raise DataError(
            "The places of a slate are not 1, 2, 3, ... each once",
            where=f"{broken[v.SLATE].n_unique()} slates, the first {broken[v.SLATE][0]!r}",
            todo="Log every place of a slate, from 1 and without gaps.",
        )
    first = (rows[v.POSITION] == 1).to_numpy()
    place = rows[v.POSITION].cast(pl.Int64).to_numpy() - 1
    return Slates(rows, np.cumsum(first) - 1, place, rows.filter(pl.col(v.POSITION) == 1))


class SlateEstimator(Estimator):
    """What the estimators of slates share: prepared rows hold the weighted and the direct part of a slate."""

    whole: ClassVar[bool] = True

    def residual(self) -> nw.Expr:
        """The reward of the whole slate."""
        return nw.col(REWARD_)

    def numerator(self) -> nw.Expr:
        """Σ over places of weight times reward (or residual)."""
        return nw.col(_WEIGHTED)

    def contribution(self) -> nw.Expr:
        """Σ over places of weight times reward."""
        return nw.col(_REWARDED)

    def exposure(self) -> nw.Expr:
        """Largest weight of the slate's places."""
        return nw.col(_EXPOSURE)

    def spread(self) -> nw.Expr:
        """Σ over places of the reward's (or residual's) size."""
        return nw.col(_SPREAD)

    def balance(self) -> nw.Expr:
        """Slates are counted, not weighted: each place has a weight of its own."""
        return nw.lit(1.0)

    def additive(self) -> nw.Expr:
        """Σ over places of what is averaged without the place's own weight."""
        return nw.col(_DIRECT)


class IndependentIPS(SlateEstimator):
    """Σ_k w_k r_k with the weight of the place's own item: people read each place for itself (Li et al. 2018).

    Propensities and target probabilities are those of the item at its place, whatever stands above. The
    weights of every place are checked, and those of the place with the smallest effective sample size are
    reported; a slate without the place has weight 1 there, for nothing is weighed.
    """

    name: ClassVar[str] = "iips"

    def prepare(self, sample: Sample) -> Frame:
        """One row per slate."""
        made = slates(sample, self.name, "item_at_position")
        weight = made.matrix(TARGET, absent=1.0) / made.matrix(PROPENSITY_, absent=1.0)
        scaled = weight / np.maximum(weight.max(axis=0), np.finfo(np.float64).tiny)
        sizes = scaled.sum(axis=0) ** 2 / np.maximum(np.square(scaled).sum(axis=0), 1.0)
        worst = weight[:, int(np.argmin(sizes))]
        table = _table(made, worst, weight, (weight * made.matrix(REWARD_)).sum(axis=1))
        return table.with_columns(
            *(
                nw.new_series(f"{_PLACE}{k + 1}", column, nw.Float64, backend="polars")
                for k, column in enumerate(weight.T)
            )
        )

    def faces(self, table: Frame) -> tuple[tuple[str, Frame], ...]:
        """The weights of each place."""
        places = [name for name in table.columns if name.startswith(_PLACE)]
        return tuple(
            (f"Place {name.removeprefix(_PLACE)}: ", table.with_columns(nw.col(name).alias(WEIGHT)))
            for name in places
        )


class RewardInteractionIPS(SlateEstimator):
    """Σ_k w_1…w_k r_k: people read from the top, and what stands above matters (McInerney et al. 2020).

    Propensities and target probabilities are those of an item given the items above it. The weights reported
    are those of the whole slate.
    """

    name: ClassVar[str] = "rips"
    sequential: ClassVar[bool] = True

    def prepare(self, sample: Sample) -> Frame:
        """One row per slate."""
        made = slates(sample, self.name, "action")
        weight = _cumulative(made)
        return _table(made, weight[:, -1], weight, (weight * made.matrix(REWARD_)).sum(axis=1))


class CascadeDoublyRobust(SlateEstimator):
    """Σ_k [w_1…w_k (r_k − Q_k) + w_1…w_{k−1} E_target Q_k], the cascade model's DR (Kiyohara et al. 2022).

    Q_k is the outcome model's value of the place: of its own reward, or better of all rewards from there
    on. With either it is unbiased where propensities are right.
    """

    name: ClassVar[str] = "cascade_dr"
    modelled: ClassVar[bool] = True
    sequential: ClassVar[bool] = True

    def prepare(self, sample: Sample) -> Frame:
        """One row per slate."""
        made = slates(sample, self.name, "action")
        weight = _cumulative(made)
        rewarded = (weight * made.matrix(REWARD_)).sum(axis=1)
        if LOGGED_VALUE not in made.rows.columns:  # only the weights are looked at yet
            return _table(made, weight[:, -1], weight, rewarded)
        before = np.hstack([np.ones((len(weight), 1)), weight[:, :-1]])
        value = made.matrix(LOGGED_VALUE)
        direct = (before * made.matrix(TARGET_VALUE)).sum(axis=1)
        return _table(made, weight[:, -1], weight, rewarded, value, direct)


def _cumulative(made: Slates) -> Floats:
    """Products of weights from the top, added up as logarithms: products over slates underflow."""
    with np.errstate(divide="ignore"):
        logs = np.log(made.matrix(TARGET, absent=1.0)) - np.log(made.matrix(PROPENSITY_, absent=1.0))
    return np.asarray(np.exp(np.cumsum(logs, axis=1)))


def _table(
    made: Slates,
    reported: Floats,
    weight: Floats,
    rewarded: Floats,
    value: Floats | None = None,
    direct: Floats | float = 0.0,
) -> Frame:
    """One row per slate, from the weights (slates, places), the weighted rewards and the model's values."""
    reward = made.matrix(REWARD_)
    value = np.zeros_like(reward) if value is None else value
    marks = [name for name in (PROPENSITY_, ITEM_) if name in made.rows.columns]
    kept = [CLUSTER] if CLUSTER in made.heads.columns else []
    table = made.heads.select(v.SLATE, *kept).with_columns(
        pl.Series(WEIGHT, reported),
        pl.Series(REWARD_, reward.sum(axis=1)),
        pl.Series(_REWARDED, rewarded),
        pl.Series(_WEIGHTED, rewarded - (weight * value).sum(axis=1)),
        pl.Series(_DIRECT, np.broadcast_to(direct, len(weight))),
        *(pl.Series(name, made.matrix(name).sum(axis=1)) for name in marks),
        pl.Series(_EXPOSURE, weight.max(axis=1)),
        pl.Series(_SPREAD, np.abs(reward - value).sum(axis=1)),
    )
    return nw.from_native(table, eager_only=True)
