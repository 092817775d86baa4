from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.audit.attackers import infer_attribute
from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.debias import Context
from equipoise.debias.corrected import fit
from equipoise.debias.during.adversarial import Adversarial
from equipoise.debias.during.adversaries import Adversary
from equipoise.debias.during.eraser import Eraser
from equipoise.debias.during.erasure import Affine, barycentre_maps, distance, least_squares_erasure
from equipoise.debias.during.labels import Labels
from equipoise.errors import DataError, ModelError
from equipoise.metrics import ndcg, per_user
from equipoise.models import Fitted, load_model, save_model
from equipoise.models.ease import EASE
from equipoise.models.mf import MF
from equipoise.models.recommender import Recommender
from equipoise.models.sequence import Sequence
from equipoise.models.training import Step, Training

USERS, ITEMS, QUIET = 300, 60, Runtime(seed=3, threads=1, progress=False)
BY_CHANCE = 0.5  # how far apart the means of 150 and 150 vectors of width 18 are where nothing is to be read
FACTORS = MF(width=16, epochs=12, batch_events=384, learning_rate=0.02, shrinkage=0.01, precision="float32")
WALK = Sequence(
    width=16,
    blocks=1,
    length=12,
    epochs=12,
    batch_places=1200,
    learning_rate=5e-3,
    dropout=0.0,
    precision="float32",
)


