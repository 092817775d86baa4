"""Kinds of gap: what is made of a metric's values by group. `m_g` is the mean of the metric over the users of
group `g`.
"""

from __future__ import annotations

from typing import Final

from equipoise.metrics.definitions.definition import Definition

_CELLS = "Only groups with enough measured users enter; with fewer than two such groups there is no gap."
_POSITIVE = _CELLS + " Undefined where a mean is 0 or below."
_BIAS = "Above 0 by chance alone, more so with more groups: read it against its permutation null."

GAPS: Final = (
    Definition(
        name="difference",
        title="Difference",
        formula="m_a − m_b of two groups, a the larger; max_g m_g − min_g m_g of more than two",
        low=None,
        high=None,
        fair=0,
        unit="unit of the metric",
        better="neither",
        level="gap",
        source="Ekstrand et al. (2018), All the cool kids, how do they fit in?",
        guard=_CELLS,
        note="Over more than two groups it is above 0 by chance alone: read it against its permutation null.",
    ),
    Definition(
        name="ratio",
        title="Ratio",
        formula="min_g m_g / max_g m_g",
        low=0,
        high=1,
        fair=1,
        unit="ratio",
        better="high",
        level="gap",
        source="Feldman et al. (2015), Certifying and removing disparate impact",
        guard=_POSITIVE,
    ),
    Definition(
        name="disparity",
        title="Disparity",
        formula="max_g m_g / min_g m_g − 1",
        low=0,
        high=None,
        fair=0,
        unit="ratio",
        better="low",
        level="gap",
        source="Feldman et al. (2015), Certifying and removing disparate impact",
        guard=_POSITIVE,
        note=_BIAS,
    ),
    Definition(
        name="worst group",
        title="Worst group",
        formula="min_g m_g, or max_g m_g where low values are better",
        low=None,
        high=None,
        fair=None,
        unit="unit of the metric",
        better="neither",
        level="gap",
        source="Hashimoto et al. (2018), Fairness without demographics in repeated loss minimization",
        guard=_CELLS,
        note="Fair where it equals the mean over all users.",
    ),
    Definition(
        name="between-group variance",
        title="Between-group variance",
        formula="mean over groups of (m_g − mean of the m_g)²",
        low=0,
        high=None,
        fair=0,
        unit="unit of the metric, squared",
        better="low",
        level="gap",
        source="Wu et al. (2021), Fairness-aware news recommendation with decomposed adversarial learning",
        guard=_CELLS,
        note=_BIAS,
    ),
    Definition(
        name="kolmogorov-smirnov",
        title="Kolmogorov-Smirnov distance",
        formula="max over pairs of groups of sup_x |F_a(x) − F_b(x)|, F the distribution of users' values",
        low=0,
        high=1,
        fair=0,
        unit="probability",
        better="low",
        level="gap",
        source="Smirnov (1948), Table for estimating the goodness of fit of empirical distributions",
        guard=_CELLS,
        note="With thousands of users any distance is significant: read its size.",
    ),
    Definition(
        name="wasserstein",
        title="Wasserstein distance",
        formula="max over pairs of groups of ∫ |F_a(x) − F_b(x)| dx, F the distribution of users' values",
        low=0,
        high=None,
        fair=0,
        unit="unit of the metric",
        better="low",
        level="gap",
        source="Vallender (1974), Calculation of the Wasserstein distance between probability distributions",
        guard=_CELLS,
        note=_BIAS,
    ),
)
