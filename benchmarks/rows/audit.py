"""The audit: does it say the truth on planted worlds, how long does it take, and what does it say of MovieLens?"""

from __future__ import annotations

import json
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks import data
from benchmarks.machine import Meter
from benchmarks.row import Part, Row
from benchmarks.rows import leave_last, popularity
from equipoise.audit.fairness.frame import FairnessFrame
from equipoise.errors import MissingExtraError
from equipoise.metrics import ndcg
from equipoise.models import models
from equipoise.statistics import minimum_detectable_difference
from equipoise.worlds import Storefront, World

_HERE = Path(__file__).parents[1]
_PEERS = _HERE / ".venv-peers" / "bin" / "python"

_WORLDS = 500
_MEASURED = 1200  # users drawn from each world
_PRECISION = "precision@10"


def _coverage(setting: str, seed: int, folder: Path) -> Part:
    """Users drawn from worlds whose gap is known, one slate of the logger each, and whether the verdict is right."""
    covered, unfair, widths, drawn = 0, 0, [], []
    for place in range(_WORLDS):
        world = _world(place)
        served = (world.propensity * world.preference).sum(axis=1) / world.slate_length
        man = (world.users["gender"] == "man").to_numpy()
        truth, n = world.group_gap.difference, _MEASURED
        if setting == "twice detectable":
            # As many users as make half the gap detectable: a slate's precision has this spread, and n goes by it.
            spread = [np.sqrt(served[g].var() + 0.021) for g in (man, ~man)]
            share = man.mean()
            unit = minimum_detectable_difference(spread[0], 1000, spread[1], 1000) or 1.0
            unit *= np.sqrt(
                (spread[0] ** 2 / share + spread[1] ** 2 / (1 - share)) / (spread[0] ** 2 + spread[1] ** 2)
            )
            n = int(np.clip(1000 * (2 * unit / truth) ** 2, 200, 20_000))
        rng = np.random.default_rng([seed, place])
        users = rng.integers(0, len(served), n)
        slates = _slates(world, users, int(rng.integers(1 << 31)))
        liked = rng.random(slates.shape) < world.preference[users[:, None], slates]
        gender = np.where(man, "man", "woman")[users]
        if setting == "no gap":
            gender, truth = rng.permutation(gender), 0.0
        frame = _frame(slates, liked, gender, place)
        gap = frame.gaps.filter(kind="difference").to_dicts()[0]
        sign = 1.0 if gap["groups"] == "man - woman" else -1.0
        covered += gap["low"] <= sign * truth <= gap["high"]
        unfair += gap["verdict"] == "unfair"
        widths.append(gap["high"] - gap["low"])
        drawn.append(n)
    return Part(
        {
            "covered": covered / _WORLDS,
            "verdict unfair": unfair / _WORLDS,
            "mean width": float(np.mean(widths)),
            "median users": float(np.median(drawn)),
        }
    )


@cache
def _world(place: int) -> World:
    """A world whose truth is worked out once for all settings."""
    return Storefront(n_users=400, n_items=60, seed=1000 + place).generate()


def _slates(world: World, users: Any, seed: int) -> Any:
    """A slate for every draw: who is drawn again sees another day's, since a day's slate is the user's own."""
    order = np.argsort(users, kind="stable")
    ordered = users[order]
    again = np.empty(len(users), dtype=np.int64)
    again[order] = np.arange(len(users)) - np.searchsorted(ordered, ordered)
    slates = np.empty((len(users), world.slate_length), dtype=np.int64)
    for t in range(int(again.max()) + 1):
        now = again == t
        slates[now] = world.policy.sample(users[now], world.slate_length, seed=seed, t=t)[0]
    return slates


def _frame(slates: Any, liked: Any, gender: Any, seed: int) -> FairnessFrame:
    """Every draw of a user is a user of its own; an item nobody is shown keeps those who like nothing in the truth."""
    n, places = slates.shape
    user = np.repeat(np.arange(n), places)
    recommendations = pl.DataFrame(
        {"user_id": user, "item_id": slates.ravel(), "rank": np.tile(np.arange(1, places + 1), n)}
    )
    truth = recommendations.select("user_id", "item_id").filter(pl.Series(liked.ravel()))
    never = pl.DataFrame({"user_id": np.arange(n), "item_id": np.full(n, -1, dtype=slates.dtype)})
    return FairnessFrame(
        metrics=[_PRECISION],
        recommendations=recommendations,
        truth=pl.concat([truth.cast(never.schema), never]),
        users=pl.DataFrame({"user_id": np.arange(n), "gender": gender}),
        groups=["gender"],
        n_permutations=400,
        seed=seed,
    )


