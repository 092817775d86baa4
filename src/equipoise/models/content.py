"""Recommendation by texts alone: items like those of the user's past, known to others or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveFloat
from scipy import sparse

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.errors import ModelError
from equipoise.language.vectors import Vectors
from equipoise.models.histories import Histories
from equipoise.models.ranking import lowered, products
from equipoise.models.recommender import Fitted, Recommender, Saved, Scores
from equipoise.models.training import Training


class Content(Recommender):
    """Cosine between an item's text vector and the recency-weighted mean of those of the user's past.

    A search is a step of the past like an item, with the vector of its query.
    """

    name: ClassVar[str] = "content"

    half_life: PositiveFloat = 10.0
    """Steps after which a step of the past counts half."""

    search_weight: NonNegativeFloat = 1.0
    """Weight of a search, against 1 for an item."""

    centre: bool = True
    """Subtract the mean item vector first: what all texts share says nothing (Mu & Viswanath 2018)."""

    @classmethod
    def fitted(cls) -> type[FittedContent]:
        """The class of what `fit` returns."""
        return FittedContent

    def fit(
        self,
        data: Dataset,
        *,
        valid: Dataset | None = None,
        vectors: Vectors | None = None,
        training: Training | None = None,
        runtime: Runtime | None = None,
    ) -> FittedContent:
        """Align the vectors with the catalogue; event weights weigh the steps of the users' pasts.

        Raises:
            ModelError: if there are no vectors, or none of an item of the catalogue.
        """
        catalogue, histories = self.begin(data, training)
        if vectors is None:
            raise ModelError(
                "The model 'content' reads item vectors, and there are none",
                todo="Give an encoder, and items with texts.",
            )
        matrix, present = vectors.aligned(catalogue.items)
        present &= matrix.any(axis=1)  # a text that says nothing is none
        if not present.any():
            raise ModelError(
                "No item of the events has a vector",
                where=f"{len(catalogue.items)} items, {len(vectors.ids)} vectors",
                todo="Check that both use the same item ids.",
            )
        mean = matrix[present].mean(axis=0, dtype=np.float64) if self.centre else np.zeros(vectors.width)
        middle = mean.astype(np.float32)
        counts = catalogue.item_counts.astype(np.float32)[None, :]
        return FittedContent(
            config=self,
            catalogue=catalogue,
            histories=histories,
            texts=Vectors(catalogue.items, matrix, vectors.encoder),
            present=present,
            middle=middle,
            average=_unit(counts @ _directions(matrix, middle, present)),
        )


@dataclass(frozen=True, kw_only=True)
class FittedContent(Fitted):
    """Text vectors of the catalogue.

    Attributes:
        texts: Vectors of all items of the catalogue, in its order, with their encoder.
        present: Which items have a text that says something; bool of shape (items,).
        middle: What is subtracted from every vector, float32 of shape (width,).
        average: The profile of all training events together, float32 of shape (1, width): stands for a user without a
            history. Were it taken again, one item's new text would move all others.
    """

    config: Content
    texts: Vectors
    present: NDArray[np.bool_]
    middle: Scores
    average: Scores

    @cached_property
    def directions(self) -> Scores:
        """Centred vectors of unit length, zeros where there is no text; float32 of shape (items, width)."""
        return _directions(self.texts.matrix, self.middle, self.present)

    @property
    def scores_cold_items(self) -> bool:
        """True: a text is enough."""
        return True

    @property
    def vectors(self) -> Vectors:
        """The text vectors."""
        return self.texts

    def score(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """Cosines in [-1, 1]; an item without a text gets the lowest of the row."""
        return lowered(products(self.user_vectors(users, histories), self.directions), ~self.present)

    def user_vectors(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """Profiles of unit length."""
        age = histories.starts[1:][histories.owners] - 1 - np.arange(len(histories.items))
        weight = histories.weights * 0.5 ** (age / self.config.half_life)
        profile = _mixed(histories, histories.items, weight, self.directions)
        if self.texts.encoder is not None and (histories.queries >= 0).any():
            used, place = np.unique(histories.queries, return_inverse=True)
            texts = ["" if query < 0 else histories.texts[query] for query in used]
            queries = np.where(histories.queries >= 0, place, -1)
            profile += _mixed(histories, queries, weight * self.config.search_weight, self._encoded(texts))
        profile = _unit(profile)
        profile[~profile.any(axis=1)] = self.average
        return profile

    def item_vectors(self) -> Scores:
        """Centred text vectors of unit length."""
        return self.directions

    def _encoded(self, texts: list[str]) -> Scores:
        """Directions of queries; zeros for one that says nothing."""
        if self.texts.encoder is None:
            return np.zeros((len(texts), self.texts.width), dtype=np.float32)
        found = self.texts.encoder.encode(texts)
        spoken = found.any(axis=1, keepdims=True)
        return np.where(spoken, _unit(found - self.middle), np.float32(0))

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """What the vectors do not say by themselves."""
        return {"present": self.present, "middle": self.middle, "average": self.average}

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """The inverse of `arrays`."""
        if saved.vectors is None:
            raise KeyError("vectors")
        present, middle = saved.arrays["present"], saved.arrays["middle"]
        average = saved.arrays.get("average")  # younger than the first models that were saved
        if average is None:
            counts = saved.catalogue.item_counts.astype(np.float32)[None, :]
            average = _unit(counts @ _directions(saved.vectors.matrix, middle, present))
        return cls(texts=saved.vectors, present=present, middle=middle, average=average, **saved.shared)


def _directions(matrix: Scores, middle: Scores, present: NDArray[np.bool_]) -> Scores:
    """Centred vectors of unit length, zeros where there is no text."""
    return _unit(matrix - middle) * present[:, None]


def _unit(matrix: NDArray[np.floating[Any]]) -> Scores:
    """Rows of length 1; zero rows stay."""
    length = np.linalg.norm(matrix.astype(np.float64), axis=1, keepdims=True)
    unit: NDArray[np.float64] = np.divide(matrix, length, out=np.zeros(matrix.shape), where=length > 1e-12)
    return unit.astype(np.float32)


def _mixed(histories: Histories, columns: NDArray[np.int64], weight: NDArray[Any], rows: Scores) -> Scores:
    """Per history, the weighted sum of `rows[columns]` over its steps; a step with column -1 is left out."""
    there = columns >= 0
    entries = (weight[there].astype(np.float32), (histories.owners[there], columns[there]))
    mixed: Scores = sparse.csr_matrix(entries, shape=(len(histories), len(rows))) @ rows
    return mixed
