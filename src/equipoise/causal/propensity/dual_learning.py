"""Propensities from the place in a slate: examination by the dual learning algorithm."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse
from scipy.optimize import minimize

from equipoise.causal.propensity.base import PropensityModel, need
from equipoise.causal.propensity.position import (
    FittedPosition,
    at_places,
    default_features,
    design_matrix,
    impressions,
    places,
    settledness,
)
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.errors import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_STEPS = 5  # of each side's own descent, before the other side moves


class DualLearning(PropensityModel):
    """The dual learning algorithm (Ai, Bi, Luo, Guo and Croft 2018, "Unbiased learning to rank with unbiased
    propensity estimation", section 4).

    Two softmaxes over each slate explain which of its rows are clicked: one over relevance, a linear function
    of features, and one over places. Each is fitted to the clicks weighted inversely to what the other says,
    relative to place 1 of the same slate: `L(relevance) = -sum_clicks (e_1 / e_k) log softmax(relevance)`,
    `L(examination) = -sum_clicks (r_1 / r_k) log softmax(examination)`, in turns until neither moves. Where
    clicks are examination times relevance and one side is right, the other's loss is unbiased (their theorems
    1 and 2).

    Beside regression-EM it needs no absolute level of relevance, so features that are alike for a whole slate
    (its user, its day) cancel, and a user's clickiness cannot pass for examination. It has EM's limits else: only
    ratios of examination are identified, and only as far as items of equal features stand at different places.
    Relevance stands in the weights as a ratio, so that its noise does not average out: with few clicks per feature
    (tens per item) examination of the last places comes out up to a tenth too low.
    """

    name: ClassVar[str] = "dual_learning"

    features: tuple[str, ...] | None = None
    """Columns that relevance depends on, as for the model `position`; what is alike within a slate says nothing."""
    sample: int = Field(200_000, ge=1000)
    """Most impressions fitted to, in whole slates; of more, some slates are drawn."""
    iterations: int = Field(200, ge=1)
    """Most turns."""
    tolerance: float = Field(1e-4, gt=0)
    """Stop when no examination moves by more in a turn."""
    regularisation: float = Field(1.0, gt=0)
    """Ridge penalty on the coefficients of relevance."""

    def check(self, events: pl.DataFrame) -> None:
        """Look at the places and the clicks on them.

        Raises:
            DataError: if there are no impressions, a column is missing, positions are under 1, or a place has no
                click at all.
        """
        features = default_features(events) if self.features is None else self.features
        need(events, (v.EVENT, v.POSITION, v.SLATE, v.REWARD, *features), model=self.name)
        places(impressions(events))

    def fit(self, events: Any, users: Any = None, items: Any = None, *, seed: int = 0) -> FittedPosition:
        """Fit to the slates of a log, of whose impressions `reward` says whether they were clicked.

        Slates without a row at place 1 are left out.

        Raises:
            DataError: if there are no impressions, `reward`, `position` or `slate_id` is missing, positions are
                under 1, a place has no click at all, no slate has a place 1, or the features settle the place.
        """
        table = to_polars(events)
        features = default_features(table) if self.features is None else self.features
        need(table, (v.EVENT, v.POSITION, v.SLATE, v.REWARD, *features), model=self.name)
        shown = self._slates(table, seed)
        place, clicked = places(shown)
        design = design_matrix(shown, features)
        settled = settledness(design, place)
        slates = _Slates(shown[v.SLATE])
        examination, steps, converged = self._in_turns(design, place, clicked, slates)
        values = np.minimum(at_places(table, examination), 1.0)
        return FittedPosition(
            self, values, examination=examination, iterations=steps, converged=converged, settled=settled
        )

    def _slates(self, table: pl.DataFrame, seed: int) -> pl.DataFrame:
        """Whole slates that have a place 1, rows of each one after the other, place 1 first."""
        shown = table.filter(
            pl.col(v.EVENT) == v.IMPRESSION, pl.col(v.POSITION).is_not_null(), pl.col(v.SLATE).is_not_null()
        ).sort(v.SLATE, v.POSITION)
        if len(shown) and int(shown[v.POSITION].min()) >= 1:  # type: ignore[arg-type]
            shown = shown.filter(pl.col(v.POSITION).first().over(v.SLATE) == 1)
            if shown.is_empty():
                raise DataError(
                    "No slate has a row at place 1, to which examination is relative",
                    where=f"columns '{v.SLATE}' and '{v.POSITION}'",
                    todo="Log whole slates, and number places from 1.",
                )
        if len(shown) > self.sample:
            slates = shown[v.SLATE].unique(maintain_order=True)
            kept = slates.sample(max(1, self.sample * len(slates) // len(shown)), seed=seed)
            shown = shown.filter(pl.col(v.SLATE).is_in(kept.implode()))
        return shown

    def _in_turns(
        self, design: sparse.csr_matrix, place: Ints, clicked: NDArray[np.bool_], slates: _Slates
    ) -> tuple[Floats, int, bool]:
        """Examination by place, turns taken, and whether they came to rest."""
        rows = np.arange(len(place))
        at = sparse.csr_matrix((np.ones(len(place)), (rows, place)))
        relevance, examination = np.zeros(design.shape[1]), np.zeros(at.shape[1])
        taken = clicked.astype(np.float64)
        for step in range(1, self.iterations + 1):
            relevance = slates.descend(
                design, taken * np.exp(-examination[place]), relevance, self.regularisation
            )
            score = design @ relevance
            update = slates.descend(at, taken * np.exp(score[slates.first] - score), examination, 0.0)
            update -= update[0]
            moved = float(np.abs(np.exp(update) - np.exp(examination)).max())
            examination = update
            if moved < self.tolerance:
                return np.exp(examination), step, True
        return np.exp(examination), self.iterations, False


class _Slates:
    """Slates whose rows stand one after the other.

    Args:
        slate: Slate of each row; rows of one slate are together.

    Attributes:
        starts: First row of each slate.
        number: Slate of each row, from 0.
        first: First row of each row's slate.
    """

    def __init__(self, slate: pl.Series) -> None:
        self.number = slate.rle_id().to_numpy().astype(np.int64)
        self.starts = np.flatnonzero(np.diff(self.number, prepend=-1))
        self.first = self.starts[self.number]

    def descend(self, design: sparse.csr_matrix, weights: Floats, start: Floats, penalty: float) -> Floats:
        """A few steps down `-sum_i w_i log softmax(design beta)_i + penalty / 2 |beta|^2`, softmax by slate."""
        total = np.add.reduceat(weights, self.starts)

        def loss(beta: Floats) -> tuple[float, Floats]:
            logit = design @ beta
            logit -= np.maximum.reduceat(logit, self.starts)[self.number]
            mass = np.exp(logit)
            whole = np.add.reduceat(mass, self.starts)
            value = float(total @ np.log(whole) - weights @ logit) + 0.5 * penalty * float(beta @ beta)
            slope = mass * (total / whole)[self.number] - weights
            return value, design.T @ slope + penalty * beta

        found: Floats = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
        return found
