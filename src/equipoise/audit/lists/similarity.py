"""Who gets the same lists: inside a group, across groups, and everybody.

within_group(recommendations, groups, k=10)           # does a group still get personal lists?
cross_group(recommendations, groups, train, k=10)     # do similar users of other groups get similar lists?
shared_places(recommendations, k=10, popular=popular) # does everybody get the same, and is it what is popular?
"""

from __future__ import annotations

from typing import Any, Final

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from equipoise.audit.lists import matrices
from equipoise.audit.lists.neighbours import Neighbours, nearest, over_pairs
from equipoise.data import vocabulary as v
from equipoise.errors import ConfigError
from equipoise.metrics import frames
from equipoise.metrics.ranking import check_cutoff
from equipoise.statistics import Estimate, Interval, bootstrap_means
from equipoise.statistics.interval import TOO_FEW

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SCHEMA: Final = {
    "attribute": pl.String,
    "group": pl.String,
    "metric": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "users": pl.Int64,
}
_NOBODY = Interval(None, None, None, 0)


def within_group(recommendations: Any, groups: Any, *, k: int, level: float = 0.95) -> pl.DataFrame:
    """Mean distance between the lists of a group, alone and against all pairs of users.

    The distance of two lists is `1 − |L(u) ∩ L(v)| / max(|L(u)|, |L(v)|)`, both cut at k: 0 for two lists of
    the same items, however short. The mean over all pairs is worked out from how often each item is listed in
    lists of each length, without looking at pairs. It is a U-statistic; intervals are Wald's with its projection
    on single users.

    Source: Hoeffding (1948), "A class of statistics with asymptotically normal distribution", section 5.

    Args:
        recommendations: Frame of `user_id`, `item_id`, `rank`, of any engine.
        groups: Frame of `user_id` and one text column per attribute; a null, and a user that is not there,
            is of the group "unknown".
        k: Cutoff.
        level: Confidence level.

    Returns:
        Rows of `attribute`, `group`, `metric`, `value`, `low`, `high`, `users` (with a list). Metrics:
        `list_distance@k`, and `list_distance_excess@k`: what it is above that of all pairs of users (0 is
        fair, below 0 the group's lists are less personal). Nulls for a group of fewer than two users.

    Example:
        Both women get a and b; the men share one of two with each other and with nobody else. Of the six pairs
        two have something in common: distances 0, ½, and four times 1, so ¾ overall.

        >>> shown = {"user_id": [1, 1, 2, 2, 3, 3, 4, 4], "item_id": list("ababcdce"), "rank": [1, 2] * 4}
        >>> people = pl.DataFrame({"user_id": [1, 2, 3, 4], "gender": ["F", "F", "M", "M"]})
        >>> within_group(pl.DataFrame(shown), people, k=2)["value"].round(12).to_list()
        [0.0, -0.75, 0.5, -0.25]
    """
    check_cutoff(k, "list_distance")
    lists, users = matrices.lists(recommendations, k)
    everybody, apart = _pairwise(lists)
    table = []
    for attribute, labels, codes in matrices.attributes(groups, users):
        for code, group in enumerate(labels):
            members = np.flatnonzero(codes == code)
            found = [_NOBODY, _NOBODY]
            if len(members) > 1:
                distance, own = _pairwise(lists[members])
                influence = np.zeros(len(users))
                influence[members] = len(users) / len(members) * own
                found = [
                    Estimate(distance, own).interval(level),
                    Estimate(distance - everybody, influence - apart).interval(level),
                ]
            for metric, interval in zip(("list_distance", "list_distance_excess"), found, strict=True):
                table.append(_row(attribute, group, f"{metric}@{k}", interval, len(members)))
    return pl.DataFrame(table, schema=SCHEMA, orient="row")


