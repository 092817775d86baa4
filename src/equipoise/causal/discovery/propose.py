"""`propose_graph`: learn a graph from data, or ask a language model, and say how sure it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from equipoise.causal.discovery.causal_learn import LEARNERS, learn
from equipoise.causal.discovery.language_model import ask, majority
from equipoise.causal.discovery.partial_graph import PartialGraph
from equipoise.causal.discovery.proposal import Proposal
from equipoise.causal.independence.variables import cluster_codes, encode_all, read_variables
from equipoise.data import to_polars
from equipoise.data import vocabulary as v
from equipoise.data.frames import named_columns, require
from equipoise.endpoint import Endpoint
from equipoise.errors import ConfigError, DataError, nearest
from equipoise.progress import track

LANGUAGE_MODEL = "llm"
METHODS = (*LEARNERS, LANGUAGE_MODEL)

_IDS = (v.USER, v.ITEM, v.REQUEST, v.SLATE)
"""Names of rows, which are no variables unless asked for."""
_RESAMPLES, _REPEATS = 30, 5
_LOGGED = "What is learned from logged events is also what the logging policy did."
_UNCHECKED = "It was read from names and descriptions alone; no row was looked at: test it on data."


def propose_graph(
    data: Any,
    method: str = "pc",
    *,
    columns: str | Sequence[str] | None = None,
    discrete: str | Iterable[str] | None = None,
    cluster: str | None = None,
    descriptions: Mapping[str, str] | None = None,
    endpoint: Endpoint | None = None,
    model: str = "",
    n_bootstrap: int | None = None,
    level: float = 0.05,
    seed: int = 0,
) -> Proposal:
    """Propose a causal graph, to be looked at and accepted by a person.

    * ``"pc"``: independences, if nothing is hidden; categories, quantities or both.
    * ``"fci"``: the same with room for hidden common causes.
    * ``"ges"``: the best score; only categories or only quantities.
    * ``"lingam"``: linear functions with noise that is not normal; only quantities.
    * ``"llm"``: a language model that reads names and descriptions of the columns; no value is sent.

    The confidence of an edge is how often it comes back in bootstrap resamples (of rows, or of clusters), or
    when the language model is asked again with the columns in another order. It tells how stable an edge is,
    not whether it is true.

    Args:
        data: Frame of rows that are independent of each other, or of clusters that are.
        method: As above.
        columns: Columns to be variables of the graph; None for all but `cluster` and ids.
        discrete: Columns that are categories; None to tell from the values: texts, truth values, and whole
            numbers of at most ten kinds are.
        cluster: Column of users, resampled as wholes.
        descriptions: What columns mean, for the language model.
        endpoint: Server of the language model; None for the one that the environment names.
        model: Name of the language model on the server.
        n_bootstrap: Resamples or repeated questions; None for 30, or 5 of a language model. 0 resamples for none.
        level: Level of the tests of independence of "pc" and "fci".
        seed: Root of all random numbers.

    Raises:
        ConfigError: if there is no such method, or no model is named for "llm".
        DataError: if a column is missing or named twice, has gaps, never varies, or is not for this method; if a
            row is of no cluster, or a setting is out of range.
        MissingExtraError: if causal-learn is not installed.
        EndpointError: if the language model gives no usable answer.
    """
    if method not in METHODS:
        raise ConfigError(f"There is no method '{method}' to propose a graph", todo=nearest(method, METHODS))
    if not 0 < level < 1:
        raise DataError(f"The level is a chance between 0 and 1, not {level}")
    if n_bootstrap is not None and n_bootstrap < (method == LANGUAGE_MODEL):
        raise DataError(f"{n_bootstrap} is no number of resamples")
    if seed < 0:
        raise DataError(f"A seed of {seed} is below 0")
    table = to_polars(data)
    every = [name for name in table.columns if name not in (cluster, *_IDS)]
    names = every if columns is None else named_columns(columns)
    require(table.columns, *names, table="data")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"'{twice}' is named twice", where=", ".join(names), todo="Name each column once.")
    clusters = None if cluster is None else cluster_codes(table, cluster)
    if len(names) < 2:
        raise DataError("A graph needs at least two columns", where=", ".join(names) or "no column")
    if method == LANGUAGE_MODEL:
        if not model:
            raise ConfigError("No language model is named", todo="Name one of the server's, as model='...'.")
        for name in descriptions or {}:
            require(names, name, table="list of columns")
        answers = ask(
            endpoint or Endpoint.from_environment(),
            model,
            names,
            descriptions or {},
            _REPEATS if n_bootstrap is None else n_bootstrap,
            seed,
        )
        found = majority(answers.graphs)
        edges = _edges(found, answers.graphs, answers.reasons)
        notes = (f"{answers.unusable} answers were unusable.",) if answers.unusable else ()
        count = len(answers.graphs)
        return Proposal(method, found, edges, None, count, answers.refused, (*notes, _UNCHECKED))
    variables, chosen = read_variables(table, names, discrete=discrete)
    values = encode_all(variables, chosen)
    found = learn(method, variables, values, level)
    again: list[PartialGraph] = []
    failed = 0
    times = _RESAMPLES if n_bootstrap is None else n_bootstrap
    for turn in track(range(times), f"learning the graph again from {times} resamples"):
        rows = _resampled(len(table), clusters, np.random.default_rng([seed, turn]))
        try:
            again.append(
                learn(method, variables, {name: column[rows] for name, column in values.items()}, level)
            )
        except DataError:  # a rare level may be missing from a resample
            failed += 1
    notes = (f"{failed} resamples could not be learned from.",) if failed else ()
    edges = _edges(found, again, {})
    return Proposal(method, found, edges, len(table), len(again), notes=(*notes, _LOGGED))


def _resampled(n: int, code: np.ndarray[Any, Any] | None, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Row numbers of a bootstrap resample of rows, or of clusters by their codes (n,)."""
    if code is None:
        return rng.integers(0, n, n)
    order, starts = np.argsort(code, kind="stable"), np.searchsorted(np.sort(code), np.arange(code.max() + 2))
    drawn = rng.integers(0, len(starts) - 1, len(starts) - 1)
    return np.concatenate([order[starts[one] : starts[one + 1]] for one in drawn])


def _edges(
    found: PartialGraph, again: Sequence[PartialGraph], reasons: Mapping[tuple[str, str, str], str]
) -> pl.DataFrame:
    """The table of edges with their shares among the graphs that were found again."""
    seen = [graph.by_pair for graph in again]
    rows = []
    for edge in found.ordered:
        a, kind, b = edge
        others = [pairs.get(frozenset({a, b})) for pairs in seen]

        def share(*wanted: Any, among: Sequence[Any] = others) -> float | None:
            return sum(other in wanted for other in among) / len(among) if among else None

        missing = share(None)
        rows.append(
            {
                "a": a,
                "kind": kind,
                "b": b,
                "confidence": share(edge),
                "adjacent": None if missing is None else 1 - missing,
                "forward": share((a, "->", b)),
                "backward": share((b, "->", a)),
                "reason": reasons.get(edge),
            }
        )
    shares = dict.fromkeys(("confidence", "adjacent", "forward", "backward"), pl.Float64)
    words = dict.fromkeys(("a", "kind", "b"), pl.String)
    return pl.DataFrame(rows, schema={**words, **shares, "reason": pl.String})
