"""Popularity on ML-100K, against values worked out independently: the anchor of metric, tie rule and interval alike."""

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from equipoise.metrics import ndcg
from equipoise.statistics import (
    bootstrap_difference,
    bootstrap_means,
    minimum_detectable_difference,
    permutation_test,
)

FOLDER = os.environ.get("EQUIPOISE_DATA")
pytestmark = pytest.mark.skipif(not FOLDER, reason="needs real data: set EQUIPOISE_DATA")


def read(suffix):
    path = next(Path(FOLDER or "", "ml-100k").glob(f"*.{suffix}"))
    frame = pl.read_csv(path, separator="\t", quote_char=None, infer_schema_length=0)
    return frame.rename({name: name.split(":")[0] for name in frame.columns})


@pytest.fixture(scope="module")
def values():
    events = read("inter").with_columns(pl.col("rating", "timestamp").cast(pl.Float64))
    events = events.sort("user_id", "timestamp", "item_id").with_columns(
        place=pl.int_range(pl.len()).over("user_id"), n=pl.len().over("user_id")
    )  # items as strings: the tie rule of the protocol
    train = events.filter(pl.col("place") < (pl.col("n") * 0.8).floor())
    truth = events.join(train, on=["user_id", "item_id"], how="anti").filter(pl.col("rating") >= 4)
    popular = (
        train.group_by("item_id")
        .len()
        .sort(pl.col("len"), pl.col("item_id").cast(pl.Int64), descending=[True, False])
    )
    shown = (
        events.select("user_id")
        .unique()
        .join(popular.with_row_index("place").select("item_id", "place"), how="cross")
        .join(train, on=["user_id", "item_id"], how="anti")
        .with_columns(rank=pl.col("place").rank("ordinal").over("user_id"))
        .filter(pl.col("rank") <= 10)
    )
    return ndcg(10)(shown, truth).join(read("user").select("user_id", "gender"), on="user_id")


def test_topop_row_to_the_fourth_digit(values):
    by_gender = {gender: group["value"] for (gender,), group in values.group_by("gender")}
    assert (len(values), len(by_gender["M"]), len(by_gender["F"])) == (909, 651, 258)
    assert round(values["value"].mean(), 4) == 0.0970
    assert round(by_gender["M"].mean(), 4) == 0.1033
    assert round(by_gender["F"].mean(), 4) == 0.0810


def test_gap_with_interval_p_value_and_detectable_difference(values):
    men, women = (values.filter(pl.col("gender") == gender)["value"].to_numpy() for gender in "MF")
    gap = bootstrap_difference(men, women, n_bootstrap=5000, seed=0)[0]
    assert round(gap.value, 4) == 0.0224
    assert gap.low == pytest.approx(
        0.001, abs=0.0025
    )  # percentile ends are (0.0004, 0.0437), BCa (-0.0003, 0.0430)
    assert gap.high == pytest.approx(0.043, abs=0.0025)
    test = permutation_test(
        values["value"].to_numpy(), values["gender"].to_list(), n_permutations=10_000, seed=0
    )[0]
    assert test.p_value == pytest.approx(0.045, abs=0.006)
    detectable = minimum_detectable_difference(
        np.std(men, ddof=1), len(men), np.std(women, ddof=1), len(women)
    )
    assert detectable == pytest.approx(0.0311, abs=0.0001)
    assert detectable > gap.value


def test_overall_interval_holds_the_value(values):
    overall = bootstrap_means(values["value"].to_numpy(), seed=0)[0]
    assert overall.low < 0.0970 < overall.high
    assert overall.high - overall.low == pytest.approx(2 * 1.96 * values["value"].std() / 909**0.5, rel=0.1)
