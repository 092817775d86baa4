from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import numpy as np
import pytest

from equipoise.endpoint import Budget, BudgetError, Endpoint, EndpointError, ExchangeLog
from equipoise.errors import ConfigError
from tests.endpoint.local_server import Server, vector

KEY = "sk-very-secret-1234567890"
TEXTS = ["green tea", "red socks", "bread"]


def endpoint(server: Server, key: str | None = KEY, **options: Any) -> Endpoint:
    return Endpoint(server.address, key, **{"pause": 0.001, "timeout": 5.0, **options})


def test_vectors_come_in_the_order_of_the_texts_whatever_the_order_of_the_answer(server: Server) -> None:
    found = endpoint(server).embeddings("small", TEXTS)
    assert found.tolist() == [vector(text) for text in TEXTS]
    assert found.dtype == np.float32
    assert server.paths == ["/v1/embeddings"]
    assert server.bodies == [{"model": "small", "input": TEXTS, "encoding_format": "float"}]
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_texts_are_sent_in_batches_by_number_and_by_length(server: Server) -> None:
    texts = ["a", "b", "c", "d" * 60_000, "e" * 60_000]
    found = endpoint(server).embeddings("small", texts, batch_size=2)
    assert [len(body["input"]) for body in server.bodies] == [2, 2, 1]
    assert found.tolist() == [vector(text) for text in texts]


def test_no_texts_make_no_request(server: Server) -> None:
    assert endpoint(server).embeddings("small", [], dimensions=3).shape == (0, 3)
    assert server.bodies == []


def test_what_fails_twice_and_then_succeeds_succeeds(server: Server) -> None:
    server.then(503, b"down for a moment").then(429, {"error": {"message": "slow down"}})
    assert endpoint(server).embeddings("small", TEXTS).shape == (3, 3)
    assert len(server.bodies) == 3


def test_a_timeout_is_tried_again(server: Server) -> None:
    server.script.append(lambda: time.sleep(0.4))
    assert endpoint(server, timeout=0.2).embeddings("small", ["tea"]).shape == (1, 3)
    assert len(server.bodies) == 2


def test_a_broken_connection_is_tried_again(server: Server) -> None:
    server.script.append(lambda: None)  # the handler closes without an answer
    assert endpoint(server).embeddings("small", ["tea"]).shape == (1, 3)
    assert len(server.bodies) == 2


def test_a_garbled_answer_is_tried_again_and_then_told(server: Server) -> None:
    server.then(200, b"no gzip at all", Content_Encoding="gzip")
    assert endpoint(server).embeddings("small", ["tea"]).shape == (1, 3)
    assert len(server.bodies) == 2
    for _ in range(2):
        server.then(200, b"no gzip at all", Content_Encoding="gzip")
    with pytest.raises(EndpointError, match="cannot be read: DecodingError"):
        endpoint(server, attempts=2).embeddings("small", ["tea"])


@pytest.mark.parametrize("date", [False, True])
def test_the_wait_the_server_asks_for_is_kept(server: Server, date: bool) -> None:
    # A date knows whole seconds only: two seconds ahead is at least one.
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True) if date else "0.3"
    server.then(429, {}, Retry_After=when)
    started = time.monotonic()
    endpoint(server).embeddings("small", ["tea"])
    assert time.monotonic() - started >= (0.9 if date else 0.3)


def test_a_wait_that_is_too_long_is_told_at_once(server: Server) -> None:
    server.then(429, {"error": {"message": "quota"}}, Retry_After="3600")
    with pytest.raises(EndpointError, match=r"429: quota.*asks to wait 3600 seconds"):
        endpoint(server).embeddings("small", ["tea"])
    assert len(server.bodies) == 1


def test_after_the_last_attempt_the_fault_is_told(server: Server) -> None:
    server.then(500, b"x").then(502, b"y").then(500, {"error": {"message": "still broken"}})
    with pytest.raises(EndpointError, match=r"500: still broken.*tried several times"):
        endpoint(server, attempts=3).embeddings("small", ["tea"])
    assert len(server.bodies) == 3


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(EndpointError, match="no answer: ConnectError"):
        Endpoint("http://127.0.0.1:9/v1", pause=0.001, attempts=2).embeddings("small", ["tea"])


@pytest.mark.parametrize(
    ("status", "content", "message"),
    [
        (400, {"error": {"message": "input too long"}}, r"400: input too long"),
        (401, {"error": {"message": "no key given"}}, r"401: no key given.*EQUIPOISE_API_KEY"),
        (404, {"error": "no such model"}, r"404: no such model.*name of the model"),
        (307, b"", r"answered 307"),
    ],
)
def test_refusals_are_told_and_not_repeated(server: Server, status: int, content: Any, message: str) -> None:
    server.then(status, content, Location="http://127.0.0.1:9/elsewhere")
    with pytest.raises(EndpointError, match=message):
        endpoint(server).embeddings("small", ["tea"])
    assert len(server.bodies) == 1


