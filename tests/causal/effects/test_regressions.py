"""The default nuisance models."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge

from equipoise.causal.effects.regressions import fit, regress, squares


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
    assert squares(np.array([[2.0, 1.0], [3.0, 0.0]])).tolist() == [[2, 1, 4, 2], [3, 0, 9, 0]]


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
