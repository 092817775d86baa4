"""Histories of one person, drawn anew so that their features are the ones asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from equipoise.debias.before.augmentation.facts import within_reach
from equipoise.debias.before.augmentation.features import ACTIVITY, Features
from equipoise.debias.before.augmentation.profiles import Floats, Ints, Profiles, drawn
from equipoise.debias.before.augmentation.tilting import companions, tilted
from equipoise.models.histories import Catalogue, Histories, locate

_GOLDEN = (5**0.5 - 1) / 2  # multiples of it fill the unit interval evenly
_ROUNDING = 1e-9  # a length that is to stay as it was stays so
_SMALL = 0.05  # of the standard deviation of a feature over items: changes that are not looked at


@dataclass(eq=False)
class Redrawing:
    """Draws histories as `augment_counterfactual` draws those of twins, and puts them in order.

    Attributes:
        past: The person's history, a single row.
        own: Whether the history holds the item, by the items of profiles, shape (items,).
        near: How much other items go along with it, shape (items,).
        features: Of items.
        held: Those that are as asked for, or as they were; all others follow from the items.
        catalogue: Index of each item in the catalogue of the model.
        banned: Item that no history is to hold, -1 for none.
        seed: Of the noise.
        unchanged: By how much the mean features of histories were off, when none was to change; None before that.
        missed: Largest share of a change asked for, over batches and features, by which the mean of the drawn histories
            is off it; changes that are small beside the differences between items are not looked at.
    """

    past: Histories
    own: NDArray[np.bool_]
    near: Floats
    features: Features
    held: tuple[str, ...]
    catalogue: Ints
    banned: int
    seed: tuple[int, ...]
    unchanged: Floats | None = field(default=None, init=False)
    missed: float = field(default=0.0, init=False)

    @classmethod
    def of(
        cls,
        past: Histories,
        catalogue: Catalogue,
        profiles: Profiles,
        features: Features,
        held: Sequence[str],
        item: int,
        seed: tuple[int, ...],
    ) -> Redrawing:
        """Of a history.

        Args:
            past: A single row.
            catalogue: Of the model.
            profiles: Of the users of training.
            features: Of the items of `profiles`.
            held: Names of features that are to be as asked for, or as they were.
            item: Catalogue index of an item that no history is to hold.
            seed: Of the noise.
        """
        there = locate(catalogue.items, profiles.items)
        own = np.isin(there, past.items[past.items >= 0]) & (there >= 0)
        banned = int(np.flatnonzero(there == item)[0]) if (there == item).any() else -1
        return cls(past, own, companions(own, profiles), features, tuple(held), there, banned, seed)

    @property
    def length(self) -> int:
        """Items of the history that profiles know."""
        return int(self.own.sum())

    @property
    def facts(self) -> dict[str, float]:
        """The features of the history as it is, by name."""
        means = self.features.masses[self.own].mean(axis=0)
        return {ACTIVITY: float(np.log(self.length))} | dict(
            zip(self.features.names, means.tolist(), strict=True)
        )

    def __call__(self, wanted: Sequence[Mapping[str, float]], noise: Ints) -> Histories:
        """See `Redrawn` of `equipoise.explain.sensitive`."""
        masses, facts = self.features.masses[:, self.features.columns(self.held)], self.facts
        asked = np.array([[one.get(name, facts[name]) for name in self.held] for one in wanted])
        asked = asked.reshape(len(wanted), len(self.held))
        targets = within_reach(asked, list(self.held), masses)
        logs = np.array([one.get(ACTIVITY, np.log(self.length)) for one in wanted])
        whole = np.floor(np.exp(logs) + _ROUNDING + self._between(noise))
        lengths = np.clip(whole, 1, len(self.own) - 1).astype(np.int64)
        logits = tilted(
            np.tile(self.own, (len(wanted), 1)),
            np.tile(self.near, (len(wanted), 1)),
            masses,
            targets,
            lengths,
        )
        if self.banned >= 0:
            logits[:, self.banned] = -np.inf
        made, got = [], np.zeros((len(asked), len(self.held) + 1))
        for row, number in enumerate(noise):
            rng = np.random.default_rng([*self.seed, int(number)])
            one = drawn(logits[[row]], lengths[[row]], rng)
            got[row] = [*masses[one.indices].mean(axis=0), np.log(len(one.indices))]
            made.append(self._ordered(one.indices.astype(np.int64), rng))
        every, spread = np.column_stack([asked, logs]), np.append(masses.std(axis=0), 1.0)
        self._note(every - [facts[name] for name in (*self.held, ACTIVITY)], got - every, spread)
        return _stacked(self.past, made)

    def _between(self, noise: Ints) -> Floats:
        """Where each draw rounds a length: evenly spread over draws, so that their mean length is the one asked for."""
        begun = np.random.default_rng(self.seed).random()
        return np.asarray((begun + noise * _GOLDEN) % 1, dtype=np.float64)

    def _note(self, change: Floats, off: Floats, spread: Floats) -> None:
        """Keep the largest miss, beside that of histories in which nothing was to change."""
        mean, miss = change.mean(axis=0), off.mean(axis=0)
        if self.unchanged is None:
            self.unchanged = np.zeros(len(miss)) if change.any() else miss
        large = np.abs(mean) > _SMALL * spread
        share = np.abs(miss - self.unchanged)[large] / np.abs(mean)[large]
        self.missed = max(self.missed, float(share.max(initial=0.0)))

    def _ordered(self, items: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Steps of a history that holds these items: step of the past that each is modelled on, and its item.

        What stays keeps its steps. What comes takes the steps of something that goes, drawn at random; what has nothing
        to replace comes after an own step drawn at random.
        """
        past, own = self.past, np.flatnonzero(self.own)
        gone = rng.permutation(np.setdiff1d(own, items))
        fresh = rng.permutation(np.setdiff1d(items, own))
        replaced = min(len(gone), len(fresh))
        now = {int(self.catalogue[old]): -2 for old in gone}
        now |= {
            int(self.catalogue[old]): int(self.catalogue[new])
            for old, new in zip(gone[:replaced], fresh[:replaced], strict=True)
        }
        held = np.array([now.get(int(item), int(item)) for item in past.items], dtype=np.int64)
        held[past.items < 0] = past.items[past.items < 0]
        steps = np.flatnonzero(held != -2)
        more = self.catalogue[fresh[replaced:]]
        after = rng.choice(np.flatnonzero(np.isin(past.items, self.catalogue[own])), len(more))
        order = np.argsort(np.concatenate([steps, after]), kind="stable")
        return np.concatenate([steps, after])[order], np.concatenate([held[steps], more])[order]


def _stacked(past: Histories, made: Sequence[tuple[Ints, Ints]]) -> Histories:
    """Histories of steps modelled on those of a past, one row for each."""
    sizes = [len(steps) for steps, _ in made]
    steps = np.concatenate([steps for steps, _ in made])
    items = np.concatenate([items for _, items in made])
    return Histories(
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        items,
        np.where(items >= 0, -1, past.queries[steps]),
        past.texts,
        past.weights[steps],
        past.values[steps],
        past.times[steps],
        past.clock,
    )
