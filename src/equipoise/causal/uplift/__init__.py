"""Whom to treat, and what to show: rankings by effect, how good they are, and shallow policies."""

from equipoise.causal.uplift.areas import RankingValue, auuc, qini, rate
from equipoise.causal.uplift.policy import Leaf, Policy, learn_policy
from equipoise.causal.uplift.ranking import UpliftRanking, rank_by_uplift
from equipoise.causal.uplift.scores import randomised_scores

__all__ = [
    "Leaf",
    "Policy",
    "RankingValue",
    "UpliftRanking",
    "auuc",
    "learn_policy",
    "qini",
    "randomised_scores",
    "rank_by_uplift",
    "rate",
]
