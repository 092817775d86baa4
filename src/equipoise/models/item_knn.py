"""Nearest neighbours of items: users who took this also took that."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveInt
from scipy import sparse

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.language.vectors import Vectors
from equipoise.models.item_to_item import ItemToItem, Links, gram, profiles
from equipoise.models.ranking import top_k
from equipoise.models.recommender import Recommender
from equipoise.models.training import Training

_BLOCK = 1024  # items whose neighbours are looked for at once


class ItemKNN(Recommender):
    """Item-based collaborative filtering by cosine (Deshpande & Karypis 2004, ACM TOIS 22)."""

    name: ClassVar[str] = "item_knn"

    neighbours: PositiveInt | None = None
    """Neighbours kept per item; all where not set, and then memory grows with the square of the items."""

    shrinkage: NonNegativeFloat = 0.0
    """Added to the denominator of the cosine, in events: trusts links between rare items less."""

    @classmethod
    def fitted(cls) -> type[ItemToItem]:
        """The class of what `fit` returns."""
        return ItemToItem

    def fit(
        self,
        data: Dataset,
        *,
        valid: Dataset | None = None,
        vectors: Vectors | None = None,
        training: Training | None = None,
        runtime: Runtime | None = None,
    ) -> ItemToItem:
        """Compare all pairs of items; event weights enter the dot products and the norms."""
        catalogue, histories = self.begin(data, training)
        matrix = profiles(histories, len(catalogue.items))
        norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0), dtype=np.float64)).ravel()
        links: Links
        with (runtime or Runtime()).limited():
            if self.neighbours is None:
                links = self._cosine(gram(matrix), norms, norms)
                np.fill_diagonal(links, 0.0)
            else:
                links = self._nearest(matrix, norms, self.neighbours)
        return ItemToItem.of(links, matrix, config=self, catalogue=catalogue, histories=histories)

    def _cosine(
        self, products: NDArray[np.float64], left: NDArray[np.float64], right: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Dot products over norms and shrinkage; 0 where an item has no events."""
        scale = np.outer(left, right) + self.shrinkage
        return np.divide(products, scale, out=np.zeros_like(products), where=scale > 0).astype(np.float32)

    def _nearest(self, matrix: sparse.csr_matrix, norms: NDArray[np.float64], k: int) -> sparse.csr_matrix:
        """Column j holds the `k` items most like j: they are what speaks for it."""
        items = matrix.T.tocsr()
        kept = []
        for start in range(0, items.shape[0], _BLOCK):
            part = slice(start, min(start + _BLOCK, items.shape[0]))
            products = (items[part] @ matrix).toarray().astype(np.float64)
            cosines = self._cosine(products, norms[part], norms)
            rows = np.arange(part.stop - start)
            cosines[rows, rows + start] = 0.0
            best = top_k(cosines, k)
            value = np.take_along_axis(cosines, best, axis=1)
            place = (np.repeat(rows, best.shape[1]), best.ravel())
            kept.append(sparse.csr_matrix((value.ravel(), place), shape=cosines.shape))
        nearest = sparse.vstack(kept).T.tocsr()
        nearest.eliminate_zeros()
        return nearest
