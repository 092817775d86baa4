"""Tests that any recommender should pass, ours or a user's own, and the small planted data they run on.

A test file of five lines brings all of them::

    from equipoise.models.ease import EASE
    from equipoise.testing import RecommenderConformance

    class TestEASE(RecommenderConformance):
        recommender = EASE(reg=10.0)
"""

from equipoise.testing.planted import Planted, blocks, checkerboard
from equipoise.testing.recommenders import RecommenderConformance

__all__ = ["Planted", "RecommenderConformance", "blocks", "checkerboard"]
