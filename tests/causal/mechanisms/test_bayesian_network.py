from __future__ import annotations

from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.causal.graph import CausalGraph, GraphError
from equipoise.causal.mechanisms import BayesianNetwork
from equipoise.errors import DataError, ModelError

GRAPH = CausalGraph.parse("x -> y -> z; x -> z")
TABLES = {
    "x": [0.7, 0.3],
    "y": [[0.8, 0.2], [0.3, 0.7]],
    "z": [[[0.9, 0.1], [0.6, 0.4]], [[0.5, 0.5], [0.2, 0.8]]],
}


@pytest.fixture
def network() -> BayesianNetwork:
    return BayesianNetwork.from_tables(GRAPH, TABLES)


def random_network(seed: int) -> BayesianNetwork:
    rng = np.random.default_rng(seed)
    names = [f"v{place}" for place in range(int(rng.integers(2, 7)))]
    arrows = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :] if rng.random() < 0.5]
    graph = CausalGraph.from_edges(arrows, nodes=names)
    size = dict(zip(names, rng.integers(1, 4, len(names)), strict=True))
    tables = {}
    for name in names:
        shape = [size[one] for one in graph.ordered(graph.parents(name))]
        tables[name] = rng.dirichlet(np.ones(size[name]), size=shape)
    return BayesianNetwork.from_tables(graph, tables)


def by_enumeration(network: BayesianNetwork, outcome: dict, seen: dict, do: dict) -> float:
    """The truncated factorisation, summed over every combination of all variables."""
    above = below = 0.0
    nodes = network.graph.nodes
    for values in product(*(network.variables[name].levels for name in nodes)):
        world = dict(zip(nodes, values, strict=True))
        if any(world[name] != value for name, value in {**seen, **do}.items()):
            continue
        p = 1.0
        for name in nodes:
            if name not in do:
                parents = network.graph.ordered(network.graph.parents(name))
                p *= network.tables[name][tuple(world[one] for one in (*parents, name))]
        below += p
        above += p * all(world[name] == value for name, value in outcome.items())
    return above / below


@pytest.mark.parametrize(
    ("do", "expected"), [({"x": 0}, 0.16), ({"x": 1}, 0.71), ({"y": 0}, 0.22), ({"y": 1}, 0.52)]
)
def test_interventions_of_the_worked_example(network: BayesianNetwork, do: dict, expected: float) -> None:
    assert network.probability({"z": 1}, do=do) == pytest.approx(expected, abs=1e-12)


