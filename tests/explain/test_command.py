"""`equipoise explain`, from a finished run to what a person reads."""

import json
import re
import subprocess
import sys

import polars as pl
import pytest

import equipoise
from equipoise.pipeline.explain import explain
from equipoise.pipeline.finished import FinishedRun
from tests.cli.calling import call

SMALL = {
    "name": "small",
    "data": {"world": {"name": "storefront", "n_users": 60, "n_items": 40, "days": 14}},
    "encoder": {"name": "tfidf"},
    "model": {"name": "content"},
    "debias": [{"method": "mmr"}],
    "audit": {"k": [5], "n_bootstrap": 100},
    "explain": {"graph": "gender -> activity; age_band -> activity"},
}
GRAPH = "gender -> share.books; gender <-> activity; gender -> activity"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return equipoise.run(SMALL, out=tmp_path_factory.mktemp("runs") / "small")


@pytest.fixture(scope="module")
def place(run):
    """A user and the item at the second place of the list."""
    second = run.recommendations.filter((pl.col("rank") == 2) & (pl.col("stage") == "baseline"))
    return second.row(0, named=True)


def test_explaining_loads_nothing_that_only_training_needs():
    code = "import sys, equipoise.pipeline.explain; print(sorted({'torch', 'sklearn', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_json_is_the_explanation(run, place, capsys):
    code = call(
        "explain", run.path, "--user", place["user_id"], "--item", place["item_id"], "--k", 5, "--json"
    )
    assert code == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["rank"], said["score"]) == (2, pytest.approx(place["score"]))
    assert {one["kind"] for one in said["reasons"]} >= {"interaction", "word", "attribute"}
    assert said["counterfactual"]["removed"]
    assert said["counterfactual"]["forwards"] <= 256
    assert any("re-rank" in note for note in said["notes"])
    direct = explain(FinishedRun.open(run.path), place["user_id"], place["item_id"], k=5)
    assert json.loads(json.dumps(direct.as_dict())) == said


def test_a_person_reads_reasons_and_what_would_have_kept_it_out(run, place, capsys):
    words = ("explain", run.path, "--user", place["user_id"], "--item", place["item_id"], "--k", 5)
    assert call(*words) == 0
    out = capsys.readouterr().out
    assert f"rank 2 for user {place['user_id']}" in out
    assert "Without " in out
    assert "outside the 5 best" in out
    assert re.search(r"Without \S+ \(.+\).*: rank", " ".join(out.split()))
    assert re.search(r"best; \S+ \(.+\) takes its place", " ".join(out.split()))
    verified = next(line for line in out.splitlines() if line.startswith("Verified with"))
    assert "; " not in verified
    assert ". No fewer of them suffice." in out.replace("\n", " ") or ". Of the " in out.replace("\n", " ")
    assert "shares of different sorts do not compare" in " ".join(out.split())
    assert call(*words, "--no-counterfactual") == 0
    assert "Without " not in capsys.readouterr().out


def test_paths_of_a_sensitive_attribute_are_told(run, place, tmp_path, capsys):
    words = (
        "explain",
        run.path,
        "--user",
        place["user_id"],
        "--item",
        place["item_id"],
        "--no-counterfactual",
    )
    file = tmp_path / "graph.txt"
    file.write_text(GRAPH)
    assert call(*words, "--sensitive", "gender", "--graph", file) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "gender -> share.books -> history -> score" in out
    assert "hidden common cause" in out
    assert "the model does not read it" in out
    assert "The graph is right and complete" in out
    assert call(*words, "--sensitive", "gender", "--json") == 0  # the graph is that of the run
    said = json.loads(capsys.readouterr().out)["sensitive"]
    assert said["graph"] == "gender -> activity; age_band -> activity"
    activity, direct = said["parts"]
    assert activity["paths"] == ["gender -> activity -> history -> score"]
    assert activity["score"]["low"] <= activity["score"]["value"] <= activity["score"]["high"]
    assert direct["score"]["value"] == 0
    assert said["forwards"] <= 256
    assert call(*words, "--json") == 0
    assert json.loads(capsys.readouterr().out)["sensitive"] is None


def test_all_places_are_explained_into_a_table(run, tmp_path, capsys):
    out = tmp_path / "table.parquet"
    assert call("explain", run.path, "--all", "--users", 6, "--k", 3, "--out", out) == 0
    said = capsys.readouterr().out
    assert "Places with a faithful explanation" in said
    table = pl.read_parquet(out)
    assert table["user_id"].n_unique() == 6
    assert len(table) == 18
    assert table["stage"].unique().to_list() == ["corrected"]
    assert "only the re-ranking explains" in " ".join(said.split())
    assert "learned vector" not in said
    assert call("explain", run.path, "--all", "--users", 2, "--k", 3, "--out", out) == 2
    assert "such a file already" in capsys.readouterr().err
    assert (
        call(
            "explain",
            run.path,
            "--all",
            "--users",
            2,
            "--k",
            1,
            "--stage",
            "baseline",
            "--out",
            out,
            "--force",
        )
        == 0
    )
    assert "re-ranking" not in capsys.readouterr().out
    assert pl.read_parquet(out)["stage"].to_list() == ["baseline"] * 2
    assert call("explain", run.path, "--all", "--users", 3, "--k", 2, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["path"] == str(run.path / "explanations.parquet")
    assert 0 <= said["faithful"]["value"] <= 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--user", "1"], "Give --user and --item"),
        (["--user", "1", "--item", "no-such"], "knows no item 'no-such'"),
        (["--all", "--user", "1"], "Leave out --user and --item"),
        (["--user", "1", "--item", "2", "--users", "3"], "belong to --all"),
        (["--user", "1", "--item", "2", "--force"], "belong to --all"),
        (["--all", "--k", "500", "--force"], "those of the run have"),
        (["--user", "1", "--item", "2", "--stage", "last"], "no model of the stage 'last'"),
        (["--all", "--sensitive", "gender"], "are for one place"),
        (["--user", "1", "--item", "2", "--graph", "gender -> activity"], "not said of which attribute"),
        (["--user", "1", "--item", "2", "--sensitive", "gendr"], "no attribute 'gendr'"),
        (
            ["--user", "1", "--item", "2", "--sensitive", "gender", "--graph", "gender ->"],
            "no variable at one",
        ),
    ],
)
def test_bad_requests_are_answered_in_words(run, words, message, capsys):
    assert call("explain", run.path, *words) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_what_was_seen_is_refused_and_a_folder_that_is_no_run(run, tmp_path, capsys):
    taken = (
        pl.read_parquet(run.path / "split/train.parquet")
        .filter(pl.col("event") == "click")
        .row(0, named=True)
    )
    assert call("explain", run.path, "--user", taken["user_id"], "--item", taken["item_id"]) == 2
    assert "part of the history already" in " ".join(capsys.readouterr().err.split())
    assert call("explain", tmp_path, "--user", 1, "--item", 2) == 2
    assert "not the folder of a run" in capsys.readouterr().err
