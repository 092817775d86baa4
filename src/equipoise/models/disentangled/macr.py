"""MACR: what is taken by match, by the item alone and by the user alone; recommended without the item's own path."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveFloat

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.language.vectors import Vectors
from equipoise.models.attributes import Attributes
from equipoise.models.histories import Catalogue, Histories
from equipoise.models.mf import MF, FittedMF
from equipoise.models.offset import Offset

if TYPE_CHECKING:
    from equipoise.models.factors import Examples, Factors

Floats = NDArray[np.float64]


class MACR(MF):
    """Model-agnostic counterfactual reasoning (Wei, Feng, Chen, Wu, Yi and He 2021, "Model-agnostic counterfactual
    reasoning for eliminating popularity bias in recommender system", sections 3.2 and 3.3) over matrix factorisation.

    In training the match k of a user and an item is multiplied by how much the item is taken by itself and how much
    the user takes by themselves, `k σ(i) σ(u)`, while heads of their own explain both parts. Recommended is by
    `(k - c) σ(i) σ(u)`: the total effect of the match less the effect that runs through the item without a match, c
    being the reference that takes its place. σ(u) is the same for all items of a user, so that it changes no list and
    is left out; what is left, `(p_u · q_i + b_u - c) σ(i)`, is a dot product.

    Three things are done otherwise than in the paper. The log-odds of an average pair stand outside of the product, and
    losses are over all pairs: with one drawn pair per event the paper balances them. Factors are shrunk after σ is
    multiplied in, so that taste for rare items is not shrunk away. And the item's own head learns from impressions
    where there are some: from clicks it also learns what all users like, which the subtraction then takes away.

    As σ squashes popularity and also multiplies taste, no c removes popularity alone: too small a c leaves what is
    popular on top, too large a one turns it round. That is a limit of the method.

    Where held-out events stop the training, they judge each epoch with a reference of 0, by scores that follow
    popularity: the epoch that is kept need not be the best under the reference, which is found afterwards. Extra losses
    and heads are not taken, as they would act on scores without it. `bias_shrinkage` has no effect: what would be
    biases are the two heads.
    """

    name: ClassVar[str] = "macr"
    takes: ClassVar[frozenset[str]] = MF.takes - {"offset", "losses", "heads"}

    loss: Literal["pointwise"] = "pointwise"
    """How likely each pair is taken, over a sample of all pairs."""
    attributes: Literal["none"] = "none"
    """Attributes have no factors here."""
    item_weight: NonNegativeFloat = 10.0
    """Weight of the loss of the item's own head."""
    user_weight: NonNegativeFloat = 0.1
    """Weight of the loss of the user's own head."""
    level: PositiveFloat = 12.0
    """Match of an average pair when training begins: how many log-odds the two heads can explain."""
    c: float | None = None
    """The reference match. None for the one, of some around the average match, that ranks held-out events best, each
    counted 1 / popularity; without held-out events the average match. What users took in training does not compete,
    and held-out events of it do not count."""

    def network(
        self,
        data: Dataset,
        catalogue: Catalogue,
        events: Examples,
        offset: Offset | None,
        known: tuple[Attributes, Attributes] | None,
        vectors: Vectors | None,
    ) -> Factors:
        """Factors with heads; see `MF.network`."""
        from equipoise.models.disentangled.exposed import popularity
        from equipoise.models.disentangled.paths import Paths

        return Paths(self, catalogue, events, popularity(data, catalogue))

    @classmethod
    def fitted(cls) -> type[FittedMACR]:
        """The class of what `fit` returns."""
        return FittedMACR

    def finished(self, model: FittedMF, valid: Dataset | None, runtime: Runtime) -> FittedMF:
        """The model with its reference, chosen where it is not given."""
        assert isinstance(model, FittedMACR)
        return model.referred(self._chosen(model, valid, runtime) if self.c is None else self.c)

    def _chosen(self, model: FittedMACR, valid: Dataset | None, runtime: Runtime) -> float:
        """The best of some references by held-out events."""
        match = model.average
        if valid is None:
            return match
        users, items = held_out(valid, model.catalogue, model.histories)
        if not len(users):
            return match
        if len(users) > _JUDGED:
            drawn = np.sort(runtime.rng("reference").choice(len(users), _JUDGED, replace=False))
            users, items = users[drawn], items[drawn]
        weights = 1 / model.popularity[items]
        gains = [_gain(model.referred(match * times), users, items, weights) for times in _TIMES]
        return match * _TIMES[int(np.argmax(gains))]


class FittedMACR(FittedMF):
    """Factors times σ(i), so that a score is one dot product: of `(p, 1, b_u - c)` and `(q σ, 0, σ)`."""

    @property
    def popularity(self) -> Floats:
        """What the item's own head says: how many times as popular as on average, shape (items,)."""
        gate = np.clip(self.item_factors[:, -1].astype(np.float64), 1e-6, 1 - 1e-6)
        return gate / (1 - gate)

    @property
    def average(self) -> float:
        """Match of an average user with an item that says nothing of taste, less the reference, if it is set."""
        return float(self.user_factors[self.catalogue.user_counts > 0, -1].mean())

    def referred(self, c: float) -> FittedMACR:
        """The same model with the match counted from `c`."""
        users = self.user_factors.copy()
        users[:, -1] -= c
        return replace(self, user_factors=users)


_TIMES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 1.0, 1.02, 1.05, 1.08, 1.1, 1.15, 1.2, 1.3, 1.5)
_JUDGED = 20_000  # held-out events


def held_out(
    valid: Dataset, catalogue: Catalogue, histories: Histories
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Users and items of the held-out events that a reference can be chosen by: of users and items that training knows,
    and of nothing that the user took in training, since lists leave it out.

    Args:
        valid: Held-out events.
        catalogue: Of training.
        histories: What its users took in training.
    """
    past, taken = Histories.of(valid.positives, catalogue), histories.items >= 0
    users, items = past.owners[past.items >= 0], past.items[past.items >= 0]
    pairs = histories.owners[taken] * len(catalogue.items) + histories.items[taken]
    new = ~np.isin(users * len(catalogue.items) + items, pairs)
    known = (catalogue.user_counts[users] > 0) & (catalogue.item_counts[items] > 0)
    return users[known & new], items[known & new]


def _gain(model: FittedMACR, users: NDArray[Any], items: NDArray[Any], weights: Floats) -> float:
    """Mean of 1 / log2(1 + place) over pairs, weighted; what the user did not take in training competes."""
    warm = model.catalogue.item_counts > 0
    gained = 0.0
    for start in range(0, len(users), 2048):
        part = slice(start, start + 2048)
        scores = model.user_factors[users[part]] @ model.item_factors.T
        own = scores[np.arange(len(scores)), items[part]]
        competing = warm & ~model.histories.take(users[part]).marked(len(warm))
        places = 1 + ((scores > own[:, None]) & competing).sum(axis=1)
        gained += float((weights[part] / np.log2(1 + places)).sum())
    return gained / float(weights.sum())
