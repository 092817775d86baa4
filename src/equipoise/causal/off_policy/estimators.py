"""Estimators of one family: V = mean(direct) + mean(w̃ (r − q)), or with the weights' own mean below.

Notation: w = target probability / propensity, w̃ what an estimator makes of w, r the reward, q the outcome
model's reward of the logged item, direct its mean under the target policy. Estimators without an outcome
model have q = direct = 0.
"""

from __future__ import annotations

from abc import ABC
from typing import ClassVar

import narwhals as nw
import numpy as np
from pydantic import Field

from equipoise.causal.off_policy.columns import LOGGED_VALUE, REWARD_, TARGET, TARGET_VALUE, WEIGHT, Frame
from equipoise.causal.off_policy.columns import PROPENSITY_ as PROPENSITY
from equipoise.causal.off_policy.overlap import unsupported_mass
from equipoise.causal.off_policy.sample import Sample
from equipoise.component import Component, Registry
from equipoise.errors import DataError


class Estimator(Component, ABC):
    """An estimator of a policy's value.

    A subclass says which weights it uses; value, influence values, intervals and diagnostics follow.
    """

    modelled: ClassVar[bool] = False
    """Whether it needs an outcome model."""
    normalised: ClassVar[bool] = False
    """Whether the weighted part is divided by the mean weight instead of by 1."""
    whole: ClassVar[bool] = False
    """Whether it needs all rows at once, in memory."""
    sequential: ClassVar[bool] = False
    """Whether probabilities are given the items above in a slate."""
    unreliable: ClassVar[str | None] = None
    """Why its interval can never be relied on."""

    def prepare(self, sample: Sample) -> Frame:
        """One row per decision, with the working columns that the terms below are made of.

        Raises:
            DataError: if the propensities are those of whole slates.
        """
        if "slate" in sample.kinds:
            raise DataError(
                f"'{self.name}' weighs single items, and the log holds propensities of whole slates",
                where="propensity_kind = 'slate'",
                todo="Log the probability of each item at its place.",
            )
        return sample.frame.with_columns((nw.col(TARGET) / nw.col(PROPENSITY)).alias(WEIGHT))

    def unsupported(self, sample: Sample, largest: float) -> float | None:
        """Share of the target's probability on items that the logger never shows; None where unknown."""
        return None if sample.target is None else unsupported_mass(sample.polars, sample.target, largest)

    def used(self) -> nw.Expr:
        """The weights w̃ as an expression over `prepare`'s rows."""
        return nw.col(WEIGHT)

    def cut(self) -> nw.Expr:
        """Whether a weight counts as clipped."""
        return nw.col(WEIGHT) < 0

    def residual(self) -> nw.Expr:
        """What is weighted: r − q, or r."""
        return nw.col(REWARD_) - nw.col(LOGGED_VALUE) if self.modelled else nw.col(REWARD_)

    def contribution(self) -> nw.Expr:
        """The weighted reward of each decision."""
        return self.used() * nw.col(REWARD_)

    def exposure(self) -> nw.Expr:
        """What each decision's residual is multiplied by, whatever the reward turned out to be."""
        return self.used()

    def spread(self) -> nw.Expr:
        """Size of each decision's residual before it is weighted."""
        return self.residual()

    def balance(self) -> nw.Expr:
        """What weighted rewards are divided by, in the mean, where they are looked at without a model."""
        return self.used()

    def faces(self, table: Frame) -> tuple[tuple[str, Frame], ...]:
        """The weights to be checked, each as the WEIGHT of a table, and how a sentence about them begins."""
        return (("", table),)

    def additive(self) -> nw.Expr:
        """What is averaged without weights."""
        return nw.col(TARGET_VALUE) if self.modelled else nw.lit(0.0)

    def numerator(self) -> nw.Expr:
        """Weighted part of each decision."""
        return self.used() * self.residual()

    def denominator(self) -> nw.Expr:
        """What the weighted part is divided by, in the mean."""
        return self.used() if self.normalised else nw.lit(1.0)


class IPS(Estimator):
    """Inverse propensity score, mean(w r): unbiased where propensities are right (Horvitz and Thompson 1952)."""

    name: ClassVar[str] = "ips"


