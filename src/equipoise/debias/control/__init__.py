"""Correction while it runs: a controller that watches feedback and moves bounded corrections on evidence.

controller = Control(groups=("f", "m")).start(log=Path("changes.jsonl"))
shown = controller.apply(recommendations)   # frame of the same kind
adjustment = controller.observe(events)     # what was changed, or None
"""

from equipoise.debias.control.adjustment import Adjustment, Change
from equipoise.debias.control.controller import Control, Controller
from equipoise.debias.control.lists import ALTERNATIVE, corrected
from equipoise.debias.control.log import ChangeLog
from equipoise.debias.control.loop import Loop
from equipoise.debias.control.signals import EVERYONE, ITEM_GROUP, TRIAL

__all__ = [
    "ALTERNATIVE",
    "EVERYONE",
    "ITEM_GROUP",
    "TRIAL",
    "Adjustment",
    "Change",
    "ChangeLog",
    "Control",
    "Controller",
    "Loop",
    "corrected",
]