def cross_group(
    recommendations: Any,
    groups: Any,
    train: Any,
    *,
    k: int,
    neighbours: int = 20,
    max_users: int = 5000,
    level: float = 0.95,
    seed: int = 0,
) -> pl.DataFrame:
    """Whether similar users get similar lists across groups as they do inside their own.

    For every user, the mean overlap `|L(u) ∩ L(v)| / max(|L(u)|, |L(v)|)` with the most similar users of other
    groups, minus that with the most similar users of the own group; similar means the cosine of training profiles.
    Both sides are searched among equally many users, drawn by the seed: in a larger crowd the nearest are nearer. A
    difference may still be one of taste: `neighbour_similarity_difference` says how much less similar the
    neighbours in other groups are.

    Intervals are Wald's; a user counts in them both with the own neighbours and as a neighbour of others.

    Source of the idea: Dwork et al. (2012), "Fairness through awareness", section 2.

    Args:
        recommendations: Frame of `user_id`, `item_id`, `rank`, of any engine.
        groups: Frame of `user_id` and one text column per attribute, as in `within_group`. Users of group
            "unknown" are neither asked nor neighbours.
        train: Training events, a frame of `user_id`, `item_id`.
        k: Cutoff.
        neighbours: Most similar users on each side; users with a cosine of 0 are not similar. Ties by user id.
        max_users: With more users than this, a seeded sample of them is looked at, and its neighbours are
            sought inside it.
        level: Confidence level.
        seed: Seed of samples.

    Returns:
        Rows of `attribute`, `group`, `metric`, `value`, `low`, `high`, `users` (with neighbours on both sides).
        Metrics: `neighbour_overlap_own@k`, `neighbour_overlap_other@k`, `neighbour_overlap_difference@k` (0 is
        fair), `neighbour_similarity_difference`.

    Raises:
        ConfigError: if `neighbours` is below 1 or `max_users` below 2.

    Example:
        All four have one profile. Women are shown a, men b, so that nothing is shared across groups.

        >>> shown = pl.DataFrame({"user_id": [1, 2, 3, 4], "item_id": list("aabb"), "rank": [1] * 4})
        >>> people = pl.DataFrame({"user_id": [1, 2, 3, 4], "gender": ["F", "F", "M", "M"]})
        >>> train = pl.DataFrame({"user_id": [1, 2, 3, 4], "item_id": ["z"] * 4})
        >>> cross_group(shown, people, train, k=1)["value"].to_list()
        [1.0, 0.0, -1.0, 0.0, 1.0, 0.0, -1.0, 0.0]
    """
    check_cutoff(k, "neighbour_overlap_difference")
    if neighbours < 1 or max_users < 2:
        raise ConfigError(
            f"{neighbours} neighbours among {max_users} users cannot be compared",
            todo="Take at least 1 neighbour and 2 users.",
        )
    lists, users = matrices.lists(recommendations, k)
    profiles = matrices.profiles(train, users)
    eligible = np.flatnonzero(np.diff(profiles.indptr) > 0)
    metrics = (
        f"neighbour_overlap_own@{k}",
        f"neighbour_overlap_other@{k}",
        f"neighbour_overlap_difference@{k}",
        "neighbour_similarity_difference",
    )
    table = []
    for attribute, labels, codes in matrices.attributes(groups, users):
        rng = np.random.default_rng(seed)
        known = eligible[np.array([labels[code] != v.UNKNOWN for code in codes[eligible]], dtype=bool)]
        if len(known) > max_users:
            known = np.sort(rng.choice(known, max_users, replace=False))
        for code, group in enumerate(labels):
            if group == v.UNKNOWN:
                continue
            inside, outside = known[codes[known] == code], known[codes[known] != code]
            size = min(len(inside) - 1, len(outside))
            found, asked = [_NOBODY] * len(metrics), 0
            if size > 0:
                own = nearest(profiles, lists, inside, _sample(inside, size + 1, rng), neighbours, size)
                other = nearest(profiles, lists, inside, _sample(outside, size, rng), neighbours, size)
                both = own.found & other.found
                asked = int(both.sum())
                if asked:
                    found = _compared(inside[both], _of(own, both), _of(other, both), len(users), level)
            table += [
                _row(attribute, group, metric, interval, asked)
                for metric, interval in zip(metrics, found, strict=True)
            ]
    return pl.DataFrame(table, schema=SCHEMA, orient="row")


