"""From a graph and a question to what is adjusted for, by which method; or to the reason why there is no answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from equipoise.causal.effects.conditions import adjusts, carries, mediates, moves
from equipoise.causal.graph import CausalGraph, GraphError
from equipoise.causal.identification import (
    Estimand,
    NotIdentifiable,
    StrategyError,
    adjustment_sets,
    identify,
    instruments,
    mediation,
)
from equipoise.causal.identification.adjustment import adjustment_formula
from equipoise.causal.identification.expressions import Probability
from equipoise.causal.identification.identify import front_door_estimand, instrument_estimand
from equipoise.causal.identification.instruments import Instrument
from equipoise.causal.identification.mediation import Mediation, NestedFormula
from equipoise.causal.identification.query import Query, query
from equipoise.data.frames import require
from equipoise.errors import ConfigError, EquipoiseError


@dataclass(frozen=True)
class Identified:
    """By what right a number is an effect, as the card shows it.

    Attributes:
        strategy: `backdoor`, `frontdoor`, `id`, `iv` or `mediation`.
        formula: To be read.
        latex: To be typeset.
        adjustment_set: Covariates.
        assumptions: What must be true, in sentences.
        estimand: The formula itself, to be evaluated; None for mediation.
    """

    strategy: str
    formula: str
    latex: str
    adjustment_set: tuple[str, ...]
    assumptions: tuple[str, ...]
    estimand: Estimand | None = None

    @classmethod
    def by(cls, estimand: Estimand) -> Identified:
        """What an estimand says of itself."""
        held: Sequence[str] = estimand.adjustment_set or ()
        if estimand.instrument is not None:
            held = estimand.graph.ordered(estimand.instrument.given)
        return cls(
            estimand.strategy, estimand.formula, estimand.latex, tuple(held), estimand.assumptions, estimand
        )


@dataclass(frozen=True)
class Question:
    """What is to be estimated.

    Attributes:
        treatment: Column.
        outcome: Column.
        estimand: Whose effect.
        method: Estimator; may change from `aipw` to `frontdoor` or `formula` where the graph says so.
        adjust: Columns to adjust for.
        mediator: Columns.
        instrument: Column; also where it serves bounds only.
        identified: By what right.
        refusal: Why there can be no number.
    """

    treatment: str
    outcome: str
    method: str
    estimand: str = "ate"
    adjust: tuple[str, ...] = ()
    mediator: tuple[str, ...] = ()
    instrument: str | None = None
    identified: Identified | None = None
    refusal: str | None = None
    observed: tuple[str, ...] = field(default=(), repr=False)


def answerable(
    question: Question, graph: CausalGraph, columns: Sequence[str], *, adjust_given: bool
) -> Question:
    """The question with what the graph says about it.

    Args:
        question: As it was asked.
        graph: The graph.
        columns: Columns of the data; variables of the graph that are none of them are hidden.
        adjust_given: Whether the columns to adjust for were named; else the graph chooses them.

    Raises:
        GraphError: if a column named is not in the graph, a column adjusted for is an effect of the treatment, or
            the treatment is one of the outcome.
    """
    graph.ordered([question.treatment, question.outcome, *question.adjust, *question.mediator])
    named = [question.treatment, question.outcome, *question.adjust, *question.mediator]
    require(list(columns), *named, *([question.instrument] if question.instrument else []), table="data")
    question = replace(question, observed=tuple(name for name in graph.nodes if name in columns))
    if question.treatment in graph.descendants(question.outcome) - {question.outcome}:
        raise GraphError(
            f"'{question.outcome}' is a cause of '{question.treatment}' in the graph, so that '{question.treatment}' "
            "has no effect on it whatever the data say",
            todo="Turn the question or the arrows round.",
        )
    for name in question.adjust:
        if name in graph.descendants(question.treatment):
            raise GraphError(
                f"'{name}' is an effect of '{question.treatment}' in the graph: adjusting for it would take "
                "part of the effect away, or make one up",
                todo="Leave it out of `adjust`, or leave `adjust` out to have the graph choose.",
            )
    asked = query(graph, question.outcome, question.treatment, None, question.observed)
    ask = _METHODS.get(question.method, _given_set if adjust_given else _any_strategy)
    held = frozenset(question.adjust) if adjust_given else None
    try:
        return ask(question, asked, held)
    except (NotIdentifiable, StrategyError) as reason:
        return replace(
            question, refusal=_words(reason), instrument=question.instrument or _plain(question, graph)
        )


def _any_strategy(question: Question, asked: Query, held: frozenset[str] | None) -> Question:
    strategy = None if question.method == "aipw" else "backdoor"
    estimand = identify(asked.graph, question.outcome, question.treatment, strategy=strategy)
    if estimand.strategy == "backdoor":
        return replace(question, identified=Identified.by(estimand), adjust=estimand.adjustment_set or ())
    if question.outcome not in asked.graph.descendants(question.treatment):
        raise StrategyError(
            f"By the graph '{question.treatment}' has no effect on '{question.outcome}' whatever the data say: no "
            "arrow leads from one to the other"
        )
    if question.estimand != "ate":
        raise StrategyError(
            f"By the graph the effect is {estimand.formula}, which is that on everybody: the "
            f"'{question.estimand}' cannot be estimated by it",
            todo="Ask for the 'ate'.",
        )
    known = replace(question, identified=Identified.by(estimand))
    if estimand.strategy == "frontdoor":
        return replace(known, method="frontdoor", mediator=estimand.mediators or ())
    return replace(known, method="formula")


def _given_set(question: Question, asked: Query, held: frozenset[str] | None) -> Question:
    """Whether the set that was named blocks what must be blocked."""
    held = held or frozenset()
    if not adjusts(asked, held):
        sets = adjustment_sets(asked.graph, question.outcome, question.treatment)
        better = f" Adjust for {_and(sorted(sets[0])) or 'nothing'} instead." if sets else ""
        raise NotIdentifiable(
            f"By the graph, adjusting for {_and(question.adjust) or 'nothing'} leaves '{question.treatment}' and "
            f"'{question.outcome}' with a common cause or opens a path between them.{better}"
        )
    estimand = Estimand(
        asked.graph,
        (question.outcome,),
        (question.treatment,),
        (),
        adjustment_formula(asked, held),
        "backdoor",
        ("The graph holds: no arrow and no hidden common cause is missing from it.",),
        adjustment_set=asked.graph.ordered(held),
    )
    return replace(question, identified=Identified.by(estimand))


def _front_door(question: Question, asked: Query, held: frozenset[str] | None) -> Question:
    """Mediators that meet the criterion within what is adjusted for: those named, else those the graph offers."""
    held, mediators = held or frozenset(), frozenset(question.mediator)
    if not mediators:
        found = identify(asked.graph, question.outcome, question.treatment, strategy="frontdoor")
        mediators = frozenset(found.mediators or ())
    if not carries(asked, mediators, held):
        within = f" within {_and(asked.graph.ordered(held))}" if held else ""
        raise StrategyError(
            f"{_and(asked.graph.ordered(mediators))} does not meet the front-door criterion{within} in the graph"
        )
    order = asked.graph.ordered
    known = Identified.by(front_door_estimand(asked, mediators, held))
    return replace(
        question,
        mediator=question.mediator or order(mediators),
        identified=replace(known, adjustment_set=order(held)),
    )


def _instrument(question: Question, asked: Query, held: frozenset[str] | None) -> Question:
    """An instrument with a set within which it is one: as named, else as the graph offers."""
    order, z = asked.graph.ordered, question.instrument
    if held is None:
        found = instruments(asked.graph, question.outcome, question.treatment)
        wanted = [one for one in found if z in (None, one.variable)]
    else:
        wanted = [
            Instrument(name, held)
            for name in (asked.graph.nodes if z is None else order([z]))
            if moves(asked, name, held)
        ]
    if not wanted and z is None:
        within = f" within {_and(order(held))}" if held else ""
        raise StrategyError(
            f"The graph has no instrument{within}: no observed variable moves '{question.treatment}' and is "
            f"otherwise unrelated to '{question.outcome}'"
        )
    if not wanted:
        within = f" once {_and(order(held))} is held fixed" if held else ""
        raise StrategyError(
            f"'{z}' is no instrument in the graph: it is not independent of '{question.outcome}' but for what it does "
            f"to '{question.treatment}'{within}"
        )
    known = Identified.by(instrument_estimand(asked, wanted[0]))
    return replace(question, instrument=wanted[0].variable, adjust=order(wanted[0].given), identified=known)


def _mediation(question: Question, asked: Query, held: frozenset[str] | None) -> Question:
    """Covariates given which treatment, mediators and outcome share no causes."""
    if not question.mediator:
        raise ConfigError("The method 'mediation' needs a mediator", todo="Name its column: mediator='...'.")
    t, m, y = question.treatment, frozenset(question.mediator), question.outcome
    shown, order = asked.graph, asked.graph.ordered
    if held is None:
        base = frozenset(mediation(shown, t, y, question.mediator).covariates)
        of_treatment = [base | names for names in adjustment_sets(shown, y, t)]
        everything = frozenset(shown.nodes) - shown.descendants(t) - m - {t, y}
        sets = [base, *of_treatment, everything]
    else:
        sets = [held]
    chosen = next((names for names in sets if mediates(asked, m, names)), None)
    if chosen is None and held is not None:
        raise StrategyError(
            f"By the graph, adjusting for {_and(order(held)) or 'nothing'} leaves '{t}', {_and(order(m))} and '{y}' "
            "with common causes",
            todo="Leave `adjust` out to have the graph choose.",
        )
    if chosen is None:
        raise NotIdentifiable(
            "The natural effects follow from the graph by a formula that no estimator here covers: no one set of "
            f"covariates frees '{t}', {_and(order(m))} and '{y}' of common causes"
        )
    nested = NestedFormula(
        shown, t, y, order(m), order(chosen),
        Probability(frozenset({y}), m | chosen | {t}), Probability(m, chosen | {t}),
    )  # fmt: skip
    found = Mediation.of(nested)
    effect = {"nde": found.direct, "nie": found.indirect}.get(question.estimand, found.total)
    known = Identified("mediation", effect.formula, effect.latex, order(chosen), found.assumptions)
    return replace(question, adjust=order(chosen), identified=known)


_METHODS: dict[str, Callable[[Question, Query, frozenset[str] | None], Question]] = {
    "frontdoor": _front_door,
    "iv": _instrument,
    "mediation": _mediation,
}


def _plain(question: Question, graph: CausalGraph) -> str | None:
    """An instrument that needs no covariates, for bounds."""
    found = instruments(graph, question.outcome, question.treatment, observed=question.observed)
    return next((one.variable for one in found if not one.given), None)


def _words(reason: EquipoiseError) -> str:
    return f"{reason.what.rstrip('.')}. {reason.todo or ''}".strip()


def _and(names: Sequence[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)
