"""Identification held against the truth: numbers where it answers, witnesses where it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import networkx as nx
import numpy as np

from equipoise.causal.graph import CausalGraph
from equipoise.causal.identification import (
    Hedge,
    NotIdentifiable,
    adjustment_sets,
    front_door_sets,
    identify,
)
from equipoise.causal.identification.adjustment import adjustment_formula
from equipoise.causal.identification.discrete import DiscreteJoint
from equipoise.causal.identification.expressions import Expression, Product, Ratio, Sum
from equipoise.causal.identification.front_door import front_door_formula
from equipoise.causal.identification.instruments import LinearInstrument
from equipoise.causal.identification.query import query
from equipoise.testing.identification_oracle.hedges import hedge_faults
from equipoise.testing.identification_oracle.models import BinaryModel, Floats, random_model
from equipoise.testing.identification_oracle.witnesses import witness


@dataclass(frozen=True)
class Question:
    """P(outcome | do(do), given)."""

    outcome: tuple[str, ...]
    do: tuple[str, ...]
    given: tuple[str, ...] = ()


@dataclass
class Finding:
    """What an examination has found.

    Attributes:
        identified: Whether a formula was given.
        steps: Lines of ID and IDC gone through, such as "ID 4", in order.
        strategies: Ways of identification whose numbers were compared.
        ratio: Whether the formula of ID for an unconditional question divides, so that conditionals had to be
            taken of a distribution carried through the recursion.
        numbers: Values compared with the truth.
        undefined: Values that the formula leaves undefined; only models with zeros have any.
        error: Largest absolute difference to the truth.
        faults: Everything that is wrong besides numbers, in words: of a refusal, that its hedge is none, that it
            stands against another question, or that the two models made from it do not prove it.
    """

    identified: bool = False
    steps: tuple[str, ...] = ()
    strategies: list[str] = field(default_factory=list)
    ratio: bool = False
    numbers: int = 0
    undefined: int = 0
    error: float = 0.0
    faults: list[str] = field(default_factory=list)


def examine(seed: int, *, zeros: float = 0.0) -> Finding:
    """Ask a random question of a random model.

    Args:
        seed: Root of all randomness.
        zeros: Chance of a probability to be 0 or 1, see `random_model`.
    """
    return judge(*random_case(seed, zeros=zeros))


def random_case(seed: int, *, zeros: float = 0.0) -> tuple[BinaryModel, Question]:
    """The model and the question of `examine`; one question in three has a condition."""
    rng = np.random.default_rng(seed)
    model = random_model(rng, zeros=zeros)
    return model, _question(rng, model.observed)


def judge(model: BinaryModel, question: Question) -> Finding:
    """Ask `identify` a question, telling it only the graph of observed variables and their distribution.

    By default and by ID alone, then by every minimal adjustment set and front-door set, the formula is evaluated
    for all values of outcome, action, condition, and of variables that should play no part.
    """
    graph = model.graph.latent_projection(model.hidden)
    finding = Finding()
    try:
        default, complete = (
            identify(model.graph, question.outcome, question.do, question.given, model.observed, strategy)
            for strategy in (None, "id")
        )
    except NotIdentifiable as refusal:
        finding.steps = refusal.steps
        _judge_refusal(graph, question, refusal.hedge, finding)
        return finding
    finding.identified, finding.steps = True, complete.steps
    finding.ratio = not question.given and _divides(complete.expression)
    joint = DiscreteJoint(dict.fromkeys(model.observed, (0, 1)), model.distribution())
    truth = model.truth(question.outcome, question.do, question.given)
    answers = [(answer.strategy, answer.expression) for answer in (default, complete)]
    for strategy, expression in (*answers, *_other_formulas(graph, question)):
        if isinstance(expression, LinearInstrument):
            finding.faults.append("a linear model was assumed unasked")
            continue
        _compare(joint.values(expression), truth, finding)
        finding.strategies.append(strategy)
    return finding


def _divides(expression: Expression | LinearInstrument) -> bool:
    if isinstance(expression, Product):
        return any(map(_divides, expression.factors))
    return _divides(expression.term) if isinstance(expression, Sum) else isinstance(expression, Ratio)


def _other_formulas(graph: CausalGraph, question: Question) -> Iterator[tuple[str, Expression]]:
    asked = query(graph, question.outcome, question.do, question.given)
    for names in adjustment_sets(graph, question.outcome, question.do, question.given):
        yield "backdoor", adjustment_formula(asked, names)
    if not question.given:
        for names in front_door_sets(graph, question.outcome, question.do):
            yield "frontdoor", front_door_formula(asked, names)


def _compare(values: Floats, truth: Floats, finding: Finding) -> None:
    """Count the values that a formula defines, and keep the largest error; an undefined truth defines nothing."""
    difference = np.abs(values - truth)
    defined = ~np.isnan(np.broadcast_to(values, difference.shape))
    compared = difference[defined & ~np.isnan(np.broadcast_to(truth, difference.shape))]
    finding.numbers += compared.size
    finding.undefined += int((~defined).sum())
    finding.error = max(finding.error, float(compared.max(initial=0.0)))


def _judge_refusal(graph: CausalGraph, question: Question, hedge: Hedge | None, finding: Finding) -> None:
    if hedge is None:
        finding.faults.append("a refusal without a hedge")
        return
    finding.faults += hedge_faults(graph, hedge)
    finding.faults += _reduction_faults(graph, question, hedge)
    proof = witness(graph, hedge)
    if not (proof.agree and proof.differ):
        finding.faults.append("two models made from the hedge do not prove the refusal")


def _reduction_faults(graph: CausalGraph, question: Question, hedge: Hedge) -> Iterator[str]:
    """Whether the hedge stands against the question.

    P(y | do(x), z) is identifiable just when P(y, z' | do(x, z'')) is, where z'' is the one largest part of z that
    rule 2 of the do-calculus turns from seen to set, and z' the rest (Shpitser & Pearl 2006b, theorems 5 and 6).
    """
    outcome, do, given = map(frozenset, (question.outcome, question.do, question.given))
    moved = hedge.do - do
    if hedge.do < do or hedge.outcome != outcome | (given - moved) or not moved <= given:
        yield "the hedge stands against another question"
        return
    if moved and not _rule_two(graph, outcome, do, moved, given - moved):
        yield "a condition was set that must be seen"
    if any(_rule_two(graph, outcome, hedge.do, frozenset({z}), given - moved - {z}) for z in given - moved):
        yield "a condition could still be set instead of seen"


def _rule_two(
    graph: CausalGraph,
    outcome: frozenset[str],
    do: frozenset[str],
    moved: frozenset[str],
    seen: frozenset[str],
) -> bool:
    """Whether outcome and moved are independent given do and seen, without arrows into do and out of moved.

    Judged by networkx on the graph with its hidden causes drawn in.
    """
    full = nx.DiGraph()
    full.add_nodes_from(graph.nodes)
    full.add_edges_from((a, b) for a, b in graph.directed if b not in do and a not in moved)
    for arc in graph.bidirected:
        full.add_edges_from((arc, name) for name in arc if name not in do)
    return bool(nx.is_d_separator(full, set(outcome), set(moved), set(do | seen)))


def _question(rng: np.random.Generator, names: tuple[str, ...]) -> Question:
    """One or two outcomes, late ones more often than early ones; one to three actions; up to two conditions."""
    late = np.arange(1, len(names) + 1, dtype=float) ** 2
    outcomes = int(rng.integers(1, 3)) if len(names) > 2 else 1
    outcome = rng.choice(names, outcomes, replace=False, p=late / late.sum()).tolist()
    rest = rng.permutation([name for name in names if name not in outcome]).tolist()
    actions = int(rng.integers(1, min(3, len(rest)) + 1))
    conditions = int(rng.integers(1, 3)) if rng.random() < 1 / 3 else 0
    return Question(tuple(outcome), tuple(rest[:actions]), tuple(rest[actions : actions + conditions]))
