"""How systems are told apart: by colour and by shape, the same in every chart and legend.

The colours are those of Okabe and Ito, which stay apart for colour-blind readers; the style sheet holds them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SHAPES = ("circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon")
_REFERENCES = ("circle-open", "square-open", "diamond-open", "triangle-up-open")


@dataclass(frozen=True)
class Style:
    """Colour and shape of one system.

    Attributes:
        colour: Name of a style variable.
        shape: Plotly's name of the shape, ending in "-open" where it is hollow.
    """

    colour: str
    shape: str

    def marker(self, size: float = 10) -> dict[str, Any]:
        """The mark as Plotly writes it."""
        return {
            "symbol": self.shape,
            "size": size,
            "color": self.colour,
            "line": {"width": 1.5, "color": self.colour},
        }

    @property
    def open(self) -> bool:
        """Whether the shape is hollow."""
        return self.shape.endswith("-open")

    @property
    def outline(self) -> str:
        """The shape as an SVG path in a square from -5 to 5."""
        return {
            "circle": "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z",
            "square": "M-4 -4h8v8h-8z",
            "diamond": "M0 -5.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z",
            "triangle-up": "M0 -5l5 8.6h-10z",
            "triangle-down": "M0 5l5 -8.6h-10z",
            "pentagon": "M0 -5l4.8 3.5l-1.8 5.6h-6l-1.8 -5.6z",
        }[self.shape.removesuffix("-open")]


def styles(systems: Sequence[str], references: set[str]) -> Mapping[str, Style]:
    """A style for each system; references are grey and hollow."""
    found, audited, grey = {}, 0, 0
    for name in systems:
        if name in references:
            found[name] = Style("--reference", _REFERENCES[grey % len(_REFERENCES)])
            grey += 1
        else:
            found[name] = Style(f"--s{audited % len(_SHAPES)}", _SHAPES[audited % len(_SHAPES)])
            audited += 1
    return found
