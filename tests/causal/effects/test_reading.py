"""From a frame to a design: what is read, and what is refused in words."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from equipoise.causal.effects import estimate_effect
from equipoise.causal.effects.reading import read_design
from equipoise.errors import ConfigError, DataError


def test_one_may_be_said_of_booleans(sample: pl.DataFrame) -> None:
    data = sample.with_columns(t=pl.col("t") == 1)
    for treated in (1, True):
        effect = estimate_effect(data, "t", "y", adjust=["x"], treated=treated)
        assert effect.design.treated is True
        assert effect.value == pytest.approx(estimate_effect(sample, "t", "y", adjust=["x"]).value)
    assert estimate_effect(data, "t", "y", adjust=["x"], treated=0).value < 0
    with pytest.raises(DataError, match="No row has the treatment 'yes'"):
        estimate_effect(data, "t", "y", adjust=["x"], treated="yes")


@pytest.mark.parametrize("column", ["x", "y", "user"])
def test_infinity_is_named_and_counted(sample: pl.DataFrame, column: str) -> None:
    at = pl.int_range(pl.len()).is_in([3, 5])
    data = sample.with_columns(pl.when(at).then(float("-inf")).otherwise(pl.col(column)).alias(column))
    with pytest.raises(DataError, match=f"'{column}' is infinite in 2 of 3000 rows"):
        estimate_effect(data, "t", "y", adjust=["x"], cluster="user")


def test_clusters_that_are_no_number_are_missing(sample: pl.DataFrame) -> None:
    at = pl.int_range(pl.len()) < 50
    data = sample.with_columns(user=pl.when(at).then(float("nan")).otherwise(pl.col("user").cast(float)))
    design = read_design(data, "t", "y", ["x"], "user")
    assert design.dropped == 50
    assert np.bincount(design.clusters).max() <= 5


def test_a_text_is_one_name(sample: pl.DataFrame) -> None:
    data = sample.rename({"x": "age"})
    assert estimate_effect(data, "t", "y", adjust="age").design.sources == ("age",)
    assert read_design(data, "t", "y", "age").names == ("age",)
    with pytest.raises(DataError, match="no column 'ag'"):
        estimate_effect(data.with_columns(a=1.0, g=2.0), "t", "y", adjust="ag")


def test_columns_go_with_their_source_and_not_with_their_name() -> None:
    frame = pl.DataFrame(
        {"t": [0, 1] * 3, "y": [0.0, 1.0] * 3, "g": ["a", "b", "c"] * 2, "g=1": [1.0] * 6, "h": [2.0] * 6}
    )
    design = read_design(frame, "t", "y", ["g=1", "g", "h"])
    assert design.names == ("g=1", "g=b", "g=c", "h")
    assert design.columns_of("g") == [1, 2]
    less = design.without_covariate("g")
    assert less.names == less.sources == ("g=1", "h")
    more = less.with_covariate("noise", np.ones(6)).without_covariate("g=1")
    assert more.names == ("h", "noise")
    assert more.covariates.shape == (6, 2)


def test_negative_controls_stay_with_the_effect(sample: pl.DataFrame) -> None:
    rng = np.random.default_rng(0)
    data = sample.head(400).with_columns(before=pl.Series(rng.normal(size=400)) + pl.col("t"))
    effect = estimate_effect(data, "t", "y", adjust=["x"], method="ipw", negative_controls="before")
    assert effect.negative_controls == {"outcomes": ("before",)}
    lines = [line for line in effect.card["refutations"] if line["name"] == "negative_control_outcome"]
    assert [line["status"] for line in lines] == ["failed"]
    assert lines[0]["details"]["column"] == "before"
    both = {"outcomes": ["before"], "exposures": "sex"}
    kept = estimate_effect(data, "t", "y", adjust=["x"], negative_controls=both).negative_controls
    assert kept == {"outcomes": ("before",), "exposures": ("sex",)}
    with pytest.raises(DataError, match="no column 'after'"):
        estimate_effect(data, "t", "y", adjust=["x"], negative_controls=["after"])
    with pytest.raises(ConfigError, match="'outcome' is no kind"):
        estimate_effect(data, "t", "y", adjust=["x"], negative_controls={"outcome": ["before"]})
