from __future__ import annotations

from collections.abc import Iterator

import pytest

from equipoise.endpoint import budget
from tests.endpoint.local_server import Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for prefix in ("EQUIPOISE", "OPENAI"):
        for name in (
            "BASE_URL", "API_KEY", "MAX_REQUESTS", "MAX_TOKENS", "MAX_COST", "PRICE_IN", "PRICE_OUT",
            "EXCHANGES", "REPLAY",
        ):  # fmt: skip
            monkeypatch.delenv(f"{prefix}_{name}", raising=False)
    budget._process.cache_clear()  # what tests before this one spent
