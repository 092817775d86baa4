"""`equipoise effect`, `policy-value`, `gate` and `plan`: exit codes, what is printed, what is written."""

import json
from xml.etree import ElementTree

import pytest

from equipoise.cli.policy_value import settings
from equipoise.errors import ConfigError
from tests.cli.calling import call
from tests.pipeline import small_causal


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory that holds the tables, on a wide console."""
    small_causal.events(800).write_parquet(tmp_path / "events.parquet")
    small_causal.log().write_parquet(tmp_path / "log.parquet")
    (tmp_path / "policy.toml").write_text("[launch]\nminimum_gain = 0.02\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


def test_an_effect_by_a_file_with_a_word_changed(here, capsys):
    question = {"data": "events.parquet", "treatment": "shown", "outcome": "before", "adjust": ["age"]}
    lines = [f"{key} = {json.dumps(value)}" for key, value in question.items()]
    (here / "question.toml").write_text("\n".join([*lines, "permutations = 20"]))
    words = (
        "effect",
        "question.toml",
        "--outcome",
        "bought",
        "--out",
        "out",
        "--lang",
        "zh",
        "--method",
        "ipw",
    )
    assert call(*words) == 0
    said = capsys.readouterr().out
    assert "ipw: ate of shown on bought" in said
    assert "permutation placebo:" in said
    assert "Report: out/report.html" in said
    card = json.loads((here / "out/effect.json").read_text("utf-8"))
    assert card["question"]["outcome"] == "bought"
    assert 'lang="zh' in (here / "out/report.html").read_text("utf-8")


def test_what_is_missing_is_said_with_exit_code_2(here, capsys):
    assert call("effect", "--data", "events.parquet", "--treatment", "shown") == 2
    assert "which outcome is meant" in capsys.readouterr().err
    assert call("effect", "nowhere.toml") == 2
    assert call("policy-value", "--log", "log.parquet", "--target", "newer", "--out", "out") == 2
    assert "newer" in capsys.readouterr().err
    assert not (here / "out").exists()


def test_a_policy_value_is_printed_and_written(here, capsys):
    words = ("policy-value", "--log", "log.parquet", "--target", "new", "--estimator", "clipped_ips")
    assert call(*words, "--option", "clip=3", "--out", "out") == 0
    said = capsys.readouterr().out
    assert "new (clipped_ips)" in said
    told = json.loads((here / "out/policy-value.json").read_text("utf-8"))
    assert told["options"]["clip"] == 3
    assert told["command"] == f"equipoise {' '.join(words)} --option clip=3 --out out"


def test_a_value_without_support_is_refused_with_exit_code_0(here, capsys):
    words = ("policy-value", "--log", "log.parquet", "--target", "new", "--out", "out")
    assert call(*words, "--threshold", "minimum_effective_sample_size=100000") == 0
    assert "Refused." in capsys.readouterr().out
    assert json.loads((here / "out/policy-value.json").read_text("utf-8"))["value"] is None


@pytest.mark.parametrize(
    ("candidate", "current", "code", "word"),
    [("new", "old", 0, "Pass."), ("old", "new", 1, "Fail."), ("uniform", "logged", 1, "Fail.")],
)
def test_a_gate_by_exit_code_and_junit(here, capsys, candidate, current, code, word):
    words = ("gate", candidate, "--against", current, "--policy", "policy.toml", "--log", "log.parquet")
    assert call(*words, "--junit", "gate.xml", "--out", "out") == code
    assert word in capsys.readouterr().out
    suite = ElementTree.parse(here / "gate.xml").getroot()
    assert [case.get("name") for case in suite.iter("testcase")] == ["value"]
    assert (here / "out/report.html").is_file()


def test_an_undecided_gate_is_exit_code_3_and_an_error_to_build_servers(here, capsys):
    (here / "policy.toml").write_text("[launch]\nminimum_gain = 0.18\n")
    words = ("gate", "new", "--against", "old", "--policy", "policy.toml", "--log", "log.parquet")
    assert call(*words, "--junit", "gate.xml", "--out", "out") == 3
    assert "Undecided." in capsys.readouterr().out
    assert ElementTree.parse(here / "gate.xml").getroot().get("errors") == "1"


def test_a_plan_is_printed_and_written(here, capsys):
    assert call("plan", "--items", 8, "--reward-rate", 0.1, "--gain", 0.02, "--out", "out") == 0
    assert "left to chance" in capsys.readouterr().out
    assert json.loads((here / "out/plan.json").read_text("utf-8"))["chosen"]["users"] > 0
    assert call("plan", "--items", 8, "--gain", 0.02) == 2
    assert "--reward-rate" in capsys.readouterr().err


def test_settings_are_read_as_toml_and_else_as_text():
    assert settings(["clip=10", "lam=0.5", "kind=soft"]) == {"clip": 10, "lam": 0.5, "kind": "soft"}
    assert settings(None) == {}
    with pytest.raises(ConfigError, match="'clip' is no setting"):
        settings(["clip"])


def test_a_fault_of_ours_is_exit_code_2_with_its_kind_and_no_traceback(here, capsys, monkeypatch):
    def broken(*arguments, **named):
        raise ZeroDivisionError("float division by [zero]")

    monkeypatch.setattr("equipoise.pipeline.causal.gate", broken)
    words = ("gate", "new", "--against", "old", "--policy", "policy.toml", "--log", "log.parquet")
    assert call(*words) == 2
    said = capsys.readouterr().err
    assert "ZeroDivisionError: float division by [zero]" in said
    assert "a fault of Equipoise" in said
    assert "Traceback" not in said
    with pytest.raises(ZeroDivisionError):
        call(*words, "--debug")


def test_junit_is_tried_before_the_check_and_no_old_file_outlives_one_that_failed(here, capsys):
    words = ("gate", "new", "--against", "old", "--policy", "policy.toml", "--log", "log.parquet")
    assert call(*words, "--junit", "nowhere/gate.xml", "--out", "out") == 2
    assert not (here / "out").exists()
    (here / "gate.xml").write_text("<testsuite/>")
    missing = [word.replace("log.parquet", "gone.parquet") for word in words]
    assert call(*missing, "--junit", "gate.xml", "--out", "out") == 2
    assert not (here / "gate.xml").exists()


def test_columns_of_context_are_named_with_commas(here, capsys):
    words = (
        "policy-value",
        "--log",
        "log.parquet",
        "--target",
        "uniform",
        "--estimator",
        "dr",
        "--out",
        "out",
    )
    assert call(*words, "--context", "nothing, user_id") == 2
    assert "'nothing'" in capsys.readouterr().err
    assert call(*words, "--context", "user_id") == 0
    assert "The outcome model reads the item and user_id." in capsys.readouterr().out


def test_a_plan_says_which_settings_do_not_go_together(here, capsys):
    assert call("plan", "--items", 8, "--reward-rate", 0.1, "--gain", 0.9, "--out", "out") == 2
    said = capsys.readouterr().err
    assert "do not go together: the gain is more than" in said
    assert "''" not in said
    assert call("plan", "--items", 8, "--reward-rate", 0.1, "--gain", "1e-200", "--out", "out") == 2
    assert "decisions to find" in capsys.readouterr().err
