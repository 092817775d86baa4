"""Which groups can be worked out from others: tables of sums held against each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from equipoise.audit.fairness.frame import FairnessFrame
from equipoise.data import vocabulary as v
from equipoise.data.vocabulary import UNKNOWN

Cell = tuple[str, str]
"""Attribute and group."""
Floats = NDArray[np.float64]

_NOTHING = 1e-6  # what rounding leaves of a residual, as a share, and of a weight


@dataclass(frozen=True)
class Crossing:
    """Some users, divided by all attributes at once.

    Users who share all their groups are one atom: sums over groups are sums over atoms. A mean and its number of
    users tell a sum; so a group can be worked out from others exactly if its row of atoms is a linear combination
    of theirs (Hundepool et al. 2012, "Statistical Disclosure Control", section 4.2).

    Attributes:
        cells: The groups of all attributes and intersections that have users.
        users: (cells,), users of each.
        atoms: (atoms, cells + 1), 1 where an atom belongs to a cell; the last column is everybody.
    """

    cells: tuple[Cell, ...]
    users: NDArray[np.int64]
    atoms: sparse.csc_matrix

    def revealing(self, hidden: Collection[Cell], min_cell: int) -> set[Cell]:
        """Shown cells that are to be hidden next, since hidden ones follow from what is shown.

        Args:
            hidden: The hidden cells.
            min_cell: Hidden cells of an attribute with fewer users together must not follow together either.

        Returns:
            For every hidden known cell that follows, the smallest cell without which it does not; where no single
            one is enough, the smallest that takes part. Empty where nothing follows, or nothing is left to hide.
        """
        concealed = np.array([cell in hidden for cell in self.cells], dtype=bool)
        known = np.array([group != UNKNOWN for _, group in self.cells], dtype=bool)
        targets = [np.array([place]) for place in np.flatnonzero(concealed & known)]
        names = np.array([attribute for attribute, _ in self.cells], dtype=object)
        for attribute in dict.fromkeys(names[concealed & known]):
            together = np.flatnonzero(concealed & known & (names == attribute))
            if len(together) > 1 and self.users[together].sum() < min_cell:
                targets.append(together)
        shown = np.append(np.flatnonzero(~concealed), len(self.cells))
        return {
            self.cells[place]
            for weights, target in zip(self._weights(shown, targets), targets, strict=True)
            if weights is not None
            for place in self._next(shown, weights, target)
        }

    def _next(self, shown: NDArray[np.int64], weights: Floats, target: NDArray[np.int64]) -> list[np.int64]:
        """At most one of the shown cells that the target is worked out from."""
        part = shown[(np.abs(weights) > _NOTHING) & (shown < len(self.cells))]
        part = part[np.argsort(self.users[part], kind="stable")]
        for place in part:
            if self._weights(shown[shown != place], [target])[0] is None:
                return [place]
        return list(part[:1])

    def _weights(self, shown: NDArray[np.int64], targets: list[NDArray[np.int64]]) -> list[Floats | None]:
        """For every target the weights of shown cells that add up to it; None where there are none."""
        if not targets:
            return []
        rows = self.atoms[:, shown]
        wanted = np.stack([self.atoms[:, target].sum(axis=1).A1 for target in targets], axis=1)
        products = rows.T @ wanted
        weights = np.linalg.lstsq((rows.T @ rows).toarray(), products, rcond=None)[0]
        length = (wanted**2).sum(axis=0)
        left = length - (products * weights).sum(axis=0)
        return [
            weights[:, column] if left[column] <= _NOTHING * length[column] else None
            for column in range(len(targets))
        ]


def crossings(frame: FairnessFrame) -> Iterator[Crossing]:
    """The users of every metric and system of a frame; those that several have in common once."""
    codes = np.stack([attribute.codes for attribute in frame.attributes], axis=1)
    tables = frame.per_user.drop(v.USER, *(attribute.name for attribute in frame.attributes))
    parts = [tables] if "system" not in tables.columns else tables.partition_by("system", include_key=False)
    measured = {
        column.is_not_null().to_numpy().tobytes(): column.is_not_null().to_numpy()
        for part in parts
        for column in part.iter_columns()
    }
    for users in measured.values():
        if users.any():
            yield _crossing(frame, codes[users])


def _crossing(frame: FairnessFrame, codes: NDArray[np.int64]) -> Crossing:
    atoms, counts = np.unique(codes, axis=0, return_counts=True)
    cells: list[Cell] = []
    users: list[int] = []
    columns: list[NDArray[np.bool_]] = []
    for attribute, own in zip(frame.attributes, atoms.T, strict=True):
        for place, label in enumerate(attribute.labels):
            inside = own == place
            if inside.any():
                cells.append((attribute.name, label))
                users.append(int(counts[inside].sum()))
                columns.append(inside)
    columns.append(np.ones(len(atoms), dtype=bool))
    rows = sparse.csc_matrix(np.stack(columns, axis=1).astype(np.float64))
    return Crossing(tuple(cells), np.array(users, dtype=np.int64), rows)
