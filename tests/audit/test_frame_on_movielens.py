"""Popularity on ML-100K by gender, against values worked out independently."""

import polars as pl
import pytest

from equipoise.audit.fairness.frame import FairnessFrame
from equipoise.metrics import ndcg


@pytest.fixture(scope="module")
def frame(real_data):
    def read(suffix):
        path = next((real_data / "ml-100k").glob(f"*.{suffix}"))
        table = pl.read_csv(path, separator="\t", quote_char=None, infer_schema_length=0)
        return table.rename({name: name.split(":")[0] for name in table.columns})

    events = read("inter").with_columns(pl.col("rating", "timestamp").cast(pl.Float64))
    events = events.sort("user_id", "timestamp", "item_id").with_columns(
        place=pl.int_range(pl.len()).over("user_id"), n=pl.len().over("user_id")
    )
    train = events.filter(pl.col("place") < (pl.col("n") * 0.8).floor())
    truth = events.join(train, on=["user_id", "item_id"], how="anti").filter(pl.col("rating") >= 4)
    number = pl.col("item_id").cast(pl.Int64)
    popular = train.group_by("item_id").len().sort(pl.col("len"), number, descending=[True, False])
    shown = (
        events.select("user_id")
        .unique()
        .join(popular.with_row_index("place").select("item_id", "place").head(700), how="cross")
        .join(train, on=["user_id", "item_id"], how="anti")
        .with_columns(rank=pl.col("place").rank("ordinal").over("user_id"))
        .filter(pl.col("rank") <= 10)
    )
    return FairnessFrame(
        metrics={"ndcg@10": ndcg(10)},
        recommendations=shown,
        truth=truth,
        users=read("user"),
        groups=["gender"],
        n_bootstrap=5000,
        n_permutations=10_000,
    )


def test_the_printed_values(frame):
    groups = {row["group"]: row for row in frame.by_group.to_dicts()}
    assert round(frame.overall["value"][0], 4) == 0.0970
    assert {name: (round(row["value"], 4), row["users"]) for name, row in groups.items()} == {
        "M": (0.1033, 651),
        "F": (0.0810, 258),
    }
    assert frame.overall["excluded"][0] == 34  # users with a list and nothing relevant held out


def test_the_gap_is_seen_and_not_sure(frame):
    gap = frame.gaps.filter(kind="difference").to_dicts()[0]
    assert gap["groups"] == "M - F"
    assert round(gap["gap"], 4) == 0.0224
    assert gap["low"] == pytest.approx(0.001, abs=0.0025)
    assert gap["high"] == pytest.approx(0.043, abs=0.0025)
    assert gap["p_value"] == pytest.approx(0.045, abs=0.006)
    assert gap["minimum_detectable"] > gap["gap"]
    assert gap["verdict"] == "insufficient evidence"
