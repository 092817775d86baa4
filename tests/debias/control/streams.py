"""Small streams for the tests of the controller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from equipoise.debias.control import Adjustment, Control, Controller

PLACES = 5
CALIBRATION = {"gap": None, "exposure": None}


def batch(t: int, rng: np.random.Generator, *, said: float = 0.3, **seen: float) -> pl.DataFrame:
    """Impressions of one look: 20 slates of each group, whose items are clicked with the chance `seen` of the group.

    Args:
        t: Which look.
        rng: Source of all draws.
        said: Probability that was shown.
        seen: Chance of a click by group.
    """
    groups = np.tile(np.repeat(list(seen), PLACES), 20)
    n = len(groups)
    chance = np.array([seen[group] for group in groups])
    slate = t * n + np.arange(n) // PLACES
    return pl.DataFrame({
        "event": ["impression"] * n, "user_id": slate, "item_id": np.arange(n) % PLACES, "request_id": slate,
        "timestamp": 1000.0 * t + np.arange(n) // PLACES, "group": groups, "probability": np.full(n, said),
        "reward": (rng.random(n) < chance).astype(float),
    })  # fmt: skip


def lived(
    controller: Controller, looks: range, events: Callable[[int, Controller], pl.DataFrame]
) -> list[tuple[int, Adjustment]]:
    """What a controller changed over some looks."""
    found = []
    for t in looks:
        if (adjustment := controller.observe(events(t, controller))) is not None:
            found.append((t, adjustment))
    return found


def shifted(probability: float, shift: float) -> float:
    """A probability whose log-odds were shifted."""
    odds = probability / (1 - probability) * np.exp(shift)
    return float(odds / (1 + odds))


def calibrating(**fields: Any) -> Controller:
    """A controller of the probabilities of two groups."""
    return Control(groups=("a", "b"), **CALIBRATION, **fields).start()


def closed(rng: np.random.Generator, **true: float) -> Callable[[int, Controller], pl.DataFrame]:
    """Events whose probabilities are shown as the controller corrects 0.3; clicks have a chance of their own."""

    def events(t: int, controller: Controller) -> pl.DataFrame:
        parts = [
            batch(t, rng, said=shifted(0.3, controller.corrections["calibration"][group]), **{group: chance})
            for group, chance in true.items()
        ]
        moved = [part.with_columns(pl.col("request_id") + 10**6 * i) for i, part in enumerate(parts)]
        return pl.concat(moved).sort("timestamp", maintain_order=True)

    return events
