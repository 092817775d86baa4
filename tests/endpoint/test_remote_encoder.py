from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from equipoise.errors import ConfigError, ModelError
from equipoise.language import encode_items, encoder, load_encoder
from tests.endpoint.local_server import Server, vector

ITEMS = pl.DataFrame({"item_id": [1, 2, 3], "title": ["green tea", None, "x" * 100_000]})


@pytest.fixture(autouse=True)
def _environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EQUIPOISE_BASE_URL", server.address)


def test_items_are_encoded_by_the_server_blank_ones_aside(server: Server) -> None:
    found = encode_items(ITEMS, ["title"], "openai:small")
    assert found.matrix.tolist() == [vector("green tea"), [0, 0, 0], vector("x" * 6_000)]
    assert [len(text) for body in server.bodies for text in body["input"]] == [9, 6_000]


def test_a_second_run_asks_nothing(server: Server, tmp_path: Path) -> None:
    first = encode_items(ITEMS, ["title"], "openai:small", cache=tmp_path).matrix
    server.bodies.clear()
    assert np.array_equal(encode_items(ITEMS, ["title"], "openai:small", cache=tmp_path).matrix, first)
    assert server.bodies == []


def test_only_the_name_is_saved_and_another_server_is_told(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EQUIPOISE_API_KEY", "sk-secret")
    encoder("openai:small", dimensions=3).fit([]).save(tmp_path)
    assert "sk-secret" not in (tmp_path / "encoder.json").read_text()
    assert load_encoder(tmp_path).encode(["tea", ""]).tolist() == [vector("tea"), [0, 0, 0]]
    monkeypatch.setenv("EQUIPOISE_BASE_URL", "http://127.0.0.1:9/v1")
    moved = load_encoder(tmp_path)  # a model folder opens anywhere; the server matters when a text is encoded
    with pytest.raises(ModelError, match="another model"):
        moved.encode(["tea"])


def test_a_missing_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EQUIPOISE_BASE_URL")
    with pytest.raises(ConfigError, match="EQUIPOISE_BASE_URL"):
        encode_items(ITEMS, ["title"], "openai:small")
