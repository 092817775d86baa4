"""Coat's protocol: what is looked at is never scored, and measures agree with values worked by hand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks import coat, registry, row
from benchmarks.coat import Protocol, Ratings
from benchmarks.rows import debias_coat

needs_data = pytest.mark.skipif("EQUIPOISE_DATA" not in os.environ, reason="needs real data (EQUIPOISE_DATA)")


def test_ranking_measures_by_hand() -> None:
    relevant = np.array([True, False, True, False])
    assert coat.auc(np.array([3.0, 2.0, 1.0, 0.0]), relevant) == 3 / 4
    assert coat.auc(np.array([1.0, 1.0, 1.0, 1.0]), relevant) == 1 / 2
    assert np.isnan(coat.auc(np.array([1.0, 2.0]), np.array([True, True])))
    dcg, ideal = 1 / np.log2(2) + 1 / np.log2(4), 1 / np.log2(2) + 1 / np.log2(3)
    assert coat.ndcg(np.array([3.0, 2.0, 1.0, 0.0]), relevant) == pytest.approx(dcg / ideal)
    assert coat.ndcg(np.array([3.0, 2.0, 1.0, 0.0]), relevant, k=2) == pytest.approx(1 / ideal)
    assert np.isnan(coat.ndcg(np.array([1.0]), np.array([False])))


def test_errors_by_hand() -> None:
    asked = Ratings(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([5.0, 1.0, 2.0]))
    values, per_user = coat.measured(np.array([4.0, 3.0, 2.0]), asked)
    assert values["MSE"] == pytest.approx((1 + 4 + 0) / 3)
    assert values["MAE"] == pytest.approx(1)
    assert values["per-user AUC"] == values["NDCG@5"] == 1  # the second user has no positive and is left out
    assert per_user["cells"].to_list()[:3] == [2, 1, 0]
    ends = coat.intervals([per_user.head(2)])
    assert ends["MSE"][0] == pytest.approx(5 / 3)
    better = coat.paired(
        [per_user.head(2)], [per_user.head(2).with_columns(squared=per_user["squared"].head(2) + 2)]
    )
    assert better["MSE"]["difference"] == pytest.approx(-(1 + 2) / 2)


@needs_data
def test_the_sample_is_never_scored_and_cells_of_training_stand_apart() -> None:
    train = Ratings.of(coat.files()[0].events)
    known = set((train.users * 300 + train.items).tolist())
    drawn = []
    for seed in (0, 1):
        one = Protocol.of(seed)
        sample, scored = (set((part.users * 300 + part.items).tolist()) for part in (one.sample, one.scored))
        assert (len(sample), len(scored)) == (232, 4_408)
        assert not sample & scored
        new = one.scored.take(one.new)
        assert not set((new.users * 300 + new.items).tolist()) & known
        assert len(scored) - len(new.values) == len(scored & known)
        assert sum(one.marginal.values()) == pytest.approx(1)
        drawn.append(sample)
    assert drawn[0] != drawn[1]
    assert drawn[0] == set((Protocol.of(0).sample.users * 300 + Protocol.of(0).sample.items).tolist())


@needs_data
def test_floors_and_the_bias_of_the_mean_are_the_known_ones(tmp_path: Path) -> None:
    coat_row = registry.ROWS["debias-coat"]
    mean = coat_row.measure("train mean", 0, tmp_path).values
    assert mean["MSE with overlap"] == pytest.approx(1.546 + 0.383**2, abs=0.02)  # variance and squared bias
    assert coat_row.measure("item and user means", 0, tmp_path).values["AUC"] == pytest.approx(
        0.765, abs=0.01
    )
    bias = coat_row.measure("mean rating", 0, tmp_path).values
    assert bias["bias"] == pytest.approx(0.383, abs=1e-3)
    assert bias["snips"] == pytest.approx(2.331, abs=5e-4)
    assert bias["snips removes %"] >= 70 > bias["ips removes %"]


@needs_data
def test_a_correction_rates_random_items_better_than_the_plain_model() -> None:
    asked = Protocol.of(0).scored
    train = coat.files()[0]
    fields = {"shrinkage": 0.6, "bias_shrinkage": 0.1}
    error = {
        method: coat.measured(asked.of_scores(coat.scores(train, method, {}, fields, 0)), asked)[0]["MSE"]
        for method in (None, "snips")
    }
    assert error["snips"] < error[None] - 0.05


@pytest.mark.parametrize(
    ("setting", "twin"),
    [
        ("snips", "MF"),
        ("snips, naive Bayes", "MF"),
        ("mrdr, features", "MF, features"),
        ("ips, naive Bayes + linear", "MF + linear"),
        ("dr_jl, features + linear", "MF, features + linear"),
        ("ips + intercept", "MF + intercept"),
        ("MF, features + linear", None),
        ("item and user means", None),
        ("mean rating", None),
    ],
)
def test_a_correction_is_compared_with_its_own_twin(setting: str, twin: str | None) -> None:
    assert debias_coat.reference_of(setting) == twin
    assert twin is None or twin in registry.ROWS["debias-coat"].parts


def test_twins_are_paired_on_the_seeds_that_both_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row, "CACHE", tmp_path)
    (coat_row,) = debias_coat.ROWS
    coat_row.folder.mkdir()
    errors = {("MF", 0): 4.0, ("MF", 1): 9.0, ("snips", 1): 2.0, ("snips, features", 1): 1.0}
    for (setting, seed), error in errors.items():
        users = np.arange(4)
        frame = {"user_id": users, "cells": 2 + users * 0, "squared": 2 * error + users * 0.1, "absolute": 1.0,
                 "AUC of user": 0.5, "NDCG of user": 0.5}  # fmt: skip
        file = coat_row.folder / f"{setting.replace(' ', '_')}-{seed}.json"
        pl.DataFrame(frame).write_parquet(file.with_suffix(".parquet"))
        file.write_text("{}", "utf-8")
    told = debias_coat.over_seeds()
    assert told["snips"]["reference"] == "MF"
    assert told["snips"]["difference"]["MSE"]["difference"] == pytest.approx(2 - 9)
    assert told["snips"]["intervals"]["MSE"][0] == pytest.approx(2.075)
    assert told["MF"]["seeds"] == 2
    assert told["MF"]["difference"] == {}
    assert told["snips, features"]["difference"] == {}  # its twin is not measured


def test_errors_of_fields_stay_theirs_when_the_grid_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []

    def error(family: str, fields: dict[str, float]) -> float:
        tried.append(fields["shrinkage"])
        return abs(fields["shrinkage"] - 0.5)

    monkeypatch.setattr(coat, "_validated", error)
    for factors, best in (((0.1, 0.2), 0.2), ((0.6, 0.2), 0.6)):
        monkeypatch.setattr(coat, "_GRIDS", {False: (factors, (0.1,))})
        assert coat.tuned("naive", False, tmp_path)["shrinkage"] == best
    assert tried == [0.1, 0.2, 0.6]