def tastes(seed: int = 0, users: int = USERS) -> tuple[Dataset, Dataset]:
    """Train and held-out events of a world whose genres go by gender, and within gender by a taste of one's own;
    whose parity of items goes by age.
    """
    rng = np.random.default_rng(seed)
    gender, age = rng.integers(0, 2, users), rng.integers(0, 2, users)
    own = rng.integers(0, 5, users)
    item = np.arange(ITEMS)
    appetite = (
        1.6 * (item // 30 == gender[:, None])
        + 1.6 * (item % 2 == age[:, None])
        + 2.5 * (item % 5 == own[:, None])
    )
    keys = appetite + rng.gumbel(size=appetite.shape)
    chosen = np.argsort(-keys, axis=1)[:, :13]
    chosen = rng.permuted(chosen, axis=1)
    events = pl.DataFrame({
        "user_id": np.repeat(np.arange(users), 13),
        "item_id": chosen.ravel(),
        "order": np.tile(np.arange(13), users),
    })  # fmt: skip
    people = pl.DataFrame({
        "user_id": np.arange(users),
        "gender": np.array(["f", "m"])[gender],
        "age": np.array(["old", "young"])[age],
    })  # fmt: skip
    items = pl.DataFrame({"item_id": item})
    whole = Dataset(events, people, items, sensitive=("gender", "age"))
    late = pl.col("order") == 12
    return whole.with_events(events.filter(~late)), whole.with_events(events.filter(late))


def published(model: Fitted) -> Any:
    return model.user_vectors(np.arange(len(model.catalogue.users)), model.histories)


def read(vectors: Any, labels: pl.Series, *attackers: str) -> float:
    """Balanced accuracy of the strongest of fresh attackers, turned round where two classes are read below chance."""
    told = infer_attribute(vectors, labels, attackers=attackers or None)
    told = told.filter(~pl.col("control"), pl.col("metric") == "balanced_accuracy")
    values = told["value"].to_numpy()
    return float(np.maximum(values, 1 - values).max())


def readable(model: Fitted, data: Dataset, attribute: str, *attackers: str) -> float:
    """What can be read from the published vectors of users of whom the attribute was given."""
    assert data.users is not None
    return read(published(model), data.users.sort("user_id")[attribute], *attackers)


def quality(model: Fitted, held_out: Dataset) -> float:
    lists = model.recommend(held_out.events["user_id"], 10, runtime=QUIET)
    return float(per_user(lists, held_out.events, {"ndcg": ndcg(10)})["ndcg"].mean())


def corrected(recommender: Recommender, data: Dataset, **fields: Any) -> Fitted:
    return fit(recommender, data, [Adversarial(**fields)], runtime=QUIET).model


@pytest.fixture(scope="module")
def world() -> tuple[Dataset, Dataset]:
    return tastes()


@pytest.fixture(scope="module")
def plain(world) -> Fitted:
    return FACTORS.fit(world[0], runtime=QUIET)


def labelled(seed: int, users: int = 200, width: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Vectors whose means and covariances go by three classes; one column is constant."""
    rng = np.random.default_rng(seed)
    classes = np.arange(users) % 3
    mixes = rng.normal(size=(3, width, width))
    vectors = np.einsum("ni,nij->nj", rng.normal(size=(users, width)), mixes[classes])
    vectors += 3 * rng.normal(size=(3, width))[classes]
    vectors[:, 2] = 1.0
    return vectors, classes


# The closed forms ------------------------------------------------------------------------------------------------


def test_erasure_by_hand():
    vectors = np.array([[1.0, 0.0], [1.0, 2.0], [-1.0, 0.0], [-1.0, 2.0]])
    erased = least_squares_erasure(vectors, np.array([[1.0], [1.0], [0.0], [0.0]]))
    np.testing.assert_allclose(erased(vectors), [[0, 0], [0, 2], [0, 0], [0, 2]], atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**20))
def test_a_linear_reader_finds_nothing_after_erasure(seed):
    vectors, classes = labelled(seed)
    told = np.eye(3)[classes]
    erased = least_squares_erasure(vectors, told)
    left = erased(vectors)
    means = np.stack([left[classes == one].mean(axis=0) for one in range(3)])
    np.testing.assert_allclose(means, np.broadcast_to(vectors.mean(axis=0), means.shape), atol=1e-6)
    design = np.column_stack([np.ones(len(left)), left])
    fitted = design @ np.linalg.lstsq(design, told, rcond=1e-8)[0]
    np.testing.assert_allclose(fitted, np.broadcast_to(told.mean(axis=0), fitted.shape), atol=1e-6)
    np.testing.assert_allclose(left[:, 2], 1.0)  # what is constant tells nothing and stays
    np.testing.assert_allclose(erased(left), left, atol=1e-8)  # nothing is left to erase


def test_the_barycentre_of_two_normal_classes_by_hand():
    classes = np.repeat([0, 1], 5000)
    unit = np.tile([-1.0, 1.0], 2500)
    first, second = barycentre_maps(np.concatenate([unit, 4 + 3 * unit])[:, None], classes)
    np.testing.assert_allclose(first(np.array([[-1.0], [1.0]])), [[0], [4]], atol=2e-3)  # mean 2, deviation 2
    np.testing.assert_allclose(second(np.array([[1.0], [7.0]])), [[0], [4]], atol=2e-3)


def test_after_the_barycentre_means_and_covariances_of_classes_are_equal():
    vectors, classes = labelled(1, users=30_000)
    maps = barycentre_maps(vectors, classes)
    moved = [maps[one](vectors[classes == one]) for one in range(3)]
    for part in moved:
        np.testing.assert_allclose(part.mean(axis=0), vectors.mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(
            np.cov(part.T), np.cov(moved[0].T), atol=0.02 * np.var(vectors, axis=0).max()
        )
    before = [np.cov(vectors[classes == one].T) for one in range(3)]
    assert np.abs(before[0] - before[1]).max() > 0.2 * np.var(vectors, axis=0).max()


def test_maps_in_turn():
    first, second = (
        Affine(np.diag([2.0, 1.0]), np.array([1.0, 0.0])),
        Affine(np.eye(2)[::-1], np.array([0.0, 5.0])),
    )
    vectors = np.array([[1.0, 2.0], [0.0, -1.0]])
    np.testing.assert_allclose(first.then(second)(vectors), second(first(vectors)))


def test_users_without_a_label_go_through_the_map_that_needs_none():
    vectors, classes = labelled(4)
    names = [None if row % 10 == 0 else "abc"[one] for row, one in enumerate(classes)]
    users = pl.Series("user_id", np.arange(200))
    data = Dataset(
        pl.DataFrame({"user_id": users, "item_id": 1}), pl.DataFrame({"user_id": users, "class": names})
    )
    eraser = Eraser(Labels.of(data, ("class",)), "covariances")
    groups = eraser.groups(pl.Series([*range(200), 999]))
    assert groups[200] == groups[0] == 0
    assert groups[1:4].tolist() == [2, 3, 1]
    matrices, offsets = eraser.fit(vectors.astype(np.float32), groups[:200])
    known = groups[:200] > 0
    label_free = least_squares_erasure(vectors[known], np.eye(3)[classes[known]])
    np.testing.assert_allclose(matrices[0], label_free.matrix, atol=1e-4)
    np.testing.assert_allclose(offsets[0], label_free.offset, atol=1e-4)
    assert np.abs(matrices[1] - matrices[0]).max() > 0.01


def test_several_attributes_are_made_equal_at_once():
    vectors, classes = labelled(5, users=15_000)
    other = (np.arange(15_000) // 3) % 2
    vectors = vectors + other[:, None] * np.array([0, 4.0, 0, 0, 1.0, 0])
    users = pl.Series("user_id", np.arange(15_000))
    table = pl.DataFrame({"user_id": users, "class": classes, "other": other})
    labels = Labels.of(Dataset(pl.DataFrame({"user_id": users, "item_id": 1}), table), ("class", "other"))
    for moments in ("means", "covariances"):
        eraser = Eraser(labels, moments)
        groups = eraser.groups(users)
        matrices, offsets = eraser.fit(vectors.astype(np.float32), groups)
        moved = np.einsum("ni,nij->nj", vectors, matrices[groups]) + offsets[groups]
        for told in (classes, other):
            means = np.stack([moved[told == one].mean(axis=0) for one in np.unique(told)])
            assert np.ptp(means, axis=0).max() < 1e-3


def test_the_distance_of_classes_by_hand():
    unit = np.tile([[-1.0, 0], [1.0, 0], [0, -1], [0, 1]], (50, 1)) * np.array([2.0, 4.0])
    shifts = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 8.0]])
    vectors = np.concatenate([unit + shift for shift in shifts])  # deviations sqrt(2) and sqrt(8) within
    classes = np.repeat([0, 1, 2], len(unit))
    assert distance(vectors, classes) == pytest.approx(np.sqrt(9 / 2 + 64 / 8))


def test_a_filter_leaves_the_distance_it_is_told_to_leave():
    rng = np.random.default_rng(2)
    classes = np.arange(4000) % 2
    vectors = rng.normal(size=(4000, 5)) * [1, 2, 1, 1, 3] + classes[:, None] * [1.5, 0, 0, 0, 0]
    users = pl.Series("user_id", np.arange(4000))
    table = pl.DataFrame({"user_id": users, "class": classes})
    labels = Labels.of(Dataset(pl.DataFrame({"user_id": users, "item_id": 1}), table), ("class",))
    for left, expected in ((0.0, 0.0), (0.3, 0.3), (9.0, distance(vectors, classes))):
        eraser = Eraser(labels, "covariances", left)
        groups = eraser.groups(users)
        matrices, offsets = eraser.fit(vectors.astype(np.float32), groups)
        moved = np.einsum("ni,nij->nj", vectors, matrices[groups]) + offsets[groups]
        assert distance(moved, classes) == pytest.approx(expected, abs=0.03)


# Models under it -------------------------------------------------------------------------------------------------


def test_matrix_factorisation_forgets_gender_and_keeps_the_rest(world, plain):
    train, held_out = world
    assert readable(plain, train, "gender") > 0.95
    model = corrected(FACTORS, train, moments="covariances", left=BY_CHANCE)
    assert readable(model, train, "gender") < 0.6
    assert readable(model, train, "age", "logistic") > 0.9
    assert quality(model, held_out) > 0.8 * quality(plain, held_out)


def test_several_attributes_of_matrix_factorisation(world, plain):
    train, _ = world
    assert readable(plain, train, "age", "logistic") > 0.9
    model = corrected(FACTORS, train, attributes=("gender", "age"), moments="covariances", left=BY_CHANCE)
    assert readable(model, train, "gender", "logistic", "mlp") < 0.6
    assert readable(model, train, "age", "logistic", "mlp") < 0.6


def test_adversaries_make_gender_harder_to_read(world, plain):
    train, held_out = world
    model = corrected(FACTORS, train, how="reversal")
    assert (
        readable(model, train, "gender", "logistic", "mlp")
        < readable(plain, train, "gender", "logistic", "mlp") - 0.2
    )
    assert readable(model, train, "age", "logistic") > 0.9
    assert quality(model, held_out) > 0.7 * quality(plain, held_out)


def test_a_sequence_model_forgets_gender_and_is_saved_with_its_filter(world, tmp_path):
    train, held_out = world
    assert readable(WALK.fit(train, runtime=QUIET), train, "gender", "logistic") > 0.8
    model = corrected(WALK, train, moments="covariances", left=BY_CHANCE)
    assert readable(model, train, "gender") < 0.6
    restored = load_model(save_model(model, tmp_path / "model"))
    np.testing.assert_allclose(published(restored), published(model), atol=1e-6)
    users = held_out.events["user_id"]
    assert restored.recommend(users, 5).equals(model.recommend(users, 5))
    assert restored.recommend_from([1, 3, 5], 5).equals(model.recommend_from([1, 3, 5], 5))


@pytest.fixture(scope="module")
def half_told() -> tuple[Dataset, Dataset, np.ndarray]:
    """A world, the same with the gender of every other user withheld, and whose it is."""
    train, _ = tastes(1, 600)
    hidden = np.arange(600) % 2 == 0
    assert train.users is not None
    told = pl.when(pl.col("user_id") % 2 == 1).then(pl.col("gender")).alias("gender")
    return train, Dataset(train.events, train.users.with_columns(told), train.items, train.sensitive), hidden


def as_strangers(model: Fitted, rows: np.ndarray) -> Any:
    """Vectors for the histories of these users, as if the model had never met them."""
    return model.user_vectors(np.full(rows.sum(), -1), model.histories.take(np.flatnonzero(rows)))


def test_means_protect_whose_gender_was_withheld_against_linear_readers(half_told):
    whole, told, hidden = half_told
    gender = whole.users["gender"].filter(hidden)
    plain, model = FACTORS.fit(whole, runtime=QUIET), corrected(FACTORS, told)
    assert read(published(plain)[hidden], gender, "logistic") > 0.95
    assert read(published(model)[hidden], gender, "logistic") < 0.6
    assert read(published(model)[hidden], gender, "nearest_neighbours") < 0.65  # who is still read a little
    assert read(as_strangers(plain, hidden), gender, "logistic") > 0.95
    assert read(as_strangers(model, hidden), gender, "logistic") < 0.6


def test_covariances_do_not_protect_whose_gender_was_withheld_and_say_so(half_told):
    whole, told, hidden = half_told
    gender = whole.users["gender"].filter(hidden)
    method = Adversarial(moments="covariances", left=BY_CHANCE)
    found = fit(FACTORS, told, [method], runtime=QUIET)
    given = told.users["gender"].filter(~hidden)
    assert read(published(found.model)[~hidden], given, "logistic") < 0.6
    assert read(published(found.model)[hidden], gender, "logistic") > 0.8
    assert read(as_strangers(found.model, hidden), gender, "logistic") < 0.65
    warnings = found.diagnostics["adversarial"]["warnings"]
    assert "Of 300 users 'gender' is not known: they are not protected" in warnings[0]
    assert "protects the users whose attribute was given" in warnings[1]


def test_strangers_to_ratings_are_protected_and_saved_so(half_told, tmp_path):
    whole, told, hidden = half_told
    women = (whole.users["gender"] == "f").to_numpy()
    rng = np.random.default_rng(5)
    liked = (whole.events["item_id"].to_numpy() // 30 == 1) == women[whole.events["user_id"].to_numpy()]
    stars = pl.Series("value", 3 + liked + 0.3 * rng.normal(size=len(liked)))
    whole, told = (one.with_events(whole.events.with_columns(stars)) for one in (whole, told))
    ratings = FACTORS.model_copy(update={"loss": "rating", "shrinkage": 0.02})
    plain, model = ratings.fit(whole, runtime=QUIET), corrected(ratings, told)
    gender = whole.users["gender"].filter(hidden)
    assert read(as_strangers(plain, hidden), gender, "logistic") > 0.95
    assert read(as_strangers(model, hidden), gender, "logistic") < 0.6
    restored = load_model(save_model(model, tmp_path / "model"))
    np.testing.assert_array_equal(as_strangers(restored, hidden), as_strangers(model, hidden))


def test_strangers_to_a_sequence_model_go_through_the_map_without_a_label(half_told):
    whole, told, hidden = half_told
    model = corrected(WALK.model_copy(update={"epochs": 6}), told)
    gender = whole.users["gender"].filter(hidden)
    np.testing.assert_allclose(as_strangers(model, hidden), published(model)[hidden], atol=1e-6)
    assert read(as_strangers(model, hidden), gender, "logistic", "nearest_neighbours") < 0.65


def test_matrix_factorisation_is_saved_with_filtered_vectors(world, tmp_path):
    model = corrected(FACTORS.model_copy(update={"epochs": 3}), world[0], moments="means")
    restored = load_model(save_model(model, tmp_path / "model"))
    np.testing.assert_array_equal(published(restored), published(model))
    women = (world[0].users["gender"] == "f").to_numpy()
    means = published(restored)[women].mean(axis=0) - published(restored)[~women].mean(axis=0)
    np.testing.assert_allclose(means, 0, atol=1e-5)
    assert restored.recommend_from([1, 3, 5], 5).equals(model.recommend_from([1, 3, 5], 5))


@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_an_interrupted_training_goes_on_through_its_filter(world, tmp_path, averaging):
    recommender = FACTORS.model_copy(update={"epochs": 3, "averaging": averaging, "schedule": "constant"})
    method, context = Adversarial(how="both", moments="covariances"), Context(world[0], QUIET)
    whole = recommender.fit(world[0], training=method.training(world[0], context), runtime=QUIET)
    kept = Training(checkpoint=tmp_path / "state")

    class Interrupted(Exception):
        pass

    def interrupting(step: Step) -> torch.Tensor:
        steps.append(step)
        if len(steps) == 22:
            raise Interrupted
        return step.representations.new_zeros(())

    steps: list[Step] = []
    with pytest.raises(Interrupted):
        recommender.fit(
            world[0],
            training=kept.merged(method.training(world[0], context)).merged(Training(losses=(interrupting,))),
            runtime=QUIET,
        )
    again = recommender.fit(
        world[0],
        training=kept.merged(method.training(world[0], context)).merged(Training(losses=(interrupting,))),
        runtime=QUIET,
    )
    np.testing.assert_allclose(published(again), published(whole), atol=1e-5)


# The adversaries -------------------------------------------------------------------------------------------------


def step_of(representations: torch.Tensor, users: list[int]) -> Step:
    n = len(users)
    return Step(
        torch.tensor(users),
        torch.zeros(n, dtype=torch.long),
        torch.ones(n),
        representations,
        torch.zeros(1, 3),
        {},
    )


def test_the_gradient_that_leaves_adversaries_is_turned_round():
    torch.manual_seed(0)
    codes = np.array([0, 1, 1, -1])
    representations = torch.randn(4, 3, requires_grad=True)
    gradients = []
    for strength in (0.0, 1.0, 2.0, -1.0):  # -1: as if nothing was turned
        head = Adversary("a", codes, readers=2, strength=strength, warmup=0)
        torch.manual_seed(1)
        network = head.build(3)
        representations.grad = None
        head.loss(network, step_of(representations, [0, 1, 2, 3])).backward()
        gradients.append(representations.grad.clone())
    np.testing.assert_array_equal(gradients[0], 0)
    np.testing.assert_allclose(gradients[1], -gradients[3], atol=1e-7)
    np.testing.assert_allclose(gradients[2], 2 * gradients[1], atol=1e-7)
    np.testing.assert_array_equal(gradients[1][3], 0)  # a user without a class is not attacked
    assert gradients[1][:3].abs().sum() > 0


def test_adversaries_count_each_user_once_and_each_class_alike():
    torch.manual_seed(0)
    vectors = torch.randn(3, 3)
    head = Adversary("a", np.array([0, 1, 1]), readers=1, strength=1.0, warmup=0)
    network = head.build(3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        network.readers[0][-1].bias.copy_(torch.tensor([1.0, 0.0]))
    wrong, right = np.log1p(np.e), np.log1p(np.exp(-1))
    for users in ([0, 1, 2], [0, 0, 0, 1, 2, 2]):
        loss = head.loss(network, step_of(vectors[users], users))
        assert loss.item() == pytest.approx((wrong + right) / 2, rel=1e-5)
    assert head.loss(network, step_of(vectors[[1, 2]], [1, 2])).item() == 0


def test_adversaries_are_heard_little_by_little():
    head = Adversary("a", np.array([0, 1]), readers=1, strength=4.0, warmup=3)
    torch.manual_seed(0)
    network, vectors = head.build(2), torch.randn(2, 2, requires_grad=True)
    sizes = []
    for _ in range(6):
        vectors.grad = None
        head.loss(network, step_of(vectors, [0, 1])).backward()
        sizes.append(float(vectors.grad.norm()))
    np.testing.assert_allclose(np.array(sizes) / sizes[-1], [0.25, 0.5, 0.75, 1, 1, 1], rtol=1e-4)


# What stands in the way ------------------------------------------------------------------------------------------


def test_an_attribute_with_one_value_is_refused(world):
    train, _ = world
    same = Dataset(train.events, train.users.with_columns(gender=pl.lit("f")), sensitive=("gender",))
    assert "fewer than two classes" in str(Adversarial().obstacle(same, FACTORS))
    with pytest.raises(ModelError, match="fewer than two classes"):
        fit(FACTORS, same, [Adversarial()], runtime=QUIET)
    with pytest.raises(DataError, match="classes: f"):
        Adversarial().training(same, Context(same))


def test_what_cannot_be_removed_is_said(world):
    train, _ = world
    assert "has 300 classes" in str(
        Adversarial(attributes=("key",)).obstacle(
            Dataset(train.events, train.users.with_columns(key=pl.col("user_id"))), FACTORS
        )
    )
    assert "'ease'" in str(Adversarial().obstacle(train, EASE()))
    assert Adversarial().obstacle(train, FACTORS) is None
    assert Adversarial().obstacle(train, WALK) is None
    assert "Did you mean 'gender'" in str(Adversarial(attributes=("gendre",)).obstacle(train, FACTORS))
    assert "no sensitive column" in str(Adversarial().obstacle(Dataset(train.events, train.users), FACTORS))
    bands = train.users.with_columns(band=pl.col("user_id") % 15, ring=(pl.col("user_id") // 15) % 14)
    many = Dataset(train.events, bands.with_columns(city=pl.col("gender")))
    crossed = Adversarial(attributes=("band", "ring"))
    assert "have 211 combinations of classes" in str(crossed.obstacle(many, FACTORS))
    assert crossed.model_copy(update={"how": "reversal"}).obstacle(many, FACTORS) is None
    assert Adversarial(attributes=("band", "city")).obstacle(many, FACTORS) is None
    assert "no users table" in str(
        Adversarial(attributes=("gender",)).obstacle(Dataset(train.events), FACTORS)
    )


def test_users_of_unknown_gender_are_counted_and_left_alone_by_adversaries(world):
    train, _ = world
    half = pl.when(pl.col("user_id") < 100).then(None).otherwise(pl.col("gender"))
    data = Dataset(train.events, train.users.with_columns(half.alias("gender")), sensitive=("gender",))
    context = Context(data)
    training = Adversarial(how="both").training(data, context)
    report = context.diagnostics["adversarial"]
    assert report["unknown"] == {"gender": 100}
    assert sum(report["users"]["gender"].values()) == USERS - 100
    assert "Of 100 users 'gender' is not known" in report["warnings"][0]
    assert "they are not protected" in report["warnings"][0]
    Adversarial().training(data, context)
    assert "against linear readers only" in context.diagnostics["adversarial#2"]["warnings"][0]
    assert (training.heads[0].codes[:100] == -1).all()
    assert (training.filter.groups(pl.Series(range(100))) == 0).all()


def test_two_filters_do_not_go_together(world):
    one = Adversarial().training(world[0], Context(world[0]))
    with pytest.raises(ModelError, match="Name all attributes in one"):
        one.merged(one)


def test_the_order_of_rows_does_not_matter(world):
    train, _ = world
    mixed = Dataset(
        train.events.sample(fraction=1, shuffle=True, seed=1),
        train.users.reverse(),
        train.items,
        train.sensitive,
    )
    few = FACTORS.model_copy(update={"epochs": 2})
    np.testing.assert_allclose(published(corrected(few, train)), published(corrected(few, mixed)), atol=1e-6)
