"""Derivatives of formulas by the probabilities they are evaluated on, against differences."""

import numpy as np
import pytest

from equipoise.causal.graph import CausalGraph
from equipoise.causal.identification import identify
from equipoise.causal.identification.derivative import gradient
from equipoise.causal.identification.discrete import DiscreteJoint

GRAPHS = {
    "back door": "z -> x; z -> y; x -> y",
    "front door": "x -> m -> y; x <-> y",
    "napkin": "w -> z -> x -> y; w <-> x; w <-> y",
    "two districts": "x -> a -> b -> y; x <-> b; a <-> y",
}


def _joint(names, seed, empty=0):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(2 ** len(names)))
    p[rng.permutation(len(p))[:empty]] = 0
    return DiscreteJoint(dict.fromkeys(names, (0, 1)), (p / p.sum()).reshape((2,) * len(names)))


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("empty", [0, 3])
def test_gradients_are_limits_of_differences(name, empty):
    formula = identify(CausalGraph.parse(GRAPHS[name]), "y", "x").expression
    names = sorted(formula.mentioned)
    joint = _joint(names, 0, empty)
    values = joint.values(formula)
    weights = np.where(np.isnan(values), 0.0, np.random.default_rng(1).normal(size=values.shape))
    assert weights.any()

    def weighed(p):
        made = DiscreteJoint(joint.levels, p).values(formula)
        return float((weights * np.where(weights == 0, 0.0, made)).sum())

    found = gradient(joint, formula, weights)
    assert found.shape == joint.probabilities.shape
    for cell in zip(*np.nonzero(joint.probabilities), strict=True):
        step = np.zeros_like(found)
        step[cell] = 1e-6 * joint.probabilities[cell]
        slope = (weighed(joint.probabilities + step) - weighed(joint.probabilities - step)) / (2 * step[cell])
        assert found[cell] == pytest.approx(slope, rel=1e-5, abs=1e-5)
