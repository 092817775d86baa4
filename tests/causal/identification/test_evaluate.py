"""Formulas evaluated on tables of every kind, and what cannot be evaluated."""

import numpy as np
import polars as pl
import pytest

from equipoise.causal.graph import CausalGraph
from equipoise.causal.identification import identify
from equipoise.errors import DataError
from tests.causal.identification.tables import bernoulli, joint, triangle

TRIANGLE = CausalGraph.parse("x -> y -> z; x -> z")
NAPKIN = CausalGraph.parse("w -> z -> x -> y; w <-> x; w <-> y")
OF_Y = identify(TRIANGLE, outcome="z", do="y")


def asked(table):
    return OF_Y.evaluate(table, {"z": 1}, {"y": 1})


def raw_rows():
    """1000 rows in the proportions of the triangle."""
    table = triangle().with_columns(n=(pl.col("p") * 1000).round().cast(pl.Int64)).drop("p")
    return table.select(pl.all().exclude("n").repeat_by("n").explode())


@pytest.mark.parametrize("rows", [True, False])
@pytest.mark.parametrize("kind", ["polars", "lazy", "pandas", "pyarrow", "duckdb"])
def test_tables_of_any_engine(kind, rows):
    table = raw_rows() if rows else triangle()
    if kind == "lazy":
        table = table.lazy()
    elif kind == "pandas":
        pytest.importorskip("pandas")
        table = table.to_pandas()
    elif kind == "pyarrow":
        table = table.to_arrow()
    elif kind == "duckdb":
        duckdb = pytest.importorskip("duckdb")
        arrow = table.to_arrow()  # noqa: F841 - read by name
        table = duckdb.sql("select * from arrow")
    assert asked(table) == pytest.approx(0.52)


def test_tables_of_spark(spark):
    assert asked(spark.createDataFrame(triangle().rows(), triangle().columns)) == pytest.approx(0.52)


def test_columns_the_formula_does_not_need_are_summed_over_or_ignored():
    split = pl.concat([triangle().with_columns(pl.col("p") / 2, lot=pl.lit(lot)) for lot in "ab"])
    assert asked(split) == pytest.approx(0.52)
    assert identify(TRIANGLE, "z", "x").evaluate(triangle().group_by("x", "z").agg(pl.col("p").sum()),
                                                 {"z": 1}, {"x": 1}) == pytest.approx(0.71)  # fmt: skip


def test_values_of_any_kind():
    words = triangle().with_columns(
        pl.col("x").replace_strict({0: "low", 1: "high"}),
        pl.col("y").cast(pl.Boolean),
        pl.col("z").cast(pl.Float64),
    )
    assert OF_Y.evaluate(words, {"z": 1}, {"y": True}) == pytest.approx(0.52)


def test_values_that_play_no_part_are_averaged_over():
    rng = np.random.default_rng(0)
    chance = {name: rng.uniform(0.1, 0.9, 8) for name in "wzxy"}

    def probability(w, z, x, y):
        return sum(
            0.25
            * bernoulli(chance["w"][2 * u + v], w)
            * bernoulli(chance["z"][w], z)
            * bernoulli(chance["x"][2 * u + z], x)
            * bernoulli(chance["y"][2 * v + x], y)
            for u in (0, 1)
            for v in (0, 1)
        )

    truth = np.mean([chance["y"][1], chance["y"][3]])
    table = joint("wzxy", probability)
    estimand = identify(NAPKIN, "y", "x")
    assert estimand.evaluate(table, {"y": 1}, {"x": 1}) == pytest.approx(truth, abs=1e-12)
    # Where z = 0 never happens, z = 1 still tells.
    only = table.filter(pl.col("z") == 1).with_columns(pl.col("p") / pl.col("p").sum())
    assert np.isfinite(estimand.evaluate(only, {"y": 1}, {"x": 1}))


def test_what_never_happens_is_named_and_no_number_is_given():
    table = (
        triangle()
        .filter((pl.col("x") == 0) | (pl.col("y") == 0))
        .with_columns(pl.col("p") / pl.col("p").sum())
    )
    with pytest.raises(DataError, match=r"conditions on something that never happens \(x = 1, y = 1\)"):
        asked(table)
    assert 0 < OF_Y.evaluate(table, {"z": 1}, {"y": 0}) < 1


def test_a_condition_that_never_happens_is_no_number():
    estimand = identify(CausalGraph.parse("x -> y -> c"), "y", "x", given="c")
    table = pl.DataFrame({"x": [0, 0, 1, 1], "y": [0, 1, 0, 1], "c": [0, 1, 0, 1], "p": [0.5, 0.0, 0.0, 0.5]})
    with pytest.raises(DataError, match="never happens"):
        estimand.evaluate(table, {"y": 1}, {"x": 0}, {"c": 1})


def test_strata_that_never_happen_need_no_support():
    never = pl.DataFrame({"x": [2], "y": [0], "z": [0], "p": [0.0]}, schema=triangle().schema)
    assert asked(pl.concat([triangle(), never])) == pytest.approx(0.52)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (triangle().drop("x"), "no column 'x'"),
        (triangle().with_columns(pl.col("p") * 2), "holds no probabilities .smallest .*sum 2"),
        (
            triangle().with_columns(pl.when(pl.col("x") == 1).then(-0.1).otherwise("p").alias("p")),
            "smallest -0.1",
        ),
        (triangle().with_columns(pl.lit(None, dtype=pl.Float64).alias("p")), "holds no probabilities"),
        (triangle().clear(), "has no rows"),
        (
            raw_rows().with_columns(pl.when(pl.col("x") == 0).then("x").alias("x")),
            "'x' has missing values.*300 rows",
        ),
        (
            raw_rows().with_columns(pl.when(pl.col("x") == 0).then("x").otherwise(float("nan")).alias("x")),
            "'x' has missing values",
        ),
        ("x.csv", "A table was expected"),
    ],
)
def test_tables_that_are_none(table, said):
    with pytest.raises(DataError, match=said):
        asked(table)


def test_too_many_combinations():
    wide = CausalGraph.parse("; ".join(f"c{place} -> x; c{place} -> y" for place in range(25)) + "; x -> y")
    rows = pl.DataFrame({name: [0, 1] for name in wide.nodes})
    with pytest.raises(DataError, match="too many combinations"):
        identify(wide, "y", "x").evaluate(rows, {"y": 1}, {"x": 1})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (({"z": 7}, {"y": 1}), r"value 7 of 'z' does not occur.*0, 1"),
        (({"z": 1}, {"y": "1"}), "value '1' of 'y' does not occur"),
        (({"z": 1},), "No value is given for 'y'"),
        (({}, {"y": 1}), "No value is given for 'z'"),
        (({"z": 1, "x": 1}, {"y": 1}), "no 'x' under 'outcome'"),
        (({"z": 1}, {"y": 1}, {"x": 0}), "no 'x' under 'given'"),
    ],
)
def test_values_that_are_not_asked_for_or_not_there(values, said):
    with pytest.raises(DataError, match=said):
        OF_Y.evaluate(triangle(), *values)
