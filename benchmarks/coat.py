"""Coat's frozen protocol: what may be trained on, what may be looked at beside it, and how ratings are scored.

Models are trained and tuned (4-fold cross-validation) on `train.ascii` alone. Of the ratings of random items,
232 (5 %, drawn by the seed) may be used for propensities and for recalibration, and are never scored. Cells
that both files hold are scored in a second column only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import rankdata

from benchmarks import data
from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.data.formats.coat import Coat, random_test
from equipoise.debias import Context, corrections
from equipoise.debias.corrected import fit
from equipoise.models.mf import MF
from equipoise.statistics import bootstrap_means, bootstrap_ratio, paired_difference

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RELEVANT = 3.0
"""A rating from here on is a positive one."""
SAMPLE = 0.05
"""Share of the random ratings that may be looked at."""
ATTRIBUTES = ("gender", "age", "location", "fashioninterest", "jackettype", "color", "onfrontpage")

_FOLDS = 4
_GRIDS = {False: ((0.2, 0.3, 0.4, 0.6), (0.03, 0.1, 0.3)), True: ((0.6, 1.2, 2.4, 4.8), (0.3, 1.0, 3.0))}
"""Shrinkages of factors and of biases that are tried, without and with attributes."""
_SHARED: Mapping[str, Any] = {"loss": "rating", "batch_events": 8192, "warmup": 5}
_LENGTHS: Mapping[bool, Mapping[str, Any]] = {
    False: {"width": 16, "epochs": 150, "learning_rate": 0.03},  # own factors alone are slow to settle
    True: {"width": 8, "epochs": 60, "learning_rate": 0.06},
}


@dataclass(frozen=True)
class Ratings:
    """Some ratings: rows of users and items, both numbered from 0, and values; each of shape (n,)."""

    users: Ints
    items: Ints
    values: Floats

    @classmethod
    def of(cls, events: pl.DataFrame) -> Ratings:
        """The ratings of a frame."""
        return cls(*(events[name].to_numpy() for name in (v.USER, v.ITEM, v.VALUE)))

    def take(self, rows: NDArray[Any]) -> Ratings:
        """Some of them."""
        return Ratings(self.users[rows], self.items[rows], self.values[rows])

    def of_scores(self, scores: Floats) -> Floats:
        """What a matrix of scores says of them."""
        return scores[self.users, self.items]


@dataclass(frozen=True)
class Protocol:
    """What a seed sees.

    Attributes:
        train: The chosen ratings, with propensities.
        sample: The random ratings that may be looked at.
        scored: All other random ratings, those of cells in `train` among them.
        new: Which of `scored` are of cells that `train` does not hold.
    """

    train: Dataset
    sample: Ratings
    scored: Ratings
    new: NDArray[np.bool_]

    @classmethod
    def of(cls, seed: int) -> Protocol:
        """The draw of a seed."""
        train, test = files()
        random, known = Ratings.of(test), Ratings.of(train.events)
        drawn = np.random.default_rng([seed, 5]).choice(
            len(random.values), round(SAMPLE * len(test)), replace=False
        )
        held = np.zeros(len(random.values), dtype=bool)
        held[drawn] = True
        scored = random.take(~held)
        both = np.isin(scored.users * 300 + scored.items, known.users * 300 + known.items)
        return cls(train, random.take(held), scored, ~both)

    @cached_property
    def marginal(self) -> dict[float, float]:
        """Share of each rating in the sample, one added to each count."""
        values = np.arange(1.0, 6.0)
        counts = (self.sample.values[:, None] == values).sum(0) + 1
        return {float(one): float(count) for one, count in zip(values, counts / counts.sum(), strict=True)}


@cache
def files() -> tuple[Dataset, pl.DataFrame]:
    """The chosen ratings, with propensities, users and items; and the random ones."""
    folder = data.folder("coat")
    return Coat().read(folder), random_test(folder)


def means(train: Dataset) -> Floats:
    """Item mean + user mean - mean, the mean standing in for items without a rating; shape (290, 300)."""
    known = Ratings.of(train.events)
    mean = known.values.mean()

    def apart(rows: Ints, size: int) -> Floats:
        count = np.bincount(rows, minlength=size)
        return np.asarray(np.bincount(rows, known.values - mean, size) / np.maximum(count, 1))

    return np.asarray(mean + apart(known.users, 290)[:, None] + apart(known.items, 300))


def scores(
    train: Dataset, method: str | None, options: Mapping[str, Any], fields: Mapping[str, Any], seed: int
) -> Floats:
    """Ratings of all cells by a factorisation under a correction; shape (290, 300)."""
    chosen = [] if method is None else [corrections.build(method, options)]
    runtime = Runtime(seed=seed, threads=1, progress=False)
    config = MF(**_SHARED, **_LENGTHS["attributes" in fields], **fields)
    model = fit(config, train, chosen, runtime=runtime).model
    rows = np.arange(290)
    return model.score(rows, model.histories).astype(np.float64)


def tuned(family: str, attributes: bool, folder: Path) -> dict[str, Any]:
    """The fields that 4-fold cross-validation on `train.ascii` chooses, kept once found.

    Args:
        family: `naive`, or the name of the correction that is in force; for a correction held-out errors are
            weighted by 1 / propensity, self-normalised.
        attributes: Whether the model knows attributes.
        folder: Where to keep the answer.
    """
    file = folder / f"tuned-{family}{'-features' * attributes}.json"
    tried: list[dict[str, Any]] = json.loads(file.read_text("utf-8")) if file.exists() else []
    candidates = _candidates(attributes)
    known = {_written(one["fields"]): one["error"] for one in tried}
    for fields in candidates:
        if _written(fields) not in known:
            known[_written(fields)] = error = _validated(family, fields)
            tried.append({"fields": fields, "error": error})
            file.write_text(json.dumps(tried, indent=1), "utf-8")
    return min(candidates, key=lambda fields: known[_written(fields)])


def _written(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, sort_keys=True)


def settings(attributes: bool) -> str:
    """All that a model is made by beside its correction: what is tried, and what is the same for all."""
    return _written({"fields": _candidates(attributes), **_SHARED, **_LENGTHS[attributes], "folds": _FOLDS})


def _candidates(attributes: bool) -> list[dict[str, Any]]:
    more = {"attributes": ATTRIBUTES} if attributes else {}
    factors, biases = _GRIDS[attributes]
    return [{"shrinkage": one, "bias_shrinkage": two, **more} for one in factors for two in biases]


def _validated(family: str, fields: Mapping[str, Any]) -> float:
    """Squared error on the folds of the training ratings."""
    train, _ = files()
    fold = np.random.default_rng(0).permutation(len(train.events)) % _FOLDS
    method = None if family == "naive" else family
    error, total = 0.0, 0.0
    for one in range(_FOLDS):
        kept, held = (
            train.events.filter(pl.Series(fold != one)),
            train.events.filter(pl.Series(fold == one)),
        )
        # a rating that is one of fewer is seen with less probability
        share = (_FOLDS - 1) / _FOLDS
        thinned = train.with_events(kept.with_columns(pl.col(v.PROPENSITY) * share))
        asked = Ratings.of(held)
        weights = np.ones(len(held)) if method is None else 1 / held[v.PROPENSITY].to_numpy()
        said = asked.of_scores(scores(thinned, method, {}, fields, one))
        error += float(weights @ (said - asked.values) ** 2)
        total += float(weights.sum())
    return error / total


def weighted_mean(train: Dataset, method: str) -> float:
    """Mean rating of all cells as the weights of a correction estimate it."""
    weights = corrections.build(method, {}).training(train, Context(train)).weights  # type: ignore[attr-defined]
    return float((weights * train.events[v.VALUE].to_numpy()).mean())


def measured(said: Floats, asked: Ratings) -> tuple[dict[str, float], pl.DataFrame]:
    """Errors and ranking of what is said of ratings, and the sums and values per user that they are made of."""
    error = said - asked.values
    size = np.bincount(asked.users, minlength=290)
    relevant = asked.values >= RELEVANT
    per_user = pl.DataFrame(
        {
            v.USER: np.arange(290),
            "cells": size,
            "squared": np.bincount(asked.users, error**2, 290),
            "absolute": np.bincount(asked.users, np.abs(error), 290),
            "AUC of user": _by_user(asked, said, relevant, auc),
            "NDCG of user": _by_user(asked, said, relevant, ndcg),
        }
    )
    values = {
        "MSE": float((error**2).mean()),
        "MAE": float(np.abs(error).mean()),
        "per-user AUC": float(np.nanmean(per_user["AUC of user"])),
        "AUC": auc(said, relevant),
        "NDCG@5": float(np.nanmean(per_user["NDCG of user"])),
    }
    return values, per_user


def _by_user(asked: Ratings, said: Floats, relevant: NDArray[np.bool_], measure: Any) -> Floats:
    return np.array(
        [measure(said[asked.users == user], relevant[asked.users == user]) for user in range(290)]
    )


def auc(said: Floats, relevant: NDArray[np.bool_]) -> float:
    """Share of pairs of a positive and another that stand in the right order, ties half; NaN without such pairs."""
    positives = int(relevant.sum())
    others = len(relevant) - positives
    if not positives or not others:
        return float("nan")
    return float((rankdata(said)[relevant].sum() - positives * (positives + 1) / 2) / (positives * others))


def ndcg(said: Floats, relevant: NDArray[np.bool_], k: int = 5) -> float:
    """Binary NDCG at k of the user's random items; NaN for a user without a positive."""
    if not relevant.any():
        return float("nan")
    gains = relevant[np.argsort(-said, kind="stable")][:k] / np.log2(np.arange(2, min(k, len(said)) + 2))
    ideal = (1 / np.log2(np.arange(2, min(k, int(relevant.sum())) + 2))).sum()
    return float(gains.sum() / ideal)


