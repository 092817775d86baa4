"""Attackers on planted features: a known AUC is found and covered, and useless features sit at chance."""

import numpy as np
import polars as pl
import pytest
from scipy import sparse
from scipy.stats import norm
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from equipoise.audit.attackers import ATTACKERS, Attacker, infer_attribute, views
from equipoise.audit.attackers.discrimination import balanced_accuracy, cross_validated_auc, joint_intervals
from equipoise.errors import ConfigError, DataError


def planted(n, distance, seed, share=0.3, noise=0):
    """Binormal: one feature whose mean moves by `distance` standard deviations, so AUC = Phi(distance / sqrt 2)."""
    rng = np.random.default_rng(seed)
    labels = np.where(rng.random(n) < share, "F", "M")
    features = rng.normal(size=(n, 1 + noise))
    features[:, 0] += distance * (labels == "F")
    return features, labels


def cell(table, attacker, metric, column="value"):
    return table.filter((pl.col("attacker") == attacker) & (pl.col("metric") == metric))[column].item()


def test_auc_of_one_fold_is_the_mann_whitney_share_and_has_delongs_error():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 60)
    score = np.round(rng.normal(size=60) + labels, 1)  # with ties
    found = cross_validated_auc(np.column_stack([-score, score]), labels, np.zeros(60, dtype=np.int64))
    assert found.value == pytest.approx(roc_auc_score(labels, score), abs=1e-12)
    a, b = score[labels == 1], score[labels == 0]
    wins = (a[:, None] > b) + 0.5 * (a[:, None] == b)
    delong = wins.mean(axis=1).var(ddof=1) / len(a) + wins.mean(axis=0).var(ddof=1) / len(b)
    assert found.standard_error == pytest.approx(np.sqrt(delong * 60 / 59), rel=1e-9)


def test_macro_auc_and_balanced_accuracy_agree_with_scikit_learn():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 90)
    odds = rng.random((90, 3)) + np.eye(3)[labels] * 0.3
    scores = odds / odds.sum(axis=1, keepdims=True)
    auc = cross_validated_auc(scores, labels, np.zeros(90, dtype=np.int64))
    assert auc.value == pytest.approx(roc_auc_score(labels, scores, multi_class="ovr"), abs=1e-12)
    predicted = scores.argmax(axis=1)
    found = balanced_accuracy(predicted, labels)
    assert found.value == pytest.approx(balanced_accuracy_score(labels, predicted), abs=1e-12)


@pytest.mark.parametrize("attacker", list(ATTACKERS))
def test_each_attacker_finds_most_of_a_planted_signal(attacker):
    features, labels = planted(1500, 1.5, seed=1, noise=3)
    table = infer_attribute(features, labels, attackers=[attacker], level=0.999)
    truth = norm.cdf(1.5 / np.sqrt(2))
    assert truth - 0.06 < cell(table, attacker, "auc") < truth + 0.03
    assert abs(cell(table, attacker, "balanced_accuracy") - norm.cdf(0.75)) < 0.06
    assert cell(table, "permuted labels", "auc", "low") < 0.5 < cell(table, "permuted labels", "auc", "high")


def test_intervals_cover_the_planted_auc_and_balanced_accuracy():
    distance, seeds = 1.0, 60
    truths = {"auc": norm.cdf(distance / np.sqrt(2)), "balanced_accuracy": norm.cdf(distance / 2)}
    covered = dict.fromkeys(truths, 0)
    for seed in range(seeds):
        features, labels = planted(300, distance, seed)
        table = infer_attribute(features, labels, attackers={"threshold": THRESHOLD}, seed=seed)
        for metric, truth in truths.items():
            low, high = (cell(table, "threshold", metric, end) for end in ("low", "high"))
            covered[metric] += low <= truth <= high
    error = np.sqrt(0.95 * 0.05 / seeds)
    assert abs(covered["auc"] / seeds - 0.95) < 3 * error
    assert abs(covered["balanced_accuracy"] / seeds - 0.95) < 3 * error


