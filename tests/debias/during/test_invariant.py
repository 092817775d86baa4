"""Preference that holds in all environments: found where these are named, and told of where they are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest
import torch

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.debias import Context, corrections
from equipoise.debias.corrected import fit
from equipoise.debias.during.invariant import InvariantPreference
from equipoise.errors import ModelError
from equipoise.models import models
from equipoise.models.disentangled.environments import InvariantFactors
from equipoise.models.disentangled.invariant import Invariant, environments
from equipoise.models.factors import Examples
from equipoise.models.histories import Catalogue
from equipoise.models.mf import MF
from equipoise.models.reversal import reverse
from equipoise.testing import RecommenderConformance

QUIET = Runtime(seed=0, threads=1, progress=False)


class TestConformance(RecommenderConformance):
    recommender = Invariant(width=8, epochs=30, batch_events=512, learning_rate=0.03, warmup=5, shrinkage=0.3)
    folds_in = False  # a user trained on has factors of their own
    tolerance = 1e-3
    # Rows are met in the order of the histories, so batches differ where rows are missing.
    test_weight_zero_is_absence = None


@cache
def world() -> tuple[Dataset, np.ndarray]:
    """Ratings of two factors; in season one, half the users are shown half the items, and rate them higher."""
    rng = np.random.default_rng(2)
    truth = 3 + 0.3 * rng.normal(size=80) + 0.6 * rng.normal(size=(300, 2)) @ rng.normal(size=(2, 80))
    pushed = np.outer(np.arange(300) % 2 == 0, np.arange(80) < 40)
    frames = []
    for season in (0, 1):
        user, item = np.nonzero(rng.random(truth.shape) < np.where(pushed, (0.03, 0.4)[season], 0.12))
        value = truth[user, item] + 1.2 * season * pushed[user, item] + 0.2 * rng.normal(size=len(user))
        frames.append(
            pl.DataFrame(
                {"user_id": user, "item_id": item, "value": value, "season": [str(season)] * len(user)}
            )
        )
    events = pl.concat(frames).sample(fraction=1, shuffle=True, seed=1)
    return Dataset(events, pl.DataFrame({"user_id": range(300)}), pl.DataFrame({"item_id": range(80)})), truth


RATED = MF(width=6, loss="rating", epochs=25, batch_events=1024, learning_rate=0.05, warmup=5, shrinkage=0.03)


def error(method: str | None, **fields: object) -> float:
    """Standard deviation of the error over all cells, levels left out."""
    data, truth = world()
    chosen = [corrections.build(method, fields)] if method else []
    model = fit(RATED, data, chosen, runtime=QUIET).model
    return float((model.score(np.arange(300), model.histories) - truth).std())


def test_named_environments_uncover_what_is_invariant():
    assert error("invariant", column="season", strength=3.0) < 0.9 * error(None)


def test_a_run_is_the_same_again():
    data, _ = world()
    short = RATED.model_copy(update={"epochs": 2})
    one, two = (fit(short, data, [InvariantPreference()], runtime=QUIET).model for _ in range(2))
    np.testing.assert_array_equal(one.user_factors, two.user_factors)  # type: ignore[attr-defined]


def step_of(network: InvariantFactors, examples: Examples) -> tuple[torch.Tensor, torch.Tensor]:
    step = network.step(examples, np.random.default_rng(0))[1]
    apart = torch.zeros(2, 4), torch.zeros(2, 4)
    return network._rated(step, examples, *apart)


def tiny(named: np.ndarray | None) -> tuple[InvariantFactors, Examples]:
    """Two examples said to be 3 in both environments but for the intercepts, -1 and 1."""
    catalogue = Catalogue(*(pl.Series([0, 1]) for _ in range(2)), np.ones(2, int), np.ones(2, int))
    rows = np.arange(2)
    examples = Examples(
        rows, rows, np.ones(2, np.float32), np.array([1.5, 4.5], np.float32), np.zeros(2, int), rows
    )
    network = InvariantFactors(Invariant(width=2, loss="rating"), catalogue, examples, named=named)
    with torch.no_grad():
        network.users.zero_()
        network.intercepts.copy_(torch.tensor([-1.0, 1.0]))
    return network, examples


def test_events_go_to_the_environment_that_explains_them_best():
    environment, loss = step_of(*tiny(None))
    assert environment.tolist() == [0, 1]
    assert float(loss.detach()) == pytest.approx(0.25)  # 2 against 1.5, 4 against 4.5


def test_a_name_decides_where_there_is_one():
    environment, loss = step_of(*tiny(np.array([1, -1])))
    assert environment.tolist() == [1, 1]
    assert float(loss.detach()) == pytest.approx((2.5**2 + 0.5**2) / 2)


def test_the_gradient_is_turned_round():
    value = torch.ones(2, requires_grad=True)
    (reverse(value, 3.0) * torch.tensor([1.0, 2.0])).sum().backward()
    np.testing.assert_array_equal(value.grad, [-3.0, -6.0])


def test_environments_stand_in_the_order_of_histories():
    events = pl.DataFrame({
        "user_id": [1, 0, 0, 1], "item_id": [0, 1, 0, 1], "timestamp": [4, 3, 1, 2], "place": ["b", "a", None, "a"],
    }).with_columns(pl.from_epoch("timestamp"))  # fmt: skip
    data = Dataset(events)
    np.testing.assert_array_equal(environments(data, Catalogue.of(data), "place"), [-1, 0, 0, 1])


def test_it_recommends_by_what_is_invariant_alone_and_learns_choices_too():
    data, _ = world()
    model = models.build("invariant", {"width": 4, "epochs": 2, "batch_events": 1024}).fit(
        data, runtime=QUIET
    )
    assert model.user_factors.shape == (300, 6)  # type: ignore[attr-defined]
    assert np.isfinite(model.score(np.arange(3), model.histories.take(np.arange(3)))).all()


def test_it_takes_the_place_of_the_model_and_tells_what_it_rests_on():
    data, _ = world()
    one = InvariantPreference(strength=2.0)
    model = one.instead(RATED)
    assert isinstance(model, Invariant)
    assert (model.width, model.strength, model.loss) == (6, 2.0, "rating")
    context = Context(data, QUIET)
    one.training(data, context)
    assert "by noise" in context.diagnostics["invariant"]["warnings"][0]
    named = Context(data, QUIET)
    InvariantPreference(column="season").training(data, named)
    told = named.diagnostics["invariant"]
    assert told["warnings"] == []
    assert sum(told["card"]["checks"]["events_per_environment"].values()) == len(data.events)


def placed(places: pl.Series) -> Dataset:
    return Dataset(pl.DataFrame({"user_id": [0, 0, 1, 1], "item_id": [0, 1, 0, 1], "place": places}))


def test_a_number_that_is_none_names_no_environment():
    data = placed(pl.Series([1.0, float("nan"), 2.0, None]))
    np.testing.assert_array_equal(environments(data, Catalogue.of(data), "place"), [0, -1, 1, -1])
    context = Context(data, QUIET)
    InvariantPreference(column="place").training(data, context)
    checks = context.diagnostics["invariant"]["card"]["checks"]
    assert checks["events_per_environment"] == {"1.0": 1, "2.0": 1}
    assert checks["events_without_environment"] == 2


def test_durations_name_environments_and_lists_do_not():
    data = placed(pl.Series([timedelta(1), timedelta(2)] * 2))
    context = Context(data, QUIET)
    InvariantPreference(column="place").training(data, context)
    told = context.diagnostics["invariant"]["card"]["checks"]["events_per_environment"]
    assert list(told.values()) == [2, 2]
    lists = placed(pl.Series([[1], [2], [1], [2]]))
    assert "names no environments" in str(InvariantPreference(column="place").obstacle(lists, RATED))


def test_what_stands_in_the_way():
    data, _ = world()
    assert InvariantPreference().obstacle(data, RATED) is None
    assert "and not by 'gbce'" in str(InvariantPreference().obstacle(data, MF(loss="gbce")))
    assert "not of 'invariant'" in str(InvariantPreference().obstacle(data, Invariant()))
    assert "no column 'seson'" in str(InvariantPreference(column="seson").obstacle(data, RATED))
    single = replace(data, events=data.events.with_columns(season=pl.lit("one")))
    assert "names 1 environments" in str(InvariantPreference(column="season").obstacle(single, RATED))
    with pytest.raises(ModelError, match="no column 'seson'"):
        Invariant(column="seson").fit(data, runtime=QUIET)
