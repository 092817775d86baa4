"""Inverse-propensity weights on training events, for any loss that takes weights."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from equipoise.causal.propensity import propensities
from equipoise.data import Dataset
from equipoise.data.dataset import positive
from equipoise.debias.correction import Context, DuringTraining
from equipoise.errors import DataError
from equipoise.models.training import Training


class InversePropensity(DuringTraining):
    """Each event counts inversely to how likely the logger was to bring it about (Schnabel et al. 2016,
    section 4).

    What was shown often anyway counts less and what was rarely shown counts more, so that the weighted
    events stand for those of a logger that shows all items alike. Weights make training noisier: how much is
    said by the effective sample size in the diagnostics. A model that was just regular enough without them
    needs more regularisation.
    """

    name: ClassVar[str] = "ips"

    propensity: str = "given"
    """Name of a propensity model: given, popularity, position or logistic."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Fields of the propensity model."""
    clip: float = Field(10.0, ge=0)
    """Largest weight, in multiples of the mean weight; 0 for no limit."""
    normalise: bool = True
    """Whether weights are scaled to mean 1 (self-normalised); else they are 1 / propensity."""

    def training(self, data: Dataset, context: Context) -> Training:
        """Weights per row of `data.events`.

        Positive events with a propensity are weighed; all other rows (impressions, searches, what was bought
        without being shown) keep weight 1.

        Raises:
            ConfigError: if the propensity model or one of its options does not exist.
            DataError: if propensities are malformed, or no positive event has one.
        """
        fitted = propensities.build(self.propensity, self.options).fit(
            data.events, data.users, data.items, seed=context.runtime.seed
        )
        taste = data.events.select(positive(data.events).fill_null(False)).to_series().to_numpy()
        rows = taste & fitted.known
        if not rows.any():
            raise DataError(
                f"No event of taste has a propensity of the model '{self.propensity}'",
                where=f"{int(taste.sum())} such events",
                todo="Choose another propensity model, or log propensities with the clicks.",
            )
        made = fitted.weights(taste, clip=self.clip or None, self_normalise=self.normalise)
        weights = np.ones(len(data.events), dtype=np.float32)
        weights[rows] = made.values
        context.report(self, weights=made.diagnostics.plain(), propensities=fitted.diagnostics.plain())
        return Training(weights=weights)
