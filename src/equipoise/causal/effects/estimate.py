"""`estimate_effect`: from a table and a question to an effect, or to a refusal that says why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from equipoise.causal.effects.bounds import no_assumption_bounds
from equipoise.causal.effects.design import Design
from equipoise.causal.effects.effect import Effect
from equipoise.causal.effects.methods import METHODS
from equipoise.causal.effects.naive import naive_difference
from equipoise.causal.effects.reading import read_design
from equipoise.causal.effects.settings import Overlap, Settings
from equipoise.component import build

if TYPE_CHECKING:
    from equipoise.causal.graph import CausalGraph
    from equipoise.causal.identification import Estimand


def estimate_effect(
    data: Any,
    treatment: str,
    outcome: str,
    graph: CausalGraph | None = None,
    adjust: Sequence[str] | None = None,
    method: str = "aipw",
    cluster: str | None = None,
    *,
    estimand: str = "ate",
    treated: Any = None,
    instrument: str | None = None,
    mediator: str | Sequence[str] | None = None,
    outcome_model: Any = "linear",
    propensity_model: Any = "linear",
    folds: int = 5,
    neighbours: int = 4,
    clip: float | None = None,
    level: float = 0.95,
    seed: int = 0,
    overlap: Overlap | None = None,
) -> Effect:
    """Estimate what a treatment does to an outcome."""
    limits = overlap or Overlap()
    if clip is not None:
        limits = build(Overlap, {**limits.model_dump(), "clip": clip}, where="overlap")
    settings = build(
        Settings,
        {
            "method": method,
            "estimand": estimand,
            "outcome_model": outcome_model,
            "propensity_model": propensity_model,
            "folds": folds,
            "neighbours": neighbours,
            "level": level,
            "seed": seed,
            "overlap": limits,
        },
        where="estimate_effect",
    )
    design = read_design(
        data, treatment, outcome, adjust or (), cluster, treated=treated, instrument=instrument,
        mediator=mediator, continuous=method == "plr",
    )  # fmt: skip
    return estimate(design, settings, graph=graph)


def estimate(
    design: Design,
    settings: Settings,
    *,
    identification: Estimand | None = None,
    graph: CausalGraph | None = None,
) -> Effect:
    """The same of arrays that were read already."""
    fitted = METHODS[settings.method](design, settings)
    naive = naive_difference(design, settings.level)
    if fitted.estimate is None:
        return Effect(
            design, settings, settings.method, fitted.estimand, naive, reason=fitted.refusal, refused=True,
            nuisances=fitted.nuisances, bounds=no_assumption_bounds(design, fitted.estimand),
            identification=identification, graph=graph, details=fitted.details,
        )  # fmt: skip
    interval = fitted.interval or fitted.estimate.interval(settings.level)
    return Effect(
        design, settings, settings.method, fitted.estimand, naive, fitted.estimate.value, interval.low,
        interval.high, reason=fitted.doubt, interval_reliable=fitted.doubt is None, estimate=fitted.estimate,
        scores=fitted.scores, nuisances=fitted.nuisances, identification=identification, graph=graph,
        parts=fitted.parts, details=fitted.details,
    )  # fmt: skip
