"""Metrics on frames: one value per user, so that every mean can have an interval; and values of whole
systems.

per_user(recommendations, truth, {"ndcg@10": ndcg(10), "recall@20": recall(20)})
system(recommendations, items, {"coverage@10": coverage(10)})
"""

from equipoise.metrics.definitions import DEFINITIONS, Definition
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

__all__ = [
    "DEFINITIONS",
    "Definition",
    "Metric",
    "Population",
    "RankingMetric",
    "RatingMetric",
    "SystemMetric",
    "average_precision",
    "coverage",
    "define",
    "entropy",
    "exposure",
    "gini",
    "hit_rate",
    "intra_list_diversity",
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
]