_MANY = 1_000_000
_DRAWS = 1000


class Exposure:
    """Mean of a number of the items, discounted by rank: a metric of the list alone."""

    name = "exposure@10"
    k = 10

    def __init__(self, numbers: pl.DataFrame) -> None:
        self.numbers = numbers

    def __call__(self, recommendations: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
        discount = 1 / (pl.col("rank") + 1).log(2)
        joined = recommendations.join(self.numbers, on="item_id")
        return joined.group_by("user_id").agg(value=(pl.col("number") * discount).sum() / discount.sum())


def _tables(few: bool) -> dict[str, Any]:
    """A million users with ten items each; two attributes of 2 and 7 groups."""
    rng = np.random.default_rng(0)
    user, rank = np.repeat(np.arange(_MANY), 10), np.tile(np.arange(1, 11), _MANY)
    first = rng.integers(0, 1000, _MANY) * 10
    shown = np.arange(10)[None, :] + first[:, None]
    taken = np.ones(_MANY, dtype=np.int64) if few else rng.integers(1, 20, _MANY)
    owner = np.repeat(np.arange(_MANY), taken)
    wanted = first[owner] + rng.integers(0, 20, len(owner))
    number = rng.random(10_000)
    return {
        "recommendations": pl.DataFrame({"user_id": user, "item_id": shown.ravel(), "rank": rank}),
        "truth": pl.DataFrame({"user_id": owner, "item_id": wanted}),
        "users": pl.DataFrame(
            {
                "user_id": np.arange(_MANY),
                "gender": rng.choice(["F", "M"], _MANY),
                "age": rng.integers(0, 7, _MANY),
            }
        ),
        "metrics": {
            "ndcg@10": ndcg(10),
            "exposure@10": Exposure(
                pl.DataFrame({"item_id": np.arange(10_000), "number": number.round(0) if few else number})
            ),
        },
    }


def _scale(setting: str, seed: int, folder: Path) -> Part:
    tables = _tables(setting == "few distinct values")
    with Meter() as reducing:
        frame = FairnessFrame(**tables, groups=["gender", "age"], intersections=2, n_bootstrap=_DRAWS)
    with Meter() as drawing:
        by_group = frame.by_group
    with Meter() as testing:
        verdicts = frame.gaps["verdict"].drop_nulls()
    values = {
        "s": reducing.seconds + drawing.seconds + testing.seconds,
        "CPU s": reducing.cpu_seconds + drawing.cpu_seconds + testing.cpu_seconds,
        "of these values per user s": reducing.seconds,
        "draws s": drawing.seconds,
        "gaps s": testing.seconds,
        "distinct": frame.per_user.select("ndcg@10", "exposure@10").n_unique(),
        "peak GiB": testing.peak_mib / 1024,
    }
    per_draw, agree = _peer(frame, by_group, folder)
    values |= {
        "ms/draw": 1000 * drawing.seconds / _DRAWS,
        "fairlearn s/draw": per_draw,
        "times faster": per_draw * _DRAWS / drawing.seconds,
        "largest difference of values": agree,
    }
    return Part(values, notes={"verdicts": verdicts.to_list()})


def _peer(frame: FairnessFrame, by_group: pl.DataFrame, folder: Path) -> tuple[float, float]:
    """Seconds per draw of fairlearn's MetricFrame on the same values, and how far its values are from ours."""
    if not _PEERS.exists():
        raise MissingExtraError("fairlearn", extra="dev", purpose="The row beside fairlearn (make peers)")
    file = folder / "per_user.csv"
    frame.per_user.select("gender", "age", "ndcg@10", "exposure@10").write_csv(file)
    command = [str(_PEERS), str(_HERE / "peer_fairlearn.py"), str(file), "2"]
    said = json.loads(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    )
    file.unlink()
    ours = by_group.filter(attribute="gender x age")
    theirs = {(row["gender"], row["age"]): row for row in said["values"]}
    far = [
        abs(row["value"] - theirs[tuple(row["group"].split(" x "))][row["metric"]])
        for row in ours.iter_rows(named=True)
    ]
    return said["seconds_per_draw"], max(far)


def _ml_100k(setting: str, seed: int, folder: Path) -> Part:
    part = popularity.ROWS[0].measure("popular", 0, folder)
    assert part.per_user is not None
    users = data.read("ml-100k", "movielens").users
    frame = from_values(part.per_user.rename({"NDCG@10": "ndcg@10"}), users)
    groups = {row["group"]: row["value"] for row in frame.by_group.to_dicts()}
    gap = frame.gaps.filter(kind="difference").to_dicts()[0]
    return Part(
        {
            "NDCG@10": frame.overall["value"][0],
            "men": groups["M"],
            "women": groups["F"],
            **{name: gap[name] for name in ("gap", "low", "high", "p_value", "minimum_detectable")},
        },
        notes={"verdict": gap["verdict"]},
    )


def from_values(per_user: pl.DataFrame, users: Any, metric: str = "ndcg@10") -> FairnessFrame:
    """A frame of values that were kept: a system's lists are not needed where its values are."""

    class Kept:
        name = metric

        def __call__(self, recommendations: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
            return per_user.select("user_id", value=metric)

    ids = per_user.select("user_id", item_id=pl.lit(0))
    return FairnessFrame(
        metrics={metric: Kept()},
        recommendations=ids.with_columns(rank=pl.lit(1)),
        truth=ids,
        users=users,
        groups=["gender"],
        n_bootstrap=5000,
        n_permutations=10_000,
    )


_ML_1M = {
    "popular": ("popular", {}),
    "item-kNN": ("item_knn", {}),
    "EASE reg 500": ("ease", {"reg": 500.0}),
}
_SEQUENCE = "sequence"


def _ml_1m(setting: str, seed: int, folder: Path) -> Part:
    whole = data.read("ml-1m", "movielens")
    if setting.startswith(_SEQUENCE):
        row = next(row for row in leave_last.ROWS if row.name == "ml1m-sequence")
        kept = row.per_user(setting.removeprefix(f"{_SEQUENCE} "))
        if not kept:
            raise FileNotFoundError("There are no kept values of the row ml1m-sequence; measure it first")
        values = pl.concat(kept).group_by("user_id").agg(pl.col("NDCG@10").mean()).sort("user_id")
    else:
        parts = data.leave_last(whole)
        name, fields = _ML_1M[setting]
        model = models.build(name, fields).fit(data.joined(parts.train, parts.valid))
        values = leave_last.measured(model, parts)[1]
    frame = from_values(values.rename({"NDCG@10": "ndcg@10"}), whole.users)
    groups = {row["group"]: row["value"] for row in frame.by_group.to_dicts()}
    gap = frame.gaps.filter(kind="difference").to_dicts()[0]
    return Part(
        {
            "men": groups["M"],
            "women": groups["F"],
            **{name: gap[name] for name in ("gap", "low", "high", "p_value")},
        },
        notes={"verdict": gap["verdict"], "measured": time.strftime("%Y-%m-%d")},
    )


ROWS = [
    Row(
        "audit-coverage",
        f"{_WORLDS} Storefront worlds; {_MEASURED} users drawn from each (or as many as make half the gap detectable), "
        "one slate of the logger each; precision@10 of men and women against the world's own gap, 95 % interval",
        dict.fromkeys(("known gap", "no gap", "twice detectable"), (0,)),
        _coverage,
        "covers 93-97 % of the time; 'unfair' in at most 7 % without a gap",
    ),
    Row(
        "audit-scale",
        "1,000,000 users x 10 recommendations, two metrics by two attributes (2 and 7 groups) and their intersection, "
        "1,000 bootstrap draws and 1,000 permutations; beside fairlearn 0.14 on the values per user, two draws",
        dict.fromkeys(("many distinct values", "few distinct values"), (0,)),
        _scale,
        "under 30 s and 4 GB on 2 cores; at least 100 times faster per draw",
    ),
    Row(
        "audit-ml100k",
        "ML-100K, popularity, first 80 % of each user's time for training, relevant: rating >= 4; NDCG@10 by gender, "
        "5,000 draws, 10,000 permutations",
        {"popular": (0,)},
        _ml_100k,
        ".0970 overall, men .1033, women .0810, gap .0224",
    ),
    Row(
        "audit-ml1m",
        "ML-1M, 6,040 users; last event held out, trained on all before it; all items ranked, seen ones left out; "
        "NDCG@10 of men minus women, 5,000 draws, 10,000 permutations; sequence: mean of the kept seeds",
        dict.fromkeys((*_ML_1M, f"{_SEQUENCE} text off", f"{_SEQUENCE} text on"), (0,)),
        _ml_1m,
        "a gap in favour of men",
    ),
]
