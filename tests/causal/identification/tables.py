"""Joint distributions of small models, written out as tables."""

from itertools import product

import polars as pl


def joint(names, probability):
    """Rows of 0 and 1 for all names, with p = probability(**row)."""
    rows = [dict(zip(names, values, strict=True)) for values in product((0, 1), repeat=len(names))]
    return pl.DataFrame([{**row, "p": probability(**row)} for row in rows])


def bernoulli(chance, value):
    return chance if value else 1 - chance


def triangle():
    """x -> y -> z; x -> z: P(x) = .3; P(y | x) = .2, .7; P(z | x, y) = .1, .4, .5, .8."""
    return joint(
        "xyz",
        lambda x, y, z: (
            bernoulli(0.3, x)
            * bernoulli((0.2, 0.7)[x], y)
            * bernoulli({(0, 0): 0.1, (0, 1): 0.4, (1, 0): 0.5, (1, 1): 0.8}[x, y], z)
        ),
    )


def front_door():
    """x -> m -> y with u behind x and y, summed out: u .5; x .2, .8; m .1, .9; y = .1 + .5 m + .3 u."""
    return joint(
        "xmy",
        lambda x, m, y: sum(
            0.5
            * bernoulli((0.2, 0.8)[u], x)
            * bernoulli((0.1, 0.9)[x], m)
            * bernoulli(0.1 + 0.5 * m + 0.3 * u, y)
            for u in (0, 1)
        ),
    )
