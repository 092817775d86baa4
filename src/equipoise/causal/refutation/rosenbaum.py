"""Rosenbaum's bounds: how far hidden bias may bend the odds of treatment within pairs before a result is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import rankdata

from equipoise.errors import DataError
from equipoise.statistics.interval import Floats, check

GAMMAS = (1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0)
_LARGEST = 1000.0


@dataclass(frozen=True)
class RosenbaumBounds:
    """Bounds on the one-sided p-value of matched pairs.

    Attributes:
        gamma: Largest bias, as an odds ratio within pairs, at which the upper bound stays below `alpha`; 1 at
            least where it is so without bias; None where the test does not reject even then.
        curve: (gamma, lowest p, highest p) of each gamma asked for.
        alternative: "greater" or "less": the side on which the pairs' differences lie.
        pairs: Pairs with a difference that is not 0.
        alpha: The level of `gamma`.
    """

    gamma: float | None
    curve: tuple[tuple[float, float, float], ...]
    alternative: str
    pairs: int
    alpha: float


def rosenbaum_bounds(
    pair_differences: ArrayLike,
    gammas: Sequence[float] = GAMMAS,
    *,
    alternative: str | None = None,
    rank_zeros: bool = False,
    alpha: float = 0.05,
) -> RosenbaumBounds:
    """Bounds on the p-value of Wilcoxon's signed rank test when hidden bias may reach `gamma`.

    Two units of a pair may differ in their odds of treatment by a factor `gamma` at most. The p-value is then
    highest where every pair favours the treated one with probability `gamma / (1 + gamma)`, lowest with
    `1 / (1 + gamma)`: the sum of positive ranks has mean `p Σ r` and variance `p (1 − p) Σ r²`, normal in the
    limit. At 1 both are the usual test. Ties share their mean rank; differences of a binary outcome are all
    tied, which gives the bounds of McNemar's test.

    Source: Rosenbaum (2002), "Observational Studies", 2nd edition, section 4.3.

    Args:
        pair_differences: (pairs,), treated less control.
        gammas: Odds ratios to report, each at least 1.
        alternative: "greater" if treatment should raise the outcome, "less" if lower; None takes the side on
            which the data lie, so that the p-values are one-sided after a look at the data.
        rank_zeros: Whether pairs without a difference take the lowest ranks before they are left out (Pratt
            1959, and the tables of the book), or are left out first (Wilcoxon).
        alpha: Level at which `gamma` is found.

    Raises:
        DataError: if there is no difference, a gamma is below 1 or infinite, or `alpha` is not between 0 and 1.
    """
    differences = np.asarray(pair_differences, dtype=np.float64).ravel()
    check("pair differences", differences)
    if not differences.any():
        raise DataError(
            "No pair has a difference, so there is no test", todo="Give treated less control, one per pair."
        )
    wrong = [gamma for gamma in gammas if not 1 <= gamma < np.inf]
    if wrong:
        raise DataError(
            f"A gamma of {wrong[0]} is no finite number from 1",
            todo="1 means no hidden bias; give numbers from 1.",
        )
    if not 0 < alpha < 1:
        raise DataError(f"A level of {alpha} is not between 0 and 1")
    if alternative not in (None, "greater", "less"):
        raise DataError(f"There is no alternative '{alternative}'", todo="Give 'greater' or 'less'.")
    if not rank_zeros:
        differences = differences[differences != 0]
    ranks = rankdata(np.abs(differences))[differences != 0]
    differences = differences[differences != 0]
    positive = float(ranks[differences > 0].sum())
    side = alternative or ("greater" if 2 * positive >= ranks.sum() else "less")
    statistic = positive if side == "greater" else float(ranks.sum()) - positive
    curve = tuple(
        (
            float(gamma),
            _p_value(statistic, ranks, 1 / (1 + gamma)),
            _p_value(statistic, ranks, gamma / (1 + gamma)),
        )
        for gamma in gammas
    )
    return RosenbaumBounds(_largest(statistic, ranks, alpha), curve, side, len(differences), alpha)


def _p_value(statistic: float, ranks: Floats, chance: float) -> float:
    """Normal p of a sum of signed ranks at least as large, each rank counted with this chance."""
    mean, variance = chance * ranks.sum(), chance * (1 - chance) * np.square(ranks).sum()
    return float(ndtr((mean - statistic) / np.sqrt(variance)))


def _largest(statistic: float, ranks: Floats, alpha: float) -> float | None:
    def excess(gamma: float) -> float:
        return _p_value(statistic, ranks, gamma / (1 + gamma)) - alpha

    if excess(1.0) >= 0:
        return None
    return float(brentq(excess, 1.0, _LARGEST)) if excess(_LARGEST) > 0 else _LARGEST
