"""Refusals of identification."""

from __future__ import annotations

from equipoise.causal.graph import GraphError
from equipoise.causal.identification.hedge import Hedge
from equipoise.errors import EquipoiseError


class NotIdentifiable(EquipoiseError):
    """No formula over the observed variables gives the effect, however much data there is.

    Attributes:
        hedge: The witness. None where the refusal is not of P(outcome | do(do), given) itself but of a way to
            it, such as natural effects or a set of covariates that somebody named.
        steps: Lines of ID and IDC that led to it.
    """

    def __init__(
        self, what: str, *, hedge: Hedge | None = None, steps: tuple[str, ...] = (), todo: str | None = None
    ) -> None:
        self.hedge, self.steps = hedge, steps
        super().__init__(what, todo=todo)


class StrategyError(GraphError):
    """The strategy asked for does not apply to this graph and query, though another does."""
