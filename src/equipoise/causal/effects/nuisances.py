"""Propensities and outcome regressions, each row's from models that never saw its cluster (cross-fitting).

Source: Chernozhukov et al. (2018), "Double/debiased machine learning for treatment and structural
parameters", section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.causal.effects.design import BINARY, Design
from equipoise.causal.effects.propensity_weights import clip_of, clipped
from equipoise.causal.effects.regressions import Predictor, fit
from equipoise.causal.effects.settings import Settings
from equipoise.errors import DataError
from equipoise.statistics.interval import Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Nuisances:
    """What is estimated on the way to an effect, out of fold.

    Attributes:
        propensity: (n,), probability of treatment, held within the clip.
        raw: (n,), the same before clipping.
        mu0: (n,), expected outcome without treatment; None where the method needs none.
        mu1: (n,), expected outcome with treatment; None where the method needs none.
        folds: (n,), each row's fold.
        given_mediator: (n,), probability of treatment given mediators and covariates, before clipping; None
            where the method has no mediator.
    """

    propensity: Floats
    raw: Floats
    mu0: Floats | None
    mu1: Floats | None
    folds: Ints
    given_mediator: Floats | None = None

    @property
    def clipped(self) -> NDArray[np.bool_]:
        """Which propensities were moved."""
        return np.asarray(self.raw != self.propensity)


def cross_fit(
    design: Design, settings: Settings, *, outcomes: bool = True, estimand: str | None = None
) -> Nuisances:
    """Fit propensities, and outcome regressions for each arm.

    Args:
        design: The data.
        settings: Models, folds, clip.
        outcomes: Whether outcome regressions are wanted.
        estimand: What the propensities are held for; the settings' own by default.

    Raises:
        DataError: if a fold leaves an arm empty.
    """
    folds = make_folds(design, settings.folds, settings.seed)
    treated = design.treatment == 1
    raw = predict(settings.propensity_model, design.covariates, design.treatment, folds, True, settings.seed)
    clip = clip_of(design.treatment, settings.overlap.clip)
    held = clipped(raw, clip, estimand or settings.estimand)
    mu0 = mu1 = None
    if outcomes:
        binary = design.outcome_kind == BINARY
        arms = [
            predict(
                settings.outcome_model, design.covariates, design.outcome, folds, binary, settings.seed, rows
            )
            for rows in (~treated, treated)
        ]
        mu0, mu1 = arms
    return Nuisances(held, raw, mu0, mu1, folds)


def predict(
    model: Any,
    covariates: Floats,
    outcome: Floats,
    folds: Ints,
    binary: bool,
    seed: int = 0,
    rows: NDArray[np.bool_] | None = None,
) -> Floats:
    """Out-of-fold predictions for all rows, (n,).

    Args:
        model: A nuisance model.
        covariates: (n, p).
        outcome: (n,).
        folds: (n,), each row's fold.
        binary: Whether the outcome is 0 or 1.
        seed: For models that draw.
        rows: Which rows to learn from, (n,); all by default.

    Raises:
        DataError: if no row is left to learn from.
    """
    made = np.empty(len(outcome))
    usable = np.ones(len(outcome), dtype=bool) if rows is None else rows
    fitted: Predictor | None = None
    for fold in np.unique(folds):
        inside, learn = np.flatnonzero(folds == fold), np.flatnonzero(usable & (folds != fold))
        if not len(learn):
            raise empty_arm(int(fold), int(usable.sum()))
        known = covariates.take(learn, axis=0)
        fitted = fit(model, known, outcome.take(learn), binary=binary, seed=seed, start=fitted)
        made[inside] = fitted.predict(covariates.take(inside, axis=0))
    return made


def empty_arm(fold: int, usable: int) -> DataError:
    """The error of an arm all of whose rows lie in one fold."""
    return DataError(
        "A fold of cross-fitting leaves no rows of one arm to learn from",
        where=f"fold {fold}, {usable} usable rows",
        todo="Use fewer folds, or more data: all rows of one arm may lie in one cluster.",
    )


def make_folds(design: Design, folds: int, seed: int) -> Ints:
    """Each row's fold (n,): clusters whole, and treatments and outcomes spread evenly over the folds.

    Raises:
        DataError: if there are fewer clusters than folds.
    """
    if design.n_clusters < folds:
        raise DataError(f"{design.n_clusters} clusters cannot be split into {folds} folds")
    labels = (
        np.arange(design.n) if design.clusters is None else np.unique(design.clusters, return_inverse=True)[1]
    )
    size = np.bincount(labels)
    # rows alike in treatment, and in outcome where it is rare, are dealt out like cards
    treated = np.bincount(labels, design.treatment) / size
    rare = np.bincount(labels, design.outcome) > 0 if design.outcome_kind == BINARY else np.zeros(len(size))
    shuffled = np.random.default_rng([seed, 1]).permutation(len(size))
    order = shuffled[
        np.lexsort((rare[shuffled], treated[shuffled] if design.continuous else treated[shuffled] > 0.5))
    ]
    of_cluster = np.empty(len(size), dtype=np.int64)
    of_cluster[order] = np.arange(len(size)) % folds
    return of_cluster[labels]
