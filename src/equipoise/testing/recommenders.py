"""What any recommender must do: subclass `RecommenderConformance`, name the recommender, run pytest."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest

from equipoise.component import Runtime, build
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.errors import ConfigError, ModelError
from equipoise.models.recommender import Fitted, Recommender
from equipoise.models.storage import load_model, save_model
from equipoise.models.training import Training
from equipoise.testing.planted import Planted, blocks, checkerboard

COLUMNS = [v.USER, v.ITEM, v.RANK, v.SCORE, v.PROBABILITY, v.COLD]
QUIET = Runtime(threads=1, progress=False)  # planted worlds are small
SEEN = 7  # events per user of the planted world


class RecommenderConformance:
    """The suite. The class variables below say what may be expected of the recommender.

    A test that cannot apply is switched off by setting its name to None in the subclass, with the reason
    beside it.
    """

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

    # What the tests share ---------------------------------------------------------------------------

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

    # Configuration ----------------------------------------------------------------------------------

    def test_configuration_survives_json(self) -> None:
        """What `describe` says builds the same component again."""
        fields = json.loads(json.dumps(self.recommender.describe()))
        assert fields.pop("name") == self.recommender.name
        assert build(type(self.recommender), fields, where="test") == self.recommender

    def test_unknown_setting_is_refused(self) -> None:
        """A misspelt setting is an error, not ignored."""
        with pytest.raises(ConfigError, match="no_such_setting"):
            build(type(self.recommender), {**_fields(self.recommender), "no_such_setting": 1}, where="test")

    def test_every_setting_is_described(self) -> None:
        """Each field has a docstring."""
        for name, field in type(self.recommender).model_fields.items():
            assert field.description, name

    def test_fit_leaves_the_configuration_alone(self, fitted: Fitted) -> None:
        """Fitted state is another object's."""
        assert fitted.config is self.recommender
        assert isinstance(fitted, self.recommender.fitted())
        assert not isinstance(fitted, Recommender)

    # Answers ----------------------------------------------------------------------------------------

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

    # Histories --------------------------------------------------------------------------------------

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

    # Probabilities ----------------------------------------------------------------------------------

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

    # Learning ---------------------------------------------------------------------------------------

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

    # Files ------------------------------------------------------------------------------------------

    def test_saved_and_loaded_is_the_same(self, calibrated: Fitted, tmp_path: Path) -> None:
        """For known users and for new histories, probabilities included."""
        folder = save_model(calibrated, tmp_path / "model")
        again = load_model(save_model(calibrated, folder), [type(self.recommender)])
        assert again.config == self.recommender
        users = [*calibrated.catalogue.users, "who?"]
        assert again.recommend(users, 5).equals(calibrated.recommend(users, 5))
        past = pl.DataFrame({v.ITEM: ["i004", None], v.QUERY: [None, "kettle"]})
        assert again.recommend_from(past, 5).equals(calibrated.recommend_from(past, 5))
        assert [path.name for path in tmp_path.iterdir()] == ["model"]

    @pytest.mark.parametrize("file", ["model.json", "arrays.safetensors"])
    @pytest.mark.parametrize("damage", ["missing", "short", "changed", "empty"])
    def test_damage_is_noticed(self, fitted: Fitted, tmp_path: Path, file: str, damage: str) -> None:
        """A file that is not there, cut off, or changed in one place."""
        path = save_model(fitted, tmp_path / "model") / file
        content = path.read_bytes()
        middle = len(content) // 2
        if damage == "missing":
            path.unlink()
        elif damage == "short":
            path.write_bytes(content[:middle])
        elif damage == "empty":
            path.write_bytes(b"")
        else:
            path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        with pytest.raises(ModelError):
            load_model(path.parent, [type(self.recommender)])

    def test_vectors_fit_the_catalogue(self, fitted: Fitted) -> None:
        """Where there are vectors of users and items, there is one for each."""
        rows = np.arange(len(fitted.catalogue.users))
        users = fitted.user_vectors(rows, fitted.histories)
        items = fitted.item_vectors()
        for vectors, ids in ((users, fitted.catalogue.users), (items, fitted.catalogue.items)):
            if vectors is not None:
                assert len(vectors) == len(ids)
                assert np.isfinite(vectors).all()


def _fields(component: Recommender) -> dict[str, Any]:
    return {key: value for key, value in component.describe().items() if key != "name"}


@cache
def _world() -> Planted:
    return blocks()


@cache
def _fitted(suite: type[RecommenderConformance]) -> Fitted:
    return suite().fit(_world())


@cache
def _calibrated(suite: type[RecommenderConformance]) -> Fitted:
    return _fitted(suite).calibrate(_world().held_out, QUIET)  # type: ignore[arg-type]
