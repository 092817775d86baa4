"""From a log to its twin, step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.data.frames import require
from equipoise.worlds.draws import uniform
from equipoise.worlds.laws import Ints, Laws
from equipoise.worlds.policy import PlackettLuce
from equipoise.worlds.twin.calibration import calibrate
from equipoise.worlds.twin.continued import Continued
from equipoise.worlds.twin.cut import Source, cut
from equipoise.worlds.twin.estimates import drift, examination_decay, personalisation
from equipoise.worlds.twin.gap import Groups, find_groups, with_gap
from equipoise.worlds.twin.purchases import Purchases, find_purchases
from equipoise.worlds.twin.record import Record, Shown, record
from equipoise.worlds.twin.schedule import make_schedule
from equipoise.worlds.twin.taste import Taste, find_taste
from equipoise.worlds.world import World

if TYPE_CHECKING:
    from equipoise.worlds.twin.twin import Twin

Floats = NDArray[np.float64]

_GUESSED_DECAY = 0.3
_GUESSED_PERSONALISATION = 0.5
_ATTRIBUTES = 3  # sensitive columns that taste is told by, at most
_TRIALS = 3  # twins made to find how strong tastes must be
_POWER = 0.4  # what is found of taste grows a little faster than with its square
_ALIKE = 0.05  # relative change of the strength that is let be
_STRONGEST = 2.5
_RISE = 2 * np.sin(np.pi / 4)  # of the trend from the first day to the last, per unit of its amplitude


def fit(settings: Twin, data: Dataset, gap_between: tuple[str, str, str] | None) -> World:
    """The twin of a log; see `Twin.fit`."""
    for columns, table, what in ((data.sensitive, data.users, "users"), (data.text, data.items, "items")):
        require([] if table is None else table.columns, *columns, table=f"table of {what}")
    column = gap_between[0] if gap_between else _first_with_groups(data)
    if column is not None:
        require([] if data.users is None else data.users.columns, column, table="table of users")
    source = cut(
        data, max_users=settings.max_users, max_items=settings.max_items, strata=column, seed=settings.seed
    )
    log = record(source.events, source.users, source.items)
    groups = find_groups(source.users, log, column, gap_between)
    attributes = {name: _codes(source.users[name]) for name in data.sensitive[:_ATTRIBUTES]}
    taste = find_taste(log, attributes, rank=settings.rank, seed=settings.seed)
    strength = 1.0 if settings.taste is None else settings.taste
    made = _Maker(settings, data, source, groups, log, taste)
    world = made.world(strength)
    if settings.taste is not None or taste.gain <= 0:
        return world
    for _ in range(_TRIALS - 1):
        gain = max(
            find_taste(_clicks(world, log), attributes, rank=settings.rank, seed=settings.seed).gain,
            taste.gain / 8,
        )
        better = float(np.clip(strength * (taste.gain / gain) ** _POWER, 1.0, _STRONGEST))
        if abs(better / strength - 1) < _ALIKE:
            break
        strength = better
        world = made.world(strength)
    return world


def _first_with_groups(data: Dataset) -> str | None:
    """The first sensitive column that tells users apart."""
    for name in data.sensitive:
        if data.users is not None and data.users[name].drop_nulls().n_unique() > 1:
            return name
    return None


class _Maker:
    """Everything of a twin that does not depend on how strong tastes are."""

    def __init__(
        self, settings: Twin, data: Dataset, source: Source, groups: Groups, log: Record, taste: Taste
    ) -> None:
        self.settings, self.data, self.source, self.groups = settings, data, source, groups
        self.log, self.taste = log, taste
        decay = settings.examination_decay
        if decay is None:
            decay = _GUESSED_DECAY
            if log.shown is not None:
                decay = examination_decay(log.shape, log.shown, taste.ratio)
        self.decay = decay
        self.schedule = make_schedule(
            log,
            slate_length=settings.slate_length,
            click_rate=settings.click_rate,
            examination_decay=decay,
            days=settings.days,
        )
        self.drift = drift(log)

    def world(self, strength: float) -> World:
        settings, schedule, log = self.settings, self.schedule, self.log
        rates, follow = self._followed()
        made = calibrate(
            log, schedule, self.taste.ratio, follow,
            strength=strength * rates, popularity=settings.popularity, floor=settings.floor,
        )  # fmt: skip
        if settings.gap is not None:
            made = with_gap(made, self.groups, schedule, self.drift / 2, settings.gap)
        bought = find_purchases(settings, log, schedule, made)
        search, queries = self._searches()
        laws = Laws(
            appetite=made.appetite,
            trend=self.drift / _RISE,
            phase=np.full(log.shape[1], -1 / 8),
            period=4.0 * schedule.days,
            organic=bought.organic,
            effect=bought.effect,
            activity=schedule.activity,
            search=search,
            examination_decay=self.decay,
            queries=queries,
            language=np.zeros(log.shape[0], dtype=np.int64),
            presence=schedule.presence,
        )
        weights = made.weights(made.leaning)
        policy = (
            Continued(weights, "twin", laws=laws, seed=settings.seed, days=schedule.days)
            if schedule.once
            else PlackettLuce(weights, "twin")
        )
        return World(
            scenario=self._told(strength, bought),
            users=self.groups.users,
            items=self.source.items,
            laws=laws,
            policy=policy,
            days=schedule.days,
            slate_length=schedule.length,
            seed=settings.seed,
            sensitive=self.data.sensitive,
            text=self.data.text,
            gap_between=(self.groups.column, self.groups.favoured, self.groups.other),
            images=self.data.images,
            numeric=self.data.numeric,
        )

    def _followed(self) -> tuple[float, Floats]:
        """Log-odds of preference per unit of taste, and how strongly the logger follows the taste of each user."""
        chosen, log = self.settings.personalisation, self.log
        if log.shown is None:
            return 1.0, np.full(log.shape[0], _GUESSED_PERSONALISATION if chosen is None else chosen)
        looks = (self.schedule.visits * self.schedule.examination.sum()).sum()
        rates = 1 / (1 - min(len(log.user) / looks, 0.9))  # a rate moves less than its log-odds
        codes = self.groups.codes
        found = personalisation(log, np.float32(rates) * self.taste.ratio, codes, self.settings.seed)
        if chosen is not None:
            found = found / max(np.average(found, weights=np.bincount(codes)), 1e-9) * chosen
        return rates, found[codes]

    def _searches(self) -> tuple[float, pl.DataFrame]:
        """How often a visit begins with a search, and what is typed to look for each item."""
        rate = min(self.log.searches / self.schedule.visits.sum(), 1.0)
        items = self.source.items
        column = next(iter(self.data.text), v.ITEM)
        return rate, items.select(pl.col(column).cast(pl.String).fill_null("").alias("text"))

    def _told(self, strength: float, bought: Purchases) -> Twin:
        """The settings with what was found in the log, and what was guessed."""
        found: dict[str, Any] = {
            "days": self.schedule.days,
            "slate_length": self.schedule.length,
            "examination_decay": self.decay,
            "taste": strength,
            "organic_rate": bought.organic_rate,
            "effect": bought.lift,
            "notes": (*self.source.notes, *self.schedule.notes, *self._guesses(), *bought.notes),
        }
        return self.settings.model_copy(update=found)

    def _guesses(self) -> list[str]:
        said = []
        if self.log.shown is None:
            given = self.settings
            if given.examination_decay is None:
                said.append(f"How places are looked at is a guess: place ** -{_GUESSED_DECAY:g}.")
            if given.personalisation is None:
                said.append(
                    f"How strongly the logger follows taste is a guess: {_GUESSED_PERSONALISATION:g}."
                )
            said.append(f"That {given.popularity:.0%} of popularity is the logger's doing is a guess.")
            if given.gap is None:
                said.append(
                    "The log has no impressions, so that the gap between groups is a guess; give `gap`."
                )
        return said


def _clicks(world: World, log: Record) -> Record:
    """The impressions and clicks of a world's log, without the rest of it; impressions only where `log` has them."""
    laws, length = world.laws, world.slate_length
    users, items, hits = [], [], []
    for t in range(world.days):
        visitors = np.flatnonzero(laws.visits(world.seed, t))
        columns, _ = world.policy.sample(visitors, length, seed=world.seed, t=t)
        viewers = np.repeat(visitors, length)
        looks = np.tile(world.examination(np.arange(1, length + 1)), len(visitors))
        appetite = laws.appetite[viewers, columns.ravel()]
        chance = uniform(world.seed, "click", t, viewers, columns.ravel())
        users.append(viewers)
        items.append(columns.ravel())
        hits.append(chance < expit(appetite) * looks)
    user, item, clicked = (np.concatenate(parts) for parts in (users, items, hits))
    order = np.argsort(user, kind="stable")
    user, item, clicked = user[order], item[order], clicked[order]
    shown = None
    if log.shown is not None:
        slate, place = np.divmod(np.arange(len(user)), length)
        shown = Shown(user, item, slate, place + 1, clicked, np.empty(0), placed=True)
    return replace(log, user=user[clicked], item=item[clicked], at=np.empty(0), shown=shown)


def _codes(column: pl.Series) -> Ints:
    return column.cast(pl.String).fill_null(v.UNKNOWN).rank("dense").cast(pl.Int64).to_numpy() - 1
