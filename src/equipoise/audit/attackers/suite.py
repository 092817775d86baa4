"""How well can an attribute be read from what a recommender holds or shows?

views(recommendations, users, train=train)            # lists, scores, profile: one row per user
infer_attribute(matrix, labels, seed=0)               # AUC and balanced accuracy of fresh attackers

Attackers are trained after the recommender is frozen, on some users, and asked about others (Beigi et al.,
"Privacy-aware recommendation with private-attribute protection using adversarial learning", WSDM 2020). A low
value clears the views and attackers that were tried, and nothing else.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from equipoise.audit.attackers.discrimination import balanced_accuracy, cross_validated_auc, joint_intervals
from equipoise.audit.attackers.examples import Examples, Matrix
from equipoise.audit.attackers.views import views
from equipoise.errors import ConfigError, nearest
from equipoise.statistics import Estimate, Interval

__all__ = ["ATTACKERS", "AUC", "BALANCED_ACCURACY", "Attacker", "infer_attribute", "views"]

AUC: Final = "auc"
BALANCED_ACCURACY: Final = "balanced_accuracy"
MAJORITY: Final = "majority"
PERMUTED: Final = "permuted labels"

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Attacker:
    """A scikit-learn classifier to be trained.

    Attributes:
        build: The classifier for a seed and a number of users.
        reads: `whole`: all features, scaled; `compact`: at most `width` of them (by truncated SVD where there
            are more, unscaled); `scaled`: those, standardised.
        weighted: Whether classes are balanced by sample weights, where the classifier takes them; otherwise
            its probabilities are divided by the classes' shares.
    """

    build: Callable[[int, int], Any]
    reads: str = "compact"
    weighted: bool = True


def _logistic(seed: int, users: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=0.1, max_iter=200, random_state=seed)


def _gradient_boosting(seed: int, users: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=40,
        learning_rate=0.15,
        max_leaf_nodes=8,
        max_bins=63,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )


def _mlp(seed: int, users: int) -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier((64, 32), alpha=5.0, batch_size=128, max_iter=16, random_state=seed)


def _nearest_neighbours(seed: int, users: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(math.isqrt(users), algorithm="brute")


ATTACKERS: Final[Mapping[str, Attacker]] = {
    "logistic": Attacker(_logistic, "whole"),
    "gradient_boosting": Attacker(_gradient_boosting, weighted=False),  # bins slowly with weights
    "mlp": Attacker(_mlp, "scaled"),
    "nearest_neighbours": Attacker(_nearest_neighbours),
}
"""The attackers that are tried where none are named."""


def infer_attribute(
    features: Any,
    labels: Any,
    *,
    attackers: Sequence[str] | Mapping[str, Attacker] | None = None,
    folds: int = 5,
    level: float = 0.95,
    seed: int = 0,
    max_users: int = 20_000,
    min_class: int = 1,
    width: int = 64,
) -> pl.DataFrame:
    """Train fresh attackers to read the attribute, and measure them on users they did not see.

    Stratified folds; scaling and reduction are fitted to the training folds only. Classes weigh the same:
    through sample weights, or by dividing a classifier's probabilities by the classes' shares. The same seed
    gives the same answer for any order of rows.

    Users whose label is null, NaN or "unknown" are left out, and counted; classes with fewer members than
    `min_class` or folds are dropped, and named. Of more than `max_users`, a random sample is taken.

    Args:
        features: One row per user: an array, a SciPy sparse matrix, or a frame of numbers (whose `user_id`, if
            any, is no feature).
        labels: The attribute of each row's user.
        attackers: Names out of `ATTACKERS`, or attackers of one's own by name.
        folds: Number of folds, at least 2.
        level: Confidence level of the intervals.
        seed: Root of folds, samples, permutation and training.
        max_users: Most users that are used.
        min_class: Fewest users of a class; of a sample, as many as folds are enough.
        width: Features that remain for the learners that cannot take many.

    Returns:
        `attacker`, `metric` (`auc`: macro one against rest, 0.5 for useless features; `balanced_accuracy`:
        useless gives one over the number of classes), `value`, `low`, `high`, `users`, `control` (rows that
        must sit at chance: always the majority, and the strongest attacker trained on permuted labels),
        `strongest` (highest AUC), then `classes`, `unknown` (users without label), `dropped` (classes too
        small), `sampled_from` (users before sampling). The intervals of the attackers hold together, so that
        the one of the strongest allows for its being picked.

    Raises:
        DataError: if rows and labels differ in number, features are no finite numbers, a user comes twice, or
            fewer than two classes are left.
        ConfigError: if an attacker's name, `folds`, `level`, `max_users` or `width` cannot be used.
    """
    chosen = _chosen(attackers)
    for name, number, least in (
        ("folds", folds, 2),
        ("max_users", max_users, 2 * folds),
        ("width", width, 1),
    ):
        if number < least:
            raise ConfigError(f"`{name}` is {number}", todo=f"Give at least {least}.")
    if not 0 < level < 1:
        raise ConfigError(
            f"The confidence level is {level}", todo="Give a number between 0 and 1, as in 0.95."
        )
    examples = Examples.of(
        features, labels, smallest=max(folds, min_class), folds=folds, most=max_users, seed=seed
    )
    smallest = int(np.bincount(examples.labels).min())
    divided = _divided(examples.matrix, examples.labels, folds, seed, width)
    attacked = {
        name: _estimates(divided, examples.labels, attacker, seed) for name, attacker in chosen.items()
    }
    strongest = max(attacked, key=lambda name: attacked[name][AUC].value)
    shuffled = np.random.default_rng([seed, folds]).permutation(examples.labels)
    divided = _divided(examples.matrix, shuffled, folds, seed, width)
    permuted = _estimates(divided, shuffled, chosen[strongest], seed)
    rows = []
    for metric, chance in ((AUC, 0.5), (BALANCED_ACCURACY, 1 / len(examples.classes))):
        together = joint_intervals(
            [found[metric] for found in attacked.values()], smallest, level=level, seed=seed
        )
        rows += [
            _row(name, metric, interval, strongest=name == strongest)
            for name, interval in zip(attacked, together, strict=True)
        ]
        exact = Interval(chance, chance, chance, len(examples.labels))
        rows.append(_row(MAJORITY, metric, exact, control=True))
        (alone,) = joint_intervals([permuted[metric]], smallest, level=level, seed=seed)
        rows.append(_row(PERMUTED, metric, alone, control=True))
    return pl.DataFrame(rows).with_columns(
        pl.lit(len(examples.classes)).alias("classes"),
        pl.lit(examples.unknown).alias("unknown"),
        pl.Series("dropped", [list(examples.dropped)] * len(rows), dtype=pl.List(pl.String)),
        pl.lit(examples.known).alias("sampled_from"),
    )


def _chosen(attackers: Sequence[str] | Mapping[str, Attacker] | None) -> Mapping[str, Attacker]:
    if attackers is None:
        return ATTACKERS
    if isinstance(attackers, Mapping):
        return attackers
    for name in attackers:
        if name not in ATTACKERS:
            raise ConfigError(f"There is no attacker called '{name}'", todo=nearest(name, ATTACKERS))
    return {name: ATTACKERS[name] for name in attackers}


def _row(
    attacker: str, metric: str, interval: Interval, *, control: bool = False, strongest: bool = False
) -> dict[str, Any]:
    measured = {"attacker": attacker, "metric": metric, **interval.as_dict(), "users": interval.n}
    return {**measured, "control": control, "strongest": strongest}


def _divided(matrix: Matrix, labels: Ints, folds: int, seed: int, width: int) -> list[_Representations]:
    """The features by fold, as all attackers of these labels are given them."""
    from sklearn.model_selection import StratifiedKFold

    splits = StratifiedKFold(folds, shuffle=True, random_state=seed).split(labels, labels)
    return [_Representations(matrix, known, asked, width, seed) for known, asked in splits]


def _estimates(
    divided: Sequence[_Representations], labels: Ints, attacker: Attacker, seed: int
) -> dict[str, Estimate]:
    """Both metrics of one attacker, each user scored by the model that did not see it."""
    from sklearn.base import clone
    from threadpoolctl import threadpool_limits

    scores, fold = np.zeros((len(labels), int(labels.max()) + 1)), np.zeros(len(labels), dtype=np.int64)
    model = attacker.build(
        seed, len(labels)
    )  # before the limit, which holds libraries that are loaded by then
    with threadpool_limits(1), warnings.catch_warnings():  # sums of one thread are the same everywhere
        warnings.filterwarnings(
            "ignore", category=UserWarning, module="sklearn"
        )  # not yet converged: still trained
        for number, seen in enumerate(divided):
            fold[seen.asked] = number
            scores[seen.asked] = _probabilities(
                clone(model), getattr(seen, attacker.reads), labels[seen.known], attacker.weighted
            )
    return {
        AUC: cross_validated_auc(scores, labels, fold),
        BALANCED_ACCURACY: balanced_accuracy(scores.argmax(axis=1), labels),
    }


def _probabilities(model: Any, features: tuple[Any, Any], labels: Ints, weighted: bool) -> Floats:
    """Probability of each class for the users asked about, were all classes equally frequent."""
    from sklearn.utils.validation import has_fit_parameter

    (known, asked), counts = features, np.bincount(labels)
    if weighted and has_fit_parameter(model, "sample_weight"):
        model.fit(known, labels, sample_weight=(len(labels) / (len(counts) * counts))[labels])
        return np.asarray(model.predict_proba(asked), dtype=np.float64)
    odds = np.asarray(model.fit(known, labels).predict_proba(asked)) / counts
    return np.asarray(odds / odds.sum(axis=1, keepdims=True), dtype=np.float64)


@dataclass(frozen=True)
class _Representations:
    """The features of known and of asked users, as learners take them; fitted to the known alone."""

    matrix: Matrix
    known: Ints
    asked: Ints
    width: int
    seed: int

    @cached_property
    def whole(self) -> tuple[Any, Any]:
        from sklearn.preprocessing import MaxAbsScaler, StandardScaler

        scaler = MaxAbsScaler() if sparse.issparse(self.matrix) else StandardScaler()
        return self._fitted(scaler, self.matrix[self.known], self.matrix[self.asked])

    @cached_property
    def compact(self) -> tuple[Any, Any]:
        from sklearn.decomposition import TruncatedSVD

        if self.matrix.shape[1] <= self.width:
            known, asked = self.whole
            return (known.toarray(), asked.toarray()) if sparse.issparse(self.matrix) else (known, asked)
        known, asked = (self.matrix[self.known], self.matrix[self.asked])
        reduction = TruncatedSVD(min(self.width, len(self.known) - 1), random_state=self.seed)
        return self._fitted(reduction, known, asked)

    @cached_property
    def scaled(self) -> tuple[Any, Any]:
        from sklearn.preprocessing import StandardScaler

        return self._fitted(StandardScaler(), *self.compact)

    @staticmethod
    def _fitted(transform: Any, known: Any, asked: Any) -> tuple[Any, Any]:
        return transform.fit_transform(known), transform.transform(asked)
