from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from equipoise.endpoint import Endpoint, EndpointError, ExchangeLog, Replay, read_exchanges
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
    assert [replay.answer("p", {"q": 1})["n"] for _ in range(3)] == [1, 2, 2]


def test_a_missing_log_is_told(tmp_path: Path) -> None:
    with pytest.raises(EndpointError, match="no log"):
        Replay(tmp_path / "none")
