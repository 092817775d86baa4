"""Reading a question from a table."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

from equipoise.causal.effects import estimate_effect
from equipoise.causal.effects.design import matrix
from equipoise.causal.effects.reading import read_design
from equipoise.errors import ConfigError, DataError


def test_rows_with_gaps_are_dropped_and_counted() -> None:
    frame = pl.DataFrame({"t": [0, 1, None, 1], "y": [1.0, 2.0, 3.0, float("nan")], "x": [1, 2, 3, 4]})
    design = read_design(frame, "t", "y", ["x"])
    assert (design.n, design.dropped) == (2, 2)


def test_text_becomes_a_column_per_level_but_the_first() -> None:
    frame = pl.DataFrame({"town": ["b", "a", "c", "a"], "age": [1, 2, 3, 4]})
    values, names = matrix(frame, ["town", "age"])
    assert names == ("town=b", "town=c", "age")
    assert values.tolist() == [[1, 0, 1], [0, 0, 2], [0, 1, 3], [0, 0, 4]]


def test_the_larger_value_is_the_treatment_unless_said_otherwise() -> None:
    frame = pl.DataFrame({"t": ["new", "old", "new"], "y": [1, 2, 3]})
    assert read_design(frame, "t", "y").treatment.tolist() == [0, 1, 0]
    said = read_design(frame, "t", "y", treated="new")
    assert (said.treated, said.control) == ("new", "old")
    assert said.treatment.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"t": [1, 1], "y": [1, 2]}, "one value"),
        ({"t": [0, 1, 2], "y": [1, 2, 3]}, "3 values"),
        ({"t": [0, 1], "y": ["a", "b"]}, "no number"),
        ({"t": [None, None], "y": [1, 2]}, "No row"),
    ],
)
def test_what_cannot_be_asked_is_said(columns: dict[str, list[object]], said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_design(pl.DataFrame(columns), "t", "y")


def test_columns_have_one_part_each_and_exist(sample: pl.DataFrame) -> None:
    with pytest.raises(DataError, match="two things at once"):
        estimate_effect(sample, "t", "y", adjust=["t"])
    with pytest.raises(DataError, match="Did you mean 'x'"):
        estimate_effect(sample, "t", "y", adjust=["xx"])
    with pytest.raises(DataError, match="levels, too many"):
        read_design(sample.with_columns(pl.col("user").cast(pl.String)), "t", "y", ["user"])
    with pytest.raises(ConfigError, match="Nothing says what to adjust for"):
        estimate_effect(sample, "t", "y")
    with pytest.raises(ConfigError, match="method"):
        estimate_effect(sample, "t", "y", adjust=[], method="magic")
    with pytest.raises(ConfigError, match="no nuisance model"):
        estimate_effect(sample, "t", "y", adjust=["x"], outcome_model="deep")


def test_copies_of_a_row_share_a_cluster(sample: pl.DataFrame) -> None:
    design = read_design(sample, "t", "y", ["x"])
    drawn = design.take([5, 5, 7])
    assert drawn.clusters is not None
    assert drawn.clusters[0] == drawn.clusters[1] != drawn.clusters[2]
    assert design.take([5, 7]).clusters is None
    assert drawn.frame["x"].to_list() == [sample["x"][5], sample["x"][5], sample["x"][7]]


def test_covariates_come_and_go(sample: pl.DataFrame) -> None:
    design = read_design(sample, "t", "y", ["x", "sex"])
    more = design.with_covariate("noise", np.arange(design.n))
    assert more.names == ("x", "sex=m", "noise")
    assert more.without_covariate("sex").names == ("x", "noise")
    with pytest.raises(DataError, match="not adjusted for"):
        design.without_covariate("user")
    with pytest.raises(DataError, match="does not fit"):
        design.with_outcome(np.ones(3))


def test_every_engine_gives_the_same_effect(sample: pl.DataFrame) -> None:
    def ask(frame: object) -> list[float | None]:
        effect = estimate_effect(frame, "t", "bought", adjust=["x", "sex"], cluster="user")
        return [effect.value, effect.low, effect.high]

    wanted = ask(sample)
    assert ask(sample.to_pandas()) == pytest.approx(wanted)
    assert isinstance(sample.to_pandas(), pd.DataFrame)
    assert ask(sample.lazy()) == wanted
    connection = duckdb.connect()
    connection.register("events", sample.to_arrow())
    assert ask(connection.table("events")) == pytest.approx(wanted)
