"""`PolicyValue`, the noun that leaves this folder, and `Difference`, which a launch is decided by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from equipoise.causal.off_policy.fingerprint import Fingerprint
from equipoise.causal.off_policy.summary import Answer
from equipoise.causal.off_policy.support import Support, doubts_of_difference
from equipoise.errors import DataError
from equipoise.statistics import Estimate, Interval


@dataclass(frozen=True)
class Difference:
    """The value of one policy minus that of another, both from the same log.

    Attributes:
        value: The difference, in units of the reward; None where either value was refused.
        low: Lower end of the interval; None where there is none.
        high: Upper end; likewise.
        level: Confidence level.
        p_value: Two-sided p of no difference; None where there is no interval.
        interval_reliable: Whether the interval can be believed, judged by the difference itself.
        interval_reason: Why it cannot, in words; None where it can.
        reason: Why there is no value, in words; None where there is one.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    p_value: float | None = None
    interval_reliable: bool = False
    reason: str | None = None
    interval_reason: str | None = None

    @property
    def refused(self) -> bool:
        """Whether no number is given."""
        return self.value is None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "level": self.level,
            "p_value": self.p_value,
            "interval_reliable": self.interval_reliable,
            "interval_reason": self.interval_reason,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class Candidate:
    """One of the estimators that were chosen among.

    Attributes:
        estimator: Its name.
        options: Its settings.
        value: What it says.
        low: Lower end of its interval.
        high: Upper end.
        estimated_error: Root of squared estimated bias and squared standard error.
        chosen: Whether its value is the one reported.
    """

    estimator: str
    options: Mapping[str, Any]
    value: float
    low: float | None
    high: float | None
    estimated_error: float | None
    chosen: bool

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "estimator": self.estimator,
            "options": _plain(self.options),
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "estimated_error": self.estimated_error,
            "chosen": self.chosen,
        }


