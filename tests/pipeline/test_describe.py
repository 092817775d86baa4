"""Descriptions of a finished run: of training alone, resumed where they ended, and read by encoders."""

import json
import shutil

import polars as pl
import pytest

import equipoise
from equipoise.component import Runtime
from equipoise.endpoint import budget
from equipoise.language.generators import generator
from equipoise.language.profiles.prompts import user_prompt
from equipoise.pipeline.describe import _who_they_are, describe
from equipoise.pipeline.finished import FinishedRun
from tests.cli.calling import call
from tests.endpoint.local_server import serving

TINY = {
    "data": {"world": {"name": "storefront", "n_users": 60, "n_items": 40, "days": 10}},
    "encoder": {"name": "tfidf"},
    "model": {"name": "content"},
    "audit": {"k": [5], "n_bootstrap": 100},
}
QUIET = Runtime(progress=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "content"
    equipoise.run(TINY, out=folder)
    return folder


@pytest.fixture
def run(made, tmp_path, monkeypatch):
    monkeypatch.setenv("EQUIPOISE_CACHE", str(tmp_path / "cache"))
    for name in ("EQUIPOISE_EXCHANGES", "EQUIPOISE_REPLAY", "EQUIPOISE_MAX_COST"):
        monkeypatch.delenv(name, raising=False)
    return shutil.copytree(made, tmp_path / "run")


def overheard(run, who, monkeypatch):
    """Every prompt that is asked when a run's items or people are described."""
    opened = generator("template").open()
    asked = []
    write = opened.write
    monkeypatch.setattr(opened, "write", lambda prompts: asked.extend(prompts) or write(prompts))
    found, _ = describe(FinishedRun.open(run), who, opened, runtime=QUIET)
    return asked, found


@pytest.mark.parametrize("who", ["items", "users"])
def test_nothing_of_valid_and_test_enters_a_prompt(run, who, monkeypatch):
    """A canary: each later part becomes events of one marked item that training does not know of."""
    items = pl.read_parquet(run / "items.parquet")
    canary = items.head(1).with_columns(pl.lit(10**6).cast(items.schema["item_id"]).alias("item_id"),
                                        pl.lit("Canary").alias("title_en"))  # fmt: skip
    pl.concat([items, canary]).write_parquet(run / "items.parquet")
    before, expected = overheard(run, who, monkeypatch)
    for part in ("valid", "test"):
        events = pl.read_parquet(run / "split" / f"{part}.parquet")
        marked = pl.lit(10**6).cast(events.schema["item_id"]).alias("item_id")
        pl.concat([events.with_columns(marked)] * 3).write_parquet(run / "split" / f"{part}.parquet")
    asked, found = overheard(run, who, monkeypatch)
    assert asked == []  # the very same questions, all answered before
    assert found.kept == expected.written > 10
    assert found.table.equals(expected.table)
    named = [prompt for prompt in before if "Canary" in prompt.key()]
    assert [prompt.data for prompt in named] == ([named[0].data] if who == "items" else [])
    if who == "items":  # as an item of the catalogue, which nobody takes
        assert "taken_together_with" not in named[0].data
        assert named[0].data["item"]["title_en"] == "Canary"


def test_a_canary_in_training_is_told(run, monkeypatch):
    overheard(run, "users", monkeypatch)
    items, file = pl.read_parquet(run / "items.parquet"), run / "split" / "train.parquet"
    items.with_columns(pl.lit("Canary").alias("title_en")).write_parquet(run / "items.parquet")
    asked, _ = overheard(run, "users", monkeypatch)
    assert asked
    assert all("Canary" in prompt.key() for prompt in asked)
    events = pl.read_parquet(file)
    pl.concat([events, events.tail(40)]).write_parquet(file)
    asked, _ = overheard(run, "users", monkeypatch)
    assert asked  # a training part that changed asks anew


def test_the_command_writes_both_tables_and_says_what_it_did(run, capsys):
    assert call("describe", run, "--who", "items", "--limit", 10) == 0
    said = capsys.readouterr().out
    assert "10 of 10 items described by template: 10 texts written now, 0 kept from before." in said
    table, items = pl.read_parquet(run / "profiles" / "items.parquet"), pl.read_parquet(run / "items.parquet")
    assert table.drop("profile").equals(items)
    assert table["profile"].is_not_null().sum() == 10
    assert call("describe", run, "--who", "items") == 0
    assert "30 texts written now, 10 kept" in capsys.readouterr().out
    assert call("describe", run, "--who", "users", "--lang", "zh") == 0
    account = json.loads((run / "profiles" / "users.json").read_text("utf-8"))
    table = pl.read_parquet(run / "profiles" / "users.parquet")
    assert table.columns == ["user_id", "profile"]
    assert account["described"] == len(table) == table["profile"].is_not_null().sum()
    assert (account["lang"], account["complete"], account["faults"]) == ("zh", True, {})


def test_what_other_settings_made_is_replaced_only_by_force(run, capsys):
    file = run / "profiles" / "items.parquet"
    assert call("describe", run) == 0
    first = file.read_bytes()
    for words, named in ((["--lang", "zh"], "lang"), (["--limit", 5], "limit")):
        assert call("describe", run, *words) == 2
        assert f"made by other settings: {named}" in " ".join(capsys.readouterr().err.split())
        assert file.read_bytes() == first
    assert call("describe", run) == 0  # the same again
    assert call("describe", run, "--lang", "zh", "--force") == 0
    assert file.read_bytes() != first


def test_texts_about_people_stay_in_the_folder_of_the_run(run, tmp_path):
    assert call("describe", run, "--who", "users") == 0
    assert not (tmp_path / "cache" / "profiles").exists()
    assert list((run / "profiles" / "kept").iterdir())


@pytest.mark.parametrize(
    ("lang", "said", "fine"),
    [
        ("en", "They like tea and pots.", True),
        ("en", "She is a young woman who likes tea.", False),
        ("en", "They like films about a Mother (1996).", True),
        ("en", "They seem to be in their thirties.", False),
        ("zh", "喜欢绿茶和茶壶。", True),
        ("zh", "她是一位喜欢绿茶的女性。", False),
    ],
)
def test_texts_about_people_do_not_say_who_they_are(lang, said, fine):
    prompt = user_prompt([{"title": "Tea"}, {"title": "Mother (1996)"}], 2, lang, str)
    assert (_who_they_are(prompt, said) is None) is fine


def test_encoders_read_descriptions_of_items(run, tmp_path):
    assert call("describe", run, "--who", "items") == 0
    train = FinishedRun.open(run).prepared.train
    train.events.write_parquet(tmp_path / "events.parquet")
    data = {
        "events": str(tmp_path / "events.parquet"),
        "items": str(run / "profiles" / "items.parquet"),
        "text": ["title_en", "profile"],
    }
    equipoise.run({**TINY, "data": data, "clean": {"min_user_events": 1}}, out=tmp_path / "second")
    second = FinishedRun.open(tmp_path / "second")
    assert second.prepared.train.text == ("title_en", "profile")
    assert second.items["profile"].is_not_null().all()


def test_descriptions_from_another_training_part_are_told(run, tmp_path):
    """They may tell of what is held out here; those of the same part cannot."""
    parts = FinishedRun.open(run).prepared
    events = pl.concat([parts.train.events, parts.valid.events, parts.test.events])
    events.write_parquet(tmp_path / "events.parquet")
    files = {"events": str(tmp_path / "events.parquet"), "items": str(run / "items.parquet")}
    first = equipoise.run({**TINY, "data": {**files, "text": ["title_en"]}}, out=tmp_path / "first")
    describe(FinishedRun.open(first.path), "items", generator("template").open(), runtime=QUIET)
    described = {"items": str(first.path / "profiles" / "items.parquet"), "text": ["title_en", "profile"]}
    for share in (0.1, 0.3):
        settings = {**TINY, "data": files | described, "split": {"test": share}}
        again = equipoise.run(settings, out=tmp_path / f"again {share}")
        (said,) = again.manifest["stages"]["train baseline"]["origins"]
        assert (said["what"], said["same"]) == ("descriptions", share == 0.1)
        assert ("were written from another training part" in again.report.read_text()) == (share != 0.1)


def test_a_server_that_goes_away_costs_only_the_rest(run, capsys, monkeypatch):
    message = {"choices": [{"message": {"content": "A fine thing."}, "finish_reason": "stop"}]}
    monkeypatch.setenv("EQUIPOISE_MAX_REQUESTS", "20")
    budget._process.cache_clear()
    with serving() as server:
        monkeypatch.setenv("EQUIPOISE_BASE_URL", server.address)
        for _ in range(40):
            server.then(200, message)
        assert call("describe", run, "--generator", "openai:small") == 2
        said = " ".join(capsys.readouterr().err.split())
        assert "The budget of 20 requests is used up; 20 of 40 items are described" in said
        assert "same command again" in said
        account = json.loads((run / "profiles" / "items.json").read_text("utf-8"))
        assert (account["complete"], account["spent"]["requests"]) == (False, 20)
        monkeypatch.setenv("EQUIPOISE_MAX_REQUESTS", "40")  # of this process, which spent half of them
        assert call("describe", run, "--generator", "openai:small") == 0
        assert len(server.bodies) == 40


def test_what_cannot_be_done_is_told(run, tmp_path, capsys):
    for words in (["--who", "robots"], ["--lang", "fr"], ["--generator", "nobody"], ["--generator", "hf"]):
        assert call("describe", run, *words) == 2
    assert call("describe", tmp_path) == 2
    said = capsys.readouterr().err
    for part in ("items, users, not 'robots'", "en, zh, not 'fr'", "'nobody'", "not the folder of a run"):
        assert part in " ".join(said.split())
