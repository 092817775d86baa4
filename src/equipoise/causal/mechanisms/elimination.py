"""Variable elimination: sums over products of tables without making the whole product (Zhang & Poole 1994)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from string import ascii_letters

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import ModelError

_LARGEST = 2**26  # cells of a table: half a gibibyte


@dataclass(frozen=True)
class Factor:
    """A function of some variables as a table.

    Attributes:
        names: Variables, one per axis.
        table: Its values, of shape (levels of the first variable, ...).
    """

    names: tuple[str, ...]
    table: NDArray[np.float64]

    def at(self, name: str, code: int) -> Factor:
        """The function of the other variables where this one is held at a level."""
        if name not in self.names:
            return self
        axis = self.names.index(name)
        rest = (*self.names[:axis], *self.names[axis + 1 :])
        return Factor(rest, np.take(self.table, code, axis=axis))


def eliminate(factors: Iterable[Factor], keep: Sequence[str]) -> Factor:
    """The product of all factors, summed over every variable but those of `keep`.

    Variables are summed out one by one, next always the one whose table is smallest.

    Returns:
        A factor of `keep`, in this order.

    Raises:
        ModelError: if a table on the way would have over 2**26 cells.
    """
    left = list(factors)
    sizes = {name: size for one in left for name, size in zip(one.names, one.table.shape, strict=True)}
    unwanted = set(sizes) - set(keep)

    def cells(name: str) -> int:
        return prod(sizes[other] for other in {name, *_scope(one for one in left if name in one.names)})

    while unwanted:
        name = min(sorted(unwanted), key=cells)
        touched = [one for one in left if name in one.names]
        left = [one for one in left if name not in one.names]
        left.append(_product(touched, sorted(_scope(touched) - {name})))
        unwanted.remove(name)
    return _product(left, keep)


def _scope(factors: Iterable[Factor]) -> set[str]:
    return {name for one in factors for name in one.names}


def _product(factors: Sequence[Factor], keep: Sequence[str]) -> Factor:
    """The product of factors, summed over what is not kept at the last multiplication."""
    if not factors:
        return Factor((), np.ones(()))
    whole = reduce(_times, factors[:-1]) if len(factors) > 1 else Factor((), np.ones(()))
    return _times(whole, factors[-1], keep)


def _times(left: Factor, right: Factor, keep: Sequence[str] | None = None) -> Factor:
    names = tuple(dict.fromkeys((*left.names, *right.names)))
    kept = names if keep is None else tuple(keep)
    sizes = dict(zip((*left.names, *right.names), (*left.table.shape, *right.table.shape), strict=True))
    if (cells := prod(sizes[name] for name in kept)) > _LARGEST:
        raise ModelError(
            f"The answer needs a table of {cells:.1e} cells",
            where=f"variables {', '.join(kept)}",
            todo="Exact inference is for small graphs: ask for fewer variables at once, or give them fewer levels.",
        )
    letter = dict(zip(names, ascii_letters, strict=False))
    axes = ["".join(letter[name] for name in part) for part in (left.names, right.names, kept)]
    table = np.einsum(f"{axes[0]},{axes[1]}->{axes[2]}", left.table, right.table)
    return Factor(kept, np.asarray(table, dtype=np.float64))
