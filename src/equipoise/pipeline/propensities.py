"""The causal cards of a run: one for each correction of its model that rests on propensities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def propensity_cards(reported: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is to be known of the propensities of a run before its corrected lists are believed.

    Args:
        reported: What corrections reported while the model was trained, by name (`Corrected.diagnostics`, or
            the facts of the stage that trained).

    Returns:
        A card for each correction that weighs by propensities, as `equipoise.debias.during.card.card` makes it
        from the events that were weighted; in the order in which they acted.
    """
    cards = [told["card"] for told in reported.values() if isinstance(told, Mapping) and "card" in told]
    return [card for card in cards if "estimand" in card]  # others tell of assumptions of another kind
