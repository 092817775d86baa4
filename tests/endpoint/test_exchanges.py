from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from equipoise.endpoint import (
    AnswerError,
    Endpoint,
    EndpointError,
    ExchangeLog,
    RefusedError,
    Replay,
    read_exchanges,
)
from tests.endpoint.local_server import Server


@pytest.fixture
def log(server: Server, tmp_path: Path) -> Path:
    """Two exchanges that went well and one that did not."""
    file = tmp_path / "deep" / "exchanges.jsonl"
    asked = Endpoint(server.address, "k", pause=0.001, log=ExchangeLog(file))
    asked.embeddings("small", ["绿茶"])
    server.then(500, b"oops")
    asked.embeddings("small", ["bread"])
    return file


def test_every_exchange_is_kept_failures_too(log: Path, server: Server) -> None:
    exchanges = read_exchanges(log)
    assert [exchange["status"] for exchange in exchanges] == [200, 500, 200]
    assert exchanges[0]["request"]["input"] == ["绿茶"]
    assert exchanges[1]["response"] == "oops"
    assert {exchange["address"] for exchange in exchanges} == {server.address}


def test_a_server_that_does_not_answer_is_kept_too(tmp_path: Path) -> None:
    log = ExchangeLog(tmp_path / "log")
    with pytest.raises(EndpointError):
        Endpoint("http://127.0.0.1:9", attempts=2, pause=0.001, log=log).embeddings("small", ["tea"])
    assert [exchange["status"] for exchange in read_exchanges(log.file)] == [None, None]


def test_a_log_is_continued(log: Path, server: Server) -> None:
    before = log.read_bytes()
    Endpoint(server.address, log=ExchangeLog(log)).embeddings("small", ["socks"])
    assert log.read_bytes().startswith(before)
    assert len(read_exchanges(log)) == 4


@pytest.mark.parametrize("change", ["edit", "drop", "swap", "cut", "nonsense"])
def test_no_line_can_be_changed_unseen(log: Path, change: str) -> None:
    lines = log.read_text(encoding="utf-8").splitlines()
    if change == "edit":
        lines[1] = lines[1].replace("oops", "fine")
    elif change == "drop":
        del lines[1]
    elif change == "swap":
        lines[0], lines[1] = lines[1], lines[0]
    elif change == "cut":
        lines[-1] = lines[-1][:20]
    else:
        lines[1] = json.dumps([1])
    log.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(EndpointError, match="altered or is cut off"):
        ExchangeLog(log)


def test_a_replay_answers_without_a_server(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EQUIPOISE_REPLAY", str(log))
    monkeypatch.setattr("httpx.Client.post", lambda *_, **__: pytest.fail("the network was used"))
    asked = Endpoint.from_environment()
    assert np.array_equal(asked.embeddings("small", ["bread"]), [[5, 1, 1]])
    with pytest.raises(EndpointError, match="holds no answer to this request to embeddings"):
        asked.embeddings("small", ["never asked"])


def test_a_request_made_repeatedly_is_answered_in_turn(tmp_path: Path) -> None:
    log = ExchangeLog(tmp_path / "log")
    for answer in (1, 2):
        log.append(
            {"address": "a", "path": "p", "request": {"q": 1}, "status": 200, "response": {"n": answer}}
        )
    replay = Replay(log.file)
    assert [replay.answer("p", {"q": 1}).response["n"] for _ in range(3)] == [1, 2, 2]


def test_all_endpoints_of_a_process_may_write_to_one_log(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EQUIPOISE_BASE_URL", server.address)
    monkeypatch.setenv("EQUIPOISE_EXCHANGES", "log.jsonl")
    first = Endpoint.from_environment()
    monkeypatch.setenv("EQUIPOISE_EXCHANGES", str(tmp_path / "log.jsonl"))
    second = Endpoint.from_environment()
    for number, asked in enumerate((first, second, first, second)):
        asked.embeddings("small", [f"tea {number}"])
    assert len(read_exchanges(tmp_path / "log.jsonl")) == 4


def test_a_replay_fails_where_the_server_did(server: Server, tmp_path: Path) -> None:
    """An answer that was too long, one that was no JSON, and a text that was refused: each a matter of one request."""
    asked = [[{"role": "user", "content": word}] for word in ("long", "page", "refused")]
    server.then(200, b"x" * (2 << 20)).then(200, b"<html>").then(400, {"error": {"code": "content_filter"}})
    log = tmp_path / "log.jsonl"

    def faults(endpoint: Endpoint) -> list[tuple[type, str]]:
        found = []
        for messages in asked:
            with pytest.raises(AnswerError) as caught:
                endpoint.chat("small", messages)
            found.append((type(caught.value), str(caught.value)))
        return found

    live = faults(Endpoint(server.address, log=ExchangeLog(log)))
    assert [kind for kind, _ in live] == [AnswerError, RefusedError, RefusedError]
    assert faults(Endpoint(server.address, replay=Replay(log))) == live
    assert [exchange.get("cut") for exchange in read_exchanges(log)] == [True, None, None]


def test_a_log_that_cannot_be_written_or_read_is_told(server: Server, tmp_path: Path) -> None:
    log = ExchangeLog(tmp_path / "log")
    log.file.mkdir()
    with pytest.raises(EndpointError, match=r"The exchange cannot be kept: Is a directory.*another file"):
        Endpoint(server.address, log=log).embeddings("small", ["tea"])
    with pytest.raises(EndpointError, match="cannot be read: Is a directory"):
        ExchangeLog(log.file)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\n")
    with pytest.raises(EndpointError, match="altered or is cut off"):
        ExchangeLog(tmp_path / "bytes")


def test_a_missing_log_is_told(tmp_path: Path) -> None:
    with pytest.raises(EndpointError, match="no log"):
        Replay(tmp_path / "none")
