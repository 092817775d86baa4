"""Labels of events: the rating that was given, and whether the review praises or complains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.data.ratings import middle
from equipoise.debias.during.tasks.labels import EventLabels, Task, taken
from equipoise.errors import nearest
from equipoise.language.sentiment import polarity
from equipoise.models.histories import Catalogue

_SCALE = 20  # distinct values, above which a number is taken for a price or a stay
_REVIEWS = ("summary", "review", "text", "comment")
_FEW = 30  # labels with a rating, below which their noise is not worth telling
_NOISY = 0.25


def rating_lacks(data: Dataset) -> str | None:
    """Why there are no ratings to learn from, in a sentence; None where there are some."""
    if v.VALUE not in data.events.columns:
        return "the events have no column 'value' to take ratings from."
    distinct = taken(data.positives, v.VALUE)[v.VALUE].n_unique()
    if distinct < 2:
        return "the events have no two different values in 'value'."
    if distinct > _SCALE:
        return f"'value' has {distinct:,} distinct values, more than {_SCALE}: a price or a stay, no rating."
    return None


def rating(data: Dataset, catalogue: Catalogue) -> Task:
    """The events' values, standardised.

    Raises:
        DataError: if all are alike.
    """
    events = taken(data.positives, v.VALUE)
    values = events[v.VALUE].cast(pl.Float64).to_numpy()
    labels = EventLabels.of("rating", "number", events, values, catalogue)
    told = {"labelled": len(labels.keys), "mean": float(values.mean()), "sd": float(values.std())}
    return Task(labels, told)


def review_columns(data: Dataset, columns: Sequence[str] | None) -> tuple[str, ...]:
    """The columns of the events that hold reviews: those asked for, else those of a usual name."""
    return tuple(columns or (name for name in _REVIEWS if name in data.events.columns))


def sentiment_lacks(data: Dataset, columns: Sequence[str] | None) -> str | None:
    """Why there are no reviews to read, in a sentence; None where there are some."""
    for name in columns or ():
        if name not in data.events.columns:
            return f"the events have no column '{name}' of reviews. {nearest(name, data.events.columns)}"
    found = review_columns(data, columns)
    if not found:
        return f"the events have no column of reviews ({', '.join(_REVIEWS)}), and `reviews` names none."
    odd = next((name for name in found if data.events[name].dtype != pl.String), None)
    return None if odd is None else f"'{odd}' of the events is no text."


def sentiment(
    data: Dataset,
    catalogue: Catalogue,
    columns: Sequence[str] | None,
    words: Mapping[str, Sequence[str]] | None,
) -> Task:
    """Whether the review of an event praises (1) or complains (0); one that does neither, or both alike, has no label.

    Raises:
        DataError: if no two reviews differ in this, or the list of words is not one.
    """
    events, read = data.positives, review_columns(data, columns)
    texts = events.select(pl.concat_str(read, separator="\n", ignore_nulls=True).alias("text"))["text"]
    said = polarity(texts.fill_null("").to_list(), words)
    labels = np.where(np.isnan(said) | (said == 0), np.nan, (said > 0).astype(np.float64))
    made = EventLabels.of("sentiment", "chance", events, labels, catalogue)
    disagreement = _disagreement(data, labels)
    known = ~np.isnan(labels)
    account = {
        "read": list(read),
        "labelled": len(made.keys),
        "share_labelled": float(known.mean()),
        "praise": float(labels[known].mean()),
        "noise": disagreement,
    }
    if disagreement is None:
        warning = (
            "How often labels of sentiment are wrong is not known: too few reviews have a rating beside them, or the "
            "ratings have no low end to tell high from low by."
        )
        return Task(made, account, (warning,))
    bad = max(disagreement["low_called_praise"], disagreement["high_called_complaint"])
    warning = (
        f"Labels of sentiment are made by counting words; beside ratings, {disagreement['low_called_praise']:.0%} of "
        f"the low ones are called praise and {disagreement['high_called_complaint']:.0%} of the high ones complaint "
        "(below and above the middle between the lowest and the highest given)."
    )
    return Task(made, account, (warning,) if bad > _NOISY else ())


def _disagreement(data: Dataset, labels: NDArray[np.float64]) -> dict[str, Any] | None:
    """Labels of the events of taste against ratings below and above the middle of those given, where both are known;
    None where the least rating is above the low end of usual scales, so that their middle is none.
    """
    if rating_lacks(data) is not None:
        return None
    rated = taken(data.positives.with_row_index("row"), v.VALUE)
    values, labels = rated[v.VALUE].cast(pl.Float64), labels[rated["row"].to_numpy()]
    centre = middle(values)
    if centre is None:
        return None
    known = ~np.isnan(labels)
    low, high = known & (values < centre).to_numpy(), known & (values > centre).to_numpy()
    if low.sum() + high.sum() < _FEW or not low.any() or not high.any():
        return None
    wrong = (labels[low] == 1).sum() + (labels[high] == 0).sum()
    return {
        "measured_on": int(low.sum() + high.sum()),
        "wrong": float(wrong / (low.sum() + high.sum())),
        "low_called_praise": float((labels[low] == 1).mean()),
        "high_called_complaint": float((labels[high] == 0).mean()),
    }