class ClippedIPS(Estimator):
    """IPS with weights of at most `clip` (Ionides 2008; Bottou et al. 2013): less variance, biased towards 0."""

    name: ClassVar[str] = "clipped_ips"

    clip: float = Field(10.0, gt=0)
    """Largest weight."""

    def used(self) -> nw.Expr:
        """min(w, clip)."""
        return nw.when(self.cut()).then(nw.lit(self.clip)).otherwise(nw.col(WEIGHT))

    def cut(self) -> nw.Expr:
        """W > clip."""
        return nw.col(WEIGHT) > self.clip


class SNIPS(Estimator):
    """Self-normalised IPS, Σ w r / Σ w (Swaminathan and Joachims 2015): within the range of the rewards."""

    name: ClassVar[str] = "snips"
    normalised: ClassVar[bool] = True


class DirectMethod(Estimator):
    """The outcome model alone: no variance of weights, and all of the model's bias."""

    name: ClassVar[str] = "dm"
    modelled: ClassVar[bool] = True
    unreliable: ClassVar[str | None] = (
        "The interval of the direct method holds the chance of the requests only, not the outcome model's error."
    )

    def used(self) -> nw.Expr:
        """No weights."""
        return nw.col(WEIGHT) * 0.0


class DoublyRobust(Estimator):
    """mean(direct + w (r − q)): consistent if the propensities or the model are right (Dudík et al. 2011)."""

    name: ClassVar[str] = "dr"
    modelled: ClassVar[bool] = True


class SelfNormalisedDoublyRobust(Estimator):
    """mean(direct) + Σ w (r − q) / Σ w (Thomas and Brunskill 2016)."""

    name: ClassVar[str] = "sndr"
    modelled: ClassVar[bool] = True
    normalised: ClassVar[bool] = True


class SwitchDoublyRobust(Estimator):
    """Doubly robust where w <= tau, the model alone elsewhere (Wang, Agarwal and Dudík 2017)."""

    name: ClassVar[str] = "switch_dr"
    modelled: ClassVar[bool] = True

    tau: float = Field(10.0, ge=0)
    """Largest weight that is used."""

    def used(self) -> nw.Expr:
        """W where w <= tau, else 0."""
        return nw.when(self.cut()).then(nw.lit(0.0)).otherwise(nw.col(WEIGHT))

    def cut(self) -> nw.Expr:
        """W > tau."""
        return nw.col(WEIGHT) > self.tau


class OptimisticShrinkage(Estimator):
    """Doubly robust with weights lam w / (w² + lam) (Su et al. 2020): 0 is the model, infinity is DR."""

    name: ClassVar[str] = "dros"
    modelled: ClassVar[bool] = True

    lam: float = Field(100.0, ge=0)
    """Shrinkage λ: weights far below √λ stay, those far above vanish."""

    def used(self) -> nw.Expr:
        """λ w / (w² + λ)."""
        w = nw.col(WEIGHT)
        if np.isinf(self.lam):
            return w
        if self.lam == 0:
            return w * 0.0
        return w / (w * w / self.lam + 1.0)

    def cut(self) -> nw.Expr:
        """Weights of which less than half is left: w² > λ."""
        return nw.col(WEIGHT) > float(np.sqrt(self.lam))


estimators: Registry[Estimator] = Registry(
    "estimator of policy values",
    "equipoise.policy_value_estimators",
    {
        "ips": f"{__name__}:IPS",
        "clipped_ips": f"{__name__}:ClippedIPS",
        "snips": f"{__name__}:SNIPS",
        "dm": f"{__name__}:DirectMethod",
        "dr": f"{__name__}:DoublyRobust",
        "sndr": f"{__name__}:SelfNormalisedDoublyRobust",
        "switch_dr": f"{__name__}:SwitchDoublyRobust",
        "dros": f"{__name__}:OptimisticShrinkage",
        "mips": "equipoise.causal.off_policy.marginalised:MarginalisedIPS",
        "replay": "equipoise.causal.off_policy.replay:Replay",
        "iips": "equipoise.causal.off_policy.slates:IndependentIPS",
        "rips": "equipoise.causal.off_policy.slates:RewardInteractionIPS",
        "cascade_dr": "equipoise.causal.off_policy.slates:CascadeDoublyRobust",
    },
)
