"""What an action does: adjusted estimates with honest intervals, or a refusal with bounds.

effect = estimate_effect(data, "shown", "bought", adjust=["age"], cluster="user_id")
"""

from equipoise.causal.effects.design import Design, matrix
from equipoise.causal.effects.effect import Bounds, Effect
from equipoise.causal.effects.estimate import estimate, estimate_effect
from equipoise.causal.effects.nuisances import Nuisances
from equipoise.causal.effects.settings import Overlap, Settings

__all__ = [
    "Bounds",
    "Design",
    "Effect",
    "Nuisances",
    "Overlap",
    "Settings",
    "estimate",
    "estimate_effect",
    "matrix",
]
