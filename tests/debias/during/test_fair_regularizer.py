"""Penalties on what groups are treated to differently: worked by hand, at work in a small world, and refused."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest
import torch

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.debias import Context, corrections
from equipoise.debias.corrected import Corrected, fit
from equipoise.debias.during.fair_regularizer import FairRegularizer
from equipoise.debias.during.fairness import Penalty, alike, of_losses, of_ratings
from equipoise.errors import ModelError
from equipoise.models.ease import EASE
from equipoise.models.mf import MF

QUIET = Runtime(seed=0, threads=1, progress=False)

# item 0: group 0 is rated 1 too high on average, group 1 by .5 too low; item 1: 2 too low and 1 too low;
# item 2 has one group only
SAID = torch.tensor([5.0, 3.0, 3.0, 1.0, 2.0, 4.0])
TRUE = torch.tensor([4.0, 2.0, 3.5, 3.0, 3.0, 4.0])
ITEMS = torch.tensor([0, 0, 0, 1, 1, 2])
GROUPS = torch.tensor([0, 0, 1, 0, 1, 0])


@pytest.mark.parametrize(
    ("term", "value"),
    [
        ("value", (1.5 + 1.0) / 2),
        ("absolute", (0.5 + 1.0) / 2),
        ("under", (0.5 + 1.0) / 2),
        ("over", (1.0 + 0.0) / 2),
        ("non_parity", (5 + 3 + 1 + 4) / 4 - (3 + 2) / 2),
    ],
)
def test_terms_are_as_worked_by_hand(term: str, value: float):
    assert float(of_ratings(term, SAID, TRUE, ITEMS, GROUPS)) == pytest.approx(value)


def test_the_gradient_draws_errors_of_an_item_together():
    said = SAID.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(of_ratings("value", said, TRUE, ITEMS, GROUPS), said)
    np.testing.assert_allclose(gradient, [0.25, 0.25, -0.5, -0.5, 0.5, 0.0])


def test_unknown_users_do_not_count_and_one_group_alone_has_no_gap():
    groups = torch.tensor([0, 0, -1, 0, -1, 0])
    assert float(of_ratings("value", SAID, TRUE, ITEMS, groups)) == 0
    assert float(of_losses(SAID, groups)) == 0


def test_of_three_groups_each_is_held_against_the_others():
    groups = torch.tensor([0, 0, 1, 1, 2, 2])
    means = [SAID[groups == one].mean().item() for one in range(3)]
    rest = [(sum(means) - mean) / 2 for mean in means]
    expected = np.mean([abs(one - two) for one, two in zip(means, rest, strict=True)])
    assert float(of_ratings("non_parity", SAID, TRUE, ITEMS, groups)) == pytest.approx(expected)


def test_only_the_worse_off_group_is_moved():
    losses = torch.tensor([1.0, 3.0, 4.0], requires_grad=True)
    value = of_losses(losses, torch.tensor([0, 0, 1]))
    assert float(value.detach()) == pytest.approx(2.0)
    (gradient,) = torch.autograd.grad(value, losses)
    np.testing.assert_allclose(gradient, [0, 0, 1])


def test_lists_that_are_all_the_same_are_alike():
    assert alike(torch.arange(30.0).repeat(8, 1), 5) == 1
    assert alike(torch.eye(30), 1) == pytest.approx(1 / 30)


@cache
def world() -> tuple[Dataset, np.ndarray]:
    """Ratings of two kinds of users; the second are few, and their ratings of half the items are not at random."""
    rng = np.random.default_rng(5)
    woman = np.arange(300) < 90
    truth = 3 + 0.4 * rng.normal(size=80) + 0.6 * rng.normal(size=(300, 2)) @ rng.normal(size=(2, 80))
    truth = truth + np.where(woman[:, None] & (np.arange(80) < 40), 0.8, 0.0)
    user, item = np.nonzero(rng.random(truth.shape) < np.where(woman, 0.06, 0.3)[:, None])
    value = truth[user, item] + 0.3 * rng.normal(size=len(user))
    events = pl.DataFrame({"user_id": user, "item_id": item, "value": value})
    users = pl.DataFrame({"user_id": range(300), "gender": np.where(woman, "F", "M")})
    return Dataset(events, users, pl.DataFrame({"item_id": range(80)}), sensitive=("gender",)), truth


RATED = MF(width=4, loss="rating", epochs=15, batch_events=1024, learning_rate=0.03, warmup=5, shrinkage=0.3)


def fitted(model: MF, **fields: object) -> Corrected:
    chosen = [corrections.build("fair_regularizer", fields)] if fields else []
    return fit(model, world()[0], chosen, runtime=QUIET)


def unfairness(model: Corrected) -> float:
    """Mean over items of the difference of the groups' mean errors, over all cells."""
    error = model.model.score(np.arange(300), model.model.histories) - world()[1]
    return float(np.abs(error[:90].mean(0) - error[90:].mean(0)).mean())


