"""A local server of the embeddings protocol, and of what a script says, for tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Any, dict[str, str]]


def vector(text: str) -> list[float]:
    return [float(len(text)), float(text.count("e")), 1.0]


def embeddings(body: dict[str, Any]) -> dict[str, Any]:
    """What a good server answers, except that it turns the order round, as the protocol allows."""
    data = [{"index": place, "embedding": vector(text)} for place, text in enumerate(body["input"])]
    return {"data": data[::-1], "usage": {"total_tokens": sum(map(len, body["input"]))}}


@dataclass
class Server:
    """A local server: answers what `script` holds in turn, then as a good server does."""

    address: str = ""
    script: list[Answer | Callable[[], None]] = field(default_factory=list)
    answers: Callable[[dict[str, Any]], Answer] = lambda body: (200, embeddings(body), {})
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def then(self, status: int, content: Any = None, **headers: str) -> Server:
        self.script.append((status, content, headers))
        return self


@contextmanager
def serving() -> Iterator[Server]:
    """A server on a free port, until the block ends."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.bodies.append(body)
            state.headers.append(dict(self.headers))
            state.paths.append(self.path)
            step = state.script.pop(0) if state.script else state.answers(body)
            if callable(step):
                step()
                return
            status, content, headers = step
            if isinstance(content, Iterator):
                self.drip(status, content)
                return
            payload = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def drip(self, status: int, blocks: Iterator[bytes]) -> None:
            """Send an answer bit by bit, for as long as anybody listens."""
            self.send_response(status)
            self.end_headers()
            with suppress(OSError):
                for block in blocks:
                    self.wfile.write(block)
                    self.wfile.flush()

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{http.server_port}/v1"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
