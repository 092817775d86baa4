"""Identification on graphs whose answer is known by hand."""

import polars as pl
import pytest

from equipoise.causal.graph import CausalGraph, GraphError
from equipoise.causal.identification import NotIdentifiable, StrategyError, identify
from tests.causal.identification.tables import front_door, triangle

TRIANGLE = CausalGraph.parse("x -> y -> z; x -> z")
FRONT_DOOR = CausalGraph.parse("x -> m -> y; x <-> y")
NAPKIN = CausalGraph.parse("w -> z -> x -> y; w <-> x; w <-> y")
INSTRUMENT = CausalGraph.parse("z -> x -> y; x <-> y")


def test_effect_of_the_first_cause_of_a_triangle():
    estimand = identify(TRIANGLE, outcome="z", do="x")
    assert estimand.formula == "P(z | do(x)) = P(z | x)"
    assert (estimand.strategy, estimand.adjustment_set, estimand.parametric) == ("backdoor", (), False)
    assert estimand.evaluate(triangle(), {"z": 1}, {"x": 0}) == pytest.approx(0.16)
    assert estimand.evaluate(triangle(), {"z": 1}, {"x": 1}) == pytest.approx(0.71)


def test_effect_of_the_mediator_of_a_triangle_is_not_conditioning():
    estimand = identify(TRIANGLE, outcome="z", do="y")
    assert estimand.formula == "P(z | do(y)) = Σ_x P(z | x, y) P(x)"
    assert estimand.latex == r"P(z \mid \operatorname{do}(y)) = \sum_{x} P(z \mid x, y) P(x)"
    assert estimand.adjustment_set == ("x",)
    assert estimand.evaluate(triangle(), {"z": 1}, {"y": 0}) == pytest.approx(0.22)
    assert estimand.evaluate(triangle(), {"z": 1}, {"y": 1}) == pytest.approx(0.52)


def test_two_actions_at_once():
    estimand = identify(TRIANGLE, outcome="z", do=["x", "y"])
    assert estimand.formula == "P(z | do(x, y)) = P(z | x, y)"
    assert estimand.evaluate(triangle(), {"z": 1}, {"x": 1, "y": 0}) == pytest.approx(0.5)


def test_triangle_with_hidden_causes():
    confounded = CausalGraph.parse("x -> y -> z; x -> z; y <-> z")
    assert identify(confounded, "z", "x").formula == "P(z | do(x)) = P(z | x)"
    with pytest.raises(NotIdentifiable):
        identify(confounded, "z", "y")
    with pytest.raises(NotIdentifiable):
        identify(CausalGraph.parse("x -> y -> z; x -> z; x <-> z"), "z", "x")


@pytest.mark.parametrize("strategy", [None, "frontdoor", "id"])
def test_front_door(strategy):
    estimand = identify(FRONT_DOOR, "y", "x", strategy=strategy)
    assert estimand.strategy == (strategy or "frontdoor")
    for level, truth in ((0, 0.30), (1, 0.70)):
        assert estimand.evaluate(front_door(), {"y": 1}, {"x": level}) == pytest.approx(truth, abs=1e-12)
    seen = front_door().filter(pl.col("x") == 1)
    assert seen.filter(pl.col("y") == 1)["p"].sum() / seen["p"].sum() == pytest.approx(0.79)


def test_front_door_formula_tells_the_two_x_apart():
    estimand = identify(FRONT_DOOR, "y", "x")
    assert estimand.formula == "P(y | do(x)) = Σ_m P(m | x) Σ_x' P(y | x', m) P(x')"
    assert estimand.mediators == ("m",)


def test_napkin_is_a_ratio_of_the_carried_distribution():
    estimand = identify(NAPKIN, "y", "x")
    assert estimand.formula == "P(y | do(x)) = [Σ_w P(x, y | w, z) P(w)] / [Σ_w P(x | w, z) P(w)]"
    assert estimand.latex.count(r"\frac") == 1
    assert estimand.arbitrary == ("z",)
    assert estimand.steps == ("ID 3", "ID 7", "ID 2", "ID 6")
    assert any("'z' plays no part" in assumption for assumption in estimand.assumptions)


def test_what_is_not_caused_is_not_changed():
    estimand = identify(CausalGraph.parse("y -> x"), "y", "x")
    assert estimand.formula == "P(y | do(x)) = P(y)"
    rows = pl.DataFrame({"y": ["a", "a", "b"]})
    assert estimand.evaluate(rows, {"y": "a"}, {"x": 1}) == pytest.approx(2 / 3)


def test_no_action_is_observation():
    assert identify(TRIANGLE, "z", []).formula == "P(z) = P(z)"
    assert identify(TRIANGLE, "z", [], given="x").evaluate(
        triangle(), {"z": 1}, given={"x": 1}
    ) == pytest.approx(0.71)


def test_conditions_are_adjusted_with():
    graph = CausalGraph.parse("a -> x; a -> y; b -> x; b -> y; x -> y")
    estimand = identify(graph, "y", "x", given="a")
    assert estimand.formula == "P(y | do(x), a) = Σ_b P(y | a, x, b) P(b | a)"
    assert estimand.adjustment_set == ("b",)


