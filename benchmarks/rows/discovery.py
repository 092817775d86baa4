"""Are the known graphs of Asia, Sachs and Child found again from 10,000 rows, and better than by guessing?"""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import data
from benchmarks.row import Part, Row
from equipoise.causal.discovery import (
    PartialGraph,
    essential_graph,
    propose_graph,
    skeleton_distance,
    structural_hamming_distance,
)
from equipoise.causal.graph import CausalGraph

_GRAPHS = ("asia", "sachs", "child")
_RESAMPLES = {"pc": 20, "fci": 20, "ges": 5}
_FEW = 2  # resamples of Child, whose 20 variables take a minute each
_GUESSES = 200


def truth(name: str) -> CausalGraph:
    """The graph that a data set was drawn from."""
    text = (data.folder("bnlearn") / f"{name}.graph.txt").read_text("utf-8")
    nodes, _, edges = text.partition("Graph Edges:")
    return CausalGraph.from_edges(re.findall(r"(X\d+) --> (X\d+)", edges), nodes=re.findall(r"X\d+", nodes))


def _measure(setting: str, seed: int, folder: Path) -> Part:
    """Learn the graph, resample, and hold it against the equivalence class of the truth."""
    name, method = setting.split()
    graph = truth(name)
    if method == "baselines":
        return Part(_baselines(graph, seed))
    rows = pl.read_csv(data.folder("bnlearn") / f"{name}.txt", separator=" ")
    resamples = _FEW if name == "child" else _RESAMPLES[method]
    found = propose_graph(rows, method, n_bootstrap=resamples, seed=seed)
    right = essential_graph(graph).by_pair
    values = {
        "edges": float(len(found.edges)),
        "skeleton distance": float(skeleton_distance(found.found, graph)),
    }
    by_pair, sure = found.found.by_pair, {}
    for a, b, adjacent in found.edges.select("a", "b", "adjacent").iter_rows():
        sure.setdefault(frozenset({a, b}) in right, []).append(adjacent)
    if method != "fci":  # a PAG leaves open what a CPDAG decides: only the skeletons can be compared
        values = {"SHD": float(structural_hamming_distance(found.found, graph)), **values}
        arrows = [edge for edge in by_pair.values() if edge[1] == "->"]
        values["arrows"] = float(len(arrows))
        values["of them right"] = float(
            sum(right.get(frozenset({a, b})) == (a, kind, b) for a, kind, b in arrows)
        )
    values |= {
        f"adjacency of {'right' if kept else 'wrong'} pairs": float(np.mean(sure[kept])) for kept in sure
    }
    return Part(values, notes={"edges": [" ".join(edge) for edge in found.found.ordered]})


def _baselines(graph: CausalGraph, seed: int) -> dict[str, float]:
    """What no data and as many edges anywhere would give."""
    rng = np.random.default_rng(seed)
    pairs = list(combinations(graph.nodes, 2))
    right = essential_graph(graph)
    empty = PartialGraph(graph.nodes, frozenset())
    guessed, skeletons = [], []
    for _ in range(_GUESSES):
        order = rng.permutation(graph.nodes).tolist()
        chosen = [pairs[place] for place in rng.choice(len(pairs), len(graph.directed), replace=False)]
        arrows = [pair if order.index(pair[0]) < order.index(pair[1]) else pair[::-1] for pair in chosen]
        guess = essential_graph(CausalGraph.from_edges(arrows, nodes=graph.nodes))
        guessed.append(structural_hamming_distance(guess, right))
        skeletons.append(skeleton_distance(guess, right))
    return {
        "SHD of the empty graph": float(structural_hamming_distance(empty, right)),
        "mean SHD of random DAGs with as many edges": float(np.mean(guessed)),
        "best": float(np.min(guessed)),
        "mean skeleton distance": float(np.mean(skeletons)),
    }


ROWS = [
    Row(
        "discovery",
        "bnlearn samples, 10,000 rows of categories; distances to the CPDAG of the true graph",
        {f"{name} {method}": [0] for name in _GRAPHS for method in ("baselines", *_RESAMPLES)},
        _measure,
        "structural Hamming distance below the empty graph's and below chance",
    )
]
