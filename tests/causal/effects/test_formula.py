"""The general formula of a graph, on the frequencies of discrete variables."""

from __future__ import annotations

import time

import numpy as np
import polars as pl
import pytest

from equipoise.causal.effects import estimate_effect

NAPKIN = "w -> z -> t -> y; w <-> t; w <-> y"


def _napkin(n: int, seed: int = 3) -> pl.DataFrame:
    """The napkin graph; the effect of t on y is 0.3, `before` shares the hidden cause of y."""
    rng = np.random.default_rng(seed)
    a, b = rng.random(n) < 0.5, rng.random(n) < 0.5
    w = (rng.random(n) < 0.2 + 0.3 * a + 0.3 * b).astype(int)
    z = (rng.random(n) < 0.3 + 0.4 * w).astype(int)
    t = (rng.random(n) < 0.1 + 0.4 * z + 0.4 * a).astype(int)
    y = (rng.random(n) < 0.2 + 0.3 * t + 0.4 * b).astype(int)
    before = (rng.random(n) < 0.2 + 0.4 * b).astype(int)
    return pl.DataFrame({"w": w, "z": z, "t": t, "y": y, "before": before})


def test_the_value_is_that_of_identification_and_the_influence_its_derivative() -> None:
    frame = _napkin(500)
    effect = estimate_effect(frame, "t", "y", graph=NAPKIN)
    estimand = effect.identification.estimand
    cells = frame.group_by("w", "z", "t", "y").len().sort("w", "z", "t", "y")

    def by_hand(p: np.ndarray) -> float:
        joint = cells.with_columns(pl.Series("p", p / p.sum())).drop("len")
        one, two = (estimand.evaluate(joint, {"y": 1}, {"t": arm}) for arm in (1, 0))
        return one - two

    share = cells["len"].to_numpy() / 500
    assert effect.value == pytest.approx(by_hand(share))
    for cell in range(len(share)):
        row = frame.rows().index(next(row for row in frame.rows() if row[:4] == cells.row(cell)[:4]))
        nudge = np.eye(len(share))[cell] * 1e-6
        slope = (by_hand(share + nudge) - by_hand(share - nudge)) / 2e-6
        assert effect.estimate.influence[row] == pytest.approx(slope, abs=1e-6)


def test_the_formula_stands_under_other_names_and_its_refusals() -> None:
    frame = _napkin(4000)
    effect = estimate_effect(frame, "t", "y", graph=NAPKIN)
    control = effect.again(effect.design.with_outcome(frame["before"].to_numpy(), "before"))
    assert control.low < 0 < control.high
    tied = estimate_effect(frame.with_columns(z=pl.col("w")), "t", "y", graph=NAPKIN)
    assert tied.refused
    assert "conditions on something that never happens (w = 0, z = 1)" in tied.reason
    gap = frame.with_columns(w=pl.when(pl.int_range(pl.len()) > 0).then(pl.col("w")))
    assert estimate_effect(gap, "t", "y", graph=NAPKIN).reason == "The column 'w' has missing values (1 rows)"


def test_it_averages_over_what_plays_no_part_as_evaluation_does() -> None:
    """An arrow that leads nowhere else leaves z in the formula, whose value plays no part."""
    rng = np.random.default_rng(1)
    frame = _napkin(3000).with_columns(z=pl.Series(rng.integers(0, 3, 3000)))
    effect = estimate_effect(frame, "t", "y", graph=NAPKIN)
    estimand = effect.identification.estimand
    assert estimand.arbitrary == ("z",)
    by_hand = [estimand.evaluate(frame.drop("before"), {"y": 1}, {"t": arm}) for arm in (1, 0)]
    assert effect.value == pytest.approx(by_hand[0] - by_hand[1])


def test_it_is_quick() -> None:
    """One pass through the formula tells all derivatives: hundreds of refits take seconds."""
    rng = np.random.default_rng(2)
    frame = _napkin(2000).with_columns(w=pl.Series(rng.integers(0, 12, 2000)))
    effect = estimate_effect(frame, "t", "y", graph=NAPKIN)
    start = time.perf_counter()
    for _ in range(20):
        effect.again(effect.design)
    assert effect.details["cells"] == 96
    assert time.perf_counter() - start < 3.0
