"""Small logs in which what is to be found or corrected is planted."""

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import polars as pl

from equipoise.data import Dataset
from equipoise.worlds import Storefront

SIZE, LISTED = 100, 140
"""Users and items of each side, and the length of lists: 90 items of the one side and 50 of the other."""


def ninety_against_fifty():
    """Two sides of 100 users and 100 items each, of which popularity lists .9 and .5 at a length of 140.

    User i of a side took item i of that side alone, with a weight that falls with i; held out is the same item,
    so that where seen items are shown, hit rates are .9 and .5 as well.
    """
    sides = {"a": (0, 1000.0), "b": (SIZE, 840.0)}  # a's 90th item weighs 644 and b's 50th too
    rows = [
        (side, first + i, first + i, weight - 4.0 * i)
        for side, (first, weight) in sides.items()
        for i in range(SIZE)
    ]
    table = pl.DataFrame(rows, schema=["side", "user_id", "item_id", "sample_weight"], orient="row")
    train = Dataset(
        table.select("user_id", "item_id", "sample_weight"), table.select("user_id", "side"),
        table.select("item_id", "side"), sensitive=("side",),
    )  # fmt: skip
    return train, train.with_events(table.select("user_id", "item_id"))


def everyone_takes_their_side(train):
    """Held-out events in which every user takes all items of the own side: recall is the share of them listed."""
    pairs = train.users.join(train.items, on="side").select("user_id", "item_id")
    return train.with_events(pairs)


@cache
def shop(seed=0, users=200, items=60):
    return Storefront(n_users=users, n_items=items, days=20, seed=seed).generate()


def ratings(n_users=150, n_items=40, days=60, seed=0):
    """Honest ratings 1 to 5: about a third of all cells, at random times, items of differing quality."""
    rng = np.random.default_rng(seed)
    user, item = np.nonzero(rng.random((n_users, n_items)) < 0.35)
    quality = rng.normal(3.6, 0.4, n_items)
    value = np.clip(np.rint(quality[item] + rng.normal(0, 0.9, len(item))), 1, 5)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    times = [start + timedelta(seconds=float(s)) for s in rng.random(len(item)) * days * 86_400]
    return pl.DataFrame(
        {"user_id": user, "item_id": item, "timestamp": times, "event": "rating", "value": value}
    )
