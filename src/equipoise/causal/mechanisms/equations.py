"""Structural equations: how one variable comes about from its causes and a noise of its own.

scikit-learn is imported where it is used: it loads pandas where that is installed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from equipoise.causal.independence.variables import Values, Variable

Floats = NDArray[np.float64]
Columns = Mapping[str, Values]


class Equation(ABC):
    """How a variable comes about."""

    @abstractmethod
    def draw(self, columns: Columns, n: int, rng: np.random.Generator) -> Values:
        """New values, given those of the causes: (n,)."""


@dataclass(frozen=True)
class Marginal(Equation):
    """A variable without causes in the graph: drawn from its observed values.

    Attributes:
        observed: Its values in the data.
    """

    observed: Values

    def draw(self, columns: Columns, n: int, rng: np.random.Generator) -> Values:
        """Observed values with replacement."""
        return self.observed[rng.integers(0, len(self.observed), n)]


@dataclass(frozen=True)
class Causes:
    """The causes of a variable as a matrix for scikit-learn.

    Attributes:
        variables: Causes in order; a category becomes one column per level but the first.
    """

    variables: tuple[Variable, ...]

    def matrix(self, columns: Columns) -> Floats:
        """Their values, of shape (n, features)."""
        parts = []
        for variable in self.variables:
            values = columns[variable.name]
            levels = range(1, len(variable.levels)) if variable.levels is not None else None
            parts += [values] if levels is None else [values == level for level in levels]
        return np.column_stack([np.asarray(part, dtype=np.float64) for part in parts])


@dataclass(frozen=True)
class AdditiveNoise(Equation):
    """A quantity: a function of its causes plus a noise that is independent of them.

    Attributes:
        causes: What the function is of.
        regressor: The fitted function.
        noises: Residuals of predictions out of fold, centred: what new noise is drawn from. Those of the
            fitted function itself would be too small where it is flexible.
        error: Their mean square, the measure that functions are chosen by.
    """

    causes: Causes
    regressor: Any
    noises: Floats
    error: float

    def mean(self, columns: Columns) -> Floats:
        """The function's value: (n,)."""
        return np.asarray(self.regressor.predict(self.causes.matrix(columns)), dtype=np.float64)

    def again(self, name: str, factual: Columns, columns: Columns) -> Floats:
        """The function's value for other causes, with the noise that the facts were made with."""
        noise = np.asarray(factual[name], dtype=np.float64) - self.mean(factual)
        return np.asarray(self.mean(columns) + noise, dtype=np.float64)

    def draw(self, columns: Columns, n: int, rng: np.random.Generator) -> Floats:
        """The function's value plus a drawn noise."""
        return self.mean(columns) + self.noises[rng.integers(0, len(self.noises), n)]


@dataclass(frozen=True)
class Choice(Equation):
    """A category with causes: drawn with probabilities that depend on them.

    Its noise cannot be told from its value, so there are no counterfactuals of it.

    Attributes:
        causes: What the probabilities depend on.
        classifier: The fitted probabilities.
    """

    causes: Causes
    classifier: Any

    def draw(self, columns: Columns, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Codes drawn from the probabilities."""
        steps = np.cumsum(self.classifier.predict_proba(self.causes.matrix(columns)), axis=1)[:, :-1]
        places = (rng.random(n)[:, None] >= steps).sum(axis=1)
        return np.asarray(np.asarray(self.classifier.classes_)[places], dtype=np.int64)


def fit_quantity(
    causes: Causes, columns: Columns, target: Values, candidates: Sequence[Any]
) -> AdditiveNoise:
    """The candidate with the least squared error out of fold, fitted to all rows.

    On one thread: small fits on many threads wait for each other.
    """
    from sklearn.base import clone
    from sklearn.model_selection import KFold, cross_val_predict

    features, folds = causes.matrix(columns), KFold(5, shuffle=True, random_state=0)
    fits = []
    with threadpool_limits(1):
        for candidate in candidates:
            residual = target - cross_val_predict(clone(candidate), features, target, cv=folds)
            fits.append((float(np.mean(residual**2)), residual, candidate))
        error, residual, chosen = min(fits, key=lambda fit: fit[0])
        fitted = clone(chosen).fit(features, target)
    return AdditiveNoise(causes, fitted, residual - residual.mean(), error)


def fit_category(
    causes: Causes, columns: Columns, target: Values, candidates: Sequence[Any]
) -> Choice | Marginal:
    """The candidate with the greatest likelihood out of fold, fitted to all rows."""
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    counts = np.bincount(target.astype(np.int64))
    if (counts > 0).sum() < 2:
        return Marginal(target)
    features, chosen = causes.matrix(columns), candidates[0]
    with threadpool_limits(1):
        if len(candidates) > 1 and counts[counts > 0].min() >= 5:
            folds = StratifiedKFold(5, shuffle=True, random_state=0)
            scores = [
                cross_val_score(clone(one), features, target, cv=folds, scoring="neg_log_loss").mean()
                for one in candidates
            ]
            chosen = candidates[int(np.argmax(scores))]
        return Choice(causes, clone(chosen).fit(features, target))


def regressors() -> list[Any]:
    """Functions to choose from: linear, additive and smooth, and of any form."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.linear_model import LinearRegression, RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import SplineTransformer, StandardScaler

    smooth = SplineTransformer(n_knots=8, extrapolation="linear", include_bias=False)
    return [
        LinearRegression(),
        make_pipeline(StandardScaler(), smooth, RidgeCV(alphas=np.logspace(-4, 3, 8))),
        HistGradientBoostingRegressor(max_iter=100, learning_rate=0.1, random_state=0),
    ]


def classifiers() -> list[Any]:
    """Probabilities to choose from: logistic, and of any form."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return [
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        HistGradientBoostingClassifier(max_iter=50, learning_rate=0.1, random_state=0),
    ]
