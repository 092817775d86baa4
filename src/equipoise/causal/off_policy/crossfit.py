"""A scikit-learn regressor as outcome model, cross-fitted: no row is predicted by a fit that saw its cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.causal.off_policy.columns import CLUSTER, REWARD_, ROW
from equipoise.causal.off_policy.context import check_context, features_of
from equipoise.causal.off_policy.sample import PROBABILITY, Distribution
from equipoise.data import vocabulary as v
from equipoise.errors import ConfigError, DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ONE_HOT = 256  # items beyond which an item is described by its mean reward instead of its own column
_PRIOR = 10.0  # rows' worth of the overall mean in an item's mean reward
_CELLS = 20_000_000  # cells of one block of predictions: 160 MB


def crossfit(
    rows: pl.DataFrame,
    target: Distribution,
    model: Any,
    *,
    folds: int = 5,
    context: Sequence[str] = (),
    exclude: Sequence[str] = (),
    seed: int = 0,
) -> tuple[Floats, Floats]:
    """Out-of-fold values of the logged items, and their means under the target.

    Args:
        rows: The log with its working columns.
        target: The target's whole distribution.
        model: Unfitted regressor, or classifier of rewards 0 and 1; never changed.
        folds: Groups of clusters (Chernozhukov et al. 2018).
        context: Columns it reads beside the item: what was known before the decision, see `check_context`.
        exclude: Columns it must not read, as the column of the target.
        seed: Root of the folds, and of the model where it has a `random_state`.

    Returns:
        Two float64 arrays, one value per row: q(x, logged item), and Σ_a target(a | x) q(x, a).

    Raises:
        DataError: if there are fewer than two clusters, or a context column cannot be read or followed the
            decision.
        ConfigError: if there are fewer than two folds.
    """
    if folds < 2:
        raise ConfigError(f"An outcome model cannot be cross-fitted in {folds} folds", todo="Give 2 or more.")
    names = tuple(context)
    check_context(rows, names, exclude)
    features = features_of(rows, names)
    items = rows[v.ITEM].unique().sort()
    codes = _codes(rows[v.ITEM], items)
    rewards = rows[REWARD_].to_numpy()
    fold = _folds(rows, folds, seed)
    q, direct = np.empty(len(rows)), np.zeros(len(rows))
    coded = target.table.filter(pl.col(PROBABILITY) > 0)
    coded = coded.with_columns(pl.Series("_code", _codes(coded[v.ITEM], items)))
    for number in range(int(fold.max()) + 1):
        inside, held = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        design = _Design.fit(codes[inside], rewards[inside], len(items), features)
        predict = _fitted(model, design(inside, codes[inside]), rewards[inside], seed)
        q[held] = predict(design(held, codes[held]))
        step = max(_CELLS // (design.width * _mean_items(coded, target)), 1)
        for start in range(0, len(held), step):
            block = held[start : start + step]
            owner, shown, share = _shown(rows, block, coded, target)
            direct += np.bincount(owner, share * predict(design(owner, shown)), minlength=len(rows))
    return q, direct


@dataclass(frozen=True)
class _Design:
    """Features of pairs of a row and an item.

    Attributes:
        items: (items + 1, columns) description of each item; the last row stands for items not in the log.
        features: (rows, columns) context of each row.
    """

    items: Floats
    features: Floats

    @classmethod
    def fit(cls, codes: Ints, rewards: Floats, count: int, features: Floats) -> _Design:
        if count <= _ONE_HOT:
            return cls(np.vstack([np.eye(count), np.zeros(count)]), features)
        mean = rewards.mean()
        shown = np.bincount(codes, minlength=count + 1)
        means = (np.bincount(codes, rewards, minlength=count + 1) + _PRIOR * mean) / (shown + _PRIOR)
        return cls(np.column_stack([means, np.log1p(shown)]), features)

    @property
    def width(self) -> int:
        return int(self.items.shape[1] + self.features.shape[1])

    def __call__(self, rows: Ints, codes: Ints) -> Floats:
        return np.hstack([self.features[rows], self.items[codes]])


def _fitted(model: Any, design: Floats, rewards: Floats, seed: int) -> Any:
    """A function from a design to rewards."""
    from sklearn.base import clone, is_classifier

    fresh = clone(model)
    if "random_state" in fresh.get_params() and fresh.get_params()["random_state"] is None:
        fresh.set_params(random_state=seed)
    if not is_classifier(fresh):
        fresh.fit(design, rewards)
        return lambda cells: np.asarray(fresh.predict(cells), dtype=np.float64).ravel()
    if not np.isin(rewards, (0.0, 1.0)).all():
        raise DataError(
            "A classifier predicts rewards of 0 and 1 only, and the log has others", todo="Give a regressor."
        )
    if len(np.unique(rewards)) == 1:  # nothing to tell apart
        return lambda cells: np.full(len(cells), rewards[0])
    fresh.fit(design, rewards.astype(np.int64))
    return lambda cells: np.asarray(fresh.predict_proba(cells)[:, 1], dtype=np.float64)


def _folds(rows: pl.DataFrame, folds: int, seed: int) -> Ints:
    """The fold of each row; a cluster is never split."""
    if CLUSTER in rows.columns:
        labels = rows[CLUSTER].rank("dense").to_numpy().astype(np.int64) - 1
    else:
        labels = np.arange(len(rows))
    count = int(labels.max()) + 1
    if count < 2:
        raise DataError(
            "An outcome model cannot be cross-fitted on one cluster",
            where=f"{len(rows)} rows",
            todo="Give a log of several users, or the model's values as columns.",
        )
    order = np.random.default_rng([seed, 5]).permutation(count)
    return np.asarray(order[labels] % min(folds, count), dtype=np.int64)


def _codes(ids: pl.Series, known: pl.Series) -> Ints:
    """Place of each id in `known`; their number for an id that is not there."""
    table = pl.DataFrame({"id": known, "code": np.arange(len(known))})
    found = pl.DataFrame({"id": ids}).join(
        table, on="id", how="left", nulls_equal=True, maintain_order="left"
    )
    return found["code"].fill_null(len(known)).to_numpy().astype(np.int64)


def _mean_items(coded: pl.DataFrame, target: Distribution) -> int:
    keys = int(coded.select(target.key).n_unique()) if target.key else 1
    return max(int(len(coded) / max(keys, 1)), 1)


def _shown(
    rows: pl.DataFrame, block: Ints, coded: pl.DataFrame, target: Distribution
) -> tuple[Ints, Ints, Floats]:
    """The items that the target may show at some rows: row, item code, probability."""
    key = list(target.key)
    own = rows.select(ROW, *(name for name in key if name != ROW))[block]
    wanted = own.join(coded, on=key, nulls_equal=True) if key else own.join(coded, how="cross")
    return (
        wanted[ROW].to_numpy().astype(np.int64),
        wanted["_code"].to_numpy(),
        wanted[PROBABILITY].to_numpy(),
    )
