"""Curves from what a model says to what is seen: isotonic, Platt, temperature; for ratings a line or a shift."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from equipoise.errors import DataError, nearest

Floats = NDArray[np.float64]
Kind = Literal["isotonic", "platt", "temperature", "linear", "intercept"]
PROBABILITIES: frozenset[str] = frozenset({"isotonic", "platt", "temperature"})
"""The kinds whose outcomes are 0 or 1 and whose values are probabilities."""

_STEPS = 100  # of Newton's method; about ten are needed


@dataclass(frozen=True)
class Curve:
    """A fitted curve; `plain` and `of_plain` carry it through JSON.

    Attributes:
        kind: How it was fitted.
        slope: Of the line; of the log-odds for "platt" and "temperature" (there 1 / temperature).
        intercept: Of the line or of the log-odds.
        knots: For "isotonic": scores, increasing; empty otherwise.
        values: For "isotonic": values at the knots, not decreasing; between knots the curve is linear, beyond
            them the outermost value holds.
    """

    kind: Kind
    slope: float = 1.0
    intercept: float = 0.0
    knots: tuple[float, ...] = ()
    values: tuple[float, ...] = ()

    def __call__(self, scores: ArrayLike) -> Floats:
        """Values at scores of any shape: probabilities, or ratings for "linear" and "intercept"."""
        given = np.asarray(scores, dtype=np.float64)
        if self.kind == "isotonic":
            return np.asarray(np.interp(given, self.knots, self.values), dtype=np.float64)
        line = self.slope * given + self.intercept
        return np.asarray(expit(line) if self.kind in PROBABILITIES else line, dtype=np.float64)

    def plain(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def of_plain(cls, values: dict[str, Any]) -> Self:
        """The inverse of `plain`."""
        return cls(**{**values, "knots": tuple(values["knots"]), "values": tuple(values["values"])})


def fit_curve(kind: Kind, scores: ArrayLike, outcomes: ArrayLike, weights: ArrayLike | None = None) -> Curve:
    """Fit a curve from scores to outcomes.

    - "isotonic": the non-decreasing step function of least squares (Zadrozny & Elkan 2002).
    - "platt": logistic regression on the score, with the smoothed targets of Platt (1999), section 2.2, and a
      slope of at least 0, so that the order is never turned round.
    - "temperature": `scores` are log-odds, which are divided by one number (Guo et al. 2017, section 4.2).
    - "linear": a rating as slope times score plus intercept, by least squares; "intercept": slope 1.

    Args:
        kind: The kind of curve.
        scores: (n,), what the model says.
        outcomes: (n,), what was seen: in [0, 1] for probabilities, any number for ratings.
        weights: (n,), at least 0; None for 1 each.

    Raises:
        DataError: if there is no such kind, nothing with weight to fit to, lengths differ, or a number is out
            of range.
    """
    if kind not in get_args(Kind):
        raise DataError(f"There is no curve called '{kind}'", todo=nearest(kind, get_args(Kind)))
    x, y, w = _checked(kind, scores, outcomes, weights)
    match kind:
        case "isotonic":
            return _isotonic(x, y, w)
        case "platt":
            return _platt(x, y, w)
        case "temperature":
            slope, _ = _logistic(x, y, w, with_intercept=False)
            return Curve(kind, slope=slope)
        case "linear":
            centre, level = np.average(x, weights=w), np.average(y, weights=w)
            spread = np.average((x - centre) ** 2, weights=w)
            slope = float(np.average((x - centre) * (y - level), weights=w) / spread) if spread > 0 else 0.0
            return Curve(kind, slope, float(level - slope * centre))
        case "intercept":
            return Curve(kind, intercept=float(np.average(y - x, weights=w)))


def _checked(
    kind: str, scores: ArrayLike, outcomes: ArrayLike, weights: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Scores, outcomes and weights of the rows that count, sorted, so that their order plays no part."""
    x, y = np.asarray(scores, dtype=np.float64), np.asarray(outcomes, dtype=np.float64)
    w = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or x.shape != w.shape:
        raise DataError(
            f"Scores of shape {x.shape}, outcomes of shape {y.shape} and weights of shape {w.shape} do not fit"
        )
    bad = ~(np.isfinite(x) & np.isfinite(y) & np.isfinite(w) & (w >= 0))
    if bad.any():
        raise DataError(
            "Scores and outcomes must be finite, and weights at least 0",
            where=f"{bad.sum()} of {len(x)} rows",
        )
    if kind in PROBABILITIES and (bad := (y < 0) | (y > 1)).any():
        raise DataError(
            f"Outcomes of a curve of probabilities ({kind}) must lie in [0, 1]",
            where=f"{bad.sum()} of {len(y)} rows",
            todo='Say which outcomes count as a success, or use "linear" or "intercept" for ratings.',
        )
    if not (w > 0).any():
        raise DataError("There is no row with weight to fit a curve to", where=f"{len(x)} rows")
    order = np.lexsort((w, y, x))
    order = order[w[order] > 0]
    return x[order], y[order], w[order]


def _isotonic(x: Floats, y: Floats, w: Floats) -> Curve:
    fitted = IsotonicRegression(out_of_bounds="clip").fit(x, y, sample_weight=w)
    return Curve("isotonic", knots=_numbers(fitted.X_thresholds_), values=_numbers(fitted.y_thresholds_))


def _platt(x: Floats, y: Floats, w: Floats) -> Curve:
    positive, negative = float((w * y).sum()), float((w * (1 - y)).sum())
    high, low = (positive + 1) / (positive + 2), 1 / (negative + 2)
    centre, scale = float(np.average(x, weights=w)), float(np.std(x)) or 1.0
    slope, intercept = _logistic((x - centre) / scale, low + (high - low) * y, w, with_intercept=True)
    return Curve("platt", slope / scale, intercept - slope * centre / scale)


def _logistic(x: Floats, y: Floats, w: Floats, *, with_intercept: bool) -> tuple[float, float]:
    """Slope of at least 0 and intercept of a logistic regression, by Newton's method with halved steps.

    The loss is convex, so that where the best slope is negative, the best allowed one is 0.
    """
    design = np.stack([x, np.ones_like(x)], axis=1)[:, : 1 + with_intercept]
    beta = np.zeros(design.shape[1])

    def loss(candidate: Floats) -> float:
        line = design @ candidate
        return float((w * (np.logaddexp(0.0, line) - y * line)).sum())

    current = loss(beta)
    ridge = 1e-10 * w.sum()  # keeps apart what no finite slope can: scores that part the outcomes entirely
    for _ in range(_STEPS):
        p = expit(design @ beta)
        gradient = design.T @ (w * (p - y))
        curvature = (design * (w * p * (1 - p))[:, None]).T @ design + ridge * np.eye(len(beta))
        step = np.linalg.solve(curvature, gradient)
        pace = 1.0
        while pace > 1e-8 and loss(beta - pace * step) > current:
            pace /= 2
        beta = beta - pace * step
        reached = loss(beta)
        if current - reached <= 1e-12 * max(abs(current), 1.0):
            break
        current = reached
    if beta[0] >= 0:
        return float(beta[0]), float(beta[1]) if with_intercept else 0.0
    level = float(np.average(y, weights=w))
    return 0.0, float(np.log(level / (1 - level))) if with_intercept else 0.0


def _numbers(array: ArrayLike) -> tuple[float, ...]:
    return tuple(float(value) for value in np.asarray(array))
