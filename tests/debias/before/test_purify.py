import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.debias import Context, corrections
from equipoise.debias.before.purify import Purify
from equipoise.debias.corrected import fit
from equipoise.errors import ConfigError, ModelError
from equipoise.models import models
from equipoise.worlds import Storefront
from tests.debias.before.planted import ratings, shop

QUIET = Runtime(progress=False)
START = datetime(2025, 1, 1, tzinfo=UTC)


def _clicks(rows):
    """Clicks of (user, item, seconds) under the columns of a shop's log."""
    table = pl.DataFrame(rows, schema=["user_id", "item_id", "second"], orient="row")
    moment = pl.lit(START) + pl.duration(microseconds=(pl.col("second") * 1e6).cast(pl.Int64))
    return table.select("user_id", "item_id", timestamp=moment, event=pl.lit("click"))


def _with(data, rows):
    return data.with_events(pl.concat([data.events, _clicks(rows)], how="diagonal_relaxed"))


def _who(found, rule):
    return set(found.findings.filter(pl.col("rule") == rule)["who"])


@pytest.mark.parametrize("seed", range(2))
def test_clean_shops_raise_next_to_no_alarm(seed):
    data = shop(seed).dataset()
    rows = {name: len(found.rows) / len(data.events) for name, found in Purify().find(data).items()}
    assert sum(rows.values()) < 0.01, rows


def test_clean_ratings_raise_next_to_no_alarm():
    flagged = total = 0
    for seed in range(3):
        data = Dataset(ratings(seed=seed))
        total += len(data.events)
        flagged += sum(len(found.rows) for found in Purify().find(data).values())
    assert flagged < 0.01 * total


def test_bots_are_found_by_pace_clock_and_sweep():
    data = shop().dataset()
    rng = np.random.default_rng(0)
    fast = [(1000 + u, int(i), float(s)) for u in range(5) for i, s in
            zip(rng.integers(1, 81, 600), rng.random(600) * 80_000, strict=True)]  # fmt: skip
    clock = [(2000 + u, 1 + n % 30, 3_600.0 * n + rng.random() * 200) for u in range(5) for n in range(60)]
    found = Purify(detectors=("bots",)).find(_with(data, fast + clock))["bots"]
    assert _who(found, "activity") >= {str(1000 + u) for u in range(5)}
    assert _who(found, "regularity") == {str(2000 + u) for u in range(5)}
    assert _who(found, "sweep") >= {str(1000 + u) for u in range(5)}
    assert set(found.rows) == set(range(len(data.events), len(data.events) + len(fast) + len(clock)))


def test_a_day_of_spiteful_ratings_is_found_and_honest_ones_of_that_day_stay():
    honest = ratings()
    attack = pl.DataFrame({
        "user_id": range(1000, 1040), "item_id": 7, "event": "rating", "value": 1.0,
        "timestamp": [START + timedelta(days=20, minutes=11 * n) for n in range(40)],
    })  # fmt: skip
    events = pl.concat([honest, attack.select(pl.col(c).cast(t) for c, t in honest.schema.items())])
    found = Purify().find(Dataset(events))["bombing"]
    assert _who(found, "burst") == {"7"}
    planted = set(range(len(honest), len(events)))
    assert len(planted & set(found.rows)) >= 0.95 * len(planted)
    beside = honest[sorted(set(found.rows) - planted)]
    assert (beside["item_id"] == 7).all()
    assert (beside["value"] <= 3).all()
    assert len(beside) <= 3


def test_purified_ratings_bring_the_bombed_item_back():
    honest = ratings()
    best = honest.group_by("item_id").agg(pl.col("value").mean(), n=pl.len()).sort("value")["item_id"][-1]
    attack = pl.DataFrame({
        "user_id": range(1000, 1060), "item_id": best, "event": "rating", "value": 1.0,
        "timestamp": [START + timedelta(days=20, minutes=7 * n) for n in range(60)],
    })  # fmt: skip
    events = pl.concat([honest, attack.select(pl.col(c).cast(t) for c, t in honest.schema.items())])
    purified = Purify().transform(Dataset(events), Context(Dataset(events), QUIET)).events

    def mean_of(table):
        return table.filter(pl.col("item_id") == best)["value"].mean()

    assert mean_of(events) < mean_of(honest) - 0.8
    assert mean_of(purified) == pytest.approx(mean_of(honest), abs=0.1)


