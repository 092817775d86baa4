"""Removal of attributes from what a model knows of its users."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from equipoise.data import Dataset
from equipoise.debias.correction import Bias, Context, DuringTraining
from equipoise.debias.during.eraser import Eraser, Moments
from equipoise.debias.during.labels import Labels
from equipoise.errors import DataError, MissingExtraError
from equipoise.models.histories import Catalogue
from equipoise.models.recommender import Recommender
from equipoise.models.training import Head, Training

_NEEDS = {"filter": {"filter"}, "reversal": {"heads"}, "both": {"filter", "heads"}}
_FEW = 10  # users of a class, below which nothing about it can be learned
_CELLS = 200  # combinations of classes, each of which has a map of its own


class Adversarial(DuringTraining):
    """Vectors of users from which attributes cannot be read (Bose and Hamilton 2019, "Compositional fairness
    constraints for graph embeddings"; Ganin et al. 2016, "Domain-adversarial training of neural networks").

    A filter stands between what the model learns of a user and all that reads it. It is the closed form of what
    a linear adversary would drive a model to: after every epoch it makes the means, and on demand the covariances,
    of all classes equal, and the model trains on through it, so that items adapt to what is left. Adversaries are
    networks that learn the attribute while the gradient that leaves them is turned round; they reach what moments
    do not tell, and unlearn it in the model itself. One filter, or one set of adversaries, per attribute; all
    attributes of one correction are removed from the same vectors.

    Who is protected: with `means`, all users, those of unknown attribute and strangers to the model too, against
    linear readers. With `covariances`, the users whose attribute is given, and nobody else: a user's map depends
    on the class, which must be known and whose use must be allowed. Users of unknown attribute may then be read
    nearly as without any filter; strangers go through a map that needs no label, against linear readers only.
    Adversaries, too, look only at users whose attribute is given. In matrix factorisation, where every user has a
    vector of their own, that leaves all others as they were; beside a filter (`both`) it draws the given users
    apart from them, so that not even `means` protects the others any more, the less the greater the strength.

    What it cannot do: lists still follow from tastes, and what was taken out of vectors can be read from lists
    in part (attack both). What is removed is missing from recommendations, so that quality falls where taste and
    attribute go together, and the gap between groups may rise. Moments are not all: neighbours, trees and networks
    find what is left, which adversaries lessen; whether they do is for fresh attackers to say. Where means are
    exactly equal, some users lean against the rest, and attackers who learned from the rest do worse than chance on
    them: a value below chance can be turned round, and tells as much as one above.
    """

    name: ClassVar[str] = "adversarial"
    against: ClassVar[tuple[Bias, ...]] = ("leakage",)

    attributes: tuple[str, ...] | None = None
    """Columns of the users table; None for the first sensitive one."""
    how: Literal["filter", "reversal", "both"] = "filter"
    """`filter`: in closed form, after each epoch; `reversal`: by adversaries; `both`: adversaries read what the filter
    leaves."""
    moments: Moments = "means"
    """What the filter makes equal among classes: `means`, by one map for all users that needs no label; or
    `covariances` too, by a map for each class, which protects only users whose attribute is given."""
    left: float = Field(0.0, ge=0)
    """Distance between the means of classes that `covariances` leaves, in standard deviations within classes. Chance
    alone would put classes of n and m users sqrt(width (1/n + 1/m)) apart; where means are exactly equal, attackers
    who learn from some users do worse than chance on the others."""
    strength: float = Field(0.02, ge=0)
    """Factor of the adversaries' gradient as it reaches the model."""
    adversaries: PositiveInt = 3
    """Networks per attribute, each from another start."""
    warmup: int = Field(200, ge=0)
    """Steps over which the strength rises from 0, so that adversaries know something before they are heard."""

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """See `Correction.obstacle`."""
        if not _NEEDS[self.how] <= recommender.takes:
            return (
                f"nothing can be taken out of the vectors of '{recommender.name}' while it learns; it is not "
                "trained by gradient descent, as mf and sequence are."
            )
        try:
            labels = self._labels(data)
        except DataError as error:
            return error.paragraph
        if self.how != "reversal" and len(labels.cells) > _CELLS:
            return (
                f"the attributes {', '.join(labels.classes)} have {len(labels.cells):,} combinations of classes, and "
                f"a filter serves at most {_CELLS}; join classes, or name fewer attributes."
            )
        return None

    def training(self, data: Dataset, context: Context) -> Training:
        """A filter, adversaries, or both.

        Raises:
            DataError: if there is no such attribute, or it has one class or more than 50.
            MissingExtraError: if torch is not installed.
        """
        labels = self._labels(data)
        counts = {
            attribute: {name: int((codes == code).sum()) for code, name in enumerate(names)}
            for (attribute, names), codes in zip(labels.classes.items(), labels.codes.T, strict=True)
        }
        unknown = {
            attribute: int((codes < 0).sum())
            for attribute, codes in zip(labels.classes, labels.codes.T, strict=True)
        }
        context.report(self, users=counts, unknown=unknown, warnings=self._warnings(counts, unknown))
        return Training(
            heads=self._heads(labels, data) if self.how != "filter" else (),
            filter=Eraser(labels, self.moments, self.left) if self.how != "reversal" else None,
        )

    def _labels(self, data: Dataset) -> Labels:
        if self.attributes is None and not data.sensitive:
            raise DataError(
                "No attribute to remove is named, and the data names no sensitive column",
                todo="Give `attributes`, or [data] sensitive.",
            )
        return Labels.of(data, tuple(dict.fromkeys(self.attributes or data.sensitive[:1])))

    def _warnings(self, counts: dict[str, dict[str, int]], unknown: dict[str, int]) -> list[str]:
        """What a reader of the result should know."""
        told = [
            f"The class '{name}' of '{attribute}' has {count} users, too few to say whether it can still be read."
            for attribute, classes in counts.items()
            for name, count in classes.items()
            if count < _FEW
        ]
        told += [
            f"Of {count:,} users '{attribute}' is not known: {self._of_unknown}"
            for attribute, count in unknown.items()
            if count
        ]
        return [*told, self._limits]

    @property
    def _of_unknown(self) -> str:
        """What is done for users of unknown attribute."""
        if self.how != "filter":
            return (
                "no adversary looks at them; they are not protected, and may be read as without a correction."
            )
        if self.moments == "covariances":
            return "they are not protected, and may be read as without a filter. `means` would protect them."
        return "their vectors go through the same filter, and are protected against linear readers only."

    @property
    def _limits(self) -> str:
        """What is not done for anybody."""
        if self.how == "reversal":
            return (
                "Adversaries act on the users whose attribute was given; in matrix factorisation, new users and "
                "strangers may be read as without a correction. What fresh attackers still read is for them to say."
            )
        if self.moments == "covariances":
            return (
                "`covariances` protects the users whose attribute was given. New users and strangers are protected "
                "against linear readers only, and equal moments do not stop every reader: ask fresh attackers."
            )
        return "Equal means stop linear readers; neighbours, trees and networks may still read: ask fresh attackers."

    def _heads(self, labels: Labels, data: Dataset) -> tuple[Head, ...]:
        try:
            from equipoise.debias.during.adversaries import Adversary
        except ModuleNotFoundError as error:
            raise MissingExtraError("torch", extra="llm", purpose="The correction 'adversarial'") from error
        codes = labels.rows(Catalogue.of(data).users)
        return tuple(
            Adversary(f"adversary_{place}", codes[:, place], self.adversaries, self.strength, self.warmup)
            for place in range(codes.shape[1])
        )
