"""IHDP, where every row's effect is known: how far each learner is from it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from benchmarks import data
from benchmarks.row import Part, Row
from equipoise.causal.heterogeneity import DRLearner, EconMLLearner, Learner, TLearner, XLearner

LINEAR_T = {1: 0.583, 2: 0.688, 3: 0.644, 4: 0.674, 5: 1.011}

_MODELS = ("linear", "quadratic", "forest", "boosting", "gaussian_process", "best")
_LEARNERS: dict[str, Learner] = {
    **{f"T {model}": TLearner(outcome_model=model) for model in _MODELS},
    **{f"X {model}": XLearner(outcome_model=model, effect_model=model) for model in ("linear", "quadratic")},
    "X quadratic, linear effect": XLearner(outcome_model="quadratic"),
    **{
        f"DR {model}": DRLearner(outcome_model=model, effect_model=model) for model in ("linear", "quadratic")
    },
    "DR quadratic, linear effect": DRLearner(outcome_model="quadratic"),
    "EconML causal forest": EconMLLearner(),
}


def replication(number: int) -> dict[str, NDArray[np.float64]]:
    """One replication of IHDP: features and factual outcomes apart from the answers."""
    table = np.loadtxt(data.folder("ihdp") / f"ihdp_npci_{number}.csv", delimiter=",")
    return {"t": table[:, 0], "y": table[:, 1], "effect": table[:, 4] - table[:, 3], "x": table[:, 5:]}


def _error(setting: str, seed: int, folder: Path) -> Part:
    rows: dict[str, Any] = replication(seed)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # a kernel's scale at its bound is a good answer here
        found = _LEARNERS[setting].fit(rows["x"], rows["t"], rows["y"]).effect(rows["x"])
    error = found - rows["effect"]
    values = {
        "root PEHE": float(np.sqrt(np.mean(error**2))),
        "error of the ATE": float(abs(error.mean())),
    }
    return Part(values)


ROWS = [
    Row(
        "ihdp",
        "IHDP replications 1 to 5, 747 rows, 25 features; fitted on factual outcomes only, effects of the same rows "
        "against mu1 - mu0; models chosen by cross-validation on factual outcomes",
        dict.fromkeys(_LEARNERS, (1, 2, 3, 4, 5)),
        _error,
        "linear T-learner .583 .688 .644 .674 1.011 (mean .72), the best learner less",
    )
]
