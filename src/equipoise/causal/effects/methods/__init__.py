"""One module per estimator; each is a function of a design and settings."""

from __future__ import annotations

from collections.abc import Callable

from equipoise.causal.effects.design import Design
from equipoise.causal.effects.methods.aipw import aipw
from equipoise.causal.effects.methods.fitted import Fitted
from equipoise.causal.effects.methods.instrument import two_stage_least_squares
from equipoise.causal.effects.methods.matching import matching
from equipoise.causal.effects.methods.mediated import front_door, mediation
from equipoise.causal.effects.methods.partially_linear import partially_linear
from equipoise.causal.effects.methods.regression import regression
from equipoise.causal.effects.methods.weighting import ipw, overlap_weighting
from equipoise.causal.effects.settings import Settings

METHODS: dict[str, Callable[[Design, Settings], Fitted]] = {
    "aipw": aipw,
    "ipw": ipw,
    "overlap": overlap_weighting,
    "regression": regression,
    "matching": matching,
    "iv": two_stage_least_squares,
    "frontdoor": front_door,
    "mediation": mediation,
    "plr": partially_linear,
}
"""Estimators by name."""

__all__ = ["METHODS", "Fitted"]
