from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from equipoise.debias.after.curves import Curve, fit_curve
from equipoise.errors import DataError


def test_isotonic_by_hand():
    """Pool adjacent violators: 1 and 0 at the scores 2 and 3 become 0.5 each."""
    curve = fit_curve("isotonic", [3.0, 1.0, 2.0, 4.0], [0, 0, 1, 1])
    assert curve([1, 2, 3, 4]).tolist() == [0, 0.5, 0.5, 1]
    assert curve([-9, 1.5, 9]).tolist() == [0, 0.25, 1]
    weighed = fit_curve("isotonic", [1.0, 2.0, 3.0], [0, 1, 0], [1, 1, 3])
    assert weighed([1, 2, 3]).tolist() == [0, 0.25, 0.25]


def test_platt_s_targets_by_hand():
    """One score for all: (N+ + 1) / (N+ + 2) and 1 / (N- + 2) for one success in four: (2/3 + 3/5) / 4."""
    assert fit_curve("platt", np.ones(4), [1, 0, 0, 0])([1.0, 7.0])[0] == pytest.approx((2 / 3 + 3 / 5) / 4)


def test_planted_curves_are_found():
    rng = np.random.default_rng(0)
    x = rng.normal(size=40_000)
    y = rng.random(len(x)) < expit(1.5 * x - 2)
    platt = fit_curve("platt", x, y)
    assert (platt.slope, platt.intercept) == pytest.approx((1.5, -2), abs=0.06)
    assert np.abs(fit_curve("isotonic", x, y)(x) - expit(1.5 * x - 2)).mean() < 0.01
    heated = 3 * x  # log-odds three times too sure
    assert 1 / fit_curve("temperature", heated, rng.random(len(x)) < expit(x)).slope == pytest.approx(
        3, rel=0.05
    )
    line = fit_curve("linear", x, 2 * x + 1 + rng.normal(size=len(x)))
    assert (line.slope, line.intercept) == pytest.approx((2, 1), abs=0.02)
    assert fit_curve("intercept", x, x - 0.4).intercept == pytest.approx(-0.4)


def test_a_line_by_hand_with_weights():
    line = fit_curve("linear", [0.0, 1.0, 2.0], [1.0, 3.0, 99.0], [2, 2, 0])
    assert (line.slope, line.intercept) == pytest.approx((2, 1))
    flat = fit_curve("linear", [2.0, 2.0], [1.0, 2.0])
    assert (flat.slope, flat.intercept) == pytest.approx((0, 1.5))


def test_the_order_is_never_turned_round():
    x, y = np.arange(100.0), np.arange(100) < 50
    assert fit_curve("platt", x, y).slope == 0
    assert fit_curve("platt", x, y)(x)[0] == pytest.approx(0.5)
    assert fit_curve("temperature", x - 50, y)(x).tolist() == [0.5] * 100


def test_outcomes_all_alike_and_parted_outcomes_stay_finite():
    for outcomes in (np.zeros(20), np.ones(20), np.arange(20) >= 10):
        for kind in ("platt", "temperature", "isotonic"):
            values = fit_curve(kind, np.linspace(-3, 3, 20), outcomes)(np.linspace(-9, 9, 50))
            assert np.isfinite(values).all()
            assert ((values >= 0) & (values <= 1)).all()


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["isotonic", "platt", "temperature"]),
    st.lists(st.tuples(st.floats(-5, 5), st.booleans(), st.integers(0, 3)), min_size=2, max_size=40),
    st.randoms(use_true_random=False),
)
def test_curves_rise_do_not_heed_row_order_and_survive_json(kind, rows, random):
    rows = [*rows, (0.0, True, 1)]
    curve = fit_curve(kind, *zip(*rows, strict=True))
    grid = np.linspace(-7, 7, 101)
    assert (np.diff(curve(grid)) >= -1e-12).all()
    random.shuffle(rows)
    assert fit_curve(kind, *zip(*rows, strict=True)) == curve
    assert Curve.of_plain(json.loads(json.dumps(curve.plain()))) == curve


def test_a_weight_of_two_is_a_row_twice():
    rng = np.random.default_rng(1)
    x, y, w = rng.normal(size=50), rng.random(50) < 0.4, rng.integers(0, 4, 50)
    for kind in ("isotonic", "platt", "temperature", "linear", "intercept"):
        once, again = fit_curve(kind, x, y, w), fit_curve(kind, x.repeat(w), y.repeat(w))
        np.testing.assert_allclose(once(x), again(x), atol=1e-6)


def test_temperature_of_what_is_calibrated_is_one():
    p = np.repeat([0.2, 0.8], 100)
    y = np.tile(np.r_[np.ones(20), np.zeros(80)], 2)
    y[100:] = 1 - y[100:]
    assert fit_curve("temperature", logit(p), y).slope == pytest.approx(1)


def test_what_cannot_be_fitted():
    with pytest.raises(DataError, match=r"'isotonc'.*Did you mean 'isotonic'"):
        fit_curve("isotonc", [1.0], [1])  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"shape \(2,\), outcomes of shape \(1,\)"):
        fit_curve("platt", [1.0, 2.0], [1])
    with pytest.raises(DataError, match="1 of 2 rows"):
        fit_curve("linear", [1.0, np.nan], [1, 2])
    with pytest.raises(DataError, match=r"must lie in \[0, 1\].*2 of 3 rows"):
        fit_curve("isotonic", [1.0, 2.0, 3.0], [1, 4, 5])
    with pytest.raises(DataError, match="no row with weight"):
        fit_curve("intercept", [1.0], [1.0], [0.0])
    with pytest.raises(DataError, match="no row with weight"):
        fit_curve("isotonic", [], [])
