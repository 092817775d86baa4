"""From a graph and a question to what is adjusted for, by which method; or to the reason why there is no answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from equipoise.causal.graph import CausalGraph, GraphError
from equipoise.causal.identification import (
    Estimand,
    NotIdentifiable,
    StrategyError,
    adjustment_sets,
    front_door_sets,
    identify,
    instruments,
    mediation,
)
from equipoise.causal.identification.adjustment import adjustment_formula
from equipoise.causal.identification.query import query
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
        GraphError: if a column named is not in the graph, or is an effect of the treatment.
    """
    graph.ordered([question.treatment, question.outcome, *question.adjust, *question.mediator])
    require(list(columns), question.treatment, question.outcome, *question.adjust, table="data")
    question = replace(question, observed=tuple(name for name in graph.nodes if name in columns))
    for name in question.adjust:
        if name in graph.descendants(question.treatment):
            raise GraphError(
                f"'{name}' is an effect of '{question.treatment}' in the graph: adjusting for it would take "
                "part of the effect away, or make one up",
                todo="Leave it out of `adjust`, or leave `adjust` out to have the graph choose.",
            )
    ask = _METHODS.get(question.method, _any_strategy)
    try:
        if adjust_given and ask is _any_strategy:
            return _given_set(question, graph)
        return ask(question, graph)
    except (NotIdentifiable, StrategyError) as reason:
        return replace(
            question, refusal=_words(reason), instrument=question.instrument or _plain(question, graph)
        )


def _any_strategy(question: Question, graph: CausalGraph) -> Question:
    strategy = None if question.method == "aipw" else "backdoor"
    estimand = identify(
        graph, question.outcome, question.treatment, observed=question.observed, strategy=strategy
    )
    asked = replace(question, identified=Identified.by(estimand))
    if estimand.strategy == "frontdoor":
        return replace(asked, method="frontdoor", mediator=estimand.mediators or ())
    if estimand.strategy == "id":
        return replace(asked, method="formula")
    return replace(asked, adjust=estimand.adjustment_set or ())


def _given_set(question: Question, graph: CausalGraph) -> Question:
    """Whether the set that was named blocks what must be blocked."""
    asked = query(graph, question.outcome, question.treatment, None, question.observed)
    held = frozenset(question.adjust)
    asked.graph.ordered(held)  # raises for names that the graph does not know
    no_way_out = asked.graph.without_outgoing(question.treatment)
    if not no_way_out.d_separated(question.treatment, question.outcome, held):
        sets = adjustment_sets(graph, question.outcome, question.treatment, observed=question.observed)
        better = f" Adjust for {_and(sorted(sets[0])) or 'nothing'} instead." if sets else ""
        raise NotIdentifiable(
            f"By the graph, adjusting for {_and(question.adjust) or 'nothing'} leaves '{question.treatment}' and "
            f"'{question.outcome}' with a common cause or opens a path between them.{better}"
        )
    order = asked.graph.ordered(held)
    estimand = Estimand(
        asked.graph,
        (question.outcome,),
        (question.treatment,),
        (),
        adjustment_formula(asked, held),
        "backdoor",
        ("The graph holds: no arrow and no hidden common cause is missing from it.",),
        adjustment_set=order,
    )
    return replace(question, identified=Identified.by(estimand))


def _front_door(question: Question, graph: CausalGraph) -> Question:
    if question.mediator:
        sets = front_door_sets(graph, question.outcome, question.treatment, observed=question.observed)
        if frozenset(question.mediator) not in sets:
            raise StrategyError(
                f"{_and(question.mediator)} does not meet the front-door criterion in the graph"
            )
    estimand = identify(
        graph, question.outcome, question.treatment, observed=question.observed, strategy="frontdoor"
    )
    return replace(
        question, mediator=question.mediator or estimand.mediators or (), identified=Identified.by(estimand)
    )


def _instrument(question: Question, graph: CausalGraph) -> Question:
    estimand = identify(
        graph, question.outcome, question.treatment, observed=question.observed, strategy="iv"
    )
    found = instruments(graph, question.outcome, question.treatment, observed=question.observed)
    wanted = [one for one in found if question.instrument in (None, one.variable)]
    if not wanted:
        raise StrategyError(f"'{question.instrument}' is no instrument in the graph: it is not independent of "
                            f"'{question.outcome}' but for what it does to '{question.treatment}'")  # fmt: skip
    held = graph.ordered(wanted[0].given)
    known = replace(Identified.by(estimand), adjustment_set=held)
    return replace(question, instrument=wanted[0].variable, adjust=question.adjust or held, identified=known)


def _mediation(question: Question, graph: CausalGraph) -> Question:
    """Covariates given which treatment, mediators and outcome share no causes."""
    if not question.mediator:
        raise ConfigError("The method 'mediation' needs a mediator", todo="Name its column: mediator='...'.")
    found = mediation(
        graph, question.treatment, question.outcome, question.mediator, observed=question.observed
    )
    shown = query(graph, question.outcome, question.treatment, None, question.observed).graph
    t, m, y = question.treatment, frozenset(question.mediator), question.outcome
    everything = frozenset(shown.nodes) - shown.descendants(t) - {t, y}
    of_treatment = [frozenset(names) for names in adjustment_sets(shown, y, t)]
    base = frozenset(found.covariates)
    for held in (base, *(base | names for names in of_treatment), everything):
        if shown.without_outgoing(t).d_separated(t, m | {y}, held) and shown.without_outgoing(m).d_separated(
            m, y, held | {t}
        ):
            known = Identified(
                "mediation", found.direct.formula, found.direct.latex, shown.ordered(held), found.assumptions
            )
            return replace(question, adjust=shown.ordered(held), identified=known)
    raise NotIdentifiable(
        "The natural effects follow from the graph by a formula that no estimator here covers: no one set of "
        f"covariates frees '{t}', {_and(sorted(m))} and '{y}' of common causes"
    )


_METHODS: dict[str, Callable[[Question, CausalGraph], Question]] = {
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
