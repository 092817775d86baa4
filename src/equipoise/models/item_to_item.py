"""What item-to-item models share: a user's score for an item sums the links from the items of the past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from equipoise.models.histories import Histories
from equipoise.models.ranking import lowered
from equipoise.models.recommender import Fitted, Saved, Scores

Links: TypeAlias = NDArray[np.float32] | sparse.csr_matrix

_BLOCK = 2048  # users at once where a sparse matrix is made dense
_SPARSE_COST = 30  # how much slower than one of a dense product is a multiply-add of a sparse one, about


def profiles(histories: Histories, n_items: int) -> sparse.csr_matrix:
    """Users x items, float32: the square root of the total weight of each pair.

    With the root, the Gram matrix of the profiles holds the total weight of each item on its diagonal, and a
    user whose events all weigh w counts as w such users.
    """
    return histories.matrix(n_items).sqrt()


def gram(matrix: sparse.csr_matrix) -> NDArray[np.float64]:
    """`matrix.T @ matrix`, dense; by dense blocks where the rows are long enough for that to be faster."""
    rows, columns = matrix.shape
    sparse_work = _SPARSE_COST * float((np.diff(matrix.indptr).astype(np.float64) ** 2).sum())
    if sparse_work < rows * float(columns) ** 2:
        total: NDArray[np.float64] = (matrix.T @ matrix).astype(np.float64).toarray()
        return total
    total = np.zeros((columns, columns))
    for start in range(0, rows, _BLOCK):
        block = matrix[start : start + _BLOCK].toarray()
        total += block.T @ block
    return total


@dataclass(frozen=True, kw_only=True)
class ItemToItem(Fitted):
    """A fitted item-to-item model. A user without a history is answered as the average user of training.

    Attributes:
        links: From item (row) to item (column), float32, dense or sparse, of shape (items, items).
        average: Mean score of each item over the users of training, float32.
    """

    links: Links
    average: Scores

    @classmethod
    def of(cls, links: Links, matrix: sparse.csr_matrix, **shared: Any) -> Self:
        """With the average over the users whose profiles are the rows of `matrix`."""
        active = max(int((np.diff(matrix.indptr) > 0).sum()), 1)
        mean = np.asarray(matrix.sum(axis=0), dtype=np.float64).ravel() / active
        links = np.ascontiguousarray(links) if isinstance(links, np.ndarray) else links
        return cls(links=links, average=(links.T @ mean).astype(np.float32), **shared)

    def score(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """Profiles times links."""
        matrix = profiles(histories, len(self.catalogue.items))
        product = matrix @ self.links
        scores: Scores = product.toarray() if sparse.issparse(product) else product
        scores[np.diff(matrix.indptr) == 0] = self.average
        return lowered(scores, self.catalogue.item_counts == 0)

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """The links (sparse ones by their three parts) and the average."""
        if isinstance(self.links, np.ndarray):
            return {"links": self.links, "average": self.average}
        parts = {f"links.{name}": getattr(self.links, name) for name in ("data", "indices", "indptr")}
        return {**parts, "average": self.average}

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """The inverse of `arrays`."""
        links: Links
        if "links" in saved.arrays:
            links = saved.arrays["links"]
        else:
            parts = tuple(saved.arrays[f"links.{name}"] for name in ("data", "indices", "indptr"))
            links = sparse.csr_matrix(parts, shape=(len(saved.catalogue.items),) * 2)
        return cls(links=links, average=saved.arrays["average"], **saved.shared)
