"""The groups of a twin, and a gap of a chosen size between two of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from equipoise.errors import ConfigError, nearest
from equipoise.worlds.laws import Ints
from equipoise.worlds.twin.calibration import Calibrated
from equipoise.worlds.twin.exposure import Exposure
from equipoise.worlds.twin.record import Record
from equipoise.worlds.twin.schedule import Schedule

Floats = NDArray[np.float64]

_COLUMN, _BUSY, _QUIET = "activity", "busy", "quiet"
_FURTHEST = 6.0  # how many times as strongly as before the logger may follow a group's taste


@dataclass(frozen=True)
class Groups:
    """The groups that a gap is planted between.

    Attributes:
        users: The users, with the column of the groups.
        column: Its name.
        favoured: The group that is served better.
        other: The group that is served worse.
    """

    users: pl.DataFrame
    column: str
    favoured: str
    other: str

    @property
    def codes(self) -> Ints:
        """Group of each user as a number from 0, by name."""
        return self.users[self.column].rank("dense").cast(pl.Int64).to_numpy() - 1

    def members(self, group: str) -> Ints:
        """Rows of the users of a group."""
        return np.flatnonzero((self.users[self.column] == group).to_numpy())


def find_groups(
    users: pl.DataFrame, log: Record, column: str | None, named: tuple[str, str, str] | None
) -> Groups:
    """The groups of a column, or busy and quiet users where there is none.

    Unless they are named, these are the two largest, and the one with more clicks per impression (or per user,
    where no impressions are logged) is favoured.

    Raises:
        ConfigError: if a named group has no users.
    """
    if named is not None:
        for group in named[1:]:
            if group not in (known := users[named[0]].unique().to_list()):
                raise ConfigError(
                    f"There is no user of the group '{group}' in '{named[0]}'", todo=nearest(group, known)
                )
        if named[1] == named[2]:
            raise ConfigError(f"A gap is between two groups, not '{named[1]}' and itself")
        return Groups(users, *named)
    if column is None or users[column].n_unique() < 2:
        column = next(name for name in (_COLUMN, f"{_COLUMN} in the log") if name not in users.columns)
        order = np.lexsort((np.arange(len(users)), log.by_user))
        busy = np.isin(np.arange(len(users)), order[len(users) // 2 :])
        users = users.with_columns(pl.Series(column, np.where(busy, _BUSY, _QUIET)))
    per_user = np.ones(len(users)) if log.shown is None else np.bincount(log.shown.user, minlength=len(users))
    sizes = users.select(
        pl.col(column).alias("group"), pl.Series("clicks", log.by_user), pl.Series("n", per_user)
    )
    table = sizes.group_by("group").agg(pl.len().alias("size"), pl.col("clicks").sum() / pl.col("n").sum())
    two = table.sort("size", "group", descending=[True, False]).head(2)
    favoured, other = two.sort("clicks", "group", descending=[True, False])["group"].to_list()
    return Groups(users, column, favoured, other)


def with_gap(
    made: Calibrated, groups: Groups, schedule: Schedule, change: Floats, wanted: float
) -> Calibrated:
    """The twin, changed for two groups such that the favoured one is served better by `wanted`.

    Both groups come to like the average item alike, so that they differ by how they are served only. Then the
    logger follows the taste of the one more and of the other less.

    Args:
        made: The calibrated twin.
        groups: The groups.
        schedule: Visits and slates.
        change: What the trend adds to the log-odds of each item at the end of the log.
        wanted: Mean preference of what the favoured group is shown minus that of the other.

    Raises:
        ConfigError: if no such logger is found; the reach is told.
    """
    rows = [groups.members(group) for group in (groups.favoured, groups.other)]
    appetite = made.appetite.copy()
    level = float(np.mean([expit(appetite[part]).mean() for part in rows]))
    for part in rows:
        shift = brentq(
            lambda x, mine=appetite[part]: expit(mine + np.float32(x)).mean() - level, -6, 6, xtol=1e-4
        )
        appetite[part] += np.float32(shift)
    made = replace(made, appetite=appetite)
    liked = [expit(made.appetite[part] + change.astype(np.float32)) for part in rows]
    exposures = [
        Exposure(schedule.visits[part], schedule.examination, schedule.once, made.appetite.shape[1])
        for part in rows
    ]

    def factors(more: float) -> tuple[float, float]:
        return float(np.clip(1 + more, 0, _FURTHEST)), float(np.clip(1 - more, 0, _FURTHEST))

    def gap(more: float) -> float:
        values = []
        for part, like, exposure, factor in zip(rows, liked, exposures, factors(more), strict=True):
            seen, _ = exposure(made.weights(made.leaning[part] * np.float32(factor)))
            seen = seen / seen.sum(axis=1, keepdims=True)
            values.append(float((seen * like).sum(axis=1).mean()))
        return values[0] - values[1]

    reach = _FURTHEST - 1
    low, high = gap(-reach), gap(reach)
    if not low <= wanted <= high:
        raise ConfigError(
            f"A gap of {wanted:g} between '{groups.favoured}' and '{groups.other}' cannot be planted",
            where=f"within reach are {low:.3g} to {high:.3g}",
            todo="Choose a gap in between, or raise `taste`: a logger can only follow tastes that differ.",
        )
    more = float(brentq(lambda x: gap(x) - wanted, -reach, reach, xtol=1e-4))
    changed = made.leaning.copy()
    for part, factor in zip(rows, factors(more), strict=True):
        changed[part] *= np.float32(factor)
    return replace(made, leaning=changed)
