"""Any identified effect of discrete variables: the formula itself, evaluated on the observed frequencies.

The formula is a smooth function of the frequencies, so that the influence of a row is the derivative by the
frequency of its cell (the infinitesimal jackknife; Efron 1982, "The jackknife, the bootstrap and other
resampling plans", section 6).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from equipoise.causal.effects.design import Design
from equipoise.causal.effects.methods.fitted import Fitted
from equipoise.causal.identification import Estimand
from equipoise.causal.identification.derivative import gradient
from equipoise.causal.identification.discrete import DiscreteJoint
from equipoise.causal.identification.instruments import LinearInstrument
from equipoise.errors import DataError
from equipoise.statistics.interval import Estimate, Floats

_MOST_CELLS = 1000


def formula(design: Design, estimand: Estimand) -> Fitted:
    """Mean outcome under treatment minus mean outcome without, both by the estimand's formula.

    Treatment and outcome of the design, whatever they are called there, stand for those of the formula; its other
    variables are columns of the design's frame. Where the value of a variable plays no part, the formula is
    averaged over it as `Estimand.evaluate` does.
    """
    treatment, outcome = estimand.do[0], estimand.outcome[0]
    names = [treatment, outcome, *sorted(estimand.expression.mentioned - {treatment, outcome})]
    rows = design.frame.with_columns(
        pl.Series(treatment, design.treatment.astype(np.int64)),
        pl.Series(outcome, design.outcome),
    ).select(names)
    cells = rows.n_unique()
    if cells > _MOST_CELLS:
        return Fitted(
            "ate",
            refusal=f"By the graph the effect is {estimand.formula}, which is estimated for discrete variables only: "
            f"the data hold {cells} combinations of {', '.join(names)} (at most {_MOST_CELLS})",
        )
    try:
        joint = DiscreteJoint.read(rows, names)
        value, slopes = _difference(joint, estimand)
    except DataError as error:
        where = f" ({error.where})" if error.where else ""
        return Fitted("ate", refusal=f"{error.what}{where}")
    places = tuple(rows[name].rank("dense").to_numpy().astype(np.int64) - 1 for name in names)
    influence = slopes[places] - float((slopes * joint.probabilities).sum())
    return Fitted(
        "ate",
        Estimate(value, influence, design.clusters),
        details={"cells": cells, "formula": estimand.formula},
    )


def _difference(joint: DiscreteJoint, estimand: Estimand) -> tuple[float, Floats]:
    """The effect, and its derivatives by the probability of each cell, shaped as the distribution.

    Raises:
        DataError: if the formula conditions, under one of the treatments, on something that never happens.
    """
    expression, treatment, outcome = estimand.expression, estimand.do[0], estimand.outcome[0]
    assert not isinstance(expression, LinearInstrument)
    if treatment not in expression.free:
        return 0.0, np.zeros_like(joint.probabilities)
    made = joint.values(expression)
    idle = frozenset(estimand.arbitrary)
    axes = tuple(joint.axis[name] for name in idle)
    share = joint.marginal(idle | {treatment})
    weights = np.where(np.isnan(made), 0.0, share)
    total = weights.sum(axis=axes, keepdims=True)
    if not total.all():
        raise DataError(
            "The formula cannot be evaluated: it conditions on something that never happens",
            where=joint.why_undefined(expression, _undefined(joint, made, share)),
        )
    filled = np.nan_to_num(made)
    average = (filled * weights).sum(axis=axes, keepdims=True) / total
    contrast = _levels(joint, outcome) * (2 * _levels(joint, treatment) - 1)
    slopes = gradient(joint, expression, contrast * weights / total)
    # the weights of what plays no part are frequencies too
    drift = np.where(np.isnan(made), 0.0, contrast * (filled - average) / total)
    slopes = slopes + drift.sum(axis=joint.axis[outcome], keepdims=True)
    return float((contrast * average).sum()), slopes


def _undefined(joint: DiscreteJoint, made: Floats, share: Floats) -> dict[str, int]:
    """The likeliest place where the formula is undefined."""
    place = np.unravel_index(int(np.where(np.isnan(made), share, -1.0).argmax()), made.shape)
    return dict(zip(joint.levels, map(int, place), strict=True))


def _levels(joint: DiscreteJoint, name: str) -> Floats:
    """The levels of a variable of numbers, along its axis."""
    shape = [-1 if other == name else 1 for other in joint.levels]
    return np.array(joint.levels[name], dtype=np.float64).reshape(shape)
