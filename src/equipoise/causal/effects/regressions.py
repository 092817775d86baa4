"""The default nuisance models: linear and logistic regression with a light ridge, and their quadratic forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from equipoise.errors import ConfigError
from equipoise.statistics.interval import Floats

_PENALTY = 1.0  # on slopes of standardised columns, as scikit-learn's default; vanishes as rows grow
_STEPS = 50
_STILL = 1e-5  # of the log-likelihood: Newton's next step would gain about its square
_FAR = 1.0  # a step may overshoot where it moves a logit by more
_HALVINGS = 5


class Predictor(Protocol):
    """A fitted regression."""

    def predict(self, covariates: Floats) -> Floats:
        """Expected outcome (rows,) for covariates (rows, p); for a binary outcome, its probability."""


@dataclass(frozen=True)
class Regression:
    """A fitted generalised linear model with its canonical link.

    Attributes:
        coefficients: (1 + q,), intercept first, of the standardised basis.
        unit: (p,), largest size of each covariate, in which the basis is made.
        centre: (q,), means of the basis.
        scale: (q,), standard deviations of the basis.
        binary: Whether the link is the logit; else the identity.
        squared: (p,), whose squares the basis holds, beside all products; None where it holds neither.
        penalty: Ridge on the slopes.
    """

    coefficients: Floats
    unit: Floats
    centre: Floats
    scale: Floats
    binary: bool
    squared: NDArray[np.bool_] | None
    penalty: float

    def basis(self, covariates: Floats) -> Floats:
        """The columns (rows, 1 + q) that the coefficients multiply."""
        raw = covariates / self.unit
        raw = raw if self.squared is None else squares(raw, self.squared)
        return np.column_stack([np.ones(len(raw)), (raw - self.centre) / self.scale])

    def predict(self, covariates: Floats) -> Floats:
        """Expected outcome, (rows,)."""
        linear = self.basis(covariates) @ self.coefficients
        return np.asarray(expit(linear) if self.binary else linear)


def regress(
    covariates: Floats,
    outcome: Floats,
    *,
    binary: bool,
    quadratic: bool = False,
    start: Regression | None = None,
) -> Regression:
    """Fit by penalised maximum likelihood (Newton with step halving).

    Args:
        covariates: (rows, p).
        outcome: (rows,), 0 and 1 if `binary`.
        binary: Logistic instead of linear.
        quadratic: Add squares and pairwise products.
        start: The same model of other rows, to start from.
    """
    unit = np.abs(covariates).max(axis=0, initial=0.0)
    unit = np.where(unit > 0, unit, 1.0)
    raw = covariates / unit
    squared = bent(raw) if quadratic else None
    raw = raw if squared is None else squares(raw, squared)
    n = len(raw)
    centre = np.ones(n) @ raw / n
    x = np.ones((n, raw.shape[1] + 1))
    x[:, 1:] = raw - centre
    scale = np.sqrt(np.einsum("ij,ij->j", x[:, 1:], x[:, 1:]) / n)
    scale = np.where(scale > 1e-12, scale, 1.0)
    x[:, 1:] /= scale
    ridge = np.full(x.shape[1], _PENALTY)
    ridge[0] = 0.0
    if not binary:
        gram = x.T @ x + np.diag(ridge)
        return Regression(np.linalg.solve(gram, x.T @ outcome), unit, centre, scale, False, squared, _PENALTY)
    mean = float(outcome.mean())
    beta = np.zeros(x.shape[1])
    if mean in (0.0, 1.0):  # nothing to learn: as good as certain, within what so many rows can say
        mean = abs(mean - 0.5 / (n + 1))
        beta[0] = np.log(mean / (1 - mean))
        return Regression(beta, unit, centre, scale, True, squared, _PENALTY)
    beta[0] = np.log(mean / (1 - mean))
    if start is not None and start.coefficients.shape == beta.shape:
        beta = start.coefficients
    return Regression(_newton(x, outcome, beta, ridge), unit, centre, scale, True, squared, _PENALTY)


def _newton(x: Floats, outcome: Floats, beta: Floats, ridge: Floats) -> Floats:
    """The maximum of the penalised log-likelihood, from a start; steps are halved where they overshoot."""
    linear = x @ beta
    for _ in range(_STEPS):
        p = expit(linear)
        gradient = x.T @ (outcome - p) - ridge * beta
        hessian = (x * (p * (1 - p))[:, None]).T @ x + np.diag(ridge + 1e-10)
        step = np.linalg.solve(hessian, gradient)
        gain = float(gradient @ step)  # twice what the step would gain, were the likelihood quadratic
        moved = x @ step
        if np.abs(moved).max() > _FAR:
            loss = _loss(p, outcome, beta, ridge)
            for _ in range(_HALVINGS):
                if _loss(expit(linear + moved), outcome, beta + step, ridge) <= loss:
                    break
                step, moved = step / 2, moved / 2
        beta, linear = beta + step, linear + moved
        if gain < _STILL:
            break
    return beta


def bent(covariates: Floats) -> NDArray[np.bool_]:
    """Which columns (p,) differ from their squares."""
    return np.array([not np.isin(column, (0.0, 1.0)).all() for column in covariates.T], dtype=bool)


def squares(covariates: Floats, squared: NDArray[np.bool_]) -> Floats:
    """The columns, the squares of some, and all pairwise products."""
    p = covariates.shape[1]
    first, second = np.triu_indices(p)
    products = covariates[:, first] * covariates[:, second]
    kept = (first != second) | squared[first]
    return np.hstack([covariates, products[:, kept]])


def _loss(p: Floats, y: Floats, beta: Floats, ridge: Floats) -> float:
    seen = np.maximum(np.where(y == 1, p, 1 - p), 1e-300)
    return float(0.5 * (ridge @ beta**2) - np.log(seen).sum())


@dataclass(frozen=True)
class _Learned:
    """A fitted scikit-learn estimator."""

    model: Any

    def predict(self, covariates: Floats) -> Floats:
        if hasattr(self.model, "predict_proba"):
            said = self.model.predict_proba(covariates)
            return np.asarray(said[:, -1], dtype=np.float64)
        return np.asarray(self.model.predict(covariates), dtype=np.float64)


def fit(
    model: Any,
    covariates: Floats,
    outcome: Floats,
    *,
    binary: bool,
    seed: int = 0,
    start: Predictor | None = None,
) -> Predictor:
    """Fit a nuisance model.

    Args:
        model: `linear`, `quadratic`, `boosting`, or a scikit-learn estimator (cloned first); a linear regression
            takes the place of a classifier where the outcome is a number, which it cannot learn.
        covariates: (rows, p).
        outcome: (rows,).
        binary: Whether the outcome is 0 or 1.
        seed: For models that draw.
        start: A fit of the same model to other rows, which some models can start from.

    Raises:
        ConfigError: if there is no such model.
    """
    if isinstance(model, str) and model in ("linear", "quadratic"):
        before = start if isinstance(start, Regression) else None
        return regress(covariates, outcome, binary=binary, quadratic=model == "quadratic", start=before)
    learner = _boosting(binary, seed) if model == "boosting" else model
    if not hasattr(learner, "fit"):
        raise ConfigError(
            f"{model!r} is no nuisance model",
            todo="Give 'linear', 'quadratic', 'boosting' or a scikit-learn estimator.",
        )
    number_by_classifier = not binary and hasattr(learner, "predict_proba")
    if number_by_classifier or not covariates.shape[1] or (outcome == outcome[0]).all():
        return regress(covariates, outcome, binary=binary)
    from sklearn.base import clone
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="openmp"):  # small fits lose more to waiting threads than they gain
        return _Learned(clone(learner).fit(covariates, outcome.astype(np.int64) if binary else outcome))


def _boosting(binary: bool, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if binary else HistGradientBoostingRegressor
    return kind(max_iter=100, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=20, random_state=seed)
