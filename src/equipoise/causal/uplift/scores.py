"""What rankings and policies are judged by: one unbiased score of the effect per row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.causal.effects import Effect
from equipoise.causal.heterogeneity.features import cluster_labels, numbers
from equipoise.errors import DataError
from equipoise.statistics.interval import Floats


def randomised_scores(treatment: ArrayLike, outcome: ArrayLike, propensity: ArrayLike) -> Floats:
    """Scores (n,) of a randomised treatment, unbiased for each row's effect.

    `ȳ₁ − ȳ₀ + t (y − ȳ₁)/e − (1 − t)(y − ȳ₀)/(1 − e)`, with ȳ the mean of each arm; over all rows they average
    to the difference of means where e is the share treated.

    Args:
        treatment: (n,), 0 or 1.
        outcome: (n,).
        propensity: The known probability of treatment, one number or (n,), inside (0, 1).

    Raises:
        DataError: if lengths differ, a number is none or out of range, or an arm is empty.
    """
    t, y = numbers("treatments", treatment), numbers("outcomes", outcome)
    if t.ndim != 1 or t.shape != y.shape:
        raise DataError(f"Treatments of shape {t.shape} do not fit outcomes of shape {y.shape}")
    if not np.isin(t, (0.0, 1.0)).all() or len(np.unique(t)) < 2:
        raise DataError("The treatment must be 0 or 1, and both must occur")
    e = numbers("probabilities of treatment", propensity)
    if e.ndim and e.shape != t.shape:
        raise DataError(f"Probabilities of treatment of shape {e.shape} do not fit {len(t)} rows")
    e = np.broadcast_to(e, t.shape)
    wrong = int((~((e > 0) & (e < 1))).sum())
    if wrong:
        raise DataError(
            "Some probabilities of treatment are not inside (0, 1)",
            where=f"{wrong} of {len(e)} rows",
            todo="Leave out rows that could only go one way.",
        )
    control, treated = y[t == 0].mean(), y[t == 1].mean()
    return np.asarray(
        treated - control + t * (y - treated) / e - (1 - t) * (y - control) / (1 - e), dtype=np.float64
    )


def effect_scores(
    scores: Effect | ArrayLike | None,
    treatment: ArrayLike | None,
    outcome: ArrayLike | None,
    propensity: ArrayLike | None,
    clusters: ArrayLike | None,
) -> tuple[Floats, NDArray[Any] | None]:
    """Scores (n,) and clusters, from an effect, from given scores, or from a randomised treatment.

    Raises:
        DataError: if there is neither: outcomes of a treatment that was not randomised say nothing of effects.
    """
    labels: Any = clusters
    if scores is None:
        if treatment is None or outcome is None or propensity is None:
            raise DataError(
                "There is nothing to judge by: outcomes alone do not show what treatment changes",
                todo="Pass an effect estimated by AIPW (or its scores), or treatment and outcome together with the "
                "probability by which the treatment was randomised.",
            )
        values = randomised_scores(treatment, outcome, propensity)
    elif isinstance(scores, Effect):
        values = rows_scores(scores)
        labels = scores.design.clusters if clusters is None else clusters
    else:
        values = numbers("scores", scores)
    if values.ndim != 1 or not len(values):
        raise DataError(f"Scores of shape {values.shape} are not one per row")
    return values, cluster_labels(labels)


def rows_scores(effect: Effect) -> Floats:
    """The scores (n,) of an effect, each unbiased for its row.

    Raises:
        DataError: if the effect was refused, or is not one whose scores belong to single rows.
    """
    if effect.scores is None or effect.estimand != "ate":
        raise DataError(
            f"The effect ({effect.estimand}) estimated by '{effect.method}' has no scores of single rows",
            where=effect.reason,
            todo="Estimate the average effect by AIPW, where there is overlap.",
        )
    return effect.scores
