from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression

from equipoise.causal.graph import CausalGraph, GraphError
from equipoise.causal.mechanisms import StructuralModel
from equipoise.errors import ConfigError, DataError, ModelError

GRAPH = CausalGraph.parse(
    "age -> price; age -> demand; price -> demand; demand -> sales; price -> sales; club -> sales"
)


def noises(n: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    drawn = {name: rng.normal(size=n) for name in ("age", "price", "demand", "sales")}
    return {**drawn, "club": rng.random(n) < 0.4}


def world(u: dict[str, Any], *, curved: bool, price: Any = None) -> pl.DataFrame:
    """The planted structural model: its noises in, its variables out."""
    age = u["age"]
    price = 0.5 * age + u["price"] if price is None else np.broadcast_to(price, age.shape)
    demand = (np.sin(1.5 * price) + age**2 / 2 if curved else age - 0.8 * price) + 0.5 * u["demand"]
    sales = 0.8 * demand - 0.3 * price + u["club"] + 0.3 * u["sales"]
    columns = {"age": age, "price": price, "demand": demand, "sales": sales, "club": u["club"]}
    return pl.DataFrame(columns).select(GRAPH.nodes)


def error(found: pl.DataFrame, truth: pl.DataFrame, name: str) -> float:
    return float(np.sqrt(np.mean((found[name] - truth[name]).to_numpy() ** 2)))


@pytest.fixture(scope="module")
def curved() -> StructuralModel:
    return StructuralModel.fit(GRAPH, world(noises(1500, 0), curved=True))


@pytest.fixture(scope="module")
def straight() -> StructuralModel:
    return StructuralModel.fit(GRAPH, world(noises(1500, 0), curved=False), regressor=LinearRegression())


def test_counterfactuals_of_a_linear_world_are_the_planted_ones(straight: StructuralModel) -> None:
    u = noises(500, 1)
    found = straight.counterfactual(world(u, curved=False), do={"price": 1.5})
    truth = world(u, curved=False, price=1.5)
    assert error(found, truth, "demand") < 0.05
    assert error(found, truth, "sales") < 0.05
    assert truth["sales"].std() > 0.8  # so that the errors above mean something


def test_counterfactuals_of_a_curved_world_are_near_the_planted_ones(curved: StructuralModel) -> None:
    u = noises(500, 1)
    seen = world(u, curved=True)
    found = curved.counterfactual(seen, do={"price": 1.0})
    truth = world(u, curved=True, price=1.0)
    assert error(found, truth, "sales") < 0.1
    assert error(seen, truth, "sales") > 0.5
    straight = StructuralModel.fit(GRAPH, seen, regressor=LinearRegression())
    assert error(straight.counterfactual(seen, do={"price": 1.0}), truth, "sales") > 0.3


def test_samples_after_an_intervention_have_the_planted_mean_and_spread(curved: StructuralModel) -> None:
    found = curved.sample(20_000, do={"price": 1.0}, seed=4)["sales"]
    truth = world(noises(200_000, 9), curved=True, price=1.0)["sales"]
    assert found.mean() == pytest.approx(truth.mean(), abs=0.06)
    assert found.std() == pytest.approx(truth.std(), rel=0.05)
    assert abs(curved.sample(20_000, seed=4)["sales"].mean() - truth.mean()) > 0.3


def test_nothing_changes_where_the_intervention_does_not_reach(curved: StructuralModel) -> None:
    rows = world(noises(50, 2), curved=True)
    found = curved.counterfactual(rows, do={"demand": 0.0})
    assert found.select("age", "price", "club").equals(rows.select("age", "price", "club"))
    assert found["demand"].to_list() == [0.0] * 50
    same = curved.counterfactual(rows, do={"price": rows["price"]})
    assert same["sales"].to_numpy() == pytest.approx(rows["sales"].to_numpy(), abs=1e-9)


def test_one_seed_draws_the_same_noise_for_every_intervention(straight: StructuralModel) -> None:
    low, high = (straight.sample(200, do={"price": price}, seed=3) for price in (0.0, 1.0))
    effect = (high["sales"] - low["sales"]).to_numpy()
    assert effect == pytest.approx(np.full(200, effect[0]))
    assert effect[0] == pytest.approx(-0.94, abs=0.05)


def test_callers_get_their_own_kind_of_frame_and_their_other_columns(straight: StructuralModel) -> None:
    rows = world(noises(20, 2), curved=False)
    expected = straight.counterfactual(rows, do={"price": 0.5})["sales"].to_list()
    frame = pd.DataFrame({**rows.to_dict(as_series=False), "user_id": range(20)})
    found = straight.counterfactual(frame, do={"price": 0.5})
    assert isinstance(found, pd.DataFrame)
    assert list(found["user_id"]) == list(range(20))
    assert found["sales"].tolist() == expected
    lazy = straight.counterfactual(rows.lazy(), do={"price": pd.Series([0.5] * 20)})
    assert isinstance(lazy, pl.DataFrame)
    assert lazy["sales"].to_list() == expected


def test_a_category_with_causes_is_drawn_but_has_no_counterfactual() -> None:
    rng = np.random.default_rng(0)
    age = rng.normal(size=3000)
    shown = (rng.random(3000) < 1 / (1 + np.exp(-2 * age))).astype(int)
    data = pl.DataFrame({"age": age, "shown": shown, "spent": age + 2 * shown + rng.normal(size=3000)})
    model = StructuralModel.fit(CausalGraph.parse("age -> shown -> spent; age -> spent"), data)
    drawn = model.sample(20_000, do={"age": 1.0}, seed=1)
    assert drawn["shown"].mean() == pytest.approx(1 / (1 + np.exp(-2)), abs=0.03)
    assert drawn["spent"].mean() == pytest.approx(1 + 2 / (1 + np.exp(-2)), abs=0.15)
    with pytest.raises(ModelError, match="What 'shown' would have been cannot be told"):
        model.counterfactual(data.head(5), do={"age": 0.0})
    found = model.counterfactual(data.head(100), do={"shown": 1})
    change = (found["spent"] - data["spent"].head(100)).to_numpy()
    assert change[shown[:100] == 1] == pytest.approx(0, abs=1e-9)
    assert change[shown[:100] == 0] == pytest.approx(2, abs=0.3)


def test_bad_models_and_bad_questions_are_told(straight: StructuralModel) -> None:
    rows = world(noises(30, 2), curved=False)
    with pytest.raises(GraphError, match="hidden common cause"):
        StructuralModel.fit(CausalGraph.parse("age -> price; age <-> price"), rows)
    with pytest.raises(DataError, match="too few"):
        StructuralModel.fit(GRAPH, rows.head(5))
    with pytest.raises(GraphError, match=r"no variable 'prize'.*'price'"):
        straight.sample(5, do={"prize": 1.0})
    with pytest.raises(DataError, match="set to 2 values for 5 rows"):
        straight.sample(5, do={"price": [1.0, 2.0]})
    with pytest.raises(DataError, match="infinite"):
        straight.sample(5, do={"price": float("inf")})
    with pytest.raises(DataError, match="which is not one of its levels"):
        straight.sample(5, do={"club": "maybe"})
    with pytest.raises(DataError, match="no column 'age'"):
        straight.counterfactual(rows.drop("age"), do={"price": 1.0})


def test_a_text_is_a_graph_but_no_regressor_and_draws_are_counted() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=50)
    data = pl.DataFrame({"a": a, "b": a + rng.normal(size=50)})
    model = StructuralModel.fit("a -> b", data, LinearRegression())
    assert model.graph == CausalGraph.parse("a -> b")
    for regressor in ("linear", LinearRegression):
        with pytest.raises(ConfigError, match="is no regressor"):
            StructuralModel.fit("a -> b", data, regressor)
    with pytest.raises(DataError, match="-1 rows cannot be drawn"):
        model.sample(-1)
    with pytest.raises(DataError, match="seed of -1"):
        model.sample(1, seed=-1)
