"""A weighted sum of several models, the weights learned on held-out events."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy.optimize import minimize
from scipy.special import logsumexp

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.errors import ConfigError
from equipoise.language.vectors import Vectors
from equipoise.models import registry
from equipoise.models.histories import Histories
from equipoise.models.recommender import Fitted, Recommender, Saved, Scores
from equipoise.models.training import Training

_LEARNING_USERS = 4096
_ALTERNATIVES = 200  # items drawn per user to stand for the whole catalogue

log = logging.getLogger(__name__)


class Blend(Recommender):
    """Several models' scores, standardised per user and summed with non-negative weights.

    The weights maximise the likelihood of the held-out events under a softmax over the event's item and a
    uniform draw of others (conditional logit with sampled alternatives, McFadden 1978, "Modelling the choice
    of residential location"). Without usable held-out events all weights are equal, and the log says so.
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
            if "name" not in fields:
                raise ConfigError(
                    "A model of the blend has no name", where=f"number {place + 1}", todo='Add name = "...".'
                )
            rest = {key: value for key, value in fields.items() if key != "name"}
            built[f"{place}-{fields['name']}"] = registry.models.build(fields["name"], rest)
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
            scores = part.score(users, histories).astype(np.float64)
            known = (
                np.full(scores.shape[1], True) if part.scores_cold_items else part.catalogue.item_counts > 0
            )
            mean = scores[:, known].mean(axis=1, keepdims=True)
            deviation = scores[:, known].std(axis=1, keepdims=True)
            flat = deviation <= 1e-9 * np.abs(mean)
            scaled = np.where(flat, 0.0, (scores - mean) / np.where(flat, 1.0, deviation))
            yield np.where(known, scaled, 0.0).astype(np.float32)

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
    if len(rows) > _LEARNING_USERS:
        rows = np.sort(runtime.rng("blend").choice(rows, _LEARNING_USERS, replace=False))
    n_items = len(blend.catalogue.items)
    drawn = [runtime.rng("blend", int(row)).integers(n_items, size=_ALTERNATIVES) for row in rows]
    owners, chosen, others, usable = [], [], [], []
    for start in range(0, len(rows), runtime.batch_size):
        part = slice(start, min(start + runtime.batch_size, len(rows)))
        past, future = blend.histories.take(rows[part]), held_out.take(rows[part])
        scores = np.stack(list(blend.standardised(rows[part], past)), axis=-1)
        fresh = future.marked(n_items) & ~past.marked(n_items)
        owner, item = np.nonzero(fresh)
        owners.append(owner + start)
        chosen.append(scores[owner, item])
        alternatives = np.stack(drawn[part])
        others.append(np.take_along_axis(scores, alternatives[:, :, None], axis=1))
        usable.append(~np.take_along_axis(fresh | past.marked(n_items), alternatives, axis=1))
    if not sum(map(len, owners)):
        return None
    return _most_likely(
        np.concatenate(owners), np.concatenate(chosen), np.concatenate(others), np.concatenate(usable)
    )


def _most_likely(
    owners: NDArray[np.int64], chosen: Scores, others: Scores, usable: NDArray[np.bool_]
) -> Scores:
    """Weights by maximum likelihood.

    Args:
        owners: User of each held-out event, shape (events,).
        chosen: Standardised scores of its item by each model, shape (events, models).
        others: Those of the drawn items, shape (users, drawn, models).
        usable: Which drawn items were neither seen nor held out, shape (users, drawn).
    """

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = np.where(usable, others @ weights, -np.inf)
        level = logsumexp(logits, axis=1)
        share = np.exp(logits - np.where(np.isfinite(level), level, 0.0)[:, None])
        expected = np.einsum("ud,udm->um", share, others)
        own = chosen @ weights
        rest = 1 / (1 + np.exp(own - level[owners]))  # probability that a drawn item is chosen instead
        gradient = (rest[:, None] * (expected[owners] - chosen)).mean(axis=0)
        return float(np.logaddexp(0.0, level[owners] - own).mean()), gradient

    start = np.full(chosen.shape[1], 1 / chosen.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(start))
    weights = found.x if found.x.any() else start
    return np.asarray(weights, dtype=np.float32)
