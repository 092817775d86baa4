"""The effect in groups, and the answer as plain values."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from equipoise.causal.effects import estimate_effect
from equipoise.errors import DataError
from equipoise.statistics import holm


@pytest.mark.parametrize("method", ["aipw", "ipw"])
def test_groups_have_their_own_effect(sample: pl.DataFrame, method: str) -> None:
    """The effect is 1 + x: smaller among the lower half than among the upper."""
    data = sample.with_columns(half=pl.when(pl.col("x") < 0).then(pl.lit("low")).otherwise(pl.lit("up")))
    effect = estimate_effect(data, "t", "y", adjust=["x"], method=method)
    table = effect.by_group(["half", "sex"])
    assert table["group"].to_list() == ["low", "up", "f", "m"]
    low, up = table["value"][0], table["value"][1]
    assert abs(low - (1 - 0.798)) < 4 * table["standard_error"][0]
    assert abs(up - (1 + 0.798)) < 4 * table["standard_error"][1]
    assert table["p_adjusted"].to_numpy() == pytest.approx(holm(table["p_value"].to_numpy()))
    assert (table["low"] < table["value"]).all()


def test_groups_of_scores_add_up(sample: pl.DataFrame) -> None:
    for estimand in ("ate", "att"):
        effect = estimate_effect(sample, "t", "y", adjust=["x"], estimand=estimand)
        table = effect.by_group("sex")
        weight = (
            table["n"].to_numpy()
            if estimand == "ate"
            else np.array([sample.filter(pl.col("sex") == sex)["t"].sum() for sex in ("f", "m")])
        )
        assert np.average(table["value"].to_numpy(), weights=weight) == pytest.approx(effect.value)


def test_a_group_with_one_arm_says_so(sample: pl.DataFrame) -> None:
    data = sample.with_columns(arm=pl.when(pl.col("t") == 1).then(pl.lit("all")).otherwise(pl.lit("none")))
    table = estimate_effect(data, "t", "y", adjust=["x"]).by_group("arm")
    assert table["value"].to_list() == [None, None]
    assert table["reason"][0] == "all have the same treatment"


def test_refused_groups_and_too_many_groups(sample: pl.DataFrame) -> None:
    effect = estimate_effect(sample, "t", "y", adjust=["x"])
    with pytest.raises(DataError, match="600 groups"):
        effect.by_group("user")
    with pytest.raises(DataError, match="no column 'gender'"):
        effect.by_group("gender")


def test_the_answer_is_plain_json(sample: pl.DataFrame) -> None:
    effect = estimate_effect(sample, "t", "bought", adjust=["x", "sex"], cluster="user")
    said = json.loads(json.dumps(effect.as_dict(), allow_nan=False))
    assert said["value"] == effect.value
    assert said["clusters"] == 600
    assert said["overlap"]["effective_sample_size"]["treated"] < sample["t"].sum()
    assert sum(bar["treated"] for bar in said["overlap"]["histogram"]) == sample["t"].sum()
    assert said["naive"]["value"] == pytest.approx(
        sample.filter(pl.col("t") == 1)["bought"].mean() - sample.filter(pl.col("t") == 0)["bought"].mean()
    )
