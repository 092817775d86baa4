"""Do the treated and the others meet at all? Checked before any number is given."""

from __future__ import annotations

import numpy as np

from equipoise.causal.effects.design import Design
from equipoise.causal.effects.nuisances import Nuisances
from equipoise.causal.effects.propensity_weights import arm_weights, clip_of, clipped
from equipoise.causal.effects.regressions import bent, squares
from equipoise.causal.effects.settings import Overlap, Settings
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
    bound = _bound(design, limits.clip)
    counted = design.treatment == 1 if wanted == "att" else np.ones(design.n, dtype=bool)
    beyond = nuisances.raw != clipped(nuisances.raw, bound, wanted)
    moved = float(beyond[counted].mean()) if counted.any() else 0.0
    if moved > limits.largest_share_clipped:
        return (
            f"No overlap: {moved:.1%} of the {'treated' if wanted == 'att' else 'rows'} have a propensity beyond the "
            f"clip of {bound:.2g} (at most {limits.largest_share_clipped:.1%} may)"
        )
    said = np.clip(nuisances.raw, 0.0, 1.0)  # a regression of numbers may leave the range
    return (
        too_little_weight(design, weights, limits)
        or _little_left(design, said, limits)
        or (_separated(design, said) if wanted == "ato" else None)
        or _too_many_covariates(design, nuisances, settings)
    )


def too_little_weight(design: Design, weights: Floats, limits: Overlap) -> str | None:
    """Why weights (n,) leave too few rows or clusters of an arm, in words; None if they do not."""
    for arm, said in ((1.0, "treated"), (0.0, "untreated")):
        rows = design.treatment == arm
        totals = per_cluster(weights[rows], None if design.clusters is None else design.clusters[rows])
        if len(totals) < limits.smallest_arm:
            return f"Only {len(totals)} {said} rows or clusters (at least {limits.smallest_arm} are needed)"
        if not totals.sum() > 0:
            return f"No overlap: none of the {said} is like any of the others"
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


def _bound(design: Design, clip: float | None) -> float:
    """Where overlap ends: at the clip, but not below a propensity of which no row is expected in the arm."""
    return clip_of(design.treatment, None) if clip is None else max(clip, 1 / design.n)


def _little_left(design: Design, e: Floats, limits: Overlap) -> str | None:
    """Whether the covariates all but settle who is treated, in words. Weights may look even then: those of rows
    that are sure of their arm are all small.
    """
    total, mean = float((e * (1 - e)).sum()), float(design.treatment.mean())
    share = total / (design.n * mean * (1 - mean))
    if share >= limits.minimum_overlap_share and 2 * total >= limits.smallest_arm:
        return None
    return (
        f"No overlap: the covariates leave {share:.1%} of the treatment's variance, worth {total:.1f} rows in "
        f"each arm (at least {limits.minimum_overlap_share:.1%} and {limits.smallest_arm / 2:g} are needed)"
    )


def _separated(design: Design, e: Floats) -> str | None:
    """Whether the covariates tell the arms apart, in words.

    A penalised model of arms that are separated says propensities between 0 and 1 still, but misses what was
    done by far less than these allow: Σ(t − e)² is well below Σe(1 − e). Whether by chance is told by the test of
    Spiegelhalter (1986), "Probabilistic prediction in patient management and clinical trials".
    """
    t, variance = design.treatment, e * (1 - e)
    total = float(variance.sum())
    missed = float(((t - e) ** 2).sum())
    chance = float(np.sqrt((variance * (1 - 2 * e) ** 2).sum()))
    if missed < _LEAST_MISSED * total and missed - total < -_SURE * chance:
        return (
            f"No overlap: the covariates tell the arms apart; what was done differs from the propensities by "
            f"{missed / total:.0%} of what these allow"
        )
    return None


def _too_many_covariates(design: Design, nuisances: Nuisances, settings: Settings) -> str | None:
    """Whether a propensity model fitted to the same rows had too many columns for them, in words."""
    if nuisances.folds.any() or not design.covariates.shape[1]:
        return None
    x = design.covariates
    columns = (squares(x, bent(x)) if settings.propensity_model == "quadratic" else x).shape[1]
    rarer = int(min(design.treatment.sum(), design.n - design.treatment.sum()))
    fewest = settings.overlap.fewest_rows_per_covariate
    if rarer >= fewest * columns:
        return None
    return (
        f"Too many covariates: the rarer arm has {rarer} rows for {columns} columns of the propensity model (at least "
        f"{fewest:g} rows for each are needed; method='aipw' is fitted to other rows and needs fewer)"
    )


_LEAST_MISSED = 0.8  # a penalised fit of separated arms comes to 0.39
_SURE = 3.0


def per_cluster(values: Floats, clusters: np.ndarray[tuple[int], np.dtype[np.int64]] | None) -> Floats:
    """Sums of the values within clusters; the values themselves where rows are independent."""
    if clusters is None:
        return values
    labels = np.unique(clusters, return_inverse=True)[1]
    return np.bincount(labels.ravel(), values).astype(np.float64)
