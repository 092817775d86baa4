"""Lists follow a history, whether it is a user's or not."""

from __future__ import annotations

import numpy as np
import polars as pl

from equipoise.data import vocabulary as v
from equipoise.models.recommender import Fitted
from equipoise.testing.planted import Planted
from equipoise.testing.recommenders.subject import SEEN, Subject


class Pasts(Subject):
    """Lists for a history."""

    def test_history_of_a_user_is_as_good_as_the_user(self, fitted: Fitted, world: Planted) -> None:
        """Where only the history counts."""
        past = world.train.events.filter(pl.col(v.USER) == "u007").sort(v.TIMESTAMP)
        lists = fitted.recommend_from(past, 5)
        assert not set(lists[v.ITEM]) & set(past[v.ITEM])
        assert lists.equals(fitted.recommend_from(past[v.ITEM].to_list(), 5))
        if self.folds_in:
            known = fitted.recommend(["u007"], 5)
            assert lists[v.ITEM].equals(known[v.ITEM])
            np.testing.assert_allclose(lists[v.SCORE], known[v.SCORE], rtol=1e-4, atol=1e-4)

    def test_observed_events_count_as_seen(self, fitted: Fitted) -> None:
        """Without training; the model that was asked stays as it was."""
        before = fitted.recommend(["u001"], 3)
        first = before[v.ITEM][0]
        news = pl.DataFrame({v.USER: ["u001", "who?", "u001"], v.ITEM: [first, "i001", "what?"]})
        after = fitted.observe(news)
        assert first not in after.recommend(["u001"], 31)[v.ITEM]
        assert len(after.recommend(["u001"], 31)) == 31 - SEEN - 1
        assert fitted.recommend(["u001"], 3).equals(before)

    def test_searches_are_borne(self, fitted: Fitted) -> None:
        """A search is a step without an item; a model that reads queries follows it."""
        past = pl.DataFrame(
            {v.ITEM: ["i000", None], v.EVENT: [v.CLICK, v.SEARCH], v.QUERY: [None, "guitar amplifier"]}
        )
        lists = fitted.recommend_from(past, 5)
        assert len(lists) == 5
        assert len(fitted.recommend_from(past.select(v.QUERY), 5)) == 5
        if self.reads_queries:
            before = fitted.recommend_from(["i000"], 30)

            def guitars(table: pl.DataFrame) -> float:
                ranks = table.filter(pl.col(v.ITEM).is_in([f"i{n:03}" for n in range(1, 30, 3)]))[v.RANK]
                return float(np.mean(ranks.to_numpy()))

            assert guitars(fitted.recommend_from(past, 30)) < guitars(before)
