"""Propensities: how likely the logger was to show what it showed, and weights from them."""

from equipoise.causal.propensity.base import FittedPropensity, PropensityModel, propensities
from equipoise.causal.propensity.diagnostics import Diagnostics
from equipoise.causal.propensity.dual_learning import DualLearning
from equipoise.causal.propensity.given import Given
from equipoise.causal.propensity.logistic import Logistic
from equipoise.causal.propensity.naive_bayes import NaiveBayes
from equipoise.causal.propensity.popularity import Popularity
from equipoise.causal.propensity.position import FittedPosition, Position
from equipoise.causal.propensity.weights import Weights, weights

__all__ = [
    "Diagnostics",
    "DualLearning",
    "FittedPosition",
    "FittedPropensity",
    "Given",
    "Logistic",
    "NaiveBayes",
    "Popularity",
    "Position",
    "PropensityModel",
    "Weights",
    "propensities",
    "weights",
]
