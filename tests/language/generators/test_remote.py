"""Texts from a server: a local one that answers by a script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from equipoise.component import Runtime
from equipoise.endpoint import AnswerError, BudgetError, EndpointError, budget, read_exchanges
from equipoise.errors import ConfigError, ModelError
from equipoise.language.generators import Prompt, generator
from equipoise.language.generators.remote import RemoteWriter
from tests.endpoint.local_server import Server, serving

PROMPTS = [
    Prompt("copy", "Say what it is.", {"item": {"title": f"tea {n}"}}, max_tokens=20) for n in range(4)
]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    names = (
        "API_KEY",
        "MAX_REQUESTS",
        "MAX_TOKENS",
        "MAX_COST",
        "PRICE_IN",
        "PRICE_OUT",
        "EXCHANGES",
        "REPLAY",
    )
    for name in names:
        monkeypatch.delenv(f"EQUIPOISE_{name}", raising=False)
    budget._process.cache_clear()
    with serving() as running:
        monkeypatch.setenv("EQUIPOISE_BASE_URL", running.address)
        yield running


def said(text: str | None, finish: str = "stop") -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    return {"choices": [{"message": message, "finish_reason": finish}], "usage": usage}


def writer(**fields: Any) -> RemoteWriter:
    opened = generator("openai:small", **{"parallel": 1, **fields}).open(Runtime(progress=False))
    assert isinstance(opened, RemoteWriter)
    opened.endpoint.pause, opened.endpoint.attempts = 0.001, 2
    return opened


def test_instructions_and_data_are_sent_in_turns_of_their_own(server: Server) -> None:
    server.then(200, said(" Green tea. "))
    assert writer().write(PROMPTS[:1]) == ["Green tea."]
    assert server.bodies == [
        {
            "model": "small",
            "messages": [
                {"role": "system", "content": "Say what it is."},
                {"role": "user", "content": '{"item": {"title": "tea 0"}}'},
            ],
            "temperature": 0.0,
            "max_tokens": 20,
        }
    ]


def test_several_at_once_keep_their_order(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def named(body: dict[str, Any]) -> dict[str, Any]:
        return said(f"About {body['messages'][1]['content'][-7:-3]}.")

    monkeypatch.setattr("tests.endpoint.local_server.embeddings", named)
    many = [Prompt("copy", "Say.", {"item": {"title": f"{n:04}"}}) for n in range(25)]
    assert writer(parallel=8).write(many) == [f"About {n:04}." for n in range(25)]


def test_an_answer_that_cannot_be_used_is_asked_for_again_and_then_costs_only_itself(server: Server) -> None:
    server.then(200, said("")).then(200, said("Tea."))  # mended at the second try
    server.then(200, said(None)).then(200, {"choices": "?"})  # not mended
    server.then(200, said("Bread."))
    found = writer().attempts(PROMPTS[:3])
    assert (found[0], found[2]) == ("Tea.", "Bread.")
    assert isinstance(found[1], AnswerError)
    server.then(200, said("")).then(200, said(" "))
    with pytest.raises(AnswerError, match="answered nothing"):
        writer().write(PROMPTS[:1])


def test_an_answer_that_is_cut_off_ends_with_its_last_sentence(server: Server) -> None:
    server.then(200, said("Green tea. It is mi", "length")).then(200, said("Green te", "length"))
    found = writer().attempts(PROMPTS[:2])
    assert found[0] == "Green tea."
    assert "cut off" in str(found[1])
    assert len(server.bodies) == 2


def test_a_server_that_is_away_is_asked_no_further(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    server.then(200, said("Tea.")).then(503, b"").then(503, b"down")
    found = writer().attempts(PROMPTS)
    assert found[0] == "Tea."
    assert all(isinstance(fault, EndpointError) and "503" in str(fault) for fault in found[1:])
    assert len(server.bodies) == 3


REFUSED = {"error": {"message": "The text was stopped.", "code": "content_filter"}}


@pytest.mark.parametrize("first", [True, False])
def test_a_text_that_is_refused_costs_only_itself(server: Server, first: bool) -> None:
    """Where it is the first, one harmless question shows that it is the text that is refused; it is asked once."""
    steps = [(400, REFUSED), (200, said("Yes.")), (413, REFUSED)] if first else [(400, REFUSED)]
    for status, content in [*([] if first else [(200, said("Tea."))]), *steps, (200, said("Bread."))]:
        server.then(status, content)
    found = writer().attempts(PROMPTS[:3])
    refused = [isinstance(text, AnswerError) for text in found]
    assert refused == ([True, True, False] if first else [False, True, False])
    assert found[2] == "Bread."
    harmless = [body for body in server.bodies if body["messages"][1]["content"] == "{}"]
    assert len(harmless) == first
    assert len(server.bodies) == 3 + first


def test_a_server_that_refuses_everything_is_asked_no_further(server: Server) -> None:
    """A parameter that the model does not know, say."""
    for _ in range(4):
        server.then(400, {"error": "max_tokens is not supported"})
    found = writer().attempts(PROMPTS)
    assert all("max_tokens is not supported" in str(fault) for fault in found)
    assert not any(isinstance(fault, AnswerError) for fault in found)
    assert len(server.bodies) == 2


def test_a_page_in_place_of_an_answer_is_asked_for_again(server: Server) -> None:
    server.then(200, b"<html>Please wait</html>").then(200, said("Tea."))
    assert writer().write(PROMPTS[:1]) == ["Tea."]


def test_money_is_kept_to(server: Server) -> None:
    for _ in range(4):
        server.then(200, said("Tea."))
    # an answer of 20 tokens can cost 0.02, what is sent a hundredth of that; each answer is told to cost 0.0101
    rich = writer(price_in=1.0, price_out=1000.0, max_cost=0.045)
    found = rich.attempts(PROMPTS)
    assert found[:3] == ["Tea."] * 3
    assert isinstance(found[3], BudgetError)
    assert rich.spent() == {"requests": 3, "tokens": 330, "cost": pytest.approx(0.0303)}
    with pytest.raises(ConfigError, match="prices are not known"):
        writer(max_cost=1.0)


def test_exchanges_are_logged_and_replayed_without_a_server(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log.jsonl"
    monkeypatch.setenv("EQUIPOISE_EXCHANGES", str(log))
    server.then(200, said("")).then(200, said("Tea.")).then(200, said("Bread."))
    first = writer()
    texts = first.write(PROMPTS[:2])
    assert [exchange["status"] for exchange in read_exchanges(log)] == [200] * 3
    for name in ("EXCHANGES", "BASE_URL"):
        monkeypatch.delenv(f"EQUIPOISE_{name}")
    monkeypatch.setenv("EQUIPOISE_REPLAY", str(log))
    again = writer()
    assert again.write(PROMPTS[:2]) == texts == ["Tea.", "Bread."]
    assert again.identity == first.identity
    assert len(server.bodies) == 3
    with pytest.raises(EndpointError, match="holds no answer"):
        again.write(PROMPTS[3:])


def test_what_it_cannot_do_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="gives no probabilities"):
        writer().log_probabilities(PROMPTS[0], ["a"])
    monkeypatch.delenv("EQUIPOISE_BASE_URL")
    with pytest.raises(ConfigError, match="EQUIPOISE_BASE_URL"):
        writer()


def test_the_identity_is_that_of_server_and_model(server: Server) -> None:
    names = {writer().identity, writer(temperature=0.5).identity}
    names.add(generator("openai:large").open().identity)
    assert len(names) == 3
    assert writer(parallel=3, max_cost=None).identity in names
