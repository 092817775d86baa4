"""`Gallery`: a shop for prints whose titles, pictures and measures each tell a part of what people like."""

from __future__ import annotations

from typing import ClassVar, Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy.special import expit, softmax
from scipy.stats import zscore

from equipoise.data import vocabulary as v
from equipoise.worlds.drawings import COLOURS, SHAPES, draw, png
from equipoise.worlds.draws import choice, normal, uniform
from equipoise.worlds.laws import Laws
from equipoise.worlds.policy import PlackettLuce
from equipoise.worlds.world import LARGEST, Scenario, World

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

THEMES: Final = {
    "sea": ("waves", "harbour", "boats", "gulls", "tide"),
    "forest": ("pines", "moss", "deer", "clearing", "ferns"),
    "city": ("towers", "trams", "neon", "rooftops", "crowd"),
    "music": ("violin", "piano", "choir", "rhythm", "dancers"),
    "garden": ("roses", "bees", "orchard", "fountain", "lilies"),
    "winter": ("snow", "frost", "skaters", "sledge", "icicles"),
}
_TIERS: Final = ("small", "medium", "large", "huge")
_LARGEST_CM: Final = (20.0, 40.0, 70.0)  # heights that part the tiers
_CIRCLES: Final = ("circle A", "circle B", "circle C", "circle D", "circle E")


