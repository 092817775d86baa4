"""Arms that covariates, or mediators, tell apart: refused by every method, however even the weights look."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from equipoise.causal.effects import Overlap, estimate_effect
from equipoise.causal.effects.propensity_weights import mediator_ratio
from equipoise.errors import ConfigError

FRONT_DOOR = "t -> m -> y; t <-> y"


def _hidden(n: int, spread: float | None) -> pl.DataFrame:
    """An effect of 3 through a mediator that the treatment all but determines."""
    rng = np.random.default_rng(1)
    u = rng.normal(size=n)
    t = (rng.random(n) < expit(1.5 * u)).astype(int)
    m = t if spread is None else 10 * t + spread * rng.normal(size=n)
    return pl.DataFrame({"t": t, "m": m, "y": 2 * u + 3 * t + rng.normal(size=n)})


@pytest.mark.parametrize("n", [100, 1000])
@pytest.mark.parametrize("spread", [None, 0.1, 1.0])
def test_a_mediator_that_is_the_treatment_is_refused(n: int, spread: float | None) -> None:
    effect = estimate_effect(_hidden(n, spread), "t", "y", graph=FRONT_DOOR)
    assert effect.method == "frontdoor"
    assert effect.refused
    assert "Given the mediator: " in effect.reason


@pytest.mark.parametrize("estimand", ["nde", "nie"])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_natural_effects_past_such_a_mediator_are_refused(estimand: str, spread: float) -> None:
    rng = np.random.default_rng(0)
    t = rng.integers(0, 2, 600)
    data = pl.DataFrame({"t": t, "m": 10 * t + spread * rng.normal(size=600), "y": t + rng.normal(size=600)})
    effect = estimate_effect(data, "t", "y", adjust=[], method="mediation", mediator="m", estimand=estimand)
    assert effect.refused
    assert effect.value is None


def test_the_card_shows_overlap_given_the_mediator() -> None:
    shown = estimate_effect(_hidden(1000, 0.1), "t", "y", graph=FRONT_DOOR).diagnostics["overlap"]
    assert shown["given_mediator"]["share_clipped"] > 0.9
    assert shown["given_mediator"]["mean_weight"] < 0.5
    assert shown["share_clipped"] == 0.0


def test_weights_that_carry_mediators_over_by_hand() -> None:
    given, alone = np.array([0.8, 0.8]), np.array([0.5, 0.5])
    # odds of 4 against odds of 1: the mediators are a quarter as likely, or four times, in the other arm
    assert mediator_ratio(given, alone, np.array([1.0, 0.0])) == pytest.approx([0.25, 4.0])


def _separated(n: int) -> pl.DataFrame:
    rng = np.random.default_rng(n)
    x = rng.normal(size=n)
    t = (x > 0).astype(int)
    return pl.DataFrame({"x": x, "t": t, "y": t + x + rng.normal(size=n)})


@pytest.mark.parametrize("method", ["overlap", "plr"])
@pytest.mark.parametrize("n", [100, 300, 3000])
def test_separated_arms_are_refused_though_the_weights_look_even(method: str, n: int) -> None:
    effect = estimate_effect(_separated(n), "t", "y", adjust=["x"], method=method)
    assert effect.refused
    assert "overlap" in effect.reason


@pytest.mark.parametrize("method", ["aipw", "ipw", "regression", "overlap"])
@pytest.mark.parametrize("n", [100, 300])
def test_a_penalty_does_not_hide_a_covariate_that_is_the_treatment(method: str, n: int) -> None:
    data = _separated(n).with_columns(x=pl.col("t").cast(float))
    effect = estimate_effect(data, "t", "y", adjust=["x"], method=method)
    assert effect.refused
    assert "No overlap" in effect.reason


def test_separated_arms_are_refused_by_a_learner_too() -> None:
    from sklearn.tree import DecisionTreeClassifier

    effect = estimate_effect(
        _separated(1000), "t", "y", adjust=["x"], method="overlap", propensity_model=DecisionTreeClassifier()
    )
    assert effect.refused
    assert "overlap" in effect.reason


def test_a_steep_slope_is_no_separation() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=3000)
    t = (rng.random(3000) < expit(4 * x)).astype(int)
    data = pl.DataFrame({"x": x, "t": t, "y": t + x + rng.normal(size=3000)})
    for method in ("overlap", "plr"):
        effect = estimate_effect(data, "t", "y", adjust=["x"], method=method)
        assert not effect.refused
        assert effect.low < 1 < effect.high


@pytest.mark.parametrize("method", ["overlap", "ipw", "regression", "matching"])
def test_more_covariates_than_the_rows_can_bear(method: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 50))
    names = [f"x{j}" for j in range(50)]
    t = (rng.random(200) < expit(0.3 * x[:, 0])).astype(int)
    data = pl.DataFrame({**dict(zip(names, x.T, strict=True)), "t": t, "y": x[:, 0] + rng.normal(size=200)})
    lenient = {"largest_share_clipped": 1.0, "minimum_effective_sample_size": 1, "largest_weight_share": 1.0}
    effect = estimate_effect(data, "t", "y", adjust=names, method=method, overlap=Overlap(**lenient))
    assert effect.refused
    assert "rows for 50 columns" in effect.reason


@pytest.mark.parametrize("clip", [1e-12, 1e-4])
def test_no_clip_is_so_small_that_it_hides_separation(clip: float) -> None:
    data = _separated(1000)
    from sklearn.tree import DecisionTreeClassifier

    effect = estimate_effect(
        data, "t", "y", adjust=["x"], clip=clip, propensity_model=DecisionTreeClassifier()
    )
    assert effect.refused
    assert "beyond the clip of 0.001" in effect.reason
    with pytest.raises(ConfigError, match="clip"):
        estimate_effect(data, "t", "y", adjust=["x"], clip=0.0)
