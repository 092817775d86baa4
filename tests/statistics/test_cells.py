"""Groups resampled together: the draws are a bootstrap, add up, and depend on nothing they should not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import DataError
from equipoise.statistics import bootstrap_difference, resampled_cells
from equipoise.statistics.cells import _BOUNDS, _copies


def test_copies_are_poisson_to_eight_bits():
    """Mean and variance of a byte's copies are 1 exactly; a Poisson number's third central moment is 1 too."""
    copies = np.searchsorted(_BOUNDS, np.arange(256), side="left")
    assert copies.mean() == 1
    assert copies.var() == 1
    assert ((copies - 1.0) ** 3).mean() == pytest.approx(1, abs=0.01)
    poisson = np.exp(-1) / np.array([1, 1, 2, 6, 24, 120])
    assert np.bincount(copies) / 256 == pytest.approx(poisson, abs=0.011)
    drawn = _copies(np.random.default_rng(0), 400, 1000)
    assert np.bincount(drawn.astype(int).ravel(), minlength=6) / drawn.size == pytest.approx(
        np.bincount(copies) / 256, abs=0.002
    )


def test_intervals_are_those_of_the_ordinary_bootstrap():
    rng = np.random.default_rng(1)
    values = np.where(rng.random(900) < 0.3, rng.random(900), 0.0)
    group = (rng.random(900) < 0.3).astype(int)
    found = resampled_cells(values, group, 2, n_bootstrap=8000).means().contrast((1, -1))[0]
    usual = bootstrap_difference(values[group == 0], values[group == 1], n_bootstrap=8000)[0]
    width = usual.high - usual.low
    assert found.value == pytest.approx(usual.value, abs=1e-9)
    assert found.low == pytest.approx(usual.low, abs=0.04 * width)
    assert found.high == pytest.approx(usual.high, abs=0.04 * width)


@pytest.mark.parametrize("distinct", [True, False])
def test_draws_spread_as_the_standard_error_says(distinct):
    rng = np.random.default_rng(2)
    values = rng.random((3000, 2)) if distinct else rng.integers(0, 3, (3000, 2)) / 2
    cells = resampled_cells(values, rng.integers(0, 3, 3000), 3, n_bootstrap=4000, seed=5)
    means = cells.means()
    np.testing.assert_allclose(means.draws.std(axis=0), np.sqrt(means.second), rtol=0.06)
    np.testing.assert_allclose(means.draws.mean(axis=0), means.value, atol=0.001)
    assert np.abs(np.corrcoef(means.draws[:, :, 0].T)[0, 1:]).max() < 0.06  # cells are drawn apart


@given(seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_merged_cells_have_the_power_sums_of_their_users(seed):
    rng = np.random.default_rng(seed)
    values, cell = rng.integers(0, 4, (50, 2)) / 3, rng.integers(0, 6, 50)
    fine = resampled_cells(values, cell, 6, n_bootstrap=20, seed=seed)
    merged = fine.merged([0, 1, 0, 1, -1, 0], 2)
    for group, members in enumerate(((0, 2, 5), (1, 3))):
        own = values[np.isin(cell, members)]
        assert merged.users[group] == len(own)
        np.testing.assert_allclose(merged.mean[group], own.mean(axis=0), atol=1e-9)
        np.testing.assert_allclose(merged.second[group], ((own - own.mean(0)) ** 2).sum(0), atol=1e-8)
        np.testing.assert_allclose(merged.third[group], ((own - own.mean(0)) ** 3).sum(0), atol=1e-8)
        np.testing.assert_allclose(merged.sums[:, group], fine.sums[:, list(members)].sum(axis=1))
        np.testing.assert_allclose(merged.drawn[:, group], fine.drawn[:, list(members)].sum(axis=1))


def test_draws_depend_neither_on_threads_nor_on_the_order_of_users():
    rng = np.random.default_rng(3)
    values, cell = rng.random((5000, 2)), rng.integers(0, 3, 5000)
    order = rng.permutation(5000)
    first = resampled_cells(values, cell, 3, threads=1, seed=9, n_bootstrap=1500)
    for other in (
        resampled_cells(values, cell, 3, threads=3, seed=9, n_bootstrap=1500),
        resampled_cells(values[order], cell[order], 3, threads=2, seed=9, n_bootstrap=1500),
    ):
        np.testing.assert_array_equal(first.sums, other.sums)
        np.testing.assert_array_equal(first.drawn, other.drawn)


def test_standardised_means_by_hand():
    """Women: 2 of stratum 0 (mean 1), 1 of stratum 1 (4); men: 1 (0) and 2 (mean 6); mix 1/2, 1/2."""
    values = np.array([0.0, 2.0, 4.0, 0.0, 5.0, 7.0])
    cell = np.array([0, 0, 1, 2, 3, 3])  # group · 2 + stratum
    means = resampled_cells(values, cell, 4, n_bootstrap=50).standardised(2, [0.5, 0.5])
    assert means.value[:, 0].tolist() == pytest.approx([2.5, 3.0])
    assert means.users.tolist() == [3, 3]
    # squared errors: women 0.25 · (2 / 2²) + 0.25 · 0, men 0 + 0.25 · (2 / 2²)
    assert means.second[:, 0].tolist() == pytest.approx([0.125, 0.125])


def test_empty_cells_single_users_and_bad_codes():
    means = resampled_cells([0.5, 0.5, 1.0], [0, 0, 2], 3, n_bootstrap=10).means()
    assert means.contrast((0, 1, 0))[0].value is None
    assert means.contrast((0, 0, 1))[0].low is None
    same = resampled_cells([0.5, 0.5, 0.5], [0, 0, 1], 2, n_bootstrap=10).means()
    assert same.contrast((1, 0))[0].reason == "the same value for every user"
    with pytest.raises(DataError, match="do not fit"):
        resampled_cells([0.5, 0.5], [0, 3], 3)


def test_groups_whose_members_are_alike_have_the_rule_of_three():
    """40 ones and 50 zeros: half-widths 1 − 0.025^(1/n), and no end beyond the range of the values."""
    means = resampled_cells([1.0] * 40 + [0.0] * 50, [0] * 40 + [1] * 50, 2, n_bootstrap=100).means()
    widths = [1 - 0.025 ** (1 / 40), 1 - 0.025 ** (1 / 50)]
    assert means.margins[:, 0] == pytest.approx(widths)
    gap = means.contrast((1, -1))[0]
    assert (gap.value, gap.high) == (1, 1)
    assert gap.low == pytest.approx(1 - sum(widths))
    ones = means.contrast((1, 0))[0]
    assert (ones.low, ones.high) == (pytest.approx(1 - widths[0]), 1)


@pytest.mark.parametrize("chance", [0.01, 0.03, 0.1])
def test_rare_hits_of_small_groups_are_covered(chance):
    """Where a group of 40 has no hit at all, as 2 of 3 do at a chance of 1 %."""
    rng = np.random.default_rng(4)
    codes = np.repeat([0, 1], [40, 60])
    hits = (rng.random((100, 400)) < np.array([chance, 0.4])[codes][:, None]).astype(float)
    found = resampled_cells(hits, codes, 2, n_bootstrap=300).means().contrast((1, -1))
    truth = chance - 0.4
    assert np.mean([one.low <= truth <= one.high for one in found]) >= 0.93
    alone = resampled_cells(hits, codes, 2, n_bootstrap=300).means().contrast((1, 0))
    assert np.mean([one.low <= chance <= one.high for one in alone]) >= 0.91
