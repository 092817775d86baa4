"""What pictures add for new items, on a world that knows: each claim by a paired interval over users.

New prints are shown to everybody once, and clicks are drawn from the planted preference, so that what the old shop
happened to show decides nothing.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest

from equipoise.component import Runtime
from equipoise.data.splits import Split, Splits, split
from equipoise.language import encode_items, encoder
from equipoise.metrics import ndcg, per_user
from equipoise.models.warm import Warm
from equipoise.statistics import Interval, paired_difference
from equipoise.worlds import Gallery

QUIET = Runtime(threads=1, progress=False)

BOTH = {"modalities": [{"name": "tfidf", "width": 16}, {"name": "image"}]}


@cache
def shop() -> tuple[Splits, pl.DataFrame]:
    """A gallery with a picture of every print, a third of them new; and who would take which of these.

    Prints are liked for what they show and tell alone: what all people like one print for is a draw of its own for
    each, and would need many galleries to average out.
    """
    settings = {"unpictured": 0, "untitled": 0, "shown": 1.3, "quality": 0, "popularity": 0.3}
    world = Gallery(n_users=160, n_items=300, days=40, **settings).generate()
    parts = split(world.dataset(), Split(strategy="cold_items", valid=0.01, test=0.32))
    new = parts.test.positives["item_id"].unique().sort()
    taken = np.random.default_rng(0).random((160, len(new))) < world.preference[:, new.to_numpy() - 1]
    users, places = np.nonzero(taken)
    truth = pl.DataFrame({"user_id": world.users["user_id"].gather(users), "item_id": new.gather(places)})
    return parts, truth


def pictures(parts: Splits, change: str) -> pl.DataFrame:
    """The items with their pictures changed by chance: shuffled, or a share of them hidden."""
    assert parts.train.items is not None
    items, rng = parts.train.items, np.random.default_rng(10)
    if change == "shuffled":
        return items.with_columns(items["picture"].gather(rng.permutation(len(items))))
    kept = pl.Series(rng.random(len(items)) >= float(change))
    return items.with_columns(pl.when(kept).then("picture"))


@cache
def values(name: str, change: str) -> np.ndarray:
    """NDCG@10 of each user over the new prints."""
    parts, truth = shop()
    chosen = encoder("tfidf", width=16) if name == "tfidf" else encoder(name, **BOTH)
    vectors = encode_items(pictures(parts, change), ("title",), chosen, images=("picture",), runtime=QUIET)
    model = Warm(model={"name": "ease"}, half=2).fit(parts.train, vectors=vectors, runtime=QUIET)
    users, new = (truth[name].unique().sort() for name in ("user_id", "item_id"))
    lists = model.recommend(users, 10, candidates=new.to_list(), runtime=QUIET)
    return per_user(lists, truth, {"ndcg": ndcg(10)})["ndcg"].to_numpy()


def gain(name: str, change: str = "0", *, over: tuple[str, str] = ("tfidf", "0")) -> Interval:
    """Mean difference in NDCG@10 over the users, texts alone unless another system is named."""
    return paired_difference(values(name, change), values(*over), n_permutations=1)[0].interval


def test_pictures_help_and_shuffled_ones_do_not():
    true, false = gain("concat"), gain("concat", "shuffled")
    assert true.low > 0.01
    assert false.low <= 0
    assert false.high < true.low


def test_the_fewer_pictures_the_less_they_help_and_they_never_ruin_what_texts_say():
    half, fifth = gain("concat", "0.5"), gain("concat", "0.8")
    assert gain("concat").value > half.value > fifth.value
    assert gain("concat", over=("concat", "0.8")).low > 0
    assert fifth.low > -0.03


def test_what_stands_for_missing_pictures():
    """A generator does not beat the mean where a title says little of a picture; alignment loses what is not shared."""
    pytest.importorskip("torch")
    assert gain("gan", "0.5", over=("concat", "0.5")).low <= 0
    assert gain("gan", "0.5").value > 0
    assert gain("align", "0.5", over=("concat", "0.5")).high < 0
