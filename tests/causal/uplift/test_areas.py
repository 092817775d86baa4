"""AUUC, Qini and RATE: hand-worked values, ties, intervals that cover, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.causal.uplift import auuc, qini, randomised_scores, rate
from equipoise.errors import ConfigError, DataError
from equipoise.statistics import Estimate


def test_hand_worked_areas():
    # Scores 4, 2, 0, -2 in the right order: gains 1, 1.5, 1.5, 1 at shares 1/4 ... 1, straight in between.
    ranking, scores = [4, 3, 2, 1], [4.0, 2.0, 0.0, -2.0]
    assert auuc(ranking, scores).value == pytest.approx((0.5 + 1.25 + 1.5 + 1.25) / 4)
    assert qini(ranking, scores).value == pytest.approx(1.125 - 0.5)
    # The integral of G(u)/u over each straight piece: slope times width, plus intercept times log of the ends.
    pieces = [(4, 0, 0.0, 0.25), (2, 0.5, 0.25, 0.5), (0, 1.5, 0.5, 0.75), (-2, 3.0, 0.75, 1.0)]
    area = sum(slope * (b - a) + (cut * np.log(b / a) if cut else 0) for slope, cut, a, b in pieces)
    assert rate(ranking, scores).value == pytest.approx(area - 1.0)
    curve = qini(ranking, scores).curve
    assert curve["share"].to_list() == [0, 0.25, 0.5, 0.75, 1]
    assert curve["gain"].to_list() == [0, 1, 1.5, 1.5, 1]


def test_qini_is_rate_with_its_weighting():
    rng = np.random.default_rng(0)
    ranking, scores = rng.normal(size=50), rng.normal(size=50)
    assert rate(ranking, scores, weighting="qini").value == qini(ranking, scores).value


@pytest.mark.parametrize("metric", [qini, rate])
def test_a_constant_ranking_finds_nobody(metric):
    scores = np.random.default_rng(0).normal(1, 1, 100)
    found = metric(np.zeros(100), scores)
    assert found.value == pytest.approx(0, abs=1e-12)
    assert auuc(np.zeros(100), scores).value == pytest.approx(scores.mean() / 2)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(1, 5))
def test_ties_are_the_average_over_their_orders_and_ignore_arrival(seed, n, levels):
    rng = np.random.default_rng(seed)
    ranking, scores = rng.integers(0, levels, n), rng.normal(size=n)
    again = rng.permutation(n)
    for metric in (auuc, qini, rate):
        assert metric(ranking, scores).value == pytest.approx(
            metric(ranking[again], scores[again]).value, abs=1e-12
        )
        assert metric(2 * ranking + 7, scores).value == pytest.approx(metric(ranking, scores).value)
    orders = [qini(ranking + 1e-3 * rng.random(n), scores).value for _ in range(300)]
    assert np.mean(orders) == pytest.approx(
        qini(ranking, scores).value, abs=5 * np.std(orders) / np.sqrt(300) + 1e-9
    )


def test_the_reversed_ranking_loses_what_the_ranking_wins():
    rng = np.random.default_rng(4)
    ranking, scores = rng.normal(size=80), rng.normal(size=80)
    assert qini(-ranking, scores).value == pytest.approx(-qini(ranking, scores).value)


@pytest.mark.parametrize("metric", [auuc, qini, rate])
def test_influence_is_the_derivative(metric):
    """Doubling one row's weight by a copy moves the value as its influence foretells."""
    rng = np.random.default_rng(7)
    n = 4000
    ranking, scores = rng.integers(0, 30, n).astype(float), rng.normal(size=n)
    found = metric(ranking, scores)
    for row in (0, 17, 333):
        copies = np.append(np.arange(n), row)
        moved = metric(ranking[copies], scores[copies]).value - found.value
        assert moved == pytest.approx(found.estimate.influence[row] / (n + 1), rel=0.02, abs=1e-6)


