"""Marginalised weights and replay."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from equipoise.causal.off_policy import policy_value
from equipoise.errors import ConfigError, DataError
from tests.causal.off_policy.planted import Planted, softmax

CELLS = np.array([0, 0, 0, 1, 1, 2, 2, 2])
EMBEDDING = pl.DataFrame({"item_id": np.arange(8), "kind": CELLS, "colour": ["red"] * 8})


def world(seed: int, *, contextual: bool = True) -> Planted:
    """Items act through their cell only."""
    rng = np.random.default_rng([seed, 7])
    logger, target = (softmax(rng.normal(0, 0.8, (4, 8))) for _ in range(2))
    by_cell = rng.uniform(0.2, 0.8, (4 if contextual else 1, 3))
    return Planted(logger, target, np.broadcast_to(by_cell[:, CELLS], (4, 8)))


def test_exact_marginal_weights_have_no_bias_and_less_variance():
    planted = world(1)
    errors: dict[str, list[float]] = {"mips": [], "ips": []}
    held = []
    for seed in range(30):
        log = planted.log(500, seed)
        target, logger = (planted.distributions(log, p) for p in (planted.target, planted.logger))
        value = policy_value(log, target, "mips", embedding=EMBEDDING, logger=logger)
        errors["mips"].append(value.value - planted.truth)
        errors["ips"].append(policy_value(log, "e", "ips").value - planted.truth)
        held.append(value.low <= planted.truth <= value.high)
    assert abs(np.mean(errors["mips"])) < 3 * np.std(errors["mips"], ddof=1) / np.sqrt(30)
    assert np.std(errors["mips"]) < 0.85 * np.std(errors["ips"])
    assert np.mean(held) >= 0.86


def test_estimated_marginal_weights_cover_where_the_request_does_not_matter():
    planted = world(2, contextual=False)
    held, errors = [], []
    for seed in range(30):
        log = planted.log(500, seed).with_columns(
            kind=pl.col("item_id").replace_strict(dict(enumerate(CELLS)))
        )
        value = policy_value(log, "e", "mips", embedding="kind")
        held.append(value.low <= planted.truth <= value.high)
        errors.append(value.value - planted.truth)
    assert abs(np.mean(errors)) < 3 * np.std(errors, ddof=1) / np.sqrt(30)
    assert np.mean(held) >= 0.86
    same = policy_value(log, "e", "mips", embedding=EMBEDDING)
    assert same.value == pytest.approx(value.value)


def test_one_item_per_cell_is_ips():
    planted = Planted.draw(3)
    log = planted.log(1000, 1)
    own = pl.DataFrame({"item_id": range(5), "cell": range(5)})
    target, logger = (planted.distributions(log, p) for p in (planted.target, planted.logger))
    value = policy_value(log, target, "mips", embedding=own, logger=logger)
    plain = policy_value(log, "e", "ips")
    assert value.value == pytest.approx(plain.value)
    assert value.standard_error == pytest.approx(plain.standard_error)
    lists = log.with_columns(
        candidate_set=pl.lit(list(range(5))),
        candidate_propensities=pl.Series(planted.logger[log["x"].to_numpy()].tolist()),
    )
    assert policy_value(lists, target, "mips", embedding=own).value == pytest.approx(plain.value)


def test_cells_can_support_what_items_do_not():
    planted = world(4)
    logger = planted.logger.copy()
    logger[:, 1] = 0
    logger /= logger.sum(axis=1, keepdims=True)
    lame = Planted(logger, planted.target, planted.reward)
    log = lame.log(3000, 1)
    target, known = (lame.distributions(log, p) for p in (lame.target, lame.logger))
    assert policy_value(log, target, "ips").reasons == ("unsupported",)
    value = policy_value(log, target, "mips", embedding=EMBEDDING, logger=known)
    assert value.unsupported_mass == 0
    assert abs(value.value - lame.truth) < 4 * value.standard_error
    lone = pl.DataFrame({"item_id": range(8), "cell": range(8)})
    assert policy_value(log, target, "mips", embedding=lone, logger=known).reasons == ("unsupported",)


def test_descriptions_that_cannot_be_used():
    planted = world(5)
    log = planted.log(500, 1)
    target = planted.distributions(log)
    with pytest.raises(DataError, match="discrete"):
        policy_value(log, "e", "mips", embedding=EMBEDDING.with_columns(kind=pl.lit(0.5)))
    with pytest.raises(DataError, match="nothing of some logged items"):
        policy_value(log, "e", "mips", embedding=EMBEDDING.head(3))
    with pytest.raises(ConfigError, match="embedding"):
        policy_value(log, "e", "mips")
    with pytest.raises(ConfigError, match="whole distributions"):
        policy_value(log, "e", "mips", embedding=EMBEDDING, logger=target)


@pytest.mark.parametrize("rows", [[0, 1, 2, 2], [2, 0, 1, 2]])
def test_an_item_is_in_one_cell(rows: list[int]):
    log, _ = uniform_log(600, 3)
    cells = pl.DataFrame({"item_id": [*rows, 3, 4], "cell": ["a", "b", "c", "d", "e", "f"]})
    with pytest.raises(DataError, match=r"different things of one item.*such as 2"):
        policy_value(log, "e", "mips", embedding=cells)
    twice = pl.DataFrame({"item_id": [0, 0, 1, 2, 3, 4], "cell": ["a", "a", "a", "b", "b", "b"]})
    assert policy_value(log, "e", "mips", embedding=twice).value is not None


@pytest.mark.parametrize("known", [True, False])
def test_items_without_a_cell_have_no_support(known: bool):
    log, planted = uniform_log(600, 3)
    target = pl.DataFrame({"item_id": range(6), "probability": [0.15] * 4 + [0.1, 0.3]})
    cells = pl.DataFrame({"item_id": range(5), "cell": [0, 0, 1, 1, 1]})
    logger = {"logger": planted.distributions(log, planted.logger)} if known else {}
    value = policy_value(log, target, "mips", embedding=cells, **logger)
    assert value.unsupported_mass == pytest.approx(0.3)
    assert "unsupported" in value.reasons


def uniform_log(n: int, seed: int) -> tuple[pl.DataFrame, Planted]:
    base = Planted.draw(6)
    planted = Planted(np.full_like(base.logger, 0.2), base.target, base.reward)
    return planted.log(n, seed), planted


def test_replay_is_the_mean_of_the_rows_that_match():
    log, _ = uniform_log(2000, 1)
    choice = log.with_columns(e=(pl.col("item_id") == pl.col("x") % 5).cast(pl.Float64))
    value = policy_value(choice, "e", "replay")
    matched = choice.filter(pl.col("e") == 1)["reward"]
    assert value.value == pytest.approx(matched.mean())
    assert value.effective_sample_size == pytest.approx(len(matched))
    assert value.mean_weight == pytest.approx(5 * len(matched) / 2000)
    assert value.value == pytest.approx(policy_value(choice, "e", "snips").value)


def test_replay_of_a_policy_of_chance():
    log, planted = uniform_log(6000, 2)
    first, again, other = (policy_value(log, "e", "replay", seed=seed) for seed in (1, 1, 2))
    assert first.value == again.value
    assert first.value != other.value
    assert abs(first.value - planted.truth) < 4 * first.standard_error


def test_replay_needs_a_uniform_logger():
    with pytest.raises(DataError, match="uniform logger"):
        policy_value(Planted.draw(7).log(500, 1), "e", "replay")
    listed = uniform_log(500, 1)[0].with_columns(
        candidate_set=pl.when(pl.col("request_id") < 20).then(None).otherwise(pl.lit(list(range(5))))
    )
    with pytest.raises(DataError, match="20 of 500 rows"):
        policy_value(listed, "e", "replay")
    assert policy_value(listed.tail(480), "e", "replay").value is not None
