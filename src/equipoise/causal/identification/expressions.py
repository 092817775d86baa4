"""Formulas over one observed distribution: probabilities, products, sums and ratios.

A formula is a function of its free variables. A sum binds the variables it runs over, inside it only: the
same name may stand for another value outside, as ``x`` and ``x'`` do in the front-door formula. The functions
`product`, `total` and `ratio` build formulas and simplify them by the laws of probability alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Probability:
    """P(variables | given) of the observed distribution."""

    variables: frozenset[str]
    given: frozenset[str] = NONE

    @property
    def free(self) -> frozenset[str]:
        """Variables of which this is a function."""
        return self.variables | self.given

    @property
    def mentioned(self) -> frozenset[str]:
        """Variables that are free or bound in it."""
        return self.free


@dataclass(frozen=True)
class Product:
    """A product of formulas; of none, it is 1."""

    factors: tuple[Expression, ...]

    @cached_property
    def free(self) -> frozenset[str]:
        """Variables of which this is a function."""
        return NONE.union(*(factor.free for factor in self.factors))

    @cached_property
    def mentioned(self) -> frozenset[str]:
        """Variables that are free or bound in it."""
        return NONE.union(*(factor.mentioned for factor in self.factors))


@dataclass(frozen=True)
class Sum:
    """A formula summed over all values of some variables."""

    over: frozenset[str]
    term: Expression

    @cached_property
    def free(self) -> frozenset[str]:
        """Variables of which this is a function."""
        return self.term.free - self.over

    @cached_property
    def mentioned(self) -> frozenset[str]:
        """Variables that are free or bound in it."""
        return self.term.mentioned


@dataclass(frozen=True)
class Ratio:
    """One formula divided by another."""

    numerator: Expression
    denominator: Expression

    @cached_property
    def free(self) -> frozenset[str]:
        """Variables of which this is a function."""
        return self.numerator.free | self.denominator.free

    @cached_property
    def mentioned(self) -> frozenset[str]:
        """Variables that are free or bound in it."""
        return self.numerator.mentioned | self.denominator.mentioned


Expression = Probability | Product | Sum | Ratio
ONE = Product(())


def product(factors: Iterable[Expression]) -> Expression:
    """The product, flat, with P(a | b, c) P(b | c) drawn together to P(a, b | c)."""
    flat: list[Expression] = []
    for factor in factors:
        flat += factor.factors if isinstance(factor, Product) else (factor,)
    while (pair := _chain(flat)) is not None:
        first, second = pair
        joined = Probability(first.variables | second.variables, second.given)
        place = flat.index(first)
        flat[place] = joined
        flat.remove(second)
    return flat[0] if len(flat) == 1 else Product(tuple(flat))


def _chain(factors: list[Expression]) -> tuple[Probability, Probability] | None:
    """Two factors that the chain rule draws together."""
    atoms = [factor for factor in factors if isinstance(factor, Probability)]
    for first in atoms:
        for second in atoms:
            if first is not second and first.given == second.free and first.variables.isdisjoint(second.free):
                return first, second
    return None


def total(over: frozenset[str], term: Expression) -> Expression:
    """The sum over free variables of a formula, as short as can be had.

    Raises:
        ValueError: if the formula does not depend on one of the variables.
    """
    if not over <= term.free:
        raise ValueError(f"the formula does not depend on {sorted(over - term.free)}")
    if not over:
        return term
    if isinstance(term, Sum):
        return total(over | term.over, term.term)
    factors: list[Expression] = list(term.factors) if isinstance(term, Product) else [term]
    left = over
    for name in sorted(over):
        if _sum_away(name, factors, left):
            left -= {name}
    inside = [factor for factor in factors if factor.free & left]
    outside = [factor for factor in factors if not factor.free & left]
    return product([*outside, Sum(left, product(inside))]) if left else product(outside)


def _sum_away(name: str, factors: list[Expression], over: frozenset[str]) -> bool:
    """Sum a variable out of the one probability that holds it, in place; tell whether that could be done.

    It cannot where another variable to be summed over would be left in no factor, whose sum is not 1.
    """
    holders = [place for place, factor in enumerate(factors) if name in factor.free]
    if len(holders) != 1:
        return False
    place = holders[0]
    holder = factors[place]
    if not isinstance(holder, Probability) or name not in holder.variables:
        return False
    rest = holder.variables - {name}
    elsewhere = NONE.union(*(factor.free for at, factor in enumerate(factors) if at != place))
    if not rest and not (holder.given & over) <= elsewhere:
        return False
    factors[place] = Probability(rest, holder.given) if rest else ONE
    return True


def ratio(numerator: Expression, denominator: Expression) -> Expression:
    """The ratio, as a conditional probability where both are probabilities of one distribution."""
    if denominator == ONE:
        return numerator
    if (
        isinstance(numerator, Probability)
        and isinstance(denominator, Probability)
        and numerator.given == denominator.given
        and denominator.variables < numerator.variables
    ):
        return Probability(
            numerator.variables - denominator.variables, numerator.given | denominator.variables
        )
    return Ratio(numerator, denominator)
