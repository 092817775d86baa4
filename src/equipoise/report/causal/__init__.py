"""The pages of causal answers: the card of an effect, the value of a policy, the launch gate, a graph."""

from equipoise.report.causal.card import render_card
from equipoise.report.causal.gate import render_gate
from equipoise.report.causal.graph import render_graph
from equipoise.report.causal.plan import render_plan
from equipoise.report.causal.policy_value import render_policy_value

__all__ = ["render_card", "render_gate", "render_graph", "render_plan", "render_policy_value"]
