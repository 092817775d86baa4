"""Whether a classifier can tell the users of a twin from those of the log (Lopez-Paz and Oquab 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.utils.extmath import randomized_svd

from equipoise.worlds.twin.record import Record

Floats = NDArray[np.float64]

_FOLDS = 5
_FACTORS = 6
_DRAWS = 200


@dataclass(frozen=True)
class Verdict:
    """How well the two are told apart.

    Attributes:
        auc: Area under the ROC curve on users the classifier was not fitted to; 0.5 cannot tell.
        low: Lower end of the 95 % interval over users.
        high: Upper end.
    """

    auc: float
    low: float
    high: float


def tell_apart(twin: Record, log: Record, seed: int) -> Verdict:
    """Gradient boosting on what is known of each user: how much, how popular, how varied, and what kind of items.

    A user and its twin stand in the same fold, so that nothing is learnt about either from the other.
    """
    table = np.vstack(_features(twin, log, seed))
    n = log.shape[0]
    label = np.repeat([1, 0], n)
    fold = np.tile(np.random.default_rng([seed, 11]).permutation(n) % _FOLDS, 2)
    score = np.empty(2 * n)
    for part in range(_FOLDS):
        model = HistGradientBoostingClassifier(
            max_iter=60, max_leaf_nodes=8, learning_rate=0.1, random_state=seed
        )
        model.fit(table[fold != part], label[fold != part])
        score[fold == part] = model.decision_function(table[fold == part])
    rng = np.random.default_rng([seed, 12])
    mine, others = score[:n], score[n:]
    draws = []
    for _ in range(_DRAWS):
        rows = rng.integers(0, n, n)
        draws.append(_auc(mine[rows], others[rows]))
    low, high = np.quantile(draws, [0.025, 0.975])
    return Verdict(_auc(mine, others), float(low), float(high))


def _auc(positive: Floats, negative: Floats) -> float:
    ranks = rankdata(np.concatenate([positive, negative]))[: len(positive)]
    return float((ranks.sum() - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative)))


def _features(twin: Record, log: Record, seed: int) -> tuple[Floats, Floats]:
    """One row per user of each log; items are described by both logs together, so that neither is favoured."""
    popular = np.log1p(twin.by_item + log.by_item)
    hits = popular >= np.quantile(popular, 0.9)
    both = sparse.vstack([_matrix(twin), _matrix(log)]).astype(np.float64)
    scaled = both.multiply(1 / np.sqrt(np.maximum(np.asarray(both.sum(axis=0)), 1))).tocsr()
    factors = min(_FACTORS, min(both.shape) - 1)
    _, _, right = randomized_svd(scaled, factors, random_state=seed)
    return _of_users(twin, popular, hits, right), _of_users(log, popular, hits, right)


def _matrix(log: Record) -> sparse.csr_matrix:
    return sparse.csr_matrix((np.ones(len(log.user)), (log.user, log.item)), shape=log.shape)


def _of_users(log: Record, popular: Floats, hits: NDArray[np.bool_], items: Floats) -> Floats:
    n = np.maximum(log.by_user, 1)

    def mean(values: Floats) -> Floats:
        return np.asarray(np.bincount(log.user, values, log.shape[0]) / n)

    average = mean(popular[log.item])
    matrix = _matrix(log)
    columns = [
        np.log1p(log.by_user),
        average,
        np.sqrt(np.maximum(mean(popular[log.item] ** 2) - average**2, 0)),
        mean(hits[log.item].astype(np.float64)),
        matrix.getnnz(axis=1) / n,
        *(mean(row[log.item]) for row in items),
    ]
    return np.column_stack(columns)
