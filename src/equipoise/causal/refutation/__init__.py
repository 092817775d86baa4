"""Attempts to refute an estimate, and how strong hidden confounding would have to be to explain it."""

from equipoise.causal.refutation.card import card
from equipoise.causal.refutation.dummy import dummy_outcome
from equipoise.causal.refutation.e_value import EValue, e_value, risk_ratio_of_difference
from equipoise.causal.refutation.finding import Finding
from equipoise.causal.refutation.negative_controls import negative_controls
from equipoise.causal.refutation.pairs import pair_differences
from equipoise.causal.refutation.partial_r2 import (
    Benchmark,
    OmittedVariable,
    adjusted_estimate,
    benchmark_strength,
    omitted_variable_bias,
    partial_r2,
    robustness_value,
)
from equipoise.causal.refutation.permutation import permutation_placebo
from equipoise.causal.refutation.rosenbaum import RosenbaumBounds, rosenbaum_bounds
from equipoise.causal.refutation.stability import random_common_cause, subset_stability

__all__ = [
    "Benchmark",
    "EValue",
    "Finding",
    "OmittedVariable",
    "RosenbaumBounds",
    "adjusted_estimate",
    "benchmark_strength",
    "card",
    "dummy_outcome",
    "e_value",
    "negative_controls",
    "omitted_variable_bias",
    "pair_differences",
    "partial_r2",
    "permutation_placebo",
    "random_common_cause",
    "risk_ratio_of_difference",
    "robustness_value",
    "rosenbaum_bounds",
    "subset_stability",
]
