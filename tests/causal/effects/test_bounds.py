"""Bounds belong to the effect that was refused, and to designs whose assumptions they share."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from equipoise.causal.effects import estimate_effect
from equipoise.causal.effects.bounds import bounds, instrument_bounds
from equipoise.causal.effects.reading import read_design


@pytest.mark.parametrize("estimand", ["ato", "late", "nde", "nie", "slope"])
def test_other_effects_are_not_bounded_by_those_of_the_average(estimand: str) -> None:
    design = read_design(pl.DataFrame({"t": [1, 1, 1, 0], "y": [1, 1, 0, 0]}), "t", "y")
    assert bounds(design, "ate") is not None
    assert bounds(design, "att") is not None
    assert bounds(design, estimand) is None


def test_a_weak_instrument_leaves_no_bounds_of_another_effect() -> None:
    rng = np.random.default_rng(0)
    columns = {name: rng.integers(0, 2, 500) for name in ("z", "t", "y")}
    refused = estimate_effect(pl.DataFrame(columns), "t", "y", method="iv", instrument="z")
    assert refused.refused
    assert refused.estimand == "late"
    assert refused.bounds is None


def test_an_instrument_that_needs_covariates_gives_no_bounds_without_them() -> None:
    """c moves instrument and outcome; nothing moves y but c: bounds that ignore c leave out the truth, 0."""
    rng = np.random.default_rng(1)
    n = 20_000
    c = rng.integers(0, 2, n)
    z = (rng.random(n) < 0.1 + 0.8 * c).astype(int)
    t = (rng.random(n) < 0.1 + 0.8 * z).astype(int)
    y = (rng.random(n) < 0.1 + 0.8 * c).astype(int)
    frame = pl.DataFrame({"c": c, "z": z, "t": t, "y": y})
    assert instrument_bounds(read_design(frame, "t", "y", instrument="z")).low > 0.05
    held = read_design(frame, "t", "y", ["c"], instrument="z")
    assert instrument_bounds(held) is None
    found = bounds(held, "ate")
    assert found.low < 0 < found.high
    assert found.high - found.low == pytest.approx(1.0)
