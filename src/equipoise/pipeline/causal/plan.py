"""Before logging: how much exploration, how many users, and what it costs, until a gate or an audit can answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field

from equipoise.audit.policy import Policy
from equipoise.data import vocabulary as v
from equipoise.data.frames import require
from equipoise.data.sources import read_table
from equipoise.errors import ConfigError
from equipoise.pipeline.causal.requests import Request
from equipoise.pipeline.causal.writing import Answer, Say, place, provenance, write
from equipoise.report import render_plan

_NEEDED = {"items": "--items", "reward_rate": "--reward-rate", "gain": "--gain"}


class PlanRequest(Request):
    """What is known before anything is logged, and what shall be found."""

    items: int | None = Field(None, ge=2)
    """Items that a decision chooses among; those of the log by default."""
    reward_rate: float | None = Field(None, gt=0, le=1)
    """Mean reward per decision today; that of the log by default."""
    gain: float | None = Field(None, gt=0)
    """Gain per decision that must be found."""
    minimum_gain: float | None = Field(None, allow_inf_nan=False)
    """Least gain that the gate asks for, which the interval must lie above; the policy's by default, else 0."""
    disagreement: float | None = Field(None, gt=0, le=1)
    """Share of decisions in which the new policy chooses another item."""
    random_rate: float | None = Field(None, ge=0, le=1)
    """Mean reward of a uniformly chosen item; half of today's by default."""
    decisions_per_user: float | None = Field(None, ge=1)
    """Decisions of a user, on average; as in the log by default."""
    within_user: float | None = Field(None, ge=0, le=1)
    """Correlation of a user's decisions."""
    against: str | None = None
    """logged or current: what the new policy is compared with."""
    power: float | None = Field(None, gt=0, lt=1)
    """Chance that a gain of this size is found."""
    users: int | None = Field(None, ge=1)
    """Users at hand."""
    epsilons: tuple[float, ...] = ()
    """Amounts of exploration to compare."""
    log: str | None = None
    """An earlier log, to take what is not said from."""
    policy: str | None = None
    """The policy that the gate will read."""
    tolerance: float | None = Field(None, gt=0)
    """Gap between groups that the audit tolerates."""
    deviation: float | None = Field(None, gt=0)
    """Standard deviation of the audit's metric over users."""
    smallest_share: float | None = Field(None, gt=0, le=0.5)
    """Share of the smallest group among users."""


def plan(
    request: PlanRequest | Mapping[str, Any],
    *,
    out: Path | str | None = None,
    force: bool = False,
    say: Say = lambda line: None,
) -> Answer:
    """Compare amounts of exploration, and write `plan.json` and `report.html`.

    Args:
        request: What is known, and what shall be found.
        out: Folder to write into; `plans/<time>-plan` by default.
        force: Replace an answer that is in the folder already.
        say: Called with a line for each step.

    Raises:
        EquipoiseError: with what was wrong, where, and what to do. Nothing is written then.
    """
    from equipoise.causal.off_policy.planning import EPSILONS, plan_exploration, users_for_audit

    asked = request if isinstance(request, PlanRequest) else PlanRequest.of(request)
    folder = place(out, "plan", asked.name or "plan", force=force)
    situation = _situation(asked)
    audit = (asked.tolerance, asked.deviation, asked.smallest_share)
    if any(audit) and not all(audit):
        raise ConfigError(
            "An audit is planned from three numbers",
            todo="Give --tolerance, --deviation and --smallest-share together.",
        )
    tolerance, deviation, share = audit
    needed = None
    if tolerance is not None and deviation is not None and share is not None:
        needed = users_for_audit(tolerance, deviation, share, level=asked.level, power=asked.power or 0.8)
    found = plan_exploration(
        epsilons=asked.epsilons or EPSILONS, users=asked.users, audit_users=needed, **situation
    )
    content = {
        **found.as_dict(),
        "situation": situation,
        "users": asked.users,
        "audit": None if needed is None else {"tolerance": tolerance, "deviation": deviation, "smallest_share": share},
        **provenance(asked.command, asked.name),
    }  # fmt: skip
    answer = write(folder, "plan", content, render_plan, asked.lang)
    say(f"wrote     {answer.path}")
    return answer


def _situation(asked: PlanRequest) -> dict[str, Any]:
    """What the plan starts from: what was said, else what the log and the policy say.

    Raises:
        ConfigError: if something is neither said nor to be found there.
    """
    known: dict[str, Any] = {} if asked.log is None else _of_log(read_table(asked.log))
    if asked.policy is not None and (launch := Policy.read(asked.policy).launch) is not None:
        known |= {"level": launch.level, "minimum_gain": launch.minimum_gain}
    names = (
        *_NEEDED,
        "minimum_gain",
        "disagreement",
        "random_rate",
        "decisions_per_user",
        "within_user",
        "against",
        "power",
    )
    known |= {name: value for name in names if (value := getattr(asked, name)) is not None}
    if "level" in asked.model_fields_set:
        known["level"] = asked.level
    for name, option in _NEEDED.items():
        if name not in known:
            raise ConfigError(
                f"It is not said what the {name.replace('_', ' ')} is",
                todo=f"Give {option}" + ("." if name == "gain" else ", or an earlier log by --log."),
            )
    return known


def _of_log(log: pl.DataFrame) -> dict[str, Any]:
    require(log.columns, v.ITEM, v.REWARD, table="log")
    told: dict[str, Any] = {
        "items": log[v.ITEM].n_unique(),
        "reward_rate": float(log[v.REWARD].cast(pl.Float64).mean() or 0.0),  # type: ignore[arg-type]
    }
    if v.USER in log.columns:
        told["decisions_per_user"] = max(1.0, len(log) / log[v.USER].n_unique())
    return told
