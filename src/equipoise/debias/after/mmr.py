"""A re-ranker that lets no list be all of one kind."""

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
from equipoise.debias.after.similarity import Asked, likeness, resolve
from equipoise.debias.correction import AfterTraining, Bias, Context


class MMR(AfterTraining):
    """Maximal marginal relevance: each item is taken for (1 - strength) x score - strength x its likeness to
    the most alike item taken before (Carbonell & Goldstein 1998, section 2; their lambda is 1 - strength).

    Scores are brought to 0 (the worst of the user's pool) to 1 (the best); likeness is a cosine.
    """

    name: ClassVar[str] = "mmr"
    against: ClassVar[tuple[Bias, ...]] = ("monotony",)

    strength: float = Field(0.3, ge=0, le=1)
    """Weight of likeness against score; 0 changes nothing."""
    similarity: Asked = "auto"
    """What likeness is told by: item texts, the model's item vectors, who took the items, or their categories.

    "auto" takes the first of these that is there."""

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
        scores = np.where(laid.there, laid.relative, 0.0)

        def solve(part: slice) -> Ints:
            return self._greedy(laid.there[part], scores[part], alike.within(codes[part]), k)

        order = in_blocks(len(laid.users), solve)
        before, after = (
            alike.mean(np.take_along_axis(codes, one, 1)) for one in (laid.unchanged[:, :k], order)
        )
        context.report(
            self,
            **laid.size(k),
            likeness_by=source,
            likeness_before=before,
            likeness_after=after,
            score_given_up=laid.given_up(order),
            warnings=laid.warnings(k),
        )
        return laid.lists(order, k)

    def _greedy(
        self, there: NDArray[np.bool_], scores: Floats, like: Callable[[Ints], Floats], k: int
    ) -> Ints:
        """Places in the order taken."""
        nearest = np.full_like(scores, -1.0)  # next to nothing, all are as unlike as can be

        def worth() -> Floats:
            return (1 - self.strength) * scores - self.strength * nearest

        def take(chosen: Ints) -> None:
            np.maximum(nearest, like(chosen), out=nearest)

        return greedy(there, k, worth, take)
