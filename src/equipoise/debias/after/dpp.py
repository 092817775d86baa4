"""A re-ranker that takes items by how much they add to the volume that the list spans."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from equipoise.data import vocabulary as v
from equipoise.debias.after.greedy import greedy, in_blocks
from equipoise.debias.after.pools import Floats, Ints, Pool
from equipoise.debias.after.similarity import Asked, Likeness, likeness, resolve
from equipoise.debias.correction import AfterTraining, Bias, Context

_SIGNED = frozenset({"text", "model"})
"""Sources whose cosines may be negative."""
_CELLS = 4_000_000  # numbers of the factors that are kept at once


class DPP(AfterTraining):
    """Greedy search for the likeliest list of a determinantal point process (Chen, Zhang & Zhou 2018, "Fast greedy
    MAP inference for determinantal point process to improve recommendation diversity", algorithm 1 and section 5).

    A list Y is worth (1 - strength) x sum of scores + strength x log det S_Y, with S the likeness of items to each
    other: the log-determinant of the kernel diag(exp(a r)) S diag(exp(a r)) with a = (1 - strength) / (2 strength).
    The determinant is the squared volume that the items span, so it sees an item that several earlier ones make up
    together, which the nearest single one (`mmr`) does not. Items are taken one by one, each the best next to those
    taken before; the Cholesky factor grows with the list, so that k items of a pool of n cost k^2 n steps.

    Scores are brought to 0 (the worst of the user's pool) to 1 (the best). S is positive definite whatever the
    source: products of unit vectors are positive semi-definite; where cosines may be negative, (1 + cosine) / 2 keeps
    that (section 5 of the paper); and `own` is taken off what two items share.
    """

    name: ClassVar[str] = "dpp"
    against: ClassVar[tuple[Bias, ...]] = ("monotony",)

    strength: float = Field(0.2, ge=0, lt=1)
    """Weight of the log-determinant against score; 0 changes nothing."""
    similarity: Asked = "auto"
    """What likeness is told by: item texts, the model's item vectors, who took the items, or their categories.

    "auto" takes the first of these that is there."""
    own: float = Field(0.1, ge=1e-3, le=1)
    """Share of an item that is like no other: two items with the same vector have likeness 1 - own.

    It bounds what likeness can cost, log(own), and keeps the determinant above 0 where more items are taken than
    there are categories. At 1 all items are unlike each other."""

    def rerank(self, pool: pl.DataFrame, context: Context, k: int) -> pl.DataFrame:
        """See `AfterTraining.rerank`.

        Raises:
            DataError: also if there is nothing to tell likeness by.
        """
        if pool.is_empty():
            return pool
        laid, source = Pool.of(pool), resolve(context, self.similarity)
        items = pool[v.ITEM].unique().sort()
        codes, alike = laid.located(items), likeness(context, source, items)
        kernel = Kernel(alike, self.own, signed=source in _SIGNED)
        scores = np.where(laid.there, laid.relative, 0.0)
        k_there = min(k, laid.depth)

        def solve(part: slice) -> Ints:
            return self._greedy(laid.there[part], scores[part], kernel.within(codes[part]), k)

        size = max(1, min(256, _CELLS // (k_there * laid.depth)))
        order = in_blocks(len(laid.users), solve, size)
        listed = [np.take_along_axis(codes, one, 1) for one in (laid.unchanged[:, :k], order)]
        before, after = ((alike.mean(one), kernel.log_determinant(one)) for one in listed)
        context.report(
            self,
            **laid.size(k),
            likeness_by=source,
            likeness_before=before[0],
            likeness_after=after[0],
            log_determinant_before=before[1],
            log_determinant_after=after[1],
            score_given_up=laid.given_up(order),
            warnings=laid.warnings(k),
        )
        return laid.lists(order, k)

    def _greedy(
        self, there: NDArray[np.bool_], scores: Floats, like: Callable[[Ints], Floats], k: int
    ) -> Ints:
        """Places in the order taken.

        Args:
            there: Where there is an item, (users, depth).
            scores: From 0 to 1, (users, depth).
            like: From one place per user to the likeness of all places to it, as `Kernel.within` gives it.
            k: List length.
        """
        rows, (users, depth) = np.arange(len(scores)), scores.shape
        factor = np.zeros(
            (users, min(k, depth), depth)
        )  # row t: what the t-th item taken explains of each place
        left = np.ones_like(
            scores
        )  # the part of each place that no item taken explains: d squared in the paper
        taken = 0

        def worth() -> Floats:
            return (1 - self.strength) * scores + self.strength * np.log(left)

        def take(chosen: Ints) -> None:
            nonlocal taken
            told = factor[:, :taken]
            explained = np.einsum("utd,ut->ud", told, told[rows, :, chosen])
            new = (like(chosen) - explained) / np.sqrt(left[rows, chosen])[:, None]
            factor[:, taken] = new
            # a Schur complement is never below the kernel's least eigenvalue, which is at least `own`
            np.maximum(left - new**2, self.own, out=left)
            taken += 1

        return greedy(there, k, worth, take)


class Kernel:
    """Likeness of items as a positive definite matrix with ones on its diagonal.

    Args:
        alike: Cosines between items.
        own: Share of an item that is like no other; the least eigenvalue is at least as large.
        signed: Whether cosines may be negative; they are then brought to 0 to 1, by (1 + cosine) / 2.
    """

    def __init__(self, alike: Likeness, own: float, *, signed: bool) -> None:
        self.alike, self.own, self.signed = alike, own, signed

    def within(self, codes: Ints) -> Callable[[Ints], Floats]:
        """From one place per user to the likeness of all places to it, (users, depth); see `Likeness.within`."""
        to, rows = self.alike.within(codes), np.arange(len(codes))

        def like(chosen: Ints) -> Floats:
            cosine = to(chosen)
            shared = (1 - self.own) * ((1 + cosine) / 2 if self.signed else cosine)
            shared[rows, chosen] = 1.0  # an item is like itself, also one of which nothing is known
            return shared

        return like

    def log_determinant(self, codes: Ints) -> float:
        """Mean log-determinant of lists, (users, k); -1 is no item and adds nothing."""
        to, there = self.within(codes), codes >= 0
        matrix = np.stack([to(np.full(len(codes), place)) for place in range(codes.shape[1])], axis=1)
        both = there[:, :, None] & there[:, None, :]
        matrix = np.where(both, matrix, np.eye(codes.shape[1]))
        return float(np.linalg.slogdet(matrix)[1].mean())
