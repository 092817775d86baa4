"""A log in which it is known what an attribute does to histories, and models whose scores are known of them."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl

from equipoise.data import Dataset
from equipoise.explain import Explainer
from equipoise.explain.sensitive.reading import told_otherwise
from equipoise.models.histories import Catalogue, Histories
from equipoise.models.recommender import Fitted, Recommender

N_BOOKS, N_TOYS, LENGTH = 30, 30, 12


class Fixed(Recommender):
    """Nothing is learned."""

    name: ClassVar[str] = "fixed"
    attributes: tuple[str, ...] | str = "none"

    @classmethod
    def fitted(cls):
        return Share

    def fit(self, data, **_):
        catalogue = Catalogue.of(data)
        return Share(config=self, catalogue=catalogue, histories=Histories.of(data.events, catalogue))


@dataclass(frozen=True, kw_only=True)
class Share(Fitted):
    """A book scores the share of books in the history, a toy that of toys; women get `gift` more books than men."""

    gift: float = 0.0
    women: frozenset = frozenset()

    def score(self, users, histories):
        names = self.catalogue.items.to_list()
        book = np.array([name.startswith("b") for name in names])
        matrix = histories.matrix(len(names))
        share = (matrix @ book) / np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1)
        share = share + self.gift * np.array([user in self.women for user in users])
        tie = np.linspace(0, 0.2, len(names))
        return (np.where(book, share[:, None], 1 - share[:, None]) + tie).astype(np.float32)

    def arrays(self):
        return {}

    @classmethod
    def restore(cls, saved):
        return cls(**saved.shared)


@told_otherwise.register
def _(model: Share, user, column, value, data):
    women = model.women | {user} if value == "woman" else model.women - {user}
    return type(model)(**{**vars(model), "women": frozenset(women)})


def log(seed, through=0.2, past=0.0, users=150):
    """Users who took books for a share of 0.4, women `through` more by way of income and `past` more past it."""
    rng = np.random.default_rng(seed)
    woman = np.arange(users) % 2
    income = 2.0 * woman + rng.normal(0, 1, users)
    chance = 0.4 + through / 2 * (income - 1) + past * woman + rng.normal(0, 0.05, users)
    books = np.clip(np.rint(LENGTH * chance + rng.uniform(-0.5, 0.5, users)), 0, LENGTH).astype(int)
    rows = []
    for user, count in enumerate(books):
        rows += [(f"u{user:03}", f"b{item:02}") for item in rng.choice(N_BOOKS, count, replace=False)]
        rows += [(f"u{user:03}", f"t{item:02}") for item in rng.choice(N_TOYS, LENGTH - count, replace=False)]
    items = [f"b{n:02}" for n in range(N_BOOKS)] + [f"t{n:02}" for n in range(N_TOYS)]
    return Dataset(
        pl.DataFrame(rows, schema=["user_id", "item_id"], orient="row"),
        pl.DataFrame({
            "user_id": [f"u{user:03}" for user in range(users)],
            "gender": np.where(woman, "woman", "man"),
            "income": income,
            "job": rng.choice(["miller", "baker"], users),
        }),
        pl.DataFrame({"item_id": items, "kind": ["Books"] * N_BOOKS + ["Toys"] * N_TOYS}),
        ("gender",),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Keeping(Share):
    """Half of the score is a share that was learned in training, and does not heed the history of now."""

    def score(self, users, histories):
        now = super().score(users, histories)
        learned = super().score(users, self.histories.take(np.maximum(users, 0)))
        return np.where((users >= 0)[:, None], (now + learned) / 2, now).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Long(Share):
    """The score is the logarithm of how many items the history holds."""

    def score(self, users, histories):
        sizes = np.diff(histories.starts)
        return np.log(sizes)[:, None] + np.linspace(0, 0.01, len(self.catalogue.items)).astype(np.float32)


def explainer(data, attributes="none", gift=0.0, kind=Share):
    """Of the model of shares, or of another kind."""
    model = Fixed(attributes=attributes).fit(data)
    women = data.users.filter(pl.col("gender") == "woman")["user_id"]
    rows = np.flatnonzero(model.catalogue.users.is_in(women.implode()))
    model = kind(**{**vars(model), "gift": gift, "women": frozenset(rows.tolist())})
    return Explainer(model, data, exclude_seen=False)
