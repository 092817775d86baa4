"""Learners of heterogeneous effects on planted effects, and on IHDP against the printed errors."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from pydantic import ValidationError
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from equipoise.causal.heterogeneity import (
    LEARNERS,
    DRLearner,
    EconMLLearner,
    Features,
    TLearner,
    XLearner,
    cross_fitted_effects,
)
from equipoise.errors import ConfigError, DataError

TRUE_CATE_ERROR = {1: 0.583, 2: 0.688, 3: 0.644, 4: 0.674, 5: 1.011}  # linear T-learner, IHDP 1 to 5


def planted(n=2000, seed=0, share=None):
    """Linear surfaces with an effect of 1 + 2 x0, confounded by x1."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    e = 1 / (1 + np.exp(-x[:, 1])) if share is None else np.full(n, share)
    t = (rng.random(n) < e).astype(float)
    effect = 1 + 2 * x[:, 0]
    y = x @ [1.0, 2.0, -1.0] + t * effect + rng.normal(size=n)
    return x, t, y, effect


def root_mean_square(values):
    return float(np.sqrt(np.mean(np.square(values))))


@pytest.mark.parametrize("learner", [TLearner(), XLearner(), DRLearner()], ids=lambda one: one.name)
def test_linear_effects_are_found(learner):
    x, t, y, effect = planted()
    found = learner.fit(x, t, y).effect(x)
    assert root_mean_square(found - effect) < 0.15
    assert found.mean() == pytest.approx(effect.mean(), abs=0.15)


TREE = DecisionTreeRegressor(max_leaf_nodes=8, min_samples_leaf=20, random_state=0)


@pytest.mark.parametrize(
    "learner",
    [
        TLearner(outcome_model=TREE),
        XLearner(outcome_model=TREE, effect_model=TREE),
        DRLearner(outcome_model=TREE, effect_model=TREE),
        TLearner(outcome_model="boosting"),
    ],
    ids=["t", "x", "dr", "boosting"],
)
def test_flexible_learners_find_a_step_that_linear_ones_miss(learner):
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, size=(2000, 2))
    t = (rng.random(2000) < 0.5).astype(float)
    effect = np.where(np.abs(x[:, 0]) < 0.5, 2.0, 0.0)
    y = x[:, 1] + t * effect + 0.5 * rng.normal(size=2000)
    error = root_mean_square(learner.fit(x, t, y).effect(x) - effect)
    linear = root_mean_square(TLearner().fit(x, t, y).effect(x) - effect)
    assert error < 0.6 * linear


def test_the_x_learner_needs_few_treated_where_the_effect_is_simple():
    x, t, _, _ = planted(n=3000, seed=5, share=0.03)
    rng = np.random.default_rng(6)
    y = 4 * np.sin(3 * x[:, 0]) + t * 1.0 + rng.normal(size=len(x))
    models = {"outcome_model": TREE}
    t_error = root_mean_square(TLearner(**models).fit(x, t, y).effect(x) - 1)
    x_error = root_mean_square(XLearner(**models).fit(x, t, y).effect(x) - 1)
    assert x_error < 0.7 * t_error


def test_the_dr_learner_survives_a_wrong_outcome_model():
    x, t, y, effect = planted(n=4000, seed=8)
    wrong = TLearner(outcome_model=DummyRegressor()).fit(x, t, y).effect(x)
    right = DRLearner(outcome_model=DummyRegressor()).fit(x, t, y).effect(x)
    assert wrong.mean() - effect.mean() > 1
    assert right.mean() == pytest.approx(effect.mean(), abs=0.3)


def test_scores_average_to_the_effect():
    x, t, y, effect = planted(n=4000, seed=2)
    scores = DRLearner().scores(x, t, y)
    assert scores.mean() == pytest.approx(effect.mean(), abs=4 * scores.std() / np.sqrt(len(scores)))


def test_cross_fitted_effects_do_not_see_their_own_row():
    rng = np.random.default_rng(1)
    x, t, y = rng.normal(size=(400, 5)), rng.integers(0, 2, 400), rng.normal(size=400)
    learner = TLearner(outcome_model=DecisionTreeRegressor(random_state=0))
    seen = learner.fit(x, t, y).effect(x)
    unseen = cross_fitted_effects(learner, x, t, y)
    residual = np.where(t == 1, y, -y)
    assert np.corrcoef(seen, residual)[0, 1] > 0.5
    assert abs(np.corrcoef(unseen, residual)[0, 1]) < 0.2


def test_clusters_are_never_divided():
    rng = np.random.default_rng(2)
    user = np.repeat(np.arange(60), 10)
    x = rng.normal(size=(60, 4))[user]
    t = rng.integers(0, 2, 600).astype(float)
    y = rng.normal(size=60)[user] * (2 * t - 1)  # pure noise that all rows of a user share
    learner = TLearner(outcome_model=DecisionTreeRegressor(random_state=0))
    own = y * (2 * t - 1)
    apart = cross_fitted_effects(learner, x, t, y, clusters=user)
    leaked = cross_fitted_effects(learner, x, t, y)
    assert np.corrcoef(leaked, own)[0, 1] > 0.7
    assert np.corrcoef(apart, own)[0, 1] < 0.4


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
def test_frames_of_every_engine_code_text_the_same(engine):
    x, t, y, _ = planted(n=300)
    frame = pl.DataFrame({"a": x[:, 0], "device": np.where(x[:, 1] > 0, "phone", "desk"), "b": x[:, 1]})
    fitted = TLearner().fit(frame, t, y)
    assert fitted.features.names == ("a", "device=phone", "b")
    if engine == "pandas":
        table = frame.to_pandas()
        assert isinstance(table, pd.DataFrame)
    elif engine == "duckdb":
        duckdb = pytest.importorskip("duckdb")
        table = duckdb.sql("select * from frame")
    else:
        table = frame.lazy()
    assert np.allclose(fitted.effect(table), fitted.effect(frame))
    assert np.allclose(TLearner().fit(table, t, y).effect(frame), fitted.effect(frame))
    assert fitted.effect(pl.DataFrame({"a": [0.0], "device": ["unknown"], "b": [0.0]})).shape == (1,)


