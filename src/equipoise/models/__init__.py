"""A dataset becomes scores: recommenders on one protocol. The noun that leaves is a fitted recommender."""

from equipoise.models.offset import Offset
from equipoise.models.recommender import Fitted, Recommender
from equipoise.models.registry import models
from equipoise.models.storage import load_model, save_model
from equipoise.models.training import Training

__all__ = ["Fitted", "Offset", "Recommender", "Training", "load_model", "models", "save_model"]
