"""`Twin`: a world fitted to somebody's own log, with everything a log cannot tell planted and known."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from equipoise.data import Dataset
from equipoise.errors import ConfigError
from equipoise.worlds.world import LARGEST, Scenario, World


class Twin(Scenario):
    """The settings of a twin. None means: as in the log, where it tells; else a guess that `notes` names.

    Kept from the log: who the users and items are, visits and clicks per user, popularity, slates, and how far
    tastes can be told from clicks. Planted: preference, propensity, effect and the gap between groups.
    """

    name: ClassVar[str] = "twin"

    seed: int = Field(0, ge=0)
    """Root of all draws."""
    max_users: int = Field(2000, ge=2)
    """Most users kept."""
    max_items: int = Field(1000, ge=2)
    """Most items kept; users x items is held in memory and is at most 25 million."""
    days: int | None = Field(None, ge=1)
    """Length of the twin's log."""
    slate_length: int | None = Field(None, ge=1)
    """Places of a slate."""
    click_rate: float | None = Field(None, gt=0, lt=1)
    """Clicks per place; read where the log has no impressions."""
    examination_decay: float | None = Field(None, ge=0)
    """A place j is examined with probability j ** -examination_decay."""
    popularity: float = Field(0.5, ge=0, le=1)
    """Share of an item's popularity that is the logger's push, not taste. With impressions the log tells; without, it
    is this guess, and it weighs much on which corrections of popularity win on the twin: try .25 and .75 too."""
    personalisation: float | None = Field(None, ge=0)
    """How strongly the logger follows taste, in units of its log-odds."""
    gap: float | None = None
    """Difference in mean preference of what the logger shows: favoured group minus the other."""
    floor: float = Field(0.1, gt=0, lt=1)
    """Share of exposure spread evenly over all items."""
    organic_rate: float | None = Field(None, ge=0, le=1)
    """Mean number of items bought per visit without being shown."""
    effect: float | None = Field(None, ge=0, le=0.5)
    """Probability that showing an item of certain preference to a receptive user makes them buy it."""
    rank: int = Field(16, ge=1)
    """Dimensions of taste beyond groups."""
    taste: float | None = Field(None, ge=0)
    """Factor on the taste found; None for what makes the twin as predictable as the log."""
    notes: tuple[str, ...] = ()
    """What was cut or guessed when a twin was made, as sentences."""

    @model_validator(mode="after")
    def _fits(self) -> Twin:
        if self.max_users * self.max_items > LARGEST:
            raise ValueError(f"users x items is at most {LARGEST:,}")
        return self

    def generate(self) -> World:
        """A twin cannot be made from settings alone.

        Raises:
            ConfigError: always; `fit` makes a twin from a log.
        """
        raise ConfigError("A twin is made from a log", todo="Call World.like(log, users, items).")

    def fit(self, data: Dataset, gap_between: tuple[str, str, str] | None = None) -> World:
        """The twin of a log.

        Args:
            data: The log; its sensitive and text columns become the twin's.
            gap_between: Column of the users, favoured group and other group of the planted gap. By default the
                first sensitive column and its two largest groups; without one, busy and other users.

        Raises:
            DataError: if the log cannot be used, see `equipoise.worlds.twin.cut.cut`.
            ConfigError: if groups do not exist, a slate is longer than the catalogue, or the gap cannot be
                reached.
        """
        from equipoise.worlds.twin.fitting import fit

        return fit(self, data, gap_between)
