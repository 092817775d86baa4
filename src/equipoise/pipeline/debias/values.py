"""One row's lists as numbers: what each user contributes, and what the lists are as a whole."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

from equipoise import metrics as m
from equipoise.data import vocabulary as v
from equipoise.debias.corrected import Corrected
from equipoise.pipeline.debias.ground import Ground, Part
from equipoise.pipeline.measure import calibration
from equipoise.worlds import World, planted_bias, preference_values

Values = pl.DataFrame


def per_user(lists: pl.DataFrame, part: Part, ground: Ground, corrected: Corrected | None = None) -> Values:
    """What each user of a part contributes to every measure.

    Args:
        lists: The row's lists for the part.
        part: Which held-out events.
        ground: What all rows stand on.
        corrected: What predicts ratings, where the row does.

    Returns:
        One row per user with a relevant pair, sorted: `user_id`, `ndcg` and `recall` in 0..1; `popularity` (mean log
        popularity of the list, 0 without one) and `popularity_of` (1 with a list, else 0); `gain` and `gain_of`, whose
        sums have weighted NDCG as their ratio, where there are propensities; `squared` and `rated`, whose sums have
        the mean squared error as their ratio, where the model estimates ratings; where the truth is known,
        `true_ndcg` in 0..1 and `favour`, see `_favour`.
    """
    k, held = ground.k, ground.held_out[part]
    wanted = {"ndcg": m.ndcg(k), "recall": m.recall(k)}
    table: pl.DataFrame = m.per_user(lists, held.truth, wanted)
    shown = lists.filter(pl.col(v.RANK) <= k).join(ground.popularity, on=v.ITEM, how="left")
    popular = shown.group_by(v.USER).agg(pl.col("popularity").fill_null(0.0).mean())
    table = table.join(popular, on=v.USER, how="left").with_columns(
        pl.col("popularity").fill_null(0.0), pl.col("popularity").is_not_null().cast(pl.Float64).alias("popularity_of")
    )  # fmt: skip
    if held.weighted is not None:
        gains: pl.DataFrame = m.weighted_gains(lists, held.weighted, {"gain": m.ndcg(k)})
        gains = gains.rename({"gain of": "gain_of"})
        table = table.join(gains, on=v.USER, how="left").with_columns(
            pl.col("gain", "gain_of").fill_null(0.0)
        )
    if held.rated is not None:
        table = table.join(_squared_errors(held.rated, part, ground, corrected), on=v.USER, how="left").with_columns(
            pl.col("squared", "rated").fill_null(0.0)
        )  # fmt: skip
    world = ground.prepared.world
    if world is not None:
        seen = ground.seen if part == "test" else _seen_before_valid(ground)
        truth = preference_values(world, lists, k, seen).select(v.USER, pl.col("ndcg").alias("true_ndcg"))
        table = table.join(truth, on=v.USER, how="left").join(
            _favour(world, lists, k, seen), on=v.USER, how="left"
        )
        table = table.with_columns(pl.col("true_ndcg", "favour").fill_null(0.0))
    return table.sort(v.USER)


def whole(lists: pl.DataFrame, ground: Ground) -> dict[str, Any]:
    """What test lists are as a whole: coverage, concentration, calibration, and their bias by the truth."""
    k, held = ground.k, ground.held_out["test"]
    found: dict[str, Any] = {
        "coverage": m.coverage(k)(lists, ground.catalogue),
        "gini": m.gini(k)(lists, ground.catalogue),
        "ece": None,
    }
    if v.PROBABILITY in lists.columns and (told := calibration(lists, held.truth)) is not None:
        found["ece"] = told.error
    world = ground.prepared.world
    if world is not None:
        biases = planted_bias(world, lists, k, ground.seen)
        found["planted"] = {name: None if math.isnan(bias) else bias for name, bias in biases.items()}
    return found


def _squared_errors(
    rated: pl.DataFrame, part: Part, ground: Ground, corrected: Corrected | None
) -> pl.DataFrame:
    """Per user the weighted sum of squared errors of predicted ratings, and the sum of the weights; of nobody where
    nothing predicts.
    """
    if corrected is None:
        return pl.DataFrame(schema={v.USER: rated.schema[v.USER], "squared": pl.Float64, "rated": pl.Float64})
    model = corrected.model if part == "valid" else corrected.model.observe(ground.prepared.valid.events)
    pairs = rated.select(v.USER, v.ITEM)
    said = model.recommend(
        pairs[v.USER].unique().sort(), len(ground.catalogue), exclude_seen=False, candidates=pairs,
        runtime=corrected.context.runtime,
    ).select(v.USER, v.ITEM, v.SCORE)  # fmt: skip
    error = pl.col("weight") * (pl.col(v.SCORE).cast(pl.Float64) - pl.col(v.VALUE)) ** 2
    told = rated.join(said, on=[v.USER, v.ITEM]).sort(v.USER, v.ITEM)
    return told.group_by(v.USER).agg(error.sum().alias("squared"), pl.col("weight").sum().alias("rated"))


def _favour(world: World, lists: pl.DataFrame, k: int, seen: pl.DataFrame | None) -> pl.DataFrame:
    """Per user by how much a list leans to what the logger showed most, beyond what true preference asks for.

    The mean over the list of the item's log probability of being shown, in standard deviations over the catalogue,
    minus that of the user's ideal list; the mean over users is the `popularity` of `planted_bias`.
    """
    shown = np.log(np.maximum(world.propensity.mean(axis=0, dtype=np.float64), 1e-12))
    shown = (shown - shown.mean()) / max(float(shown.std()), 1e-5)
    taste = world.preference.astype(np.float64)
    if seen is not None:
        had = world.located(seen).drop_nulls(["_user", "_item"])
        taste[had["_user"].to_numpy(), had["_item"].to_numpy()] = -1.0
    cells = world.located(lists.filter(pl.col(v.RANK) <= k)).drop_nulls(["_user", "_item"])
    user, item = cells["_user"].to_numpy(), cells["_item"].to_numpy()
    there, row, length = np.unique(user, return_inverse=True, return_counts=True)
    best = np.argsort(-taste[there], axis=1, kind="stable")[:, : length.max()]
    ideal = np.cumsum(shown[best], axis=1)[np.arange(len(there)), length - 1]
    names = cells.unique("_user").sort("_user")[v.USER]
    return pl.DataFrame({v.USER: names, "favour": (np.bincount(row, shown[item]) - ideal) / length})


def _seen_before_valid(ground: Ground) -> pl.DataFrame | None:
    if ground.seen is None:
        return None
    return ground.prepared.train.positives.select(v.USER, v.ITEM).unique()
