"""`card`: an effect with all attempts to refute it, as plain values that a report can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from equipoise.causal.effects import Effect
from equipoise.causal.refutation.dummy import dummy_outcome
from equipoise.causal.refutation.finding import Finding
from equipoise.causal.refutation.negative_controls import negative_controls as control_findings
from equipoise.causal.refutation.permutation import permutation_placebo
from equipoise.causal.refutation.sensitivity import sensitivity
from equipoise.causal.refutation.stability import random_common_cause, subset_stability
from equipoise.causal.refutation.support import balance, overlap
from equipoise.causal.refutation.verdict import CAVEAT, verdict

SCHEMA = 1


def card(
    effect: Effect,
    n_permutations: int = 100,
    negative_controls: Mapping[str, Sequence[str] | str] | Sequence[str] | str | None = None,
    seed: int = 0,
    *,
    n_subsets: int = 40,
    n_draws: int = 30,
    show: bool = True,
) -> dict[str, Any]:
    """Try to refute an effect, and say what comes of it.

    The estimator is fitted again on permuted treatments, with a covariate of noise, on parts of the data, on
    made-up outcomes and on negative controls; each line says what was found and what a failure means. A refused
    effect gets a card without attempts.

    Args:
        effect: The effect.
        n_permutations: Refits on permuted treatments; at least 20, better 100.
        negative_controls: Columns of the effect's data where there can be no effect: a list of outcomes, or a
            mapping with `outcomes` and `exposures`.
        seed: Root of all draws.
        n_subsets: Refits on parts of the data.
        n_draws: Refits on each kind of made-up outcome.
        show: Whether work over two seconds shows a bar.

    Returns:
        Plain JSON values: question, graph, identification, data, estimate, overlap, balance, calibration,
        refutations, sensitivity, verdict, caveat.

    Raises:
        ConfigError: if there are too few permutations.
        DataError: if a negative control is not in the data or is part of the question.
    """
    findings: list[Finding] = []
    if effect.value is not None:
        findings = [
            permutation_placebo(effect, n_permutations, seed, show=show),
            random_common_cause(effect, seed=seed, show=show),
            subset_stability(effect, n_subsets, seed=seed, show=show),
            dummy_outcome(effect, n_draws, seed, show=show),
            *control_findings(effect, negative_controls, 1 - effect.settings.level),
            overlap(effect),
            balance(effect),
        ]
    explained = sensitivity(effect, seed)
    diagnostics = effect.diagnostics
    return {
        "kind": "effect-card",
        "schema": SCHEMA,
        "question": _question(effect),
        "graph": None if effect.graph is None else effect.graph.as_dict(),
        "identification": _identification(effect),
        "data": _data(effect),
        "estimate": _estimate(effect),
        "overlap": diagnostics["overlap"],
        "balance": diagnostics["balance"],
        "calibration": diagnostics["calibration"],
        "refutations": [finding.as_dict() for finding in findings],
        "sensitivity": explained,
        "verdict": verdict(effect, findings, explained),
        "caveat": CAVEAT,
    }


def _question(effect: Effect) -> dict[str, Any]:
    design = effect.design
    return {
        "treatment": design.treatment_name,
        "outcome": design.outcome_name,
        "treated": None if design.treated is None else str(design.treated),
        "control": None if design.control is None else str(design.control),
        "estimand": effect.estimand,
        "method": effect.method,
        "outcome_kind": design.outcome_kind,
    }


def _identification(effect: Effect) -> dict[str, Any] | None:
    found = effect.identification
    if found is None:
        return None
    return {
        "strategy": found.strategy,
        "formula": found.formula,
        "latex": found.latex,
        "adjustment_set": list(found.adjustment_set or ()),
        "assumptions": list(found.assumptions),
    }


def _data(effect: Effect) -> dict[str, Any]:
    design = effect.design
    binary = not design.continuous
    return {
        "n": design.n,
        "clusters": design.n_clusters,
        "cluster": design.cluster_name,
        "treated": int((design.treatment == 1).sum()) if binary else None,
        "control": int((design.treatment == 0).sum()) if binary else None,
        "dropped": design.dropped,
    }


def _estimate(effect: Effect) -> dict[str, Any]:
    bounds = effect.bounds
    return {
        "value": effect.value,
        "low": effect.low,
        "high": effect.high,
        "standard_error": effect.standard_error,
        "p_value": effect.p_value,
        "level": effect.settings.level,
        "refused": effect.refused,
        "reason": effect.reason,
        "interval_reliable": effect.interval_reliable,
        "bounds": None if bounds is None else vars(bounds).copy(),
        "naive": effect.naive.as_dict(),
    }
