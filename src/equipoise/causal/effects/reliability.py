"""Can the interval be expected to cover as often as it says?

Intervals rest on a normal limit. It is not there yet where an arm holds hardly any event (a rare outcome), where
weights that the sample is too small to show carry much of the variance (poor overlap), where one row carries
much of it (Lindeberg's condition fails), or where the influence values are so skewed that the first
correction to the normal limit is not small.

Poor overlap is judged by the propensities of all rows and not by the weights that happened to be drawn: to
believe samples without a large weight would be to select those whose standard error is too small.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from equipoise.causal.effects.design import BINARY, Design
from equipoise.causal.effects.methods.fitted import Fitted
from equipoise.causal.effects.overlap import per_cluster
from equipoise.causal.effects.propensity_weights import arm_weights
from equipoise.causal.effects.settings import Settings
from equipoise.causal.propensity.diagnostics import effective_sample_size
from equipoise.statistics.interval import Estimate, Floats


def doubt(design: Design, fitted: Fitted, settings: Settings) -> str | None:
    """Why the interval may not cover as often as it says, in words; None where it may be believed."""
    if fitted.estimate is None:
        return None
    limits = settings.overlap
    events = fewest_events(design, fitted)
    if events is not None and events[0] < limits.minimum_events:
        return (
            f"The interval is in doubt: the {events[1]} are worth {events[0]:.1f} equally weighted rows with the "
            f"rarer outcome (at least {limits.minimum_events:g} are needed)"
        )
    unseen = unseen_variance(design, fitted)
    if unseen > limits.largest_unseen_share:
        return (
            f"The interval is in doubt: {unseen:.0%} of the variance lies where less than one row of an arm is "
            f"expected (at most {limits.largest_unseen_share:.0%} may)"
        )
    squares = fitted.estimate.sums**2
    share = float(squares.max() / squares.sum())
    if not share <= limits.largest_variance_share:
        return (
            f"The interval is in doubt: one row or cluster carries {share:.0%} of the variance "
            f"(at most {limits.largest_variance_share:.0%} may)"
        )
    missing = coverage_error(fitted.estimate, settings.level)
    if missing < -limits.largest_coverage_error:
        return (
            f"The interval is in doubt: the influence of rows is so skewed that it is expected to "
            f"cover {settings.level + missing:.1%} where it says {settings.level:.0%}"
        )
    return None


def fewest_events(design: Design, fitted: Fitted) -> tuple[float, str] | None:
    """Effective number of cases, (Σ w c)² / Σ (w c)², in the arm that has fewer, and that arm's name.

    A case is a row of the rarer outcome in its arm; where the outcome is a number that is mostly the same (money
    spent, mostly none), a row with another. None for other numbers, and where the treatment is an amount.
    """
    if design.continuous:
        return None
    usual = _usual(design)
    if usual is None:
        return None
    cases = (design.outcome != usual).astype(np.float64)
    weights: Floats = np.ones(design.n)
    if fitted.nuisances is not None:
        weights = arm_weights(fitted.nuisances.propensity, design.treatment, fitted.estimand)
    found = []
    for arm, said in ((1.0, "treated"), (0.0, "untreated")):
        rows = design.treatment == arm
        clusters = None if design.clusters is None else design.clusters[rows]
        for counted in (cases, 1 - cases) if design.outcome_kind == BINARY else (cases,):
            totals = per_cluster(weights[rows] * counted[rows], clusters)
            found.append((effective_sample_size(totals) if totals.any() else 0.0, said))
    return min(found)


def _usual(design: Design) -> float | None:
    """The outcome of most rows, if there is such a value."""
    values, counts = np.unique(design.outcome, return_counts=True)
    most = int(counts.argmax())
    return float(values[most]) if 2 * counts[most] >= design.n else None


def unseen_variance(design: Design, fitted: Fitted) -> float:
    """Share of the variance that the rarest rows are expected to carry, those of which an arm will hold less than
    one; the larger of both arms' shares. 0 where the method has no propensities.

    For the average effect a row with propensity e adds 1/e to the expected variance of the treated arm, whether
    it was treated or not, and e to the number of treated expected to be like it. Without the rarest part, a
    share s, the standard error is short by the factor √(1 − s): at 0.25 an interval of 95 % still covers 91 %.
    """
    if fitted.nuisances is None or fitted.estimand == "ato":
        return 0.0
    e = fitted.nuisances.propensity
    arms = [(1 - e, e**2 / (1 - e))] if fitted.estimand == "att" else [(e, 1 / e), (1 - e, 1 / (1 - e))]
    shares = []
    for chance, variance in arms:
        order = np.argsort(chance)
        rare = np.cumsum(chance[order]) <= 1
        shares.append(float(variance[order][rare].sum() / variance.sum()))
    return max(shares)


def coverage_error(estimate: Estimate, level: float) -> float:
    """First-order error of the coverage of a Studentised interval, from the skewness and kurtosis of the influence
    values; negative where it covers too little.

    Source: Hall (1992), "The bootstrap and Edgeworth expansion", section 2.6, of the t statistic; the term of
    the degrees of freedom is left to the t quantile.
    """
    moved = estimate.sums
    square = moved * moved
    spread = float(square.sum())
    if spread <= 0:
        return 0.0
    skew = float((square @ moved) ** 2 / spread**3)
    kurtosis = float(square @ square / spread**2) - 3 / len(moved)
    z = float(ndtri(0.5 + level / 2))
    density = float(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))
    return 2 * z * density * (kurtosis / 12 * (z**2 - 3) - skew / 18 * (z**4 + 2 * z**2 - 3))