def _baited(seed, dwell):
    """A shop in which items 1 to 4 are clicked by whoever sees them; nobody stays."""
    data = Storefront(n_users=300, n_items=80, days=20, seed=seed, lift=0.3).generate().dataset()
    rng = np.random.default_rng(seed)
    events = data.events
    bait = pl.col("item_id") <= 4
    clicked = events.filter(pl.col("event") == "click").select(
        "user_id", "item_id", "slate_id", hit=pl.lit(True)
    )
    shown = events.filter((pl.col("event") == "impression") & bait)
    missed = shown.join(clicked, on=["user_id", "item_id", "slate_id"], how="anti")
    lured = missed.filter(pl.Series(rng.random(len(missed)) < 0.8)).with_columns(
        event=pl.lit("click"), timestamp=pl.col("timestamp") + pl.duration(seconds=1)
    )
    events = pl.concat([events.filter(~(bait & (pl.col("event") == "purchase"))), lured])
    if dwell:
        time = np.exp(rng.normal(3.0, 0.8, len(events)))
        time = np.where((events["item_id"] <= 4).fill_null(False).to_numpy(), time / 8, time)
        events = events.with_columns(value=pl.when(pl.col("event") == "click").then(pl.Series(time)))
    return data.with_events(events)


@pytest.mark.parametrize("dwell", [True, False])
def test_clickbait_is_found_by_the_click_to_stay_gap(dwell):
    data = _baited(0, dwell)
    told = Purify(detectors=("clickbait",)).find(data)["clickbait"]
    found = _who(told, "click_to_stay")
    assert found <= {"1", "2", "3", "4"}
    assert (data.events[told.rows.to_list()]["event"] == "click").all()
    assert len(found) >= (4 if dwell else 3), found  # purchases are fewer than dwell times, and say less


def test_repeats_within_seconds_are_found_and_the_first_stays():
    data = Dataset(_clicks([(1, 5, 0.0), (1, 5, 1.0), (1, 5, 2.5), (1, 5, 60.0), (1, 6, 0.5), (2, 5, 1.0)]))
    found = Purify().find(data)["repeats"]
    assert found.rows.to_list() == [1, 2]
    assert found.findings.to_dicts() == [{"rule": "repeat", "who": "1 x 5", "score": 2.0, "rows": 2}]
    purified = Purify(detectors=("repeats",)).transform(data, Context(data, QUIET))
    assert len(purified.events) == 4


@pytest.mark.parametrize(
    ("every", "words"), [("1d", "in whole days"), ("1h", "in whole hours"), (None, "are the same")]
)
def test_a_coarse_clock_makes_no_repeats_and_no_bots(every, words):
    rng = np.random.default_rng(0)
    rows = [(user, int(item), 86_400.0 * day + float(second)) for user in range(40) for day in range(60)
            for item, second in zip(rng.integers(0, 8, 3), rng.integers(0, 80_000, 3), strict=True)]  # fmt: skip
    exact = _clicks(rows).with_columns(value=3.0 + pl.col("item_id") % 3, event=pl.lit("rating"))
    time = pl.lit(START) if every is None else pl.col("timestamp").dt.truncate(every)
    log = Dataset(exact.with_columns(timestamp=time))
    context = Context(log, QUIET)
    purified = corrections.build("purify", {"window": 0.5}).transform(log, context)
    assert purified.events.equals(log.events)  # everybody comes every day, often to the same item
    found = Purify(window=0.5).find(log)
    assert words in found["repeats"].skipped
    assert words in found["bots"].in_part
    assert (found["bombing"].skipped is None) == (every == "1h")
    assert sum(words in sentence for sentence in context.diagnostics["purify"]["warnings"]) >= 2
    fine = Purify().find(Dataset(exact))
    assert fine["repeats"].skipped is fine["bots"].in_part is None


def test_a_few_exact_times_do_not_hide_that_most_are_dates():
    dates = [(user, item, 86_400.0 * item) for user in range(30) for item in (3, 3, 5)]
    exact = [(user, 9, 86_400.0 * user + 1_234.5 * user + 7) for user in range(9)]
    found = Purify().find(Dataset(_clicks(dates + exact)))["repeats"]
    assert found.findings.is_empty()
    assert "in whole days" in found.skipped


