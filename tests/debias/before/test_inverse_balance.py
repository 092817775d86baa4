import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.debias.before import inverse_balance as ib
from equipoise.errors import DataError

RATES = [0.9, 0.5]
groups = st.lists(st.floats(0.01, 1.0), min_size=2, max_size=7)
targets = st.floats(0.0, 3.0)


def test_disparity_is_max_over_min_less_one():
    assert ib.disparity(RATES) == pytest.approx(0.8)
    assert ib.disparity([0.8, 0.6]) == pytest.approx(0.3333, abs=5e-5)  # and not 0.1
    assert ib.disparity([0.4, 0.4, 0.4]) == 0
    assert ib.disparity([0.4, 0.0]) == float("inf")


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("raise_low", [0.9, 0.8182]),
        ("lower_high", [0.55, 0.5]),
        ("keep_mean", [0.7333, 0.6667]),
        ("keep_geometric_mean", [0.7036, 0.6396]),
        ("tempering", [0.9831, 0.8937]),
    ],
)
def test_every_rule_brings_nine_tenths_against_a_half_to_a_tenth(rule, wanted):
    found = ib.RULES[rule](RATES, 0.1, None)
    assert found == pytest.approx(wanted, abs=5e-5)
    assert ib.disparity(found) == pytest.approx(0.1, abs=1e-12)


def test_tempering_and_weights_of_the_example():
    assert ib.temper(RATES, 0.1) == pytest.approx(0.8378, abs=5e-5)
    assert ib.weight_ratio(RATES, 0.1) == pytest.approx(0.6111, abs=5e-5)
    assert ib.weight_ratio(RATES, 0.0) == pytest.approx(0.5556, abs=5e-5)
    high, low = ib.weights(RATES, ib.keep_mean(RATES, 0.1))
    assert high / low == pytest.approx(ib.weight_ratio(RATES, 0.1))
    assert (high + low) / 2 == pytest.approx(1.0)


def test_keeping_the_mean_goes_five_sixths_of_the_way():
    high, low = ib.keep_mean(RATES, 0.1)
    assert (0.9 - high) / (0.9 - 0.7) == pytest.approx(5 / 6)
    assert (low - 0.5) / (0.7 - 0.5) == pytest.approx(5 / 6)


def test_four_fifths_against_three_fifths_needs_more_than_it_seems():
    assert ib.raise_low([0.8, 0.6], 0.1)[1] == pytest.approx(0.7273, abs=5e-5)
    assert ib.lower_high([0.8, 0.6], 0.1)[0] == pytest.approx(0.66)


def test_general_formula_for_two_groups_of_unequal_shares():
    p_a, p_b, d = 0.7, 0.3, 0.1
    mean = 0.7 * 0.9 + 0.3 * 0.5
    low = mean / (p_a * (1 + d) + p_b)
    assert ib.keep_mean(RATES, d, [p_a, p_b]) == pytest.approx([(1 + d) * low, low])


@settings(max_examples=40)
@given(groups, targets)
def test_target_is_met_exactly_by_every_rule_or_nothing_changes(rates, target):
    before = ib.disparity(rates)
    for name, rule in ib.RULES.items():
        found = rule(rates, target, None)
        assert ib.disparity(found) == pytest.approx(min(before, target), abs=1e-7), name
        assert (np.argsort(rates, kind="stable") == np.argsort(found.round(14), kind="stable")).all() or (
            np.diff(found[np.argsort(rates, kind="stable")]) >= -1e-12
        ).all()


@settings(max_examples=40)
@given(st.data(), groups, targets)
def test_means_that_are_to_be_kept_are_kept(data, rates, target):
    shares = data.draw(st.lists(st.floats(0.05, 1.0), min_size=len(rates), max_size=len(rates)))
    part = np.array(shares) / np.sum(shares)
    assert part @ ib.keep_mean(rates, target, shares) == pytest.approx(part @ np.array(rates))
    kept = np.exp(part @ np.log(ib.keep_geometric_mean(rates, target, shares)))
    assert kept == pytest.approx(np.exp(part @ np.log(rates)))


@settings(max_examples=40)
@given(groups, targets)
def test_one_sided_rules_leave_the_others_alone(rates, target):
    rates = np.array(rates)
    assert (ib.raise_low(rates, target) >= rates).all()
    assert ib.raise_low(rates, target).max() == rates.max()
    assert (ib.lower_high(rates, target) <= rates).all()
    assert ib.lower_high(rates, target).min() == rates.min()


@pytest.mark.parametrize("rates", [[], [0.5, 0.0], [0.5, -0.1], [0.5, float("nan")]])
def test_rates_that_no_rule_can_read_are_refused(rates):
    for rule in ib.RULES.values():
        with pytest.raises(DataError, match="above 0"):
            rule(rates, 0.1, None)


def test_negative_targets_and_odd_shares_are_refused():
    with pytest.raises(DataError, match="cannot be reached"):
        ib.keep_mean(RATES, -0.1)
    with pytest.raises(DataError, match="one per group"):
        ib.keep_mean(RATES, 0.1, [1.0])
