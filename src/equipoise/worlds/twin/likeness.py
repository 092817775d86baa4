"""How far a twin's log is from the log it was made from: two-sample measures, each against a band of chance."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from equipoise.data import Dataset, to_polars
from equipoise.data import vocabulary as v
from equipoise.errors import DataError
from equipoise.worlds.laws import Ints
from equipoise.worlds.twin.classifier import tell_apart
from equipoise.worlds.twin.measures import measures
from equipoise.worlds.twin.record import Record, record, resampled
from equipoise.worlds.twin.taste import find_taste
from equipoise.worlds.world import World

_LEVEL = 0.95
_GROUPS = 6  # groups of a column that are looked at, largest first


def likeness(world: World, log: Any, *, seed: int = 0, draws: int = 40) -> list[dict[str, Any]]:
    """Hold a twin's log against the log it was made from.

    Only events of the twin's users on the twin's items count, in both. Two resamples of the log's users are how
    far apart two logs of the same kind may be by chance; a distance within 95 % of these is `alike`.

    Args:
        world: The twin.
        log: The log, a frame of any engine or a `Dataset`.
        seed: Root of the resamples.
        draws: Pairs of resamples.

    Returns:
        One row per measure: `name`, `measure` (what it is), `kind` of distance, `twin` and `log` (the number of
        each), `distance`, `band` (what chance does; None where that is not known), `alike`, `meaning`. The last
        row, `classifier`, has the AUC of telling users apart as `twin`, its interval as `low` and `high`, 0.5 as
        `log`, and the AUC above 0.5 as `distance`; `alike` says there that no difference is shown, which with
        few users is always so.

    Raises:
        DataError: if the log has no event of taste of the world's users on its items.
    """
    events = log.events if isinstance(log, Dataset) else to_polars(log)
    theirs = record(events, world.users, world.items)
    if not len(theirs.user):
        raise DataError(
            "The log has no event of taste of this world's users on its items",
            todo="Give the log the world was made from.",
        )
    mine = record(world.log, world.users, world.items)
    if theirs.shown is None:
        mine = replace(mine, shown=None)
    groups, names = _groups(world)
    rng = np.random.default_rng([seed, 1])
    pairs = [(_redrawn(theirs, rng), _redrawn(theirs, rng)) for _ in range(draws)]
    rows = []
    for one in measures(theirs, world.days, groups, names):
        band = float(np.quantile([one.distance(a, b) for a, b in pairs], _LEVEL))
        distance = one.distance(mine, theirs)
        rows.append({
            "name": one.name,
            "measure": one.measure,
            "kind": one.kind,
            "twin": one.value(mine),
            "log": one.value(theirs),
            "distance": distance,
            "band": band,
            "alike": distance <= band + 1e-12,
            "meaning": one.meaning,
        })  # fmt: skip
    attributes = {column: groups[column] for column in world.sensitive if column in groups}
    return [*rows, _predictability(mine, theirs, attributes, seed), _told_apart(mine, theirs, seed)]


def _redrawn(log: Record, rng: np.random.Generator) -> Record:
    return resampled(log, rng.integers(0, log.shape[0], log.shape[0]))


def _groups(world: World) -> tuple[dict[str, Ints], dict[str, list[str]]]:
    """Groups of the users by number, and their names, largest first."""
    codes: dict[str, Ints] = {}
    names: dict[str, list[str]] = {}
    for column in dict.fromkeys((*world.sensitive, world.gap_between[0])):
        group = world.users[column].cast(pl.String).fill_null(v.UNKNOWN)
        counts = group.value_counts().sort("count", column, descending=[True, False])
        names[column] = counts[column].head(_GROUPS).to_list()
        place = {name: number for number, name in enumerate(names[column])}
        codes[column] = group.replace_strict(place, default=-1, return_dtype=pl.Int64).to_numpy()
    return codes, names


def _predictability(mine: Record, theirs: Record, groups: dict[str, Ints], seed: int) -> dict[str, Any]:
    codes = {column: group + 1 for column, group in groups.items()}
    twin, log = (find_taste(one, codes, rank=16, seed=seed).gain for one in (mine, theirs))
    return {
        "name": "predictability",
        "measure": "log-likelihood per event that taste adds to activity and popularity, on events held out",
        "kind": "difference",
        "twin": twin,
        "log": log,
        "distance": abs(twin - log),
        "band": None,
        "alike": None,
        "meaning": "Whether taste can be told from the past as well as in the log; 0 is not at all.",
    }


def _told_apart(mine: Record, theirs: Record, seed: int) -> dict[str, Any]:
    told = tell_apart(mine, theirs, seed)
    return {
        "name": "classifier",
        "measure": "area under the ROC curve of a classifier that tells the twin's users from the log's",
        "kind": "above one half",
        "twin": told.auc,
        "log": 0.5,
        "distance": max(told.auc - 0.5, 0.0),
        "band": None,
        "low": told.low,
        "high": told.high,
        "alike": told.low <= 0.5,
        "meaning": "0.5: nothing tells them apart by how much, how popular, how varied and what kind of items; 1: "
        "everything does.",
    }
