"""Off-policy evaluation: what a policy would have earned, from the log of another one.

policy_value(log, target, estimator="snips")    # PolicyValue(value, low, high, refused, ...)
"""

from equipoise.causal.off_policy.estimation import policy_value
from equipoise.causal.off_policy.estimators import Estimator, estimators
from equipoise.causal.off_policy.logs import PropensityError
from equipoise.causal.off_policy.planning import Exploration, Plan, plan_exploration, users_for_audit
from equipoise.causal.off_policy.support import Support
from equipoise.causal.off_policy.value import Candidate, Difference, PolicyValue

__all__ = [
    "Candidate",
    "Difference",
    "Estimator",
    "Exploration",
    "Plan",
    "PolicyValue",
    "PropensityError",
    "Support",
    "estimators",
    "plan_exploration",
    "policy_value",
    "users_for_audit",
]
