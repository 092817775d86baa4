"""The rules of a policy on fairness, as checks of the gate: by an audit of the candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.audit.policy import Launch, Policy, Rule
from equipoise.pipeline.audit import audit
from equipoise.pipeline.causal.audited import Audited, read_audited
from equipoise.pipeline.causal.policies import is_run, last_stage
from equipoise.pipeline.causal.requests import GateRequest
from equipoise.pipeline.causal.writing import Say
from equipoise.statistics import FAIR, INSUFFICIENT, UNFAIR, Interval, verdict

_METRICS = ("ndcg", "recall")
_FAIR_VALUE = {"ratio": 1.0}  # of all other kinds 0
_DIFFERENCES = ("raw difference", "difference")  # whose tests are the tests of the kinds that publish none
_SHORTFALL = "worst group"  # what is held against its tolerance is not the value that an audit publishes
_NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Fairness:
    """What the gate knows of fairness.

    Attributes:
        checks: One per gap that a rule covers, and one per rule that covers none.
        notes: What a reader of the checks should know.
    """

    checks: list[dict[str, Any]]
    notes: tuple[str, ...] = ()


def fairness_checks(asked: GateRequest, policy: Policy, launch: Launch, folder: Path, say: Say) -> Fairness:
    """One check per gap that a rule of the policy covers; none where the policy has no rule.

    A run is audited by this policy. The gaps of a finished audit are judged by this policy too, whatever policy
    the audit was made under. A rule without a gap to judge is not measured, which leaves the gate undecided.

    Args:
        asked: What is compared.
        policy: The rules.
        launch: What follows where evidence is insufficient.
        folder: The gate's folder; the audit of a run is written into its subfolder `audit`.
        say: Called with a line for each step.

    Raises:
        DataError: if the audit is not one of the candidate.
    """
    if not policy.rules:
        return Fairness([])
    if asked.audit is not None:
        audited = read_audited(asked.audit, asked.candidate)
    elif is_run(asked.candidate):
        evidence = _audited(asked, policy, folder, say)
        audited = Audited(evidence, frozenset({last_stage(Path(asked.candidate))}))
    else:
        reason = "The candidate is neither a run nor has an audit (--audit)."
        return Fairness([_check(launch, _NOT_MEASURED, {"reason": reason})])
    judge = _Judge(audited, policy)
    checks = [_check(launch, code, facts) for rule in policy.rules for code, facts in judge.of(rule)]
    return Fairness(checks, (*audited.notes, *judge.notes))


def _audited(asked: GateRequest, policy: Policy, folder: Path, say: Say) -> dict[str, Any]:
    named = [rule.metric for rule in policy.rules if rule.metric is not None]
    crossed = [len(rule.attribute.split(" x ")) for rule in policy.rules if rule.attribute is not None]
    settings = {
        "policy": policy,
        "metrics": tuple(dict.fromkeys([*_METRICS, *named])),
        "intersections": max([1, *crossed]),
        "attackers": False,
        "seed": asked.seed,
        "lang": asked.lang,
    }
    return audit({"run": asked.candidate}, settings, out=folder / "audit", force=True, say=say).evidence


@dataclass(frozen=True)
class _Judge:
    """The gaps of an audit under a policy that may not be the audit's."""

    audited: Audited
    policy: Policy

    @property
    def notes(self) -> tuple[str, ...]:
        """Whether the audit was made by other tolerances."""
        for row in self.audited.gaps:
            rule = self.policy.rule(row["metric"], row["attribute"])
            if rule is not None and _spoken(row) not in (None, (rule.kind, rule.tolerance)):
                return ("The audit was made under another policy; its gaps are judged by this one.",)
        return ()

    def of(self, rule: Rule) -> list[tuple[str, dict[str, Any]]]:
        """Code and facts of each gap that the rule is the narrowest for."""
        covered = [row for row in self.audited.gaps if rule.covers(row["metric"], row["attribute"])]
        if not covered:
            reason = f"The audit has no gap of {rule.scope}."
            return [(_NOT_MEASURED, {**_scope(rule), "reason": reason})]
        names = dict.fromkeys((row["system"], row["metric"], row["attribute"]) for row in covered)
        return [
            self._judged(rule, covered, *name) for name in names if self.policy.rule(name[1], name[2]) is rule
        ]

    def _judged(
        self, rule: Rule, covered: Sequence[Mapping[str, Any]], system: str, metric: str, attribute: str
    ) -> tuple[str, dict[str, Any]]:
        name = (system, metric, attribute)
        same = {
            row["kind"]: row for row in covered if (row["system"], row["metric"], row["attribute"]) == name
        }
        facts: dict[str, Any] = {
            "system": system,
            "attribute": attribute,
            "metric": metric,
            "kind": rule.kind,
        }
        row = same.get(rule.kind)
        if row is None:
            reason = f"The audit has no {rule.kind} of {metric} by {attribute}."
            return _NOT_MEASURED, {**facts, "reason": reason}
        facts |= {key: row.get(key) for key in ("id", "low", "high")}
        facts |= {"value": row.get("gap"), "tolerance": rule.tolerance}
        if _spoken(row) == (rule.kind, rule.tolerance):
            spoken = row["verdict"]
        elif rule.kind == _SHORTFALL and row.get("low") is not None:
            reason = f"The worst group's {metric} by {attribute} was judged by another tolerance; audit by this policy."
            return _NOT_MEASURED, {**facts, "reason": reason}
        else:
            spoken = self._again(rule, row, same)
        return {UNFAIR: "unfair", FAIR: "fair"}.get(str(spoken), "insufficient"), facts

    def _again(self, rule: Rule, row: Mapping[str, Any], same: Mapping[str, Mapping[str, Any]]) -> str:
        """The verdict by the rule's tolerance, from the published interval and test."""
        low, high = row.get("low"), row.get("high")
        if low is None or high is None:
            return INSUFFICIENT
        settings, users = self.audited.evidence.get("settings") or {}, int(row.get("users") or 0)
        fair = _FAIR_VALUE.get(rule.kind, 0.0)
        return verdict(
            Interval(row["gap"] - fair, low - fair, high - fair, users),
            self._p_value(row, same),
            rule.tolerance,
            users,
            int(settings.get("min_cell") or 0),
            float(settings.get("level") or 0.95),
        )

    def _p_value(self, row: Mapping[str, Any], same: Mapping[str, Mapping[str, Any]]) -> float | None:
        """The adjusted p-value; of a gap that was no test of the audit, Bonferroni over its tests and this one."""
        if row.get("p_adjusted") is not None:
            return float(row["p_adjusted"])
        if row["kind"] in ("kolmogorov-smirnov", "wasserstein"):
            return None
        tests = [row, *(same[kind] for kind in _DIFFERENCES if kind in same)]
        p = next((one["p_value"] for one in tests if one.get("p_value") is not None), None)
        family = sum(one.get("p_adjusted") is not None for one in self.audited.evidence.get("gaps", ()))
        return None if p is None else min(1.0, float(p) * (family + 1))


def _spoken(row: Mapping[str, Any]) -> tuple[str, float | None] | None:
    """Kind and tolerance of the audit's own verdict; None where the row has none."""
    return None if row.get("verdict") is None else (row["kind"], row.get("tolerance"))


def _scope(rule: Rule) -> dict[str, Any]:
    told = {"metric": rule.metric, "attribute": rule.attribute, "kind": rule.kind}
    return {name: value for name, value in told.items() if value is not None}


def _check(launch: Launch, code: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What is insufficient follows the policy; what was not measured stays open whatever the policy says."""
    status = {"fair": "pass", "unfair": "fail", "insufficient": launch.insufficient}.get(code, "undecided")
    return {"subject": "fairness", "status": status, "code": code, **facts}
