"""A language model of random weights learns which names go together, and is used by the name of a folder."""

import json
from dataclasses import replace

import polars as pl
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("peft")

import torch

from equipoise import component
from equipoise.cli.finetune import told
from equipoise.component import Runtime
from equipoise.config import read_config
from equipoise.errors import ConfigError, EquipoiseError, ModelError
from equipoise.language.finetuning import loop
from equipoise.language.generators import generator
from equipoise.models import models
from equipoise.models.llm_ranker.desk import Desk
from equipoise.models.llm_ranker.questions import name_next
from equipoise.models.llm_ranker.tuning.examples import lessons
from equipoise.models.llm_ranker.tuning.learning import RankerLearning
from equipoise.models.llm_ranker.tuning.network import Network
from equipoise.pipeline import finetune_ranker as module
from equipoise.pipeline.finetune_ranker import finetune_ranker
from equipoise.pipeline.prepare import prepare
from tests.language.generators import tiny
from tests.models.llm_ranker.tuning import families

QUIET = Runtime(threads=1, progress=False)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads that wait for each other cost more than these small matrices."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(component, "usable_cores", lambda: 1)
        yield


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    return tiny.save(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def tuned(tmp_path_factory, llama):
    folder = tmp_path_factory.mktemp("tuned")
    return finetune_ranker(families.settings(folder, llama), out=folder / "out")


def school(tmp_path, llama, **model):
    """What learns, and the settings it learns by."""
    settings = families.settings(tmp_path, llama)
    settings["model"] |= model
    config = read_config(settings)
    ranker = models.build("llm_ranker", config.model.fields)
    found = lessons(ranker, prepare(config, QUIET)[0].train, None, config.finetune_ranker, QUIET)
    network = Network(generator(f"hf:{llama}"), 4, QUIET)
    return RankerLearning(network, found, config.finetune_ranker, QUIET)


def test_after_training_the_family_of_the_history_is_preferred(tuned):
    manifest = json.loads((tuned.path / "finetuning.json").read_text())
    checks = manifest["training"]["checks"]
    assert checks[-1]["loss"] < checks[1]["loss"]
    assert max(check["value"] for check in checks) > checks[0]["value"] + 0.05
    assert tuned.gain.value == pytest.approx(tuned.after.value - tuned.before.value)
    writer = generator(tuned.generator).open(QUIET)
    for family, other in ("ab", "ba"):
        own, strange = writer.log_probabilities(
            name_next([f"{family * 3}{number}" for number in ("03", "07", "11")]),
            [f"{family * 3}05", f"{other * 3}05"],
        )
        assert own.mean > strange.mean + 0.1
    assert sorted(path.name for path in tuned.path.iterdir()) == ["additions", "finetuning.json"]
    assert any(tuned.generator in line or "cannot be told" in line for line in told(tuned))


def test_what_moves_is_beside_the_base_alone(tmp_path, llama):
    """The scores learned by are those that the ranker reads; without training, those of the base to the last bit."""
    learning = school(tmp_path, llama, isolated=False, calibrated=True)
    network, case = learning.model_in_training, learning.learned[0].case
    base = Desk(generator(f"hf:{llama}"), "likelihood")
    question, free = (learning._question(case, history) for history in (case.history, ()))
    asked = base.likelihoods(question, case.names), base.likelihoods(free, case.names)
    untrained = network.writer().log_probabilities(question, case.names)
    assert [one.mean for one in untrained] == asked[0]
    scores = learning.scores(case).detach().numpy()
    assert scores == pytest.approx([own - rest for own, rest in zip(*asked, strict=True)], abs=1e-5)
    before = {name: weights.clone() for name, weights in network._added.state_dict().items()}
    for step in range(2):
        learning._step(step, 2, learning.batch([step]))
    changed = {
        name
        for name, weights in network._added.state_dict().items()
        if not torch.equal(weights, before[name])
    }
    assert changed
    assert all("lora_" in name for name in changed)
    with network._added.disable_adapter():
        off = network.writer().log_probabilities(question, case.names)
    assert [one.mean for one in off] == asked[0]
    network.save(tmp_path / "additions", generator(f"hf:{llama}"))
    kept = generator(f"lora:{tmp_path / 'additions'}").open(QUIET).log_probabilities(question, case.names)
    now = network.writer().log_probabilities(question, case.names)
    assert [one.total for one in kept] == pytest.approx([one.total for one in now], abs=1e-3)
    assert [one.mean for one in now] != asked[0]


def test_an_interrupted_training_goes_on_as_if_nothing_had_been(tmp_path, llama, tuned, monkeypatch):
    keep = loop.keep

    def stop(*arguments):
        keep(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "keep", stop)
    with pytest.raises(KeyboardInterrupt):
        finetune_ranker(families.settings(tmp_path, llama), out=tmp_path / "out")
    monkeypatch.setattr(loop, "keep", keep)
    with pytest.raises(ModelError, match="other settings"):
        finetune_ranker(families.settings(tmp_path, llama, temperature=2.0), out=tmp_path / "out")
    said = []
    parts = finetune_ranker(families.settings(tmp_path, llama), out=tmp_path / "out", say=said.append)
    assert "after step 4" in said[1]
    assert parts.after == tuned.after
    additions = [
        (one.path / "additions" / "adapter_model.safetensors").read_bytes() for one in (parts, tuned)
    ]
    assert additions[0] == additions[1]


def test_nothing_but_the_training_part_is_learned_from(tmp_path, llama, monkeypatch):
    """Whatever validation and test hold, the lessons are the same; and no held-out name is chosen or shown as past."""
    seen = []

    def spied(ranker, base, source, train, *rest):
        found = lessons(ranker, train, None, rest[1], QUIET)
        seen.append((found.learned, [(one.case, one.chosen) for one in found.held_out]))
        raise KeyboardInterrupt

    def spoiled(*arguments):
        prepared, data = prepare(*arguments)
        valid = prepared.valid.events.with_columns(prepared.valid.events["item_id"].reverse())
        test = prepared.test.events.with_columns(item_id=pl.lit("i00"))
        parts = {"valid": prepared.valid.with_events(valid), "test": prepared.test.with_events(test)}
        return replace(prepared, **parts), data

    monkeypatch.setattr(module, "_trained", spied)
    for prepares in (prepare, spoiled):
        monkeypatch.setattr(module, "prepare", prepares)
        with pytest.raises(KeyboardInterrupt):
            finetune_ranker(families.settings(tmp_path, llama), out=tmp_path / "out")
    assert seen[0] == seen[1]
    log = families.events().join(families.items(), on="item_id", maintain_order="left")
    chosen = {(*group["title"][1:4], group["title"][4]) for _, group in log.group_by("user_id")}
    learned = {(*one.case.history, one.case.names[one.chosen]) for one in seen[0][0]}
    judged = {(*case.history, case.names[place]) for case, place in seen[0][1]}
    assert learned | judged <= chosen
    assert len(learned) == 75
    assert not learned & judged


def test_additions_that_do_not_fit_are_refused(tmp_path, tuned, llama):
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(tuned.path / "additions", folder)
    weights = folder / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="not those that were saved"):
        generator(f"lora:{folder}").open(QUIET)
    other = tmp_path / "additions"
    shutil.copytree(tuned.path / "additions", other)
    seal = json.loads((other / "base.json").read_text())
    (other / "base.json").write_text(json.dumps(seal | {"source": "0" * 64}))
    with pytest.raises(ModelError, match="beside another model"):
        generator(f"lora:{other}").open(QUIET).log_probabilities(name_next([]), ["a"])
    with pytest.raises(ModelError, match="no folder of additions"):
        generator(f"lora:{llama}").open(QUIET)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({"name": "popular"}, "no language model to train"),
        ({"name": "llm_ranker", "base": {"name": "popular"}, "generator": "template"}, "cannot be trained"),
    ],
)
def test_models_that_cannot_learn_are_told(tmp_path, llama, model, words):
    with pytest.raises(ConfigError, match=words):
        finetune_ranker(families.settings(tmp_path, llama) | {"model": model}, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_time_too_short_to_learn_in_leaves_no_folder(tmp_path, llama):
    settings = families.settings(tmp_path, llama)
    with pytest.raises(ConfigError, match="too short"):
        finetune_ranker(settings, out=tmp_path / "out", overrides=["finetune_ranker.minutes=1e-6"])
    assert not (tmp_path / "out").exists()


def test_too_few_choices_are_told(tmp_path, llama):
    settings = families.settings(tmp_path, llama)
    families.events(users=6).write_parquet(tmp_path / "events.parquet")
    with pytest.raises(EquipoiseError, match="too few choices"):
        finetune_ranker(settings, out=tmp_path / "out")
