"""Inverse-propensity weights on training events, for any loss that takes weights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from equipoise.causal.propensity import Diagnostics, FittedPropensity, Weights, propensities
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive
from equipoise.debias.correction import Bias, Context, DuringTraining
from equipoise.debias.during.card import card
from equipoise.errors import ConfigError, DataError
from equipoise.models.recommender import Recommender
from equipoise.models.training import Training

_LITTLE_LEFT = 0.1
_HEAVY = 0.5
_MUCH_CLIPPED = 0.05
_FACTOR = 1.5
_FEWEST, _ENOUGH = 2.0, 20
_OFF = 5.0
_SILENT = 0.1
_OF_PLACES = {"position", "dual_learning"}


class InversePropensity(DuringTraining):
    """Each event counts 1 / propensity, its propensity being how likely the logger was to bring it about
    (Schnabel et al. 2016, section 4).

    What was shown often anyway counts less and what was rarely shown counts more, so that the weighted
    events stand for those of a logger that shows all items alike. Weights make training noisier: how much is
    said by the effective sample size in the diagnostics. A model that was just regular enough without them
    needs more regularisation.

    To keep the scale of the loss, weights are divided by what they should average to if the propensities are
    right, where that is known (cells per rating of a matrix, candidates per place of a slate), and never by
    what they do average to: the estimate stays unbiased.
    """

    name: ClassVar[str] = "ips"
    against: ClassVar[tuple[Bias, ...]] = ("selection", "popularity", "exposure")
    estimand: ClassVar[str] = "all_items_alike"
    """What the weighted events stand for: a logger that shows all items alike, or one whose places are looked at
    alike (`all_places_alike`)."""

    propensity: str = "auto"
    """A propensity model: given, popularity, position, logistic or naive_bayes; `auto` is `given` where the log
    has propensities, else popularity."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Fields of the propensity model."""

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """It needs a model that takes weights, and what its propensity model needs of the log's columns."""
        if "weights" not in recommender.takes:
            return f"the model '{recommender.name}' takes no weights."
        if self.propensity == "given" and not _logged(
            data.events, str(self.options.get("column", v.PROPENSITY))
        ):
            return "the log has no propensities; choose another propensity model."
        try:
            propensities.build(self.chosen(data), self.options).check(data.events)
        except (ConfigError, DataError) as error:
            return str(error)
        return None

    def chosen(self, data: Dataset) -> str:
        """The name of the propensity model, `auto` resolved."""
        if self.propensity != "auto":
            return self.propensity
        return "given" if _logged(data.events, v.PROPENSITY) else "popularity"

    def fitted(self, data: Dataset, seed: int) -> FittedPropensity:
        """Propensities of the rows of `data.events`.

        Raises:
            ConfigError: if the propensity model or one of its options does not exist.
            DataError: if the log lacks what the model needs, or holds malformed propensities.
        """
        model = propensities.build(self.chosen(data), self.options)
        return model.fit(data.events, data.users, data.items, seed=seed)

    def weigh(self, fitted: FittedPropensity, rows: NDArray[np.bool_]) -> Weights:
        """Weights of those of `rows` that have a propensity, in their order."""
        made = fitted.weights(rows, self_normalise=False)
        return replace(made, values=made.values / (fitted.expected_weight or 1.0))

    def training(self, data: Dataset, context: Context) -> Training:
        """Weights per row of `data.events`.

        Positive events with a propensity are weighed; all other rows (impressions, searches, what was bought
        without being shown) keep weight 1.

        Raises:
            ConfigError: if the propensity model or one of its options does not exist.
            DataError: if propensities are malformed, no positive event has one, or the weights leave nothing
                to learn from.
        """
        fitted = self.fitted(data, context.runtime.seed)
        weights, diagnostics = self.row_weights(data, fitted)
        mean = float(weights[tasteful(data) & fitted.known].mean())
        unscaled = (
            f"The weights average to {mean:.3g}; the model's regularisation counts as much less or more."
        )
        self.tell(data, context, fitted, diagnostics, warnings=[unscaled] * (not 1 / _OFF <= mean <= _OFF))
        return Training(weights=weights)

    def row_weights(self, data: Dataset, fitted: FittedPropensity) -> tuple[NDArray[np.float32], Diagnostics]:
        """Weights per row of `data.events`, and what is to be known of them.

        Raises:
            DataError: if no positive event has a propensity, or the weights leave nothing to learn from.
        """
        taste = tasteful(data)
        rows = taste & fitted.known
        if not rows.any():
            raise DataError(
                f"No event of taste has a propensity of the model '{self.chosen(data)}'",
                where=f"{int(taste.sum())} such events",
                todo="Choose another propensity model, or log propensities with the clicks.",
            )
        made = self.weigh(fitted, taste)
        size = made.diagnostics.effective_sample_size
        if size < _FEWEST and rows.sum() >= _ENOUGH:
            raise DataError(
                "The weights explode: one event outweighs all others together",
                where=f"{int(rows.sum())} events are worth {size:.2g} equally weighted ones; the smallest propensity "
                f"is {made.diagnostics.lowest:.3g}",
                todo="Use 'clipped_ips' with a low `clip`, or propensities that are not so small.",
            )
        weights = np.ones(len(data.events), dtype=np.float32)
        weights[rows] = made.values
        return weights, made.diagnostics

    def tell(
        self,
        data: Dataset,
        context: Context,
        fitted: FittedPropensity,
        diagnostics: Diagnostics,
        **values: Any,
    ) -> None:
        """Report the weights with their causal card, and a sentence for each thing that is wrong with them."""
        warnings = [
            *_warnings(diagnostics, fitted),
            *_twice(self.chosen(data), context),
            *_silent(data, fitted),
        ]
        if self.propensity == "auto" and self.chosen(data) == "popularity":
            warnings.insert(
                0, "The log has no propensities: they are guessed from the popularity of the items."
            )
        context.report(
            self,
            model=self.chosen(data),
            weights=diagnostics.plain(),
            propensities=fitted.diagnostics.plain(),
            card=card(self, data, fitted, diagnostics),
            warnings=[*warnings, *values.pop("warnings", ())],
            **values,
        )


