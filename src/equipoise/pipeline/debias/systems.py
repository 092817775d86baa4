"""The rows of a comparison: the base, each correction by itself, all configured ones together, two that know
nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from equipoise.config import Config
from equipoise.data import Dataset
from equipoise.debias import AfterTraining, Correction, corrections
from equipoise.debias.corrected import instead
from equipoise.errors import ConfigError, EquipoiseError, ModelError
from equipoise.models.recommender import Recommender

Kind = Literal["base", "method", "configured", "reference"]

BASE = "base"
CONFIGURED = "as configured"
POPULAR = "TopPop"
RANDOM = "Random"

_STAGES = ("before", "during", "after")


@dataclass(frozen=True)
class System:
    """One row.

    Attributes:
        name: What it is called; no two rows have the same.
        kind: What it is there for.
        chosen: The corrections that act, in order.
    """

    name: str
    kind: Kind
    chosen: tuple[Correction, ...] = ()

    @property
    def retrains(self) -> bool:
        """Whether it needs a model of its own, and not only lists of its own."""
        return any(not isinstance(one, AfterTraining) for one in self.chosen)

    def describe(self) -> dict[str, Any]:
        """What tells it from other rows, as plain values."""
        told: dict[str, Any] = {"name": self.name, "kind": self.kind}
        told["settings"] = [one.describe() for one in self.chosen]
        told["stages"] = [one.acts for one in self.chosen]
        told["against"] = list(dict.fromkeys(bias for one in self.chosen for bias in one.against))
        return told


def systems(
    config: Config, train: Dataset, recommender: Recommender, methods: str | Sequence[str], *, strict: bool
) -> tuple[list[System], list[dict[str, str]]]:
    """The rows of a comparison, and which corrections cannot act, with the reason.

    A correction takes the fields of its own `[[debias]]` section where the configuration has one, else its
    defaults.

    Args:
        config: Whose data, model and corrections.
        train: The training events.
        recommender: The model.
        methods: Names of corrections, or "all".
        strict: Whether a correction that cannot act is an error.

    Raises:
        ConfigError: if there is no such correction; the nearest name is suggested.
        ModelError: if one cannot act and `strict` is set.
    """
    names = corrections.names() if isinstance(methods, str) else list(dict.fromkeys(methods))
    if not names:
        raise ConfigError("No correction is named", todo='Name some, or write "all".')
    given = {section.method: section.fields for section in reversed(config.debias)}
    rows, skipped = list[System](), list[dict[str, str]]()
    for one in sorted((corrections.build(name, given.get(name)) for name in names), key=_in_order):
        if (reason := one.obstacle(train, recommender)) is None:
            rows.append(System(one.name, "method", (one,)))
        elif strict:
            raise ModelError(f"The correction '{one.name}' cannot act here: {reason}")
        else:
            skipped.append({"method": one.name, "reason": reason})
    configured = tuple(corrections.build(part.method, part.fields) for part in config.debias)
    try:
        instead(recommender, train, configured)
    except EquipoiseError as error:  # says which correction, and why
        skipped.append({"method": CONFIGURED, "reason": error.what})
    else:
        if configured and configured not in [row.chosen for row in rows]:
            rows.append(System(CONFIGURED, "configured", configured))
    references = [System(name, "reference") for name in (POPULAR, RANDOM)]
    return [System(BASE, "base"), *rows, *references], skipped


def _in_order(one: Correction) -> tuple[int, str]:
    return _STAGES.index(one.acts), one.name
