"""Taste found in a log: which users go to which items more often than activity and popularity say.

Each feature is a log-ratio of what is seen over what is expected, (users, items). How much a feature is to be
believed is told by events it was not made from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit
from sklearn.utils.extmath import randomized_svd

from equipoise.worlds.draws import choice, uniform
from equipoise.worlds.laws import Ints, Matrix
from equipoise.worlds.twin.record import Record, Shown

Floats = NDArray[np.float64]

_FOLDS = 4
_PSEUDO = 5.0  # events as expected, added to what a group did with an item
_CUT = 4.0  # log-ratios beyond that are not believed
_RIDGE = 1.0
_STEPS = 25
_DRAWN = 400_000  # events a slope is fitted to, at most


@dataclass(frozen=True)
class Taste:
    """What users like beyond the average.

    Attributes:
        ratio: Log of how much more often than expected a user goes to an item, (users, items), float32.
        slopes: Trust in each feature, by name.
        gain: Log-likelihood per event that taste adds, on events it was not found in; 0 where it tells nothing.
    """

    ratio: Matrix
    slopes: dict[str, float]
    gain: float


def find_taste(record: Record, groups: dict[str, Ints], *, rank: int, seed: int) -> Taste:
    """The taste in a log.

    Where impressions are logged, taste is what is clicked among what was shown; else what is taken at all,
    against activity times popularity.

    Args:
        record: The log.
        groups: Group of each user, by attribute.
        rank: Dimensions of the low-rank part.
        seed: Root of all draws.
    """
    view = _of_impressions(record) if record.shown is not None else _of_taste(record)
    fold = np.floor(uniform(seed, "taste fold", view.user, view.item) * _FOLDS).astype(np.int64)
    found = [
        _judged(view, fold == part, _features(view, fold != part, groups, rank, seed), seed, part)
        for part in range(_FOLDS)
    ]
    columns, outcome, offset = (np.concatenate(parts) for parts in zip(*found, strict=True))
    fitted = logistic(columns, outcome, offset)
    slopes, level = np.maximum(fitted[:-1], 0.0), fitted[-1]
    alone = logistic(columns[:, :0], outcome, offset)[0]
    features = _features(view, np.ones(len(view.user), dtype=bool), groups, rank, seed)
    ratio = sum(float(slope) * feature for slope, feature in zip(slopes, features.values(), strict=True))
    return Taste(
        np.clip(ratio, -_CUT, _CUT).astype(np.float32),
        {name: float(slope) for name, slope in zip(features, slopes, strict=True)},
        _likelihood(columns @ slopes + level + offset, outcome) - _likelihood(alone + offset, outcome),
    )


def _likelihood(odds: Floats, outcome: Floats) -> float:
    return float((outcome * odds - np.logaddexp(0, odds)).mean())


@dataclass(frozen=True)
class _View:
    """Rows (user, item) that were taken or not, and what is expected of each.

    Attributes:
        shape: Number of users and items.
        user: Row of the users.
        item: Row of the items.
        taken: Whether it was taken; all true where only taste is logged.
        expected: Probability of that by user, item and place alone; None where only taste is logged.
        once: Whether nobody takes an item twice.
    """

    shape: tuple[int, int]
    user: Ints
    item: Ints
    taken: NDArray[np.bool_]
    expected: Floats | None
    once: bool


def _of_taste(record: Record) -> _View:
    taken = np.ones(len(record.user), dtype=bool)
    return _View(record.shape, record.user, record.item, taken, None, record.repeated == 0)


def _of_impressions(record: Record) -> _View:
    shown = record.shown
    assert shown is not None
    return _View(
        record.shape, shown.user, shown.item, shown.clicked, expected_clicks(record.shape, shown), False
    )


def expected_clicks(shape: tuple[int, int], shown: Shown) -> Floats:
    """Probability of a click of each impression as a product of user, item and place, shrunken to the mean."""
    rate = max(shown.clicked.mean(), 1e-6)
    keys = [(shown.user, shape[0]), (shown.item, shape[1]), (shown.place, int(shown.place.max()) + 1)]
    product = np.full(len(shown.user), rate)
    factors = [np.ones(size) for _, size in keys]
    for _ in range(5):
        for number, (key, size) in enumerate(keys):
            others = product / factors[number][key]
            clicks = np.bincount(key, shown.clicked, size)
            factors[number] = (clicks + _PSEUDO) / (np.bincount(key, others, size) + _PSEUDO)
            product = others * factors[number][key]
    return np.asarray(np.clip(product, 1e-6, 0.95))


def _features(
    view: _View, rows: NDArray[np.bool_], groups: dict[str, Ints], rank: int, seed: int
) -> dict[str, Matrix]:
    """Log-ratios of what these rows hold over what is expected of them."""
    user, item, taken = view.user[rows], view.item[rows], view.taken[rows].astype(np.float64)
    if view.expected is None:
        by_user = np.bincount(user, taken, view.shape[0])
        by_item = np.bincount(item, taken, view.shape[1])
        expected = np.outer(by_user / max(taken.sum(), 1), by_item)
    else:
        expected = _table(view.shape, user, item, view.expected[rows])
    excess = _table(view.shape, user, item, taken) - expected
    # Damped by what the average row and column expect: small cells hold no more than noise.
    spread = np.sqrt(
        np.outer(
            expected.sum(1) + expected.sum() / view.shape[0], expected.sum(0) + expected.sum() / view.shape[1]
        )
        / expected.sum()
    )
    found = {"low rank": (_low_rank(excess / spread, rank, seed) / spread).astype(np.float32)}
    for name, group in groups.items():
        member = sparse.csr_matrix((np.ones(len(group)), (group, np.arange(len(group)))))
        ratio = (member @ excess) / ((member @ expected) + _PSEUDO)
        found[name] = np.log1p(ratio)[group].astype(np.float32)
    return found


def _table(shape: tuple[int, int], user: Ints, item: Ints, values: Floats) -> Floats:
    return np.asarray(np.bincount(user * shape[1] + item, values, shape[0] * shape[1]).reshape(shape))


def _low_rank(matrix: Floats, rank: int, seed: int) -> Floats:
    """The leading part of a matrix, singular values lowered by the first that is left out."""
    rank = min(rank, min(matrix.shape) - 1)
    left, values, right = randomized_svd(matrix, rank + 1, n_iter=5, random_state=seed)
    return np.asarray((left * np.maximum(values - values[-1], 0)) @ right)


def _judged(
    view: _View, rows: NDArray[np.bool_], features: dict[str, Matrix], seed: int, part: int
) -> tuple[Floats, Floats, Floats]:
    """Features, outcome and offset of rows the features were not made from.

    Where only taste is logged, each row is set against one of the same user and an item drawn by popularity.
    """
    user, item = view.user[rows], view.item[rows]
    if view.expected is None:
        key = part * len(view.user) + np.arange(len(user))
        other = choice(
            seed, "taste against", np.bincount(view.item, minlength=view.shape[1]).astype(float), key
        )
        if view.once:
            had = view.user[~rows] * view.shape[1] + view.item[~rows]
            free = ~np.isin(user * view.shape[1] + other, had)
        else:
            free = np.ones(len(user), dtype=bool)
        outcome = np.concatenate([np.ones(len(user)), np.zeros(int(free.sum()))])
        user, item = np.concatenate([user, user[free]]), np.concatenate([item, other[free]])
        offset = np.zeros(len(user))
    else:
        outcome = view.taken[rows].astype(np.float64)
        expected = view.expected[rows]
        offset = np.log(expected / (1 - expected))
    columns = np.column_stack([feature[user, item] for feature in features.values()]).astype(np.float64)
    kept = slice(None, None, max(len(user) * _FOLDS // _DRAWN, 1))
    return columns[kept], outcome[kept], offset[kept]


def logistic(columns: Floats, outcome: Floats, offset: Floats) -> Floats:
    """Slopes and, last, the intercept of a logistic regression with an offset, by Newton's method, slightly ridged."""
    design = np.column_stack([columns, np.ones(len(columns))])
    penalty = np.full(design.shape[1], _RIDGE)
    penalty[-1] = 0.0
    slopes = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        chance = expit(design @ slopes + offset)
        gradient = design.T @ (outcome - chance) - penalty * slopes
        weight = np.maximum(chance * (1 - chance), 1e-9)
        step = np.linalg.solve((design * weight[:, None]).T @ design + np.diag(penalty + 1e-9), gradient)
        slopes = slopes + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-6:
            break
    return np.asarray(slopes)
