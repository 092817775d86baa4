"""The causal journeys: an effect with its card, the value of a policy, the launch gate, the plan before logging."""

from equipoise.pipeline.causal.effect import effect
from equipoise.pipeline.causal.gate import gate
from equipoise.pipeline.causal.plan import PlanRequest, plan
from equipoise.pipeline.causal.policy_value import policy_value
from equipoise.pipeline.causal.requests import EffectRequest, GateRequest, PolicyValueRequest
from equipoise.pipeline.causal.writing import Answer

__all__ = [
    "Answer",
    "EffectRequest",
    "GateRequest",
    "PlanRequest",
    "PolicyValueRequest",
    "effect",
    "gate",
    "plan",
    "policy_value",
]
