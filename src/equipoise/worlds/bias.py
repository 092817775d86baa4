"""How much of the logger's bias is left in lists and scores, by the truth of a world."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit
from scipy.stats import rankdata

from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.statistics import Estimate, Interval
from equipoise.worlds.planted import planted
from equipoise.worlds.world import World

Floats = NDArray[np.float64]
NO_BIAS = "the base has no bias that can be told from none"
_LEAST = 1e-5  # spread under which a logger treats all items alike; propensities have five correct digits


def planted_bias(world: World, recommendations: Any, k: int = 10, seen: Any = None) -> dict[str, float]:
    """By how much lists favour what the logger favoured, beyond what true preference asks for.

    Each list is held against the ideal list of the same user: as many items, those that the user would like best
    by the truth among the ones not left out. The three measures of exposure are means over users of (mean over the
    list - mean over the ideal list), in standard deviations; they are 0 for lists made by the truth, positive
    where the logger's habit is repeated, negative where it is turned round. Everything is taken from the world's
    own probabilities (`World.propensity`, `World.examined`), nothing from samples of its log.

    Args:
        world: Whose truth.
        recommendations: Frame of `user_id`, `item_id`, `rank` (from 1); users or items that the world does not have
            are left out.
        k: Ranks that count.
        seen: Frame of `user_id`, `item_id` that lists leave out; None where they leave out nothing.

    Returns:
        `popularity`: log of the item's mean probability over all users of being shown, in standard deviations over
        the catalogue. `exposure`: log probability that this user is shown this item, in standard deviations over the
        user's items, so that it contains popularity. `position`: log probability that the item is looked at where
        this user is shown it, likewise. `group_gap`: preference NDCG (`preference_values`, in 0..1) of the favoured
        group minus that of the other; NaN where one of them has no list.

    Raises:
        DataError: if no row of the lists belongs to the world.
    """
    gap = planted(world, recommendations, k, seen)["group_gap"][f"preference_ndcg@{k}"]
    listed = _cells(world, recommendations, k)
    ideal = _ideal(world, listed, seen)
    return {
        "popularity": _excess(_favour(world.propensity.mean(axis=0, dtype=np.float64)), listed, ideal),
        "exposure": _excess(_favour(world.propensity), listed, ideal),
        "position": _excess(_favour(world.examined), listed, ideal),
        "group_gap": float("nan") if gap is None else float(gap),
    }


def do_value(world: World, scores: Any) -> dict[str, float]:
    """How near scores are to P(click | do(show)), over all cells of users and items.

    Within each user, scores are regressed on the log-odds of true preference and on the logarithm of the chance
    that a visiting user looks at the item in the logger's slate. Scores that order by the do-value owe nothing to
    the second; scores that order by how often an item is clicked owe as much to it as to taste.

    Args:
        world: Whose truth.
        scores: Frame of `user_id`, `item_id`, `score`, one row per pair; of the users that it names all items.

    Returns:
        `agreement`: Spearman's correlation of scores and true preference within the user, mean over users, in
        -1..1. `exposure_share`: coefficient of log exposure over coefficient of preference, both per standard
        deviation within the user and pooled over users; 0 for the do-value. NaN where scores do not rise with
        preference at all.

    Raises:
        DataError: if a user lacks a score for an item of the world, or has one twice.
    """
    table = world.located(to_polars(scores)).drop_nulls(["_user", "_item"])
    users, rows = np.unique(table["_user"].to_numpy(), return_inverse=True)
    n_items = len(world.items)
    if (
        table.is_empty()
        or len(table) != len(users) * n_items
        or table.select("_user", "_item").is_duplicated().any()
    ):
        raise DataError(
            "Scores are needed for each item of the world, once per user",
            where=f"{len(table)} scores of {len(users)} users, {n_items} items",
            todo=f"Recommend {n_items} items to each user, seen ones too.",
        )
    matrix = np.empty((len(users), n_items))
    matrix[rows, table["_item"].to_numpy()] = table[v.SCORE].cast(pl.Float64).to_numpy()
    taste = world.preference[users].astype(np.float64)
    exposure = np.log(world.propensity[users].astype(np.float64) * world.examined[users])
    agreement = (_by_row(_ranks(matrix)) * _by_row(_ranks(taste))).mean()
    causes = np.column_stack([_by_row(logit(taste)).ravel(), _by_row(exposure).ravel()])
    of_taste, of_exposure = np.linalg.lstsq(causes, _by_row(matrix).ravel(), rcond=None)[0]
    share = of_exposure / of_taste if of_taste > 0 else float("nan")
    return {"agreement": float(agreement), "exposure_share": float(share)}


def bias_removed(base: ArrayLike, corrected: ArrayLike, *, level: float = 0.95) -> Interval:
    """Share of a bias that a method takes away: 1 - |mean bias with it| / |mean bias of the base|.

    1 is all of it, 0 nothing; below 0 the bias grows, or turns round by more than it was.

    Args:
        base: Bias of the uncorrected model, one value per world.
        corrected: Bias under the method in the same worlds, in the same order.
        level: Of the interval, which is that of the ratio of means (delta method, paired, with the t quantile of
            worlds - 1 degrees of freedom), carried over to the share.

    Returns:
        The share, with worlds as the unit. Without a value, and with the reason, where the base's own bias cannot be
        told from none.

    Raises:
        DataError: if there are not as many values of one as of the other, or none, or some are not finite.
    """
    before, after = (np.atleast_1d(np.asarray(side, dtype=np.float64)) for side in (base, corrected))
    if before.shape != after.shape or not before.size:
        raise DataError(f"{before.size} biases of the base do not fit {after.size} of the method")
    mean = float(before.mean())
    own = Estimate(mean, before - mean).interval(level)
    if mean == 0 or (own.low is not None and not own.outside()):
        return Interval(None, None, None, len(before), NO_BIAS)
    ratio = float(after.mean()) / mean
    found = Estimate(ratio, (after - ratio * before) / mean).interval(level)
    if found.low is None or found.high is None:
        return Interval(1 - abs(ratio), None, None, len(before), found.reason)
    nearest = 0.0 if found.low <= 0 <= found.high else min(abs(found.low), abs(found.high))
    return Interval(1 - abs(ratio), 1 - max(abs(found.low), abs(found.high)), 1 - nearest, len(before))


def _favour(chance: NDArray[Any]) -> Floats:
    """Log of a chance, standardised over items: one row for all users, or one per user."""
    return _by_row(np.log(np.maximum(np.atleast_2d(chance).astype(np.float64), 1e-12)))


def _cells(world: World, recommendations: Any, k: int) -> pl.DataFrame:
    """`_user` and `_item` of the first `k` ranks."""
    lists = to_polars(recommendations).filter(pl.col(v.RANK) <= k)
    return world.located(lists).drop_nulls(["_user", "_item"]).select("_user", "_item")


def _ideal(world: World, listed: pl.DataFrame, seen: Any) -> pl.DataFrame:
    """For each user as many items as are listed, best first by the truth; what was seen comes last."""
    taste = world.preference.astype(np.float64)
    if seen is not None:
        had = world.located(to_polars(seen)).drop_nulls(["_user", "_item"])
        taste[had["_user"].to_numpy(), had["_item"].to_numpy()] = -1.0
    lengths = np.bincount(listed["_user"].to_numpy(), minlength=len(taste))
    best = np.argsort(-taste, axis=1, kind="stable")[:, : lengths.max()]
    user, place = np.nonzero(np.arange(best.shape[1]) < lengths[:, None])
    return pl.DataFrame({"_user": user, "_item": best[user, place]})


def _excess(favour: Floats, listed: pl.DataFrame, ideal: pl.DataFrame) -> float:
    """Mean over users of the listed items' mean favour minus the ideal items'."""
    means = []
    for cells in (listed, ideal):
        user, item = cells["_user"].to_numpy(), cells["_item"].to_numpy()
        values = favour[0, item] if len(favour) == 1 else favour[user, item]
        total, length = np.bincount(user, values), np.bincount(user)
        means.append(total[length > 0] / length[length > 0])
    return float((means[0] - means[1]).mean())


def _by_row(values: Floats) -> Floats:
    """Each row with mean 0 and variance 1; a row without spread is 0."""
    centred = values - values.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    return np.asarray(np.where(spread > _LEAST, centred / np.maximum(spread, _LEAST), 0.0))


def _ranks(values: Floats) -> Floats:
    """Ranks within each row, ties in the middle."""
    return np.asarray(rankdata(values, axis=1), dtype=np.float64)
