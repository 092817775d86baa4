"""Natural effects against nested counterfactuals of random functional models, by enumeration of their noise."""

import numpy as np
import pytest

from equipoise.causal.graph import CausalGraph
from equipoise.causal.identification import NotIdentifiable, mediation
from equipoise.causal.identification.discrete import DiscreteJoint

LEVELS = 4  # equally likely values of the noise of each variable


class FunctionalModel:
    """Each variable is 1 where its noise is below a threshold that depends on its causes."""

    def __init__(self, rng, names, hidden):
        order = [*hidden, *names]
        shown = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :] if rng.random() < 0.6]
        latent = [(u, name) for u in hidden for name in rng.choice(names, 2, replace=False).tolist()]
        self.graph = CausalGraph.from_edges([*shown, *latent], nodes=order)
        self.parents = {name: sorted(self.graph.parents(name)) for name in order}
        self.thresholds = {name: rng.integers(1, LEVELS, (2,) * len(self.parents[name])) for name in order}
        grid = np.meshgrid(*[np.arange(LEVELS)] * len(order), indexing="ij")
        self.noise = {name: axis.ravel() for name, axis in zip(order, grid, strict=True)}

    def world(self, do=None):
        """Values of all variables, one per state of the noise; `do` maps variables to values or arrays."""
        values = {}
        for name in self.graph.topological_order():
            threshold = self.thresholds[name][tuple(values[parent] for parent in self.parents[name])]
            values[name] = (self.noise[name] < threshold).astype(int)
            if do and name in do:
                values[name] = np.broadcast_to(do[name], values[name].shape)
        return values

    def nested(self, treatment, outcome, mediators, acting, mediating):
        """P(Y(t, M(t')) = 1)."""
        other = self.world({treatment: mediating})
        kept = {name: other[name] for name in mediators}
        return self.world({treatment: acting, **kept})[outcome].mean()


@pytest.mark.parametrize("seed", range(60))
def test_natural_effects_are_those_of_the_model(seed):
    rng = np.random.default_rng(seed)
    names, hidden = list("abcde")[: rng.integers(3, 6)], ["u", "v"][: rng.integers(0, 3)]
    model = FunctionalModel(rng, names, hidden)
    treatment, *between, outcome = names if rng.random() < 0.5 else names[1:] if len(names) > 3 else names
    mediators = rng.choice(between, rng.integers(1, min(2, len(between)) + 1), replace=False).tolist()
    try:
        found = mediation(model.graph, treatment, outcome, mediators, observed=names)
    except NotIdentifiable:
        return
    values = model.world()
    counts = np.zeros((2,) * len(names))
    np.add.at(counts, tuple(values[name] for name in names), 1 / len(values[names[0]]))
    joint = DiscreteJoint(dict.fromkeys(names, (0, 1)), counts)
    for acting, mediating in ((0, 0), (1, 0), (0, 1), (1, 1)):
        truth = model.nested(treatment, outcome, mediators, acting, mediating)
        assert found.direct.nested.value(joint, 1, acting, mediating) == pytest.approx(truth, abs=1e-9)


def test_some_of_these_models_are_identified_and_some_are_not():
    answers = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        names, hidden = list("abcde")[: rng.integers(3, 6)], ["u", "v"][: rng.integers(0, 3)]
        model = FunctionalModel(rng, names, hidden)
        try:
            mediation(model.graph, names[0], names[-1], names[1], observed=names)
            answers.append(True)
        except NotIdentifiable:
            answers.append(False)
    assert 10 < sum(answers) < 50
