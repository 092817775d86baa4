"""The most similar users of each user, and what their lists have in common; sparse, in blocks of users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CELLS = 4_000_000  # similarities held at once: 32 MB
_DECIMALS = 9  # similarities nearer than this tie


@dataclass(frozen=True)
class Neighbours:
    """What users have in common with their most similar users, one number per user asked.

    Attributes:
        counts: Similar users found.
        overlap: Mean number of items that the two lists share; 0 without neighbours.
        similarity: Mean cosine of the profiles; 0 without neighbours.
    """

    counts: Ints
    overlap: Floats
    similarity: Floats


def nearest(
    profiles: sparse.csr_matrix,
    lists: sparse.csr_matrix,
    asked: Ints,
    crowd: Ints,
    neighbours: int,
    size: int,
) -> Neighbours:
    """Overlap of lists with the most similar users of a crowd, the user's own self left out.

    Args:
        profiles: (users, items), rows of length 1 or empty.
        lists: (users, items), ones.
        asked: Rows of the users whose neighbours are wanted.
        crowd: Rows of the users among whom they are sought, ascending.
        neighbours: How many; users with cosine 0 are no neighbours; ties go to the lower row.
        size: How many of the crowd each user may look at: of a crowd that is one larger, those who do not
            find themselves in it leave out one, by turns, so that all choose from equally many.
    """
    counts, overlap, similarity = (np.zeros(len(asked)) for _ in range(3))
    step = max(1, _CELLS // max(1, len(crowd)))
    others, shown = profiles[crowd].T.tocsr(), lists[crowd].T.tocsr()
    for start in range(0, len(asked), step):
        rows = asked[start : start + step]
        cosine = np.round((profiles[rows] @ others).toarray(), _DECIMALS)
        own = np.searchsorted(crowd, rows)
        self_there = (own < len(crowd)) & (crowd[np.minimum(own, len(crowd) - 1)] == rows)
        if len(crowd) > size:
            turns = np.arange(start, start + len(rows)) % len(crowd)
            cosine[np.arange(len(rows)), np.where(self_there, own, turns)] = 0.0
        else:
            cosine[np.flatnonzero(self_there), own[self_there]] = 0.0
        best = np.argsort(-cosine, axis=1, kind="stable")[:, :neighbours]
        near = np.take_along_axis(cosine, best, axis=1)
        common = np.take_along_axis((lists[rows] @ shown).toarray(), best, axis=1)
        found = near > 0
        part = slice(start, start + len(rows))
        counts[part] = found.sum(axis=1)
        with np.errstate(invalid="ignore"):
            overlap[part] = np.nan_to_num((common * found).sum(axis=1) / counts[part])
            similarity[part] = np.nan_to_num((near * found).sum(axis=1) / counts[part])
    return Neighbours(counts.astype(np.int64), overlap, similarity)
