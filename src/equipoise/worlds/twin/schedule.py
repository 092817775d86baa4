"""When the users of a twin come, and how many places they are shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import ConfigError
from equipoise.worlds.laws import Ints
from equipoise.worlds.twin.record import Record

Floats = NDArray[np.float64]

_DAY = 86_400.0
_FEWEST, _MOST = 30, 120  # days of a twin whose log does not tell days
_RATE = 0.15  # clicks per place, at least, where only clicks are logged
_COVERED = (
    4.0  # times as many clicks per place as the share of the catalogue a user took: a quarter of it is shown
)
_FULL = 0.8  # share of what is examined that the busiest users may click
_SELDOM = 0.5  # clicks per visit, at least, where only clicks are logged
_ALWAYS = 0.95  # share of the days on which the busiest users come
_FOREVER = 2**31


@dataclass(frozen=True)
class Schedule:
    """Visits and slates of a twin.

    Attributes:
        days: Length of its log.
        length: Places of a slate.
        examination: Probability that each place is looked at, length `length`.
        visits: Expected visits of each user over the log.
        activity: Probability that a present user comes on a day.
        presence: First and last day of each user, (users, 2).
        once: Whether nobody is shown an item twice.
        notes: What was guessed, as sentences.
    """

    days: int
    length: int
    examination: Floats
    visits: Floats
    activity: Floats
    presence: Ints
    once: bool
    notes: tuple[str, ...]


def make_schedule(
    log: Record,
    *,
    slate_length: int | None,
    click_rate: float | None,
    examination_decay: float,
    days: int | None,
) -> Schedule:
    """Fit visits to a log.

    Where impressions are logged, a visit is a slate. Where only clicks are, visits are the days with a click
    and those on which nothing was clicked, or a guess where no days are known.

    Args:
        log: The log.
        slate_length: Places of a slate; None for the log's, or 10.
        click_rate: Clicks per place where only clicks are logged; None for a guess by how much of the
            catalogue users took, at least 0.15.
        examination_decay: A place j is examined with probability j ** -examination_decay.
        days: Length of the twin's log; None to go by the log.

    Raises:
        ConfigError: if a slate is longer than the catalogue.
    """
    notes: list[str] = []
    n_users, n_items = log.shape
    seen = log.shown
    length = slate_length or (
        int(np.median(seen.lengths)) if seen is not None else min(10, max(n_items // 5, 1))
    )
    if length > n_items:
        raise ConfigError(f"A slate of {length} places needs more than {n_items} items")
    examination = np.arange(1, length + 1, dtype=np.float64) ** -examination_decay
    start, end = log.span
    timed = end > start
    if seen is not None:
        heads = np.concatenate([[True], np.diff(seen.slate) > 0])
        who, when = seen.user[heads], seen.at[heads] if len(seen.at) else np.empty(0)
        visits = np.bincount(who, minlength=n_users).astype(np.float64)
        once = _once(seen.user * n_items + seen.item)
        need = visits
        real = int(np.floor(end / _DAY) - np.floor(start / _DAY)) + 1 if timed else _FEWEST
        span = days or int(max(min(real, _MOST), need.max()))
    else:
        who, when = log.user, log.at
        taken = log.by_user.astype(np.float64)
        most = _FULL * examination.sum()
        rate = np.maximum(_RATE, _COVERED * taken / n_items) if click_rate is None else click_rate
        need = taken / np.minimum(rate * length, most)
        once = _once(log.user * n_items + log.item)
        notes.append(f"The log has no impressions: slates of {length} places are a guess.")
        if once:
            need = np.minimum(need, n_items // length)
        span = days or int(np.clip(np.ceil(need.max() / _ALWAYS), _FEWEST, _MOST))
        visits = need
        if timed:
            active = _active_days(who, _bins(when, start, end, span), n_users, span)
            fewest = taken / np.clip(rate * length, most / 2, most)
            visits = np.clip(_with_empty(active, taken), fewest, taken / _SELDOM)
            if active.sum() < visits.sum() / 2:
                notes.append(
                    f"Users do {taken.sum() / active.sum():.2g} things on an active day, more than a slate holds: "
                    "the twin spreads them over more days."
                )
        else:
            notes.append(
                f"The log has no times: {taken.sum() / need.sum():.2g} clicks per visit are a guess."
            )
    if once:
        visits = np.minimum(visits, n_items // length)
    visits = np.clip(visits, 0.5, span if seen is not None else _ALWAYS * span)
    presence = np.tile(np.array([0, span - 1]), (n_users, 1))
    if timed and len(when):
        presence = _windows(who, _bins(when, start, end, span, whole=seen is not None), visits, span)
        width = (end - start) / span / _DAY
        if not 0.9 < width < 1.1:
            notes.append(f"A day of the twin stands for {width:.2g} days of the log.")
    stay = presence[:, 1] - presence[:, 0] + 1
    presence[presence[:, 1] == span - 1, 1] = _FOREVER
    return Schedule(
        days=span,
        length=length,
        examination=examination,
        visits=visits,
        activity=np.minimum(visits / stay, 1.0),
        presence=presence,
        once=once,
        notes=tuple(notes),
    )


def _once(pairs: Ints) -> bool:
    """Whether hardly any pair occurs twice, where chance would let it."""
    return len(np.unique(pairs)) > 0.99 * len(pairs)


def _bins(when: Floats, start: float, end: float, days: int, whole: bool = False) -> Ints:
    """Day of each time; calendar days where the log's own days are as many as the twin's."""
    first = np.floor(start / _DAY)
    if whole and np.floor(end / _DAY) - first + 1 == days:
        return np.asarray(np.floor(when / _DAY) - first, dtype=np.int64)
    return np.asarray(np.minimum((when - start) / (end - start) * days, days - 1), dtype=np.int64)


def _active_days(who: Ints, day: Ints, n_users: int, days: int) -> Floats:
    return np.bincount(np.unique(who * days + day) // days, minlength=n_users).astype(np.float64)


def _with_empty(active: Floats, taken: Floats) -> Floats:
    """Visits of which `active` hold a click, when clicks fall on visits by chance: v (1 - exp(-n / v))."""
    visits = active.copy()
    for _ in range(20):
        visits = np.minimum(active / -np.expm1(-taken / np.maximum(visits, 1e-9)), taken / _SELDOM)
    return visits


def _windows(who: Ints, day: Ints, visits: Floats, days: int) -> Ints:
    """First and last day of each user, wide enough for the visits; chance hides the ends of what is seen."""
    first, last = np.full(len(visits), days - 1), np.zeros(len(visits), dtype=np.int64)
    np.minimum.at(first, who, day)
    np.maximum.at(last, who, day)
    last = np.maximum(first, last)
    seen = last - first
    margin = np.where(visits >= 3, seen / (np.maximum(visits, 2) - 1), 0)
    lack = np.maximum(visits / _ALWAYS - (seen + 1 + 2 * margin), 0)
    # What is missing is taken from the days after, as far as there are any.
    late = np.minimum(last + margin + lack, days - 1)
    early = np.maximum(np.minimum(first - margin, late + 1 - visits / _ALWAYS), 0)
    return np.column_stack([np.floor(early), np.ceil(late)]).astype(np.int64)
