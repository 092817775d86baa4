import json
import shutil
import sys
import tomllib

import polars as pl
import pytest

import equipoise
from equipoise.errors import ConfigError, DataError, EquipoiseError, ModelError
from equipoise.models.storage import load_model
from equipoise.statistics import bootstrap_means

SMALL = {
    "name": "small",
    "data": {"world": {"name": "storefront", "n_users": 240, "n_items": 60, "days": 14}},
    "encoder": {"name": "tfidf"},
    "model": {"name": "ease", "reg": 20.0},
    "debias": [
        {"method": "clipped_ips", "propensity": "given"},
        {"method": "exposure", "group": "provider", "pool": 40},
    ],
    "audit": {"k": [5, 10], "n_bootstrap": 200},
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return equipoise.run(SMALL, out=tmp_path_factory.mktemp("runs") / "small")


def test_the_folder_holds_what_is_promised(finished):
    there = {str(path.relative_to(finished.path)) for path in finished.path.rglob("*") if path.is_file()}
    promised = {
        "recommendations.parquet", "split/train.parquet", "split/valid.parquet", "split/test.parquet",
        "users.parquet", "items.parquet", "metrics.json", "report.html", "config.toml", "manifest.json",
        "model/baseline/model.json", "model/baseline/arrays.safetensors", "model/corrected/model.json",
    }  # fmt: skip
    assert promised <= there
    assert not [name for name in there if "/." in f"/{name}"], "no draft is left behind"


def test_recommendations_have_the_contract(finished):
    lists = finished.recommendations
    assert lists.columns == ["user_id", "item_id", "rank", "score", "probability", "cold", "stage"]
    assert set(lists["stage"]) == {"baseline", "corrected"}
    ranks = lists.group_by("stage", "user_id").agg(pl.col("rank").sort())["rank"].to_list()
    assert all(one == list(range(1, len(one) + 1)) for one in ranks)
    assert lists.select("stage", "user_id", "item_id").is_duplicated().sum() == 0
    assert lists["probability"].is_between(0, 1).all()


def test_seen_items_are_not_recommended(finished):
    parts = [pl.read_parquet(finished.path / f"split/{name}.parquet") for name in ("train", "valid")]
    seen = (
        pl.concat(parts)
        .filter(pl.col("event").is_in(["click", "purchase"]))
        .select("user_id", "item_id")
        .unique()
    )
    assert finished.recommendations.join(seen, on=["user_id", "item_id"], how="semi").is_empty()


def test_metrics_have_the_contract(finished):
    metrics = finished.metrics
    assert {
        "protocol",
        "stages",
        "system",
        "groups",
        "comparison",
        "calibration",
        "planted",
    } <= metrics.keys()
    for stage in ("baseline", "corrected"):
        assert metrics["stages"][stage]["ndcg@10"].keys() == {"value", "low", "high"}
        assert {"coverage@10", "gini@10", "entropy@10"} <= metrics["system"][stage].keys()
        for group in metrics["groups"][stage]["gender"].values():
            assert group["ndcg@10"].keys() == {"value", "low", "high", "users"}
        assert 0 <= metrics["calibration"][stage]["ece"] <= 1
        assert 0 < metrics["planted"][stage]["preference_ndcg@10"] <= 1
    assert metrics["comparison"]["ndcg@10"].keys() == {"difference", "low", "high", "p_value"}
    difference = (
        metrics["stages"]["corrected"]["ndcg@10"]["value"] - metrics["stages"]["baseline"]["ndcg@10"]["value"]
    )
    assert metrics["comparison"]["ndcg@10"]["difference"] == pytest.approx(difference)
    protocol = metrics["protocol"]
    assert protocol["split"] == "temporal"
    assert protocol["seen_items"] == "filtered"
    assert protocol["test_users"] > 0


def test_group_means_add_up_to_the_whole(finished):
    groups = finished.metrics["groups"]["baseline"]["gender"].values()
    users = sum(group["ndcg@10"]["users"] for group in groups)
    weighted = sum(group["ndcg@10"]["value"] * group["ndcg@10"]["users"] for group in groups) / users
    assert users == finished.metrics["protocol"]["test_users"]
    assert weighted == pytest.approx(finished.metrics["stages"]["baseline"]["ndcg@10"]["value"])


def test_numbers_can_be_made_again_from_the_files(finished):
    """An independent computation from the written tables alone."""
    parts = {
        name: pl.read_parquet(finished.path / f"split/{name}.parquet") for name in ("train", "valid", "test")
    }
    taken = {
        n: p.filter(pl.col("event").is_in(["click", "purchase"])).select("user_id", "item_id").unique()
        for n, p in parts.items()
    }
    truth = taken["test"].join(
        pl.concat([taken["train"], taken["valid"]]), on=["user_id", "item_id"], how="anti"
    )
    shown = finished.recommendations.filter((pl.col("stage") == "baseline") & (pl.col("rank") <= 10))
    hits = shown.join(truth, on=["user_id", "item_id"]).group_by("user_id").len()
    recall = truth.group_by("user_id").len("wanted").join(hits, on="user_id", how="left").fill_null(0)
    expected = (recall["len"] / recall["wanted"]).mean()
    assert finished.metrics["stages"]["baseline"]["recall@10"]["value"] == pytest.approx(expected)


def test_manifest_accounts_for_the_run(finished):
    manifest = finished.manifest
    assert manifest["status"] == "complete"
    stages = manifest["stages"]
    assert list(stages) == [
        "prepare",
        "encode",
        "train baseline",
        "train corrected",
        "recommend",
        "measure",
        "report",
    ]
    assert all({"seconds", "peak_memory_mib"} <= stage.keys() for stage in stages.values())
    rows = stages["prepare"]["rows"]
    assert rows["train"] + rows["valid"] + rows["test"] == rows["events"]
    assert len(stages["prepare"]["sha256"]["events"]) == 64
    assert stages["train corrected"]["clipped_ips"]["weights"]["effective_sample_size"] > 0


def test_the_saved_model_recommends_the_same(finished):
    model = load_model(finished.path / "model/baseline")
    valid = pl.read_parquet(finished.path / "split/valid.parquet")
    lists = model.observe(valid).recommend([1, 2, 3], 5)
    kept = finished.recommendations.filter(
        (pl.col("stage") == "baseline") & pl.col("user_id").is_in([1, 2, 3]) & (pl.col("rank") <= 5)
    )
    assert lists["item_id"].to_list() == kept.sort("user_id", "rank")["item_id"].to_list()


def test_the_same_seed_makes_the_same_run(finished, tmp_path):
    again = equipoise.run(finished.path / "config.toml", out=tmp_path / "again")
    assert again.recommendations.equals(finished.recommendations)
    assert again.metrics == finished.metrics


def test_another_seed_makes_another_run(finished, tmp_path):
    other = equipoise.run(SMALL, out=tmp_path / "other", seed=5)
    assert tomllib.loads((other.path / "config.toml").read_text())["seed"] == 5
    assert other.metrics["stages"] != finished.metrics["stages"]


def test_an_interrupted_run_goes_on_and_ends_the_same(finished, tmp_path, monkeypatch):
    journey = sys.modules["equipoise.pipeline.run"]

    def stopped(*arguments, **keywords):
        raise KeyboardInterrupt

    with monkeypatch.context() as stop:
        stop.setattr(journey, "recommend_all", stopped)
        with pytest.raises(KeyboardInterrupt):
            equipoise.run(SMALL, out=tmp_path / "run")
    assert not (tmp_path / "run/recommendations.parquet").exists()
    assert json.loads((tmp_path / "run/manifest.json").read_text())["status"] == "running"
    with monkeypatch.context() as once:
        once.setattr(journey, "train", lambda *a, **k: pytest.fail("a finished stage was done again"))
        resumed = equipoise.run(SMALL, out=tmp_path / "run", resume=True)
    assert resumed.metrics == finished.metrics
    assert resumed.manifest["status"] == "complete"


def test_without_corrections_there_is_one_stage(tmp_path):
    plain = {key: value for key, value in SMALL.items() if key != "debias"} | {"model": {"name": "popular"}}
    done = equipoise.run(plain, out=tmp_path / "plain")
    assert set(done.recommendations["stage"]) == {"baseline"}
    assert done.metrics["comparison"] == {}


def test_corrections_of_lists_alone_train_nothing_anew(tmp_path):
    only_after = SMALL | {"debias": [{"method": "exposure", "group": "provider", "pool": 40}]}
    done = equipoise.run(only_after, out=tmp_path / "after")
    assert "train corrected" not in done.manifest["stages"]
    assert set(done.recommendations["stage"]) == {"baseline", "corrected"}


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"model": {"name": "eese"}}, ConfigError, "Did you mean 'ease'"),
        ({"model": {"name": "ease", "rge": 1.0}}, ConfigError, "Did you mean 'reg'"),
        ({"debias": [{"method": "ipz"}]}, ConfigError, "Did you mean 'ips'"),
        ({"encoder": {"name": "tfidff"}}, ConfigError, "tfidf"),
        ({"audit": {"groups": ["gendre"]}}, DataError, "gendre"),
        ({"data": {"world": {"name": "storefront", "n_uesrs": 10}}}, ConfigError, "n_users"),
        ({"data": {"events": "absent.csv"}}, EquipoiseError, "absent.csv"),
        ({"clean": {"min_user_events": 10**6}}, DataError, "k-core|left"),
    ],
)
def test_bad_input_is_told_and_leaves_no_result(tmp_path, change, error, words):
    with pytest.raises(error, match=words):
        equipoise.run(SMALL | change, out=tmp_path / "bad")
    assert not (tmp_path / "bad/report.html").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": {"name": "warm"}}, r"needs 'model'[\s\S]*name = \"ease\""),
        ({"model": {"name": "ease", "rge": 1.0}}, "Did you mean 'reg'"),
        ({"encoder": {"name": "tfidff"}}, "tfidf"),
        ({"debias": [{"method": "ipz"}]}, "Did you mean 'ips'"),
    ],
)
def test_a_wrong_setting_of_a_part_is_told_before_anything_is_written(tmp_path, change, words):
    with pytest.raises(ConfigError, match=words):
        equipoise.run(SMALL | change, out=tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


@pytest.mark.parametrize(
    ("lang", "least", "said"),
    [
        ("en", None, "80 of 160 ratings in training lie below 3, the middle of the scale"),
        ("zh", None, "训练中的 160 条评分有 80 条低于量表中点 3"),
        ("en", 3.0, ""),
    ],
)
def test_the_page_tells_that_low_ratings_count_as_taste(tmp_path, lang, least, said):
    """Of six ratings of each of 40 users, 1 and 5 in turn, the last two are held out."""
    rows = [
        (user, f"i{(user + place) % 20}", 1.0 + 4 * (place % 2), place)
        for user in range(40)
        for place in range(6)
    ]
    columns = ["user_id", "item_id", "value", "timestamp"]
    events = pl.DataFrame(rows, schema=columns, orient="row").with_columns(pl.lit("rating").alias("event"))
    events.write_parquet(tmp_path / "events.parquet")
    settings = {
        "data": {"events": str(tmp_path / "events.parquet")},
        "clean": {} if least is None else {"value_min": least},
        "split": {"strategy": "leave_last"},
        "model": {"name": "popular"},
        "report": {"lang": lang},
    }
    equipoise.run(settings, out=tmp_path / "run")
    page = (tmp_path / "run/report.html").read_text("utf-8")
    assert said in page
    assert ("value_min leaves" in page or "value_min 可将" in page) is bool(said)


def test_a_damaged_model_is_noticed(finished, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(finished.path / "model/baseline", folder)
    blob = folder / "arrays.safetensors"
    blob.write_bytes(blob.read_bytes()[:-7] + b"damaged")
    with pytest.raises(ModelError, match="not the one that was saved"):
        load_model(folder)


def test_intervals_are_those_of_the_statistics_room(finished):
    """The pipeline has no bootstrap of its own: a constant metric has the interval that the room gives it."""
    assert bootstrap_means([1.0, 1.0, 1.0])[0].value == 1.0
    for interval in finished.metrics["stages"]["baseline"].values():
        assert interval["low"] <= interval["value"] <= interval["high"]
