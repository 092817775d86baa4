"""What is learned is in the events and their weights, and in nothing else."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from equipoise.data import vocabulary as v
from equipoise.errors import ModelError
from equipoise.models.recommender import Fitted
from equipoise.testing.planted import Planted, checkerboard
from equipoise.testing.recommenders.subject import Subject


class Learning(Subject):
    """Events, weights and what comes of them."""

    def test_rows_may_stand_in_any_order(self, fitted: Fitted, world: Planted) -> None:
        """Time orders events, not the table."""
        shuffled = world.train.events.sample(fraction=1.0, shuffle=True, seed=1)
        other = self.fit(world, world.train.with_events(shuffled))
        users = fitted.catalogue.users
        self.assert_same(fitted.recommend(users, 5), other.recommend(users, 5))

    def test_unit_weights_change_nothing(self, fitted: Fitted, world: Planted) -> None:
        """They are what holds without weights."""
        other = self.fit(world, weights=np.ones(len(world.train.events)))
        self.assert_same(
            fitted.recommend(fitted.catalogue.users, 5), other.recommend(fitted.catalogue.users, 5)
        )

    def test_weights_change_the_scores(self, fitted: Fitted, world: Planted) -> None:
        """One weight per row of the events."""
        weights = np.where(world.train.events[v.ITEM].str.ends_with("5"), 9.0, 1.0)
        other = self.fit(world, weights=weights)
        left, right = (model.recommend(fitted.catalogue.users, 31, False) for model in (fitted, other))
        both = left.join(right, on=[v.USER, v.ITEM])
        assert float((both[v.SCORE] - both["score_right"]).abs().max()) > 1e-3  # type: ignore[arg-type]

    def test_weight_zero_is_absence(self, world: Planted) -> None:
        """For what is learned: the lists for one and the same history are equal."""
        kept = np.random.default_rng(3).random(len(world.train.events)) < 0.8
        weighted = self.fit(world, weights=kept)
        dropped = self.fit(world, world.train.with_events(world.train.events.filter(pl.Series(kept))))
        for past in (["i000", "i003"], ["i001"], ["i002", "i005", "i008"]):
            self.assert_same(weighted.recommend_from(past, 10), dropped.recommend_from(past, 10))

    @pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
    def test_impossible_weights_are_refused(self, world: Planted, bad: float) -> None:
        """Negative, or no numbers."""
        weights = np.ones(len(world.train.events))
        weights[3] = bad
        with pytest.raises(ModelError, match=r"[Ww]eight"):
            self.fit(world, weights=weights)

    def test_weights_of_another_length_are_refused(self, world: Planted) -> None:
        """They would weigh the wrong rows."""
        with pytest.raises(ModelError, match=r"[Ww]eight"):
            self.fit(world, weights=np.ones(5))

    def test_nothing_to_learn_from_is_an_error(self, world: Planted) -> None:
        """Impressions say nothing of taste."""
        shown = world.train.events.with_columns(pl.lit(v.IMPRESSION).alias(v.EVENT))
        with pytest.raises(ModelError):
            self.fit(world, world.train.with_events(shown))

    def test_finds_the_own_kind(self, fitted: Fitted, world: Planted) -> None:
        """Personal models put unseen items of the user's kind first; others say the same to everybody."""
        users = world.held_out.events[v.USER].unique()
        if not self.personal:
            lists = fitted.recommend(users, 31, exclude_seen=False)
            assert lists.select(v.ITEM, v.RANK).n_unique() == 31
            return
        warm = world.train.events[v.ITEM].unique().to_list()
        lists = fitted.recommend(users, 3, candidates=warm)
        share = len(lists.join(world.taste, on=[v.USER, v.ITEM])) / len(lists)
        assert share > 0.8  # by chance it were 4 of 23

    def test_fills_the_checkerboard(self) -> None:
        """The one item missing from a regular pattern is the first recommended."""
        board = checkerboard()
        fitted = self.fit(board)
        first = fitted.recommend(
            board.held_out.events[v.USER], 1, candidates=board.taste[v.ITEM].unique().to_list()
        )
        found = first.join(board.held_out.events, on=[v.USER, v.ITEM])
        assert len(found) >= 0.95 * len(first)
