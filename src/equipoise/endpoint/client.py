"""The one client for servers that speak the OpenAI protocol."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, overload

import httpx
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, SecretStr
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from equipoise.endpoint.addresses import checked
from equipoise.endpoint.answers import read_message, read_object, read_usage, response_format
from equipoise.endpoint.budget import Budget, Used
from equipoise.endpoint.embeddings import batches, read_embeddings
from equipoise.endpoint.errors import AnswerError, EndpointError, PassingError, RefusedError
from equipoise.endpoint.exchanges import ExchangeLog, Recorded, Replay
from equipoise.endpoint.reading import as_json, read_body
from equipoise.endpoint.refusals import LONGEST_WAIT, refusal
from equipoise.errors import ConfigError

_SECRET = 8  # signs from which a key is one; "none" and "x" are what servers without keys are given
_PREFIXES = ("EQUIPOISE", "OPENAI")
_MANY_VECTORS = 64 << 20  # bytes: 128 vectors of 4,096 numbers with twenty digits and more
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_M = TypeVar("_M", bound=BaseModel)


class Endpoint:
    """A server that speaks the OpenAI protocol: asks, retries, counts, logs and replays.

    Rate limits (429), server faults (5xx), timeouts and broken connections are tried again, after the time the server
    asks for, or else after random exponential pauses. Other refusals are told at once. The key is sent in one header,
    never to another address, and stands in no log, message or printout.

    Args:
        base_url: Address up to and including the version, as in `http://localhost:8000/v1`.
        key: Bearer token; None for servers that ask for none.
        timeout: Seconds to wait for an answer to begin, and then for its body to end; headers that drip in are waited
            for piece by piece.
        attempts: How often a request is sent at most.
        pause: Seconds of the first pause; the longest is a minute.
        budget: What may be spent; shared between endpoints where they share the object.
        log: Where every exchange is kept.
        replay: Where answers come from instead of the server, which is never asked then.

    Raises:
        ConfigError: if the address is not a usable one, or the key holds signs that no key can.
    """

    def __init__(
        self,
        base_url: str,
        key: str | None = None,
        *,
        timeout: float = 60.0,
        attempts: int = 6,
        pause: float = 1.0,
        budget: Budget | None = None,
        log: ExchangeLog | None = None,
        replay: Replay | None = None,
    ) -> None:
        self.address = checked(base_url)
        self._key = SecretStr(_sendable((key or "").strip()))
        self.timeout, self.attempts, self.pause = timeout, attempts, pause
        self.budget, self.log, self.replay = budget or Budget(), log, replay

    @classmethod
    def from_environment(cls, **options: Any) -> Endpoint:
        """The endpoint the environment names.

        `EQUIPOISE_BASE_URL` and `EQUIPOISE_API_KEY`, or else `OPENAI_BASE_URL` and `OPENAI_API_KEY`: a key goes only
        to the address of the same prefix. `EQUIPOISE_MAX_REQUESTS`, `_MAX_TOKENS` and `_MAX_COST` (with `_PRICE_IN`
        and `_PRICE_OUT`, see `Budget.from_environment`) set a budget that all endpoints of this process share,
        `EQUIPOISE_EXCHANGES` names a log to write, `EQUIPOISE_REPLAY` one to answer from (then no address is needed).

        Args:
            options: Arguments of `Endpoint`; they win over the environment.

        Raises:
            ConfigError: if no address is set, or a number is not one.
        """
        recorded = os.environ.get("EQUIPOISE_REPLAY")
        if recorded and "replay" not in options:
            options["replay"] = Replay(Path(recorded))
        if "budget" not in options:
            options["budget"] = Budget.from_environment()
        if "log" not in options and (file := os.environ.get("EQUIPOISE_EXCHANGES")):
            options["log"] = ExchangeLog(Path(file))
        for prefix in _PREFIXES:
            if address := os.environ.get(f"{prefix}_BASE_URL"):
                return cls(address, os.environ.get(f"{prefix}_API_KEY"), **options)
        if (replay := options.get("replay")) and replay.address:
            return cls(replay.address, **options)
        raise ConfigError(
            "No address of a language model server is set",
            where="environment variable EQUIPOISE_BASE_URL",
            todo="Set it, as in https://api.openai.com/v1 or http://localhost:8000/v1, and EQUIPOISE_API_KEY "
            "if the server asks for a key.",
        )

    def __repr__(self) -> str:
        return f"Endpoint({self.address!r}, key={'set' if self._key.get_secret_value() else 'none'})"

    def embeddings(
        self, model: str, texts: Sequence[str], *, batch_size: int = 128, dimensions: int | None = None
    ) -> NDArray[np.float32]:
        """Vectors of texts, in their order.

        Args:
            model: Name of the model on the server.
            texts: Texts that are not blank; most servers refuse blank ones, and those beyond the model's
            length.
            batch_size: Most texts in one request; fewer where they are long.
            dimensions: Width to ask for, where the model has several.

        Returns:
            Finite float32 of shape (len(texts), width).

        Raises:
            EndpointError: if the server refuses, stays away, or answers something else than one vector per
            text.
            BudgetError: if the budget is used up.
        """
        blocks: list[NDArray[np.float32]] = []
        for batch in batches(texts, batch_size):
            body: dict[str, Any] = {"model": model, "input": batch, "encoding_format": "float"}
            if dimensions:
                body["dimensions"] = dimensions
            width = dimensions or (blocks[0].shape[1] if blocks else None)
            answer = self.request("embeddings", body, most_answered=0, most_bytes=_MANY_VECTORS)
            blocks.append(read_embeddings(answer, len(batch), width, self.address))
        return np.concatenate(blocks) if blocks else np.zeros((0, dimensions or 0), dtype=np.float32)

    @overload
    def chat(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: type[_M],
        temperature: float | None = ...,
        max_tokens: int | None = ...,
    ) -> _M: ...

    @overload
    def chat(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: None = ...,
        temperature: float | None = ...,
        max_tokens: int | None = ...,
    ) -> str: ...

    def chat(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: type[BaseModel] | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
    ) -> Any:
        """What a language model answers to a conversation.

        Args:
            model: Name of the model on the server.
            messages: `{"role": "system" | "user" | "assistant", "content": "..."}`, oldest first.
            schema: A pydantic model to answer in: the server is asked for JSON of its schema, and the answer
                is checked strictly against it.
            temperature: How far answers may differ, from 0; None as the server has it.
            max_tokens: Most tokens of the answer; None as the server has it.

        Returns:
            The text, or an object of `schema`.

        Raises:
            AnswerError: if the answer is empty, refused, cut off, or not of the form asked for.
            EndpointError: if the server refuses or stays away.
            BudgetError: if the budget is used up.
        """
        body: dict[str, Any] = {"model": model, "messages": [dict(message) for message in messages]}
        if schema is not None:
            body["response_format"] = response_format(schema)
        if temperature is not None:
            body["temperature"] = temperature
        if max_tokens is not None:
            body["max_tokens"] = max_tokens
        answer = self.request("chat/completions", body, most_answered=max_tokens)
        content = read_message(answer, self.address)
        return content if schema is None else read_object(content, schema, self.address)

    def request(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        most_answered: int | None = None,
        most_bytes: int = 1 << 20,
    ) -> dict[str, Any]:
        """Post `body` to `path` below the address and return the answer; whatever is asked goes through here.

        Args:
            path: As in `chat/completions`.
            body: JSON values.
            most_answered: Most tokens that may be answered and charged; None where that is not known.
            most_bytes: Length of the answer from which on it is not read any further.

        Raises:
            AnswerError: if the answer is longer than that.
            RefusedError: if the server refuses what is asked, or its answer is no JSON object.
            EndpointError: if the server refuses to be asked or stays away, or the exchange cannot be kept in the log.
            BudgetError: if the budget is used up.
        """
        if self.replay is not None:
            return self._read(self.replay.answer(path, body), most_bytes)
        tries = Retrying(
            stop=stop_after_attempt(self.attempts),
            wait=self._wait,
            retry=retry_if_exception_type(PassingError),
            reraise=True,
        )
        return tries(self._exchange, path, body, most_answered, most_bytes)

    def _exchange(
        self, path: str, body: Mapping[str, Any], most_answered: int | None, most_bytes: int
    ) -> dict[str, Any]:
        """Ask once."""
        most = None if most_answered is None else Used(_length(body), most_answered)
        reserved, used = self.budget.take_request(most), None
        try:
            try:
                with self._client.stream("POST", f"{self.address}/{path}", json=body) as response:
                    content = read_body(response, most_bytes, self.timeout)
            except httpx.RequestError as error:  # a body that cannot be decoded, too, may be whole next time
                fault = type(error).__name__
                self._record(path, body, None, fault)
                if isinstance(error, _UNSENT):
                    used = Used(0, 0)
                what = (
                    "no answer"
                    if isinstance(error, httpx.TransportError)
                    else "an answer that cannot be read"
                )
                raise PassingError(f"The server gave {what}: {fault}", where=self.address) from None
            status = response.status_code
            if status == 200 and not content.whole:
                told = Recorded(status, f"[more than {most_bytes} bytes]", cut=True)
            else:
                told = Recorded(status, as_json(self._without_key(content.text)), cut=False)
            if status != 200:
                used = Used(0, 0)
            elif isinstance(told.response, dict):
                used = read_usage(told.response)
            self._record(path, body, *told)
            return self._read(told, most_bytes, response.headers.get("retry-after"))
        finally:
            self.budget.settle(reserved, used)

    def _read(self, told: Recorded, most_bytes: int, wait: str | None = None) -> dict[str, Any]:
        """What was answered, now or when it was recorded."""
        if told.status != 200:
            raise refusal(told.status, told.response, self.address, wait)
        if told.cut:
            raise AnswerError(
                f"The server's answer is longer than {most_bytes >> 10:,} KiB",
                where=self.address,
                todo="Check that the address is that of an OpenAI-compatible server.",
            )
        if not isinstance(told.response, dict):
            raise RefusedError(
                "The server's answer is not a JSON object",
                status=told.status,
                where=f"{self.address}, it begins {str(told.response)[:80]!r}",
                todo="Check that the address is that of an OpenAI-compatible server.",
            )
        return told.response

    def _record(
        self, path: str, body: Mapping[str, Any], status: int | None, answer: Any, cut: bool = False
    ) -> None:
        if self.log is None:
            return
        told = {"address": self.address, "path": path, "request": body, "status": status, "response": answer}
        try:
            self.log.append({**told, "cut": True} if cut else told)
        except OSError as error:
            raise EndpointError(
                f"The exchange cannot be kept: {error.strerror or error}",
                where=str(self.log.file),
                todo="Make room, or name another file in EQUIPOISE_EXCHANGES.",
            ) from error

    def _without_key(self, text: str) -> str:
        key = self._key.get_secret_value()
        return text.replace(key, "[key]") if len(key) >= _SECRET else text

    def _wait(self, state: RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome else None
        if isinstance(fault, PassingError) and fault.after is not None:
            return fault.after
        return wait_random_exponential(multiplier=self.pause, max=LONGEST_WAIT)(state)

    @cached_property
    def _client(self) -> httpx.Client:
        key = self._key.get_secret_value()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(headers=headers, timeout=self.timeout, follow_redirects=False)


def _length(body: Mapping[str, Any]) -> int:
    """Bytes of a request."""
    return len(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))


def _sendable(key: str) -> str:
    """The key, if a header can hold it.

    Raises:
        ConfigError: if not; the key is not told.
    """
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigError(
            "The key of the server holds signs that no key can: letters beyond ASCII, blanks or line breaks",
            where="EQUIPOISE_API_KEY or OPENAI_API_KEY",
            todo="Copy it anew from where it was given out; a masked display does not show it.",
        )
    return key
