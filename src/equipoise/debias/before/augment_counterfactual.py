"""Users as they would have been with another value of the attribute, by a graph of what it causes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from equipoise.causal.graph import CausalGraph
from equipoise.causal.mechanisms.structural_model import StructuralModel
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.after import groups
from equipoise.debias.before.augmentation.adding import COUNTED, MODELLED, added, again, modelled, people
from equipoise.debias.before.augmentation.changing import changed
from equipoise.debias.before.augmentation.facts import (
    categories,
    complete,
    facts_of,
    function,
    implied,
    within_reach,
)
from equipoise.debias.before.augmentation.features import ACTIVITY, Features
from equipoise.debias.before.augmentation.profiles import Floats, Ints, Profiles
from equipoise.debias.before.augmentation.tilting import redrawn
from equipoise.debias.correction import BeforeTraining, Bias, Context
from equipoise.errors import EquipoiseError, ModelError, nearest
from equipoise.models.recommender import Recommender

_MISSED = 0.25  # of a feature's standard deviation
_ENOUGH = 10  # twins of a group, below which their mean is mostly chance
_ASSUMPTIONS = (
    "The graph is right and complete: what is not below the attribute in it stays as it was, and no two variables have "
    "a hidden common cause.",
    "Each number is a function of its causes plus a noise of its own that the change leaves alone.",
    "What is regenerated follows how the groups differ in the log: where they differ because of what they were shown, "
    "that difference is repeated, not removed.",
)
_UNCHECKED = (
    "Whether the graph is right where it is not contradicted; hidden common causes of what is in it.",
    "Which items the twin would have taken: the features are regenerated, and the items drawn so that they fit.",
    MODELLED,
    COUNTED,
)


@dataclass(frozen=True)
class _Twins:
    profiles: Profiles
    wanted: pl.DataFrame
    reached: tuple[str, ...]
    clipped: int


class AugmentCounterfactual(BeforeTraining):
    """Twins of users with another value of the attribute, and with what follows from that by a causal graph.

    A structural model with additive noise is fitted along the graph, over columns of the users and features of their
    profiles; the descendants of the attribute are computed anew with each user's own noise (abduction, action,
    prediction: Pearl 2009, section 7.1); and the twin's profile is drawn so that its features are those. Features are
    `activity` (logarithm of the number of items), `popularity` (mean logarithm of the items' counts) and `share.` with
    the name of each category of the items, as in `gender -> share.Books`. Without a graph there is no counterfactual;
    `flip_attribute` is what can be done then.
    """

    name: ClassVar[str] = "augment_counterfactual"
    against: ClassVar[tuple[Bias, ...]] = ("group gap",)

    graph: str | None = None
    """What causes what, as text: `gender -> share.Books; age -> activity`. Needed: no graph can be guessed."""
    attribute: str | None = None
    """Column of users that is changed; None for the first sensitive one."""
    category: str | None = None
    """Column of items that `share.` is of; None for the first that names categories."""
    whom: Literal["balance", "everyone"] = "balance"
    """Whether users of other groups get twins in those that have too few, or everyone one in another."""
    counted: Literal["events", "users"] = "events"
    """What a group may have too few of, for `balance`: pairs of users and items, or users."""
    share: float = Field(1.0, gt=0, le=1)
    """What each group is brought to by `balance`, as a share of what the largest has."""

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """See `Correction.obstacle`."""
        if self.graph is None:
            return (
                "no `graph` says what the attribute causes, and without one there is no counterfactual. "
                "`flip_attribute` is what can be done then: copies with the attribute changed and nothing else."
            )
        return groups.attribute_obstacle(data, self.attribute) or self._fault(data)

    def transform(self, data: Dataset, context: Context) -> Dataset:
        """See `BeforeTraining.transform`.

        Raises:
            ModelError: if there is no graph, or it does not fit the data.
            DataError: if fewer than 20 users have all that the graph names.
        """
        if (reason := self._fault(data)) is not None:
            raise ModelError(f"The correction '{self.name}' cannot act here: {reason}")
        graph = CausalGraph.parse(str(self.graph))
        column = str(groups.attribute_of(data, self.attribute))
        everyone = Profiles.of(data, self.attribute)
        features = Features.of(data, everyone, self.category)
        table = facts_of(data, everyone, features, column)
        real, facts = complete(everyone, table.select(graph.nodes))
        discrete = categories(facts, column)
        structural = StructuralModel.fit(graph, facts, function(graph, discrete), discrete=discrete)
        rng = context.runtime.rng(self.name)
        rows, into = changed(real, self.whom, self.counted, self.share, rng)
        twins = self._twins(structural, real, features, facts, rows, into, column, rng)
        checks = _checked(graph, facts, structural, column) | _achieved(twins, features, real, rows)
        context.report(
            self,
            twins=len(rows),
            users_without_a_value=len(everyone) - len(real),
            regenerated=list(twins.reached),
            card={
                "graph": str(graph),
                "assumptions": list(_ASSUMPTIONS),
                "checks": checks,
                "unchecked": list(_UNCHECKED),
            },
            warnings=[
                *_warnings(checks, len(rows), len(everyone) - len(real)),
                *_counted_as_numbers(graph, facts),
                *again(data),
            ],
        )
        if not len(rows):
            return data
        assert real.users is not None
        rewritten = [name for name in twins.reached if data.users is not None and name in data.users.columns]
        values = pl.Series(real.names, dtype=pl.String).gather(into)
        table = people(data, column, values, real.users.gather(rows)).with_columns(
            twins.wanted[name] for name in rewritten
        )
        return added(data, modelled(data, twins.profiles, rng), table)

    def _fault(self, data: Dataset) -> str | None:
        """Why the graph does not fit the data, in a sentence."""
        if self.graph is None:
            return "no `graph` says what the attribute causes."
        try:
            graph = CausalGraph.parse(self.graph)
            profiles = Profiles.of(data, self.attribute)
            features = Features.of(data, profiles, self.category)
        except EquipoiseError as error:
            return error.paragraph
        column = str(groups.attribute_of(data, self.attribute))
        offered = (ACTIVITY, *features.names)
        assert data.users is not None
        known = [*(name for name in data.users.columns if name != v.USER), *offered]
        if unknown := [name for name in graph.nodes if name not in known]:
            return (
                f"the graph names '{unknown[0]}', which is neither a column of the users nor a feature of a profile. "
                f"{nearest(unknown[0], known)}"
            )
        if column not in graph.nodes:
            return f"the graph does not name the attribute '{column}'."
        if graph.bidirected:
            return (
                "the graph has hidden common causes, so that noises are not independent: make them variables."
            )
        reached = graph.ordered(graph.descendants(column) - {column})
        if not any(name in offered for name in reached):
            return f"by the graph '{column}' changes no feature of a profile ({', '.join(offered[:5])} ...)."
        for name in reached:
            if name not in offered and not data.users.schema[name].is_numeric():
                return (
                    f"by the graph '{column}' changes '{name}', a category, and what a category would have been "
                    "cannot be told: its noise does not follow from its value."
                )
        known_users, _ = complete(profiles, facts_of(data, profiles, features, column).select(graph.nodes))
        if len(known_users.names) < 2:
            return (
                f"users who have all that the graph names are of {len(known_users.names)} of the groups "
                f"{', '.join(profiles.names)} of '{column}', where two are needed."
            )
        return None

    def _twins(
        self,
        structural: StructuralModel,
        real: Profiles,
        features: Features,
        facts: pl.DataFrame,
        rows: Ints,
        into: Ints,
        column: str,
        rng: np.random.Generator,
    ) -> _Twins:
        """The regenerated features and the profiles that are drawn to fit them."""
        graph = structural.graph
        chosen = facts[rows]
        values = pl.Series(column, real.names, dtype=pl.String).gather(into)
        wanted = structural.counterfactual(chosen, {column: values}) if len(rows) else chosen
        reached = graph.ordered(graph.descendants(column) - {column})
        named = [name for name in features.names if name in graph.nodes]
        place = features.columns(named)
        asked = np.column_stack([np.empty((len(rows), 0)), *(wanted[name].to_numpy() for name in named)])
        allowed = within_reach(asked, named, features.masses[:, place])
        lengths = real.lengths[rows]
        if ACTIVITY in graph.nodes:
            most = real.matrix.shape[1] - 1
            lengths = np.clip(np.rint(np.exp(wanted[ACTIVITY].to_numpy())), 1, most).astype(np.int64)
        matrix = redrawn(real.take(rows), features.masses[:, place], allowed, lengths, rng)
        wanted = wanted.with_columns(pl.Series(name, allowed[:, nth]) for nth, name in enumerate(named))
        moved = int((np.abs(asked - allowed) > 1e-9).any(axis=1).sum())
        return _Twins(real.made(matrix, into), wanted, reached, moved)


def _counted_as_numbers(graph: CausalGraph, facts: pl.DataFrame) -> list[str]:
    """A warning where causes are whole numbers, which may be codes."""
    causes = [name for name in graph.nodes if graph.children(name) and facts.schema[name].is_integer()]
    if not causes:
        return []
    return [
        f"{', '.join(causes)}: whole numbers, read as numbers, so that twice the value has twice the effect. If they "
        "are codes of categories, give them as text."
    ]


def _checked(
    graph: CausalGraph, facts: pl.DataFrame, structural: StructuralModel, column: str
) -> dict[str, Any]:
    """What the data say of the graph, and how much of each regenerated number its causes explain."""
    tested = implied(graph, facts)
    rejected = tested.filter("rejected")
    explained = {}
    for name in graph.ordered(graph.descendants(column) - {column}):
        error = getattr(structural.equations[name], "error", None)
        if error is not None:
            explained[name] = 1 - error / max(float(np.var(facts[name].to_numpy())), 1e-12)
    return {
        "implications": len(tested),
        "implications_untested": int((tested["degrees"] == 0).sum()),
        "implications_rejected": rejected.select("a", "b", "given", "strength").to_dicts(),
        "share_explained": explained,
    }


def _achieved(twins: _Twins, features: Features, real: Profiles, rows: Ints) -> dict[str, Any]:
    """How far the drawn profiles are from the features asked for, and how much of the own items they keep."""
    if not len(rows):
        return {}
    named = [name for name in features.names if name in twins.wanted.columns]
    place = features.columns(named)
    got = (twins.profiles.matrix @ features.masses[:, place]) / twins.profiles.lengths[:, None]
    before = (real.matrix[rows] @ features.masses[:, place]) / real.lengths[rows][:, None]
    spread = np.maximum(before.std(axis=0), 1e-9)
    asked = twins.wanted.select(named).to_numpy()
    missed = (got - asked) / spread
    kept = np.asarray(twins.profiles.matrix.multiply(real.matrix[rows]).sum(axis=1)).ravel()
    return {
        "features": {
            name: {
                "before": float(before[:, nth].mean()),
                "asked": float(asked[:, nth].mean()),
                "drawn": float(got[:, nth].mean()),
                "missed_by": _worst(missed[:, nth], twins.profiles.group),
                "missed_by_each": float(np.sqrt((missed[:, nth] ** 2).mean())),
            }
            for nth, name in enumerate(named)
        },
        "targets_out_of_reach": twins.clipped,
        "own_items_kept": float((kept / np.minimum(real.lengths[rows], twins.profiles.lengths)).mean()),
    }


def _worst(missed: Floats, group: Ints) -> float:
    """The mean miss that is largest among the groups twins are made for, in standard deviations of the feature.

    Over all of them together, those into one group would make up for those into the other.
    """
    means = [
        float(missed[group == code].mean()) for code in np.unique(group) if (group == code).sum() >= _ENOUGH
    ]
    return max(means or [float(missed.mean())], key=abs)


def _warnings(checks: dict[str, Any], twins: int, without: int) -> list[str]:
    said = []
    if not twins:
        said.append("No group has fewer than the others, so that nobody got a twin.")
    if wrong := checks["implications_rejected"]:
        first = wrong[0]
        said.append(
            f"The data contradict the graph in {len(wrong)} of {checks['implications']} independences that it implies, "
            f"most of all that of {first['a']} and {first['b']}: an arrow or a common cause is missing."
        )
    missed = [name for name, one in checks.get("features", {}).items() if abs(one["missed_by"]) > _MISSED]
    if missed:
        said.append(
            f"The drawn profiles miss what was asked for of {', '.join(missed[:5])} by more than {_MISSED:g} standard "
            "deviations on average in some group: there are too few items that would fit."
        )
    if without:
        said.append(f"{without:,} users have no value of something that the graph names, and got no twin.")
    return said
