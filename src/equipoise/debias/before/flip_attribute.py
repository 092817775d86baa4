"""Copies of users with the attribute changed and everything else as it was."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from equipoise.data import Dataset
from equipoise.debias.after import groups
from equipoise.debias.before.augmentation.adding import COUNTED, added, again, people, repeated
from equipoise.debias.before.augmentation.changing import changed
from equipoise.debias.before.augmentation.profiles import Profiles, obstacle
from equipoise.debias.correction import BeforeTraining, Bias, Context
from equipoise.models.recommender import Recommender

_ASSUMPTIONS = (
    "This is no counterfactual: it says what the log would be if the attribute of a user were another word and had "
    "changed nothing, neither what they were shown nor what they took. Where the attribute has consequences, the "
    "copies are of people who do not exist; `augment_counterfactual` regenerates the consequences, given a graph.",
)
_UNCHECKED = (
    "Whether the attribute has consequences for what users take: the log alone cannot say, only how they differ.",
    "Whether the model reads the attribute. One that does not learns from a copy what it would from more weight.",
    COUNTED,
)


class FlipAttribute(BeforeTraining):
    """Copies of users with another value of the attribute and the same profile, under ids of their own.

    Copied are the events of taste and the impressions, with their times, values, weights and propensities, without
    request, slate and place.

    A model that reads the attribute is told that it makes no difference (counterfactual data augmentation as for words
    of gender: Zhao et al. 2018, "Gender bias in coreference resolution", section 4.1; Lu et al. 2020). The name says
    what is done, since a counterfactual is something else: it changes what the attribute causes as well.
    """

    name: ClassVar[str] = "flip_attribute"
    against: ClassVar[tuple[Bias, ...]] = ("group gap",)

    attribute: str | None = None
    """Column of users that is changed; None for the first sensitive one."""
    whom: Literal["balance", "everyone"] = "balance"
    """Whether users of other groups are copied into those that have too few, or everyone once into another."""
    counted: Literal["events", "users"] = "events"
    """What a group may have too few of, for `balance`: pairs of users and items, or users."""
    share: float = Field(1.0, gt=0, le=1)
    """What each group is brought to by `balance`, as a share of what the largest has."""

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """See `Correction.obstacle`."""
        return obstacle(data, self.attribute)

    def transform(self, data: Dataset, context: Context) -> Dataset:
        """See `BeforeTraining.transform`.

        Raises:
            DataError: if users cannot be told apart by the attribute.
        """
        real = Profiles.of(data, self.attribute)
        rng = context.runtime.rng(self.name)
        rows, into = changed(real, self.whom, self.counted, self.share, rng)
        context.report(
            self,
            copies=len(rows),
            **_moved(real, rows, into),
            card={
                "assumptions": list(_ASSUMPTIONS),
                "checks": {"counterfactual": False, "overlap_of_groups": _overlap(real)},
                "unchecked": list(_UNCHECKED),
            },
            warnings=[*_warnings(len(rows)), *again(data)],
        )
        if not len(rows):
            return data
        column = groups.attribute_of(data, self.attribute)
        assert column is not None
        assert real.users is not None
        users = real.users.gather(rows)
        values = pl.Series(real.names, dtype=pl.String).gather(into)
        return added(data, repeated(data, users), people(data, column, values, users))


def _moved(real: Profiles, rows: Any, into: Any) -> dict[str, Any]:
    """Users of each group before, and copies into it."""
    n = len(real.names)
    before, copies = np.bincount(real.group, minlength=n), np.bincount(into, minlength=n)
    return {
        "groups": {
            name: {"users": int(users), "copies": int(more)}
            for name, users, more in zip(real.names, before, copies, strict=True)
        }
    }


def _overlap(real: Profiles) -> float:
    """How alike groups are in what they take: the least overlap of two shares of items, 0 for nothing in common."""
    shares = np.zeros((len(real.names), real.matrix.shape[1]))
    np.add.at(shares, (np.repeat(real.group, real.lengths), real.matrix.indices), 1.0)
    shares /= shares.sum(axis=1, keepdims=True)
    return min(
        float(np.minimum(one, other).sum())
        for place, one in enumerate(shares)
        for other in shares[place + 1 :]
    )


def _warnings(copies: int) -> list[str]:
    if not copies:
        return ["No group has fewer than the others, so that nobody was copied."]
    return [
        "Copies with the attribute changed are no counterfactuals: what the attribute causes is as it was. A model "
        "that does not read the attribute learns nothing new of any group from them."
    ]
