"""Audit any recommender: group fairness with honest statistics, attackers, evidence. No torch, no models.

frame = FairnessFrame(metrics=["ndcg@10"], recommendations=recs, truth=truth, users=users, groups=["gender"])
frame.overall; frame.by_group; frame.gaps          # every number with interval, every gap with a verdict
attackers.infer_attribute(features, labels)        # how well can the attribute be read?
"""

from equipoise.audit import attackers, exposure, fairness, formats, lists
from equipoise.audit.evidence import assemble
from equipoise.audit.exposure import provider_exposure, provider_metrics
from equipoise.audit.fairness import FairnessFrame, Note
from equipoise.audit.policy import Policy, Rule
from equipoise.audit.request import Settings, Tables
from equipoise.metrics import average_precision, hit_rate, mrr, ndcg, precision, recall

__all__ = [
    "FairnessFrame",
    "Note",
    "Policy",
    "Rule",
    "Settings",
    "Tables",
    "assemble",
    "attackers",
    "average_precision",
    "exposure",
    "fairness",
    "formats",
    "hit_rate",
    "lists",
    "mrr",
    "ndcg",
    "precision",
    "provider_exposure",
    "provider_metrics",
    "recall",
]
