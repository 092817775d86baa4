"""What every metric means: formula, range, fair value, unit, direction, source and guards, once, for docstrings'
readers, reports and evidence.
"""

from __future__ import annotations

from typing import Final

from equipoise.metrics.definitions.attacks import ATTACKS
from equipoise.metrics.definitions.definition import Definition
from equipoise.metrics.definitions.gaps import GAPS
from equipoise.metrics.definitions.lists import LISTS
from equipoise.metrics.definitions.providers import PROVIDERS
from equipoise.metrics.definitions.quality import QUALITY

DEFINITIONS: Final[dict[str, Definition]] = {
    definition.name: definition for definition in (*QUALITY, *LISTS, *PROVIDERS, *ATTACKS)
}
"""All definitions of metrics by name, without cutoff."""

KINDS: Final[dict[str, Definition]] = {definition.name: definition for definition in GAPS}
"""All definitions of gaps between groups by kind: what is made of a metric's values by group."""

__all__ = ["DEFINITIONS", "KINDS", "Definition"]
