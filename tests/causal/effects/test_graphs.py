"""A graph decides by which formula, or whether at all."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from equipoise.causal.effects import estimate_effect
from equipoise.causal.graph import CausalGraph, GraphError
from equipoise.errors import ConfigError


@pytest.fixture(scope="module")
def data() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    n = 4000
    u, x = rng.random(n) < 0.5, rng.integers(0, 3, n)
    z = rng.integers(0, 2, n)
    t = (rng.random(n) < np.where(u, 0.6, 0.3) + 0.1 * x).astype(int)
    m = (rng.random(n) < np.where(t == 1, 0.8, 0.2)).astype(int)
    y = (rng.random(n) < 0.1 + 0.4 * m + 0.2 * u + 0.1 * x).astype(int)
    return pl.DataFrame({"t": t, "m": m, "y": y, "x": x, "z": z})


def test_the_graph_chooses_what_to_adjust_for(data: pl.DataFrame) -> None:
    effect = estimate_effect(data, "t", "y", graph="x -> t -> m -> y; x -> y")
    assert effect.design.sources == ("x",)
    assert effect.identification.strategy == "backdoor"
    assert effect.identification.adjustment_set == ("x",)
    assert "Σ_x P(y | x, t) P(x)" in effect.identification.formula
    named = estimate_effect(data, "t", "y", adjust=["x"])
    assert named.value == effect.value


def test_what_is_not_identifiable_has_no_number(data: pl.DataFrame) -> None:
    effect = estimate_effect(data, "t", "y", graph=CausalGraph.parse("t -> y; t <-> y"))
    assert effect.refused
    assert effect.value is None
    assert "cannot be known" in effect.reason
    assert effect.bounds.high - effect.bounds.low == pytest.approx(1.0)
    assert effect.naive.value > 0


def test_an_instrument_is_not_used_unasked_but_narrows_the_bounds(data: pl.DataFrame) -> None:
    effect = estimate_effect(data, "t", "y", graph="z -> t -> y; t <-> y")
    assert effect.refused
    assert "strategy='iv'" in effect.reason
    assert "'z'" in effect.bounds.assumption
    assert effect.bounds.high - effect.bounds.low < 1.0


def test_a_hidden_variable_is_a_node_that_is_no_column(data: pl.DataFrame) -> None:
    assert estimate_effect(data, "t", "y", graph="hidden -> t -> y; hidden -> y").refused
    through = estimate_effect(data, "t", "y", graph="hidden -> t -> m -> y; hidden -> y; x -> m")
    assert through.method == "frontdoor"


def test_adjusting_for_an_effect_of_the_treatment_is_an_error(data: pl.DataFrame) -> None:
    with pytest.raises(GraphError, match="'m' is an effect of 't'"):
        estimate_effect(data, "t", "y", graph="x -> t -> m -> y; x -> y", adjust=["m"])


def test_a_set_that_leaves_a_path_open_is_refused(data: pl.DataFrame) -> None:
    effect = estimate_effect(data, "t", "y", graph="x -> t -> y; x -> y", adjust=[])
    assert effect.refused
    assert "Adjust for 'x' instead" in effect.reason
    larger = estimate_effect(data, "t", "y", graph="x -> t -> y; x -> y; z -> y", adjust=["x", "z"])
    assert not larger.refused
    assert larger.identification.adjustment_set == ("x", "z")


def test_a_collider_opens_a_path(data: pl.DataFrame) -> None:
    effect = estimate_effect(data, "t", "y", graph="a -> x <- b; a -> t -> y; b -> y", adjust=["x"])
    assert effect.refused
    assert "Adjust for nothing instead" in effect.reason


def test_the_general_formula_on_discrete_data() -> None:
    """The napkin graph: the answer is a ratio, and neither adjustment nor the front door gives it."""
    rng = np.random.default_rng(3)
    n = 40_000
    a, b = rng.random(n) < 0.5, rng.random(n) < 0.5
    w = (rng.random(n) < 0.2 + 0.3 * a + 0.3 * b).astype(int)
    z = (rng.random(n) < 0.3 + 0.4 * w).astype(int)
    t = (rng.random(n) < 0.1 + 0.4 * z + 0.4 * a).astype(int)
    y = (rng.random(n) < 0.2 + 0.3 * t + 0.4 * b).astype(int)
    frame = pl.DataFrame({"w": w, "z": z, "t": t, "y": y})
    graph = "w -> z -> t -> y; w <-> t; w <-> y"
    effect = estimate_effect(frame, "t", "y", graph=graph)
    assert effect.method == "formula"
    assert effect.identification.strategy == "id"
    assert effect.low < 0.3 < effect.high
    assert effect.high - effect.low < 0.1
    # its standard error is that of resampling
    drawn = [effect.again(effect.design.take(rng.integers(0, n, n))).value for _ in range(12)]
    assert effect.standard_error == pytest.approx(np.std(drawn), rel=0.5)
    many = frame.with_columns(w=pl.int_range(pl.len()))
    assert "discrete variables only" in estimate_effect(many, "t", "y", graph=graph).reason


def test_instruments_and_mediators_are_checked_against_the_graph(data: pl.DataFrame) -> None:
    no = estimate_effect(data, "t", "y", graph="z -> t -> y; t <-> y; z -> y", method="iv", instrument="z")
    assert no.refused
    weak = estimate_effect(data, "t", "y", graph="z -> t -> y; t <-> y", method="iv")
    assert "Weak instrument" in weak.reason
    assert weak.identification.strategy == "iv"
    mediated = estimate_effect(
        data, "t", "y", graph="x -> t -> m -> y; x -> y; t -> y; x -> m", method="mediation", mediator="m"
    )
    assert mediated.identification.strategy == "mediation"
    assert mediated.design.sources == ("x",)
    hidden = estimate_effect(
        data, "t", "y", graph="t -> m -> y; t -> y; m <-> y", method="mediation", mediator="m"
    )
    assert hidden.refused


def test_bad_graphs_are_said(data: pl.DataFrame) -> None:
    with pytest.raises(GraphError, match="cycle"):
        estimate_effect(data, "t", "y", graph="t -> y -> t")
    with pytest.raises(GraphError, match="no variable 'y'"):
        estimate_effect(data, "t", "y", graph="t -> yy")
    with pytest.raises(ConfigError, match="accepted by a person"):
        estimate_effect(data, "t", "y", graph=object())
