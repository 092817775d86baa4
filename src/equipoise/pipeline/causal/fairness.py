"""The rules of a policy on fairness, as checks of the gate: by an audit of the candidate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from equipoise.audit.policy import Launch, Policy
from equipoise.pipeline.audit import Audit, audit
from equipoise.pipeline.causal.policies import is_run, last_stage
from equipoise.pipeline.causal.requests import GateRequest
from equipoise.pipeline.causal.writing import Say
from equipoise.statistics import FAIR, UNFAIR

_METRICS = ("ndcg", "recall")


def fairness_checks(
    asked: GateRequest, policy: Policy, launch: Launch, folder: Path, say: Say
) -> list[dict[str, Any]]:
    """One check per gap that a rule of the policy covers; none where the policy has no rule.

    The candidate is audited where it is a run, and else taken from a finished audit.

    Args:
        asked: What is compared.
        policy: The rules.
        launch: What follows where evidence is insufficient.
        folder: The gate's folder; the audit of a run is written into its subfolder `audit`.
        say: Called with a line for each step.
    """
    if not policy.rules:
        return []
    if asked.audit is not None:
        evidence, system = Audit.read(asked.audit).evidence, None
    elif is_run(asked.candidate):
        evidence, system = _audited(asked, policy, folder, say), last_stage(Path(asked.candidate))
    else:
        reason = "The candidate is neither a run nor has an audit (--audit)."
        return [_check(launch, "not measured", {"reason": reason})]
    references = {
        row["name"] for row in evidence.get("systems", ()) if row.get("role") not in (None, "audited")
    }
    judged = [
        row
        for row in evidence.get("gaps", ())
        if row.get("verdict")
        and row["system"] not in references
        and system in (None, row["system"])
        and policy.rule(row["metric"], row["attribute"]) is not None
    ]
    if not judged:
        return [
            _check(
                launch, "not measured", {"reason": "The audit has no gap that a rule of the policy covers."}
            )
        ]
    return [_of(launch, row) for row in judged]


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


def _of(launch: Launch, row: Mapping[str, Any]) -> dict[str, Any]:
    code = {UNFAIR: "unfair", FAIR: "fair"}.get(str(row["verdict"]), "insufficient")
    names = ("id", "system", "attribute", "metric", "kind", "low", "high", "tolerance")
    return _check(launch, code, {**{name: row.get(name) for name in names}, "value": row.get("gap")})


def _check(launch: Launch, code: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    status = {"fair": "pass", "unfair": "fail"}.get(code, launch.insufficient)
    return {"subject": "fairness", "status": status, "code": code, **facts}
