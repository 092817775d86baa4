"""`learn_policy`: whom to treat, as a tree that can be read, worth what rows it never saw say it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.causal.effects import Effect
from equipoise.causal.graph import GraphError
from equipoise.causal.heterogeneity.features import Features, numbers
from equipoise.causal.heterogeneity.regressors import fold_of
from equipoise.causal.uplift.scores import rows_scores
from equipoise.causal.uplift.tree import Split, best_tree
from equipoise.data.dataset import to_polars
from equipoise.data.frames import eager, named_columns, require
from equipoise.errors import ConfigError, DataError
from equipoise.statistics.interval import Estimate, Floats, Interval

TREAT, WITHHOLD, ABSTAIN = "treat", "withhold", "abstain"


@dataclass(frozen=True)
class Leaf:
    """A group of rows that get the same decision.

    Attributes:
        conditions: Conditions that lead to it, in words ("age <= 30", "device is phone").
        decision: `treat`, `withhold`, or `abstain` where the interval holds 0.
        gain: Mean gain of treating, net of cost, on rows that had no part in drawing the leaf.
        n: Rows of those.
    """

    conditions: tuple[str, ...]
    decision: str
    gain: Interval
    n: int

    def __str__(self) -> str:
        when = " and ".join(self.conditions) or "always"
        ends = "" if self.gain.low is None else f" [{self.gain.low:+.4g}, {self.gain.high:+.4g}]"
        gain = "unknown" if self.gain.value is None else f"{self.gain.value:+.4g}"
        return f"{when}: {self.decision} (gain {gain}{ends}, {self.n} rows)"


@dataclass(frozen=True)
class Policy:
    """Whom to treat.

    Attributes:
        leaves: Groups and decisions, from the left.
        value: Gain per row of following such a policy instead of treating nobody, net of cost: learnt on other
            folds, judged on rows it never saw. Abstaining counts as not treating.
        treat_all: The same of treating everybody.
        advantage: `value` less the better of treating all and none, paired on the same rows.
        features: How rows are coded.
        tree: The splits; None where one decision serves all.
        level: Confidence level of all intervals; those of leaves hold together.
    """

    leaves: tuple[Leaf, ...]
    value: Interval
    treat_all: Interval
    advantage: Interval
    features: Features
    tree: Split | None
    level: float

    @property
    def rules(self) -> str:
        """The policy in words, one leaf a line."""
        return "\n".join(str(leaf) for leaf in self.leaves)

    def decide(self, rows: Any) -> Any:
        """The frame with a column `decision`: `treat`, `withhold` or `abstain`; a row with a feature missing
        (null or NaN) abstains.

        Eager callers get their own kind of frame back, lazy engines Polars.

        Raises:
            DataError: if a feature is no column of the frame, or holds text or infinity instead of numbers.
        """
        frame = eager(rows)
        require(frame.columns, *self.features.columns)
        coded = to_polars(frame.select(self.features.columns).to_native()).fill_nan(None)
        whole = coded.select(~pl.any_horizontal(pl.all().is_null())).to_series() if coded.width else None
        known = np.ones(len(frame), dtype=bool) if whole is None else whole.to_numpy()
        decisions = np.full(len(frame), ABSTAIN, dtype=object)
        x = self.features.matrix(coded.filter(known))
        at = np.zeros(len(x), dtype=np.int64) if self.tree is None else self.tree.leaves(x)
        decisions[known] = np.array([leaf.decision for leaf in self.leaves], dtype=object)[at]
        column = nw.new_series("decision", decisions.tolist(), nw.String, backend=frame.implementation)
        return frame.with_columns(column.alias("decision")).to_native()

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        return {
            "leaves": [
                {
                    "conditions": list(leaf.conditions),
                    "decision": leaf.decision,
                    **leaf.gain.as_dict(),
                    "n": leaf.n,
                }
                for leaf in self.leaves
            ],
            "value": self.value.as_dict(),
            "treat_all": self.treat_all.as_dict(),
            "treat_none": {"value": 0.0, "low": 0.0, "high": 0.0},
            "advantage": self.advantage.as_dict(),
            "level": self.level,
        }


def learn_policy(
    effect: Effect,
    features: str | Sequence[str],
    cost: str | float | None = None,
    depth: int = 2,
    *,
    honest_share: float = 0.5,
    smallest_leaf: int = 50,
    cuts: int = 63,
    folds: int = 5,
    level: float = 0.95,
    seed: int = 0,
) -> Policy:
    """Learn from an effect whom to treat: a tree of at most two splits on AIPW scores.

    Some of the rows (whole clusters) draw the tree, the others say what each leaf gains; a leaf whose interval,
    widened so that all leaves' hold together, contains 0 abstains. The worth of the whole procedure is
    cross-fitted: learnt on all folds but one, judged by the scores of that one. Source: Athey and Wager (2021),
    "Policy learning with observational data", Econometrica 89; Zhou, Athey and Wager (2023), "Offline
    multi-action policy learning", Operations Research 71, for exact trees.

    Args:
        effect: An average effect estimated by AIPW.
        features: Columns of its data that decisions may depend on: what is known before anybody is treated.
        cost: What treating costs, in units of the outcome: a number or a column. None is free.
        depth: 0, 1 or 2 splits.
        honest_share: Share of rows kept for judging leaves, in (0, 1).
        smallest_leaf: Fewest rows that may draw a leaf.
        cuts: Most cuts per feature; a feature with no more values than that is searched whole.
        folds: Folds of the cross-fitted value.
        level: Confidence level.
        seed: Root of the splits of rows.

    Raises:
        ConfigError: if a setting is out of range.
        DataError: if the effect has no scores, a feature is the treatment, the outcome or a mediator, or a
            feature or cost is missing or not finite.
        GraphError: if by the effect's graph the treatment changes a feature.
    """
    if depth not in (0, 1, 2):
        raise ConfigError(f"Trees of depth {depth} are not searched", todo="Give a depth of 0, 1 or 2.")
    if not 0 < honest_share < 1 or smallest_leaf < 2 or cuts < 1 or not 0 < level < 1 or seed < 0:
        raise ConfigError(
            "A setting of learn_policy is out of range",
            where=f"{honest_share=}, {smallest_leaf=}, {cuts=}, {level=}, {seed=}",
        )
    features = named_columns(features)
    _refuse_consequences(effect, features)
    frame = effect.design.frame
    require(frame.columns, *features, *([cost] if isinstance(cost, str) else []), table="data of the effect")
    coding = Features.of(frame, features)
    x = coding.matrix(frame)
    gains = rows_scores(effect) - numbers(
        "costs", frame[cost].to_numpy() if isinstance(cost, str) else cost or 0
    )
    clusters = effect.design.clusters
    search = _Search(coding, depth, honest_share, smallest_leaf, cuts, level, seed)
    fold = fold_of(len(x), folds, seed, clusters)
    treated = np.zeros(len(x))
    for k in range(folds):
        inside, outside = fold != k, fold == k
        tree, leaves = search.learn(x[inside], gains[inside], None if clusters is None else clusters[inside])
        decisions = np.array([leaf.decision == TREAT for leaf in leaves], dtype=np.float64)
        treated[outside] = decisions[_leaves(tree, x[outside])]
    tree, leaves = search.learn(x, gains, clusters)
    best = float(gains.mean() > 0)
    return Policy(
        leaves,
        _mean(treated * gains, clusters).interval(level),
        _mean(gains, clusters).interval(level),
        _mean((treated - best) * gains, clusters).interval(level),
        coding,
        tree,
        level,
    )


def _refuse_consequences(effect: Effect, features: Sequence[str]) -> None:
    """Nobody can decide by what is known only after the decision."""
    todo = "Decide by what is known before anybody is treated."
    design, graph = effect.design, effect.graph
    known = {design.treatment_name: "the treatment", design.outcome_name: "the outcome"}
    for name in features:
        mediates = any(one == name or one.startswith(f"{name}=") for one in design.mediator_names)
        said = known.get(name, "a mediator" if mediates else None)
        if said is not None:
            raise DataError(f"'{name}' is {said}, so no decision can depend on it", todo=todo)
        if graph is not None and name in graph.descendants(design.treatment_name):
            raise GraphError(
                f"By the graph '{design.treatment_name}' changes '{name}', so no decision can depend on it",
                todo=todo,
            )


@dataclass(frozen=True)
class _Search:
    coding: Features
    depth: int
    honest_share: float
    smallest_leaf: int
    cuts: int
    level: float
    seed: int

    def learn(
        self, x: Floats, gains: Floats, clusters: NDArray[Any] | None
    ) -> tuple[Split | None, tuple[Leaf, ...]]:
        """A tree from some rows, and what its leaves gain on the others."""
        parts = 20  # the share kept for judging, in twentieths
        kept = fold_of(len(x), parts, self.seed + 1, clusters) < max(1, round(parts * self.honest_share))
        tree = best_tree(x[~kept], gains[~kept], self.depth, self.smallest_leaf, self.cuts)
        at, conditions = _leaves(tree, x[kept]), _conditions(tree, self.coding)
        each = 1 - (1 - self.level) / len(conditions)
        found = []
        for number, words in enumerate(conditions):
            inside = at == number
            gain = _leaf_gain(gains[kept], inside, None if clusters is None else clusters[kept], each)
            decision = ABSTAIN if not gain.outside() else TREAT if (gain.value or 0) > 0 else WITHHOLD
            found.append(Leaf(words, decision, gain, int(inside.sum())))
        return tree, tuple(found)


def _leaf_gain(
    gains: Floats, inside: NDArray[np.bool_], clusters: NDArray[Any] | None, level: float
) -> Interval:
    """Mean over the rows inside; clusters that reach into several leaves are counted by their rows in this one."""
    if not inside.any():
        return Interval(None, None, None, 0, "no rows")
    return _mean(gains[inside], None if clusters is None else clusters[inside]).interval(level)


def _mean(values: Floats, clusters: NDArray[Any] | None) -> Estimate:
    return Estimate(float(values.mean()), values - values.mean(), clusters)


def _leaves(tree: Split | None, x: Floats) -> NDArray[np.int64]:
    return np.zeros(len(x), dtype=np.int64) if tree is None else tree.leaves(x)


def _conditions(tree: Split | None, coding: Features) -> tuple[tuple[str, ...], ...]:
    """The conditions of each leaf, from the left."""
    if tree is None:
        return ((),)
    name = coding.names[tree.feature]
    if "=" in name and name not in coding.columns:
        column, _, level = name.partition("=")
        words = f"{column} is not {level}", f"{column} is {level}"
    else:
        words = f"{name} <= {tree.cut:.6g}", f"{name} > {tree.cut:.6g}"
    return tuple(
        (word, *rest)
        for word, side in zip(words, (tree.left, tree.right), strict=True)
        for rest in _conditions(side, coding)
    )
