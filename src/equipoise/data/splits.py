"""Training, validation and test parts of a dataset, and the protocol that is printed with every number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from equipoise.component import Component
from equipoise.data import cuts
from equipoise.data import vocabulary as v
from equipoise.data.cuts import Parts
from equipoise.data.dataset import Dataset, positive

Strategy = Literal["temporal", "leave_last", "temporal_user", "random", "k_fold", "cold_users", "cold_items"]


class Split(Component):
    """What `[split]` says: how events become training, validation and test."""

    name: ClassVar[str] = "split"

    strategy: Strategy = "temporal"
    """How to divide.

    `temporal` (one cut in time for all), `leave_last` (each user's last event), `temporal_user` (each user's
    last share), `random` (events), `k_fold` (events or users), `cold_users` or `cold_items` (unseen in
    training)."""
    valid: float = Field(0.1, ge=0, lt=1)
    """Share in validation: of positive events, of users or items for the cold splits.

    For `leave_last` any share above 0 takes one event of each user."""
    test: float = Field(0.1, gt=0, lt=1)
    """Share in test, in the same way."""
    folds: int = Field(5, ge=2)
    """Number of folds of `k_fold`."""
    fold: int = Field(0, ge=0)
    """`k_fold`: which fold is the test part; the next one is validation."""
    by: Literal["event", "user"] = "event"
    """`k_fold`: what the folds divide."""


@dataclass(frozen=True)
class Splits:
    """A split dataset.

    Attributes:
        train: Events that models are fitted on.
        valid: Events that choices are made by.
        test: Events that numbers are reported on.
        protocol: The split in plain values, for printing with every number: strategy, its fields, the seed,
        and
            users, items, events and positives of each part.
    """

    train: Dataset
    valid: Dataset
    test: Dataset
    protocol: dict[str, Any]


def split(data: Dataset, config: Split | None = None, seed: int = 0) -> Splits:
    """Split a dataset; users and items tables stay whole in every part.

    Raises:
        DataError: if the strategy needs a time that is not there, or a part would be empty.
    """
    config = config or Split()
    events, shares = data.events, {"valid": config.valid, "test": config.test}
    said: dict[str, Any] = {"shares": shares}
    match config.strategy:
        case "temporal":
            parts = cuts.temporal(events, **shares)
            said |= {"valid_from": _first_time(parts.valid), "test_from": _first_time(parts.test)}
        case "leave_last":
            parts = cuts.leave_last(events, valid=config.valid > 0)
            said = {"held_out": "last event" + (", the one before for validation" if config.valid else "")}
        case "temporal_user":
            parts = cuts.temporal_user(events, **shares)
        case "random":
            parts = cuts.random(events, **shares, seed=seed)
        case "k_fold":
            said = {"folds": config.folds, "fold": config.fold % config.folds, "by": config.by}
            parts = cuts.k_fold(events, **said, seed=seed)
        case "cold_users":
            parts = cuts.cold(events, v.USER, **shares, seed=seed)
        case "cold_items":
            parts = cuts.cold(events, v.ITEM, **shares, seed=seed)
    return _splits(data, parts, {"split": config.strategy, **said, "seed": seed})


def k_fold(
    data: Dataset, folds: int = 5, by: Literal["event", "user"] = "event", seed: int = 0
) -> Iterator[Splits]:
    """Cross-validation for model choice: every positive event is in `valid` once, `test` is empty.

    Args:
        data: What may be seen; hand it the training part, never the test part.
        folds: Number of folds.
        by: Whether folds divide events or users (who are then unknown to `train`).
        seed: Root of the division.
    """
    for fold in range(folds):
        said: dict[str, Any] = {"folds": folds, "fold": fold, "by": by}
        parts = cuts.k_fold(data.events, **said, test=False, seed=seed)
        yield _splits(data, parts, {"split": "k_fold", **said, "seed": seed})


def _first_time(part: pl.DataFrame) -> str | float | None:
    """Time of the first positive event: other rows may be older, they moved with their slate."""
    first = part.filter(positive(part))[v.TIMESTAMP].min()
    return first if first is None or isinstance(first, (int, float)) else str(first)


def _splits(data: Dataset, parts: Parts, protocol: dict[str, Any]) -> Splits:
    train, valid, test = (data.with_events(part) for part in parts)
    counts = {
        name: {
            "users": part.events[v.USER].n_unique(),
            "items": part.events[v.ITEM].drop_nulls().n_unique(),
            "events": len(part.events),
            "positives": len(part.positives),
        }
        for name, part in (("train", train), ("valid", valid), ("test", test))
    }
    return Splits(train, valid, test, {**protocol, **counts})
