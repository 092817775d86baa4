"""The fairness policy: which gap is tolerated, for which metric and attribute, who says so and why."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Final, Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from equipoise.errors import ConfigError, nearest
from equipoise.metrics import DEFINITIONS, define

Kind = Literal[
    "difference",
    "ratio",
    "disparity",
    "worst group",
    "between-group variance",
    "kolmogorov-smirnov",
    "wasserstein",
]
KINDS: Final[tuple[str, ...]] = get_args(Kind)
"""Ways to put a gap into a number; verdicts are given on `difference` where no rule says otherwise."""

_EXAMPLE = '[[rule]] metric = "ndcg@10", attribute = "gender", tolerance = 0.02, reason = "..."'


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Rule(_Strict):
    """One tolerance and where it applies."""

    metric: str | None = None
    """A metric with its cutoff ("ndcg@10"), without ("ndcg": at every cutoff), or all where it is left out."""
    attribute: str | None = None
    """A column of the users, or an intersection such as "gender x age" in any order; all where it is left out."""
    tolerance: float = Field(ge=0, allow_inf_nan=False)
    """Largest gap that is tolerated, in the unit of the metric."""
    kind: Kind = "difference"
    """The kind of gap that the tolerance is about."""
    owner: str | None = None
    """Who answers for this tolerance; the policy's owner where it is left out."""
    reason: str | None = None
    """Why this much is tolerated, for the report."""

    @field_validator("metric")
    @classmethod
    def _lower(cls, metric: str | None) -> str | None:
        return None if metric is None else metric.strip().lower()

    def covers(self, metric: str, attribute: str) -> bool:
        """Whether the rule speaks of this gap."""
        return self.metric in (None, metric, metric.partition("@")[0]) and self._of in (
            None,
            _parts(attribute),
        )

    @property
    def _of(self) -> tuple[str, ...] | None:
        return None if self.attribute is None else _parts(self.attribute)

    @property
    def scope(self) -> str:
        """Where the rule applies, in words."""
        return f"{self.metric or 'all metrics'}, {self.attribute or 'all attributes'}"


class Launch(_Strict):
    """What a candidate needs before it may replace what runs today; `equipoise gate` reads it, an audit does not."""

    minimum_gain: float = Field(0.0, allow_inf_nan=False)
    """The candidate's value must exceed today's by this much, with its whole interval, in the unit of the reward."""
    estimator: str = "snips"
    """Which estimator of the value decides."""
    level: float = Field(0.95, gt=0.5, lt=1)
    """Level of the interval that decides."""
    insufficient: Literal["undecided", "pass", "fail"] = "undecided"
    """What follows where the evidence for a rule on fairness is insufficient."""


