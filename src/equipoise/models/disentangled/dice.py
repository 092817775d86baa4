"""DICE: interest and conformity apart, each learned from the choices that speak of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveInt, model_validator

from equipoise.data import Dataset
from equipoise.language.vectors import Vectors
from equipoise.models.attributes import Attributes
from equipoise.models.histories import Catalogue
from equipoise.models.mf import MF
from equipoise.models.offset import Offset

if TYPE_CHECKING:
    from equipoise.models.factors import Examples, Factors


class DICE(MF):
    """Disentangling interest and conformity (Zheng, Gao, Li, He, Li and Jin 2021, "Disentangling user interest and
    conformity for recommendation with causal embedding", section 3).

    Half of the factors are of interest, half of conformity. Who takes an item rather than a more popular one does so
    out of interest, and against conformity; who takes one rather than a less popular one may do so out of conformity
    alone. So interest is learned from pairs of the first kind, conformity from both, with opposite signs, and the sum
    of both scores from all pairs. The distance correlation of the two sets of vectors is kept low.

    What an item has for everybody is a bias of either score; that of conformity starts from its popularity. Popularity
    is counted by impressions where there are some: what is taken often because it is liked is then not taken for
    popular. Items of nearly equal popularity say nothing of the cause; the margin and the weights of the
    cause-specific losses fall from epoch to epoch, which is the curriculum of the paper. Pairs are of each event's item
    with items drawn for the batch, all alike, and are sorted by popularity afterwards; unlike in the paper they are
    drawn among all items, those that the user took besides among them. `bias_shrinkage` does not reach what an item
    has of interest for everybody.
    """

    name: ClassVar[str] = "dice"
    takes: ClassVar[frozenset[str]] = MF.takes - {"offset", "filter"}

    width: PositiveInt = 64
    """Factors per user and per item, an even number: half of interest, half of conformity."""
    loss: Literal["pairs"] = "pairs"  # type: ignore[assignment]
    """Of an event's item against drawn ones; a drawn one that the user took as well at another time is not left out."""
    attributes: Literal["none"] = "none"
    """Attributes have no factors here."""
    negatives: PositiveInt = 128
    """Items drawn per batch, which each event's item is paired with."""
    shrinkage: NonNegativeFloat = 0.01
    """Weight of the squared factors of each example's user and item; losses of pairs are smaller than those of a
    choice among all items, and bear less."""
    margin: float = Field(4.0, ge=1)
    """How many times as popular one item must be as the other for a pair to tell of a cause, in the first epoch."""
    cause_weight: NonNegativeFloat = 0.1
    """Weight of the losses of interest and of conformity, in the first epoch."""
    decay: float = Field(0.9, gt=0, le=1)
    """By what the logarithm of the margin and the weight of these losses are multiplied after every epoch."""
    discrepancy: NonNegativeFloat = 0.001
    """Weight of the distance correlation of interest and conformity. Vectors of any length have the same, so that
    where it weighs much, it moves short ones more than events do."""
    recommend_by: Literal["interest", "both"] = "interest"
    """Which scores recommend; both together are those of what will be taken from the same logger."""

    @model_validator(mode="after")
    def _halves(self) -> Self:
        if self.width % 2:
            raise ValueError(f"a width of {self.width} has no halves")
        return self

    def network(
        self,
        data: Dataset,
        catalogue: Catalogue,
        events: Examples,
        offset: Offset | None,
        known: tuple[Attributes, Attributes] | None,
        vectors: Vectors | None,
    ) -> Factors:
        """Two sets of factors; see `MF.network`."""
        from equipoise.models.disentangled.causes import Causes
        from equipoise.models.disentangled.exposed import popularity

        return Causes(self, catalogue, events, popularity(data, catalogue))
