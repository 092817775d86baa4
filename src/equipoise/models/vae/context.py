"""What is observed around a user's choices: attributes, activity, what was shown. This module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.errors import ModelError
from equipoise.models.attributes import Attributes, Choice, attributes
from equipoise.models.histories import Catalogue, Histories, locate
from equipoise.models.vae.batches import rows
from equipoise.statistics import Estimate, Interval

Floats = NDArray[np.float32]

_FOLDS = 5
_PRIOR_USERS = 10.0  # whom the ridge penalty counts for, beside those of a value
_USERS = 4000  # more do not move the share that is predicted
_PARTS = ("data", "indices", "indptr")


@dataclass(frozen=True)
class Context:
    """What is observed of each user beside what was taken.

    Attributes:
        features: One column per value of each attribute, less its mean over the users, so that 0 is a user of whom
            nothing is known; float32 of shape (users, features).
        activity: Mean and standard deviation over active users of log(1 + events), float32 of shape (2,).
        shown: How often each item was shown to each user, users x items; None where the log has no impressions.
    """

    features: Floats
    activity: Floats
    shown: sparse.csr_matrix | None

    @classmethod
    def of(cls, data: Dataset, catalogue: Catalogue, histories: Histories, choice: Choice) -> Self:
        """The context of the users of a catalogue.

        Args:
            data: Training data.
            catalogue: Whose, in which order.
            histories: What they took.
            choice: Columns of the users; `all` for those of at most 50 values that are not sensitive.

        Raises:
            ModelError: if the users lack a named column.
        """
        sizes = np.log1p(np.asarray(histories.matrix(len(catalogue.items)).sum(axis=1)).ravel())
        active = sizes[sizes > 0]
        activity = np.array([active.mean(), max(float(active.std()), 1e-6)], dtype=np.float32)
        return cls(_features(told(data, catalogue, choice)), activity, _shown(data.events, catalogue))

    def beside(self, users: NDArray[np.int64], counts: sparse.csr_matrix) -> Floats:
        """Features of users and, in the last column, how active they are, in standard deviations.

        Args:
            users: Catalogue rows, -1 for a stranger, of whom nothing but the history is known.
            counts: What they took, one row per user.

        Returns:
            float32 of shape (rows, features + 1).
        """
        known = self.features[np.maximum(users, 0)] * (users >= 0)[:, None]
        sizes = np.asarray(counts.sum(axis=1)).ravel()
        activity = np.where(sizes > 0, (np.log1p(sizes) - self.activity[0]) / self.activity[1], 0.0)
        return np.column_stack([known, activity]).astype(np.float32)

    def shown_to(self, users: NDArray[np.int64]) -> sparse.csr_matrix:
        """What was shown to users, one row each; nothing to a stranger."""
        assert self.shown is not None
        known = sparse.diags_array((users >= 0).astype(np.float32))
        return sparse.csr_matrix(known @ self.shown[np.maximum(users, 0)])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it, by name, as `restore` takes it back."""
        made = {"features": self.features, "activity": self.activity}
        return (
            made
            if self.shown is None
            else made | {f"shown.{part}": getattr(self.shown, part) for part in _PARTS}
        )

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], n_items: int) -> Self:
        """The inverse of `arrays`."""
        features, shown = arrays["features"], None
        if "shown.data" in arrays:
            parts = tuple(arrays[f"shown.{part}"] for part in _PARTS)
            shown = sparse.csr_matrix(parts, shape=(len(features), n_items))
        return cls(features, arrays["activity"], shown)


def told(data: Dataset, catalogue: Catalogue, choice: Choice) -> Attributes:
    """The attributes of users that a choice names; none where `all` finds none.

    Raises:
        ModelError: if the users lack a named column.
    """
    try:
        return attributes(replace(data, items=None), catalogue, choice)[0]
    except ModelError:
        if choice != "all":
            raise
        return Attributes.of(None, catalogue.users, ())


def predicted(context: Context, histories: Histories, n_items: int) -> Interval:
    """How much of what was shown (or taken, where it is not known what was shown) the attributes predict.

    Profiles are regressed on the attributes by ridge regression, each fifth of the users by the others.

    Args:
        context: Of the users.
        histories: What they took, one row per user.
        n_items: Items of the catalogue.

    Returns:
        Share of the squared length of profiles, less their mean, that is predicted: at most 1, 0 or less where
        attributes say nothing; with a 95 % interval whose units are users.
    """
    counts = histories.matrix(n_items) if context.shown is None else context.shown
    active = np.flatnonzero(np.diff(counts.indptr) > 0)
    active = active[:: max(1, -(-len(active) // _USERS))]
    features, profiles = context.features[active].astype(np.float64), rows(counts[active]).astype(np.float64)
    fold = np.arange(len(active)) % _FOLDS
    before, after = np.zeros(len(active)), np.zeros(len(active))
    for number in range(_FOLDS):
        held, kept = fold == number, fold != number
        if not held.any() or not kept.any():
            continue
        mean, centre = profiles[kept].mean(axis=0), features[kept].mean(axis=0)
        design, off = features[kept] - centre, profiles[held] - mean
        gram = design.T @ design + _PRIOR_USERS * np.eye(design.shape[1])
        slopes = np.linalg.solve(gram, design.T @ (profiles[kept] - mean))
        before[held] = (off**2).sum(axis=1)
        after[held] = ((off - (features[held] - centre) @ slopes) ** 2).sum(axis=1)
    whole = max(float(before.mean()), 1e-12)
    share = 1 - float(after.mean()) / whole
    return Estimate(share, (before - after - share * before) / whole).interval()


def _features(known: Attributes) -> Floats:
    table = np.zeros((len(known.codes), known.size), dtype=np.float32)
    np.put_along_axis(table, known.codes, 1.0, axis=1)
    there = (known.codes > 0).any(axis=1, keepdims=True)
    mean = table.sum(axis=0, where=there) / max(int(there.sum()), 1)
    return np.asarray(((table - mean) * there)[:, 1:], dtype=np.float32)


def _shown(events: pl.DataFrame, catalogue: Catalogue) -> sparse.csr_matrix | None:
    if v.EVENT not in events.columns:
        return None
    seen = events.filter(pl.col(v.EVENT) == v.IMPRESSION).drop_nulls([v.USER, v.ITEM])
    if seen.is_empty():
        return None
    pairs = (locate(catalogue.users, seen[v.USER]), locate(catalogue.items, seen[v.ITEM]))
    shape = (len(catalogue.users), len(catalogue.items))
    return sparse.csr_matrix((np.ones(len(seen), dtype=np.float32), pairs), shape=shape)
