"""Before logging: how much to explore, and for how long, until a log can answer, and what that costs.

The logger is ε-greedy: with probability 1 − ε it shows the current policy's item, else one of K items
uniformly. The new policy, deterministic too, will be valued from its log. What a decision contributes to the
paired difference of values then takes few values with known probabilities, from which variance, sample
size, effective sample size and cost follow in closed form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from equipoise.causal.off_policy.contributions import UNSEEN
from equipoise.causal.off_policy.support import LAUNCH, Support
from equipoise.component import Component, build
from equipoise.errors import ConfigError

EPSILONS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
_LONGEST = 1e7  # square root of the decisions that a plan may ask for


class Situation(Component):
    """What is known or assumed before anything is logged."""

    name: ClassVar[str] = "plan"

    items: int = Field(ge=2)
    """Items that a decision chooses among, K."""
    reward_rate: float = Field(gt=0, le=1)
    """Mean reward per decision of the current policy, for rewards of 0 and 1."""
    gain: float = Field(gt=0)
    """Gain of the new policy over the current one, per decision, that must be found."""
    minimum_gain: float = Field(0.0, allow_inf_nan=False)
    """Least gain that a gate asks for: the interval must lie above it."""
    disagreement: float = Field(0.5, gt=0, le=1)
    """Share of decisions in which the new policy chooses another item than the current one."""
    random_rate: float | None = Field(None, ge=0, le=1)
    """Mean reward of a uniformly chosen item; None for half the current policy's."""
    decisions_per_user: float = Field(1.0, ge=1)
    """Decisions of a user in the log, on average."""
    within_user: float = Field(0.0, ge=0, le=1)
    """Correlation of a user's decisions; 0 where they are independent."""
    against: Literal["logged", "current"] = "current"
    """What the new policy is compared with: the logger with its exploration, which a policy no better than the
    current one would beat too, or the current policy without."""
    level: float = Field(0.95, gt=0, lt=1)
    """Confidence level of the interval."""
    power: float = Field(0.8, gt=0, lt=1)
    """Chance that the interval's lower end is above the least gain."""

    @model_validator(mode="after")
    def _possible(self) -> Situation:
        if self.better > 1:
            raise ValueError("the gain is more than the decisions that differ can bring")
        if self.gain <= self.minimum_gain:
            raise ValueError(
                "the gain is no more than the least gain asked for, which no sample size can show"
            )
        return self

    @property
    def explored(self) -> float:
        """Mean reward of a random item."""
        return self.reward_rate / 2 if self.random_rate is None else self.random_rate

    @property
    def better(self) -> float:
        """Mean reward of the new policy's item where it differs."""
        return self.reward_rate + self.gain / self.disagreement

    @property
    def design_effect(self) -> float:
        """Variance inflation by dependent decisions, 1 + (m − 1) ρ (Kish 1965)."""
        return 1 + (self.decisions_per_user - 1) * self.within_user


@dataclass(frozen=True)
class Exploration:
    """One amount of exploration, and what it takes.

    Attributes:
        epsilon: Share of decisions that are left to chance.
        decisions: Decisions to log until the question is answered with the power asked for.
        users: Users that make so many decisions.
        limit: What asks for the most: `power`, `effective_sample_size`, `dominant_row` or `contributions`.
        effective_share: Expected effective sample size over decisions.
        max_weight: Largest weight.
        lost_per_decision: Expected reward lost by exploring.
        lost: The same over all decisions.
        found: Difference found with that power by the users at hand; None where their number was not given.
    """

    epsilon: float
    decisions: int
    users: int
    limit: str
    effective_share: float
    max_weight: float
    lost_per_decision: float
    lost: float
    found: float | None = None


@dataclass(frozen=True)
class Plan:
    """Amounts of exploration side by side.

    Attributes:
        options: From least to most exploration.
        chosen: The cheapest that answers with the users at hand (of all, where their number is not given);
            None where none does.
        reason: Why, in words.
        audit_users: Users until an audit can answer; None where it was not asked.
    """

    options: tuple[Exploration, ...]
    chosen: Exploration | None
    reason: str
    audit_users: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "kind": "exploration-plan",
            "schema": 1,
            "options": [vars(option) for option in self.options],
            "chosen": None if self.chosen is None else vars(self.chosen),
            "reason": self.reason,
            "audit_users": self.audit_users,
        }


def plan_exploration(
    *,
    epsilons: Sequence[float] = EPSILONS,
    users: int | None = None,
    support: Support | None = None,
    audit_users: int | None = None,
    **situation: Any,
) -> Plan:
    """How much exploration and how many users it takes until the value of a new policy can be told.

    Sample sizes are those of a two-sided interval of the paired IPS difference; self-normalised and doubly
    robust estimators need as many or fewer.

    Args:
        epsilons: Amounts of exploration to compare, in (0, 1].
        users: Users at hand; None for as many as needed.
        support: Thresholds under which a value is refused or its interval not relied on; those of a launch by default.
        audit_users: Users that an audit needs, from `users_for_audit`; carried into the plan.
        situation: Fields of `Situation`: items, reward_rate, gain, disagreement, ...

    Raises:
        ConfigError: if a number is out of its range.
    """
    asked = build(Situation, situation, where="the plan")
    if not epsilons or any(not 0 < epsilon <= 1 for epsilon in epsilons):
        raise ConfigError(f"Exploration of {list(epsilons)}", todo="Give shares above 0, 1 at most.")
    options = tuple(_option(asked, epsilon, users, support or LAUNCH) for epsilon in sorted(epsilons))
    within = [option for option in options if users is None or option.users <= users]
    if not within:
        least = min(options, key=lambda option: option.users)
        return Plan(
            options,
            None,
            f"No amount of exploration answers with {users} users; epsilon {least.epsilon:g} needs the fewest, "
            f"{least.users}.",
            audit_users,
        )
    chosen = min(within, key=lambda option: (option.lost, option.users))
    return Plan(
        options,
        chosen,
        f"Epsilon {chosen.epsilon:g} answers after {chosen.users} users and loses {chosen.lost:.4g} rewards, the least "
        "of those compared.",
        audit_users,
    )


