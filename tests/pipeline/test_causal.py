"""The causal journeys: what they write, what they refuse, and that their numbers are those of planted truth."""

import json
from xml.etree import ElementTree

import polars as pl
import pytest

from equipoise.audit.policy import Launch, Policy
from equipoise.errors import ConfigError, DataError, EquipoiseError
from equipoise.pipeline.causal import effect, gate, plan, policy_value
from equipoise.pipeline.causal.gate import value_check, verdict
from equipoise.pipeline.causal.policies import policy_on
from equipoise.pipeline.causal.writing import write
from tests.pipeline import small_causal

QUESTION = {"treatment": "shown", "outcome": "bought", "cluster": "user_id", "permutations": 20}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    small_causal.events().write_parquet(folder / "events.parquet")
    small_causal.log().write_parquet(folder / "log.parquet")
    (folder / "policy.toml").write_text('owner = "board"\n[launch]\nminimum_gain = 0.02\n')
    return folder


@pytest.fixture(scope="module")
def estimated(tables):
    graph = "age -> shown; age -> bought; shown -> bought; device -> bought"
    question = {**QUESTION, "data": str(tables / "events.parquet"), "graph": graph, "groups": ["device"]}
    question |= {"negative_controls": ["before"], "treated": "yes"}
    return effect(question, out=tables / "effect")


def test_an_effect_near_the_planted_one_with_its_card(estimated):
    card = json.loads((estimated.path / "effect.json").read_text("utf-8"))
    e = card["estimate"]
    assert e["low"] < 0.1 < e["high"]
    assert e["naive"]["value"] > 0.15
    assert card["identification"]["adjustment_set"] == ["age"]
    assert {"from": "age", "to": "shown", "kind": "->"} in card["graph"]["edges"]
    assert [row["group"] for row in card["groups"]] == ["device = desk", "device = phone"]
    page = estimated.report.read_text("utf-8")
    assert page.index(card["verdict"]["sentence"].rstrip(".")) < page.index('id="refutations"')
    assert card["versions"]["equipoise"]


def test_a_card_in_chinese_has_no_english_sentence(estimated):
    import re

    from equipoise.report import render_card

    page = render_card(estimated.content, "zh")
    body = re.sub(r"<(style|code|pre|title).*?</\1>", "", page[page.index("<body") :], flags=re.DOTALL)
    left = [
        line
        for line in re.sub(r"<[^>]+>", "\n", body).split("\n")
        if re.search(r"[a-z]+ [a-z]+ [a-z]+ ", line)
    ]
    assert left == []


def test_an_effect_asks_what_to_adjust_for(tables):
    question = {**QUESTION, "data": str(tables / "events.parquet")}
    with pytest.raises(ConfigError, match="what to adjust for"):
        effect(question, out=tables / "none")
    with pytest.raises(DataError, match="no column 'show'"):
        effect({**question, "treatment": "show", "adjust": []}, out=tables / "none")
    with pytest.raises(ConfigError, match="'treatmen' is not a setting"):
        effect({**question, "treatmen": "shown"})
    assert not (tables / "none").exists()


def test_without_overlap_the_answer_is_a_reason_and_bounds(tables, tmp_path):
    rule = pl.when(pl.col("age") > 0).then(pl.lit("yes")).otherwise(pl.lit("no"))
    apart = small_causal.events().with_columns(shown=rule)
    apart.write_parquet(tmp_path / "apart.parquet")
    answer = effect(
        {**QUESTION, "data": str(tmp_path / "apart.parquet"), "adjust": ["age"]}, out=tmp_path / "out"
    )
    e = answer.content["estimate"]
    assert (e["value"], e["refused"], answer.content["verdict"]["code"]) == (None, True, "refused")
    assert e["bounds"]["low"] < 0 < e["bounds"]["high"]
    assert e["reason"].split(".")[0].split(" (")[0][:20] in answer.report.read_text("utf-8")


