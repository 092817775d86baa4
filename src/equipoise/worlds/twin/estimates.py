"""Single numbers that a log tells of its logger and its readers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from equipoise.worlds.draws import choice
from equipoise.worlds.laws import Ints, Matrix
from equipoise.worlds.twin.record import Record, Shown
from equipoise.worlds.twin.taste import expected_clicks, logistic

Floats = NDArray[np.float64]

_ENOUGH = 200  # impressions of a group from which it gets a number of its own
_DRAWN = 400_000
_PRIOR = 20.0  # events of an item, as many as make its drift half believed


def examination_decay(shape: tuple[int, int], shown: Shown, ratio: Matrix) -> float:
    """Exponent by which clicks fall from place to place, given the users, the items and the taste.

    What is left of clicks over expected ones at each place is fitted by a power of the place.
    """
    if not shown.placed or shown.place.max() < 2:
        return 0.0
    flat = Shown(
        shown.user, shown.item, shown.slate, np.ones_like(shown.place), shown.clicked, shown.at, False
    )
    wanted = expected_clicks(shape, flat) * np.exp(np.clip(ratio[shown.user, shown.item], -3, 3))
    clicks = np.bincount(shown.place, shown.clicked)
    expected = np.bincount(shown.place, wanted)
    places = np.flatnonzero((clicks > 0) & (expected > 0))
    if len(places) < 2:
        return 0.0
    slope = np.polyfit(
        np.log(places), np.log(clicks[places] / expected[places]), 1, w=np.sqrt(clicks[places])
    )[0]
    return float(np.clip(-slope, 0.0, 3.0))


def personalisation(log: Record, ratio: Matrix, group: Ints, seed: int) -> Floats:
    """How strongly impressions follow taste, in units of `ratio`, for each group.

    Each impression is set against the same user and an item drawn by its share of all impressions.
    """
    shown = log.shown
    assert shown is not None
    step = max(len(shown.user) // _DRAWN, 1)
    user, item = shown.user[::step], shown.item[::step]
    counts = np.bincount(shown.item, minlength=log.shape[1]).astype(np.float64)
    other = choice(seed, "personalisation against", counts, np.arange(len(user)))
    outcome = np.repeat([1.0, 0.0], len(user))
    found = []
    everybody = _slope(np.concatenate([ratio[user, item], ratio[user, other]]), outcome)
    for number in range(int(group.max()) + 1):
        mine = group[user] == number
        if mine.sum() < _ENOUGH:
            found.append(everybody)
            continue
        values = np.concatenate([ratio[user[mine], item[mine]], ratio[user[mine], other[mine]]])
        found.append(_slope(values, np.repeat([1.0, 0.0], int(mine.sum()))))
    return np.array(found)


def _slope(values: NDArray[np.float32], outcome: Floats) -> float:
    columns = values.astype(np.float64)[:, None]
    return float(logistic(columns, outcome, np.zeros(len(columns)))[0])


def drift(log: Record) -> Floats:
    """Log-odds by which each item is liked more at the end of the log than at its start, shrunken by chance.

    Twice the difference of the later half of all events from the earlier one; 0 where the log tells no time.
    """
    n_items = log.shape[1]
    if not len(log.at) or np.ptp(log.at) == 0:
        return np.zeros(n_items)
    late = log.at > np.median(log.at)
    after, before = (np.bincount(log.item[part], minlength=n_items) for part in (late, ~late))
    total = after + before
    change = np.log((after + 0.5) / (before + 0.5)) - np.log((late.sum() + 0.5) / ((~late).sum() + 0.5))
    return np.asarray(2 * change * total / (total + _PRIOR))
