"""One log in every engine gives one answer; what an engine can reduce is reduced there."""

from __future__ import annotations

import importlib
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest

from equipoise.causal.off_policy import PropensityError, policy_value
from equipoise.errors import DataError
from tests.causal.off_policy.planted import Planted

WORLD = Planted.draw(21)
LOG = WORLD.log(900, 1).with_columns(user_id=pl.col("request_id") % 200)
MODEL = ("q_logged", "q_target")

QUESTIONS: list[tuple[str, Any, dict[str, Any]]] = [
    ("snips", "e", {}),
    ("dr", "e", {}),
    ("sndr", "e", {}),
    ("clipped_ips", "e", {"clip": 2.0}),
    ("switch_dr", "e", {"tau": 2.0}),
    ("dros", "e", {"lam": 3.0}),
    ("ips", "logged", {}),
    ("snips", "uniform", {}),
    ("slope", "e", {}),
]


def same(found: Any, expected: Any) -> None:
    assert set(found) == set(expected)
    for name, value in expected.items():
        if isinstance(value, dict):
            same(found[name], value)
        elif isinstance(value, float) and name != "unsupported_mass":
            assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name
        elif name not in ("candidates", "unsupported_mass"):  # whole distributions are not made on an engine
            assert found[name] == value, name


@pytest.mark.parametrize(("estimator", "target", "options"), QUESTIONS)
@pytest.mark.parametrize("engine", ["lazy polars", "pandas", "pyarrow", "duckdb"])
def test_engines_agree(engine: str, estimator: str, target: Any, options: dict[str, Any]):
    arrow = LOG.to_arrow()
    frame = {
        "lazy polars": LOG.lazy(),
        "pandas": LOG.to_pandas(),
        "pyarrow": arrow,
        "duckdb": duckdb.sql("SELECT * FROM arrow"),
    }[engine]
    expected = policy_value(LOG, target, estimator, MODEL, **options).as_dict()
    same(policy_value(frame, target, estimator, MODEL, **options).as_dict(), expected)


def test_spark_agrees(spark: Any):
    frame = spark.createDataFrame(LOG.to_pandas())
    for estimator, target, options in (QUESTIONS[1], QUESTIONS[3]):
        expected = policy_value(LOG, target, estimator, MODEL, **options).as_dict()
        same(policy_value(frame, target, estimator, MODEL, **options).as_dict(), expected)
    with pytest.raises(PropensityError, match="900 of 900 rows"):
        policy_value(spark.createDataFrame(LOG.with_columns(propensity=pl.lit(-0.5)).to_pandas()), "e")


def test_rows_without_clusters_on_an_engine():
    bare = LOG.drop("user_id", "request_id")
    arrow = bare.to_arrow()
    expected = policy_value(bare, "e", "dr", MODEL).as_dict()
    same(policy_value(duckdb.sql("SELECT * FROM arrow"), "e", "dr", MODEL).as_dict(), expected)
    assert arrow.num_rows == expected["clusters"]


def test_an_engine_is_not_asked_for_its_rows(monkeypatch: pytest.MonkeyPatch):
    def never(frame: Any) -> pl.DataFrame:
        raise AssertionError("the rows were brought into memory")

    for module in ("logs", "sample", "targets", "outcomes"):
        monkeypatch.setattr(
            importlib.import_module(f"equipoise.causal.off_policy.{module}"), "to_polars", never
        )
    assert not policy_value(LOG.lazy(), "e", "dr", MODEL).refused


def test_items_of_another_type_are_refused_on_an_engine_too():
    for log in (LOG, LOG.lazy()):
        with pytest.raises(DataError, match="ids of the same type"):
            policy_value(log, "uniform", items=["0", "1"])
    narrow = pl.DataFrame({"item_id": pl.Series(range(5), dtype=pl.Int8)})
    assert policy_value(LOG.lazy(), "uniform", items=narrow).value == policy_value(LOG, "uniform").value


def test_frames_for_an_engines_log():
    target = WORLD.distributions(LOG).to_pandas()
    value = policy_value(LOG.lazy(), target, "snips")
    assert value.value == pytest.approx(policy_value(LOG, "e").value)


def test_an_engine_that_has_no_order_shows_the_row_instead():
    bad = LOG.with_columns(reward=pl.when(pl.col("request_id") == 5).then(None).otherwise("reward"))
    with pytest.raises(DataError, match="request_id=5"):
        policy_value(bad.lazy(), "e")
    with pytest.raises(DataError, match="row 5"):
        policy_value(bad, "e")


def test_the_order_of_rows_plays_no_part():
    shuffled = LOG.sample(fraction=1.0, shuffle=True, seed=3)
    same(policy_value(shuffled, "e", "dr", MODEL).as_dict(), policy_value(LOG, "e", "dr", MODEL).as_dict())
    assert policy_value(shuffled, "e").minus(policy_value(LOG, "e")).value == pytest.approx(0, abs=1e-12)


def test_nullable_and_whole_numbers():
    frame = LOG.with_columns(pl.col("reward").cast(pl.Boolean)).to_pandas().convert_dtypes()
    assert isinstance(frame, pd.DataFrame)
    same(policy_value(frame, "e").as_dict(), policy_value(LOG, "e").as_dict())
