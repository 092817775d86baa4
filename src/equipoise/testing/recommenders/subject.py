"""The recommender that is tested, fitted to the planted worlds, and what may be expected of it."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.models.recommender import Fitted, Recommender
from equipoise.models.training import Training
from equipoise.testing.planted import Planted, blocks

QUIET = Runtime(threads=1, progress=False)  # planted worlds are small
SEEN = 7
"""Events per user of the planted world."""
COLUMNS = [v.USER, v.ITEM, v.RANK, v.SCORE, v.PROBABILITY, v.COLD]


class Subject:
    """What all tests share. The class variables say what may be expected of the recommender."""

    recommender: ClassVar[Recommender]
    """The component under test, with hyper-parameters fit for 60 users and 31 items."""

    personal: ClassVar[bool] = True
    """Whether different users get different lists."""

    folds_in: ClassVar[bool] = True
    """Whether a user's list depends on the history alone, so that `recommend_from` gives the same."""

    reads_queries: ClassVar[bool] = False
    """Whether a search changes the list."""

    tolerance: ClassVar[float] = 1e-5
    """Largest relative difference of scores that should be equal."""

    @pytest.fixture
    def world(self) -> Planted:
        """Users and items of three kinds."""
        return _world()

    @pytest.fixture
    def fitted(self) -> Fitted:
        """The recommender, fitted once for all tests of the class."""
        return _fitted(type(self))  # type: ignore[arg-type]

    @pytest.fixture
    def calibrated(self) -> Fitted:
        """The same with probabilities."""
        return _calibrated(type(self))  # type: ignore[arg-type]

    def fit(
        self, world: Planted, train: Dataset | None = None, weights: np.ndarray[Any, Any] | None = None
    ) -> Fitted:
        """Fit to the world, or to another log of it."""
        training = Training(weights=None if weights is None else weights.astype(np.float32))
        return self.recommender.fit(
            train or world.train,
            valid=world.held_out,
            vectors=world.vectors,
            training=training,
            runtime=QUIET,
        )

    def assert_same(self, left: pl.DataFrame, right: pl.DataFrame) -> None:
        """Both tables hold the same lists, with scores equal up to the tolerance."""
        rest = [v.USER, v.ITEM, v.RANK, v.COLD]
        assert left.select(rest).equals(right.select(rest))
        np.testing.assert_allclose(left[v.SCORE], right[v.SCORE], rtol=self.tolerance, atol=self.tolerance)


@cache
def _world() -> Planted:
    return blocks()


@cache
def _fitted(suite: type[Subject]) -> Fitted:
    return suite().fit(_world())


@cache
def _calibrated(suite: type[Subject]) -> Fitted:
    return _fitted(suite).calibrate(_world().held_out, QUIET)  # type: ignore[arg-type]
