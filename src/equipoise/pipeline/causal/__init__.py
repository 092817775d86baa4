"""The causal journeys: an effect with its card, the value of a policy, and the gate before a launch."""

from equipoise.pipeline.causal.effect import effect
from equipoise.pipeline.causal.gate import gate
from equipoise.pipeline.causal.policy_value import policy_value
from equipoise.pipeline.causal.requests import EffectRequest, GateRequest, PolicyValueRequest
from equipoise.pipeline.causal.writing import Answer

__all__ = ["Answer", "EffectRequest", "GateRequest", "PolicyValueRequest", "effect", "gate", "policy_value"]
