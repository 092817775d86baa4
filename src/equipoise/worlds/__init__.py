"""Worlds with planted truth: every estimator and every correction is tried here first."""

from equipoise.component import Registry
from equipoise.worlds.bias import bias_removed, do_value, planted_bias
from equipoise.worlds.gallery import Gallery
from equipoise.worlds.laws import GroupGap
from equipoise.worlds.planted import planted, preference_values, propensity_error
from equipoise.worlds.policy import PlackettLuce
from equipoise.worlds.storefront import Storefront
from equipoise.worlds.world import Scenario, World

worlds: Registry[Scenario] = Registry(
    "world",
    "equipoise.worlds",
    {
        "storefront": "equipoise.worlds.storefront:Storefront",
        "gallery": "equipoise.worlds.gallery:Gallery",
    },
)

__all__ = [
    "Gallery",
    "GroupGap",
    "PlackettLuce",
    "Scenario",
    "Storefront",
    "World",
    "bias_removed",
    "do_value",
    "planted",
    "planted_bias",
    "preference_values",
    "propensity_error",
    "worlds",
]
