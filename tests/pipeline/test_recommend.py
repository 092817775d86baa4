"""Lists for anybody from a finished run."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import equipoise
from equipoise.config import read_config
from equipoise.errors import DataError, ModelError
from equipoise.pipeline.finished import FinishedRun
from equipoise.pipeline.recommend import NEW, Asked, recommend
from tests.cli.calling import call

TINY = {
    "data": {"world": {"name": "storefront", "n_users": 120, "n_items": 40, "days": 12}},
    "encoder": {"name": "tfidf"},
    "audit": {"k": [5], "n_bootstrap": 100},
}


def finished(folder, **model):
    equipoise.run({**TINY, "name": model["name"], "model": model}, out=folder)
    return FinishedRun.open(folder)


@pytest.fixture(scope="module")
def ease(tmp_path_factory):
    return finished(tmp_path_factory.mktemp("runs") / "ease", name="ease", reg=30.0)


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    return finished(tmp_path_factory.mktemp("runs") / "content", name="content")


def ids(answer):
    return answer.items["item_id"].to_list()


def test_known_people_get_the_list_of_the_run(ease):
    lists = pl.read_parquet(ease.folder.path / "recommendations.parquet")
    for user in lists["user_id"].unique().sort()[:5]:
        answer = recommend(ease, Asked(user=str(user)), k=5)
        own = lists.filter(pl.col("user_id") == user)
        assert ids(answer) == own["item_id"].to_list()
        assert answer.items["probability"].to_list() == own["probability"].to_list()
        assert answer.basis == ("history",)
        assert not answer.shrunk
        assert 0 <= answer.evidence <= 1


def test_nobody_gets_what_everybody_takes(ease):
    answer = recommend(ease, Asked(), k=5)
    events = pl.concat([ease.prepared.train.positives, ease.prepared.valid.positives])
    takers = (
        events.unique(["user_id", "item_id"])["item_id"]
        .value_counts()
        .sort("count", "item_id", descending=[True, False])
    )
    assert ids(answer) == takers["item_id"][:5].to_list()
    assert answer.basis == ("popularity",)
    assert answer.evidence == 0
    assert answer.verdict.startswith("Not enough evidence")
    assert ids(recommend(ease, Asked(user=NEW), k=5)) == ids(answer)


def test_clicks_are_left_out_of_the_list_and_change_it(ease):
    popular = ids(recommend(ease, Asked(), k=5))
    answer = recommend(ease, Asked(history=tuple(map(str, popular[:2]))), k=5)
    assert not set(popular[:2]) & set(ids(answer))
    assert answer.steps == 2
    assert answer.basis[0] == "history"


def test_known_people_may_go_on(ease):
    user = str(ease.prepared.train.events["user_id"].min())
    before = recommend(ease, Asked(user=user), k=5)
    after = recommend(ease, Asked(user=user, history=(str(ids(before)[0]),)), k=5)
    assert after.steps == before.steps + 1
    assert ids(before)[0] not in ids(after)
    assert after.shrunk


def test_a_wish_finds_its_kind_with_any_model(ease, content):
    """Of the five best, more are of the wished category than of a list without the wish."""
    for run in (ease, content):
        items = run.items
        for category in ("garden", "music"):
            own = set(items.filter(pl.col("category") == category)["item_id"])
            wish = items.filter(pl.col("category") == category)["description_en"][0]
            answer = recommend(run, Asked(text=wish), k=5)
            assert answer.basis[0] == "wish"
            assert len(own & set(ids(answer))) > len(own & set(ids(recommend(run, Asked(), k=5))))
            assert answer.evidence is answer.enough is None, "nonsense, too, is like some text"
            assert "how well it was understood is not known" in answer.verdict


def test_models_that_read_no_texts_say_how_they_understood(ease, content):
    said = recommend(ease, Asked(text="a garden hose"), k=5).notes
    assert any("'ease' reads no texts" in note for note in said)
    assert not any(
        "reads no texts" in note for note in recommend(content, Asked(text="a garden hose"), k=5).notes
    )


@pytest.mark.parametrize("wish", ["qqqq zzzz", "\u200b\x00\x07", "🦄"])
def test_a_wish_that_says_nothing_is_left_out(ease, content, wish):
    for run in (ease, content):
        answer = recommend(run, Asked(text=wish), k=5)
        assert ids(answer) == ids(recommend(run, Asked(), k=5))
        assert any("was left out" in note for note in answer.notes)


def test_wishes_of_any_length_and_script(ease):
    for wish in ("garden " * 50_000, "红色的鼓", "طبل أحمر garden", "'; DROP TABLE items; --"):
        assert len(recommend(ease, Asked(text=wish), k=5).items) == 5


def test_attributes_that_change_nothing_are_no_basis(ease):
    recommend(ease, Asked())
    file = ease.folder.path / "newcomers-baseline.json"
    kept = file.read_text()
    said = json.loads(kept)
    file.write_text(
        json.dumps({**said, "shrinkage": {**said["shrinkage"], "half": 0.0, "popular": 0.0, "text": 0.0}})
    )
    answer = recommend(ease, Asked(history=("1",), attributes={"gender": "woman"}))
    file.write_text(kept)
    assert answer.basis == ("history",)
    assert any("changed nothing" in note for note in answer.notes)
    assert not any("sensitive" in note for note in answer.notes)


def test_vectors_from_a_file_leave_the_texts_to_answer_wishes(ease, tmp_path):
    rng, known = np.random.default_rng(0), ease.items["item_id"]
    matrix = pl.Series(
        "vector", rng.normal(size=(len(known), 4)).astype(np.float32), dtype=pl.Array(pl.Float32, 4)
    )
    pl.DataFrame({"item_id": known, "vector": matrix}).write_parquet(tmp_path / "vectors.parquet")
    given = read_config(ease.config, [f"encoder.name=vectors:{tmp_path / 'vectors.parquet'}"])
    run = FinishedRun(ease.folder, given)
    item = run.items.row(20, named=True)
    assert ids(recommend(run, Asked(text=item["title_en"]), k=3))[0] == item["item_id"]


def test_attributes_lean_popularity_and_are_said(ease):
    answer = recommend(ease, Asked(attributes={"gender": "woman"}), k=5)
    assert answer.basis == ("attributes", "popularity")
    assert any(note.startswith("gender = woman") and "sensitive" in note for note in answer.notes)
    assert np.isfinite(answer.evidence)


def test_a_click_repeated_is_no_more_evidence(ease):
    once, often = (
        recommend(ease, Asked(history=history)) for history in (("1", "2"), ("1", "2", "1", "1", "1"))
    )
    assert often.steps == once.steps == 2
    assert often.evidence == pytest.approx(once.evidence, abs=0.05)


def test_what_contradicts_the_run_is_told(ease):
    user, gender = ease.prepared.train.users.select("user_id", "gender").row(0)
    other = {"man": "woman", "woman": "man"}[gender]
    notes = recommend(ease, Asked(user=str(user), history=("1",), attributes={"gender": other})).notes
    assert any(f"gender = {gender} of this person; the answer is for {other}" in note for note in notes)
    assert any("steps that the run knows" in note for note in notes)
    same = recommend(ease, Asked(user=str(user), attributes={"gender": gender})).notes
    assert not any("the answer is for" in note for note in same)


def test_numbers_contradict_as_numbers(ease):
    train = ease.prepared.train
    aged = train.users.with_columns(age=pl.int_range(pl.len()).cast(pl.Float64))
    run = replace(ease)
    run.__dict__["prepared"] = replace(ease.prepared, train=replace(train, users=aged))
    user = str(aged["user_id"][25])
    for said, against in (("25", False), ("25.0", False), ("26", True)):
        notes = recommend(run, Asked(user=user, attributes={"age": said})).notes
        assert (
            any(f"age = 25.0 of this person; the answer is for {said}" in note for note in notes) == against
        )


def test_lists_in_another_order_are_those_of_the_run(tmp_path):
    """Corrections that re-rank all lists together: a known person gets the list that was made, and it is called so."""
    settings = {
        **TINY,
        "model": {"name": "ease", "reg": 30.0},
        "debias": [{"method": "exposure", "group": "provider"}],
    }
    equipoise.run(settings, out=tmp_path / "run")
    run = FinishedRun.open(tmp_path / "run")
    lists = run.folder.read_frame("recommendations.parquet")
    moved = 0
    for user in lists["user_id"].unique().sort()[:20]:
        own = {
            stage: rows["item_id"].to_list()
            for (stage,), rows in lists.filter(user_id=user).group_by("stage")
        }
        answer = recommend(run, Asked(user=str(user)), k=5)
        assert (answer.stage, ids(answer)) == ("corrected", own["corrected"])
        before = recommend(run, Asked(user=str(user)), k=5, stage="baseline")
        assert (before.stage, ids(before)) == ("baseline", own["baseline"])
        moved += own["corrected"] != own["baseline"]
        assert answer.evidence is None
        assert "corrections put it in this order" in answer.verdict
        assert "corrections" not in before.verdict
    assert moved
    longer = recommend(run, Asked(user=str(user)), k=6)
    assert longer.stage == "baseline"
    assert any("is shorter than 6" in note for note in longer.notes)
    new = recommend(run, Asked(history=("1",)), k=5)
    assert new.stage == "baseline"
    assert any("do not act on a single list" in note for note in new.notes)


def test_an_encoder_of_english_says_what_it_cannot_read(ease, monkeypatch):
    monkeypatch.setattr("equipoise.pipeline.recommend._ENGLISH", "tfidf")  # whose vectors this run has
    told = {
        wish: recommend(ease, Asked(text=wish), k=3).notes
        for wish in ("garden hose", "适合 garden 花园里的水管")
    }
    assert [any("reads English" in note for note in notes) for notes in told.values()] == [False, True]


def test_what_was_learned_is_kept(ease):
    recommend(ease, Asked())
    file = ease.folder.path / "newcomers-baseline.json"
    kept = json.loads(file.read_text())
    assert kept["shrinkage"]["choices"] > 0
    file.write_text(json.dumps({**kept, "shrinkage": {**kept["shrinkage"], "popular": 0.0, "text": 0.0}}))
    assert "popularity" not in recommend(ease, Asked(history=("1",))).basis
    file.write_text(json.dumps({**kept, "config_sha256": "another"}))
    recommend(ease, Asked())
    assert json.loads(file.read_text()) == kept


def test_texts_are_not_read_where_they_have_no_say(ease, monkeypatch):
    recommend(ease, Asked())
    file = ease.folder.path / "newcomers-baseline.json"
    kept = file.read_text()
    said = json.loads(kept)
    file.write_text(json.dumps({**said, "shrinkage": {**said["shrinkage"], "text": 0.0}}))
    asked = Asked(history=("1", "2"))
    before = recommend(ease, asked)
    monkeypatch.setattr("equipoise.pipeline.newcomers.encode", None)
    assert ids(recommend(ease, asked)) == ids(before)
    with pytest.raises(TypeError):
        recommend(ease, Asked(text="garden hose"))
    file.write_text(kept)


def test_bad_input_is_told(ease):
    with pytest.raises(DataError, match="No item of the history is known: nope"):
        recommend(ease, Asked(history=("nope", "5.5")))
    with pytest.raises(DataError, match="no attribute 'gendr'"):
        recommend(ease, Asked(attributes={"gendr": "man"}))
    with pytest.raises(DataError, match="no model of the stage 'corrected'"):
        recommend(ease, Asked(), stage="corrected")
    with pytest.raises(ModelError, match="list of 0 items"):
        recommend(ease, Asked(), k=0)
    some = recommend(ease, Asked(history=("1", "nope")))
    assert any("1 of 2 items of the history are not known: nope" in note for note in some.notes)
    stranger = recommend(ease, Asked(user="nobody"))
    assert any(note.startswith("'nobody' is not among the ") for note in stranger.notes)
    assert len(recommend(ease, Asked(), k=1000).items) == 40


def test_a_run_without_texts_cannot_answer_wishes(tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        (f"u{user}", f"i{item}", step)
        for user in range(40)
        for step, item in enumerate(rng.permutation(12)[:6])
    ]
    pl.DataFrame(rows, schema=["user_id", "item_id", "order"], orient="row").write_csv(
        tmp_path / "events.csv"
    )
    settings = {
        "data": {"events": str(tmp_path / "events.csv")},
        "split": {"strategy": "leave_last"},
        "encoder": {"name": "none"},
        "model": {"name": "ease", "reg": 5.0},
        "audit": {"k": [3], "n_bootstrap": 100},
    }
    equipoise.run(settings, out=tmp_path / "run")
    run = FinishedRun.open(Path(tmp_path / "run"))
    with pytest.raises(DataError, match="Nothing here reads texts"):
        recommend(run, Asked(text="quiet jazz"))
    answer = recommend(run, Asked(history=("i3",)), k=3)
    assert answer.items.columns == ["item_id", "rank", "score", "probability", "cold"]
    assert answer.evidence is None, "40 people are too few to learn from"
    assert "too few held-out events" in answer.verdict


def test_items_without_a_row_or_a_text_do_no_harm(ease, tmp_path):
    """Some items of the events have no row in the table of items, and one has no text."""
    items = ease.items.with_columns(
        pl.when(pl.col("item_id") == 7).then(pl.lit("")).otherwise(pl.col("title_en")).alias("title_en")
    )
    run = FinishedRun(ease.folder, ease.config)
    train = replace(run.prepared.train, items=items.filter(pl.col("item_id") > 5), text=("title_en",))
    run.__dict__["prepared"] = replace(run.prepared, train=train)
    answer = recommend(run, Asked(text=items["title_en"][20], history=("1", "7")), k=40)
    assert ids(answer)[0] == items["item_id"][20]
    assert answer.items.filter(pl.col("item_id") == 2)["title"].to_list() == [None]


def test_the_command_prints_a_table_or_json(ease, capsys):
    path = ease.folder.path
    assert call("recommend", path, "--text", "garden hose", "--k", "3") == 0
    assert "Rests on wish" in capsys.readouterr().out
    assert call("recommend", path, "--history", "1,2", "--attributes", "gender=man", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert [row["rank"] for row in said["items"]] == list(range(1, 11))
    assert said["basis"] == ["history", "attributes", "popularity"]
    assert said["enough"] in (True, False)


@pytest.mark.parametrize("pairs", ["gender", "gender=", "=man", "gender=man,gender=woman"])
def test_attributes_that_cannot_be_read(ease, capsys, pairs):
    assert call("recommend", ease.folder.path, "--attributes", pairs) == 2
    assert "gender=F,age=25" in capsys.readouterr().err


def test_a_folder_that_is_no_run(ease, capsys):
    assert call("recommend", ease.folder.path / "model") == 2
    assert "not the folder of a run" in capsys.readouterr().err
