"""The rows of the answer: what each system was, came to, changed and said of itself, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from equipoise.audit.attackers.suite import AUC, BALANCED_ACCURACY
from equipoise.pipeline.debias.ground import Ground
from equipoise.pipeline.debias.sample import Sample
from equipoise.pipeline.debias.systems import System
from equipoise.pipeline.debias.trial import Trial
from equipoise.pipeline.propensities import propensity_cards

_WHOLE = ("coverage", "gini", "ece", "latency", "seconds")


def rows(
    ground: Ground, systems: Sequence[System], trials: Mapping[str, Sequence[Trial]], tested: Sequence[str]
) -> list[dict[str, Any]]:
    """One mapping per system, in their order.

    Returns:
        `name`, `kind`, `settings`, `stages`, `against` (see `System.describe`); `test` and `valid`, measure to
        `value`, `low`, `high`; `groups`, the accuracy of each; `difference` to the base on test, measure to
        `difference`, `low`, `high`, `p_value`, `p_adjusted`; `leakage` by view; `planted`, bias by the truth, where it
        is known; `coverage`, `gini`, `ece`, `latency` (ms per user) and `seconds` of training, means over trainings;
        `trainings`, NDCG of each; `diagnostics` of the first training, `warnings` of all, and `cards`, what the
        propensities of each correction that rests on some are worth.
    """
    samples = {part: Sample.of(ground, part, trials) for part in ("valid", "test")}
    measured = {part: sample.intervals() for part, sample in samples.items()}
    differences = samples["test"].differences(tested)
    found = []
    for place, system in enumerate(systems):
        facts = [one.facts for one in trials[system.name]]
        found.append({
            **system.describe(),
            **{
                part: {measure: one.as_dict() for measure, one in by[system.name].items()}
                for part, by in measured.items()
            },
            "groups": samples["test"].groups(place),
            "difference": differences.get(system.name, {}),
            "leakage": leakage([one["leakage"] for one in facts]),
            "planted": planted([one.get("planted") for one in facts]),
            **{name: _mean([one[name] for one in facts]) for name in _WHOLE},
            "attacking": _mean([one["attacking"] for one in facts]),
            "trainings": [_ndcg(one) for one in trials[system.name]],
            "diagnostics": facts[0]["diagnostics"],
            "warnings": _warnings(facts),
            "cards": propensity_cards(facts[0]["diagnostics"]),
        })  # fmt: skip
    return found


def strongest(told: Mapping[str, Any]) -> dict[str, Any] | None:
    """Of the views of a row, the one from which the most is read: balanced accuracy with its interval; None where
    nobody attacked.
    """
    views = {view: one[BALANCED_ACCURACY] for view, one in told.items() if BALANCED_ACCURACY in one}
    if not views:
        return None
    view = max(views, key=lambda name: float(views[name]["value"]))
    return {**views[view], "view": view, "chance": told[view]["chance"]}


def leakage(trainings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """View to what attackers reach, the mean over the attacked trainings of values and of both ends of intervals."""
    attacked = [one for one in trainings if one]
    found: dict[str, Any] = {}
    for view in attacked[0] if attacked else ():
        many = [one[view] for one in attacked if view in one]
        reasons = [one["reason"] for one in many if "reason" in one]
        if reasons:
            found[view] = {"reason": reasons[0]}
            continue
        found[view] = {"chance": many[0]["chance"], "users": many[0]["users"]}
        for metric in (BALANCED_ACCURACY, AUC):
            ends = {name: _mean([one[metric][name] for one in many]) for name in ("value", "low", "high")}
            found[view][metric] = {**ends, "attacker": many[0][metric]["attacker"]}
    return found


def planted(trainings: Sequence[Mapping[str, float | None] | None]) -> dict[str, float | None] | None:
    """Biases by the truth, means over trainings; None without a truth."""
    known = [one for one in trainings if one is not None]
    return {name: _mean([one[name] for one in known]) for name in known[0]} if known else None


def _warnings(facts: Sequence[Mapping[str, Any]]) -> list[str]:
    told = [
        str(warning)
        for one in facts
        for said in one["diagnostics"].values()
        if isinstance(said, Mapping)
        for warning in said.get("warnings") or ()
    ]
    uncalibrated = [one["uncalibrated"] for one in facts if one["uncalibrated"]]
    return list(dict.fromkeys([*told, *uncalibrated]))


def _ndcg(trial: Trial) -> float:
    test = trial.values.filter(trial.values["part"] == "test")
    return float(np.mean(test["ndcg"].to_numpy()))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
