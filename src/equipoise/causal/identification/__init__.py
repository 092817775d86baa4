"""Identification: whether, and by which formula, an effect follows from what is observed."""

from equipoise.causal.identification.adjustment import adjustment_sets
from equipoise.causal.identification.errors import NotIdentifiable, StrategyError
from equipoise.causal.identification.estimand import Estimand
from equipoise.causal.identification.front_door import front_door_sets
from equipoise.causal.identification.hedge import Hedge
from equipoise.causal.identification.identify import identify
from equipoise.causal.identification.instruments import Instrument, instruments
from equipoise.causal.identification.mediation import Mediation, NaturalEffect, mediation

__all__ = [
    "Estimand",
    "Hedge",
    "Instrument",
    "Mediation",
    "NaturalEffect",
    "NotIdentifiable",
    "StrategyError",
    "adjustment_sets",
    "front_door_sets",
    "identify",
    "instruments",
    "mediation",
]
