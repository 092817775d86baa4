"""Do the data contradict a graph? Tests of the independences that it implies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from equipoise.causal.conditional_independence import independence_test
from equipoise.causal.graph.causal_graph import CausalGraph
from equipoise.causal.variables import encode_all, read_variables
from equipoise.errors import DataError
from equipoise.progress import track
from equipoise.statistics import holm

_NAMED = 3  # contradictions named in the sentence


@dataclass(frozen=True)
class Implications:
    """What the data say of the independences that a graph implies.

    Attributes:
        table: One row per implied independence, strongest contradiction first: `a`, `b`, `given` (list),
            `test`, `statistic`, `degrees`, `p_value`, `p_adjusted` (Holm), `strength` (0 to 1, as a
            correlation) and `rejected`.
        level: Chance of any false rejection, if the graph is right.
        n: Number of rows.
    """

    table: pl.DataFrame
    level: float
    n: int

    @property
    def contradicted(self) -> bool:
        """Whether some implied independence does not hold."""
        return bool(self.table["rejected"].any())

    @property
    def sentence(self) -> str:
        """What was found, in plain words."""
        tested = len(self.table)
        if not tested:
            return "The graph implies no independence, so no data can contradict it."
        if not self.contradicted:
            return (
                f"None of the {tested} independences that the graph implies is contradicted by {self.n} rows. "
                "That does not prove the graph: many others imply the same."
            )
        wrong = self.table.filter("rejected")
        named = "; ".join(_words(row) for row in wrong.head(_NAMED).iter_rows(named=True))
        more = f"; and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
        return (
            f"The data contradict the graph: {len(wrong)} of {tested} implied independences do not hold "
            f"({named}{more}). An arrow or a hidden common cause is missing between these variables, or an "
            "arrow elsewhere is wrong."
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "kind": "implications",
            "schema": 1,
            "level": self.level,
            "n": self.n,
            "contradicted": self.contradicted,
            "sentence": self.sentence,
            "tests": self.table.to_dicts(),
        }


def test_implications(  # a question put to data, not a test of ours
    graph: CausalGraph,
    data: Any,
    level: float = 0.05,  # noqa: PT028
    discrete: Iterable[str] | None = None,  # noqa: PT028
) -> Implications:
    """Test every independence that the graph implies, and hold the chance of any false alarm to `level`.

    Rows are taken to be independent of each other: where a user has many, keep one each. With very many rows
    deviations that matter to nobody are found, too: look at `strength`.

    Args:
        graph: A causal graph; variables that it says are hidden are in no implication.
        data: Frame with a column for each variable of the graph.
        level: Chance of contradicting a right graph (Holm).
        discrete: Columns that are categories; None to tell from the values, as `read_variables` does.

    Raises:
        DataError: if a column is missing or has gaps, or `level` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise DataError(f"The level is a chance between 0 and 1, not {level}")
    implied = graph.implications()
    variables, table = read_variables(data, graph.nodes, discrete=discrete)
    columns = encode_all(variables, table)
    found = [
        independence_test(one.a, one.b, one.given, variables, columns)
        for one in track(implied, "testing implied independences")
    ]
    adjusted = holm([test.p_value for test in found])
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
    return Implications(ordered, level, len(table))


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
