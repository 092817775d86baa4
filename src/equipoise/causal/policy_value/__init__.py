"""Off-policy evaluation: what a policy would have earned, from the log of another one.

policy_value(log, target, estimator="snips")    # PolicyValue(value, low, high, refused, ...)
"""

from equipoise.causal.policy_value.estimation import policy_value
from equipoise.causal.policy_value.estimators import Estimator, estimators
from equipoise.causal.policy_value.logs import PropensityError
from equipoise.causal.policy_value.planning import Exploration, Plan, plan_exploration, users_for_audit
from equipoise.causal.policy_value.support import Support
from equipoise.causal.policy_value.value import Candidate, Difference, PolicyValue

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
