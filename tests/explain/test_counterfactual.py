"""Sets without which an item leaves the list: true when the model is asked again, and with nothing to spare."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise.explain import Explainer
from equipoise.explain.counterfactual import _reduced, removal
from equipoise.explain.interactions import effects
from equipoise.explain.question import Asker
from equipoise.models.ease import EASE
from equipoise.models.histories import Catalogue, Histories
from equipoise.models.item_to_item import ItemToItem
from tests.explain.planted import explainer, fitted

ITEMS = 12


def linear(links):
    """An item-to-item model with these links."""
    items = pl.Series("item_id", [f"i{number:02}" for number in range(len(links))])
    ones = np.ones(len(links), dtype=np.int64)
    catalogue = Catalogue(pl.Series("user_id", ["u"]), items, ones[:1], ones)
    histories = Histories.of_one([], catalogue)
    return ItemToItem(
        config=EASE(),
        catalogue=catalogue,
        histories=histories,
        links=links.astype(np.float32),
        average=links.mean(axis=0).astype(np.float32),
    )


def sets_that_work(model, history, item, k):
    """All of them, by adding up links; what is left out does not come back to take a place."""
    names = model.catalogue.items.to_list()
    taken, wanted = [names.index(name) for name in history], names.index(item)
    rest = np.setdiff1d(np.arange(len(names)), taken)
    found = []
    for size in range(1, len(history) + 1):
        for gone in combinations(taken, size):
            left = [one for one in taken if one not in gone]
            scores = model.links[left].sum(axis=0) if left else model.average
            if wanted not in rest[np.argsort(-scores[rest], kind="stable")[:k]]:
                found.append({names[one] for one in gone})
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 6), st.booleans())
def test_sets_work_and_have_nothing_to_spare(seed, k, size, positive):
    rng = np.random.default_rng(seed)
    links = rng.random((ITEMS, ITEMS)) if positive else rng.normal(size=(ITEMS, ITEMS))
    model = linear(links)
    history = model.catalogue.items[:size].to_list()
    item = model.recommend_from(history, k)["item_id"].to_list()[-1]
    said = Explainer(model).explain_from(history, item, k=k).counterfactual
    works = sets_that_work(model, history, item, k)
    assert said.found == bool(works)
    assert said.forwards <= 256
    if said.found:
        assert said.irreducible
        assert set(said.removed) in works
        assert not any(one < set(said.removed) for one in works)
        assert said.rank > k


def test_sets_are_almost_as_small_as_any():
    rng, extra, cases = np.random.default_rng(3), 0, 0
    for _ in range(40):
        model = linear(rng.gamma(0.5, size=(20, 20)))
        history = model.catalogue.items[:7].to_list()
        item = model.recommend_from(history, 3)["item_id"][0]
        said = Explainer(model).explain_from(history, item, k=3).counterfactual
        works = sets_that_work(model, history, item, 3)
        if works:
            cases += 1
            extra += len(said.removed) - min(map(len, works))
    assert cases > 25
    assert extra / cases < 0.1


@pytest.mark.parametrize("name", ["ease", "content", "ials", "sequence", "mult_vae", "blend"])
def test_what_is_cited_is_verified_by_the_model_itself(name):
    model, ask = fitted(name), explainer(name)
    found = 0
    for user in ("u000", "u004", "u017"):
        shown = model.recommend([user], 5)
        item = shown["item_id"][4]
        said = ask.explain(user, item, k=5).counterfactual
        assert said.forwards <= 256
        if not said.found:
            assert said.says
            continue
        found += 1
        row = model.catalogue.users.to_list().index(user)
        past = model.histories.take([row])
        names = [
            model.catalogue.items[int(item)] if item >= 0 else past.texts[query]
            for item, query in zip(past.items, past.queries, strict=True)
        ]
        frame = pl.DataFrame(
            {
                "item_id": [n if i >= 0 else None for n, i in zip(names, past.items, strict=True)],
                "query": [None if i >= 0 else n for n, i in zip(names, past.items, strict=True)],
                "event": ["click" if i >= 0 else "search" for i in past.items],
            },
            schema_overrides={"item_id": pl.String, "query": pl.String},
        ).filter(~pl.Series(names).is_in(list(said.removed)))
        again = model.recommend_from(frame, 5)["item_id"].to_list()  # what was removed may come back here
        assert item not in again
    assert found


def test_large_sets_of_linear_models_are_proved_without_trying_all_subsets():
    """Twelve equal voices for the item, and a stronger one of them for a rival: all others have to go."""
    links = np.zeros((14, 14))
    links[:12, 12] = 1.0
    links[0, 13] = 1.5
    model = linear(links)
    history = model.catalogue.items[:12].to_list()
    said = Explainer(model).explain_from(history, "i12", k=1).counterfactual
    assert said.found
    assert said.irreducible
    assert said.forwards <= 256
    assert said.rank == 2
    assert said.instead == "i13"
    assert said.removed == tuple(history[1:])


def test_what_was_not_tried_is_said():
    """A model of which nothing is known but its answers, and a set that is too large to try its subsets."""

    class Stubborn(ItemToItem):
        """The item stays while any three of its voices are there."""

        def score(self, users, histories):
            there = histories.marked(len(self.catalogue.items))[:, :14].sum(axis=1)
            scores = np.zeros((len(histories), len(self.catalogue.items)), dtype=np.float32)
            scores[:, 14] = np.where(there >= 3, 2.0, 0.5) + there * 1e-3
            scores[:, 15] = 1.0
            return scores

    from equipoise.explain.parts import parts

    parts.register(Stubborn, lambda model, question: None)
    plain = linear(np.zeros((16, 16)))
    model = Stubborn(**vars(plain))
    history = model.catalogue.items[:14].to_list()
    said = Explainer(model).explain_from(history, "i14", k=1).counterfactual
    assert len(said.removed) == 12
    assert not said.irreducible
    assert "Of the 12 no" in said.says
    assert said.forwards <= 256


def test_nothing_has_to_go_where_the_item_is_not_shown_or_cannot_leave():
    model = linear(np.random.default_rng(0).random((5, 5)))
    last = model.recommend_from(["i00"], 4)["item_id"][-1]
    said = Explainer(model).explain_from(["i00"], last, k=2).counterfactual
    assert not said.found
    assert "not among the 2 best (rank 4)" in said.says
    said = Explainer(model).explain_from(["i00"], last, k=4).counterfactual
    assert not said.found
    assert "room for all items" in said.says
    assert said.rank is None
    assert said.instead is None
    assert not said.irreducible


def test_the_budget_is_never_exceeded():
    model = linear(np.random.default_rng(1).random((300, 300)))
    history = model.catalogue.items[:280].to_list()
    item = model.recommend_from(history, 10)["item_id"][0]
    question = Explainer(model).question(-1, Histories.of_one(history, model.catalogue), 280, 10)
    said = Explainer(model).explain_from(history, item, k=10).counterfactual
    assert said.forwards <= 256
    asker = Asker(question, budget=60)
    removal(asker, effects(asker))
    assert asker.forwards <= 60
    with pytest.raises(ValueError, match="more than the"):
        asker.scores(np.zeros((61, 280), dtype=bool))


def test_a_set_that_may_lose_several_at_once_is_searched_from_the_beginning():
    """Deletions that work only together: of {0..7}, {2..7} and {3..7} work, and nothing else among them."""
    working = {frozenset(range(first, 8)) for first in (0, 2, 3)}

    class Scripted:
        left = budget = 10_000

        class question:
            k, units = 1, np.arange(8)

        def ranks(self, rows):
            return np.array([2 if frozenset(np.flatnonzero(row).tolist()) in working else 1 for row in rows])

    found = SimpleNamespace(separate=False)
    said = _reduced(Scripted(), np.arange(8), found)
    assert (said.members.tolist(), said.irreducible) == ([3, 4, 5, 6, 7], True)
