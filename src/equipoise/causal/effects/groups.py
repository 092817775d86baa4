"""The effect in each group of a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.causal.effects.conditions import condition
from equipoise.causal.graph import GraphError
from equipoise.causal.identification.query import query
from equipoise.data.frames import require
from equipoise.errors import DataError, EquipoiseError
from equipoise.statistics.interval import Estimate, Interval
from equipoise.statistics.multiplicity import holm

if TYPE_CHECKING:
    from equipoise.causal.effects.effect import Effect

_MOST_GROUPS = 50


def by_group(effect: Effect, columns: list[str]) -> pl.DataFrame:
    """See `Effect.by_group`."""
    if not columns:
        raise DataError("No column to group by is named", todo="Name at least one.")
    require(effect.design.frame.columns, *columns, table="data")
    rows: list[dict[str, Any]] = []
    for column in columns:
        _before_treatment(effect, column)
        values = effect.design.frame[column].cast(pl.String)
        levels = values.drop_nulls().unique().sort().to_list()
        if not levels:
            raise DataError(f"'{column}' has no values to group by", where=f"{len(values)} rows, all empty")
        if len(levels) > _MOST_GROUPS:
            raise DataError(f"'{column}' has {len(levels)} groups", todo="Make fewer groups of it first.")
        closed = _closed(effect, column)
        for level in levels:
            inside = (values == level).fill_null(False).to_numpy()
            found = _one(effect, inside) if closed is None else _none(int(inside.sum()), closed)
            rows.append({"column": column, "group": level, **found})
    table = pl.DataFrame(rows, infer_schema_length=None)
    tested = table["p_value"].is_not_null().to_numpy()
    adjusted = np.full(len(table), np.nan)
    adjusted[tested] = holm(table["p_value"].to_numpy()[tested].astype(np.float64))
    return table.with_columns(pl.Series("p_adjusted", adjusted).fill_nan(None))


def _before_treatment(effect: Effect, column: str) -> None:
    """Refuse groups that the treatment makes: those who end up in one are not comparable.

    Raises:
        DataError: if the column is the outcome, the treatment or a mediator.
        GraphError: if it is an effect of the treatment in the graph.
    """
    design, graph = effect.design, effect.graph
    for role, names in (
        ("outcome", (design.outcome_name,)),
        ("treatment", (design.treatment_name,)),
        ("mediator", design.mediator_sources),
    ):
        if column in names:
            raise DataError(
                f"'{column}' is the {role}, so its groups are not comparable",
                todo="Group by something that came before the treatment.",
            )
    if graph is not None and column in graph.nodes and column in graph.descendants(design.treatment_name):
        raise GraphError(
            f"'{column}' is an effect of '{design.treatment_name}' in the graph, so its groups are not comparable",
            todo="Group by something that came before the treatment.",
        )


def _closed(effect: Effect, column: str) -> str | None:
    """Why the estimate cannot be made within groups of a column by the graph, in words; None if it can.

    The covariates must still do within groups what they do in the whole: to condition on a common effect of
    hidden causes makes up a dependence. For adjustment this is all that groups of the scores need, too: where
    both sets are valid, by weak transitivity of separation the group is independent of the treatment or of the
    outcome given the covariates.
    """
    graph, known = effect.graph, effect.identification
    if graph is None:
        return None
    if known is None:
        return effect.reason
    if column not in graph.nodes:
        return (
            f"'{column}' is not in the graph, which does not say whether its groups can be compared: add it"
        )
    design = effect.design
    observed = [name for name in graph.nodes if name in design.frame.columns]
    asked = query(graph, design.outcome_name, design.treatment_name, None, observed)
    mediators = frozenset(design.mediator_sources)
    held = frozenset(known.adjustment_set)
    if column in held:
        return None
    suffices = condition(known.strategy, asked, mediators, design.instrument_name)
    if suffices is None:
        return "The general formula is that of everybody: it is not estimated within groups"
    if suffices(held | {column}):
        return None
    return (
        f"By the graph the effect within groups of '{column}' cannot be had with the same covariates: to look within "
        "them opens a path, or closes the one that is used"
    )


def _one(effect: Effect, inside: NDArray[np.bool_]) -> dict[str, Any]:
    n, level = int(inside.sum()), effect.settings.level
    arms = np.unique(effect.design.treatment[inside])
    if len(arms) < 2:
        return _none(n, "all have the same treatment")
    if effect.scores is None or effect.design.mediator is not None:
        try:
            again = effect.again(effect.design.take(inside))
        except EquipoiseError as error:
            return _none(n, error.what)
        interval = Interval(again.value, again.low, again.high, n, again.reason)
        return _row(n, interval, again.standard_error, again.p_value)
    t = effect.design.treatment
    weight = t[inside] if effect.estimand == "att" else np.ones(n)
    scores = effect.scores[inside] * (t.mean() if effect.estimand == "att" else 1.0)
    clusters = None if effect.design.clusters is None else effect.design.clusters[inside]
    value = float(scores.sum() / weight.sum())
    estimate = Estimate(value, (scores - value * weight) / weight.mean(), clusters)
    return _row(n, estimate.interval(level), estimate.standard_error, estimate.p_value())


def _none(n: int, reason: str | None) -> dict[str, Any]:
    return _row(n, Interval(None, None, None, n, reason), None, None)


def _row(n: int, interval: Interval, error: float | None, p_value: float | None) -> dict[str, Any]:
    return {
        "n": n,
        **interval.as_dict(),
        "standard_error": error,
        "p_value": p_value,
        "reason": interval.reason,
    }
