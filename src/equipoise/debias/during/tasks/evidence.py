"""Whether labels go with what users take at all, beside labels that are dealt out at random."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from equipoise.debias.during.tasks.labels import EventLabels, ItemLabels
from equipoise.models.histories import Catalogue, locate

Measure = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""From an order of the labels to numbers, one per label, that are large where they go with users and items."""
DEALS = 199
"""How often labels are dealt out: the least p-value is 1 / (DEALS + 1)."""

_EVENTS = 200_000  # of users drawn at random: more do not change the answer, and cost


def p_values(
    labels: EventLabels | ItemLabels, taken: pl.DataFrame, catalogue: Catalogue, rng: np.random.Generator
) -> tuple[float, NDArray[np.float64]]:
    """Permutation p-values of labels having nothing to do with users and items: of all together, and of each.

    Labels of items are dealt out among the labelled items, and it is measured how alike the labels of one user's items
    are, beyond what all events share: the chi-square statistic of users by labels. Labels of events are dealt out among
    the labelled pairs, and it is measured how far means of users and of items spread. A task without such structure
    cannot teach the vectors anything; one with it need not help.

    Args:
        labels: Of a task.
        taken: Events of taste, `user_id` and `item_id`.
        catalogue: Whose rows the labels are of.
        rng: What deals.

    Returns:
        Numbers in [1 / (DEALS + 1), 1]: of all labels (the measure summed), and one per label of an item, of shape
        (labels,), or one in all for events.
    """
    measure = (
        _spread(labels) if isinstance(labels, EventLabels) else _concentration(labels, taken, catalogue, rng)
    )
    own = measure(np.arange(len(labels.values)))
    dealt = np.stack([measure(rng.permutation(len(labels.values))) for _ in range(DEALS)])
    slack = 1e-12 * np.abs(own)  # orders that come to the same sum, whatever the order of addition
    each = (1 + (dealt >= own - slack).sum(axis=0)) / (1 + DEALS)
    as_much = int((dealt.sum(axis=1) >= own.sum() - slack.sum()).sum())
    return (1 + as_much) / (1 + DEALS), each


def _spread(labels: EventLabels) -> Measure:
    """Squared sums of users and of items over their counts, for centred labels in an order."""
    values = labels.values.astype(np.float64) - labels.values.mean(dtype=np.float64)
    sides = [np.unique(side, return_inverse=True)[1] for side in np.divmod(labels.keys, labels.items)]
    counts = [np.bincount(side) for side in sides]

    def measure(order: NDArray[np.int64]) -> NDArray[np.float64]:
        sums = (np.bincount(side, values[order]) ** 2 / n for side, n in zip(sides, counts, strict=True))
        return np.array([sum(float(one.sum()) for one in sums)])

    return measure


def _concentration(
    labels: ItemLabels, taken: pl.DataFrame, catalogue: Catalogue, rng: np.random.Generator
) -> Measure:
    """Chi-square of users by labels, in which each item of a user counts once, for labels in an order."""
    place = np.full(len(catalogue.items), -1)
    place[labels.rows] = np.arange(len(labels.rows))
    users, items = (locate(ids, taken[ids.name]) for ids in (catalogue.users, catalogue.items))
    items = np.where(items >= 0, place[items], -1)
    pairs = np.unique(np.column_stack([users, items])[(users >= 0) & (items >= 0)], axis=0)
    if len(pairs) > _EVENTS:
        kept = rng.random(len(catalogue.users)) < _EVENTS / len(pairs)
        pairs = pairs[kept[pairs[:, 0]]]
    shape = (len(catalogue.users), len(labels.rows))
    taste = sparse.csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=shape)
    values = sparse.csr_matrix(labels.values.astype(np.float64))
    of_user = np.maximum(np.bincount(pairs[:, 0], minlength=len(catalogue.users)), 1)
    of_item = np.bincount(pairs[:, 1], minlength=len(labels.rows)).astype(np.float64)

    def measure(order: NDArray[np.int64]) -> NDArray[np.float64]:
        dealt = values[order]
        mass = dealt.T @ of_item  # of each label among all pairs
        observed = (taste @ dealt).power(2).T @ (1 / of_user)
        return np.asarray(observed * len(pairs) / np.maximum(mass, 1e-12) - mass)

    return measure
