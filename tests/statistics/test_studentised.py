"""Group tests: right when sizes and variances differ, equal to enumeration when they are small."""

import itertools

import numpy as np
import pytest

from equipoise.errors import DataError
from equipoise.statistics import (
    lowest_interval,
    permutation_test,
    range_interval,
    resampled_cells,
    slice_tests,
    studentised_test,
)
from equipoise.statistics import studentised as module


def welch(values, first):
    one, two = values[first], np.delete(values, first)
    noise = one.var(ddof=1) / len(one) + two.var(ddof=1) / len(two)
    return (one.mean() - two.mean()) ** 2 / noise


def test_two_groups_equal_full_enumeration():
    values, groups = np.array([0.1, 0.25, 0.9, 0.8, 0.7, 0.3, 0.65]), np.array([0, 0, 1, 1, 1, 0, 1])
    splits = [welch(values, list(chosen)) for chosen in itertools.combinations(range(7), 3)]
    observed = welch(values, np.flatnonzero(groups == 0))
    found = studentised_test(values, groups, 2, n_permutations=20_000)
    assert found.statistic[0] == pytest.approx(observed)
    assert found.p_value[0] == pytest.approx(np.mean(np.array(splits) >= observed - 1e-9), abs=0.01)
    assert found.means[:, 0].tolist() == pytest.approx([0.65 / 3, 3.05 / 4])


def test_wald_statistic_of_three_groups_by_hand():
    """Means 1, 2, 4 with variances 1/2 each: centre 7/3, 2 · (16/9 + 1/9 + 25/9) = 28/3."""
    found = module.wald(np.array([[1.0], [2.0], [4.0]]), np.full((3, 1), 0.5))
    assert found[0] == pytest.approx(28 / 3)
    assert module.wald(np.array([[1.0], [3.0]]), np.full((2, 1), 0.5))[0] == pytest.approx(4.0)
    assert module.wald(np.zeros((3, 1)), np.zeros((3, 1)))[0] == 0
    assert module.wald(np.array([[0.0], [0.0], [1.0]]), np.zeros((3, 1)))[0] == np.inf


@pytest.mark.parametrize("sizes", [(40, 40), (40, 50), (30, 60, 45)])
@pytest.mark.parametrize("levels", [(1.0, 0.0, 0.3), (0.1, 0.7, 0.3), (1e5 / 3, 1e5 / 7, 1.0)])
def test_groups_without_spread_differ_for_certain(sizes, levels):
    """All alike within groups and apart between them: rounding must not decide whether p is 1 or 0.005."""
    codes = np.repeat(np.arange(len(sizes)), sizes)
    values = np.array(levels)[codes]
    found = studentised_test(values, codes, len(sizes), n_permutations=199)
    assert found.statistic[0] == np.inf
    assert found.p_value[0] == 1 / 200
    assert found.variance.max() == 0
    same = studentised_test(np.full(len(codes), levels[0]), codes, len(sizes), n_permutations=199)
    assert same.p_value[0] == 1
    if len(sizes) == 2:
        assert slice_tests(values, codes, 2, n_permutations=199).max() == 1 / 200


def test_ranges_of_groups_without_spread_have_margins():
    means, draws = np.array([1.0, 0.0, 0.5]), np.tile([1.0, 0.0, 0.5], (100, 1))
    users = np.array([40, 40, 40])
    assert range_interval(means, draws, users).low is None
    found = range_interval(means, draws, users, margins=np.array([0.1, 0.05, 0.2]))
    assert (found.low, found.high) == (pytest.approx(0.85), pytest.approx(1.15))
    worst = lowest_interval(means, draws, users, margins=np.array([0.1, 0.05, 0.2]))
    assert (worst.low, worst.high) == (pytest.approx(-0.05), pytest.approx(0.05))


def test_small_noisy_groups_are_not_called_different():
    """30 noisy users against 300 quiet ones with the same mean: raw shuffling rejects far too often."""
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1], [30, 300])
    values = np.vstack([rng.normal(0, 5, (30, 300)), rng.normal(0, 1, (300, 300))])
    studentised = studentised_test(values, groups, 2, n_permutations=300).p_value
    raw = np.array([test.p_value for test in permutation_test(values, groups, n_permutations=300)])
    assert np.mean(studentised <= 0.05) < 0.09
    assert np.mean(raw <= 0.05) > 0.3


def test_four_groups_with_unlike_variances_keep_the_level():
    rng = np.random.default_rng(1)
    groups = np.repeat([0, 1, 2, 3], [40, 80, 160, 320])
    spread = np.array([1.6, 1.3, 1.0, 0.8])[groups]
    values = rng.normal(0, 1, (600, 300)) * spread[:, None]
    p_values = studentised_test(values, groups, 4, n_permutations=300).p_value
    assert 0.02 < np.mean(p_values <= 0.05) < 0.09


