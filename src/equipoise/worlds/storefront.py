"""`Storefront`: a shop whose logger is biased in known ways."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field
from scipy.optimize import minimize
from scipy.special import expit, logsumexp, softmax

from equipoise.data import vocabulary as v
from equipoise.errors import ConfigError
from equipoise.worlds.draws import choice, normal, uniform
from equipoise.worlds.laws import Laws
from equipoise.worlds.policy import PlackettLuce
from equipoise.worlds.world import LARGEST, Scenario, World

Floats = NDArray[np.float64]


class Storefront(Scenario):
    """A shop with ranked slates, searches and purchases.

    Popular items are shown more for a reason that has nothing to do with taste, and are also bought more by
    people who were not shown them; the logger knows the taste of one gender less well; seasons move what is
    liked.
    """

    name: ClassVar[str] = "storefront"

    n_users: int = Field(2000, ge=2)
    """Users."""
    n_items: int = Field(500, ge=10)
    """Items; users x items is held in memory and is at most 25 million."""
    days: int = Field(40, ge=1)
    """Length of the log. A user visits at most once a day."""
    visits: float = Field(0.6, gt=0, le=1)
    """Mean probability that a user visits on a day."""
    slate_length: int = Field(10, ge=1)
    """Places of a slate."""
    seed: int = Field(0, ge=0)
    """Root of all draws."""
    click_rate: float = Field(0.3, gt=0, lt=1)
    """Probability of a click on an examined item of middling taste."""
    taste: float = Field(1.0, ge=0)
    """Spread (log-odds) of preference between users that attributes and texts explain."""
    distance: float = Field(0.6, ge=0)
    """How much of taste goes by gender, against 0.6 that is each user's own and 0.7 of the community."""
    quality: float = Field(0.5, ge=0)
    """Spread (log-odds) of preference between items that all users share."""
    popularity: float = Field(1.5, ge=0)
    """How strongly hidden appeal, which no user prefers, drives what is shown."""
    hype: float = Field(1.0, ge=0)
    """How strongly the same appeal drives purchases that happen without being shown."""
    personalisation: float = Field(0.5, ge=0)
    """How strongly the logger's estimate of taste drives what is shown."""
    knowledge: float = Field(0.7, ge=0, le=1)
    """Correlation of the logger's estimate of a user's taste with that taste."""
    floor: float = Field(0.25, gt=0, lt=1)
    """Share of exposure spread evenly over all items; the least propensity is floor / n_items."""
    examination_decay: float = Field(0.7, ge=0)
    """A place j is examined with probability j ** -examination_decay."""
    unfairness: float = Field(0.8, ge=0, le=1)
    """How much less the logger knows of women's taste: 0 as much as of men's, 1 nothing."""
    activity_gap: float = Field(0.3, ge=0, lt=1)
    """How much less often women visit, as a share."""
    organic_rate: float = Field(0.1, ge=0, le=1)
    """Mean number of items bought per visit without being shown."""
    lift: float = Field(0.06, ge=0, le=0.5)
    """Probability that showing an item of certain preference to a receptive user makes them buy it."""
    search_rate: float = Field(0.15, ge=0, le=1)
    """Probability that a visit begins with a search."""
    drift: float = Field(0.4, ge=0)
    """Amplitude (log-odds) of the seasons of categories."""
    season: float = Field(120.0, gt=0)
    """Days of a season."""

    def generate(self) -> World:
        """The world of these settings, the same each time.

        Raises:
            ConfigError: if a slate is longer than the catalogue, or users x items is over 25 million.
        """
        if self.slate_length > self.n_items:
            raise ConfigError(f"A slate of {self.slate_length} places needs more than {self.n_items} items")
        if self.n_users * self.n_items > LARGEST:
            raise ConfigError(
                f"{self.n_users} users x {self.n_items} items is more than a world holds in memory",
                todo=f"Keep users x items at or under {LARGEST:,}.",
            )
        words = json.loads((files("equipoise.worlds") / "storefront.json").read_text("utf-8"))
        users, items = self._users(words), self._items(words)
        women = users["gender"].to_numpy() == "woman"
        liking = self._liking(users, items, words)
        appeal = self._appeal(items, liking, women)
        appetite = np.log(self.click_rate / (1 - self.click_rate)) + liking
        organic = expit(appetite) * np.exp(self.hype * appeal)
        organic = np.minimum(organic * self.organic_rate / organic.sum(axis=1).mean(), 0.5)
        rows = np.arange(self.n_users)
        # Some users are put off: three in ten buy less of what is pushed at them.
        receptive = uniform(self.seed, "receptive", rows) * 1.4 - 0.4
        effect = np.maximum(self.lift * receptive[:, None] * expit(appetite), -organic)
        ease = np.exp(0.4 * normal(self.seed, "activity", rows)) * np.where(women, 1 - self.activity_gap, 1.0)
        season = uniform(self.seed, "season", np.arange(len(words["categories"])))
        category = _codes(items["category"], [entry["en"] for entry in words["categories"]])
        laws = Laws(
            appetite=appetite.astype(np.float32),
            trend=np.full(self.n_items, self.drift),
            phase=season[category],
            period=self.season,
            organic=organic.astype(np.float32),
            effect=effect.astype(np.float32),
            activity=np.minimum(self.visits * ease / ease.mean(), 1.0),
            search=self.search_rate,
            examination_decay=self.examination_decay,
            queries=items.select(_query("en").alias("en"), _query("zh").alias("zh")),
            language=(users["region"] == "east").cast(int).to_numpy(),
        )
        return World(
            scenario=self,
            users=users,
            items=items.drop("kind_zh", "style_zh"),
            laws=laws,
            policy=self._policy(liking, appeal, women),
            days=self.days,
            slate_length=self.slate_length,
            seed=self.seed,
            sensitive=("gender", "age_band", "region"),
            text=("title_en", "description_en"),
            gap_between=("gender", "man", "woman"),
        )

    def _users(self, words: dict[str, Any]) -> pl.DataFrame:
        """Attributes of users; the community they belong to depends on nothing else."""
        rows = np.arange(self.n_users)

        def pick(column: str, values: list[str], weights: list[float]) -> pl.Series:
            return pl.Series(column, values).gather(choice(self.seed, column, np.array(weights), rows))

        return pl.DataFrame([
            pl.Series(v.USER, rows + 1, dtype=pl.Int64),
            pick("gender", words["genders"], [0.4, 0.6]),
            pick("age_band", words["age_bands"], [0.3, 0.35, 0.2, 0.15]),
            pick("region", words["regions"], [0.3, 0.3, 0.25, 0.15]),
            pick("community", [f"community {letter}" for letter in "ABCDE"], [0.3, 0.25, 0.2, 0.15, 0.1]),
        ])  # fmt: skip

    def _items(self, words: dict[str, Any]) -> pl.DataFrame:
        """Attributes of items, and the texts made from them."""
        rows = np.arange(self.n_items)
        categories, styles, colours = words["categories"], words["styles"], words["colours"]
        category = choice(self.seed, "category", np.ones(len(categories)), rows)
        kind = choice(self.seed, "kind", np.ones(len(categories[0]["nouns"])), rows)
        style = choice(self.seed, "style", np.ones(len(styles)), rows)
        colour = choice(self.seed, "colour", np.ones(len(colours)), rows)
        providers = words["providers"]
        provider = choice(self.seed, "provider", 1.0 / np.arange(1, len(providers) + 1), rows)
        spread = np.exp(0.5 * normal(self.seed, "price", rows))
        price = np.round(np.array([entry["price"] for entry in categories])[category] * spread, 2)
        band = np.digitize(spread, [0.75, 1.35])
        nouns = np.array([entry["nouns"] for entry in categories], dtype=object)[category, kind]
        texts = {
            language: [
                (name, styles[s][language], colours[c][number], styles[s][f"praise_{language}"],
                 words["price_bands"][b][language], categories[g][language])
                for name, s, c, b, g in zip(nouns[:, number], style, colour, band, category, strict=True)
            ]
            for number, language in enumerate(("en", "zh"))
        }  # fmt: skip
        makers = pl.Series("provider", providers).gather(provider)
        english = [f"{s} {c} {n} by {m}" for (n, s, c, *_), m in zip(texts["en"], makers, strict=True)]
        return pl.DataFrame({
            v.ITEM: pl.Series(rows + 1, dtype=pl.Int64),
            "category": [row[5] for row in texts["en"]],
            "kind": list(nouns[:, 0]),
            "style": [row[1] for row in texts["en"]],
            "price": price,
            "provider": makers,
            "title_en": [title[0].upper() + title[1:] for title in english],
            "title_zh": [f"{m} {s}{c}{n}" for (n, s, c, *_), m in zip(texts["zh"], makers, strict=True)],
            "description_en": [
                f"{s.capitalize()} {c} {n} from our {g} department. {p} {b}, sold by {m}."
                for (n, s, c, p, b, g), m in zip(texts["en"], makers, strict=True)
            ],
            "description_zh": [
                f"{g}类{s}{c}{n}。{p}{b}，由{m}出售。"
                for (n, s, c, p, b, g), m in zip(texts["zh"], makers, strict=True)
            ],
            "kind_zh": list(nouns[:, 1]),
            "style_zh": [row[1] for row in texts["zh"]],
        })  # fmt: skip

    def _appeal(self, items: pl.DataFrame, liking: Floats, women: NDArray[np.bool_]) -> Floats:
        """What makes items be shown: their own, and the size of their provider; standardised.

        Tilted (entropy balancing, Hainmueller 2012) so that a softmax over it alone shows each gender items that it
        likes as much as the average item: popularity serves neither better, and any gap comes from personalisation.
        """
        size = items.select(pl.len().over("provider"))["len"].to_numpy()
        appeal = normal(self.seed, "appeal", np.arange(self.n_items)) + 0.4 * _standard(np.log(size))
        appeal = _standard(appeal)
        if self.popularity == 0:
            return appeal
        groups = [women == gender for gender in (False, True) if (women == gender).any()]
        tastes = np.column_stack([expit(liking[group]).mean(axis=0) for group in groups])
        tastes -= tastes.mean(axis=0)

        def excess(tilt: Floats) -> float:
            """Convex; its gradient is the taste that the softmax over tilted appeal has above the average."""
            return float(logsumexp(self.popularity * appeal + tastes @ tilt))

        tilt: Floats = minimize(excess, np.zeros(len(groups)), method="BFGS").x
        return appeal + np.asarray(tastes @ tilt) / self.popularity

    def _liking(self, users: pl.DataFrame, items: pl.DataFrame, words: dict[str, Any]) -> Floats:
        """Log-odds of preference, (users, items), around 0."""
        rows = np.arange(self.n_users)
        tastes = np.zeros((self.n_users, self.n_items))
        sides = {
            "category": [entry["en"] for entry in words["categories"]],
            "style": [s["en"] for s in words["styles"]],
        }
        for side, values in sides.items():
            columns = np.arange(len(values))
            leaning = 0.6 * normal(self.seed, f"personal {side}", rows[:, None], columns[None, :])
            for attribute, weight in (("community", 0.7), ("age_band", 0.3), ("gender", self.distance)):
                group = users[attribute].rank("dense").to_numpy().astype(np.int64)
                leaning += weight * normal(self.seed, f"{attribute} {side}", group[:, None], columns[None, :])
            tastes += leaning[:, _codes(items[side], values)]
        hidden = np.arange(4)
        tastes += 0.25 * (
            normal(self.seed, "user factor", rows[:, None], hidden[None, :])
            @ normal(self.seed, "item factor", np.arange(self.n_items)[:, None], hidden[None, :]).T
        )
        quality = self.quality * normal(self.seed, "quality", np.arange(self.n_items))
        # Every user likes as much on average and as strongly as any other: groups differ by how they are served only.
        return self.taste * _by_row(tastes) + quality

    def _policy(self, liking: Floats, appeal: Floats, women: NDArray[np.bool_]) -> PlackettLuce:
        """A softmax over appeal and a noisy estimate of taste, with a floor."""
        fidelity = self.knowledge * np.where(women, 1 - self.unfairness, 1.0)[:, None]
        rows, columns = np.arange(self.n_users)[:, None], np.arange(self.n_items)[None, :]
        estimate = fidelity * _by_row(liking) + np.sqrt(1 - fidelity**2) * normal(
            self.seed, "estimate", rows, columns
        )
        shares = softmax(self.popularity * appeal + self.personalisation * estimate, axis=1)
        return PlackettLuce(((1 - self.floor) * shares + self.floor / self.n_items).astype(np.float32))


def _standard(values: Floats) -> Floats:
    centred = values - values.mean()
    return np.asarray(centred / max(float(values.std()), 1e-12))


def _by_row(values: Floats) -> Floats:
    """Each row with mean 0 and variance 1."""
    centred = values - values.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(centred.std(axis=1, keepdims=True), 1e-12))


def _codes(column: pl.Series, values: list[str]) -> NDArray[np.int64]:
    """Index of each entry of `column` within `values`."""
    return column.replace_strict(values, list(range(len(values))), return_dtype=pl.Int64).to_numpy()


def _query(language: str) -> pl.Expr:
    """What somebody types who looks for an item: its style and its kind."""
    return (
        pl.col("style") + " " + pl.col("kind") if language == "en" else pl.col("style_zh") + pl.col("kind_zh")
    )
