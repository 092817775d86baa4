"""What of a score runs along which path from a sensitive attribute, for a user of a finished run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from equipoise.causal.graph import CausalGraph
from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.before.augmentation.facts import categories, complete, facts_of, function, implied
from equipoise.debias.before.augmentation.features import ACTIVITY, SHARE, Features
from equipoise.debias.before.augmentation.profiles import Profiles
from equipoise.errors import ConfigError, DataError, nearest
from equipoise.explain import Explainer
from equipoise.explain.explainer import listening
from equipoise.explain.question import Asker
from equipoise.explain.sensitive import Case, Mechanisms, Route, Sensitive, routes, sensitive
from equipoise.explain.sensitive.reading import (
    filters_by_group,
    keeps_something,
    read_of_users,
    reads_exposure,
    told_otherwise,
)
from equipoise.models import Fitted
from equipoise.models.histories import locate
from equipoise.models.vae.causal_vae import FittedCausalVAE
from equipoise.pipeline.finished import FinishedRun
from equipoise.pipeline.redrawing import Redrawing

_ENOUGH = 10  # users of a value, below which what they have in common is mostly chance
_KINDS = 10  # whole numbers of no more values are taken for codes of categories
_UNNAMED = (
    "The model reads '{1}', which the graph does not name; what '{0}' does through it is not among the parts."
)
_EXPOSURE = (
    "The model reads what was shown to the user, which stays as it was; what '{}' did through it is not among the "
    "parts."
)
_KEPT = (
    "the model answers this user otherwise than somebody new with the same history, so it keeps something of them in "
    "which '{}' may have had a part."
)
_EQUAL = 1e-9  # difference of sums that is rounding
_MISSED = 0.2  # of a change asked for, from which on it is said that histories do not follow it


@dataclass(frozen=True)
class PathsAsked:
    """Whose paths are asked about.

    Attributes:
        sensitive: A column of the users.
        graph: What causes what, as text: `gender -> share.Books; age -> activity`. It names columns of the users and
            features of histories, as the graph of the correction `augment_counterfactual` does: `activity` (logarithm
            of the number of items), `popularity` (mean logarithm of the items' counts) and `share.` with the name of
            each category of the items.
        instead: The value that the user's own is held against; None for the most frequent other one.
        needed: Whether an explanation fails where too little is known of the user; else a note says so.
    """

    sensitive: str
    graph: str
    instead: str | None = None
    needed: bool = True


def asked_paths(
    run: FinishedRun, graph: str | None, attribute: str | None, instead: str | None
) -> PathsAsked | None:
    """What is asked about paths, by what was said now and else by `[explain]` of the run; None for nothing.

    Raises:
        ConfigError: if a graph is given without an attribute, or the other way round.
    """
    kept, said = run.config.explain, (graph, attribute, instead) != (None, None, None)
    graph, column = graph or kept.graph, attribute or kept.sensitive
    if graph is not None and column is not None:
        held = instead or (kept.instead if column == kept.sensitive else None)
        return PathsAsked(column, graph, held, needed=said)
    if not said:
        return None
    if column is None:
        raise ConfigError(
            "It is not said of which attribute the paths are to be followed",
            todo="Give --sensitive, or [explain] sensitive in the run's configuration.",
        )
    raise ConfigError(
        f"No graph says what '{column}' causes, and without one its paths cannot be told",
        todo="Give --graph, or [explain] graph in the run's configuration, such as 'gender -> share.Books'.",
    )


def sensitive_part(
    explainer: Explainer,
    user: Any,
    item: Any,
    asked: PathsAsked,
    k: int = 10,
    runtime: Runtime | None = None,
) -> Sensitive:
    """What of an item's score runs along which path from an attribute of a user.

    The model is asked as `Explanation.asked_as` says.

    Args:
        explainer: A model with the data that it was trained on.
        user: Id of a user of the data.
        item: Id of an item that the user has not seen.
        asked: The attribute and the graph.
        k: Length of the list.
        runtime: Seed of the draws.

    Raises:
        DataError: if the users have no such attribute, it is not known of the user, or there are too few users.
        ConfigError: if the graph does not fit the data.
        GraphError: if it is none.
    """
    options, data, graph = runtime or Runtime(), explainer.data, CausalGraph.parse(asked.graph)
    if data is None:
        raise DataError(
            "The data that the model was trained on is not known, so no mechanism can be fitted to it"
        )
    column = asked.sensitive
    own = _person(data, user, column)
    everyone = Profiles.of(data, column)
    features = Features.of(data, everyone, None)
    _check_graph(graph, data, features, column)
    model = explainer.model
    row = int(locate(explainer.known, pl.Series([user]))[0])
    index = int(locate(model.catalogue.items, pl.Series([item]))[0])
    trained = row if row < len(model.catalogue.users) else -1
    asker = listening(Asker(explainer.question(trained, model.histories.take([row]), index, k)))
    redrawn = Redrawing.of(
        asker.question.past,
        model.catalogue,
        everyone,
        features,
        graph.ordered(set(graph.nodes) & set(features.names)),
        index,
        (options.seed, max(row, 0), index),
    )
    if not redrawn.length:
        raise DataError(
            f"The user '{user}' has no past interactions that training knows, so nothing goes through their history",
            todo="Ask about a user with a history.",
        )
    facts = facts_of(data, everyone, features, column).select(graph.nodes).fill_nan(None)
    real, facts = complete(everyone, facts)
    instead = _instead(real, column, str(own[column]), asked.instead)
    person = _values(own, redrawn.facts, graph, user)
    discrete = categories(facts, column)
    read = read_of_users(model, data)
    kinds = (set(discrete) | _coded(facts, features)) - {column}
    found = routes(graph, column, (ACTIVITY, *features.names), kinds, read - {column})
    found = _of_one_whole(found, graph, features)
    reached = frozenset().union(*(route.reached for route in found if not route.why))
    otherwise, why = _otherwise(asker, read, column, instead, data)
    fitted = None
    if reached:
        fitted = Mechanisms.fit(graph, column, reached, facts, function(graph, discrete), discrete)
    case = Case(column, str(own[column]), instead, str(graph), person, found, fitted, redrawn, otherwise, why)
    said = sensitive(asker, case, options.rng("sensitive", max(row, 0), index))
    notes = [_UNNAMED.format(column, name) for name in sorted(read - set(graph.nodes) - {column})]
    if reads_exposure(model):
        notes.append(_EXPOSURE.format(column))
    if redrawn.missed > _MISSED:
        notes.append(
            f"Redrawn histories miss a change that was asked for by {redrawn.missed:.0%} of it, since too few items "
            "would fit, or the history is short: the part is off by about as much."
        )
    return replace(said, notes=(*notes, *_contradicted(graph, facts)))


def _person(data: Dataset, user: Any, column: str) -> dict[str, Any]:
    """The row of a user, with the attribute as text.

    Raises:
        DataError: if there is no such column, no such user, or no value.
    """
    columns = [] if data.users is None else [name for name in data.users.columns if name != v.USER]
    if data.users is None or column not in columns:
        raise DataError(
            f"The users have no attribute '{column}'",
            where=f"columns: {', '.join(columns)}" if columns else "there is no users table",
            todo=nearest(column, columns) if columns else "Give a table of users under [data] users.",
        )
    row = int(locate(data.users[v.USER], pl.Series([user]))[0])
    if row < 0:
        raise DataError(
            f"The user '{user}' is not in the users table, so their '{column}' is not known",
            where=f"{len(data.users):,} users",
            todo="Ask about one who is, or leave out --sensitive.",
        )
    own = data.users.row(row, named=True)
    if data.users[column].cast(pl.String)[row] in (None, "NaN"):
        raise DataError(
            f"The '{column}' of the user '{user}' is not known",
            todo="Ask about a user of whom it is, or leave out --sensitive.",
        )
    return {**own, column: data.users[column].cast(pl.String)[row]}


def _check_graph(graph: CausalGraph, data: Dataset, features: Features, column: str) -> None:
    """Refuse a graph that names what there is not, or not the attribute.

    Raises:
        ConfigError: if it does.
    """
    assert data.users is not None
    known = [name for name in data.users.columns if name != v.USER] + [ACTIVITY, *features.names]
    if unknown := [name for name in graph.nodes if name not in known]:
        raise ConfigError(
            f"The graph names '{unknown[0]}', which is neither a column of the users nor a feature of a history",
            where=f"features: {', '.join((ACTIVITY, *features.names)[:8])}",
            todo=nearest(unknown[0], known),
        )
    if column not in graph.nodes:
        raise ConfigError(
            f"The graph does not name the attribute '{column}'",
            where=str(graph),
            todo=f"Write what it causes, say '{column} -> {ACTIVITY}'.",
        )


def _instead(real: Profiles, column: str, own: str, asked: str | None) -> str:
    """The value that the own one is held against.

    Raises:
        DataError: if there is none, or too few users have it or the own one.
    """
    counts = dict(zip(real.names, np.bincount(real.group, minlength=len(real.names)).tolist(), strict=True))
    others = {name: count for name, count in counts.items() if name != own}
    if not others:
        raise DataError(f"No user of training has another '{column}' than '{own}'")
    chosen = asked or max(others, key=others.__getitem__)
    if chosen not in others:
        raise DataError(
            f"'{chosen}' is no other value of '{column}' than the user's own, '{own}'",
            where=f"values: {', '.join(counts)}",
            todo=nearest(chosen, others),
        )
    for name in (own, chosen):
        if counts.get(name, 0) < _ENOUGH:
            raise DataError(
                f"{counts.get(name, 0)} users with the '{column}' '{name}' have all that the graph names, which is too "
                "few to tell what it causes",
                todo=f"At least {_ENOUGH} are needed; hold it against another value by --instead.",
            )
    return chosen


def _coded(facts: pl.DataFrame, features: Features) -> set[str]:
    """Columns of the users that hold codes of categories: whole numbers of few values."""
    columns = set(facts.columns) - {ACTIVITY, *features.names}
    return {
        name
        for name in columns
        if facts.schema[name].is_numeric()
        and facts[name].n_unique() <= _KINDS
        and (facts[name] == facts[name].round()).all()
    }


def _of_one_whole(found: tuple[Route, ...], graph: CausalGraph, features: Features) -> tuple[Route, ...]:
    """The routes; where the shares that a graph names come to the same for all items, what makes one of them larger
    makes the others smaller, so that no route can change a few of them alone.
    """
    named = graph.ordered({name for name in features.names if name.startswith(SHARE)} & set(graph.nodes))
    if len(named) < 2 or np.ptp(features.masses[:, features.columns(named)].sum(axis=1)) > _EQUAL:
        return found
    why = f"{', '.join(repr(name) for name in named)} are of one whole, so that none of them changes alone."
    return tuple(
        replace(route, why=why)
        if not route.why and 0 < len(route.reached & set(named)) < len(named)
        else route
        for route in found
    )


def _values(own: dict[str, Any], facts: dict[str, float], graph: CausalGraph, user: Any) -> dict[str, Any]:
    """Values of the variables of a graph for a person.

    Raises:
        DataError: if one is not known.
    """
    person = {name: facts.get(name, own.get(name)) for name in graph.nodes}
    missing = [
        name for name, value in person.items() if value is None or value != value
    ]  # null, or no number
    if missing:
        raise DataError(
            f"The '{missing[0]}' of the user '{user}', which the graph names, is not known",
            todo="Ask about a user of whom it is, or take it out of the graph.",
        )
    return person


def _otherwise(
    asker: Asker, read: frozenset[str], column: str, instead: str, data: Dataset
) -> tuple[Fitted | None, str]:
    """The model to which the user has the other value, None where it does not read the attribute; and why not."""
    model, user = asker.question.model, asker.question.user
    if filters_by_group(model):
        return None, "the model sends vectors of users through maps of their groups."
    if column not in read:
        if user < 0 or isinstance(model, FittedCausalVAE):
            return None, ""
        every = np.arange(len(asker.question.units))
        asker.forwards += 4
        pasts = asker.question.without(np.stack([every < 0, every % 2 == 1]))
        return None, _KEPT.format(column) if keeps_something(model, user, pasts) else ""
    changed = None if user < 0 else told_otherwise(model, user, column, instead, data)
    if changed is None:
        return (
            None,
            f"the model learned '{column}' together with the users, and it cannot be taken out of their vectors.",
        )
    return changed, ""


def _contradicted(graph: CausalGraph, facts: pl.DataFrame) -> list[str]:
    """A note where the data speak against the graph."""
    tested = implied(graph, facts)
    wrong = tested.filter("rejected")
    if wrong.is_empty():
        return []
    return [
        f"The data contradict the graph in {len(wrong)} of {len(tested)} independences that it implies, most of all "
        f"that of {wrong['a'][0]} and {wrong['b'][0]}: an arrow or a common cause is missing."
    ]