def test_seeing_is_not_doing(network: BayesianNetwork) -> None:
    assert network.probability({"z": 1}, given={"y": 0}) == pytest.approx(0.155385, abs=1e-6)
    assert network.probability({"z": 1}, given={"y": 1}) == pytest.approx(0.64, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_elimination_agrees_with_enumeration(seed: int) -> None:
    network, rng = random_network(seed), np.random.default_rng(seed + 1)
    names = rng.permutation(network.graph.nodes).tolist()
    world = {name: int(rng.integers(0, len(network.variables[name].levels))) for name in names}
    first, second = sorted(rng.integers(1, len(names) + 1, 2))
    outcome, seen, do = (
        {name: world[name] for name in part} for part in (names[:first], names[first:second], names[second:])
    )
    found = network.probability(outcome, given=seen, do=do)
    assert found == pytest.approx(by_enumeration(network, outcome, seen, do), abs=1e-12)


def test_the_joint_sums_to_one_and_holds_every_combination(network: BayesianNetwork) -> None:
    joint = network.joint()
    assert joint.columns == ["x", "y", "z", "p"]
    assert len(joint) == 8
    assert joint["p"].sum() == pytest.approx(1)
    assert joint.filter(x=1, y=0, z=1)["p"].item() == pytest.approx(0.3 * 0.3 * 0.5)
    after = network.joint(do={"y": 1})
    assert after.columns == ["x", "z", "p"]
    assert after.filter(x=0, z=1)["p"].item() == pytest.approx(0.7 * 0.4)


def test_counting_with_a_prior_by_hand() -> None:
    data = pl.DataFrame({"a": ["no", "no", "yes"], "b": [True, False, True]})
    fitted = BayesianNetwork.fit(CausalGraph.parse("a -> b"), data, prior=1.0)
    assert fitted.tables["a"].tolist() == [3 / 5, 2 / 5]
    assert fitted.probability({"b": True}, given={"a": "yes"}) == pytest.approx(2 / 3)
    assert BayesianNetwork.fit(CausalGraph.parse("a -> b"), data, prior=0.0).probability(
        {"b": True}, given={"a": "yes"}
    ) == pytest.approx(1.0)


def test_draws_follow_the_network_and_come_back_to_it(network: BayesianNetwork) -> None:
    drawn = network.sample(40_000, seed=3)
    again = BayesianNetwork.fit(GRAPH, drawn)
    for name, table in network.tables.items():
        assert again.tables[name] == pytest.approx(table, abs=0.02)
    assert network.sample(40_000, do={"y": 1}, seed=3)["z"].mean() == pytest.approx(0.52, abs=0.01)


def test_one_seed_draws_the_same_noise_for_every_intervention(network: BayesianNetwork) -> None:
    plain, changed = network.sample(500, seed=5), network.sample(500, do={"y": 1}, seed=5)
    assert plain["x"].equals(changed["x"])
    same = plain["y"] == 1
    assert plain.filter(same)["z"].equals(changed.filter(same)["z"])


def test_any_engine_fits_the_same(network: BayesianNetwork) -> None:
    import duckdb
    import pandas as pd

    drawn = network.sample(300, seed=1)
    expected = BayesianNetwork.fit(GRAPH, drawn).tables["z"]
    frame = pd.DataFrame(drawn.to_dict(as_series=False))
    for other in (drawn.lazy(), frame, duckdb.from_arrow(drawn.to_arrow())):
        assert (BayesianNetwork.fit(GRAPH, other).tables["z"] == expected).all()


def test_bad_questions_and_bad_data_are_told(network: BayesianNetwork) -> None:
    with pytest.raises(GraphError, match="no variable 'zz'"):
        network.probability({"zz": 1})
    with pytest.raises(GraphError, match="two places"):
        network.probability({"z": 1}, do={"z": 0})
    with pytest.raises(DataError, match="no value 7"):
        network.probability({"z": 7})
    certain = BayesianNetwork.from_tables(
        CausalGraph.parse("a -> b"), {"a": [1, 0], "b": [[0.5, 0.5], [0.5, 0.5]]}
    )
    with pytest.raises(DataError, match="probability zero"):
        certain.probability({"b": 1}, given={"a": 1})
    assert certain.probability({"b": 1}, do={"a": 1}) == 0.5
    with pytest.raises(GraphError, match="hidden common cause"):
        BayesianNetwork.fit(CausalGraph.parse("a <-> b"), pl.DataFrame({"a": [0, 1], "b": [0, 1]}))
    with pytest.raises(DataError, match="missing in 1 of 2 rows"):
        BayesianNetwork.fit(CausalGraph.parse("a -> b"), pl.DataFrame({"a": [0, None], "b": [0, 1]}))
    with pytest.raises(DataError, match="no column 'b'"):
        BayesianNetwork.fit(CausalGraph.parse("a -> b"), pl.DataFrame({"a": [0, 1]}))
    with pytest.raises(DataError, match="too many for a category"):
        BayesianNetwork.fit(CausalGraph.parse("a"), pl.DataFrame({"a": range(500)}))
    with pytest.raises(DataError, match="never occurs"):
        BayesianNetwork.fit(
            CausalGraph.parse("a -> c <- b"), pl.DataFrame({"a": [0, 1], "b": [0, 1], "c": [0, 1]}), prior=0
        )


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"a": [0.5, 0.5]}, "no table for 'b'"),
        ({"a": [0.5, 0.5], "b": [0.5, 0.5]}, "shape"),
        ({"a": [0.5, 0.6], "b": [[1, 0], [0, 1]]}, "no probabilities"),
        ({"a": [1.5, -0.5], "b": [[1, 0], [0, 1]]}, "no probabilities"),
        ({"a": [0.5, 0.5], "b": [[1, 0], [0, 1]], "c": [1]}, "no variable 'c'"),
    ],
)
def test_tables_that_are_no_network(tables: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        BayesianNetwork.from_tables(CausalGraph.parse("a -> b"), tables)


def test_a_question_too_large_for_exact_inference_is_refused() -> None:
    names = [f"v{place}" for place in range(30)]
    network = BayesianNetwork.from_tables(CausalGraph(tuple(names)), {name: [0.5, 0.5] for name in names})
    assert network.probability(dict.fromkeys(names[:12], 1)) == pytest.approx(2.0**-12)
    with pytest.raises(ModelError, match="Exact inference"):
        network.joint()


def test_when_all_is_set_one_certainty_is_left(network: BayesianNetwork) -> None:
    assert network.joint(do={"x": 1, "y": 0, "z": 1}).to_dicts() == [{"p": 1.0}]


def test_a_graph_may_be_given_as_text(network: BayesianNetwork) -> None:
    again = BayesianNetwork.from_tables("x -> y -> z; x -> z", TABLES)
    assert again.joint().equals(network.joint())
    fitted = BayesianNetwork.fit("x -> y -> z; x -> z", network.sample(200))
    assert fitted.graph == GRAPH


@pytest.mark.parametrize(("n", "seed", "words"), [(-1, 0, "-1 rows"), (5, -1, "seed of -1")])
def test_what_cannot_be_drawn_is_told(network: BayesianNetwork, n: int, seed: int, words: str) -> None:
    with pytest.raises(DataError, match=words):
        network.sample(n, seed=seed)
    assert network.sample(0).is_empty()
