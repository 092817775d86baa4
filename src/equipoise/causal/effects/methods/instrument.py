"""Instruments: two-stage least squares, with an interval that stays right when the instrument is weak.

The interval inverts the test of Anderson and Rubin (1949), "Estimation of the parameters of a single equation
in a complete system of stochastic equations", made robust to clusters: with one instrument it loses nothing
against Wald's where the instrument is strong, and covers where it is not (Andrews, Stock and Sun 2019, "Weak
instruments in instrumental variables regression", section 5).
"""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from equipoise.causal.effects.design import Design
from equipoise.causal.effects.methods.fitted import Fitted
from equipoise.causal.effects.overlap import per_cluster
from equipoise.causal.effects.settings import Settings
from equipoise.errors import ConfigError
from equipoise.statistics.interval import Estimate, Floats, Interval


def two_stage_least_squares(design: Design, settings: Settings) -> Fitted:
    """`Σ z̃ y / Σ z̃ t`, z̃ what the covariates leave of the instrument.

    With a binary instrument and treatment and no defiers this is the effect on those whom the instrument
    moves (Imbens and Angrist 1994, "Identification and estimation of local average treatment effects").

    Raises:
        ConfigError: if no instrument is named.
    """
    if design.instrument is None:
        raise ConfigError("The method 'iv' needs an instrument", todo="Name its column: instrument='...'.")
    if refusal := _too_few(design, settings.overlap.smallest_arm):
        return Fitted("late", refusal=refusal)
    x = np.column_stack([np.ones(design.n), design.covariates])
    z, t, y = (_residual(x, column) for column in (design.instrument, design.treatment, design.outcome))
    if z.std() <= 1e-9 * max(1.0, design.instrument.std()):
        return Fitted("late", refusal="The covariates leave nothing of the instrument")
    strength = float(z @ t / (z @ z))
    first = Estimate(strength, z * (t - strength * z) / (z @ z / design.n), design.clusters)
    error = first.standard_error
    f = float("inf") if not error else (strength / error) ** 2
    details = {"first_stage": strength, "first_stage_f": f}
    limit = settings.overlap.minimum_first_stage
    if f < limit:
        return Fitted("late", refusal=f"Weak instrument: first-stage F is {f:.1f} (at least {limit:g} is needed)",
                      details=details)  # fmt: skip
    value = float(z @ y / (z @ t))
    estimate = Estimate(value, z * (y - value * t) / (z @ t / design.n), design.clusters)
    ends = anderson_rubin(z * y, z * t, design.clusters, settings.level)
    if ends is None:
        return Fitted("late", refusal=f"Weak instrument: its interval has no ends (first-stage F {f:.1f})",
                      details=details)  # fmt: skip
    wald = estimate.interval(settings.level)
    reduced = Estimate(float((z * y).mean()), z * y - (z * y).mean(), design.clusters)
    return Fitted(
        "late",
        estimate,
        interval=Interval(value, *ends, wald.n),
        details={
            **details,
            "interval": "Anderson-Rubin",
            "wald": [wald.low, wald.high],
            "p_value": reduced.p_value(),
        },
    )


def anderson_rubin(
    zy: Floats, zt: Floats, clusters: np.ndarray[tuple[int], np.dtype[np.int64]] | None, level: float
) -> tuple[float, float] | None:
    """All effects θ at which the mean of z(y − θt) does not differ from 0; None where these have no ends.

    `(Σ(a − θb))² ≤ q² C/(C−1) Σ(a − θb − mean)²` over clusters is a quadratic in θ.

    Args:
        zy: (n,), instrument times outcome, both residuals.
        zt: (n,), instrument times treatment.
        clusters: (n,) or None.
        level: Confidence level.
    """
    a, b = per_cluster(zy, clusters), per_cluster(zt, clusters)
    count = len(a)
    q2 = float(stdtrit(count - 1, 0.5 + level / 2)) ** 2 * count / (count - 1)
    ca, cb = a - a.mean(), b - b.mean()
    square = float(b.sum() ** 2 - q2 * (cb @ cb))
    linear = float(-2 * (a.sum() * b.sum() - q2 * (ca @ cb)))
    constant = float(a.sum() ** 2 - q2 * (ca @ ca))
    inside = linear**2 - 4 * square * constant
    if square <= 0 or inside < 0:
        return None
    root = float(np.sqrt(inside))
    return (-linear - root) / (2 * square), (-linear + root) / (2 * square)


def _too_few(design: Design, fewest: int) -> str | None:
    """Whether rows or clusters are too few for a normal limit, in words: in all, and at each of two values."""
    assert design.instrument is not None
    values = np.unique(design.instrument)
    parts = [design.instrument == value for value in values] if len(values) == 2 else []
    for rows, said in (
        (np.ones(design.n, dtype=bool), ""),
        *((part, " at one value of the instrument") for part in parts),
    ):
        count = int(rows.sum()) if design.clusters is None else len(np.unique(design.clusters[rows]))
        if count < fewest:
            return f"Only {count} rows or clusters{said} (at least {fewest} are needed)"
    return None


def _residual(x: Floats, column: Floats) -> Floats:
    return np.asarray(column - x @ np.linalg.lstsq(x, column, rcond=None)[0])
