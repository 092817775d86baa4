"""Pretrained image encoders, by tiny ones with random weights: read as they were saved, or refused in words."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image as Pillow

pytest.importorskip("torch")
pytest.importorskip("transformers")

from equipoise.component import Runtime
from equipoise.config import read_config
from equipoise.errors import ConfigError, DataError, ModelError
from equipoise.language import Vectors, encode_items, encoder
from equipoise.language.modalities import vision
from equipoise.worlds.drawings import draw, png

QUIET = Runtime(threads=1, progress=False)
SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "image_size": 32,
    "patch_size": 8,
}
PICTURES = [png(one) for one in draw(np.arange(6) % 5, np.arange(6), seed=0)]


def _clip() -> tuple[Any, Any]:
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    words = {"vocab_size": 50, "max_position_embeddings": 8, "bos_token_id": 0, "eos_token_id": 1}
    texts = {key: value for key, value in SIZES.items() if "size" not in key or key == "hidden_size"} | words
    config = CLIPConfig(text_config=texts | {"intermediate_size": 32}, vision_config=SIZES, projection_dim=12)
    square = {"height": 32, "width": 32}
    return CLIPModel(config), CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=square)


def _vit(kind: str) -> tuple[Any, Any]:
    import transformers

    model = getattr(transformers, kind)(transformers.ViTConfig(**SIZES))
    return model, transformers.ViTImageProcessorPil(size={"height": 32, "width": 32})


def _resnet() -> tuple[Any, Any]:
    from transformers import ConvNextImageProcessorPil, ResNetConfig, ResNetModel

    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    return ResNetModel(config), ConvNextImageProcessorPil(size={"shortest_edge": 32}, crop_pct=0.875)


MAKERS = {
    "clip": _clip,
    "vit": lambda: _vit("ViTModel"),
    "vit_classifier": lambda: _vit("ViTForImageClassification"),
    "resnet": _resnet,
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    from equipoise.language.generators.loading import quiet

    place = tmp_path_factory.mktemp("models")
    with quiet(), torch.random.fork_rng():
        torch.manual_seed(0)
        for name, make in MAKERS.items():
            model, processor = make()
            model.eval().save_pretrained(place / name)
            processor.save_pretrained(place / name)
    return place


def table(*values: bytes | None) -> pl.DataFrame:
    return pl.DataFrame({"item_id": np.arange(len(values)), "photo": pl.Series(values, dtype=pl.Binary)})


def vectors(folder: Path, *values: bytes | None, cache: Path | None = None, **fields: Any) -> Vectors:
    chosen = encoder(f"vision:{folder}", **fields)
    return encode_items(table(*values), (), chosen, images=["photo"], cache=cache, runtime=QUIET)


def changed(models: Path, tmp_path: Path, name: str = "vit") -> Path:
    return Path(shutil.copytree(models / name, tmp_path / "model"))


@pytest.mark.parametrize(
    ("name", "width"), [("clip", 12), ("vit", 16), ("vit_classifier", 16), ("resnet", 16)]
)
def test_a_batch_gives_what_single_images_give(models: Path, name: str, width: int):
    together = vectors(models / name, *PICTURES)
    assert together.matrix.shape == (6, width)
    assert np.allclose(np.linalg.norm(together.matrix, axis=1), 1, atol=1e-5)
    for picture, found in zip(PICTURES[:2], together.matrix, strict=False):
        assert np.allclose(vectors(models / name, picture).matrix[0], found, atol=1e-5)
    assert np.abs(together.matrix - together.matrix[0]).max() > 1e-3  # other pictures, other vectors


def test_pictures_that_are_not_cut_to_one_shape_are_read_too(models: Path, tmp_path: Path):
    from transformers import ViTImageProcessorPil

    folder = changed(models, tmp_path, "resnet")
    ViTImageProcessorPil(do_resize=False).save_pretrained(folder)
    rng = np.random.default_rng(0)
    lying, standing = (
        png(rng.integers(0, 255, shape, dtype=np.uint8)) for shape in ((24, 36, 3), (36, 24, 3))
    )
    both = vectors(folder, lying, standing, lying).matrix
    assert np.allclose(both[0], both[2])
    assert np.allclose(vectors(folder, standing).matrix[0], both[1], atol=1e-5)


def test_vectors_are_what_transformers_gives(models: Path):
    """Image features of a CLIP; of a classifier, which has no pooling, the first token and nothing drawn at random."""
    import torch
    from transformers import AutoImageProcessor, CLIPModel, ViTForImageClassification

    def pixels(name: str) -> Any:
        processor = AutoImageProcessor.from_pretrained(models / name, backend="pil")
        return processor(Pillow.open(io.BytesIO(PICTURES[0])), return_tensors="pt")["pixel_values"]

    with torch.no_grad():
        clip = CLIPModel.from_pretrained(models / "clip").get_image_features(pixels("clip")).pooler_output[0]
        vit = ViTForImageClassification.from_pretrained(models / "vit_classifier").vit
        places = vit(pixels("vit_classifier")).last_hidden_state[0]
    for name, expected, fields in (
        ("clip", clip, {}),
        ("vit_classifier", places[0], {}),
        ("vit_classifier", places.mean(0), {"pooling": "mean"}),
    ):
        found = vectors(models / name, PICTURES[0], **fields).matrix[0]
        assert np.allclose(found, (expected / expected.norm()).numpy(), atol=1e-5)


def test_items_without_a_readable_image_are_absent_and_told(models: Path):
    slim, dot = (np.full((*shape, 3), 90, dtype=np.uint8) for shape in ((2, 3000), (1, 1)))
    found = vectors(models / "clip", None, PICTURES[0], b"broken", b"", png(slim), png(dot))
    assert found.ids.to_list() == [1, 4, 5]
    assert np.isfinite(found.matrix).all()
    (account,) = found.account
    assert (account["modality"], account["items"], account["with"], account["broken"]) == ("vision", 6, 3, 2)
    assert account["reasons"] == {"no image of a known kind": 1, "empty": 1}
    assert len(account["sha256"]) == 64
    with pytest.raises(DataError, match="None of the 1 images"):
        vectors(models / "clip", b"broken")
    assert not len(vectors(models / "clip", None).ids)


def test_nothing_is_encoded_twice(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    first = vectors(models / "vit", *PICTURES, PICTURES[0], cache=tmp_path)
    assert (first.matrix[6] == first.matrix[0]).all()
    other = vectors(models / "vit", PICTURES[0], cache=tmp_path, pooling="mean")
    assert not np.allclose(other.matrix, first.matrix[0])
    monkeypatch.setattr(vision._Gallery, "backbone", None)  # so that whoever needs the model fails
    again = vectors(models / "vit", *reversed(PICTURES), cache=tmp_path)
    assert (again.matrix == first.matrix[5::-1]).all()


def test_a_few_at_a_time_give_the_same(models: Path, monkeypatch: pytest.MonkeyPatch):
    whole = vectors(models / "resnet", *PICTURES).matrix
    monkeypatch.setattr(vision, "_BATCH", 4)
    assert np.allclose(vectors(models / "resnet", *PICTURES).matrix, whole, atol=1e-5)


def test_models_that_cannot_be_are_refused(models: Path, tmp_path: Path):
    from safetensors.numpy import load_file, save_file
    from transformers import BertConfig, BertModel

    def refused(message: str, folder: Path, **fields: Any) -> None:
        with pytest.raises(ModelError, match=message):
            vectors(folder, *PICTURES, **fields)

    refused("neither a folder nor a model", tmp_path / "nowhere", offline=True)
    sizes = {key: SIZES[key] for key in list(SIZES)[:4]}
    BertModel(BertConfig(vocab_size=20, **sizes)).save_pretrained(tmp_path / "bert")
    refused("reads no images: it is a BertModel", tmp_path / "bert")
    pickled = changed(models, tmp_path)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    refused("no safetensors", pickled)
    (pickled / "other.safetensors").write_bytes(b"")
    refused("cannot be loaded", pickled)
    (pickled / "pytorch_model.bin").rename(pickled / "model.safetensors")
    weights = load_file(pickled / "model.safetensors")
    save_file(
        {key: one for key, one in weights.items() if "attention" not in key}, pickled / "model.safetensors"
    )
    refused("lacks 16 of its weights", pickled)
    save_file({key: one * np.float32(np.nan) for key, one in weights.items()}, pickled / "model.safetensors")
    refused("zero or not finite", pickled)
    (pickled / "model.safetensors").write_bytes((models / "vit/model.safetensors").read_bytes()[:-50])
    refused("cannot be loaded", pickled)
    shutil.copy(models / "vit/model.safetensors", pickled)
    (pickled / "preprocessor_config.json").unlink()
    refused("cannot be loaded", pickled)


def test_code_of_a_models_own_is_not_run(models: Path, tmp_path: Path):
    folder = changed(models, tmp_path)
    (folder / "evil.py").write_text("raise SystemExit('it ran')")
    settings = (folder / "config.json").read_text().replace('"vit"', '"unheard"')
    (folder / "config.json").write_text(settings.replace("{", '{"auto_map": {"AutoModel": "evil.Evil"},', 1))
    with pytest.raises(ModelError, match="cannot be loaded"):
        vectors(folder, *PICTURES)


def test_names_and_places(models: Path):
    with pytest.raises(ConfigError, match="needs its model"):
        encoder("vision")
    config = read_config({"data": {"events": "a.csv"}, "encoder": {"name": f"vision:{models}/vit"}})
    assert config.encoder.name == f"vision:{models}/vit"
    with pytest.raises(DataError, match="no column 'foto'"):
        encode_items(table(*PICTURES), (), encoder(f"vision:{models}/vit"), images=["foto"])
