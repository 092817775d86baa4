from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import DataError
from equipoise.statistics import BettingTest, betting_interval
from equipoise.statistics.sequential import _STAKES


def looked_at(values: np.ndarray, test: BettingTest, low: float, batch: int) -> float:
    """Highest evidence over all looks."""
    highest = -np.inf
    for part in np.split(values, len(values) // batch):
        test = test.after(part, low)
        highest = max(highest, test.evidence)
    return highest


def test_wealth_of_two_values_by_hand():
    """Of level 0.5, values 1 and 0.25 gain +1 and -0.5 per unit; the wealth is the mean over the stakes."""
    expected = np.log(np.mean((1 + _STAKES) * (1 - 0.5 * _STAKES)))
    assert BettingTest(0.5).after([1.0, 0.25], 0.0).evidence == pytest.approx(expected)
    assert BettingTest(0.5).after([1.0], 0.0).after([0.25], 0.0).evidence == pytest.approx(expected)
    assert BettingTest(0.5).after([], 0.0).evidence == -np.inf


def test_later_bettors_get_one_over_j_times_j_plus_one_of_the_stake():
    test = BettingTest(0.5, spacing=2).after([0.5, 0.5], 0.0)
    assert test.evidence == pytest.approx(np.log(1 / 2))  # a value at the level gains nothing
    assert test.after([0.5], 0.0).evidence == pytest.approx(np.log(1 / 2 + 1 / 6))
    renewed = test.renewed().after([0.5], 0.0)
    assert renewed.opened == 2
    assert renewed.evidence == pytest.approx(np.log(1 / 6))


@pytest.mark.parametrize("skewed", [False, True])
def test_a_true_hypothesis_is_refuted_at_most_at_alpha_over_all_looks(skewed: bool):
    """The mean lies on the very level, which is looked at 30 times in each of 200 runs."""
    rng, level = np.random.default_rng(1), 0.05 if skewed else 0.5
    runs = rng.binomial(1, level, (200, 300)) if skewed else rng.uniform(size=(200, 300))
    needed = np.log(1 / 0.1)
    for spacing in (0, 25):
        refuted = [looked_at(run, BettingTest(level, spacing), 0.0, 10) >= needed for run in runs]
        assert np.mean(refuted) <= 0.1
        assert spacing or np.mean(refuted) > 0  # it is a test, not a refusal to look


def test_with_renewals_false_refutations_stay_rare():
    """Renewed at each refutation, and every 50 values: the number of refutations is counted."""
    rng, count = np.random.default_rng(2), 0
    for _ in range(100):
        test = BettingTest(0.5, spacing=10)
        for _ in range(10):
            for part in np.split(rng.binomial(1, 0.5, 50), 5):
                test = test.after(part, 0.0)
                if test.evidence >= np.log(1 / 0.2):
                    count, test = count + 1, test.renewed()
            test = test.renewed()
    assert count / 100 <= 0.2


def test_a_late_rise_is_noticed_soon_only_with_later_bettors():
    rng = np.random.default_rng(3)
    values = np.r_[rng.normal(0, 0.1, 2000), rng.normal(0.1, 0.1, 400)].clip(-1, 1)
    needed = np.log(1 / 0.01)
    assert looked_at(values, BettingTest(0.02), -1.0, 20) < needed
    test = BettingTest(0.02, spacing=20)
    look = 0
    while test.evidence < needed:
        test = test.after(values[20 * look : 20 * (look + 1)], -1.0)
        look += 1
    assert 2000 < 20 * look <= 2260
    assert test.estimate == pytest.approx(0.1, abs=0.03)  # since the rise, not since the beginning
    assert test.values <= 20 * look - 1900


def test_bounds_that_are_known_beforehand_give_more_evidence():
    """Residuals of small probabilities cannot be below -p; knowing it lets the test stake more."""
    rng = np.random.default_rng(4)
    each = rng.uniform(0.02, 0.06, (600, 10))
    said, residual = each.mean(axis=1), ((rng.random(each.shape) < 2 * each) - each).mean(axis=1)
    tight = BettingTest(0.005).after(residual, -said).evidence
    assert tight > BettingTest(0.005).after(residual, -1.0).evidence + 2


@pytest.mark.parametrize("name", ["uniform", "rare", "steady"])
def test_intervals_hold_the_mean_at_all_times_together(name: str):
    """The share of 60 runs in which some look misses the mean."""
    rng = np.random.default_rng(5)
    mean, draw = {
        "uniform": (0.5, lambda: rng.uniform(size=300)),
        "rare": (0.03, lambda: rng.binomial(1, 0.03, 300).astype(float)),
        "steady": (0.25, lambda: rng.beta(5, 15, 300)),
    }[name]
    missed = 0
    for _ in range(60):
        run = draw()
        looks = [betting_interval(run[:n], level=0.9) for n in (10, 30, 100, 300)]
        missed += not all(one.low <= mean <= one.high for one in looks)
    assert missed / 60 <= 0.1


def test_intervals_shrink_with_the_spread_of_the_values():
    rng = np.random.default_rng(6)
    wide, narrow = (betting_interval(rng.beta(a, a, 1000)) for a in (0.5, 50))
    assert narrow.high - narrow.low < 0.3 * (wide.high - wide.low)
    shifted = betting_interval(2 * rng.random(500) - 1, low=-1, high=1)
    assert -0.2 < shifted.low < 0 < shifted.high < 0.2


@settings(deadline=None, max_examples=20)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_interval_and_tests_agree(values: list[float]):
    """A mean is inside exactly where neither one-sided test refutes it."""
    found = betting_interval(values)
    assert 0 <= found.low <= found.value <= found.high <= 1
    for mean in (0.2, 0.5, 0.8):
        above = BettingTest(mean).after(values, 0.0).evidence
        below = BettingTest(-mean).after(-np.array(values), -1.0).evidence
        if min(abs(mean - found.low), abs(mean - found.high)) > 1e-6:
            assert (found.low < mean < found.high) == (max(above, below) < np.log(40))


def test_a_test_goes_on_from_plain_values():
    rng = np.random.default_rng(7)
    parts = rng.random((30, 10))
    whole = halted = BettingTest(0.4, spacing=15)
    for part in parts:
        whole = whole.after(part, 0.0)
        halted = BettingTest.from_dict(json.loads(json.dumps(halted.as_dict()))).after(part, 0.0)
    assert halted.evidence == whole.evidence
    assert halted.estimate == whole.estimate


def test_state_stays_small():
    test = BettingTest(0.5, spacing=1)
    for value in np.random.default_rng(8).random(300):
        test = test.after([value], 0.0)
    assert test.opened == 300
    assert len(test.stake) == 64


def test_values_that_break_the_bounds():
    with pytest.raises(DataError, match=r"beyond their bounds.*1 of 2 values"):
        BettingTest(0.5).after([0.2, -0.1], 0.0)
    with pytest.raises(DataError, match=r"not below the level 0\.5"):
        BettingTest(0.5).after([0.7], 0.6)
    with pytest.raises(DataError, match="NaN or infinity"):
        BettingTest(0.5).after([np.nan], 0.0)
    with pytest.raises(DataError, match="beyond their bounds"):
        betting_interval([0.5, 1.5])
    with pytest.raises(DataError, match="hold no values"):
        betting_interval([0.5], low=1, high=0)
