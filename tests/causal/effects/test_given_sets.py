"""Sets of covariates and estimands that were named are held against the graph, or refused in words."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from equipoise.causal.effects import estimate_effect
from equipoise.causal.graph import GraphError
from equipoise.errors import ConfigError


@pytest.fixture(scope="module")
def conditional() -> pl.DataFrame:
    """z is an instrument within w only; the effect is 1."""
    rng = np.random.default_rng(0)
    w, x, u = rng.normal(size=(3, 8000))
    z = (rng.random(8000) < expit(1.5 * w)).astype(int)
    t = (z * 1.2 + u + rng.normal(size=8000) > 0.6).astype(int)
    y = t + 2 * w + u + rng.normal(size=8000)
    return pl.DataFrame({"w": w, "x": x, "z": z, "t": t, "y": y})


CONDITIONAL = "w -> z -> t -> y; w -> y; t <-> y; x -> y"


def test_an_instrument_needs_its_own_covariates(conditional: pl.DataFrame) -> None:
    wrong = estimate_effect(
        conditional, "t", "y", graph=CONDITIONAL, method="iv", instrument="z", adjust=["x"]
    )
    assert wrong.refused
    assert "once 'x' is held fixed" in wrong.reason
    assert estimate_effect(conditional, "t", "y", graph=CONDITIONAL, method="iv", adjust=[]).refused
    right = estimate_effect(
        conditional, "t", "y", graph=CONDITIONAL, method="iv", instrument="z", adjust=["w", "x"]
    )
    assert right.low < 1 < right.high
    assert set(right.identification.adjustment_set) == set(right.design.sources) == {"w", "x"}
    chosen = estimate_effect(conditional, "t", "y", graph=CONDITIONAL, method="iv")
    assert chosen.design.sources == chosen.identification.adjustment_set == ("w",)


def test_the_formula_is_that_of_the_instrument_named() -> None:
    rng = np.random.default_rng(0)
    z, q = rng.integers(0, 2, (2, 2000))
    t = (z + q + rng.normal(size=2000) > 1).astype(int)
    data = pl.DataFrame({"z": z, "q": q, "t": t, "y": t + rng.normal(size=2000)})
    graph = "z -> t; q -> t; t -> y; t <-> y"
    for name in ("z", "q"):
        effect = estimate_effect(data, "t", "y", graph=graph, method="iv", instrument=name)
        assert f"Cov(y, {name})" in effect.identification.formula
        assert f"'{name}' moves 't'" in effect.identification.assumptions[0]


@pytest.fixture(scope="module")
def carried() -> pl.DataFrame:
    """The effect of t goes through m alone; c is a common cause of t, m and y; s is a collider of hidden causes."""
    rng = np.random.default_rng(1)
    u, a, b = rng.normal(size=(3, 6000))
    c = rng.normal(size=6000)
    s = (a + b + 0.5 * rng.normal(size=6000) > 0).astype(int)
    t = (rng.random(6000) < expit(u + c + a)).astype(int)
    m = t + c + b + rng.normal(size=6000)
    return pl.DataFrame({"c": c, "s": s, "t": t, "m": m, "y": m + u + c + rng.normal(size=6000)})


CARRIED = "t -> m -> y; t <-> y; c -> t; c -> m; c -> y; s <-> t; s <-> m"


def test_a_front_door_within_covariates_is_checked(carried: pl.DataFrame) -> None:
    for wrong in (["c", "s"], ["s"], []):
        effect = estimate_effect(
            carried, "t", "y", graph=CARRIED, method="frontdoor", mediator="m", adjust=wrong
        )
        assert effect.refused
        assert "does not meet the front-door criterion" in effect.reason
    right = estimate_effect(carried, "t", "y", graph=CARRIED, method="frontdoor", mediator="m", adjust=["c"])
    assert right.low < 1 < right.high
    assert right.identification.adjustment_set == right.design.sources == ("c",)
    assert "P(c)" in right.identification.formula
    assert "P(m | t, c)" in right.identification.formula.replace("P(m | c, t)", "P(m | t, c)")


def test_the_formula_is_that_of_the_mediator_named() -> None:
    rng = np.random.default_rng(2)
    t = rng.integers(0, 2, 800)
    m, k = t + rng.normal(size=800), rng.normal(size=800)
    data = pl.DataFrame({"t": t, "m": m, "k": m + k, "y": m + k + rng.normal(size=800)})
    effect = estimate_effect(
        data, "t", "y", graph="t -> m -> k -> y; t <-> y", method="frontdoor", mediator="k"
    )
    assert effect.design.mediator_sources == ("k",)
    assert "k" in effect.identification.formula
    assert "m" not in effect.identification.formula


def test_covariates_named_for_mediation_are_kept_or_refused(carried: pl.DataFrame) -> None:
    graph = "t -> m -> y; t -> y; c -> t; c -> m; c -> y; x -> y"
    data = carried.with_columns(x=pl.Series(np.random.default_rng(0).normal(size=len(carried))))
    wrong = estimate_effect(
        data, "t", "y", graph=graph, method="mediation", mediator="m", adjust=["x"], estimand="nie"
    )
    assert wrong.refused
    assert "adjusting for 'x'" in wrong.reason
    right = estimate_effect(
        data, "t", "y", graph=graph, method="mediation", mediator="m", adjust=["x", "c"], estimand="nie"
    )
    assert set(right.design.sources) == set(right.identification.adjustment_set) == {"x", "c"}


def test_a_graph_that_changes_the_method_does_not_change_the_estimand(carried: pl.DataFrame) -> None:
    graph = "t -> m -> y; t <-> y"
    effect = estimate_effect(carried, "t", "y", graph=graph, estimand="att")
    assert effect.refused
    assert "the 'att' cannot be estimated" in effect.reason
    assert effect.again(effect.design).refused
    with pytest.raises(ConfigError, match="does not estimate the 'nde'"):
        estimate_effect(carried, "t", "y", graph="t -> y; t <-> y", estimand="nde")


def test_an_effect_on_a_cause_is_refused_in_words(carried: pl.DataFrame) -> None:
    with pytest.raises(GraphError, match="'y' is a cause of 't'"):
        estimate_effect(carried, "t", "y", graph="y -> t")
    none = estimate_effect(carried, "t", "y", graph="t <-> y")
    assert "no effect on 'y'" in none.reason


def test_what_a_method_does_not_use_is_an_error(carried: pl.DataFrame) -> None:
    with pytest.raises(ConfigError, match="'aipw' uses no instrument"):
        estimate_effect(carried, "t", "y", adjust=["c"], instrument="s")
    with pytest.raises(ConfigError, match="'iv' uses no mediator"):
        estimate_effect(carried, "t", "y", method="iv", instrument="s", mediator="m")