class Gallery(Scenario):
    """A shop for prints: the title tells the theme, the picture the shape and the colour, the height the size.

    People like themes, shapes, colours and sizes; what they like adds up, so that each of text, image and number
    carries a part of the truth that the others do not, but for colours, which go with themes. Some items lack a
    title, a picture or a height.
    """

    name: ClassVar[str] = "gallery"

    n_users: int = Field(1000, ge=2)
    """Users."""
    n_items: int = Field(300, ge=10)
    """Items; users x items is held in memory and is at most 25 million."""
    days: int = Field(20, ge=1)
    """Length of the log. A user visits at most once a day."""
    visits: float = Field(0.5, gt=0, le=1)
    """Probability that a user visits on a day."""
    slate_length: int = Field(10, ge=1)
    """Places of a slate."""
    seed: int = Field(0, ge=0)
    """Root of all draws."""
    click_rate: float = Field(0.2, gt=0, lt=1)
    """Probability of a click on an item of middling taste."""
    taste: float = Field(1.5, ge=0)
    """Spread (log-odds) of preference between a user's items that attributes explain."""
    told: float = Field(1.0, ge=0)
    """How much of taste goes by the theme, which titles tell, relative to the other two."""
    shown: float = Field(1.0, ge=0)
    """How much of taste goes by shape and colour, which pictures show."""
    measured: float = Field(0.7, ge=0)
    """How much of taste goes by size, which the height gives."""
    quality: float = Field(0.3, ge=0)
    """Spread (log-odds) of preference between items that all users share and nothing tells."""
    association: float = Field(0.5, ge=0, le=1)
    """Share of items that have the usual colour of their theme."""
    untitled: float = Field(0.05, ge=0, lt=1)
    """Share of items without a title."""
    unpictured: float = Field(0.1, ge=0, lt=1)
    """Share of items without a picture."""
    unmeasured: float = Field(0.05, ge=0, lt=1)
    """Share of items without a height."""
    popularity: float = Field(1.0, ge=0)
    """How strongly hidden appeal, which no user prefers, drives what is shown."""
    knowledge: float = Field(0.5, ge=0)
    """How strongly the taste of people in town drives what they are shown; others' taste is not known."""
    floor: float = Field(0.3, gt=0, lt=1)
    """Share of exposure spread evenly over all items; the least propensity is floor / n_items."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.slate_length > self.n_items:
            raise ValueError(f"a slate of {self.slate_length} places needs more than {self.n_items} items")
        if self.n_users * self.n_items > LARGEST:
            raise ValueError(f"users x items is at most {LARGEST:,}")
        return self

    def generate(self) -> World:
        """The world of these settings, the same each time."""
        users, attributes = self._users(), self._attributes()
        liking = self._liking(users, attributes)
        appetite = np.log(self.click_rate / (1 - self.click_rate)) + liking
        nothing = np.zeros((self.n_users, self.n_items), dtype=np.float32)
        laws = Laws(
            appetite=appetite.astype(np.float32),
            trend=np.zeros(self.n_items),
            phase=np.zeros(self.n_items),
            period=1.0,
            organic=nothing,
            effect=nothing,
            activity=np.full(self.n_users, self.visits),
            search=0.0,
            examination_decay=0.0,
            queries=pl.DataFrame(),
            language=np.zeros(self.n_users, dtype=np.int64),
        )
        return World(
            scenario=self,
            users=users,
            items=self._items(attributes),
            laws=laws,
            policy=self._policy(users, liking),
            days=self.days,
            slate_length=self.slate_length,
            seed=self.seed,
            sensitive=("region",),
            text=("title",),
            gap_between=("region", "town", "country"),
            images=("picture",),
            numeric=("height",),
        )

    def _users(self) -> pl.DataFrame:
        rows = np.arange(self.n_users)
        circles = choice(self.seed, "circle", np.ones(len(_CIRCLES)), rows)
        regions = choice(self.seed, "region", np.ones(2), rows)
        return pl.DataFrame({
            v.USER: pl.Series(rows + 1, dtype=pl.Int64),
            "circle": pl.Series(_CIRCLES).gather(circles),
            "region": pl.Series(["town", "country"]).gather(regions),
        })  # fmt: skip

    def _attributes(self) -> dict[str, Ints | Floats]:
        """Theme, shape, colour and tier of each item as numbers, and its height in centimetres."""
        rows = np.arange(self.n_items)
        theme = choice(self.seed, "theme", np.ones(len(THEMES)), rows)
        other = choice(self.seed, "colour", np.ones(len(COLOURS)), rows)
        usual = uniform(self.seed, "usual", rows) < self.association
        height = np.round(40 * np.exp(0.7 * normal(self.seed, "height", rows)), 1)
        return {
            "theme": theme,
            "shape": choice(self.seed, "shape", np.ones(len(SHAPES)), rows),
            "colour": np.where(usual, theme % len(COLOURS), other),
            "tier": np.digitize(height, _LARGEST_CM),
            "height": height,
        }

    def _items(self, attributes: dict[str, Ints | Floats]) -> pl.DataFrame:
        """Attributes, and what is told, shown and measured of them."""
        rows = np.arange(self.n_items)
        words = np.array(list(THEMES.values()))[attributes["theme"].astype(int)]
        order = np.argsort(uniform(self.seed, "words", rows[:, None], np.arange(words.shape[1])), axis=1)
        named = np.take_along_axis(words, order, axis=1)
        pictures = draw(attributes["shape"].astype(int), attributes["colour"].astype(int), seed=self.seed)

        def kept(purpose: str, share: float) -> pl.Expr:
            return pl.lit(pl.Series(uniform(self.seed, purpose, rows) >= share))

        def names(attribute: str, values: tuple[str, ...]) -> pl.Series:
            return pl.Series(values).gather(attributes[attribute].astype(int))

        return pl.DataFrame({
            v.ITEM: pl.Series(rows + 1, dtype=pl.Int64),
            "title": [f"{first.capitalize()} and {second}, print {row + 1}" for row, (first, second, *_) in
                      enumerate(named)],
            "picture": pl.Series([png(picture) for picture in pictures], dtype=pl.Binary),
            "height": attributes["height"],
            "theme": names("theme", tuple(THEMES)),
            "shape": names("shape", SHAPES),
            "colour": names("colour", tuple(COLOURS)),
            "tier": names("tier", _TIERS),
        }).with_columns(
            pl.when(kept("untitled", self.untitled)).then("title"),
            pl.when(kept("unpictured", self.unpictured)).then("picture"),
            pl.when(kept("unmeasured", self.unmeasured)).then("height"),
        )  # fmt: skip

    def _liking(self, users: pl.DataFrame, attributes: dict[str, Ints | Floats]) -> Floats:
        """Log-odds of preference, (users, items), around 0."""
        rows = np.arange(self.n_users)
        circle = users["circle"].rank("dense").to_numpy().astype(np.int64)
        sides = {"theme": len(THEMES), "shape": len(SHAPES), "colour": len(COLOURS), "tier": len(_TIERS)}
        leanings = {}
        for side, count in sides.items():
            columns = np.arange(count)
            leaning = normal(self.seed, f"circle {side}", circle[:, None], columns)
            leaning = leaning + 0.7 * normal(self.seed, f"personal {side}", rows[:, None], columns)
            leanings[side] = zscore(leaning, axis=1)[:, attributes[side].astype(int)]
        parts = (
            self.told * leanings["theme"]
            + self.shown * (leanings["shape"] + leanings["colour"]) / np.sqrt(2)
            + self.measured * leanings["tier"]
        )
        weight = np.sqrt(max(self.told**2 + self.shown**2 + self.measured**2, 1e-12))
        quality = self.quality * normal(self.seed, "quality", np.arange(self.n_items))
        return np.asarray(self.taste * parts / weight + quality)

    def _policy(self, users: pl.DataFrame, liking: Floats) -> PlackettLuce:
        """A softmax over appeal and, for people in town, taste, with a floor."""
        appeal = self.popularity * normal(self.seed, "appeal", np.arange(self.n_items))
        known = np.where(users["region"] == "town", self.knowledge, 0.0)[:, None]
        shares = softmax(appeal + known * (expit(liking) - 0.5), axis=1)
        return PlackettLuce(((1 - self.floor) * shares + self.floor / self.n_items).astype(np.float32))
