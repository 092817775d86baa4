"""What an action does: adjusted estimates with honest intervals, or a refusal with bounds.

effect = estimate_effect(data, "shown", "bought", adjust=["age"], cluster="user_id")
"""

from equipoise.causal.effects.bounds import Bounds
from equipoise.causal.effects.design import Design, matrix
from equipoise.causal.effects.effect import Effect
from equipoise.causal.effects.estimate import estimate, estimate_effect
from equipoise.causal.effects.nuisances import Nuisances
from equipoise.causal.effects.question import Identified
from equipoise.causal.effects.settings import Overlap, Settings

__all__ = [
    "Bounds",
    "Design",
    "Effect",
    "Identified",
    "Nuisances",
    "Overlap",
    "Settings",
    "estimate",
    "estimate_effect",
    "matrix",
]