class Policy(_Strict):
    """Tolerances that were agreed on, with owners and reasons.

    Of the rules that cover a gap, the one that names metric and attribute most narrowly applies. Two rules of which
    neither is narrower than the other are an error, unless a third names exactly what both cover.
    """

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=True)

    owner: str | None = None
    """Who answers for the policy, and for rules that name nobody."""
    rules: tuple[Rule, ...] = Field(default=(), alias="rule")
    """The tolerances; `[[rule]]` in a file."""
    launch: Launch | None = None
    """What launches need; `[launch]` in a file."""

    @field_validator("rules")
    @classmethod
    def _owned(cls, rules: tuple[Rule, ...], info: ValidationInfo) -> tuple[Rule, ...]:
        owner = info.data.get("owner")
        return tuple(rule if rule.owner else rule.model_copy(update={"owner": owner}) for rule in rules)

    @model_validator(mode="after")
    def _unambiguous(self) -> Self:
        scopes = [(rule.metric, rule._of) for rule in self.rules]
        for (i, one), (j, other) in combinations(enumerate(self.rules, start=1), 2):
            if scopes[i - 1] == scopes[j - 1]:
                raise ValueError(f"rules {i} and {j} are both for {one.scope}; keep one")
            both = _meet(one, other)
            if both is not None and (both[0], both[1] and _parts(both[1])) not in scopes:
                metric, attribute = both
                raise ValueError(
                    f"rules {i} ({one.scope}) and {j} ({other.scope}) both fit {metric}, {attribute}, neither more "
                    "narrowly; add a rule for exactly that"
                )
        return self

    @classmethod
    def read(cls, path: Path | str) -> Policy:
        """A policy from a TOML file.

        Raises:
            ConfigError: if the file is missing or broken, or a rule names a key, metric or kind that does not exist,
                a tolerance below 0, or what another rule says already.
        """
        place = Path(path)
        try:
            fields = tomllib.loads(place.read_text("utf-8"))
        except FileNotFoundError:
            raise ConfigError(
                "There is no such policy file",
                where=str(place),
                todo=f"Write one with rules such as {_EXAMPLE}.",
            ) from None
        except (IsADirectoryError, UnicodeDecodeError):
            raise ConfigError("This is no policy file", where=str(place), todo="Name a TOML file.") from None
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(
                f"The policy is not valid TOML: {error}", where=str(place), todo="Mend that line."
            ) from None
        try:
            policy = cls.model_validate(fields, by_name=False)
        except ValidationError as error:
            raise _explained(error, place) from None
        for number, rule in enumerate(policy.rules, start=1):
            if rule.metric is not None and define(rule.metric) is None:
                raise ConfigError(
                    f"There is no metric called '{rule.metric}'",
                    where=f"{place}, rule {number}, key 'metric'",
                    todo=nearest(rule.metric.partition("@")[0], DEFINITIONS),
                )
        return policy

    def rule(self, metric: str, attribute: str) -> Rule | None:
        """The rule for the gap of a metric ("ndcg@10") over an attribute; None where no rule covers it."""
        covering = [rule for rule in self.rules if rule.covers(metric.lower(), attribute)]
        return max(covering, key=_narrowness, default=None)

    def check(self, metrics: Sequence[str], attributes: Sequence[str]) -> None:
        """See that every rule speaks of something that is measured.

        Args:
            metrics: All metrics of the audit with their cutoffs.
            attributes: All its attributes and intersections.

        Raises:
            ConfigError: if a rule is for a metric or an attribute that the audit does not have: it would be passed
                over in silence.
        """
        parted = {_parts(attribute) for attribute in attributes}
        spelt = {name for metric in metrics for name in (metric, metric.partition("@")[0])}
        for number, rule in enumerate(self.rules, start=1):
            for called, wanted, known, there in (
                ("metric", rule.metric, metrics, rule.metric is None or rule.metric in spelt),
                ("attribute", rule.attribute, attributes, rule._of is None or rule._of in parted),
            ):
                if not there:
                    raise ConfigError(
                        f"A rule of the policy is for the {called} '{wanted}', which this audit does not have",
                        where=f"rule {number}: {rule.scope}",
                        todo=nearest(str(wanted), known),
                    )


def _parts(attribute: str) -> tuple[str, ...]:
    """The columns that an intersection crosses, in an order of their own."""
    return tuple(sorted(part.strip() for part in attribute.split(" x ")))


def _narrowness(rule: Rule) -> tuple[int, int]:
    """How narrowly the metric and the attribute are named."""
    return 0 if rule.metric is None else 2 if "@" in rule.metric else 1, int(rule.attribute is not None)


def _meet(one: Rule, other: Rule) -> tuple[str | None, str | None] | None:
    """What two rules both cover, where neither is the narrower one."""
    (metric, attribute), (metric_, attribute_) = _narrowness(one), _narrowness(other)
    if (metric - metric_) * (attribute - attribute_) >= 0:
        return None
    narrow, wide = (one, other) if metric > metric_ else (other, one)
    overlap = wide.metric is None or wide.metric == (narrow.metric or "").partition("@")[0]
    return (narrow.metric, wide.attribute) if overlap else None


def _explained(error: ValidationError, place: Path) -> ConfigError:
    """The first fault, with the rule and the key it stands in."""
    faults = error.errors()
    fault = next(
        (one for one in faults if one["type"] == "extra_forbidden"), faults[0]
    )  # a misspelt key first
    numbers = [part + 1 for part in fault["loc"] if isinstance(part, int)]
    key = str(fault["loc"][-1]) if fault["loc"] else None
    rule = f", rule {numbers[0]}" if numbers else ""
    where = f"{place}{rule}{f', key {key!r}' if key else ''}"
    if fault["type"] == "extra_forbidden":
        inside = Launch.model_fields if fault["loc"][0] == "launch" else ("owner", "rule", "launch")
        known = Rule.model_fields if numbers else inside
        return ConfigError(
            f"'{key}' is not a setting of a policy", where=where, todo=nearest(str(key), known)
        )
    if fault["type"] == "missing":
        return ConfigError(
            f"The setting '{key}' is missing", where=where, todo=f"Write it, as in {_EXAMPLE}."
        )
    if key == "kind":
        return ConfigError(
            f"There is no kind of gap called {fault['input']!r}",
            where=where,
            todo=nearest(str(fault["input"]), KINDS),
        )
    if key is None:
        return ConfigError(
            f"The policy is not usable: {fault['msg'].removeprefix('Value error, ')}", where=where
        )
    return ConfigError(f"{fault['msg']} (got {fault['input']!r})", where=where)
