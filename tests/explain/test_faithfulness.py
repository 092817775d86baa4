"""Faithfulness is measured by deletion against chance, and read by the audit's metric."""

import numpy as np
import polars as pl
import pytest

from equipoise.component import Runtime
from equipoise.explain import Explainer, faithfulness, summary
from equipoise.explain.question import Asker
from equipoise.metrics import faithful
from tests.explain.planted import QUIET, explainer, fitted

K = 4


@pytest.fixture(scope="module")
def table():
    model = fitted("ease")
    lists = model.recommend(model.catalogue.users.tail(12), 6)
    return faithfulness(explainer("ease"), lists, K, QUIET)


def test_every_place_is_tried(table):
    assert table.columns[:4] == ["user_id", "item_id", "rank", "faithful"]
    assert len(table) == 12 * K
    assert table["faithful"].null_count() == 0
    for row in table.filter("faithful").sample(4, seed=0).iter_rows(named=True):
        said = explainer("ease").explain(row["user_id"], row["item_id"], k=K).counterfactual
        assert (len(said.removed), said.irreducible) == (row["size"], row["irreducible"])


def test_chance_does_worse_and_the_interval_says_so(table):
    found = summary(table, QUIET)
    assert found.faithful.value == pytest.approx(table["faithful"].mean())
    assert found.gain.low > 0
    assert found.chance.value < 0.6
    assert found.size.value >= 1
    assert found.change.value >= 1 / K  # at least the item itself is replaced


def test_the_metric_of_transparency_reads_the_table(table):
    values = faithful(K)(table)
    assert values["value"].mean() == pytest.approx(table["faithful"].mean())


def test_random_deletions_are_those_of_the_seed(table):
    model = fitted("ease")
    lists = model.recommend(model.catalogue.users.tail(12), 6)
    few = lists.filter(pl.col("user_id") == lists["user_id"][0])
    again = faithfulness(explainer("ease"), few.to_pandas(), K, QUIET)
    assert again.equals(table.filter(pl.col("user_id") == lists["user_id"][0]))
    other = faithfulness(explainer("ease"), lists, K, Runtime(seed=5, progress=False))
    assert not other["chance"].equals(table["chance"])
    assert other["faithful"].equals(table["faithful"])


def test_nothing_is_faithful_where_the_model_keeps_a_learned_vector_of_the_user():
    """A guest of the same model has none, so that deletions move the list."""
    model = fitted("mf")
    guest = model.observe(
        pl.DataFrame({"user_id": ["guest"] * 4, "item_id": ["i001", "i004", "i007", "i010"]})
    )
    ask = Explainer(guest)
    lists = guest.recommend(["u001", "guest"], K)
    found = faithfulness(ask, lists, K, QUIET)
    own = found.filter(pl.col("user_id") == "u001")
    assert own["learned"].all()
    assert not own["faithful"].any()
    assert own["size"].null_count() == K
    row = ask.known.to_list().index("u001")
    item = model.catalogue.items.to_list().index(own["item_id"][0])
    asker = Asker(ask.question(row, guest.histories.take([row]), item, K))
    assert asker.ranks(np.ones((1, len(asker.question.units)), dtype=bool)).tolist() == [asker.rank]
    other = found.filter(pl.col("user_id") == "guest")
    assert not other["learned"].any()


def test_what_nothing_explains_is_not_faithful():
    ask = explainer("popular")
    lists = fitted("popular").recommend(["u001", "u-new"], K)
    found = faithfulness(ask, lists, K, QUIET)
    assert not found["faithful"].any()
    assert found["size"].null_count() == len(found)
    said = summary(found, QUIET)
    assert said.faithful.value == 0
    assert said.size.value is None
    strangers = pl.DataFrame({"user_id": ["nobody"], "item_id": ["i001"], "rank": [1]})
    assert faithfulness(Explainer(fitted("ease")), strangers, K, QUIET)["faithful"].to_list() == [False]
