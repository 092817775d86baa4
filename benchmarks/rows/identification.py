"""Identification: is any formula wrong, any refusal unproved, any line of the algorithms never reached?"""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.row import Part, Row
from equipoise.causal.graph import CausalGraph
from equipoise.causal.identification import NotIdentifiable, identify
from equipoise.causal.identification.discrete import DiscreteJoint
from equipoise.causal.identification.expressions import Expression, Probability, Product, Ratio, Sum
from equipoise.errors import MissingExtraError
from equipoise.testing.identification_oracle import BinaryModel, Question, examine, random_case

_HERE = Path(__file__).parents[1]
_PEERS = _HERE / ".venv-peers" / "bin" / "python"

_GRAPHS = 10_000
_TOLERANCE = 1e-9
_LINES = [*(f"ID {line}" for line in range(1, 8)), "IDC 1", "IDC 2"]
_ZEROS = {"random models": 0.0, "models with zeros": 0.3}


def _oracle(setting: str, seed: int, folder: Path) -> Part:
    found = [examine(seed + place, zeros=_ZEROS[setting]) for place in range(_GRAPHS)]
    lines = Counter(line for one in found for line in set(one.steps))
    strategies = Counter(strategy for one in found for strategy in set(one.strategies))
    return Part(
        {
            "graphs": len(found),
            "identified": sum(one.identified for one in found),
            "numbers": sum(one.numbers for one in found),
            "graphs off by > 1e-9": sum(one.error > _TOLERANCE for one in found),
            "largest error": max(one.error for one in found),
            "refused": sum(not one.identified for one in found),
            "refusals unproved": sum(bool(one.faults) for one in found),
            "ratios carried through line 7": sum(one.ratio for one in found),
            **{f"graphs by {name}": strategies[name] for name in ("backdoor", "frontdoor")},
            **{f"graphs through {line}": lines[line] for line in _LINES},
            "undefined": sum(one.undefined for one in found),
        }
    )


def _beside_y0(setting: str, seed: int, folder: Path) -> Part:
    if not _PEERS.exists():
        raise MissingExtraError("y0", extra="dev", purpose="The row beside y0 (make peers)")
    cases = [random_case(seed + place) for place in range(_GRAPHS)]
    graphs = [model.graph.latent_projection(model.hidden) for model, _ in cases]
    asked, answered = folder / "questions.json", folder / "answers.json"
    asked.write_text(
        json.dumps([_plain(*pair) for pair in zip(graphs, (q for _, q in cases), strict=True)]), "utf-8"
    )
    subprocess.run([str(_PEERS), str(_HERE / "peer_y0.py"), str(asked), str(answered)], check=True)
    answers = json.loads(answered.read_text("utf-8"))
    ours, seconds = _verdicts(graphs, [question for _, question in cases])
    theirs = [answer["formula"] is not None for answer in answers]
    failed = [answer["failed"] is not None for answer in answers]
    errors = list(_errors(cases, answers))
    return Part(
        {
            "graphs": len(cases),
            "verdicts that differ": sum(
                a != b and not f for a, b, f in zip(ours, theirs, failed, strict=True)
            ),
            "y0 raised": sum(failed),
            "y0 formulas": len(errors),
            "y0 formulas off by > 1e-9": sum(error > _TOLERANCE for error in errors),
            "ms per question": 1000 * seconds / len(cases),
            "y0 ms per question": 1000 * sum(answer["seconds"] for answer in answers) / len(cases),
        },
        notes={"y0 raised": sorted({answer["failed"] for answer in answers if answer["failed"]})[:5]},
    )


def _plain(graph: CausalGraph, question: Question) -> dict[str, Any]:
    return {
        "nodes": graph.nodes,
        "directed": sorted(graph.directed),
        "bidirected": sorted(sorted(arc) for arc in graph.bidirected),
        "outcome": question.outcome,
        "do": question.do,
        "given": question.given,
    }


def _verdicts(graphs: list[CausalGraph], questions: list[Question]) -> tuple[list[bool], float]:
    found, started = [], time.perf_counter()
    for graph, asked in zip(graphs, questions, strict=True):
        try:
            identify(graph, asked.outcome, asked.do, asked.given, strategy="id")
            found.append(True)
        except NotIdentifiable:
            found.append(False)
    return found, time.perf_counter() - started


def _errors(cases: list[tuple[BinaryModel, Question]], answers: list[dict[str, Any]]) -> Iterator[float]:
    """Largest error of each of y0's formulas, evaluated as ours are."""
    for (model, question), answer in zip(cases, answers, strict=True):
        if answer["formula"] is not None:
            joint = DiscreteJoint(dict.fromkeys(model.observed, (0, 1)), model.distribution())
            truth = model.truth(question.outcome, question.do, question.given)
            yield float(np.abs(joint.values(_expression(answer["formula"])) - truth).max())


def _expression(formula: list[Any]) -> Expression:
    kind, *parts = formula
    if kind == "P":
        return Probability(frozenset(parts[0]), frozenset(parts[1]))
    if kind == "sum":
        return Sum(frozenset(parts[0]), _expression(parts[1]))
    if kind == "ratio":
        return Ratio(_expression(parts[0]), _expression(parts[1]))
    return Product(tuple(map(_expression, parts)))


_QUESTIONS = (
    "one random question each of 10,000 random graphs of 2-7 binary variables and up to 8 hidden ones, half of them "
    "grown on front-door, napkin and Verma graphs; one question in three conditional"
)

ROWS = [
    Row(
        "identification",
        f"{_QUESTIONS}; ID or IDC, the strategy chosen, and every minimal adjustment and front-door set against the "
        "truncated factorisation, for all values of all variables; every refusal's hedge judged from the definition "
        "and turned into two models that agree on the observed and differ in the effect",
        {"random models": (0,), "models with zeros": (0,)},
        _oracle,
        "0 off by > 1e-9, 0 refusals unproved",
    ),
    Row(
        "identification-peers",
        f"{_QUESTIONS}; verdicts of ID and IDC beside y0 0.2.11, and its formulas against the truth",
        {"beside y0": (0,)},
        _beside_y0,
    ),
]
