"""The replay of Schnabel et al. (2016), Table 1: which estimate of a model's error ranks models rightly?

A completed rating matrix is the truth. High ratings are seen far likelier than low ones, with known probability;
five made-up models have a known error on the whole matrix, which is then estimated from what was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import spearmanr

from benchmarks import data
from benchmarks.row import Part, Row
from equipoise.causal.propensity import NaiveBayes, weights
from equipoise.component import Runtime
from equipoise.models.mf import MF

Floats = NDArray[np.float64]

_MARGINAL = (0.526, 0.242, 0.144, 0.062, 0.026)  # of ratings 1 to 5: Schnabel et al. (2016), section 6.1
_ALPHA, _SEEN = 0.25, 0.05
_DRAWS = 50
_UNIFORM = 0.01


def completed(folder: Path) -> Floats:
    """Ratings of all cells: a factorisation fills the matrix, and its order of cells is given the ratings 1 to 5 in the
    shares of the paper; kept once computed.
    """
    file = folder / "completed.npy"
    if not file.exists():
        ratings = data.read("ml-100k", "movielens")
        config = MF(
            loss="rating", width=20, epochs=20, shrinkage=0.1, bias_shrinkage=0.02, learning_rate=2e-2
        )
        model = config.fit(ratings, runtime=Runtime(seed=0, threads=1, progress=False))
        scores = model.score(np.arange(len(model.catalogue.users)), model.histories)
        np.save(file, as_ratings(scores))
    return np.asarray(np.load(file), dtype=np.float64)


def as_ratings(scores: NDArray[np.floating]) -> NDArray[np.int8]:
    """The lowest scores become ratings of 1, the next ones of 2, ..., in the shares of the paper."""
    place = np.empty(scores.size)
    place[np.argsort(scores, axis=None, kind="stable")] = (np.arange(scores.size) + 0.5) / scores.size
    rating = 1 + np.searchsorted(np.cumsum(_MARGINAL)[:-1], place)
    return rating.reshape(scores.shape).astype(np.int8)


def propensities(truth: Floats) -> Floats:
    """k for ratings from 4 on, k alpha^(4 - rating) below, with k such that 5 % of the cells are seen on average."""
    relative = np.where(truth >= 4, 1.0, _ALPHA ** (4 - truth))
    return np.asarray(relative * _SEEN / relative.mean())


def _promoted(truth: Floats, rating: int, rng: np.random.Generator) -> Floats:
    """As many cells of a rating as there are fives are called five."""
    said = truth.ravel().copy()
    said[rng.choice(np.flatnonzero(said == rating), int((said == 5).sum()), replace=False)] = 5
    return said.reshape(truth.shape)


MODELS: Mapping[str, Callable[[Floats, np.random.Generator], Floats]] = {
    "REC_ONES": lambda truth, rng: _promoted(truth, 1, rng),
    "REC_FOURS": lambda truth, rng: _promoted(truth, 4, rng),
    "ROTATE": lambda truth, rng: np.where(truth >= 2, truth - 1, 5.0),
    "SKEWED": lambda truth, rng: np.clip(rng.normal(truth, (6 - truth) / 2), 0, 6),
    "COARSENED": lambda truth, rng: np.where(truth <= 3, 3.0, 4.0),
}
"""What each model says of a matrix."""


def _estimates(errors: Floats, seen: NDArray[np.bool_], propensity: Floats) -> dict[str, float]:
    """Mean error over all cells, from those seen; `propensity` is of these."""
    known = errors[seen]
    return {
        "naive": float(known.mean()),
        "IPS": float((known / propensity).sum() / errors.size),
        "SNIPS": float((weights(propensity).values * known).mean()),
    }


def _measure(setting: str, seed: int, folder: Path) -> Part:
    truth = completed(folder)
    rng = np.random.default_rng([seed, 7])
    errors = {name: np.abs(model(truth, rng) - truth) for name, model in MODELS.items()}
    chance = propensities(truth)
    draws = []
    for _ in range(_DRAWS):
        seen = rng.random(truth.shape) < chance
        used = chance[seen] if setting == "true propensities" else _estimated(truth, seen, rng)
        draws.append([_estimates(error, seen, used) for error in errors.values()])
    true = np.array([float(error.mean()) for error in errors.values()])
    values, spread = {f"{name}: true": float(value) for name, value in zip(errors, true, strict=True)}, {}
    for estimator in draws[0][0]:
        table = np.array([[of_model[estimator] for of_model in draw] for draw in draws])
        for name, column in zip(errors, table.T, strict=True):
            values[f"{name}: {estimator}"] = float(column.mean())
            spread[f"{name}: {estimator}"] = float(column.std(ddof=1))
        values[f"rank correlation of {estimator}"] = float(
            np.mean([spearmanr(row, true).statistic for row in table])
        )
        right = (table.argsort(axis=1) == true.argsort()).all(axis=1)
        values[f"right order % by {estimator}"] = 100 * float(right.mean())
    return Part(values, notes={"standard deviation over draws": spread, "draws": _DRAWS})


def _estimated(truth: Floats, seen: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """Naive-Bayes propensities, with the marginal ratings from a hundredth of all cells, drawn at random."""
    uniform = truth.ravel()[rng.random(truth.size) < _UNIFORM]
    marginal = {float(rating): float((uniform == rating).mean()) for rating in range(1, 6)}
    users, items = np.nonzero(seen)
    events = pl.DataFrame({"user_id": users, "item_id": items, "value": truth[seen]})
    tables = (
        pl.DataFrame({name: np.arange(size)})
        for name, size in zip(("user_id", "item_id"), truth.shape, strict=True)
    )
    return NaiveBayes(marginal=marginal).fit(events, *tables).values


ROWS = [
    Row(
        "debias-schnabel",
        "ML-100K (943 x 1,682), completed by a factorisation and given the ratings 1 to 5 in shares .526, .242, .144, "
        ".062, .026 (Schnabel et al. 2016, section 6.1); 5 % of the cells seen, the probability falling by alpha = .25 "
        "per star below 4, so that no weight is 10 times the mean and clipping there would "
        "cut none; mean absolute error of five models, estimated from what was seen; 50 draws; naive Bayes: "
        "propensities from a hundredth of the cells, drawn at random",
        {"true propensities": (0,), "naive Bayes": (0,)},
        _measure,
        "IPS and SNIPS rank the models as the truth does; the naive estimate does not",
    )
]
