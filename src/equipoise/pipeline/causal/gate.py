"""May a candidate replace what runs today? Its value on the log, and fairness by the audit, in one verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.audit.policy import Launch, Policy
from equipoise.errors import ConfigError
from equipoise.pipeline.causal.fairness import fairness_checks
from equipoise.pipeline.causal.junit import junit
from equipoise.pipeline.causal.policies import policy_on
from equipoise.pipeline.causal.policy_value import outcome_model, read_log
from equipoise.pipeline.causal.requests import GateRequest
from equipoise.pipeline.causal.writing import Answer, Say, place, provenance, write
from equipoise.report import render_gate
from equipoise.report.causal.gate import said
from equipoise.report.languages import Words

PASS, FAIL, UNDECIDED = "pass", "fail", "undecided"


@dataclass(frozen=True)
class Gate(Answer):
    """A finished gate."""

    @property
    def outcome(self) -> str:
        """`pass`, `fail` or `undecided`."""
        return str(self.content["verdict"]["code"])

    @property
    def junit(self) -> str:
        """The checks as JUnit XML."""
        return junit(self.content)


def gate(
    request: GateRequest | Mapping[str, Any],
    *,
    out: Path | str | None = None,
    force: bool = False,
    say: Say = lambda line: None,
) -> Gate:
    """Check a candidate against what runs today, and write `gate.json` and `report.html`.

    The value passes where the whole interval of the difference lies above the least gain that the policy asks for,
    and fails where it lies below. Fairness passes where every rule of the policy is kept.

    Args:
        request: What is compared, and by which policy.
        out: Folder to write into; `gates/<time>-<name>` by default.
        force: Replace an answer that is in the folder already.
        say: Called with a line for each step.

    Raises:
        EquipoiseError: with what was wrong, where, and what to do. Nothing is written then.
    """
    asked = request if isinstance(request, GateRequest) else GateRequest.of(request)
    policy = Policy.read(asked.policy)
    names = _names(asked.candidate, asked.current)
    folder = place(out, "gate", "-".join(names), force=force)
    if asked.log is None and not policy.rules:
        raise ConfigError(
            "There is nothing to check: no log is given, and the policy has no rule",
            where=asked.policy,
            todo="Name the log by --log, or write a [[rule]] into the policy.",
        )
    launch = policy.launch or Launch()
    value, checks = _value(asked, launch, say)
    fairness = fairness_checks(asked, policy, launch, folder, say)
    checks += fairness.checks
    for check in checks:
        check["says"] = said(check, Words("en"))
    content = {
        "kind": "gate",
        "schema": 1,
        "candidate": names[0],
        "current": names[1],
        "verdict": {"code": verdict([check["status"] for check in checks])},
        "checks": checks,
        "notes": list(fairness.notes),
        "value": value,
        "policy": {"owner": policy.owner, "launch": launch.model_dump(mode="json")},
        **provenance(asked.command, asked.name),
    }
    answer = write(folder, "gate", content, render_gate, asked.lang)
    say(f"wrote     {answer.path}")
    return Gate(answer.path, answer.content)


def verdict(statuses: Sequence[str]) -> str:
    """Of all checks: fail where one fails, else undecided where one is, else pass."""
    return FAIL if FAIL in statuses else UNDECIDED if UNDECIDED in statuses else PASS


def value_check(difference: Mapping[str, Any], minimum: float) -> dict[str, Any]:
    """The check of a difference in value: is its whole interval above the least gain, or below it?

    Args:
        difference: `value`, `low`, `high`, `interval_reliable`, `reason`.
        minimum: Least gain.
    """
    numbers = {name: difference.get(name) for name in ("value", "low", "high")}
    check = {"subject": "value", **numbers, "minimum": minimum}
    low, high = numbers["low"], numbers["high"]
    if numbers["value"] is None or low is None or high is None:
        return {**check, "status": UNDECIDED, "code": "refused", "reason": difference.get("reason")}
    if not difference.get("interval_reliable"):
        return {**check, "status": UNDECIDED, "code": "unreliable"}
    if low > minimum:
        return {**check, "status": PASS, "code": "better"}
    if high < minimum:
        return {**check, "status": FAIL, "code": "worse"}
    return {**check, "status": UNDECIDED, "code": "unclear"}


def _value(
    asked: GateRequest, launch: Launch, say: Say
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """Both policies valued on the same log, and the check of their difference."""
    from equipoise.causal.off_policy import policy_value
    from equipoise.causal.off_policy.support import LAUNCH

    if asked.log is None:
        reason = "No log was given."
        missing = {"subject": "value", "status": UNDECIDED, "code": "not measured", "reason": reason}
        return None, [missing]
    log = read_log(asked.log, lazily=False)
    model = outcome_model(asked.outcome_model, launch.estimator, asked.log)
    log, targets = policy_on(log, [asked.candidate, asked.current])
    say(f"valuing   {asked.candidate} and {asked.current} by {launch.estimator} on {len(log):,} rows")
    new, old = (
        policy_value(
            log,
            target,
            launch.estimator,
            outcome_model=model,
            level=launch.level,
            seed=asked.seed,
            cluster=asked.cluster,
            context=asked.context,
            support=LAUNCH,
        )
        for target in targets
    )
    difference = new.minus(old).as_dict()
    content = {
        "estimator": new.estimator,
        "level": new.level,
        "n": new.n,
        "clusters": new.clusters,
        "effective_sample_size": new.effective_sample_size,
        "effective_share": new.effective_share,
        "candidate": {"value": new.value, "low": new.low, "high": new.high},
        "current": {"value": old.value, "low": old.low, "high": old.high},
        "difference": difference,
    }
    return content, [value_check(difference, launch.minimum_gain)]


def _names(candidate: str, current: str) -> tuple[str, str]:
    """What both are called: the last part of a path, unless that makes them alike."""
    short = tuple(Path(text).stem if "/" in text or "." in text else text for text in (candidate, current))
    return (candidate, current) if short[0] == short[1] else (short[0], short[1])
