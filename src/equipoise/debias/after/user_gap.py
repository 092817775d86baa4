"""A re-ranker that brings groups of users to lists of equal quality, by better lists before worse ones."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, PositiveInt

from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.after.gap_search import Found, GapSearch, Limits
from equipoise.debias.after.groups import attribute_obstacle, attribute_of, user_groups
from equipoise.debias.after.held_out import HeldOut
from equipoise.debias.after.pools import Floats, Pool
from equipoise.debias.correction import AfterTraining, Bias, Context, Reranker
from equipoise.errors import DataError
from equipoise.models.recommender import Recommender
from equipoise.statistics import Interval, bootstrap_difference, bootstrap_means, resampled_sums

_NEAR = 5e-3  # of the quality: as near as weights between two points of the path come
_LEVEL = 0.05
_DRAWS = 1000


class UserGap(AfterTraining):
    """Re-rank until no two groups of users differ in NDCG by more than `epsilon`, on held-out events (after the
    user-oriented fairness of Li et al. 2021, without an integer programme).

    Two means, in this order. Groups that are served worse get scores that go by what their own members chose
    lately, where that makes their held-out lists better. Where that is not enough, groups that are served better
    get less popular items, only so far as to close the gap and to cost at most `max_loss` of the quality over all
    users: their lists get worse, which the report calls levelling down. It goes no further than one standard
    deviation of score per standard deviation of log-popularity, because more did not carry over to later events.
    All is chosen on held-out events, by the lists of the model that knows training alone, which flatters what is
    measured on the same events; the report also has the gap of each half of the held-out users under what was found
    on the other half. Users whose group is not known keep their lists.

    Lists that follow what a group chose also tell the group: who sees them can guess it far better than before (on
    MovieLens-1M with EASE the balanced accuracy of the best of four attackers rose from .63 to .86). So this does not
    go with the removal of the same attribute.
    """

    name: ClassVar[str] = "user_gap"
    against: ClassVar[tuple[Bias, ...]] = ("group gap",)
    chooses: ClassVar[bool] = True

    attribute: str | None = None
    """Column of the users; None for the data's first sensitive column."""
    epsilon: float = Field(0.0, ge=0)
    """Largest gap left on held-out events, as a share of the quality over all users."""
    max_loss: float = Field(0.02, ge=0, lt=1)
    """How much of the quality over all users may be given up on held-out events, as a share of it."""
    level_down: bool = True
    """Whether lists of groups that are served better may be made worse."""
    cutoff: PositiveInt = 10
    """Length of the lists whose NDCG is the quality."""
    least_users: int = Field(50, ge=4)
    """Groups with fewer users with held-out events are left alone."""
    certain: bool = True
    """Whether to act only on a gap that can be told from none on held-out events, by a permutation test at 5 %."""

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """No attribute with two values."""
        return attribute_obstacle(data, self.attribute)

    def prepare(self, context: Context) -> Reranker:
        """Search on held-out events; see `AfterTraining.prepare`.

        Raises:
            DataError: also if the users have no such attribute, or all the same.
            ModelError: if there are no held-out events.
        """
        if (reason := attribute_obstacle(context.data, self.attribute)) is not None:
            raise DataError(f"Users cannot be told apart: {reason}")
        attribute = str(attribute_of(context.data, self.attribute))
        held_out = HeldOut.of(self, context, max(self.pool, self.cutoff))
        names, groups = user_groups(context.data, attribute, held_out.users)
        assert context.model is not None  # or there were no held-out pools
        items = context.model.catalogue.items  # not the pools', so that lists do not depend on who else asks
        limits = Limits(self.epsilon, self.max_loss, self.level_down, self.cutoff, self.least_users)
        members, rng = _members(context.data, attribute, names), context.runtime.rng(self.name)
        search = GapSearch(context.data, held_out, items, groups, members, limits, rng)
        chance = search.chance(context.runtime.seed)
        found = search.untouched() if self.certain and not _certain(chance) else search.run()
        told = _told(found, names, context.runtime.seed) | {"p_value_of_no_gap": chance}
        if found.settings:
            told |= _told_of_others(found, search.on_others(), context.runtime.seed)
        warnings = self._warnings(found, names, told)
        # the last row and the last column, which -1 leads to: group not known, item not in the catalogue
        tilts = np.zeros((len(names) + 1, len(items) + 1))
        for g, setting in found.settings.items():
            tilts[g, :-1] = search.tilt(g, setting)

        def tilted(pool: pl.DataFrame, context: Context, k: int) -> pl.DataFrame:
            if pool.is_empty():
                return pool
            laid = Pool.of(pool)
            said = [*laid.warnings(k), *warnings]
            context.report(self, **laid.size(k), grouped_by=attribute, **told, warnings=said)
            if not found.settings:
                return laid.lists(laid.unchanged, k)
            whose, item = user_groups(context.data, attribute, laid.users)[1], laid.located(items)
            return laid.lists(laid.best(laid.standardised + tilts[whose[:, None], item], k), k)

        return tilted

    def rerank(self, pool: pl.DataFrame, context: Context, k: int) -> pl.DataFrame:
        """See `AfterTraining.rerank`."""
        return pool if pool.is_empty() else self.prepare(context)(pool, context, k)

    def _warnings(self, found: Found, names: list[str], told: dict[str, Any]) -> list[str]:
        few = [name for g, name in enumerate(names) if g not in found.judged]
        said = [
            f"Left alone, for fewer than {self.least_users} of their users have held-out events: {', '.join(few)}."
        ] if few else []  # fmt: skip
        if len(found.judged) < 2:
            return [*said, "There are not two groups with enough held-out users, so nothing was changed."]
        if found.relative_gap(found.before) <= self.epsilon:
            return said
        if not _certain(chance := told["p_value_of_no_gap"]):
            unsure = f"The gap on held-out events cannot be told from none (p = {chance:.2g})"
            if self.certain:
                return [*said, f"{unsure}, so nothing was changed."]
            if found.settings:
                said.append(f"{unsure}: what was corrected may be chance.")
        change = told["gap_on_users_not_chosen_by"]["change"] if found.settings else {"high": -1.0}
        if change["high"] >= 0:
            said.append(
                f"On users not chosen by, the gap changes by {change['value']:+.4f} (95 % interval "
                f"{change['low']:+.4f} to {change['high']:+.4f}): that it is smaller on the users chosen by may be "
                "chance."
            )
        if found.relative_gap(found.after) > self.epsilon + _NEAR:
            limit = f"at most {self.max_loss:.1%} of the quality may be given up" if self.level_down else (
                "levelling down is not allowed"
            )  # fmt: skip
            said.append(
                f"The gap on held-out events is still {found.relative_gap(found.after):.1%} of the quality, above the "
                f"{self.epsilon:.1%} asked for: better lists did not suffice, and {limit}."
            )
        if found.levelled:
            down = ", ".join(names[g] for g in found.levelled)
            said.append(f"Levelled down: the lists of {down} were made worse to close the gap.")
        return said


