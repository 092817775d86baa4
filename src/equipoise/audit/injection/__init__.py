"""Hostile item texts: a kit of attacks, what they do to any ranker, and whether items are judged apart.

probe(rank, items, users, slots=["title"])               # rank lift, success, collateral, leaks, broken answers
order_invariance(rank, items, users, slots=["title"])    # what item A says must not move B and C
screening_rates(screen, clean_texts)                     # attacks caught, honest texts stopped
"""

from equipoise.audit.injection.answers import Answers, Ranker
from equipoise.audit.injection.attacks import ATTACKS, FAMILIES, PLACEBOS, Attack
from equipoise.audit.injection.evidence import OF_ANSWERS, InjectionEvidence
from equipoise.audit.injection.invariance import STRANGE, Invariance, order_invariance
from equipoise.audit.injection.poisoning import Place, moved, poisoned
from equipoise.audit.injection.probe import probe
from equipoise.audit.injection.screening import screening_rates

__all__ = [
    "ATTACKS",
    "FAMILIES",
    "OF_ANSWERS",
    "PLACEBOS",
    "STRANGE",
    "Answers",
    "Attack",
    "InjectionEvidence",
    "Invariance",
    "Place",
    "Ranker",
    "moved",
    "order_invariance",
    "poisoned",
    "probe",
    "screening_rates",
]
