"""The joint model as a component, and what its `fit` returns. Torch is imported when it is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat, PositiveInt

from equipoise.data import Dataset
from equipoise.language.vectors import Vectors
from equipoise.models.attributes import Attributes
from equipoise.models.histories import Catalogue, Histories
from equipoise.models.joint.inputs import inputs
from equipoise.models.mf import MF, FittedMF
from equipoise.models.offset import Offset
from equipoise.models.ranking import lowered, products
from equipoise.models.recommender import Scores

if TYPE_CHECKING:
    from equipoise.models.factors import Examples, Factors

_Kind = Literal["vectors", "images", "numeric"]


class Joint(MF):
    """Matrix factorisation whose items are made of their modalities, all trained together for the ranking.

    The vector of an item is its own learned part plus one part for each modality: a linear map of its vectors (of
    texts, or made elsewhere) and of its numbers, and a small convolutional network over its image. What a modality
    that is missing says is learned too. In training an item goes without its own part, or without a modality, by
    chance, so that the rest learns to do (Volkovs, Yu and Poutanen 2017, "DropoutNet"; modality dropout, Neverova,
    Wolf, Taylor and Nebout 2016). An item that nobody took is scored by its modalities.

    What the network can learn of pictures is bounded by how many there are: on 300 prints of the world `gallery` they
    added 0.02 of NDCG@10 on new items to texts alone, and 0.04 where the encoder `image` described them and the
    network was left out (`reads` without "images"). With some hundreds of pictures, prefer that, or a pretrained one.
    """

    name: ClassVar[str] = "joint"

    reads: Annotated[tuple[_Kind, ...], Field(min_length=1)] = ("vectors", "images", "numeric")
    """What is read of the items, where it is there: the encoder's vectors, the columns of [data] images, of numeric."""

    size: int = Field(32, ge=8, le=256)
    """Pixels per side that images are scaled to."""

    channels: PositiveInt = 16
    """Channels of the first convolution; the second and third have twice and four times as many."""

    images_per_step: PositiveInt = 64
    """Images that go through the network in a step; others count as they last were."""

    id_dropout: float = Field(0.5, ge=0, lt=1)
    """Share of items that go without their own part in a step."""

    modality_dropout: float = Field(0.1, ge=0, lt=1)
    """Share of the modalities of items that count as missing in a step."""

    map_shrinkage: NonNegativeFloat = 1e-3
    """Weight of the squared entries of the linear maps in the loss."""

    width: PositiveInt = 32
    """Factors per user and per item, biases left out."""

    batch_events: PositiveInt = 512
    """Events per batch."""

    @classmethod
    def fitted(cls) -> type[FittedJoint]:
        """The class of what `fit` returns."""
        return FittedJoint

    def network(
        self,
        data: Dataset,
        catalogue: Catalogue,
        events: Examples,
        offset: Offset | None,
        known: tuple[Attributes, Attributes] | None,
        vectors: Vectors | None,
    ) -> Factors:
        """Factors with towers; see `MF.network`.

        Raises:
            ModelError: if nothing is known of the items.
            DataError: if there are images and none can be read.
        """
        from equipoise.models.joint.towers import Towers

        read = inputs(data, catalogue.items, vectors, self.reads, self.size)
        return Towers(self, catalogue, events, read, offset, known)


@dataclass(frozen=True, kw_only=True)
class FittedJoint(FittedMF):
    """Factors of users, and of items what their modalities and their own part make together.

    An item of which nothing is known, neither an event nor a modality, has a row of zeros.
    """

    config: Joint

    @property
    def scores_cold_items(self) -> bool:
        """True: a modality is enough."""
        return True

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Which items have an event or a modality, shape (items,)."""
        return np.asarray(self.item_factors[:, -1] != 0)

    def score(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """Dot products of `user_vectors` and `item_vectors`; an item of which nothing is known gets the lowest of the
        row.
        """
        return lowered(products(self.user_vectors(users, histories), self.item_factors), ~self.judged)
