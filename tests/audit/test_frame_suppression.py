"""Cells too small to be shown, and what would give them away."""

import pytest

from equipoise.audit.fairness.suppression import hidden_cells

GRID = [[0, 1, 2], [3, 4, 5], [6, 7, 8], [0, 3, 6], [1, 4, 7], [2, 5, 8]]


@pytest.mark.parametrize(
    ("sizes", "hidden"),
    [
        ([40, 50, 60], []),
        ([40, 5, 6, 50], [0, 1, 2]),  # two small ones, with 11 users together
        ([40, 25, 26, 50], [1, 2]),
        ([40, 35, 3], [1, 2]),
        ([40, 0, 3], [0, 2]),  # nobody is no second group
        ([40, 3, 3, 3], [0, 1, 2, 3]),
        ([3], [0]),
        ([0, 0], []),
        ([], []),
    ],
)
def test_small_cells_and_the_next_smallest_are_hidden(sizes, hidden):
    assert [i for i, each in enumerate(hidden_cells(sizes, 30)) if each] == hidden


def test_every_line_of_an_intersection_hides_two():
    """The cell of 7 follows neither from its row nor from its column."""
    sizes = [7, 80, 90, 100, 110, 120, 130, 140, 150]
    hidden = hidden_cells(sizes, 30, GRID)
    assert [i for i, each in enumerate(hidden) if each] == [0, 1, 3, 4]
    for line in GRID:
        inside = [sizes[i] for i in line if hidden[i]]
        assert not inside or (len(inside) >= 2 and sum(inside) >= 30)
