"""The default nuisance models."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge

from equipoise.causal.effects import estimate_effect
from equipoise.causal.effects.regressions import bent, fit, regress, squares
from equipoise.causal.refutation.dummy import dummy_outcome
from equipoise.errors import ConfigError


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x = rng.normal(2.0, 3.0, size=(400, 3))
    return x, x @ [0.3, -0.2, 0.0] + rng.normal(size=400)


def test_logistic_agrees_with_scikit_learn(rows: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = rows
    binary = (y > 0.2).astype(float)
    ours = regress(x, binary, binary=True)
    theirs = LogisticRegression(C=1.0, tol=1e-10).fit(ours.basis(x)[:, 1:], binary)
    assert ours.coefficients[1:] == pytest.approx(theirs.coef_[0], abs=1e-4)
    started = regress(x, binary, binary=True, start=regress(x[:300], binary[:300], binary=True))
    assert started.predict(x) == pytest.approx(ours.predict(x), abs=1e-5)


def test_linear_agrees_with_scikit_learn(rows: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = rows
    ours = regress(x, y, binary=False)
    theirs = Ridge(alpha=1.0).fit(ours.basis(x)[:, 1:], y)
    assert ours.predict(x) == pytest.approx(theirs.predict(ours.basis(x)[:, 1:]))


def test_squares_and_products_but_no_square_of_a_dummy() -> None:
    assert squares(np.array([[2.0, 1.0], [3.0, 0.0]]), np.array([True, False])).tolist() == [
        [2, 1, 4, 2],
        [3, 0, 9, 0],
    ]


def test_an_outcome_that_never_happens_is_unlikely_and_not_impossible() -> None:
    said = regress(np.arange(10.0)[:, None], np.zeros(10), binary=True).predict(np.zeros((1, 1)))
    assert 0 < said[0] < 0.05


def test_separated_rows_do_not_blow_up() -> None:
    x = np.linspace(-1, 1, 200)[:, None]
    said = regress(x, (x[:, 0] > 0).astype(float), binary=True).predict(x)
    assert np.isfinite(said).all()
    assert said[0] < 0.02
    assert said[-1] > 0.98


@pytest.mark.parametrize("model", ["boosting", RandomForestClassifier(20, random_state=0)])
def test_learners_give_probabilities(model: object, rows: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = rows
    said = fit(model, x, (y > 0.2).astype(float), binary=True).predict(x)
    assert said.shape == (400,)
    assert ((said >= 0) & (said <= 1)).all()
    assert np.corrcoef(said, y)[0, 1] > 0.5


@pytest.mark.parametrize("model", ["linear", "quadratic"])
@pytest.mark.parametrize("scale", [1e-150, 1e-14, 1e200])
def test_units_of_covariates_do_not_matter(model: str, scale: float) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    y = x[:, 0] + rng.normal(size=400)
    plain, moved = (fit(model, one, y, binary=False).predict(one) for one in (x, x * scale))
    assert moved == pytest.approx(plain)
    assert np.corrcoef(plain, y)[0, 1] > 0.6


def test_a_classifier_is_for_binary_outcomes(sample: pl.DataFrame) -> None:
    x = np.arange(20.0)[:, None]
    number = fit(LogisticRegression(), x, 2 * x[:, 0] + 0.5, binary=False).predict(x)
    assert number == pytest.approx(2 * x[:, 0] + 0.5, abs=2.0)
    effect = estimate_effect(
        sample.head(400), "t", "bought", adjust=["x"], outcome_model=LogisticRegression()
    )
    known = dummy_outcome(effect, n_draws=2, show=False)  # a function of covariates: a number
    assert known.details["function_spread"] > 0
    assert known.p_value > 0.001
    with pytest.raises(ConfigError, match="'y' is a number, which a classifier cannot learn"):
        estimate_effect(sample, "t", "y", adjust=["x"], outcome_model=LogisticRegression())


def test_rows_without_a_rare_value_are_predicted_by_the_same_columns() -> None:
    x = np.array([[0.0], [1.0], [2.0]] * 5)
    assert bent(x).tolist() == [True]
    model = regress(x, x[:, 0] ** 2, binary=False, quadratic=True)
    assert model.predict(np.array([[0.0], [1.0]])) == pytest.approx(model.predict(x)[:2])
