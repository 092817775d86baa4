"""Metrics on frames: one value per user, so that every mean can have an interval; and values of whole
systems.

per_user(recommendations, truth, {"ndcg@10": ndcg(10), "recall@20": recall(20)})
system(recommendations, items, {"coverage@10": coverage(10)})
"""

from equipoise.metrics.categories import (
    calibration,
    category_coverage,
    exposure_share,
    jensen_shannon_calibration,
)
from equipoise.metrics.definitions import DEFINITIONS, KINDS, Definition
from equipoise.metrics.expected_exposure import (
    expected_exposure_disparity,
    expected_exposure_loss,
    expected_exposure_relevance,
)
from equipoise.metrics.lists import intra_list_diversity, mean_popularity, novelty
from equipoise.metrics.names import define, parse, parse_system
from equipoise.metrics.ranking import (
    Metric,
    Population,
    RankingMetric,
    average_precision,
    hit_rate,
    mrr,
    ndcg,
    per_user,
    population,
    precision,
    recall,
)
from equipoise.metrics.rating import RatingMetric, mae, mse, rating_errors, rmse
from equipoise.metrics.system import SystemMetric, coverage, entropy, exposure, gini, lorenz, system
from equipoise.metrics.transparency import faithful
from equipoise.metrics.weighted import weighted_gains

__all__ = [
    "DEFINITIONS",
    "KINDS",
    "Definition",
    "Metric",
    "Population",
    "RankingMetric",
    "RatingMetric",
    "SystemMetric",
    "average_precision",
    "calibration",
    "category_coverage",
    "coverage",
    "define",
    "entropy",
    "expected_exposure_disparity",
    "expected_exposure_loss",
    "expected_exposure_relevance",
    "exposure",
    "exposure_share",
    "faithful",
    "gini",
    "hit_rate",
    "intra_list_diversity",
    "jensen_shannon_calibration",
    "lorenz",
    "mae",
    "mean_popularity",
    "mrr",
    "mse",
    "ndcg",
    "novelty",
    "parse",
    "parse_system",
    "per_user",
    "population",
    "precision",
    "rating_errors",
    "recall",
    "rmse",
    "system",
    "weighted_gains",
]
