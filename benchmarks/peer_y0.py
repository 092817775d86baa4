"""Asks y0 the questions of the row `identification`; run with the interpreter of `make peers`.

Usage: peer_y0.py QUESTIONS.json ANSWERS.json. A question is {"directed", "bidirected", "nodes", "outcome", "do",
"given"}. An answer is {"seconds", "failed", "formula"}, where the formula is a nested list, or null where y0 finds
the effect not identifiable.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from y0.algorithm.identify import identify_outcomes
from y0.dsl import Fraction, Probability, Product, Sum, Variable
from y0.graph import NxMixedGraph


def plain(expression: Any) -> list[Any]:
    """A formula as ["P", variables, given], ["sum", over, term], ["product", ...] or ["ratio", above, below]."""
    if isinstance(expression, Probability):
        distribution = expression.distribution
        return ["P", [one.name for one in distribution.children], [one.name for one in distribution.parents]]
    if isinstance(expression, Sum):
        return ["sum", sorted(one.name for one in expression.ranges), plain(expression.expression)]
    if isinstance(expression, Fraction):
        return ["ratio", plain(expression.numerator), plain(expression.denominator)]
    if isinstance(expression, Product):
        return ["product", *map(plain, expression.expressions)]
    return ["product"]  # y0's One


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """What y0 says, and how long it took to say it."""
    graph = NxMixedGraph.from_str_edges(
        nodes=question["nodes"], directed=question["directed"], undirected=question["bidirected"]
    )
    outcome, do, given = ({Variable(name) for name in question[part]} for part in ("outcome", "do", "given"))
    started = time.perf_counter()
    try:
        found = identify_outcomes(graph, do, outcome, given or None)
    except Exception as error:  # whatever it is: the row counts and shows it
        return {"seconds": time.perf_counter() - started, "failed": repr(error), "formula": None}
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "failed": None, "formula": None if found is None else plain(found)}


def main(questions: str, answers: str) -> None:
    """Answer all questions of a file."""
    asked = json.loads(Path(questions).read_text("utf-8"))
    Path(answers).write_text(json.dumps([answer(question) for question in asked]), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
