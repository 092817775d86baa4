"""The most similar users of each user, and what their lists have in common; sparse, in blocks of users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from equipoise.statistics import Estimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CELLS = 4_000_000  # similarities held at once: 32 MB
_DECIMALS = 9  # similarities nearer than this tie


@dataclass(frozen=True)
class Neighbours:
    """The most similar users of some users; arrays of shape (users asked, neighbours).

    Attributes:
        rows: Rows of the neighbours.
        weights: One over the number of the user's neighbours; 0 where there is none in this place.
        overlap: Number of items that the two lists share, by the length of the longer one.
        similarity: Cosine of the two profiles.
    """

    rows: Ints
    weights: Floats
    overlap: Floats
    similarity: Floats

    @property
    def found(self) -> NDArray[np.bool_]:
        """Who of those asked has a neighbour."""
        return np.asarray(self.weights.sum(axis=1) > 0)


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
    width = min(neighbours, len(crowd))
    rows = np.zeros((len(asked), width), dtype=np.int64)
    overlap, similarity = np.zeros(rows.shape), np.zeros(rows.shape)
    step = max(1, _CELLS // max(1, len(crowd)))
    others, shown = profiles[crowd].T.tocsr(), lists[crowd].T.tocsr()
    lengths = np.diff(lists.indptr)
    for start in range(0, len(asked), step):
        part = asked[start : start + step]
        cosine = np.round((profiles[part] @ others).toarray(), _DECIMALS)
        own = np.searchsorted(crowd, part)
        self_there = (own < len(crowd)) & (crowd[np.minimum(own, len(crowd) - 1)] == part)
        if len(crowd) > size:
            turns = np.arange(start, start + len(part)) % len(crowd)
            cosine[np.arange(len(part)), np.where(self_there, own, turns)] = 0.0
        else:
            cosine[np.flatnonzero(self_there), own[self_there]] = 0.0
        best = np.argsort(-cosine, axis=1, kind="stable")[:, :width]
        block = slice(start, start + len(part))
        rows[block] = crowd[best]
        similarity[block] = np.take_along_axis(cosine, best, axis=1)
        longer = np.maximum(lengths[part][:, None], lengths[rows[block]])
        overlap[block] = np.take_along_axis((lists[part] @ shown).toarray(), best, axis=1) / longer
    there = similarity > 0
    return Neighbours(rows, there / np.maximum(there.sum(axis=1, keepdims=True), 1), overlap, similarity)


def over_pairs(values: Floats, asked: Ints, near: Neighbours, users: int) -> Estimate:
    """Mean over users of the mean of `values` over their neighbours, with the influence of every user.

    A user moves it twice: by the own neighbours, and as a neighbour of others. Leaving out the second makes
    intervals too narrow. Source: Aronow, Samii and Assenova (2015), "Cluster-robust variance estimation for
    dyadic data", section 2.

    Args:
        values: (users asked, neighbours), of the pairs.
        asked: Rows of the users asked.
        near: Their neighbours.
        users: Number of all users.
    """
    of_user = (near.weights * values).sum(axis=1)
    mean = float(of_user.mean())
    moved = np.bincount(near.rows.ravel(), (near.weights * (values - mean)).ravel(), users)
    moved[asked] += of_user - mean
    return Estimate(mean, np.asarray(moved * users / len(asked)))
