"""Whom a treatment helps: learners of effects that differ from row to row."""

from equipoise.causal.heterogeneity.dr_learner import DRLearner
from equipoise.causal.heterogeneity.econml import EconMLLearner
from equipoise.causal.heterogeneity.features import Features
from equipoise.causal.heterogeneity.learner import LEARNERS, FittedLearner, Learner, cross_fitted_effects
from equipoise.causal.heterogeneity.t_learner import TLearner
from equipoise.causal.heterogeneity.x_learner import XLearner

__all__ = [
    "LEARNERS",
    "DRLearner",
    "EconMLLearner",
    "Features",
    "FittedLearner",
    "Learner",
    "TLearner",
    "XLearner",
    "cross_fitted_effects",
]
