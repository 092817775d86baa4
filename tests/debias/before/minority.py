"""A small log with a group of few users whose taste goes its own way, planted."""

from functools import cache

import numpy as np
import polars as pl

from equipoise.data import Dataset

USERS, ITEMS, FEW, TAKEN = 300, 80, 24, 14


@cache
def minority(seed=0):
    """Train and held-out events: group "b", 24 of 300 users, takes the categories that the others leave; within that
    everyone has one of four styles of their own. Items 0..79 are of category i % 4 and of style i // 20.
    """
    rng = np.random.default_rng(seed)
    few = np.arange(USERS) % (USERS // FEW) == 0
    style, item = rng.integers(0, 4, USERS), np.arange(ITEMS)
    leaning = np.where(few[:, None], item[None, :] % 4 >= 2, item[None, :] % 4 < 2)
    appetite = 2.0 * leaning + 2.5 * (item[None, :] // 20 == style[:, None])
    keys = appetite + rng.gumbel(size=appetite.shape)
    taken = np.argsort(-keys, axis=1)[:, :TAKEN]
    taken = rng.permuted(taken, axis=1)
    events = pl.DataFrame({
        "user_id": np.repeat(np.arange(USERS), TAKEN),
        "item_id": taken.ravel(),
        "order": np.tile(np.arange(TAKEN), USERS),
    })  # fmt: skip
    people = pl.DataFrame({"user_id": np.arange(USERS), "group": np.where(few, "b", "a")})
    items = pl.DataFrame({"item_id": item, "category": [f"c{i % 4}" for i in item]})
    whole = Dataset(events, people, items, sensitive=("group",))
    late = pl.col("order") >= TAKEN - 4
    return whole.with_events(events.filter(~late)), whole.with_events(events.filter(late))
