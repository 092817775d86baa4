"""Matching where rows are alike: ties, constants, units."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from equipoise.causal.effects import estimate_effect
from equipoise.causal.effects.methods.matching import _times_used
from equipoise.causal.effects.reading import read_design


def _discrete(n: int, seed: int) -> pl.DataFrame:
    """Two covariates of few values: many rows are alike; the effect is 1."""
    rng = np.random.default_rng(seed)
    x, s = rng.integers(0, 3, n), rng.integers(0, 2, n)
    t = (rng.random(n) < expit(0.8 * (x - 1))).astype(int)
    return pl.DataFrame({"x": x, "s": s, "t": t, "y": t + 2.0 * x + s + rng.normal(size=n)})


@pytest.mark.parametrize("estimand", ["ate", "att"])
def test_the_order_of_alike_rows_plays_no_part(estimand: str) -> None:
    frame = _discrete(500, 0)
    found = [
        estimate_effect(rows, "t", "y", adjust=["x", "s"], method="matching", estimand=estimand)
        for rows in (frame, *(frame.sample(fraction=1.0, shuffle=True, seed=seed) for seed in range(4)))
    ]
    assert [one.value for one in found] == pytest.approx([found[0].value] * 5)
    assert found[0].details["most_used"] < 10  # no row stands for all that are like it
    assert found[0].low < 1 < found[0].high


def test_matches_are_shared_among_rows_as_near_by_hand() -> None:
    """A treated row at 0 with two neighbours has those at 0, and both at ±1 in equal shares; that at 9 has two."""
    frame = pl.DataFrame(
        {"x": [0.0, 9.0, 0.0, 1.0, -1.0, 8.0, 20.0], "t": [1, 1, 0, 0, 0, 0, 0], "y": [0.0] * 7}
    )
    used, distance = _times_used(read_design(frame, "t", "y", ["x"]), 2, only_treated=True)
    assert used == pytest.approx([0, 0, 1 / 3, 1 / 3 + 1 / 2, 1 / 3, 1 / 2, 0])
    assert distance * np.std(frame["x"].to_numpy()) == pytest.approx(((0 + 1 + 1) / 3 + (1 + 8) / 2) / 2)


def test_intervals_cover_where_all_matches_are_exact() -> None:
    made = [
        estimate_effect(_discrete(400, seed), "t", "y", adjust=["x", "s"], method="matching")
        for seed in range(150)
    ]
    values = np.array([one.value for one in made])
    assert abs(values.mean() - 1) < 4 * values.std() / np.sqrt(len(made))
    assert np.mean([one.standard_error for one in made]) == pytest.approx(values.std(), rel=0.17)
    assert np.mean([one.low <= 1 <= one.high for one in made]) > 0.89


def test_what_does_not_vary_says_nothing() -> None:
    frame = _discrete(300, 1).with_columns(one=pl.lit(0.1))
    alone = estimate_effect(frame, "t", "y", adjust=["one"], method="matching")
    assert alone.value == pytest.approx(estimate_effect(frame, "t", "y", adjust=[], method="matching").value)
    beside = estimate_effect(frame, "t", "y", adjust=["x", "one"], method="matching")
    assert beside.value == pytest.approx(
        estimate_effect(frame, "t", "y", adjust=["x"], method="matching").value
    )


def test_units_of_covariates_do_not_matter() -> None:
    rng = np.random.default_rng(2)
    frame = _discrete(400, 2).with_columns(age=pl.Series(rng.normal(size=400)))
    scaled = frame.with_columns(age=pl.col("age") * 1e6, x=pl.col("x") / 100)
    values = [
        estimate_effect(rows, "t", "y", adjust=["x", "age"], method="matching").value
        for rows in (frame, scaled)
    ]
    assert values[0] == pytest.approx(values[1])
