"""The value of a policy from the log of another one."""

from __future__ import annotations

from typing import Any

from equipoise.causal.policy_value.support import Support
from equipoise.causal.policy_value.value import PolicyValue


def policy_value(
    log: Any,
    target: Any,
    estimator: str = "snips",
    outcome_model: Any = None,
    level: float = 0.95,
    seed: int = 0,
    *,
    cluster: str | None = None,
    support: Support | None = None,
    **options: Any,
) -> PolicyValue:
    """What the target policy would have earned per decision, with an interval, or a refusal.

    Args:
        log: One row per decision, any engine: `item_id`, `reward`, `propensity` (the logger's probability of
            the logged item), and where known `request_id`, `user_id`, `slate_id`, `position`, context.
        target: A column of the log with the target policy's probability of the logged item; or a frame
            (`request_id`, `item_id`, `probability`) of whole distributions; or "uniform"; or "logged".
        estimator: ips, clipped_ips, snips, dm, dr, sndr, switch_dr, dros, mips, replay, iips, rips,
            cascade_dr, or slope (which chooses).
        outcome_model: A scikit-learn regressor to be cross-fitted; a frame (`request_id`, `item_id`,
            `value`); or two columns, the model's value of the logged item and its mean under the target.
        level: Confidence level.
        seed: Root of the folds' and of replay's draws.
        cluster: Column whose rows depend on each other; by default `user_id`, else `request_id`.
        support: Thresholds of refusal.
        options: Settings of the estimator: clip, tau, lam, embedding, ...
    """
    raise NotImplementedError