def test_a_folder_with_other_files_is_left_alone(tables, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    request = {"log": str(tables / "log.parquet"), "target": "new"}
    with pytest.raises(EquipoiseError, match="other files"):
        policy_value(request, out=tmp_path)
    policy_value(request, out=tmp_path / "value")
    with pytest.raises(EquipoiseError, match="answer already"):
        policy_value(request, out=tmp_path / "value")
    policy_value(request, out=tmp_path / "value", force=True)
    assert sorted(path.name for path in (tmp_path / "value").iterdir()) == [
        "policy-value.json",
        "report.html",
    ]


@pytest.fixture(scope="module")
def target(tables):
    table = pl.DataFrame({"item_id": range(4), "probability": small_causal.NEW})
    table.write_parquet(tables / "new.parquet")
    return str(tables / "new.parquet")


@pytest.mark.parametrize("estimator", ["snips", "ips", "dr"])
def test_the_value_of_a_policy_is_the_planted_one(tables, target, tmp_path, estimator):
    request = {"log": str(tables / "log.parquet"), "target": target, "estimator": estimator}
    told = policy_value(request, out=tmp_path / "out").content
    assert told["low"] < 0.295 < told["high"]
    assert told["difference"]["low"] > 0
    assert told["target"] == "new"


def test_a_target_may_be_a_table_or_a_word(tables, target, tmp_path):
    request = {"log": str(tables / "log.parquet"), "target": target}
    by_table = policy_value(request, out=tmp_path / "a").content
    by_column = policy_value({**request, "target": "new"}, out=tmp_path / "b").content
    assert by_table["value"] == pytest.approx(by_column["value"])
    uniform = policy_value({**request, "target": "uniform"}, out=tmp_path / "c").content
    assert uniform["value"] == pytest.approx(uniform["logger_value"]["value"])


def test_an_outcome_model_must_be_known(tables, tmp_path):
    request = {"log": str(tables / "log.parquet"), "target": "new", "estimator": "dr"}
    with pytest.raises(ConfigError, match="no outcome model 'magic'"):
        policy_value({**request, "outcome_model": "magic"}, out=tmp_path / "a")
    with pytest.raises(ConfigError, match="not two columns"):
        policy_value({**request, "outcome_model": "a,b,c"}, out=tmp_path / "a")


@pytest.mark.parametrize(
    ("candidate", "current", "outcome"),
    [("new", "old", "pass"), ("old", "new", "fail"), ("new", "new", "fail"), ("new", "logged", "pass")],
)
def test_a_gate_by_value(tables, tmp_path, candidate, current, outcome):
    request = {"candidate": candidate, "current": current, "policy": str(tables / "policy.toml")}
    answer = gate({**request, "log": str(tables / "log.parquet")}, out=tmp_path / "gate")
    assert answer.outcome == outcome
    check = answer.content["checks"][0]
    assert check["minimum"] == 0.02
    if candidate != current:
        gains = {"new": 0.295, "old": 0.11, "logged": 0.1875}
        truth = gains[candidate] - gains[current]
        assert check["low"] < truth < check["high"]
    suite = ElementTree.fromstring(answer.junit)
    assert (suite.get("tests"), suite.get("failures")) == ("1", str(int(outcome == "fail")))
    assert check["says"].startswith("The candidate")


@pytest.mark.parametrize(
    ("difference", "status", "code"),
    [
        ({"value": 0.2, "low": 0.11, "high": 0.3, "interval_reliable": True}, "pass", "better"),
        ({"value": 0.2, "low": 0.1, "high": 0.3, "interval_reliable": True}, "undecided", "unclear"),
        ({"value": 0.0, "low": -0.1, "high": 0.09, "interval_reliable": True}, "fail", "worse"),
        ({"value": 0.2, "low": 0.11, "high": 0.3, "interval_reliable": False}, "undecided", "unreliable"),
        ({"value": None, "reason": "No."}, "undecided", "refused"),
    ],
)
def test_the_interval_decides_and_only_where_it_can_be_relied_on(difference, status, code):
    check = value_check(difference, 0.1)
    assert (check["status"], check["code"]) == (status, code)


def test_one_failure_fails_and_what_is_open_stays_open():
    assert verdict(["pass", "pass"]) == "pass"
    assert verdict(["pass", "undecided"]) == "undecided"
    assert verdict(["undecided", "fail", "pass"]) == "fail"


def test_a_gate_without_anything_to_check_is_refused(tables, tmp_path):
    request = {"candidate": "new", "current": "old", "policy": str(tables / "policy.toml")}
    with pytest.raises(ConfigError, match="nothing to check"):
        gate(request, out=tmp_path / "gate")


def test_the_launch_table_of_a_policy_is_strict(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text("[launch]\nminimum_gian = 1\n")
    with pytest.raises(ConfigError, match="minimum_gain"):
        Policy.read(path)
    path.write_text('[launch]\nminimum_gain = 0.5\ninsufficient = "fail"\n')
    assert Policy.read(path).launch == Launch(minimum_gain=0.5, insufficient="fail")


def test_the_lists_of_a_run_are_a_policy_at_each_request(tmp_path, monkeypatch):
    lists = pl.DataFrame(
        {"user_id": [0, 0, 1, 1], "item_id": [3, 1, 2, 0], "rank": [1, 2, 1, 2], "stage": "baseline"}
    )
    frames = type("Folder", (), {"read_frame": lambda self, name: lists})()
    monkeypatch.setattr("equipoise.pipeline.causal.policies.read_run", lambda path: (frames, None))
    (tmp_path / "manifest.json").write_text("{}")
    log = pl.DataFrame({"user_id": [0, 1, 0], "item_id": [3, 2, 1], "position": [1, 1, 2]})
    read, (target, word) = policy_on(log, [str(tmp_path), "logged"])
    assert word == "logged"
    assert read["request_id"].to_list() == [0, 1, 2]
    assert target.sort("request_id").rows() == [(0, 1, 3, 1.0), (1, 1, 2, 1.0), (2, 2, 1, 1.0)]
    stranger = pl.concat([log, pl.DataFrame({"user_id": [7], "item_id": [1], "position": [1]})])
    with pytest.raises(DataError, match=r"1 of 4 requests, 1 users"):
        policy_on(stranger, [str(tmp_path)])


def test_a_plan_starts_from_a_log_and_a_policy(tables, tmp_path):
    request = {"log": str(tables / "log.parquet"), "policy": str(tables / "policy.toml"), "users": 10**7}
    audit = {"tolerance": 0.02, "deviation": 0.3, "smallest_share": 0.5}
    told = plan({**request, **audit, "gain": 0.05}, out=tmp_path / "plan").content
    assert told["situation"]["items"] == 4
    assert (told["situation"]["gain"], told["situation"]["minimum_gain"]) == (0.05, 0.02)
    assert told["situation"]["reward_rate"] == pytest.approx(0.1875, abs=0.02)
    assert told["chosen"]["users"] <= 10**7
    assert told["audit_users"] > 1000
    with pytest.raises(ConfigError, match="three numbers"):
        plan({**request, "gain": 0.05, "tolerance": 0.02}, out=tmp_path / "other")
    with pytest.raises(ConfigError, match="what the items"):
        plan({"gain": 0.1}, out=tmp_path / "other")


def test_a_plan_for_no_more_than_the_gate_asks_for_is_refused(tables, tmp_path):
    request = {"log": str(tables / "log.parquet"), "policy": str(tables / "policy.toml")}
    with pytest.raises(ConfigError, match="what the gain is"):
        plan(request, out=tmp_path / "plan")
    with pytest.raises(ConfigError, match="no more than the least gain"):
        plan({**request, "gain": 0.02}, out=tmp_path / "plan")


def test_a_run_is_asked_for_impressions_alone(tmp_path, monkeypatch):
    lists = pl.DataFrame({"user_id": [0, 0], "item_id": [3, 1], "rank": [1, 2], "stage": "baseline"})
    frames = type("Folder", (), {"read_frame": lambda self, name: lists})()
    monkeypatch.setattr("equipoise.pipeline.causal.policies.read_run", lambda path: (frames, None))
    (tmp_path / "manifest.json").write_text("{}")
    events = ["impression", "impression", "click"]
    log = pl.DataFrame(
        {"user_id": [0, 0, 0], "item_id": [3, 1, 3], "position": [1, 2, None], "event": events}
    )
    _, (target,) = policy_on(log, [str(tmp_path)])
    assert target.sort("request_id").rows() == [(0, 1, 3, 1.0), (1, 2, 1, 1.0)]


def test_infinite_settings_are_written_as_text_and_infinite_values_refused(tables, tmp_path):
    request = {"log": str(tables / "log.parquet"), "target": "new", "estimator": "clipped_ips"}
    told = policy_value({**request, "options": {"clip": float("inf")}}, out=tmp_path / "value").content
    assert told["options"]["clip"] == "inf"
    with pytest.raises(EquipoiseError, match="rescale"):
        write(tmp_path / "none", "value", {"high": float("inf")}, lambda content, lang: "", "en")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"level": 0.9}, "--level"),
        ({"cluster": "user_id"}, "--cluster"),
        ({"folds": 1}, "number of folds"),
        ({"folds": 0}, "number of folds"),
        ({"folds": "five"}, "number of folds"),
    ],
)
def test_options_that_are_none_of_an_estimator_are_refused(tables, tmp_path, options, said):
    request = {"log": str(tables / "log.parquet"), "target": "new", "estimator": "dr", "options": options}
    with pytest.raises(ConfigError, match=said):
        policy_value(request, out=tmp_path / "value")


