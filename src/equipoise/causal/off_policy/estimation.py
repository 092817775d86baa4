"""The value of a policy from the log of another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from equipoise.causal.off_policy.estimators import Estimator, estimators
from equipoise.causal.off_policy.logs import read_log
from equipoise.causal.off_policy.outcomes import given_columns, with_outcomes
from equipoise.causal.off_policy.sample import Sample
from equipoise.causal.off_policy.slope import AFTER_CHOICE, Slope, choose
from equipoise.causal.off_policy.summary import Answer, Weights, estimate, weigh
from equipoise.causal.off_policy.support import Checked, Support, doubts, doubts_of_weights, refusals
from equipoise.causal.off_policy.targets import read_target
from equipoise.causal.off_policy.value import Difference, Evidence, PolicyValue, difference
from equipoise.errors import ConfigError
from equipoise.statistics import Estimate


def policy_value(
    log: Any,
    target: Any,
    estimator: str = "snips",
    outcome_model: Any = None,
    level: float = 0.95,
    seed: int = 0,
    *,
    cluster: str | None = None,
    support: Support | Mapping[str, Any] | None = None,
    items: Any = None,
    context: Sequence[str] | None = None,
    folds: int = 5,
    **options: Any,
) -> PolicyValue:
    """What the target policy would have earned per decision, with an interval, or a refusal.

    Lazy frames (DuckDB, PySpark, a scanned file) are reduced where they are when the target is a column or a
    word and the outcome model two columns; all else is brought into memory.

    Args:
        log: One row per decision, any engine: `item_id`, `reward`, `propensity` (the logger's probability of
            the logged item), and where known `request_id`, `user_id`, context; for slates also `slate_id`
            and `position`. In a log of events, the impressions count.
        target: A column of the log with the target policy's probability of the logged item; or a frame
            (`request_id`, `item_id`, `probability`) of whole distributions (without `request_id`: one for
            all; with `position`: per place); or "uniform"; or "logged", the policy that ran.
        estimator: ips, clipped_ips, snips, dm, dr, sndr, switch_dr, dros, mips, replay, iips, rips,
            cascade_dr, or slope, which chooses among candidates by estimated error.
        outcome_model: A scikit-learn regressor to be cross-fitted; a frame (`request_id`, `item_id`,
            `value`); or two columns: the model's value of the logged item, and its mean under the target.
        level: Confidence level.
        seed: Root of the folds, and of the draws of `replay`.
        cluster: Column whose rows depend on each other; by default `user_id`, else `request_id`, else
            `slate_id`.
        support: Thresholds of refusal and of reliability, as `Support` or as a mapping of its fields.
        items: Ids, or a frame of `item_id`, that "uniform" chooses from; by default each row's
            `candidate_set`, else the items of the log.
        context: Columns that a regressor reads beside the item; by default none. Name only what was known
            before the decision: what came of it biases even doubly robust values.
        folds: Groups of clusters for cross-fitting, at least 2.
        options: Settings of the estimator: clip, tau, lam, embedding, candidates, ...

    Returns:
        The value with its interval and diagnostics; `refused`, with no value, where the log cannot answer.

    Raises:
        PropensityError: (a `DataError` and a `ValueError`) if propensities are no probabilities in (0, 1], or
            all are 1.
        DataError: if the log, the target or the model's values are not usable.
        ConfigError: if an estimator, a setting or a missing outcome model is asked for.
    """
    support = Support.model_validate(support) if isinstance(support, Mapping) else support
    if not 0 < level < 1:
        raise ConfigError(
            f"The confidence level is {level}", todo="Give a number between 0 and 1, as in 0.95."
        )
    chosen: Slope | Estimator = (
        Slope.model_validate(options) if estimator == Slope.name else estimators.build(estimator, options)
    )
    ways = chosen.estimators(outcome_model is not None) if isinstance(chosen, Slope) else (chosen,)
    modelled = any(way.modelled for way in ways)
    if modelled and outcome_model is None:
        raise ConfigError(
            f"'{estimator}' needs an outcome model",
            todo="Give outcome_model: a scikit-learn regressor, a frame (request_id, item_id, value), or two columns.",
        )
    read = read_log(log, cluster=cluster)
    if any(way.whole for way in ways) or (modelled and not given_columns(outcome_model)):
        read = read.collected()
    sample = read_target(read, target, items=items, sequential=ways[0].sequential, seed=seed)
    question = _Question(estimator, chosen.model_dump(mode="json"), level, support or Support())
    table = ways[0].prepare(sample)
    weights = weigh(table, ways[0])
    checked = [
        (where, weights if face is table else weigh(face, ways[0])) for where, face in ways[0].faces(table)
    ]
    lost = ways[0].unsupported(sample, weights.largest)
    reasons = refusals(question.support, checked, lost)
    if reasons:
        return question.refused(sample, weights, lost, reasons)
    if modelled:
        exclude = [target] if isinstance(target, str) else []
        sample = with_outcomes(sample, outcome_model, folds=folds, context=context, exclude=exclude)
        table = ways[0].prepare(sample)
    results = [(way, estimate(table, way)) for way in ways]
    picked, candidates = choose(results, level) if isinstance(chosen, Slope) else (0, ())
    way, answer = results[picked]
    unreliable = AFTER_CHOICE if len(ways) > 1 else way.unreliable
    weights = weigh(table, way) if picked else weights
    return replace(
        question.answered(sample, weights, lost, answer, checked, unreliable), candidates=candidates
    )


@dataclass(frozen=True)
class _Question:
    """What was asked, and how an answer to it looks."""

    estimator: str
    options: dict[str, Any]
    level: float
    support: Support

    def refused(
        self, sample: Sample, weights: Weights, lost: float | None, reasons: dict[str, str]
    ) -> PolicyValue:
        reason = " ".join(reasons.values())
        gap = Difference(None, None, None, self.level, reason=reason)
        return PolicyValue(
            value=None, low=None, high=None, standard_error=None, difference=gap,
            refused=True, reason=reason, reasons=tuple(reasons), interval_reliable=False,
            interval_reason="There is no value.", evidence=Evidence(weights.fingerprint, weights.mean),
            **self._common(sample, weights, lost),
        )  # fmt: skip

    def answered(
        self,
        sample: Sample,
        weights: Weights,
        lost: float | None,
        answer: Answer,
        checked: Checked,
        unreliable: str | None,
    ) -> PolicyValue:
        found = answer.estimate
        interval = found.interval(self.level)
        doubt = doubts(self.support, answer, checked, unreliable)
        off = unreliable or doubts_of_weights(self.support, answer, checked)
        evidence = Evidence(weights.fingerprint, weights.mean, answer, off)
        even = Estimate(1.0, np.zeros_like(weights.mean.influence))
        logger = Evidence(weights.fingerprint, even, Answer(weights.logger, weights.logger_exposure, None))
        return PolicyValue(
            value=found.value, low=interval.low, high=interval.high, standard_error=found.standard_error,
            difference=difference(evidence, logger, self.level, self.support), refused=False, reason=None,
            reasons=(), interval_reliable=doubt is None, interval_reason=doubt, estimate=found,
            evidence=evidence, **self._common(sample, weights, lost),
        )  # fmt: skip

    def _common(self, sample: Sample, weights: Weights, lost: float | None) -> dict[str, Any]:
        return {
            "level": self.level,
            "estimator": self.estimator,
            "options": self.options,
            "n": weights.n,
            "clusters": len(weights.logger.influence),
            "effective_sample_size": weights.effective_sample_size,
            "effective_share": weights.effective_sample_size / weights.n,
            "max_weight": weights.largest,
            "largest_share": weights.largest_share,
            "mean_weight": weights.mean.value,
            "mean_weight_z": weights.mean_z,
            "share_clipped": weights.share_cut,
            "unsupported_mass": lost,
            "largest_contribution": weights.largest_contribution,
            "logger": weights.logger,
            "logger_value": weights.logger.interval(self.level),
            "support": self.support,
            "notes": sample.notes,
        }
