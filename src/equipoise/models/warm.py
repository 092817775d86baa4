"""Any model, with scores for items that nobody took yet and steadier ones for items that few took."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, model_validator

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.errors import ModelError
from equipoise.language.vectors import Vectors
from equipoise.models import registry
from equipoise.models.conditional_logit import ALTERNATIVES, Choices
from equipoise.models.histories import Catalogue, Histories
from equipoise.models.ranking import lowered
from equipoise.models.recommender import Fitted, Recommender, Saved, Scores
from equipoise.models.text_prior import Centred, TextPrior
from equipoise.models.training import Training

_LEARNING_USERS = 512
_BLOCK = 64  # users at once where all strengths are tried
_FEWEST = 50  # held-out events below which the strength of the prior is not learned
_HALVES = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_USUAL = 2.0  # events at which record and text count the same, where nothing can be learned

log = logging.getLogger(__name__)


class Warm(Recommender):
    """A model whose scores are drawn towards what the items' texts predict, the more the fewer took an item.

    An item with n events has the score w * own + (1 - w) * predicted, with w = n / (n + half): the posterior
    mean where the texts are the prior (the regression-based latent factors of Agarwal & Chen 2009, section 2, as
    a step after training, on any model). An item without events is scored by its text alone.
    """

    name: ClassVar[str] = "warm"

    model: dict[str, Any]
    """The model, with its name and its fields: `{name = "ease", reg = 300}`."""

    half: NonNegativeFloat | None = None
    """Events at which an item's own record and its text count the same; None: learned on held-out events. 0 leaves
    all items that anybody took as they are."""

    @model_validator(mode="after")
    def _build(self) -> Self:
        self.member()
        return self

    def member(self) -> Recommender:
        """The model that is extended.

        Raises:
            ConfigError: if it has no name, or is not usable.
        """
        return registry.models.nested(self.model, owner="The model to be warmed")

    @classmethod
    def fitted(cls) -> type[FittedWarm]:
        """The class of what `fit` returns."""
        return FittedWarm

    def fit(
        self,
        data: Dataset,
        *,
        valid: Dataset | None = None,
        vectors: Vectors | None = None,
        training: Training | None = None,
        runtime: Runtime | None = None,
    ) -> FittedWarm:
        """Fit the model, regress its scores on the texts, then choose how strongly texts count.

        Raises:
            ModelError: if there are no vectors, or none of an item that was taken.
        """
        options = runtime or Runtime()
        catalogue, histories = self.begin(data, training)
        if vectors is None:
            raise ModelError(
                "The model 'warm' reads item vectors, and there are none",
                todo="Give an encoder, and items with texts.",
            )
        matrix, present = vectors.aligned(catalogue.items)
        present &= matrix.any(axis=1)  # a text that says nothing is none
        if not (present & (catalogue.item_counts > 0)).any():
            raise ModelError(
                "No item that was taken has a vector",
                where=f"{len(catalogue.items)} items, {len(vectors.ids)} vectors",
                todo="Check that both use the same item ids.",
            )
        member = self.member().fit(data, valid=valid, vectors=vectors, training=training, runtime=runtime)
        member = replace(member, catalogue=catalogue, histories=histories)
        active = np.flatnonzero(np.diff(histories.starts) > 0)
        active = member.sampled(active, _LEARNING_USERS, options.rng("warm"))
        with member.call(active, options):
            sample = member.score(active, histories.take(active))
        warm = FittedWarm(
            config=self,
            catalogue=catalogue,
            histories=histories,
            member=member,
            texts=Vectors(catalogue.items, matrix, vectors.encoder),
            present=present,
            prior=TextPrior.of(around(matrix, catalogue, present), sample),
            half=_USUAL if self.half is None else self.half,
        )
        learned = learned_half(warm, valid, options) if self.half is None and valid is not None else None
        if self.half is None and learned is None:
            log.warning(
                "There are too few held-out events of known items to learn how strongly texts count: an item with "
                "%g events is scored half by its record and half by its text.",
                _USUAL,
            )
        return warm if learned is None else replace(warm, half=learned)


@dataclass(frozen=True, kw_only=True)
class FittedWarm(Fitted):
    """A fitted model with a text prior.

    Attributes:
        member: The model.
        texts: Text vectors of the catalogue, in its order, with their encoder.
        present: Which items have a text that says something, shape (items,).
        prior: The regression of scores on texts.
        half: Events at which an item's own record and its text count the same.
    """

    member: Fitted
    texts: Vectors
    present: NDArray[np.bool_]
    prior: TextPrior
    half: float

    @cached_property
    def own(self) -> Scores:
        """Weight of each item's own record, in [0, 1], float32 of shape (items,)."""
        counts = self.catalogue.item_counts.astype(np.float64)
        weight = np.where(counts > 0, counts / np.maximum(counts + self.half, 1e-12), 0.0)
        return np.where(self.present | (counts == 0), weight, 1.0).astype(np.float32)

    @property
    def scores_cold_items(self) -> bool:
        """True: a text is enough."""
        return True

    @property
    def vectors(self) -> Vectors:
        """The text vectors."""
        return self.texts

    @property
    def parts(self) -> Mapping[str, Fitted]:
        """The model."""
        return {"member": self.member}

    def score(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """Posterior means; an item with neither events nor a text gets the lowest of the row."""
        own = self.member.score(users, histories)
        return self.mixed(own, self.prior.predicted(own), self.own)

    def mixed(self, own: Scores, predicted: Scores, weight: Scores) -> Scores:
        """Both scores under these weights of the items' own."""
        unknown = ~self.present & (self.catalogue.item_counts == 0)
        return lowered(weight * own + (1 - weight) * predicted, unknown)

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """The regression with where its zero lies, and what is said of it."""
        chosen = [self.prior.penalty, self.prior.explained, self.half]
        return {
            "present": self.present,
            "fit": self.prior.fit,
            "middle": self.prior.texts.middle,
            "chosen": np.array(chosen),
        }

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """The inverse of `arrays`."""
        if saved.vectors is None:
            raise KeyError("vectors")
        present, (penalty, explained, half) = saved.arrays["present"], map(float, saved.arrays["chosen"])
        middle = saved.arrays.get("middle")  # younger than the first models that were saved
        centred = around(saved.vectors.matrix, saved.catalogue, present, middle)
        return cls(
            member=saved.parts["member"],
            texts=saved.vectors,
            present=present,
            prior=TextPrior(saved.arrays["fit"], centred, penalty, explained),
            half=half,
            **saved.shared,
        )


def around(
    matrix: Scores,
    catalogue: Catalogue,
    present: NDArray[np.bool_],
    middle: NDArray[np.float64] | None = None,
) -> Centred:
    """Texts of the items with a record, around what an item that is yet to be taken is expected to be.

    Items weigh by the square root of their events: less noise in the scores of those that many took; but only a
    part of what texts leave unexplained is noise, and items are as different as they are many.
    """
    return Centred.of(matrix, np.sqrt(catalogue.item_counts) * present, middle)


def learned_half(warm: FittedWarm, valid: Dataset, runtime: Runtime) -> float | None:
    """The strength of the prior under which held-out events of known items are most likely.

    Returns:
        One of a few values; None where fewer than 50 held-out events are of an item with a record that is new to
        its user.
    """
    held_out = Histories.of(valid.positives, warm.catalogue)
    rows = np.unique(held_out.owners[held_out.items >= 0])
    if not len(rows):
        return None
    rows = warm.member.sampled(rows, _LEARNING_USERS, runtime.rng("half"))
    counts, past = warm.catalogue.item_counts, warm.histories.take(rows)
    recorded = np.flatnonzero(counts > 0)

    strengths = [replace(warm, half=half).own for half in _HALVES]

    def features(part: slice) -> Scores:
        own = warm.member.score(rows[part], past.take(np.arange(part.start, part.stop)))
        predicted = warm.prior.predicted(own)
        return np.stack([warm.mixed(own, predicted, weight) for weight in strengths], axis=-1)

    drawn = recorded[
        np.stack([runtime.rng("half", int(row)).integers(len(recorded), size=ALTERNATIVES) for row in rows])
    ]
    with warm.member.call(rows, runtime):
        choices = Choices.sampled(features, held_out.take(rows), past, drawn, len(counts), _BLOCK)
    known = counts[choices.items] > 0
    if known.sum() < _FEWEST:
        return None
    choices = replace(
        choices, owners=choices.owners[known], items=choices.items[known], chosen=choices.chosen[known]
    )
    spread = max(float(choices.others.std()), 1e-12)  # so that one start of the search fits every scale

    def loss(place: int) -> float:
        return replace(
            choices,
            chosen=choices.chosen[:, [place]] / spread,
            others=choices.others[:, :, [place]] / spread,
        ).most_likely()[1]

    return min(zip(map(loss, range(len(_HALVES))), _HALVES, strict=True))[1]