def test_useless_features_sit_at_chance_without_bias():
    """Pooled scores would fall below 0.5 here, as small classes make the folds' models lean apart."""
    found = []
    for seed in range(50):
        features, labels = planted(100, 0.0, seed, noise=4)
        table = infer_attribute(features, labels, attackers={"threshold": THRESHOLD}, seed=seed)
        found.append(
            [
                cell(table, name, metric)
                for name in ("threshold", "permuted labels")
                for metric in ("auc", "balanced_accuracy")
            ]
        )
    errors = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    assert (np.abs(np.mean(found, axis=0) - 0.5) < 3.5 * errors).all()


def test_the_interval_of_the_strongest_allows_for_its_being_picked():
    rng = np.random.default_rng(2)
    labels, folds = np.repeat([0, 1], 100), np.tile(np.arange(5), 40)
    picked = 0
    for _ in range(100):
        scores = rng.normal(size=(4, 200))
        found = [cross_validated_auc(np.column_stack([-one, one]), labels, folds) for one in scores]
        best = int(np.argmax([one.value for one in found]))
        interval = joint_intervals(found, 100, level=0.95, seed=0)[best]
        picked += interval.low > 0.5
    assert picked / 100 <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / 100)


def test_of_one_estimate_the_joint_interval_is_the_ordinary_one():
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1], 400)
    score = rng.normal(size=800) + labels
    one = cross_validated_auc(np.column_stack([-score, score]), labels, np.zeros(800, dtype=np.int64))
    (alone,) = joint_intervals([one], 400, level=0.95, seed=0)
    plain = one.interval(0.95)
    assert (alone.low, alone.high) == pytest.approx((plain.low, plain.high), abs=3e-3)
    twice = joint_intervals([one, one], 400, level=0.95, seed=0)[0]
    assert (twice.low, twice.high) == pytest.approx((alone.low, alone.high), abs=2e-3)


def test_a_perfect_attacker_still_has_an_interval():
    features = np.repeat([[0.0], [1.0]], 40, axis=0)
    table = infer_attribute(features, ["a"] * 40 + ["b"] * 40, attackers=["logistic"])
    assert cell(table, "logistic", "auc") == pytest.approx(1, abs=1e-12)
    assert 0.85 < cell(table, "logistic", "auc", "low") < 0.97


def test_answers_do_not_depend_on_the_order_of_rows():
    features, labels = planted(120, 1.0, seed=4, noise=80)
    labels[::7] = "X"
    order = np.random.default_rng(5).permutation(120)
    table = infer_attribute(features, labels, folds=3, width=8, max_users=100)
    assert infer_attribute(features[order], labels[order], folds=3, width=8, max_users=100).equals(table)
    thin = sparse.csr_matrix(np.where(np.abs(features) > 1, features, 0))
    names = ["logistic", "nearest_neighbours"]
    table = infer_attribute(thin, labels, attackers=names, folds=3, width=8)
    assert infer_attribute(thin[order], labels[order], attackers=names, folds=3, width=8).equals(table)


def test_a_wide_sparse_signal_is_read():
    rng = np.random.default_rng(6)
    labels = rng.integers(0, 2, 800)
    chance = np.full((800, 300), 0.05)
    chance[:, :60] += 0.08 * labels[:, None]
    lists = sparse.csr_matrix((rng.random((800, 300)) < chance).astype(float))
    table = infer_attribute(lists, labels, attackers=["logistic", "nearest_neighbours"], width=16)
    assert cell(table, "logistic", "auc") > 0.85
    assert table.filter(pl.col("strongest"))["attacker"].unique().to_list() == ["logistic"]


def test_who_is_left_out_is_told():
    features, labels = planted(200, 1.0, seed=7)
    names = labels.astype(object)
    names[:3], names[3:5], names[5], names[6:9] = None, float("nan"), "unknown", "rare"
    table = infer_attribute(features, names, attackers={"threshold": THRESHOLD}, max_users=150)
    assert set(table["users"]) == {150}
    assert set(table["unknown"]) == {6}
    assert table["dropped"].to_list() == [["rare"]] * len(table)
    assert set(table["sampled_from"]) == {191}
    assert set(table["classes"]) == {2}


