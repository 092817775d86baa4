"""How variables come about: tables of a Bayesian network, or functions with noise."""

from equipoise.causal.mechanisms.bayesian_network import BayesianNetwork
from equipoise.causal.mechanisms.structural_model import StructuralModel

__all__ = ["BayesianNetwork", "StructuralModel"]
