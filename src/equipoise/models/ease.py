"""EASE: ridge regression of every item on all others, in closed form."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat
from scipy.linalg import lapack

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.errors import ModelError
from equipoise.language.vectors import Vectors
from equipoise.models.item_to_item import ItemToItem, gram, profiles
from equipoise.models.recommender import Recommender
from equipoise.models.training import Training


class EASE(Recommender):
    """Embarrassingly shallow autoencoder (Steck 2019, "Embarrassingly Shallow Autoencoders", eq. 8).

    Memory grows with the square of the number of items (12,000 items: 2 GB while fitting).
    """

    name: ClassVar[str] = "ease"

    reg: PositiveFloat = 500.0
    """Ridge penalty on the links between items, in events; less for small logs."""

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
        """Solve for the links; event weights enter the Gram matrix."""
        catalogue, histories = self.begin(data, training)
        matrix = profiles(histories, len(catalogue.items))
        with (runtime or Runtime()).limited():
            links = solve(gram(matrix), self.reg)
        return ItemToItem.of(links, matrix, config=self, catalogue=catalogue, histories=histories)


def solve(product: NDArray[np.float64], reg: float) -> NDArray[np.float32]:
    """The links B that minimise ||X - XB||^2 + reg ||B||^2 with a zero diagonal, from X'X (overwritten)."""
    product[np.diag_indices_from(product)] += reg
    factor, failed = lapack.dpotrf(product, lower=0, overwrite_a=1)
    if failed:
        raise ModelError("The regression of EASE has no solution", todo="Raise reg, or check the weights.")
    inverse, _ = lapack.dpotri(factor, lower=0, overwrite_c=1)
    inverse = np.triu(inverse) + np.triu(inverse, 1).T
    links: NDArray[np.float32] = (inverse / -np.diag(inverse)).astype(np.float32)
    np.fill_diagonal(links, 0.0)
    return links
