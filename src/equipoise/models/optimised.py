"""Hyper-parameters that all models trained by gradient descent share, and how they are validated.

This module does not import torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.metrics import ndcg, per_user
from equipoise.models.histories import Catalogue, Histories, Ints
from equipoise.models.recommender import Fitted, Recommender


class Optimised(Recommender, ABC):
    """A recommender fitted by the training loop."""

    takes: ClassVar[frozenset[str]] = frozenset(
        {"weights", "losses", "heads", "gradient_transform", "offset", "filter"}
    )

    @property
    @abstractmethod
    def batch_rows(self) -> int:
        """Rows (places of histories, or events) that go through the network at once."""

    negatives: PositiveInt = 1024
    """Items drawn per batch, for the two sampled losses."""

    negative_power: float = Field(0.5, ge=0, le=1)
    """The sampled softmax draws items in proportion to their count to this power, and corrects for it."""

    gbce_t: float = Field(0.75, ge=0, le=1)
    """Of gBCE: 0 is plain binary cross-entropy, overconfident under sampling; 1 is calibrated."""

    precision: Literal["auto", "bfloat16", "float32"] = "auto"
    """Of the large products in training; `auto` is bfloat16 where the processor has units for it."""

    epochs: NonNegativeInt = 20
    """Most passes over the training data; the learning rate falls to zero over exactly so many."""

    learning_rate: PositiveFloat = 2e-3
    """Highest learning rate of AdamW."""

    schedule: Literal["cosine", "constant"] = "cosine"
    """How the learning rate goes on after the warm-up."""

    warmup: NonNegativeInt = 100
    """Steps over which the learning rate rises."""

    weight_decay: NonNegativeFloat = 0.0
    """Decoupled decay of matrices (embeddings among them); biases and norms are left alone."""

    averaging: float = Field(0.0, ge=0, lt=1)
    """Decay per step of the moving average of the parameters, which is what is kept; 0 for none."""

    patience: PositiveInt = 10
    """Epochs without a better validation after which training stops: NDCG@10, or of ratings the squared error."""

    check_every: PositiveInt = 2
    """Epochs between validations."""

    validation_users: PositiveInt = 2000
    """At most so many users, drawn at random, are validated on while training."""

    @property
    def half(self) -> bool:
        """Whether training runs its large products in bfloat16."""
        if self.precision != "auto":
            return self.precision == "bfloat16"
        import torch

        return bool(torch.cpu._is_avx512_bf16_supported())


def validation(
    valid: Dataset, catalogue: Catalogue, config: Optimised, runtime: Runtime
) -> Validation | None:
    """The validation of a training run; None where no known user has held-out events.

    Where all held-out items are new, as under the split `cold_items`, they are looked for among the new items: among
    all, those that training met crowd them out of nearly every list, and the little that is left is chance.
    """
    known = catalogue.users
    truth = valid.positives.select(v.USER, v.ITEM).filter(pl.col(v.USER).is_in(known.implode()))
    users = truth[v.USER].unique().sort()
    if len(users) > config.validation_users:
        rng = runtime.rng("validation users")
        users = users.gather(np.sort(rng.choice(len(users), config.validation_users, replace=False)))
    if not len(users):
        return None
    truth = truth.filter(pl.col(v.USER).is_in(users.implode()))
    new = catalogue.items.filter(pl.Series(catalogue.item_counts == 0))
    cold = truth[v.ITEM].cast(new.dtype, strict=False).is_in(new.implode()).fill_null(False).all()
    return Validation(users, truth, runtime, new if cold else None)


class Validation:
    """Mean NDCG@10 of held-out users over the whole catalogue or some candidates, seen items left out."""

    def __init__(
        self, users: pl.Series, truth: pl.DataFrame, runtime: Runtime, candidates: pl.Series | None = None
    ) -> None:
        self.users, self.truth, self.candidates = users, truth, candidates
        self.runtime = Runtime(runtime.seed, runtime.threads, runtime.device, False, runtime.batch_size)

    def __call__(self, model: Fitted) -> float:
        """The model's mean over the users, in [0, 1]."""
        lists = model.recommend(self.users, 10, candidates=self.candidates, runtime=self.runtime)
        values = per_user(lists, self.truth, {"ndcg": ndcg(10)})
        return float(values["ndcg"].mean())


class RatingValidation:
    """How far predicted ratings of held-out events are from those given: the mean squared error, negated.

    A model of ratings says what somebody would think of an item, not which items somebody takes, so that lists of
    what was taken later are no judge of it. The held-out events count all alike, whatever weights training gives.

    Args:
        valid: Held-out events with values; those without one, or of users or items that training never met, are
            left out.
        catalogue: Ids and counts of training.
        config: How many users to ask at most.
        runtime: Seed of their draw.
    """

    def __init__(self, valid: Dataset, catalogue: Catalogue, config: Optimised, runtime: Runtime) -> None:
        held = Histories.of(valid.positives, catalogue)
        users, items = held.owners, held.items
        there = (items >= 0) & ~np.isnan(held.values)
        there &= (catalogue.user_counts[users] > 0) & (catalogue.item_counts[items] > 0)
        known = np.unique(users[there])
        if len(known) > config.validation_users:
            rng = runtime.rng("validation users")
            there &= np.isin(users, rng.choice(known, config.validation_users, replace=False))
        self.users, self.items = users[there], items[there]
        self.values = held.values[there].astype(np.float64)

    def __len__(self) -> int:
        return len(self.values)

    def __call__(self, predicted: Callable[[Ints, Ints], NDArray[np.floating[Any]]]) -> float:
        """The negated error.

        Args:
            predicted: Ratings of pairs, from rows of users and of items in the catalogue.
        """
        return -float(np.mean((predicted(self.users, self.items) - self.values) ** 2))
