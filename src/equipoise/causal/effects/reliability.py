"""Can the interval be believed?"""

from __future__ import annotations

from equipoise.causal.effects.design import Design
from equipoise.causal.effects.methods.fitted import Fitted
from equipoise.causal.effects.settings import Settings


def doubt(design: Design, fitted: Fitted, settings: Settings) -> str | None:
    """Why the interval may not cover as often as it says; None where it may be believed."""
    return fitted.doubt
