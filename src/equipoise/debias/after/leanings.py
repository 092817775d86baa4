"""How the taste of a group of users differs from everyone's, item by item."""

from __future__ import annotations

import numpy as np
import polars as pl

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.after.pools import Floats
from equipoise.models.histories import locate

_PRIOR = 5.0  # events per item of the catalogue by which a group's counts are drawn towards everyone's


def leaning(data: Dataset, users: pl.Series, items: pl.Series, late: float) -> Floats:
    """Log P(item | group, late) - log P(item): what the group chose late, next to what everyone ever chose.

    Added to a score that goes with P(item | history), it exchanges the prior that the model learned from everyone
    for the group's present one (Saerens, Latinne & Decaestecker 2002, "Adjusting the outputs of a classifier to
    new a priori probabilities"). Counts of the group are smoothed by everyone's late ones, and those by all.

    Args:
        data: Training data.
        users: The group.
        items: Item ids, without repetition.
        late: Share of each user's history, its latest, that counts, in (0, 1]; all of it where events have no time.

    Returns:
        One number per item, (items,).
    """
    events = data.positives.select(v.USER, v.ITEM, *([] if data.time is None else [data.time]))
    ever = _counts(events, items) + 0.5
    if data.time is not None and late < 1:
        age = pl.col(data.time).rank("min", descending=True).over(v.USER) - 1
        events = events.filter(age < late * pl.len().over(v.USER))
    of_group = events.filter(pl.col(v.USER).is_in(users.cast(events[v.USER].dtype).implode()))
    return np.asarray(
        np.log(_smoothed(_counts(of_group, items), _smoothed(_counts(events, items), ever / ever.sum())))
        - np.log(ever / ever.sum())
    )


def familiarity(data: Dataset, items: pl.Series) -> Floats:
    """Log P(item) of the training events, (items,)."""
    ever = _counts(data.positives, items) + 0.5
    return np.asarray(np.log(ever / ever.sum()))


def _counts(events: pl.DataFrame, items: pl.Series) -> Floats:
    found = locate(items, events[v.ITEM])
    return np.bincount(found[found >= 0], minlength=len(items)).astype(np.float64)


def _smoothed(counts: Floats, towards: Floats) -> Floats:
    mass = _PRIOR * len(counts)
    return np.asarray((counts + mass * towards) / (counts.sum() + mass))
