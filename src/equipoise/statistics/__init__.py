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
from equipoise.statistics.cells import Cells, Means, resampled_cells
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
from equipoise.statistics.sequential import BettingTest, betting_interval
from equipoise.statistics.simultaneous import lowest_interval, range_interval
from equipoise.statistics.studentised import GroupsTest, slice_tests, studentised_test

__all__ = [
    "FAIR",
    "INSUFFICIENT",
    "UNFAIR",
    "BettingTest",
    "Cells",
    "Estimate",
    "GroupsTest",
    "Interval",
    "Means",
    "PairedDifference",
    "PermutationTest",
    "Reliability",
    "Verdict",
    "bca",
    "benjamini_hochberg",
    "betting_interval",
    "bootstrap_difference",
    "bootstrap_means",
    "bootstrap_ratio",
    "difference",
    "expected_calibration_error",
    "holm",
    "lowest_interval",
    "minimum_detectable_difference",
    "paired_difference",
    "permutation_test",
    "range_interval",
    "reliability",
    "resampled_cells",
    "resampled_sums",
    "sign_flips",
    "slice_tests",
    "spread",
    "studentised_test",
    "verdict",
]
