"""Fine-tuning from a configuration to a folder, on a catalogue in which words tell what goes together."""

import json
import re
from dataclasses import replace

import polars as pl
import pytest

from equipoise.cli.finetune import told
from equipoise.config import read_config
from equipoise.errors import ConfigError, EquipoiseError, ModelError
from equipoise.language import encode_items, encoder
from equipoise.pipeline import finetune as module
from equipoise.pipeline.finetune import finetune
from tests.cli.calling import call
from tests.language.finetuning import small
from tests.language.finetuning.conftest import bert, one_thread  # noqa: F401

pytest.importorskip("torch")
pytest.importorskip("sentence_transformers")


@pytest.fixture
def settings(tmp_path, bert):  # noqa: F811
    """A function from fields of `[finetune]` to a configuration."""
    return lambda **fields: small.settings(tmp_path, bert, **fields)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, bert):  # noqa: F811
    """A fine-tuning of all weights."""
    folder = tmp_path_factory.mktemp("whole")
    return finetune(small.settings(folder, bert), out=folder / "out")


def test_retrieval_rises_where_words_tell_what_goes_together(whole):
    assert whole.before.value < 0.5
    assert whole.after.value > 0.8
    assert whole.gain.low > 0.2
    assert whole.helps
    assert f'[encoder] name = "hf:{whole.path / "encoder"}"' in told(whole)[-1]


def test_the_folder_holds_the_encoder_and_says_how_it_was_made(whole):
    assert sorted(path.name for path in whole.path.iterdir()) == ["encoder", "finetuning.json"]
    manifest = json.loads((whole.path / "finetuning.json").read_text())
    losses = [check["loss"] for check in manifest["training"]["checks"]]
    assert losses[0] is None
    assert losses[-1] < losses[1]
    assert manifest["validation"]["gain"]["value"] == whole.gain.value
    assert manifest["base"]["sha256"] == encoder(whole.base).source()
    assert manifest["training"]["epochs"] == pytest.approx(40 * 16 / manifest["data"]["pairs"])


def test_configurations_use_it_by_name(whole):
    vectors = encode_items(small.items(), ["title"], encoder(whole.encoder)).matrix
    cosines, family = vectors @ vectors.T, small.items()["family"].to_numpy()
    same = family[:, None] == family
    assert cosines[same].mean() > cosines[~same].mean() + 0.2


def test_low_rank_training_finds_them_too(tmp_path, settings):
    pytest.importorskip("peft")
    said = []
    how = settings(method="lora", learning_rate=1e-2)  # at 2e-2, one seed in five finds nothing
    found = finetune(how, out=tmp_path / "out", seed=1, say=said.append)
    assert "40 steps of 16 pairs" in said[1]
    assert found.gain.low > 0.1
    assert found.helps


def test_nothing_but_the_training_part_is_trained_on(tmp_path, settings, monkeypatch):
    """Whatever validation and test hold, the pairs are the same; and none of them ends in a held-out event."""
    seen = []

    def spied(base, texts, pairs, *rest):
        seen.append({(u, texts.texts[a], texts.texts[b]) for u, a, b in zip(
            pairs.users.tolist(), pairs.first, pairs.second, strict=True)})  # fmt: skip
        raise KeyboardInterrupt

    prepare = module.prepare

    def spoiled(*arguments):
        prepared, data = prepare(*arguments)
        return replace(
            prepared,
            valid=prepared.valid.with_events(
                prepared.valid.events.with_columns(prepared.valid.events["item_id"].reverse())
            ),
            test=prepared.test.with_events(prepared.test.events.with_columns(item_id=pl.lit("i000"))),
        ), data

    monkeypatch.setattr(module, "_train", spied)
    for prepares in (prepare, spoiled):
        monkeypatch.setattr(module, "prepare", prepares)
        with pytest.raises(KeyboardInterrupt):
            finetune(settings(window=20), out=tmp_path / "out")
    assert seen[0] == seen[1]
    log = small.events().sort("user_id", "timestamp").join(small.items(), on="item_id", maintain_order="left")
    last_two = log.group_by("user_id", maintain_order=True).tail(2)
    held_out = set(last_two.select("user_id", "title").iter_rows())
    paired = {(user, title) for user, *titles in seen[0] for title in titles}
    assert len(paired) == len(log) - len(held_out)
    assert not paired & held_out


