"""What the users of a twin buy, with and without being shown it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from equipoise.worlds.draws import uniform
from equipoise.worlds.laws import Matrix
from equipoise.worlds.twin.calibration import Calibrated
from equipoise.worlds.twin.record import Record
from equipoise.worlds.twin.schedule import Schedule

if TYPE_CHECKING:
    from equipoise.worlds.twin.twin import Twin

_CAUSED = 0.4  # share of purchases that showing causes, where nothing else is asked for


@dataclass(frozen=True)
class Purchases:
    """The laws of buying.

    Attributes:
        organic: Probability per visit of buying an item that was not shown, (users, items).
        effect: What being shown adds to it, (users, items).
        organic_rate: Mean number of items bought per visit without being shown.
        lift: Probability that showing an item of certain preference to a receptive user makes them buy it.
        notes: What was guessed, as sentences.
    """

    organic: Matrix
    effect: Matrix
    organic_rate: float
    lift: float
    notes: tuple[str, ...]


def find_purchases(settings: Twin, log: Record, schedule: Schedule, made: Calibrated) -> Purchases:
    """As many purchases per visit as in the log, part of them planted as the effect of being shown.

    What is liked and pushed is also bought without being shown, so that a naive comparison is confounded.
    Three users in ten are put off by what is shown to them.
    """
    shape = log.shape
    rate = log.purchases / schedule.visits.sum()
    users = np.arange(shape[0])
    receptive = uniform(settings.seed, "receptive", users) * 1.4 - 0.4
    liked = expit(made.appetite)
    shown = float((made.seen * liked * receptive[:, None].astype(np.float32)).sum(dtype=np.float64))
    shown /= schedule.visits.sum()
    organic_rate = (1 - _CAUSED) * rate if settings.organic_rate is None else settings.organic_rate
    lift = min(_CAUSED * rate / max(shown, 1e-9), 0.5) if settings.effect is None else settings.effect
    guessed = rate > 0 and settings.effect is None
    notes = (f"That {_CAUSED:.0%} of purchases are caused by showing is planted.",) if guessed else ()
    if organic_rate == 0 and lift == 0:
        nothing = np.broadcast_to(np.float32(0), shape)
        return Purchases(nothing, nothing, 0.0, 0.0, notes)
    organic = liked * np.exp(made.push - made.push.max()).astype(np.float32)
    organic = np.minimum(organic * np.float32(organic_rate / organic.sum(axis=1).mean()), np.float32(0.5))
    effect = np.maximum(np.float32(lift) * receptive[:, None].astype(np.float32) * liked, -organic)
    return Purchases(organic, effect.astype(np.float32), organic_rate, lift, notes)
