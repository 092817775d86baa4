"""A smallest reason to stay away: past interactions without which an item leaves the list, checked by asking again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from equipoise.explain.explanation import Counterfactual
from equipoise.explain.interactions import Effects
from equipoise.explain.question import Asker

Sets = NDArray[np.bool_]

_RIVALS = 100  # items beyond the list that are held to be able to enter it, while sets are proposed
_PROPOSERS = 256  # units that sets are proposed of
_PREFIXES = 40  # sizes from 1 that are all tried; above it, every doubling
_SUBSETS = 7  # units up to which all proper subsets are tried: 126


@dataclass(frozen=True)
class Removal:
    """What came of the search for a set.

    Attributes:
        units: Units of the past that have to go, rising; empty where no set was found.
        rank: Rank of the item without them; 0 where no set was found.
        instead: Catalogue index of who stands in its place then; -1 where no set was found.
        irreducible: Whether it was verified that no proper subset suffices.
        says: Why no set was found, or why it may not be irreducible.
    """

    units: NDArray[np.int64]
    rank: int
    instead: int
    irreducible: bool
    says: str

    def told(self, asker: Asker, called: Callable[[Sequence[int]], list[str | None]]) -> Counterfactual:
        """With the ids and titles of what is removed.

        Args:
            asker: Who asked.
            called: Titles of items by catalogue index; none for -1, a search.
        """
        if not len(self.units):
            return Counterfactual((), None, None, False, asker.forwards, self.says)
        titles = called([*asker.question.units.items[self.units].tolist(), self.instead])
        return Counterfactual(
            removed=tuple(unit_name(asker, unit) for unit in self.units),
            rank=self.rank,
            instead=str(asker.question.model.catalogue.items[self.instead]),
            irreducible=self.irreducible,
            forwards=asker.forwards,
            says=self.says,
            titles=tuple(titles[:-1]),
            instead_title=titles[-1],
        )


@dataclass(frozen=True)
class _Found:
    """A set that works, and whether no proper subset does."""

    members: NDArray[np.int64]
    irreducible: bool
    says: str


def removal(asker: Asker, found: Effects) -> Removal:
    """An irreducible set of past interactions without which the item leaves the list.

    Sets are proposed by adding up the effects of single units, always taking the unit that brings the item's lead
    over the k-th of its rivals down most (as Tran, Ghazimatin & Roy 2021, "Counterfactual Explanations for Neural
    Recommenders", do with influences), and are true only once the model, asked with the shorter past, ranks the item
    below k. "Without" is what the model says to somebody with the shorter past; nothing is trained again. Of a set
    that works, members are dropped while it still works; of at most 7 that are left, all proper subsets are tried.

    Args:
        asker: Who asks; its budget bounds the search.
        found: Effects of the units, from the same asker.
    """
    question = asker.question
    place, k, count = asker.rank, question.k, len(question.units)
    if place > k:
        return _none(f"The item is not among the {k} best (rank {place}), so nothing has to go.")
    if not count:
        return _none("There are no past interactions that could be left out.")
    if int(question.allowed.sum()) <= k:
        return _none(f"The list of {k} has room for all items, so none can leave it.")
    works = _shortest(asker, _proposed(asker, found))
    if works is None:
        nobody = int(question.ranks(asker.nothing[None])[0])
        if nobody <= k:
            return _none(f"The item stays among the {k} best (rank {nobody}) without any of the past.")
        works = np.arange(count)
    said = _reduced(asker, works, found)
    members = np.sort(said.members)
    after = asker.scores(as_rows([members], count))
    rank, instead = int(question.ranks(after)[0]), _at(after[0], question.allowed, place)
    return Removal(members, rank, instead, said.irreducible, said.says)


def unit_name(asker: Asker, unit: int) -> str:
    """Id of a unit's item, or the text of its search."""
    question, item = asker.question, int(asker.question.units.items[unit])
    if item >= 0:
        return str(question.model.catalogue.items[item])
    return question.past.texts[int(question.units.queries[unit])]


def _none(says: str) -> Removal:
    return Removal(np.empty(0, dtype=np.int64), 0, -1, False, says)


def _at(scores: NDArray[np.float32], allowed: NDArray[np.bool_], place: int) -> int:
    """The item at a place of the list, from 1."""
    order = np.argsort(-np.where(allowed, scores, -np.inf), kind="stable")
    return int(order[place - 1])


def as_rows(sets: Sequence[NDArray[np.int64]], count: int) -> Sets:
    """Sets of units as rows of truth values."""
    rows = np.zeros((len(sets), count), dtype=bool)
    for row, members in zip(rows, sets, strict=True):
        row[members] = True
    return rows


def _proposed(asker: Asker, found: Effects) -> NDArray[np.int64]:
    """Units in the order in which they should go."""
    question, k = asker.question, asker.question.k
    rivals = np.where(question.allowed, asker.whole, -np.inf)
    rivals[question.item] = -np.inf
    rivals = np.argsort(-rivals, kind="stable")[: min(k + _RIVALS, int(question.allowed.sum()) - 1)]
    lead = asker.whole[question.item].astype(np.float64) - asker.whole[rivals]
    loss = found.values[:, [question.item]] - found.values[:, rivals]
    likely = np.argsort(-loss[:, :k].mean(axis=1), kind="stable")[:_PROPOSERS]
    left, order = list(likely), list[int]()
    while left and len(order) < _PROPOSERS:
        leads = np.partition(lead - loss[left], k - 1, axis=1)[:, k - 1]
        best = left.pop(int(leads.argmin()))
        lead = lead - loss[best]
        order.append(best)
        if len(order) > _PREFIXES and np.partition(lead, k - 1)[k - 1] < 0:
            break
    return found.units[np.array(order, dtype=np.int64)]


def _shortest(asker: Asker, order: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The shortest beginning of an order that takes the item off the list, of those that are tried."""
    count, k = len(asker.question.units), asker.question.k
    sizes = list(range(1, min(len(order), _PREFIXES) + 1))
    while sizes[-1] < len(order):
        sizes.append(min(2 * sizes[-1], len(order)))
    ranks = asker.ranks(as_rows([order[:size] for size in sizes], count))
    works = np.flatnonzero(ranks > k)
    return order[: sizes[works[0]]] if len(works) else None


def _reduced(asker: Asker, members: NDArray[np.int64], found: Effects) -> _Found:
    """A set that works, made smaller while that can be, and what is known of its subsets."""
    count, k = len(asker.question.units), asker.question.k
    keep = 1  # for the answer to the final set
    while len(members) > _SUBSETS or 2 ** len(members) - 2 > asker.left - keep:
        if len(members) > asker.left - keep:
            return _Found(members, False, _half(members, asker))
        ranks = asker.ranks(as_rows([np.delete(members, place) for place in range(len(members))], count))
        spare = np.flatnonzero(ranks > k)
        if not len(spare):
            if found.separate and _certain(asker, members, found):
                return _Found(members, True, "")
            return _deeper(asker, members, found)
        members = _dropped(asker, members, spare, ranks)
    subsets = [
        members[np.flatnonzero([(code >> place) & 1 for place in range(len(members))])]
        for code in range(1, 2 ** len(members) - 1)
    ]
    subsets.sort(key=len)
    if subsets:
        ranks = asker.ranks(as_rows(subsets, count))
        works = np.flatnonzero(ranks > k)
        if len(works):
            fewest = [int(place) for place in works if len(subsets[place]) == len(subsets[works[0]])]
            members = subsets[max(fewest, key=lambda place: ranks[place])]
    return _Found(members, True, "")


def _dropped(
    asker: Asker, members: NDArray[np.int64], spare: NDArray[np.int64], ranks: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The set without all that can be spared one by one, where that works, or half of it, and so on."""
    spare = spare[np.argsort(-ranks[spare], kind="stable")]
    tried: list[NDArray[np.int64]] = []
    while len(spare) > 1:
        tried.append(np.delete(members, spare))
        spare = spare[: len(spare) // 2]
    alone: NDArray[np.int64] = np.delete(members, spare)
    tried = tried[: max(asker.left - 1, 0)]
    if tried:
        works = np.flatnonzero(asker.ranks(as_rows(tried, len(asker.question.units))) > asker.question.k)
        if len(works):
            return tried[int(works[0])]
    return alone


def _certain(asker: Asker, members: NDArray[np.int64], found: Effects) -> bool:
    """Whether no proper subset can work, where effects add up exactly.

    With one member kept, no rival can come closer than by all other members that help it. If even then fewer than k
    rivals would pass the item, no subset without that member works.
    """
    question = asker.question
    rivals = np.flatnonzero(question.allowed & (np.arange(len(question.allowed)) != question.item))
    lead = asker.whole[question.item].astype(np.float64) - asker.whole[rivals]
    rows = np.searchsorted(found.units, members)
    help_ = (found.values[rows][:, [question.item]] - found.values[rows][:, rivals]).clip(0)
    slack = 1e-5 * float(np.abs(asker.whole).max())
    closest = lead - help_.sum(axis=0) + help_
    return bool(((closest <= slack).sum(axis=1) < question.k).all())


def _deeper(asker: Asker, members: NDArray[np.int64], found: Effects) -> _Found:
    """A set of which none can be spared alone, and whether several can be spared together, as far as can be tried."""
    question, spared = asker.question, 1
    while comb(len(members), spared + 1) <= asker.left - 1 and spared + 1 < len(members):
        spared += 1
        fewer = [np.delete(members, gone) for gone in combinations(range(len(members)), spared)]
        works = np.flatnonzero(asker.ranks(as_rows(fewer, len(question.units))) > question.k)
        if len(works):
            return _reduced(asker, fewer[int(works[0])], found)
    if spared == len(members) - 1:
        return _Found(members, True, "")
    return _Found(
        members,
        False,
        f"Of the {len(members)} no {'one' if spared == 1 else f'{spared} or fewer'} can be spared; sparing more "
        "at once was not tried.",
    )


def _half(members: NDArray[np.int64], asker: Asker) -> str:
    return (
        f"Some of the {len(members)} may be spared: the search ended at {asker.budget} answers of the model."
    )
