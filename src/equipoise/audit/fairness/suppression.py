"""Which cells of a table are too small to be shown, so that none follows by subtraction either."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def hidden_cells(
    sizes: Sequence[int], min_cell: int, lines: Sequence[Sequence[int]] = ()
) -> NDArray[np.bool_]:
    """Cells that are not shown.

    First the cells of 1 to `min_cell` − 1 users. Then, in every line in which something is hidden, the next
    smallest cell, until at least two cells with at least `min_cell` users together are hidden there or
    nothing is left to hide: else the line's total would give them away. A cell that is hidden for one line
    is hidden in all, so lines are gone through until nothing changes. Empty cells are shown and hide nobody.

    Source: primary and secondary cell suppression, as in Hundepool et al. (2012), "Statistical Disclosure
    Control", section 4.4.

    Args:
        sizes: (cells,), users of each.
        min_cell: Fewest users of a cell that is shown.
        lines: Places of cells whose total can be known, such as those that share the value of one parent of
            an intersection. None: one line of all cells.

    Returns:
        (cells,), True where a cell is hidden.
    """
    users = np.asarray(sizes, dtype=np.int64)
    hidden = np.asarray((users > 0) & (users < min_cell))
    every = [np.asarray(line, dtype=np.int64) for line in lines] or [np.arange(len(users))]
    changed = True
    while changed:
        changed = False
        for line in every:
            changed |= _protect(users, hidden, line, min_cell)
    return hidden


def _protect(
    users: NDArray[np.int64], hidden: NDArray[np.bool_], line: NDArray[np.int64], min_cell: int
) -> bool:
    """Hide the smallest shown cells of a line until its total tells nothing; whether any was hidden."""
    inside = line[hidden[line]]
    if not len(inside):
        return False
    shown = line[~hidden[line] & (users[line] > 0)]
    count, total, more = len(inside), int(users[inside].sum()), 0
    for cell in shown[np.argsort(users[shown], kind="stable")]:
        if count + more >= 2 and total >= min_cell:
            break
        hidden[cell] = True
        total, more = total + int(users[cell]), more + 1
    return more > 0
