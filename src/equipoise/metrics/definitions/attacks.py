"""How well an attribute can be read from what a recommender gives away."""

from __future__ import annotations

from typing import Final

from equipoise.metrics.definitions.definition import Definition

_CLASSES = "Users of unknown group are left out; a class of fewer users than folds cannot be attacked."

ATTACKS: Final = (
    Definition(
        name="auc",
        title="Attacker's AUC",
        formula="P(score of a user of the group > score of a user outside it), ties half; over more than two "
        "groups the mean of one against the rest",
        low=0,
        high=1,
        fair=0.5,
        unit="probability",
        better="low",
        level="attack",
        source="Fawcett (2006), An introduction to ROC analysis",
        guard=_CLASSES,
    ),
    Definition(
        name="balanced_accuracy",
        title="Attacker's balanced accuracy",
        formula="mean over groups of the share of the group's users whose group is guessed",
        low=0,
        high=1,
        fair=None,
        unit="share of users",
        better="low",
        level="attack",
        source="Brodersen et al. (2010), The balanced accuracy and its posterior distribution",
        guard=_CLASSES,
        note="Guessing gives one over the number of groups.",
    ),
)
