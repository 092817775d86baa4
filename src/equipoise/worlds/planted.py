"""How near lists and propensities come to the truth of a world."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.worlds.world import World


def preference_values(world: World, recommendations: Any, k: int = 10, seen: Any = None) -> pl.DataFrame:
    """Quality of lists against true preference, per user.

    NDCG here has the true preference as gain: the discounted sum over the first `k` ranks, over the same sum
    for the `k` items the user would like best among those not seen; in 0..1.

    Args:
        world: Whose preferences.
        recommendations: Frame of `user_id`, `item_id`, `rank` (from 1); users or items that the world does
            not have are left out.
        k: Ranks that count.
        seen: Frame of `user_id`, `item_id` that lists leave out; None where they leave out nothing.

    Returns:
        Frame of `user_id`, `ndcg` (0..1) and `preference` (mean preference of the first `k`, 0..1), one row
        per user with a list, in the order of the world's users.

    Raises:
        DataError: if no row of the lists belongs to the world.
    """
    lists = _located(world, to_polars(recommendations)).filter(pl.col(v.RANK) <= k)
    if lists.is_empty():
        raise DataError(
            "No recommendation belongs to this world", todo="Use lists made from the world's own log."
        )
    user, item, rank = (lists[name].to_numpy() for name in ("_user", "_item", v.RANK))
    truth = world.preference.astype(np.float64)
    n_users = len(world.users)
    gained = np.bincount(user, truth[user, item] / np.log2(rank + 1.0), n_users)
    length = np.bincount(user, minlength=n_users)
    liked = np.bincount(user, truth[user, item], n_users) / np.maximum(length, 1)
    if seen is not None:
        had = _located(world, to_polars(seen))
        truth[had["_user"].to_numpy(), had["_item"].to_numpy()] = 0.0
    best = -np.sort(-truth, axis=1)[:, :k]
    ideal = best @ (1 / np.log2(np.arange(2, best.shape[1] + 2)))
    there = length > 0
    return pl.DataFrame({
        v.USER: world.users[v.USER].filter(pl.Series(there)),
        "ndcg": gained[there] / np.maximum(ideal[there], 1e-12),
        "preference": liked[there],
    })  # fmt: skip


def planted(world: World, recommendations: Any, k: int = 10, seen: Any = None) -> dict[str, Any]:
    """What the truth says of lists: quality against true preference, and the gap between the planted groups.

    Args:
        world: Whose truth.
        recommendations: See `preference_values`; so are the other arguments.
        k: Ranks that count.
        seen: What lists leave out.

    Returns:
        `preference_ndcg@k`, `preference@k` (means over users), and `group_gap`: attribute, the favoured and
        the other group, `logged` (mean preference of what the logger shows, favoured minus other) and, for
        the lists, `preference@k` and `preference_ndcg@k` (favoured minus other).
    """
    values = preference_values(world, recommendations, k, seen)
    gap = world.group_gap
    by_group = values.join(world.users.select(v.USER, gap.attribute), on=v.USER).group_by(gap.attribute)
    means = {row[gap.attribute]: row for row in by_group.agg(pl.col("ndcg", "preference").mean()).to_dicts()}
    both = gap.favoured in means and gap.other in means

    def difference(name: str) -> float | None:
        return means[gap.favoured][name] - means[gap.other][name] if both else None

    return {
        f"preference_ndcg@{k}": values["ndcg"].mean(),
        f"preference@{k}": values["preference"].mean(),
        "group_gap": {
            "attribute": gap.attribute,
            "favoured": gap.favoured,
            "other": gap.other,
            "logged": gap.difference,
            f"preference@{k}": difference("preference"),
            f"preference_ndcg@{k}": difference("ndcg"),
        },
    }


def propensity_error(world: World, events: Any, propensity: NDArray[np.floating[Any]]) -> dict[str, float]:
    """How far estimated propensities are from the chance that a visiting user is shown the item.

    Propensities are compared up to a factor, since only ratios of weights matter: both are scaled to a mean
    inverse of 1.

    Args:
        world: Whose truth.
        events: The rows the propensities belong to, with `user_id` and `item_id`.
        propensity: One per row; NaN for rows without.

    Returns:
        `weight_rmse`, root mean square difference of the weights (0 is right), and `log_correlation`, Pearson
        correlation of the log-propensities (1 is right up to a power).

    Raises:
        DataError: if no row has a propensity.
    """
    values = pl.Series("_propensity", np.asarray(propensity, dtype=np.float64))
    rows = _located(world, to_polars(events).with_columns(values)).filter(pl.col("_propensity").is_not_nan())
    if rows.is_empty():
        raise DataError("No row of the events has a propensity and belongs to this world")
    true = world.propensity[rows["_user"].to_numpy(), rows["_item"].to_numpy()].astype(np.float64)
    said = rows["_propensity"].to_numpy()
    weights = [1 / p / (1 / p).mean() for p in (said, true)]
    constant = said.std() < 1e-12 or true.std() < 1e-12
    return {
        "weight_rmse": float(np.sqrt(np.square(weights[0] - weights[1]).mean())),
        "log_correlation": 0.0 if constant else float(np.corrcoef(np.log(said), np.log(true))[0, 1]),
    }


def _located(world: World, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows whose user and item belong to the world."""
    return world.located(frame).drop_nulls(["_user", "_item"])
