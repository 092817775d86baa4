"""How much may be asked of a server."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from equipoise.endpoint.errors import BudgetError


@dataclass
class Budget:
    """Requests and tokens that may be spent, and those that were.

    Requests are counted before they are sent, retries included. Tokens are known only from the answer, so the
    last
    answer may go beyond the limit; no further request is sent then.

    Attributes:
        max_requests: Most requests; None for no limit.
        max_tokens: Most tokens, as the server counts them; None for no limit.
        requests: Requests sent so far.
        tokens: Tokens used so far.
    """

    max_requests: int | None = None
    max_tokens: int | None = None
    requests: int = 0
    tokens: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def take_request(self) -> None:
        """Count one request.

        Raises:
            BudgetError: if the budget is used up; nothing is counted then.
        """
        advice = "What was answered so far is kept where there is a cache; raise the budget to go on."
        with self._lock:
            if self.max_requests is not None and self.requests >= self.max_requests:
                raise BudgetError(f"The budget of {self.max_requests} requests is used up", todo=advice)
            if self.max_tokens is not None and self.tokens >= self.max_tokens:
                raise BudgetError(
                    f"The budget of {self.max_tokens} tokens is used up",
                    where=f"{self.tokens} used",
                    todo=advice,
                )
            self.requests += 1

    def add_tokens(self, tokens: int) -> None:
        """Count the tokens of an answer."""
        with self._lock:
            self.tokens += tokens
