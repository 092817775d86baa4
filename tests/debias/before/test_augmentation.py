import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.debias.before.augmentation.adding import added, modelled, new_ids, people, repeated
from equipoise.debias.before.augmentation.changing import changed
from equipoise.debias.before.augmentation.copying import copying, nearest
from equipoise.debias.before.augmentation.networks import arrivals, first_arrivals
from equipoise.debias.before.augmentation.profiles import Profiles, drawn
from equipoise.debias.before.augmentation.realism import realism
from equipoise.debias.before.augmentation.shortage import shortage
from equipoise.debias.before.augmentation.telling import tell_apart
from equipoise.debias.before.augmentation.tilting import multipliers, redrawn
from equipoise.errors import DataError
from tests.debias.before.minority import minority

QUIET = Runtime(seed=5, threads=1, progress=False)


def _profiles(rows, groups, items=None, names=("a", "b")):
    items = items or 1 + max(max(row) for row in rows)
    matrix = sparse.lil_matrix((len(rows), items), dtype=np.float32)
    for place, row in enumerate(rows):
        matrix[place, row] = 1
    users = pl.Series("user_id", np.arange(len(rows)))
    return Profiles(pl.Series("item_id", np.arange(items)), names, matrix.tocsr(), np.array(groups), users)


def test_profiles_are_sets_of_taste_of_users_whose_group_is_known():
    events = pl.DataFrame({
        "user_id": [3, 3, 3, 1, 2, 9, 1],
        "item_id": [7, 7, 5, 5, 7, 5, None],
        "event": ["click", "click", "impression", "view", "click", "click", "search"],
        "sample_weight": [1.0, 1.0, 1.0, 2.0, 0.0, 1.0, 1.0],
    })  # fmt: skip
    users = pl.DataFrame({"user_id": [1, 2, 3, 4], "group": ["x", "x", "y", "y"]})
    found = Profiles.of(Dataset(events, users, sensitive=("group",)), None)
    assert found.users.to_list() == [1, 3]
    assert found.items.to_list() == [5, 7]
    assert found.matrix.toarray().tolist() == [[1, 0], [0, 1]]
    assert [found.names[code] for code in found.group] == ["x", "y"]


def test_shortage_by_hand():
    real = _profiles([[0, 1, 2, 3]] * 3 + [[0, 1]] * 2, [0, 0, 0, 1, 1])
    by_events = shortage(real, "events", 1.0, 10.0)  # 12 events against 4: 8 lacking, at 2 each
    assert by_events.lacking.tolist() == [0, 4]
    assert shortage(real, "users", 1.0, 10.0).lacking.tolist() == [0, 1]
    assert shortage(real, "events", 0.5, 10.0).lacking.tolist() == [0, 1]
    assert shortage(real, "events", 1.0, 1.5).making.tolist() == [0, 3]


def test_counterparts_fill_what_a_group_lacks_from_the_others():
    real = _profiles([[0, 1, 2, 3]] * 5 + [[0, 1]] * 2, [0] * 5 + [1] * 2)
    rows, into = changed(real, "balance", "events", 1.0, np.random.default_rng(0))
    assert len(rows) == 4  # 16 events lacking, 4 each
    assert set(rows) < set(range(5))
    assert set(into) == {1}
    everyone, other = changed(real, "everyone", "events", 1.0, np.random.default_rng(0))
    assert everyone.tolist() == list(range(7))
    assert (other == 1 - real.group).all()


@pytest.mark.parametrize("kind", [pl.Int64, pl.UInt32, pl.Int8, pl.String])
def test_new_ids_are_of_the_same_type_and_nobodys(kind):
    users = pl.Series("user_id", ["1", "5", "7"]).cast(kind)
    data = Dataset(pl.DataFrame({"user_id": users[:2], "item_id": [1, 1]}), pl.DataFrame({"user_id": users}))
    made = new_ids(data, 4)
    assert made.dtype == kind
    assert made.n_unique() == 4
    assert not set(made) & set(users)


