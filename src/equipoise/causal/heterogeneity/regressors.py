"""The regressions that learners are made of: scikit-learn estimators by name, or the user's own."""

from __future__ import annotations

from typing import Any

import numpy as np

from equipoise.errors import ConfigError, DataError, nearest
from equipoise.statistics.interval import Floats

_GAUSSIAN_ROWS = 1500  # a Gaussian process costs the cube of its rows
_FOLDS = 5  # of cross-validation inside a regression


def regressor(model: Any, rows: int, seed: int) -> Any:
    """An unfitted estimator of E[y | x].

    Args:
        model: `linear` (least squares), `quadratic` (squares and products under a cross-validated lasso),
            `forest`, `boosting`, `gaussian_process`, `best` (whichever of these predicts best under five-fold
            cross-validation), or a scikit-learn regressor, or a classifier whose probability of 1 is taken.
        rows: Rows it will be fitted on: `best` leaves the Gaussian process out where there are many.
        seed: For those that draw.

    Raises:
        ConfigError: if there is no regression of that name.
        DataError: if there are too few rows to cross-validate one that is.
    """
    from sklearn.base import clone
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
    from sklearn.linear_model import LassoCV, LinearRegression
    from sklearn.model_selection import GridSearchCV, KFold
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    if not isinstance(model, str):
        return clone(model)
    if model in ("quadratic", "best") and rows < _FOLDS:
        raise DataError(
            f"{rows} rows are too few for the regression '{model}', which is cross-validated",
            where=f"an arm, or what of it lies in the other folds; at least {_FOLDS} are needed",
            todo="Use 'linear', or more rows.",
        )
    named: dict[str, Any] = {
        "linear": LinearRegression(),
        "quadratic": make_pipeline(
            StandardScaler(),
            PolynomialFeatures(2, include_bias=False),
            StandardScaler(),
            LassoCV(alphas=30, cv=_FOLDS, max_iter=3000),
        ),
        "forest": RandomForestRegressor(200, min_samples_leaf=3, random_state=seed),
        "boosting": HistGradientBoostingRegressor(
            learning_rate=0.05, max_iter=200, max_leaf_nodes=8, min_samples_leaf=10, random_state=seed
        ),
        "gaussian_process": make_pipeline(
            StandardScaler(),
            GaussianProcessRegressor(
                ConstantKernel() * RBF(5.0) + WhiteKernel(), normalize_y=True, random_state=seed
            ),
        ),
    }
    if model == "best":
        candidates = [
            one for name, one in named.items() if name != "gaussian_process" or rows <= _GAUSSIAN_ROWS
        ]
        folds = KFold(_FOLDS, shuffle=True, random_state=seed)
        chosen = Pipeline([("model", candidates[0])])
        return GridSearchCV(chosen, {"model": candidates}, cv=folds, scoring="neg_mean_squared_error")
    if model not in named:
        raise ConfigError(f"There is no regression called '{model}'", todo=nearest(model, [*named, "best"]))
    return named[model]


def classifier(model: Any, seed: int) -> Any:
    """An unfitted estimator of P(t = 1 | x): `linear` (logistic), `boosting`, or a scikit-learn classifier."""
    from sklearn.base import clone
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if not isinstance(model, str):
        return clone(model)
    named: dict[str, Any] = {
        "linear": make_pipeline(StandardScaler(), LogisticRegression(C=10.0, max_iter=1000)),
        "boosting": HistGradientBoostingClassifier(
            learning_rate=0.05, max_iter=100, max_leaf_nodes=8, min_samples_leaf=20, random_state=seed
        ),
    }
    if model not in named:
        raise ConfigError(f"There is no propensity model called '{model}'", todo=nearest(model, named))
    return named[model]


def predicted(model: Any, x: Floats) -> Floats:
    """E[y | x] of a fitted estimator (n,): the probability of 1 where it is a classifier."""
    values = model.predict_proba(x)[:, 1] if hasattr(model, "predict_proba") else model.predict(x)
    return np.asarray(values, dtype=np.float64).reshape(len(x))


def fold_of(
    rows: int, folds: int, seed: int, clusters: np.ndarray[Any, Any] | None = None
) -> np.ndarray[Any, Any]:
    """A fold (0..folds − 1) for each row, about equally many; rows of one cluster share theirs.

    Raises:
        ConfigError: if there are fewer than two folds.
        DataError: if there are fewer rows (clusters) than folds, or not one label per row.
    """
    if folds < 2:
        raise ConfigError(f"Nothing is held out of {folds} folds", todo="Give at least 2.")
    if clusters is not None and len(clusters) != rows:
        raise DataError(f"{len(clusters)} cluster labels do not fit {rows} rows")
    labels = np.arange(rows) if clusters is None else np.unique(clusters, return_inverse=True)[1].ravel()
    units = int(labels.max(initial=-1)) + 1
    if units < folds:
        raise DataError(f"{units} independent rows cannot be divided into {folds} folds")
    return np.random.default_rng(seed).permutation(np.arange(units) % folds)[labels]
