"""`equipoise debias`: exit codes, what is printed, what is written."""

import json

import pytest

from equipoise.pipeline.debias import comparing
from tests.cli.calling import call

CONFIG = """
name = "tiny"
[data.world]
name = "storefront"
n_users = 120
n_items = 40
days = 10
[model]
name = "ease"
[audit]
k = [5]
groups = []
n_bootstrap = 100
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with a configuration, on a wide console."""
    (tmp_path / "config.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


def test_the_rows_and_the_advice_are_printed_and_written(here, capsys):
    words = ("debias", "config.toml", "--methods", "snips,exposure", "--seeds", "1", "--set", "audit.k=[4]")
    assert call(*words, "--lang", "zh") == 0
    said = capsys.readouterr().out
    for word in (
        "compared  base, snips, exposure, TopPop, Random",
        "NDCG@4",
        "popularity lift",
        "If you care for",
    ):
        assert word in said
    assert "Report: runs/debias-tiny/debias.html" in said
    told = json.loads((here / "runs/debias-tiny/debias.json").read_text("utf-8"))
    assert told["protocol"]["k"] == 4
    assert told["command"].startswith("equipoise debias config.toml ")
    assert 'lang="zh' in (here / "runs/debias-tiny/debias.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--methods", "snipps"), "Did you mean 'snips'"),
        (("--seeds", "0"), "'seeds' of the comparison is not usable"),
        (("--lang", "fr"), "'lang' of the comparison is not usable"),
        (("--methods", ","), "No correction is named"),
        (("--methods", "dr_jl"), "cannot act here"),
        (("--set", "model.name=eese"), "ease"),
    ],
)
def test_what_is_wrong_is_said_with_exit_code_2(here, capsys, words, reason):
    assert call("debias", "config.toml", "--out", "out", *words) == 2
    assert reason in capsys.readouterr().err
    assert not (here / "out" / "debias.json").exists()


def test_an_interrupted_comparison_says_how_to_go_on(here, capsys, monkeypatch):
    def stops(*rest):
        raise KeyboardInterrupt

    monkeypatch.setattr(comparing, "trial", stops)
    assert call("debias", "config.toml", "--methods", "snips", "--out", "out") == 2
    said = capsys.readouterr().err
    assert "what was finished is kept (out). The same command goes on." in said
