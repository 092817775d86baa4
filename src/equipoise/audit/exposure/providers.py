"""The side of items and providers: who gets the exposure, against a named target, with users resampled.

provider_exposure(recommendations, items, "genre", k=10)              # share of every group, with interval
provider_metrics(recommendations, items, "genre", k=10, truth=truth)  # how unequal, in one number each
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from equipoise.audit.exposure.spreads import about_mean, spread_row
from equipoise.metrics import DEFINITIONS, expected_exposure_loss, frames
from equipoise.metrics import provider_formulas as formulas
from equipoise.metrics.providers import ProviderSums, column_sums, provider_sums, target_shares
from equipoise.statistics import Estimate, Interval, bootstrap_means, bootstrap_ratio, resampled_sums

Floats = NDArray[np.float64]
Target = str | Mapping[str, float]

_MANY = 100_000  # users above whom sums are as good as normal, and are drawn or worked out as such
_COLUMNS = 1000  # sums whose covariance is worked out
_FEW = 50  # groups up to which shares are resampled; beyond, their interval is worked out
_DENSE = 20_000_000  # cells of users x columns up to which sums are resampled as a full matrix

EXPOSURE_SCHEMA: Final = {
    "group": pl.String,
    "share": pl.Float64,
    "target": pl.Float64,
    "exposure": pl.Float64,
    "items": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "users": pl.Int64,
}
METRICS_SCHEMA: Final = {
    "metric": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "users": pl.Int64,
    "bias": pl.Float64,
}


def provider_exposure(
    recommendations: Any,
    items: Any,
    column: str,
    *,
    k: int,
    target: Target = "catalogue",
    truth: Any = None,
    level: float = 0.95,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> pl.DataFrame:
    """Share of all exposure that each group of items (or provider) gets, beside the share it should get.

    Args:
        recommendations: Frame of `user_id`, `item_id`, `rank`, of any engine.
        items: The catalogue: a frame of `item_id` and the column, one row per item. Items of no group are left
            out (how many: `metrics.providers.without_group`); several groups of one item are joined by "|" and
            share it evenly.
        column: Column of the items that names the group or the provider.
        k: Cutoff.
        target: What each group should get: "catalogue" (as its share of the items), "uniform" (all groups
            alike), "merit" (as its share of the truth), or shares by group.
        truth: Frame of `user_id`, `item_id`; needed for "merit".
        level: Confidence level.
        n_bootstrap: Draws over users. With more than 50 groups or 100,000 users, intervals are from influence
            values instead.
        seed: Seed.

    Returns:
        Rows by group: `group`, `share` (of all exposure, with `low` and `high`), `target` (as a share),
        `exposure` (attention `1/log2(rank + 1)` per item and user: EXP), `items`, `users`. Users are those of
        the recommendations or the truth.

    Raises:
        ConfigError: if there is no such target, or the given shares do not fit the groups.
        DataError: if a column is missing, an item stands twice, or nothing is recommended.

    Example:
        Two users get a comedy first and a drama second: 1 against 0.6309.

        >>> items = pl.DataFrame({"item_id": ["a", "b"], "genre": ["Comedy", "Drama"]})
        >>> rows = {"user_id": [1, 1, 2, 2], "item_id": ["a", "b", "a", "b"], "rank": [1, 2, 1, 2]}
        >>> provider_exposure(pl.DataFrame(rows), items, "genre", k=2)["share"].round(4).to_list()
        [0.6131, 0.3869]
    """
    sums = provider_sums(recommendations, items, column, k, truth=truth)
    aims = target_shares(target, sums)
    exposure = column_sums(sums.exposure)
    total = np.asarray(sums.exposure.sum(axis=1)).ravel()
    intervals: list[Interval]
    if not total.sum():
        intervals = [Interval(None, None, None, sums.users)] * len(sums.groups)
    elif len(sums.groups) <= _FEW and sums.users <= _MANY:
        intervals = bootstrap_ratio(
            sums.exposure.toarray(), total, level=level, n_bootstrap=n_bootstrap, seed=seed
        )
    else:
        intervals = _share_intervals(sums.exposure, exposure, total, level)
    return pl.DataFrame(
        {
            "group": sums.groups,
            "share": [interval.value for interval in intervals],
            "target": aims,
            "exposure": exposure / (sums.users * sums.items),
            "items": sums.items,
            "low": [interval.low for interval in intervals],
            "high": [interval.high for interval in intervals],
            "users": [sums.users] * len(sums.groups),
        },
        schema=EXPOSURE_SCHEMA,
    )


def provider_metrics(
    recommendations: Any,
    items: Any,
    column: str,
    *,
    k: int,
    target: Target = "catalogue",
    truth: Any = None,
    train: Any = None,
    level: float = 0.95,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> pl.DataFrame:
    """How unequal the exposure of groups of items (or providers) is, in one number per way of asking.

    The metrics are defined in `equipoise.metrics.DEFINITIONS`: `exposure_distance`, `exposure_gap`, `awrf`,
    `rsp`, `provider_gini`, `worst_off_share`; with a truth also `exposure_per_utility` (EXPU),
    `clicks_per_utility` (EXPRU), `reo` and `expected_exposure_loss`.

    Users are resampled. Most of these numbers are spreads: chance alone pulls them away from their fair value,
    and resampling pulls them once more by about as much. Their intervals are therefore reflected at the
    estimate (the basic bootstrap; Davison and Hinkley 1997, "Bootstrap methods and their application", section
    5.2), which takes that bias out to first order, and `bias` says how large it is. Near the fair value this
    is not enough: where a test that all groups are alike does not reject at the same level, the interval
    reaches to the fair value. Means over users (`awrf`, `expected_exposure_loss`) have no such bias, and BCa
    intervals.

    Args:
        recommendations: Frame of `user_id`, `item_id`, `rank`, of any engine.
        items: The catalogue: a frame of `item_id` and the column, one row per item.
        column: Column of the items that names the group or the provider.
        k: Cutoff.
        target: For `exposure_distance` and `awrf`, as in `provider_exposure`.
        truth: Frame of `user_id`, `item_id`.
        train: Frame of `user_id`, `item_id`: items that a user had are not counted as passed over in `rsp`.
        level: Confidence level.
        n_bootstrap: Draws over users; of more than 100,000 users, draws from the normal limit of their sums.
        seed: Seed.

    Returns:
        Rows by metric: `metric` (as in "rsp@10"), `value`, `low`, `high`, `users`, `bias` (mean of the draws
        minus the value, null where there is none by construction). Nulls where a number does not exist, as
        with one group only.

    Raises:
        ConfigError: if there is no such target, or the given shares do not fit the groups.
        DataError: if a column is missing, an item stands twice, or nothing is recommended.

    Example:
        The comedy gets 1 of 1.6309 where half would be its share of the catalogue.

        >>> items = pl.DataFrame({"item_id": ["a", "b"], "genre": ["Comedy", "Drama"]})
        >>> rows = {"user_id": [1, 1, 2, 2], "item_id": ["a", "b", "a", "b"], "rank": [1, 2, 1, 2]}
        >>> table = provider_metrics(pl.DataFrame(rows), items, "genre", k=2)
        >>> dict(table.select("metric", pl.col("value").round(4)).rows())["exposure_distance@2"]
        0.1131
    """
    sums = provider_sums(recommendations, items, column, k, truth=truth, train=train)
    aims = target_shares(target, sums)
    names = [name for name in _SUMMED if getattr(sums, name) is not None]
    rows = sparse.hstack([getattr(sums, name) for name in names], format="csr")
    fixed = None if target == "merit" else aims

    def statistics(totals: Floats) -> dict[str, tuple[Floats, Floats]]:
        parts = np.split(totals, len(names), axis=-1)
        return _statistics(dict(zip(names, parts, strict=True)), sums, fixed)

    whole = column_sums(rows)
    draws = _resampled(rows, n_bootstrap, seed) if sums.users > 1 else whole[None]
    values, spreads = statistics(whole), statistics(draws)
    table = [
        spread_row(name, *values[name], *spreads[name], users=sums.users, level=level) for name in values
    ]
    means = {"awrf": formulas.list_distances(sums.exposure, aims)}
    if truth is not None:
        losses = nw.from_native(expected_exposure_loss(k, items)(recommendations, truth), eager_only=True)
        means["expected_exposure_loss"] = frames.numbers(losses, "value")
    for name, of_users in means.items():
        if len(of_users) > _MANY:
            mean = Estimate(float(of_users.mean()), of_users - of_users.mean()).interval(level)
        else:
            mean = bootstrap_means(of_users, level=level, n_bootstrap=n_bootstrap, seed=seed)[0]
        table.append({"metric": name, **mean.as_dict(), "users": mean.n, "bias": None})
    order = list(DEFINITIONS)
    table.sort(key=lambda row: order.index(str(row["metric"])))
    return pl.DataFrame(
        [{**row, "metric": f"{row['metric']}@{k}"} for row in table], schema=METRICS_SCHEMA, orient="row"
    )


_SUMMED: Final = ("exposure", "places", "gained", "hits", "positives", "seen")


def _statistics(
    totals: dict[str, Floats], sums: ProviderSums, target: Floats | None
) -> dict[str, tuple[Floats, Floats]]:
    """All metrics of sums by group, (..., groups) to (...), each with the contrasts (..., groups) that are all 0
    where it is fair.
    """
    exposure = totals["exposure"]
    aims = formulas.shares(totals["positives"]) if target is None else target
    pairs = np.maximum(sums.users * sums.items - totals.get("seen", np.zeros(len(sums.items))), 0.0)
    per_item, rates = exposure / (sums.users * sums.items), formulas.rates(totals["places"], pairs)
    found = {
        "exposure_distance": (formulas.distance(exposure, aims), formulas.shares(exposure) - aims),
        "exposure_gap": (formulas.gap(per_item), about_mean(per_item)),
        "rsp": (formulas.relative_spread(totals["places"], pairs), about_mean(rates)),
        "provider_gini": (formulas.gini_over_groups(exposure), about_mean(exposure)),
        "worst_off_share": (formulas.worst_off_share(exposure), about_mean(exposure)),
    }
    if "positives" in totals:
        positives, gained, hits = totals["positives"], totals["gained"], totals["hits"]
        for name, above in (("exposure_per_utility", exposure), ("clicks_per_utility", gained)):
            ratio = about_mean(formulas.rates(above, positives))
            found[name] = (formulas.smallest_over_largest(above, positives), ratio)
        found["reo"] = (
            formulas.relative_spread(hits, positives),
            about_mean(formulas.rates(hits, positives)),
        )
    return found


def _resampled(rows: sparse.csr_matrix, n_bootstrap: int, seed: int) -> Floats:
    """Column sums of users drawn with replacement, (n_bootstrap, columns)."""
    users, width = rows.shape
    if users <= _MANY and users * width <= _DENSE:
        return resampled_sums(rows.toarray(), n_bootstrap, seed)
    rng, whole = np.random.default_rng(seed), column_sums(rows)
    if users > _MANY and width <= _COLUMNS:
        covariance = (rows.T @ rows).toarray() - np.outer(whole, whole) / users
        sizes, directions = np.linalg.eigh(covariance)
        normal = rng.standard_normal((n_bootstrap, width)) * np.sqrt(np.maximum(sizes, 0.0))
        return np.asarray(np.maximum(whole + normal @ directions.T, 0.0))
    columns, draws = rows.T.tocsr(), np.empty((n_bootstrap, width))
    for draw in draws:
        draw[:] = columns @ np.bincount(rng.integers(0, users, users), minlength=users)
    return draws


def _share_intervals(
    matrix: sparse.csr_matrix, exposure: Floats, total: Floats, level: float
) -> list[Interval]:
    """Wald intervals of shares, a ratio of sums, from the influence `(x_ug − share_g · x_u) / mean x_u`."""
    shares = exposure / total.sum()
    columns = matrix.tocsc()
    intervals = []
    for group, share in enumerate(shares):
        own = columns[:, [group]].toarray().ravel()
        intervals.append(Estimate(float(share), (own - share * total) / total.mean()).interval(level))
    return intervals
