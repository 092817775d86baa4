"""Whether made profiles are copies: how near the nearest real one is, beside how near real ones are to each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import binom

from equipoise.debias.before.augmentation.profiles import Floats, Profiles

_NEAR = 0.05  # share of withheld real profiles that are called too near
_BLOCK = 512
_SIGNIFICANT = 0.01


def nearest(asked: Profiles, known: Profiles) -> Floats:
    """Jaccard similarity of each profile to the nearest of others, (asked,), in 0..1."""
    best = np.zeros(len(asked))
    sizes = known.lengths.astype(np.float64)
    for start in range(0, len(asked), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(asked)))
        part = asked.matrix[rows]
        shared = np.asarray((part @ known.matrix.T).todense(), dtype=np.float64)
        union = np.diff(part.indptr)[:, None] + sizes[None, :] - shared
        best[rows] = (shared / np.maximum(union, 1)).max(axis=1, initial=0.0)
    return best


def copying(made: Profiles, learned: Profiles, withheld: Profiles) -> dict[str, Any]:
    """Whether made profiles are nearer to what they were learned from than real people are.

    Args:
        made: Made profiles.
        learned: The real ones that the generator learned from.
        withheld: Real ones that it did not learn from, though the pass that was best for them was kept.

    Returns:
        Median similarity to the nearest learned profile of `made` and of `withheld`; `bar`, the similarity that 5 %
        of the withheld reach; `share_beyond`, the made ones that do; `expected`, the withheld that do; and `copies`,
        whether these are more than chance makes (binomial test at 1 %, against twice as many as expected).
    """
    mine, others = nearest(made, learned), nearest(withheld, learned)
    bar = float(np.quantile(others, 1 - _NEAR, method="higher"))
    beyond, expected = int((mine > bar).sum()), float((others > bar).mean())
    tolerated = min(2 * max(expected, _NEAR), 1.0)
    return {
        "made_median": float(np.median(mine)),
        "withheld_median": float(np.median(others)),
        "bar": bar,
        "share_beyond": beyond / len(made),
        "expected": expected,
        "identical": int((mine >= 1.0).sum()),
        "withheld": len(withheld),
        "copies": bool(binom.sf(beyond - 1, len(made), tolerated) < _SIGNIFICANT),
    }
