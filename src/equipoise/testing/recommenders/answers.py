"""Lists are well formed for anybody who is asked about, and for any candidates."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from equipoise.component import Runtime
from equipoise.data import vocabulary as v
from equipoise.errors import ModelError
from equipoise.models.recommender import Fitted
from equipoise.testing.planted import Planted
from equipoise.testing.recommenders.subject import COLUMNS, QUIET, SEEN, Subject


class Answers(Subject):
    """Lists for anybody."""

    def test_lists_are_well_formed(self, fitted: Fitted, world: Planted) -> None:
        """Columns, types, ranks from 1, falling scores, nothing twice, nothing seen."""
        users = fitted.catalogue.users
        lists = fitted.recommend(users, 5, runtime=QUIET)
        assert lists.columns == COLUMNS
        assert lists.schema[v.SCORE] == lists.schema[v.PROBABILITY] == pl.Float64
        assert lists.schema[v.RANK].is_integer()
        assert lists[v.USER].unique(maintain_order=True).equals(users)
        for _, mine in lists.group_by(v.USER):
            assert mine[v.RANK].to_list() == [1, 2, 3, 4, 5]
            assert mine[v.SCORE].is_sorted(descending=True)
            assert mine[v.ITEM].is_unique().all()
        assert not len(lists.join(world.train.events, on=[v.USER, v.ITEM]))

    def test_no_users_get_an_empty_table(self, fitted: Fitted) -> None:
        """With the same columns."""
        assert fitted.recommend([], 5).columns == COLUMNS
        assert not len(fitted.recommend([], 5))

    def test_a_user_asked_for_twice_is_answered_twice(self, fitted: Fitted) -> None:
        """Each time in full."""
        assert fitted.recommend(["u001", "u001"], 3)[v.RANK].to_list() == [1, 2, 3, 1, 2, 3]

    def test_unknown_user_gets_an_answer(self, fitted: Fitted) -> None:
        """Marked cold; so is one that is in the users table but did nothing."""
        lists = fitted.recommend(["u001", "who?", "u-new"], 4)
        assert lists.group_by(v.USER, maintain_order=True).len()["len"].to_list() == [4, 4, 4]
        assert lists.filter(pl.col(v.USER) != "u001")[v.COLD].all()
        assert not lists.filter(pl.col(v.USER) == "u001", pl.lit("i-cold") != v.ITEM)[v.COLD].all()

    def test_empty_history_gets_an_answer(self, fitted: Fitted) -> None:
        """The one that an unknown user gets."""
        lists = fitted.recommend_from([], 4)
        assert len(lists) == 4
        assert lists[v.USER].is_null().all()
        assert lists[v.ITEM].equals(fitted.recommend(["who?"], 4)[v.ITEM])

    def test_unknown_items_are_borne(self, fitted: Fitted) -> None:
        """In a history they give an answer; among candidates they come last, and cold."""
        assert len(fitted.recommend_from(["i001", "what?", "i004"], 5)) == 5
        lists = fitted.recommend_from(["i001"], 5, candidates=["what?", "i004", "i007"])
        assert len(lists) == 3
        assert lists[v.ITEM][-1] == "what?"
        assert lists[v.COLD][-1]

    def test_integer_ids_give_the_same_lists(self, fitted: Fitted, world: Planted) -> None:
        """Ids are names, not numbers."""
        numbered = world.renumbered()
        other = self.fit(numbered)
        lists = other.recommend(other.catalogue.users, 5)
        assert lists[v.USER].dtype == lists[v.ITEM].dtype == pl.Int64
        places = np.searchsorted(other.catalogue.items.to_numpy(), lists[v.ITEM].to_numpy())
        users = np.searchsorted(other.catalogue.users.to_numpy(), lists[v.USER].to_numpy())
        renamed = lists.with_columns(
            fitted.catalogue.users.gather(users), fitted.catalogue.items.gather(places)
        )
        self.assert_same(renamed, fitted.recommend(fitted.catalogue.users, 5))

    def test_long_lists_hold_all_there_is(self, fitted: Fitted) -> None:
        """`k` above the size of the catalogue is no error."""
        assert len(fitted.recommend(["u001"], 1000)) == 31 - SEEN
        assert len(fitted.recommend(["u001"], 1000, exclude_seen=False)) == 31

    def test_lists_of_no_items_are_refused(self, fitted: Fitted) -> None:
        """`k` of 0 is a mistake."""
        with pytest.raises(ModelError, match="0 items"):
            fitted.recommend(["u001"], 0)

    def test_candidates_for_all(self, fitted: Fitted) -> None:
        """One list of items for every user; the order among them is the model's."""
        full = fitted.recommend(["u001", "u002"], 31, exclude_seen=False)
        few = ["i003", "i004", "i005", "i004"]
        lists = fitted.recommend(["u001", "u002"], 9, exclude_seen=False, candidates=few)
        expected = full.filter(pl.col(v.ITEM).is_in(few)).select(v.USER, v.ITEM)
        assert lists.select(v.USER, v.ITEM).equals(expected)

    def test_candidates_per_user(self, fitted: Fitted) -> None:
        """A frame of pairs; a user without a pair gets no list, pairs of others are left out."""
        pairs = pl.DataFrame(
            {v.USER: ["u001", "u001", "u002", "u009"], v.ITEM: ["i003", "i004", "i005", "i006"]}
        )
        lists = fitted.recommend(["u002", "u001", "u003"], 9, exclude_seen=False, candidates=pairs)
        assert sorted(lists.select(v.USER, v.ITEM).rows()) == [
            ("u001", "i003"),
            ("u001", "i004"),
            ("u002", "i005"),
        ]
        with pytest.raises(ModelError, match="item_id"):
            fitted.recommend(["u001"], candidates=pairs.rename({v.ITEM: "item"}))

    def test_equal_scores_stand_by_item_id(self, fitted: Fitted) -> None:
        """And asking again gives the same."""
        lists = fitted.recommend(fitted.catalogue.users, 31, exclude_seen=False)
        assert lists.equals(lists.sort(v.USER, -pl.col(v.SCORE), v.ITEM))
        assert lists.equals(fitted.recommend(fitted.catalogue.users, 31, exclude_seen=False))

    @pytest.mark.parametrize("batch_size", [1, 7, 1000])
    def test_batch_size_does_not_show(self, calibrated: Fitted, batch_size: int) -> None:
        """Neither in lists nor in scores."""
        users = calibrated.catalogue.users
        other = calibrated.recommend(users, 5, runtime=Runtime(batch_size=batch_size, progress=False))
        self.assert_same(calibrated.recommend(users, 5, runtime=QUIET), other)

    def test_scores_come_in_blocks(self, fitted: Fitted) -> None:
        """No block holds more users than asked for."""
        rows = np.arange(len(fitted.catalogue.users))
        parts = list(fitted.blocks(rows, Runtime(batch_size=8, progress=False)))
        assert [len(scores) for _, _, scores in parts] == [8] * 7 + [5]
        assert all(scores.dtype == np.float32 and scores.shape[1] == 31 for _, _, scores in parts)

    def test_cold_items_are_marked(self, fitted: Fitted) -> None:
        """One that was never interacted with is cold; it comes last, or where its text says."""
        lists = fitted.recommend(["u000", "u001"], 31, exclude_seen=False)
        assert lists.filter(v.COLD)[v.ITEM].to_list() == ["i-cold", "i-cold"]
        own, other = lists.filter(v.COLD)[v.RANK]
        if fitted.scores_cold_items:
            assert own < other  # the item is of the first user's kind
        else:
            lowest = lists.group_by(v.USER).agg(pl.col(v.SCORE).min())
            assert lists.filter(v.COLD).join(lowest, on=[v.USER, v.SCORE]).height == 2

    def test_scores_that_are_no_numbers_are_an_error(
        self, fitted: Fitted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """They never become a list."""
        monkeypatch.setattr(
            type(fitted), "score", lambda self, users, past: np.full((len(users), 31), np.nan, np.float32)
        )
        with pytest.raises(ModelError, match="not finite"):
            fitted.recommend(["u001"])
