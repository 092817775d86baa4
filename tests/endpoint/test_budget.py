from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.endpoint import Budget, BudgetError, Endpoint, EndpointError
from equipoise.endpoint.answers import read_usage
from equipoise.endpoint.budget import Used
from equipoise.errors import ConfigError
from tests.endpoint.local_server import Server

PRICED = {"price_in": 1.0, "price_out": 10.0}
ASKED = [{"role": "user", "content": "Tea?"}]


def said(text: str = "Yes.", **usage: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}


def endpoint(server: Server, budget: Budget, **options: Any) -> Endpoint:
    return Endpoint(server.address, pause=0.001, budget=budget, **{"timeout": 5.0, **options})


def test_money_is_counted_by_prices_of_a_million_tokens(server: Server) -> None:
    server.then(200, said(prompt_tokens=200_000, completion_tokens=30_000))
    budget = Budget(**PRICED)
    endpoint(server, budget).chat("small", ASKED, max_tokens=50)
    assert budget.cost == pytest.approx(0.2 + 0.3)
    assert budget.tokens == 230_000


def test_what_could_go_beyond_the_money_is_not_asked(server: Server) -> None:
    # 100 tokens answered can cost 0.001; what is sent, about as many bytes, a tenth of that
    budget = Budget(max_cost=0.0025, **PRICED)
    asked = endpoint(server, budget)
    for _ in range(2):
        server.then(200, said(prompt_tokens=40, completion_tokens=100))
    asked.chat("small", ASKED, max_tokens=100)
    asked.chat("small", ASKED, max_tokens=100)
    with pytest.raises(BudgetError, match=r"could go beyond the budget of 0.0025 \(0.00208 spent"):
        asked.chat("small", ASKED, max_tokens=100)
    assert len(server.bodies) == budget.requests == 2
    assert budget.cost == pytest.approx(0.00208)


def test_answers_of_any_length_are_not_asked_for_where_money_is_limited(server: Server) -> None:
    with pytest.raises(BudgetError, match="may cost anything"):
        endpoint(server, Budget(max_cost=5.0, **PRICED)).chat("small", ASKED)
    assert server.bodies == []


@pytest.mark.parametrize("usage", [{}, {"total_tokens": -7}, {"prompt_tokens": 1, "completion_tokens": "2"}])
def test_an_answer_that_tells_no_tokens_counts_as_the_most_it_can_have_cost(
    server: Server, usage: dict[str, Any]
) -> None:
    server.then(200, said(**usage))
    budget = Budget(**PRICED)
    endpoint(server, budget).chat("small", ASKED, max_tokens=100)
    assert 0.001 < budget.cost < 0.002
    assert 150 < budget.tokens < 250  # a hundred answered, and as many as there are bytes sent


def test_servers_that_tell_no_tokens_are_held_to_the_budget_of_them_too() -> None:
    budget = Budget(max_tokens=500)
    for _ in range(2):
        budget.settle(budget.take_request(Used(100, 100)), None)
    with pytest.raises(
        BudgetError, match=r"beyond the budget of 500 tokens \(400 used or set aside, it can take 200\)"
    ):
        budget.take_request(Used(100, 100))
    assert (budget.requests, budget.tokens) == (2, 400)
    with pytest.raises(BudgetError, match="length of the answer is not"):
        budget.take_request(None)


