"""Names of things found in texts by looking them up: no model, no guess beyond the list itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import DataError
from equipoise.language.units import units

Found = NDArray[np.bool_]


class Match(NamedTuple):
    """An entity in a text: its place in `Gazetteer.names`, and the units `start` up to `end` that name it."""

    entity: int
    start: int
    end: int


@dataclass
class _Node:
    """A place in the tree of names, by the units read so far."""

    children: dict[str, _Node] = field(default_factory=dict)
    entity: int = -1


class Gazetteer:
    """Entities with the names they go by; what a text names is found from left to right, the longest name first.

    Names are compared unit by unit (`units`): whole words in scripts with spaces, so that "pan" is not found in
    "pancake"; runs of characters in those without. Width and case of letters, apostrophes and hyphens do not matter.
    A text is data: whatever it says, names are all that is read from it.

    Args:
        entries: Entity -> its names; the entity itself is a name only where it is listed.

    Raises:
        DataError: if there is no entity, a name has no letter or digit, or two entities go by one name.

    Example:
        >>> found = Gazetteer({"pan": ["pan", "煎锅"], "iron pan": ["iron pan"]})
        >>> [found.names[match.entity] for match in found.matches("Iron pan, no pancake; 铁煎锅")]
        ['iron pan', 'pan']
    """

    def __init__(self, entries: Mapping[str, Sequence[str]]) -> None:
        if not entries:
            raise DataError("The gazetteer holds no entity", todo="Name at least one.")
        self.names = tuple(entries)
        self._root = _Node()
        for place, (entity, names) in enumerate(entries.items()):
            for name in names:
                self._add(entity, place, name)

    @classmethod
    def of_names(cls, names: Iterable[str]) -> Self:
        """Entities that go by one name each; a name that is spelt in several ways is one entity.

        Raises:
            DataError: as for the class.
        """
        spellings: dict[tuple[str, ...], str] = {}
        for name in names:
            spellings.setdefault(tuple(units(name)), name)
        return cls({name: [name] for spelt, name in sorted(spellings.items()) if spelt})

    @classmethod
    def read(cls, path: Path) -> Self:
        """From a file in UTF-8 with an entity per line: its name, and further names of it after tabs.

        Raises:
            DataError: if the file cannot be read, and as for the class.
        """
        try:
            lines = path.read_text("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(
                f"The gazetteer cannot be read: {error}",
                where=str(path),
                todo="Give a text file in UTF-8 with one entity per line.",
            ) from error
        entries: dict[str, list[str]] = {}
        for line in lines:
            if names := [name.strip() for name in line.split("\t") if name.strip()]:
                entries.setdefault(names[0], []).extend(names)
        if not entries:
            raise DataError("The gazetteer holds no entity", where=str(path), todo="Name one per line.")
        return cls(entries)

    def matches(self, text: str) -> list[Match]:
        """The entities that a text names, in their order; names do not overlap."""
        return self.matches_in(units(text))

    def matches_in(self, read: Sequence[str]) -> list[Match]:
        """As `matches`, of a text that `units` has read."""
        found, start = [], 0
        while start < len(read):
            match = self._longest(read, start)
            if match is not None:
                found.append(match)
            start = start + 1 if match is None else match.end
        return found

    def place(self, name: str) -> int:
        """Place in `names` of the entity that goes by a name, however it is spelt; -1 where none does."""
        read = units(name)
        match = self._longest(read, 0)
        return match.entity if match is not None and match.end == len(read) else -1

    def label(self, texts: Sequence[str]) -> Found:
        """Which entities each text names, of shape (texts, entities)."""
        found = np.zeros((len(texts), len(self.names)), dtype=bool)
        for row, text in enumerate(texts):
            found[row, [match.entity for match in self.matches(text)]] = True
        return found

    def _add(self, entity: str, place: int, name: str) -> None:
        node, spelt = self._root, units(name)
        if not spelt:
            raise DataError(
                f"The name '{name}' has no letter and no digit", where=f"names of '{entity}'", todo="Drop it."
            )
        for unit in spelt:
            node = node.children.setdefault(unit, _Node())
        if node.entity not in (-1, place):
            raise DataError(
                f"Two entities of the gazetteer go by the name '{name}'",
                where=f"'{self.names[node.entity]}' and '{entity}'",
                todo="Keep the name with one of them.",
            )
        node.entity = place

    def _longest(self, read: Sequence[str], start: int) -> Match | None:
        node, best = self._root, None
        for end in range(start, len(read)):
            after = node.children.get(read[end])
            if after is None:
                break
            node = after
            if node.entity >= 0:
                best = Match(node.entity, start, end + 1)
        return best


class Noise(NamedTuple):
    """How wrong silver labels are beside a truth.

    Attributes:
        missed: Share of what is true that was not found; NaN where nothing is true.
        false: Share of what was found that is not true; NaN where nothing was found.
    """

    missed: float
    false: float


def noise(found: Found, truth: Found) -> Noise:
    """Compare labels with the truth, both of one shape.

    >>> noise(np.array([True, True, False]), np.array([True, False, False]))
    Noise(missed=0.0, false=0.5)
    """
    both = int((found & truth).sum())
    true, said = int(truth.sum()), int(found.sum())
    return Noise(1 - both / true if true else float("nan"), 1 - both / said if said else float("nan"))
