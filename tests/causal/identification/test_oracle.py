"""Identification held against 300 random models and the classic graphs; and the oracle against broken algorithms."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from equipoise.causal.graph import CausalGraph
from equipoise.causal.identification import NotIdentifiable, id_algorithm, identify
from equipoise.causal.identification import distribution as distribution_module
from equipoise.causal.identification.expressions import Probability
from equipoise.testing.identification_oracle import (
    CLASSICS,
    BinaryModel,
    Question,
    examine,
    hedge_faults,
    judge,
    random_case,
    witness,
)

LINES = {*(f"ID {line}" for line in range(1, 8)), "IDC 1", "IDC 2"}
NAPKIN = "w -> z -> x -> y; w <-> x; w <-> y"
GRAPHS = 300


@pytest.fixture(scope="module")
def findings():
    return [examine(seed) for seed in range(GRAPHS)]


def test_no_number_is_wrong(findings):
    assert max(one.error for one in findings) <= 1e-9
    assert not any(one.undefined for one in findings)
    assert sum(one.numbers for one in findings) > 5000


def test_every_refusal_is_proved(findings):
    assert [one.faults for one in findings if one.faults] == []
    assert sum(not one.identified for one in findings) > 50


def test_every_line_and_strategy_is_exercised(findings):
    lines = Counter(line for one in findings for line in set(one.steps))
    assert set(lines) == LINES
    assert min(lines.values()) >= 15
    strategies = Counter(strategy for one in findings for strategy in set(one.strategies))
    assert strategies["backdoor"] >= 50
    assert strategies["frontdoor"] >= 1
    assert sum(one.ratio for one in findings) >= 5


def test_with_zeros_a_formula_is_right_or_undefined():
    findings = [examine(seed, zeros=0.3) for seed in range(150)]
    assert max(one.error for one in findings) <= 1e-9
    assert sum(one.undefined for one in findings) > 0


@pytest.mark.parametrize("classic", CLASSICS, ids=lambda classic: classic.name)
def test_classic_graphs(classic):
    graph = CausalGraph.parse(classic.graph)
    if classic.identifiable:
        model = modelled(graph)
        finding = judge(model, Question((classic.outcome,), classic.do))
        assert finding.identified
        assert finding.error <= 1e-9
    else:
        with pytest.raises(NotIdentifiable) as refused:
            identify(graph, classic.outcome, classic.do)
        assert hedge_faults(graph, refused.value.hedge) == []
        proof = witness(graph, refused.value.hedge)
        assert proof.agree
        assert proof.differ


def modelled(graph, seed=0):
    """A random model of a graph, a hidden cause for every bidirected edge."""
    rng = np.random.default_rng(seed)
    parents = {name: [*sorted(graph.parents(name))] for name in graph.topological_order()}
    hidden = [f"u{place}" for place in range(len(graph.bidirected))]
    for latent, arc in zip(hidden, sorted(graph.bidirected, key=sorted), strict=True):
        for name in arc:
            parents[name].append(latent)
    parents = dict.fromkeys(hidden, ()) | {name: tuple(causes) for name, causes in parents.items()}
    tables = {name: rng.uniform(0.1, 0.9, (2,) * len(causes)) for name, causes in parents.items()}
    return BinaryModel(tuple(parents), frozenset(hidden), parents, tables)


def test_truth_is_the_truncated_factorisation():
    """u -> x -> m -> y <- u by hand: P(y | do x) = .1 + .5 P(m | x) + .3 * .5."""
    model = BinaryModel(
        ("u", "x", "m", "y"),
        frozenset("u"),
        {"u": (), "x": ("u",), "m": ("x",), "y": ("m", "u")},
        {
            "u": np.array(0.5),
            "x": np.array([0.2, 0.8]),
            "m": np.array([0.1, 0.9]),
            "y": np.array([[0.1, 0.4], [0.6, 0.9]]),
        },
    )
    truth = model.truth(["y"], ["x"])
    assert truth[:, 0, 1] == pytest.approx([0.30, 0.70])
    seen = model.distribution().sum(axis=1)
    assert seen[:, 1] / seen.sum(axis=1) == pytest.approx([0.21, 0.79])
    assert judge(model, Question(("y",), ("x",))).strategies == ["frontdoor", "id", "frontdoor"]


def test_oracle_notices_that_the_carried_distribution_is_dropped(monkeypatch):
    def of_the_observed(self, name, given):
        return Probability(frozenset({name}), given)

    monkeypatch.setattr(distribution_module.Distribution, "_conditional", of_the_observed)
    assert judge(modelled(CausalGraph.parse(NAPKIN)), Question(("y",), ("x",))).error > 1e-3


def test_oracle_notices_conditioning_instead_of_acting(monkeypatch):
    def seen(self, outcome, do):
        return Probability(outcome, do)

    monkeypatch.setattr(id_algorithm.Identification, "unconditional", seen)
    assert judge(modelled(CausalGraph.parse("x -> y; x <-> y")), Question(("y",), ("x",))).error > 1e-3


def test_oracle_notices_a_refusal_without_reason():
    """A hedge for the bow does not stand against a graph whose bow is gone."""
    bow = CausalGraph.parse("x -> y; x <-> y")
    with pytest.raises(NotIdentifiable) as refused:
        identify(bow, "y", "x")
    hedge = refused.value.hedge
    assert hedge_faults(bow, hedge) == []
    assert hedge_faults(CausalGraph.parse("x -> y"), hedge) == ["the outer forest is not one district"]
    assert hedge_faults(CausalGraph.parse("y -> x; x <-> y"), hedge) == [
        "a forest has an arrow that the graph does not have"
    ]
    spoilt = {
        "the inner forest is no part of the outer one": replace(hedge, inner_edges=frozenset({("y", "x")})),
        "the outer forest holds nothing that is set": replace(hedge, do=frozenset()),
        "the inner forest holds something that is set": replace(hedge, do=frozenset({"x", "y"})),
        "a root does not cause the outcome": replace(hedge, outcome=frozenset({"x"})),
        "the outer forest has other roots": replace(hedge, outer_edges=frozenset()),
        "the inner forest is not one district": replace(hedge, inner=frozenset()),
    }
    for fault, one in spoilt.items():
        assert fault in hedge_faults(bow, one)


def test_no_two_models_can_be_made_of_a_hedge_that_is_none():
    with pytest.raises(NotIdentifiable) as refused:
        identify(CausalGraph.parse("x -> y; x <-> y"), "y", "x")
    proof = witness(CausalGraph.parse("x -> y"), refused.value.hedge)
    assert not (proof.agree and proof.differ)


def test_models_are_reproducible_and_of_the_size_promised():
    first, question = random_case(11)
    again, same = random_case(11)
    assert question == same
    np.testing.assert_array_equal(first.distribution(), again.distribution())
    sizes = {len(random_case(seed)[0].observed) for seed in range(100)}
    assert sizes == set(range(2, 8))
    assert max(len(random_case(seed)[0].hidden) for seed in range(100)) <= 8