def test_it_draws_errors_of_groups_together_on_all_cells():
    assert unfairness(fitted(RATED, strength=2.0)) < 0.9 * unfairness(fitted(RATED))


def test_non_parity_makes_means_equal():
    def gap(model: Corrected) -> float:
        said = model.model.score(np.arange(300), model.model.histories)
        return abs(float(said[:90].mean() - said[90:].mean()))

    assert gap(fitted(RATED, term="non_parity", strength=3.0)) < 0.5 * gap(fitted(RATED))


def test_it_is_the_same_again_and_tells_what_it_did():
    choices = MF(width=4, epochs=3, batch_events=512, learning_rate=0.03, warmup=5)
    one, two = (fitted(choices, strength=1.0) for _ in range(2))
    np.testing.assert_array_equal(one.model.user_factors, two.model.user_factors)  # type: ignore[attr-defined]
    told = one.diagnostics["fair_regularizer"]
    assert told["users"] == {"F": 90, "M": 210}
    assert 0 < told["alike"] <= 1


def test_collapse_is_warned_of():
    told: dict[str, object] = {"warnings": ["kept"]}
    penalty = Penalty(np.array([0, 1]), np.arange(20), "loss", 1.0, told)
    same = torch.arange(20.0)[:, None]
    step = fitted_step(torch.ones(2, 1), same)
    penalty(step)
    assert told["alike"] == 1
    assert len(told["warnings"]) == 2  # type: ignore[arg-type]
    assert "no fairness" in told["warnings"][1]  # type: ignore[index]


def fitted_step(representations: torch.Tensor, items: torch.Tensor):  # type: ignore[no-untyped-def]
    from equipoise.models.training import Step

    rows = torch.arange(2)
    return Step(rows, rows, torch.ones(2), representations, items, {}, torch.full((2,), torch.nan))


def test_what_stands_in_the_way():
    data, _ = world()
    one = FairRegularizer()
    assert one.obstacle(data, RATED) is None
    assert "takes no further losses" in str(one.obstacle(data, EASE()))
    assert "'value' is of ratings" in str(FairRegularizer(term="value").obstacle(data, MF()))
    assert "'loss' is of choices" in str(FairRegularizer(term="loss").obstacle(data, RATED))
    assert "no column 'age'" in str(FairRegularizer(attribute="age").obstacle(data, RATED))
    with pytest.raises(ModelError, match="'fair_regularizer' cannot act here"):
        fit(EASE(), data, [one], runtime=QUIET)


def test_small_groups_are_told_of():
    data, _ = world()
    users = data.users.with_columns(
        gender=pl.when(pl.col("user_id") < 3).then(pl.lit("X")).otherwise("gender")
    )
    small = Dataset(data.events, users, data.items, sensitive=("gender",))
    context = Context(small, QUIET)
    FairRegularizer().training(small, context)
    assert "'X' has 3 users" in context.diagnostics["fair_regularizer"]["warnings"][0]


@pytest.mark.parametrize(("loss", "term"), [("softmax", "loss"), ("rating", "value")])
def test_the_term_is_that_of_the_models_loss_whatever_the_events_hold(loss: str, term: str):
    data, _ = world()
    model = MF(width=2, loss=loss, epochs=1, batch_events=4096)  # type: ignore[arg-type]
    corrected = fit(model, data, [FairRegularizer()], runtime=QUIET)
    assert corrected.diagnostics["fair_regularizer"]["term"] == term
