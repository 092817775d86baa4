"""Natural direct and indirect effects: worked examples, conditions, refusals."""

import numpy as np
import pytest

from equipoise.causal.graph import CausalGraph, GraphError
from equipoise.causal.identification import NotIdentifiable, mediation
from equipoise.errors import DataError
from tests.causal.identification.tables import bernoulli, joint, triangle


def test_worked_example():
    found = mediation(CausalGraph.parse("x -> y -> z; x -> z"), "x", "z", "y")
    assert found.covariates == ()
    assert found.direct.evaluate(triangle(), {"z": 1}) == pytest.approx(0.40)
    assert found.indirect.evaluate(triangle(), {"z": 1}) == pytest.approx(0.15)
    assert found.total.evaluate(triangle(), {"z": 1}) == pytest.approx(0.55)
    assert found.direct.formula == "Σ_y P(z | x₁, y) P(y | x₀) - Σ_y P(z | x₀, y) P(y | x₀)"
    assert r"P(z \mid x_1, y) P(y \mid x_0)" in found.direct.latex
    assert any("no experiment can test this" in sentence for sentence in found.assumptions)


@pytest.fixture
def confounded():
    """c causes t, m and y; t -> m -> y; t -> y; with interaction and effects that differ by c."""
    rng = np.random.default_rng(1)
    of_t, of_m, of_y = (
        rng.uniform(0.1, 0.9, 2),
        rng.uniform(0.1, 0.9, (2, 2)),
        rng.uniform(0.1, 0.9, (2, 2, 2)),
    )
    table = joint(
        "ctmy",
        lambda c, t, m, y: (
            bernoulli(0.3, c) * bernoulli(of_t[c], t) * bernoulli(of_m[c, t], m) * bernoulli(of_y[c, t, m], y)
        ),
    )

    def nested(acting, mediating):
        return sum(
            bernoulli(0.3, c) * bernoulli(of_m[c, mediating], m) * of_y[c, acting, m]
            for c in (0, 1)
            for m in (0, 1)
        )

    return table, nested


def test_covariates_are_found_and_averaged_over(confounded):
    table, nested = confounded
    found = mediation(CausalGraph.parse("c -> t -> m -> y; t -> y; c -> m; c -> y"), "t", "y", "m")
    assert found.covariates == ("c",)
    assert found.direct.evaluate(table, {"y": 1}) == pytest.approx(nested(1, 0) - nested(0, 0))
    assert found.indirect.evaluate(table, {"y": 1}) == pytest.approx(nested(0, 1) - nested(0, 0))
    assert found.total.evaluate(table, {"y": 1}) == pytest.approx(nested(1, 1) - nested(0, 0))
    back = found.direct.evaluate(table, {"y": 1}, treatment=(1, 0))
    assert back == pytest.approx(nested(0, 1) - nested(1, 1))


def test_effects_on_parts_may_need_more_than_adjustment():
    """The treatment's effect on the mediator goes by the front door."""
    rng = np.random.default_rng(2)
    of_t, of_f, of_m, of_y = (rng.uniform(0.1, 0.9, size) for size in (2, 2, (2, 2), (2, 2)))
    table = joint(
        "tfmy",
        lambda t, f, m, y: sum(
            0.5
            * bernoulli(of_t[u], t)
            * bernoulli(of_f[t], f)
            * bernoulli(of_m[f, u], m)
            * bernoulli(of_y[t, m], y)
            for u in (0, 1)
        ),
    )

    def nested(acting, mediating):
        return sum(
            0.5 * bernoulli(of_f[mediating], f) * bernoulli(of_m[f, u], m) * of_y[acting, m]
            for u in (0, 1)
            for f in (0, 1)
            for m in (0, 1)
        )

    found = mediation(CausalGraph.parse("t -> f -> m -> y; t -> y; t <-> m"), "t", "y", "m")
    assert found.direct.evaluate(table, {"y": 1}) == pytest.approx(nested(1, 0) - nested(0, 0))
    assert found.indirect.evaluate(table, {"y": 1}) == pytest.approx(nested(0, 1) - nested(0, 0))


@pytest.mark.parametrize(
    "graph",
    [
        "t -> m -> y; t -> y; m <-> y",
        "t -> m -> y; t -> y; t <-> m",
        "t -> m -> y; t -> y; t <-> y",
        "t -> l; l -> m -> y; l -> y; t -> y",  # a confounder that the treatment affects
    ],
)
def test_what_cannot_be_told_apart_is_refused(graph):
    with pytest.raises(NotIdentifiable, match="cannot be told from what it does past"):
        mediation(CausalGraph.parse(graph), "t", "y", "m")


def test_mediators_together_may_do_what_one_cannot():
    graph = CausalGraph.parse("t -> l; l -> m -> y; l -> y; t -> y")
    assert mediation(graph, "t", "y", ["l", "m"]).covariates == ()


def test_bad_questions():
    graph = CausalGraph.parse("x -> y -> z; x -> z")
    with pytest.raises(GraphError, match="No mediator"):
        mediation(graph, "x", "z", [])
    with pytest.raises(GraphError, match="both as treatment and as mediator"):
        mediation(graph, "x", "z", ["x", "y"])
    with pytest.raises(GraphError, match="both as outcome and as do"):
        mediation(graph, "x", "z", "z")
    found = mediation(graph, "x", "z", "y")
    with pytest.raises(DataError, match="not 'z'"):
        found.direct.evaluate(triangle(), {"y": 1})
    with pytest.raises(DataError, match="value 2 of 'x' does not occur"):
        found.direct.evaluate(triangle(), {"z": 1}, treatment=(0, 2))
    never = triangle().filter(~((triangle()["x"] == 1) & (triangle()["y"] == 0)))
    with pytest.raises(DataError, match="conditions on something that never happens"):
        found.direct.evaluate(never.with_columns(never["p"] / never["p"].sum()), {"z": 1})