def test_chosen_features_and_own_estimators():
    x, t, y, _ = planted(n=500)
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "answer": y})
    fitted = TLearner().fit(frame, t, y, features=["a", "b"])
    assert fitted.features.columns == ("a", "b")
    bought = (y > 0).astype(int)
    probabilities = TLearner(outcome_model=LogisticRegression()).fit(x, t, bought).effect(x)
    assert ((probabilities > -1) & (probabilities < 1)).all()
    assert len(np.unique(probabilities)) > 100


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"t": lambda t: t * 0}, "0 rows are treated"),
        ({"t": lambda t: t + 1}, "not 0 or 1"),
        ({"t": lambda t: t[:-1]}, "do not fit"),
        ({"y": lambda y: np.where(np.arange(len(y)) == 3, np.nan, y)}, "NaN"),
        ({"x": lambda x: np.where(x > 2, np.inf, x)}, "features"),
        ({"x": lambda x: x[:, 0]}, "rows x columns"),
    ],
)
def test_rows_that_cannot_be_learnt_from_are_refused(change, words):
    x, t, y, _ = planted(n=200)
    x, t, y = (
        change.get("x", lambda v: v)(x),
        change.get("t", lambda v: v)(t),
        change.get("y", lambda v: v)(y),
    )
    with pytest.raises(DataError, match=words):
        TLearner().fit(x, t, y)


def test_unknown_names_are_told_the_nearest():
    x, t, y, _ = planted(n=100)
    with pytest.raises(ConfigError, match="boosting"):
        TLearner(outcome_model="bosting").fit(x, t, y)
    with pytest.raises(ConfigError, match="propensity"):
        DRLearner(propensity_model="forest2").fit(x, t, y)
    with pytest.raises(DataError, match="levels"):
        Features.of(pl.DataFrame({"id": [str(i) for i in range(60)]}))
    with pytest.raises(DataError, match="2 features do not fit the 3"):
        TLearner().fit(x, t, y).effect(x[:, :2])


def test_the_registry_builds_learners_from_plain_fields():
    assert LEARNERS.names() == ["dr", "econml", "t", "x"]
    assert LEARNERS.build("dr", {"folds": 3}) == DRLearner(folds=3)


def test_econml_behind_the_same_face():
    pytest.importorskip("econml")
    from econml.dr import LinearDRLearner
    from sklearn.linear_model import LinearRegression

    x, t, y, effect = planted(n=1500)
    estimator = LinearDRLearner(
        model_propensity=LogisticRegression(), model_regression=LinearRegression(), random_state=0
    )
    learner = EconMLLearner(estimator=estimator)
    found = learner.fit(x, t, y).effect(x)
    assert root_mean_square(found - effect) < 0.25
    assert np.corrcoef(found, DRLearner().fit(x, t, y).effect(x))[0, 1] > 0.99
    grouped = learner.fit(x, t, y, clusters=np.arange(1500) // 3).effect(x)
    assert root_mean_square(grouped - effect) < 0.25
    assert not hasattr(estimator, "featurizer_")


@pytest.mark.parametrize("replication", [1, 5])
def test_ihdp_by_the_linear_t_learner(real_data, replication):
    table = np.loadtxt(real_data / "ihdp" / f"ihdp_npci_{replication}.csv", delimiter=",")
    t, y, truth, x = table[:, 0], table[:, 1], table[:, 4] - table[:, 3], table[:, 5:]
    error = root_mean_square(TLearner().fit(x, t, y).effect(x) - truth)
    assert error == pytest.approx(TRUE_CATE_ERROR[replication], abs=5e-4)


def test_what_cannot_be_learnt_from_is_told():
    x, t, y, _ = planted(n=200)
    with pytest.raises(DataError, match="no feature"):
        TLearner().fit(np.empty((200, 0)), t, y)
    with pytest.raises(DataError, match="treatments are no numbers"):
        TLearner().fit(x, np.where(t == 1, "yes", "no"), y)
    few = np.zeros(200)
    few[:5] = 1
    with pytest.raises(DataError, match="too few for the regression 'quadratic'"):
        DRLearner(outcome_model="quadratic").fit(x, few, y)
    with pytest.raises(ConfigError, match="1 folds"):
        cross_fitted_effects(TLearner(), x, t, y, folds=1)
    with pytest.raises(DataError, match="3 cluster labels"):
        DRLearner().fit(x, t, y, clusters=[1, 2, 3])
    for missing in (None, float("nan")):
        with pytest.raises(DataError, match="of no cluster"):
            DRLearner().fit(x, t, y, clusters=[missing] * 2 + [1] * 198)
    with pytest.raises(ValidationError):
        DRLearner(clip=0)
    with pytest.raises(ValidationError):
        TLearner(seed=-1)


def test_one_feature_is_one_name_and_text_is_no_number():
    x, t, y, _ = planted(n=200)
    rows = pl.DataFrame({"xa": x[:, 0], "x": x[:, 1], "a": x[:, 2]})
    fitted = TLearner().fit(rows, t, y, features="xa")
    assert fitted.features.columns == ("xa",)
    with pytest.raises(DataError, match="'xa' held numbers, and now holds String"):
        fitted.effect(pl.DataFrame({"xa": ["old"]}))
