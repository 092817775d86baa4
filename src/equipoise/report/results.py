"""What a page is made from: plain data, no models and no tables of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from equipoise.statistics import Reliability


@dataclass(frozen=True)
class Recommended:
    """One line of a sample list.

    Attributes:
        rank: Place in the list, from 1.
        item: Item id.
        title: What the item is called; the id stands alone where there is nothing.
        probability: Calibrated probability, or None.
        cold: Whether training never saw the item.
        taken: Whether the user took it in the held-out time.
    """

    rank: int
    item: str
    title: str | None = None
    probability: float | None = None
    cold: bool = False
    taken: bool = False


@dataclass(frozen=True)
class Sample:
    """The lists of one user, for a reader to look at.

    Attributes:
        user: User id.
        lists: Stage to the first places of the list.
        history: Titles of what the user had before, latest first.
    """

    user: str
    lists: Mapping[str, Sequence[Recommended]]
    history: Sequence[str] = ()


@dataclass(frozen=True)
class RunReport:
    """All that the page of a run shows.

    Attributes:
        name: Name of the run.
        metrics: The content of `metrics.json`.
        manifest: The content of `manifest.json`: `seed`, `versions`, `machine`, `stages` with `seconds`, `started`; of
            `stages.prepare` also `rows` and `sha256`, the data's provenance. What is missing is left out of the page.
        config: The resolved configuration, as TOML.
        command: The command that makes the run again.
        account: What reading and cleaning did: rows of `table`, `reason`, `dropped`, `kept`.
        exposure: Stage to how often each item stands in a list, ascending, zeros included.
        reliability: Stage to said and seen probabilities; empty where nothing is calibrated.
        samples: Lists of a few users.
        warnings: What a reader must know before believing a number.
    """

    name: str
    metrics: Mapping[str, Any]
    manifest: Mapping[str, Any] = field(default_factory=dict)
    config: str = ""
    command: str = ""
    account: Sequence[Mapping[str, Any]] = ()
    exposure: Mapping[str, Sequence[float]] = field(default_factory=dict)
    reliability: Mapping[str, Reliability] = field(default_factory=dict)
    samples: Sequence[Sample] = ()
    warnings: Sequence[str] = ()
