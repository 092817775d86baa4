import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.errors import ConfigError, DataError
from equipoise.statistics import (
    Interval,
    benjamini_hochberg,
    expected_calibration_error,
    holm,
    minimum_detectable_difference,
    paired_difference,
    permutation_test,
    reliability,
    sign_flips,
    verdict,
)


def test_sign_flip_p_value_equals_full_enumeration():
    gaps = np.array([0.5, -0.1, 0.3, 0.2, 0.0, 0.4, -0.2, 0.1])
    signs = np.array(list(itertools.product([-1, 1], repeat=8)))
    exact = np.mean(np.abs(signs @ gaps) >= abs(gaps.sum()) - 1e-12)
    found = paired_difference(gaps, np.zeros(8), n_permutations=20_000)[0].p_value
    assert found == pytest.approx(exact, abs=0.01)


def test_sign_flips_keep_metrics_of_one_user_together():
    gaps = np.random.default_rng(0).normal(size=(30, 1))
    sums = sign_flips(np.hstack([gaps, -2 * gaps]), 50)
    np.testing.assert_allclose(sums[:, 1], -2 * sums[:, 0])
    tied = sign_flips(np.tile([[0.5], [-0.5]], (200, 1)), 3000)[:, 0]  # one distinct size: drawn as binomials
    assert tied.std() == pytest.approx(0.5 * np.sqrt(400), rel=0.05)


def test_paired_differences_see_what_two_separate_intervals_do_not():
    rng = np.random.default_rng(1)
    before = rng.random(300)
    after = before + 0.01 + rng.normal(0, 0.02, 300)
    found = paired_difference(after, before)[0]
    assert found.interval.low > 0
    assert found.p_value == pytest.approx(1 / 1001)
    assert set(found.as_dict()) == {"difference", "low", "high", "p_value"}
    mirrored = paired_difference(before, after)[0]
    assert mirrored.as_dict()["difference"] == pytest.approx(-found.interval.value)


def test_p_values_are_uniform_when_nothing_differs():
    rng = np.random.default_rng(2)
    gaps = rng.exponential(size=(60, 400)) * rng.choice([-1, 1], size=(60, 400))  # symmetric, heavy-tailed
    p_values = np.array(
        [test.p_value for test in paired_difference(gaps, np.zeros_like(gaps), n_permutations=400)]
    )
    assert 0.02 <= np.mean(p_values <= 0.05) <= 0.08
    assert p_values.mean() == pytest.approx(0.5, abs=0.05)


def test_equal_systems_single_users_and_unequal_shapes():
    same = paired_difference([0.1, 0.4, 0.0], [0.1, 0.4, 0.0])[0]
    assert same.as_dict() == {"difference": 0.0, "low": None, "high": None, "p_value": 1.0}
    assert paired_difference([0.4], [0.1])[0].p_value is None
    with pytest.raises(DataError, match="same users"):
        paired_difference([0.1, 0.2], [0.1])


def test_permutation_of_groups_equals_full_enumeration():
    values, groups = np.array([1.0, 2.0, 9.0, 8.0, 7.0, 3.0]), np.array(list("aabbba"))
    gap = abs(values[groups == "a"].mean() - values[groups == "b"].mean())
    splits = [list(chosen) for chosen in itertools.combinations(range(6), 3)]
    gaps = [abs(values[s].mean() - np.delete(values, s).mean()) for s in splits]
    found = permutation_test(values, groups, n_permutations=20_000)[0]
    assert found.observed == pytest.approx(2.0 - 8.0)
    assert found.p_value == pytest.approx(np.mean(np.array(gaps) >= gap - 1e-12), abs=0.01)


def test_spread_over_groups_is_compared_with_its_biased_null():
    rng = np.random.default_rng(3)
    values, groups = rng.random(200), np.repeat(np.arange(8), 25)
    found = permutation_test(values, groups)[0]
    assert found.null_mean > 0.1  # a range of eight means is positive without any difference
    assert found.excess == found.observed - found.null_mean
    assert found.null_high > found.null_mean
    assert found.p_value > 0.01


def test_strata_take_away_a_gap_that_is_theirs():
    rng = np.random.default_rng(4)
    active = rng.random(600) < 0.5
    women = rng.random(600) < np.where(active, 0.2, 0.8)
    values = active + rng.normal(0, 0.3, 600)
    assert permutation_test(values, women)[0].p_value < 0.01
    assert permutation_test(values, women, strata=active)[0].p_value > 0.05


def test_permutation_does_not_depend_on_the_order_of_users():
    rng = np.random.default_rng(5)
    values, groups, strata = rng.random((40, 2)), rng.integers(0, 3, 40), rng.integers(0, 2, 40)
    order = rng.permutation(40)
    assert permutation_test(values, groups, strata=strata) == permutation_test(
        values[order], groups[order], strata=strata[order]
    )