def test_ids_that_do_not_fit_are_told():
    data = Dataset(pl.DataFrame({"user_id": pl.Series([3], dtype=pl.Int8), "item_id": [1]}))
    with pytest.raises(DataError, match="200 more user ids do not fit Int8"):
        new_ids(data, 200)


def test_made_events_are_modelled_on_events_with_the_same_item_and_flagged():
    events = pl.DataFrame({
        "user_id": [1, 1, 2, 2],
        "item_id": [10, 11, 10, 11],
        "event": ["rating", "rating", "rating", "impression"],
        "value": [5.0, 2.0, 4.0, None],
        "propensity": [0.1, 0.2, 0.3, 0.4],
        "timestamp": [100, 200, 300, 400],
    })  # fmt: skip
    users = pl.DataFrame({"user_id": [1, 2], "age": [30, 40], "group": [True, False]})
    data = Dataset(events, users, sensitive=("group",))
    real = Profiles.of(data, None)
    made = real.made(
        sparse.csr_matrix(np.array([[1.0, 1.0]] * 40, dtype=np.float32)), np.zeros(40, dtype=int)
    )
    whole = added(
        data,
        modelled(data, made, np.random.default_rng(0)),
        people(data, "group", pl.Series(["true"] * 40)),
    )
    new = whole.events.filter("synthetic")
    assert whole.events.filter(~pl.col("synthetic")).drop("synthetic").equals(events)
    assert set(new.filter(item_id=10)["value"]) == {5.0, 4.0}
    assert set(new.filter(item_id=11)["timestamp"]) == {200}
    assert set(new.filter(item_id=10)["propensity"]) == {0.1, 0.3}
    rows = whole.users.filter(pl.col("user_id") < 0)
    assert len(rows) == 40
    assert rows["group"].all()
    assert rows["age"].null_count() == 40
    again = added(
        whole, repeated(whole, pl.Series([2])), people(whole, "group", pl.Series(["true"]), pl.Series([2]))
    )
    last, shown = again.events.tail(2).rows(named=True)
    assert (last["user_id"], last["item_id"], last["value"], last["synthetic"]) == (-41, 10, 4.0, True)
    assert (shown["user_id"], shown["item_id"], shown["event"]) == (-41, 11, "impression")
    assert again.users.tail(1).to_dicts() == [{"user_id": -41, "age": 40, "group": True}]


def test_events_without_weight_are_no_models():
    events = pl.DataFrame({
        "user_id": [1, 1, 2, 2],
        "item_id": [10, 10, 10, 11],
        "sample_weight": [0.0, 0.0, 2.0, 2.0],
    })  # fmt: skip
    users = pl.DataFrame({"user_id": [1, 2, 3], "group": ["a", "b", "a"]})
    more = pl.concat([events, pl.DataFrame({"user_id": [3], "item_id": [11], "sample_weight": [2.0]})])
    data = Dataset(more, users, sensitive=("group",))
    whole = sparse.csr_matrix(np.ones((30, 2), dtype=np.float32))
    made = Profiles.of(data, None).made(whole, np.zeros(30, dtype=int))
    assert set(modelled(data, made, np.random.default_rng(0))["sample_weight"]) == {2.0}
    with pytest.raises(DataError, match="1 group of 'group'"):
        Profiles.of(data.with_events(events), None)


def test_likelihood_of_arrivals_by_hand():
    logits = torch.tensor([[np.log(0.5), np.log(2.0)]], dtype=torch.float32)
    found = arrivals(logits, torch.tensor([[1.0, 0.0]])).item()
    assert found == pytest.approx(np.log(1 - np.exp(-0.5)) - 2.0, abs=1e-5)


def test_first_arrivals_are_sets_of_the_length_with_gradients():
    logits = torch.tensor([[0.0, 5.0, -5.0, 5.0]] * 200, requires_grad=True)
    lengths = torch.tensor([2] * 100 + [3] * 100)
    made = first_arrivals(logits, lengths, torch.rand((200, 4), generator=torch.Generator().manual_seed(0)))
    assert made.sum(dim=1).round().long().tolist() == lengths.tolist()
    assert made[:100, [1, 3]].mean() > 0.97
    made[:, 0].sum().backward()
    assert (logits.grad[:, 0] > 0).all()


