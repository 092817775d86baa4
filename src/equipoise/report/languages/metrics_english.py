"""Short English names of the metrics of audits, for tables; their definitions stand in `equipoise.metrics`."""

from __future__ import annotations

from typing import Final

MESSAGES: Final[dict[str, str]] = {
    # Lists
    "metric.exposure_share": "Share of exposure",
    "metric.calibration_kl": "Miscalibration (KL)",
    "metric.calibration_js": "Miscalibration (JS)",
    "metric.category_coverage": "Coverage of own categories",
    "metric.expected_exposure_loss": "Expected-exposure loss",
    "metric.expected_exposure_disparity": "Expected-exposure disparity",
    "metric.expected_exposure_relevance": "Expected-exposure relevance",
    "metric.faithful": "Faithful explanations",
    "metric.shared_places": "Places shared by everybody",
    "metric.popularity_overlap": "Overlap with the most popular",
    "metric.list_distance": "List distance",
    "metric.list_distance_excess": "List distance against all",
    "metric.neighbour_overlap_own": "Overlap, own group",
    "metric.neighbour_overlap_other": "Overlap, other groups",
    "metric.neighbour_overlap_difference": "Overlap, other minus own",
    "metric.neighbour_similarity_difference": "Similarity, other minus own",
    # Providers
    "metric.group_exposure": "Exposure of a group",
    "metric.exposure_distance": "Distance to the target",
    "metric.exposure_gap": "Exposure gap per item",
    "metric.exposure_per_utility": "EXPU",
    "metric.clicks_per_utility": "EXPRU",
    "metric.awrf": "AWRF",
    "metric.rsp": "RSP",
    "metric.reo": "REO",
    "metric.provider_gini": "Gini over providers",
    "metric.worst_off_share": "Worst-off fifth",
    # Attackers
    "metric.auc": "AUC",
    "metric.balanced_accuracy": "Balanced accuracy",
}
