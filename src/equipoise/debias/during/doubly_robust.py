"""Doubly robust training on ratings: right where either the propensities or the imputed errors are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat, PositiveInt

from equipoise.causal.propensity import FittedPropensity, Weights
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.correction import Bias, Context
from equipoise.debias.during.inverse_propensity import InversePropensity, tasteful
from equipoise.errors import DataError, MissingExtraError
from equipoise.models.attributes import Choice, attributes
from equipoise.models.histories import Catalogue, locate
from equipoise.models.recommender import Recommender
from equipoise.models.training import Training

if TYPE_CHECKING:
    from torch import Tensor

    from equipoise.debias.during.imputation import Imputation


class DoublyRobust(InversePropensity):
    """Doubly robust training beside an imputation model (after Wang, Zhang, Sun and Qi 2019, "Doubly robust joint
    learning for recommendation on data missing not at random", section 4).

    The loss is the mean imputed error of all cells of users with a rating, seen or not, plus the
    inverse-propensity-weighted difference of true and imputed error of the cells seen. Its expectation is the
    error over all cells if the propensities are right or the imputed errors are, and it is less noisy than weights
    alone. An imputed error is that against a pseudo-rating g of a second factorisation, which is learned beside
    the model from the propensity-weighted ratings y. With imputed and true residuals both taken against the
    model's score, their difference is g - y, in which the score cancels: the imputation model is learned the same
    whatever the model says, and does not follow the model's errors as the joint learning of the paper lets it.

    It needs propensities of the cells seen only. Where the scale of these is not known, weights are
    self-normalised.
    """

    name: ClassVar[str] = "dr_jl"
    against: ClassVar[tuple[Bias, ...]] = ("selection",)

    width: PositiveInt = 8
    """Factors of the imputation model."""

    shrinkage: NonNegativeFloat = 0.3
    """Weight of its squared factors and biases, per example."""

    attributes: Choice = "none"
    """Columns of users and items that the imputation model reads; best those that the model reads."""

    cells: int = Field(1_000_000, ge=1)
    """Most cells per step over which imputed errors are averaged; where there are more, items are drawn."""

    joint: bool = False
    """Whether the imputation model learns the squared errors of the model as it stands, and not ratings beside it."""

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """It needs ratings, a model that is trained on them by gradient descent, and what weights need."""
        if "heads" not in recommender.takes or getattr(recommender, "loss", None) != "rating":
            return f"it corrects squared errors of ratings, and the model '{recommender.name}' is not trained on them."
        if v.VALUE not in data.events.columns or data.positives[v.VALUE].null_count():
            return "it needs a rating for every event of taste."
        reason = super().obstacle(data, recommender)
        if reason is None and self.chosen(data) == "given":
            column = data.positives[str(self.options.get("column", v.PROPENSITY))]
            if missing := column.null_count():
                return f"it needs a propensity for every rating, and {missing} of {len(column)} have none."
        return reason

    def fitted(self, data: Dataset, seed: int) -> FittedPropensity:
        """Propensities of the rows of `data.events`; the cells are those of users with a rating, over which imputed
        errors are averaged too.
        """
        if data.users is not None:
            rating = data.users[v.USER].is_in(data.positives[v.USER].unique().implode())
            data = replace(data, users=data.users.filter(rating))
        return super().fitted(data, seed)

    def weigh(self, fitted: FittedPropensity, rows: NDArray[np.bool_]) -> Weights:
        """Weights of those of `rows` that have a propensity, divided by what they should average to, or else by what
        they do average to.
        """
        return fitted.weights(rows) if fitted.expected_weight is None else super().weigh(fitted, rows)

    def training(self, data: Dataset, context: Context) -> Training:
        """Weights per row of `data.events`, and the imputation model as a head.

        Raises:
            ConfigError: if the propensity model or one of its options does not exist.
            DataError: if propensities are malformed or missing, or the weights leave nothing to learn from.
            MissingExtraError: if torch is not installed.
        """
        try:
            kind = self._head()
        except ModuleNotFoundError as error:
            raise MissingExtraError("torch", extra="llm", purpose=f"The correction '{self.name}'") from error
        fitted = self.fitted(data, context.runtime.seed)
        taste = tasteful(data)
        if missing := int((taste & ~fitted.known).sum()):
            raise DataError(
                f"The correction '{self.name}' needs a propensity for every rating",
                where=f"{missing} of {int(taste.sum())} have none",
                todo="Choose a propensity model that covers all of them, or drop the others.",
            )
        weights, diagnostics = self.row_weights(data, fitted)
        catalogue = Catalogue.of(data)
        users, items = (
            locate(ids, data.events[column])[taste]
            for ids, column in ((catalogue.users, v.USER), (catalogue.items, v.ITEM))
        )
        ratings = data.positives[v.VALUE].cast(float).to_numpy()
        head = kind(
            events=(
                np.bincount(users, minlength=len(catalogue.users)),
                np.bincount(items, minlength=len(catalogue.items)),
            ),
            mean=float(np.average(ratings, weights=weights[taste])),
            width=self.width,
            shrinkage=self.shrinkage,
            cells=self.cells,
            known=None if self.attributes == "none" else attributes(data, catalogue, self.attributes),
            seed=int(context.runtime.rng("cells").integers(2**31)),
            emphasis=self._emphasis(
                users * len(catalogue.items) + items, fitted.values[taste], len(catalogue.items)
            ),
            joint=self.joint,
        )
        self.tell(
            data, context, fitted, diagnostics, cells=int((head.events[0] > 0).sum()) * len(catalogue.items)
        )
        return Training(weights=weights, heads=(head,))

    def _head(self) -> type[Imputation]:
        """What is handed to the training."""
        from equipoise.debias.during.imputation import Imputation

        return Imputation

    def _emphasis(
        self, cells: NDArray[np.int64], propensity: NDArray[np.float64], items: int
    ) -> Callable[[Tensor, Tensor], Tensor] | None:
        """By how much more than its weight a cell counts when imputed errors are learned; None for no more."""
        return None


class MoreRobust(DoublyRobust):
    """Doubly robust training whose imputation model is learned where the estimate's variance comes from (after
    Guo et al. 2021, "Enhanced doubly robust learning for debiasing post-click conversion rate estimation",
    section 4.1).

    The imputation loss weighs a cell by (1 - p) / p² instead of 1 / p; propensities of the cells seen are
    enough for it too. The factor (1 - p) / p is divided by its mean, so that only ratios matter.
    """

    name: ClassVar[str] = "mrdr"

    def _emphasis(
        self, cells: NDArray[np.int64], propensity: NDArray[np.float64], items: int
    ) -> Callable[[Tensor, Tensor], Tensor] | None:
        import torch

        known, place, count = np.unique(cells, return_inverse=True, return_counts=True)
        odds = np.bincount(place, (1 - propensity) / propensity) / count
        if not odds.any():
            raise DataError(
                "All propensities are 1, so that nothing is left to impute", where=f"{len(odds)} cells"
            )
        factors = torch.from_numpy((odds / odds.mean()).astype(np.float32))
        keys = torch.from_numpy(known)
        return lambda users, targets: factors[torch.searchsorted(keys, users * items + targets)]
