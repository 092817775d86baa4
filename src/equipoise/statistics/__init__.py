"""Uncertainty with users as the unit: bootstrap, paired and permutation tests, multiplicity, verdicts.

bootstrap_means(values, seed=0)             # [Interval(value, low, high, n)], one per metric
paired_difference(after, before, seed=0)    # [PairedDifference(interval, p_value)]
"""

from equipoise.statistics.bootstrap import (
    bca,
    bootstrap_difference,
    bootstrap_means,
    bootstrap_ratio,
    resampled_sums,
)
from equipoise.statistics.calibration import Reliability, expected_calibration_error, reliability
from equipoise.statistics.decision import (
    FAIR,
    INSUFFICIENT,
    UNFAIR,
    Verdict,
    minimum_detectable_difference,
    verdict,
)
from equipoise.statistics.interval import Estimate, Interval
from equipoise.statistics.multiplicity import benjamini_hochberg, holm
from equipoise.statistics.permutation import (
    PairedDifference,
    PermutationTest,
    difference,
    paired_difference,
    permutation_test,
    sign_flips,
    spread,
)

__all__ = [
    "FAIR",
    "INSUFFICIENT",
    "UNFAIR",
    "Estimate",
    "Interval",
    "PairedDifference",
    "PermutationTest",
    "Reliability",
    "Verdict",
    "bca",
    "benjamini_hochberg",
    "bootstrap_difference",
    "bootstrap_means",
    "bootstrap_ratio",
    "difference",
    "expected_calibration_error",
    "holm",
    "minimum_detectable_difference",
    "paired_difference",
    "permutation_test",
    "reliability",
    "resampled_sums",
    "sign_flips",
    "spread",
    "verdict",
]