@dataclass(frozen=True)
class PolicyValue:
    """What a policy would have earned per decision, from the log of another one.

    A decision is a row of the log; for the estimators of slates it is a slate, and the value is the expected
    sum of its rewards.

    Attributes:
        value: In units of the reward; None where it is refused.
        low: Lower end of the interval; None where there is none.
        high: Upper end; likewise.
        standard_error: Clustered; None where there is none.
        level: Confidence level.
        estimator: Name of the estimator.
        options: Its settings.
        n: Decisions in the log.
        clusters: Independent ones among them: users where they are known.
        effective_sample_size: (Σw)² / Σw², in 0..n.
        effective_share: The same over n.
        max_weight: Largest weight.
        largest_share: Share of the total weight that the heaviest row carries.
        mean_weight: Mean weight; 1 is expected when the propensities are right and the support is full.
        mean_weight_z: (mean weight - 1) in clustered standard errors; infinite where these are 0, None where
            one cluster gives none.
        share_clipped: Share of decisions whose weight the estimator cut or switched off.
        unsupported_mass: Share of the target's probability on items that the logger never shows; None where
            the target's whole distribution is not known.
        largest_contribution: Share of Σ|w r| that one row makes up.
        logger_value: Mean reward of the log, with its interval.
        difference: The value minus the logger's.
        refused: Whether the log cannot answer.
        reason: Why, in words; None where it can.
        reasons: The same as codes: `few_effective_rows`, `dominant_row`, `mean_weight`, `unsupported`.
        interval_reliable: Whether the interval keeps its level, as far as the data tell.
        interval_reason: Why it does not, in words; None where it does.
        support: The thresholds.
        candidates: Estimators that were chosen among, lowest bias first; empty where none were.
        notes: What else a reader should know, in words.
        estimate: Value and influence values, one per cluster; None where the value is refused.
        logger: Mean reward of the log and its influence values.
        evidence: What a difference to another value of the same log is judged by.
    """

    value: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    level: float
    estimator: str
    options: Mapping[str, Any]
    n: int
    clusters: int
    effective_sample_size: float
    effective_share: float
    max_weight: float
    largest_share: float
    mean_weight: float
    mean_weight_z: float | None
    share_clipped: float
    unsupported_mass: float | None
    largest_contribution: float
    logger_value: Interval
    difference: Difference
    refused: bool
    reason: str | None
    reasons: tuple[str, ...]
    interval_reliable: bool
    interval_reason: str | None
    support: Support
    candidates: tuple[Candidate, ...] = ()
    notes: tuple[str, ...] = ()
    estimate: Estimate | None = field(default=None, repr=False)
    logger: Estimate | None = field(default=None, repr=False)
    evidence: Evidence | None = field(default=None, repr=False)

    def minus(self, other: PolicyValue) -> Difference:
        """This policy's value minus another's, paired row by row, at this value's level.

        Raises:
            DataError: if the two were not estimated on the same rows, or one per row and one per slate.
        """
        mine, others = self.evidence, other.evidence
        if (
            self.n != other.n
            or mine is None
            or others is None
            or not mine.fingerprint.same(others.fingerprint)
        ):
            raise DataError(
                "Values from different logs cannot be subtracted",
                where=f"{self.n} and {other.n} decisions",
                todo="Estimate both policies on the same log, in the same way (by rows or by slates).",
            )
        said = [v.reason for v in (self, other) if v.reason is not None]
        return difference(mine, others, self.level, self.support, said)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values; nothing in it is NaN or infinite."""
        return {
            "kind": "policy-value",
            "schema": 1,
            "estimator": self.estimator,
            "options": _plain(self.options),
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "level": self.level,
            "standard_error": self.standard_error,
            "n": self.n,
            "clusters": self.clusters,
            "effective_sample_size": self.effective_sample_size,
            "effective_share": self.effective_share,
            "max_weight": self.max_weight,
            "largest_share": self.largest_share,
            "mean_weight": self.mean_weight,
            "mean_weight_z": _finite(self.mean_weight_z),
            "share_clipped": self.share_clipped,
            "unsupported_mass": self.unsupported_mass,
            "largest_contribution": self.largest_contribution,
            "logger_value": self.logger_value.as_dict(),
            "difference": None if self.difference.refused else self.difference.as_dict(),
            "refused": self.refused,
            "reason": self.reason,
            "reasons": list(self.reasons),
            "interval_reliable": self.interval_reliable,
            "interval_reason": self.interval_reason,
            "support": self.support.model_dump(mode="json"),
            "candidates": [candidate.as_dict() for candidate in self.candidates],
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Evidence:
    """A value as differences are made of it.

    Attributes:
        fingerprint: Of the rows of the log.
        mean: Mean weight, with its influence per cluster.
        answer: The estimate, and what the weights can move; None where the value is refused.
        doubt: Why no difference to it can be relied on: its estimator, or a mean weight that is off.
    """

    fingerprint: Fingerprint
    mean: Estimate
    answer: Answer | None = None
    doubt: str | None = None


def difference(
    first: Evidence, second: Evidence, level: float, support: Support, said: Sequence[str] = ()
) -> Difference:
    """First minus second of two values of one log, judged by itself; refused where one of them is.

    Args:
        first: The value subtracted from.
        second: The value subtracted.
        level: Confidence level.
        support: When its interval is believed.
        said: Why a value is missing.
    """
    if first.answer is None or second.answer is None:
        return Difference(None, None, None, level, reason=" ".join(dict.fromkeys(said)) or "No value.")
    gap = first.answer.minus(second.answer)
    interval = gap.estimate.interval(level)
    doubt = first.doubt or second.doubt
    scale = max(abs(first.answer.estimate.value), abs(second.answer.estimate.value))
    doubt = doubt or doubts_of_difference(support, gap, first.mean.minus(second.mean), scale)
    return Difference(
        gap.estimate.value,
        interval.low,
        interval.high,
        level,
        gap.estimate.p_value(),
        doubt is None,
        interval.reason,
        doubt,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON has them; infinity, which it does not have, as a word."""
    infinite = {
        name: str(value) for name, value in options.items() if isinstance(value, float) and math.isinf(value)
    }
    return {**options, **infinite}
