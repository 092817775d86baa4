"""Random causal models of binary variables, some of them hidden, small enough to enumerate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.causal.graph import CausalGraph

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BinaryModel:
    """A Bayesian network over binary variables, hidden ones among them.

    Attributes:
        order: All variables, causes before effects.
        hidden: Those that nobody sees.
        parents: Causes of each variable.
        tables: P(variable = 1 | parents) of each, one axis of length two per parent.
    """

    order: tuple[str, ...]
    hidden: frozenset[str]
    parents: Mapping[str, tuple[str, ...]]
    tables: Mapping[str, Floats]

    @property
    def observed(self) -> tuple[str, ...]:
        """Variables that are not hidden, in order."""
        return tuple(name for name in self.order if name not in self.hidden)

    @property
    def graph(self) -> CausalGraph:
        """The graph with the hidden variables in it."""
        return CausalGraph.from_edges(
            [(parent, name) for name in self.order for parent in self.parents[name]], nodes=self.order
        )

    def distribution(self, do: Iterable[str] = ()) -> Floats:
        """P(observed | do) by the truncated factorisation (Pearl 2009, equation 1.37), hidden ones summed out.

        Returns:
            One axis of length two per observed variable, in order. An axis of `do` says what it is set to:
            the entries sum to 1 for each action.
        """
        axis = {name: place for place, name in enumerate(self.order)}
        whole: Floats = np.ones((2,) * len(self.order))
        for name in self.order:
            if name not in set(do):
                ones = self.tables[name]
                table = np.stack([1 - ones, ones], axis=-1)
                axes = [axis[parent] for parent in self.parents[name]] + [axis[name]]
                shape = [2 if place in axes else 1 for place in range(len(self.order))]
                whole = whole * table.transpose(np.argsort(axes)).reshape(shape)
        summed: Floats = whole.sum(axis=tuple(axis[name] for name in self.hidden))
        return summed

    def truth(self, outcome: Iterable[str], do: Iterable[str], given: Iterable[str] = ()) -> Floats:
        """P(outcome | do, given) for all their values; axes of other observed variables have length one."""
        acted = self.distribution(do)
        above = self._sum_out(acted, {*outcome, *do, *given})
        below = self._sum_out(acted, {*do, *given})
        out: Floats = np.full(above.shape, np.nan)
        np.divide(above, below, out=out, where=np.broadcast_to(below > 0, above.shape))
        return out

    def _sum_out(self, array: Floats, kept: set[str]) -> Floats:
        axes = tuple(place for place, name in enumerate(self.observed) if name not in kept)
        summed: Floats = array.sum(axis=axes, keepdims=True)
        return summed


_NAPKIN = ([("a", "b"), ("b", "c"), ("c", "d")], [("a", "c"), ("a", "d")])
_FRONT_DOOR = ([("a", "b"), ("b", "c")], [("a", "c")])
_VERMA = ([("a", "b"), ("b", "c"), ("c", "d"), ("a", "c")], [("b", "d")])
_SKELETONS = (_NAPKIN, _NAPKIN, _FRONT_DOOR, _VERMA)


def random_model(rng: np.random.Generator, *, largest: int = 7, zeros: float = 0.0) -> BinaryModel:
    """A model with 2 to `largest` observed variables and up to 8 hidden ones.

    Half of the models are random throughout. The others grow on a graph of the literature (front door,
    napkin, Verma) whose identification goes deep, which plain random graphs seldom do. Hidden variables have
    two or three children, and now and then a parent.

    Args:
        rng: Source of all randomness.
        largest: Most observed variables.
        zeros: Chance of a probability to be 0 or 1; the others lie in [0.1, 0.9].
    """
    grown = largest >= 4 and rng.random() < 0.5
    arrows, arcs = _SKELETONS[rng.integers(len(_SKELETONS))] if grown else ([], [])
    least = 4 if grown else 2
    names = [chr(ord("a") + place) for place in range(int(rng.integers(least, largest + 1)))]
    # New variables may stand before, between and behind those of the skeleton, whose order is kept.
    ranks = rng.random(len(names))
    ranks[:least] = np.sort(ranks[:least])
    shown = [names[place] for place in np.argsort(ranks)]
    density = float(rng.choice([0.1, 0.2] if grown else [0.2, 0.4, 0.6]))
    parents: dict[str, list[str]] = {name: [] for name in shown}
    for a, b in arrows:
        parents[b].append(a)
    for place, name in enumerate(shown):
        parents[name] += [p for p in shown[:place] if p not in parents[name] and rng.random() < density]
    hidden: list[str] = []
    for children in [*arcs, *_more_arcs(rng, shown, at_most=2 if grown else 6)]:
        latent = f"u{len(hidden)}"
        hidden.append(latent)
        for child in children:
            parents[child].append(latent)
        first = min(map(shown.index, children))
        above = [name for name in shown[:first] if rng.random() < 0.1]
        parents[latent] = above[:1]
    order = _causes_first(parents)
    tables = {}
    for name in order:
        table = rng.uniform(0.1, 0.9, (2,) * len(parents[name]))
        certain = rng.random(table.shape) < zeros
        tables[name] = np.where(certain, rng.integers(0, 2, table.shape), table)
    return BinaryModel(
        tuple(order), frozenset(hidden), {name: tuple(parents[name]) for name in order}, tables
    )


def _more_arcs(rng: np.random.Generator, names: list[str], *, at_most: int) -> list[tuple[str, ...]]:
    sizes = [
        3 if len(names) > 2 and rng.random() < 0.15 else 2 for _ in range(int(rng.integers(0, at_most + 1)))
    ]
    return [tuple(rng.choice(names, size, replace=False).tolist()) for size in sizes]


def _causes_first(parents: Mapping[str, list[str]]) -> list[str]:
    order: list[str] = []
    while len(order) < len(parents):
        order += [name for name in parents if name not in order and set(parents[name]) <= set(order)]
    return order
