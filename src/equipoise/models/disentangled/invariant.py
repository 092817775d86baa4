"""Matrix factorisation that tells preference which holds everywhere from what holds in some environment only."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat, PositiveFloat

from equipoise.data import Dataset
from equipoise.errors import ModelError, nearest
from equipoise.language.vectors import Vectors
from equipoise.models.attributes import Attributes
from equipoise.models.histories import Catalogue, Histories
from equipoise.models.mf import MF
from equipoise.models.offset import Offset

if TYPE_CHECKING:
    from equipoise.models.disentangled.environments import InvariantFactors
    from equipoise.models.factors import Examples

MOST = 32
"""Environments that can be told apart."""


class Invariant(MF):
    """Invariant preference (Wang et al. 2022, "Invariant preference learning for general debiasing in
    recommendation", section 4).

    Events come about under circumstances (a season, a campaign, a place on the page): their environments. Two sets of
    factors are learned: what a user prefers in all environments must explain events alone, and together with what
    they prefer in the event's environment. An adversary reads the environment from the former, and the gradient that
    leaves it is turned round. Recommended is by the former alone.

    In the paper nobody names environments: an event belongs to the one in which it is likeliest as the model stands.
    That splits events by noise as readily as by circumstances. Where the log names them, say so by `column`. Beyond the
    paper, scores have the biases of `mf`, so has what belongs to environments, and environments are found anew at
    each step and not every few epochs. For choices, what belongs to the environment is added to the score, as the paper
    does for ratings, where its score of implicit events is a product of two probabilities.
    """

    name: ClassVar[str] = "invariant"

    loss: Literal["rating", "softmax"] = "softmax"
    """`rating`: squared error of the events' values; `softmax`: the event's item against all others."""

    column: str | None = None
    """A column of the events that names the environment of each; None where they are to be found."""

    environments: int = Field(2, ge=2, le=MOST)
    """How many are to be found."""

    strength: NonNegativeFloat = 3.0
    """Factor of the adversary's gradient as it reaches what is invariant."""

    within: PositiveFloat = 1.0
    """Weight of the loss in which an event is explained with its environment; that without it counts 1."""

    def network(
        self,
        data: Dataset,
        catalogue: Catalogue,
        events: Examples,
        offset: Offset | None,
        known: tuple[Attributes, Attributes] | None,
        vectors: Vectors | None,
    ) -> InvariantFactors:
        """See `MF.network`.

        Raises:
            ModelError: if the events have no column of that name, or it does not name 2 to 32 environments.
        """
        from equipoise.models.disentangled.environments import InvariantFactors

        named = None if self.column is None else environments(data, catalogue, self.column)[events.places]
        return InvariantFactors(self, catalogue, events, offset, known, named)


def environments(data: Dataset, catalogue: Catalogue, column: str) -> NDArray[np.int64]:
    """Environment of each training example that a column of the events names, -1 for null and NaN, in the order of
    histories.

    Raises:
        ModelError: if the events have no such column, it holds lists or the like, or it does not name 2 to 32
            environments.
    """
    if column not in data.events.columns:
        raise ModelError(
            f"The events have no column '{column}' to name environments",
            where=f"columns: {', '.join(data.events.columns)}",
            todo=nearest(column, data.events.columns),
        )
    if (kind := data.events[column].dtype).is_nested() or kind == pl.Object:
        raise ModelError(
            f"The column '{column}' holds {kind}, which names no environments",
            todo="Choose a column with one value per event.",
        )
    names = told(data.positives[column]).drop_nulls().unique().sort()
    if not 2 <= len(names) <= MOST:
        raise ModelError(
            f"The column '{column}' names {len(names):,} environments, and 2 to {MOST} can be told apart",
            todo="Choose another column, or join values.",
        )
    codes = told(data.events[column]).replace_strict(
        names, list(range(len(names))), default=-1, return_dtype=pl.Int64
    )
    histories = Histories.of(data.events, catalogue, codes.fill_null(-1).to_numpy().astype(np.float32))
    return histories.weights[histories.items >= 0].astype(np.int64)


def told(names: pl.Series) -> pl.Series:
    """Names of environments, null where there is none; a number that is none names nothing."""
    return names.fill_nan(None) if names.dtype.is_float() else names
