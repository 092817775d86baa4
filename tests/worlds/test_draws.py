from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from equipoise.worlds.draws import choice, choice_by_row, normal, uniform


def test_uniform_and_normal_have_their_distributions():
    rows, columns = np.arange(300)[:, None], np.arange(200)[None, :]
    assert stats.kstest(uniform(0, "a", rows, columns).ravel(), "uniform").pvalue > 0.001
    assert stats.kstest(normal(0, "a", rows, columns).ravel(), "norm").pvalue > 0.001


def test_neighbouring_keys_seeds_and_purposes_are_independent():
    rows, columns = np.arange(300)[:, None], np.arange(200)[None, :]
    draws = uniform(0, "a", rows, columns)
    others = [
        uniform(1, "a", rows, columns),
        uniform(0, "b", rows, columns),
        uniform(0, "a", rows + 1, columns),
    ]
    pairs = [(draws, other) for other in others] + [(draws[:, 1:], draws[:, :-1]), (draws[1:], draws[:-1])]
    for one, other in pairs:
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 4 / np.sqrt(one.size)


@given(st.integers(0, 2**40), st.integers(0, 10_000), st.permutations(range(7)))
def test_a_draw_depends_on_its_key_alone(seed: int, day: int, order: list[int]):
    users = np.arange(7)
    whole = uniform(seed, "click", day, users)
    assert (uniform(seed, "click", day, users[order]) == whole[order]).all()
    assert uniform(seed, "click", day, order[0]) == whole[order[0]]
    assert ((whole > 0) & (whole < 1)).all()


def test_choices_follow_their_weights():
    weights = np.array([1.0, 2.0, 5.0])
    counts = np.bincount(choice(0, "c", weights, np.arange(8000)), minlength=3)
    by_row = choice_by_row(np.tile(weights, (8000, 1)), uniform(0, "d", np.arange(8000)))
    for seen in (counts, np.bincount(by_row, minlength=3)):
        assert stats.chisquare(seen, [1000, 2000, 5000]).pvalue > 0.001