def test_copies_of_a_user_are_found_and_the_original_stays():
    data = shop().dataset()
    taste = data.positives.group_by("user_id").agg(pl.col("item_id").unique().sort()).sort("user_id")
    original = taste.filter(pl.col("item_id").list.len().is_between(18, 30)).row(0)
    rows = [
        (5000 + u, item, 1000.0 * u + 37.0 * n**2)
        for u in range(6)
        for n, item in enumerate(original[1][u % 2 :])
    ]
    found = Purify(detectors=("copies",)).find(_with(data, rows))["copies"]
    assert _who(found, "copy") == {str(5000 + u) for u in range(6)}
    assert found.findings["score"].min() >= 0.9


def test_many_who_take_what_everybody_takes_are_no_copies():
    rows = [(user, item, 1e5 * user + 977.0 * item) for user in range(300) for item in range(12)]
    assert Purify().find(Dataset(_clicks(rows)))["copies"].findings.is_empty()


def test_bots_leave_no_trace_in_the_lists():
    data = shop().dataset()
    users = data.users["user_id"]
    rare = data.positives["item_id"].value_counts().sort("count", "item_id")["item_id"][0]
    rng = np.random.default_rng(1)
    pushed = [(3000 + u, rare, float(s)) for u in range(10) for s in rng.random(300) * 80_000]
    attacked = _with(data, pushed)

    def share(data, chosen):
        lists = fit(models.build("popular"), data, chosen, runtime=QUIET).recommend(users, 5)
        return (lists["item_id"] == rare).sum() / len(users)

    assert share(data, []) == 0
    assert share(attacked, []) > 0.8
    assert share(attacked, [corrections.build("purify")]) == 0
    assert share(attacked, [corrections.build("purify", {"action": "down_weigh", "weight": 0.0})]) == 0
    assert share(attacked, [corrections.build("purify", {"action": "report"})]) > 0.8


def test_report_names_the_worst_and_is_plain():
    data = _with(shop().dataset(), [(4000, 1 + n % 30, 3_600.0 * n) for n in range(60)])
    context = Context(data, QUIET)
    weighed = corrections.build("purify", {"action": "down_weigh"}).transform(data, context)
    told = context.diagnostics["purify"]
    assert told["rows_found"] == 60
    assert told["share_found"] == pytest.approx(60 / len(data.events))
    assert told["found"]["bots"]["worst"][0]["who"] == "4000"
    assert "ratings" in told["found"]["bombing"]["skipped"]
    assert any("bombing could not look" in sentence for sentence in told["warnings"])
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    bot = pl.col("user_id") == 4000
    assert set(weighed.events.filter(bot)["sample_weight"]) == {0.1}
    assert set(weighed.events.filter(~bot)["sample_weight"]) == {1.0}


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("ease", {"reg": 50.0}),
        ("mf", {"epochs": 1, "width": 4}),
        ("sequence", {"epochs": 1, "width": 8, "blocks": 1, "length": 20, "text": "none"}),
    ],
)
@pytest.mark.parametrize("action", ["drop", "down_weigh"])
def test_models_are_trained_on_what_is_left(model, fields, action):
    data = _with(shop(users=60, items=30).dataset(), [(4000, 1 + n % 30, 3_600.0 * n) for n in range(60)])
    purified = fit(
        models.build(model, fields), data, [corrections.build("purify", {"action": action})], runtime=QUIET
    )
    lists = purified.recommend(data.users["user_id"], 3)
    assert len(lists) == 3 * len(data.users)


def test_the_order_of_rows_plays_no_part():
    data = _with(shop().dataset(), [(4000, 1 + n % 30, 3_600.0 * n) for n in range(60)])
    shuffled = data.with_events(data.events.sample(fraction=1, shuffle=True, seed=5))
    for one, other in zip(Purify().find(data).values(), Purify().find(shuffled).values(), strict=True):
        assert one.findings.equals(other.findings)


def test_nothing_to_look_at_and_everything_found():
    plain = Dataset(pl.DataFrame({"user_id": [1, 1, 2], "item_id": [1, 2, 1]}))
    found = Purify().find(plain)
    assert all(one.findings.is_empty() for one in found.values())
    assert "impressions" in found["clickbait"].skipped
    assert "timestamp" in found["repeats"].skipped
    clock = Dataset(_clicks([(1, n % 5, 3_601.0 * n) for n in range(60)]))
    with pytest.raises(ModelError, match="would drop every event"):
        Purify().transform(clock, Context(clock, QUIET))
    with pytest.raises(ConfigError, match="detectors"):
        corrections.build("purify", {"detectors": ["robots"]})
