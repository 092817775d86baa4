"""The unadjusted difference of means, shown beside every effect."""

from __future__ import annotations

from equipoise.causal.effects.design import Design
from equipoise.statistics.interval import Estimate, Interval


def naive_difference(design: Design, level: float = 0.95) -> Interval:
    """Mean outcome of the treated minus that of the others, or the slope on a continuous treatment, with its
    cluster-robust interval.
    """
    t, y = design.treatment, design.outcome
    centred = t - t.mean()
    slope = float(centred @ y / (centred @ centred))
    residual = y - y.mean() - slope * centred
    return Estimate(slope, centred * residual / (centred**2).mean(), design.clusters).interval(level)