def test_all_that_the_environment_allows_is_spent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks: encoders, generators, models that are opened again."""
    for name, value in {"MAX_COST": "0.001", "PRICE_IN": "1", "PRICE_OUT": "10", "MAX_REQUESTS": "3"}.items():
        monkeypatch.setenv(f"EQUIPOISE_{name}", value)
    first, second = Budget.from_environment(), Budget.from_environment(price_out=20.0)
    first.settle(first.take_request(Used(0, 40)), Used(0, 40))
    second.take_request(Used(0, 20))  # under way
    for one in (first, second, Budget.from_environment()):
        with pytest.raises(BudgetError, match=r"budget of 0.001 \(0.0008 spent or set aside"):
            one.take_request(Used(0, 30))
    assert (first.cost, first.requests, second.cost, second.requests) == (pytest.approx(0.0004), 1, 0.0, 1)
    monkeypatch.setenv("EQUIPOISE_MAX_COST", "0.0013")
    raised = Budget.from_environment()
    raised.take_request(Used(0, 40))  # of what is left
    with pytest.raises(BudgetError, match="3 requests is used up"):
        raised.take_request(Used(0, 0))
    with pytest.raises(ConfigError, match="'max_requests' of a budget is below 0"):
        Budget(max_requests=-1)


def test_a_part_of_a_budget_has_a_limit_of_its_own() -> None:
    whole = Budget(max_cost=1.0, **PRICED)
    part = Budget(max_cost=0.0005, within=whole, **PRICED)
    part.settle(part.take_request(Used(0, 40)), None)
    with pytest.raises(BudgetError, match=r"beyond the budget of 0\.0005"):
        part.take_request(Used(0, 40))
    assert whole.cost == part.cost == pytest.approx(0.0004)
    assert (whole.requests, part.requests) == (1, 1)


def test_a_refusal_costs_nothing_and_an_answer_that_never_came_what_it_may_have(server: Server) -> None:
    refused, silent, away = (Budget(**PRICED) for _ in range(3))
    server.then(400, {"error": "no"})
    with pytest.raises(EndpointError, match="400"):
        endpoint(server, refused).chat("small", ASKED, max_tokens=100)
    server.script.append(lambda: None)  # the handler closes without an answer
    with pytest.raises(EndpointError, match="no answer"):
        endpoint(server, silent, attempts=1).chat("small", ASKED, max_tokens=100)
    with pytest.raises(EndpointError, match="no answer: ConnectError"):
        Endpoint("http://127.0.0.1:9/v1", attempts=1, budget=away).chat("small", ASKED, max_tokens=100)
    assert refused.cost == away.cost == 0.0
    assert silent.cost > 0.001


def test_prices_and_limits_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EQUIPOISE_MAX_COST", "2.5")
    with pytest.raises(ConfigError, match=r"prices are not known.*EQUIPOISE_PRICE_IN"):
        Budget.from_environment()
    monkeypatch.setenv("EQUIPOISE_PRICE_IN", "0.1")
    monkeypatch.setenv("EQUIPOISE_PRICE_OUT", "0.4")
    found = Budget.from_environment(price_out=0.8)
    assert found == Budget(price_in=0.1, price_out=0.8)
    assert found.within is not None
    assert found.within.max_cost == 2.5
    for wrong in ("cheap", "-1", "nan", "inf"):
        monkeypatch.setenv("EQUIPOISE_PRICE_IN", wrong)
        with pytest.raises(ConfigError, match="amount of money"):
            Budget.from_environment()


@given(
    st.lists(
        st.tuples(st.integers(1, 400), st.integers(0, 400), st.floats(0, 1), st.booleans()), max_size=30
    ),
    st.floats(0, 0.01),
)
def test_money_is_never_overspent(exchanges: list[tuple[int, int, float, bool]], limit: float) -> None:
    """Whatever answers cost, as long as none costs more than it can."""
    budget = Budget(max_cost=limit, **PRICED)
    for sent, answered, part, told in exchanges:
        try:
            reserved = budget.take_request(Used(sent, answered))
        except BudgetError:
            continue
        budget.settle(reserved, Used(int(sent * part), int(answered * part)) if told else None)
        assert budget.cost <= limit


def test_requests_at_once_do_not_overspend_together() -> None:
    budget = Budget(max_cost=0.00105, **PRICED)  # ten exchanges of 0.0001

    def take(_: int) -> bool:
        try:
            budget.take_request(Used(0, 10))
        except BudgetError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(100))) == 10


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 9}, Used(3, 4)),
        ({"prompt_tokens": 3, "total_tokens": 3}, Used(3, 0)),
        ({"total_tokens": 9}, Used(0, 9)),
        ({"prompt_tokens": 5, "total_tokens": 3}, Used(0, 3)),
        ({"total_tokens": True}, None),
        ({"total_tokens": 2.5}, None),
        ([], None),
        (None, None),
    ],
)
def test_tokens_are_read_as_far_as_they_are_told(usage: Any, expected: Used | None) -> None:
    assert read_usage({"usage": usage}) == expected
