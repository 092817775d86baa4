"""Omitted variable bias in partial R²: how much of treatment and outcome a hidden cause would have to explain.

Source of all formulas: Cinelli and Hazlett (2020), "Making sense of sensitivity: extending omitted variable
bias", Journal of the Royal Statistical Society B 82.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import t as student

from equipoise.errors import DataError
from equipoise.statistics.interval import Estimate, Floats, columns

_STRONGEST = 100.0  # times a covariate's strength: nobody asks for more


@dataclass(frozen=True)
class Benchmark:
    """A hidden cause as strong as an observed covariate, and what it would leave of the estimate.

    Attributes:
        covariate: Name of the covariate (or group of columns).
        treatment: Partial R² of the hidden cause with the treatment, in [0, 1).
        outcome: Partial R² of the hidden cause with the outcome given the treatment, in [0, 1].
        adjusted: The estimate less the bias that such a cause would bring.
        times: How many times as strong as the covariate a hidden cause would have to be to bring the estimate to
            0; None where even the strongest that could be would not.
    """

    covariate: str
    treatment: float
    outcome: float
    adjusted: float
    times: float | None


@dataclass(frozen=True)
class OmittedVariable:
    """What an omitted variable would have to be to overturn a linear regression.

    Attributes:
        estimate: Coefficient of the treatment.
        standard_error: Its classical standard error.
        degrees_of_freedom: Of the regression.
        robustness_value: Partial R² that a hidden cause would need with both treatment and outcome to bring the
            estimate to 0.
        robustness_value_significance: The same to bring it down to where it is not significant.
        treatment_outcome: Partial R² of treatment with outcome: what a cause of all the rest of the outcome
            would need of the treatment.
        benchmarks: Hidden causes as strong as observed covariates.
    """

    estimate: float
    standard_error: float
    degrees_of_freedom: int
    robustness_value: float
    robustness_value_significance: float
    treatment_outcome: float
    benchmarks: tuple[Benchmark, ...]


def partial_r2(t_statistic: float, degrees_of_freedom: int) -> float:
    """Partial R² of a regressor with the outcome, `t² / (t² + df)`, in [0, 1)."""
    return t_statistic**2 / (t_statistic**2 + degrees_of_freedom)


def robustness_value(
    estimate: float,
    standard_error: float,
    degrees_of_freedom: int,
    *,
    q: float = 1.0,
    alpha: float | None = None,
) -> float:
    """Partial R² with both treatment and outcome at which a hidden cause takes away the share `q` of the estimate.

    `½ (√(f⁴ + 4 f²) − f²)` with `f = q |t| / √df`, less the critical value where `alpha` is given (section 4.2
    and its extreme case).

    Args:
        estimate: Coefficient of the treatment.
        standard_error: Its standard error, above 0.
        degrees_of_freedom: Of the regression, at least 2.
        q: Share of the estimate to be explained away; 1 brings it to 0.
        alpha: Given, the estimate is brought to where it is no longer significantly different from (1 − q)
            times itself at this level.

    Returns:
        A number in [0, 1]; 0 where the estimate is not significant to begin with.

    Raises:
        DataError: if the standard error or the degrees of freedom leave nothing to divide by, or `alpha` is not
            between 0 and 1.
    """
    if alpha is not None and not 0 < alpha < 1:
        raise DataError(f"A level of {alpha} is not between 0 and 1")
    if not standard_error > 0 or degrees_of_freedom < 2:
        raise DataError(
            f"A standard error of {standard_error} with {degrees_of_freedom} degrees of freedom has no robustness value"
        )
    whole = q * abs(estimate / standard_error) / math.sqrt(degrees_of_freedom)
    critical = 0.0
    if alpha is not None:
        rest = degrees_of_freedom - 1
        critical = float(student.ppf(1 - alpha / 2, rest)) / math.sqrt(rest)
    if whole <= critical:
        return 0.0
    if critical > 0 and whole > 1 / critical:
        return (whole**2 - critical**2) / (1 + whole**2)
    f = whole - critical
    return (math.sqrt(f**4 + 4 * f**2) - f**2) / 2


def adjusted_estimate(
    estimate: float, standard_error: float, degrees_of_freedom: int, *, treatment: float, outcome: float
) -> tuple[float, float]:
    """Estimate and standard error had a hidden cause of this strength been adjusted for, at its worst sign.

    Args:
        estimate: Coefficient of the treatment.
        standard_error: Its standard error.
        degrees_of_freedom: Of the regression.
        treatment: Partial R² of the hidden cause with the treatment, in [0, 1).
        outcome: Partial R² of the hidden cause with the outcome given the treatment, in [0, 1].

    Raises:
        DataError: if a share or the degrees of freedom are out of range.
    """
    if not (0 <= treatment < 1 and 0 <= outcome <= 1 and degrees_of_freedom >= 2):
        raise DataError(
            f"No estimate is adjusted for shares of {treatment:g} and {outcome:g} at {degrees_of_freedom} degrees of "
            "freedom",
            todo="Shares lie from 0 to 1, that of the treatment below 1, and there are 2 degrees of freedom or more.",
        )
    bias = standard_error * math.sqrt(degrees_of_freedom * outcome * treatment / (1 - treatment))
    error = standard_error * math.sqrt(
        (1 - outcome) / (1 - treatment) * degrees_of_freedom / (degrees_of_freedom - 1)
    )
    return math.copysign(1.0, estimate) * (abs(estimate) - bias), error


def benchmark_strength(treatment: float, outcome: float, times: float = 1.0) -> tuple[float, float]:
    """Largest partial R² with treatment and outcome of a hidden cause `times` as strong as a covariate.

    Section 4.4 and its appendix.

    Args:
        treatment: Partial R² of the covariate with the treatment given the other covariates, in [0, 1).
        outcome: Partial R² of the covariate with the outcome given treatment and the other covariates, in [0, 1).
        times: How many times as strong the hidden cause is, at least 0.

    Returns:
        Partial R² with the treatment and with the outcome.

    Raises:
        DataError: if the covariate is so strong that nothing could be `times` as strong, or a number is out of
            range.
    """
    if not (0 <= treatment < 1 and 0 <= outcome < 1 and times >= 0):
        raise DataError(
            f"A covariate that explains {treatment:.0%} of the treatment and {outcome:.0%} of the outcome is no "
            f"benchmark {times:g} times over",
            todo="Shares lie from 0 to below 1, and times from 0.",
        )
    if times * treatment >= 1 - treatment:
        raise DataError(
            f"Nothing can be {times:g} times as strong as a covariate that explains {treatment:.0%} of the treatment"
        )
    with_treatment = times * treatment / (1 - treatment)
    shared = times * treatment**2 / ((1 - times * treatment) * (1 - treatment))
    factor = (math.sqrt(times) + math.sqrt(shared)) / math.sqrt(1 - shared)
    return with_treatment, min(1.0, factor**2 * outcome / (1 - outcome))


def omitted_variable_bias(
    outcome: ArrayLike,
    treatment: ArrayLike,
    covariates: ArrayLike,
    names: Sequence[str],
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    clusters: ArrayLike | None = None,
    alpha: float = 0.05,
) -> OmittedVariable:
    """Robustness values of the linear regression of an outcome on treatment and covariates.

    Args:
        outcome: (n,).
        treatment: (n,).
        covariates: (n, p).
        names: (p,), names of the covariates' columns.
        groups: Columns to be benchmarked together, by a name for them; without, each column is its own.
        clusters: (n,) labels; the significance that is to be taken away is then that of a cluster-robust
            standard error, by as many degrees of freedom as it is worth.
        alpha: Level of the significance that the second robustness value takes away.

    Raises:
        DataError: if the treatment is a linear function of the covariates, or too few rows are left.
    """
    y, d = columns(outcome)[:, 0], columns(treatment)[:, 0]
    x = np.column_stack([np.ones(len(y)), columns(covariates)]) if len(names) else np.ones((len(y), 1))
    base, left = _residual_squares(np.column_stack([y, d]), x), _residuals(np.column_stack([y, d]), x)
    df = len(y) - int(np.linalg.matrix_rank(x)) - 1
    if df < 2 or base[1] <= 1e-12 * np.square(d - d.mean()).sum():
        raise DataError("The treatment is a linear function of the covariates, or there are too few rows")
    estimate = float(left[:, 0] @ left[:, 1] / base[1])
    rest = float(np.square(left[:, 0] - estimate * left[:, 1]).sum())
    error = math.sqrt(rest / df / base[1])
    benchmarks: list[tuple[str, float, float]] = []
    for name, members in (groups or {name: [name] for name in names}).items():
        without = np.delete(x, [1 + names.index(member) for member in members], axis=1)
        of_treatment = 1 - base[1] / float(_residual_squares(d[:, None], without)[0])
        of_outcome = 1 - rest / float(_residual_squares(y[:, None], np.column_stack([without, d]))[0])
        benchmarks.append((name, max(of_treatment, 0.0), max(of_outcome, 0.0)))
    if not error > 0:
        raise DataError(
            "Treatment and covariates explain the outcome wholly: nothing is left to a hidden cause"
        )
    compared = [
        found
        for name, of_treatment, of_outcome in benchmarks
        if (found := _benchmark(name, of_treatment, of_outcome, estimate, error, df)) is not None
    ]
    worth = df
    if clusters is not None:
        influence = left[:, 1] * (left[:, 0] - estimate * left[:, 1]) / (base[1] / len(y))
        robust = Estimate(estimate, influence, np.asarray(clusters)).standard_error or error
        worth = max(2, round(df * min(1.0, (error / robust) ** 2)))
    f = estimate / error / math.sqrt(df)
    return OmittedVariable(
        estimate,
        error,
        df,
        robustness_value(estimate, error, df),
        robustness_value(f * math.sqrt(worth), 1.0, worth, alpha=alpha),
        partial_r2(estimate / error, df),
        tuple(sorted(compared, key=lambda one: one.adjusted * math.copysign(1.0, estimate))),
    )


def _benchmark(
    name: str, of_treatment: float, of_outcome: float, estimate: float, error: float, df: int
) -> Benchmark | None:
    """A covariate's benchmark; None where it explains so much that nothing hidden could be as strong."""
    most = (1 - of_treatment) / of_treatment if of_treatment > 0 else math.inf
    if most <= 1 or of_outcome >= 1:
        return None

    def left(times: float) -> tuple[float, float, float]:
        treatment, outcome = benchmark_strength(of_treatment, of_outcome, times)
        moved, _ = adjusted_estimate(estimate, error, df, treatment=treatment, outcome=outcome)
        return treatment, outcome, moved

    highest = min(_STRONGEST, most * (1 - 1e-9))
    enough = None
    if left(highest)[2] * estimate <= 0:
        enough = float(brentq(lambda times: left(times)[2], 0.0, highest)) if estimate else 0.0
    return Benchmark(name, *left(1.0), enough)


def _residuals(values: Floats, regressors: Floats) -> Floats:
    coefficients = np.linalg.lstsq(regressors, values, rcond=None)[0]
    return np.asarray(values - regressors @ coefficients, dtype=np.float64)


def _residual_squares(values: Floats, regressors: Floats) -> Floats:
    return np.asarray(np.square(_residuals(values, regressors)).sum(axis=0), dtype=np.float64)
