"""How a formula moves with the distribution it is evaluated on: its gradient by the probability of each cell.

One pass through the formula from its value back to the probabilities (reverse accumulation; Griewank and
Walther 2008, "Evaluating derivatives", chapter 3), by the rules of sums, products and ratios.
"""

from __future__ import annotations

import numpy as np

from equipoise.causal.identification.discrete import DiscreteJoint, Floats, multiply
from equipoise.causal.identification.expressions import Expression, Probability, Product, Ratio, Sum


def gradient(joint: DiscreteJoint, formula: Expression, weights: Floats) -> Floats:
    """Derivatives of `Σ weights · formula` by the probability of each cell.

    Args:
        joint: The distribution.
        formula: What is evaluated on it.
        weights: One per value of the formula, with one axis per variable of the distribution, of length one
            where the formula does not depend on it; 0 where the formula is undefined.

    Returns:
        Shaped as the distribution. Cells that never happen are held at 0, so that what is undefined without them
        counts for nothing.
    """
    if isinstance(formula, Probability):
        if not formula.given:
            return _spread(weights, joint)
        return _of_ratio(joint, Probability(formula.free), Probability(formula.given), weights)
    if isinstance(formula, Sum):
        term = joint.values(formula.term)
        return gradient(joint, formula.term, np.broadcast_to(weights, term.shape))
    if isinstance(formula, Ratio):
        return _of_ratio(joint, formula.numerator, formula.denominator, weights)
    return _of_product(joint, formula, weights)


def _of_ratio(joint: DiscreteJoint, above: Expression, below: Expression, weights: Floats) -> Floats:
    top, bottom = joint.values(above), joint.values(below)
    used = (weights != 0) & (bottom > 0)
    share = np.divide(weights, bottom, out=np.zeros(used.shape), where=used)
    value = np.divide(top, bottom, out=np.zeros(used.shape), where=used)
    return gradient(joint, above, _within(share, top)) - gradient(
        joint, below, _within(share * value, bottom)
    )


def _of_product(joint: DiscreteJoint, formula: Product, weights: Floats) -> Floats:
    moved = np.zeros_like(joint.probabilities)
    values = [joint.values(factor) for factor in formula.factors]
    for place, factor in enumerate(formula.factors):
        others = multiply([*values[:place], *values[place + 1 :]])
        slope = np.where((weights == 0) | np.isnan(others), 0.0, weights * others)
        moved += gradient(joint, factor, _within(slope, values[place]))
    return moved


def _within(slopes: Floats, values: Floats) -> Floats:
    """Slopes summed over the axes on which the values do not depend; 0 where these are undefined."""
    axes = tuple(axis for axis, length in enumerate(values.shape) if length == 1)
    summed: Floats = slopes.sum(axis=axes, keepdims=True)
    return np.where(np.isnan(values), 0.0, summed)


def _spread(weights: Floats, joint: DiscreteJoint) -> Floats:
    return np.broadcast_to(weights, joint.probabilities.shape)
