"""`Effect`: what an action does, with its interval, or why there is no number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import polars as pl

from equipoise.causal.effects.bounds import Bounds
from equipoise.causal.effects.design import Design
from equipoise.causal.effects.nuisances import Nuisances
from equipoise.causal.effects.question import Identified
from equipoise.causal.effects.settings import Settings
from equipoise.causal.graph import CausalGraph
from equipoise.statistics.interval import Estimate, Floats, Interval


@dataclass(frozen=True)
class Effect:
    """An effect of a treatment on an outcome.

    Attributes:
        design: The data.
        settings: Method, models, thresholds.
        method: The estimator that was used.
        estimand: `ate`, `att`, `ato` (overlap weights), `late` (instruments), `nde`, `nie`, or `slope`
            (continuous treatment).
        value: The effect, in units of the outcome; None where refused.
        low: Lower end of its interval; None where refused.
        high: Upper end.
        reason: Why there is no number, or why the interval is in doubt; None where all is well.
        refused: Whether no number is given.
        interval_reliable: Whether the interval can be expected to cover as often as it says; False where it
            rests on too few events or rows.
        estimate: Value and influence values; None where refused.
        scores: (n,), uncentred doubly robust scores with mean `value`; None for methods that have none.
        nuisances: Propensities and outcome regressions, out of fold; None for methods that have none.
        naive: The unadjusted difference of means.
        bounds: What the data allow without assumptions, where refused and the outcome is bounded.
        identification: By what right the number is an effect, where a graph was given.
        graph: The graph.
        parts: Further effects of the same fit: `direct`, `indirect` and `total` for mediation.
        details: Numbers of the method: first-stage F, matches, ...
        negative_controls: Columns where there can be no effect, `outcomes` and `exposures`, for the card.
    """

    design: Design
    settings: Settings
    method: str
    estimand: str
    naive: Interval
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None
    refused: bool = False
    interval_reliable: bool = False
    estimate: Estimate | None = None
    scores: Floats | None = None
    nuisances: Nuisances | None = None
    bounds: Bounds | None = None
    identification: Identified | None = None
    graph: CausalGraph | None = None
    parts: Mapping[str, Interval] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    negative_controls: Mapping[str, Sequence[str]] | None = None

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.design.n

    @property
    def standard_error(self) -> float | None:
        """Cluster-robust standard error."""
        return None if self.estimate is None else self.estimate.standard_error

    @property
    def p_value(self) -> float | None:
        """Two-sided p of no effect, of the test that the interval inverts."""
        if self.estimate is None:
            return None
        own: float | None = self.details.get("p_value")
        return self.estimate.p_value() if own is None else own

    @cached_property
    def diagnostics(self) -> dict[str, Any]:
        """Overlap, balance and calibration of the propensities: the fields `overlap`, `balance`,
        `calibration` of the card.
        """
        from equipoise.causal.effects.diagnostics import diagnostics

        return diagnostics(self.design, self.nuisances, self.method, self.estimand, self.settings)

    def by_group(self, columns: str | Sequence[str]) -> pl.DataFrame:
        """The effect in each group.

        With a graph, groups get a number only where the covariates do within them what they do in the whole, and
        a reason otherwise.

        Args:
            columns: Column or columns of the data, each grouped by on its own; none may be an effect of the
                treatment.

        Returns:
            Polars frame of `column`, `group`, `n`, `value`, `low`, `high`, `standard_error`, `p_value`, `p_adjusted`
            (Holm over all rows of the table) and `reason`.

        Raises:
            DataError: if a column is missing or empty, has over 50 groups, or is treatment, outcome or mediator.
            GraphError: if a column is an effect of the treatment in the graph.
        """
        from equipoise.causal.effects.groups import by_group
        from equipoise.causal.effects.reading import named

        return by_group(self, list(named(columns)))

    def again(self, design: Design, seed: int | None = None) -> Effect:
        """The same method and settings on another design: what refutations are made of."""
        from equipoise.causal.effects.estimate import estimate

        if self.graph is not None and self.identification is None:
            return replace(self, design=design)  # no data make it identifiable
        settings = self.settings if seed is None else self.settings.model_copy(update={"seed": seed})
        return estimate(design, settings, identification=self.identification, graph=self.graph)

    @cached_property
    def card(self) -> dict[str, Any]:
        """The attempts to refute this estimate, its sensitivity, and a verdict."""
        from equipoise.causal.refutation import card

        return card(self, negative_controls=self.negative_controls)

    def as_dict(self) -> dict[str, Any]:
        """The answer as plain JSON values, without the card."""
        naive = {"value": self.naive.value, "low": self.naive.low, "high": self.naive.high}
        bounds = None if self.bounds is None else vars(self.bounds).copy()
        return {
            "treatment": self.design.treatment_name,
            "outcome": self.design.outcome_name,
            "method": self.method,
            "estimand": self.estimand,
            "n": self.n,
            "clusters": self.design.n_clusters,
            "dropped": self.design.dropped,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "standard_error": self.standard_error,
            "p_value": self.p_value,
            "level": self.settings.level,
            "refused": self.refused,
            "reason": self.reason,
            "interval_reliable": self.interval_reliable,
            "bounds": bounds,
            "naive": naive,
            "parts": {name: part.as_dict() for name, part in self.parts.items()},
            "details": dict(self.details),
            **self.diagnostics,
        }
