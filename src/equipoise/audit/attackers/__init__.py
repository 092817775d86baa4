"""How well can an attribute be read from what a recommender holds or shows?"""

from equipoise.audit.attackers.suite import (
    ATTACKERS,
    AUC,
    BALANCED_ACCURACY,
    Attacker,
    infer_attribute,
    views,
)

__all__ = ["ATTACKERS", "AUC", "BALANCED_ACCURACY", "Attacker", "infer_attribute", "views"]
