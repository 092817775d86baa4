"""The effect in groups, and the answer as plain values."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from equipoise.causal.effects import estimate_effect
from equipoise.causal.graph import GraphError
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


def _napkin(n: int = 20_000) -> pl.DataFrame:
    rng = np.random.default_rng(3)
    a, b = rng.random((2, n)) < 0.5
    w = (rng.random(n) < 0.2 + 0.3 * a + 0.3 * b).astype(int)
    z = (rng.random(n) < 0.3 + 0.4 * w).astype(int)
    t = (rng.random(n) < 0.1 + 0.4 * z + 0.4 * a).astype(int)
    y = (rng.random(n) < 0.2 + 0.3 * t + 0.4 * b).astype(int)
    return pl.DataFrame({"w": w, "z": z, "t": t, "y": y})


def test_groups_of_a_collider_have_a_reason_and_no_number() -> None:
    """In the napkin graph w is moved by hidden causes of both: within its groups the formula is another."""
    effect = estimate_effect(_napkin(), "t", "y", graph="w -> z -> t -> y; w <-> t; w <-> y")
    assert effect.value == pytest.approx(0.3, abs=0.1)
    table = effect.by_group("w")
    assert table["value"].to_list() == [None, None]
    assert "not estimated within groups" in table["reason"][0]


@pytest.mark.parametrize("method", ["aipw", "ipw"])
def test_groups_are_held_against_the_graph(method: str) -> None:
    """s is a common effect of hidden causes of t and of y; g moves y alone."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4000))
    g = rng.integers(0, 2, 4000)
    s = (a + b > 0).astype(int)
    t = (a + rng.normal(size=4000) > 0).astype(int)
    data = pl.DataFrame({"s": s, "g": g, "t": t, "y": t * (1 + g) + 2 * b + rng.normal(size=4000), "k": g})
    effect = estimate_effect(data, "t", "y", graph="s <-> t; s <-> y; g -> y; t -> y", method=method)
    assert effect.low < 1.5 < effect.high
    table = effect.by_group(["s", "g", "k"])
    assert table["value"].is_null().to_list() == [True, True, False, False, True, True]
    assert "opens a path" in table["reason"][0]
    assert table["low"][2] < 1 < table["high"][2]
    assert table["low"][3] < 2 < table["high"][3]
    assert "not in the graph" in table["reason"][4]


def test_groups_that_the_treatment_makes_are_refused(sample: pl.DataFrame) -> None:
    effect = estimate_effect(sample, "t", "bought", adjust=["x"])
    for column, role in (("bought", "outcome"), ("t", "treatment")):
        with pytest.raises(DataError, match=f"is the {role}"):
            effect.by_group(column)
    drawn = estimate_effect(sample, "t", "bought", graph="x -> t -> y -> bought; x -> bought")
    with pytest.raises(GraphError, match="'y' is an effect of 't'"):
        drawn.by_group("y")
    rng = np.random.default_rng(0)
    t = rng.integers(0, 2, 400)
    m = rng.random(400) < 0.3 + 0.4 * t
    data = pl.DataFrame({"t": t, "m": m.astype(int), "y": m + rng.normal(size=400)})
    through = estimate_effect(data, "t", "y", adjust=[], method="frontdoor", mediator="m")
    with pytest.raises(DataError, match="is the mediator"):
        through.by_group("m")


def test_empty_groups_and_no_columns_are_said(sample: pl.DataFrame) -> None:
    effect = estimate_effect(sample.with_columns(none=pl.lit(None, pl.String)), "t", "y", adjust=["x"])
    with pytest.raises(DataError, match="No column to group by"):
        effect.by_group([])
    with pytest.raises(DataError, match="'none' has no values"):
        effect.by_group("none")


@pytest.mark.parametrize(("method", "options"), [("plr", {}), ("ipw", {"propensity_model": "boosting"})])
def test_a_group_of_few_rows_is_a_row_with_a_reason(
    sample: pl.DataFrame, method: str, options: dict[str, str]
) -> None:
    place = pl.when(pl.int_range(pl.len()) < 4).then(pl.lit("few")).otherwise(pl.lit("many"))
    data = sample.head(1000).with_columns(place=place)
    assert data.head(4)["t"].n_unique() == 2
    table = estimate_effect(data, "t", "y", adjust=["x"], method=method, **options).by_group("place")
    assert table["value"].is_null().to_list() == [True, False]
    assert "cannot be split" in table["reason"][0]


def test_p_values_of_instruments_are_those_of_their_intervals() -> None:
    """Anderson and Rubin's test, not Wald's, in the whole and in groups."""
    agreed = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        z, g = rng.integers(0, 2, (2, 240))
        u = rng.normal(size=240)
        t = (0.9 * z + u + rng.normal(size=240) > 0.4).astype(int)
        data = pl.DataFrame({"z": z, "g": g, "t": t, "y": 1.2 * t + u + rng.normal(size=240)})
        effect = estimate_effect(data, "t", "y", method="iv", instrument="z")
        if effect.refused:
            continue
        assert (effect.p_value < 0.05) == (effect.low > 0 or effect.high < 0)
        for row in effect.by_group("g").drop_nulls("value").to_dicts():
            assert (row["p_value"] < 0.05) == (row["low"] > 0 or row["high"] < 0)
            agreed += 1
    assert agreed > 20
