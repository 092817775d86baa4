"""Worlds with planted truth: every estimator and every correction is tried here first."""

from equipoise.component import Registry
from equipoise.worlds.policy import PlackettLuce
from equipoise.worlds.storefront import Storefront
from equipoise.worlds.world import GroupGap, Scenario, World

worlds: Registry[Scenario] = Registry(
    "world", "equipoise.worlds", {"storefront": "equipoise.worlds.storefront:Storefront"}
)

__all__ = ["GroupGap", "PlackettLuce", "Scenario", "Storefront", "World", "worlds"]
