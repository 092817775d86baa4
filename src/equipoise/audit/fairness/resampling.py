"""The users of an audit as arrays, and their bootstrap draws: made once, and added up for every group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from equipoise.audit.fairness.groups import Attribute
from equipoise.errors import ConfigError
from equipoise.statistics import Cells, Means, resampled_cells
from equipoise.statistics.bootstrap import settings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FEWEST_BEYOND = 2  # draws beyond each end of an interval
_SHARED = 30_000_000  # numbers of one set of draws that all attributes share: 240 MB


@dataclass(frozen=True)
class Settings:
    """How numbers are made.

    Attributes:
        min_cell: Fewest users of a group that is shown and compared.
        level: Confidence level of intervals; 1 − level is the size of tests.
        n_bootstrap: Draws for intervals.
        n_permutations: Shuffles for p-values, at least.
        seed: Root of all draws.
    """

    min_cell: int = 30
    level: float = 0.95
    n_bootstrap: int = 1000
    n_permutations: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        settings(self.level, min(self.n_bootstrap, self.n_permutations))
        if self.min_cell < 1:
            raise ConfigError(
                f"A smallest cell of {self.min_cell} users is none", todo="Give 1 or more, as in 30."
            )
        beyond = (1 - self.level) / 2
        if self.n_bootstrap * beyond < _FEWEST_BEYOND - 1e-9:
            raise ConfigError(
                f"{self.n_bootstrap} draws do not reach the ends of an interval at a level of {self.level}",
                where="n_bootstrap",
                todo=f"Give at least {math.ceil(_FEWEST_BEYOND / beyond - 1e-9)}, better 1000.",
            )

    def shuffles(self, tests: int) -> int:
        """Shuffles with which the smallest p-value, times the number of tests, can reach 1 − level."""
        return max(self.n_permutations, int(np.ceil(2 * tests / (1 - self.level))))


@dataclass(frozen=True)
class Part:
    """Columns that the same users have values of.

    Attributes:
        columns: Places of the columns in all values.
        users: Places of the users.
        values: (users, columns), without NaN.
    """

    columns: Ints
    users: Ints
    values: Floats


@dataclass
class Sample:
    """Values of users, their groups and strata.

    Attributes:
        values: (users, columns), NaN where a user has no value.
        attributes: The ways to divide users.
        strata: (users,), stratum of each user from 0.
        settings: How numbers are made.
    """

    values: Floats
    attributes: Sequence[Attribute]
    strata: Ints
    settings: Settings
    _kept: dict[tuple[int, str], Cells] = field(default_factory=dict, repr=False)

    @property
    def n_strata(self) -> int:
        """Number of strata."""
        return int(self.strata.max(initial=0)) + 1

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Columns by which users have a value, in order of the first column of each part."""
        there = ~np.isnan(self.values)
        patterns = [there[:, j].tobytes() for j in range(self.values.shape[1])]
        found = []
        for pattern in dict.fromkeys(patterns):
            columns = np.array([j for j, own in enumerate(patterns) if own == pattern])
            users = np.flatnonzero(there[:, columns[0]])
            found.append(Part(columns, users, self.values[np.ix_(users, columns)]))
        return tuple(found)

    def cells(self, part: Part, attribute: Attribute) -> Cells:
        """Draws of every group in every stratum: cell `group · n_strata + stratum`."""
        n_groups = len(attribute.labels)
        codes = attribute.codes * self.n_strata + self.strata
        n_finest = int(self._finest.max(initial=0)) + 1
        if n_finest * self.settings.n_bootstrap * (part.values.shape[1] + 1) > _SHARED:
            return self._resampled(part, codes, n_groups * self.n_strata, attribute.name)
        cells = self._resampled(part, self._finest, n_finest, "")
        group_of = np.zeros(n_finest, dtype=np.int64)
        group_of[self._finest] = codes
        return cells.merged(group_of, n_groups * self.n_strata)

    def groups(self, part: Part, attribute: Attribute) -> Means:
        """Means of all groups of an attribute, "unknown" at the end."""
        cells = self.cells(part, attribute)
        return cells.merged(np.arange(len(cells.users)) // self.n_strata, len(attribute.labels)).means()

    def everybody(self, part: Part, attribute: Attribute | None = None) -> Means:
        """The mean of all users, from the same draws as the groups of an attribute: of the first where none
        is named.
        """
        cells = self.cells(part, attribute or self.attributes[0])
        return cells.merged(np.zeros(len(cells.users), dtype=np.int64), 1).means()

    @cached_property
    def _finest(self) -> Ints:
        """Of every user, the cell that no attribute and no stratum divides."""
        finest = self.strata
        for attribute in self.attributes:
            if not attribute.crossed:
                finest = finest * len(attribute.labels) + attribute.codes
                finest = np.unique(finest, return_inverse=True)[1].ravel()
        return finest

    def _resampled(self, part: Part, codes: Ints, n_cells: int, name: str) -> Cells:
        key = (int(part.columns[0]), name)
        if key not in self._kept:
            options = self.settings
            self._kept[key] = resampled_cells(
                part.values,
                codes[part.users],
                n_cells,
                level=options.level,
                n_bootstrap=options.n_bootstrap,
                seed=options.seed,
            )
        return self._kept[key]
