"""Attempts to refute an estimate, and how strong hidden confounding would have to be to explain it."""

from equipoise.causal.refutation.e_value import EValue, e_value, risk_ratio_of_difference
from equipoise.causal.refutation.partial_r2 import (
    Benchmark,
    OmittedVariable,
    adjusted_estimate,
    benchmark_strength,
    omitted_variable_bias,
    partial_r2,
    robustness_value,
)
from equipoise.causal.refutation.rosenbaum import RosenbaumBounds, rosenbaum_bounds

__all__ = [
    "Benchmark",
    "EValue",
    "OmittedVariable",
    "RosenbaumBounds",
    "adjusted_estimate",
    "benchmark_strength",
    "e_value",
    "omitted_variable_bias",
    "partial_r2",
    "risk_ratio_of_difference",
    "robustness_value",
    "rosenbaum_bounds",
]