def row(index: int, *numbers: Any) -> dict[str, Any]:
    return {"index": index, "embedding": list(numbers)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>hello</html>", "not a JSON object.*<html>"),
        (b'{"data": [', "not a JSON object"),
        ([1, 2], "not a JSON object"),
        ({"choices": []}, "holds no embeddings"),
        ({"data": [{"embedding": [1]}]}, "holds no embeddings"),
        ({"data": [row(0, 1, 2)]}, "1 vectors for 2 texts"),
        ({"data": [row(0, 1, 2), row(0, 1, 2)]}, "numbered them wrongly"),
        ({"data": [row(0, 1, 2), row(2, 1, 2)]}, "numbered them wrongly"),
        ({"data": [row(0, 1, 2), row(1, 1)]}, "width 1 and 2"),
        ({"data": [row(0), row(1)]}, "width 0"),
        ({"data": [row(0, 1, None), row(1, 1, 2)]}, "not finite"),
        ({"data": [row(0, 1, "x"), row(1, 1, 2)]}, "not finite"),
        (b'{"data": [{"index": 0, "embedding": [NaN]}, {"index": 1, "embedding": [1]}]}', "not finite"),
    ],
)
def test_answers_that_cannot_be_used_are_told(server: Server, content: Any, message: str) -> None:
    server.then(200, content)
    with pytest.raises(EndpointError, match=message):
        endpoint(server).embeddings("small", ["tea", "bread"])


def test_another_width_than_was_asked_for_is_told(server: Server) -> None:
    with pytest.raises(EndpointError, match="width 3 where 8 was expected"):
        endpoint(server).embeddings("small", ["tea"], dimensions=8)
    assert server.bodies[0]["dimensions"] == 8


def test_a_width_that_changes_between_batches_is_told(server: Server) -> None:
    server.then(200, {"data": [row(0, 1, 2)]})
    with pytest.raises(EndpointError, match="width 3 where 2 was expected"):
        endpoint(server).embeddings("small", ["tea", "bread"], batch_size=1)


def test_a_budget_of_requests_counts_every_attempt(server: Server) -> None:
    server.then(500, b"")
    budget = Budget(max_requests=2)
    asked = endpoint(server, budget=budget)
    asked.embeddings("small", ["tea"])
    with pytest.raises(BudgetError, match="2 requests is used up"):
        asked.embeddings("small", ["tea"])
    assert budget.requests == len(server.bodies) == 2


def test_a_budget_of_tokens_stops_the_next_request(server: Server) -> None:
    """Each request has some seventy bytes, which could be as many tokens; the server counts no more than nine."""
    budget = Budget(max_tokens=80)
    with pytest.raises(BudgetError, match=r"beyond the budget of 80 tokens \((9|18) used"):
        endpoint(server, budget=budget).embeddings("small", TEXTS, batch_size=1)
    assert budget.tokens == sum(map(len, TEXTS[: len(server.bodies)]))
    assert 1 <= len(server.bodies) < 3


@pytest.mark.parametrize("key", ["sk-…abc", "sk-one\ntwo", "sk one", "sk\x00"])
def test_a_key_that_no_header_can_hold_is_told_and_not_shown(key: str) -> None:
    with pytest.raises(ConfigError, match="key of the server holds signs") as caught:
        Endpoint("http://localhost/v1", key)
    assert key not in str(caught.value)
    assert "abc" not in str(caught.value)


def test_the_key_is_nowhere_to_be_read(
    server: Server, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.then(200, {"data": [row(0, 1.0)], "echo": KEY}).then(401, {"error": {"message": f"bad key {KEY}"}})
    log = tmp_path / "exchanges.jsonl"
    asked = endpoint(server, log=ExchangeLog(log))
    asked.embeddings("small", ["tea"])
    with pytest.raises(EndpointError) as caught:
        asked.embeddings("small", ["tea"])
    assert "bad key [key]" in str(caught.value)
    chain = caught.getrepr(showlocals=False, style="short")
    for shown in (repr(asked), str(vars(asked)), str(caught.value), str(chain), log.read_text(), caplog.text):
        assert KEY not in shown
    assert log.read_text().count("[key]") == 2


def test_the_environment_names_the_endpoint(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.address + "/")
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
    asked = Endpoint.from_environment()
    assert asked.address == server.address
    asked.embeddings("small", ["tea"])
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_a_key_goes_only_to_the_address_of_its_prefix(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EQUIPOISE_BASE_URL", server.address)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    Endpoint.from_environment().embeddings("small", ["tea"])
    assert "Authorization" not in server.headers[0]


def test_limits_come_from_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EQUIPOISE_BASE_URL", server.address)
    monkeypatch.setenv("EQUIPOISE_MAX_REQUESTS", "1")
    asked = Endpoint.from_environment()
    asked.embeddings("small", ["tea"])
    with pytest.raises(BudgetError):
        asked.embeddings("small", ["tea"])
    monkeypatch.setenv("EQUIPOISE_MAX_TOKENS", "many")
    with pytest.raises(ConfigError, match="EQUIPOISE_MAX_TOKENS is not a whole number"):
        Endpoint.from_environment()


def test_no_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(ConfigError, match="EQUIPOISE_BASE_URL"):
        Endpoint.from_environment()


@pytest.mark.parametrize(
    "address",
    ["localhost:8000", "", "ftp://host/v1", "http://", "http://user:pass@host/v1", "http://host/v1?key=abc"],
)
def test_addresses_that_cannot_be_are_told_without_their_secrets(address: str) -> None:
    with pytest.raises(ConfigError, match="The address of the server") as caught:
        Endpoint(address)
    assert "pass@" not in str(caught.value)
    assert "abc" not in str(caught.value)
