"""Refusal, doubt and bounds."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from equipoise.causal.effects import Overlap, estimate_effect
from equipoise.causal.effects.bounds import instrument_bounds, no_assumption_bounds
from equipoise.causal.effects.methods.fitted import Fitted
from equipoise.causal.effects.nuisances import Nuisances
from equipoise.causal.effects.propensity_weights import arm_weights, clip_of, clipped
from equipoise.causal.effects.reading import read_design
from equipoise.causal.effects.reliability import coverage_error, fewest_events, unseen_variance
from equipoise.statistics import Estimate

from .conftest import confounded


@pytest.mark.parametrize("method", ["aipw", "ipw", "regression", "matching"])
def test_without_overlap_there_is_no_number(method: str) -> None:
    effect = estimate_effect(confounded(1000, 0, slope=8.0), "t", "bought", adjust=["x"], method=method)
    assert effect.refused
    assert effect.value is effect.low is effect.high is effect.standard_error is None
    assert "overlap" in effect.reason.lower()
    assert effect.bounds.high - effect.bounds.low == pytest.approx(1.0)
    assert effect.diagnostics["overlap"]["share_clipped"] > 0.02
    assert effect.as_dict()["value"] is None


def test_overlap_weights_need_none() -> None:
    data = confounded(3000, 0, slope=8.0)
    assert not estimate_effect(data, "t", "y", adjust=["x"], method="overlap").refused


def test_the_treated_are_judged_by_their_own_weights() -> None:
    """Most of the untreated are like nobody who was treated: no matter to the treated, hopeless for everybody."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=6000)
    t = rng.random(6000) < expit(-4 + 4 * np.minimum(x, 1.0))
    data = pl.DataFrame({"x": x, "t": t, "y": t + x + rng.normal(size=6000)})
    assert estimate_effect(data, "t", "y", adjust=["x"]).refused
    treated = estimate_effect(data, "t", "y", adjust=["x"], estimand="att")
    assert not treated.refused
    assert treated.low < 1 < treated.high


def test_thresholds_are_named(sample: pl.DataFrame) -> None:
    strict = Overlap(minimum_effective_sample_size=5000)
    effect = estimate_effect(sample, "t", "y", adjust=["x"], overlap=strict)
    assert effect.refused
    assert "5000" in effect.reason
    few = estimate_effect(sample.head(30), "t", "y", adjust=[])
    assert "at least 20" in few.reason
    one = estimate_effect(sample, "t", "y", adjust=["x"], overlap=Overlap(largest_weight_share=0.0005))
    assert "one row or cluster carries" in one.reason


def test_clipping_is_reported(sample: pl.DataFrame) -> None:
    effect = estimate_effect(
        sample, "t", "y", adjust=["x"], clip=0.2, overlap=Overlap(largest_share_clipped=1.0)
    )
    told = effect.diagnostics["overlap"]
    assert told["clip"] == 0.2
    assert 0.02 < told["share_clipped"] < 0.3
    assert effect.nuisances.propensity.min() == 0.2
    assert told["minimum"] < 0.2


def test_a_rare_treatment_is_no_lack_of_overlap() -> None:
    """One row in two hundred is treated: propensities are small everywhere, and the arms still meet."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=40_000)
    t = rng.random(40_000) < expit(-5.4 + 0.5 * x)
    data = pl.DataFrame({"x": x, "t": t, "y": t + x + rng.normal(size=40_000)})
    effect = estimate_effect(data, "t", "y", adjust=["x"])
    assert not effect.refused
    assert effect.low < 1 < effect.high
    assert effect.diagnostics["overlap"]["clip"] == pytest.approx(t.mean() / 50)


def test_clips_and_weights_by_hand() -> None:
    raw = np.array([0.001, 0.5, 0.999])
    assert clipped(raw, 0.01, "ate").tolist() == [0.01, 0.5, 0.99]
    assert clipped(raw, 0.01, "att").tolist() == [0.001, 0.5, 0.99]
    assert clipped(raw, 0.01, "ato").tolist() == raw.tolist()
    e, t = np.array([0.2, 0.2]), np.array([1.0, 0.0])
    assert clip_of(np.array([1.0, 0.0, 0.0, 0.0]), None) == pytest.approx(0.005)
    assert clip_of(np.array([1.0, 0.0]), 0.1) == 0.1
    assert arm_weights(e, t, "ate") == pytest.approx([5.0, 1.25])
    assert arm_weights(e, t, "att") == pytest.approx([1.0, 0.25])
    assert arm_weights(e, t, "ato") == pytest.approx([0.8, 0.2])


def test_weights_balance_the_covariates(sample: pl.DataFrame) -> None:
    for method in ("aipw", "ipw", "overlap"):
        effect = estimate_effect(sample, "t", "y", adjust=["x", "sex"], method=method)
        line = effect.diagnostics["balance"][0]
        assert line["covariate"] == "x"
        assert line["before"] > 0.6
        assert abs(line["after"]) < 0.06
        assert effect.diagnostics["calibration"]["ece"] < 0.04


def test_bounds_without_assumptions_by_hand() -> None:
    frame = pl.DataFrame({"t": [1, 1, 1, 0], "y": [1, 1, 0, 0]})
    design = read_design(frame, "t", "y")
    # E Y1 in [2/4, 3/4], E Y0 in [0, 3/4]
    bounds = no_assumption_bounds(design, "ate")
    assert (bounds.low, bounds.high) == pytest.approx((-0.25, 0.75))
    treated = no_assumption_bounds(design, "att")
    assert (treated.low, treated.high) == pytest.approx((2 / 3 - 1, 2 / 3))
    numbers = read_design(pl.DataFrame({"t": [1, 0], "y": [10.0, 4.0]}), "t", "y")
    wide = no_assumption_bounds(numbers, "ate")
    assert (wide.low, wide.high) == pytest.approx((0.5 * 10 + 0.5 * 4 - 0.5 * 4 - 0.5 * 10, 6.0))


def test_bounds_from_an_instrument() -> None:
    """Perfect compliance leaves a point; none leaves Manski's bounds; defiance of the assumptions leaves nothing."""
    perfect = pl.DataFrame({"z": [0, 0, 1, 1] * 5, "t": [0, 0, 1, 1] * 5, "y": [0, 1, 1, 1] * 5})
    point = instrument_bounds(read_design(perfect, "t", "y", instrument="z"))
    assert (point.low, point.high) == pytest.approx((0.5, 0.5))
    rng = np.random.default_rng(0)
    blind = pl.DataFrame({"t": [1, 1, 1, 0] * 2, "y": [1, 1, 0, 0] * 2, "z": [0] * 4 + [1] * 4})
    same = instrument_bounds(read_design(blind, "t", "y", instrument="z"))
    assert (same.low, same.high) == pytest.approx((-0.25, 0.75))
    refuted = pl.DataFrame({"z": [0, 0, 1, 1], "t": [1, 1, 1, 0], "y": [1, 1, 0, 0]})
    assert instrument_bounds(read_design(refuted, "t", "y", instrument="z")) is None
    n = 4000
    z, u = rng.integers(0, 2, n), rng.random(n)
    t = (u < np.where(z == 1, 0.8, 0.1)).astype(int)
    y = (rng.random(n) < 0.2 + 0.4 * t + 0.3 * u).astype(int)
    design = read_design(pl.DataFrame({"z": z, "t": t, "y": y}), "t", "y", instrument="z")
    narrow, wide = instrument_bounds(design), no_assumption_bounds(design, "ate")
    assert narrow.low < 0.4 < narrow.high
    assert narrow.high - narrow.low < 0.5 * (wide.high - wide.low)


