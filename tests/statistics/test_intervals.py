import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from equipoise.errors import ConfigError, DataError
from equipoise.statistics import (
    Estimate,
    Interval,
    bootstrap_difference,
    bootstrap_means,
    bootstrap_ratio,
    resampled_sums,
)


def test_interval_of_a_mean_is_close_to_the_normal_one():
    values = np.random.default_rng(0).normal(3.0, 2.0, 4000)
    interval = bootstrap_means(values, n_bootstrap=4000)[0]
    error = values.std(ddof=1) / np.sqrt(4000)
    assert interval.value == pytest.approx(values.mean(), abs=1e-12)
    assert interval.low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert interval.high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)
    assert interval.n == 4000


@pytest.mark.parametrize("kind", ["ndcg", "exponential"])
def test_means_of_skewed_values_are_covered(kind):
    rng = np.random.default_rng(7)
    users, worlds = 100, 600
    if kind == "ndcg":  # mostly zeros, as per-user ranking metrics are
        samples, truth = (rng.random((users, worlds)) < 0.15) * rng.random((users, worlds)), 0.075
    else:
        samples, truth = rng.exponential(size=(users, worlds)), 1.0
    intervals = bootstrap_means(samples, n_bootstrap=600)  # worlds as columns: each has its own interval
    covered = np.mean([interval.low <= truth <= interval.high for interval in intervals])
    assert 0.92 <= covered <= 0.975


def test_gaps_between_groups_are_covered():
    rng = np.random.default_rng(8)
    one = (rng.random((150, 500)) < 0.3) * rng.random((150, 500))
    two = (rng.random((60, 500)) < 0.2) * rng.random((60, 500))
    intervals = bootstrap_difference(one, two, n_bootstrap=600)
    covered = np.mean([interval.low <= 0.05 <= interval.high for interval in intervals])
    assert 0.92 <= covered <= 0.975
    assert intervals[0].n == 60


def test_ratios_over_users_are_covered_where_rows_of_a_user_hang_together():
    rng = np.random.default_rng(9)
    pairs = rng.integers(1, 12, size=200)
    taste = rng.normal(size=(200, 400))
    noise = rng.normal(size=(200, 400)) * np.sqrt(pairs)[:, None]
    intervals = bootstrap_ratio(pairs[:, None] * taste + noise, pairs, n_bootstrap=500)
    covered = np.mean([interval.low <= 0 <= interval.high for interval in intervals])
    assert 0.92 <= covered <= 0.975


@settings(max_examples=30, deadline=None)
@given(
    arrays(
        np.float64, st.tuples(st.integers(2, 30), st.integers(1, 3)), elements=st.integers(0, 5).map(float)
    ),
    st.randoms(),
)
def test_the_order_of_users_changes_nothing(values, random):
    order = list(range(len(values)))
    random.shuffle(order)
    assert bootstrap_means(values, n_bootstrap=50) == bootstrap_means(values[order], n_bootstrap=50)


@settings(max_examples=30, deadline=None)
@given(arrays(np.float64, st.integers(2, 40), elements=st.floats(0, 1)))
def test_ends_stay_in_the_range_of_the_data_and_hold_the_value(values):
    interval = bootstrap_means(values, n_bootstrap=200)[0]
    if interval.low is not None:
        assert values.min() - 1e-12 <= interval.low <= interval.high <= values.max() + 1e-12
        assert interval.low - 1e-9 <= interval.value <= interval.high + 1e-9


def test_resampled_sums_have_the_moments_of_sampling_with_replacement():
    for values in (
        np.arange(50.0),
        np.tile([0.0, 1.0], 500),
    ):  # plain draws, and draws over two distinct rows
        sums = resampled_sums(values[:, None], 4000, seed=1)[:, 0]
        assert sums.mean() == pytest.approx(values.sum(), rel=0.01)
        assert sums.std() == pytest.approx(np.sqrt(len(values)) * values.std(), rel=0.05)


def test_columns_are_resampled_together():
    values = np.random.default_rng(2).random((80, 1))
    sums = resampled_sums(np.hstack([values, 3 * values, np.ones((80, 1))]), 100)
    np.testing.assert_allclose(sums[:, 1], 3 * sums[:, 0])
    np.testing.assert_allclose(sums[:, 2], 80)


