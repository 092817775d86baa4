"""What a set of covariates must do, in a graph of observed variables, for each strategy to give an effect."""

from __future__ import annotations

from collections.abc import Callable

from equipoise.causal.identification.query import Query

Names = frozenset[str]


def adjusts(asked: Query, held: Names) -> bool:
    """Whether the covariates block every path that is no effect (no effect of the treatment being among them)."""
    (t,), (y,) = asked.do, asked.outcome
    return _unaffected(asked, held) and asked.graph.without_outgoing(t).d_separated(t, y, held)


def carries(asked: Query, mediators: Names, held: Names) -> bool:
    """Whether the mediators meet the front-door criterion within covariates: they intercept every directed path,
    and the covariates free them of common causes with the treatment and, given it, with the outcome.
    """
    (t,), (y,), graph = asked.do, asked.outcome, asked.graph
    return (
        _unaffected(asked, held)
        and y not in graph.without_incoming(mediators).descendants(t)
        and graph.without_outgoing(t).d_separated(t, mediators, held)
        and graph.without_outgoing(mediators).d_separated(mediators, y, held | {t})
    )


def moves(asked: Query, variable: str, held: Names) -> bool:
    """Whether, within the covariates, the instrument moves the treatment and the outcome through it alone."""
    (t,), (y,), graph = asked.do, asked.outcome, asked.graph
    return (
        _unaffected(asked, held | {variable})
        and variable not in held | {t, y}
        and graph.without_outgoing(t).d_separated(variable, y, held)
        and not graph.d_separated(variable, t, held)
    )


def mediates(asked: Query, mediators: Names, held: Names) -> bool:
    """Whether the covariates free treatment, mediators and outcome of common causes, all at once."""
    (t,), (y,), graph = asked.do, asked.outcome, asked.graph
    return (
        _unaffected(asked, held)
        and graph.without_outgoing(t).d_separated(t, mediators | {y}, held)
        and graph.without_outgoing(mediators).d_separated(mediators, y, held | {t})
    )


def condition(
    strategy: str, asked: Query, mediators: Names, instrument: str | None
) -> Callable[[Names], bool] | None:
    """The condition of a strategy, as a question about covariates; None for the general formula, which has none."""
    if strategy == "backdoor":
        return lambda held: adjusts(asked, held)
    if strategy == "frontdoor":
        return lambda held: carries(asked, mediators, held)
    if strategy == "mediation":
        return lambda held: mediates(asked, mediators, held)
    if strategy == "iv" and instrument is not None:
        return lambda held: moves(asked, instrument, held)
    return None


def _unaffected(asked: Query, held: Names) -> bool:
    return held.isdisjoint(asked.graph.descendants(asked.do) | asked.outcome)