def world(n, rng, users=None):
    """A randomised treatment whose effect is x; users share x and a liking."""
    user = np.arange(n) if users is None else np.repeat(np.arange(users), n // users)
    x, liking = rng.uniform(-1, 1, user.max() + 1)[user], rng.normal(size=user.max() + 1)[user]
    t = (rng.random(n) < 0.5).astype(float)
    if users is not None:
        t = (rng.random(users) < 0.5).astype(float)[user]
    return user, x, t, liking + t * x + rng.normal(size=n)


TRUTH = {"auuc": 1 / 6, "qini": 1 / 6, "autoc": 0.5}  # of effects uniform on (-1, 1), ranked perfectly


@pytest.mark.parametrize(("n", "users"), [(400, None), (1000, 200)], ids=["rows", "clusters"])
def test_intervals_cover(n, users):
    rng = np.random.default_rng(11)
    hits, plain, worlds = dict.fromkeys(TRUTH, 0), 0, 300
    for _ in range(worlds):
        user, x, t, y = world(n, rng, users)
        data = {"treatment": t, "outcome": y, "propensity": 0.5, "clusters": user}
        for name, found in (("auuc", auuc(x, **data)), ("qini", qini(x, **data)), ("autoc", rate(x, **data))):
            hits[name] += found.low <= TRUTH[name] <= found.high
        wrong = Estimate(found.value, found.estimate.influence).interval()
        plain += wrong.low <= TRUTH["autoc"] <= wrong.high
    slack = 3 * np.sqrt(0.05 * 0.95 / worlds)
    assert all(abs(hit / worlds - 0.95) < slack for hit in hits.values()), hits
    if users:
        assert plain / worlds < 0.85  # rows taken for independent


def test_a_ranking_that_knows_nothing_is_significant_as_often_as_it_should_be():
    rng = np.random.default_rng(12)
    found = 0
    for _ in range(400):
        _, _, t, y = world(300, rng)
        found += rate(rng.normal(size=300), treatment=t, outcome=y, propensity=0.5).p_value < 0.05
    assert found / 400 == pytest.approx(0.05, abs=0.035)


def test_two_rankings_are_compared_on_the_same_rows():
    rng = np.random.default_rng(13)
    _, x, t, y = world(4000, rng)
    data = {"treatment": t, "outcome": y, "propensity": 0.5}
    better = qini(x, **data).minus(qini(x + rng.normal(size=4000), **data))
    assert better.low > 0
    assert qini(x, **data).minus(qini(x, **data)).value == 0


def test_randomised_scores_average_to_the_difference_of_means():
    t, y = np.array([1, 1, 0, 0, 0]), np.array([3.0, 5.0, 1.0, 2.0, 3.0])
    assert randomised_scores(t, y, 0.4).mean() == pytest.approx(2.0)
    found = auuc(np.zeros(5), treatment=t, outcome=y, propensity=0.4)
    assert found.curve["gain"].to_list() == pytest.approx([0, 2.0])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: qini([1, 2], treatment=[0, 1], outcome=[1, 2]), "nothing to judge by"),
        (lambda: qini([1, 2]), "nothing to judge by"),
        (lambda: qini([1, 2, 3], [1.0, 2.0]), "does not fit"),
        (lambda: qini([1, np.nan], [1.0, 2.0]), "NaN"),
        (lambda: qini([1, 2], [1.0, np.inf]), "NaN or infinity"),
        (lambda: qini([1, 2], treatment=[0, 1], outcome=[1, 2], propensity=1.0), "inside"),
        (lambda: qini([1, 2], treatment=[1, 1], outcome=[1, 2], propensity=0.5), "both must occur"),
    ],
)
def test_what_says_nothing_of_effects_is_refused(call, words):
    with pytest.raises(DataError, match=words):
        call()


def test_an_unknown_weighting_is_named():
    with pytest.raises(ConfigError, match="autoc"):
        rate([1, 2], [1.0, 2.0], weighting="auroc")


@pytest.mark.parametrize(
    ("error", "changed", "words"),
    [
        (ConfigError, {"level": 2}, "level of 2"),
        (DataError, {"ranking": ["a", "b", "c", "d"]}, "ranking are no numbers"),
        (DataError, {"treatment": ["yes", "no", "yes", "no"]}, "treatments are no numbers"),
        (DataError, {"propensity": [0.5, 0.5]}, r"shape \(2,\)"),
        (DataError, {"outcome": [1, 2, 3, None]}, "outcomes hold NaN"),
        (DataError, {"clusters": ["a", None, "b", "b"]}, "1 of 4 rows"),
    ],
)
def test_what_is_no_number_is_told(error, changed, words):
    given = {"ranking": [4, 3, 2, 1], "treatment": [1, 0, 1, 0], "outcome": [1, 2, 3, 4], "propensity": 0.5}
    with pytest.raises(error, match=words):
        qini(**{**given, **changed})
