"""A recommender that is not ours: what a user writes, and the five lines that test it."""

from typing import ClassVar

import numpy as np
from pydantic import PositiveFloat

from equipoise.models import Recommender
from equipoise.models.item_to_item import ItemToItem, gram, profiles
from equipoise.testing import RecommenderConformance


class Cooccurrence(Recommender):
    """Items taken together, with the more popular ones held back."""

    name: ClassVar[str] = "my-cooccurrence"

    power: PositiveFloat = 0.5
    """Exponent of an item's count in the denominator."""

    @classmethod
    def fitted(cls):
        return ItemToItem

    def fit(self, data, *, valid=None, vectors=None, training=None, runtime=None):
        catalogue, histories = self.begin(data, training)
        matrix = profiles(histories, len(catalogue.items))
        together = gram(matrix)
        held_back = np.maximum(np.diag(together), 1e-9) ** self.power
        links = (together / held_back).astype(np.float32)
        np.fill_diagonal(links, 0.0)
        return ItemToItem.of(links, matrix, config=self, catalogue=catalogue, histories=histories)


class TestCooccurrence(RecommenderConformance):
    recommender = Cooccurrence(power=0.6)
