"""Formulas: simplified by the laws of probability alone, and written without mixing up variables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.causal.identification.discrete import DiscreteJoint
from equipoise.causal.identification.expressions import (
    ONE,
    Probability,
    Product,
    Ratio,
    Sum,
    product,
    ratio,
    total,
)
from equipoise.causal.identification.rendering import PLAIN, render


def p(variables, given=""):
    return Probability(frozenset(variables), frozenset(given))


def written(expression):
    return render(expression, PLAIN, "abcd".index)


ATOMS = st.builds(
    lambda held: p(
        [name for name, side in held.items() if side == 1], [n for n, side in held.items() if side == 2]
    ),
    st.fixed_dictionaries({name: st.sampled_from([0, 1, 2]) for name in "abcd"}).filter(
        lambda h: 1 in h.values()
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ATOMS, min_size=1, max_size=4), st.data())
def test_simplified_formulas_have_the_values_of_the_plain_ones(atoms, data):
    rng = np.random.default_rng(0)
    table = rng.uniform(0.1, 1, (2, 2, 2, 2))
    joint = DiscreteJoint(dict.fromkeys("abcd", (0, 1)), table / table.sum())
    plain = Product(tuple(atoms))
    over = frozenset(data.draw(st.lists(st.sampled_from(sorted(plain.free)), unique=True)))
    expected, got = joint.values(Sum(over, plain)), joint.values(total(over, product(atoms)))
    np.testing.assert_allclose(*np.broadcast_arrays(expected, got), atol=1e-12)
    below = data.draw(ATOMS)
    expected, got = joint.values(Ratio(atoms[0], below)), joint.values(ratio(atoms[0], below))
    np.testing.assert_allclose(*np.broadcast_arrays(expected, got), atol=1e-12)


def test_laws():
    assert product([p("a", "b"), p("b")]) == p("ab")
    assert product([p("a", "bc"), p("b", "c"), p("c")]) == p("abc")
    assert product([p("a", "b"), p("b", "c")]) == Product((p("a", "b"), p("b", "c")))
    assert product([]) == ONE
    assert total(frozenset("a"), p("ab", "c")) == p("b", "c")
    assert total(frozenset("ab"), p("ab", "c")) == ONE
    assert total(frozenset("b"), product([p("a", "c"), p("b", "c")])) == p("a", "c")
    assert total(frozenset("b"), total(frozenset("c"), p("a", "bc"))) == Sum(frozenset("bc"), p("a", "bc"))
    assert ratio(p("ab", "c"), p("b", "c")) == p("a", "bc")
    assert ratio(p("a"), ONE) == p("a")
    with pytest.raises(ValueError, match="does not depend on"):
        total(frozenset("d"), p("a"))


def test_sums_bind_inside_only():
    inner = total(frozenset("a"), product([p("c", "ab"), p("a")]))
    whole = total(frozenset("b"), product([p("b", "a"), inner]))
    assert whole.free == {"a", "c"}
    assert written(whole) == "Σ_b P(b | a) Σ_a' P(c | a', b) P(a')"
    assert written(Ratio(product([inner, p("d")]), inner)) == (
        "[[Σ_a P(c | a, b) P(a)] P(d)] / [Σ_a P(c | a, b) P(a)]"
    )
    assert written(ONE) == "1"
