"""Graphs proposed by data or by a language model, for a person to accept."""

from equipoise.causal.discovery.partial_graph import (
    PartialGraph,
    essential_graph,
    skeleton_distance,
    structural_hamming_distance,
)
from equipoise.causal.discovery.proposal import NotAcceptedError, Proposal
from equipoise.causal.discovery.propose import METHODS, propose_graph

__all__ = [
    "METHODS",
    "NotAcceptedError",
    "PartialGraph",
    "Proposal",
    "essential_graph",
    "propose_graph",
    "skeleton_distance",
    "structural_hamming_distance",
]
