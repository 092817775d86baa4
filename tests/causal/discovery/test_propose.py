from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from equipoise.causal.discovery import METHODS, NotAcceptedError, propose_graph, structural_hamming_distance
from equipoise.causal.graph import CausalGraph, GraphError
from equipoise.causal.identification import identify
from equipoise.causal.mechanisms import BayesianNetwork
from equipoise.errors import ConfigError, DataError, EquipoiseError, MissingExtraError


def edges(proposal: Any) -> set[str]:
    return {" ".join(edge) for edge in proposal.found.edges}


def quantities(n: int = 1500, seed: int = 0) -> pl.DataFrame:
    """age -> price <- season, price -> sales, with noises that are not normal."""
    rng = np.random.default_rng(seed)
    age, season = rng.uniform(-1, 1, (2, n))
    price = age + season + rng.uniform(-1, 1, n)
    return pl.DataFrame(
        {"age": age, "season": season, "price": price, "sales": price + rng.uniform(-1, 1, n)}
    )


TRUTH = CausalGraph.parse("age -> price <- season; price -> sales")


def categories(n: int = 3000) -> pl.DataFrame:
    flip = [[0.85, 0.15], [0.2, 0.8]]
    either = [[[0.95, 0.05], [0.3, 0.7]], [[0.3, 0.7], [0.05, 0.95]]]
    tables = {"age": [0.5, 0.5], "season": [0.6, 0.4], "price": either, "sales": flip}
    return BayesianNetwork.from_tables(TRUTH, tables).sample(n, seed=1)


@pytest.mark.parametrize(
    ("method", "data", "expected"),
    [
        ("pc", quantities(), {"age -> price", "season -> price", "price -> sales"}),
        ("ges", quantities(), {"age -> price", "season -> price", "price -> sales"}),
        ("lingam", quantities(), {"age -> price", "season -> price", "price -> sales"}),
        ("fci", quantities(), {"age o-> price", "season o-> price", "price -> sales"}),
        ("pc", categories(), {"age -> price", "season -> price", "price -> sales"}),
        ("ges", categories(), {"age -> price", "season -> price", "price -> sales"}),
    ],
)
def test_a_planted_graph_is_found(method: str, data: pl.DataFrame, expected: set[str]) -> None:
    found = propose_graph(data, method, n_bootstrap=0, level=0.001)
    assert edges(found) == expected
    assert found.edges["confidence"].to_list() == [None] * 3
    assert found.n == len(data)
    if method != "fci":
        assert structural_hamming_distance(found.found, TRUTH) == 0
        assert found.graph_if_accepted == TRUTH


def test_categories_and_quantities_together() -> None:
    rng = np.random.default_rng(0)
    age, season = rng.normal(size=1500), rng.choice(["summer", "winter"], 1500)
    bought = rng.random(1500) < 1 / (1 + np.exp(-2 * age - 2 * (season == "summer") + 1))
    data = pl.DataFrame({"age": age, "season": season, "bought": bought})
    found = propose_graph(data, "pc", n_bootstrap=0)
    assert edges(found) == {"age -> bought", "season -> bought"}
    for method, message in (("ges", "none for both"), ("lingam", "there are categories")):
        with pytest.raises(DataError, match=message):
            propose_graph(data, method)


def test_confidence_is_the_share_of_resamples_and_the_same_for_a_seed() -> None:
    data = quantities(120)
    found = propose_graph(data, "pc", n_bootstrap=12, seed=3)
    shares = found.edges.select("confidence", "adjacent", "forward", "backward").to_numpy()
    assert ((shares >= 0) & (shares <= 1)).all()
    assert (shares[:, 0] <= shares[:, 1]).all()
    assert shares[:, 0].min() < 1
    assert np.allclose(shares * 12, np.round(shares * 12))
    assert propose_graph(data, "pc", n_bootstrap=12, seed=3).edges.equals(found.edges)
    assert not propose_graph(data, "pc", n_bootstrap=12, seed=4).edges.equals(found.edges)


def test_an_edge_that_rests_on_one_user_is_less_sure_when_users_are_resampled() -> None:
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(40), [300, *[10] * 39])
    a, b = rng.normal(size=(2, len(user)))
    data = pl.DataFrame({"user_id": user, "a": a, "b": np.where(user == 0, a + b / 2, b)})
    as_rows = propose_graph(data, "pc", columns=["a", "b"], n_bootstrap=30)
    as_users = propose_graph(data, "pc", cluster="user_id", n_bootstrap=30)
    assert as_users.variables == ("a", "b")
    assert as_rows.edges["confidence"].item() == 1.0
    assert 0.4 < as_users.edges["confidence"].item() < 0.9  # that user is in 1 - (39/40)^40 = 64 % of them