def test_items_with_ids_of_another_type_are_refused_in_words(tables, tmp_path):
    pl.DataFrame({"item_id": ["0", "1", "x"]}).write_csv(tmp_path / "items.csv")
    request = {"log": str(tables / "log.parquet"), "target": "uniform", "items": str(tmp_path / "items.csv")}
    with pytest.raises(DataError, match="item_id"):
        policy_value(request, out=tmp_path / "value")


def test_the_columns_that_an_outcome_model_reads_can_be_named(target, tmp_path):
    log = small_causal.log().with_columns(bought=pl.col("reward"), age=pl.col("user_id") % 7)
    log.write_parquet(tmp_path / "log.parquet")
    request = {"log": str(tmp_path / "log.parquet"), "target": target, "estimator": "dr", "context": ["age"]}
    told = policy_value(request, out=tmp_path / "value").content
    assert told["low"] < 0.295 < told["high"]
    assert "The outcome model reads the item and age." in told["notes"]
    (tmp_path / "policy.toml").write_text('[launch]\nestimator = "dr"\n')
    asked = {
        "candidate": target,
        "current": "uniform",
        "policy": str(tmp_path / "policy.toml"),
        "context": ["age"],
    }
    answer = gate({**asked, "log": request["log"]}, out=tmp_path / "gate")
    difference = answer.content["value"]["difference"]
    assert difference["low"] < 0.1075 < difference["high"]