def users_for_audit(
    tolerance: float, deviation: float, smallest_share: float, *, level: float = 0.95, power: float = 0.8
) -> int:
    """Users until a gap of 0 between two groups is called fair within the tolerance.

    Both ends of the gap's interval must lie within ±tolerance: `tolerance = (z[(1+level)/2] +
    z[(1+power)/2]) s √(1/n_a + 1/n_b)` (two one-sided tests; Schuirmann 1987).

    Args:
        tolerance: Largest gap that the policy accepts, in the metric's unit.
        deviation: Standard deviation of the metric over users.
        smallest_share: Share of the smaller group among users, in (0, 0.5].
        level: Confidence level of the audit's interval.
        power: Chance of the verdict.
    """
    if not (
        tolerance > 0 and deviation > 0 and 0 < smallest_share <= 0.5 and 0 < level < 1 and 0 < power < 1
    ):
        raise ConfigError(
            f"No audit can be planned with tolerance {tolerance}, deviation {deviation}, share {smallest_share}",
            todo="Give a positive tolerance and deviation, and a share of at most 0.5.",
        )
    z = NormalDist().inv_cdf
    reach = (z((1 + level) / 2) + z((1 + power) / 2)) * deviation / tolerance
    return math.ceil(reach**2 * (1 / smallest_share + 1 / (1 - smallest_share)))


def _option(asked: Situation, epsilon: float, users: int | None, support: Support) -> Exploration:
    shown, rare = 1 - epsilon + epsilon / asked.items, epsilon / asked.items
    rate, better, chance = asked.reward_rate, asked.better, asked.explored
    agree, differ = 1 - asked.disagreement, asked.disagreement
    base = 1.0 if asked.against == "logged" else 0.0  # what the comparison adds to an item nobody chose
    greedy = base or 1 / shown
    scores = [  # probability, reward rate, weight of the new policy minus that of the comparison
        (agree * shown, rate, 1 / shown - greedy),
        (agree * (1 - shown), chance, -base),
        (differ * shown, rate, -greedy),
        (differ * rare, better, 1 / rare - base),
        (differ * (1 - shown - rare), chance, -base),
    ]
    mean = asked.gain  # in closed form: the sum of scores would lose a small gain in rounding
    if asked.against == "logged":
        mean += (1 - shown) * (rate - chance) - differ * rare * (better - chance)
    variance = sum(p * r * s**2 for p, r, s in scores) - mean**2
    third = sum(p * (r * abs(s - mean) ** 3 + (1 - r) * abs(mean) ** 3) for p, r, s in scores)
    largest = max(abs(s) for p, r, s in scores if p * r > 0)
    z = NormalDist().inv_cdf
    effect = asked.design_effect
    spread = (z((1 + asked.level) / 2) + z(asked.power)) * math.sqrt(variance * effect)
    needs = {
        "power": (spread / _excess(asked, mean, spread, epsilon)) ** 2,
        "effective_sample_size": support.minimum_effective_sample_size * (agree / shown + differ / rare),
        "dominant_row": 1 / (rare * support.largest_share),
        "contributions": effect * _for_contributions(support.minimum_contributions, variance, third, largest),
    }
    limit = max(needs, key=lambda name: needs[name])
    decisions = math.ceil(needs[limit])
    lost = epsilon * max(rate - chance, 0.0)
    found = None
    if users is not None:
        found = asked.minimum_gain + spread / math.sqrt(users * asked.decisions_per_user)
    return Exploration(
        epsilon=epsilon,
        decisions=decisions,
        users=math.ceil(decisions / asked.decisions_per_user),
        limit=limit,
        effective_share=1 / (agree / shown + differ / rare),
        max_weight=1 / rare,
        lost_per_decision=lost,
        lost=lost * decisions,
        found=found,
    )


def _for_contributions(least: float, variance: float, third: float, largest: float) -> float:
    """Decisions that give so many contributions (see there), with the heavy ones that may be unseen."""

    def contributions(n: float) -> float:
        seen = n * variance**3 / third**2
        return min(seen, (n * variance + UNSEEN * largest**2) ** 3 / (n * third + UNSEEN * largest**3) ** 2)

    high = 1.0
    while contributions(high) < least:
        high *= 2
    low = high / 2
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if contributions(middle) >= least else (middle, high)
    return high


def _excess(asked: Situation, mean: float, spread: float, epsilon: float) -> float:
    """How far the difference lies above the least gain.

    Raises:
        ConfigError: if it does not, or so little that no log is long enough.
    """
    excess = mean - asked.minimum_gain
    if excess <= 0:
        raise ConfigError(
            f"With epsilon {epsilon:g} the logger itself earns as much as the new policy",
            todo="Compare with the current policy.",
        )
    if excess * _LONGEST < spread:
        raise ConfigError(
            f"A difference {excess:.3g} above the least gain takes more than {_LONGEST**2:.0e} decisions to find",
            todo="Plan for a gain that matters.",
        )
    return excess