def test_items_are_drawn_without_replacement_in_proportion_to_their_rates():
    logits = np.log(np.array([[6.0, 3.0, 1.0]])).repeat(20_000, axis=0)
    made = drawn(logits, np.ones(20_000, dtype=np.int64), np.random.default_rng(0))
    assert np.asarray(made.mean(axis=0)).ravel() == pytest.approx([0.6, 0.3, 0.1], abs=0.015)
    two = drawn(logits, np.full(20_000, 2), np.random.default_rng(1)).toarray()
    assert (two.sum(axis=1) == 2).all()
    assert two[:, 2].mean() == pytest.approx(0.1 + 0.6 / 4 + 0.3 / 7, abs=0.015)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_multipliers_bring_the_expected_features_to_their_targets(seed):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(60, 2))
    base, lengths = rng.normal(size=(3, 60)), np.array([5, 10, 20])
    targets = rng.uniform(-0.4, 0.4, size=(3, 2))
    found = multipliers(base, features, targets, lengths)
    arrived = -np.expm1(-np.exp(base + found[:, :1] + found[:, 1:] @ features.T))
    assert arrived.sum(axis=1) == pytest.approx(lengths, rel=0.01)
    assert arrived @ features / lengths[:, None] == pytest.approx(targets, abs=0.02)


def test_a_profile_without_a_change_keeps_most_of_its_items_and_one_with_a_change_moves():
    real = Profiles.of(minority()[0], None)
    masses = (np.arange(len(real.items)) % 4 >= 2).astype(float)[:, None]
    now = (real.matrix @ masses) / real.lengths[:, None]
    rng = np.random.default_rng(0)
    same = redrawn(real, masses, now, real.lengths, rng)
    assert same.multiply(real.matrix).sum() / real.matrix.sum() > 0.75
    moved = redrawn(real, masses, np.full_like(now, 0.8), real.lengths, rng)
    assert (moved @ masses).sum() / moved.sum() == pytest.approx(0.8, abs=0.04)


def test_copies_are_found_and_people_are_not():
    rng = np.random.default_rng(0)
    sets = [np.sort(rng.choice(60, 12, replace=False)).tolist() for _ in range(300)]
    learned, withheld, others = (_profiles(part, [0] * 100, 60) for part in np.split(np.array(sets), 3))
    assert nearest(learned, learned).tolist() == [1.0] * 100
    honest = copying(others, learned, withheld)
    assert not honest["copies"]
    assert honest["share_beyond"] < 0.15
    caught = copying(learned.take(np.arange(100) % 3 == 0), learned, withheld)
    assert caught["copies"]
    assert caught["identical"] == 34


def test_jaccard_by_hand():
    asked, known = _profiles([[0, 1, 2]], [0], 5), _profiles([[0, 1, 3, 4], [2]], [0, 0], 5)
    assert nearest(asked, known).tolist() == [pytest.approx(2 / 5)]


def test_the_classifier_tells_what_is_alike_from_what_is_not():
    real, again = (Profiles.of(minority(seed)[0], None) for seed in (0, 1))
    everyone = np.ones(len(real), dtype=bool)
    honest = tell_apart(again.made(again.matrix, again.group), real, everyone, QUIET)
    assert honest.covers_chance
    popular = drawn(
        np.log(real.counts + 1.0)[None, :].repeat(len(real), axis=0), real.lengths, np.random.default_rng(0)
    )
    told = tell_apart(real.made(popular, real.group), real, everyone, QUIET)
    assert told.low > 0.7
    assert not told.covers_chance


def test_realism_is_that_of_halves_for_real_people_and_less_for_others():
    real, again = (Profiles.of(minority(seed)[0], None) for seed in (0, 1))
    like = realism(again, real, np.random.default_rng(0))
    assert like["pairs_correlation"] > like["pairs_correlation_of_halves"] - 0.05
    assert like["length_ks"] == 0.0
    shuffled = real.made(real.matrix[:, np.random.default_rng(0).permutation(len(real.items))], real.group)
    assert realism(shuffled, real, np.random.default_rng(0))["pairs_correlation"] < 0.3
