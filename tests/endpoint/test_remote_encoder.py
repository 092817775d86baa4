from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from equipoise.endpoint import EndpointError
from equipoise.errors import ConfigError, ModelError
from equipoise.language import encode_items, encoder, load_encoder
from equipoise.pipeline.encode import shortfalls
from tests.endpoint.local_server import Server, embeddings, vector

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


def filtering(word: str) -> Any:
    """A server that refuses a request in which a word stands."""

    def answer(body: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        if any(word in text for text in body["input"]):
            return 400, {"error": {"message": f"stopped: {word}"}}, {}
        return 200, embeddings(body), {}

    return answer


def test_a_refused_text_costs_itself_alone(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It has no vector rather than one of zeros, is counted and told; the others are kept, and not asked for again."""
    server.answers = filtering("bad")
    items = pl.DataFrame(
        {"item_id": range(40), "title": [f"tea {'bad ' * (n in (7, 30))}{n}" for n in range(40)]}
    )
    for asked in (12, 2):  # halves down to two texts among forty, then those two and a plain word between
        server.bodies.clear()
        found = encode_items(items, ["title"], "openai:small", cache=tmp_path)
        assert len(server.bodies) <= 2 * asked
        assert found.ids.to_list() == [n for n in range(40) if n not in (7, 30)]
        assert found.matrix.tolist() == [vector(text) for text in items["title"] if "bad" not in text]
        assert found.account == (
            {"modality": "text", "items": 40, "with": 38, "refused": 2, "examples": ["7", "30"]},
        )
    assert "refuses 2 of 40 texts" in caplog.text
    assert "stopped: bad" in caplog.text
    assert shortfalls(found.account)[0].startswith("text: 2 texts were refused by the server")
    assert found.encoder is not None
    assert not found.encoder.encode(["bad"]).any()


def test_a_server_that_refuses_everything_is_an_error(server: Server) -> None:
    server.answers = filtering("")
    with pytest.raises(EndpointError, match="answered 400"):
        encode_items(
            pl.DataFrame({"item_id": range(500), "title": ["tea"] * 499 + ["rice"]}),
            ["title"],
            "openai:small",
        )
    assert len(server.bodies) == 3, "all, one of them, and a plain word"


def test_vectors_that_change_their_width_are_told(server: Server, tmp_path: Path) -> None:
    encode_items(ITEMS, ["title"], "openai:small", cache=tmp_path)
    more = pl.concat([ITEMS, pl.DataFrame({"item_id": [4], "title": ["rice"]})])
    server.then(200, {"data": [{"index": 0, "embedding": [1.0, 2.0]}]})
    with pytest.raises(ModelError, match="widths of 2 and 3"):
        encode_items(more, ["title"], "openai:small", cache=tmp_path)
    fitted = encoder("openai:small").fit([])
    fitted.encode(["tea"])
    server.then(200, {"data": [{"index": 0, "embedding": [1.0, 2.0]}]})
    with pytest.raises(EndpointError, match="width 2 after some of width 3"):
        fitted.encode(["rice"])
