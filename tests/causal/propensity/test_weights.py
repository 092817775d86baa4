from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.causal.propensity import weights
from equipoise.errors import DataError


def test_weights_by_hand():
    made = weights(np.array([0.5, 0.25, 0.1, 1.0]), self_normalise=False, expected=16)
    np.testing.assert_allclose(made.values, [2, 4, 10, 1])
    facts = made.diagnostics
    assert facts.rows == 4
    assert (facts.lowest, facts.highest) == (0.1, 1.0)
    assert facts.effective_sample_size == pytest.approx(17**2 / 121)
    assert facts.effective_share == pytest.approx(17**2 / 121 / 4)
    assert facts.largest_weight == pytest.approx(10 / 4.25)
    assert facts.top_share == pytest.approx(10 / 17)  # of four rows, the heaviest hundredth is one
    assert facts.mean_weight == pytest.approx(17 / 16)
    assert facts.share_clipped == 0


def test_clipping_by_hand_is_reported():
    made = weights(np.array([0.5, 0.25, 0.1, 1.0]), clip=2.0, self_normalise=False)
    np.testing.assert_allclose(made.values, [2, 4, 8.5, 1])
    assert made.diagnostics.share_clipped == 0.25
    assert made.diagnostics.mean_weight is None
    normalised = weights(np.array([0.5, 0.25, 0.1, 1.0]), clip=2.0)
    np.testing.assert_allclose(normalised.values, np.array([2, 4, 8.5, 1]) / 3.875)


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=50), st.one_of(st.none(), st.floats(0.1, 100)))
def test_normalised_weights_have_mean_one_and_clipping_keeps_their_order(p: list[float], clip: float | None):
    made = weights(np.array(p), clip=clip)
    assert made.values.mean() == pytest.approx(1)
    assert 1 - 1e-9 <= made.diagnostics.effective_sample_size <= len(p) + 1e-9
    order = np.argsort(p)
    assert (np.diff(made.values[order]) <= 1e-12).all()


def test_malformed_propensities_are_counted():
    with pytest.raises(
        DataError, match=r"1 missing, 2 zero, 1 negative, 1 above 1 \(of 7 rows, the first at row 1\)"
    ):
        weights(np.array([0.5, np.nan, 0, 0, -0.1, 1.5, 1.0]))
    with pytest.raises(DataError, match="No values"):
        weights(np.array([]))
    with pytest.raises(DataError, match="clipped at 0"):
        weights(np.array([0.5]), clip=0)


def test_snips_removes_most_of_the_bias_of_the_mean_rating_of_coat(real_data: Path):
    train, test, given_propensity = (
        np.loadtxt(real_data / "coat" / f"{name}.ascii") for name in ("train", "test", "propensities")
    )
    observed = train > 0
    made = weights(given_propensity[observed], expected=train.size)
    naive, truth = train[observed].mean(), test[test > 0].mean()
    snips = float((made.values * train[observed]).mean())
    assert (naive, truth, snips) == (
        pytest.approx(2.611, abs=5e-4),
        pytest.approx(2.229, abs=5e-4),
        pytest.approx(2.331, abs=5e-4),
    )
    assert 1 - abs(snips - truth) / abs(naive - truth) >= 0.7
    assert made.diagnostics.mean_weight == pytest.approx(1.04, abs=0.005)


def test_diagnostics_are_plain_values():
    json.dumps(weights(np.array([0.5, 0.25])).diagnostics.plain())
