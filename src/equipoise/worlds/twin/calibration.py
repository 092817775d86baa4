"""What makes a twin's log come out like the log it is made from: appetite and weights, solved for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from equipoise.worlds.laws import Matrix
from equipoise.worlds.twin.exposure import Exposure
from equipoise.worlds.twin.record import Record
from equipoise.worlds.twin.schedule import Schedule

Floats = NDArray[np.float64]

_ROUNDS = 40
_STEP = 0.8
_SMOOTH = 0.5  # events added to each item's count, so that none is impossible
_SHRINK = 2.0  # clicks as expected, added to each item's where impressions are logged
_CLOSE = 5e-3
_CERTAIN = 6.0  # log-odds of a click beyond which no preference goes
_STRONGEST = 6.0


@dataclass(frozen=True)
class Calibrated:
    """A logger and a taste that make the log's marginals.

    Attributes:
        appetite: Log-odds of a click given examination, (users, items).
        leaning: What the logger adds to an item's push for a user, (users, items).
        push: What the logger does for each item, whoever the user, on the same scale.
        seen: Expected impressions of each item for each user over the log, (users, items).
        floor: Share of exposure spread evenly.
    """

    appetite: Matrix
    leaning: Matrix
    push: Floats
    seen: Matrix
    floor: float

    def weights(self, leaning: Matrix) -> Matrix:
        """The logger's weights with another leaning of some users, each row a distribution."""
        scores = leaning + self.push.astype(np.float32)
        return _weights(scores, self.floor)


def calibrate(
    log: Record,
    schedule: Schedule,
    ratio: Matrix,
    follow: Floats,
    *,
    strength: float,
    popularity: float,
    floor: float,
) -> Calibrated:
    """Solve for the level of each user's appetite, each item's quality and each item's push by the logger.

    Expected clicks of each user and each item come out as counted. Where impressions are logged, so do the
    impressions of each item; else `popularity` says which part of an item's popularity is the logger's push,
    and the spread of taste is such that clicks follow `ratio` as they do in the log.

    Args:
        log: What is to come out.
        schedule: Visits and slates.
        ratio: Log of how much more often than expected a user goes to an item, (users, items).
        follow: How strongly the logger follows the taste of each user.
        strength: Log-odds of preference per unit of `ratio`; where only clicks are logged, log-ratio of clicks.
        popularity: Share of the logarithm of popularity that is push, in 0..1.
        floor: Share of exposure spread evenly.
    """
    n_users, n_items = log.shape
    exposure = Exposure(schedule.visits, schedule.examination, schedule.once, n_items)
    clicks_of_user = log.by_user.astype(np.float64)
    clicks_of_item = np.asarray(log.by_item + _SMOOTH, dtype=np.float64)
    clicks_of_item = np.asarray(clicks_of_item * (clicks_of_user.sum() / clicks_of_item.sum()))
    popular = np.log(clicks_of_item / clicks_of_item.mean())
    push, quality, shown, pull = popularity * popular, (1 - popularity) * popular, None, None
    if log.shown is not None:
        counted = np.bincount(log.shown.item, minlength=n_items) + _SMOOTH
        shown = counted * (schedule.visits.sum() * schedule.length / counted.sum())
        push, quality = np.log(shown / shown.mean()), np.zeros(n_items)
    elif ratio.any():
        pull = _Pull(clicks_of_user, clicks_of_item, ratio, strength, schedule.once)
    level, liking = np.zeros(n_users), np.float32(strength) * ratio
    leading = follow.astype(np.float32)[:, None]
    for turn in range(_ROUNDS):
        seen, looks = exposure(_weights(leading * liking + push.astype(np.float32), floor))
        for _ in range(8 if turn == 0 else 2):
            made, slope = _clicks(looks, liking, quality, level)
            short = clicks_of_user - made.sum(axis=1, dtype=np.float64)
            level += np.clip(short / np.maximum(slope.sum(axis=1, dtype=np.float64), 1e-9), -1, 1)
        made, slope = _clicks(looks, liking, quality, level)
        by_item = made.sum(axis=0, dtype=np.float64)
        if shown is None:
            error = _error(clicks_of_item, by_item)
            # What the logger cannot push further, since all of it is shown already, must be liked.
            push += _STEP * popularity * error
            quality += _STEP * (1 - popularity) * error
            strength = strength if pull is None else pull.corrected(strength, made)
            liking = np.float32(strength) * ratio
        else:
            short = log.by_item - by_item - _SHRINK * quality
            quality += np.clip(short / (slope.sum(axis=0, dtype=np.float64) + _SHRINK), -1, 1)
            error = _error(shown, seen.sum(axis=0, dtype=np.float64))
            push += _STEP * error
        push -= push.mean()
        if np.average(np.abs(error), weights=clicks_of_item) < _CLOSE and (pull is None or pull.settled):
            break
    appetite = np.clip(liking + (quality + level[:, None]), -_CERTAIN, _CERTAIN).astype(np.float32)
    return Calibrated(appetite, np.asarray(leading * liking, dtype=np.float32), push, seen, floor)


class _Pull:
    """How much clicks are pulled towards what `ratio` says, against clicks by activity and popularity alone.

    Args:
        by_user: Clicks of each user.
        by_item: Clicks on each item.
        ratio: Log of how much more often than expected a user goes to an item, (users, items).
        strength: How many times `ratio` the clicks are to follow.
        once: Whether nobody clicks an item twice.
    """

    def __init__(self, by_user: Floats, by_item: Floats, ratio: Matrix, strength: float, once: bool) -> None:
        self._ratio = ratio
        self._none, self._wanted = (
            self._of(_expected(by_user, by_item, np.float32(factor) * ratio, once))
            for factor in (0.0, strength)
        )
        self.settled = False

    def corrected(self, strength: float, made: Matrix) -> float:
        """The spread of taste, nearer to what makes these expected clicks as they should be."""
        factor = (self._wanted - self._none) / max(self._of(made) - self._none, 1e-9)
        self.settled = abs(factor - 1) < 0.02 or strength >= _STRONGEST
        return float(np.clip(strength * np.clip(factor, 0.5, 2) ** _STEP, 0.0, _STRONGEST))

    def _of(self, clicks: Matrix) -> float:
        return float((clicks * self._ratio).sum(dtype=np.float64) / clicks.sum(dtype=np.float64))


def _expected(by_user: Floats, by_item: Floats, ratio: Matrix, once: bool) -> Matrix:
    """Clicks with these sums that follow `ratio`."""
    draw = Exposure(by_user, np.ones(1), once, len(by_item))
    popular = by_item / by_item.sum()
    made: Matrix = ratio
    for _ in range(6):
        made, _ = draw(_weights(np.log(popular).astype(np.float32) + ratio, 0.0))
        popular *= by_item / np.maximum(made.sum(axis=0, dtype=np.float64), 1e-9)
    return made


def _clicks(looks: Matrix, liking: Matrix, quality: Floats, level: Floats) -> tuple[Matrix, Matrix]:
    """Expected clicks, and their slopes by log-odds."""
    chance = expit(liking + (quality + level[:, None]).astype(np.float32))
    made = looks * chance
    return made, made * (1 - chance)


def _error(wanted: Floats, made: Floats) -> Floats:
    return np.asarray(np.clip(np.log(wanted / np.maximum(made, 1e-9)), -2, 2))


def _weights(scores: Matrix, floor: float) -> Matrix:
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return np.asarray((1 - floor) * shares + np.float32(floor / scores.shape[1]), dtype=np.float32)