def test_strata_take_away_a_gap_that_is_theirs():
    rng = np.random.default_rng(2)
    active = (rng.random(800) < 0.5).astype(int)
    women = (rng.random(800) < np.where(active, 0.2, 0.8)).astype(int)
    values = active + rng.normal(0, 0.3, 800)
    assert studentised_test(values, women, 2).p_value[0] < 0.01
    within = studentised_test(values, women, 2, strata=active)
    assert within.p_value[0] > 0.05
    assert abs(within.means[0, 0] - within.means[1, 0]) < 0.06


def test_limit_of_large_groups_agrees_with_real_shuffles(monkeypatch):
    """Sums by the combinatorial central limit theorem, beside shuffles of the same users; one small group."""
    rng = np.random.default_rng(3)
    n = 24_000
    groups = rng.choice(4, n, p=[0.6, 0.27, 0.12, 0.01])
    values = np.where(rng.random((n, 1)) < 0.2, rng.random((n, 2)), 0.0)
    moments = np.hstack([values, values**2])
    none = np.zeros(n, dtype=np.int64)
    real = module.shuffled_sums(moments, groups, none, 4, 1, 400, seed=0)[:, :, 0]
    monkeypatch.setattr(module, "LIMIT_USERS", 1000)
    limit = module.shuffled_sums(moments, groups, none, 4, 1, 4000, seed=0)[:, :, 0]
    np.testing.assert_allclose(limit.sum(axis=1), np.tile(moments.sum(axis=0), (4000, 1)))
    for a, b in ((real, limit),):
        errors = a.std(axis=0) / 20
        assert (np.abs(a.mean(axis=0) - b.mean(axis=0)) < 4 * errors + 1e-9).all()
        np.testing.assert_allclose(a.std(axis=0), b.std(axis=0), rtol=0.15)
        flat = [np.corrcoef(x.reshape(len(x), -1)[:, :12].T) for x in (a, b)]
        np.testing.assert_allclose(*flat, atol=0.2)
    p_limit = studentised_test(values, groups, 4, n_permutations=2000).p_value
    monkeypatch.undo()
    p_real = studentised_test(values, groups, 4, n_permutations=400).p_value
    np.testing.assert_allclose(p_limit, p_real, atol=0.1)


def test_slices_are_tested_against_everybody_else():
    rng = np.random.default_rng(4)
    groups = rng.integers(0, 5, 1000)
    values = rng.normal(0, 1, 1000) - 0.8 * (groups == 2)
    p_values = slice_tests(values, groups, 4)  # group 4 is nobody's slice
    assert p_values.shape == (4, 1)
    assert p_values[2, 0] == pytest.approx(1 / 1001)
    pair = studentised_test(values, (groups != 1).astype(int), 2).p_value[0]
    assert p_values[1, 0] == pytest.approx(pair, abs=0.05)


def test_tests_depend_neither_on_threads_nor_on_the_order_of_users():
    rng = np.random.default_rng(5)
    values, groups, strata = rng.random((300, 2)), rng.integers(0, 3, 300), rng.integers(0, 2, 300)
    order = rng.permutation(300)
    first = studentised_test(values, groups, 3, strata=strata, threads=1)
    other = studentised_test(values[order], groups[order], 3, strata=strata[order], threads=2)
    np.testing.assert_array_equal(first.p_value, other.p_value)
    np.testing.assert_allclose(first.null_means, other.null_means, atol=1e-12)
    with pytest.raises(DataError, match="nobody"):
        studentised_test(values, groups, 4)


def test_range_interval_covers_the_true_range():
    """Four groups of 60 with true means 0, 0, 0.3, 0.6 (range 0.6), and with no difference at all."""
    rng = np.random.default_rng(6)
    groups = np.repeat(np.arange(4), 60)
    for means in ([0.0, 0.0, 0.3, 0.6], [0.0] * 4):
        values = rng.exponential(1, (240, 200)) + np.array(means)[groups][:, None]
        drawn = resampled_cells(values, groups, 4, n_bootstrap=300).means()
        found = [range_interval(drawn.value[:, j], drawn.draws[:, :, j], drawn.users) for j in range(200)]
        truth = max(means)
        assert np.mean([i.low <= truth <= i.high for i in found]) >= 0.93
        assert (
            np.mean([i.low > 0 for i in found]) > 0.5
            if truth
            else np.mean([i.low > 0 for i in found]) <= 0.08
        )