def test_a_proposal_answers_no_question_before_it_is_accepted() -> None:
    found = propose_graph(quantities(), "fci", n_bootstrap=0)
    with pytest.raises(EquipoiseError, match="accepted"):
        identify(found, outcome="sales", do="price")
    with pytest.raises(TypeError, match="nobody has accepted it"):
        BayesianNetwork.fit(found, quantities())
    with pytest.raises(NotAcceptedError, match=r"direction of 2 edges is not known.*age o-> price"):
        found.accept()
    assert found.graph_if_accepted is None
    assert found.open == [("age", "o->", "price"), ("season", "o->", "price")]
    accepted = found.accept(directions="age -> price; season <-> price")
    assert accepted == CausalGraph.parse("age -> price; season <-> price; price -> sales")
    assert identify(accepted, outcome="sales", do="price").formula
    chosen = found.accept(["price -> sales"])
    assert chosen.directed == {("price", "sales")}
    assert chosen.nodes == ("age", "season", "price", "sales")
    with pytest.raises(GraphError, match="No edge was proposed between 'age' and 'season'"):
        found.accept("age -> season")
    with pytest.raises(GraphError, match="cycle"):
        found.accept(["price -> sales", "sales -> price"])
    with pytest.raises(GraphError, match="not both"):
        found.accept("price -> sales", directions="age -> price")
    with pytest.raises(AttributeError):
        found.columns  # noqa: B018


def test_a_proposal_says_what_it_is_and_can_be_drawn() -> None:
    found = propose_graph(quantities(200), "fci", n_bootstrap=5)
    assert found.sentence.startswith(
        "A proposal by fci from 200 rows, not a finding: 3 edges among 4 columns"
    )
    assert "the direction of 2 still open" in found.sentence
    assert "A person decides" in found.sentence
    assert 'v0["age"]' in found.to_mermaid()
    assert '|"o-> ' in found.to_mermaid()
    said = found.as_dict()
    assert said["kind"] == "graph-proposal"
    assert said["graph_if_accepted"] is None
    assert len(said["edges"]) == 3


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ({"a": [1.5, 2.5], "b": [1.0, 1.0]}, {}, "'b' never varies"),
        ({"a": [1, 2]}, {}, "at least two columns"),
        ({"a": [1, None], "b": [1, 2]}, {}, "missing in 1 of 2"),
        ({"a": [1, 2], "b": [1, 2]}, {"columns": ["a", "c"]}, "no column 'c'"),
        ({"a": [1, 2], "b": [1, 2]}, {"level": 1.5}, "between 0 and 1"),
        ({"a": [1, 2], "b": [1, 2]}, {"n_bootstrap": -1}, "no number of resamples"),
    ],
)
def test_bad_input_is_told(data: dict, options: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        propose_graph(pl.DataFrame(data), "pc", **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": ["a", "a"]}, "'a' is named twice"),
        ({"columns": "ab"}, "no column 'ab'"),
        ({"discrete": "ab"}, "no column 'ab'"),
        ({"cluster": "user"}, "'user' is missing in 4 of 4 rows"),
        ({"seed": -1}, "seed of -1"),
    ],
)
def test_bad_settings_are_told(options: dict[str, Any], message: str) -> None:
    data = pl.DataFrame({"a": [0, 1, 0, 1], "b": [0, 1, 1, 0], "user": [None] * 4})
    with pytest.raises(DataError, match=message):
        propose_graph(data, **{"columns": ["a", "b"], **options})


def test_columns_that_determine_each_other_are_told() -> None:
    data = quantities(100).with_columns(total=pl.col("age") + pl.col("season"))
    with pytest.raises(DataError, match="cannot learn from these columns"):
        propose_graph(data, "pc", n_bootstrap=0)


def test_an_unknown_method_and_a_missing_package_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"no method 'pcc'.*Did you mean 'pc'"):
        propose_graph(quantities(50), "pcc")
    monkeypatch.setitem(sys.modules, "causallearn", None)
    with pytest.raises(MissingExtraError, match=r"equipoise\[causal\]"):
        propose_graph(quantities(50), "pc")
    assert METHODS == ("pc", "ges", "lingam", "fci", "llm")


def test_asia_is_found_but_for_two_edges(real_data: Path) -> None:
    data = pl.read_csv(real_data / "bnlearn" / "asia.txt", separator=" ")
    truth = "X1 -> X2 -> X6 -> X7; X3 -> X4 -> X6; X3 -> X5 -> X8; X6 -> X8"
    found = propose_graph(data, "ges", n_bootstrap=0)
    assert structural_hamming_distance(found.found, CausalGraph.parse(truth)) == 2


def test_ids_are_no_variables_unless_asked_for() -> None:
    data = quantities(300).with_columns(user_id=pl.int_range(300))
    left_out = propose_graph(data, n_bootstrap=0)
    asked = propose_graph(data, columns=["age", "price", "user_id"], n_bootstrap=0)
    assert set(left_out.found.nodes) == {"age", "season", "price", "sales"}
    assert set(asked.found.nodes) == {"age", "price", "user_id"}
