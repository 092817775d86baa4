"""What kinds of items a list holds: exposure by group, calibration to the user's history, coverage of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from equipoise.data import vocabulary as v
from equipoise.errors import ConfigError, nearest
from equipoise.metrics import frames
from equipoise.metrics.definitions import DEFINITIONS, Definition
from equipoise.metrics.memberships import MASS, memberships
from equipoise.metrics.ranking import Floats, check_cutoff

_DECIMALS = 12  # rounds away the order in which an engine adds
_TOTAL, _LISTED, _SHOWN = "_total", "_listed", "_shown"


def attention() -> nw.Expr:
    """Attention that a rank gets, `1/log2(rank + 1)`: 1 at the first, 0.63 at the second, 0.5 at the third."""
    return 1.0 / (nw.col(v.RANK) + 1).cast(nw.Float64).log(2)


@dataclass(frozen=True)
class ExposureShare:
    """Share of each list's exposure that one group of items holds.

    Attributes:
        k: Cutoff.
        group: The group.
        members: Frame of `item_id`, `mass`: the items of the group.
    """

    k: int
    group: str
    members: Any
    definition: Definition = DEFINITIONS["exposure_share"]

    @property
    def name(self) -> str:
        """As in "exposure_share(Drama)@10"."""
        return f"{self.definition.name}({self.group})@{self.k}"

    def __call__(self, recommendations: Any, truth: Any = None) -> Any:
        """Frame of `user_id`, `value` for every user with recommendations; the truth is not looked at."""
        shown = frames.recommendations(recommendations).filter(nw.col(v.RANK) <= self.k)
        shown, members = frames.together(shown, nw.from_native(self.members))
        weighed = shown.join(members, on=v.ITEM, how="left").with_columns(attention().alias(_TOTAL))
        sums = weighed.with_columns((nw.col(_TOTAL) * nw.col(MASS).fill_null(0.0)).alias(MASS))
        table = frames.collect(sums.group_by(v.USER).agg(nw.col(MASS).sum(), nw.col(_TOTAL).sum()))
        table = table.sort(v.USER)
        return _valued(table, frames.numbers(table, MASS) / frames.numbers(table, _TOTAL))


def exposure_share(k: int, items: Any, column: str, group: str) -> ExposureShare:
    """Share of a user's list exposure that goes to items of a group, in [0, 1].

    `Σ_{r≤k, item at r in the group} w(r) / Σ_{r≤k shown} w(r)` with `w(r) = 1/log2(r+1)`; an item of several
    groups counts for each with an equal part. A user without a list has no value.

    Source: Singh and Joachims (2018), "Fairness of exposure in rankings", section 3.

    Args:
        k: Cutoff.
        items: Frame of `item_id` and the column; several groups of one item are joined by "|".
        column: Column of the items that names the groups.
        group: The group, as text.

    Raises:
        ConfigError: if no item is of this group.

    Example:
        The drama stands at ranks 1 and 3 of three: (1 + 0.5) / (1 + 0.6309 + 0.5).

        >>> import polars as pl
        >>> items = pl.DataFrame({"item_id": ["a", "b", "c"], "genre": ["Drama", "Comedy", "Drama"]})
        >>> shown = pl.DataFrame({"user_id": [1, 1, 1], "item_id": ["a", "b", "c"], "rank": [1, 2, 3]})
        >>> round(exposure_share(3, items, "genre", "Drama")(shown)["value"][0], 4)
        0.7039
    """
    check_cutoff(k, "exposure_share")
    members = memberships(items, column)
    own = members.filter(nw.col(v.GROUP) == group).select(v.ITEM, MASS)
    if not len(own):
        known = sorted(set(members.get_column(v.GROUP).to_list()))
        raise ConfigError(f"No item has '{group}' in '{column}'", todo=nearest(group, known))
    return ExposureShare(k, group, own.to_native())


@dataclass(frozen=True)
class ProfileMetric:
    """A comparison of the categories of a list with those of its user's history.

    Attributes:
        definition: Formula, range, unit, direction.
        k: Cutoff.
        members: Frame of `item_id`, `group`, `mass`.
        history: Frame of `user_id`, `group`, `mass`: mass of each category in the history.
        compare: From the shares `p` of history and `q` of list, one pair per user and category of the history,
            and the index at which each user begins, to one value per user.
    """

    definition: Definition
    k: int
    members: Any
    history: Any
    compare: Callable[[Floats, Floats, NDArray[np.int64]], Floats]

    @property
    def name(self) -> str:
        """As in "calibration_kl@10"."""
        return f"{self.definition.name}@{self.k}"

    def __call__(self, recommendations: Any, truth: Any = None) -> Any:
        """Frame of `user_id`, `value`, for users with known categories in list and history."""
        shown = frames.recommendations(recommendations).filter(nw.col(v.RANK) <= self.k)
        lists = _masses(shown, nw.from_native(self.members)).rename({MASS: _LISTED})
        lists, wanted = frames.together(lists, nw.from_native(self.history))
        of_list = lists.group_by(v.USER).agg(nw.col(_LISTED).sum().alias(_SHOWN))
        of_history = wanted.group_by(v.USER).agg(nw.col(MASS).sum().alias(_TOTAL))
        table = (
            wanted.join(of_history, on=v.USER, how="inner")
            .join(of_list, on=v.USER, how="inner")
            .join(lists, on=[v.USER, v.GROUP], how="left")
            .sort(v.USER, v.GROUP)
        )
        p = frames.numbers(table, MASS) / frames.numbers(table, _TOTAL)
        q = np.nan_to_num(frames.numbers(table, _LISTED)) / frames.numbers(table, _SHOWN)
        users = table.get_column(v.USER)
        start = np.flatnonzero((users != users.shift(1)).fill_null(True).to_numpy().astype(bool))
        values = self.compare(p, q, start) if len(start) else np.zeros(0)
        return _valued(table[start], values)


def calibration(k: int, items: Any, column: str, train: Any, *, mix: float = 0.01) -> ProfileMetric:
    """Miscalibration at k: Kullback-Leibler divergence of the list's categories from the history's, in nats.

    `Σ_c p(c)·ln(p(c)/q̃(c))`, `q̃ = (1 − mix)·q + mix·p`; p are the shares of the categories in the user's
    training items, q in the list. 0 is calibrated; at most `−ln mix`.

    Source: Steck (2018), "Calibrated recommendations", section 3, with equal weights of ranks and events.

    Args:
        k: Cutoff.
        items: Frame of `item_id` and the column; several categories of one item are joined by "|" and share
            its mass evenly.
        column: Column of the items that names the categories.
        train: Training events, a frame of `user_id`, `item_id`; never the truth.
        mix: How much of p is mixed into q, in (0, 1), so that the logarithm exists.

    Raises:
        ConfigError: if the mix is not inside (0, 1).

    Example:
        The history is half drama, half comedy; the list is drama only:
        0.5·ln(0.5/(0.99 + 0.005)) + 0.5·ln(0.5/0.005) = 1.9585.

        >>> import polars as pl
        >>> items = pl.DataFrame({"item_id": ["a", "b", "c"], "genre": ["Drama", "Comedy", "Drama"]})
        >>> train = pl.DataFrame({"user_id": [1, 1], "item_id": ["a", "b"]})
        >>> shown = pl.DataFrame({"user_id": [1], "item_id": ["c"], "rank": [1]})
        >>> round(calibration(5, items, "genre", train)(shown)["value"][0], 4)
        1.9585
    """
    if not 0 < mix < 1:
        raise ConfigError(
            f"The mix of the calibration is {mix}", todo="Give a number inside (0, 1), as in 0.01."
        )

    def divergence(p: Floats, q: Floats, start: NDArray[np.int64]) -> Floats:
        return _added(p * np.log(p / ((1 - mix) * q + mix * p)), start)

    return _profile("calibration_kl", k, items, column, train, divergence)


def jensen_shannon_calibration(k: int, items: Any, column: str, train: Any) -> ProfileMetric:
    """Miscalibration at k as Jensen-Shannon divergence, in bits, in [0, 1]: bounded and symmetric, so that
    users compare.

    `½·Σ p·log2(p/h) + ½·Σ q·log2(q/h)`, `h = (p + q)/2`. 0 is calibrated, 1 is nothing in common.

    Source: Lin (1991), "Divergence measures based on the Shannon entropy", section 4.

    Args:
        k: Cutoff.
        items: Frame of `item_id` and the column, as in `calibration`.
        column: Column of the items that names the categories.
        train: Training events, a frame of `user_id`, `item_id`; never the truth.

    Example:
        p = (½, ½), q = (1, 0), h = (¾, ¼): ½·(½·log2(2/3) + ½·log2 2) + ½·log2(4/3) = 0.3113.

        >>> import polars as pl
        >>> items = pl.DataFrame({"item_id": ["a", "b", "c"], "genre": ["Drama", "Comedy", "Drama"]})
        >>> train = pl.DataFrame({"user_id": [1, 1], "item_id": ["a", "b"]})
        >>> shown = pl.DataFrame({"user_id": [1], "item_id": ["c"], "rank": [1]})
        >>> round(jensen_shannon_calibration(5, items, "genre", train)(shown)["value"][0], 4)
        0.3113
    """
    return _profile("calibration_js", k, items, column, train, _jensen_shannon)


def category_coverage(k: int, items: Any, column: str, train: Any) -> ProfileMetric:
    """Share of the categories of a user's history that the list holds at least once, in [0, 1].

    Source: Vargas et al. (2014), "Coverage, redundancy and size-awareness in genre diversity for recommender
    systems", section 3, without the weighting of genres.

    Args:
        k: Cutoff.
        items: Frame of `item_id` and the column, as in `calibration`.
        column: Column of the items that names the categories.
        train: Training events, a frame of `user_id`, `item_id`; never the truth.

    Example:
        >>> import polars as pl
        >>> items = pl.DataFrame({"item_id": ["a", "b", "c"], "genre": ["Drama", "Comedy", "Drama|War"]})
        >>> train = pl.DataFrame({"user_id": [1, 1], "item_id": ["a", "b"]})
        >>> shown = pl.DataFrame({"user_id": [1], "item_id": ["c"], "rank": [1]})
        >>> category_coverage(5, items, "genre", train)(shown)["value"][0]
        0.5
    """
    return _profile(
        "category_coverage",
        k,
        items,
        column,
        train,
        lambda p, q, start: _added((q > 0).astype(np.float64), start) / _added(np.ones(len(q)), start),
    )


def _jensen_shannon(p: Floats, q: Floats, start: NDArray[np.int64]) -> Floats:
    """Only categories of the history are here: any other adds half its share in the list."""
    middle = (p + q) / 2
    of_list = np.zeros(len(q))
    np.log2(q, out=of_list, where=q > 0)
    rows = p * np.log2(p / middle) + np.where(q > 0, q * (of_list - np.log2(middle)), 0.0) - q
    return np.clip((1 + _added(rows, start)) / 2, 0.0, 1.0)


def _profile(
    name: str,
    k: int,
    items: Any,
    column: str,
    train: Any,
    compare: Callable[[Floats, Floats, NDArray[np.int64]], Floats],
) -> ProfileMetric:
    check_cutoff(k, name)
    members = memberships(items, column)
    history = _masses(frames.truth(train), members)
    return ProfileMetric(DEFINITIONS[name], k, members.to_native(), history.to_native(), compare)


def _masses(pairs: Any, members: Any) -> nw.DataFrame[Any]:
    """Mass of every group among the items of every user."""
    pairs, members = frames.together(pairs, members)
    joined = pairs.join(members, on=v.ITEM, how="inner")
    return frames.collect(joined.group_by(v.USER, v.GROUP).agg(nw.col(MASS).sum()))


def _added(rows: Floats, start: NDArray[np.int64]) -> Floats:
    return np.asarray(np.add.reduceat(rows, start), dtype=np.float64)


def _valued(table: nw.DataFrame[Any], values: Floats) -> Any:
    rounded = np.round(values, _DECIMALS) + 0.0  # + 0.0: never minus zero
    series = nw.new_series("value", rounded, nw.Float64, backend=table.implementation)
    return table.select(v.USER).with_columns(series).to_native()
