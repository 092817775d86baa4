"""What the log cannot answer is refused, never raised; what is malformed is raised, never estimated."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

from equipoise.causal.off_policy import PropensityError, Support, policy_value
from equipoise.errors import ConfigError, DataError
from tests.causal.off_policy.planted import Planted

WORLD = Planted.draw(1)
LOG = WORLD.log(1000, 1)


@pytest.mark.parametrize(
    ("bad", "said"), [(0.0, "1 zero"), (-0.1, "1 negative"), (1.5, "1 above 1"), (None, "1 missing"),
                      (float("nan"), "1 missing"), (float("inf"), "1 above 1"), (float("-inf"), "1 negative")]
)  # fmt: skip
@pytest.mark.parametrize("lazy", [False, True])
def test_malformed_propensities(bad: float | None, said: str, lazy: bool):
    values = LOG["propensity"].to_list()
    values[7] = bad
    log = LOG.with_columns(propensity=pl.Series(values, dtype=pl.Float64))
    with pytest.raises(ValueError, match=said) as raised:
        policy_value(log.lazy() if lazy else log, "e")
    assert isinstance(raised.value, DataError)
    assert isinstance(raised.value, PropensityError)
    assert "1 of 1000 rows" in str(raised.value)
    assert ("item_id" if lazy else "row 7") in str(raised.value)


def test_propensities_that_all_are_one():
    with pytest.raises(ValueError, match=r"All propensities are 1.*1000 of 1000 rows"):
        policy_value(LOG.with_columns(propensity=1.0), "e")
    with pytest.raises(PropensityError):
        policy_value(LOG.with_columns(propensity=1), "e", "dm", ("q_logged", "q_target"))
    with pytest.raises(PropensityError, match="without chance"):
        policy_value(LOG.with_columns(propensity_source=pl.lit("deterministic")), "e")


@pytest.mark.parametrize(
    "kind", ["ips", "snips", "dr", "sndr", "dros", "switch_dr", "clipped_ips", "dm", "slope"]
)
def test_one_row_is_refused(kind: str):
    value = policy_value(LOG.head(1), "e", kind, ("q_logged", "q_target"))
    assert value.refused
    assert value.value is None
    assert "few_effective_rows" in value.reasons
    assert value.mean_weight_z is None
    json.dumps(value.as_dict(), allow_nan=False)


def test_few_rows_and_one_heavy_row():
    assert policy_value(LOG.head(60), "e").reasons == ("few_effective_rows",)
    heavy = LOG.with_columns(
        propensity=pl.when(pl.col("request_id") == 3).then(1e-4).otherwise("propensity"), e=pl.lit(0.2)
    )
    value = policy_value(heavy, "e", support=Support(minimum_effective_sample_size=0))
    assert "dominant_row" in value.reasons
    assert value.refused
    assert value.max_weight == pytest.approx(2000)


@pytest.mark.parametrize("tiny", [1e-12, 1e-200, 1e-300])
def test_tiny_propensities_are_refused_and_not_nan(tiny: float):
    log = LOG.with_columns(propensity=pl.when(pl.col("request_id") == 3).then(tiny).otherwise("propensity"))
    value = policy_value(log, "e")
    assert value.reasons[:2] == ("few_effective_rows", "dominant_row")
    assert value.effective_sample_size == pytest.approx(1)
    json.dumps(value.as_dict(), allow_nan=False)
    with pytest.raises(PropensityError, match="so small"):
        policy_value(log.with_columns(propensity=5e-324), "e")


def test_a_log_that_has_columns_of_ours():
    log = LOG.with_columns(_cluster=1, _row=2, _weight=3.0)
    assert policy_value(log, "e").as_dict() == policy_value(LOG, "e").as_dict()


def test_weights_whose_mean_is_not_one():
    low = policy_value(LOG.with_columns(e=pl.col("e") * 0.5), "e")
    assert low.reasons == ("mean_weight",)
    assert low.mean_weight == pytest.approx(0.5, abs=0.05)
    assert low.mean_weight_z is not None
    assert low.mean_weight_z < -3
    off = policy_value(
        LOG.with_columns(e=pl.col("e") * 0.8), "e"
    )  # within the factor: a number, not believed
    assert not off.refused
    assert not off.interval_reliable
    assert "mean weight" in str(off.interval_reason)
    constant = policy_value(LOG.with_columns(e=pl.col("propensity") * 0.5), "e")
    assert constant.reasons == ("mean_weight",)
    assert constant.mean_weight_z == -np.inf
    json.dumps(constant.as_dict(), allow_nan=False)


def test_a_target_that_never_chose_what_was_logged():
    value = policy_value(LOG.with_columns(e=0.0), "e", "dr", ("q_logged", "q_target"))
    assert value.refused
    assert "never chooses" in str(value.reason)


def test_mass_where_the_logger_had_none():
    shown = LOG.with_columns(propensity=pl.lit(0.2))
    target = pl.DataFrame({"item_id": range(7), "probability": [0.18] * 5 + [0.05, 0.05]})
    value = policy_value(shown, target)
    assert value.reasons == ("unsupported",)
    assert value.unsupported_mass == pytest.approx(0.1)
    tolerant = policy_value(shown, target, support=Support(unsupported_mass=0.2))
    assert not tolerant.refused
    # an item that a wide catalogue has not come to yet is no lack of support
    rng = np.random.default_rng(0)
    wide = pl.DataFrame({"item_id": rng.integers(0, 2000, 500), "reward": 1.0, "propensity": 1 / 2000})
    assert policy_value(wide, "uniform", items=range(2000)).unsupported_mass == 0


def test_candidate_sets_tell_the_support():
    n = 400
    log = pl.DataFrame(
        {
            "request_id": np.arange(n),
            "item_id": np.arange(n) % 2,
            "reward": 1.0,
            "propensity": 0.5,
            "candidate_set": [[0, 1, 2]] * n,
            "candidate_propensities": [[0.5, 0.5, 0.0]] * n,
        }
    )
    good = pl.DataFrame({"item_id": [0, 1], "probability": [0.4, 0.6]})
    bad = pl.DataFrame({"item_id": [0, 1, 2], "probability": [0.4, 0.59, 0.01]})
    assert policy_value(log, good).unsupported_mass == pytest.approx(0, abs=1e-9)
    assert policy_value(log, bad).reasons == ("unsupported",)
    assert policy_value(log, "uniform").unsupported_mass == pytest.approx(1 / 3)


def test_rewards_that_do_not_vary_tell_nothing_of_chance():
    for reward in (0.0, 1.0):
        value = policy_value(LOG.with_columns(reward=reward), "e", "snips")
        assert value.value == reward
        assert not value.interval_reliable
        assert "do not vary" in str(value.interval_reason)
    rare = LOG.with_columns(reward=pl.when(pl.col("request_id") < 3).then(1.0).otherwise(0.0))
    value = policy_value(rare, "e")
    assert not value.refused
    assert not value.interval_reliable
    # a model with errors of its own does not make up for rewards that never came
    modelled = policy_value(LOG.with_columns(reward=0.0), "e", "dr", ("q_logged", "q_target"))
    assert modelled.standard_error > 0
    assert not modelled.interval_reliable
    # a reward that almost always comes is as hard as one that almost never comes
    assert not policy_value(rare.with_columns(reward=1 - pl.col("reward")), "e").interval_reliable
    assert policy_value(LOG, "e").interval_reliable


def test_negative_rewards():
    log = LOG.with_columns(reward=pl.col("reward") - 2.0)
    shifted, plain = policy_value(log, "e", "snips"), policy_value(LOG, "e", "snips")
    assert plain.value is not None
    assert shifted.value == pytest.approx(plain.value - 2)
    assert shifted.standard_error == pytest.approx(plain.standard_error)
    assert shifted.interval_reliable
    assert 0 < shifted.largest_contribution < 1


def test_the_direct_method_is_never_believed():
    value = policy_value(LOG, "e", "dm", ("q_logged", "q_target"))
    assert not value.interval_reliable
    assert "model" in str(value.interval_reason)


def test_clipping_that_biases_is_told():
    rough = Planted.draw(2, spread=1.2)
    value = policy_value(rough.log(5000, 2), "e", "clipped_ips", clip=1.0)
    assert not value.interval_reliable
    assert "Cut weights" in str(value.interval_reason)
    assert policy_value(rough.log(5000, 2), "e", "clipped_ips", clip=1e6).share_clipped == 0


REQUESTS = WORLD.distributions(LOG)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (REQUESTS.with_columns(pl.col("probability") * 0.9), "do not sum to 1"),
        (REQUESTS.with_columns(pl.col("probability") - 0.3), "not in"),
        (REQUESTS.with_columns(pl.lit(None, pl.Float64).alias("probability")), "not in"),
        (pl.concat([REQUESTS, REQUESTS]), "twice"),
        (REQUESTS.filter(pl.col("request_id") > 4), "says nothing of some requests"),
        (REQUESTS.with_columns(pl.col("item_id").cast(pl.String)), "ids of the same type"),
        (REQUESTS.with_columns(pl.col("request_id").cast(pl.String)), "ids of the same type"),
        (REQUESTS.drop("probability"), "no column 'probability'"),
        ("nothing", "no column 'nothing'"),
        ("request_id", "not in"),
    ],
)
def test_targets_that_are_no_policies(target: object, said: str):
    with pytest.raises(DataError, match=said):
        policy_value(LOG, target)


def test_target_rows_of_other_requests_are_left_out_and_told():
    more = pl.concat([REQUESTS, REQUESTS.with_columns(pl.col("request_id") + 10_000)])
    value = policy_value(LOG, more)
    assert value.value == pytest.approx(policy_value(LOG, "e").value)
    assert any("5000 rows of the target" in note for note in value.notes)


def test_ids_of_like_types_are_joined():
    narrow = REQUESTS.with_columns(pl.col("item_id").cast(pl.Int8), pl.col("request_id").cast(pl.UInt64))
    assert policy_value(LOG, narrow).value == pytest.approx(policy_value(LOG, "e").value)
    texts = LOG.with_columns(pl.col("item_id").cast(pl.String))
    kinds = REQUESTS.with_columns(pl.col("item_id").cast(pl.String).cast(pl.Categorical))
    assert policy_value(texts, kinds).value == pytest.approx(policy_value(LOG, "e").value)


def test_logs_of_several_policies():
    other = Planted(WORLD.target, WORLD.target, WORLD.reward).log(1000, 9)
    both = pl.concat(
        [
            LOG.with_columns(policy=pl.lit("a")),
            other.with_columns(pl.col("request_id") + 1000, policy=pl.lit("b")),
        ]
    )
    value = policy_value(both, "e", "ips")
    assert value.value == pytest.approx(WORLD.truth, abs=4 * (value.standard_error or 0))
    assert any("2 policies (a, b)" in note for note in value.notes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reward": pl.lit(None, pl.Float64)}, "rewards are missing.*1000 of 1000 rows, the first at row 0"),
        ({"reward": pl.lit(float("inf"))}, "rewards are missing"),
        ({"reward": pl.lit("yes")}, "no number"),
        ({"propensity": pl.lit("high")}, "no number"),
        ({"user_id": pl.lit(None, pl.Int64)}, "'user_id' is missing"),
        ({"user_id": pl.lit(float("nan"))}, "'user_id' is missing.*1000 of 1000"),
        ({"item_id": pl.when(pl.col("request_id") > 2).then("item_id")}, "which item was shown.*3 of 1000"),
        ({"reward": pl.col("reward") * 1e300}, "beyond 1e.100"),
    ],
)
def test_logs_that_cannot_be_read(change: dict[str, pl.Expr], said: str):
    with pytest.raises(DataError, match=said):
        policy_value(LOG.with_columns(**change), "e")


def test_questions_that_make_no_sense():
    with pytest.raises(DataError, match="no rows"):
        policy_value(LOG.head(0), "e")
    with pytest.raises(DataError, match="no column 'propensity'"):
        policy_value(LOG.drop("propensity"), "e")
    with pytest.raises(DataError, match="a table"):
        policy_value([1, 2], "e")
    with pytest.raises(ConfigError, match="no estimator"):
        policy_value(LOG, "e", "snip")
    with pytest.raises(ConfigError, match="not a setting"):
        policy_value(LOG, "e", "snips", clip=3)
    with pytest.raises(ConfigError, match="level"):
        policy_value(LOG, "e", level=95)
    with pytest.raises(ConfigError, match="needs an outcome model"):
        policy_value(LOG, "e", "dr")
    with pytest.raises(ConfigError, match="no outcome model"):
        policy_value(LOG, "e", "dr", 3)
    with pytest.raises(DataError, match="both a word"):
        policy_value(LOG.with_columns(uniform=0.2), "uniform")
    first, second = policy_value(LOG, "e"), policy_value(WORLD.log(1000, 2), "e")
    with pytest.raises(DataError, match="different logs"):
        first.minus(second)


def test_events_are_read_by_their_impressions():
    clicks = LOG.filter(pl.col("reward") == 1).with_columns(
        event=pl.lit("click"), reward=pl.lit(None, pl.Float64)
    )
    events = pl.concat([LOG.with_columns(event=pl.lit("impression")), clicks])
    assert policy_value(events, "e").value == policy_value(LOG, "e").value


def test_pandas_with_any_index_gives_the_same():
    frame = LOG.to_pandas()
    frame.index = pd.Index(np.arange(1000)[::-1])
    assert policy_value(frame, "e").as_dict() == policy_value(LOG, "e").as_dict()
