"""The search of `UserGap`: what to add to each group's scores so that held-out quality is alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import Dataset
from equipoise.debias.after.held_out import HeldOut
from equipoise.debias.after.leanings import familiarity, leaning
from equipoise.debias.after.pools import Floats, Ints
from equipoise.statistics import studentised_test

_LATE = (1.0, 0.5, 0.3, 0.1)
_WEIGHTS = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
_NOVELTY = np.r_[0.0, np.geomspace(0.03, 1.0, 15)]  # more does not carry over from held-out to later events
_LEVELS = 101
_FOLDS = 5
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Setting:
    """What is added to a group's scores.

    Attributes:
        late: Share of the histories that the group's taste is read from.
        taste: Weight of its taste, in standard deviations of score per unit of log-probability.
        novelty: Weight of unpopularity, in standard deviations of score per standard deviation of log-popularity.
    """

    late: float = 1.0
    taste: float = 0.0
    novelty: float = 0.0


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
    """What was found on some users.

    Attributes:
        groups: Group of each user, (users,), -1 for none.
        judged: The groups with enough of them.
        before: Quality per user with the model's lists, (users,).
        helped: The same after the worse-off were helped.
        after: The same after all.
        settings: How the scores of groups were changed; groups that were left alone are not in it.
        gained: Gain in quality per user of each group that was helped, each chosen for without the user.
    """

    groups: Ints
    judged: list[int]
    before: Floats
    helped: Floats
    after: Floats
    settings: Mapping[int, Setting] = field(default_factory=dict)
    gained: Mapping[int, Floats] = field(default_factory=dict, repr=False)

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

    @property
    def levelled(self) -> dict[int, float]:
        """Weight of unpopularity in the groups that were levelled down."""
        return {g: setting.novelty for g, setting in self.settings.items() if setting.novelty}


class GapSearch:
    """The search on one set of held-out events.

    Args:
        data: Training data.
        held_out: The model's pools and what their users took.
        items: The catalogue.
        groups: Group of each user of `held_out`, (users,), -1 for none.
        members: All users of each group.
        limits: What is asked for.
        rng: Divides users.
    """

    def __init__(
        self, data: Dataset, held_out: HeldOut, items: pl.Series, groups: Ints, members: Sequence[pl.Series],
        limits: Limits, rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self.data, self.items, self.groups, self.members, self.limits, self.rng = (
            data, items, groups, members, limits, rng,
        )  # fmt: skip
        self.judged = [g for g in range(len(members)) if (groups == g).sum() >= limits.least_users]
        self.before = held_out.quality(held_out.pool.unchanged[:, : limits.k])
        self._parts = {g: held_out.among(groups == g) for g in self.judged}
        unpopular = -familiarity(data, items)
        self._unpopular = unpopular / (unpopular.std() or 1.0)
        self._tastes: dict[tuple[int, float], Floats] = {}
        self._qualities: dict[tuple[int, Setting], Floats] = {}

    def untouched(self, rows: NDArray[np.bool_] | None = None) -> Found:
        """Nothing changed, for some of the users or all."""
        chosen = np.ones(len(self.groups), dtype=bool) if rows is None else rows
        before = self.before[chosen]
        return Found(self.groups[chosen], self.judged, before, before, before)

    def run(self, rows: NDArray[np.bool_] | None = None) -> Found:
        """First help, then level down; by some of the users or all."""
        found = self.untouched(rows)
        if len(self.judged) < 2 or found.relative_gap(found.before) <= self.limits.epsilon:
            return found
        chosen = np.ones(len(self.groups), dtype=bool) if rows is None else rows
        found = self._help(found, chosen)
        return self._level_down(found, chosen) if self.limits.level_down else found

    def on_others(self) -> Floats:
        """Quality per user with what is found on the other half of the users, (users,)."""
        half, values = np.zeros(len(self.groups), dtype=np.int64), self.before.copy()
        for g in self.judged:
            mine = np.flatnonzero(self.groups == g)
            half[self.rng.permutation(mine)] = np.arange(len(mine)) % 2
        for one in (0, 1):
            for g, setting in self.run(half != one).settings.items():
                values[(self.groups == g) & (half == one)] = self._quality(g, setting, half == one)
        return values

    def chance(self, seed: int) -> float | None:
        """p-value of all judged groups being served alike before; None where there are not two."""
        if len(self.judged) < 2:
            return None
        rows = np.isin(self.groups, self.judged)
        groups = np.searchsorted(self.judged, self.groups[rows])
        tested = studentised_test(self.before[rows], groups, len(self.judged), seed=seed, threads=1)
        return float(tested.p_value[0])

    def tilt(self, g: int, setting: Setting) -> Floats:
        """What a setting adds to the standardised scores of a group, (items,)."""
        new = np.asarray(setting.novelty * self._unpopular)
        if not setting.taste:
            return new
        if (g, setting.late) not in self._tastes:
            self._tastes[g, setting.late] = leaning(self.data, self.members[g], self.items, setting.late)
        return new + setting.taste * self._tastes[g, setting.late]

    def _quality(self, g: int, setting: Setting, rows: NDArray[np.bool_]) -> Floats:
        """Quality under a setting of those users of a group that are among the rows."""
        if (g, setting) not in self._qualities:
            part = self._parts[g]
            worth = part.pool.standardised + self.tilt(g, setting)[part.pool.located(self.items)]
            self._qualities[g, setting] = part.quality(part.pool.best(worth, self.limits.k))
        return np.asarray(self._qualities[g, setting][rows[self.groups == g]])

    def _help(self, found: Found, rows: NDArray[np.bool_]) -> Found:
        """Tilt the scores of worse-off groups by their own taste, the worst-off first, as far as it helps them and
        does not turn the gap round.
        """
        values, settings, gains = found.after.copy(), dict(found.settings), {}
        slack = self.limits.epsilon * float(found.before.mean())
        shares = _LATE if self.data.time is not None else _LATE[:1]
        tried = [Setting(late, weight) for late in shares for weight in _WEIGHTS]
        for g in (self.judged[place] for place in np.argsort(found.means(found.before), kind="stable")):
            others = max(values[found.groups == other].mean() for other in self.judged if other != g)
            mine = found.groups == g
            if values[mine].mean() >= others - slack:
                continue
            qualities = np.stack([values[mine], *(self._quality(g, setting, rows) for setting in tried)])
            gained = self._cross_fitted(qualities, others + slack)
            best = _best(qualities, others + slack)
            if best and gained.mean() > 0:
                settings[g], gains[g], values[mine] = tried[best - 1], gained, qualities[best]
        return replace(found, helped=values, after=values, settings=settings, gained=gains)

    def _cross_fitted(self, qualities: Floats, ceiling: float) -> Floats:
        """Gain of each user under the setting that is best for the users of the other folds."""
        fold = self.rng.permutation(qualities.shape[1]) % _FOLDS
        chosen = np.empty(qualities.shape[1], dtype=np.int64)
        for one in range(_FOLDS):
            chosen[fold == one] = _best(qualities[:, fold != one], ceiling)
        return np.asarray(qualities[chosen, np.arange(qualities.shape[1])] - qualities[0])

    def _level_down(self, found: Found, rows: NDArray[np.bool_]) -> Found:
        """Tilt the scores of better-off groups towards unpopular items, until all are at the level of the worst-off
        or the loss that is reached is as high as allowed.
        """
        means = dict(zip(self.judged, found.means(found.after), strict=True))
        floor = min(means.values()) + self.limits.epsilon * float(found.before.mean())
        own = {g: found.settings.get(g, Setting()) for g in self.judged}
        paths = {
            g: np.minimum.accumulate(
                [mean, *(self._quality(g, replace(own[g], novelty=w), rows).mean() for w in _NOVELTY[1:])]
            )
            for g, mean in means.items()
            if mean > floor
        }
        sizes = {g: int((found.groups == g).sum()) for g in paths}
        lowest = float(found.before.mean()) * (1 - self.limits.max_loss) - _ROUNDING
        levels, place, step = np.linspace(floor, max(means.values()), _LEVELS), 0, 1
        while place < _LEVELS:
            level = levels[place]
            fall = sum(sizes[g] * max(means[g] - max(level, path[-1]), 0.0) for g, path in paths.items())
            if float(found.after.mean()) - fall / len(found.after) < lowest:
                place += 1
                continue
            down = {
                g: replace(own[g], novelty=_reached(path, float(level)))
                for g, path in paths.items()
                if means[g] > level
            }
            values = found.after.copy()
            for g, setting in down.items():
                values[found.groups == g] = self._quality(g, setting, rows)
            # lists change in steps, so that more may be lost than was foreseen, or the gap be turned round
            if float(values.mean()) >= lowest and found.gap(values) <= found.gap(found.after):
                return replace(found, after=values, settings={**found.settings, **down})
            place, step = place + step, 2 * step
        return found


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
