from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2, chi2_contingency, fisher_exact

from equipoise.causal.independence.conditional import (
    COVARIANCE,
    EXACT,
    STRATIFIED,
    G,
    IndependenceTest,
    contingency_test,
    independence_test,
)
from equipoise.causal.independence.variables import Variable

Columns = dict[str, Any]


def ask(columns: Columns) -> IndependenceTest:
    """Is a independent of b given all the others? Whole numbers are codes of categories."""
    variables = {
        name: Variable(name, tuple(range(int(values.max()) + 1)) if values.dtype == int else None)
        for name, values in columns.items()
    }
    return independence_test("a", "b", [name for name in columns if name not in "ab"], variables, columns)


def rejected(make: Callable[..., Columns], effect: float, worlds: int, n: int = 1000) -> float:
    return float(
        np.mean([ask(make(np.random.default_rng(seed), n, effect)).p_value < 0.05 for seed in range(worlds)])
    )


def logistic(rng: Any, score: Any) -> Any:
    return (rng.random(len(score)) < 1 / (1 + np.exp(-score))).astype(int)


def linear(rng: Any, n: int, effect: float) -> Columns:
    z = rng.normal(size=n)
    a = z + rng.normal(size=n)
    return {"a": a, "b": z + effect * a + rng.normal(size=n), "z": z}


def curved_and_joint(rng: Any, n: int, effect: float) -> Columns:
    z, w = rng.normal(size=(2, n))
    a = z**2 + np.sin(2 * w) + z * w + rng.normal(size=n)
    noise = rng.standard_t(3, size=n) * (1 + abs(z))
    return {"a": a, "b": 2 * np.cos(z) + w**2 + z * w + effect * a + noise, "z": z, "w": w}


def squared(rng: Any, n: int, effect: float) -> Columns:
    a = rng.normal(size=n)
    return {"a": a, "b": effect * a**2 + rng.normal(size=n)}


def mixed(rng: Any, n: int, effect: float) -> Columns:
    z, group = rng.normal(size=n), rng.integers(0, 3, n)
    a = logistic(rng, 2 * z * (group - 1))
    return {"a": a, "b": logistic(rng, 2 * z * (group - 1) + effect * (a - 0.5)), "z": z, "group": group}


def counted(rng: Any, n: int, effect: float) -> Columns:
    group = rng.integers(0, 4, n)
    a = (rng.random(n) * 3 * (1 + group / 4) / 2).astype(int)
    return {"a": a, "b": (rng.random(n) * 3 * (1 + group / 4) / 2 + effect * a).astype(int), "group": group}


def many_strata(rng: Any, n: int, effect: float) -> Columns:
    group = rng.integers(0, 150, n)
    share = group % 7 / 8 + 0.05
    a = (rng.random(n) < share).astype(int)
    return {
        "a": a,
        "b": (rng.random(n) < np.clip(share + effect * (a - 0.5), 0, 1)).astype(int),
        "group": group,
    }


def many_strata_of_three(rng: Any, n: int, effect: float) -> Columns:
    columns = many_strata(rng, n, effect)
    return {**columns, "b": columns["b"] + (rng.random(n) < 0.1)}


def rare(rng: Any, n: int, effect: float) -> Columns:
    a = (rng.random(n) < 0.02).astype(int)
    return {"a": a, "b": (rng.random(n) < 0.02 + effect * a).astype(int)}


WORLDS = [
    (linear, 0.15, COVARIANCE),
    (curved_and_joint, 0.4, COVARIANCE),
    (squared, 0.15, COVARIANCE),
    (mixed, 0.7, COVARIANCE),
    (counted, 0.3, G),
    (many_strata, 0.2, EXACT),
    (many_strata_of_three, 0.3, STRATIFIED),
    (rare, 0.15, EXACT),
]


@pytest.mark.parametrize(("make", "effect", "test"), WORLDS)
def test_false_alarms_are_as_rare_as_said_and_dependence_is_found(
    make: Callable[..., Columns], effect: float, test: str
) -> None:
    assert ask(make(np.random.default_rng(0), 1000, 0.0)).test == test
    assert rejected(make, 0.0, 150) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)
    assert rejected(make, effect, 40) >= 0.7


def test_without_the_common_cause_the_dependence_is_there() -> None:
    columns = linear(np.random.default_rng(0), 1000, 0.0)
    del columns["z"]
    assert ask(columns).p_value < 1e-6


def test_without_strata_the_g_test_is_the_textbooks() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 3, 500), rng.integers(0, 4, 500)
    table = np.bincount(a * 4 + b, minlength=12).reshape(3, 4)
    expected = chi2_contingency(table, correction=False, lambda_="log-likelihood")
    found = contingency_test(a, b, np.zeros(500, dtype=np.int64))
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.degrees == expected.dof == 6
    assert found.p_value == pytest.approx(expected.pvalue)


def test_degrees_of_freedom_leave_out_what_does_not_occur() -> None:
    # Stratum 0 has two by two levels, stratum 1 only one level of a: it says nothing.
    a = np.repeat([0, 1, 0, 1, 2], [30, 30, 30, 30, 40])
    b = np.repeat([0, 0, 1, 1, 0], [30, 30, 30, 30, 40])
    strata = np.repeat([0, 0, 0, 0, 1], [30, 30, 30, 30, 40])
    found = contingency_test(a, b, strata)
    assert found.degrees == 1
    assert found.statistic == pytest.approx(0)
    alone = contingency_test(a[:30], b[:30], strata[:30])
    assert (alone.degrees, alone.p_value) == (0, 1.0)


def test_the_stratified_test_of_two_by_two_tables_is_that_of_mantel_and_haenszel() -> None:
    rng = np.random.default_rng(2)
    strata = rng.integers(0, 60, 300)
    a, b = rng.integers(0, 2, 300), rng.integers(0, 2, 300)
    deviation = spread = 0.0
    for stratum in range(60):  # Mantel & Haenszel (1959), without continuity correction
        one = strata == stratum
        n, row, col = one.sum(), a[one].sum(), b[one].sum()
        if n > 1:
            deviation += (a[one] & b[one]).sum() - row * col / n
            spread += row * (n - row) * col * (n - col) / (n**2 * (n - 1))
    found = contingency_test(a, b, strata)
    assert found.test == EXACT
    assert found.statistic == pytest.approx(deviation**2 / spread)
    assert found.p_value == pytest.approx(chi2.sf(found.statistic, 1), abs=0.05)
    assert found.degrees == 1


def test_in_one_stratum_the_exact_test_is_fishers() -> None:
    for table in ([[8, 2], [1, 5]], [[40, 1], [3, 2]], [[3, 0], [0, 3]]):
        counts = np.array(table)
        a, b = (np.repeat(code.ravel(), counts.ravel()) for code in np.indices((2, 2)))
        found = contingency_test(a, b, np.zeros(len(a), dtype=np.int64))
        assert found.test == EXACT
        assert found.p_value == pytest.approx(fisher_exact(counts).pvalue)


def test_a_variable_that_never_varies_says_nothing() -> None:
    rng = np.random.default_rng(0)
    found = ask({"a": np.ones(100), "b": rng.normal(size=100), "z": rng.normal(size=100)})
    assert (found.degrees, found.p_value) == (0, 1.0)
    found = ask({"a": np.zeros(100, dtype=int), "b": rng.normal(size=100)})
    assert (found.degrees, found.p_value) == (0, 1.0)
