"""A weighted sum of several models, the weights learned on held-out events."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.language.vectors import Vectors
from equipoise.models import registry
from equipoise.models.conditional_logit import ALTERNATIVES, Choices
from equipoise.models.histories import Histories
from equipoise.models.ranking import standardised
from equipoise.models.recommender import Fitted, Recommender, Saved, Scores
from equipoise.models.training import Training

_LEARNING_USERS = 4096

log = logging.getLogger(__name__)


class Blend(Recommender):
    """Several models' scores, standardised per user and summed with non-negative weights.

    The weights maximise the likelihood of the held-out events (conditional logit, see `conditional_logit`).
    Without usable held-out events all weights are equal, and the log says so.
    """

    name: ClassVar[str] = "blend"

    models: Annotated[tuple[dict[str, Any], ...], Field(min_length=1)]
    """The models, each with its name and its fields: `[{name = "ease", reg = 300}, {name = "content"}]`."""

    @model_validator(mode="after")
    def _build(self) -> Self:
        self.members()
        return self

    def members(self) -> dict[str, Recommender]:
        """The models to blend, by place and name.

        Raises:
            ConfigError: if one has no name, or is not usable.
        """
        built = {}
        for place, fields in enumerate(self.models):
            member = registry.models.nested(fields, owner="A model of the blend", where=f"number {place + 1}")
            built[f"{place}-{fields['name']}"] = member
        return built

    @classmethod
    def fitted(cls) -> type[FittedBlend]:
        """The class of what `fit` returns."""
        return FittedBlend

    def fit(
        self,
        data: Dataset,
        *,
        valid: Dataset | None = None,
        vectors: Vectors | None = None,
        training: Training | None = None,
        runtime: Runtime | None = None,
    ) -> FittedBlend:
        """Fit all models, then weigh them; the validation events are also handed to each."""
        options = runtime or Runtime()
        catalogue, histories = self.begin(data, training)
        parts = {}
        for name, member in self.members().items():
            part = member.fit(data, valid=valid, vectors=vectors, training=training, runtime=runtime)
            parts[name] = replace(part, catalogue=catalogue, histories=histories)
        equal = np.full(len(parts), 1 / len(parts), dtype=np.float32)
        blend = FittedBlend(
            config=self, catalogue=catalogue, histories=histories, members=parts, weights=equal
        )
        weights = None if valid is None else learned(blend, valid, options)
        if weights is None:
            log.warning("The blend has no validation events to learn from: all weights are equal.")
            return blend
        return replace(blend, weights=weights, learned=True)


@dataclass(frozen=True, kw_only=True)
class FittedBlend(Fitted):
    """Fitted models and their weights.

    Attributes:
        members: The fitted models, by place and name, over the same catalogue.
        weights: One per model, at least 0, float32; they multiply standardised scores.
        learned: Whether the weights were learned, and not just equal.
    """

    members: Mapping[str, Fitted]
    weights: Scores
    learned: bool = False

    @property
    def scores_cold_items(self) -> bool:
        """Whether one of the models does."""
        return any(part.scores_cold_items for part in self.members.values())

    @property
    def parts(self) -> Mapping[str, Fitted]:
        """The fitted models."""
        return self.members

    def standardised(self, users: NDArray[np.int64], histories: Histories) -> Iterator[Scores]:
        """Each model's scores, mean 0 and deviation 1 per user over the items it knows; 0 for others."""
        for part in self.members.values():
            yield standardised(part.score(users, histories), part.judged)

    def score(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """The weighted sum of standardised scores."""
        total = np.zeros((len(users), len(self.catalogue.items)), dtype=np.float32)
        for weight, scores in zip(self.weights, self.standardised(users, histories), strict=True):
            total += weight * scores
        return total

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """The weights, and whether they were learned."""
        return {"weights": self.weights, "learned": np.array([self.learned])}

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """The inverse of `arrays`."""
        members = {name: saved.parts[name] for name in saved.config.members()}
        weights, known = saved.arrays["weights"], bool(saved.arrays["learned"][0])
        return cls(members=members, weights=weights, learned=known, **saved.shared)


def learned(blend: FittedBlend, valid: Dataset, runtime: Runtime) -> Scores | None:
    """The weights under which the held-out events are most likely.

    Returns:
        float32 of shape (models,); None where no held-out event is of a known user and of a known item that
        is new to this user.
    """
    held_out = Histories.of(valid.positives, blend.catalogue)
    rows = np.unique(held_out.owners[held_out.items >= 0])
    if not len(rows):
        return None
    rows = blend.sampled(rows, _LEARNING_USERS, runtime.rng("blend"))
    n_items, past = len(blend.catalogue.items), blend.histories.take(rows)

    def features(part: slice) -> Scores:
        known = past.take(np.arange(part.start, part.stop))
        return np.stack(list(blend.standardised(rows[part], known)), axis=-1)

    drawn = [runtime.rng("blend", int(row)).integers(n_items, size=ALTERNATIVES) for row in rows]
    with blend.call(rows, runtime):
        choices = Choices.sampled(
            features, held_out.take(rows), past, np.stack(drawn), n_items, runtime.batch_size
        )
    return choices.most_likely()[0].astype(np.float32) if len(choices) else None
