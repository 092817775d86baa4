"""How well scores tell classes apart, from predictions for users that the scorer never saw.

Values come with the influence of each user, so that users are the unit of every interval. The folds share
training data, which makes their models alike: the intervals are for the mean AUC of the models at hand, given
what they were trained on (LeDell, Petersen and van der Laan, "Computationally efficient confidence intervals
for cross-validated area under the ROC curve estimates", Electronic Journal of Statistics 2015), and do not
speak of other training samples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, stdtrit
from scipy.stats import rankdata

from equipoise.statistics import Estimate, Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_DRAWS = 20_000  # of the largest of some normal numbers; the quantile moves by about 0.01


def cross_validated_auc(scores: Floats, labels: Ints, folds: Ints) -> Estimate:
    """Macro one-against-rest AUC: over classes, the mean of the AUC within folds.

    Only users of one fold, scored by one model, are compared. Pooling the scores of all folds would compare
    scores of different models, and each model's scores lean against the share of classes that its fold holds,
    which takes the AUC of useless features below 0.5 (Airola et al., "An experimental comparison of
    cross-validation techniques for estimating the area under the ROC curve", CSDA 2011). Folds count by their
    number of pairs. Influence values are those of DeLong, DeLong and Clarke-Pearson (Biometrics 1988) within
    folds.

    Args:
        scores: float64 of shape (users, classes), higher for the class.
        labels: Class of each user, 0 to classes - 1; each class is in each fold.
        folds: Fold of each user, 0 to folds - 1.
    """
    users, classes = scores.shape
    influence, value = np.zeros(users), 0.0
    for label in range(classes):
        inside = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
        pairs = np.array([np.sum(labels[rows] == label) * np.sum(labels[rows] != label) for rows in inside])
        for rows, weight in zip(inside, pairs / pairs.sum() / classes, strict=True):
            member = labels[rows] == label
            above = _placements(scores[rows, label], member)
            area = float(above[member].mean())
            value += weight * area
            for side in (member, ~member):
                count = int(side.sum())
                unbiased = np.sqrt(count / max(count - 1, 1))
                influence[rows[side]] += users * weight / count * unbiased * (above[side] - area)
    return Estimate(value, influence)


def balanced_accuracy(predicted: Ints, labels: Ints) -> Estimate:
    """Mean over classes of the share of their users that are predicted right; useless predictions give one
    over the number of classes.

    Args:
        predicted: Class predicted for each user by a model that did not see the user.
        labels: Class of each user, 0 to classes - 1.
    """
    right = (predicted == labels).astype(np.float64)
    counts = np.bincount(labels)
    shares = np.bincount(labels, right) / counts
    scale = len(labels) / (len(counts) * counts[labels])
    return Estimate(float(shares.mean()), scale * (right - shares[labels]))


def joint_intervals(
    estimates: Sequence[Estimate], smallest: int, *, level: float, seed: int
) -> list[Interval]:
    """Intervals of shares that hold together: with probability `level` all of them cover their truths.

    Whoever picks the largest of the estimates may read its interval as it stands. Of one estimate alone it
    is the ordinary interval. On the logit scale, with the quantile of the largest of correlated t variables
    (Hothorn, Bretz and Westfall, "Simultaneous inference in general parametric models", 2008).

    Args:
        estimates: Estimates in [0, 1] from the same users in the same order.
        smallest: Users in the smallest class; less one, the degrees of freedom.
        level: Joint confidence level.
        seed: Root of the draws of the quantile.
    """
    quantile = _quantile(estimates, max(smallest - 1, 1), level, seed)
    return [_on_logit(estimate, quantile, smallest) for estimate in estimates]


def _placements(scores: Floats, member: NDArray[np.bool_]) -> Floats:
    """For members the share of the rest that they outscore, for the rest the share of members that outscore
    them; ties count half.
    """
    overall, found = rankdata(scores), np.empty(len(scores))
    for side in (member, ~member):
        beaten = (overall[side] - rankdata(scores[side])) / (~side).sum()
        found[side] = beaten if side is member else 1 - beaten
    return found


def _quantile(estimates: Sequence[Estimate], freedom: int, level: float, seed: int) -> float:
    moving = [estimate.influence for estimate in estimates if np.ptp(estimate.influence) > 0]
    if len(moving) < 2:
        return float(stdtrit(freedom, 0.5 + level / 2))
    rng = np.random.default_rng([seed, len(moving)])
    normal = rng.multivariate_normal(np.zeros(len(moving)), np.corrcoef(moving), _DRAWS, method="eigh")
    spread = np.sqrt(rng.chisquare(freedom, _DRAWS) / freedom)
    return float(np.quantile(np.abs(normal).max(axis=1) / spread, level))


def _on_logit(estimate: Estimate, quantile: float, smallest: int) -> Interval:
    value, error = estimate.value, estimate.standard_error or 0.0
    users = len(estimate.influence)
    if (
        not 0 < value < 1 or error == 0
    ):  # without an error or a mistake: Wilson's bound for the smallest class
        room = quantile**2 / (smallest + quantile**2)
        return Interval(value, max(0.0, value - room), min(1.0, value + room), users)
    half = quantile * error / (value * (1 - value))
    return Interval(value, float(expit(logit(value) - half)), float(expit(logit(value) + half)), users)