def intervals(tables: list[pl.DataFrame]) -> dict[str, tuple[float | None, ...]]:
    """95 % intervals over users of the means over seeds: value, low, high."""
    summed = pl.concat(tables).group_by(v.USER).agg(pl.exclude(v.USER).fill_nan(None).mean()).sort(v.USER)
    errors = bootstrap_ratio(summed.select("squared", "absolute").to_numpy(), summed["cells"].to_numpy())
    found = dict(zip(("MSE", "MAE"), errors, strict=True))
    for name, column in (("per-user AUC", "AUC of user"), ("NDCG@5", "NDCG of user")):
        found[name] = bootstrap_means(summed[column].drop_nulls().to_numpy())[0]
    return {name: (one.value, one.low, one.high) for name, one in found.items()}


def paired(tables: list[pl.DataFrame], others: list[pl.DataFrame]) -> dict[str, dict[str, float | None]]:
    """Difference to another model on the same users, means over seeds, with interval and sign-flip p-value.

    Squared and absolute errors are per user here, so that every user counts alike.
    """
    both = []
    for frames in (tables, others):
        table = pl.concat(frames).with_columns(pl.col("squared", "absolute") / pl.col("cells"))
        both.append(table.group_by(v.USER).agg(pl.exclude(v.USER).fill_nan(None).mean()).sort(v.USER))
    columns = {"MSE": "squared", "MAE": "absolute", "per-user AUC": "AUC of user", "NDCG@5": "NDCG of user"}
    found = {}
    for name, column in columns.items():
        pair = pl.DataFrame({"one": both[0][column], "two": both[1][column]}).drop_nulls()
        found[name] = paired_difference(pair["one"].to_numpy(), pair["two"].to_numpy())[0].as_dict()
    return found
