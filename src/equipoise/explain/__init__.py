"""Why an item is recommended. The noun that leaves is `Explanation`."""

from equipoise.explain.explainer import Explainer
from equipoise.explain.explanation import AS, Counterfactual, Explanation, Reason
from equipoise.explain.faithfulness import Summary, faithfulness, summary

__all__ = [
    "AS",
    "Counterfactual",
    "Explainer",
    "Explanation",
    "Reason",
    "Summary",
    "faithfulness",
    "summary",
]
