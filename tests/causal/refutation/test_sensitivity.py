"""Sensitivity formulas against the numbers that the literature prints."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wilcoxon

from equipoise.causal.refutation import (
    adjusted_estimate,
    benchmark_strength,
    e_value,
    omitted_variable_bias,
    partial_r2,
    risk_ratio_of_difference,
    robustness_value,
    rosenbaum_bounds,
)
from equipoise.errors import DataError

# Morton et al. (1982), blood lead of exposed children and of matched controls; Rosenbaum (2002), section 3.2.4.
EXPOSED = [
    38,
    23,
    41,
    18,
    37,
    36,
    23,
    62,
    31,
    34,
    24,
    14,
    21,
    17,
    16,
    20,
    15,
    10,
    45,
    39,
    22,
    35,
    49,
    48,
    44,
    35,
]
EXPOSED += [43, 39, 34, 13, 73, 25, 27]
CONTROL = [
    16,
    18,
    18,
    24,
    19,
    11,
    10,
    15,
    16,
    18,
    18,
    13,
    19,
    10,
    16,
    16,
    24,
    13,
    9,
    14,
    21,
    19,
    7,
    18,
    19,
    12,
]
CONTROL += [11, 22, 25, 16, 13, 11, 13]
LEAD = np.subtract(EXPOSED, CONTROL)


@pytest.mark.parametrize(
    ("ratio", "limit", "point", "nearer"),
    [
        (3.9, 1.8, 7.26, 3.0),  # breast-feeding and respiratory death: VanderWeele and Ding (2017)
        (0.80, 0.91, 1.81, 1.43),  # the same for a ratio below 1
        (1.0, None, 1.0, None),
        (2.0, 0.9, 3.4142, 1.0),  # the interval holds 1
        (0.5, 1.2, 3.4142, 1.0),
    ],
)
def test_e_values_of_the_literature(ratio, limit, point, nearer):
    found = e_value(ratio, limit)
    assert found.point == pytest.approx(point, abs=0.005)
    assert found.limit == (None if nearer is None else pytest.approx(nearer, abs=0.005))


@given(st.floats(0.01, 100))
def test_e_value_is_the_same_from_both_sides(ratio):
    assert e_value(ratio).point == pytest.approx(e_value(1 / ratio).point)
    assert e_value(ratio).point >= 1


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), float("inf")])
def test_a_ratio_that_is_none_is_refused(wrong):
    with pytest.raises(DataError, match="E-value"):
        e_value(wrong)


def test_a_mean_difference_amounts_to_a_ratio():
    assert risk_ratio_of_difference(0.0) == 1
    assert risk_ratio_of_difference(0.5) == pytest.approx(1.576, abs=5e-4)


def test_rosenbaum_bounds_of_lead_in_the_blood():
    # Rosenbaum (2002), table 4.1, highest p-values of the signed rank test.
    printed = {2.0: 0.0018, 3.0: 0.0136, 4.0: 0.0388, 4.25: 0.0468, 5.0: 0.0740}
    found = rosenbaum_bounds(LEAD, [1.0, *printed], rank_zeros=True)
    assert found.curve[0][1] == found.curve[0][2] < 1e-4
    assert {gamma: high for gamma, _, high in found.curve[1:]} == pytest.approx(printed, abs=5e-5)
    assert all(low < 1e-4 for _, low, _ in found.curve)
    assert 4.25 < found.gamma < 4.5
    assert (found.alternative, found.pairs) == ("greater", 32)
    assert rosenbaum_bounds(LEAD).gamma > found.gamma  # without the one pair that has no difference


def test_without_bias_it_is_the_signed_rank_test():
    gaps = np.random.default_rng(0).normal(0.2, 1, 80)
    usual = wilcoxon(gaps, alternative="greater", correction=False, method="asymptotic").pvalue
    assert rosenbaum_bounds(gaps, [1.0]).curve[0][1:] == pytest.approx((usual, usual))


def test_the_side_can_be_named_and_lies_with_the_data_otherwise():
    assert rosenbaum_bounds(-LEAD).alternative == "less"
    assert rosenbaum_bounds(-LEAD).gamma == pytest.approx(rosenbaum_bounds(LEAD).gamma)
    assert rosenbaum_bounds(LEAD, alternative="less").gamma is None


def test_binary_pairs_get_the_bounds_of_mcnemar():
    gaps = np.repeat([1.0, -1.0, 0.0], [60, 20, 100])
    ((_, _, high),) = rosenbaum_bounds(gaps, [1.5]).curve
    chance, n = 0.6, 80
    expected = 1 - 0.5 * (1 + _erf((60 - chance * n) / np.sqrt(2 * n * chance * (1 - chance))))
    assert high == pytest.approx(expected)


def _erf(x):
    from math import erf

    return erf(x)


@pytest.mark.parametrize(
    "call",
    [
        lambda: rosenbaum_bounds([0.0, 0.0]),
        lambda: rosenbaum_bounds([1.0, 2.0], [0.5]),
        lambda: rosenbaum_bounds([1.0, np.nan]),
        lambda: rosenbaum_bounds([1.0], alternative="both"),
    ],
)
def test_pairs_without_a_test_are_refused(call):
    with pytest.raises(DataError):
        call()


# Cinelli and Hazlett (2020), section 5: exposure to violence in Darfur and attitudes towards peace.
ESTIMATE, ERROR, DF = 0.09732, 0.02326, 783


def test_robustness_values_of_darfur():
    assert robustness_value(ESTIMATE, ERROR, DF) == pytest.approx(0.139, abs=5e-4)
    assert robustness_value(ESTIMATE, ERROR, DF, alpha=0.05) == pytest.approx(0.076, abs=5e-4)
    assert partial_r2(ESTIMATE / ERROR, DF) == pytest.approx(0.022, abs=5e-4)


@pytest.mark.parametrize(
    ("times", "treatment", "outcome", "estimate", "error"),
    [
        (1, 0.00916, 0.1246, 0.0752, 0.0219),
        (2, 0.0183, 0.2493, 0.0529, 0.0204),
        (3, 0.0275, 0.374, 0.0304, 0.0187),
    ],
)
def test_a_cause_as_strong_as_gender_in_darfur(times, treatment, outcome, estimate, error):
    strength = benchmark_strength(0.00907, 0.1090, times)
    assert strength == (pytest.approx(treatment, abs=1e-4), pytest.approx(outcome, abs=3e-3))
    moved = adjusted_estimate(ESTIMATE, ERROR, DF, treatment=treatment, outcome=outcome)
    assert moved == (pytest.approx(estimate, abs=2e-4), pytest.approx(error, abs=2e-4))


@given(st.floats(0.01, 3.0), st.floats(0.1, 1.0), st.integers(20, 5000))
def test_a_cause_at_the_robustness_value_brings_the_estimate_to_zero(estimate, error, df):
    value = robustness_value(estimate, error, df)
    moved, _ = adjusted_estimate(estimate, error, df, treatment=value, outcome=value)
    assert moved == pytest.approx(0, abs=1e-8 * max(1, estimate))
    assert 0 <= robustness_value(estimate, error, df, alpha=0.05) <= value <= 1


def test_adjusting_for_the_omitted_variable_moves_the_estimate_as_foretold():
    rng = np.random.default_rng(1)
    x, u = rng.normal(size=(2, 4000))
    d = 0.5 * x + 0.6 * u + rng.normal(size=4000)
    y = 0.3 * d + x + 0.8 * u + rng.normal(size=4000)
    short = omitted_variable_bias(y, d, x[:, None], ["x"])
    whole = omitted_variable_bias(y, d, np.column_stack([x, u]), ["x", "u"])
    base = np.column_stack([np.ones(4000), x])
    residual = [v - b @ np.linalg.lstsq(b, v, rcond=None)[0] for v, b in ((d, base), (u, base))]
    of_treatment = np.corrcoef(*residual)[0, 1] ** 2
    with_d = np.column_stack([base, d])
    residual = [v - with_d @ np.linalg.lstsq(with_d, v, rcond=None)[0] for v in (y, u)]
    of_outcome = np.corrcoef(*residual)[0, 1] ** 2
    moved = adjusted_estimate(
        short.estimate,
        short.standard_error,
        short.degrees_of_freedom,
        treatment=of_treatment,
        outcome=of_outcome,
    )
    assert moved == pytest.approx((whole.estimate, whole.standard_error), rel=1e-9)
    assert short.benchmarks[0].covariate == "x"
    assert short.robustness_value > short.robustness_value_significance > 0


def test_a_treatment_made_of_covariates_has_no_regression():
    x = np.arange(10.0)[:, None]
    with pytest.raises(DataError, match="linear function"):
        omitted_variable_bias(np.ones(10), 2 * x[:, 0], x, ["x"])


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: rosenbaum_bounds([1.0, 2.0], [np.inf]), "gamma of inf"),
        (lambda: rosenbaum_bounds([1.0, 2.0], [np.nan]), "gamma of nan"),
        (lambda: rosenbaum_bounds([1.0, 2.0], alpha=2), "level of 2"),
        (lambda: robustness_value(1.0, 0.1, 50, alpha=2), "level of 2"),
        (lambda: benchmark_strength(0.2, 1.0), "100% of the outcome"),
        (lambda: benchmark_strength(0.2, 0.1, times=-1), "-1 times"),
        (lambda: adjusted_estimate(1.0, 0.1, 50, treatment=1.0, outcome=0.1), "shares of 1"),
        (lambda: risk_ratio_of_difference(1e6), "no risk ratio"),
        (lambda: e_value("2"), "risk ratio of '2'"),
    ],
)
def test_what_is_out_of_range_is_told(ask, words):
    with pytest.raises(DataError, match=words):
        ask()


def test_a_numpy_number_is_a_ratio():
    assert e_value(np.float64(2.0)).point == e_value(2).point == pytest.approx(2 + np.sqrt(2))
