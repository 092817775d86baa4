"""What a reader of a comparison must know before believing it, as codes with values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from equipoise.data import vocabulary as v
from equipoise.pipeline.debias.ground import Ground
from equipoise.pipeline.debias.systems import BASE, POPULAR

_FEW_USERS = 100

Note = dict[str, Any]


def notes(ground: Ground, told: Mapping[str, Any]) -> list[Note]:
    """What limits the comparison.

    Args:
        ground: What all rows stand on.
        told: What `compare` gives.
    """
    found = [*_people(ground), *_weights(ground), *_groups(ground)]
    accuracy = ground.accuracy
    values = {row["name"]: row["valid"][accuracy]["value"] for row in told["rows"]}
    if values[POPULAR] is not None and values[POPULAR] >= values[BASE]:
        found.append({"code": "popular_wins", "values": {"popular": values[POPULAR], "base": values[BASE]}})
    chosen, naive = told["recommendation"]["overall"]["pick"], told.get("by_validation")
    if naive is not None and naive["pick"] != chosen:
        found.insert(0, {"code": "disagree", "values": {"validation": naive["pick"], "truth": chosen}})
    if ground.config.split.strategy != "temporal":
        found.append({"code": "split", "values": {"strategy": ground.config.split.strategy}})
    return found


def of_twin(told: Mapping[str, Any], mirrored: Mapping[str, Any]) -> list[Note]:
    """Whether the twin's truth would pick something else than the log's validation."""
    log, other = told["recommendation"]["overall"]["pick"], mirrored["overall"]["pick"]
    return [{"code": "twin_disagrees", "values": {"log": log, "twin": other}}] if log != other else []


def _people(ground: Ground) -> list[Note]:
    users = min(len(one.users) for one in ground.held_out.values())
    return [{"code": "few_users", "values": {"users": users}}] if users < _FEW_USERS else []


def _weights(ground: Ground) -> list[Note]:
    told = ground.held_out["valid"].diagnostics
    if told is None:
        return [{"code": "no_propensities", "values": {}}]
    if ground.accuracy == "ndcg":
        return [{"code": "weak_weights", "values": {"worth": told.effective_sample_size}}]
    return []


def _groups(ground: Ground) -> list[Note]:
    """Why groups are not compared, which are left out, and which training does not know."""
    attribute = ground.attribute
    if attribute is None:
        return [{"code": "no_attribute", "values": {}}]
    known = ground.members["group"].unique().sort().to_list()
    if len(known) < 2:
        return [{"code": "one_value", "values": {"attribute": attribute}}]
    taste = ground.prepared.train.positives.select(pl.col(v.USER).unique())
    learnt = set(ground.members.join(taste, on=v.USER, how="semi")["group"].unique())
    found = [
        {"code": "group_absent", "values": {"attribute": attribute, "group": group}}
        for group in known
        if group not in learnt
    ]
    if not ground.groups:
        return [*found, {"code": "few_groups", "values": {"attribute": attribute}}]
    return found + [
        {"code": "group_small", "values": {"attribute": attribute, "group": group}}
        for group in known
        if group in learnt and group not in ground.groups
    ]