def test_users_without_a_value_are_not_looked_at():
    values = np.random.default_rng(3).random((50, 2))
    holes = values.copy()
    holes[10:, 1] = np.nan
    present = ~np.isnan(holes)
    first, second = bootstrap_means(holes, present=present)
    assert (first.n, second.n) == (50, 10)
    assert second.value == pytest.approx(values[:10, 1].mean())
    assert first.low < first.value < first.high
    assert second.low < second.value < second.high


def test_nobody_one_user_and_equal_users_have_no_interval_but_a_reason():
    assert bootstrap_means(np.zeros((0, 2))) == [Interval(None, None, None, 0, "fewer than two users")] * 2
    assert bootstrap_means([0.25]) == [Interval(0.25, None, None, 1, "fewer than two users")]
    assert bootstrap_means([0.5] * 7) == [Interval(0.5, None, None, 7, "the same value for every user")]
    assert bootstrap_difference([0.5], [0.1, 0.2])[0].as_dict() == {
        "value": pytest.approx(0.35),
        "low": None,
        "high": None,
    }
    assert bootstrap_difference([], [0.1])[0].value is None


def test_nan_is_refused_with_its_count():
    with pytest.raises(DataError, match="1 of 3 values"):
        bootstrap_means([0.1, np.nan, 0.2])


@pytest.mark.parametrize("wrong", [{"level": 1.0}, {"level": 95}, {"n_bootstrap": 0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError):
        bootstrap_means([0.1, 0.2], **wrong)


def test_rmse_interval_goes_through_the_root():
    interval = bootstrap_ratio([4.0, 9.0, 1.0, 6.0], [2, 3, 1, 1])[0]
    root = interval.through(np.sqrt)
    assert (root.value, root.low, root.high) == pytest.approx(
        tuple(np.sqrt([20 / 7, interval.low, interval.high]))
    )
    assert Interval(None, None, None, 0).through(np.sqrt).value is None


def test_within_and_outside():
    assert Interval(0.01, -0.01, 0.02, 50).within(0.02)
    assert not Interval(0.01, -0.01, 0.03, 50).within(0.02)
    assert Interval(-0.05, -0.08, -0.03, 50).outside(0.02)
    assert not Interval(-0.05, -0.08, -0.01, 50).outside(0.02)
    assert not Interval(0.5, None, None, 1).outside()
    assert not Interval(0.0, None, None, 1).within(1.0)


def test_estimates_from_influence_values_equal_the_t_interval_of_a_mean():
    values = np.array([1.0, 2.0, 4.0, 7.0, 11.0])
    estimate = Estimate(values.mean(), values - values.mean())
    error = values.std(ddof=1) / np.sqrt(5)
    assert estimate.standard_error == pytest.approx(error)
    assert estimate.interval().high == pytest.approx(
        5 + 2.776445 * error, abs=1e-5
    )  # t, 4 degrees of freedom
    assert estimate.p_value() == pytest.approx(0.05125, abs=1e-4)  # t = 2.7524


def test_clusters_widen_the_interval_of_repeated_rows_to_what_one_row_each_gives():
    values = np.random.default_rng(5).normal(size=40)
    once = Estimate(values.mean(), values - values.mean())
    thrice = Estimate(once.value, np.repeat(once.influence, 3), np.repeat(np.arange(40), 3))
    assert thrice.standard_error == pytest.approx(once.standard_error)
    assert thrice.interval() == Interval(
        pytest.approx(once.value), pytest.approx(once.interval().low), pytest.approx(once.interval().high), 40
    )
    difference = once.minus(once)
    assert (difference.value, difference.standard_error, difference.p_value()) == (0.0, 0.0, 1.0)


def test_an_estimate_of_one_cluster_has_no_interval():
    estimate = Estimate(2.0, np.array([0.1, -0.1]), np.array(["ann", "ann"]))
    assert estimate.interval() == Interval(2.0, None, None, 1, "fewer than two users")
    assert estimate.p_value() is None
    with pytest.raises(DataError, match="NaN"):
        Estimate(1.0, np.array([np.nan]))
