from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from equipoise.data import to_polars


@pytest.fixture(params=["polars", "polars-lazy", "pandas", "pyarrow", "duckdb", "pyspark"])
def engine(request: pytest.FixtureRequest) -> Any:
    """A function that turns a Polars frame into the engine's own."""
    if request.param == "polars":
        return lambda frame: frame
    if request.param == "polars-lazy":
        return lambda frame: frame.lazy()
    if request.param == "pandas":
        return lambda frame: frame.to_pandas()
    if request.param == "pyarrow":
        return lambda frame: frame.to_arrow()
    if request.param == "duckdb":
        return lambda frame: duckdb.from_arrow(frame.to_arrow())
    session = request.getfixturevalue("spark")
    return lambda frame: session.createDataFrame(frame.to_arrow())


def same(left: Any, right: Any) -> None:
    """Both hold the same rows, in whatever order and of whatever engine."""
    left, right = (to_polars(frame) for frame in (left, right))
    assert left.columns == right.columns
    left = left.cast(dict(zip(right.columns, right.dtypes, strict=True)))
    assert sorted(map(repr, left.rows())) == sorted(map(repr, right.rows()))


@pytest.fixture
def shop() -> pl.DataFrame:
    """300 events of all kinds with ties in time: impressions in slates, clicks, searches."""
    rng = np.random.default_rng(7)
    n = 300
    kinds = np.array(["impression", "click", "purchase", "search"])[rng.choice(4, n, p=[0.4, 0.4, 0.1, 0.1])]
    searching = kinds == "search"
    return pl.DataFrame(
        {
            "user_id": rng.integers(0, 12, n),
            "item_id": pl.Series(rng.integers(0, 20, n)).set(pl.Series(searching), None),
            "timestamp": rng.integers(1_000, 1_060, n),
            "event": kinds,
            "query": [f"q{i % 5}" if s else None for i, s in enumerate(searching)],
            "slate_id": pl.Series(rng.integers(0, 80, n)).set(
                pl.Series(~np.isin(kinds, ["impression", "click"])), None
            ),
        }
    )
