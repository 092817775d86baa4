"""The same FairnessFrame from every engine, to nine decimals."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from equipoise.audit.fairness.frame import FairnessFrame
from equipoise.metrics import average_precision, ndcg


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(7)
    rows = [
        (u, int(i), r, s)
        for s in ("one", "two")
        for u in range(120)
        for r, i in enumerate(rng.permutation(30)[:5], 1)
    ]
    truth = {"user_id": rng.integers(0, 120, 300), "item_id": rng.integers(0, 30, 300)}
    users = {
        "user_id": np.arange(118),
        "gender": rng.choice(["M", "F"], 118),
        "age": rng.integers(18, 60, 118),
        "activity": np.round(rng.exponential(10, 118), 3),
    }
    train = {"user_id": rng.integers(0, 120, 900), "item_id": rng.integers(0, 30, 900)}
    return {
        "recommendations": pl.DataFrame(rows, schema=["user_id", "item_id", "rank", "system"], orient="row"),
        "truth": pl.DataFrame(truth),
        "users": pl.DataFrame(users),
        "train": pl.DataFrame(train),
    }


def frame(tables):
    return FairnessFrame(
        **tables,
        metrics={"ndcg@5": ndcg(5), "map@3": average_precision(3)},
        groups=["gender", "age"],
        intersections=2,
        controls=["activity", "profile_size"],
        min_cell=10,
        n_bootstrap=100,
        n_permutations=100,
    )


@pytest.mark.parametrize("engine", ["polars lazy", "pandas", "arrow", "duckdb", "spark"])
def test_the_numbers_of_all_engines_are_equal(engine, tables, request):
    if engine == "duckdb":
        duckdb = pytest.importorskip("duckdb")
        theirs = {name: duckdb.from_arrow(table.to_arrow()) for name, table in tables.items()}
    elif engine == "spark":
        spark = request.getfixturevalue("spark")
        theirs = {
            name: spark.createDataFrame(table.rows(), table.columns).cache() for name, table in tables.items()
        }
    else:
        turn = {
            "polars lazy": pl.DataFrame.lazy,
            "pandas": pl.DataFrame.to_pandas,
            "arrow": pl.DataFrame.to_arrow,
        }
        theirs = {name: turn[engine](table) for name, table in tables.items()}
    ours, other = frame(tables), frame(theirs)
    for name in ("overall", "by_group", "gaps", "comparisons", "gap_comparisons", "slices", "per_user"):
        table = getattr(other, name)
        if engine in ("polars lazy", "duckdb", "spark"):
            assert isinstance(table, pl.DataFrame)
        if not isinstance(table, pl.DataFrame):
            table = pl.from_pandas(table) if engine == "pandas" else pl.from_arrow(table)
        expected = getattr(ours, name)
        assert_frame_equal(expected, table.cast(dict(expected.schema)), abs_tol=1e-9, rel_tol=0)
    assert ours.notes == other.notes
