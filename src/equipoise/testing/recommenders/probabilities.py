"""Probabilities are there once they are calibrated, and mean what they say."""

from __future__ import annotations

import polars as pl
import pytest

from equipoise.data import vocabulary as v
from equipoise.errors import ModelError
from equipoise.models.recommender import Fitted
from equipoise.testing.planted import Planted
from equipoise.testing.recommenders.subject import Subject


class Probabilities(Subject):
    """Calibrated scores."""

    def test_without_calibration_there_are_no_probabilities(self, fitted: Fitted) -> None:
        """Null, and a threshold is refused."""
        assert fitted.recommend(["u001"])[v.PROBABILITY].is_null().all()
        with pytest.raises(ModelError, match="no probabilities"):
            fitted.recommend(["u001"], min_probability=0.5)

    def test_probabilities_are_calibrated(self, calibrated: Fitted, fitted: Fitted, world: Planted) -> None:
        """In [0, 1], rising with the score, and adding up to the held-out events."""
        users = world.held_out.events[v.USER].unique().sort()
        lists = calibrated.recommend(users, 31)
        self.assert_same(lists, fitted.recommend(users, 31))
        ordered = lists.sort(v.SCORE)[v.PROBABILITY]
        assert ordered.is_between(0, 1).all()
        assert ordered.is_sorted()
        assert float(ordered.sum()) == pytest.approx(len(world.held_out.events), rel=0.25)

    def test_threshold_cuts_lists(self, calibrated: Fitted) -> None:
        """Only what is probable enough stays, in the same order."""
        lists = calibrated.recommend(["u001", "u002"], 31)
        middle = float(lists[v.PROBABILITY].median())  # type: ignore[arg-type]
        cut = calibrated.recommend(["u001", "u002"], 31, min_probability=middle)
        assert cut.equals(lists.filter(pl.col(v.PROBABILITY) >= middle))
        assert not len(calibrated.recommend(["u001"], min_probability=1.1))
