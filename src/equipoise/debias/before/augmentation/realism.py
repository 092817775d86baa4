"""How like real profiles made ones are as a whole: popularity, pairs of items, length."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.stats import ks_2samp, spearmanr

from equipoise.debias.before.augmentation.profiles import Floats, Profiles

_PAIRED = 200  # items whose pairs are counted: of rarer ones hardly any pair occurs


def realism(made: Profiles, real: Profiles, rng: np.random.Generator) -> dict[str, float]:
    """Likeness of two sets of profiles, beside that of two halves of the real ones.

    Args:
        made: Of the same groups as the real ones.
        real: At least two.
        rng: Deals the real profiles to halves.

    Returns:
        `popularity_spearman`, rank correlation of the items' counts; `popularity_ks`, Kolmogorov-Smirnov distance of
        the popularity of what was taken; `pairs_correlation`, Pearson correlation of the frequencies of pairs
        of the items that are taken most; `length_ks`, distance of the lengths; and each but the last `_of_halves`.
    """
    half = rng.permutation(len(real)) % 2 == 0
    between = {
        f"{name}_of_halves": value for name, value in _likeness(real.take(half), real.take(~half)).items()
    }
    lengths = {"length_ks": float(ks_2samp(made.lengths, real.lengths).statistic)}
    return {**_likeness(made, real), **between, **lengths}


def _likeness(one: Profiles, other: Profiles) -> dict[str, float]:
    popular = other.counts + one.counts
    taken = [np.repeat(popular, side.counts) for side in (one, other)]
    top = np.argsort(-popular, kind="stable")[:_PAIRED]
    pairs = [_pairs(side.matrix[:, top]) for side in (one, other)]
    return {
        "popularity_spearman": _finite(spearmanr(one.counts, other.counts).statistic),
        "popularity_ks": float(ks_2samp(*taken).statistic) if all(map(len, taken)) else 1.0,
        "pairs_correlation": _correlation(*pairs),
    }


def _pairs(matrix: sparse.csr_matrix) -> Floats:
    """Share of profiles that hold both of two items, one entry per pair."""
    both = (matrix.T @ matrix).toarray() / max(matrix.shape[0], 1)
    return np.asarray(both[np.triu_indices(len(both), 1)], dtype=np.float64)


def _correlation(a: Floats, b: Floats) -> float:
    return _finite(np.corrcoef(a, b)[0, 1]) if len(a) > 1 and a.std() > 0 and b.std() > 0 else 0.0


def _finite(value: float) -> float:
    return float(value) if np.isfinite(value) else 0.0
