"""Identification: from a graph and a question to a formula, or to a refusal with its witness."""

from __future__ import annotations

from collections.abc import Callable

from equipoise.causal.graph import CausalGraph
from equipoise.causal.graph.causal_graph import Names
from equipoise.causal.identification.adjustment import adjustment_formula, smallest_set
from equipoise.causal.identification.errors import NotIdentifiable, StrategyError
from equipoise.causal.identification.estimand import Estimand
from equipoise.causal.identification.expressions import Expression
from equipoise.causal.identification.front_door import front_door_formula, small_set
from equipoise.causal.identification.hedge import Hedge
from equipoise.causal.identification.id_algorithm import HedgeFound, Identification
from equipoise.causal.identification.instruments import Instrument, LinearInstrument, instruments
from equipoise.causal.identification.query import Query, query
from equipoise.errors import nearest


def identify(
    graph: CausalGraph,
    outcome: Names,
    do: Names,
    given: Names | None = None,
    observed: Names | None = None,
    strategy: str | None = None,
) -> Estimand:
    """A formula for P(outcome | do(do), given) over what is observed.

    The cheapest strategy that applies is taken: adjustment, then the front door, then the complete algorithms
    ID and IDC (Shpitser & Pearl 2006), which find a formula wherever there is one. Instruments need a linear
    model besides the graph and are taken only when asked for.

    Args:
        graph: What causes what.
        outcome: Variable or variables asked about.
        do: Variable or variables set by the action.
        given: Variables conditioned on.
        observed: Variables that are observed; all of the graph by default. The others are projected out.
        strategy: "backdoor", "frontdoor", "id" or "iv", to have that or an error.

    Raises:
        NotIdentifiable: if no formula exists, with the hedge that proves it.
        StrategyError: if the strategy asked for does not apply while another does, or there is none of this name.
        GraphError: if the question names an unknown variable, one that is not observed, or one twice.
    """
    asked = query(graph, outcome, do, given, observed)
    if strategy is None:
        return _back_door(asked) or _front_door(asked) or _general(asked)
    if strategy not in _STRATEGIES:
        raise StrategyError(f"There is no strategy '{strategy}'", todo=nearest(strategy, _STRATEGIES))
    estimand = _STRATEGIES[strategy](asked)
    if estimand is None:
        general_formula(asked)  # raises where no other strategy applies either
        raise StrategyError(
            f"The strategy '{strategy}' does not apply to {asked.words}: {_WHY_NOT[strategy]}",
            todo="Another one does: leave `strategy` out to have it chosen.",
        )
    return estimand


def general_formula(asked: Query) -> tuple[Expression, tuple[str, ...]]:
    """The formula found by ID, or by IDC where something is conditioned on, and the lines gone through.

    Raises:
        NotIdentifiable: if there is none.
    """
    run = Identification(asked.graph)
    try:
        if asked.given:
            return run.conditional(asked.outcome, asked.do, asked.given), tuple(run.steps)
        return run.unconditional(asked.outcome, asked.do), tuple(run.steps)
    except HedgeFound as found:
        raise NotIdentifiable(
            f"{asked.words[0].upper()}{asked.words[1:]} cannot be known from the observed variables alone. "
            f"{_in_words(asked, found.hedge)}",
            hedge=found.hedge,
            steps=tuple(run.steps),
            todo=_advice(asked),
        ) from None


def _back_door(asked: Query) -> Estimand | None:
    """Adjustment for the smallest valid set of covariates, where there is one."""
    order = asked.graph.ordered
    chosen = smallest_set(asked)
    if chosen is None:
        return None
    held = order(chosen | asked.given)
    assumption = (
        f"Every path between {_and(order(asked.do))} and {_and(order(asked.outcome))} that is no effect of the "
        f"former is blocked{' given ' + _and(held) if held else ''}: no hidden common cause is missing from the graph."
    )
    return _estimand(
        asked,
        adjustment_formula(asked, chosen),
        "backdoor",
        (assumption, f"Every action occurs {'at every value of ' + _and(held) if held else 'in the data'}."),
        adjustment_set=order(chosen),
    )


def _front_door(asked: Query) -> Estimand | None:
    chosen = small_set(asked)
    return None if chosen is None else front_door_estimand(asked, chosen)


