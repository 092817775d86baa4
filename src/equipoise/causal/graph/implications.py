"""Do the data contradict a graph? Tests of the independences that it implies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from equipoise.causal.graph.causal_graph import CausalGraph
from equipoise.causal.independence.clustered import clustered_test, one_of_each
from equipoise.causal.independence.conditional import independence_test
from equipoise.causal.independence.variables import cluster_codes, encode_all, read_variables
from equipoise.data import to_polars
from equipoise.errors import DataError
from equipoise.progress import track
from equipoise.statistics import holm

_NAMED = 3  # contradictions named in the sentence


@dataclass(frozen=True)
class Implications:
    """What the data say of the independences that a graph implies.

    Attributes:
        table: One row per implied independence, strongest contradiction first: `a`, `b`, `given` (list),
            `test`, `statistic`, `degrees` (0 where the data can say nothing), `p_value`, `p_adjusted` (Holm),
            `strength` (0 to 1, as a correlation) and `rejected`.
        level: Chance of any false rejection, if the graph is right.
        n: Number of rows.
        clusters: Number of clusters of rows; None where each row was taken to be independent of the others.
    """

    table: pl.DataFrame
    level: float
    n: int
    clusters: int | None = None

    @property
    def contradicted(self) -> bool:
        """Whether some implied independence does not hold."""
        return bool(self.table["rejected"].any())

    @property
    def untested(self) -> int:
        """Implied independences of which the data can say nothing: a column never varies, or rows are few."""
        return int((self.table["degrees"] == 0).sum())

    @property
    def sentence(self) -> str:
        """What was found, in plain words."""
        if self.table.is_empty():
            return "The graph implies no independence, so no data can contradict it."
        tested = len(self.table) - self.untested
        rows = f"{self.n} rows" + ("" if self.clusters is None else f" of {self.clusters} clusters")
        if not tested:
            return (
                f"None of the {self.untested} independences that the graph implies could be tested by {rows}."
            )
        rest = "" if not self.untested else f" {self.untested} more could not be tested."
        if not self.contradicted:
            return (
                f"None of the {tested} independences that the graph implies is contradicted by {rows}.{rest} "
                "That does not prove the graph: many others imply the same."
            )
        wrong = self.table.filter("rejected")
        named = "; ".join(_words(row) for row in wrong.head(_NAMED).iter_rows(named=True))
        more = f"; and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
        return (
            f"The data contradict the graph: {len(wrong)} of {tested} implied independences do not hold "
            f"({named}{more}). An arrow or a hidden common cause is missing between these variables, or an "
            f"arrow elsewhere is wrong.{rest}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "kind": "implications",
            "schema": 1,
            "level": self.level,
            "n": self.n,
            "clusters": self.clusters,
            "untested": self.untested,
            "contradicted": self.contradicted,
            "sentence": self.sentence,
            "tests": self.table.to_dicts(),
        }


def test_implications(  # a question put to data, not a test of ours
    graph: CausalGraph,
    data: Any,
    level: float = 0.05,  # noqa: PT028
    discrete: str | Iterable[str] | None = None,  # noqa: PT028
    cluster: str | None = None,  # noqa: PT028
    seed: int = 0,  # noqa: PT028
) -> Implications:
    """Test every independence that the graph implies, and hold the chance of any false alarm to `level`.

    Rows are taken to be independent of each other: where users have several, name their column as `cluster`,
    or a right graph will be contradicted. With very many rows deviations that matter to nobody are found, too:
    look at `strength`.

    Args:
        graph: A causal graph; variables that it says are hidden are in no implication.
        data: Frame with a column for each variable of the graph.
        level: Chance of contradicting a right graph (Holm).
        discrete: Columns that are categories; None to tell from the values, as `read_variables` does.
        cluster: Column of users (or whatever else rows depend on each other within). One row of each is drawn,
            several times over, and the p-values of the draws are combined.
        seed: Root of the draws.

    Raises:
        DataError: if a column is missing or has gaps, a category has over 100 levels, or `level` is not between
            0 and 1, or `seed` is below 0.
    """
    if not 0 < level < 1:
        raise DataError(f"The level is a chance between 0 and 1, not {level}")
    if seed < 0:
        raise DataError(f"A seed of {seed} is below 0")
    implied = graph.implications()
    whole = to_polars(data)
    variables, table = read_variables(whole, graph.nodes, discrete=discrete)
    columns = encode_all(variables, table)
    clusters = None if cluster is None else cluster_codes(whole, cluster)
    draws = None if clusters is None else one_of_each(clusters, seed)
    found = [
        independence_test(one.a, one.b, one.given, variables, columns)
        if draws is None
        else clustered_test(one.a, one.b, one.given, variables, columns, draws)
        for one in track(implied, "testing implied independences")
    ]
    adjusted = np.ones(len(found))
    told = np.array([test.degrees > 0 for test in found], dtype=bool)
    adjusted[told] = holm([test.p_value for test in found if test.degrees])
    rows = [
        {
            "a": one.a,
            "b": one.b,
            "given": list(one.given),
            "test": test.test,
            "statistic": test.statistic,
            "degrees": test.degrees,
            "p_value": test.p_value,
            "p_adjusted": float(p_adjusted),
            "strength": test.strength,
            "rejected": bool(p_adjusted <= level),
        }
        for one, test, p_adjusted in zip(implied, found, adjusted, strict=True)
    ]
    ordered = pl.DataFrame(rows, schema=_SCHEMA).sort("p_value", "a", "b")
    return Implications(ordered, level, len(table), None if draws is None else len(draws[0]))


_SCHEMA: dict[str, Any] = {
    "a": pl.String,
    "b": pl.String,
    "given": pl.List(pl.String),
    "test": pl.String,
    "statistic": pl.Float64,
    "degrees": pl.Int64,
    "p_value": pl.Float64,
    "p_adjusted": pl.Float64,
    "strength": pl.Float64,
    "rejected": pl.Boolean,
}


def _words(row: dict[str, Any]) -> str:
    given = f" given {', '.join(row['given'])}" if row["given"] else ""
    return f"'{row['a']}' depends on '{row['b']}'{given}, strength {row['strength']:.2f}"