def test_an_interrupted_training_goes_on_as_if_nothing_had_been(tmp_path, settings, whole, monkeypatch):
    from equipoise.language.finetuning import loop

    keep = loop.keep

    def stop(*arguments):
        keep(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "keep", stop)
    with pytest.raises(KeyboardInterrupt):
        finetune(settings(), out=tmp_path / "parts")
    monkeypatch.setattr(loop, "keep", keep)
    assert [path.name for path in (tmp_path / "parts").iterdir()] == ["training.safetensors"]
    for draft in (".training.safetensors-12345", ".finetuning.json-12345"):  # of a process that was killed
        (tmp_path / "parts" / draft).write_bytes(b"half")
    with pytest.raises(ModelError, match="other settings"):
        finetune(settings(temperature=0.1), out=tmp_path / "parts")
    said = []
    parts = finetune(settings(), out=tmp_path / "parts", say=said.append)
    assert "after step 20" in said[1]
    assert parts.after == whole.after
    digests = {encoder(result.encoder).source() for result in (whole, parts)}
    assert len(digests) == 1, "the same weights"


def test_no_gain_is_said_and_the_base_is_kept(tmp_path, settings, bert, capsys):  # noqa: F811
    """With a step size so small that nothing changes."""
    import tomli_w

    config = tmp_path / "config.toml"
    config.write_text(tomli_w.dumps(settings(steps=6, learning_rate=1e-12)))
    assert call("finetune", config, "--out", tmp_path / "out") == 0
    said = capsys.readouterr().out
    assert "nothing was saved" in said
    assert f'Keep the base: [encoder] name = "hf:{bert}"' in said
    manifest = json.loads((tmp_path / "out" / "finetuning.json").read_text())
    assert manifest["encoder"] is None
    assert manifest["validation"]["helps"] is False
    assert call("finetune", config, "--out", tmp_path / "out") == 2
    assert "holds a fine-tuning already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"encoder": {"name": "tfidf"}}, "'tfidf' cannot be fine-tuned"),
        ({"finetune": {"minutes": 1e-6}}, "too short"),
        ({"finetune": {"stepz": 3}}, "Did you mean 'steps'"),
        ({"finetune": {"batch": 1}}, "batch"),
    ],
)
def test_settings_that_cannot_work_are_told(tmp_path, settings, change, words):
    with pytest.raises(ConfigError, match=words):
        finetune(settings() | change, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_too_short_a_time_is_told_with_what_would_do(tmp_path, settings):
    with pytest.raises(ConfigError) as caught:
        finetune(settings(minutes=1e-6), out=tmp_path / "out")
    one, many = re.search(
        r"minutes = ([\d.]+) does for one step, and ([\d.]+) for 40\.", caught.value.todo
    ).groups()
    assert 0 < float(one) <= float(many)


def test_minutes_are_rounded_up_so_that_they_do():
    from equipoise.language.finetuning.loop import _enough

    said = _enough(60.5, 12.1, 2_000)  # 72.6 s, and 1270.5 s
    assert said == "By these times, minutes = 1.3 does for one step, and 21.2 for 100."


def test_what_is_named_at_the_end_can_be_used_as_it_stands(whole):
    flat = replace(whole, gain=replace(whole.gain, low=-0.1))
    assert not flat.helps
    lines = told(flat)
    assert f'[encoder] name = "{whole.encoder}"' in lines[-1]
    assert f"over {whole.gain.n} held-out users, the half that did not tell when to stop" in lines[1]


def test_a_folder_with_other_files_is_left_alone(tmp_path, settings):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "diary.txt").write_text("mine")
    with pytest.raises(EquipoiseError, match="other files"):
        finetune(settings(), out=tmp_path / "out")
    assert (tmp_path / "out" / "diary.txt").read_text() == "mine"


def test_settings_of_fine_tuning_do_not_part_older_runs_from_their_configuration(settings):
    """The digest of a configuration without the section, and without others as young, is what it was before."""
    import hashlib

    plain = settings()
    del plain["finetune"]
    config = read_config(plain)
    old = ["name", "seed", "data", "clean", "split", "encoder", "model", "debias", "audit", "report", "tune"]
    content = {name: section for name, section in config.model_dump(mode="json").items() if name in old}
    del content["data"]["images"], content["data"]["numeric"]
    expected = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    assert config.digest() == expected
    assert read_config(settings()).digest() != expected
