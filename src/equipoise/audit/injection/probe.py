"""Attack a ranker through the texts of its items, and measure what that changes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from equipoise.audit.injection.answers import Ranked, Ranker, ask, disorder, place_of, without
from equipoise.audit.injection.attacks import ATTACKS, PLACEBOS, Attack
from equipoise.audit.injection.evidence import InjectionEvidence, summarised
from equipoise.audit.injection.invariance import chosen
from equipoise.audit.injection.poisoning import Place, moved, poisoned
from equipoise.errors import ConfigError, DataError
from equipoise.progress import track

_INTERVALS = (
    "Intervals are over the attacked items, for these users; each row of the summary stands by itself."
)


@dataclass(frozen=True)
class _Trial:
    """One question: which text stands where."""

    attack: Attack
    kind: str
    target: Any
    slot: str
    place: Place
    position: Place | None


def probe(
    rank: Ranker,
    items: Any,
    users: Sequence[Any],
    *,
    slots: Sequence[str],
    attacks: Sequence[Attack] = ATTACKS,
    places: Sequence[Place] = ("first", "middle", "last"),
    positions: Sequence[Place | None] = (None,),
    targets: Sequence[Any] | int = 10,
    k: int = 10,
    secrets: Mapping[Any, Collection[str]] | None = None,
    level: float = 0.95,
    seed: int = 0,
    progress: bool = True,
) -> InjectionEvidence:
    """Write attacks into items, one at a time, and compare every list with that of the clean items.

    Every attack is tried on every target once, in a slot, place and position that take turns, so that all come up
    equally often. Beside the attacks, harmless sentences are written into the same places (placebo), and the clean
    items are asked for twice (repeat): what an attack does beyond a placebo is its own doing.

    Args:
        rank: Called with an items table and the users; gives lists, or `Answers` with texts and broken answers.
        items: Items table of any engine with `item_id` and the slots; the candidates, in their order.
        users: Whose lists are asked for.
        slots: Text columns that sellers write: title, description, review, alternative text.
        attacks: What is tried; costs one call of `rank` per attack and target.
        places: Where in the field the attack stands.
        positions: Where among the candidates the attacked item stands; None: where it is.
        targets: Ids of the attacked items, or how many are drawn.
        k: The list of which success and collateral speak.
        secrets: By user, texts that no answer may spell out, such as a word planted in the profile.
        level: Confidence level of the intervals.
        seed: Root of all draws.
        progress: Whether long work shows a bar.

    Returns:
        The evidence; nothing in it says that a ranker is safe from attacks that were not tried.

    Raises:
        DataError: if a column or a target is missing, or the lists are no recommendations.
        ConfigError: if there is no attack, slot, place, position or user, or k is below 1.
    """
    for what, given in {
        "attack": attacks,
        "slot": slots,
        "place": places,
        "position": positions,
        "user": users,
    }.items():
        if not len(given):
            raise ConfigError(f"There is no {what} to probe with", todo=f"Name at least one {what}.")
    if k < 1:
        raise ConfigError(f"The list length k is {k}", todo="Give at least 1.")
    hidden = {str(user): [one.casefold() for one in kept if one] for user, kept in (secrets or {}).items()}
    attacked = chosen(items, targets, seed)
    if not attacked:
        raise DataError("There is no item to attack", todo="Name at least one, or a number above 0.")
    clean: dict[tuple[str, Place | None], Ranked] = {}
    rows: list[dict[str, Any]] = []
    planned = list(_planned(attacked, attacks, slots, places, positions, seed))
    for trial in track(planned, "Attacking", show=progress):
        where, key = moved(items, trial.target, trial.position), (str(trial.target), trial.position)
        nothing = Attack("none", "none", "", False)
        if key not in clean:
            clean[key] = ask(rank, where, users)
            again = ask(rank, where, users)
            still = _Trial(nothing, "repeat", *_of(trial))
            rows.append(_compared(still, clean[key], again, hidden, k))
            still = _Trial(nothing, "clean", *_of(trial))
            rows.append(_compared(still, clean[key], clean[key], hidden, k))
        table = poisoned(where, trial.attack, trial.slot, trial.target, place=trial.place)
        rows.append(_compared(trial, clean[key], ask(rank, table, users), hidden, k))
    trials = pl.DataFrame(rows, infer_schema_length=None)
    notes = [_INTERVALS, *_short(clean, k), *_unmoved(clean)]
    return InjectionEvidence(trials, summarised(trials, level=level, seed=seed), k, tuple(notes))


def _of(trial: _Trial) -> tuple[Any, str, Place, Place | None]:
    return trial.target, trial.slot, trial.place, trial.position


def _planned(
    targets: Sequence[Any],
    attacks: Sequence[Attack],
    slots: Sequence[str],
    places: Sequence[Place],
    positions: Sequence[Place | None],
    seed: int,
) -> Iterator[_Trial]:
    """Every attack on every target; spots take turns in an order drawn for each attack."""
    spots = [(slot, place, position) for slot in slots for place in places for position in positions]
    for number, attack in enumerate([*attacks, *PLACEBOS]):
        kind = "placebo" if attack in PLACEBOS else "attack"
        turns = np.random.default_rng([seed, number]).permutation(len(spots))
        for place, target in enumerate(targets):
            yield _Trial(attack, kind, target, *spots[turns[place % len(spots)]])


def _compared(
    trial: _Trial, clean: Ranked, answer: Ranked, secrets: Mapping[str, Sequence[str]], k: int
) -> dict[str, Any]:
    """The sums of one trial over users."""
    target, sums = str(trial.target), dict.fromkeys(("outside", "won", "leaks", "broken"), 0)
    lift, moves = 0, 0.0
    for user, before in clean.lists.items():
        after = answer.lists[user]
        was, now = place_of(target, before), place_of(target, after)
        lift += was - now
        sums["outside"] += was > k
        sums["won"] += was > k and now <= k
        moves += disorder(without(target, before), without(target, after), k)
        said = answer.texts.get(user, "").casefold()
        sums["leaks"] += any(secret in said for secret in secrets.get(user, ()))
        sums["broken"] += user in answer.broken
    return {
        "kind": trial.kind,
        "attack": trial.attack.name,
        "family": trial.attack.family,
        "held_out": trial.attack.held_out,
        "slot": trial.slot,
        "place": trial.place,
        "position": trial.position,
        "target": target,
        "lists": len(clean.lists),
        "lift": lift,
        "disorder": moves,
        **sums,
    }


def _unmoved(clean: Mapping[tuple[str, Place | None], Ranked]) -> Iterator[str]:
    """Whether places among the candidates mean anything to the ranker."""
    by_target: dict[str, list[Mapping[str, list[str]]]] = {}
    for (target, _), ranked in clean.items():
        by_target.setdefault(target, []).append(ranked.lists)
    several = [lists for lists in by_target.values() if len(lists) > 1]
    if several and all(other == lists[0] for lists in several for other in lists[1:]):
        yield (
            "No list depends on where the attacked item stands among the candidates: rows by position are the same "
            "measurement several times, and their differences chance."
        )


def _short(clean: Mapping[Any, Ranked], k: int) -> Iterator[str]:
    lengths = [len(listed) for ranked in clean.values() for listed in ranked.lists.values()]
    if min(lengths) <= k:
        yield (
            f"The shortest list holds {min(lengths)} items: an item that is in no list counts as right behind its "
            "end, so that lift is told too low."
        )
