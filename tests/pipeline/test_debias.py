"""The comparison of corrections as a whole: what is compared, kept, refused and written."""

import json
import re

import numpy as np
import polars as pl
import pytest

from equipoise.component import Runtime
from equipoise.config import read_config
from equipoise.data import Dataset
from equipoise.errors import ConfigError, EquipoiseError, ModelError
from equipoise.models import models
from equipoise.pipeline.debias import comparing, debias
from equipoise.pipeline.debias.ground import Ground
from equipoise.pipeline.debias.journey import digest
from equipoise.pipeline.debias.notes import notes
from equipoise.pipeline.debias.store import Store
from equipoise.pipeline.debias.systems import systems
from equipoise.pipeline.debias.trial import Trial
from equipoise.pipeline.prepare import Prepared, prepare
from equipoise.report import render_debias
from tests.pipeline.small_debias import config, one_attacker

__all__ = ["one_attacker"]

NOBODY = {"audit": {"groups": []}}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A comparison of two corrections by themselves and together, with two trainings."""
    from equipoise.audit.attackers import suite

    sections = [{"method": "snips"}, {"method": "exposure", "group": "provider", "strength": 2.0}]
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suite, "ATTACKERS", {"logistic": suite.ATTACKERS["logistic"]})
        done = debias(
            config(debias=sections), {"methods": ["exposure", "snips"], "seeds": 2},
            out=tmp_path_factory.mktemp("debias") / "out", say=lines.append,
        )  # fmt: skip
    return done, lines


def test_every_row_is_there_with_everything_that_is_measured(finished):
    content = finished[0].content
    rows = {row["name"]: row for row in content["rows"]}
    assert list(rows) == ["base", "snips", "exposure", "as configured", "TopPop", "Random"]
    assert rows["exposure"]["settings"][0]["strength"] == 2.0  # the section's own fields
    for row in rows.values():
        for measure in ("ndcg", "recall", "weighted_ndcg", "true_ndcg", "lift", "favour", "gap"):
            value = row["test"][measure]
            assert value["low"] <= value["value"] <= value["high"], (row["name"], measure)
        assert 0 < row["coverage"] <= 1
        assert set(row["planted"]) == {"popularity", "exposure", "position", "group_gap"}
        assert row["leakage"]["lists"]["balanced_accuracy"]["value"] > 0
        assert len(row["trainings"]) == 2
    assert rows["base"]["seconds"] > 0
    assert rows["exposure"]["seconds"] == rows["base"]["seconds"]  # it only re-ranks
    assert rows["Random"]["seconds"] is None
    assert rows["TopPop"]["ece"] is not None


def test_a_correction_of_popularity_is_seen_to_lessen_it(finished):
    rows = {row["name"]: row for row in finished[0].content["rows"]}
    change = rows["snips"]["difference"]["bias"]
    assert change["high"] < 0
    assert change["p_adjusted"] <= 0.05
    assert rows["snips"]["planted"]["popularity"] < rows["base"]["planted"]["popularity"]
    finding = next(one for one in rows["snips"]["findings"] if one["care"] == "bias")
    assert finding["code"] == "better"
    assert finding["measure"] == "planted"  # the truth is known
    assert finding["says"].startswith("The planted popularity bias shrank from ")


def test_the_card_of_propensities_hangs_on_each_row_that_rests_on_them(finished):
    rows = {row["name"]: row for row in finished[0].content["rows"]}
    for name in ("snips", "as configured"):
        assert [card["method"] for card in rows[name]["cards"]] == ["snips"]
    assert rows["exposure"]["cards"] == rows["base"]["cards"] == []
    assert "What the weights are worth" in finished[0].report.read_text("utf-8")


def test_random_lists_are_the_least_popular_and_cover_the_most(finished):
    rows = {row["name"]: row for row in finished[0].content["rows"]}
    assert rows["Random"]["test"]["lift"]["value"] < rows["base"]["test"]["lift"]["value"]
    assert rows["TopPop"]["test"]["lift"]["value"] > rows["base"]["test"]["lift"]["value"]
    assert rows["TopPop"]["coverage"] < rows["base"]["coverage"] < rows["Random"]["coverage"] + 1e-9


def test_the_file_holds_what_the_answer_holds(finished):
    done = finished[0]
    assert json.loads((done.path / "debias.json").read_text("utf-8")) == done.content
    assert done.content["truth"][0]["true_ndcg"]["value"] >= done.content["truth"][-1]["true_ndcg"]["value"]


def test_progress_tells_what_took_long(finished):
    assert any(line.startswith("1/12") and "base, training 1" in line for line in finished[1])


def test_planted_popularity_of_users_averages_to_that_of_the_lists(finished):
    from equipoise.pipeline.debias.values import per_user, whole

    settings = read_config(config(audit={"groups": []}))
    prepared, _ = prepare(settings, Runtime(progress=False))
    ground = Ground(settings, prepared, None)
    users = ground.held_out["test"].users["user_id"]
    lists = models.build("popular").fit(prepared.train).recommend(users, ground.k)
    table = per_user(lists.with_columns(pl.col("user_id").cast(users.dtype)), "test", ground)
    told = whole(lists, ground)["planted"]["popularity"]
    assert table["favour"].mean() == pytest.approx(told, abs=1e-6)
    assert told > 0.5


def test_what_validation_praises_is_not_what_was_chosen_by_it(monkeypatch):
    """A correction that gives validation users what they took is judged by users it did not choose by."""
    from equipoise.debias.after import mmr
    from equipoise.pipeline.debias.systems import System
    from equipoise.pipeline.debias.trial import train, trial

    chosen_by, asked = [], []

    def oracle(self, pool, context, k):
        chosen_by.append(set(context.valid.events["user_id"]))
        asked.append(set(pool["user_id"]))
        return pool.filter(pl.col("rank") <= k)

    monkeypatch.setattr(mmr.MMR, "rerank", oracle)
    monkeypatch.setattr(mmr.MMR, "chooses", True)
    settings = read_config(config(**NOBODY))
    prepared, _ = prepare(settings, Runtime(progress=False))
    ground = Ground(settings, prepared, None, leakage=False)
    base = train(System("base", "base"), ground, 0)
    trial(System("mmr", "method", (mmr.MMR(),)), ground, 0, comparing.Attack(ground), lambda: base)
    valid = set(ground.held_out["valid"].users["user_id"])
    assert asked[0] | asked[1] == valid
    assert not asked[0] & asked[1]
    assert not asked[0] & chosen_by[0]
    assert not asked[1] & chosen_by[1]
    assert chosen_by[2] == set(ground.valid.events["user_id"])  # test lists by all of them


def test_the_first_training_is_no_dearer_than_the_next(monkeypatch):
    from equipoise.pipeline.debias import trial as one
    from equipoise.pipeline.debias.systems import System

    settings = read_config(config(**NOBODY))
    prepared, _ = prepare(settings, Runtime(progress=False))
    ground = Ground(settings, prepared, None, leakage=False)
    kind, trained = type(ground.recommender), []
    real = kind.fit

    def counted(self, data, **options):
        trained.append(len(data.events))
        return real(self, data, **options)

    monkeypatch.setattr(kind, "fit", counted)
    monkeypatch.setattr(one, "_WARM", set())
    for seed in (0, 1):
        one.train(System("base", "base"), ground, seed)
    assert len(trained) == 3
    assert trained[0] < trained[1] == trained[2]  # few users first, untimed


def test_attackers_below_chance_count_turned_round():
    from equipoise.pipeline.debias.leakage import _turned

    rows = {
        "classes": [2, 2, 3],
        "value": [0.38, 0.6, 0.3],
        "low": [0.35, 0.55, 0.2],
        "high": [0.41, 0.65, 0.4],
    }
    told = _turned(pl.DataFrame(rows))
    assert told["value"].to_list() == pytest.approx([0.62, 0.6, 0.3])
    assert told["low"].to_list() == pytest.approx([0.59, 0.55, 0.2])
    assert told["high"].to_list() == pytest.approx([0.65, 0.65, 0.4])


def test_weights_worth_too_little_do_not_judge_popularity(monkeypatch):
    from equipoise.pipeline.debias import ground as module

    monkeypatch.setattr(module, "WORTH", 1e9)
    settings = read_config(config(**NOBODY))
    prepared, _ = prepare(settings, Runtime(progress=False))
    ground = Ground(settings, prepared, None)
    held = ground.held_out["valid"]
    assert held.users["held_of"].sum() == len(held.truth)
    assert ground.accuracy == "ndcg"


def test_a_log_that_no_twin_fits_keeps_the_comparison(tmp_path, monkeypatch):
    from equipoise.pipeline.debias import journey

    def fails(*rest):
        raise ConfigError("It cannot be planted")

    monkeypatch.setattr(journey, "twin", fails)
    done = debias(
        config(**NOBODY), {"methods": ["snips"], "seeds": 1, "twin": True, "lang": "zh"}, out=tmp_path / "out"
    )
    assert done.content["twin"] is None
    assert done.content["notes"][0] == {"code": "no_twin", "values": {"reason": "It cannot be planted."}}
    assert "It cannot be planted." in done.report.read_text("utf-8")


def test_a_finished_page_in_chinese_holds_no_english_sentence(finished):
    content = json.loads(json.dumps(finished[0].content))
    content["rows"][1]["warnings"] += [
        "man: the error of calibration rose from 0.0027 to 0.0113 on users that the curves were not fitted on.",
        "Left alone, for fewer than 50 of their users have held-out events: a, b.",
        "There are not two groups with enough held-out users, so nothing was changed.",
    ]
    told = {"disparity_by_chance": 0.1, "groups": {"man": {"mean_said": 0.2}}}
    content["rows"][1]["diagnostics"] |= {"more": told}
    content["skipped"] = [
        {"method": "dr_jl", "reason": "the model 'ease' takes no weights."},
        {"method": "ips", "reason": "It failed with LinAlgError: singular"},
    ]
    page = render_debias(content, "zh")
    body = re.sub(r"<(style|code|pre|script)[^>]*>.*?</\1>", "", page[page.index("<body") :], flags=re.DOTALL)
    text = re.sub(r"<[^>]+>", "\n", body)
    assert re.findall(r"[A-Za-z][A-Za-z'-]*(?:[ ,:;]+[A-Za-z'-]+){3,}", text) == []
    assert "<code>groups.man.mean_said</code>" in page


# Going on, and protection of folders -----------------------------------------------------------------------------


def test_an_interrupted_comparison_goes_on_and_ends_the_same(tmp_path, monkeypatch):
    asked = {"methods": ["exposure", "snips"], "seeds": 1}
    settings = config(debias=[{"method": "exposure", "group": "provider"}], **NOBODY)
    whole = debias(settings, asked, out=tmp_path / "whole")
    real, trained = comparing.trial, []

    def stops(system, *rest):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(system.name)
        return real(system, *rest)

    monkeypatch.setattr(comparing, "trial", stops)
    with pytest.raises(KeyboardInterrupt):
        debias(settings, asked, out=tmp_path / "broken")
    assert trained == ["base", "snips"]
    assert not (tmp_path / "broken" / "debias.json").exists()
    names = [path.name for path in (tmp_path / "broken").rglob("*")]
    assert not [name for name in names if name.startswith(".")]  # nothing half-written

    lines = []
    monkeypatch.setattr(comparing, "trial", real)
    done = debias(settings, asked, out=tmp_path / "broken", say=lines.append)
    assert sum("kept from before" in line for line in lines) == 2

    def numbers(one):
        return [{name: row[name] for name in ("test", "valid", "difference")} for row in one.content["rows"]]

    assert numbers(done) == numbers(whole)


def test_more_seeds_train_only_what_is_new_and_another_language_nothing(tmp_path):
    settings = config(**NOBODY)
    first = debias(settings, {"methods": ["snips"], "seeds": 1}, out=tmp_path / "out")
    damaged = next((tmp_path / "out" / "parts").glob("snips-0-*.json"))
    damaged.write_text('{"seconds": ', "utf-8")
    lines = []
    asked = {"methods": ["snips"], "seeds": 2, "lang": "zh"}
    again = debias(settings, asked, out=tmp_path / "out", say=lines.append)
    kept = [line.split()[1] for line in lines if "kept from before" in line]
    assert kept == ["base,", "TopPop,", "Random,"]  # what was damaged is made again
    assert again.content["rows"][1]["trainings"][0] == first.content["rows"][1]["trainings"][0]
    assert 'lang="zh' in (tmp_path / "out" / "debias.html").read_text("utf-8")


def test_folders_of_others_are_kept(tmp_path):
    out = tmp_path / "out"
    mine = Store.open(out, "mine", force=False)
    mine.keep("base-0-x", Trial(pl.DataFrame({"user_id": [1]}), {"seconds": 1.0}))
    mine.write({"kind": "debias"}, lambda told: "<p>mine</p>")
    with pytest.raises(EquipoiseError, match="another configuration"):
        Store.open(out, "other", force=False)
    assert Store.open(out, "mine", force=False).trial("base-0-x").facts == {"seconds": 1.0}
    other = Store.open(out, "other", force=True)
    assert other.trial("base-0-x") is None
    assert not (out / "debias.json").exists()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(EquipoiseError, match="holds other files"):
        Store.open(out, "other", force=True)
    assert (out / "thesis.txt").read_text() == "mine"


def test_what_decides_whether_parts_belong_to_a_configuration():
    first = read_config(config())
    assert digest(read_config(config(report={"lang": "zh"}))) == digest(first)
    assert digest(read_config(config(debias=[{"method": "snips"}]))) == digest(first)
    for other in (config(model={"reg": 30.0}), config(seed=1), config(audit={"k": [3]})):
        assert digest(read_config(other)) != digest(first)


# What is asked wrongly, and what cannot act ----------------------------------------------------------------------


def test_a_misspelt_method_is_told_before_anything_is_written(tmp_path):
    with pytest.raises(ConfigError, match="Did you mean 'snips'"):
        debias(config(), {"methods": ["snipps"]}, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("seeds", [0, -1])
def test_at_least_one_training_is_needed(tmp_path, seeds):
    with pytest.raises(ConfigError, match="'seeds' of the comparison is not usable"):
        debias(config(), {"seeds": seeds}, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def one_valued():
    """Ground of a log whose only sensitive column has one value."""
    settings = read_config(config(audit={"groups": ["gender"]}))
    prepared, _ = prepare(settings, Runtime(progress=False))
    users = prepared.train.users.with_columns(pl.lit("woman").alias("gender"))
    parts = {
        name: Dataset(getattr(prepared, name).events, users, prepared.train.items, ("gender",))
        for name in ("train", "valid", "test")
    }
    return Ground(settings, Prepared(**parts, protocol=prepared.protocol, world=None), None)


def test_an_attribute_with_one_value_is_no_attribute(one_attacker):
    ground = one_valued()
    rows, skipped = systems(
        ground.config, ground.train, ground.recommender, ["user_gap", "snips"], strict=False
    )
    assert [row.name for row in rows] == ["base", "snips", "TopPop", "Random"]
    assert [one["method"] for one in skipped] == ["user_gap"]
    assert "single value 'woman'" in skipped[0]["reason"]
    assert ground.groups == []
    told = {
        "rows": [{"name": name, "valid": {ground.accuracy: {"value": 0.1}}} for name in ("base", "TopPop")],
        "recommendation": {"overall": {"pick": "base"}},
    }
    assert {"code": "one_value", "values": {"attribute": "gender"}} in notes(ground, told)


def test_a_correction_asked_for_by_name_must_be_able_to_act():
    ground = one_valued()
    with pytest.raises(ModelError, match="'user_gap' cannot act here"):
        systems(ground.config, ground.train, ground.recommender, ["user_gap"], strict=True)
    with pytest.raises(ModelError, match="'adversarial' cannot act here"):
        systems(ground.config, ground.train, models.build("ease"), ["adversarial"], strict=True)


def test_a_group_that_training_never_saw_is_told():
    settings = read_config(config(audit={"groups": ["gender"]}))
    prepared, _ = prepare(settings, Runtime(progress=False))
    stranger = prepared.test.positives["user_id"][0]
    users = prepared.train.users.with_columns(
        pl.when(pl.col("user_id") == stranger).then(pl.lit("other")).otherwise("gender").alias("gender")
    )
    parts = {
        name: Dataset(
            getattr(prepared, name).events.filter((pl.col("user_id") != stranger) | (name == "test")),
            users, prepared.train.items, ("gender",),
        )
        for name in ("train", "valid", "test")
    }  # fmt: skip
    ground = Ground(settings, Prepared(**parts, protocol=prepared.protocol, world=None), None)
    told = {
        "rows": [{"name": name, "valid": {ground.accuracy: {"value": 0.1}}} for name in ("base", "TopPop")],
        "recommendation": {"overall": {"pick": "base"}},
    }
    assert {"code": "group_absent", "values": {"attribute": "gender", "group": "other"}} in notes(
        ground, told
    )
    assert ground.groups == ["man", "woman"]


def test_without_sensitive_columns_gap_and_leakage_are_left_out_and_said(tmp_path):
    done = debias(config(**NOBODY), {"methods": ["snips"], "seeds": 1}, out=tmp_path / "out")
    content = done.content
    assert content["cares"] == ["accuracy", "bias"]
    assert "gap" not in content["rows"][0]["test"]
    assert content["rows"][0]["leakage"] == {}
    assert {"code": "no_attribute", "values": {}} in content["notes"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (EquipoiseError("The weights explode"), "The weights explode."),
        (np.linalg.LinAlgError("Singular matrix"), "It failed with LinAlgError: Singular matrix."),
        (MemoryError(), "It failed with MemoryError: no message."),
    ],
)
def test_a_correction_that_gives_up_is_left_out_with_its_reason(tmp_path, monkeypatch, error, reason):
    from equipoise.debias.during.inverse_propensity import InversePropensity

    def explodes(self, data, context):
        raise error

    monkeypatch.setattr(InversePropensity, "training", explodes)
    done = debias(config(**NOBODY), {"methods": ["snips"], "seeds": 1}, out=tmp_path / "out")
    assert done.content["skipped"] == [{"method": "snips", "reason": reason}]
    assert [row["name"] for row in done.content["rows"]] == ["base", "TopPop", "Random"]
    assert done.content["recommendation"]["overall"]["code"] == "keep"


def test_the_error_of_ratings_is_measured_where_the_model_estimates_them(tmp_path):
    pytest.importorskip("torch")
    settings = config(**NOBODY) | {"model": {"name": "mf", "loss": "rating", "width": 4, "epochs": 3}}
    ground = rated(settings)
    rows, _ = systems(ground.config, ground.train, ground.recommender, ["snips"], strict=True)
    store = Store.open(tmp_path / "out", "digest", force=False)
    trials = comparing.train_all(ground, rows, 1, store, lambda line: None)
    told = {row["name"]: row for row in comparing.compare(ground, trials)["rows"]}
    assert told["base"]["test"]["mse"]["low"] <= told["base"]["test"]["mse"]["value"]
    assert told["base"]["test"]["mse"]["value"] < 4  # of ratings between 1 and 5
    assert told["TopPop"]["test"]["mse"]["value"] is None
    assert any(one["care"] == "error" for one in told["snips"]["findings"])


def rated(settings):
    """Ground of a log whose positive events carry a rating."""
    settings = read_config(settings)
    prepared, _ = prepare(settings, Runtime(progress=False))
    value = (pl.col("user_id") % 5 + 1).cast(pl.Float64).alias("value")
    parts = {
        name: Dataset(
            getattr(prepared, name).positives.drop("value").with_columns(value), prepared.train.users,
            prepared.train.items,
        )
        for name in ("train", "valid", "test")
    }  # fmt: skip
    return Ground(settings, Prepared(**parts, protocol=prepared.protocol, world=None), None)
