"""How much may be asked of a server, in requests, tokens and money."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any, NamedTuple

from equipoise.endpoint.errors import BudgetError
from equipoise.errors import ConfigError

_ADVICE = "What was answered so far is kept where there is a cache; raise the budget to go on."
_MILLION = 1_000_000


class Used(NamedTuple):
    """Tokens of one exchange: those sent, and those answered."""

    sent: int
    answered: int


class Spent(NamedTuple):
    """What one exchange takes of a budget."""

    tokens: int
    cost: float


_NOTHING = Spent(0, 0.0)


@dataclass
class Budget:
    """Requests, tokens and money that may be spent, and those that were.

    Requests are counted before they are sent, retries included. A request is sent only if the most tokens and the most
    money that it can take still fit, which are set aside until the answer tells what it did take. That most counts
    every byte sent for a token, for no tokenizer makes more of them, so that a budget ends a little early. It is kept
    to as long as the server answers with no more tokens than it was allowed, and counts rightly.

    Attributes:
        max_requests: Most requests; None for no limit.
        max_tokens: Most tokens, as the server counts them; None for no limit.
        max_cost: Most money, in the currency of the prices; None for no limit.
        price_in: Price of a million tokens sent.
        price_out: Price of a million tokens answered.
        requests: Requests sent so far.
        tokens: Tokens used so far; where an answer did not come or does not tell them, the most it can have taken.
        cost: Money spent so far, counted likewise.
        within: A budget that this one is a part of: what is spent here is spent there, too.

    Raises:
        ConfigError: if money is limited and there are no prices, or a number is negative or not finite.
    """

    max_requests: int | None = None
    max_tokens: int | None = None
    max_cost: float | None = None
    price_in: float | None = None
    price_out: float | None = None
    requests: int = 0
    tokens: int = 0
    cost: float = 0.0
    within: Budget | None = field(default=None, repr=False, compare=False)
    _reserved: Spent = field(default=_NOTHING, repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._check()
        limited = self.max_cost is not None or (self.within is not None and self.within.max_cost is not None)
        if limited and (self.price_in is None or self.price_out is None):
            raise ConfigError(
                "Money is limited, but prices are not known",
                where="price_in, price_out",
                todo="Give the price of a million tokens sent and of a million answered, as in "
                "EQUIPOISE_PRICE_IN and EQUIPOISE_PRICE_OUT.",
            )

    def _check(self) -> None:
        for name in ("max_cost", "price_in", "price_out"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise ConfigError(f"'{name}' of a budget is no amount of money (got {value!r})")
        for name in ("max_requests", "max_tokens"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ConfigError(f"'{name}' of a budget is below 0 (got {value!r})")

    @classmethod
    def from_environment(cls, **limits: Any) -> Budget:
        """A part of what the environment allows this process to spend in all, whoever spends it.

        `EQUIPOISE_MAX_REQUESTS`, `_MAX_TOKENS` and `_MAX_COST` hold for the process: all budgets made here share them,
        and what was spent before a limit was raised counts. `EQUIPOISE_PRICE_IN` and `_PRICE_OUT` are prices.

        Args:
            limits: Attributes of the part; prices that are not None win over the environment.

        Raises:
            ConfigError: if a variable is not a number, or money is limited and there are no prices.
        """
        process = _process()
        process.max_requests, process.max_tokens = _whole("max_requests"), _whole("max_tokens")
        process.max_cost = _amount("max_cost")
        process._check()
        prices = {name: _amount(name) for name in ("price_in", "price_out")}
        given = {name: value for name, value in limits.items() if value is not None}
        return cls(**{**prices, **given, "within": process})

    def take_request(self, most: Used | None = None) -> Spent:
        """Count one request, and set aside what it can take.

        Args:
            most: The most tokens that are sent and answered; None where an answer may have any length.

        Returns:
            What was set aside, to be given to `settle`.

        Raises:
            BudgetError: if the budget is used up, or this request could go beyond it; nothing is counted then.
        """
        reserved = _NOTHING if most is None else self._worth(most)
        self._take(reserved, known=most is not None)
        if self.within is not None:
            try:
                self.within._take(reserved, known=most is not None)
            except BudgetError:
                with self._lock:
                    self.requests -= 1
                    self._reserved = _minus(self._reserved, reserved)
                raise
        return reserved

    def settle(self, reserved: Spent, used: Used | None) -> None:
        """Count what a request did take.

        Args:
            reserved: What `take_request` set aside for it.
            used: Its tokens as the server counts them; None where that is not known: all that was set aside counts.
        """
        spent = reserved if used is None else self._worth(used)
        for budget in (self, self.within):
            if budget is not None:
                with budget._lock:
                    budget._reserved = _minus(budget._reserved, reserved)
                    budget.tokens += spent.tokens
                    budget.cost += spent.cost

    def _take(self, reserved: Spent, *, known: bool) -> None:
        with self._lock:
            if self.max_requests is not None and self.requests >= self.max_requests:
                raise BudgetError(f"The budget of {self.max_requests} requests is used up", todo=_ADVICE)
            if not known and (self.max_cost is not None or self.max_tokens is not None):
                what = "Money is limited" if self.max_cost is not None else "Tokens are limited"
                raise BudgetError(
                    f"{what}, but the length of the answer is not, so it may cost anything",
                    todo="Say how many tokens an answer may have.",
                )
            tokens, cost = self.tokens + self._reserved.tokens, self.cost + self._reserved.cost
            if self.max_tokens is not None and tokens + reserved.tokens > self.max_tokens:
                raise BudgetError(
                    f"The next request could go beyond the budget of {self.max_tokens} tokens",
                    where=f"{tokens} used or set aside, it can take {reserved.tokens}",
                    todo=_ADVICE,
                )
            if self.max_cost is not None and cost + reserved.cost > self.max_cost:
                raise BudgetError(
                    f"The next request could go beyond the budget of {self.max_cost:g}",
                    where=f"{cost:.4g} spent or set aside, it can cost {reserved.cost:.2g}",
                    todo=_ADVICE,
                )
            self.requests += 1
            self._reserved = Spent(
                self._reserved.tokens + reserved.tokens, self._reserved.cost + reserved.cost
            )

    def _worth(self, used: Used) -> Spent:
        cost = used.sent * (self.price_in or 0.0) + used.answered * (self.price_out or 0.0)
        return Spent(sum(used), cost / _MILLION)


@cache
def _process() -> Budget:
    """What this process spent, and may spend; its parts know the prices."""
    return Budget(price_in=0.0, price_out=0.0)


def _minus(reserved: Spent, given_back: Spent) -> Spent:
    """What stays set aside; rounding leaves no debt."""
    return Spent(reserved.tokens - given_back.tokens, max(0.0, reserved.cost - given_back.cost))


def _whole(limit: str) -> int | None:
    variable = f"EQUIPOISE_{limit.upper()}"
    value = os.environ.get(variable)
    if not value:
        return None
    if not value.isdecimal():
        raise ConfigError(f"{variable} is not a whole number", where=f"value {value!r}")
    return int(value)


def _amount(limit: str) -> float | None:
    variable = f"EQUIPOISE_{limit.upper()}"
    value = os.environ.get(variable)
    if not value:
        return None
    try:
        return float(value)
    except ValueError:
        raise ConfigError(f"{variable} is not an amount of money", where=f"value {value!r}") from None
