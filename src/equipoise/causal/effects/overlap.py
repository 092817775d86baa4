"""Do the treated and the others meet at all? Checked before any number is given."""

from __future__ import annotations

import numpy as np

from equipoise.causal.effects.design import Design
from equipoise.causal.effects.nuisances import Nuisances
from equipoise.causal.effects.propensity_weights import arm_weights, clip_of
from equipoise.causal.effects.settings import Settings
from equipoise.causal.propensity.diagnostics import effective_sample_size
from equipoise.statistics.interval import Floats


def lack_of_overlap(
    design: Design, nuisances: Nuisances, settings: Settings, estimand: str | None = None
) -> str | None:
    """Why the arms cannot be compared, in words; None if they can.

    Each estimand is judged by its own weights: the untreated whom nobody treated resembles do not matter to
    the effect on the treated, and overlap weights are never large.
    """
    limits, wanted = settings.overlap, estimand or settings.estimand
    weights = arm_weights(nuisances.propensity, design.treatment, wanted)
    counted = design.treatment == 1 if wanted == "att" else np.ones(design.n, dtype=bool)
    moved = float(nuisances.clipped[counted].mean()) if counted.any() else 0.0
    if moved > limits.largest_share_clipped:
        return (
            f"No overlap: {moved:.1%} of the {'treated' if wanted == 'att' else 'rows'} have a propensity beyond the "
            f"clip of {clip_of(design.treatment, limits.clip):.2g} (at most {limits.largest_share_clipped:.1%} may)"
        )
    for arm, said in ((1.0, "treated"), (0.0, "untreated")):
        rows = design.treatment == arm
        totals = per_cluster(weights[rows], None if design.clusters is None else design.clusters[rows])
        if len(totals) < limits.smallest_arm:
            return f"Only {len(totals)} {said} rows or clusters (at least {limits.smallest_arm} are needed)"
        size = effective_sample_size(totals)
        if size < limits.minimum_effective_sample_size:
            return (
                f"Little overlap: the {said} are worth {size:.0f} equally weighted rows or clusters "
                f"(at least {limits.minimum_effective_sample_size:g} are needed)"
            )
        largest = float(totals.max() / totals.sum())
        if largest > limits.largest_weight_share:
            return (
                f"Little overlap: one row or cluster carries {largest:.0%} of the weight of the {said} "
                f"(at most {limits.largest_weight_share:.0%} may)"
            )
    return None


def per_cluster(values: Floats, clusters: np.ndarray[tuple[int], np.dtype[np.int64]] | None) -> Floats:
    """Sums of the values within clusters; the values themselves where rows are independent."""
    if clusters is None:
        return values
    labels = np.unique(clusters, return_inverse=True)[1]
    return np.bincount(labels.ravel(), values).astype(np.float64)
