"""What any recommender must do: subclass `RecommenderConformance`, name the recommender, run pytest."""

from __future__ import annotations

from equipoise.testing.recommenders.answers import Answers
from equipoise.testing.recommenders.files import Files
from equipoise.testing.recommenders.learning import Learning
from equipoise.testing.recommenders.pasts import Pasts
from equipoise.testing.recommenders.probabilities import Probabilities
from equipoise.testing.recommenders.settings import Settings


class RecommenderConformance(Settings, Answers, Pasts, Probabilities, Learning, Files):
    """The suite. The class variables of `Subject` say what may be expected of the recommender.

    A test that cannot apply is switched off by setting its name to None in the subclass, with the reason
    beside it.
    """


__all__ = ["RecommenderConformance"]
