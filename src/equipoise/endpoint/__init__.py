"""The one client for servers that speak the OpenAI protocol: retry, budget, sealed log, replay."""

from equipoise.endpoint.budget import Budget
from equipoise.endpoint.client import Endpoint
from equipoise.endpoint.errors import AnswerError, BudgetError, CutOffError, EndpointError, RefusedError
from equipoise.endpoint.exchanges import ExchangeLog, Replay, read_exchanges
from equipoise.endpoint.sealed import SealedLog

__all__ = [
    "AnswerError",
    "Budget",
    "BudgetError",
    "CutOffError",
    "Endpoint",
    "EndpointError",
    "ExchangeLog",
    "RefusedError",
    "Replay",
    "SealedLog",
    "read_exchanges",
]
