from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from equipoise.component import Runtime
from equipoise.errors import ConfigError, DataError, ModelError
from equipoise.language import (
    FittedEncoder,
    SentenceEncoder,
    TextEncoder,
    encode_items,
    encoder,
    load_encoder,
)
from equipoise.language.vectors import Floats

ITEMS = pl.DataFrame(
    {
        "item_id": ["a", "b", "c", "d"],
        "title": ["Red socks", "Blue scarf", "Red socks", None],
        "genres": [["wool"], ["wool"], ["wool"], []],
    }
)


class Letters(SentenceEncoder):
    """Counts three letters, and the texts it was asked for."""

    name = "letters"
    sign: str = "x"

    def fit(self, texts: Sequence[str], runtime: Runtime | None = None) -> FittedLetters:
        return FittedLetters(self, runtime)


class FittedLetters(FittedEncoder[Letters]):
    width = 3
    asked: list[str] = []  # noqa: RUF012

    def embed(self, texts: Sequence[str]) -> Floats:
        self.asked.extend(texts)
        return np.array([[text.count(letter) for letter in "dse"] for text in texts], dtype=np.float32)


@pytest.fixture(autouse=True)
def _nobody_asked() -> None:
    FittedLetters.asked.clear()


def vectors(cache: Path | None = None, items: pl.DataFrame = ITEMS, **fields: Any) -> Floats:
    return encode_items(items, ["title", "genres"], Letters(**fields), cache=cache).matrix


def test_items_are_encoded_once_per_text_and_in_their_order() -> None:
    found = vectors()
    assert FittedLetters.asked == ["Red socks\ngenres: wool", "Blue scarf\ngenres: wool"]
    assert found.tolist() == [[1, 3, 3], [0, 2, 3], [1, 3, 3], [0, 0, 0]]


def test_a_second_run_encodes_nothing(tmp_path: Path) -> None:
    first = vectors(tmp_path)
    FittedLetters.asked.clear()
    second = vectors(tmp_path)
    assert FittedLetters.asked == []
    assert np.array_equal(first, second)


def test_a_new_item_alone_is_encoded(tmp_path: Path) -> None:
    vectors(tmp_path)
    FittedLetters.asked.clear()
    new = pl.DataFrame({"item_id": ["e"], "title": ["Tea"], "genres": [["drink"]]})
    assert vectors(tmp_path, pl.concat([ITEMS, new]))[4].tolist() == [1, 1, 3]
    assert FittedLetters.asked == ["Tea\ngenres: drink"]


def test_another_setting_has_its_own_cache(tmp_path: Path) -> None:
    vectors(tmp_path)
    FittedLetters.asked.clear()
    vectors(tmp_path, sign="y")
    assert len(FittedLetters.asked) == 2


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_a_damaged_entry_is_found_out_and_encoded_again(tmp_path: Path, damage: bytes | None) -> None:
    good = vectors(tmp_path)
    (entry,) = tmp_path.rglob("*.safetensors")
    content = entry.read_bytes()
    flipped = content[:-1] + bytes([content[-1] ^ 1])
    entry.write_bytes(flipped if damage is None else damage)
    FittedLetters.asked.clear()
    assert np.array_equal(vectors(tmp_path), good)
    assert len(FittedLetters.asked) == 2
    FittedLetters.asked.clear()
    vectors(tmp_path)
    assert FittedLetters.asked == []


def test_an_interrupted_run_leaves_whole_entries_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("equipoise.language.cache.os.replace", full)
    with pytest.raises(DataError, match="cannot be kept: No space left"):
        vectors(tmp_path)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_items_without_any_text_have_zero_vectors(tmp_path: Path) -> None:
    blank = pl.DataFrame({"item_id": [1, 2], "title": [None, " "], "genres": [[], None]})
    found = encode_items(blank, ["title"], "tfidf", cache=tmp_path)
    assert found.matrix.shape == (2, 128)
    assert not found.matrix.any()


def test_an_empty_table_gives_no_vectors() -> None:
    assert encode_items(ITEMS.clear(), ["title"]).matrix.shape == (0, 128)


def test_queries_lie_beside_the_items() -> None:
    found = encode_items(ITEMS, ["title", "genres"])
    assert isinstance(found.encoder, TextEncoder)
    query = found.encoder.encode(["blue"])[0]
    assert (found.matrix @ query).argmax() == 1


def test_repeated_ids_are_refused() -> None:
    with pytest.raises(DataError, match="repeat"):
        encode_items(pl.concat([ITEMS, ITEMS]), ["title"])


def test_a_table_without_ids_is_refused() -> None:
    with pytest.raises(DataError, match="no column 'item_id'"):
        encode_items(ITEMS.drop("item_id"), ["title"])


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    fitted = encode_items(ITEMS, ["title", "genres"]).encoder
    assert fitted is not None
    fitted.save(tmp_path)
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".json", ".safetensors"]
    texts = ["red", "wool scarf", "", "unheard"]
    assert np.array_equal(load_encoder(tmp_path).encode(texts), fitted.encode(texts))


@pytest.mark.parametrize("file", ["encoder.json", "encoder.safetensors"])
def test_a_damaged_folder_is_told(tmp_path: Path, file: str) -> None:
    encoder("tfidf").fit(["some", "words"]).save(tmp_path)
    (tmp_path / file).write_bytes((tmp_path / file).read_bytes()[:-9])
    with pytest.raises(ModelError, match="damaged"):
        load_encoder(tmp_path)


def test_a_changed_folder_is_told(tmp_path: Path) -> None:
    encoder("tfidf").fit(["some", "words"]).save(tmp_path)
    file = tmp_path / "encoder.json"
    content = json.loads(file.read_text())
    content["state"]["terms"].reverse()
    file.write_text(json.dumps(content))
    with pytest.raises(ModelError, match="not the one that was saved"):
        load_encoder(tmp_path)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no saved encoder"):
        load_encoder(tmp_path / "nowhere")


def test_names_of_configurations() -> None:
    assert encoder("tfidf", width=7).describe()["width"] == 7
    assert encoder("hf:some/model").describe()["model"] == "some/model"
    assert encoder("openai:a:b").describe()["model"] == "a:b"
    assert encoder("vectors:x.parquet").describe()["path"] == "x.parquet"


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("tfdif", {}, "Did you mean 'tfidf'"),
        ("tfidf:8", {}, "Nothing may follow"),
        ("hf", {}, "needs its model.*hf:<model>"),
        ("hf:", {}, "needs its model"),
        ("tfidf", {"widht": 8}, "Did you mean 'width'"),
        ("tfidf", {"width": 0}, "'width'.*greater than 0"),
    ],
)
def test_names_that_cannot_be(name: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        encoder(name, **fields)


def test_importing_and_asking_for_an_encoder_loads_no_heavy_library() -> None:
    code = (
        "import sys; from equipoise.language import encoder;"
        "[encoder(n) for n in ('tfidf', 'minilm', 'multilingual', 'hf:x', 'openai:x', 'vectors:x')];"
        "print(sorted({'torch', 'transformers', 'sentence_transformers', 'openai'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
