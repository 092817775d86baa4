"""Cause and effect: graphs, identification, effects, refutation, and the value of a policy before launch.

g = CausalGraph.parse("age -> history; history -> click; age -> click")
identify(g, outcome="click", do="history").formula
estimate_effect(events, treatment="shown", outcome="bought", graph=g, cluster="user_id").card
policy_value(log, target="new_policy", estimator="dr", outcome_model=("q_logged", "q_target"))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from equipoise.causal.discovery import NotAcceptedError, Proposal, propose_graph
    from equipoise.causal.effects import Bounds, Effect, Overlap, estimate_effect
    from equipoise.causal.graph import CausalGraph, GraphError, Independence
    from equipoise.causal.heterogeneity import DRLearner, EconMLLearner, TLearner, XLearner
    from equipoise.causal.identification import (
        Estimand,
        Hedge,
        Instrument,
        NotIdentifiable,
        StrategyError,
        adjustment_sets,
        front_door_sets,
        identify,
        instruments,
        mediation,
    )
    from equipoise.causal.mechanisms import BayesianNetwork, StructuralModel
    from equipoise.causal.off_policy import PolicyValue, PropensityError, Support, policy_value
    from equipoise.causal.refutation import (
        card,
        e_value,
        negative_controls,
        pair_differences,
        partial_r2,
        robustness_value,
        rosenbaum_bounds,
    )
    from equipoise.causal.uplift import auuc, learn_policy, qini, rank_by_uplift, rate

_HOMES = {
    "discovery": ("NotAcceptedError", "Proposal", "propose_graph"),
    "effects": ("Bounds", "Effect", "Overlap", "estimate_effect"),
    "graph": ("CausalGraph", "GraphError", "Independence"),
    "heterogeneity": ("DRLearner", "EconMLLearner", "TLearner", "XLearner"),
    "identification": (
        "Estimand", "Hedge", "Instrument", "NotIdentifiable", "StrategyError", "adjustment_sets",
        "front_door_sets", "identify", "instruments", "mediation",
    ),
    "mechanisms": ("BayesianNetwork", "StructuralModel"),
    "off_policy": ("PolicyValue", "PropensityError", "Support", "policy_value"),
    "refutation": (
        "card", "e_value", "negative_controls", "pair_differences", "partial_r2", "robustness_value",
        "rosenbaum_bounds",
    ),
    "uplift": ("auuc", "learn_policy", "qini", "rank_by_uplift", "rate"),
}  # fmt: skip
_ROOMS = {name: room for room, names in _HOMES.items() for name in names}

__all__ = [
    "BayesianNetwork",
    "Bounds",
    "CausalGraph",
    "DRLearner",
    "EconMLLearner",
    "Effect",
    "Estimand",
    "GraphError",
    "Hedge",
    "Independence",
    "Instrument",
    "NotAcceptedError",
    "NotIdentifiable",
    "Overlap",
    "PolicyValue",
    "PropensityError",
    "Proposal",
    "StrategyError",
    "StructuralModel",
    "Support",
    "TLearner",
    "XLearner",
    "adjustment_sets",
    "auuc",
    "card",
    "e_value",
    "estimate_effect",
    "front_door_sets",
    "identify",
    "instruments",
    "learn_policy",
    "mediation",
    "negative_controls",
    "pair_differences",
    "partial_r2",
    "policy_value",
    "propose_graph",
    "qini",
    "rank_by_uplift",
    "rate",
    "robustness_value",
    "rosenbaum_bounds",
]


def __getattr__(name: str) -> Any:
    """Open a room when something of it is asked for: weights alone need no scikit-learn."""
    if name not in _ROOMS:
        raise AttributeError(f"module 'equipoise.causal' has no attribute '{name}'")
    return getattr(import_module(f"equipoise.causal.{_ROOMS[name]}"), name)
