"""Whether a classifier can tell made profiles from real ones (Lopez-Paz and Oquab 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import rankdata
from threadpoolctl import threadpool_limits

from equipoise.component import Runtime
from equipoise.debias.before.augmentation.profiles import Floats, Profiles

_FOLDS = 5
_FACTORS = 8
_DRAWS = 300


@dataclass(frozen=True)
class Verdict:
    """How well the two are told apart.

    Attributes:
        auc: Area under the ROC curve on profiles that the classifier was not fitted to; 0.5 cannot tell.
        low: Lower end of the 95 % interval over profiles.
        high: Upper end.
        profiles: Real ones that were judged, with as many made ones.
    """

    auc: float
    low: float
    high: float
    profiles: int

    @property
    def covers_chance(self) -> bool:
        """Whether the interval holds 0.5. One below it speaks of copies: a made profile is then so near to a real one
        of another fold that the classifier takes the real for made, and the made for real.
        """
        return self.low <= 0.5 <= self.high

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {"auc": self.auc, "low": self.low, "high": self.high, "profiles": self.profiles}


def tell_apart(made: Profiles, real: Profiles, judged: NDArray[np.bool_], runtime: Runtime) -> Verdict:
    """Gradient boosting on what is known of each profile: how much, how popular, how coherent, what kind of items.

    Args:
        made: One per real profile, of the same group and length: both stand in the same fold, so that nothing is
            learnt about either from the other.
        real: The real profiles.
        judged: Of which real profiles, and their counterparts, the area is taken, at least one; the classifier learns
            from all.
        runtime: Seed, threads.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    n = len(real)
    table, label = features(made, real, runtime), np.repeat([1, 0], n)
    rng = runtime.rng("folds")
    fold = np.empty(n, dtype=np.int64)
    for group in np.unique(real.group):  # stratified, so that few of a group are not all in one fold
        rows = np.flatnonzero(real.group == group)
        fold[rows] = rng.permutation(len(rows)) % _FOLDS
    folds = np.tile(fold, 2)
    rank = np.empty(2 * n)
    seed = int(runtime.rng("classifier").integers(2**31))
    with threadpool_limits(runtime.cores):
        for part in range(_FOLDS):
            model = HistGradientBoostingClassifier(
                max_iter=60, max_leaf_nodes=8, learning_rate=0.1, random_state=seed
            ).fit(table[folds != part], label[folds != part])
            asked = (folds == part) & np.tile(judged, 2)
            if not asked.any():
                continue
            score = model.decision_function(table[asked])
            rank[asked] = rankdata(score) / (len(score) + 1)  # scores of two classifiers are on two scales
    return _verdict(rank[:n][judged], rank[n:][judged], runtime.rng("bootstrap"))


def _verdict(made: Floats, real: Floats, rng: np.random.Generator) -> Verdict:
    n = len(real)
    draws = [_auc(made[rows], real[rows]) for rows in rng.integers(0, n, (_DRAWS, n))]
    low, high = np.quantile(draws, [0.025, 0.975])
    return Verdict(_auc(made, real), float(low), float(high), n)


def _auc(positive: Floats, negative: Floats) -> float:
    ranks = rankdata(np.concatenate([positive, negative]))[: len(positive)]
    return float((ranks.sum() - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative)))


def features(made: Profiles, real: Profiles, runtime: Runtime) -> Floats:
    """What the classifier sees, (made + real, features); items are described by both, so that neither is favoured.

    Length; mean, deviation and lowest of log-popularity, share of the tenth of items that is taken most; how alike
    the items of a profile are; mean of the items' factors; group.
    """
    from sklearn.utils.extmath import randomized_svd

    both = sparse.vstack([made.matrix, real.matrix]).tocsr().astype(np.float64)
    popular = np.log1p(made.counts + real.counts)
    hits = (popular >= np.quantile(popular, 0.9)).astype(np.float64)
    n = np.maximum(np.diff(both.indptr), 1).astype(np.float64)
    scaled = both.multiply(1 / np.sqrt(np.maximum(np.asarray(both.sum(axis=0)), 1))).tocsr()
    wanted = max(min(_FACTORS, min(both.shape) - 1), 1)
    _, _, right = randomized_svd(scaled, wanted, random_state=int(runtime.rng("factors").integers(2**31)))
    average = both @ popular / n
    means = (both @ right.T) / n[:, None]
    lengths = both @ (right.T**2).sum(axis=1)
    pairs = np.maximum(n * (n - 1), 1)
    alike = ((both @ right.T) ** 2).sum(axis=1) - lengths  # sum over pairs of two items of the profile
    lowest = np.array(
        [
            popular[both.indices[a:b]].min(initial=np.inf)
            for a, b in zip(both.indptr, both.indptr[1:], strict=False)
        ]
    )
    group = np.concatenate([made.group, real.group])
    return np.column_stack([
        np.log1p(n),
        average,
        np.sqrt(np.maximum(both @ popular**2 / n - average**2, 0)),
        np.where(np.isfinite(lowest), lowest, 0.0),
        both @ hits / n,
        alike / pairs,
        means,
        *(group == code for code in range(len(real.names))),
    ])  # fmt: skip
