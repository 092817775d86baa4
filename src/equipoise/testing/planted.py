"""Small event logs in which it is known who likes what."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.language import Vectors, encode_items

_WORDS = (
    "garden spade seed flower",
    "guitar string amplifier drum",
    "kettle pan oven knife",
    "tent rope boot map",
)


@dataclass(frozen=True)
class Planted:
    """A log whose truth is known.

    Attributes:
        train: Events to fit on; `users` and `items` also hold one of each that no event names.
        held_out: Events that were left out: each user's own taste, never in `train`.
        taste: `user_id`, `item_id` of all pairs that fit together, seen or not.
        vectors: Text vectors of the items (TF-IDF), with their encoder.
    """

    train: Dataset
    held_out: Dataset
    taste: pl.DataFrame
    vectors: Vectors

    def renumbered(self) -> Planted:
        """The same log with integers in place of the text ids, in the same order."""
        users, items = self.train.users, self.train.items
        assert users is not None
        assert items is not None
        number = {
            v.USER: {name: place * 10 for place, name in enumerate(users[v.USER].sort())},
            v.ITEM: {name: place * 10 for place, name in enumerate(items[v.ITEM].sort())},
        }

        def of(table: pl.DataFrame) -> pl.DataFrame:
            columns = [column for column in (v.USER, v.ITEM) if column in table.columns]
            return table.with_columns(
                pl.col(column).replace_strict(number[column], return_dtype=pl.Int64) for column in columns
            )

        return Planted(
            replace(self.train, events=of(self.train.events), users=of(users), items=of(items)),
            self.held_out.with_events(of(self.held_out.events)),
            of(self.taste),
            replace(self.vectors, ids=of(self.vectors.ids.to_frame(v.ITEM))[v.ITEM]),
        )


def blocks(
    users: int = 60, items: int = 30, kinds: int = 3, seen: int = 7, held_out: int = 2, seed: int = 0
) -> Planted:
    """Users and items of a few kinds: users like the items of their kind, and took one other by chance.

    Item `i-cold` is of the first kind by its text and was never interacted with; user `u-new` did nothing
    yet.

    Args:
        users: Number of users, of each kind in turn.
        items: Number of items, of each kind in turn.
        kinds: Number of kinds, at most 4.
        seen: Events per user in training, one of them by chance; at most items / kinds - held_out + 1.
        held_out: Events per user left out.
        seed: Root of the random numbers.
    """
    rng = np.random.default_rng(seed)
    chosen = []
    for user in range(users):
        own = np.arange(user % kinds, items, kinds)
        other = np.setdiff1d(np.arange(items), own)
        chosen.append(np.r_[rng.choice(other, 1), rng.permutation(own)[: seen - 1 + held_out]])
    pairs = pl.DataFrame(
        {"user": np.repeat(np.arange(users), seen + held_out), "item": np.concatenate(chosen)}
    )
    kept = np.tile(np.arange(seen + held_out) < seen, users)
    taste = pl.DataFrame(
        [(user, item) for user in range(users) for item in range(items) if user % kinds == item % kinds],
        schema=["user", "item"],
        orient="row",
    )
    return _planted(pairs, kept, taste, kinds, rng)


def checkerboard(size: int = 40) -> Planted:
    """Even users took all even items, odd users all odd ones, save the one of the own number, held out.

    The only item that fits a user is then the one that is missing (as in the tests of Frederickson's
    `implicit`).
    """
    taste = pl.DataFrame(
        [(user, item) for user in range(size) for item in range(size) if user % 2 == item % 2],
        schema=["user", "item"],
        orient="row",
    )
    kept = (taste["user"] != taste["item"]).to_numpy()
    return _planted(taste, kept, taste, 2, np.random.default_rng(0))


def _planted(
    pairs: pl.DataFrame, kept: np.ndarray, taste: pl.DataFrame, kinds: int, rng: np.random.Generator
) -> Planted:
    """Names, texts and times for pairs of numbers."""

    def named(table: pl.DataFrame) -> pl.DataFrame:
        return table.select(
            pl.format("u{}", pl.col("user").cast(pl.String).str.zfill(3)).alias(v.USER),
            pl.format("i{}", pl.col("item").cast(pl.String).str.zfill(3)).alias(v.ITEM),
        )

    events = named(pairs).with_columns(
        pl.lit(v.CLICK).alias(v.EVENT),
        pl.Series(v.TIMESTAMP, rng.permutation(len(pairs)) + 1_700_000_000),
    )
    numbers = range(int(pairs["item"].max()) + 1)  # type: ignore[arg-type]
    texts = [_WORDS[number % kinds] for number in numbers]
    items = pl.DataFrame(
        {v.ITEM: [f"i{number:03}" for number in numbers] + ["i-cold"], "title": [*texts, _WORDS[0]]}
    )
    users = pl.DataFrame({v.USER: [*events[v.USER].unique().sort(), "u-new"]})
    train = Dataset(events.filter(pl.Series(kept)), users, items, text=("title",))
    vectors = encode_items(items, ("title",), "tfidf")
    return Planted(train, train.with_events(events.filter(pl.Series(~kept))), named(taste), vectors)
