"""The search of `UserGap`: what to add to each group's scores so that held-out quality is alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from equipoise.data import Dataset
from equipoise.debias.after.held_out import HeldOut
from equipoise.debias.after.leanings import familiarity, leaning
from equipoise.debias.after.pools import Floats, Ints

_LATE = (1.0, 0.5, 0.3, 0.1)
_WEIGHTS = (0.5, 1.0, 1.5, 2.0, 3.0)
_NOVELTY = np.r_[0.0, np.geomspace(0.03, 1.0, 15)]  # more does not carry over from held-out to later events
_LEVELS = 101
_FOLDS = 5


@dataclass(frozen=True)
class Help:
    """How a group is helped.

    Attributes:
        late: Share of the histories that its taste is read from.
        weight: Of its taste, in standard deviations of score per unit of log-probability.
        gained: Gain in quality per user of the group, each chosen for without the user, (users of the group,).
    """

    late: float
    weight: float
    gained: Floats = field(repr=False)


@dataclass(frozen=True)
class Limits:
    """What is asked for; the fields of `UserGap`."""

    epsilon: float
    max_loss: float
    level_down: bool
    k: int
    least_users: int


@dataclass(frozen=True)
class Found:
    """What was found.

    Attributes:
        tilts: What is added to the standardised scores, (groups, items).
        groups: Group of each user with held-out events, (users,), -1 for none.
        judged: The groups with enough of them.
        before: Quality per user with the model's lists, (users,).
        helped: The same after the worse-off were helped.
        after: The same after all.
        helps: How groups were helped.
        novelty: Weight of unpopularity in the groups that were levelled down, in standard deviations of score per
            standard deviation of log-popularity.
    """

    tilts: Floats
    groups: Ints
    judged: list[int]
    before: Floats
    helped: Floats
    after: Floats
    helps: Mapping[int, Help]
    novelty: Mapping[int, float]

    def means(self, values: Floats) -> Floats:
        """Mean per judged group."""
        return np.array([values[self.groups == g].mean() for g in self.judged])

    def gap(self, values: Floats) -> float:
        """Largest difference between two judged groups."""
        return float(np.ptp(self.means(values))) if self.judged else 0.0

    def relative_gap(self, values: Floats) -> float:
        """The gap as a share of the quality over all users before."""
        overall = float(self.before.mean())
        return self.gap(values) / overall if overall > 0 else 0.0


class GapSearch:
    """The search on one set of held-out events.

    Args:
        data: Training data.
        held_out: The model's pools and what their users took.
        items: Items that scores are wanted for.
        groups: Group of each user of `held_out`, (users,), -1 for none.
        members: All users of each group.
        limits: What is asked for.
        rng: Divides users into folds.
    """

    def __init__(
        self, data: Dataset, held_out: HeldOut, items: pl.Series, groups: Ints, members: Sequence[pl.Series],
        limits: Limits, rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self.data, self.items, self.groups, self.members, self.limits, self.rng = (
            data, items, groups, members, limits, rng,
        )  # fmt: skip
        self.held_out = held_out
        self.judged = [g for g in range(len(members)) if (groups == g).sum() >= limits.least_users]
        unpopular = -familiarity(data, items)
        self.unpopular = unpopular / (unpopular.std() or 1.0)

    def run(self) -> Found:
        """First help, then level down."""
        before = self.held_out.quality(self.held_out.pool.unchanged[:, : self.limits.k])
        found = Found(
            np.zeros((len(self.members), len(self.items))),
            self.groups,
            self.judged,
            before,
            before,
            before,
            {},
            {},
        )
        if len(self.judged) < 2 or found.relative_gap(before) <= self.limits.epsilon:
            return found
        found = self._help(found)
        return self._level_down(found) if self.limits.level_down else found

    def _quality(self, g: int, tilt: Floats) -> Floats:
        """Quality of the users of a group whose scores are tilted, (users of the group,)."""
        part = self.held_out.among(self.groups == g)
        worth = part.pool.standardised + tilt[part.pool.located(self.items)]
        return part.quality(part.pool.best(worth, self.limits.k))

    def _help(self, found: Found) -> Found:
        """Tilt the scores of worse-off groups by their own taste, the worst-off first, as far as it helps them and
        does not turn the gap round.
        """
        tilts, values, helps = found.tilts.copy(), found.after.copy(), {}
        slack = self.limits.epsilon * float(found.before.mean())
        for g in (self.judged[place] for place in np.argsort(found.means(found.before), kind="stable")):
            others = max(values[self.groups == other].mean() for other in self.judged if other != g)
            mine = self.groups == g
            if values[mine].mean() >= others - slack:
                continue
            tastes = {late: leaning(self.data, self.members[g], self.items, late) for late in self._shares}
            tried = [(late, weight) for late in tastes for weight in _WEIGHTS]
            qualities = np.stack([values[mine], *(self._quality(g, w * tastes[late]) for late, w in tried)])
            gained = self._cross_fitted(qualities, others + slack)
            best = _best(qualities, others + slack)
            if best and gained.mean() > 0:
                helps[g] = Help(*tried[best - 1], gained)
                tilts[g] = tried[best - 1][1] * tastes[tried[best - 1][0]]
                values[mine] = qualities[best]
        return replace(found, tilts=tilts, helped=values, after=values, helps=helps)

    @property
    def _shares(self) -> tuple[float, ...]:
        return _LATE if self.data.time is not None else _LATE[:1]

    def _cross_fitted(self, qualities: Floats, ceiling: float) -> Floats:
        """Gain of each user under the setting that is best for the users of the other folds."""
        fold = self.rng.permutation(qualities.shape[1]) % _FOLDS
        chosen = np.empty(qualities.shape[1], dtype=np.int64)
        for one in range(_FOLDS):
            chosen[fold == one] = _best(qualities[:, fold != one], ceiling)
        return np.asarray(qualities[chosen, np.arange(qualities.shape[1])] - qualities[0])

    def _level_down(self, found: Found) -> Found:
        """Tilt the scores of better-off groups towards unpopular items, until all are at the level of the worst-off
        or the loss is as high as allowed.
        """
        means = dict(zip(self.judged, found.means(found.after), strict=True))
        floor = min(means.values()) + self.limits.epsilon * float(found.before.mean())
        paths = {
            g: np.minimum.accumulate(
                [mean, *(self._quality(g, found.tilts[g] + w * self.unpopular).mean() for w in _NOVELTY[1:])]
            )
            for g, mean in means.items()
            if mean > floor
        }
        sizes = {g: int((self.groups == g).sum()) for g in paths}
        lowest = float(found.before.mean()) * (1 - self.limits.max_loss)
        for level in np.linspace(floor, max(means.values()), _LEVELS):
            fall = sum(sizes[g] * max(means[g] - max(level, path[-1]), 0.0) for g, path in paths.items())
            if float(found.after.mean()) - fall / len(found.after) >= lowest:
                break
        else:
            return found
        novelty = {g: _reached(path, float(level)) for g, path in paths.items() if means[g] > level}
        tilts, values = found.tilts.copy(), found.after.copy()
        for g, weight in novelty.items():
            tilts[g] += weight * self.unpopular
            values[self.groups == g] = self._quality(g, tilts[g])
        return replace(found, tilts=tilts, after=values, novelty=novelty)


def _best(qualities: Floats, ceiling: float) -> int:
    """The setting with the highest mean that is not above the ceiling; 0, no change, always may be chosen."""
    means = qualities.mean(axis=1)
    means[1:][means[1:] > ceiling] = -np.inf
    return int(means.argmax())


def _reached(path: Floats, level: float) -> float:
    """Weight at which a falling path comes to a level, between its points by a straight line; else the last."""
    after = int((path > level).sum())
    if after == len(path):
        return float(_NOVELTY[-1])
    way = (path[after - 1] - level) / (path[after - 1] - path[after])
    return float(_NOVELTY[after - 1] + way * (_NOVELTY[after] - _NOVELTY[after - 1]))
