"""Corrections of bias before, during and after training, on one interface."""

from equipoise.component import Registry
from equipoise.debias.correction import AfterTraining, BeforeTraining, Context, Correction, DuringTraining

corrections: Registry[Correction] = Registry(
    "correction",
    "equipoise.corrections",
    {
        "balanced_sampling": "equipoise.debias.before.balanced_sampling:BalancedSampling",
        "reweigh": "equipoise.debias.before.reweigh:Reweigh",
        "flip_attribute": "equipoise.debias.before.flip_attribute:FlipAttribute",
        "augment_gan": "equipoise.debias.before.augment_gan:AugmentGAN",
        "augment_counterfactual": "equipoise.debias.before.augment_counterfactual:AugmentCounterfactual",
        "purify": "equipoise.debias.before.purify:Purify",
        "ips": "equipoise.debias.during.inverse_propensity:InversePropensity",
        "snips": "equipoise.debias.during.inverse_propensity:SelfNormalised",
        "clipped_ips": "equipoise.debias.during.inverse_propensity:Clipped",
        "dr_jl": "equipoise.debias.during.doubly_robust:DoublyRobust",
        "mrdr": "equipoise.debias.during.doubly_robust:MoreRobust",
        "stable_dr": "equipoise.debias.during.stable_dr:Stable",
        "position": "equipoise.debias.during.position:Position",
        "popularity_adjust": "equipoise.debias.during.popularity_adjust:PopularityAdjust",
        "causal_vae": "equipoise.debias.during.causal_vae:CausalVAE",
        "rel_mf": "equipoise.debias.during.rel_mf:RelMF",
        "macr": "equipoise.debias.during.macr:CounterfactualReasoning",
        "dice": "equipoise.debias.during.dice:Disentangle",
        "esmm": "equipoise.debias.during.esmm:EntireSpace",
        "multitask": "equipoise.debias.during.multitask:Multitask",
        "invariant": "equipoise.debias.during.invariant:InvariantPreference",
        "adversarial": "equipoise.debias.during.adversarial:Adversarial",
        "fair_regularizer": "equipoise.debias.during.fair_regularizer:FairRegularizer",
        "exposure": "equipoise.debias.after.exposure:Exposure",
        "exposure_lp": "equipoise.debias.after.exposure_lp:ExposureLP",
        "calibrated": "equipoise.debias.after.calibrated:Calibrated",
        "mmr": "equipoise.debias.after.mmr:MMR",
        "dpp": "equipoise.debias.after.dpp:DPP",
        "fa_ir": "equipoise.debias.after.fa_ir:FAIR",
        "max_min": "equipoise.debias.after.max_min:MaxMin",
        "user_gap": "equipoise.debias.after.user_gap:UserGap",
        "score_calibration": "equipoise.debias.after.score_calibration:ScoreCalibration",
        "self_calibration": "equipoise.debias.after.self_calibration:SelfCalibration",
    },
)

__all__ = ["AfterTraining", "BeforeTraining", "Context", "Correction", "DuringTraining", "corrections"]
