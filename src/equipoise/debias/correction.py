"""The one interface of all corrections: each says when it acts, and hands over what acts then."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from equipoise.component import Component, Runtime
from equipoise.data import Dataset
from equipoise.models.training import Training


@dataclass(frozen=True)
class Context:
    """What a correction may look at beside its input, and where it reports.

    Attributes:
        data: The training part; nothing of valid or test.
        runtime: Seed, threads.
        diagnostics: What corrections reported so far, by name; it ends in the manifest and the report.
    """

    data: Dataset
    runtime: Runtime = field(default_factory=Runtime)
    diagnostics: dict[str, Any] = field(default_factory=dict)

    def report(self, correction: Correction, **values: Any) -> None:
        """Keep plain values under the correction's name; a second correction of that name gets a number."""
        taken = sum(name.partition("#")[0] == correction.name for name in self.diagnostics)
        key = correction.name if not taken else f"{correction.name}#{taken + 1}"
        self.diagnostics[key] = {**correction.describe(), **values}


class Correction(Component, ABC):
    """Settings of a correction."""

    acts: ClassVar[Literal["before", "during", "after"]]
    """When it acts, relative to training."""


class BeforeTraining(Correction):
    """A correction that changes what a model is trained on."""

    acts: ClassVar[Literal["before", "during", "after"]] = "before"

    @abstractmethod
    def transform(self, data: Dataset, context: Context) -> Dataset:
        """The data to train on instead; `data` itself is not changed."""


class DuringTraining(Correction):
    """A correction that changes how a model is trained."""

    acts: ClassVar[Literal["before", "during", "after"]] = "during"

    @abstractmethod
    def training(self, data: Dataset, context: Context) -> Training:
        """What to hand to `Recommender.fit` beside `data`: weights per row of `data.events`, losses, heads."""


class AfterTraining(Correction):
    """A correction that re-ranks what a model recommends."""

    acts: ClassVar[Literal["before", "during", "after"]] = "after"

    pool: int = Field(100, ge=1)
    """How many of the model's best items it chooses from; deeper gives more room and costs more."""

    @abstractmethod
    def rerank(self, pool: pl.DataFrame, context: Context, k: int) -> pl.DataFrame:
        """Lists of at most `k` items.

        Args:
            pool: Frame of `user_id`, `item_id`, `rank` (from 1), `score`, `probability`, `cold`: the model's
                best.
            context: Training data with users and items.
            k: Length of the lists, at most `self.pool`.

        Returns:
            Frame of the same columns with new ranks, users in the order of `pool`, best first. Scores and
            probabilities stay the model's own, so they need not fall with the rank.

        Raises:
            DataError: if the pool lacks a column or has scores that are not finite.
        """