def _members(data: Dataset, attribute: str, names: list[str]) -> list[pl.Series]:
    """All users of each group."""
    assert data.users is not None
    groups = user_groups(data, attribute, data.users[v.USER])[1]
    return [data.users[v.USER].filter(pl.Series(groups == g)) for g in range(len(names))]


def _certain(chance: float | None) -> bool:
    return chance is not None and chance < _LEVEL


def _ends(found: Found) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Who is in the group served best before, and who in the one served worst."""
    means = found.means(found.before)
    best, worst = (found.groups == found.judged[int(place)] for place in (means.argmax(), means.argmin()))
    return best, worst


def _gap(found: Found, values: Floats, seed: int) -> dict[str, float | None]:
    """The gap between the best- and the worst-served group before, with its interval over users."""
    best, worst = _ends(found)
    return _plain(bootstrap_difference(values[best], values[worst], seed=seed)[0])


def _change(found: Found, after: Floats, seed: int) -> dict[str, float | None]:
    """Size of that gap after, less its size before, with its percentile interval over users."""
    rng, stages = np.random.default_rng(seed), np.stack([found.before, after], axis=1)
    best, worst = (stages[rows] for rows in _ends(found))
    gaps = np.vstack([best.mean(axis=0), resampled_sums(best, _DRAWS, rng) / len(best)])
    gaps -= np.vstack([worst.mean(axis=0), resampled_sums(worst, _DRAWS, rng) / len(worst)])
    change = np.abs(gaps[:, 1]) - np.abs(gaps[:, 0])
    low, high = np.quantile(change[1:], [0.025, 0.975])
    return {"value": float(change[0]), "low": float(low), "high": float(high)}


def _told_of_others(found: Found, after: Floats, seed: int) -> dict[str, Any]:
    """The same for users who were not chosen by, each half under what was found on the other."""
    return {
        "gap_on_users_not_chosen_by": {
            "before": _gap(found, found.before, seed),
            "after": _gap(found, after, seed),
            "change": _change(found, after, seed),
        },
        "relative_loss_on_users_not_chosen_by": _loss(found, after),
    }


def _loss(found: Found, after: Floats) -> float:
    """Share of the quality over all users that is lost."""
    return 1 - float(after.mean() / found.before.mean()) if found.before.any() else 0.0


def _told(found: Found, names: list[str], seed: int) -> dict[str, Any]:
    """What the search did, as plain values; all on held-out events, by which it chose."""
    stages = {"before": found.before, "helped": found.helped, "after": found.after}
    means = {stage: found.means(values) for stage, values in stages.items()}
    told: dict[str, Any] = {
        "quality": {stage: float(values.mean()) for stage, values in stages.items()},
        "groups": {
            names[g]: {stage: float(values[place]) for stage, values in means.items()}
            for place, g in enumerate(found.judged)
        },
        "helped": {
            names[g]: {
                "late": found.settings[g].late,
                "weight": found.settings[g].taste,
                "gain_on_users_not_chosen_by": _plain(bootstrap_means(gained, seed=seed)[0]),
            }
            for g, gained in found.gained.items()
        },
        "levelled_down": {names[g]: {"novelty": weight} for g, weight in found.levelled.items()},
        "relative_loss": _loss(found, found.after),
    }
    if len(found.judged) > 1:
        told["gap"] = {stage: _gap(found, values, seed) for stage, values in stages.items()}
        gaps = {stage: found.gap(values) for stage, values in stages.items()}
        told["closed_by_better_lists"] = gaps["before"] - gaps["helped"]
        told["closed_by_worse_lists"] = gaps["helped"] - gaps["after"]
    return told


def _plain(interval: Interval) -> dict[str, float | None]:
    return interval.as_dict()
