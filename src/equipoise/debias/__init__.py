"""Corrections of bias before, during and after training, on one interface."""

from equipoise.component import Registry
from equipoise.debias.correction import AfterTraining, BeforeTraining, Context, Correction, DuringTraining

corrections: Registry[Correction] = Registry(
    "correction",
    "equipoise.corrections",
    {
        "ips": "equipoise.debias.inverse_propensity:InversePropensity",
        "exposure": "equipoise.debias.exposure:Exposure",
    },
)

__all__ = ["AfterTraining", "BeforeTraining", "Context", "Correction", "DuringTraining", "corrections"]