def test_controls_are_the_majority_and_permuted_labels():
    table = infer_attribute(*planted(200, 1.0, seed=8), attackers={"threshold": THRESHOLD})
    assert table["attacker"].to_list() == ["threshold", "majority", "permuted labels"] * 2
    assert table["control"].to_list() == [False, True, True] * 2
    assert cell(table, "majority", "auc") == cell(table, "majority", "balanced_accuracy") == 0.5
    three = infer_attribute(np.arange(30.0), list("abc") * 10, attackers={"threshold": THRESHOLD})
    assert cell(three, "majority", "balanced_accuracy") == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("features", "labels", "options", "error", "said"),
    [
        (np.zeros((3, 1)), ["a", "b"], {}, DataError, "2 labels do not fit 3 rows"),
        (
            np.zeros((9, 1)),
            ["a"] * 6 + ["b"] * 3,
            {},
            DataError,
            r"Fewer than two classes have 5 users \(a: 6, b: 3\)",
        ),
        (np.full((10, 1), np.nan), ["a", "b"] * 5, {}, DataError, "NaN or infinity"),
        (pl.DataFrame({"user_id": [1] * 10, "x": range(10)}), ["a", "b"] * 5, {}, DataError, "a user twice"),
        (pl.DataFrame({"x": ["1"] * 10}), ["a", "b"] * 5, {}, DataError, "'x' is no number"),
        (
            np.zeros((10, 1)),
            ["a", "b"] * 5,
            {"attackers": ["logisitc"]},
            ConfigError,
            "Did you mean 'logistic'",
        ),
        (np.zeros((10, 1)), ["a", "b"] * 5, {"folds": 1}, ConfigError, "`folds` is 1"),
        (np.zeros((10, 1)), ["a", "b"] * 5, {"level": 95}, ConfigError, "level is 95"),
    ],
)
def test_what_cannot_be_attacked_is_said(features, labels, options, error, said):
    with pytest.raises(error, match=said):
        infer_attribute(features, labels, **options)


RECOMMENDED = pl.DataFrame(
    {
        "user_id": [2, 2, 1, 9],
        "item_id": [30, 10, 30, 10],
        "rank": [1, 3, 2, 1],
        "score": [0.9, 0.4, 0.8, 1.0],
    }
)


def test_views_are_matrices_with_a_row_for_each_user_that_is_asked_for():
    train = pl.DataFrame(
        {"user_id": [1, 1, 1, 3], "item_id": [7, 7, 8, 8], "event": ["click", "click", "impression", "click"]}
    )
    vectors = pl.DataFrame({"user_id": [1, 2, 3], "vector": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]})
    found = views(RECOMMENDED, [3, 2, 1], train=train, vectors=vectors)
    discounted = [[0, 0], [0.5, 1.0], [0, 1 / np.log2(3)]]
    assert found["lists"].toarray() == pytest.approx(np.array(discounted))
    assert found["scores"].toarray().tolist() == [[0, 0], [0.4, 0.9], [0, 0.8]]
    assert found["profile"].toarray().tolist() == [[0, 1], [0, 0], [1, 0]]
    assert found["vectors"].tolist() == [[5, 6], [3, 4], [1, 2]]
    assert set(views(RECOMMENDED.drop("score"), [1], k=1)) == {"lists"}
    assert views(RECOMMENDED, [1], k=1)["lists"].nnz == 0


def test_users_without_a_vector_are_told():
    vectors = pl.DataFrame({"user_id": [1], "x": [0.5]})
    with pytest.raises(DataError, match=r"no vector \(1 of 2 users"):
        views(RECOMMENDED, [1, 2], vectors=vectors)


class Threshold:
    """Scores by the first feature; learns only which class has the higher mean, and the line between."""

    def get_params(self, deep=True):
        return {}

    def fit(self, features, labels):
        means = [features[labels == label, 0].mean() for label in np.unique(labels)]
        self.sign, self.middle, self.classes = np.sign(means[1] - means[0]), np.mean(means[:2]), len(means)
        self.shares = np.bincount(labels) / len(labels)
        return self

    def predict_proba(self, features):
        high = 1 / (1 + np.exp(-self.sign * (features[:, 0] - self.middle)))
        odds = np.column_stack([1 - high, high, *np.zeros((self.classes - 2, len(features)))]) * self.shares
        return odds / odds.sum(axis=1, keepdims=True)


THRESHOLD = Attacker(lambda seed, users: Threshold())
