"""A penalty on what groups of users are treated to differently, added to the loss."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import NonNegativeFloat

from equipoise.data import Dataset
from equipoise.debias.after.groups import attribute_obstacle, attribute_of, user_groups
from equipoise.debias.correction import Bias, Context, DuringTraining
from equipoise.errors import DataError, MissingExtraError
from equipoise.models.histories import Catalogue
from equipoise.models.recommender import Recommender
from equipoise.models.training import Training

Term = Literal["auto", "value", "absolute", "under", "over", "non_parity", "loss"]
_FEW = 10  # users of a group, below which its means are noise


class FairRegularizer(DuringTraining):
    """A penalty on the difference between groups of users, added to the loss at every step (Yao and Huang 2017,
    "Beyond parity: fairness objectives for collaborative filtering", section 3).

    For ratings: of each item, the mean error of what is said to one group and to the others are compared. `value` is
    by how much these errors differ, `absolute` by how much their sizes do, `under` and `over` by how much one group is
    rated too low, or too high, more than the others; the term is the mean over items. `non_parity` is the difference of
    the mean ratings said, whatever the true ones are. Of more than two groups each is held against all others, and the
    mean is taken. For losses of choice, where errors have no sign, `loss` is the difference of the groups' mean losses;
    this form is our own. It moves the worse-off group alone: that the others be served worse is no aim. Where a group
    fares worse because its events tell less, that makes the model learn their noise, and may widen the gap.

    Terms are estimated on the examples of a step: batches should hold several ratings of an item by each group, and the
    model must be free enough to tell groups apart. A model that gives everybody the same
    popular list has small differences and serves nobody; how alike lists are is reported, with a warning.
    """

    name: ClassVar[str] = "fair_regularizer"
    against: ClassVar[tuple[Bias, ...]] = ("group gap",)

    attribute: str | None = None
    """A column of the users; None for the first sensitive one."""

    term: Term = "auto"
    """What is to be equal; `auto` is `value` for ratings and `loss` for choices."""

    strength: NonNegativeFloat = 1.0
    """Weight of the term."""

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """It needs a model trained by gradient descent, an attribute, and ratings for all terms but `loss`."""
        if "losses" not in recommender.takes:
            return f"the model '{recommender.name}' takes no further losses."
        rating = getattr(recommender, "loss", None) == "rating"
        if not rating and self.term not in ("auto", "loss"):
            return f"the term '{self.term}' is of ratings, and '{recommender.name}' is not trained on them; use 'loss'."
        if rating and self.term == "loss":
            return "the term 'loss' is of choices, and the model is trained on ratings; use 'value'."
        return attribute_obstacle(data, self.attribute)

    def training(self, data: Dataset, context: Context) -> Training:
        """The penalty.

        Raises:
            DataError: if users cannot be told apart by the attribute.
            MissingExtraError: if torch is not installed.
        """
        try:
            from equipoise.debias.during.fairness import Penalty
        except ModuleNotFoundError as error:
            raise MissingExtraError("torch", extra="llm", purpose=f"The correction '{self.name}'") from error
        if reason := attribute_obstacle(data, self.attribute):
            raise DataError("Groups of users cannot be compared", where=reason, todo="Set `attribute`.")
        column, catalogue = str(attribute_of(data, self.attribute)), Catalogue.of(data)
        names, codes = user_groups(data, column, catalogue.users)
        codes = np.where(catalogue.user_counts > 0, codes, -1)
        sizes = {name: int((codes == code).sum()) for code, name in enumerate(names)}
        few = [name for name, size in sizes.items() if size < _FEW]
        warnings = [
            f"The group '{name}' has {sizes[name]} users: its means are mostly chance." for name in few
        ]
        context.report(self, column=column, users=sizes, warnings=warnings)
        told = context.diagnostics[next(reversed(context.diagnostics))]
        warm = np.flatnonzero(catalogue.item_counts > 0)
        return Training(losses=(Penalty(codes, warm, self.term, self.strength, told),))