def shared_places(
    recommendations: Any,
    *,
    k: int,
    popular: Any = None,
    everybody: float = 0.9,
    level: float = 0.95,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> pl.DataFrame:
    """Whether everybody gets the same, and whether that is what is popular: signs of popularity collapse.

    Args:
        recommendations: Frame of `user_id`, `item_id`, `rank`, of any engine.
        k: Cutoff.
        popular: The most popular items of each user, a frame of `user_id`, `item_id`, `rank`.
        everybody: An item in at least this share of all lists is shared by everybody.
        level: Confidence level.
        n_bootstrap: Draws over users, with the shared items as they are.
        seed: Seed.

    Returns:
        Rows of `metric`, `value`, `low`, `high`, `users`. Metrics: `shared_places@k`, the mean share of a list
        that everybody gets; with `popular` also `popularity_overlap@k`, the mean share of a list that stands
        in the user's most popular list.

    Raises:
        ConfigError: if `everybody` is not in (0, 1].

    Example:
        All three get a; it holds half of each list.

        >>> shown = {"user_id": [1, 1, 2, 2, 3, 3], "item_id": list("abacad"), "rank": [1, 2] * 3}
        >>> shared_places(pl.DataFrame(shown), k=2)["value"].to_list()
        [0.5]
    """
    check_cutoff(k, "shared_places")
    if not 0 < everybody <= 1:
        raise ConfigError(
            f"Everybody is the share {everybody} of the users", todo="Give a number up to 1, as in 0.9."
        )
    lists, users = matrices.lists(recommendations, k)
    length = np.diff(lists.indptr).astype(np.float64)
    often = np.asarray(lists.sum(axis=0)).ravel() >= everybody * len(users) - 1e-9
    values = {"shared_places": lists @ often.astype(np.float64) / length if len(users) > 1 else np.zeros(0)}
    if popular is not None:
        shown, top = frames.together(matrices.shown(recommendations, k), matrices.shown(popular, k))
        both = top.select(v.USER).unique()
        hits = shown.join(top.select(v.USER, v.ITEM), on=[v.USER, v.ITEM], how="inner")
        table = frames.collect(
            shown.join(both, on=v.USER, how="inner")
            .group_by(v.USER)
            .agg(nw.col(v.ITEM).len().alias("_places"))
            .join(hits.group_by(v.USER).agg(nw.col(v.RANK).len().alias("_hits")), on=v.USER, how="left")
        ).sort(v.USER)
        values["popularity_overlap"] = np.nan_to_num(frames.numbers(table, "_hits")) / frames.numbers(
            table, "_places"
        )
    rows = []
    for metric, of_user in values.items():
        interval = bootstrap_means(of_user, level=level, n_bootstrap=n_bootstrap, seed=seed)[0]
        rows.append((f"{metric}@{k}", interval.value, interval.low, interval.high, len(of_user)))
    return pl.DataFrame(rows, schema={name: SCHEMA[name] for name in list(SCHEMA)[2:]}, orient="row")


def _of(near: Neighbours, kept: NDArray[np.bool_]) -> Neighbours:
    return Neighbours(near.rows[kept], near.weights[kept], near.overlap[kept], near.similarity[kept])


def _compared(asked: Ints, own: Neighbours, other: Neighbours, users: int, level: float) -> list[Interval]:
    """Overlaps in the own group and across, their difference, and the difference of similarities."""
    inside, across = (over_pairs(near.overlap, asked, near, users) for near in (own, other))
    alike, apart = (over_pairs(near.similarity, asked, near, users) for near in (own, other))
    estimates = (inside, across, across.minus(inside), apart.minus(alike))
    if len(asked) < 2:
        return [Interval(estimate.value, None, None, len(asked), TOO_FEW) for estimate in estimates]
    return [estimate.interval(level) for estimate in estimates]


def _pairwise(lists: sparse.csr_matrix) -> tuple[float, Floats]:
    """Mean distance over pairs of lists, and the influence of each list on it."""
    n = lists.shape[0]
    if n < 2:
        return float("nan"), np.zeros(n)
    lengths = np.diff(lists.indptr)
    distances = np.empty(n)
    for length in np.unique(lengths):  # of a list that long, the part that each list with an item shares
        mine = np.flatnonzero(lengths == length)
        parts = lists.T @ (1.0 / np.maximum(lengths, length))
        distances[mine] = 1.0 - (lists[mine] @ parts - 1.0) / (n - 1)  # all of one's own list is one's own
    mean = float(distances.mean())
    return mean, np.asarray(2.0 * (distances - mean))


def _sample(users: Ints, size: int, rng: np.random.Generator) -> Ints:
    """`size` of the users, sorted; all where there are no more."""
    return users if len(users) <= size else np.sort(rng.choice(users, size, replace=False))


def _row(attribute: str, group: str, metric: str, found: Interval, users: int) -> tuple[Any, ...]:
    return attribute, group, metric, found.value, found.low, found.high, users