def test_a_group_of_one_is_tested_and_a_single_group_refused():
    assert 0 < permutation_test([0.1, 0.2, 0.9], ["a", "a", "b"])[0].p_value <= 1
    with pytest.raises(DataError, match="nobody to be compared with"):
        permutation_test([0.1, 0.2], ["a", "a"])


def test_holm_and_benjamini_hochberg_by_hand():
    p = [0.01, 0.04, 0.03, 0.005]
    assert holm(p).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert benjamini_hochberg(p).tolist() == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert holm([]).tolist() == benjamini_hochberg([]).tolist() == []
    with pytest.raises(DataError):
        holm([0.2, 1.4])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjusted_p_values_are_ordered_and_never_smaller(p):
    p = np.array(p)
    order = np.argsort(p, kind="stable")
    for adjusted in (holm(p), benjamini_hochberg(p)):
        assert (adjusted >= p - 1e-15).all()
        assert (adjusted <= 1).all()
        assert (np.diff(adjusted[order]) >= -1e-15).all()
    assert (benjamini_hochberg(p) <= holm(p) + 1e-12).all()


def test_detectable_difference_by_hand_and_by_power():
    found = minimum_detectable_difference(0.15, 100, 0.12, 50)
    assert found == pytest.approx((1.959964 + 0.841621) * np.sqrt(0.0225 / 100 + 0.0144 / 50), abs=1e-6)
    rng = np.random.default_rng(6)
    one, two = rng.normal(found, 0.15, (4000, 100)), rng.normal(0, 0.12, (4000, 50))
    z = (one.mean(1) - two.mean(1)) / np.sqrt(0.0225 / 100 + 0.0144 / 50)
    assert np.mean(np.abs(z) > 1.959964) == pytest.approx(0.8, abs=0.02)
    assert minimum_detectable_difference(0.1, 1, 0.1, 50) is None
    assert minimum_detectable_difference(0, 40, 0, 50) is None
    with pytest.raises(ConfigError):
        minimum_detectable_difference(0.1, 10, 0.1, 50, level=95)


@pytest.mark.parametrize(
    ("low", "high", "p", "tolerance", "n", "expected"),
    [
        (0.03, 0.06, 0.001, 0.02, 100, "unfair"),
        (-0.06, -0.03, 0.05, 0.02, 100, "unfair"),
        (0.03, 0.06, 0.2, 0.02, 100, "insufficient evidence"),  # not after adjustment for multiplicity
        (0.03, 0.06, None, 0.02, 100, "insufficient evidence"),
        (0.01, 0.06, 0.001, 0.02, 100, "insufficient evidence"),
        (-0.01, 0.015, 0.6, 0.02, 100, "fair within tolerance"),
        (0.001, 0.015, 0.03, 0.02, 100, "fair within tolerance"),
        (-0.01, 0.015, 0.6, 0.02, 29, "insufficient evidence"),
        (0.001, 0.06, 0.01, None, 100, "unfair"),
        (-0.01, 0.01, 0.6, None, 100, "insufficient evidence"),
        (None, None, 0.6, 0.02, 100, "insufficient evidence"),
    ],
)
def test_verdicts(low, high, p, tolerance, n, expected):
    assert verdict(Interval(0.0, low, high, n), p, tolerance, n, min_cell=30) == expected


def test_a_negative_tolerance_is_refused():
    with pytest.raises(ConfigError):
        verdict(Interval(0.0, -1.0, 1.0, 100), 0.5, -0.1, 100, 30)


def test_calibration_error_by_hand():
    probability = [0.1, 0.1, 0.1, 0.1, 0.9, 0.9]
    outcome = [0, 0, 0, 1, 1, 0]
    bins = reliability(probability, outcome, bins=2)
    assert (bins.said.tolist(), bins.seen.tolist(), bins.n.tolist()) == (
        pytest.approx([0.1, 0.9]),
        [0.25, 0.5],
        [4, 2],
    )
    assert bins.error == pytest.approx(4 / 6 * 0.15 + 2 / 6 * 0.4)
    assert expected_calibration_error(probability, outcome, bins=1) == pytest.approx(abs(2 / 6 - 2.2 / 6))


def test_calibrated_probabilities_have_little_error_and_shifted_ones_their_shift():
    rng = np.random.default_rng(7)
    probability = rng.random(50_000) * 0.6
    outcome = rng.random(50_000) < probability
    assert expected_calibration_error(probability, outcome) < 0.01
    assert expected_calibration_error(probability + 0.2, outcome) == pytest.approx(0.2, abs=0.01)
    assert reliability(probability, outcome, bins=10).n.tolist() == pytest.approx([5000] * 10, abs=1)


def test_calibration_refuses_what_is_no_probability():
    with pytest.raises(DataError):
        expected_calibration_error([1.2], [1])
    with pytest.raises(DataError):
        expected_calibration_error([], [])
    with pytest.raises(DataError):
        expected_calibration_error([0.5], [2])