def test_conditions_on_effects_need_the_complete_algorithm():
    estimand = identify(CausalGraph.parse("x -> y -> c"), "y", "x", given="c")
    assert estimand.strategy == "id"
    assert "IDC 2" in estimand.steps
    assert estimand.formula == "P(y | do(x), c) = [P(c | y) P(y | x)] / [Σ_y' P(c | y') P(y' | x)]"


def test_hidden_variables_are_projected_out():
    graph = CausalGraph.parse("u -> x; u -> y; x -> y; z -> u")
    assert identify(graph, "y", "x").adjustment_set == ("u",)
    with pytest.raises(NotIdentifiable) as refused:
        identify(graph, "y", "x", observed=["x", "y", "z"])
    assert refused.value.hedge.outer == {"x", "y"}


def test_refusal_says_who_is_confounded_and_what_helps():
    with pytest.raises(NotIdentifiable) as refused:
        identify(INSTRUMENT, "y", "x")
    assert "The effect of 'x' on 'y' cannot be known from the observed variables" in str(refused.value)
    assert "Hidden common causes join 'x' to 'y'" in str(refused.value)
    assert "'z' is an instrument (strategy='iv')" in str(refused.value)
    assert refused.value.hedge.inner == {"y"}
    assert refused.value.steps[-1] == "ID 5"


def test_a_strategy_that_does_not_apply_says_why():
    with pytest.raises(StrategyError, match="no set of observed covariates blocks all paths"):
        identify(FRONT_DOOR, "y", "x", strategy="backdoor")
    with pytest.raises(StrategyError, match="carries the whole effect"):
        identify(TRIANGLE, "z", "x", strategy="frontdoor")
    with pytest.raises(StrategyError, match="no observed variable moves the one treatment"):
        identify(FRONT_DOOR, "y", "x", strategy="iv")
    for strategy in ("backdoor", "frontdoor", "iv"):
        with pytest.raises(NotIdentifiable) as refused:
            identify(CausalGraph.parse("x -> y; x <-> y"), "y", "x", strategy=strategy)
        assert refused.value.hedge is not None
    with pytest.raises(StrategyError, match="Did you mean 'backdoor'"):
        identify(TRIANGLE, "z", "x", strategy="back-door")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"outcome": "zz", "do": "x"}, "no variable 'zz'"),
        ({"outcome": "z", "do": ["x", "q"]}, "no variable 'q'"),
        ({"outcome": "z", "do": "x", "given": "q"}, "no variable 'q'"),
        ({"outcome": "z", "do": "x", "observed": ["x", "z", "q"]}, "no variable 'q'"),
        ({"outcome": "x", "do": "x"}, "'x' is named both as outcome and as do"),
        ({"outcome": "z", "do": "x", "given": ["x"]}, "'x' is named both as do and as given"),
        ({"outcome": ["z", "y"], "do": "x", "given": "y"}, "'y' is named both as outcome and as given"),
        ({"outcome": [], "do": "x"}, "No outcome is named"),
        ({"outcome": "z", "do": "x", "observed": ["z", "y"]}, "'x' is asked about .do. but is not observed"),
    ],
)
def test_bad_questions(asked, said):
    with pytest.raises(GraphError, match=said):
        identify(TRIANGLE, **asked)


def test_what_is_no_graph_is_not_taken_for_one():
    with pytest.raises(GraphError, match=r"A causal graph is expected, not str.*accepted by a person first"):
        identify("x -> y", "y", "x")


def test_names_of_many_letters_are_set_upright_in_latex():
    graph = CausalGraph.parse("'user age' -> click_1; 'user age' -> buy; click_1 -> buy")
    latex = identify(graph, "buy", "click_1").latex
    assert r"\sum_{\mathrm{user\ age}} P(\mathrm{buy} \mid \mathrm{user\ age}, \mathrm{click\_1})" in latex


def test_large_graphs_take_no_time():
    layers = [
        f"v{place} -> v{place + 1}; v{place} -> v{place + 2}; v{place} <-> v{place + 3}"
        for place in range(40)
    ]
    graph = CausalGraph.parse("; ".join(layers))
    assert identify(graph, "v40", "v20").strategy == "id"
    with pytest.raises(NotIdentifiable):
        identify(CausalGraph.parse(f"{graph}; v20 <-> v21"), "v40", "v20")


def test_no_letter_of_a_name_is_an_accent_of_text_in_latex():
    graph = CausalGraph.parse(r"'a^b' -> 'click~'; 'a^b' -> 'c\d'; 'click~' -> 'c\d'")
    latex = identify(graph, r"c\d", "click~").latex
    assert r"\mathrm{a\wedge{}b}" in latex
    assert r"\mathrm{click\sim{}}" in latex
    assert r"\mathrm{c\backslash{}d}" in latex
    assert r"\^" not in latex
    assert r"\~" not in latex