def test_rare_events_put_the_interval_in_doubt() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=1000)
    t = rng.random(1000) < 0.5
    y = np.zeros(1000, dtype=int)
    y[:6] = 1
    effect = estimate_effect(pl.DataFrame({"x": x, "t": t, "y": y}), "t", "y", adjust=["x"])
    assert not effect.refused
    assert not effect.interval_reliable
    assert "rarer outcome" in effect.reason
    assert effect.value is not None


def test_effective_events_by_hand() -> None:
    frame = pl.DataFrame({"t": [1, 1, 1, 1, 0, 0, 0, 0], "y": [1, 1, 0, 0, 1, 1, 0, 0]})
    design = read_design(frame, "t", "y")
    e = np.array([0.5, 0.25, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    fitted = Fitted("ate", nuisances=Nuisances(e, e, None, None, np.zeros(8, dtype=np.int64)))
    events = fewest_events(design, fitted)
    assert events[0] == pytest.approx((2 + 4) ** 2 / (4 + 16))
    assert events[1] == "treated"


def test_unseen_variance_by_hand() -> None:
    design = read_design(pl.DataFrame({"t": [1, 0, 1, 0], "y": [1.0, 2.0, 3.0, 4.0]}), "t", "y")
    e = np.array([0.1, 0.4, 0.8, 0.5])
    fitted = Fitted("ate", nuisances=Nuisances(e, e, None, None, np.zeros(4, dtype=np.int64)))
    # treated: 0.1 + 0.4 + 0.5 = 1 expected; 10 + 2.5 + 2 of 15.75. untreated: 0.2 + 0.5 < 1 < 0.2 + 0.5 + 0.6
    treated, untreated = 14.5 / 15.75, (5 + 2) / (5 + 2 + 1 / 0.6 + 1 / 0.9)
    assert unseen_variance(design, fitted) == pytest.approx(max(treated, untreated))


def test_expected_coverage_of_skewed_influence_values() -> None:
    """Hall's expansion against the coverage of t intervals of exponential means, n = 50 (about 0.93)."""
    rng = np.random.default_rng(0)
    draws = rng.exponential(size=(4000, 50))
    half = 2.0096 * draws.std(axis=1, ddof=1) / np.sqrt(50)
    seen = np.mean(np.abs(draws.mean(axis=1) - 1) <= half) - 0.95
    ideal = rng.exponential(size=200_000)
    per_row = coverage_error(Estimate(1.0, ideal - 1), 0.95) * 200_000 / 50
    assert per_row == pytest.approx(seen, abs=0.01)
    assert coverage_error(Estimate(0.0, rng.normal(size=1000)), 0.95) == pytest.approx(0.0, abs=5e-4)


def test_one_heavy_row_puts_the_interval_in_doubt() -> None:
    data = confounded(500, 0).with_columns(
        y=pl.when(pl.int_range(pl.len()) == 3).then(1000.0).otherwise(pl.col("y"))
    )
    effect = estimate_effect(data, "t", "y", adjust=["x"])
    assert not effect.interval_reliable
    assert "one row or cluster carries" in effect.reason