def front_door_estimand(
    asked: Query, chosen: frozenset[str], covariates: frozenset[str] = frozenset()
) -> Estimand:
    """The front-door formula of mediators that meet the criterion, within covariates."""
    order = asked.graph.ordered
    x, y, m = _and(order(asked.do)), _and(order(asked.outcome)), _and(order(chosen))
    held = f" within {_and(order(covariates))}" if covariates else ""
    return _estimand(
        asked,
        front_door_formula(asked, chosen, covariates),
        "frontdoor",
        (
            f"All of the effect of {x} on {y} goes through {m}.",
            f"No hidden cause is shared by {x} and {m}, and none by {m} and {y} once {x} is held fixed{held}.",
            f"Every value of {m} occurs at every value of {x}.",
        ),
        mediators=order(chosen),
    )


def _general(asked: Query) -> Estimand:
    expression, steps = general_formula(asked)
    assumptions = ["The graph holds: no arrow and no hidden common cause is missing from it."]
    arbitrary = asked.graph.ordered(expression.free - asked.outcome - asked.do - asked.given)
    if arbitrary:
        assumptions.append(f"The value of {_and(arbitrary)} plays no part: any one gives the same answer.")
    assumptions.append("Every event that the formula conditions on has a positive probability.")
    return _estimand(asked, expression, "id", tuple(assumptions), steps=steps)


def _linear_instrument(asked: Query) -> Estimand | None:
    best = _first_instrument(asked)
    return None if best is None else instrument_estimand(asked, best)


def instrument_estimand(asked: Query, best: Instrument) -> Estimand:
    """The linear formula of an instrument that meets the conditions."""
    (y,), (x,) = asked.outcome, asked.do
    held = f" once {_and(asked.graph.ordered(best.given))} is held fixed" if best.given else ""
    return _estimand(
        asked,
        LinearInstrument(y, x, best),
        "iv",
        (
            f"'{best.variable}' moves '{x}' (relevance){held}.",
            f"'{best.variable}' shares no hidden cause with '{y}' and acts on it through '{x}' alone{held}.",
            f"One unit of '{x}' has the same effect on '{y}' everywhere (linear model): the graph does not say so.",
        ),
        instrument=best,
    )


def _first_instrument(asked: Query) -> Instrument | None:
    if asked.given:
        return None
    return next(iter(instruments(asked.graph, asked.outcome, asked.do)), None)


_STRATEGIES: dict[str, Callable[[Query], Estimand | None]] = {
    "backdoor": _back_door,
    "frontdoor": _front_door,
    "id": _general,
    "iv": _linear_instrument,
}
_WHY_NOT = {
    "backdoor": "no set of observed covariates blocks all paths that are not effects without blocking or "
    "opening others.",
    "frontdoor": "no set of observed variables carries the whole effect of one treatment on one outcome "
    "without being confounded itself.",
    "iv": "no observed variable moves the one treatment and is otherwise unrelated to the one outcome.",
}


def _estimand(
    asked: Query,
    expression: Expression | LinearInstrument,
    strategy: str,
    assumptions: tuple[str, ...],
    *,
    adjustment_set: tuple[str, ...] | None = None,
    mediators: tuple[str, ...] | None = None,
    instrument: Instrument | None = None,
    steps: tuple[str, ...] = (),
) -> Estimand:
    order = asked.graph.ordered
    return Estimand(
        asked.graph, order(asked.outcome), order(asked.do), order(asked.given), expression, strategy, assumptions,
        adjustment_set=adjustment_set, mediators=mediators, instrument=instrument, steps=steps,
    )  # fmt: skip


def _in_words(asked: Query, hedge: Hedge) -> str:
    order = asked.graph.ordered
    acted = order(hedge.outer & hedge.do)
    return (
        f"Hidden common causes join {_and(acted)} to {_and(order(hedge.outer - set(acted)))}, all the way to "
        f"{_and(order(hedge.roots))}: worlds in which the same is observed differ in the effect."
    )


def _advice(asked: Query) -> str:
    advice = "Observe what these variables have in common, or set the action at random for a while"
    instrument = _first_instrument(asked)
    if instrument is None:
        return f"{advice}."
    return f"{advice}; or believe a linear model, for which '{instrument.variable}' is an instrument (strategy='iv')."


def _and(names: tuple[str, ...]) -> str:
    quoted = [f"'{name}'" for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