class SelfNormalised(InversePropensity):
    """Weights 1 / propensity divided by their own mean (Swaminathan and Joachims 2015; Schnabel et al. 2016,
    section 3.3).

    A little bias for much less noise, and no need to know the scale of the propensities: relative ones do.
    """

    name: ClassVar[str] = "snips"

    def weigh(self, fitted: FittedPropensity, rows: NDArray[np.bool_]) -> Weights:
        """Weights of those of `rows` that have a propensity, in their order, of mean 1."""
        return fitted.weights(rows)


class Clipped(SelfNormalised):
    """Weights 1 / propensity, cut at a multiple of their mean, then divided by their own mean.

    What is cut stays biased towards what was shown often; the share cut is reported.
    """

    name: ClassVar[str] = "clipped_ips"

    clip: float = Field(10.0, gt=0)
    """Largest weight, in multiples of the mean weight."""

    def weigh(self, fitted: FittedPropensity, rows: NDArray[np.bool_]) -> Weights:
        """Weights of those of `rows` that have a propensity, in their order, of mean 1."""
        return fitted.weights(rows, clip=self.clip)


def tasteful(data: Dataset) -> NDArray[np.bool_]:
    """Which rows of the events tell of taste."""
    return data.events.select(positive(data.events).fill_null(False)).to_series().to_numpy()


def _logged(events: pl.DataFrame, column: str) -> bool:
    """Whether some event of taste has a propensity."""
    return column in events.columns and bool(
        events.select((positive(events) & pl.col(column).is_not_null()).any()).item()
    )


def _silent(data: Dataset, fitted: FittedPropensity) -> list[str]:
    """A sentence if many users of the table tell nothing, where cells are counted."""
    if data.users is None or fitted.expected_weight is None:
        return []
    silent = len(data.users) - data.positives[v.USER].n_unique()
    if silent <= _SILENT * len(data.users):
        return []
    return [
        f"{silent} of {len(data.users)} users have no event; they count as users who could have had some. Leave out "
        "those who could not."
    ]


def _twice(model: str, context: Context) -> list[str]:
    """A sentence if the log's own propensities and those of places are multiplied."""
    models = {told.get("model") for told in context.diagnostics.values() if "propensities" in told}
    if not ({"given"} & {model, *models} and _OF_PLACES & {model, *models} and {model} - models):
        return []
    return [
        "The log's propensities and those of places are multiplied: where the former are of an item at its place, "
        "they spread every item over all places by themselves, and the latter only add noise."
    ]


def _warnings(weights: Diagnostics, fitted: FittedPropensity) -> list[str]:
    """What is wrong with the weights, in sentences."""
    mean = fitted.mean_weight
    checks = {
        f"{weights.rows} weighted events are worth {weights.effective_sample_size:.0f} equally weighted ones "
        f"({weights.effective_share:.1%}): training is noisy.": weights.effective_share < _LITTLE_LEFT,
        f"The heaviest hundredth of the events carries {weights.top_share:.0%} of all weight; the largest weight is "
        f"{weights.largest_weight:.0f} times the mean.": weights.top_share > _HEAVY,
        f"{weights.share_clipped:.1%} of the weights were cut, which leaves bias.": weights.share_clipped
        > _MUCH_CLIPPED,
        f"{weights.without} events of taste have no propensity and keep weight 1.": weights.without > 0,
        f"The weights average to {mean or 0:.2f} where right propensities give 1: the propensities are wrong, "
        "or the tables hold users or items that the log is not about.": mean is not None
        and not 1 / _FACTOR <= mean <= _FACTOR,
    }
    return [sentence for sentence, found in checks.items() if found]
